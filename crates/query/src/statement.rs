//! The text of statements: rules, contexts, constraints.
//!
//! Text is appended to a buffer; names come from the symbol tables as they are, so that a rule costs no allocation.

use std::borrow::Cow;
use std::io::Write as _;

use mandate_policydb::{
    AvRule, BoolTerm, CategoryId, ClassId, Comparison, Conditional, Constraint, Context, Ebitmap,
    ExtendedPermissions, MlsLevel, MlsRange, NameSet, Operator, Part, PolicyDb, RoleId, RuleKey,
    RulePlace, SymbolId, Term, TypeId, UserId, Whose, XpermForm,
};

use crate::infix::{Infix, Order};
use crate::search::Found;

/// How statements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As the policy language has them.
    Policy,
    /// As setools prints them, for the programs that read that: names of files without quotes, ranges with blanks, and
    /// expressions whose parentheses may mislead.
    Setools,
}

/// Writes statements of one policy.
#[derive(Debug)]
pub struct Statements<'a> {
    db: &'a PolicyDb,
    style: Style,
    /// For each class its permissions by name, with their bits.
    permissions: Vec<Vec<(u32, &'a str)>>,
    /// For each conditional block the text of its condition, once it was asked for.
    conditions: Vec<Option<Box<str>>>,
}

impl<'a> Statements<'a> {
    /// Of this policy, in this style.
    pub fn new(db: &'a PolicyDb, style: Style) -> Self {
        let classes = (1..=db.classes.nprim()).map(|it| class_permissions(db, it)).collect();
        let conditions = vec![None; db.conditionals.len()];
        Self { db, style, permissions: classes, conditions }
    }

