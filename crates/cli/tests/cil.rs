//! The classic CIL commands as a user meets them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Folder, repository, run};

/// Files in a folder: a policy that is whole, and others beside it.
fn folder(name: &str) -> (Folder, String) {
    let folder = Folder::new(name);
    let base = repository("compliance/cases/cil/base/plain.cil");
    (folder, base)
}

fn file(folder: &Folder, name: &str, text: &str) -> String {
    folder.file(name, text.as_bytes()).to_str().unwrap().to_owned()
}

#[test]
fn secilc_writes_a_policy_and_file_contexts() {
    let (folder, base) = folder("secilc");
    let my =
        file(&folder, "my.cil", "(filecon \"/my\" file system)\n(allow a_t b_t (file (read)))\n");
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let (policy, contexts) = (path("policy"), path("contexts"));
    let (code, out, err) = run(&["secilc", "-c", "33", "-o", &policy, "-f", &contexts, &base, &my]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    let contexts = std::fs::read_to_string(contexts).unwrap();
    assert_eq!(contexts, "/my\t--\tu:object_r:sys_t\n");
    assert!(std::fs::read(policy).unwrap().starts_with(&[0x8c, 0xff, 0x7c, 0xf9]));
}

#[test]
fn secilc_blames_the_line() {
    let (folder, base) = folder("secilc-mistakes");
    let my = file(&folder, "my.cil", "(type x_t)\n(allow x_t y_t (file (read)))\n");
    let (code, _, err) = run(&["secilc", "-o", "/dev/null", "-f", "/dev/null", &base, &my]);
    assert_eq!(code, 255, "{err}");
    assert!(err.contains(&format!("{my}:2:12")), "{err}");
    assert!(err.ends_with("Failed to compile cildb: -1\n"), "{err}");
}

#[test]
fn secilcheck_finds_what_a_neverallow_forbids() {
    let (folder, base) = folder("secilcheck");
    let my = file(&folder, "my.cil", "(allow a_t b_t (file (read)))\n");
    let broken = file(&folder, "broken.cil", "(neverallow a_t b_t (file (read)))\n");
    let kept = file(&folder, "kept.cil", "(neverallow a_t b_t (file (write)))\n");
    let policy = folder.path("policy").to_str().unwrap().to_owned();
    let (code, _, err) = run(&["secilc", "-o", &policy, "-f", "/dev/null", &base, &my]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = run(&["secilcheck", &policy, &kept]);
    assert_eq!((code, err.as_str()), (0, ""));
    let (code, _, err) = run(&["secilcheck", &policy, &broken]);
    assert_eq!(code, 255, "{err}");
    assert!(err.contains(&format!("{broken}:1:1")), "{err}");
    assert!(err.ends_with("There was a neverallow violation\n"), "{err}");
}

#[test]
fn secil2tree_shows_what_was_read() {
    let folder = Folder::new("secil2tree");
    let my = file(&folder, "my.cil", "(block b (type x_t))\n");
    let tree = folder.path("tree").to_str().unwrap().to_owned();
    let (code, _, err) = run(&["secil2tree", "-A", "parse", "-o", &tree, &my]);
    assert_eq!((code, err.as_str()), (0, ""));
    let tree = std::fs::read_to_string(tree).unwrap();
    assert!(tree.contains("block") && tree.contains("x_t"), "{tree}");
    let (code, out, err) = run(&["secil2tree", "-A", "sideways", &my]);
    assert_ne!(code, 0);
    assert!(err.starts_with("Invalid AST phase: sideways\n"), "{out}{err}");
}

#[test]
fn secil2tree_shows_what_is_left() {
    let (folder, base) = folder("secil2tree-resolve");
    let text = "(macro m ((type x)) (allow x b_t (file (read))))\n(block k (type x_t) (call m (x_t)))\n(optional o (allow a_t no_t (file (read))))\n";
    let my = file(&folder, "my.cil", text);
    let (code, out, err) = run(&["secil2tree", &base, &my]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("(block k (type x_t))\n"), "{out}");
    assert!(out.contains("(allow k.x_t b_t (file (read)))\n"), "{out}");
    assert!(!out.contains("macro") && !out.contains("optional") && !out.contains("no_t"), "{out}");
}
