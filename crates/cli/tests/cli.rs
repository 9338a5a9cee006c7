//! The command line as a user meets it: text, streams and exit codes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Folder, check, policy, run};
use expect_test::expect;

const SOURCE: &str = "system_u:system_r:httpd_t:s0";
const TARGET: &str = "alice:object_r:user_home_t:s0";

#[test]
fn decide_tells_by_exit_code() {
    let content = "system_u:object_r:httpd_content_t:s0";
    check(
        &["mandate", "decide", &policy(), SOURCE, content, "file", "read"],
        0,
        expect![[r"
            allowed: read
        "]],
    );
    check(
        &["mandate", "decide", &policy(), SOURCE, TARGET, "file", "read"],
        1,
        expect![[r"
            denied: read
        "]],
    );
    check(
        &[
            "mandate",
            "decide",
            &policy(),
            SOURCE,
            TARGET,
            "file",
            "read",
            "--bool",
            "httpd_read_homes=on",
        ],
        0,
        expect![[r"
            allowed: read
        "]],
    );
}

/// A rule about denials is told of what is denied, not of what is allowed.
#[test]
fn decide_tells_what_is_not_logged() {
    let folder = Folder::new("decide-dontaudit");
    let base = folder.path("policy.33").display().to_string();
    assert_eq!(run(&["mandate", "build", "-o", &base]).0, 0);
    let port = "system_u:object_r:http_port_t:s0";
    let words = ["mandate", "decide", &base, SOURCE, port, "tcp_socket", "name_connect"];
    check(
        &words,
        1,
        expect![[r"
            denied: name_connect
            not logged: name_connect
        "]],
    );
    check(
        &[&words[..], &["--bool", "httpd_can_network_relay=on"]].concat(),
        0,
        expect![[r"
            allowed: name_connect
        "]],
    );
}

#[test]
fn unknown_names_get_near_misses() {
    check(
        &["mandate", "decide", &policy(), SOURCE, TARGET, "fil", "read"],
        2,
        expect![[r#"
            error: the policy has no class "fil"; did you mean file, dir?
        "#]],
    );
    check(
        &["mandate", "decide", &policy(), SOURCE, TARGET, "file", "raed"],
        2,
        expect![[r#"
            error: class file has no permission "raed"; did you mean read?
        "#]],
    );
    check(
        &["mandate", "explain", &policy(), "system_u:system_r:htpd_t:s0", TARGET, "file"],
        2,
        expect![[r#"
            error: source context "system_u:system_r:htpd_t:s0": the policy has no type "htpd_t"; did you mean httpd_t?
        "#]],
    );
    check(
        &["mandate", "explain", &policy(), "bob:system_r:httpd_t:s0", TARGET, "file"],
        2,
        expect![[r#"
            error: source context "bob:system_r:httpd_t:s0": user bob may not have role system_r
        "#]],
    );
}

#[test]
fn explain_as_json_has_its_documented_shape() {
    let (code, out, _) =
        run(&["mandate", "explain", &policy(), SOURCE, TARGET, "file", "read", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 1);
    let permission = &value["permissions"][0];
    assert_eq!(permission["permission"], "read");
    assert_eq!(permission["denied_by"][0]["reason"], "no_rule");
    assert_eq!(permission["changed_by_booleans"][0]["httpd_read_homes"], true);
    assert_eq!(permission["inactive"][0]["condition"], "httpd_read_homes");
}

#[test]
fn files_that_are_no_policies_are_named() {
    let folder = Folder::new("kinds");
    let bytes = std::fs::read(policy()).unwrap();
    let cut = folder.file("cut", &bytes[..1000]);
    let package = folder.file("x.pp", &[0x8f, 0xff, 0x7c, 0xf9, 1, 0, 0, 0]);
    let text = folder.file("x.te", b"policy_module(x)\n");
    for (path, expected) in [
        (&cut, "the file is cut short"),
        (&package, "this is a policy package (.pp), not a kernel policy"),
        (&text, "this is text (policy source?), not a binary kernel policy"),
    ] {
        let (code, _, err) = run(&["mandate", "info", path.to_str().unwrap()]);
        assert_eq!(code, 2);
        assert!(err.contains(expected), "{err}");
    }
}

#[test]
fn convert_there_and_back_keeps_the_bytes() {
    let folder = Folder::new("convert");
    let (there, back) = (folder.path("32"), folder.path("33"));
    let (there, back) = (there.to_str().unwrap(), back.to_str().unwrap());
    assert_eq!(run(&["mandate", "convert", "--policy-version", "32", &policy(), there]).0, 0);
    assert_eq!(run(&["mandate", "convert", "--policy-version", "33", there, back]).0, 0);
    assert_ne!(std::fs::read(there).unwrap(), std::fs::read(policy()).unwrap());
    let info = |path: &str| run(&["mandate", "info", path]).1;
    assert_eq!(info(back), info(&policy()));
    assert_eq!(folder.names(), ["32", "33"], "no temporary file stays");
}

#[test]
fn convert_decompiles_and_compiles_to_the_canonical_bytes() {
    let folder = Folder::new("convert-forms");
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let (conf, back, canonical) = (path("policy.conf"), path("back"), path("canonical"));
    assert_eq!(run(&["mandate", "convert", "--to", "conf", &policy(), &conf]).0, 0);
    assert_eq!(run(&["mandate", "convert", &conf, &back]).0, 0);
    assert_eq!(run(&["mandate", "convert", "--canonical", &policy(), &canonical]).0, 0);
    assert_eq!(std::fs::read(back).unwrap(), std::fs::read(canonical).unwrap());
}

#[test]
fn convert_gives_the_same_cil_of_a_policy_and_of_its_source() {
    let folder = Folder::new("convert-cil");
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let (conf, one, other) = (path("policy.conf"), path("one"), path("other"));
    assert_eq!(run(&["mandate", "convert", "--to", "conf", &policy(), &conf]).0, 0);
    assert_eq!(run(&["mandate", "convert", "--to", "cil", &policy(), &one]).0, 0);
    assert_eq!(run(&["mandate", "convert", "--to", "cil", &conf, &other]).0, 0);
    let read = |path: String| std::fs::read_to_string(path).unwrap();
    // What a compiler of CIL would take for superfluous is told of a binary policy alone.
    let lines = |text: String| -> Vec<String> {
        let kept = |it: &&str| !it.starts_with("(expandtypeattribute ");
        text.lines().filter(kept).map(str::to_owned).collect()
    };
    assert_eq!(lines(read(one)), lines(read(other)));
}

#[test]
fn convert_says_what_is_wrong_with_a_source() {
    let folder = Folder::new("convert-wrong");
    let source = folder.path("policy.conf");
    std::fs::write(&source, "class file\nallow a\n").unwrap();
    let (code, _, err) = run(&["mandate", "convert", "--to", "cil", source.to_str().unwrap(), "-"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("policy.conf:2") || err.contains("policy.conf:3"), "{err}");
}

#[test]
fn convert_says_what_a_version_cannot_hold() {
    let folder = Folder::new("unsupported");
    let path = folder.path("15");
    let (code, out, err) =
        run(&["mandate", "convert", "--policy-version", "15", &policy(), path.to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("MLS policy (since version 19)"), "{err}");
    assert!(err.contains("booleans (since version 16)"), "{err}");
    assert!(folder.names().is_empty());
}

#[test]
fn classic_commands_answer_by_name() {
    let content = "system_u:object_r:httpd_content_t:s0";
    let policy = policy();
    check(
        &["/usr/sbin/compute_av", "--policy", &policy, SOURCE, content, "dir"],
        0,
        expect![[r"
            allowed= { read getattr open search }
        "]],
    );
    check(
        &["compute_av", "--policy", &policy, "x", content, "dir"],
        4,
        expect![[r"
            compute_av:  invalid source context 'x'
        "]],
    );
    check(
        &[
            "compute_create",
            "--policy",
            &policy,
            "system_u:system_r:init_t:s0",
            "system_u:object_r:httpd_exec_t:s0",
            "process",
        ],
        0,
        expect![[r"
            system_u:system_r:httpd_t:s0
        "]],
    );
    check(
        &["policyvers", "--policy", &policy],
        0,
        expect![[r"
        33
    "]],
    );
    assert_eq!(run(&["compute_av", "--policy", &policy]).0, 1);
    // Only the exact name counts.
    assert_eq!(run(&["my_compute_av", "--policy", &policy]).0, 2);
}

#[test]
fn jsonl_answers_in_order_and_goes_on_after_a_bad_line() {
    let queries = format!(
        "{}\n{}\n{}\n",
        r#"{"id":7,"op":"context","context":"system_u:object_r:shadow_t:s0:c0.c0"}"#,
        "nonsense",
        r#"{"op":"getbool","name":"httpd_read_homes"}"#
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_mandate"))
        .args(["decide", &policy(), "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(queries.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    expect![[r#"
        {"kind":"answer","n":0,"op":"context","id":7,"error":"EINVAL"}
        {"kind":"answer","n":1,"error":"EPROTO"}
        {"kind":"answer","n":2,"op":"getbool","value":0,"pending":0}
    "#]]
    .assert_eq(&String::from_utf8(output.stdout).unwrap());
    assert!(String::from_utf8(output.stderr).unwrap().contains("line 2: not a JSON object"));
}

/// A program may wait for each answer before it asks again.
#[test]
fn jsonl_answers_at_once() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mandate"))
        .args(["decide", &policy(), "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for number in 0..3 {
        writeln!(questions, r#"{{"op":"getbool","name":"httpd_read_homes"}}"#).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.contains(&format!(r#""n":{number},"#)), "{answer}");
    }
    drop(questions);
    assert!(child.wait().unwrap().success());
}

fn micro(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/micro");
    folder.join(name).join("policy.bin").to_str().unwrap().to_owned()
}

#[test]
fn explain_looks_through_bounds() {
    let policy = micro("typebounds-constraint");
    let words =
        ["mandate", "explain", &policy, "u:r:child_t", "u:object_r:secret_t", "file", "write"];
    check(
        &words,
        1,
        expect![[r#"
        denied   write
          child_t is bounded by parent_t, which may not do it to secret_t:
            a constraint does not hold:
              constrain file write ( t1 != parent_t );
                false  t1 != parent_t  (it is parent_t)
          though granted by:
            allow child_t secret_t:file { read write };
    "#]],
    );
}

#[test]
fn explain_finds_booleans_of_extended_permissions() {
    let policy = micro("xperm-conditional");
    let words = [
        "mandate",
        "explain",
        &policy,
        "u:r:a_t",
        "u:object_r:obj_t",
        "file",
        "--xperm",
        "ioctl=0x8911",
    ];
    check(
        &words,
        1,
        expect![[r#"
        allowed  ioctl
          granted by:
            allow a_t obj_t:file ioctl;
        denied   ioctl 0x8911
          other extended permissions are ruled, so this one needs an allowxperm
          inactive:
            allowxperm a_t obj_t:file ioctl 0x8911;  [ xc_on ]:True
          would be allowed with xc_on=on
    "#]],
    );
}

#[test]
fn convert_writes_into_what_is_no_plain_file() {
    let (code, _, err) =
        run(&["mandate", "convert", "--policy-version", "30", &policy(), "/dev/null"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

#[cfg(unix)]
#[test]
fn convert_follows_links_and_keeps_modes() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new("links");
    let file = folder.file("file", b"old");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&file, folder.path("link")).unwrap();
    let link = folder.path("link");
    let words = ["mandate", "convert", "--policy-version", "33", &policy(), link.to_str().unwrap()];
    assert_eq!(run(&words).0, 0);
    assert!(link.is_symlink());
    assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(policy()).unwrap());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let words = ["mandate", "info", &policy()].map(OsString::from).to_vec();
    let mut err = Vec::new();
    assert_eq!(mandate_cli::run(words, &mut Closed, &mut err), 0);
    assert!(err.is_empty());
}

#[test]
fn classic_commands_take_paths_that_are_not_utf8() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    let folder = common::Folder::new("cli-bytes");
    let path = folder.path("").join(OsString::from_vec(b"p\xff.33".to_vec()));
    std::fs::copy(common::policy(), &path).unwrap();
    let words = ["policyvers", "--policy"].map(OsString::from).into_iter();
    let words = words.chain([path.into_os_string()]).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = mandate_cli::run(words, &mut out, &mut err);
    assert_eq!((code, String::from_utf8_lossy(&out).trim()), (0, "33"));
}
