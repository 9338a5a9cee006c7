//! `mandate label package`, `rlpkg`, `mandate label trace`, `mandate label mounts`, and the examples of docs/labels.md.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::os::unix::fs::symlink;

use common::{Folder, policy, repository, run};
use expect_test::{Expect, expect};

#[track_caller]
fn check(folder: &Folder, words: &[&str], code: u8, expected: Expect) {
    let (found, out, err) = run(words);
    let root = folder.path("").display().to_string();
    expected.assert_eq(&format!("{out}{err}").replace(&root, "…/"));
    assert_eq!(found, code);
}

fn put(folder: &Folder, name: &str, text: &str) {
    std::fs::create_dir_all(folder.path(name).parent().unwrap()).unwrap();
    folder.file(name, text.as_bytes());
}

/// A root with a merged /usr, file contexts, and packages of dpkg and Portage.
fn root(name: &str) -> Folder {
    let root = Folder::new(name);
    let contexts = "/.*\tsystem_u:object_r:default_t:s0\n/usr/bin(/.*)?\tsystem_u:object_r:bin_t:s0\n\
        /etc(/.*)?\tsystem_u:object_r:etc_t:s0\n/usr/bin/link\t-l\tsystem_u:object_r:link_t:s0\n";
    put(&root, "etc/selinux/config", "SELINUXTYPE=demo\n");
    put(&root, "etc/selinux/demo/contexts/files/file_contexts", contexts);
    put(&root, "usr/bin/tool", "");
    put(&root, "usr/bin/tool.real", "");
    put(&root, "usr/bin/two words", "");
    symlink("usr/bin", root.path("bin")).unwrap();
    symlink("tool", root.path("usr/bin/link")).unwrap();
    let list = "/.\n/bin\n/bin/tool\n/bin/link\n/etc/removed.conf\n/etc/diverted\n";
    put(&root, "var/lib/dpkg/info/tool:amd64.list", list);
    put(&root, "var/lib/dpkg/info/toolbox.list", "/etc\n");
    put(&root, "var/lib/dpkg/diversions", "/etc/diverted\n/usr/bin/tool.real\nother\nhalf\n");
    let contents = "dir /usr\nobj /usr/bin/two words d41d8cd98f00b204e9800998ecf8427e 1700000000\nsym /usr/bin/link -> tool 1700000000\nnonsense\n";
    put(&root, "var/db/pkg/app-misc/words-1.2-r3/CONTENTS", contents);
    root
}

