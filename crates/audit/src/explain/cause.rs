//! Why something was denied, as values.

/// Which context of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// `scontext`
    Source,
    /// `tcontext`
    Target,
}

/// A reason, and the permissions that it is the reason for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The reason.
    pub cause: Cause,
    /// The permissions; all of the access if it is about no single ones.
    pub permissions: Vec<String>,
}

/// Why something was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// This policy allows it: it is another than the one that denied, or its booleans stand otherwise.
    Allowed,
    /// The file has, or was made with, another label than file contexts say, and with that it would be allowed.
    Mislabelled(Mislabel),
    /// A boolean, or several together, would allow it: sets with the values to give them.
    Boolean(Vec<Vec<(String, bool)>>),
    /// No `allow` rule grants it.
    NoRule,
    /// There is no transition where there may be meant to be one.
    MissingTransition(MissingTransition),
    /// A constraint does not hold.
    Constraint(BrokenConstraint),
    /// No role allow lets one role become the other.
    RoleAllow {
        /// The role of the source.
        from: String,
        /// The role of the target.
        to: String,
    },
    /// The role may not have the type.
    RoleType {
        /// Of which context.
        end: End,
        /// The role.
        role: String,
        /// The type.
        type_: String,
    },
    /// The user may not have the role.
    UserRole {
        /// Of which context.
        end: End,
        /// The user.
        user: String,
        /// The role.
        role: String,
    },
    /// The policy does not allow the context for another reason: a level that its user may not have, or none.
    InvalidContext {
        /// Which.
        end: End,
        /// The context.
        context: String,
        /// The reason.
        why: String,
    },
    /// The context names something that the policy does not have.
    UnknownName {
        /// Of which context.
        end: End,
        /// `user`, `role`, `type`, `sensitivity`, `category`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// The policy does not have the class.
    UnknownClass(String),
    /// The class does not have the permission.
    UnknownPermission {
        /// The class.
        class: String,
        /// The permission.
        permission: String,
    },
    /// The type that bounds the source may not do it either.
    Bounds {
        /// The bounding type.
        source: String,
        /// The type that bounds the target, or the target's own.
        target: String,
    },
    /// Rules of extended permissions name other commands only.
    Xperm {
        /// `ioctl`.
        operation: &'static str,
        /// The command.
        command: u16,
    },
}

impl Cause {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Mislabelled(_) => "mislabelled",
            Self::Boolean(_) => "boolean",
            Self::NoRule => "no_rule",
            Self::MissingTransition(_) => "missing_transition",
            Self::Constraint(_) => "constraint",
            Self::RoleAllow { .. } => "role_allow",
            Self::RoleType { .. } => "role_type",
            Self::UserRole { .. } => "user_role",
            Self::InvalidContext { .. } => "invalid_context",
            Self::UnknownName { .. } => "unknown_name",
            Self::UnknownClass(_) => "unknown_class",
            Self::UnknownPermission { .. } => "unknown_permission",
            Self::Bounds { .. } => "bounds",
            Self::Xperm { .. } => "xperm",
        }
    }
}

/// A file whose label is not what file contexts say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mislabel {
    /// What is to be labelled anew: the file, or the folder that it was made in.
    pub path: String,
    /// Is that the folder? What it passes on to new files is the reason then.
    pub folder: bool,
    /// The context that the file has.
    pub has: String,
    /// The context that file contexts give `path`.
    pub expected: String,
    /// Of a folder: the type that a file made in it by the source gets if it is labelled right.
    pub made: Option<String>,
    /// The line of file contexts that says so.
    pub line: String,
    /// Where it stands: file and number.
    pub place: (String, u32),
    /// User or level differ, too, and it takes them to have it allowed (`restorecon -F`).
    pub whole: bool,
    /// The file has no name any more: it cannot be mended, those that come after it can.
    pub deleted: bool,
}

/// A transition that the policy does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MissingTransition {
    /// The source executes the program of a domain and stays what it is.
    Process {
        /// The type of the program.
        program: String,
        /// The domain that others come to by executing it.
        domain: String,
        /// May the source come into it already, if it asks for it? Then only the `type_transition` is missing.
        may: bool,
    },
    /// What the source made got the type of the folder.
    Object {
        /// The type of the folder.
        folder: String,
        /// The type that it would get.
        result: String,
        /// Whose transition it is: that of the source for another class or name, or that of another domain.
        of: String,
        /// The name that the transition is about.
        name: Option<String>,
    },
}

/// A constraint that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenConstraint {
    /// The statement.
    pub statement: String,
    /// What would have to be otherwise: the first that alone is enough.
    pub part: ConstraintPart,
    /// Its comparisons, each once.
    pub comparisons: Vec<Comparison>,
}

/// Which part of the contexts a constraint fails on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConstraintPart {
    /// The level or range.
    Level,
    /// The user.
    User,
    /// The role.
    Role,
    /// The type: the constraint makes exceptions for types, and nothing else of the contexts matters to it.
    Type,
    /// It takes more than one of these.
    Several,
}

impl ConstraintPart {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::User => "user",
            Self::Role => "role",
            Self::Type => "type",
            Self::Several => "several",
        }
    }
}

/// A comparison of a constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// As in the statement.
    pub text: String,
    /// Did it hold?
    pub holds: bool,
}
