//! `mandate doc`: reference pages of a source tree.

mod common;

use std::fs;
use std::path::Path;

use common::{Folder, run};
use expect_test::expect;
use mandate_doc::links;

/// All files below a folder, by their paths.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(path) = folders.pop() {
        for entry in fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn pages_of_the_base_policy_have_no_dead_link() {
    let folder = Folder::new("doc-base");
    let to = folder.path("pages");
    let (code, out, err) = run(&["mandate", "doc", "-o", to.to_str().unwrap(), "--man"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    let found = files(&to);
    let walked = links::walk(found.iter().map(|it| (it.0.as_str(), it.1.as_slice())));
    assert_eq!(walked.dead, []);
    assert!(walked.links > 100, "{walked:?}");
    assert!(found.iter().any(|it| it.0.starts_with("man/man8/")));
    // Without a page the walk fails: it looks.
    let less = found.iter().filter(|it| it.0 != "domains.html");
    let walked = links::walk(less.map(|it| (it.0.as_str(), it.1.as_slice())));
    assert!(walked.dead.iter().all(|it| it.link.ends_with("domains.html")));
    assert!(!walked.dead.is_empty());
    // A second run gives the same.
    assert_eq!(run(&["mandate", "doc", "-o", to.to_str().unwrap(), "--man"]).0, 0);
    assert_eq!(files(&to), found);
    assert_eq!(folder.names(), ["pages"]);
}

#[test]
fn a_folder_of_others_is_left_alone() {
    let folder = Folder::new("doc-others");
    folder.file("mine", b"mine");
    let to = folder.path("");
    let (code, out, err) = run(&["mandate", "doc", "-o", to.to_str().unwrap()]);
    let err = err.replace(to.to_str().unwrap().trim_end_matches('/'), "FOLDER");
    expect!["error: FOLDER holds files that are not of an earlier run: name another folder, or empty it\n"].assert_eq(&err);
    assert_eq!((code, out.as_str(), folder.names()), (2, "", vec!["mine".to_owned()]));
}

#[test]
fn an_empty_folder_is_taken_and_a_file_is_not() {
    let folder = Folder::new("doc-empty");
    fs::create_dir(folder.path("pages")).unwrap();
    let to = folder.path("pages");
    assert_eq!(run(&["mandate", "doc", "-o", to.to_str().unwrap()]).0, 0);
    assert!(to.join("index.html").is_file());
    let file = folder.file("file", b"mine");
    assert_eq!(run(&["mandate", "doc", "-o", file.to_str().unwrap()]).0, 2);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

#[test]
fn only_trees_have_pages_and_their_errors_are_told() {
    let folder = Folder::new("doc-faulty");
    let conf = folder.file("policy.conf", b"class x\n");
    let to = folder.path("pages");
    let words = ["mandate", "doc", conf.to_str().unwrap(), "-o", to.to_str().unwrap()];
    let (code, _, err) = run(&words);
    assert_eq!(code, 2);
    expect![
        "error: only a source tree has pages: its comments and modules are what they are made of\n"
    ]
    .assert_eq(&err);
    assert!(!to.exists());
    fs::create_dir_all(folder.path("tree/policy")).unwrap();
    folder.file("tree/policy/users", b"");
    let tree = folder.path("tree");
    let words = ["mandate", "doc", tree.to_str().unwrap(), "-o", to.to_str().unwrap()];
    let (code, _, err) = run(&words);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("no module is built"), "{err}");
    assert!(!to.exists());
}
