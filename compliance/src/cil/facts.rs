//! What a policy says, attributes written out: two compilers that name, expand or keep attributes differently still say
//! the same.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use mandate_policydb::{
    AvRule, ClassId, Conditional, Constraint, Context as Label, Ebitmap, NameSet, Part, PolicyDb,
    RoleId, RuleKind, SymbolId, Term, TypeId, Unvalidated, UserId, XpermForm, XpermPool,
};

use crate::compile::tables;

/// Tables that say the same whatever became of attributes.
const AS_THEY_ARE: [&str; 5] =
    ["roles", "users", "booleans", "sensitivities and categories", "contexts of objects"];
/// Attributes that the compilers make up have names of their own, which are no part of what is said.
const GENERATED: [&str; 2] = ["_typeattr_", "deny_rule_attr_"];
/// Every type goes with this role, whether a policy says so or not; `secilc` does not say so.
const OBJECT: &str = "role object_r types ";
/// More booleans in one condition are not written out.
const MOST_BOOLEANS: usize = 6;

/// Sentences about a policy and its file contexts.
pub type Facts = BTreeSet<String>;

/// What a binary policy and the text of its file contexts say.
///
/// # Errors
/// When the policy cannot be read.
pub fn of(policy: &[u8], file_contexts: &str) -> Result<Facts> {
    let db = Unvalidated::read(policy)?.validate()?.into_db();
    let mut all = beside_rules(&db);
    Writer::new(&db).rules(&mut all);
    let lines = file_contexts.lines().filter(|line| !line.is_empty()).enumerate();
    all.extend(lines.map(|(n, line)| format!("file_contexts {} {}", n + 1, spaced(line))));
    Ok(all)
}

/// Everything but the rules between types: written out, those of a whole policy would be too many.
#[must_use]
pub fn beside_rules(db: &PolicyDb) -> Facts {
    let mut all = Facts::new();
    for (name, table) in tables::TABLES {
        if AS_THEY_ARE.contains(&name) {
            all.extend(table(db).into_iter().filter(|it| !it.starts_with(OBJECT)));
        }
    }
    let of = Writer::new(db);
    of.settings(&mut all);
    of.classes(&mut all);
    of.types(&mut all);
    of.transitions(&mut all);
    of.constraints(&mut all);
    of.other_objects(&mut all);
    all
}

fn spaced(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A rule without its permissions, and when it applies.
type Key = (String, RuleKind, TypeId, TypeId, ClassId);

struct Writer<'a> {
    db: &'a PolicyDb,
    /// The types of each attribute, and of each type itself, by number.
    members: BTreeMap<TypeId, Vec<TypeId>>,
}

impl<'a> Writer<'a> {
    fn new(db: &'a PolicyDb) -> Self {
        let mut members: BTreeMap<TypeId, Vec<TypeId>> = BTreeMap::new();
        for datum in db.types.iter().filter(|it| !it.attribute && it.primary) {
            members.entry(datum.id).or_default().push(datum.id);
            let attributes = db.type_attributes.get(datum.id.index());
            for attribute in attributes.into_iter().flat_map(Ebitmap::ids::<TypeId>) {
                if attribute != datum.id {
                    members.entry(attribute).or_default().push(datum.id);
                }
            }
        }
        Self { db, members }
    }

    fn members(&self, id: TypeId) -> &[TypeId] {
        self.members.get(&id).map_or(&[], Vec::as_slice)
    }

    fn name(&self, id: TypeId) -> String {
        self.db.types.name(id).into_owned()
    }

    fn settings(&self, to: &mut Facts) {
        to.insert(format!("unknown {:?}", self.db.handle_unknown).to_lowercase());
        to.insert(format!("mls {}", self.db.mls));
        to.extend(self.db.capability_names().into_iter().map(|name| format!("policycap {name}")));
        let permissive = self.db.permissive.ids::<TypeId>();
        to.extend(permissive.map(|id| format!("permissive {}", self.name(id))));
    }

    fn classes(&self, to: &mut Facts) {
        for class in self.db.classes.iter() {
            // In their order: it gives each permission its bit.
            let bits = self.db.permission_mask(class.id);
            let perms = self.db.permission_names(class.id, bits).join(" ");
            let (name, number) = (&class.name, class.id.value());
            to.insert(format!("class {name} {number} {{ {perms} }}"));
            let common = class.common.as_ref().map(|common| format!("classcommon {name} {common}"));
            to.extend(common);
            let froms = [
                ("user", class.default_user.map(|it| format!("{it:?}"))),
                ("role", class.default_role.map(|it| format!("{it:?}"))),
                ("type", class.default_type.map(|it| format!("{it:?}"))),
                ("range", class.default_range.map(|it| format!("{it:?}"))),
            ];
            for (what, from) in froms {
                to.extend(
                    from.map(|from| format!("default_{what} {name} {}", from.to_lowercase())),
                );
            }
        }
        for common in self.db.commons.iter() {
            let perms: Vec<&str> = common.permissions.by_value().map(|it| &*it.name).collect();
            to.insert(format!("common {} {{ {} }}", common.name, perms.join(" ")));
        }
    }

