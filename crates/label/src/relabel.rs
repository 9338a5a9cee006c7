//! Which label a file gets: what it has, what it should have, and what is kept of the former.

use std::borrow::Cow;

use rustc_hash::FxHashSet;

/// What is kept of a label.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Nothing: the whole context becomes that of the file contexts.
    pub force: bool,
    /// User and role become those of the file contexts, the range stays.
    pub user_and_role: bool,
    /// Types that are left as they are, because somebody chose them.
    pub customizable: Customizable,
}

/// Types that relabelling leaves alone (`customizable_types(5)`).
#[derive(Clone, Debug, Default)]
pub struct Customizable(FxHashSet<Box<[u8]>>);

impl Customizable {
    /// Reads the file: a type on each line, nothing else.
    pub fn parse(bytes: &[u8]) -> Self {
        let lines = bytes.split(|&it| it == b'\n').filter(|it| !it.is_empty());
        Self(lines.map(Into::into).collect())
    }

    /// Whether a type is one of them.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.0.contains(name)
    }
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
        let had = Parts::read(current);
        if had.as_ref().is_some_and(|it| self.customizable.contains(it.name)) {
            return Decision::Customized;
        }
        let (Some(had), Some(wants)) = (had, Parts::read(wanted.as_bytes())) else {
            return Decision::Invalid;
        };
        let becomes = Parts {
            user: if self.user_and_role { wants.user } else { had.user },
            role: if self.user_and_role { wants.role } else { had.role },
            name: wants.name,
            range: had.range,
        };
        if becomes == had {
            return Decision::Kept;
        }
        let becomes = becomes.join();
        String::from_utf8(becomes).map_or(Decision::Invalid, |it| Decision::Set(it.into()))
    }
}

/// A context apart, as libselinux's `context_new(3)` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// SELinux user.
    pub user: &'a [u8],
    /// Role.
    pub role: &'a [u8],
    /// Type.
    pub name: &'a [u8],
    /// Level or range, if there is one.
    pub range: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// Reads a context; none if it is none.
    pub fn read(context: &'a [u8]) -> Option<Self> {
        let colons = context.iter().filter(|&&it| it == b':').count();
        let space = |it: &u8| matches!(it, b'\n' | b'\t' | b'\r');
        if !(2..=5).contains(&colons) || context.iter().any(space) {
            return None;
        }
        let mut parts = context.splitn(4, |&it| it == b':');
        let (user, role, name) = (parts.next()?, parts.next()?, parts.next()?);
        let range = parts.next().filter(|it| !it.is_empty());
        let blank = [user, role, name].iter().any(|it| it.contains(&b' '));
        (!blank && !name.is_empty()).then_some(Self { user, role, name, range })
    }

    /// The whole context.
    pub fn join(&self) -> Vec<u8> {
        let mut whole = [self.user, self.role, self.name].join(&b':');
        if let Some(range) = self.range {
            whole.push(b':');
            whole.extend_from_slice(range);
        }
        whole
    }
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
        let customizable = Customizable::parse(b"public_t\nsandbox_t\n");
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
        let customizable = Customizable::parse(b"public_t\n");
        let user = Rules { user_and_role: true, customizable, ..Rules::default() };
        let set = |it: &'static str| Decision::Set(it.into());
        check(&user, "x:y:t:s0:c1", "u:r:t:s0", &set("u:r:t:s0:c1"));
        check(&user, "u:r:t:s0:c1", "u:r:t:s0", &Decision::Kept);
        check(&user, "x:y:public_t:s0", "u:r:t:s0", &Decision::Customized);
        let force = Rules { force: true, ..user };
        check(&force, "x:y:public_t:s0:c1", "u:r:t:s0", &set("u:r:t:s0"));
        check(&force, "nonsense", "u:r:t:s0", &set("u:r:t:s0"));
    }
}
