//! Logs, and the rules that they show.

use expect_test::{Expect, expect};

use super::{Question, read};

#[track_caller]
fn check(log: &str, before: Option<&str>, expected: Expect) {
    let question = Question { domain: "copy_t", file_system: "fs_t", before };
    let trace = read(log.as_bytes(), &question);
    let mut text = String::new();
    for rule in &trace.rules {
        text += &format!("{rule}  # {:?}\n", rule.lines);
    }
    for note in &trace.notes {
        text += &format!("{}: {}\n", note.line, note.text);
    }
    expected.assert_eq(&text);
}

#[test]
fn labels_asked_for_before_files_are_made() {
    check(
        r#"10 execve("/bin/cp", ["cp"], 0x7ffe /* 20 vars */) = 0
10 lgetxattr("/a", "security.selinux", "system_u:object_r:etc_t:s0\0", 255) = 27
10 openat(AT_FDCWD, "/proc/thread-self/attr/fscreate", O_RDWR|O_CLOEXEC) = 3
10 write(3, "system_u:object_r:etc_t:s0\0", 27) = 27
10 close(3)                                = 0
10 openat(AT_FDCWD, "/b", O_WRONLY|O_CREAT|O_EXCL, 0644) = 4
10 mkdir("/d", 0755) = 0
10 symlinkat("target", AT_FDCWD, "/l") = 0
10 mknodat(AT_FDCWD, "/p", S_IFIFO|0644) = 0
10 openat(AT_FDCWD, "/c", O_WRONLY|O_CREAT, 0644) = -1 EACCES (Permission denied)
10 +++ exited with 0 +++
"#,
        None,
        expect![[r#"
            allow copy_t etc_t:dir create;  # {7}
            allow copy_t etc_t:fifo_file create;  # {9}
            allow copy_t etc_t:file create;  # {6}
            allow copy_t etc_t:lnk_file create;  # {8}
            allow copy_t self:process setfscreate;  # {4}
            allow etc_t fs_t:filesystem associate;  # {6, 7, 8, 9}
        "#]],
    );
}

#[test]
fn labels_that_are_set() {
    check(
        r#"lstat("/a", {st_mode=S_IFREG|0644, st_size=3, ...}) = 0
getxattr("/a", "security.selinux", "u:object_r:old_t:s0", 255) = 20
setxattr("/a", "security.selinux", "u:object_r:new_t:s0", 20, 0) = 0
lsetxattr("/unknown", "security.selinux", "u:object_r:new_t:s0", 20, 0) = 0
setxattr("/a", "user.other", "x", 1, 0) = 0
setxattr("/a", "security.selinux", "u:object_r:no_t:s0", 20, 0) = -1 EPERM (Operation not permitted)
setxattr("/a", "security.selinux", "u:object_r:lo"..., 200, 0) = 0
"#,
        None,
        expect![[r#"
            allow copy_t new_t:file relabelto;  # {3, 4}
            allow copy_t old_t:file relabelfrom;  # {3}
            allow new_t fs_t:filesystem associate;  # {3, 4}
            4: the label that /unknown had before is not in the log; name its type with --before
            4: what kind of file /unknown is, is not in the log; taken for a file
            7: the context is cut off or none; strace -s 300 shows all of it
        "#]],
    );
}

#[test]
fn descriptors_directories_and_new_names() {
    check(
        r#"[pid     7] chdir("/srv") = 0
[pid     7] openat(AT_FDCWD, "sub", O_RDONLY|O_DIRECTORY) = 3</srv/sub>
[pid     7] openat(3, "tmp", O_RDWR|O_CREAT|O_EXCL, 0600) = 4
[pid     7] dup2(4, 9) = 9
[pid     7] fsetxattr(9, "security.selinux", "u:object_r:one_t:s0", 20, 0) = 0
[pid     7] renameat(3, "tmp", AT_FDCWD, "final") = 0
[pid     7] setxattr("/srv/final", "security.selinux", "u:object_r:two_t:s0", 20, 0) = 0
[pid     7] setxattr("/proc/self/fd/3", "security.selinux", "u:object_r:dir_t:s0", 20, 0) = 0
[pid     7] fsetxattr(5</else, where>, "security.selinux", "u:object_r:one_t:s0", 20, 0) = 0
[pid     7] fsetxattr(77, "security.selinux", "u:object_r:one_t:s0", 20, 0) = 0
"#,
        Some("tmp_t"),
        expect![[r#"
            allow copy_t dir_t:dir relabelto;  # {8}
            allow copy_t one_t:file { relabelfrom relabelto };  # {5, 7, 9}
            allow copy_t tmp_t:dir relabelfrom;  # {8}
            allow copy_t tmp_t:file { create relabelfrom };  # {3, 5, 9}
            allow copy_t two_t:file relabelto;  # {7}
            allow dir_t fs_t:filesystem associate;  # {8}
            allow one_t fs_t:filesystem associate;  # {5, 9}
            allow tmp_t fs_t:filesystem associate;  # {3}
            allow two_t fs_t:filesystem associate;  # {7}
            9: what kind of file /else, where is, is not in the log; taken for a file
            10: the file of a descriptor is not in the log; strace -y shows it
        "#]],
    );
}

#[test]
fn several_processes_and_calls_in_pieces() {
    check(
        r#"1 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 2
1 openat(AT_FDCWD, "/proc/self/attr/fscreate", O_RDWR <unfinished ...>
2 12:00:01.5 mkdir("/by-child", 0755 <unfinished ...>
1 <... openat resumed>)             = 5
2 12:00:01.6 <... mkdir resumed>)              = 0
1 write(5, "u:object_r:mine_t", 17) = 17
1 mkdir("/by-parent", 0755)         = 0 <0.000012>
2 mkdir("/by-child/2", 0755) = 0
1 write(5, NULL, 0) = 0
1 mkdir("/later", 0755) = 0
1 <... read resumed>"", 1) = 0
--- SIGCHLD {si_signo=SIGCHLD} ---
"#,
        None,
        expect![[r#"
            allow copy_t mine_t:dir create;  # {7}
            allow copy_t self:process setfscreate;  # {6, 9}
            allow mine_t fs_t:filesystem associate;  # {7}
        "#]],
    );
}

#[test]
fn nonsense_is_passed_over() {
    for log in [
        "",
        "(",
        "x(",
        "x(\"",
        "x(\"\\",
        "1 2 3",
        "<... x resumed>",
        "f(3</a",
        "f(99999999999) = 1",
        "a(((((",
        "[pid",
    ] {
        check(log, None, expect![[""]]);
    }
}

#[test]
fn files_that_are_there_are_not_made() {
    check(
        r#"getxattr("/a", "security.selinux", "u:object_r:old_t:s0", 255) = 20
openat(AT_FDCWD, "/a", O_RDWR|O_CREAT, 0600) = 3
unlinkat(AT_FDCWD, "/a", 0) = 0
openat(AT_FDCWD, "/a", O_RDWR|O_CREAT, 0600) = 4
openat(AT_FDCWD, "/b", O_RDWR|O_CREAT, 0600) = 5
openat(AT_FDCWD, "/b", O_RDWR|O_CREAT, 0600) = 6
"#,
        Some("new_t"),
        expect![[r#"
            allow copy_t new_t:file create;  # {4, 5}
            allow new_t fs_t:filesystem associate;  # {4, 5}
        "#]],
    );
}

/// No panic, whatever a byte becomes and wherever a log ends.
#[test]
fn damaged_logs() {
    let log = br#"1 clone(flags=CLONE_FILES) = 2
[pid 2] 1.5 openat(AT_FDCWD</w>, "a\x41\101\"", O_CREAT|O_WRONLY, 0600) = 4</w/a>
1 fsetxattr(4</w/a>, "security.selinux", "u:object_r:t:s0", 16, 0 <unfinished ...>
1 <... fsetxattr resumed>) = 0
2 renameat2(3, "a", AT_FDCWD, "b", RENAME_EXCHANGE) = 0
"#;
    let question = Question { domain: "a_t", file_system: "fs_t", before: None };
    for at in 0..log.len() {
        read(&log[..at], &question);
        for byte in *b"\"\\(),<>[]{}\n 0\xff" {
            let mut damaged = log.to_vec();
            damaged[at] = byte;
            read(&damaged, &question);
        }
    }
}
