//! File contexts of homes, compiled file contexts, categories, levels: `mandate label`, `mandate mls` and the classic commands.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use common::{Folder, policy, run};
use expect_test::{Expect, expect};

/// Compares both streams and the exit code; the folder's name is left out.
#[track_caller]
fn check(folder: &Folder, words: &[&str], code: u8, expected: Expect) {
    let (found, out, err) = run(words);
    let root = folder.path("").display().to_string();
    expected.assert_eq(&format!("{out}{err}").replace(&root, "…/"));
    assert_eq!(found, code);
}

fn text(folder: &Folder, name: &str) -> String {
    folder.path(name).to_str().unwrap().to_owned()
}

fn put(folder: &Folder, name: &str, text: &str) {
    std::fs::create_dir_all(folder.path(name).parent().unwrap()).unwrap();
    folder.file(name, text.as_bytes());
}

/// A root file system with a policy and accounts.
fn root(name: &str) -> Folder {
    let root = Folder::new(name);
    put(&root, "etc/selinux/config", "SELINUXTYPE=demo\n");
    put(
        &root,
        "etc/selinux/demo/seusers",
        "__default__:system_u:s0-s0:c0.c1023\nann:system_u:s0\n",
    );
    put(
        &root,
        "etc/selinux/demo/setrans.conf",
        "# names\ns0=Low\ns0:c1=Secret\ns0-s0:c0.c1023=Low-High\n",
    );
    put(
        &root,
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/srv/homes/ann:/bin/sh\nbob:x:1001:10::/home/bob:/bin/sh\n",
    );
    put(&root, "etc/group", "root:x:0:\nwheel:x:10:ann\n");
    put(&root, "etc/login.defs", "UID_MIN 1000\nUID_MAX 60000\n");
    put(&root, "etc/shells", "/bin/sh\n");
    put(
        &root,
        "etc/selinux/demo/contexts/files/file_contexts",
        "/etc system_u:object_r:etc_t:s0\n",
    );
    let template = "HOME_ROOT\t-d\tsystem_u:object_r:user_home_t:s0\nHOME_DIR/.+\tsystem_u:object_r:user_home_t:s0\n\
        /tmp/USER-x\t--\tsystem_u:object_r:no_such_t:s0\n";
    put(&root, "var/lib/selinux/demo/active/homedir_template", template);
    std::fs::create_dir_all(root.path("etc/selinux/demo/policy")).unwrap();
    std::fs::copy(policy(), root.path("etc/selinux/demo/policy/policy.33")).unwrap();
    root
}

const HOMES: &str = "etc/selinux/demo/contexts/files/file_contexts.homedirs";

