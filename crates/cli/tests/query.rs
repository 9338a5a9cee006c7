//! `mandate query info` and `search`, `seinfo` and `sesearch`: text and exit codes.

mod common;

use common::{check, policy, repository, run};
use expect_test::expect;

#[test]
fn rules_are_found_and_printed() {
    let policy = policy();
    check(
        &["mandate", "query", "search", &policy, "--source", "httpd_t", "--class", "process"],
        0,
        expect![[""]],
    );
    check(
        &["mandate", "query", "search", &policy, "-s", "/^httpd/", "-p", "write", "--json"],
        0,
        expect![[""]],
    );
    check(&["sesearch", "-A", "-shttpd_t", "-c", "process", &policy], 0, expect![[""]]);
}

#[test]
fn places_follow_the_rule() {
    let source = repository("policies/micro/conditional-several/policy.conf");
    let (code, out, _) = run(&["mandate", "query", "search", &source, "-p", "write", "--places"]);
    let out = out.replace(&source, "SOURCE");
    expect![[""]].assert_eq(&out);
    assert_eq!(code, 0);
}

#[test]
fn unknown_names_are_told_with_what_is_near() {
    let policy = policy();
    let search = ["mandate", "query", "search", &policy];
    check(&[&search[..], &["-s", "htpd_t"]].concat(), 2, expect![[""]]);
    check(&[&search[..], &["-c", "file", "-p", "wirte"]].concat(), 2, expect![[""]]);
    check(&[&search[..], &["-s", "/(/"]].concat(), 2, expect![[""]]);
    let info = ["mandate", "query", "info", &policy];
    check(&[&info[..], &["type=htpd_t"]].concat(), 2, expect![[""]]);
    check(&[&info[..], &["tpye"]].concat(), 2, expect![[""]]);
    check(&["sesearch", "-A", "-s", "htpd_t", &policy], 1, expect![[""]]);
    check(&["seinfo", "--constrain", "fiel", &policy], 1, expect![[""]]);
}

#[test]
fn words_that_cannot_be_read_are_refused() {
    let policy = policy();
    let last = |words: &[&str]| {
        let (code, out, err) = run(words);
        assert!(out.is_empty(), "{out}");
        format!("{code} {}", err.lines().last().unwrap_or_default())
    };
    expect!["2 sesearch: error: At least one rule type must be specified."]
        .assert_eq(&last(&["sesearch", &policy]));
    expect!["2 sesearch: error: unrecognized arguments: --frob"]
        .assert_eq(&last(&["sesearch", "-A", "--frob", &policy]));
    expect!["2 seinfo: error: unrecognized arguments: -z"]
        .assert_eq(&last(&["seinfo", "-z", &policy]));
    expect![[""]].assert_eq(&last(&["seinfo", "--portcon", "http", &policy]));
}

#[test]
fn components_are_listed() {
    let policy = policy();
    check(&["seinfo", "-x", "-b", "-t", "httpd_t", &policy], 0, expect![[""]]);
    check(&["seinfo", "-t", "nothing_t", &policy], 0, expect![[""]]);
    check(&["seinfo", "--flat", "-u", &policy], 0, expect![[""]]);
    check(&["mandate", "query", "info", &policy, "bool", "user", "-x"], 0, expect![[""]]);
    check(&["mandate", "query", "info", &policy, "user", "-x", "--json"], 0, expect![[""]]);
    check(&["seinfo", &policy], 0, expect![[""]]);
}
