//! Users of the policy, and the logins that get lines of their own.

use std::cmp::Ordering;

use mandate_policydb::{PolicyDb, SymbolId as _};

use super::{Inputs, Note, TwoGroups, places};
use crate::line::{Fault, LineError, LineErrorKind, required};
use crate::seusers::{DEFAULT, Seuser};

/// What stands for the name of any user, as a regular expression.
pub(super) const ANY_NAME: &[u8] = b"[^/]+";
const ANY_ID: &[u8] = b"[0-9]+";
const USUAL_PREFIX: &[u8] = b"user";
const USUAL_LEVEL: &[u8] = b"s0";

/// A user of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyUser {
    /// Its name.
    pub name: Box<[u8]>,
    /// The roles it may have.
    pub roles: Vec<Box<[u8]>>,
    /// What `ROLE` in the template becomes; if it is a role of the user or `object_r`, also the role of the contexts.
    pub prefix: Box<[u8]>,
    /// Its level at login, in a policy with MLS.
    pub level: Option<Box<[u8]>>,
}

impl PolicyUser {
    /// The users of a policy with the prefixes of a file `users_extra` (`user NAME prefix PREFIX;` a line), and what is wrong with the file.
    /// A user it does not name has the prefix `user`.
    pub fn of_policy(policy: &PolicyDb, users_extra: &[u8]) -> (Vec<Self>, Vec<LineError>) {
        let (prefixes, errors) = crate::line::each(users_extra, prefix_line);
        let prefix_of = |name: &[u8]| {
            prefixes.iter().find(|it| it.0 == name).map_or(USUAL_PREFIX, |it| it.1).into()
        };
        let users = policy.users.iter().map(|user| {
            let roles = policy.roles.iter().filter(|role| user.roles.contains(role.id.bit()));
            let level = user.default_level.as_ref().map(|it| policy.level_to_string(it));
            Self {
                name: user.name.as_bytes().into(),
                roles: roles.map(|it| it.name.as_bytes().into()).collect(),
                prefix: prefix_of(user.name.as_bytes()),
                level: level.map(|it| it.into_bytes().into()),
            }
        });
        (users.collect(), errors)
    }

    /// The prefix, if it is a role that homes get.
    fn home_role(&self) -> Option<&[u8]> {
        let is_role = *self.prefix == *b"object_r" || self.roles.contains(&self.prefix);
        is_role.then_some(&*self.prefix)
    }
}

fn prefix_line(line: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let [user, name, keyword, prefix] =
        required(line, ["the word user", "a user", "the word prefix", "a prefix"])?;
    for (field, word) in [(user, "user"), (keyword, "prefix")] {
        if field.bytes != word.as_bytes() {
            let found = field.lossy();
            return Err(field.wrong(LineErrorKind::Unexpected { expected: word, found }));
        }
    }
    let prefix = prefix.bytes.split(|&it| it == b';').next().unwrap_or_default();
    Ok((name.bytes, prefix))
}

/// One whom lines are written for: a login, or anyone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person<'a> {
    /// The login, or a regular expression for any.
    pub(super) name: &'a [u8],
    /// `None` is anyone.
    uid: Option<u32>,
    /// The SELinux user.
    pub(super) user: &'a [u8],
    /// What `ROLE` becomes.
    pub(super) prefix: &'a [u8],
    /// The role of its contexts, if it is not that of the template.
    pub(super) role: Option<&'a [u8]>,
    pub(super) level: &'a [u8],
    /// The home, no slash at its end; or a regular expression.
    pub(super) home: &'a [u8],
    /// The group it was found by, without `%`.
    group: Option<&'a [u8]>,
}

impl<'a> Person<'a> {
    /// Whoever has no lines of its own, as `__default__` of seusers maps it.
    pub(super) fn anyone(inputs: &Inputs<'a>) -> Self {
        let anyone = Self {
            name: ANY_NAME,
            uid: None,
            user: b"user_u",
            prefix: USUAL_PREFIX,
            role: None,
            level: USUAL_LEVEL,
            home: b"",
            group: None,
        };
        let default = inputs.seusers.entries().iter().find(|it| *it.name == *DEFAULT);
        default.map_or(anyone, |default| anyone.mapped(inputs, default, DEFAULT))
    }

