//! The context to log in with when no other can be had: `failsafe_context(5)`.

use crate::Bytes;
use crate::line::{LineError, LineErrorKind, required};

/// What a `failsafe_context` file says: `role:type[:range]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failsafe {
    partial: Bytes,
}

impl Failsafe {
    /// The first line that is neither blank nor a comment; `None` and perhaps an error if there is none that is right.
    pub fn parse(bytes: &[u8]) -> (Option<Self>, Vec<LineError>) {
        let (lines, mut errors) = crate::line::each(bytes, |line| {
            let [partial] = required(line, ["role:type"])?;
            if partial.bytes.contains(&b':') {
                return Ok(Self { partial: partial.bytes.into() });
            }
            let expected = "role:type or role:type:range";
            Err(partial.wrong(LineErrorKind::Unexpected { expected, found: partial.lossy() }))
        });
        errors.truncate(1);
        (lines.into_iter().next(), errors)
    }

    /// The context of `user`.
    pub fn context(&self, user: &[u8]) -> Vec<u8> {
        [user, &self.partial].join(&b':')
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::Failsafe;
    use crate::line::told;

    #[test]
    fn the_first_line() {
        let (failsafe, errors) = Failsafe::parse(b"sysadm_r:sysadm_t:s0\nuser_r:user_t:s0\n");
        assert_eq!(told(&errors), "");
        let context = failsafe.map(|it| it.context(b"root"));
        assert_eq!(context.as_deref(), Some(&b"root:sysadm_r:sysadm_t:s0"[..]));

        let (none, errors) = Failsafe::parse(b"sysadm_r\n");
        assert_eq!(none, None);
        expect![[r#"1:1: expected role:type or role:type:range, found "sysadm_r""#]]
            .assert_eq(&told(&errors));
    }
}