    fn types(&self, to: &mut Facts) {
        for datum in self
            .db
            .types
            .iter()
            .filter(|it| !GENERATED.iter().any(|made_up| it.name.contains(made_up)))
        {
            let stands_for = self.name(datum.id);
            if datum.attribute {
                let members = self.members(datum.id).iter().map(|it| self.name(*it));
                to.insert(format!("attribute {} {}", datum.name, set(members)));
            } else if *datum.name == *stands_for {
                to.insert(format!("type {stands_for}"));
            } else {
                to.insert(format!("typealias {stands_for} {}", datum.name));
            }
            if let Some(bounds) = datum.bounds {
                to.insert(format!("typebounds {} {stands_for}", self.name(bounds)));
            }
        }
        let silent = self.db.neveraudit.ids::<TypeId>();
        to.extend(silent.map(|id| format!("neveraudit {}", self.name(id))));
    }

    fn rules(&self, to: &mut Facts) {
        let mut collected = Collected::default();
        for rule in &self.db.rules {
            self.collect("", rule, &mut collected);
        }
        for block in &self.db.conditionals {
            for (branch, rules) in [(true, &block.when_true), (false, &block.when_false)] {
                let when = self.when(block, branch);
                rules.iter().for_each(|rule| self.collect(&when, rule, &mut collected));
            }
        }
        to.extend(collected.vectors.iter().map(|(key, bits)| {
            let perms = self.db.permission_names(key.4, *bits);
            format!("{} {}", self.head(key), set(perms.into_iter()))
        }));
        to.extend(collected.defaults.iter().flat_map(|(key, types)| {
            types.iter().map(move |it| format!("{} {}", self.head(key), self.name(*it)))
        }));
        to.extend(collected.extended.iter().map(|((key, nlmsg), values)| {
            let kind = if *nlmsg { "nlmsg" } else { "ioctl" };
            format!("{} {kind} {{ {} }}", self.head(key), ranges(values))
        }));
    }

    fn head(&self, (when, kind, source, target, class): &Key) -> String {
        let (source, target) = (self.name(*source), self.name(*target));
        format!("{when}{} {source} {target} {}", kind.keyword(), self.db.classes.name(*class))
    }

    fn collect(&self, when: &str, rule: &AvRule, to: &mut Collected) {
        for &source in self.members(rule.source) {
            for &target in self.members(rule.target) {
                let key = (when.to_owned(), rule.kind, source, target, rule.class());
                to.add(key, rule, &self.db.xperms, self.db.permission_mask(rule.class()));
            }
        }
    }

    /// Which booleans are on, of those asked, each time that a branch applies.
    fn when(&self, block: &Conditional, branch: bool) -> String {
        let mut asked: Vec<_> = block.booleans().collect();
        asked.sort_by_key(|id| self.db.booleans.name(*id));
        asked.dedup();
        if asked.len() > MOST_BOOLEANS {
            return format!("when {} is {branch}: ", self.db.condition_to_string(block));
        }
        let name = |id| self.db.booleans.name(id).into_owned();
        let mut sets = Vec::new();
        for state in 0..1_usize << asked.len() {
            let on = |id| asked.iter().position(|it| *it == id).map(|at| state >> at & 1 == 1);
            if block.evaluate(on) == Some(branch) {
                sets.push(set(asked
                    .iter()
                    .filter(|id| on(**id) == Some(true))
                    .map(|id| name(*id))));
            }
        }
        format!("when {} is {}: ", set(asked.iter().map(|id| name(*id))), sets.join(" or "))
    }

    fn transitions(&self, to: &mut Facts) {
        let db = self.db;
        for it in db.filename_transitions.to_singles().iter() {
            let object = String::from_utf8_lossy(&it.name).into_owned();
            let (class, default) = (db.classes.name(it.class), self.name(it.default_type));
            for (source, target) in self.pairs(it.source, it.target) {
                let head = format!("type_transition {source} {target}");
                to.insert(format!("{head} {class} {object:?} {default}"));
            }
        }
        for it in &db.range_transitions {
            let (class, range) = (self.class(it.class), db.range_to_string(&it.range));
            for (source, target) in self.pairs(it.source, it.target) {
                to.insert(format!("range_transition {source} {target} {class} {range}"));
            }
        }
        for it in &db.role_transitions {
            let (role, new) = (db.roles.name(it.role), db.roles.name(it.new_role));
            let class = self.class(it.class);
            for type_ in self.members(it.type_) {
                let type_ = self.name(*type_);
                to.insert(format!("role_transition {role} {type_} {class} {new}"));
            }
        }
        let roles = |id| db.roles.name(id);
        to.extend(
            db.role_allows
                .iter()
                .map(|it| format!("allow {} {}", roles(it.role), roles(it.new_role))),
        );
    }

    fn pairs(&self, source: TypeId, target: TypeId) -> Vec<(String, String)> {
        let targets = self.members(target);
        let pairs = self.members(source).iter().flat_map(|a| targets.iter().map(move |b| (a, b)));
        pairs.map(|(a, b)| (self.name(*a), self.name(*b))).collect()
    }

