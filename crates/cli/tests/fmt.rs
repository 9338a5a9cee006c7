//! `mandate fmt` as a user meets it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Folder, run};
use expect_test::{Expect, expect};

/// Runs `mandate fmt` in a folder; the folder's name is left out of what it says.
fn check(folder: &Folder, arguments: &[&str], code: u8, expected: Expect) {
    let (exit, out, err) = run_in(folder, arguments);
    assert_eq!(exit, code, "{err}");
    expected.assert_eq(&format!("{out}{err}"));
}

fn run_in(folder: &Folder, arguments: &[&str]) -> (u8, String, String) {
    let root = folder.path("");
    let root = root.to_str().unwrap();
    let full = |it: &&str| match *it {
        path if path.starts_with("m") => format!("{root}{path}"),
        other => other.to_owned(),
    };
    let start = ["mandate", "fmt"].map(str::to_owned);
    let all: Vec<String> = start.into_iter().chain(arguments.iter().map(full)).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (code, out, err) = run(&all);
    (code, out.replace(root, ""), err.replace(root, ""))
}

fn messy(name: &str) -> Folder {
    let folder = Folder::new(name);
    fs::create_dir_all(folder.path("m/.hidden")).unwrap();
    for (name, text) in [
        ("m/a.te", "allow a b : c  {d e};\n"),
        ("m/b.if", "interface(`b',`\n\ttype c;\n')\n"),
        ("m/c.fc", "/c -- u:r:t:s0\n"),
        ("m/d.cil", "(type a)(type b)\n"),
        ("m/e.spt", "define( `e')\n"),
        ("m/.hidden/f.te", "type  a;\n"),
    ] {
        fs::write(folder.path(name), text).unwrap();
    }
    folder
}

#[test]
fn check_names_files_and_changes_none() {
    let folder = messy("fmt-check-names-files-and-changes-none");
    check(
        &folder,
        &["--check", "m"],
        1,
        expect![[r"
            m/a.te
            m/c.fc
            m/d.cil
            3 of 4 files to be changed
        "]],
    );
    assert_eq!(fs::read_to_string(folder.path("m/a.te")).unwrap(), "allow a b : c  {d e};\n");
}

#[test]
fn files_are_rewritten_in_place() {
    let folder = messy("fmt-files-are-rewritten-in-place");
    let path = folder.path("m/a.te");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let untouched = fs::metadata(folder.path("m/b.if")).unwrap().modified().unwrap();
    check(
        &folder,
        &["m"],
        0,
        expect![[r"
            3 of 4 files changed
        "]],
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "allow a b:c { d e };\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::metadata(folder.path("m/b.if")).unwrap().modified().unwrap(), untouched);
    assert_eq!(fs::read_to_string(folder.path("m/.hidden/f.te")).unwrap(), "type  a;\n");
    check(
        &folder,
        &["--check", "m"],
        0,
        expect![[r"
            0 of 4 files to be changed
        "]],
    );
}

#[test]
fn a_diff_shows_what_would_change() {
    let folder = messy("fmt-a-diff-shows-what-would-change");
    check(
        &folder,
        &["--diff", "m/a.te", "m/b.if"],
        0,
        expect![[r"
            --- m/a.te
            +++ m/a.te
            @@ -1 +1 @@
            -allow a b : c  {d e};
            +allow a b:c { d e };
            1 of 2 files to be changed
        "]],
    );
}

#[test]
fn files_with_errors_are_left_alone() {
    let folder = messy("fmt-files-with-errors-are-left-alone");
    fs::write(folder.path("m/b.if"), "type  c;\ninterface(`b',`\n\ttype c;\n)\n").unwrap();
    check(
        &folder,
        &["m"],
        1,
        expect![[r#"
            error[E0101]: this quote is not closed
             --> m/b.if:2:15
              |
            2 | interface(`b',`
              |               ^ opened here
              |
              = help: an apostrophe in a comment within quotes closes a quote, too
              = see: mandate help E0101

            1 error
            3 of 4 files changed
        "#]],
    );
    assert_eq!(fs::read_to_string(folder.path("m/a.te")).unwrap(), "allow a b:c { d e };\n");
    assert!(fs::read_to_string(folder.path("m/b.if")).unwrap().starts_with("type  c;"));
}

#[test]
fn wrong_usage_is_told() {
    let folder = messy("fmt-wrong-usage-is-told");
    let (code, _, err) = run_in(&folder, &[]);
    assert_eq!(code, 2);
    assert!(err.contains("<PATH>"), "{err}");
    check(
        &folder,
        &["m/e.spt"],
        2,
        expect![[r#"
        error: m/e.spt: not .te, .if, .fc or .cil: --kind tells what it is
    "#]],
    );
    check(
        &folder,
        &["m/missing.te", "m/a.te"],
        2,
        expect![[r#"
        error: m/missing.te: No such file or directory (os error 2)
        1 of 2 files changed
    "#]],
    );
    // A file of any name, once it is said what it is.
    let (code, out, _) = run_in(&folder, &["--check", "--kind", "te", "m/e.spt"]);
    assert_eq!((code, out.as_str()), (0, ""));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let program = Path::new(env!("CARGO_BIN_EXE_mandate"));
    let pipe = |arguments: &[&str], text: &str| {
        let mut command = Command::new(program);
        command.arg("fmt").args(arguments).arg("-");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(pipe(&[], "type  a;"), (Some(0), "type a;\n".to_owned()));
    assert_eq!(pipe(&["--kind", "cil"], "(a )"), (Some(0), "(a)\n".to_owned()));
    assert_eq!(pipe(&[], "type a;\n"), (Some(0), "type a;\n".to_owned()));
    assert_eq!(pipe(&["--check"], "type  a;"), (Some(1), "standard input\n".to_owned()));
    assert_eq!(pipe(&[], "type a {"), (Some(1), String::new()));
}
