//! The version of the regular expressions' library that libselinux uses.

use std::path::{Path, PathBuf};

const LIBRARY: &str = "libpcre2-8.so.0";

/// The version that the machine's PCRE2 tells of itself, as `10.42 2022-12-11`; none if there is no such library.
pub fn version() -> Option<String> {
    folders().into_iter().find_map(|it| version_in(&std::fs::read(it.join(LIBRARY)).ok()?))
}

/// Where libraries lie, on systems with folders for architectures and without.
fn folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for name in ["/usr/lib64", "/lib64", "/usr/lib", "/lib", "/usr/local/lib"] {
        let folder = Path::new(name);
        folders.push(folder.to_owned());
        let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
        folders.push(folder.join(triple));
    }
    folders
}

/// The version within a library: `10.`, digits, perhaps a word, a blank, a date, a zero byte.
fn version_in(library: &[u8]) -> Option<String> {
    let texts = library.split(|&it| it == 0).filter(|it| it.starts_with(b"10."));
    let mut texts = texts.filter_map(|it| std::str::from_utf8(it).ok());
    let is_version = |it: &&str| {
        let date = it.split_once(' ').map_or("", |(_, date)| date);
        let mut parts = date.split('-');
        let digits = [4, 2, 2].into_iter().all(|length| {
            parts
                .next()
                .is_some_and(|it| it.len() == length && it.bytes().all(|it| it.is_ascii_digit()))
        });
        digits && parts.next().is_none()
    };
    texts.find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_version_among_other_texts() {
        let library = b"\x7fELF\0 10.1\x0010.x\x0010.42-RC1 2022-12-11\0 10.43 2023-01-01\0";
        assert_eq!(super::version_in(library).as_deref(), Some("10.42-RC1 2022-12-11"));
        assert_eq!(super::version_in(b"10.42 2022-1-11\0"), None);
    }
}
