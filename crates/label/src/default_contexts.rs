//! The contexts a user can log in with, in order: `default_contexts(5)`, `user_contexts(5)`, `get_ordered_context_list(3)`.

use crate::Bytes;
use crate::context::Parts;
use crate::failsafe::Failsafe;
use crate::line::{Fault, Field, LineError, LineErrorKind, required};

/// The table of a `default_contexts` file, or of a user's own: the context of a login program, then those it leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultContexts {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    role: Bytes,
    type_: Bytes,
    /// `role:type[:range]`, the best first.
    targets: Vec<Bytes>,
}

impl DefaultContexts {
    /// The table, and what is wrong with the file. Of a line, contexts that are wrong are left out and the others stay.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<LineError>) {
        let mut wrong = Vec::new();
        let mut number = crate::line::lines(bytes).map(|(line, _)| line);
        let (entries, mut errors) = crate::line::each(bytes, |text| {
            let line = number.next().unwrap_or_default();
            let [from, _] = required(text, ["role:type", "a context"])?;
            let (role, type_) = role_and_type(&from)?;
            let mut targets = Vec::new();
            for target in crate::line::fields(text).skip(1) {
                match role_and_type(&target) {
                    Ok(_) => targets.push(target.bytes.into()),
                    Err((column, kind)) => wrong.push(LineError { line, column, kind }),
                }
            }
            Ok(Entry { role: role.into(), type_: type_.into(), targets })
        });
        errors.append(&mut wrong);
        errors.sort_by_key(|it| (it.line, it.column));
        (Self { entries }, errors)
    }

    /// The programs that log in, as `role:type`, in the order of the file.
    pub fn programs(&self) -> impl Iterator<Item = String> {
        let text = |it: &Entry| [&*it.role, &*it.type_].join(&b':');
        self.entries.iter().map(move |it| String::from_utf8_lossy(&text(it)).into_owned())
    }

    /// Where a login program of `role` and `type_` leads: the first line that names both. Ranges do not count.
    fn targets(&self, role: &[u8], type_: &[u8]) -> &[Bytes] {
        let mut entries = self.entries.iter();
        let hit = entries.find(|it| *it.role == *role && *it.type_ == *type_);
        hit.map_or(&[], |it| &it.targets)
    }
}

fn role_and_type<'a>(field: &Field<'a>) -> Result<(&'a [u8], &'a [u8]), Fault> {
    let mut parts = field.bytes.splitn(3, |&it| it == b':');
    match (parts.next(), parts.next()) {
        (Some(role), Some(type_)) if !role.is_empty() && !type_.is_empty() => Ok((role, type_)),
        _ => Err(field.wrong(LineErrorKind::Unexpected {
            expected: "role:type or role:type:range",
            found: field.lossy(),
        })),
    }
}

/// Whose login is asked for, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The SELinux user.
    pub user: &'a [u8],
    /// The context of the program that logs in. Its range is that of all answers.
    pub from: &'a [u8],
    /// `contexts/users/USER`, if there is one: it comes first.
    pub own: Option<&'a DefaultContexts>,
    /// `contexts/default_contexts`.
    pub system: Option<&'a DefaultContexts>,
    /// `contexts/failsafe_context`.
    pub failsafe: Option<&'a Failsafe>,
}

impl Login<'_> {
    /// The contexts to log in with, the best first, each once; those that the policy knows, as `is_valid` says. If there is none, the failsafe
    /// context; empty if not even that is valid.
    pub fn contexts(&self, mut is_valid: impl FnMut(&[u8]) -> bool) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        if let Some(from) = Parts::of(self.from) {
            for table in [self.own, self.system].into_iter().flatten() {
                self.add(table.targets(from.role, from.type_), &from, &mut is_valid, &mut found);
            }
        }
        if found.is_empty() {
            let failsafe = self.failsafe.map(|it| it.context(self.user));
            found.extend(failsafe.filter(|it| is_valid(it)));
        }
        found
    }

    fn add(
        &self,
        targets: &[Bytes],
        from: &Parts<'_>,
        is_valid: &mut dyn FnMut(&[u8]) -> bool,
        found: &mut Vec<Vec<u8>>,
    ) {
        for target in targets {
            let full = [self.user, target].join(&b':');
            let Some(parts) = Parts::of(&full) else { continue };
            let context = Parts { range: from.range, ..parts }.join();
            if !found.contains(&context) && is_valid(&context) {
                found.push(context);
            }
        }
    }
}

