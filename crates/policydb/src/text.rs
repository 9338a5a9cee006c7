//! Security contexts as text: parsed, printed, canonical.

use std::fmt::Write as _;

use crate::context::Context;
use crate::db::PolicyDb;
use crate::ebitmap::Ebitmap;
use crate::ids::{CategoryId, SymbolId};
use crate::mls::{MlsLevel, MlsRange};
use crate::symtab::{Datum, SymbolTable};

/// Why text is not a security context of the policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// A part is missing.
    #[error("a context is user:role:type{}, found {found:?}", if *.mls { ":level" } else { "" })]
    Incomplete {
        /// Does the policy have MLS?
        mls: bool,
        /// The text.
        found: String,
    },
    /// A name that the policy does not define.
    #[error("the policy has no {kind} {name:?}")]
    Unknown {
        /// What kind of name.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// An attribute where a type is needed.
    #[error("{0} is a type attribute, not a type")]
    Attribute(String),
    /// A level in a policy without MLS.
    #[error("the policy has no MLS, so a context has no level, found {0:?}")]
    UnexpectedLevel(String),
    /// A category range that does not ascend.
    #[error("the category range {0} does not ascend")]
    CategoryRange(String),
    /// Parts that do not fit each other.
    #[error("{0}")]
    Invalid(String),
}

impl PolicyDb {
    /// The context that `text` names, if the policy allows it. Aliases and every spelling of a category set are
    /// accepted, as by the kernel.
    ///
    /// # Errors
    /// Which part is wrong.
    pub fn parse_context(&self, text: &str) -> Result<Context, ContextError> {
        let context = self.parse_context_parts(text)?;
        if self.context_is_valid(&context) {
            return Ok(context);
        }
        Err(ContextError::Invalid(self.why_invalid(&context)))
    }

    fn parse_context_parts(&self, text: &str) -> Result<Context, ContextError> {
        let incomplete = || ContextError::Incomplete { mls: self.mls, found: text.to_owned() };
        let mut parts = text.splitn(4, ':');
        let mut part = || parts.next().ok_or_else(incomplete);
        let (user, role, type_name) = (part()?, part()?, part()?);
        let level = parts.next();
        let user = find(&self.users, "user", user)?.id;
        let role = find(&self.roles, "role", role)?.id;
        let type_ = find(&self.types, "type", type_name)?;
        if type_.attribute {
            return Err(ContextError::Attribute(type_name.to_owned()));
        }
        let range = match level {
            Some(level) if self.mls => Some(self.parse_range(level)?),
            Some(level) => return Err(ContextError::UnexpectedLevel(level.to_owned())),
            None if self.mls => return Err(incomplete()),
            None => None,
        };
        Ok(Context { user, role, type_: type_.id, range })
    }

    /// The range that `text` names: a level, or two with `-` between. It may not be valid.
    ///
    /// # Errors
    /// Which part is wrong.
    pub fn parse_range(&self, text: &str) -> Result<MlsRange, ContextError> {
        match text.split_once('-') {
            Some((low, high)) => {
                Ok(MlsRange { low: self.parse_level(low)?, high: self.parse_level(high)? })
            }
            None => self.parse_level(text).map(MlsRange::single),
        }
    }

    /// The level that `text` names: a sensitivity and, after `:`, categories with `,` and `.` for ranges.
    ///
    /// # Errors
    /// Which part is wrong.
    pub fn parse_level(&self, text: &str) -> Result<MlsLevel, ContextError> {
        let (sensitivity, categories) = match text.split_once(':') {
            Some((sensitivity, categories)) => (sensitivity, Some(categories)),
            None => (text, None),
        };
        let sensitivity = find(&self.sensitivities, "sensitivity", sensitivity)?.id;
        let mut set = Ebitmap::new();
        for item in categories.into_iter().flat_map(|it| it.split(',')) {
            let (first, last) = match item.split_once('.') {
                Some((first, last)) => (first, Some(last)),
                None => (item, None),
            };
            let first = find(&self.categories, "category", first)?.id;
            let Some(last) = last else {
                set.insert(first.bit());
                continue;
            };
            let last = find(&self.categories, "category", last)?.id;
            if first >= last {
                return Err(ContextError::CategoryRange(item.to_owned()));
            }
            set.insert_range(first.bit(), last.bit());
        }
        Ok(MlsLevel { sensitivity, categories: set })
    }

