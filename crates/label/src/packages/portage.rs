//! Portage: `/var/db/pkg/CATEGORY/NAME-VERSION/CONTENTS`.

use crate::line::column;
use crate::{LineError, LineErrorKind};

/// The paths of a `CONTENTS` file, and what is wrong with it. Names may hold blanks.
pub fn paths(contents: &[u8]) -> (Vec<&[u8]>, Vec<LineError>) {
    let (mut paths, mut errors) = (Vec::new(), Vec::new());
    let lines = contents.split(|&it| it == b'\n').zip(1u32..);
    for (text, line) in lines.filter(|it| !it.0.is_empty()) {
        match path(text) {
            Ok(path) => paths.push(path),
            Err((at, kind)) => errors.push(LineError { line, column: column(at), kind }),
        }
    }
    (paths, errors)
}

/// `obj PATH CHECKSUM TIME`, `sym PATH -> TARGET TIME`, `dir PATH`, and pipes and devices as `dir`.
fn path(line: &[u8]) -> Result<&[u8], (usize, LineErrorKind)> {
    let (kind, rest) = line.split_at(line.iter().position(|&it| it == b' ').unwrap_or(line.len()));
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let missing = |what| (line.len(), LineErrorKind::Missing(what));
    let path = match kind {
        b"obj" => before_last(rest).and_then(before_last),
        b"sym" => rest.windows(4).position(|it| it == b" -> ").and_then(|at| rest.get(..at)),
        b"dir" | b"fif" | b"dev" => Some(rest),
        _ => {
            let found = String::from_utf8_lossy(kind).into_owned();
            let expected = "obj, sym, dir, fif or dev";
            return Err((0, LineErrorKind::Unexpected { expected, found }));
        }
    };
    let path = path.ok_or_else(|| match kind {
        b"obj" => missing("a path, a checksum and a time"),
        _ => missing("a path, -> and where the link leads"),
    })?;
    path.starts_with(b"/").then_some(path).ok_or_else(|| missing("an absolute path"))
}

/// What stands before the last blank.
fn before_last(text: &[u8]) -> Option<&[u8]> {
    text.get(..text.iter().rposition(|&it| it == b' ')?)
}

/// Is the folder `category/folder` of the package, named with or without category and version?
pub fn is_package(category: &str, folder: &str, package: &str) -> bool {
    let name = match package.split_once('/') {
        Some((wanted, name)) if wanted == category => name,
        Some(_) => return false,
        None => package,
    };
    name == folder || name == without_version(folder)
}

/// A version begins behind the last hyphen before a digit; a revision such as `-r1` belongs to it.
fn without_version(folder: &str) -> &str {
    let is_revision =
        |it: &str| it.strip_prefix('r').is_some_and(|it| it.bytes().all(|it| it.is_ascii_digit()));
    let stem = match folder.rsplit_once('-') {
        Some((stem, last)) if is_revision(last) => stem,
        _ => folder,
    };
    match stem.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|it: char| it.is_ascii_digit()) => name,
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn contents() {
        let (paths, errors) = paths(
            b"dir /usr\nobj /usr/a b c d41d8cd98f00b204e9800998ecf8427e 1700000000\n\
              sym /usr/l -> a b c 1700000000\nfif /run/p\nobj /short\nsym /no/arrow 17\nxyz /x\ndir relative\n",
        );
        let expected: [&[u8]; 4] = [b"/usr", b"/usr/a b c", b"/usr/l", b"/run/p"];
        assert_eq!(paths, expected);
        expect![[r#"
            5:11: expected a path, a checksum and a time here, found the end of the line
            6:17: expected a path, -> and where the link leads here, found the end of the line
            7:1: expected obj, sym, dir, fif or dev, found "xyz"
            8:13: expected an absolute path here, found the end of the line"#]]
        .assert_eq(&crate::line::told(&errors));
    }

    #[test]
    fn names() {
        for (package, is) in [
            ("bash", true),
            ("app-shells/bash", true),
            ("app-shells/bash-5.2_p15-r1", true),
            ("bash-5.2_p15", false),
            ("sys-apps/bash", false),
            ("bas", false),
        ] {
            assert_eq!(is_package("app-shells", "bash-5.2_p15-r1", package), is, "{package}");
        }
        assert_eq!(without_version("gtk+-3.24"), "gtk+");
        assert_eq!(without_version("xf86-video-r128-6.12.1"), "xf86-video-r128");
    }
}
