//! Contexts of removable media by device name: `media(5)`, `selabel_media(5)`.

use crate::Bytes;
use crate::line::{LineError, required};

/// The table of a `media` file: `name context` a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    entries: Vec<(Bytes, Bytes)>,
}

impl Media {
    /// The table, and what is wrong with the file. What follows the second field of a line means nothing.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<LineError>) {
        let (entries, errors) = crate::line::each(bytes, |line| {
            let [name, context] = required(line, ["a device", "a context"])?;
            Ok((name.bytes.into(), context.bytes.into()))
        });
        (Self { entries }, errors)
    }

    /// The context of a device, such as `cdrom`: the first line that names it, or `*`.
    pub fn lookup(&self, device: &[u8]) -> Option<&[u8]> {
        let hit = self.entries.iter().find(|(name, _)| **name == *device || **name == *b"*");
        hit.map(|(_, context)| &**context)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::Media;
    use crate::line::told;

    #[test]
    fn first_name_or_star() {
        let (media, errors) = Media::parse(
            b"# devices\ncdrom a:b:c extra\nfloppy\n\tdisk a:b:d\n* a:b:e\ndisk2 a:b:f\ncdrom a:b:g\n",
        );
        expect!["3:7: expected a context here, found the end of the line"]
            .assert_eq(&told(&errors));
        for (name, expected) in [("cdrom", "a:b:c"), ("disk", "a:b:d"), ("disk2", "a:b:e")] {
            assert_eq!(media.lookup(name.as_bytes()), Some(expected.as_bytes()));
        }
        assert_eq!(Media::parse(b"disk a:b:d\n").0.lookup(b"tape"), None);
    }
}
