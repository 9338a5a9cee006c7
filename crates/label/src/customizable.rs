//! Types that relabelling leaves alone, for administrators set them by hand: `customizable_types(5)`.

use crate::Bytes;
use crate::context::Parts;
use crate::line::{LineError, LineErrorKind, required};

/// The types of a `customizable_types` file: one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomizableTypes {
    types: Vec<Bytes>,
}

impl CustomizableTypes {
    /// The types, and what is wrong with the file.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<LineError>) {
        let (types, errors) = crate::line::each(bytes, |line| {
            let [name] = required(line, ["a type"])?;
            match crate::line::fields(line).nth(1) {
                Some(extra) => Err(extra.wrong(LineErrorKind::Extra(extra.lossy()))),
                None => Ok(Bytes::from(name.bytes)),
            }
        });
        (Self { types }, errors)
    }

    /// The types in the order of the file.
    pub fn types(&self) -> impl Iterator<Item = &[u8]> {
        self.types.iter().map(|it| &**it)
    }

    /// Is the type of `context` one of them? `None` if that is no context.
    pub fn is_customizable(&self, context: &[u8]) -> Option<bool> {
        let type_ = Parts::of(context)?.type_;
        Some(self.types().any(|it| it == type_))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::CustomizableTypes;
    use crate::line::told;

    #[test]
    fn by_the_type_of_a_context() {
        let (types, errors) = CustomizableTypes::parse(
            b"# by hand\npublic_content_t\n\nswapfile_t x\n sysadm_untrusted_content_t\n",
        );
        expect![[r#"4:12: expected the end of the line, found "x""#]].assert_eq(&told(&errors));
        let cases = [
            ("system_u:object_r:public_content_t:s0:c1,c2", Some(true)),
            ("a:b:sysadm_untrusted_content_t", Some(true)),
            ("a:b:swapfile_t", Some(false)),
            ("public_content_t", None),
            ("a:b:c d", None),
        ];
        for (context, expected) in cases {
            assert_eq!(types.is_customizable(context.as_bytes()), expected, "{context}");
        }
    }
}