    /// The policy.
    pub fn db(&self) -> &'a PolicyDb {
        self.db
    }

    /// How they are written.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// A rule that a search found, as far as its semicolon and its condition.
    pub fn push(&mut self, to: &mut Vec<u8>, found: &Found<'_>) {
        let db = self.db;
        match found {
            Found::Key(RuleKey::Rule(place)) => self.push_rule(to, *place),
            Found::Key(RuleKey::RoleAllow(at)) => {
                let Some(rule) = db.role_allows.get(*at as usize) else { return };
                let (role, new) = (db.roles.name(rule.role), db.roles.name(rule.new_role));
                push_all(to, &["allow ", &role, " ", &new, ";"]);
            }
            Found::Key(RuleKey::RoleTransition(at)) => {
                let Some(rule) = db.role_transitions.get(*at as usize) else { return };
                let (role, new) = (db.roles.name(rule.role), db.roles.name(rule.new_role));
                let (type_, class) = (db.types.name(rule.type_), class_name(db, rule.class));
                push_all(
                    to,
                    &["role_transition ", &role, " ", &type_, ":", &class, " ", &new, ";"],
                );
            }
            Found::Key(RuleKey::RangeTransition(at)) => {
                let Some(rule) = db.range_transitions.get(*at as usize) else { return };
                let (source, target) = (db.types.name(rule.source), db.types.name(rule.target));
                let class = class_name(db, rule.class);
                push_all(to, &["range_transition ", &source, " ", &target, ":", &class, " "]);
                self.push_range(to, &rule.range);
                to.push(b';');
            }
            // No search finds one: constraints are a part of what a policy holds.
            Found::Key(RuleKey::Constraint { .. }) => {}
            Found::Filename(it) => {
                let (source, target) = (db.types.name(it.source), db.types.name(it.target));
                let (class, default) = (db.classes.name(it.class), db.types.name(it.default_type));
                push_all(to, &["type_transition ", &source, " ", &target, ":", &class, " "]);
                push_all(to, &[&default, " "]);
                self.push_file_name(to, it.name);
                to.push(b';');
            }
        }
    }

    fn push_rule(&mut self, to: &mut Vec<u8>, place: RulePlace) {
        let Some(rule) = place.rule(self.db) else { return };
        self.push_body(to, rule);
        to.push(b';');
        if let RulePlace::Conditional { block, when, .. } = place {
            let branch = if when { " ]:True" } else { " ]:False" };
            push_all(to, &[" [ ", self.condition(block), branch]);
        }
    }

    fn push_body(&self, to: &mut Vec<u8>, rule: &AvRule) {
        let db = self.db;
        let (source, target) = (db.types.name(rule.source), db.types.name(rule.target));
        let class = db.classes.name(rule.class());
        push_all(to, &[rule.kind.keyword(), " ", &source, " ", &target, ":", &class, " "]);
        if let Some(type_) = rule.default_type() {
            push_all(to, &[&db.types.name(type_)]);
        } else if let Some(xperms) = db.xperms.of(rule) {
            push_xperms(to, xperms);
        } else {
            self.push_permissions(to, rule.class(), rule.permissions());
        }
    }

    /// Permissions of a class by name; in braces unless there is one.
    pub fn push_permissions(&self, to: &mut Vec<u8>, class: ClassId, permissions: u32) {
        let known = self.permissions.get(class.index()).map_or(&[][..], Vec::as_slice);
        push_set(to, known.iter().filter(|it| it.0 & permissions != 0).map(|it| it.1));
    }

    fn push_file_name(&self, to: &mut Vec<u8>, name: &[u8]) {
        match self.style {
            Style::Setools => to.extend_from_slice(name),
            Style::Policy => {
                to.push(b'"');
                to.extend_from_slice(name);
                to.push(b'"');
            }
        }
    }

    /// The condition of a block, made once.
    fn condition(&mut self, block: u32) -> &str {
        let (db, style) = (self.db, self.style);
        let block = block as usize;
        match (self.conditions.get_mut(block), db.conditionals.get(block)) {
            (Some(kept), Some(conditional)) => {
                kept.get_or_insert_with(|| condition(db, style, conditional).into())
            }
            _ => "",
        }
    }

    /// A range; one level if both are equal.
    pub fn push_range(&self, to: &mut Vec<u8>, range: &MlsRange) {
        self.push_level(to, &range.low);
        if range.low != range.high {
            push_all(to, &[if self.style == Style::Setools { " - " } else { "-" }]);
            self.push_level(to, &range.high);
        }
    }

    /// A level; categories that follow each other are joined by a point.
    pub fn push_level(&self, to: &mut Vec<u8>, level: &MlsLevel) {
        push_all(to, &[&self.db.sensitivities.name(level.sensitivity)]);
        let mut separator = ":";
        for (first, last) in stretches(&level.categories) {
            self.push_category(to, separator, first);
            if last > first {
                self.push_category(to, ".", last);
            }
            separator = ",";
        }
    }

    fn push_category(&self, to: &mut Vec<u8>, separator: &str, bit: u32) {
        let Some(id) = CategoryId::from_bit(bit) else { return };
        push_all(to, &[separator, &self.db.categories.name(id)]);
    }

    /// A context.
    pub fn push_context(&self, to: &mut Vec<u8>, context: &Context) {
        let db = self.db;
        let (user, role) = (db.users.name(context.user), db.roles.name(context.role));
        push_all(to, &[&user, ":", &role, ":", &db.types.name(context.type_)]);
        if let Some(range) = context.range.as_ref().filter(|_| db.mls) {
            to.push(b':');
            self.push_range(to, range);
        }
    }

    /// `constrain`, `validatetrans` or one of their `mls` forms.
    pub fn push_constraint(&self, to: &mut Vec<u8>, class: ClassId, constraint: &Constraint) {
        if self.style == Style::Policy {
            return push_all(to, &[&self.db.constraint_to_string(class, constraint)]);
        }
        let mls = if is_mls(constraint) { "mls" } else { "" };
        let class_name = self.db.classes.name(class);
        let expression = setools_expression(self.db, constraint);
        if constraint.permissions == 0 {
            return push_all(to, &[mls, "validatetrans ", &class_name, " (", &expression, ");"]);
        }
        push_all(to, &[mls, "constrain ", &class_name, " "]);
        self.push_permissions(to, class, constraint.permissions);
        push_all(to, &[" (", &expression, "); "]);
    }
}

/// The permissions of a class by name, with their bits.
fn class_permissions(db: &PolicyDb, class: u32) -> Vec<(u32, &str)> {
    let Some(class) = ClassId::from_value(class) else { return Vec::new() };
    let all = db.permissions(class).map(|it| (it.id.mask(), &*it.name));
    let mut all: Vec<_> = all.collect();
    all.sort_unstable_by_key(|it| it.1);
    all
}

/// The name of a class; old policies mean `process` where they name none.
fn class_name(db: &PolicyDb, class: Option<ClassId>) -> Cow<'_, str> {
    class.map_or(Cow::Borrowed("process"), |it| db.classes.name(it))
}

pub(crate) fn push_all(to: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        to.extend_from_slice(part.as_bytes());
    }
}

/// One name as it is; several, or none, in braces.
pub(crate) fn push_set<'a>(to: &mut Vec<u8>, mut names: impl Iterator<Item = &'a str>) {
    let Some(first) = names.next() else { return push_all(to, &["{  }"]) };
    let Some(second) = names.next() else { return push_all(to, &[first]) };
    push_all(to, &["{ ", first, " ", second]);
    for name in names {
        push_all(to, &[" ", name]);
    }
    push_all(to, &[" }"]);
}