    fn why_invalid(&self, context: &Context) -> String {
        let (user, role) = (self.users.name(context.user), self.roles.name(context.role));
        let type_ = self.types.name(context.type_);
        let object = context.role == crate::ids::RoleId::OBJECT;
        let may_type = self.roles.get(context.role).is_some_and(|it| it.types.has(context.type_));
        let may_role = self.users.get(context.user).is_some_and(|it| it.roles.has(context.role));
        if !object && !may_type {
            return format!("role {role} may not have type {type_}");
        }
        if !object && !may_role {
            return format!("user {user} may not have role {role}");
        }
        let Some(range) = &context.range else { return "the context has no level".to_owned() };
        let shown = self.range_to_string(range);
        for level in [&range.low, &range.high] {
            if !self.level_is_valid(level) {
                let sensitivity = self.sensitivities.name(level.sensitivity);
                return format!("sensitivity {sensitivity} may not have all categories of {shown}");
            }
        }
        if !range.high.dominates(&range.low) {
            return format!("in range {shown} the high level does not dominate the low one");
        }
        format!("user {user} may not have range {shown}")
    }

    /// The context as text, categories in their canonical form.
    pub fn context_to_string(&self, context: &Context) -> String {
        let mut text = String::with_capacity(64);
        text.push_str(&self.users.name(context.user));
        text.push(':');
        text.push_str(&self.roles.name(context.role));
        text.push(':');
        text.push_str(&self.types.name(context.type_));
        if let Some(range) = context.range.as_ref().filter(|_| self.mls) {
            text.push(':');
            self.push_range(&mut text, range);
        }
        text
    }

    /// A range as text; one level if both are equal.
    pub fn range_to_string(&self, range: &MlsRange) -> String {
        let mut text = String::new();
        self.push_range(&mut text, range);
        text
    }

    /// A level as text: runs of three categories or more with `.`, else with `,`.
    pub fn level_to_string(&self, level: &MlsLevel) -> String {
        let mut text = String::new();
        self.push_level(&mut text, level);
        text
    }

    fn push_range(&self, text: &mut String, range: &MlsRange) {
        self.push_level(text, &range.low);
        if range.low != range.high {
            text.push('-');
            self.push_level(text, &range.high);
        }
    }

    fn push_level(&self, text: &mut String, level: &MlsLevel) {
        text.push_str(&self.sensitivities.name(level.sensitivity));
        let mut separator = ':';
        for (first, last) in stretches(&level.categories) {
            self.push_category(text, separator, first);
            if last > first {
                self.push_category(text, if last - first > 1 { '.' } else { ',' }, last);
            }
            separator = ',';
        }
    }

    fn push_category(&self, text: &mut String, separator: char, bit: u32) {
        text.push(separator);
        match CategoryId::from_bit(bit) {
            Some(id) => text.push_str(&self.categories.name(id)),
            None => drop(write!(text, "#{bit}")),
        }
    }
}

/// Stretches of adjacent bits: first and last of each.
fn stretches(set: &Ebitmap) -> Vec<(u32, u32)> {
    let mut stretches: Vec<(u32, u32)> = Vec::new();
    for bit in set.iter() {
        match stretches.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(bit) => *last = bit,
            _ => stretches.push((bit, bit)),
        }
    }
    stretches
}

fn find<'a, T: Datum>(
    table: &'a SymbolTable<T>,
    kind: &'static str,
    name: &str,
) -> Result<&'a T, ContextError> {
    table.find(name).ok_or_else(|| ContextError::Unknown { kind, name: name.to_owned() })
}