#[test]
fn files_of_packages() {
    let root = root("label-package-list");
    let dir = root.path("").display().to_string();
    let list = |name| ["mandate", "label", "package", "--root", &dir, "--list", name];
    check(
        &root,
        &list("tool"),
        0,
        expect![[r#"
        /bin
        /usr/bin/link
        /usr/bin/tool
        /usr/bin/tool.real
        …/var/lib/dpkg/diversions:5:1: expected where the file went and whose it is here, found the end of the line; the line is left out
        tool: 1 of 5 files are not there
    "#]],
    );
    check(
        &root,
        &list("app-misc/words"),
        0,
        expect![[r#"
        /usr
        /usr/bin/link
        /usr/bin/two words
        …/var/db/pkg/app-misc/words-1.2-r3/CONTENTS:4:1: expected obj, sym, dir, fif or dev, found "nonsense"; the line is left out
    "#]],
    );
    check(
        &root,
        &list("none"),
        2,
        expect![[r#"
        error: …/ has no package none in dpkg and Portage
    "#]],
    );
    let empty = Folder::new("label-package-empty");
    let dir = empty.path("").display().to_string();
    check(
        &empty,
        &["mandate", "label", "package", "-R", &dir, "x"],
        2,
        expect![[r#"
        error: …/ has no packages of dpkg, rpm or Portage
    "#]],
    );
}

#[test]
fn labels_of_packages() {
    let root = root("label-package-labels");
    let dir = root.path("").display().to_string();
    check(
        &root,
        &["mandate", "label", "package", "-R", &dir, "-n", "tool"],
        1,
        expect![[r#"
        …/bin	no label → system_u:object_r:default_t:s0
        …/usr/bin/link	no label → system_u:object_r:link_t:s0
        …/usr/bin/tool	no label → system_u:object_r:bin_t:s0
        …/usr/bin/tool.real	no label → system_u:object_r:bin_t:s0
        labels that would become others
                2  no label → system_u:object_r:bin_t:s0
                1  no label → system_u:object_r:default_t:s0
                1  no label → system_u:object_r:link_t:s0
        4 files: 0 right, 4 wrong
        …/var/lib/dpkg/diversions:5:1: expected where the file went and whose it is here, found the end of the line; the line is left out
        tool: 1 of 5 files are not there
    "#]],
    );
    check(
        &root,
        &["rlpkg", "--root", &dir, "-p", "words"],
        0,
        expect![[r#"
        …/usr	no label → system_u:object_r:default_t:s0
        …/usr/bin/link	no label → system_u:object_r:link_t:s0
        …/usr/bin/two words	no label → system_u:object_r:bin_t:s0
        labels that would become others
                1  no label → system_u:object_r:bin_t:s0
                1  no label → system_u:object_r:default_t:s0
                1  no label → system_u:object_r:link_t:s0
        3 files: 0 right, 3 wrong
        …/var/db/pkg/app-misc/words-1.2-r3/CONTENTS:4:1: expected obj, sym, dir, fif or dev, found "nonsense"; the line is left out
    "#]],
    );
    check(
        &root,
        &["rlpkg", "--root", &dir, "none"],
        1,
        expect![[r#"
        rlpkg: …/ has no package none in dpkg and Portage
    "#]],
    );
    check(
        &root,
        &["rlpkg", "-a"],
        1,
        expect![[r#"
        rlpkg: labels of all files are set by: mandate label restore /
    "#]],
    );
    check(
        &root,
        &["rlpkg"],
        1,
        expect![[r#"
        usage: rlpkg [--root DIR] [-fpqrv] PACKAGE...
    "#]],
    );
    let held = mandate_host::label::Held::open(&root.path("usr/bin/tool"), false).unwrap();
    if held.set_label(b"system_u:object_r:old_t:s0").is_err()
        || run(&["rlpkg", "--root", &dir, "tool"]).0 != 0
    {
        return;
    }
    assert_eq!(held.label().unwrap().unwrap(), b"system_u:object_r:bin_t:s0");
    let link = mandate_host::label::Held::open(&root.path("usr/bin/link"), false).unwrap();
    assert_eq!(link.label().unwrap().unwrap(), b"system_u:object_r:link_t:s0");
}

/// An rpm database without rpm, and one with.
#[test]
fn packages_of_rpm() {
    let root = Folder::new("label-package-rpm");
    put(&root, "var/lib/rpm/rpmdb.sqlite", "");
    let dir = root.path("").display().to_string();
    let (code, _, err) = run(&["mandate", "label", "package", "-R", &dir, "--list", "x"]);
    assert_eq!(code, 2);
    assert!(err.contains("install rpm") || err.contains("has no package x in rpm"), "{err}");
}

const LOG: &str = r#"10 lgetxattr("/a", "security.selinux", "u:object_r:etc_t:s0", 255) = 20
10 openat(AT_FDCWD, "/proc/thread-self/attr/fscreate", O_RDWR) = 3
10 write(3, "u:object_r:etc_t:s0", 20) = 20
10 openat(AT_FDCWD, "/b", O_WRONLY|O_CREAT|O_EXCL, 0644) = 4
10 mkdir("/c1", 0755) = 0
10 mkdir("/c2", 0755) = 0
10 mkdir("/c3", 0755) = 0
10 mkdir("/c4", 0755) = 0
10 lsetxattr("/old", "security.selinux", "u:object_r:bin_t:s0", 20, 0) = 0
"#;

#[test]
fn rules_of_a_log() {
    let folder = Folder::new("label-trace");
    let log = folder.file("log", LOG.as_bytes()).display().to_string();
    let words = ["mandate", "label", "trace", &log, "--domain", "copy_t"];
    check(
        &folder,
        &words,
        0,
        expect![[r##"
        # line 9: the label that /old had before is not in the log; name its type with --before
        # line 9: what kind of file /old is, is not in the log; taken for a file
        # 9: 10 lsetxattr("/old", "security.selinux", "u:object_r:bin_t:s0", 20, 0) = 0
        allow bin_t fs_t:filesystem associate;
        # 9: 10 lsetxattr("/old", "security.selinux", "u:object_r:bin_t:s0", 20, 0) = 0
        allow copy_t bin_t:file relabelto;
        # 5: 10 mkdir("/c1", 0755) = 0
        # 6: 10 mkdir("/c2", 0755) = 0
        # 7: 10 mkdir("/c3", 0755) = 0
        # and 1 more
        allow copy_t etc_t:dir create;
        # 4: 10 openat(AT_FDCWD, "/b", O_WRONLY|O_CREAT|O_EXCL, 0644) = 4
        allow copy_t etc_t:file create;
        # 3: 10 write(3, "u:object_r:etc_t:s0", 20) = 20
        allow copy_t self:process setfscreate;
        # 4: 10 openat(AT_FDCWD, "/b", O_WRONLY|O_CREAT|O_EXCL, 0644) = 4
        # 5: 10 mkdir("/c1", 0755) = 0
        # 6: 10 mkdir("/c2", 0755) = 0
        # and 2 more
        allow etc_t fs_t:filesystem associate;
    "##]],
    );
    let json = [&words[..], &["--json", "--before", "tmp_t", "--fs", "xfs_t"]].concat();
    check(
        &folder,
        &json,
        0,
        expect![[r#"
        {
          "domain": "copy_t",
          "rules": [
            {
              "source": "bin_t",
              "target": "xfs_t",
              "class": "filesystem",
              "permissions": [
                "associate"
              ],
              "rule": "allow bin_t xfs_t:filesystem associate;",
              "lines": [
                9
              ]
            },
            {
              "source": "copy_t",
              "target": "bin_t",
              "class": "file",
              "permissions": [
                "relabelto"
              ],
              "rule": "allow copy_t bin_t:file relabelto;",
              "lines": [
                9
              ]
            },
            {
              "source": "copy_t",
              "target": "etc_t",
              "class": "dir",
              "permissions": [
                "create"
              ],
              "rule": "allow copy_t etc_t:dir create;",
              "lines": [
                5,
                6,
                7,
                8
              ]
            },
            {
              "source": "copy_t",
              "target": "etc_t",
              "class": "file",
              "permissions": [
                "create"
              ],
              "rule": "allow copy_t etc_t:file create;",
              "lines": [
                4
              ]
            },
            {
              "source": "copy_t",
              "target": "self",
              "class": "process",
              "permissions": [
                "setfscreate"
              ],
              "rule": "allow copy_t self:process setfscreate;",
              "lines": [
                3
              ]
            },
            {
              "source": "copy_t",
              "target": "tmp_t",
              "class": "file",
              "permissions": [
                "relabelfrom"
              ],
              "rule": "allow copy_t tmp_t:file relabelfrom;",
              "lines": [
                9
              ]
            },
            {
              "source": "etc_t",
              "target": "xfs_t",
              "class": "filesystem",
              "permissions": [
                "associate"
              ],
              "rule": "allow etc_t xfs_t:filesystem associate;",
              "lines": [
                4,
                5,
                6,
                7,
                8
              ]
            }
          ],
          "notes": [
            {
              "line": 9,
              "text": "what kind of file /old is, is not in the log; taken for a file"
            }
          ]
        }
    "#]],
    );
    let none = folder.file("none", b"nothing\n").display().to_string();
    check(
        &folder,
        &["mandate", "label", "trace", &none, "--domain", "a_t"],
        2,
        expect![[r#"
        error: …/none holds no calls; make it with strace -f -s 300 -o FILE PROGRAM
    "#]],
    );
    check(
        &folder,
        &["mandate", "label", "trace", &log, "--domain", "a b"],
        2,
        expect![[r#"
        error: --domain: expected the name of a type, such as backup_t
    "#]],
    );
}

const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
23 22 0:5 / /proc rw,nosuid,nodev,noexec - proc proc rw
24 22 0:6 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw,rootcontext=\"system_u:object_r:tmp_t:s0\"
25 22 8:2 / /media/a\\040stick rw,noexec - vfat /dev/sdb rw,context=\"system_u:object_r:no_such_t:s0:c1,c2\"
nonsense
";

#[test]
fn mounts_of_a_file() {
    let folder = Folder::new("label-mounts");
    let file = folder.file("mountinfo", MOUNTS.as_bytes()).display().to_string();
    let words = ["mandate", "label", "mounts", "--mountinfo", &file, "--policy", &policy()];
    check(
        &folder,
        &words,
        0,
        expect![[r#"

        MOUNT           TYPE   ALLOWS               WORLD-WRITABLE  NOEXEC WOULD STOP
        /               ext4   write,exec,dev,suid
        /tmp            tmpfs  write,exec
        /media/a stick  vfat   write,dev,suid

        Labels of new files
        /: the type of their folder, or by type_transition, kept as attributes; the file system is system_u:object_r:unlabeled_t:s0
        /tmp: unlabeled: the policy has neither fs_use nor genfscon for tmpfs; rootcontext=system_u:object_r:tmp_t:s0, which the policy does not have
        /media/a stick: system_u:object_r:no_such_t:s0:c1,c2, which the policy does not have, all of them, by context=
        …/mountinfo:5:9: expected a hyphen before the file system here, found the end of the line; the line is left out
    "#]],
    );
    check(
        &folder,
        &[&words[..], &["--all", "--root", "/proc"]].concat(),
        0,
        expect![[r#"

        MOUNT  TYPE  ALLOWS  WORLD-WRITABLE  NOEXEC WOULD STOP
        /proc  proc  write

        Labels of new files
        /proc: system_u:object_r:unlabeled_t:s0, by genfscon
        …/mountinfo:5:9: expected a hyphen before the file system here, found the end of the line; the line is left out
    "#]],
    );
    check(
        &folder,
        &["mandate", "label", "mounts", "--mountinfo", &file, "-R", "/proc", "--json", "-a"],
        0,
        expect![[r#"
            [
              {
                "mount": "/proc",
                "type": "proc",
                "source": "proc",
                "allows": [
                  "write"
                ],
                "world_writable": [],
                "executed_by": [],
                "context": null,
                "fscontext": null,
                "rootcontext": null,
                "defcontext": null,
                "new_files": null
              }
            ]
            …/mountinfo:5:9: expected a hyphen before the file system here, found the end of the line; the line is left out
        "#]],
    );
    check(
        &folder,
        &["mandate", "label", "mounts", "--mountinfo", &file, "-R", "/proc"],
        0,
        expect![[r#"
            no mount lets everybody write what may be executed, a device or setuid
            …/mountinfo:5:9: expected a hyphen before the file system here, found the end of the line; the line is left out
        "#]],
    );
    // On the machine itself nothing fails.
    assert_eq!(run(&["mandate", "label", "mounts", "--all"]).0, 0);
}

/// Each command of the page prints what the page says.
#[test]
fn the_examples_of_the_page_hold() {
    let page = std::fs::read_to_string(repository("docs/labels.md")).unwrap();
    let folder = Folder::new("labels-page");
    let mut commands = 0;
    for block in page.split("```").skip(1).step_by(2) {
        if let Some((head, text)) = block.split_once('\n')
            && let Some(name) = head.strip_prefix("text ")
        {
            put(&folder, name, text);
            continue;
        }
        let Some(console) = block.strip_prefix("console\n") else { continue };
        for example in console.split("$ ").skip(1) {
            let (command, expected) = example.split_once('\n').unwrap();
            let is_file =
                |it: &str| it.ends_with(".bin") || !it.is_empty() && folder.path(it).is_file();
            let place = |it: &str| {
                if is_file(it) { folder.path(it).display().to_string() } else { it.to_owned() }
            };
            let words: Vec<String> = command.split(' ').map(place).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let (_, out, err) = run(&words);
            let root = folder.path("").display().to_string();
            assert_eq!(format!("{out}{err}").replace(&root, ""), expected, "{command}");
            commands += 1;
        }
    }
    assert!(commands >= 8, "{commands}");
}
