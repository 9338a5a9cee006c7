//! `mandate test`: the tests of the base policy, the examples of docs/policy-tests.md, failures in each form.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;

use common::{Folder, check, policy, repository, run};
use expect_test::{Expect, expect};
use mandate_policydb::{TypeId, Unvalidated};
use mandate_query::types::TypeSets;

#[test]
fn the_base_policy_reaches_its_goals() {
    let (code, out, err) = run(&["mandate", "test", &repository("policies/base/tests")]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains(" 0 fail"), "{out}");
}

/// The types that the claims of these kinds of assertions begin with.
fn sources(told: &serde_json::Value, kinds: &[&str]) -> BTreeSet<String> {
    let files = told["files"].as_array().unwrap();
    let assertions = files.iter().flat_map(|it| it["assertions"].as_array().unwrap());
    let wanted = assertions.filter(|it| kinds.contains(&it["kind"].as_str().unwrap()));
    let source = |it: &serde_json::Value| {
        let first = it["claim"].as_str().unwrap().split_whitespace().next().unwrap().to_owned();
        first.split(':').nth(2).map_or(first.clone(), str::to_owned)
    };
    wanted.map(source).collect()
}

#[test]
fn each_domain_of_the_base_policy_has_what_it_may_and_what_it_may_not() {
    let folder = Folder::new("policy-tests-domains");
    let binary = folder.path("policy");
    let binary = binary.to_str().unwrap();
    let (code, _, err) = run(&["mandate", "build", &repository("policies/base"), "-o", binary]);
    assert_eq!(code, 0, "{err}");
    let policy = Unvalidated::read(&std::fs::read(binary).unwrap()).unwrap().validate().unwrap();
    let sets = TypeSets::new(policy.db());
    let members = sets.members(policy.db().types.id("domain").unwrap());
    let domains: BTreeSet<String> =
        members.ids::<TypeId>().map(|it| policy.db().types.name(it).into_owned()).collect();
    let tests = repository("policies/base/tests");
    let (_, out, _) = run(&["mandate", "test", "--format", "json", &tests]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    for kinds in [["can", "transition"], ["cannot", "neverallow"]] {
        let tested = sources(&told, &kinds);
        let missing: Vec<_> = domains.difference(&tested).collect();
        assert!(missing.is_empty(), "without {kinds:?}: {missing:?}");
    }
}

#[test]
fn the_examples_of_the_page_hold() {
    let page = std::fs::read_to_string(repository("docs/policy-tests.md")).unwrap();
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).map(|it| it.split("```").next().unwrap()).collect();
    let policy = repository("policies/base");
    let text = examples.concat().replace("../policies/base", &policy);
    let folder = Folder::new("policy-tests-page");
    let file = folder.file("page.toml", text.as_bytes());
    let (code, out, err) = run(&["mandate", "test", file.to_str().unwrap()]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for kind in ["can", "cannot", "transition", "relabel", "only", "neverallow", "rule_count"] {
        assert!(text.contains(&format!("[[{kind}]]")), "{kind}");
    }
}

#[test]
fn a_tree_is_tested_as_the_file_wants_it_built() {
    let folder = Folder::new("policy-tests-build");
    let base = repository("policies/base");
    let asked = |build: &str, policy: &str| {
        let text = format!(
            "policy = \"{policy}\"\n{build}\n[[can]]\nsource = \"staff_u:staff_r:staff_t:s1\"\n\
             target = \"staff_u:staff_r:staff_t:s1\"\nclass = \"fifo_file\"\npermissions = \"read\"\n"
        );
        let file = folder.file("t.toml", text.as_bytes());
        run(&["mandate", "test", file.to_str().unwrap()])
    };
    let (code, out, err) = asked("", &base);
    assert_eq!(code, 2, "s1 is no level of mcs: {out}{err}");
    let (code, out, err) = asked("build = { TYPE = \"mls\", UBAC = \"y\" }", &base);
    assert!(out.contains("policies/base with TYPE=mls, UBAC=y"), "{out}{err}");
    assert!(code < 2, "{out}{err}");
    let (code, _, err) = asked("build = { TYPE = \"mls\" }", &policy());
    assert!(code == 2 && err.contains("is no source tree"), "{err}");
    let (code, _, err) = asked("build = { TYP = \"mls\" }", &base);
    assert!(code == 2 && err.contains("TYP"), "{err}");
}

const FAILING: &str = r#"
[[can]]
name = "a <switch>"
source = "httpd_t"
target = "user_home_t"
class = "file"
permissions = "read"
[[cannot]]
source = "system_u:system_r:httpd_t:s0"
target = "system_u:object_r:httpd_content_t:s0"
class = "file"
permissions = ["read", "write"]
"#;

fn told(text: &str, format: &str, code: u8, expected: Expect) {
    let folder = Folder::new(&format!("policy-tests-{format}-{code}"));
    let file = folder.file("t.toml", text.as_bytes());
    let file = file.to_str().unwrap();
    let words = ["mandate", "test", "--policy", &policy(), "--format", format, file];
    let (found, out, err) = run(&words);
    expected.assert_eq(&format!("{out}{err}").replace(file, "FILE").replace(&policy(), "POLICY"));
    assert_eq!(found, code);
}

#[test]
fn failures_as_text() {
    told(
        FAILING,
        "text",
        1,
        expect![[r#"
            FILE, of POLICY
              FAIL  can                    a <switch>
              FAIL  cannot                 system_u:system_r:httpd_t:s0 system_u:object_r:httpd_content_t:s0 file read and write

            FILE:2: can  a <switch>
              httpd_t may not read file of user_home_t: no allow rule applies; booleans turn off
                allow httpd_t user_home_t:file { read getattr open };  [ httpd_read_homes ]:True

            FILE:8: cannot  system_u:system_r:httpd_t:s0 system_u:object_r:httpd_content_t:s0 file read and write
              system_u:system_r:httpd_t:s0 may read file of system_u:object_r:httpd_content_t:s0
                allow httpd_t httpd_content_t:file { read getattr open };

            2 assertions: 0 hold, 2 fail
        "#]],
    );
}

#[test]
fn failures_as_json() {
    told(
        FAILING,
        "json",
        1,
        expect![[r#"
            {
              "assertions": 2,
              "failed": 2,
              "files": [
                {
                  "file": "FILE",
                  "policy": "POLICY",
                  "assertions": [
                    {
                      "kind": "can",
                      "name": "a <switch>",
                      "line": 2,
                      "claim": "httpd_t user_home_t file read",
                      "holds": false,
                      "breaches": [
                        {
                          "text": "httpd_t may not read file of user_home_t: no allow rule applies; booleans turn off",
                          "rules": [
                            {
                              "rule": "allow httpd_t user_home_t:file { read getattr open };",
                              "condition": "httpd_read_homes",
                              "when": true
                            }
                          ]
                        }
                      ]
                    },
                    {
                      "kind": "cannot",
                      "name": null,
                      "line": 8,
                      "claim": "system_u:system_r:httpd_t:s0 system_u:object_r:httpd_content_t:s0 file read and write",
                      "holds": false,
                      "breaches": [
                        {
                          "text": "system_u:system_r:httpd_t:s0 may read file of system_u:object_r:httpd_content_t:s0",
                          "rules": [
                            {
                              "rule": "allow httpd_t httpd_content_t:file { read getattr open };",
                              "condition": null,
                              "when": null
                            }
                          ]
                        }
                      ]
                    }
                  ]
                }
              ]
            }
        "#]],
    );
}

#[test]
fn failures_as_junit() {
    told(
        FAILING,
        "junit",
        1,
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites tests="2" failures="2">
              <testsuite name="FILE" tests="2" failures="2">
                <testcase classname="can" name="a &lt;switch&gt;" file="FILE" line="2">
                  <failure message="httpd_t may not read file of user_home_t: no allow rule applies; booleans turn off">httpd_t may not read file of user_home_t: no allow rule applies; booleans turn off
              allow httpd_t user_home_t:file { read getattr open };  [ httpd_read_homes ]:True
            </failure>
                </testcase>
                <testcase classname="cannot" name="system_u:system_r:httpd_t:s0 system_u:object_r:httpd_content_t:s0 file read and write" file="FILE" line="8">
                  <failure message="system_u:system_r:httpd_t:s0 may read file of system_u:object_r:httpd_content_t:s0">system_u:system_r:httpd_t:s0 may read file of system_u:object_r:httpd_content_t:s0
              allow httpd_t httpd_content_t:file { read getattr open };
            </failure>
                </testcase>
              </testsuite>
            </testsuites>
        "#]],
    );
}

#[test]
fn what_is_no_test_is_told_with_its_place() {
    let text = r#"
[[cannot]]
source = "htpd_t"
target = "user_home_t"
class = "file"
permissions = "read"
[[cannot]]
source = "httpd_t"
target = "user_home_t"
class = "file"
permissions = "raed"
"#;
    told(
        text,
        "text",
        2,
        expect![[r#"
            error: FILE:3:10: the policy has no type "htpd_t"; did you mean httpd_t?
            error: FILE:11:15: class file has no permission "raed"; did you mean read?
        "#]],
    );
    check(
        &["mandate", "test", "nowhere.toml"],
        2,
        expect![[r#"
        error: nowhere.toml: No such file or directory (os error 2)
    "#]],
    );
    let folder = Folder::new("policy-tests-none");
    let (code, _, err) = run(&["mandate", "test", folder.path("").to_str().unwrap()]);
    assert!(code == 2 && err.contains("holds no .toml file"), "{err}");
}
