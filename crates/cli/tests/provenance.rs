//! `mandate explain` with a provenance file beside the policy.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Folder, check, policy, run};
use expect_test::expect;
use mandate_policydb::{
    Provenance, ProvenanceBuilder, RuleKey, RuleKind, RulePlace, SymbolId, Unvalidated,
};
use sha2::{Digest, Sha256};

const SOURCE: &str = "system_u:system_r:httpd_t:s0";
const CONTENT: &str = "system_u:object_r:httpd_content_t:s0";

/// What a build of the demo policy could have written: two statements give `read` of web pages, a third `getattr`.
fn provenance(bytes: &[u8]) -> Provenance {
    let db = Unvalidated::read(bytes).unwrap().validate().unwrap().into_db();
    let mut made = ProvenanceBuilder::new();
    let (te, interfaces) = (made.string("policy/web.te"), made.string("policy/web.if"));
    let (inner, outer) = (made.string("web_read_pages"), made.string("web_server"));
    let written = made.place(te, 12, 1, None);
    let first = made.place(te, 30, 1, None);
    let second = made.place(interfaces, 8, 2, Some((outer, first)));
    let called = made.place(interfaces, 3, 2, Some((inner, second)));
    let class = db.classes.id("file").unwrap();
    let bit = |name| 1 << db.permission(class, name).unwrap().bit();
    for (index, rule) in (0..).zip(&db.rules) {
        let about = db.types.name(rule.source) == "httpd_t" && rule.class() == class;
        if about && rule.kind == RuleKind::Allow && rule.permissions() & bit("read") != 0 {
            let rule = RuleKey::Rule(RulePlace::Unconditional(index));
            made.add(rule, bit("read"), written);
            made.add(rule, bit("read"), called);
            made.add(rule, bit("getattr"), first);
        }
    }
    made.finish(Sha256::digest(bytes).into())
}

/// A folder with the demo policy and such a file beside it.
fn folder(name: &str) -> (Folder, String) {
    let folder = Folder::new(name);
    let bytes = fs::read(policy()).unwrap();
    let path = folder.file("policy.33", &bytes);
    let mut beside = Vec::new();
    provenance(&bytes).write(&mut beside).unwrap();
    folder.file("policy.33.provenance", &beside);
    (folder, path.to_str().unwrap().to_owned())
}

#[test]
fn a_rule_is_followed_by_where_it_was_written() {
    let (_folder, policy) = folder("provenance-text");
    check(
        &["mandate", "explain", &policy, SOURCE, CONTENT, "file", "read"],
        0,
        expect![[r#"
        allowed  read
          granted by:
            allow httpd_t httpd_content_t:file { read getattr open };
              at policy/web.if:3
                in interface web_read_pages, called at policy/web.if:8
                in interface web_server, called at policy/web.te:30
              at policy/web.te:12
    "#]],
    );
}

#[test]
fn json_has_the_places_too() {
    let (_folder, policy) = folder("provenance-json");
    let (code, out, _) =
        run(&["mandate", "explain", "--json", &policy, SOURCE, CONTENT, "file", "read"]);
    assert_eq!(code, 0);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    let places = &value["permissions"][0]["granted_by"][0]["places"];
    expect![[r#"
        [
          {
            "file": "policy/web.if",
            "line": 3,
            "column": 2,
            "expansion": [
              {
                "macro": "web_read_pages",
                "file": "policy/web.if",
                "line": 8,
                "column": 2
              },
              {
                "macro": "web_server",
                "file": "policy/web.te",
                "line": 30,
                "column": 1
              }
            ]
          },
          {
            "file": "policy/web.te",
            "line": 12,
            "column": 1,
            "expansion": []
          }
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(places).unwrap());
}

#[test]
fn that_of_another_policy_is_refused() {
    let (folder, policy) = folder("provenance-other");
    let mut bytes = fs::read(&policy).unwrap();
    // The byte that says how unknown classes are handled: still a policy.
    bytes[20] ^= 4;
    fs::write(&policy, bytes).unwrap();
    let (code, out, err) = run(&["mandate", "explain", &policy, SOURCE, CONTENT, "file", "read"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("policy.33.provenance belongs to another policy than "), "{err}");
    folder.file("policy.33.provenance", b"mandprov\x01short");
    let (code, _, err) = run(&["mandate", "explain", &policy, SOURCE, CONTENT, "file", "read"]);
    assert_eq!(code, 2);
    assert!(err.contains("cut short"), "{err}");
}
