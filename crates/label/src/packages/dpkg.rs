//! dpkg: `info/NAME.list`, `diversions`.

use std::borrow::Cow;

use crate::{LineError, LineErrorKind};

/// The paths of a package's list; the root itself is none of its own.
pub fn paths(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&it| it == b'\n').filter(|it| it.starts_with(b"/") && *it != b"/." && *it != b"/")
}

/// Is `file` the list of the package, whatever its architecture?
pub fn is_list(file: &str, package: &str) -> bool {
    let Some(name) = file.strip_suffix(".list") else { return false };
    name == package || name.split_once(':').is_some_and(|(name, _)| name == package)
}

/// Files that packages or administrators moved, lest another package's take their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diversions {
    entries: Vec<Diversion>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Diversion {
    from: Vec<u8>,
    to: Vec<u8>,
    /// Whose file stays where it is; none if an administrator diverted it.
    package: Option<Vec<u8>>,
}

impl Diversions {
    /// Reads `diversions`: three lines each. What is left at the end is told.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<LineError>) {
        let lines: Vec<&[u8]> = bytes.split(|&it| it == b'\n').collect();
        let lines = lines.strip_suffix(&[&b""[..]]).unwrap_or(&lines);
        let chunks = lines.chunks_exact(3);
        let error = (!chunks.remainder().is_empty()).then(|| LineError {
            line: crate::line::column(lines.len()),
            column: 1,
            kind: LineErrorKind::Missing("where the file went and whose it is"),
        });
        let entries = chunks.filter_map(|it| match it {
            [from, to, package] => Some(Diversion {
                from: from.to_vec(),
                to: to.to_vec(),
                package: (*package != b":").then(|| package.to_vec()),
            }),
            _ => None,
        });
        (Self { entries: entries.collect() }, error.into_iter().collect())
    }

    /// Where the file of a package is.
    pub fn apply<'a>(&self, package: &str, path: &'a [u8]) -> Cow<'a, [u8]> {
        let diverted = self
            .entries
            .iter()
            .find(|it| it.from == path && it.package.as_deref() != Some(package.as_bytes()));
        diverted.map_or(Cow::Borrowed(path), |it| Cow::Owned(it.to.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let list = b"/.\n/usr\n/usr/share/a b\n\nrelative\n/bin/x\n";
        let expected: [&[u8]; 3] = [b"/usr", b"/usr/share/a b", b"/bin/x"];
        assert_eq!(paths(list).collect::<Vec<_>>(), expected);
        for (file, is) in [
            ("libc6.list", true),
            ("libc6:amd64.list", true),
            ("libc6-dev.list", false),
            ("libc6.md5sums", false),
        ] {
            assert_eq!(is_list(file, "libc6"), is, "{file}");
        }
    }

    #[test]
    fn diversions() {
        let (all, errors) = Diversions::parse(
            b"/bin/sh\n/bin/sh.distrib\ndash\n/etc/a\n/etc/a.old\n:\n/left\n/over\n",
        );
        assert_eq!(
            crate::line::told(&errors),
            "9:1: expected where the file went and whose it is here, found the end of the line"
        );
        let cases = [
            ("bash", "/bin/sh", "/bin/sh.distrib"),
            ("dash", "/bin/sh", "/bin/sh"),
            ("x", "/etc/a", "/etc/a.old"),
            ("x", "/left", "/left"),
        ];
        for (package, path, expected) in cases {
            assert_eq!(
                *all.apply(package, path.as_bytes()),
                *expected.as_bytes(),
                "{package} {path}"
            );
        }
        assert_eq!(Diversions::parse(b""), Default::default());
    }
}
