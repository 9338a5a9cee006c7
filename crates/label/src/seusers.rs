//! Which SELinux user a login becomes: `seusers(5)`, `getseuserbyname(3)`; and by service: `service_seusers(5)`.

use crate::line::{Fault, Field, LineError, LineErrorKind};

/// The table of a `seusers` file: `name:user[:range]` a line, where the name is a login, `%` and a group, or `__default__`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seusers {
    entries: Vec<Seuser>,
}

/// A line of a `seusers` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seuser {
    /// A login, `%` and a group, or [`DEFAULT`].
    pub name: Box<[u8]>,
    /// The SELinux user.
    pub user: Box<[u8]>,
    /// The range, as written.
    pub range: Option<Box<[u8]>>,
}

/// The name of the line for all logins that no other names.
pub const DEFAULT: &[u8] = b"__default__";

/// What a login becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping<'a> {
    /// The SELinux user.
    pub user: &'a [u8],
    /// The range, if the line has one.
    pub range: Option<&'a [u8]>,
}

impl Seusers {
    /// The table, and what is wrong with the file.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<LineError>) {
        let (entries, errors) = crate::line::each(bytes, entry);
        (Self { entries }, errors)
    }

    /// The lines in the order of the file.
    pub fn entries(&self) -> &[Seuser] {
        &self.entries
    }

    /// What the login `name` becomes: the first line of that name, else the first of a group that `is_member` says it belongs to (the name
    /// comes without `%`), else the first `__default__`. Without any, libselinux takes the login itself as SELinux user, with no range.
    ///
    /// Without MLS, leave the range aside.
    pub fn lookup(
        &self,
        name: &[u8],
        mut is_member: impl FnMut(&[u8]) -> bool,
    ) -> Option<Mapping<'_>> {
        let named = |wanted: &[u8]| self.entries.iter().find(|it| *it.name == *wanted);
        let mut in_group = |it: &&Seuser| it.name.strip_prefix(b"%").is_some_and(&mut is_member);
        let hit = named(name)
            .or_else(|| self.entries.iter().find(|it| in_group(it)))
            .or_else(|| named(DEFAULT))?;
        Some(Mapping { user: &hit.user, range: hit.range.as_deref() })
    }
}

/// A line: up to the first colon the name, white space and all; the user ends at a colon, the range at white space.
fn entry(line: &[u8]) -> Result<Seuser, Fault> {
    let missing = |what| (crate::line::column(line.len()), LineErrorKind::Missing(what));
    let start = line.iter().position(|it| !crate::line::is_space(*it)).unwrap_or(line.len());
    let mut parts = line.get(start..).unwrap_or_default().splitn(3, |&it| it == b':');
    let name = parts.next().unwrap_or_default();
    let user = parts.next().ok_or_else(|| missing("a colon and a SELinux user"))?;
    let range = parts.next();
    let user = if range.is_none() { word(user) } else { user };
    let at_user = crate::line::column(start.saturating_add(name.len()).saturating_add(1));
    let wrong = |at: u32, expected| {
        let found = Field { bytes: line, column: 1 }.lossy();
        (at, LineErrorKind::Unexpected { expected, found })
    };
    if user.is_empty() {
        return Err(wrong(at_user, "a SELinux user"));
    }
    let range = range.map(word);
    if range.is_some_and(<[u8]>::is_empty) {
        return Err(missing("a range"));
    }
    Ok(Seuser { name: name.into(), user: user.into(), range: range.map(Into::into) })
}

/// The bytes before any white space.
fn word(bytes: &[u8]) -> &[u8] {
    bytes.split(|it| crate::line::is_space(*it)).next().unwrap_or_default()
}

/// The table of a file `logins/LOGIN`: `service:user:range` a line, where `*` stands for all services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceSeusers {
    entries: Vec<Seuser>,
}

impl ServiceSeusers {
    /// The table, and what is wrong with the file. Unlike `seusers`, a line without a range is wrong.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<LineError>) {
        let (entries, errors) = crate::line::each(bytes, |line| {
            let it = entry(line)?;
            let missing = || (crate::line::column(line.len()), LineErrorKind::Missing("a range"));
            it.range.is_some().then_some(it).ok_or_else(missing)
        });
        (Self { entries }, errors)
    }

    /// What the login of this file becomes with `service`: the first line that names it, else the last `*`. If `None`, ask [`Seusers`].
    pub fn lookup(&self, service: Option<&[u8]>) -> Option<Mapping<'_>> {
        let mut entries = self.entries.iter();
        let own = service.and_then(|service| entries.find(|it| *it.name == *service));
        let hit = own.or_else(|| self.entries.iter().rfind(|it| *it.name == *b"*"))?;
        Some(Mapping { user: &hit.user, range: hit.range.as_deref() })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::{Mapping, ServiceSeusers, Seusers};
    use crate::line::told;

    fn text(mapping: Option<Mapping<'_>>) -> String {
        let Some(it) = mapping else { return "none".to_owned() };
        let text = |it| String::from_utf8_lossy(it).into_owned();
        format!("{} {}", text(it.user), it.range.map_or("-".to_owned(), text))
    }

    #[test]
    fn name_then_group_then_default() {
        let (seusers, errors) = Seusers::parse(
            b"# logins\n%wheel:staff_u:s0-s0:c0.c3\n%users:user_u\n__default__:guest_u:s0 trailing\nroot:root:s0\n\
              nothing\nx::s0\ny:user_u:\n  ann:sysadm_u trailing\n__default__:other_u:s0\n",
        );
        expect![[r#"
            6:8: expected a colon and a SELinux user here, found the end of the line
            7:3: expected a SELinux user, found "x::s0"
            8:10: expected a range here, found the end of the line"#]]
        .assert_eq(&told(&errors));
        let ask = |name: &str, group: &str| {
            text(seusers.lookup(name.as_bytes(), |it| it == group.as_bytes()))
        };
        let cases = [
            ask("root", "wheel"),
            ask("ann", ""),
            ask("bob", "wheel"),
            ask("bob", "users"),
            ask("bob", "none"),
        ];
        expect![[r"
            root s0
            sysadm_u -
            staff_u s0-s0:c0.c3
            user_u -
            guest_u s0"]]
        .assert_eq(&cases.join("\n"));
        assert_eq!(Seusers::default().lookup(b"bob", |_| false), None);
    }

    #[test]
    fn by_service() {
        let (logins, errors) = ServiceSeusers::parse(
            b"*:user_u:s0\nipa:staff_u:s0\n*:guest_u:s0:c1\nipa:root:s0\nsshd:user_u\n",
        );
        expect!["5:12: expected a range here, found the end of the line"].assert_eq(&told(&errors));
        let ask = |service: Option<&str>| text(logins.lookup(service.map(str::as_bytes)));
        let cases = [ask(Some("ipa")), ask(Some("cron")), ask(None)];
        assert_eq!(cases.join(", "), "staff_u s0, guest_u s0:c1, guest_u s0:c1");
    }
}