/// The numbers of extended permissions as ranges, after what they are about.
fn push_xperms(to: &mut Vec<u8>, xperms: &ExtendedPermissions) {
    push_all(to, &[xperm_subject(xperms), " "]);
    let ranges = xperm_ranges(xperms);
    let several = ranges.len() != 1;
    push_all(to, &[if several { "{ " } else { "" }]);
    for (at, (first, last)) in ranges.iter().enumerate() {
        let blank = if at == 0 { "" } else { " " };
        // Writing to a vector cannot fail.
        drop(match first == last {
            true => write!(to, "{blank}{first:#06x}"),
            false => write!(to, "{blank}{first:#06x}-{last:#06x}"),
        });
    }
    push_all(to, &[if several { " }" } else { "" }]);
}

/// The permission that extended permissions refine.
pub(crate) fn xperm_subject(xperms: &ExtendedPermissions) -> &'static str {
    match xperms.form {
        XpermForm::IoctlFunction | XpermForm::IoctlDriver => "ioctl",
        XpermForm::Nlmsg => "nlmsg",
    }
}

/// Extended permissions as ranges, in order.
pub(crate) fn xperm_ranges(xperms: &ExtendedPermissions) -> Vec<(u32, u32)> {
    let driver = u32::from(xperms.driver) << 8;
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for low in (0..=u8::MAX).filter(|&low| xperms.has(low)) {
        let low = u32::from(low);
        let (first, last) = match xperms.form {
            XpermForm::IoctlDriver => (low << 8, low << 8 | 0xff),
            XpermForm::IoctlFunction | XpermForm::Nlmsg => (driver | low, driver | low),
        };
        match ranges.last_mut() {
            Some(open) if open.1 + 1 == first => open.1 = last,
            _ => ranges.push((first, last)),
        }
    }
    ranges
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

pub(crate) fn condition(db: &PolicyDb, style: Style, conditional: &Conditional) -> String {
    if style == Style::Policy {
        return db.condition_to_string(conditional);
    }
    let mut text = Infix::default();
    for term in &conditional.expression {
        let (symbol, strength) = match term {
            BoolTerm::Bool(id) => {
                text.name(&db.booleans.name(*id));
                continue;
            }
            BoolTerm::Not => {
                text.prefix("!", 5);
                continue;
            }
            BoolTerm::Or => ("||", 1),
            BoolTerm::Xor => ("^", 2),
            BoolTerm::And => ("&&", 3),
            BoolTerm::Equal => ("==", 4),
            BoolTerm::NotEqual => ("!=", 4),
        };
        text.infix(symbol, strength, Order::Reversed);
    }
    text.finish()
}

/// Does the constraint look at levels?
pub(crate) fn is_mls(constraint: &Constraint) -> bool {
    use Comparison::{Role, Type, User};
    let level =
        |it: &Term| matches!(it, Term::Compare(what, _) if !matches!(what, User | Role | Type));
    constraint.expression.iter().any(level)
}

fn setools_expression(db: &PolicyDb, constraint: &Constraint) -> String {
    let mut text = Infix::default();
    for term in &constraint.expression {
        match term {
            Term::Not => text.prefix("not", 4),
            Term::And => text.infix("and", 2, Order::Kept),
            Term::Or => text.infix("or", 1, Order::Kept),
            Term::Compare(what, operator) => {
                let (first, last) = what.operands();
                text.leaf(format!("{first} {} {last}", operator_symbol(*operator)), 3);
            }
            Term::Names(set) => text.leaf(setools_names(db, set), 3),
        }
    }
    text.finish()
}

fn operator_symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "==",
        Operator::NotEqual => "!=",
        Operator::Dominates => "dom",
        Operator::DominatedBy => "domby",
        Operator::Incomparable => "incomp",
    }
}

/// A part of a context compared with names; a blank follows several.
fn setools_names(db: &PolicyDb, set: &NameSet) -> String {
    let (part, names) = match set.part {
        Part::User => ('u', set.names.ids::<UserId>().map(|it| db.users.name(it)).collect()),
        Part::Role => ('r', set.names.ids::<RoleId>().map(|it| db.roles.name(it)).collect()),
        Part::Type => ('t', type_names(db, set)),
    };
    let whose = match set.whose {
        Whose::Source => 1,
        Whose::Target => 2,
        Whose::Process => 3,
    };
    let operator = if set.negated { "!=" } else { "==" };
    match names.as_slice() {
        [one] => format!("{part}{whose} {operator} {one}"),
        several => format!("{part}{whose} {operator} {{ {} }} ", several.join(" ")),
    }
}

/// The types as written, attributes kept, if the policy holds that.
fn type_names<'a>(db: &'a PolicyDb, set: &NameSet) -> Vec<Cow<'a, str>> {
    let written = &set.written.types;
    let types = if written.is_empty() { &set.names } else { written };
    types.ids::<TypeId>().map(|it| db.types.name(it)).collect()
}

/// The text that `write` appends.
pub(crate) fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
