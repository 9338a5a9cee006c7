//! Rules that fit a question, as `sesearch` finds them.
//!
//! What is asked for becomes sets of numbers once ([`sets`]); then each rule costs a few look-ups in these sets, and no text is made
//! before a rule is known to fit. That takes less than a millisecond for a hundred thousand rules, so no index is kept.

mod find;
mod sets;

use mandate_policydb::{ClassId, PolicyDb, RuleKey, RuleKind, TypeId};

use crate::QuestionError;
use crate::name::NameCriterion;

/// A kind of rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A type enforcement rule; of `type_transition` also those with a file's name.
    Te(RuleKind),
    /// `neverallow` and `neverallowxperm`, of which a binary policy has none.
    Never,
    /// `allow` between roles.
    RoleAllow,
    /// `role_transition`
    RoleTransition,
    /// `range_transition`
    RangeTransition,
}

impl Kind {
    /// The kinds of type enforcement rules, by keyword.
    pub const TE: [RuleKind; 9] = [
        RuleKind::Allow,
        RuleKind::AllowXperm,
        RuleKind::AuditAllow,
        RuleKind::AuditAllowXperm,
        RuleKind::DontAudit,
        RuleKind::DontAuditXperm,
        RuleKind::TypeChange,
        RuleKind::TypeMember,
        RuleKind::TypeTransition,
    ];

    fn is_role(self) -> bool {
        matches!(self, Self::RoleAllow | Self::RoleTransition)
    }
}

/// One end of a rule.
#[derive(Clone, Debug)]
pub struct End {
    /// The names.
    pub name: NameCriterion,
    /// Only rules that say the name itself, not those that mean it through an attribute.
    pub direct: bool,
}

/// Which of several names a rule must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Match {
    /// One of them at least.
    #[default]
    Any,
    /// All of them, and perhaps others.
    All,
    /// These and no others.
    Exactly,
}

/// Some of the names of a kind.
#[derive(Clone, Debug)]
pub enum Choice {
    /// These.
    Names(Vec<String>),
    /// Those in which a pattern is found.
    Pattern(NameCriterion),
}

/// Rules of some kinds that fit every criterion. A kind of rule that has no such part, as a `type_transition` has no permissions,
/// does not fit a criterion about it; but rules between roles and of ranges pass over those about permissions and booleans.
#[derive(Clone, Debug, Default)]
pub struct RuleQuery {
    /// The kinds.
    pub kinds: Vec<Kind>,
    /// The source: a type or attribute, or for rules between roles a role.
    pub source: Option<End>,
    /// The target: a type or attribute, or for `allow` between roles a role.
    pub target: Option<End>,
    /// The class.
    pub classes: Option<Choice>,
    /// Permissions.
    pub permissions: Option<(Vec<String>, Match)>,
    /// Ranges of extended permissions.
    pub xperms: Option<(Vec<(u16, u16)>, Match)>,
    /// What the rule gives: a type, role or range.
    pub default: Option<NameCriterion>,
    /// Booleans of its condition.
    pub booleans: Option<(Choice, Match)>,
}

/// A rule that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A rule that has a key.
    Key(RuleKey),
    /// A `type_transition` with a file's name.
    Filename(FilenameRule<'a>),
}

/// A `type_transition` with a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilenameRule<'a> {
    /// The type of the process.
    pub source: TypeId,
    /// The type of the directory.
    pub target: TypeId,
    /// The class of the new object.
    pub class: ClassId,
    /// The last component of its name.
    pub name: &'a [u8],
    /// The type it gets.
    pub default_type: TypeId,
}

impl RuleQuery {
    /// The rules that fit: type enforcement, then between roles, then of ranges; within these by keyword, source, target and class.
    ///
    /// # Errors
    /// Names that the policy does not define.
    pub fn ask<'a>(&self, db: &'a PolicyDb) -> Result<Vec<Found<'a>>, QuestionError> {
        let mut found = Vec::new();
        if self.kinds.iter().any(|it| matches!(it, Kind::Te(_) | Kind::Never)) {
            let sets = sets::TeSets::of(self, db)?;
            find::te_rules(db, &sets, &mut found);
        }
        if self.kinds.iter().any(|it| it.is_role()) {
            let sets = sets::RoleSets::of(self, db)?;
            find::role_rules(db, &sets, &mut found);
        }
        if self.kinds.contains(&Kind::RangeTransition) {
            let sets = sets::RangeSets::of(self, db)?;
            find::range_rules(db, &sets, &mut found);
        }
        Ok(found)
    }
}

/// Ranges of extended permissions: `0x8910,0x8920-0x892f`, hexadecimal with or without `0x`.
///
/// # Errors
/// What is none.
pub fn parse_xperms(text: &str) -> Result<Vec<(u16, u16)>, QuestionError> {
    let range = |range: &str| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        parse_xperm(low).zip(parse_xperm(high)).ok_or_else(|| QuestionError::Malformed {
            expected: "an extended permission such as 0x8910, or a range of them",
            found: range.to_owned(),
        })
    };
    text.split(',').map(range).collect()
}

fn parse_xperm(text: &str) -> Option<u16> {
    let text = text.trim();
    u16::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}