    /// The same with what the user of `seuser` has; `unknown` is the prefix if the policy has no such user.
    fn mapped(self, inputs: &Inputs<'a>, seuser: &'a Seuser, unknown: &'a [u8]) -> Self {
        let user = inputs.users.iter().find(|it| it.name == seuser.user);
        Self {
            user: &seuser.user,
            prefix: user.map_or(unknown, |it| &it.prefix),
            role: user.and_then(PolicyUser::home_role),
            level: user.and_then(|it| it.level.as_deref()).unwrap_or(USUAL_LEVEL),
            ..self
        }
    }

    /// The same at another home.
    pub(super) fn at(self, home: &'a [u8]) -> Self {
        Self { home, ..self }
    }

    /// Its user id, or a regular expression for any.
    pub(super) fn uid(&self) -> Vec<u8> {
        self.uid.map_or(ANY_ID.to_vec(), |it| it.to_string().into_bytes())
    }

    /// Is this one login, not anyone?
    pub(super) fn is_one(&self) -> bool {
        self.uid.is_some()
    }
}

/// The logins that seusers maps, and members of the groups it maps: the names first, in order; then the groups, as the file has them.
pub(super) fn with_lines<'a>(
    inputs: &Inputs<'a>,
    notes: &mut Vec<Note>,
) -> Result<Vec<Person<'a>>, TwoGroups> {
    let mut seusers: Vec<&Seuser> =
        inputs.seusers.entries().iter().filter(|it| *it.name != *DEFAULT).collect();
    seusers.sort_by(|one, other| {
        match (one.name.starts_with(b"%"), other.name.starts_with(b"%")) {
            (false, false) => one.name.cmp(&other.name),
            (true, true) => Ordering::Equal,
            (is_group, _) => is_group.cmp(&!is_group),
        }
    });
    let mut people = Vec::new();
    for seuser in seusers {
        match seuser.name.strip_prefix(b"%") {
            Some(group) => add_group(inputs, seuser, group, &mut people, notes)?,
            None => add(inputs, seuser, &seuser.name, None, &mut people, notes)?,
        }
    }
    Ok(people)
}

/// The members that the group lists, then those whose primary group it is.
fn add_group<'a>(
    inputs: &Inputs<'a>,
    seuser: &'a Seuser,
    name: &'a [u8],
    people: &mut Vec<Person<'a>>,
    notes: &mut Vec<Note>,
) -> Result<(), TwoGroups> {
    let Some(group) = inputs.groups.iter().find(|it| *it.name == *name) else {
        notes.push(Note::NoGroup(name.into()));
        return Ok(());
    };
    let others = inputs.accounts.iter().filter(|it| it.gid == group.gid).map(|it| &it.name);
    let others = others.filter(|it| !group.members.contains(it));
    for member in group.members.iter().chain(others) {
        add(inputs, seuser, member, Some(name), people, notes)?;
    }
    Ok(())
}

fn add<'a>(
    inputs: &Inputs<'a>,
    seuser: &'a Seuser,
    name: &'a [u8],
    group: Option<&'a [u8]>,
    people: &mut Vec<Person<'a>>,
    notes: &mut Vec<Note>,
) -> Result<(), TwoGroups> {
    let known = people.iter().rev().find(|it| it.name == name);
    if let (Some(group), Some(known)) = (group, known) {
        // A line of its own counts more than one of a group.
        let Some(first) = known.group else { return Ok(()) };
        return Err(TwoGroups { user: name.into(), first: first.into(), second: group.into() });
    }
    let Some(account) = inputs.accounts.iter().find(|it| *it.name == *name) else {
        notes.push(Note::NoAccount(name.into()));
        return Ok(());
    };
    let home = places::trimmed(&account.home);
    if !inputs.settings.ignores(home) {
        let person = Person { name, uid: Some(account.uid), home, group, ..Person::anyone(inputs) };
        people.push(person.mapped(inputs, seuser, name));
    }
    Ok(())
}