/// `context` at another range; `None` if either is malformed.
pub fn with_range(context: &[u8], range: &[u8]) -> Option<Vec<u8>> {
    let context = Parts { range: Some(range), ..Parts::of(context)? }.join();
    Parts::of(&context).is_some().then_some(context)
}

/// The first of `contexts` that has `role`.
pub fn with_role<'a>(contexts: &'a [Vec<u8>], role: &[u8]) -> Option<&'a [u8]> {
    let mut all = contexts.iter().map(Vec::as_slice);
    all.find(|it| Parts::of(it).is_some_and(|it| it.role == role))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::{DefaultContexts, Login, with_range, with_role};
    use crate::failsafe::Failsafe;
    use crate::line::told;

    const SYSTEM: &[u8] = b"system_r:sshd_t:s0\tuser_r:user_t:s0 staff_r:staff_t:s0 sysadm_r:sysadm_t\n\
        system_r:sshd_t:s0 guest_r:guest_t:s0\n#system_r:cron_t:s0 user_r:user_t:s0\nsystem_r:init_t\n\
        system_r:xdm_t:s0 user_r user_r:user_t:s0\n";
    const OWN: &[u8] = b"system_r:sshd_t sysadm_r:sysadm_t:s0 staff_r:staff_t:s0\n";

    fn ask(user: &str, from: &str, own: &[u8], valid: &str) -> String {
        let own = DefaultContexts::parse(own).0;
        let system = DefaultContexts::parse(SYSTEM).0;
        let failsafe = Failsafe::parse(b"sysadm_r:sysadm_t:s0\n").0;
        let login = Login {
            user: user.as_bytes(),
            from: from.as_bytes(),
            own: Some(&own),
            system: Some(&system),
            failsafe: failsafe.as_ref(),
        };
        let found = login.contexts(|it| String::from_utf8_lossy(it).contains(valid));
        found.iter().map(|it| String::from_utf8_lossy(it)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn order() {
        let sshd = "system_u:system_r:sshd_t:s0-s0:c0.c3";
        let cases = [
            ask("staff_u", sshd, b"", ""),
            ask("staff_u", sshd, OWN, ""),
            ask("staff_u", "system_u:system_r:sshd_t", OWN, "staff_r"),
            ask("staff_u", sshd, OWN, "sysadm_r:sysadm_t:s0"),
            ask("root", "system_u:system_r:cron_t:s0", b"", ""),
            ask("root", "malformed", b"", ""),
            ask("root", "malformed", b"", "never"),
            ask("user_u", "system_u:system_r:xdm_t:s0", b"", ""),
        ];
        expect![[r"
            staff_u:user_r:user_t:s0-s0:c0.c3 staff_u:staff_r:staff_t:s0-s0:c0.c3 staff_u:sysadm_r:sysadm_t:s0-s0:c0.c3
            staff_u:sysadm_r:sysadm_t:s0-s0:c0.c3 staff_u:staff_r:staff_t:s0-s0:c0.c3 staff_u:user_r:user_t:s0-s0:c0.c3
            staff_u:staff_r:staff_t
            staff_u:sysadm_r:sysadm_t:s0-s0:c0.c3
            root:sysadm_r:sysadm_t:s0
            root:sysadm_r:sysadm_t:s0

            user_u:user_r:user_t:s0"]]
        .assert_eq(&cases.join("\n"));
    }

    #[test]
    fn lines_that_are_wrong() {
        let (_, errors) = DefaultContexts::parse(SYSTEM);
        expect![[r#"
            4:16: expected a context here, found the end of the line
            5:19: expected role:type or role:type:range, found "user_r""#]]
        .assert_eq(&told(&errors));
    }

    #[test]
    fn by_role_and_at_a_range() {
        let contexts = [b"u:a_r:t:s0".to_vec(), b"u:b_r:t:s0".to_vec()];
        assert_eq!(with_role(&contexts, b"b_r"), Some(&b"u:b_r:t:s0"[..]));
        assert_eq!(with_role(&contexts, b"c_r"), None);
        assert_eq!(with_range(b"u:r:t", b"s0:c1").as_deref(), Some(&b"u:r:t:s0:c1"[..]));
        assert_eq!(with_range(b"u:r", b"s0"), None);
    }
}
