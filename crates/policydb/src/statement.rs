//! Rules, constraints and conditions as statements of the policy language.

use std::borrow::Cow;

use crate::avtab::{AvRule, ExtendedPermissions, XpermForm};
use crate::conditional::{BoolTerm, Conditional};
use crate::constraint::{Comparison, Constraint, NameSet, Operator, Part, Term, Whose};
use crate::db::PolicyDb;
use crate::ids::{ClassId, RoleId, TypeId, UserId};

impl PolicyDb {
    /// A type enforcement rule.
    pub fn rule_to_string(&self, rule: &AvRule) -> String {
        let (source, target) = (self.types.name(rule.source), self.types.name(rule.target));
        let class = self.classes.name(rule.class());
        let head = format!("{} {source} {target}:{class}", rule.kind.keyword());
        if let Some(type_) = rule.default_type() {
            return format!("{head} {};", self.types.name(type_));
        }
        if let Some(permissions) = self.xperms.of(rule) {
            return format!("{head} {};", permissions.to_statement());
        }
        let mask = self.permission_mask(rule.class());
        format!("{head} {};", self.permission_set(rule.class(), rule.permissions() & mask))
    }

    fn permission_set(&self, class: ClassId, permissions: u32) -> String {
        set_of(self.permission_names(class, permissions).iter().map(|name| name.as_str().into()))
    }

    /// A condition over booleans.
    pub fn condition_to_string(&self, conditional: &Conditional) -> String {
        let mut stack: Vec<String> = Vec::new();
        for term in &conditional.expression {
            let text = match *term {
                BoolTerm::Bool(id) => self.booleans.name(id).into_owned(),
                BoolTerm::Not => format!("!{}", stack.pop().unwrap_or_default()),
                binary => infix(&mut stack, binary.symbol()),
            };
            stack.push(text);
        }
        unwrapped(stack.pop().unwrap_or_default())
    }

    /// A constraint of a class, or a `validatetrans` if it has no permissions.
    pub fn constraint_to_string(&self, class: ClassId, constraint: &Constraint) -> String {
        let mls = constraint.expression.iter().any(Term::looks_at_levels);
        let prefix = if mls { "mls" } else { "" };
        let class_name = self.classes.name(class);
        let expression = self.expression_to_string(constraint);
        if constraint.permissions == 0 {
            return format!("{prefix}validatetrans {class_name} ( {expression} );");
        }
        let permissions = self.permission_set(class, constraint.permissions);
        format!("{prefix}constrain {class_name} {permissions} ( {expression} );")
    }

    /// The expression of a constraint.
    pub fn expression_to_string(&self, constraint: &Constraint) -> String {
        let mut stack: Vec<String> = Vec::new();
        for term in &constraint.expression {
            let text = match term {
                Term::Not => format!("not {}", stack.pop().unwrap_or_default()),
                Term::And => infix(&mut stack, "and"),
                Term::Or => infix(&mut stack, "or"),
                leaf => format!("({})", self.term_to_string(leaf)),
            };
            stack.push(text);
        }
        unwrapped(stack.pop().unwrap_or_default())
    }

    /// A term of a constraint: an operator, a comparison or a set of names.
    pub fn term_to_string(&self, term: &Term) -> String {
        match term {
            Term::Not => "not".to_owned(),
            Term::And => "and".to_owned(),
            Term::Or => "or".to_owned(),
            Term::Compare(what, operator) => {
                let (a, b) = what.operands();
                let level = !matches!(what, Comparison::User | Comparison::Role | Comparison::Type);
                let symbol = match operator {
                    Operator::Equal if level => "eq",
                    other => other.symbol(),
                };
                format!("{a} {symbol} {b}")
            }
            Term::Names(set) => self.name_set_to_string(set),
        }
    }

    fn name_set_to_string(&self, set: &NameSet) -> String {
        let part = match set.part {
            Part::User => 'u',
            Part::Role => 'r',
            Part::Type => 't',
        };
        let whose = match set.whose {
            Whose::Source => 1,
            Whose::Target => 2,
            Whose::Process => 3,
        };
        let operator = if set.negated { "!=" } else { "==" };
        format!("{part}{whose} {operator} {}", self.names_of(set))
    }

