//! Which label a file gets: what it has, what it should have, and what is kept of the former.

use std::borrow::Cow;

use crate::context::Parts;
use crate::customizable::CustomizableTypes;

/// What is kept of a label.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Nothing: the whole context becomes that of the file contexts.
    pub force: bool,
    /// User and role become those of the file contexts, the range stays.
    pub user_and_role: bool,
    /// Types that are left as they are, because somebody chose them.
    pub customizable: CustomizableTypes,
}

/// What is to be done about a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// It is what it should be.
    Right,
    /// It differs in what is kept: user, role or range.
    Kept,
    /// Its type is customizable.
    Customized,
    /// It becomes this.
    Set(Cow<'a, str>),
    /// One of the two is no context, so that nothing can be kept.
    Invalid,
}

impl Rules {
    /// Compares the label of a file, none if it has none, with the context that it should have.
    pub fn decide<'a>(&self, current: Option<&[u8]>, wanted: &'a str) -> Decision<'a> {
        let Some(current) = current else { return Decision::Set(wanted.into()) };
        if current == wanted.as_bytes() {
            return Decision::Right;
        }
        if self.force {
            return Decision::Set(wanted.into());
        }
        let (Some(had), Some(wants)) = (Parts::of(current), Parts::of(wanted.as_bytes())) else {
            return Decision::Invalid;
        };
        if self.customizable.is_customizable(current) == Some(true) {
            return Decision::Customized;
        }
        let becomes = Parts {
            user: if self.user_and_role { wants.user } else { had.user },
            role: if self.user_and_role { wants.role } else { had.role },
            type_: wants.type_,
            range: had.range,
        };
        if becomes == had {
            return Decision::Kept;
        }
        let becomes = becomes.join();
        String::from_utf8(becomes).map_or(Decision::Invalid, |it| Decision::Set(it.into()))
    }
}

/// Parts of a context that are to be others, as `chcon(1)` has them.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// SELinux user.
    pub user: Option<String>,
    /// Role.
    pub role: Option<String>,
    /// Type.
    pub type_: Option<String>,
    /// Level or range.
    pub range: Option<String>,
}

impl Edit {
    /// Whether anything is to be another.
    pub fn is_empty(&self) -> bool {
        [&self.user, &self.role, &self.type_, &self.range].iter().all(|it| it.is_none())
    }

    /// The context with these parts; none if it is none.
    pub fn apply(&self, context: &[u8]) -> Option<Vec<u8>> {
        let had = Parts::of(context)?;
        let part =
            |new: &'_ Option<String>, old| new.as_ref().map_or(old, |it| it.as_bytes()).to_vec();
        let (user, role) = (part(&self.user, had.user), part(&self.role, had.role));
        let type_ = part(&self.type_, had.type_);
        let range = self.range.as_ref().map(|it| it.as_bytes()).or(had.range);
        Some(Parts { user: &user, role: &role, type_: &type_, range }.join())
    }
}

/// Whether this is the text of a context: three or four parts, no white space but in the range.
pub fn is_context(text: &[u8]) -> bool {
    Parts::of(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &Rules, current: &str, wanted: &str, expected: &Decision<'_>) {
        let current = (!current.is_empty()).then_some(current.as_bytes());
        assert_eq!(rules.decide(current, wanted), *expected, "{current:?} {wanted}");
    }

    #[test]
    fn what_restorecon_keeps_is_kept() {
        let (customizable, _) = CustomizableTypes::parse(b"public_t\nsandbox_t\n");
        let rules = Rules { customizable, ..Rules::default() };
        let set = |it: &'static str| Decision::Set(it.into());
        check(&rules, "", "u:r:t:s0", &set("u:r:t:s0"));
        check(&rules, "u:r:t:s0", "u:r:t:s0", &Decision::Right);
        check(&rules, "x:y:t:s0:c1,c2", "u:r:t:s0", &Decision::Kept);
        check(&rules, "x:y:old_t:s0:c1,c2", "u:r:t:s0", &set("x:y:t:s0:c1,c2"));
        check(&rules, "x:y:old_t:s0-s0:c1", "u:r:t:s0", &set("x:y:t:s0-s0:c1"));
        check(&rules, "x:y:old_t", "u:r:t:s0", &set("x:y:t"));
        check(&rules, "x:y:public_t:s0", "u:r:t:s0", &Decision::Customized);
        check(&rules, "nonsense", "u:r:t:s0", &Decision::Invalid);
        check(&rules, "a:b:c d:s0", "u:r:t:s0", &Decision::Invalid);
    }

    #[test]
    fn what_is_asked_for_is_not_kept() {
        let (customizable, _) = CustomizableTypes::parse(b"public_t\n");
        let user = Rules { user_and_role: true, customizable, ..Rules::default() };
        let set = |it: &'static str| Decision::Set(it.into());
        check(&user, "x:y:t:s0:c1", "u:r:t:s0", &set("u:r:t:s0:c1"));
        check(&user, "u:r:t:s0:c1", "u:r:t:s0", &Decision::Kept);
        check(&user, "x:y:public_t:s0", "u:r:t:s0", &Decision::Customized);
        let force = Rules { force: true, ..user };
        check(&force, "x:y:public_t:s0:c1", "u:r:t:s0", &set("u:r:t:s0"));
        check(&force, "nonsense", "u:r:t:s0", &set("u:r:t:s0"));
    }

    #[test]
    fn parts_are_edited() {
        let edit =
            Edit { type_: Some("new_t".into()), range: Some("s0:c1".into()), ..Edit::default() };
        assert_eq!(edit.apply(b"u:r:t:s0").unwrap(), b"u:r:new_t:s0:c1");
        assert_eq!(edit.apply(b"u:r:t").unwrap(), b"u:r:new_t:s0:c1");
        assert_eq!(edit.apply(b"u:r"), None);
    }
}
