//! `query reach`, `query flow`, `sedta` and `seinfoflow` on the command line.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use common::{Folder, check, policy, run};
use expect_test::expect;

#[test]
fn reach_shows_each_step_with_its_rules() {
    let policy = policy();
    check(
        &["mandate", "query", "reach", &policy, "--from", "init_t", "--to", "httpd_t"],
        0,
        expect![[r#"
            init_t can become httpd_t by these shortest ways, of 1 step. Counted: 1 transition between 2 domains, all rules whatever the booleans are.

            1. init_t > httpd_t
              transition
                allow init_t httpd_t:process transition;
              through httpd_exec_t
                allow httpd_t httpd_exec_t:file entrypoint;
                allow init_t httpd_exec_t:file { read getattr open execute };
                type_transition init_t httpd_exec_t:process httpd_t;
        "#]],
    );
    check(
        &["mandate", "query", "reach", &policy, "--to", "user_t"],
        1,
        expect![[r#"
            Nothing can become user_t. Counted: 1 transition between 2 domains, all rules whatever the booleans are.
        "#]],
    );
    check(
        &["mandate", "query", "reach", &policy, "--from", "httpd_t", "--to", "init_t"],
        1,
        expect![[r#"
            httpd_t cannot become init_t. Counted: 1 transition between 2 domains, all rules whatever the booleans are.
        "#]],
    );
}

#[test]
fn what_the_policy_does_not_know_is_an_error_with_a_suggestion() {
    let policy = policy();
    let reach = |more: &[&str], expected| {
        check(&[&["mandate", "query", "reach", &policy], more].concat(), 2, expected);
    };
    reach(
        &["--from", "httpd"],
        expect![[r#"
        error: the policy has no type "httpd"; did you mean httpd_t?
    "#]],
    );
    reach(
        &["--from", "domain"],
        expect![[r#"
            error: domain is an attribute, not a type
        "#]],
    );
    reach(
        &["--from", "init_t", "--exclude", "httpdt"],
        expect![[r#"
            error: the policy has no type or attribute "httpdt"; did you mean httpd_t?
        "#]],
    );
    reach(
        &["--from", "init_t", "--bool", "httpd_read_home=on"],
        expect![[r#"
        error: the policy has no boolean "httpd_read_home"; did you mean httpd_read_homes?
    "#]],
    );
    reach(
        &["--from", "init_t", "--to", "httpd_t", "--exclude", "httpd_t"],
        expect![[r#"
        error: httpd_t is an end of the way: only what lies between can be excluded
    "#]],
    );
    let (code, _, err) = run(&["mandate", "query", "reach", &policy]);
    assert!(code == 2 && err.contains("--from"), "{err}");
}

#[test]
fn an_excluded_attribute_stands_for_its_types_but_not_for_the_ends() {
    let policy = policy();
    let words = ["mandate", "query", "flow", &policy, "--from", "shadow_t", "--to", "httpd_t"];
    let head = |more: &[&str]| {
        let (code, out, _) = run(&[&words, more].concat());
        let way = out.lines().find(|it| it.starts_with("1. ")).unwrap_or_default();
        format!("{code} {way}\n")
    };
    let told = head(&[]) + &head(&["--exclude", "domain"]);
    expect![[r#"
        0 1. shadow_t > sysadm_t > httpd_content_t > httpd_t
        1 
    "#]]
    .assert_eq(&told);
    check(
        &[
            "mandate",
            "query",
            "reach",
            &policy,
            "--from",
            "init_t",
            "--exclude",
            "domain",
            "--to",
            "httpd_t",
            "--dot",
        ],
        0,
        expect![[r#"
            // init_t can become httpd_t by these shortest ways, of 1 step. Counted: 1 transition between 2 domains, all rules whatever the booleans are.
            digraph reach {
              rankdir=LR;
              "init_t" -> "httpd_t" [label="transition\nthrough httpd_exec_t"];
            }
        "#]],
    );
}

#[test]
fn flow_counts_what_the_booleans_let_through() {
    let policy = policy();
    let flow = |more: &[&str], code, expected| {
        let words = ["mandate", "query", "flow", &policy, "--from", "user_t", "--to", "httpd_t"];
        check(&[&words, more].concat(), code, expected);
    };
    flow(
        &[],
        0,
        expect![[r#"
            Information can flow from user_t to httpd_t by these shortest ways, of 2 steps. Counted: 26 flows of weight 3 and above between 11 types, all rules whatever the booleans are.

            1. user_t > user_home_t > httpd_t
              user_t > user_home_t, weight 10
                allow user_t user_home_t:file { read write append create getattr open };
                allow user_t user_home_t:dir { read write getattr open search add_name remove_name };
              user_home_t > httpd_t, weight 10
                allow httpd_t user_home_t:dir { read getattr open search };  [ httpd_read_homes ]:True
                allow httpd_t user_home_t:file { read getattr open };  [ httpd_read_homes ]:True
        "#]],
    );
    flow(
        &["--booleans", "current"],
        0,
        expect![[r#"
            Information can flow from user_t to httpd_t by these shortest ways, of 3 steps. Counted: 25 flows of weight 3 and above between 11 types, the rules that apply with the booleans as the policy has them.

            1. user_t > sysadm_t > httpd_content_t > httpd_t
              user_t > sysadm_t, weight 8
                allow user_t sysadm_t:process transition;
              sysadm_t > httpd_content_t, weight 10
                allow sysadm_t file_type:file { read write append create getattr open };
              httpd_content_t > httpd_t, weight 10
                allow httpd_t httpd_content_t:file { read getattr open };
                allow httpd_t httpd_content_t:dir { read getattr open search };

            2. user_t > sysadm_t > httpd_exec_t > httpd_t
              user_t > sysadm_t, weight 8
                allow user_t sysadm_t:process transition;
              sysadm_t > httpd_exec_t, weight 10
                allow sysadm_t file_type:file { read write append create getattr open };
              httpd_exec_t > httpd_t, weight 8
                allow httpd_t httpd_exec_t:file entrypoint;

            3. user_t > sysadm_t > httpd_log_t > httpd_t
              user_t > sysadm_t, weight 8
                allow user_t sysadm_t:process transition;
              sysadm_t > httpd_log_t, weight 10
                allow sysadm_t file_type:file { read write append create getattr open };
              httpd_log_t > httpd_t, weight 5
                allow httpd_t httpd_log_t:file { append create getattr open };
                allow httpd_t httpd_log_t:dir { search add_name };
        "#]],
    );
    flow(
        &["--bool", "httpd_read_homes=on", "--up-to", "4", "--limit", "1", "--json"],
        0,
        expect![[r#"
            {
              "question": "flow",
              "from": "user_t",
              "to": "httpd_t",
              "excluded": [],
              "booleans": {"httpd_read_homes":true},
              "counted": {"flows":26,"types":11,"min_weight":3,"unmapped":[]},
              "shortest": 2,
              "ways": [
                [{"from":"user_t","to":"user_home_t","weight":10,"rules":[{"rule":"allow user_t user_home_t:file { read write append create getattr open };","condition":null,"when":null},{"rule":"allow user_t user_home_t:dir { read write getattr open search add_name remove_name };","condition":null,"when":null}]},{"from":"user_home_t","to":"httpd_t","weight":10,"rules":[{"rule":"allow httpd_t user_home_t:dir { read getattr open search };","condition":"httpd_read_homes","when":true},{"rule":"allow httpd_t user_home_t:file { read getattr open };","condition":"httpd_read_homes","when":true}]}]
              ],
              "complete": false
            }
        "#]],
    );
    flow(
        &["--lightest", "--exclude", "user_home_t"],
        0,
        expect![[r#"
        Information can flow from user_t to httpd_t by these ways of the least length, 5, where a step counts 11 less its weight. Counted: 21 flows of weight 3 and above between 10 types, all rules whatever the booleans are.

        1. user_t > sysadm_t > httpd_content_t > httpd_t
          user_t > sysadm_t, weight 8
            allow user_t sysadm_t:process transition;
          sysadm_t > httpd_content_t, weight 10
            allow sysadm_t file_type:file { read write append create getattr open };
          httpd_content_t > httpd_t, weight 10
            allow httpd_t httpd_content_t:file { read getattr open };
            allow httpd_t httpd_content_t:dir { read getattr open search };
    "#]],
    );
    flow(
        &["--dot"],
        0,
        expect![[r#"
        // Information can flow from user_t to httpd_t by these shortest ways, of 2 steps. Counted: 26 flows of weight 3 and above between 11 types, all rules whatever the booleans are.
        digraph flow {
          rankdir=LR;
          "user_t" -> "user_home_t" [label="weight 10"];
          "user_home_t" -> "httpd_t" [label="weight 10"];
        }
    "#]],
    );
    flow(
        &["--min-weight", "10", "--exclude", "user_home_t,sysadm_t"],
        1,
        expect![[r#"
        No information can flow from user_t to httpd_t. Counted: 4 flows of weight 10 and above between 6 types, all rules whatever the booleans are.
    "#]],
    );
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
    check(
        &[&words[..], &[map.to_str().unwrap()]].concat(),
        0,
        expect![[r#"
            Where information can flow from httpd_t in one step. Counted: 8 flows of weight 3 and above between 9 types, without 27 permissions that the map lacks, such as process fork, all rules whatever the booleans are.

            1. httpd_t > httpd_log_t
              weight 10
                allow httpd_t httpd_log_t:file { append create getattr open };
        "#]],
    );
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
    sedta(
        &["-s", "init_t", "-t", "httpd_t", "-S", "--full"],
        0,
        expect![[r#"
        Domain transition path 1:
        Step 1: init_t -> httpd_t

        Domain transition rule(s):
        allow init_t httpd_t:process transition;

        Entrypoint httpd_exec_t:
        	Domain entrypoint rule(s):
        	allow httpd_t httpd_exec_t:file entrypoint;

        	File execute rule(s):
        	allow init_t httpd_exec_t:file { execute getattr open read };

        	Type transition rule(s):
        	type_transition init_t httpd_exec_t:process httpd_t;




        1 domain transition path(s) found.
    "#]],
    );
    sedta(
        &["-s", "httpd_t", "-r", "--stats"],
        0,
        expect![[r#"
        Transition 1: init_t -> httpd_t

        1 domain transition(s) found.

        Graph statistics:
        Graph nodes: 2
        Graph edges: 1
    "#]],
    );
    sedta(
        &["-s", "httpd_t", "-t", "init_t", "-A", "3"],
        0,
        expect![[r#"

        0 domain transition path(s) found.
    "#]],
    );
    sedta(
        &["-s", "init_t", "-t", "httpd_t", "-S", "httpd_t"],
        0,
        expect![[r#"

        0 domain transition path(s) found.
    "#]],
    );
    sedta(
        &["-s", "nope_t"],
        1,
        expect![[r#"
        sedta: nope_t is not a valid type
    "#]],
    );
    sedta(
        &["-s", "init_t", "-t", "httpd_t"],
        2,
        expect![[r#"
            usage: sedta [-h] [--version] [-p POLICY] -s SOURCE [-t TARGET (-S | -A STEPS)] [-r] [-l LIMIT]
                         [-o FILE] [--full] [--stats] [-v] [--debug] [EXCLUDE ...]
            sedta: error: An algorithm must be specified to determine a path.
        "#]],
    );
    sedta(
        &["-s", "init_t", "--all_paths", "few"],
        2,
        expect![[r#"
        usage: sedta [-h] [--version] [-p POLICY] -s SOURCE [-t TARGET (-S | -A STEPS)] [-r] [-l LIMIT]
                     [-o FILE] [--full] [--stats] [-v] [--debug] [EXCLUDE ...]
        sedta: error: argument -A/--all_paths: invalid int value: 'few'
    "#]],
    );
    sedta(
        &["-sinit_t", "--targ=httpd_t", "-rS"],
        0,
        expect![[r#"

        0 domain transition path(s) found.
    "#]],
    );
    sedta(
        &["-s", "init_t", "--nope"],
        2,
        expect![[r#"
            usage: sedta [-h] [--version] [-p POLICY] -s SOURCE [-t TARGET (-S | -A STEPS)] [-r] [-l LIMIT]
                         [-o FILE] [--full] [--stats] [-v] [--debug] [EXCLUDE ...]
            sedta: error: unrecognized arguments: --nope
        "#]],
    );
}

#[test]
fn seinfoflow_prints_as_the_original_does() {
    let policy = policy();
    let flow = |more: &[&str], code, expected| {
        check(&[&["seinfoflow", "-p", &policy, "-s", "user_t"], more].concat(), code, expected);
    };
    flow(
        &["-t", "httpd_t", "-S", "--full"],
        0,
        expect![[r#"
        Flow 1:
          Step 1: user_t -> user_home_t
            allow user_t user_home_t:dir { add_name getattr open read remove_name search write };
            allow user_t user_home_t:file { append create getattr open read write };

          Step 2: user_home_t -> httpd_t
            allow httpd_t user_home_t:dir { getattr open read search }; [ httpd_read_homes ]:True
            allow httpd_t user_home_t:file { getattr open read }; [ httpd_read_homes ]:True



        1 information flow(s) found.
    "#]],
    );
    flow(
        &["-t", "httpd_t", "-S", "-b", "default"],
        0,
        expect![[r#"
        Flow 1:
          Step 1: user_t -> sysadm_t
          Step 2: sysadm_t -> httpd_content_t
          Step 3: httpd_content_t -> httpd_t

        Flow 2:
          Step 1: user_t -> sysadm_t
          Step 2: sysadm_t -> httpd_exec_t
          Step 3: httpd_exec_t -> httpd_t

        Flow 3:
          Step 1: user_t -> sysadm_t
          Step 2: sysadm_t -> httpd_log_t
          Step 3: httpd_log_t -> httpd_t


        3 information flow(s) found.
    "#]],
    );
    flow(
        &["-w", "10", "-l", "2", "--stats"],
        0,
        expect![[r#"
        Flow 1: user_t -> user_home_t

        1 information flow(s) found.

        Graph statistics:
        Graph nodes: 11
        Graph edges: 26
    "#]],
    );
    flow(
        &["-r"],
        0,
        expect![[r#"
        Flow 1: httpd_content_t -> user_t
        Flow 2: sysadm_t -> user_t
        Flow 3: user_home_t -> user_t

        3 information flow(s) found.
    "#]],
    );
    flow(
        &["--reverse", "--full", "-w", "10"],
        0,
        expect![[r#"
        Flow 1: httpd_content_t -> user_t
            allow user_t httpd_content_t:file { getattr open read };

        Flow 2: user_home_t -> user_t
            allow user_t user_home_t:dir { add_name getattr open read remove_name search write };
            allow user_t user_home_t:file { append create getattr open read write };


        2 information flow(s) found.
    "#]],
    );
    flow(
        &["-t", "httpd_t"],
        2,
        expect![[r#"
        usage: seinfoflow [-h] [--version] [-p POLICY] [-m MAP] -s SOURCE [-t TARGET (-S | -A STEPS)] [-r]
                          [-w WEIGHT] [-l LIMIT] [-b BOOLEANS] [-o FILE] [--full] [--stats] [-v] [--debug]
                          [EXCLUDE ...]
        seinfoflow: error: A target type is not used for flows in/out of a type.
    "#]],
    );
    flow(
        &["--limit_flows", "-1"],
        2,
        expect![[r#"
        usage: seinfoflow [-h] [--version] [-p POLICY] [-m MAP] -s SOURCE [-t TARGET (-S | -A STEPS)] [-r]
                          [-w WEIGHT] [-l LIMIT] [-b BOOLEANS] [-o FILE] [--full] [--stats] [-v] [--debug]
                          [EXCLUDE ...]
        seinfoflow: error: Limit on information flows cannot be negative.
    "#]],
    );
    flow(
        &["-w", "11"],
        1,
        expect![[r#"
        seinfoflow: Min information flow weight must be an integer 1-10.
    "#]],
    );
    flow(
        &["-b", "nope:true"],
        1,
        expect![[r#"
        seinfoflow: nope is not a valid boolean
    "#]],
    );
    flow(
        &["-b", "httpd_read_homes"],
        2,
        expect![[r#"
            usage: seinfoflow [-h] [--version] [-p POLICY] [-m MAP] -s SOURCE [-t TARGET (-S | -A STEPS)] [-r]
                              [-w WEIGHT] [-l LIMIT] [-b BOOLEANS] [-o FILE] [--full] [--stats] [-v] [--debug]
                              [EXCLUDE ...]
            seinfoflow: error: Expected boolean format foo:true,bar:false
        "#]],
    );
    flow(
        &["-t", "httpd_t", "-A", "-2"],
        1,
        expect![[r#"
        seinfoflow: Maximum path length must be positive.
    "#]],
    );
}

#[test]
fn graphs_are_written_as_text() {
    let (policy, folder) = (policy(), Folder::new("graphs"));
    let draw = |words: &[&str], name: &str| {
        let file = folder.path(name);
        let output = ["-o", file.to_str().unwrap()];
        let (code, out, err) = run(&[words, &["-p", &policy], &output].concat());
        assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""), "{words:?}");
        std::fs::read_to_string(file).unwrap()
    };
    let flow = ["seinfoflow", "-s", "user_t", "-t", "httpd_t"];
    expect![[r#"
        digraph {
          rankdir=LR;
          "user_t" -> "user_home_t";
          "user_home_t" -> "httpd_t";
          "user_t" -> "sysadm_t";
          "sysadm_t" -> "httpd_content_t";
          "httpd_content_t" -> "httpd_t";
          "sysadm_t" -> "user_home_t";
          "sysadm_t" -> "httpd_exec_t";
          "httpd_exec_t" -> "httpd_t";
          "sysadm_t" -> "httpd_log_t";
          "httpd_log_t" -> "httpd_t";
        }
    "#]]
    .assert_eq(&draw(&[&flow[..], &["-A", "3"]].concat(), "all.dot"));
    expect![[r#"
        digraph {
          rankdir=LR;
          "user_t" -> "user_home_t";
          "user_home_t" -> "httpd_t";
        }
    "#]]
    .assert_eq(&draw(&[&flow[..], &["-A", "3", "-l1"]].concat(), "one.gv"));
    expect![[r#"
        digraph {
          rankdir=LR;
          "init_t" -> "httpd_t";
        }
    "#]]
    .assert_eq(&draw(&["sedta", "-s", "httpd_t", "-r"], "reverse.dot"));
    expect![[r#"
        digraph {
          rankdir=LR;
        }
    "#]]
    .assert_eq(&draw(&["sedta", "-s", "httpd_t", "-t", "init_t", "-S"], "no.dot"));
    assert_eq!(folder.names(), ["all.dot", "no.dot", "one.gv", "reverse.dot"]);
}

#[test]
fn pictures_are_drawn_by_dot() {
    let folder = Folder::new("pictures");
    let sedta = folder.path("sedta");
    symlink(env!("CARGO_BIN_EXE_mandate"), &sedta).unwrap();
    let draw = |path: &Path| {
        let mut command = Command::new(&sedta);
        command.args(["-p", &policy(), "-s", "init_t", "-o"]).arg(folder.path("graph.png"));
        let done = command.env("PATH", path).output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    let with_dot = folder.path("bin");
    assert_eq!(
        draw(&with_dot),
        (Some(1), "sedta: a picture needs the program dot: install Graphviz, or name a file that ends in .dot for the graph as text\n".to_owned())
    );
    let dot = |script: &str| {
        let file = folder.file("bin/dot", script.as_bytes());
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    std::fs::create_dir(&with_dot).unwrap();
    dot("#!/bin/sh\necho picture \"$@\"\nexec /bin/cat\n");
    assert_eq!(draw(&with_dot), (Some(0), String::new()));
    let drawn = std::fs::read_to_string(folder.path("graph.png")).unwrap();
    expect![[r#"
        picture -Tpng
        digraph {
          rankdir=LR;
          "init_t" -> "httpd_t";
        }
    "#]]
    .assert_eq(&drawn);
    // What was there stays when drawing fails.
    dot("#!/bin/sh\nexit 3\n");
    let (code, err) = draw(&with_dot);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("sedta: dot cannot draw the graph: "), "{err}");
    assert_eq!(std::fs::read_to_string(folder.path("graph.png")).unwrap(), drawn);
    assert_eq!(folder.names(), ["bin", "graph.png", "sedta"]);
}
