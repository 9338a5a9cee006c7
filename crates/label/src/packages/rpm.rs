//! rpm: what `rpm -ql` prints.

/// The paths among what is printed; sentences, as that of a package without files, are none.
pub fn paths(printed: &[u8]) -> impl Iterator<Item = &[u8]> {
    printed.split(|&it| it == b'\n').filter(|it| it.starts_with(b"/") && *it != b"/")
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_paths() {
        let printed =
            b"/usr/bin/a\n/usr/share/b c\n(contains no files)\npackage x is not installed\n/\n";
        let expected: [&[u8]; 2] = [b"/usr/bin/a", b"/usr/share/b c"];
        assert_eq!(super::paths(printed).collect::<Vec<_>>(), expected);
    }
}