    fn class(&self, class: Option<ClassId>) -> String {
        class.map_or_else(|| "process".to_owned(), |id| self.db.classes.name(id).into_owned())
    }

    fn constraints(&self, to: &mut Facts) {
        for class in self.db.classes.iter() {
            for it in &class.constraints {
                let perms = set(self.db.permission_names(class.id, it.permissions).into_iter());
                to.insert(format!("constrain {} {perms} {}", class.name, self.expression(it)));
            }
            for it in &class.validatetrans {
                to.insert(format!("validatetrans {} {}", class.name, self.expression(it)));
            }
        }
    }

    fn expression(&self, constraint: &Constraint) -> String {
        let mut stack: Vec<String> = Vec::new();
        for term in &constraint.expression {
            let last = |stack: &mut Vec<String>| stack.pop().unwrap_or_default();
            let text = match term {
                Term::Not => format!("(not {})", last(&mut stack)),
                Term::And | Term::Or => {
                    let (b, a) = (last(&mut stack), last(&mut stack));
                    format!("({a} {} {b})", self.db.term_to_string(term))
                }
                Term::Names(names) => self.names(term, names),
                Term::Compare(..) => format!("({})", self.db.term_to_string(term)),
            };
            stack.push(text);
        }
        stack.join(" ")
    }

    fn names(&self, term: &Term, names: &NameSet) -> String {
        let bits = &names.names;
        let all: Vec<String> = match names.part {
            Part::User => bits.ids::<UserId>().map(|id| self.db.users.name(id).into()).collect(),
            Part::Role => bits.ids::<RoleId>().map(|id| self.db.roles.name(id).into()).collect(),
            Part::Type => bits
                .ids::<TypeId>()
                .flat_map(|id| self.members(id))
                .map(|id| self.name(*id))
                .collect(),
        };
        // The policy's own text begins with what is compared and how.
        let text = self.db.term_to_string(term);
        let head = text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        format!("({head} {})", set(all.into_iter()))
    }

    fn other_objects(&self, to: &mut Facts) {
        let objects = &self.db.object_contexts;
        let text = |context: &Label| self.db.context_to_string(context);
        for it in &objects.ibpkeys {
            let context = text(&it.context);
            let prefix = it.subnet_prefix;
            to.insert(format!("ibpkeycon {prefix:#018x} {:#x}-{:#x} {context}", it.low, it.high));
        }
        for it in &objects.ibendports {
            let device = String::from_utf8_lossy(&it.device);
            to.insert(format!("ibendportcon {device} {} {}", it.port, text(&it.context)));
        }
        let ranges = [
            ("pirqcon", &objects.pirqs),
            ("ioportcon", &objects.ioports),
            ("iomemcon", &objects.iomems),
            ("pcidevicecon", &objects.pci_devices),
        ];
        for (what, all) in ranges {
            let one = |it: &mandate_policydb::XenRange| {
                format!("{what} {:#x}-{:#x} {}", it.low, it.high, text(&it.context))
            };
            to.extend(all.iter().map(one));
        }
        for it in &objects.device_tree {
            let path = String::from_utf8_lossy(&it.path);
            to.insert(format!("devicetreecon {path} {}", text(&it.context)));
        }
    }
}

/// Rules of the same types and class, put together.
#[derive(Default)]
struct Collected {
    vectors: BTreeMap<Key, u32>,
    defaults: BTreeMap<Key, BTreeSet<TypeId>>,
    extended: BTreeMap<(Key, bool), BTreeSet<u16>>,
}

impl Collected {
    fn add(&mut self, key: Key, rule: &AvRule, xperms: &XpermPool, mask: u32) {
        if let Some(type_) = rule.default_type() {
            self.defaults.entry(key).or_default().insert(type_);
        } else if let Some(permissions) = xperms.of(rule) {
            let nlmsg = permissions.form == XpermForm::Nlmsg;
            let values = self.extended.entry((key, nlmsg)).or_default();
            for low in (0..=u8::MAX).filter(|low| permissions.has(*low)) {
                if permissions.form == XpermForm::IoctlDriver {
                    values
                        .extend((0..=u8::MAX).map(|function| u16::from_be_bytes([low, function])));
                } else {
                    values.insert(u16::from_be_bytes([permissions.driver, low]));
                }
            }
        } else {
            *self.vectors.entry(key).or_default() |= rule.permissions() & mask;
        }
    }
}

/// Names in braces, in their order.
fn set(names: impl Iterator<Item = String>) -> String {
    let names: BTreeSet<String> = names.collect();
    let names: Vec<String> = names.into_iter().collect();
    if names.is_empty() { "{ }".to_owned() } else { format!("{{ {} }}", names.join(" ")) }
}

fn ranges(values: &BTreeSet<u16>) -> String {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for &value in values {
        match ranges.last_mut() {
            Some(open) if open.1.checked_add(1) == Some(value) => open.1 = value,
            _ => ranges.push((value, value)),
        }
    }
    let shown = ranges.iter().map(|(low, high)| {
        if low == high { format!("{low:#06x}") } else { format!("{low:#06x}-{high:#06x}") }
    });
    shown.collect::<Vec<_>>().join(" ")
}
