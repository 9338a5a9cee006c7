//! Writing at another version: what it cannot hold, and the expansion of attributes below version 20.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use crate::avtab::{self, AvRule, RuleKind};
use crate::db::PolicyDb;
use crate::ebitmap::Ebitmap;
use crate::ids::{ClassId, SymbolId, TypeId};
use crate::object_contexts::Target;
use crate::rules::FilenameTransitions;
use crate::symbols::{DefaultRange, TypeDatum};
use crate::symtab::SymbolTable;
use crate::version::PolicyVersion;
use crate::wire::Writer;

/// Statements of one kind that a version cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// What they are, in words.
    pub statement: &'static str,
    /// How many.
    pub count: usize,
    /// The first version that holds them.
    pub since: PolicyVersion,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (since version {})", self.count, self.statement, self.since)
    }
}

pub(crate) fn listed(statements: &[Unsupported]) -> String {
    statements.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What `version` cannot hold of this policy. Names of attributes and the written form of constraints, which no
/// decision needs, are left out without a word below versions 24 and 29, as by the original tools.
pub fn unsupported(db: &PolicyDb, version: PolicyVersion) -> Vec<Unsupported> {
    use PolicyVersion as V;
    let process = db.classes.id("process");
    let classes = || db.classes.iter();
    let conditional =
        || db.conditionals.iter().flat_map(|it| it.when_true.iter().chain(&it.when_false));
    let xperms =
        |rules: &mut dyn Iterator<Item = &AvRule>| rules.filter(|it| it.kind.is_xperm()).count();
    let contexts = &db.object_contexts;
    let wide = contexts.iomems.iter().filter(|it| it.high > u64::from(u32::MAX)).count();
    let bounds = db.types.iter().filter(|it| it.bounds.is_some()).count()
        + db.roles.iter().filter(|it| it.bounds.is_some()).count()
        + db.users.iter().filter(|it| it.bounds.is_some()).count();
    let defaults = classes()
        .filter(|it| it.default_user.or(it.default_role).is_some() || it.default_range.is_some())
        .count();
    let counts = [
        ("booleans", V::BOOL, db.booleans.len()),
        ("conditional blocks", V::BOOL, db.conditionals.len()),
        ("nodecon statements for IPv6", V::IPV6, contexts.nodes6.len()),
        ("MLS policy", V::MLS, usize::from(db.mls)),
        ("range transitions", V::MLS, db.range_transitions.len()),
        (
            "validatetrans constraints",
            V::VALIDATETRANS,
            classes().map(|it| it.validatetrans.len()).sum(),
        ),
        (
            "range transitions of classes other than process",
            V::RANGETRANS,
            db.range_transitions
                .iter()
                .filter(|it| it.class.is_some() && it.class != process)
                .count(),
        ),
        ("policy capabilities", V::POLICY_CAPABILITIES, db.policy_capabilities.len()),
        ("permissive types", V::PERMISSIVE, db.permissive.len()),
        ("bounds of types, roles or users", V::BOUNDARY, bounds),
        ("filename transitions", V::FILENAME_TRANS, db.filename_transitions.len()),
        (
            "role transitions of classes other than process",
            V::ROLETRANS,
            db.role_transitions
                .iter()
                .filter(|it| it.class.is_some() && it.class != process)
                .count(),
        ),
        (
            "classes with default_user, default_role or default_range",
            V::NEW_OBJECT_DEFAULTS,
            defaults,
        ),
        (
            "default_type statements",
            V::DEFAULT_TYPE,
            classes().filter(|it| it.default_type.is_some()).count(),
        ),
        ("extended permission rules", V::XPERMS, xperms(&mut db.rules.iter().chain(conditional()))),
        ("devicetreecon statements", V::XPERMS, contexts.device_tree.len()),
        ("iomemcon statements above 32 bits", V::XPERMS, wide),
        ("ibpkeycon statements", V::INFINIBAND, contexts.ibpkeys.len()),
        ("ibendportcon statements", V::INFINIBAND, contexts.ibendports.len()),
        (
            "default_range glblub statements",
            V::GLBLUB,
            classes().filter(|it| it.default_range == Some(DefaultRange::Glblub)).count(),
        ),
        (
            "conditional extended permission rules",
            V::CONDITIONAL_XPERMS,
            xperms(&mut conditional()),
        ),
        ("neveraudit types", V::NEVERAUDIT, db.neveraudit.len()),
    ];
    counts
        .into_iter()
        .filter(|&(_, since, count)| count > 0 && version < since)
        .map(|(statement, since, count)| Unsupported { statement, count, since })
        .collect()
}

/// Takes out of the policy what `version` cannot hold, as checkpolicy does with a warning. MLS cannot be taken out:
/// writing still refuses it.
pub fn drop_unsupported(db: &mut PolicyDb, version: PolicyVersion) {
    use PolicyVersion as V;
    let process = db.classes.id("process");
    let not_process = |class: Option<ClassId>| class.is_some() && class != process;
    if version < V::BOOL {
        db.booleans = SymbolTable::empty();
        db.conditionals.clear();
    }
    if version < V::IPV6 {
        db.object_contexts.nodes6.clear();
    }
    if version < V::RANGETRANS {
        db.range_transitions.retain(|it| !not_process(it.class));
    }
    if version < V::POLICY_CAPABILITIES {
        db.policy_capabilities = Ebitmap::new();
    }
    if version < V::PERMISSIVE {
        db.permissive = Ebitmap::new();
    }
    if version < V::BOUNDARY {
        db.types.update(|it| it.bounds = None);
        db.roles.update(|it| it.bounds = None);
        db.users.update(|it| it.bounds = None);
    }
    if version < V::FILENAME_TRANS {
        db.filename_transitions = FilenameTransitions::default();
    }
    if version < V::ROLETRANS {
        db.role_transitions.retain(|it| !not_process(it.class));
    }
    db.classes.update(|class| {
        if version < V::VALIDATETRANS {
            class.validatetrans.clear();
        }
        if version < V::NEW_OBJECT_DEFAULTS {
            (class.default_user, class.default_role, class.default_range) = (None, None, None);
        }
        if version < V::DEFAULT_TYPE {
            class.default_type = None;
        }
        if version < V::GLBLUB && class.default_range == Some(DefaultRange::Glblub) {
            class.default_range = None;
        }
    });
    drop_xperms(db, version);
    if version < V::XPERMS {
        db.object_contexts.device_tree.clear();
        db.object_contexts.iomems.retain(|it| it.high <= u64::from(u32::MAX));
    }
    if version < V::INFINIBAND {
        db.object_contexts.ibpkeys.clear();
        db.object_contexts.ibendports.clear();
    }
    if version < V::NEVERAUDIT {
        db.neveraudit = Ebitmap::new();
    }
}

fn drop_xperms(db: &mut PolicyDb, version: PolicyVersion) {
    if version < PolicyVersion::XPERMS || db.target == Target::Xen {
        db.rules.retain(|it| !it.kind.is_xperm());
    }
    if version < PolicyVersion::CONDITIONAL_XPERMS {
        for conditional in &mut db.conditionals {
            conditional.when_true.retain(|it| !it.kind.is_xperm());
            conditional.when_false.retain(|it| !it.kind.is_xperm());
        }
    }
}

/// The policy with an entry for each attribute, which below version 24 is only a value: `attribute_` and that value.
pub(crate) fn with_attribute_names(db: &PolicyDb) -> PolicyDb {
    let mut nameless = Ebitmap::new();
    for attributes in &db.type_attributes {
        for id in attributes.ids::<TypeId>().filter(|&id| db.types.get(id).is_none()) {
            nameless.insert(id.bit());
        }
    }
    let ruled = db
        .rules
        .iter()
        .chain(db.conditionals.iter().flat_map(|it| it.when_true.iter().chain(&it.when_false)));
    for id in ruled.flat_map(|it| [it.source, it.target]).filter(|&id| db.types.get(id).is_none()) {
        nameless.insert(id.bit());
    }
    let mut types: Vec<TypeDatum> = db.types.iter().cloned().collect();
    for id in nameless.ids::<TypeId>() {
        let mut name = format!("attribute_{id}");
        while db.types.find(&name).is_some() {
            name.push('_');
        }
        let name = name.into_boxed_str();
        types.push(TypeDatum { name, id, primary: true, attribute: true, bounds: None });
    }
    let mut named = db.clone();
    if let Ok(types) = SymbolTable::new(db.types.nprim(), types) {
        named.types = types;
    }
    named
}

/// Writes the rules below version 20, where attributes are expanded into their types. Memory stays at one source
/// type's rules: the table is expanded twice, first to count.
pub(crate) fn write_expanded(
    db: &PolicyDb,
    w: &mut Writer<'_>,
    version: PolicyVersion,
) -> io::Result<()> {
    let members = Members::of(db);
    write_expanded_list(w, &members, &db.rules, avtab::OldEntries::Joined)?;
    if version >= PolicyVersion::BOOL {
        w.count(db.conditionals.len())?;
        for conditional in &db.conditionals {
            conditional.write_head(w)?;
            for rules in [&conditional.when_true, &conditional.when_false] {
                write_expanded_list(w, &members, rules, avtab::OldEntries::Single)?;
            }
        }
    }
    Ok(())
}

/// Member types of every type and attribute; a type's only member is itself.
struct Members<'a> {
    db: &'a PolicyDb,
    of: Vec<Vec<TypeId>>,
}

