//! `build`, `check`, `help`, `m4` and `checkpolicy` as a user meets them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Folder, check, repository, run};
use expect_test::expect;

#[test]
fn usage_errors_say_what_is_expected() {
    let folder = Folder::new("usage");
    let te = folder.file("my.te", b"policy_module(my)\n");
    let te = te.to_str().unwrap();
    let headers = folder.path("").to_str().unwrap().to_owned();
    let cases: [(&[&str], &str); 9] = [
        (&["check", "absent"], "absent: No such file"),
        (&["check", &headers], "is no policy source tree: it has no folder policy/"),
        (&["check", "a.conf", "b.conf"], "2 inputs: expected one source tree, one policy.conf"),
        (&["check", "--headers", &headers], "--against and --headers are for a module"),
        (&["check", te, "other.te"], "other.te: No such file"),
        (&["check", te, "x.conf"], "x.conf: a module is NAME.te [NAME.if] [NAME.fc]"),
        (&["build", te, "--headers", &headers], "--against POLICY says what to add it to"),
        (&["check", te, "--headers", &headers, "--modules", te], "--modules is for source trees"),
        (&["build", "-o", "-", "--format", "json"], "name a file with -o"),
    ];
    for (words, expected) in cases {
        let (code, out, err) = run(&[&["mandate"], words].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{words:?}: {err}");
        assert!(err.contains(expected), "{words:?}: {err}");
    }
}

#[test]
fn a_binary_policy_is_no_source() {
    let policy = repository("policies/demo/policy.33");
    let (code, _, err) = run(&["mandate", "check", &policy]);
    assert_eq!(code, 2);
    assert!(err.contains("is a binary policy, not its source: mandate info"), "{err}");
}

#[test]
fn help_explains_codes_in_any_case_and_finds_near_ones() {
    for name in ["E0101", "e0101", "e101"] {
        let (code, out, _) = run(&["mandate", "help", name]);
        assert_eq!(code, 0);
        assert!(out.starts_with("E0101: a quote is not closed\n\n"), "{out}");
    }
    check(
        &["mandate", "help", "quote"],
        0,
        expect![[r"
            E0101  a quote is not closed
        "]],
    );
    check(
        &["mandate", "help", "E0121"],
        2,
        expect![[r#"
            error: there is no help on "E0121"; did you mean E0101, E0111?; mandate help codes lists all codes
        "#]],
    );
    let (_, out, _) = run(&["mandate", "help", "codes"]);
    assert!(out.lines().count() > 50 && out.starts_with("E0101  "), "{out}");
    let (code, out, _) = run(&["mandate", "help", "build"]);
    assert!(code == 0 && out.contains("Usage: mandate build"), "{out}");
    let (code, out, _) = run(&["mandate", "help"]);
    assert!(code == 0 && out.contains("Usage: mandate <COMMAND>"), "{out}");
}

#[test]
fn m4_expands_and_tells_what_is_wrong() {
    let folder = Folder::new("m4");
    let good = folder.file("good", b"define(`twice', `$1 $1')dnl\ntwice(x) name\n");
    let words = ["mandate", "m4", "-E", "-E", "-Dname=value", good.to_str().unwrap()];
    check(
        &words,
        0,
        expect![[r"
            x x value
        "]],
    );
    let bad = folder.file("bad", b"one\n`never closed\n");
    let (code, _, err) = run(&["mandate", "m4", bad.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(err.starts_with("error[E0101]") && err.ends_with("1 error\n"), "{err}");
}

#[test]
fn checkpolicy_has_the_originals_words() {
    let folder = Folder::new("checkpolicy");
    let output = folder.path("out");
    let output = output.to_str().unwrap();
    let policy = repository("policies/demo/policy.33");
    check(
        &["checkpolicy", "-b", "-M", &policy, "-o", output, "-c33"],
        0,
        expect![[r"
            libsepol.policydb_index_others: security:  3 users, 4 roles, 16 types, 1 bools
            libsepol.policydb_index_others: security: 4 sens, 6 cats
            libsepol.policydb_index_others: security:  4 classes, 24 rules, 2 cond rules
        "]],
    );
    assert_eq!(std::fs::read(output).unwrap(), std::fs::read(&policy).unwrap());
    let cases: [(&[&str], u8, &str); 10] = [
        (&["-V"], 0, "35 (compatibility range 35-15)\n"),
        (&["-Z"], 1, "checkpolicy: invalid option -- 'Z'\n"),
        (&["--frobnicate"], 1, "checkpolicy: unrecognized option '--frobnicate'\n"),
        (&["-c", "99"], 1, "policyvers value 99 not in range 15-35\n"),
        (&["-U", "maybe"], 1, "usage:  checkpolicy [-b[F]]"),
        (&["-t", "vax"], 1, "checkpolicy:  Unknown target platform:vax\n"),
        (&["-F", "x"], 1, "Can only generate policy.conf from binary policy\n"),
        (&["-L", "x"], 1, "checkpolicy: -L: can only be used when writing a CIL policy file\n"),
        (&["absent"], 1, "checkpolicy:  unable to open absent:  No such file or directory\n"),
        (&["-b", &policy], 1, "checkpolicy:  MLS policy, but non-MLS is specified\n"),
    ];
    for (words, expected_code, expected) in cases {
        let (code, out, err) = run(&[&["checkpolicy"], words].concat());
        assert_eq!(code, expected_code, "{words:?}");
        assert!(format!("{err}{out}").contains(expected), "{words:?}: {out}{err}");
    }
}

#[test]
fn the_embedded_base_policy_is_built_with_all_its_files() {
    let folder = Folder::new("base");
    let out = folder.path("out/").to_str().unwrap().to_owned();
    let (code, printed, err) = run(&["mandate", "build", "-o", &out]);
    assert_eq!((code, printed.as_str()), (0, ""), "{err}");
    assert!(err.starts_with(&format!("{out}policy.33: ")) && err.contains(" types, "), "{err}");
    let written = [
        "policy.33",
        "policy.33.provenance",
        "file_contexts",
        "homedir_template",
        "seusers",
        "users_extra",
        "customizable_types",
        "appconfig/default_contexts",
    ];
    for name in written {
        assert!(folder.path("out").join(name).is_file(), "{name}");
    }
    let policy = folder.path("again");
    let (code, _, err) = run(&["mandate", "build", "-o", policy.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(std::fs::read(policy).unwrap(), std::fs::read(format!("{out}policy.33")).unwrap());
    assert_eq!(folder.names(), ["again", "again.provenance", "out"]);
}

/// The policy of the demonstration with two mistakes in it.
fn broken(folder: &Folder) -> String {
    let text = std::fs::read_to_string(repository("policies/demo/policy.conf")).unwrap();
    let text = text.replace("allow httpd_t httpd_log_t:dir", "allow htpd_t httpd_log_t:dir");
    let text = text.replace("{ create append getattr open };", "{ create apend getattr open };");
    folder.file("broken.conf", text.as_bytes()).to_str().unwrap().to_owned()
}

#[test]
fn errors_are_shown_where_they_stand() {
    let folder = Folder::new("broken");
    let source = broken(&folder);
    let (code, out, err) = run(&["mandate", "check", &source]);
    assert_eq!((code, out.as_str()), (1, ""));
    expect![[r#"
        error[E0301]: no type or attribute `htpd_t` is declared
          --> broken.conf:99:7
           |
        99 | allow htpd_t httpd_log_t:dir { search add_name };
           |       ^^^^^^
           |
           = help: did you mean `httpd_t`?
           = see: mandate help E0301

        error[E0306]: class `file` has no permission `apend`
           --> broken.conf:100:41
            |
         19 | common file { read write append create getattr open }
            |        ---- it inherits `file`
        ...
         22 | class file inherits file { execute entrypoint }
            |       ---- its permissions are defined here
        ...
        100 | allow httpd_t httpd_log_t:file { create apend getattr open };
            |                                         ^^^^^
            |
            = help: did you mean `append` or `open`?
            = see: mandate help E0306

        2 errors
    "#]]
    .assert_eq(&err.replace(&source, "broken.conf"));
}

#[test]
fn after_errors_nothing_is_replaced() {
    let folder = Folder::new("kept");
    let source = broken(&folder);
    let old = folder.file("policy", b"old");
    let (code, ..) = run(&["mandate", "build", "--no-cache", &source, "-o", old.to_str().unwrap()]);
    assert_eq!(code, 1);
    let (code, ..) = run(&["checkpolicy", "-M", &source, "-o", old.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert_eq!(std::fs::read(&old).unwrap(), b"old");
    assert_eq!(folder.names(), ["broken.conf", "policy"]);
}

#[test]
fn findings_are_data_where_that_is_asked_for() {
    let folder = Folder::new("formats");
    let source = broken(&folder);
    let (code, out, err) = run(&["mandate", "check", &source, "--format", "json"]);
    assert_eq!((code, err.as_str()), (1, ""));
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&value["errors"], &value["warnings"]), (&2.into(), &0.into()), "{out}");
    assert_eq!(value["diagnostics"][0]["file"], source.as_str());
    let one = ["mandate", "check", &source, "--format", "json", "--max-errors", "1"];
    let value: serde_json::Value = serde_json::from_str(&run(&one).1).unwrap();
    assert_eq!(value["diagnostics"].as_array().unwrap().len(), 1);
    assert_eq!(value["errors"], 2);
    let (code, out, _) = run(&["mandate", "check", &source, "--format", "sarif"]);
    assert_eq!(code, 1);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["version"], "2.1.0");
}

#[test]
fn checkpolicy_tells_errors_in_the_form_that_programs_read() {
    let folder = Folder::new("first-lines");
    let source = broken(&folder);
    let (code, out, err) = run(&["checkpolicy", "-M", &source]);
    assert_eq!((code, out.as_str()), (1, ""));
    let first: Vec<&str> = err.lines().take(2).collect();
    expect![[r#"
        broken.conf:99:ERROR 'no type or attribute htpd_t is declared' at token 'htpd_t' on line 99:
        broken.conf:100:ERROR 'class file has no permission apend' at token 'apend' on line 100:
    "#]]
    .assert_eq(&(first.join("\n").replace(&source, "broken.conf") + "\n"));
    assert!(
        err.ends_with("checkpolicy:  error(s) encountered while parsing configuration\n"),
        "{err}"
    );
}

#[test]
fn checkpolicy_compiles_as_the_original_does() {
    let folder = Folder::new("compiles");
    let output = folder.path("out");
    let words = ["checkpolicy", "-M", "-U", "allow", "-c", "30", "-o", output.to_str().unwrap()];
    let source = repository("policies/demo/policy.conf");
    check(&[&words[..], &[&source]].concat(), 0, expect![""]);
    let (_, out, _) = run(&["mandate", "info", output.to_str().unwrap()]);
    assert!(
        out.starts_with(
            "policy version 30, target selinux, MLS, unknown classes and permissions: allow"
        ),
        "{out}"
    );
}

#[test]
fn checkpolicy_sorts_object_contexts_narrow_ones_first() {
    let folder = Folder::new("sorted");
    let output = folder.path("out");
    let source = repository("policies/micro/ports/policy.conf");
    let ports = |sort: &[&str]| {
        let words = [&["checkpolicy"], sort, &["-o", output.to_str().unwrap(), &source]].concat();
        check(&words, 0, expect![""]);
        let policy = mandate_policydb::Unvalidated::read(&std::fs::read(&output).unwrap()).unwrap();
        let ports = policy.db().object_contexts.ports.iter();
        ports.map(|it| (it.protocol, it.low, it.high)).collect::<Vec<_>>()
    };
    let (plain, sorted) = (ports(&[]), ports(&["-S"]));
    assert_eq!(plain[..3], [(6, 80, 80), (6, 8080, 8080), (6, 8000, 8100)]);
    assert_eq!(sorted[..3], [(17, 53, 53), (6, 80, 80), (132, 2905, 2905)]);
    assert_eq!(plain.len(), sorted.len());
}

const HELLO: &[u8] = b"policy_module(hello)\n\ntype hello_t;\ntype hello_exec_t;\ninit_daemon_domain(hello_t, hello_exec_t)\n";

#[test]
fn a_module_of_ones_own_joins_the_base_policy() {
    let folder = Folder::new("own");
    let te = folder.file("hello.te", HELLO);
    let contexts = b"/usr/bin/hello\t--\tgen_context(system_u:object_r:hello_exec_t,s0)\n";
    folder.file("hello.fc", contexts);
    let out = folder.path("out/");
    let words =
        ["mandate", "build", "--no-cache", te.to_str().unwrap(), "-o", out.to_str().unwrap()];
    let (code, _, err) = run(&words);
    assert_eq!(code, 0, "{err}");
    let contexts = std::fs::read_to_string(folder.path("out/file_contexts")).unwrap();
    assert!(
        contexts.contains("/usr/bin/hello\t\t--\tsystem_u:object_r:hello_exec_t:s0\n"),
        "{contexts}"
    );
    let policy = folder.path("out/policy.33");
    let words = [
        "mandate",
        "decide",
        policy.to_str().unwrap(),
        "system_u:system_r:init_t:s0",
        "system_u:system_r:hello_t:s0",
        "process",
        "transition",
    ];
    assert_eq!(run(&words).0, 0);
}

#[test]
fn what_is_wrong_in_a_module_is_told_with_what_it_was_built_against() {
    let folder = Folder::new("wrong");
    let te = folder.file("hello.te", &[HELLO, b"files_read_etc_file(hello_t)\n"].concat());
    let te = te.to_str().unwrap();
    let (code, out, err) = run(&["mandate", "check", te]);
    assert_eq!((code, out.as_str()), (1, ""));
    expect![[r#"
        error[E0107]: no interface or macro is called `files_read_etc_file`
         --> hello.te:6:1
          |
        6 | files_read_etc_file(hello_t)
          | ^^^^^^^^^^^^^^^^^^^
          |
          = help: did you mean `files_read_etc_files`, `files_map_etc_files` or `files_read_usr_files`?
          = see: mandate help E0107

        1 error
        built against the embedded base policy; --against SOURCE or --headers DIR names another
    "#]]
    .assert_eq(&err.replace(te, "hello.te"));
}

#[test]
fn disabled_optionals_are_told_on_request() {
    let folder = Folder::new("disabled");
    let optional = b"optional_policy(`\n\tgen_require(`\n\t\ttype absent_t;\n\t')\n\tallow hello_t absent_t:file read;\n')\n";
    let te = folder.file("hello.te", &[HELLO, optional].concat());
    let te = te.to_str().unwrap();
    let (code, out, _) = run(&["mandate", "check", te, "--show-disabled"]);
    assert_eq!(code, 0);
    let ours: Vec<_> = out.lines().filter(|it| it.contains("hello.te")).collect();
    expect![[r#"
        hello.te:6:1: optional block left out: no type absent_t, required at hello.te:8:8
    "#]]
    .assert_eq(&(ours.join("\n").replace(te, "hello.te") + "\n"));
}

/// The base policy with what other trees do differently.
#[test]
fn trees_may_leave_the_last_argument_empty_and_bring_interfaces_alone() {
    let folder = Folder::new("other-trees");
    let copied = std::process::Command::new("cp")
        .args(["-r", &repository("policies/base/."), folder.path("").to_str().unwrap()])
        .status();
    assert!(copied.unwrap().success());
    let put = |name: &str, text: &str| {
        drop(folder.file(&format!("policy/modules/apps/{name}"), text.as_bytes()))
    };
    put(
        "alone.if",
        "## <summary>Built elsewhere.</summary>\ninterface(`alone_read',`allow $1 self:file read;')\n",
    );
    put("broken.te", "# don't\npolicy_module(broken)\nifdef(`x',`\n# don't\n')\n");
    put(
        "zz_last.if",
        "## <summary>The last.</summary>\n## <param name=\"a\"><summary>a</summary></param>\n\
         ## <param name=\"b\"><summary>b</summary></param>\ninterface(`zz_trans',`type_transition $1 zz_tmp_t:dir zz_tmp_t $2;')\n",
    );
    put(
        "zz_last.te",
        "policy_module(zz_last)\ntype zz_t;\ndomain_type(zz_t)\nrole system_r types zz_t;\ntype zz_tmp_t;\nfiles_type(zz_tmp_t)\n\
         alone_read(zz_t)\nfiletrans_pattern(zz_t, zz_tmp_t, zz_tmp_t, file,)\nzz_trans(zz_t)\n\
         optional_policy(`\nifdef(`from_makefile',`alone_read(zz_t)')\n')\n",
    );
    put("zz_first.fc", "");
    put("zz_last.fc", "/zz  -d  gen_context(system_u:object_r:zz_tmp_t,s0)");
    let modules = std::fs::read_to_string(folder.path("policy/modules.conf")).unwrap();
    folder.file("policy/modules.conf", format!("zz_last = base\nalone = on\n{modules}").as_bytes());
    folder.file(
        "Makefile",
        b"ifeq (1,2)\nM4PARAM += -D never\nendif\nM4PARAM += -D a=$(A) -D from_makefile\n",
    );
    let tree = folder.path("").display().to_string();
    let output = folder.path("out/").display().to_string();
    let (code, _, err) = run(&["mandate", "build", &tree, "--no-cache", "-o", &output]);
    let told: Vec<&str> =
        err.lines().filter(|it| it.starts_with("warning") || it.starts_with("error")).collect();
    expect![[r#"
        warning[E0108]: `zz_trans` lacks an argument: 1 of 2 arguments are given
        warning[E0505]: module `alone` cannot be `on`, so it is left out"#]]
    .assert_eq(&told.join("\n"));
    assert_eq!(code, 0, "{err}");
    let contexts = std::fs::read_to_string(folder.path("out/file_contexts")).unwrap();
    assert!(
        contexts.lines().any(|it| it.starts_with("/zz\t") && it.ends_with("zz_tmp_t:s0")),
        "{contexts}"
    );
}
