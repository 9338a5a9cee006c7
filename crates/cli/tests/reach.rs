//! `query reach`, `query flow`, `sedta` and `seinfoflow` on the command line.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Folder, check, policy, run};
use expect_test::expect;

#[test]
fn reach_shows_each_step_with_its_rules() {
    let policy = policy();
    check(
        &["mandate", "query", "reach", &policy, "--from", "init_t", "--to", "httpd_t"],
        0,
        expect![[""]],
    );
    check(&["mandate", "query", "reach", &policy, "--to", "user_t"], 0, expect![[""]]);
    check(
        &["mandate", "query", "reach", &policy, "--from", "httpd_t", "--to", "init_t"],
        1,
        expect![[""]],
    );
}

#[test]
fn what_the_policy_does_not_know_is_an_error_with_a_suggestion() {
    let policy = policy();
    let reach = |more: &[&str], expected| {
        check(&[&["mandate", "query", "reach", &policy], more].concat(), 2, expected);
    };
    reach(&["--from", "httpd"], expect![[""]]);
    reach(&["--from", "domain"], expect![[""]]);
    reach(&["--from", "init_t", "--exclude", "httpdt"], expect![[""]]);
    reach(&["--from", "init_t", "--bool", "httpd_read_home=on"], expect![[""]]);
    let (code, _, err) = run(&["mandate", "query", "reach", &policy]);
    assert!(code == 2 && err.contains("--from"), "{err}");
}

#[test]
fn flow_counts_what_the_booleans_let_through() {
    let policy = policy();
    let flow = |more: &[&str], code, expected| {
        let words = ["mandate", "query", "flow", &policy, "--from", "user_t", "--to", "httpd_t"];
        check(&[&words, more].concat(), code, expected);
    };
    flow(&[], 0, expect![[""]]);
    flow(&["--booleans", "current"], 1, expect![[""]]);
    flow(&["--bool", "httpd_read_homes=on", "--up-to", "4", "--limit", "1", "--json"], 0, expect![[""]]);
    flow(&["--dot"], 0, expect![[""]]);
    flow(&["--min-weight", "10", "--exclude", "user_home_t"], 1, expect![[""]]);
}

#[test]
fn json_is_whole_also_without_a_way() {
    let policy = policy();
    for (from, ways) in [("init_t", 1), ("shadow_t", 0)] {
        let (_, out, _) = run(&[
            "mandate", "query", "reach", &policy, "--from", from, "--to", "httpd_t", "--json",
        ]);
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(value["ways"].as_array().unwrap().len(), ways);
        assert_eq!(value["complete"], true);
    }
}

#[test]
fn a_map_of_ones_own_is_read_and_its_faults_are_told() {
    let folder = Folder::new("flow-map");
    let map = folder.file("map", b"1\nclass file 1\n append w\n");
    let words = ["mandate", "query", "flow", &policy(), "--from", "httpd_t", "-m"];
    check(&[&words[..], &[map.to_str().unwrap()]].concat(), 0, expect![[""]]);
    let map = folder.file("map", b"1\nclass file 1\n append x\n");
    let (code, _, err) = run(&[&words[..], &[map.to_str().unwrap()]].concat());
    assert!(code == 2 && err.contains("line 3: \"x\" where one of r, w, b, n and u"), "{err}");
}

#[test]
fn sedta_prints_as_the_original_does() {
    let policy = policy();
    let sedta = |more: &[&str], code, expected| {
        check(&[&["sedta", "-p", &policy], more].concat(), code, expected);
    };
    sedta(&["-s", "init_t", "-t", "httpd_t", "-S", "--full"], 0, expect![[""]]);
    sedta(&["-s", "httpd_t", "-r", "--stats"], 0, expect![[""]]);
    sedta(&["-s", "httpd_t", "-t", "init_t", "-A", "3"], 0, expect![[""]]);
    sedta(&["-s", "init_t", "-t", "httpd_t", "-S", "httpd_t"], 0, expect![[""]]);
    sedta(&["-s", "nope_t"], 1, expect![[""]]);
    sedta(&["-s", "init_t", "-t", "httpd_t"], 2, expect![[""]]);
    sedta(&["-s", "init_t", "--nope"], 2, expect![[""]]);
}

#[test]
fn seinfoflow_prints_as_the_original_does() {
    let policy = policy();
    let flow = |more: &[&str], code, expected| {
        check(&[&["seinfoflow", "-p", &policy, "-s", "user_t"], more].concat(), code, expected);
    };
    flow(&["-t", "httpd_t", "-S", "--full"], 0, expect![[""]]);
    flow(&["-t", "httpd_t", "-S", "-b", "default"], 0, expect![[""]]);
    flow(&["-w", "10", "-l", "2", "--stats"], 0, expect![[""]]);
    flow(&["-w", "11"], 1, expect![[""]]);
    flow(&["-b", "nope:true"], 1, expect![[""]]);
    flow(&["-b", "httpd_read_homes"], 2, expect![[""]]);
    flow(&["-t", "httpd_t", "-A", "-2"], 1, expect![[""]]);
}
