//! `mandate label check`, `restore`, `drift`: labels of trees. They are kept in an attribute that users may set, so that this needs no administrator; where
//! `security.selinux` itself is set, the compliance suite compares with setfiles.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use common::{Folder, run};
use expect_test::expect;
use rustix::fs::{XattrFlags, getxattr, setxattr};

const ATTRIBUTE: &str = "user.mandate_label";
const SPEC: &str = "\
/.*\tsystem_u:object_r:default_t:s0
/a(/.*)?\tsystem_u:object_r:a_t:s0
/b(/.*)?\tsystem_u:object_r:b_t:s0
/none(/.*)?\t<<none>>
";

/// No run takes as long as another.
fn without_time(text: &str) -> String {
    let line = |it: &str| match it.split_once(" failed, in ") {
        Some((counts, _)) => format!("{counts} failed, in TIME\n"),
        None => format!("{it}\n"),
    };
    text.lines().map(line).collect()
}

/// A root with a policy of its own, whose types nobody else knows.
struct Tree {
    folder: Folder,
}

impl Tree {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let contexts = folder.path("root/etc/selinux/own/contexts");
        fs::create_dir_all(contexts.join("files")).unwrap();
        fs::write(folder.path("root/etc/selinux/config"), "SELINUXTYPE=own\n").unwrap();
        fs::write(contexts.join("files/file_contexts"), SPEC).unwrap();
        fs::write(contexts.join("customizable_types"), "chosen_t\n").unwrap();
        for top in ["a", "b", "none"] {
            fs::create_dir(folder.path(&format!("root/{top}"))).unwrap();
            fs::write(folder.path(&format!("root/{top}/file")), b"content").unwrap();
        }
        Self { folder }
    }

    fn set(&self, path: &str, label: &str) {
        let path = self.folder.path("root").join(path);
        setxattr(path, ATTRIBUTE, &[label.as_bytes(), b"\0"].concat(), XattrFlags::empty())
            .unwrap();
    }

    fn label(&self, path: &str) -> String {
        let mut value = [0; 100];
        let path = self.folder.path("root").join(path);
        let length = getxattr(path, ATTRIBUTE, &mut value).unwrap_or(0);
        String::from_utf8(value[..length].to_vec()).unwrap().trim_end_matches('\0').to_owned()
    }

    /// Runs a verb on the tree; what it prints without the folder's own path.
    fn run(&self, words: &[&str]) -> (u8, String) {
        let root = self.folder.path("root").display().to_string();
        let common = ["--root", &root, "--attribute", ATTRIBUTE, "-j1"];
        let words = ["mandate", "label"].iter().chain(words).chain(&common);
        let (code, out, err) = run(&words.copied().collect::<Vec<_>>());
        let mut lines: Vec<_> = out.lines().map(|it| it.replace(&root, "")).collect();
        lines.sort();
        (code, format!("{}\n{}", lines.join("\n"), without_time(&err.replace(&root, ""))))
    }

    /// All labels right.
    fn labelled(name: &str) -> Self {
        let tree = Self::new(name);
        assert_eq!(tree.run(&["restore", "--quiet"]), (0, "\n".to_owned()));
        tree
    }
}