impl<'a> Members<'a> {
    fn of(db: &'a PolicyDb) -> Self {
        let mut members = vec![Vec::new(); db.types.nprim() as usize];
        for (bit, attributes) in (0..).zip(&db.type_attributes) {
            let Some(id) = TypeId::from_bit(bit) else { continue };
            if db.types.get(id).is_none_or(|it| it.attribute) {
                continue;
            }
            for attribute in attributes.ids::<TypeId>().filter(|&attribute| attribute != id) {
                if let Some(list) = members.get_mut(attribute.index()) {
                    list.push(id);
                }
            }
            if let Some(list) = members.get_mut(id.index()) {
                list.push(id);
            }
        }
        Self { db, of: members }
    }

    /// The types, attributes left out.
    fn types(&self) -> impl Iterator<Item = TypeId> {
        self.db.types.by_value().filter(|it| !it.attribute).map(|it| it.id)
    }

    fn of_type(&self, id: TypeId) -> &[TypeId] {
        self.of.get(id.index()).map_or(&[], Vec::as_slice)
    }
}

/// One source's expanded rules: by target, class, kind of datum and place in an entry.
type Row = BTreeMap<(TypeId, ClassId, bool, usize), AvRule>;

fn write_expanded_list(
    w: &mut Writer<'_>,
    members: &Members<'_>,
    rules: &[AvRule],
    entries: avtab::OldEntries,
) -> io::Result<()> {
    // By the source that is named: what a type expands to is gathered when its turn comes.
    let mut by_source: BTreeMap<TypeId, Vec<&AvRule>> = BTreeMap::new();
    for rule in rules {
        by_source.entry(rule.source).or_default().push(rule);
    }
    let rows = || members.types().map(|source| members.row(source, &by_source));
    let joins = |a: &AvRule, b: &AvRule| {
        entries == avtab::OldEntries::Joined
            && (a.target, a.class(), a.kind.is_type()) == (b.target, b.class(), b.kind.is_type())
    };
    let count = rows().map(|row| row.chunk_by(joins).count()).sum();
    w.count(count)?;
    for row in rows() {
        row.chunk_by(joins).try_for_each(|entry| avtab::write_old_entry(w, entry))?;
    }
    Ok(())
}