    fn names_of(&self, set: &NameSet) -> String {
        let written = &set.written;
        let type_names = |bits: &crate::ebitmap::Ebitmap| {
            let names: Vec<_> = bits.ids::<TypeId>().map(|id| self.types.name(id)).collect();
            names
        };
        match set.part {
            Part::User => set_of(set.names.ids::<UserId>().map(|id| self.users.name(id))),
            Part::Role => set_of(set.names.ids::<RoleId>().map(|id| self.roles.name(id))),
            Part::Type if written.flags & 1 != 0 => "*".to_owned(),
            Part::Type if written.types.is_empty() => set_of(type_names(&set.names).into_iter()),
            Part::Type => {
                let excluded = type_names(&written.excluded).into_iter();
                let excluded = excluded.map(|name| Cow::Owned(format!("-{name}")));
                let text = set_of(type_names(&written.types).into_iter().chain(excluded));
                if written.flags & 2 != 0 { format!("~{text}") } else { text }
            }
        }
    }
}

/// One name as it is, several or none in braces.
fn set_of<'a>(names: impl Iterator<Item = Cow<'a, str>>) -> String {
    let names: Vec<_> = names.collect();
    match names.as_slice() {
        [name] if !name.starts_with('-') => name.to_string(),
        [] => "{ }".to_owned(),
        names => format!("{{ {} }}", names.join(" ")),
    }
}

fn infix(stack: &mut Vec<String>, symbol: &str) -> String {
    let b = stack.pop().unwrap_or_default();
    let a = stack.pop().unwrap_or_default();
    format!("({a} {symbol} {b})")
}

/// The text without the parentheses around all of it.
fn unwrapped(text: String) -> String {
    let Some(inner) = text.strip_prefix('(').and_then(|it| it.strip_suffix(')')) else {
        return text;
    };
    let mut depth = 0i64;
    for byte in inner.bytes() {
        depth += i64::from(byte == b'(') - i64::from(byte == b')');
        if depth < 0 {
            return text;
        }
    }
    inner.to_owned()
}

impl BoolTerm {
    fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Xor => "^",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Bool(_) | Self::Not => "!",
        }
    }
}

impl Operator {
    fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Dominates => "dom",
            Self::DominatedBy => "domby",
            Self::Incomparable => "incomp",
        }
    }
}

impl Comparison {
    /// What is compared, as the policy language names it.
    pub fn operands(self) -> (&'static str, &'static str) {
        match self {
            Self::User => ("u1", "u2"),
            Self::Role => ("r1", "r2"),
            Self::Type => ("t1", "t2"),
            Self::L1L2 => ("l1", "l2"),
            Self::L1H2 => ("l1", "h2"),
            Self::H1L2 => ("h1", "l2"),
            Self::H1H2 => ("h1", "h2"),
            Self::L1H1 => ("l1", "h1"),
            Self::L2H2 => ("l2", "h2"),
        }
    }
}

impl Term {
    fn looks_at_levels(&self) -> bool {
        !matches!(
            self,
            Self::Not
                | Self::And
                | Self::Or
                | Self::Names(_)
                | Self::Compare(Comparison::User | Comparison::Role | Comparison::Type, _)
        )
    }
}

impl ExtendedPermissions {
    /// The statement's last part: `ioctl { 0x8910 0x8912-0x8914 }`.
    pub fn to_statement(&self) -> String {
        let low = (0..=u8::MAX).filter(|&low| self.has(low));
        let (name, whole) = match self.form {
            XpermForm::IoctlFunction => ("ioctl", false),
            XpermForm::IoctlDriver => ("ioctl", true),
            XpermForm::Nlmsg => ("nlmsg", false),
        };
        let driver = u32::from(self.driver) << 8;
        let range = |low: u8| {
            let low = u32::from(low);
            if whole { (low << 8, low << 8 | 0xff) } else { (driver | low, driver | low) }
        };
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (first, last) in low.map(range) {
            match ranges.last_mut() {
                Some(open) if open.1 + 1 == first => open.1 = last,
                _ => ranges.push((first, last)),
            }
        }
        let shown = ranges.into_iter().map(|(first, last)| {
            let text = if first == last {
                format!("{first:#06x}")
            } else {
                format!("{first:#06x}-{last:#06x}")
            };
            Cow::Owned(text)
        });
        format!("{name} {}", set_of(shown))
    }
}
