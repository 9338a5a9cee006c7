//! A context as text: what stands between its colons. No policy is asked.

/// The components of a context in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) user: &'a [u8],
    pub(crate) role: &'a [u8],
    pub(crate) type_: &'a [u8],
    /// All that follows the third colon.
    pub(crate) range: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// The parts of `user:role:type[:range]`; a range has at most two colons, and white space stands only there (as blanks).
    pub(crate) fn of(context: &'a [u8]) -> Option<Self> {
        let mut parts = context.splitn(4, |&it| it == b':');
        let (user, role, type_) = (parts.next()?, parts.next()?, parts.next()?);
        let range = parts.next();
        let controls = |it: &[u8]| it.iter().any(|it| matches!(it, b'\n' | b'\t' | b'\r'));
        let blank = |it: &[u8]| it.is_empty() || it.contains(&b' ') || controls(it);
        if blank(user) || blank(role) || blank(type_) {
            return None;
        }
        let range_is_wrong = |it: &[u8]| {
            it.is_empty() || controls(it) || it.iter().filter(|&&it| it == b':').count() > 2
        };
        (!range.is_some_and(range_is_wrong)).then_some(Self { user, role, type_, range })
    }

    /// The text again.
    pub(crate) fn join(&self) -> Vec<u8> {
        let mut text = [self.user, self.role, self.type_].join(&b':');
        if let Some(range) = self.range {
            text.push(b':');
            text.extend_from_slice(range);
        }
        text
    }
}
