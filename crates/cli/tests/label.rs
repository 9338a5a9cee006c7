//! `mandate label`: text and exit codes.

mod common;

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use common::{Folder, run};
use expect_test::{Expect, expect};

/// File contexts with neighbours.
fn tables(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file(
        "file_contexts",
        b"\
# all
/.*\tsystem_u:object_r:default_t
/usr/.*\tsystem_u:object_r:usr_t
/usr/(.*/)?bin(/.*)?\tsystem_u:object_r:bin_t
/usr/bin/passwd\t--\tsystem_u:object_r:passwd_exec_t
/usr/bin/su\t--\tsystem_u:object_r:su_exec_t
/usr/lib/games/[a-z]+\tsystem_u:object_r:games_t
/usr/lib/.*\tsystem_u:object_r:lib_t
/lib/modules\tsystem_u:object_r:modules_t
/usr/bin/su\t--\tsystem_u:object_r:bin_t
/proc/.*\t<<none>>
",
    );
    folder.file("file_contexts.local", b"/srv(/.*)?  -d  system_u:object_r:srv_t\n");
    folder.file("file_contexts.subs_dist", b"/lib /usr/lib\n");
    folder
}

#[track_caller]
fn check(folder: &Folder, words: &[&str], code: u8, expected: Expect) {
    let table = folder.path("file_contexts").display().to_string();
    let words = [&["mandate", "label", words[0], "-f", &table], &words[1..]].concat();
    let (found, out, err) = run(&words);
    let root = folder.path("").display().to_string();
    expected.assert_eq(&format!("{out}{err}").replace(&root, "…/"));
    assert_eq!(found, code);
}

