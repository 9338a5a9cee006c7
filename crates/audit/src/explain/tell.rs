//! Sentences about denials.

use std::fmt::Write as _;

use super::cause::{Cause, ConstraintPart, End, MissingTransition};
use crate::Access;
use crate::rules::type_of;

/// What happened, in one sentence: who was denied what.
pub fn happened(access: &Access) -> String {
    let verb = if access.denied { "was denied" } else { "was granted" };
    let who = type_of(&access.scontext).unwrap_or(&access.scontext);
    let mut text = String::new();
    let program = access.exe.as_deref().or(access.comm.as_deref());
    if let Some(program) = program {
        // Writing to a String cannot fail.
        let _ = write!(text, "{} ", printable(program));
    }
    let permissions = access.permissions.join(", ");
    let _ = match text.is_empty() {
        true => write!(text, "{who} {verb} {permissions}"),
        false => write!(text, "({who}) {verb} {permissions}"),
    };
    let class = if access.tclass.is_empty() { "object" } else { &access.tclass };
    let _ = write!(text, " on {class}");
    let object = &access.object;
    if let Some(name) = object.path.as_deref().or(object.name.as_deref()) {
        let _ = write!(text, " {}", printable(name));
    }
    if let Some(port) = object.dest.or(object.src) {
        let _ = write!(text, " port {port}");
    }
    if let Some(command) = object.ioctl {
        let _ = write!(text, " command {command:#06x}");
    }
    let _ = match type_of(&access.tcontext) {
        Some(it) if it == who => write!(text, " of itself"),
        Some(it) => write!(text, " of {it}"),
        None => write!(text, " of {}", access.tcontext),
    };
    text
}

/// Bytes of a log as text for a terminal: what could do something there is escaped.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for piece in String::from_utf8_lossy(bytes).chars() {
        if piece.is_control() {
            text.extend(piece.escape_default());
        } else {
            text.push(piece);
        }
    }
    text
}

/// A word as a shell reads it.
pub fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "/._-+:,=@%".contains(it);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn end(end: End) -> &'static str {
    match end {
        End::Source => "source",
        End::Target => "target",
    }
}

/// Settings as `name=on, name=off`.
pub(super) fn settings(set: &[(String, bool)]) -> String {
    let each = set.iter().map(|(name, on)| format!("{name}={}", if *on { "on" } else { "off" }));
    each.collect::<Vec<_>>().join(" and ")
}

impl Cause {
    /// A sentence or two.
    pub fn sentence(&self) -> String {
        match self {
            Self::Allowed => "This policy allows it: the denial came from another policy, or from other values of booleans.".to_owned(),
            Self::Mislabelled(it) => mislabelled(it),
            Self::Boolean(sets) => {
                let sets: Vec<String> = sets.iter().map(|it| settings(it)).collect();
                format!("A boolean would allow it: {}.", sets.join(", or "))
            }
            Self::NoRule => "No allow rule grants it.".to_owned(),
            Self::MissingTransition(it) => missing(it),
            Self::Constraint(it) => {
                let what = match it.part {
                    ConstraintPart::Level => "the levels do not fit",
                    ConstraintPart::User => "the users differ",
                    ConstraintPart::Role => "the roles do not fit",
                    ConstraintPart::Type => "the type is no exception",
                    ConstraintPart::Several => "several parts of the contexts do not fit",
                };
                format!("A constraint does not hold ({what}): {}", it.statement)
            }
            Self::RoleAllow { from, to } => {
                format!("Role {from} may not become role {to}: there is no rule `allow {from} {to};`.")
            }
            Self::RoleType { end: of, role, type_ } => {
                format!("The {} context is not valid: role {role} may not have type {type_}.", end(*of))
            }
            Self::UserRole { end: of, user, role } => {
                format!("The {} context is not valid: user {user} may not have role {role}.", end(*of))
            }
            Self::InvalidContext { end: of, context, why } => {
                format!("The {} context {context} is not valid in this policy: {why}.", end(*of))
            }
            Self::UnknownName { end: of, kind, name } => {
                format!("This policy has no {kind} {name}, which the {} context names.", end(*of))
            }
            Self::UnknownClass(name) => format!("This policy has no class {name}."),
            Self::UnknownPermission { class, permission } => {
                format!("In this policy class {class} has no permission {permission}.")
            }
            Self::Bounds { source, target } => {
                format!("It is bounded by {source}, which may not do it to {target} either.")
            }
            Self::Xperm { operation, command } => format!(
                "Rules name the {operation} commands that are allowed, and {command:#06x} is not among them."
            ),
        }
    }
}

fn mislabelled(it: &super::Mislabel) -> String {
    let (line, source, number) = (&it.line, &it.place.0, it.place.1);
    let where_ = format!("{line} at {source}:{number}");
    let path = printable(it.path.as_bytes());
    match &it.made {
        Some(made) => format!(
            "It was made in {path}, which has, or had then, a wrong label: file contexts give the folder {} ({where_}), and in such a one the file would have become {made}, with which this is allowed.",
            it.expected
        ),
        None => format!(
            "{path} is probably mislabelled: it is {}, and file contexts give it {} ({where_}), with which this is allowed.",
            it.has, it.expected
        ),
    }
}

fn missing(it: &MissingTransition) -> String {
    match it {
        MissingTransition::Process { program, domain, may: true } => format!(
            "It may run in domain {domain}, but no type_transition takes it there when it executes {program}."
        ),
        MissingTransition::Process { program, domain, may: false } => format!(
            "{program} is the program of domain {domain}: a transition to it may be what is missing."
        ),
        MissingTransition::Object { folder, result, of, name } => {
            let name = name
                .as_ref()
                .map_or_else(String::new, |it| format!(" named {}", printable(it.as_bytes())));
            format!(
                "What is made in a folder of {folder} got the folder's type; with a transition such as that of {of} it would be {result}{name}, which is allowed."
            )
        }
    }
}
