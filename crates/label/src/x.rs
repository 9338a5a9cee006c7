//! Contexts of X objects by kind and name: `x_contexts(5)`, `selabel_x(5)`.

use crate::glob::Globs;
use crate::line::{LineError, LineErrorKind, required};

/// Kinds of objects of an X server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A property of a window.
    Property,
    /// A protocol extension.
    Extension,
    /// Clients that come from other machines.
    Client,
    /// An event.
    Event,
    /// A selection.
    Selection,
    /// A property that each context has a copy of.
    PolyProperty,
    /// A selection that each context has a copy of.
    PolySelection,
}

impl Kind {
    /// The kind by the word of the file.
    pub fn parse(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"property" => Self::Property,
            b"extension" => Self::Extension,
            b"client" => Self::Client,
            b"event" => Self::Event,
            b"selection" => Self::Selection,
            b"poly_property" => Self::PolyProperty,
            b"poly_selection" => Self::PolySelection,
            _ => return None,
        })
    }
}

/// The table of an `x_contexts` file: `kind glob context` a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XContexts {
    entries: Globs<Kind>,
}

impl XContexts {
    /// The table, and what is wrong with the file. What follows the third field of a line means nothing.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<LineError>) {
        let (entries, errors) = crate::line::each(bytes, |line| {
            let [kind, name, context] = required(line, ["a kind", "a name", "a context"])?;
            let kind = Kind::parse(kind.bytes).ok_or_else(|| {
                kind.wrong(LineErrorKind::Unexpected {
                    expected: "property, extension, client, event, selection, poly_property or poly_selection",
                    found: kind.lossy(),
                })
            })?;
            Ok((kind, name.bytes.into(), context.bytes.into()))
        });
        (Self { entries }, errors)
    }

    /// The context of an object: the first line of its kind whose glob matches its name.
    pub fn lookup(&self, kind: Kind, name: &[u8]) -> Option<&[u8]> {
        crate::glob::first(&self.entries, &kind, name)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::{Kind, XContexts};
    use crate::line::told;

    #[test]
    fn first_glob_of_the_kind() {
        let (x, errors) = XContexts::parse(
            b"property _SELINUX_*\ts:o:seclabel_t:s0\nproperty CUT_BUFFER? s:o:clip_t:s0\nproperty * s:o:prop_t:s0\n\
              property AFTER s:o:never_t:s0\nwindow * s:o:w_t\nselection PRIMARY\npoly_selection PRIMARY s:o:poly_t:s0 # copies\n",
        );
        expect![[r#"
            5:1: expected property, extension, client, event, selection, poly_property or poly_selection, found "window"
            6:18: expected a context here, found the end of the line"#]]
        .assert_eq(&told(&errors));
        let cases = [
            (Kind::Property, "_SELINUX_CONTEXT", Some("s:o:seclabel_t:s0")),
            (Kind::Property, "CUT_BUFFER1", Some("s:o:clip_t:s0")),
            (Kind::Property, "CUT_BUFFER10", Some("s:o:prop_t:s0")),
            (Kind::Property, "AFTER", Some("s:o:prop_t:s0")),
            (Kind::Selection, "PRIMARY", None),
            (Kind::PolySelection, "PRIMARY", Some("s:o:poly_t:s0")),
        ];
        for (kind, name, expected) in cases {
            assert_eq!(x.lookup(kind, name.as_bytes()), expected.map(str::as_bytes), "{name}");
        }
    }
}
