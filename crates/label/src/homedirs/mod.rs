//! `file_contexts.homedirs` from the template of a policy and the accounts of a machine: `genhomedircon(8)`, `file_contexts.homedirs(5)`.
//!
//! A line of the template is for homes (`HOME_DIR` in front), for the directories homes lie in (`HOME_ROOT` in front), or for users
//! (`%{USERNAME}`, `%{USERID}`, or `USER` anywhere). The file says first, for each directory of homes, what any home in it gets; then what any
//! user gets; then, for each login that seusers names, its own lines.

mod accounts;
mod people;
mod places;
mod template;
#[cfg(test)]
mod tests;

pub use accounts::{Account, Group};
pub use people::PolicyUser;
pub use places::Settings;

use crate::line::LineError;
use crate::seusers::Seusers;
use people::{ANY_NAME, Person};
use template::Template;

/// What the file is made of.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// `homedir_template`.
    pub template: &'a [u8],
    /// `seusers` as the module store has it.
    pub seusers: &'a Seusers,
    /// The users of the policy.
    pub users: &'a [PolicyUser],
    /// Has the policy MLS? Without, levels stay as the template has them.
    pub mls: bool,
    /// All accounts, in the order of `passwd(5)`.
    pub accounts: &'a [Account],
    /// All groups.
    pub groups: &'a [Group],
    /// Where homes lie and who has one.
    pub settings: Settings<'a>,
    /// `file_contexts` of the policy: a directory it speaks of is none of homes.
    pub file_contexts: &'a [u8],
    /// Does the policy have this context? Lines whose context it lacks are left out.
    pub is_valid: &'a dyn Fn(&[u8]) -> bool,
    /// Does this extended regular expression match somewhere in the path?
    pub matches: &'a dyn Fn(&[u8], &[u8]) -> bool,
}

/// The file, and what there is to say about its making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Homedirs {
    /// The bytes of `file_contexts.homedirs`; none at all if the template has no lines.
    pub text: Vec<u8>,
    /// What is wrong with the template.
    pub errors: Vec<LineError>,
    /// What was left out.
    pub notes: Vec<Note>,
}

/// Something an administrator may want to know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Note {
    /// A setting that should be a number.
    #[error("{key} is no number, taking {taken}")]
    NotANumber {
        /// `UID_MIN`, `UID_MAX` or `LU_UIDNUMBER`.
        key: &'static str,
        /// What it is taken for.
        taken: u32,
    },
    /// The home of an account lies where the policy has file contexts already.
    #[error(
        "{}'s home {} lies where the policy has a file context already; a system account should have a user id below {least} or above {most}, or a shell that is not in /etc/shells",
        lossy(user),
        lossy(home)
    )]
    Claimed {
        /// The account.
        user: Box<[u8]>,
        /// Its home.
        home: Box<[u8]>,
        /// The least user id of people.
        least: u32,
        /// The greatest.
        most: u32,
    },
    /// seusers or a group names a user that has no account.
    #[error("user {} has no account", lossy(.0))]
    NoAccount(Box<[u8]>),
    /// seusers names a group that does not exist.
    #[error("there is no group {}", lossy(.0))]
    NoGroup(Box<[u8]>),
}

/// A user belongs to two groups that seusers maps, and has no line of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "user {} is in groups {} and {}, and both are mapped: map the user itself",
    lossy(user),
    lossy(first),
    lossy(second)
)]
pub struct TwoGroups {
    /// The user.
    pub user: Box<[u8]>,
    /// The group that came first.
    pub first: Box<[u8]>,
    /// The other.
    pub second: Box<[u8]>,
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const HEADER: &[u8] = b"#\n#\n# User-specific file contexts, generated via libsemanage\n\
    # use semanage command to manage system users to change the file_context\n#\n#\n";

/// Makes the file.
///
/// # Errors
/// A user of two mapped groups: nothing says which counts.
pub fn homedirs(inputs: &Inputs<'_>) -> Result<Homedirs, TwoGroups> {
    let (template, errors) = Template::parse(inputs.template);
    let mut made = Homedirs { errors, ..Homedirs::default() };
    if template.is_empty() {
        return Ok(made);
    }
    made.text.extend_from_slice(HEADER);
    let anyone = Person::anyone(inputs);
    if template.speaks_of_homes() {
        for place in places::of_homes(inputs, &mut made.notes) {
            let home = [&place, ANY_NAME].join(&b'/');
            template.write_home(inputs, &anyone.at(&home), &mut made.text);
            template.write_root(inputs, &place, &mut made.text);
        }
    }
    if template.speaks_of_users() {
        template.write_user(inputs, &anyone, &mut made.text);
        // The last that was found is written first, as libsemanage does.
        for person in people::with_lines(inputs, &mut made.notes)?.iter().rev() {
            template.write_home(inputs, person, &mut made.text);
            template.write_user(inputs, person, &mut made.text);
        }
    }
    Ok(made)
}