#[test]
fn what_is_wrong_is_told_and_mended() {
    let tree = Tree::new("label-walk-mend");
    let (code, out) =
        tree.run(&["check", "--exclude", &tree.folder.path("root/etc").display().to_string()]);
    assert_eq!(code, 1);
    expect![[r#"
        	no label → system_u:object_r:default_t:s0
                1  no label → system_u:object_r:default_t:s0
                2  no label → system_u:object_r:a_t:s0
                2  no label → system_u:object_r:b_t:s0
        /a	no label → system_u:object_r:a_t:s0
        /a/file	no label → system_u:object_r:a_t:s0
        /b	no label → system_u:object_r:b_t:s0
        /b/file	no label → system_u:object_r:b_t:s0
        7 files: 0 right, 5 wrong, 2 without a label in file contexts
        labels that would become others
    "#]]
    .assert_eq(&out);
    let (code, out) = tree.run(&["restore", "--dry-run"]);
    let end = "\n15 entries seen, 13 labels would change, 0 failed, in TIME\n";
    assert!(code == 0 && out.ends_with(end), "{out}");
    assert_eq!(tree.label("a"), "", "nothing is changed");
    let end = "\n15 entries seen, 13 labels changed, 0 failed, in TIME\n";
    assert_eq!(tree.run(&["restore"]), (0, end.to_owned()));
    assert_eq!(tree.label("a/file"), "system_u:object_r:a_t:s0");
    assert_eq!(tree.label("none/file"), "");
    assert_eq!(tree.run(&["check", "--summary"]).0, 0);
}

#[test]
fn setting_says_how_much_it_did() {
    let tree = Tree::new("label-walk-set");
    let path = tree.folder.path("root/a").display().to_string();
    let words = ["mandate", "label", "set", "--context", "a_u:b_r:c_t:s0", "-nR", &path];
    let (code, out, err) = run(&words);
    let end = "2 entries seen, 2 labels would change, 0 failed, in TIME\n";
    assert_eq!((code, out.as_str(), without_time(&err).as_str()), (0, "", end));
    assert_eq!(run(&[&words[..], &["--quiet"]].concat()).2, "");
}

#[test]
fn what_restorecon_keeps_is_kept() {
    let tree = Tree::labelled("label-walk-keep");
    tree.set("a/file", "other_u:object_r:old_t:s0:c1,c2");
    tree.set("b/file", "system_u:object_r:chosen_t:s0");
    tree.set("b", "other_u:object_r:b_t:s0:c7");
    let (code, out) = tree.run(&["drift"]);
    assert_eq!(code, 1);
    expect![[r#"
                1  other_u:object_r:b_t:s0:c7 → system_u:object_r:b_t:s0
                1  other_u:object_r:old_t:s0:c1,c2 → other_u:object_r:a_t:s0:c1,c2
                1  system_u:object_r:chosen_t:s0 → system_u:object_r:b_t:s0
        15 files: 10 as file contexts say, 1 wrong, 2 that restoring keeps
        customizable types, kept without --force
        other user, role or range, kept without --force
        wrong
    "#]]
    .assert_eq(&out);
    assert_eq!(tree.run(&["restore"]).0, 0);
    assert_eq!(tree.label("a/file"), "other_u:object_r:a_t:s0:c1,c2");
    assert_eq!(tree.label("b/file"), "system_u:object_r:chosen_t:s0");
    assert_eq!(tree.run(&["restore", "--user-and-role"]).0, 0);
    assert_eq!(tree.label("b"), "system_u:object_r:b_t:s0:c7");
    assert_eq!(tree.run(&["restore", "--force"]).0, 0);
    assert_eq!(tree.label("b/file"), "system_u:object_r:b_t:s0");
    assert_eq!(tree.run(&["check", "--force", "--summary"]).0, 0);
}

#[test]
fn names_that_disagree_are_left_alone() {
    let tree = Tree::labelled("label-walk-links");
    let link = |from: &str, to: &str| {
        let path = |it: &str| tree.folder.path("root").join(it);
        fs::hard_link(path(from), path(to)).unwrap();
    };
    fs::write(tree.folder.path("root/a/two"), b"").unwrap();
    link("a/two", "a/same");
    fs::write(tree.folder.path("root/a/three"), b"").unwrap();
    link("a/three", "b/three");
    fs::write(tree.folder.path("root/a/outside"), b"").unwrap();
    fs::hard_link(tree.folder.path("root/a/outside"), tree.folder.path("outside")).unwrap();
    let (code, out) = tree.run(&["restore"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("/three: its names want system_u:object_r:"), "{out}");
    assert_eq!(tree.label("a/two"), "system_u:object_r:a_t:s0");
    assert_eq!(tree.label("a/three"), "");
    assert_eq!(tree.label("a/outside"), "system_u:object_r:a_t:s0", "all names here agree");
}

#[test]
fn symbolic_links_are_not_followed() {
    let tree = Tree::labelled("label-walk-symlinks");
    std::os::unix::fs::symlink("../b", tree.folder.path("root/a/link")).unwrap();
    tree.set("b/file", "system_u:object_r:wrong_t:s0");
    let path = tree.folder.path("root/a").display().to_string();
    // Users cannot set the attribute of a link.
    assert_eq!(tree.run(&["restore", &path]).0, 2);
    assert_eq!(tree.label("b/file"), "system_u:object_r:wrong_t:s0");
    let outside = tree.folder.path("root/a/link/file").display().to_string();
    let (code, out) = tree.run(&["restore", &outside]);
    assert_eq!((code, tree.label("b/file").as_str()), (0, "system_u:object_r:b_t:s0"), "{out}");
}

#[test]
fn a_tree_goes_into_an_archive_or_a_manifest() {
    let tree = Tree::new("label-walk-archive");
    fs::hard_link(tree.folder.path("root/a/file"), tree.folder.path("root/a/again")).unwrap();
    fs::write(tree.folder.path("root/a/two\nlines"), b"").unwrap();
    let file = |name: &str| tree.folder.path(name).display().to_string();
    let (manifest, archive, only) = (file("manifest"), file("archive.tar"), file("root/a"));
    assert_eq!(tree.run(&["restore", "--manifest", &manifest, &only]), (0, "\n".to_owned()));
    let text = fs::read_to_string(&manifest).unwrap();
    let entry =
        |it: &str| format!("# file: {it}\nsecurity.selinux=\"system_u:object_r:a_t:s0\\000\"\n\n");
    for path in ["a", "a/file", "a/again", "a/two\\012lines"] {
        assert!(text.contains(&entry(path)), "{path} in {text}");
    }
    assert_eq!(tree.run(&["restore", "--tar", &archive]), (0, "\n".to_owned()));
    let bytes = fs::read(&archive).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(bytes.len() % 512, 0);
    assert_eq!(text.matches("49 RHT.security.selinux=system_u:object_r:a_t:s0\n").count(), 4);
    // One file has two names, and is stored once.
    assert_eq!(text.matches("content\0").count(), 3);
    assert_eq!(tree.label("a"), "", "nothing is changed");
}

#[test]
fn an_archive_is_one_for_tar() {
    let tree = Tree::new("label-walk-tar");
    let archive = tree.folder.path("archive.tar").display().to_string();
    let long = format!("root/a/{}", "long".repeat(40));
    fs::write(tree.folder.path(&long), b"long").unwrap();
    assert_eq!(tree.run(&["restore", "--tar", &archive]).0, 0);
    let to = tree.folder.path("extracted");
    fs::create_dir(&to).unwrap();
    let mut tar = std::process::Command::new("tar");
    assert!(tar.arg("-xf").arg(&archive).arg("-C").arg(&to).status().unwrap().success());
    let read = |it: &Path| fs::read_to_string(it).unwrap();
    assert_eq!(read(&to.join(long.strip_prefix("root/").unwrap())), "long");
    assert_eq!(read(&to.join("b/file")), "content");
}

#[test]
fn what_is_finished_is_left_out_when_resumed() {
    let tree = Tree::labelled("label-walk-resume");
    let journal = tree.folder.path("journal").display().to_string();
    let unknown = tree.folder.file("letter", b"Dear reader,\n").display().to_string();
    let (code, out) = tree.run(&["restore", "--resume", &unknown]);
    assert!(code == 2 && out.contains("no journal"), "{out}");
    tree.set("a/file", "nonsense");
    let (code, out) = tree.run(&["restore", "--resume", &journal]);
    assert!(code == 2 && out.contains("a/file: its label, or"), "{out}");
    let noted = fs::read(&journal).unwrap();
    let noted = String::from_utf8_lossy(&noted);
    assert!(noted.contains("root/b\0") && !noted.contains("root/a\0"), "{noted:?}");
    tree.set("a/file", "system_u:object_r:wrong_t:s0");
    tree.set("b/file", "system_u:object_r:wrong_t:s0");
    let (code, out) = tree.run(&["restore", "--resume", &journal]);
    assert!(code == 0 && out.contains("folders are finished already"), "{out}");
    assert_eq!(tree.label("a/file"), "system_u:object_r:a_t:s0");
    assert_eq!(tree.label("b/file"), "system_u:object_r:wrong_t:s0", "it was finished");
    assert!(!Path::new(&journal).exists(), "all is done");
}

#[test]
fn many_threads_and_json() {
    let tree = Tree::new("label-walk-json");
    for at in 0..300 {
        fs::create_dir(tree.folder.path(&format!("root/a/{at}"))).unwrap();
    }
    let (code, out) = tree.run(&["check", "--json"]);
    let lines: Vec<serde_json::Value> =
        out.lines().filter_map(|it| serde_json::from_str(it).ok()).collect();
    let whole = lines.iter().find(|it| it.get("visited").is_some()).unwrap();
    assert_eq!(
        (code, whole["visited"].as_u64(), whole["wrong"].as_u64()),
        (1, Some(315), Some(313))
    );
    assert_eq!(lines.len(), 314);
}

#[test]
fn wrong_words_are_told() {
    let (code, _, err) = run(&["mandate", "label", "check"]);
    assert!(code == 2 && err.contains("name the files and folders"), "{err}");
    let (code, _, err) = run(&["mandate", "label", "set", "--context", "bad", "/"]);
    assert!(code == 2 && err.contains("is no context"), "{err}");
    let (code, _, err) = run(&["setfiles", "-n", "/nowhere/file_contexts", "/tmp"]);
    assert_eq!((code, err.as_str()), (255, "/nowhere/file_contexts: No such file or directory\n"));
    let (code, _, err) = run(&["chcon"]);
    assert_eq!((code, err.lines().next()), (1, Some("chcon: missing operand")));
    let (code, _, err) = run(&["chcon", "-R", "-L", "-t", "x_t", "/nowhere"]);
    assert!(code == 1 && err.contains("-L is not supported"), "{err}");
    let (code, _, err) = run(&["getfilecon", "/nowhere"]);
    let told = "getfilecon:  getfilecon(/nowhere) failed:  No such file or directory\n";
    assert_eq!((code, err.as_str()), (2, told));
    let (code, _, err) = run(&["setfilecon", "a:b:c"]);
    assert_eq!((code, err.as_str()), (1, "usage:  setfilecon context path...\n"));
}