impl Members<'_> {
    /// The expanded rules of one source type.
    fn row(&self, source: TypeId, by_source: &BTreeMap<TypeId, Vec<&AvRule>>) -> Vec<AvRule> {
        let mut row = Row::new();
        let attributes = self.db.type_attributes.get(source.index());
        let others = attributes.into_iter().flat_map(|it| it.ids()).filter(|&it| it != source);
        let rules = others.chain([source]).filter_map(|it| by_source.get(&it)).flatten();
        for rule in rules {
            let Some(place) = avtab::old_place(rule.kind) else { continue };
            for &target in self.of_type(rule.target) {
                let key = (target, rule.class(), rule.kind.is_type(), place);
                let expanded = rule.between(source, target);
                row.entry(key).and_modify(|old| old.merge(rule)).or_insert(expanded);
            }
        }
        row.into_values().collect()
    }
}

impl AvRule {
    /// Joins the permissions of a rule with the same key. Of `dontaudit` the datum holds what *is* audited.
    fn merge(&mut self, other: &Self) {
        let (a, b) = (self.datum(), other.datum());
        match self.kind {
            RuleKind::Allow | RuleKind::AuditAllow => self.set_datum(a | b),
            RuleKind::DontAudit => self.set_datum(a & b),
            _ => {}
        }
    }
}
