//! `query diff` and `sediff`.

mod common;

use common::{check, repository, run};
use expect_test::expect;

fn policies() -> [String; 2] {
    ["a", "b"].map(|it| repository(&format!("crates/query/tests/diff/{it}.bin")))
}

#[test]
fn sediff_prints_as_the_original() {
    let [a, b] = policies();
    check(
        &["sediff", "-ur", "--netifcon", "-A", &a, &b],
        0,
        expect![[r#"
        Roles (0 Added, 0 Removed, 1 Modified)
           Modified Roles: 1
              * q (1 Added types, 1 Removed types)
                  + b_t
                  - a_t

        Users (1 Added, 1 Removed, 1 Modified)
           Added Users: 1
              + w
           Removed Users: 1
              - v
           Modified Users: 1
              * u (1 Added roles)
                  Roles:
                  + q

        Allow Rules (1 Added, 1 Removed, 1 Modified)
           Added Allow Rules: 1
              + allow b_t c_t:file execute; [ b1 ]:True
           Removed Allow Rules: 1
              - allow a_t c_t:file read;
           Modified Allow Rules: 1
              * allow a_t b_t:file { read +execute -write };

        Allowxperm Rules (0 Added, 0 Removed, 1 Modified)
           Modified Allowxperm Rules: 1
              * allowxperm c_t c_t:file ioctl { 0x1234 0x1300-0x1310 +[0x1311-0x1312] };

        Netifcons (0 Added, 0 Removed, 1 Modified)
           Modified Netifcons: 1
              * eth0 (Modified Context)
                  Context:
                     + u:r:b_t:s0
                     - u:r:a_t:s0

    "#]],
    );
}

#[test]
fn sediff_counts() {
    let [a, b] = policies();
    check(
        &["sediff", "--stats", &a, &b],
        0,
        expect![[r#"
        Classes (0 Added, 0 Removed, 1 Modified)

        Booleans (1 Added, 1 Removed, 1 Modified)

        Roles (0 Added, 0 Removed, 1 Modified)

        Types (0 Added, 0 Removed, 2 Modified)

        Type Attributes (0 Added, 0 Removed, 2 Modified)

        Users (1 Added, 1 Removed, 1 Modified)

        Levels (0 Added, 0 Removed, 1 Modified)

        Allow Rules (1 Added, 1 Removed, 1 Modified)

        Allowxperm Rules (0 Added, 0 Removed, 1 Modified)

        Type_transition Rules (0 Added, 0 Removed, 1 Modified)

        Role allow Rules (1 Added, 1 Removed)

        Range_transition Rules (0 Added, 0 Removed, 1 Modified)

        MLS Constraints (1 Added, 1 Removed)

        Initial SIDs (0 Added, 0 Removed, 1 Modified)

        Fs_use (0 Added, 0 Removed, 1 Modified)

        Genfscons (0 Added, 0 Removed, 1 Modified)

        Netifcons (0 Added, 0 Removed, 1 Modified)

        Nodecons (1 Added, 1 Removed, 0 Modified)

        Portcons (0 Added, 0 Removed, 1 Modified)

        Policy Capabilities (1 Added, 1 Removed)

        Defaults (0 Added, 0 Removed, 1 Modified)

        Typebounds (0 Added, 0 Removed, 1 Modified)

    "#]],
    );
}

#[test]
fn a_part_that_is_asked_for_is_printed_without_differences() {
    let [a, _] = policies();
    check(
        &["sediff", "--property", "--polcap", &a, &a],
        0,
        expect![[r#"
        Policy Properties (0 Modified)

        Policy Capabilities (0 Added, 0 Removed)

    "#]],
    );
    check(&["sediff", &a, &a], 0, expect![[""]]);
}

#[test]
fn sediff_refuses_what_it_does_not_know() {
    let [a, b] = policies();
    for (words, code) in [
        (vec!["sediff", "--zzz", &a, &b], 2),
        (vec!["sediff", &a], 2),
        (vec!["sediff", &a, &b, &b], 2),
        (vec!["sediff", &a, "/nowhere"], 1),
    ] {
        let (found, out, err) = run(&words);
        assert_eq!((found, out.as_str()), (code, ""), "{words:?}");
        assert!(!err.is_empty());
    }
}

#[test]
fn effects_are_told_by_domain_with_their_places() {
    let [a, b] = ["a", "b"].map(|it| repository(&format!("crates/query/tests/diff/{it}.conf")));
    let (code, out, _) = run(&["mandate", "query", "diff", &a, &b, "--effective", "--places"]);
    let root = repository("");
    expect![[r#"
        a_t
           + b_t:file { execute }
           - b_t:file { write }
              at crates/query/tests/diff/a.conf:21
              at crates/query/tests/diff/b.conf:21
           - c_t:file { read }
              at crates/query/tests/diff/a.conf:23
        b_t
           + c_t:file { write }
              at crates/query/tests/diff/b.conf:28
    "#]]
    .assert_eq(&out.replace(&root, ""));
    assert_eq!(code, 0);
}

#[test]
fn rules_of_every_kind_are_told_with_their_places() {
    let [a, b] = ["a", "b"].map(|it| repository(&format!("crates/query/tests/diff/{it}.conf")));
    let parts = "allow,allowxperm,type_transition,type_change,role_allow,role_transition,range_transition,bool";
    let words = ["mandate", "query", "diff", &a, &b, "--places", "--part", parts];
    let (code, out, _) = run(&words);
    let root = repository("");
    expect![[r#"
        Allow Rules (1 Added, 1 Removed, 1 Modified)
           Added Allow Rules: 1
              + allow b_t c_t:file execute; [ b1 ]:True
              at crates/query/tests/diff/b.conf:28
           Removed Allow Rules: 1
              - allow a_t c_t:file read;
              at crates/query/tests/diff/a.conf:23
           Modified Allow Rules: 1
              * allow a_t b_t:file { read +execute -write };
              at crates/query/tests/diff/a.conf:21
              at crates/query/tests/diff/b.conf:21

        Allowxperm Rules (0 Added, 0 Removed, 1 Modified)
           Modified Allowxperm Rules: 1
              * allowxperm c_t c_t:file ioctl { 0x1234 0x1300-0x1310 +[0x1311-0x1312] };
              at crates/query/tests/diff/a.conf:25
              at crates/query/tests/diff/b.conf:25

        Type_transition Rules (0 Added, 0 Removed, 1 Modified)
           Modified Type_transition Rules: 1
              * type_transition a_t b_t:process +d_t -c_t;
              at crates/query/tests/diff/a.conf:26
              at crates/query/tests/diff/b.conf:26

        Role allow Rules (1 Added, 1 Removed)
           Added Role Allow Rules: 1
              + allow q r;
              at crates/query/tests/diff/b.conf:31
           Removed Role Allow Rules: 1
              - allow r q;
              at crates/query/tests/diff/a.conf:31

        Range_transition Rules (0 Added, 0 Removed, 1 Modified)
           Modified Range_transition Rules: 1
              * range_transition a_t b_t:process +[s0:c0-s1:c0.c2] -[s0:c0-s1:c0.c1]
              at crates/query/tests/diff/a.conf:29
              at crates/query/tests/diff/b.conf:29

        Booleans (1 Added, 1 Removed, 1 Modified)
           Added Booleans: 1
              + b3
           Removed Booleans: 1
              - b2
           Modified Booleans: 1
              * b1 (Modified default state)
                  + False
                  - True

    "#]]
    .assert_eq(&out.replace(&root, ""));
    assert_eq!(code, 0);
    let (_, out, _) = run(&[&words[..], &["--json"]].concat());
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    let line = |part: &str, list: &str, key: &str| value[part][list][0][key][0]["line"].clone();
    expect!["26 26 31"].assert_eq(&format!(
        "{} {} {}",
        line("type_transition", "modified", "places_before"),
        line("type_transition", "modified", "places_after"),
        line("role_allow", "added", "places_after"),
    ));
    assert!(value["bool"]["added"][0].get("places_after").is_none());
}

#[test]
fn json_has_the_parts_that_differ() {
    let [a, b] = policies();
    let words = ["mandate", "query", "diff", &a, &b, "--json", "--part", "allow,bool"];
    check(
        &words,
        0,
        expect![[r#"
        {
          "allow": {
            "added": [
              {
                "kind": "allow",
                "source": "b_t",
                "target": "c_t",
                "class": "file",
                "kept": [],
                "added": [
                  "execute"
                ],
                "removed": [],
                "condition": "b1",
                "when": true,
                "text": "allow b_t c_t:file execute; [ b1 ]:True"
              }
            ],
            "removed": [
              {
                "kind": "allow",
                "source": "a_t",
                "target": "c_t",
                "class": "file",
                "kept": [],
                "added": [],
                "removed": [
                  "read"
                ],
                "text": "allow a_t c_t:file read;"
              }
            ],
            "modified": [
              {
                "kind": "allow",
                "source": "a_t",
                "target": "b_t",
                "class": "file",
                "kept": [
                  "read"
                ],
                "added": [
                  "execute"
                ],
                "removed": [
                  "write"
                ],
                "text": "allow a_t b_t:file { read +execute -write };"
              }
            ]
          },
          "bool": {
            "added": [
              {
                "text": "b3"
              }
            ],
            "removed": [
              {
                "text": "b2"
              }
            ],
            "modified": [
              {
                "text": "b1",
                "details": {
                  "default_state": {
                    "added": [
                      "False"
                    ],
                    "removed": [
                      "True"
                    ]
                  }
                }
              }
            ]
          }
        }
    "#]],
    );
}
