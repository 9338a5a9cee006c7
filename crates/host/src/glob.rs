//! Patterns of paths, as the C library expands them: `*`, `?`, `[…]`, `{…,…}` and `~`.

#![expect(unsafe_code, reason = "the C library's glob has no safe interface")]

use std::ffi::{CStr, CString};

/// The paths that match, sorted; the pattern itself if none does. Names that begin with a dot match like others.
pub fn expand(pattern: &[u8]) -> Vec<Vec<u8>> {
    let special = |it: &u8| b"*?[{~\\".contains(it);
    let Some(text) = CString::new(pattern).ok().filter(|_| pattern.iter().any(special)) else {
        return vec![pattern.to_vec()];
    };
    let flags = libc::GLOB_TILDE | libc::GLOB_PERIOD | libc::GLOB_NOCHECK | libc::GLOB_BRACE;
    // SAFETY: all fields of this structure may be zero: nothing found yet.
    let mut found: libc::glob_t = unsafe { std::mem::zeroed() };
    // SAFETY: the pattern ends with a zero byte, there is no function to tell errors, and the structure is ours alone.
    let failed = unsafe { libc::glob(text.as_ptr(), flags, None, &raw mut found) } != 0;
    let number = if failed { 0 } else { found.gl_pathc };
    let path = |at| {
        // SAFETY: the list holds `gl_pathc` pointers.
        let place = unsafe { found.gl_pathv.add(at) };
        // SAFETY: as above; each of them is set.
        let path = unsafe { *place };
        // SAFETY: each points to a string that ends with a zero byte and lives until the list is freed.
        unsafe { CStr::from_ptr(path) }.to_bytes().to_vec()
    };
    let paths = (0..number).map(path).collect();
    // SAFETY: the structure was filled by `glob`, and nothing points into it any more.
    unsafe { libc::globfree(&raw mut found) };
    paths
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn patterns_are_expanded() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a1", "a2", "b", ".c"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let check = |pattern: &str, expected: &[&str]| {
            let full = |it: &str| folder.path().join(it).as_os_str().as_bytes().to_vec();
            let expected: Vec<_> = expected.iter().map(|it| full(it)).collect();
            assert_eq!(expand(&full(pattern)), expected, "{pattern}");
        };
        check("a*", &["a1", "a2"]);
        check("{b,a?}", &["b", "a1", "a2"]);
        check("[ab]1", &["a1"]);
        check("x*", &["x*"]);
        check("plain", &["plain"]);
        check(".[c]", &[".c"]);
    }
}
