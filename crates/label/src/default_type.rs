//! The type that goes with a role when only the role was asked for: `default_type(5)`.

use crate::Bytes;
use crate::line::{LineError, LineErrorKind, required};

/// The table of a `default_type` file: `role:type` a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultTypes {
    entries: Vec<(Bytes, Bytes)>,
}

impl DefaultTypes {
    /// The table, and what is wrong with the file.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<LineError>) {
        let (entries, errors) = crate::line::each(bytes, |line| {
            let [pair] = required(line, ["role:type"])?;
            let mut parts = pair.bytes.splitn(2, |&it| it == b':');
            match (parts.next(), parts.next()) {
                (Some(role), Some(type_)) if !role.is_empty() && !type_.is_empty() => {
                    Ok((role.into(), type_.into()))
                }
                _ => Err(pair.wrong(LineErrorKind::Unexpected {
                    expected: "role:type",
                    found: pair.lossy(),
                })),
            }
        });
        (Self { entries }, errors)
    }

    /// The type of a role: the first line that names it.
    pub fn lookup(&self, role: &[u8]) -> Option<&[u8]> {
        let hit = self.entries.iter().find(|(its, _)| **its == *role);
        hit.map(|(_, type_)| &**type_)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::DefaultTypes;
    use crate::line::told;

    #[test]
    fn first_line_of_the_role() {
        let (types, errors) = DefaultTypes::parse(
            b"sysadm_r:sysadm_t\nstaff_r\n staff_r:staff_t \nstaff_r:other_t\n:x\n",
        );
        expect![[r#"
            2:1: expected role:type, found "staff_r"
            5:1: expected role:type, found ":x""#]]
        .assert_eq(&told(&errors));
        assert_eq!(types.lookup(b"sysadm_r"), Some(&b"sysadm_t"[..]));
        assert_eq!(types.lookup(b"staff_r"), Some(&b"staff_t"[..]));
        assert_eq!(types.lookup(b"staff"), None);
    }
}
