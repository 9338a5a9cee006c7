//! Accounts and groups: `passwd(5)`, `group(5)`.

use crate::line::{Fault, LineError, LineErrorKind};

/// An account of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The login.
    pub name: Box<[u8]>,
    /// The user id.
    pub uid: u32,
    /// The id of the primary group.
    pub gid: u32,
    /// The home directory.
    pub home: Box<[u8]>,
    /// The login shell.
    pub shell: Box<[u8]>,
}

/// A group of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: Box<[u8]>,
    /// Its id.
    pub gid: u32,
    /// The logins it lists, in order.
    pub members: Vec<Box<[u8]>>,
}

impl Account {
    /// The accounts of a `passwd` file in its order, and what is wrong with it.
    pub fn parse(bytes: &[u8]) -> (Vec<Self>, Vec<LineError>) {
        crate::line::each(bytes, |line| {
            let mut fields = Fields { rest: Some(line), column: 1 };
            let (name, _password) = (fields.next("a login")?, fields.next("a password")?);
            let (uid, gid) = (fields.number("a user id")?, fields.number("a group id")?);
            let (_gecos, home) = (fields.next("a comment")?, fields.next("a home")?);
            let shell = fields.next("a shell").unwrap_or_default();
            Ok(Self { name: name.into(), uid, gid, home: home.into(), shell: shell.into() })
        })
    }
}

impl Group {
    /// The groups of a `group` file in its order, and what is wrong with it.
    pub fn parse(bytes: &[u8]) -> (Vec<Self>, Vec<LineError>) {
        crate::line::each(bytes, |line| {
            let mut fields = Fields { rest: Some(line), column: 1 };
            let (name, _password) = (fields.next("a group")?, fields.next("a password")?);
            let gid = fields.number("a group id")?;
            let members = fields.next("members").unwrap_or_default();
            let members = members.split(|&it| it == b',').filter(|it| !it.is_empty());
            Ok(Self { name: name.into(), gid, members: members.map(Into::into).collect() })
        })
    }
}

/// What remains of a line with colons.
struct Fields<'a> {
    rest: Option<&'a [u8]>,
    column: u32,
}

impl<'a> Fields<'a> {
    fn next(&mut self, what: &'static str) -> Result<&'a [u8], Fault> {
        let rest = self.rest.ok_or((self.column, LineErrorKind::Missing(what)))?;
        let mut parts = rest.splitn(2, |&it| it == b':');
        let field = parts.next().unwrap_or_default();
        self.rest = parts.next();
        // Past the colon, or past the end of the line.
        let past = crate::line::column(field.len()).saturating_sub(u32::from(self.rest.is_none()));
        self.column = self.column.saturating_add(past);
        Ok(field)
    }

    fn number(&mut self, what: &'static str) -> Result<u32, Fault> {
        let column = self.column;
        let field = self.next(what)?;
        let found = || String::from_utf8_lossy(field).into_owned();
        let number = std::str::from_utf8(field).ok().and_then(|it| it.parse().ok());
        number.ok_or_else(|| (column, LineErrorKind::Unexpected { expected: what, found: found() }))
    }
}
