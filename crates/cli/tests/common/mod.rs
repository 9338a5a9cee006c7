//! What tests of the command line share.
#![allow(dead_code, reason = "not every test uses all of it")]
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test fails by panicking; each test is a crate"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use expect_test::Expect;

/// The path of a file of this repository.
pub fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    path.to_str().unwrap().to_owned()
}

/// The policy that most tests ask.
pub fn policy() -> String {
    repository("policies/demo/policy.33")
}

/// Runs a command line within this process: exit code, standard output, standard error, without colours.
pub fn run(words: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = mandate_cli::run(words.iter().map(OsString::from).collect(), &mut out, &mut err);
    let plain = |bytes: Vec<u8>| anstream::adapter::strip_bytes(&bytes).into_vec();
    (code, String::from_utf8(plain(out)).unwrap(), String::from_utf8(plain(err)).unwrap())
}

/// Compares both streams, one after the other, and the exit code.
pub fn check(words: &[&str], code: u8, expected: Expect) {
    let (found, out, err) = run(words);
    expected.assert_eq(&format!("{out}{err}").replace(&policy(), "POLICY"));
    assert_eq!(found, code);
}

/// A folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // It may stand there from a run that failed.
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