#[test]
fn the_deciding_line_is_told_and_what_it_beats() {
    check(
        &tables("label-the-deciding-line-is-told-and-what-it-beats"),
        &["lookup", "--type", "file", "/usr/bin/passwd", "/lib//games/chess", "/proc/1"],
        0,
        expect![[r#"
            /usr/bin/passwd	system_u:object_r:passwd_exec_t  (file)
              decided by …/file_contexts:5  /usr/bin/passwd -- system_u:object_r:passwd_exec_t
              beats      …/file_contexts:4  /usr/(.*/)?bin(/.*)? system_u:object_r:bin_t
              beats      …/file_contexts:3  /usr/.* system_u:object_r:usr_t
              beats      …/file_contexts:2  /.* system_u:object_r:default_t
            /lib//games/chess	system_u:object_r:lib_t  (file)
              looked up as /usr/lib/games/chess
              decided by …/file_contexts:8  /usr/lib/.* system_u:object_r:lib_t
              beats      …/file_contexts:7  /usr/lib/games/[a-z]+ system_u:object_r:games_t
              beats      …/file_contexts:3  /usr/.* system_u:object_r:usr_t
              beats      …/file_contexts:2  /.* system_u:object_r:default_t
            /proc/1	<<none>>  (file)
              decided by …/file_contexts:11  /proc/.* <<none>>
              beats      …/file_contexts:2  /.* system_u:object_r:default_t
        "#]],
    );
}

#[test]
fn a_kind_of_file_chooses_among_lines() {
    let folder = tables("label-a-kind-of-file-chooses-among-lines");
    check(
        &folder,
        &["lookup", "--brief", "-t", "dir", "/usr/bin/passwd", "/srv/x"],
        0,
        expect![[r#"
            /usr/bin/passwd	system_u:object_r:bin_t
            /srv/x	system_u:object_r:srv_t
        "#]],
    );
    check(
        &folder,
        &["lookup", "--brief", "-t", "any", "/srv/x"],
        0,
        expect![[r#"
        /srv/x	system_u:object_r:srv_t
    "#]],
    );
}

#[test]
fn answers_as_json() {
    check(
        &tables("label-answers-as-json"),
        &["lookup", "--json", "-t", "link", "/usr/x\u{1b}"],
        0,
        expect![[r#"
            {"path":"/usr/x\u001b","type":"-l","context":"system_u:object_r:usr_t","line":{"file":"…/file_contexts","line":3,"pattern":"/usr/.*","type":null,"context":"system_u:object_r:usr_t"},"beats":[{"file":"…/file_contexts","line":2,"pattern":"/.*","type":null,"context":"system_u:object_r:default_t"}]}
        "#]],
    );
}

#[test]
fn names_stay_on_their_line() {
    check(
        &tables("label-names-stay-on-their-line"),
        &["lookup", "-b", "-t", "any", "/usr/a\nb\\c\u{1b}[31m"],
        0,
        expect![[r#"
            /usr/a\012b\\c\033[31m	system_u:object_r:usr_t
        "#]],
    );
}

#[test]
fn paths_are_absolute() {
    let folder = tables("label-paths-are-absolute");
    check(
        &folder,
        &["lookup", "usr/bin"],
        2,
        expect![[r#"
        error: usr/bin is not absolute: file contexts hold absolute paths only
    "#]],
    );
    check(
        &folder,
        &["lookup", "--root", "/mnt/image", "/usr/bin"],
        2,
        expect![[r#"
        error: /usr/bin does not lie in /mnt/image
    "#]],
    );
    check(
        &folder,
        &["lookup", "-b", "-t", "any", "--root", "/mnt/image", "/mnt/image/usr/x"],
        0,
        expect![[r#"
            /mnt/image/usr/x	system_u:object_r:usr_t
        "#]],
    );
}

#[test]
fn lint_finds_lines_without_effect() {
    check(
        &tables("label-lint-finds-lines-without-effect"),
        &["lint"],
        1,
        expect![[r#"
        …/file_contexts:7: shadowed: …/file_contexts:8 decides about all that this line matches: /usr/lib/.* system_u:object_r:lib_t
            /usr/lib/games/[a-z]+ system_u:object_r:games_t
        …/file_contexts:9: unreachable: no path comes here: /lib/modules is looked up as /usr/lib/modules; write /usr/lib/modules instead
            /lib/modules system_u:object_r:modules_t
        …/file_contexts:10: conflict: …/file_contexts:6 has the same pattern with system_u:object_r:su_exec_t: only one of them can win
            /usr/bin/su -- system_u:object_r:bin_t
        11 lines: 1 conflict, 1 shadowed, 1 unreachable
    "#]],
    );
}

#[test]
fn lint_tells_errors_where_they_are() {
    let folder = tables("label-lint-tells-errors-where-they-are");
    folder.file(
        "file_contexts",
        b"/a(b system_u:object_r:a_t\n/b -x system_u:object_r:a_t\n/c\n/d a:b:c\n",
    );
    check(
        &folder,
        &["lint"],
        1,
        expect![[r#"
        …/file_contexts:1:3: error: this parenthesis is not closed
        …/file_contexts:2:4: error: expected a file type (-b, -c, -d, -p, -l, -s or --), found "-x"
        …/file_contexts:3:3: error: expected a file type or a context here, found the end of the line
        2 lines: 3 error
    "#]],
    );
    check(
        &folder,
        &["lookup", "-b", "/d"],
        0,
        expect![[r#"
        /d	a:b:c
        …/file_contexts:1:3: this parenthesis is not closed; the line is left out
        …/file_contexts:2:4: expected a file type (-b, -c, -d, -p, -l, -s or --), found "-x"; the line is left out
        …/file_contexts:3:3: expected a file type or a context here, found the end of the line; the line is left out
    "#]],
    );
}

#[test]
fn a_login_becomes_a_user_with_contexts() {
    let folder = Folder::new("label-login");
    for name in ["policy", "contexts/users", "etc"] {
        std::fs::create_dir_all(folder.path(name)).unwrap();
    }
    std::fs::copy(common::policy(), folder.path("policy/policy.33")).unwrap();
    folder.file(
        "seusers",
        b"__default__:bob:s0:c0\n%wheel:alice:s0-s1:c0.c3\nmallory:nobody_u\nbroken\n",
    );
    folder.file(
        "contexts/default_contexts",
        b"system_r:init_t:s0 staff_r:staff_t:s0 user_r:user_t:s0\n",
    );
    folder.file("contexts/users/alice", b"system_r:init_t sysadm_r:sysadm_t:s0\n");
    folder.file("etc/passwd", b"carol:x:1000:1000::/home/carol:/bin/sh\n");
    folder.file("etc/group", b"users:x:1000:\nwheel:x:10:root,carol\n");
    let root = folder.path("").display().to_string();
    let root = root.trim_end_matches('/');
    let ask = |words: &[&str]| {
        let words =
            [&["mandate", "label", "login", "--config", root, "--root", root], words].concat();
        let (code, out, err) = run(&words);
        format!("{out}{err}{code}\n").replace(root, "…")
    };
    expect![[r#"
        carol becomes alice with range s0-s1:c0.c3
          system_r:init_t  alice:sysadm_r:sysadm_t:s0-s1:c0.c3
                           alice:user_r:user_t:s0-s1:c0.c3
        …/seusers:4:7: expected a colon and a SELinux user here, found the end of the line; the line is left out
        0
    "#]].assert_eq(&ask(&["carol"]));
    expect![[r#"
        {
          "login": "dave",
          "user": "bob",
          "range": "s0:c0",
          "contexts": {
            "system_r:init_t": [
              "bob:user_r:user_t:s0:c0"
            ]
          }
        }
        …/seusers:4:7: expected a colon and a SELinux user here, found the end of the line; the line is left out
        0
    "#]].assert_eq(&ask(&["dave", "--json"]));
    expect![[r#"
        dave becomes bob with range s0:c0
        no context is left to log in with: the policy has none of those in the tables
        …/seusers:4:7: expected a colon and a SELinux user here, found the end of the line; the line is left out
        no table names system_r:initt: only the failsafe context is left; they name system_r:init_t
        1
    "#]].assert_eq(&ask(&["dave", "--from", "system_r:initt"]));
    expect![[r#"
        …/seusers:4:7: expected a colon and a SELinux user here, found the end of the line; the line is left out
        error: mallory becomes nobody_u, but the policy has no such user
        2
    "#]].assert_eq(&ask(&["mallory"]));
}

/// The program itself, with a pipe: what looks like a colour is a name, and a zero byte ends it.
#[test]
fn names_of_any_bytes_come_back() {
    let folder = tables("label-null");
    let file = folder.path("file_contexts");
    let name = b"/srv/\xff\n\x1b[31m";
    let answer = [&name[..], b"\tsystem_u:object_r:srv_t\0"].concat();
    for words in [&["--null"][..], &["-b", "-0"], &["-b0"]] {
        let mut lookup = Command::new(env!("CARGO_BIN_EXE_mandate"));
        lookup.args(["label", "lookup", "-t", "dir", "-f"]).arg(&file);
        let named = lookup.args(words).arg(OsStr::from_bytes(name)).output().expect("it runs");
        assert_eq!((named.stdout.as_slice(), named.stderr.len()), (&answer[..], 0), "{words:?}");
    }
    let mut lookup = Command::new(env!("CARGO_BIN_EXE_mandate"));
    lookup.args(["label", "lookup", "-0", "-t", "dir", "-f"]).arg(&file);
    let mut lookup =
        lookup.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut questions = lookup.stdin.take().expect("a pipe");
    questions.write_all(&[&name[..], b"\0", name].concat()).expect("it reads");
    drop(questions);
    let told = lookup.wait_with_output().expect("it ends");
    assert_eq!((told.stdout, told.status.code()), (answer.repeat(2), Some(0)));
}

#[test]
fn substitutions_of_a_build_count_for_its_file_contexts() {
    let folder = Folder::new("label-substitutions-of-a-build");
    let out = format!("{}/", folder.path("built").display());
    assert_eq!(run(&["mandate", "build", "--no-cache", "-o", &out]).0, 0);
    let (table, path) = (format!("{out}file_contexts"), "/usr/sbin/nginx");
    let (code, text, _) =
        run(&["mandate", "label", "lookup", "-f", &table, "--type", "file", path]);
    assert_eq!(code, 0);
    assert!(text.contains("looked up as /usr/bin/nginx"), "{text}");
    assert!(text.contains("httpd_exec_t"), "{text}");
}