#[test]
fn file_contexts_of_homes() {
    let root = root("label-homedirs");
    let dir = text(&root, "");
    check(
        &root,
        &["mandate", "label", "homedirs", "--root", &dir],
        0,
        expect![[r#"
            #
            #
            # User-specific file contexts, generated via libsemanage
            # use semanage command to manage system users to change the file_context
            #
            #


            #
            # Home Context for user user_u
            #

            /home/[^/]+/.+	system_u:object_r:user_home_t:s0
            /home	-d	system_u:object_r:user_home_t:s0


            #
            # Home Context for user user_u
            #

            /srv/homes/[^/]+/.+	system_u:object_r:user_home_t:s0
            /srv/homes	-d	system_u:object_r:user_home_t:s0


            #
            # Home Context for user ann
            #

            /srv/homes/ann/.+	system_u:object_r:user_home_t:s0
        "#]],
    );
    let (_, made, _) = run(&["mandate", "label", "homedirs", "--root", &dir]);
    assert_eq!(run(&["genhomedircon", "--root", &dir]), (0, String::new(), String::new()));
    assert_eq!(std::fs::read_to_string(root.path(HOMES)).unwrap(), made);
    let other = text(&root, "other");
    let words = ["mandate", "label", "homedirs", "--root", &dir, "-o", &other];
    assert_eq!(run(&words), (0, String::new(), String::new()));
    assert_eq!(std::fs::read_to_string(other).unwrap(), made);
    check(
        &root,
        &["genhomedircon", "-B"],
        1,
        expect![[r#"
        usage:  genhomedircon [--root DIR]
    "#]],
    );
}

#[test]
fn homes_of_nothing() {
    let empty = Folder::new("label-homedirs-empty");
    let dir = text(&empty, "");
    check(
        &empty,
        &["genhomedircon", "--root", &dir],
        1,
        expect![[r#"
        genhomedircon:  …/var/lib/selinux/targeted/active/homedir_template: the template of a policy; name one with --template: No such file or directory (os error 2)
    "#]],
    );
    check(
        &empty,
        &["mandate", "label", "homedirs", "--root", &dir],
        2,
        expect![[r#"
        error: …/var/lib/selinux/targeted/active/homedir_template: the template of a policy; name one with --template: No such file or directory (os error 2)
    "#]],
    );
}

#[test]
fn categories_of_logins() {
    let root = root("label-chcat");
    let dir = text(&root, "");
    check(
        &root,
        &["chcat", "--root", &dir, "-L"],
        0,
        expect![[r#"
        s0                             Low
        s0:c1                          Secret
        s0-s0:c0.c1023                 Low-High
    "#]],
    );
    check(
        &root,
        &["chcat", "--root", &dir, "-L", "-l", "ann", "bob"],
        0,
        expect![[r#"
        ann: Low
        bob: High
    "#]],
    );
    check(
        &root,
        &["chcat", "--root", &dir, "-L", "-l", "eve"],
        1,
        expect![[r#"
        chcat: User eve does not exist
    "#]],
    );
    check(
        &root,
        &["chcat", "--root", &dir, "-l", "+Secret", "ann", "bob"],
        1,
        expect![[r#"
            chcat: logins are changed by semanage, which does not exist here yet; run: semanage login -m -r s0-s0:c1 -s system_u ann
            chcat: logins are changed by semanage, which does not exist here yet; run: semanage login -a -r s0-s0:c0.c1023 -s system_u bob
        "#]],
    );
    check(
        &root,
        &["chcat", "--root", &dir, "-l", "-d", "bob"],
        1,
        expect![[r#"
            chcat: logins are changed by semanage, which does not exist here yet; run: semanage login -a -r s0-s0 -s system_u bob
        "#]],
    );
    check(
        &root,
        &["chcat", "--root", &dir, "--", "-Secret", "/nonexistent/file"],
        1,
        expect![[r#"
            chcat: /nonexistent/file: No such file or directory
        "#]],
    );
    check(
        &root,
        &["chcat", "--root", &dir, "+c1,c2", "x"],
        1,
        expect![[r#"
        chcat: Can not combine +/- with other types of categories
    "#]],
    );
    check(
        &root,
        &["chcat", "--root", &dir, "c1"],
        1,
        expect![[r#"
        Usage chcat CATEGORY File ...
        Usage chcat -l CATEGORY user ...
        Usage chcat [[+|-]CATEGORY],...] File ...
        Usage chcat -l [[+|-]CATEGORY],...] user ...
        Usage chcat -d File ...
        Usage chcat -l -d user ...
        Usage chcat -L
        Usage chcat -L -l user
        Use -- to end option list.  For example
        chcat -- -CompanyConfidential /docs/businessplan.odt
        chcat -l +CompanyConfidential juser
    "#]],
    );
}

/// Where labels can be set at all, as root and on a file system that keeps them.
#[test]
fn categories_of_files() {
    let root = root("label-chcat-files");
    let (dir, file) = (text(&root, ""), text(&root, "file"));
    put(&root, "file", "");
    let held = mandate_host::label::Held::open(root.path("file").as_path(), false).unwrap();
    if held.set_label(b"system_u:object_r:etc_t:s0").is_err() {
        return;
    }
    let label = || String::from_utf8(held.label().unwrap().unwrap()).unwrap();
    let steps: [(&[&str], &str, Expect); 5] = [
        (&["+Secret,+c4"], "system_u:object_r:etc_t:s0:c1,c4", expect![[""]]),
        (
            &["+c1"],
            "system_u:object_r:etc_t:s0:c1,c4",
            expect![[r#"
            …/file is already in c1
        "#]],
        ),
        (&["--", "-Secret"], "system_u:object_r:etc_t:s0:c4", expect![[""]]),
        (&["c7,c8,c9"], "system_u:object_r:etc_t:s0:c7.c9", expect![[""]]),
        (&["-d"], "system_u:object_r:etc_t:s0", expect![[""]]),
    ];
    for (change, expected, told) in steps {
        let words = [&["chcat", "--root", &dir], change, &[&file]].concat();
        check(&root, &words, 0, told);
        assert_eq!(label(), expected, "{change:?}");
    }
}

#[test]
fn levels_by_name_and_number() {
    let root = root("mls-translate");
    let file = text(&root, "etc/selinux/demo/setrans.conf");
    let mls = |words: &[&str], code, expected| {
        check(&root, &[&["mandate", "mls"], words, &["--file", &file]].concat(), code, expected);
    };
    mls(
        &["translate", "s0:c1", "u:r:t:s0", "s0:c9", "s0-s0:c0.c1023"],
        0,
        expect![[r#"
        Secret
        u:r:t:Low
        s0:c9
        Low-High
    "#]],
    );
    mls(
        &["translate", "--reverse", "Secret", "u:r:t:Low-Secret", "--json"],
        0,
        expect![[r#"
        {"raw":"s0:c1","name":"Secret"}
        {"raw":"u:r:t:s0-s0:c1","name":"u:r:t:Low-Secret"}
    "#]],
    );
    mls(
        &["compare", "Secret", "Low"],
        0,
        expect![[r#"
        s0:c1 dom s0
    "#]],
    );
    mls(
        &["compare", "s0:c2,c1.c1", "s0:c3"],
        1,
        expect![[r#"
        s0:c1,c2 incomp s0:c3
    "#]],
    );
    mls(
        &["compare", "u:r:t:s0-s1:c0.c9", "s0:c1"],
        0,
        expect![[r#"
        s0-s1:c0.c9 contains s0:c1
          low:  s0 domby s0:c1
          high: s1:c0.c9 dom s0:c1
    "#]],
    );
    mls(
        &["compare", "s0-s1:c1", "s0:c1-s1:c1", "--json"],
        0,
        expect![[r#"
        {
          "first": "s0-s1:c1",
          "second": "s0:c1-s1:c1",
          "low": "domby",
          "high": "eq",
          "contains": true,
          "is_contained": false
        }
    "#]],
    );
    mls(
        &["compare", "nothing", "s0"],
        2,
        expect![[r#"
        error: nothing: neither a range such as s0-s0:c0.c3 (byte 1: expected a sensitivity such as s0) nor a name of setrans.conf
    "#]],
    );
}

const CONTEXTS: &str = "/.*\tsystem_u:object_r:default_t:s0\n/etc\t-d\tsystem_u:object_r:etc_t:s0\n\
    /dev/[^/]+\t-c\tsystem_u:object_r:device_t:s0\n/proc/.*\t<<none>>\n";

#[test]
fn compiled_file_contexts_count_where_there_is_no_text() {
    let folder = Folder::new("label-compiled");
    put(&folder, "fc", CONTEXTS);
    let (fc, bin) = (text(&folder, "fc"), text(&folder, "fc.bin"));
    for (format, pcre) in [("5", "10.42 2022-12-11"), ("6", "10.48 2026-08-31")] {
        let words = ["sefcontext_compile", "--format", format, "--pcre", pcre, &fc];
        assert_eq!(run(&words), (0, String::new(), String::new()));
        std::fs::remove_file(&fc).unwrap();
        for file in [&fc, &bin] {
            let words = ["matchpathcon", "-m", "c", "-f", file, "/etc", "/dev/x", "/proc/1"];
            let answers = "/etc\tsystem_u:object_r:default_t:s0\n/dev/x\tsystem_u:object_r:device_t:s0\n/proc/1\t<<none>>\n";
            assert_eq!(run(&words), (0, answers.to_owned(), String::new()), "{format} {file}");
        }
        // A text counts, though the compiled file is there.
        put(&folder, "fc", "/etc\tsystem_u:object_r:new_t:s0\n");
        let words = ["matchpathcon", "-n", "-f", &fc, "/etc"];
        assert_eq!(run(&words).1, "system_u:object_r:new_t:s0\n");
        put(&folder, "fc", CONTEXTS);
    }
    put(&folder, "fc.bin", "\u{1}");
    std::fs::remove_file(&fc).unwrap();
    check(
        &folder,
        &["mandate", "label", "lookup", "-f", &fc, "/etc"],
        0,
        expect![[r#"
        /etc	<<none>>  (directory)
          no line matches: the file is left alone
        …/fc.bin:1:2: expected a file type or a context here, found the end of the line; the line is left out
    "#]],
    );
}

#[test]
fn sefcontext_compile_refuses() {
    let folder = Folder::new("label-sefcontext-compile");
    put(&folder, "fc", "/etc system_u:object_r:etc_t:s0\n/x system_u:object_r:none_such_t:s0\n");
    put(&folder, "wrong", "/etc( system_u:object_r:etc_t:s0\n");
    put(&folder, "empty", "");
    let fc = text(&folder, "fc");
    check(
        &folder,
        &["sefcontext_compile", "-p", &policy(), &fc],
        255,
        expect![[r#"
        …/fc:  line 1 has invalid context system_u:object_r:etc_t:s0
        sefcontext_compile: process_file failed
    "#]],
    );
    check(
        &folder,
        &["sefcontext_compile", &text(&folder, "wrong")],
        255,
        expect![[r#"
        …/wrong:1:5: this parenthesis is not closed
        sefcontext_compile: process_file failed
    "#]],
    );
    let empty = text(&folder, "empty");
    let words = ["sefcontext_compile", "--format", "5", "--pcre", "10.42", &empty];
    check(
        &folder,
        &words,
        255,
        expect![[r#"
        sefcontext_compile: …/empty: there are no lines, which version 5 cannot hold; write version 6
    "#]],
    );
    check(
        &folder,
        &["sefcontext_compile", &text(&folder, "none")],
        1,
        expect![[r#"
        sefcontext_compile: could not stat: …/none: No such file or directory
    "#]],
    );
    check(
        &folder,
        &["sefcontext_compile", "-V"],
        0,
        expect![[r#"
        Compiled fcontext format version 6
    "#]],
    );
    assert_eq!(run(&["sefcontext_compile"]).0, 1);
    assert_eq!(folder.names(), ["empty", "fc", "wrong"]);
}

#[test]
fn classic_look_ups() {
    let folder = Folder::new("label-selabel");
    put(&folder, "fc", CONTEXTS);
    put(&folder, "media", "cdrom a:b:cd_t\n");
    put(&folder, "x", "event X11:* a:b:event_t\n");
    put(&folder, "db", "db_table a.* a:b:table_t\n");
    let at = |name: &str| text(&folder, name);
    let (fc, media, x, db) = (at("fc"), at("media"), at("x"), at("db"));
    let cases: [(&[&str], u8, Expect); 12] = [
        (
            &["selabel_lookup", "-b", "file", "-f", &fc, "-k", "/etc", "-t", "16384"],
            0,
            expect![[r#"
                Default context: system_u:object_r:etc_t:s0
            "#]],
        ),
        (
            &["selabel_lookup", "-b", "file", "-f", &fc, "-k", "/proc/1"],
            255,
            expect![[r#"
            ERROR: selabel_lookup failed to find a valid context.
        "#]],
        ),
        (
            &["selabel_lookup", "-b", "media", "-f", &media, "-k", "cdrom"],
            0,
            expect![[r#"
            Default context: a:b:cd_t
        "#]],
        ),
        (
            &["selabel_lookup", "-b", "x", "-f", &x, "-k", "X11:Key", "-t", "4"],
            0,
            expect![[r#"
            Default context: a:b:event_t
        "#]],
        ),
        (
            &["selabel_lookup", "-b", "db", "-f", &db, "-k", "a.b", "-t", "3"],
            0,
            expect![[r#"
            Default context: a:b:table_t
        "#]],
        ),
        (
            &["selabel_lookup", "-b", "db", "-f", &db, "-k", "a.b", "-t", "99"],
            255,
            expect![[r#"
            ERROR: selabel_lookup failed to find a valid context.
        "#]],
        ),
        (
            &["selabel_lookup", "-b", "prop", "-k", "x"],
            255,
            expect![[r#"
            ERROR: selabel_open - Could not obtain handle:  Operation not supported
        "#]],
        ),
        (
            &["selabel_lookup", "--policy", &policy(), "-b", "media", "-f", &media, "-k", "cdrom"],
            255,
            expect![[r#"
                ERROR: selabel_lookup failed to find a valid context.
            "#]],
        ),
        (
            &["selabel_partial_match", "-f", &fc, "-p", "/et"],
            1,
            expect![[r#"
            Match or Partial match: TRUE
        "#]],
        ),
        (
            &["selabel_partial_match", "-f", &media, "-p", "/et"],
            0,
            expect![[r#"
            Match or Partial match: FALSE
        "#]],
        ),
        (
            &["matchpathcon", "-f", &at("none"), "/etc"],
            255,
            expect![[r#"
            Error while opening file contexts database: No such file or directory
        "#]],
        ),
        (
            &["matchpathcon", "-m", "x", "/etc"],
            1,
            expect![[r#"
            matchpathcon: mode x is invalid
        "#]],
        ),
    ];
    for (words, code, expected) in cases {
        check(&folder, words, code, expected);
    }
}

/// The program under its classic name: a name that is no UTF-8 comes back as it is.
#[test]
fn matchpathcon_keeps_the_bytes_of_names() {
    let folder = Folder::new("label-bytes");
    put(&folder, "fc", "/srv/.*\tsystem_u:object_r:srv_t:s0\n");
    let program = folder.path("matchpathcon");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mandate"), &program).unwrap();
    let name = b"/srv/\xff\x1b[31m";
    let mut command = std::process::Command::new(program);
    command.arg("-f").arg(folder.path("fc")).arg(OsStr::from_bytes(name));
    let told = command.output().unwrap();
    let expected = [&name[..], b"\tsystem_u:object_r:srv_t:s0\n"].concat();
    assert_eq!((told.stdout, told.status.code()), (expected, Some(0)));
}

#[test]
fn matchpathcon_verifies() {
    let folder = Folder::new("label-verify");
    let path = |name: &str| {
        std::fs::canonicalize(folder.path("")).unwrap().join(name).display().to_string()
    };
    put(&folder, "file", "");
    put(&folder, "fc", &format!("{}\t--\tsystem_u:object_r:etc_t:s0\n", path("file")));
    let held = mandate_host::label::Held::open(folder.path("file").as_path(), false).unwrap();
    let words = ["matchpathcon", "-V", "-f", &path("fc"), &path("file")];
    if held.set_label(b"other_u:object_r:etc_t:s0").is_err() {
        return;
    }
    check(
        &folder,
        &words,
        0,
        expect![[r#"
        …/file verified.
    "#]],
    );
    held.set_label(b"system_u:object_r:usr_t:s0").unwrap();
    check(
        &folder,
        &words,
        1,
        expect![[r#"
        …/file has context system_u:object_r:usr_t:s0, should be system_u:object_r:etc_t:s0
    "#]],
    );
    check(&folder, &["matchpathcon", "-qV", "-f", &path("fc"), &path("file")], 1, expect![[""]]);
}
