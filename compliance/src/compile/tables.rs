//! What a binary policy says, as sets of sentences with names in them: two policies that number their symbols
//! differently still say the same.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use mandate_policydb::{
    ClassDatum, ClassId, Context as Label, Datum, Ebitmap, GenfsDatum, PolicyDb, SymbolId,
    SymbolTable, TypeId, Unvalidated,
};

/// One kind of sentence: what it is called, and how they are read off a policy.
type Table = (&'static str, fn(&PolicyDb) -> BTreeSet<String>);

/// Everything but the rules, which the canonical text compares.
pub const TABLES: [Table; 11] = [
    ("classes and permissions", classes),
    ("types, attributes and members", types),
    ("roles", roles),
    ("users", users),
    ("booleans", booleans),
    ("sensitivities and categories", levels),
    ("filename transitions", filename_transitions),
    ("range transitions", range_transitions),
    ("role transitions and allows", role_rules),
    ("constraints", constraints),
    ("contexts of objects", object_contexts),
];

/// Reads a binary policy.
///
/// # Errors
/// When it is refused.
pub fn read(path: &std::path::Path) -> Result<PolicyDb> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let policy = Unvalidated::read(&bytes)?.validate();
    Ok(policy.with_context(|| path.display().to_string())?.into_db())
}

/// How many rules a policy has, those of conditional blocks among them.
#[must_use]
pub fn rules(db: &PolicyDb) -> usize {
    let blocks = db.conditionals.iter().map(|it| it.when_true.len() + it.when_false.len());
    db.rules.len() + blocks.sum::<usize>()
}

fn names<T: Datum>(table: &SymbolTable<T>, bits: &Ebitmap) -> String {
    let mut names: Vec<_> = bits.ids().map(|id| table.name(id).into_owned()).collect();
    names.sort_unstable();
    names.join(" ")
}

fn classes(db: &PolicyDb) -> BTreeSet<String> {
    let one = |class: &ClassDatum| {
        let ClassDatum {
            name, id, default_user, default_role, default_range, default_type, ..
        } = class;
        let defaults =
            format!("{default_user:?} {default_role:?} {default_range:?} {default_type:?}");
        let perms = db.permission_names(*id, u32::MAX).join(" ");
        format!("class {name} {} {{ {perms} }} {defaults}", id.value())
    };
    let mut all: BTreeSet<String> = db.classes.iter().map(one).collect();
    all.insert(format!("unknown {:?}, MLS {}", db.handle_unknown, db.mls));
    all.extend(db.capability_names().into_iter().map(|name| format!("policycap {name}")));
    // This bitmap alone counts values, not bits.
    let permissive = db.permissive.iter().filter_map(TypeId::from_value);
    all.extend(permissive.map(|id| format!("permissive {}", db.types.name(id))));
    all
}

fn types(db: &PolicyDb) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for datum in db.types.iter() {
        let stands_for = db.types.name(datum.id);
        let kind = if datum.attribute { "attribute" } else { "type" };
        all.insert(format!("{kind} {} = {stands_for}", datum.name));
        if let Some(bounds) = datum.bounds {
            all.insert(format!("typebounds {} {}", db.types.name(bounds), datum.name));
        }
        let attributes = db.type_attributes.get(datum.id.index());
        for attribute in attributes.into_iter().flat_map(Ebitmap::ids::<TypeId>) {
            if attribute != datum.id && !datum.attribute {
                all.insert(format!("typeattribute {} {}", datum.name, db.types.name(attribute)));
            }
        }
    }
    all
}

fn roles(db: &PolicyDb) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for role in db.roles.iter() {
        let bounds = role.bounds.map(|id| db.roles.name(id));
        all.insert(format!("role {} bounds {bounds:?}", role.name));
        for id in role.types.ids::<TypeId>() {
            all.insert(format!("role {} types {}", role.name, db.types.name(id)));
        }
    }
    all
}

fn users(db: &PolicyDb) -> BTreeSet<String> {
    let user = |it: &mandate_policydb::UserDatum| {
        let range = it.range.as_ref().map(|range| db.range_to_string(range));
        let level = it.default_level.as_ref().map(|level| db.level_to_string(level));
        format!("user {} {{ {} }} {level:?} {range:?}", it.name, names(&db.roles, &it.roles))
    };
    db.users.iter().map(user).collect()
}

fn booleans(db: &PolicyDb) -> BTreeSet<String> {
    db.booleans.iter().map(|it| format!("bool {} {}", it.name, it.state)).collect()
}

fn levels(db: &PolicyDb) -> BTreeSet<String> {
    let sensitivity = |it: &mandate_policydb::SensitivityDatum| {
        format!(
            "level {} {} {{ {} }}",
            it.name,
            it.id.value(),
            names(&db.categories, &it.categories)
        )
    };
    let category =
        |it: &mandate_policydb::CategoryDatum| format!("category {} {}", it.name, it.id.value());
    let sensitivities = db.sensitivities.iter().map(sensitivity);
    sensitivities.chain(db.categories.iter().map(category)).collect()
}

fn class(db: &PolicyDb, class: Option<ClassId>) -> String {
    class.map_or_else(|| "process".to_owned(), |id| db.classes.name(id).into_owned())
}

fn filename_transitions(db: &PolicyDb) -> BTreeSet<String> {
    let one = |it: &mandate_policydb::FilenameTransition| {
        let name = |id| db.types.name(id);
        let (source, target, default) = (name(it.source), name(it.target), name(it.default_type));
        let object = String::from_utf8_lossy(&it.name).into_owned();
        format!("{source} {target} {} {object:?} {default}", db.classes.name(it.class))
    };
    db.filename_transitions.to_singles().iter().map(one).collect()
}

fn range_transitions(db: &PolicyDb) -> BTreeSet<String> {
    let one = |it: &mandate_policydb::RangeTransition| {
        let (source, target) = (db.types.name(it.source), db.types.name(it.target));
        format!("{source} {target} {} {}", class(db, it.class), db.range_to_string(&it.range))
    };
    db.range_transitions.iter().map(one).collect()
}

fn role_rules(db: &PolicyDb) -> BTreeSet<String> {
    let transition = |it: &mandate_policydb::RoleTransition| {
        let (role, new) = (db.roles.name(it.role), db.roles.name(it.new_role));
        format!("role_transition {role} {} {} {new}", db.types.name(it.type_), class(db, it.class))
    };
    let allow = |it: &mandate_policydb::RoleAllow| {
        format!("allow {} {}", db.roles.name(it.role), db.roles.name(it.new_role))
    };
    db.role_transitions.iter().map(transition).chain(db.role_allows.iter().map(allow)).collect()
}

fn constraints(db: &PolicyDb) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for class in db.classes.iter() {
        for constraint in class.constraints.iter().chain(&class.validatetrans) {
            all.insert(db.constraint_to_string(class.id, constraint));
        }
    }
    all
}

fn object_contexts(db: &PolicyDb) -> BTreeSet<String> {
    let text = |context: &Label| db.context_to_string(context);
    let objects = &db.object_contexts;
    let mut all = BTreeSet::new();
    for it in &objects.initial_sids {
        all.insert(format!("sid {} {}", it.sid, text(&it.context)));
    }
    for it in &objects.ports {
        all.insert(format!("portcon {} {}-{} {}", it.protocol, it.low, it.high, text(&it.context)));
    }
    for it in &objects.netifs {
        let name = String::from_utf8_lossy(&it.name);
        all.insert(format!("netifcon {name} {} {}", text(&it.context), text(&it.second)));
    }
    for it in &objects.nodes {
        all.insert(format!("nodecon {} {} {}", it.address, it.mask, text(&it.context)));
    }
    for it in &objects.nodes6 {
        all.insert(format!("nodecon {} {} {}", it.address, it.mask, text(&it.context)));
    }
    for it in &objects.fs_uses {
        let name = String::from_utf8_lossy(&it.name);
        all.insert(format!("fs_use {:?} {name} {}", it.behavior, text(&it.context)));
    }
    all.extend(db.genfs.iter().flat_map(|it| genfs(db, it)));
    all
}

fn genfs(db: &PolicyDb, filesystem: &GenfsDatum) -> Vec<String> {
    let name = String::from_utf8_lossy(&filesystem.fstype).into_owned();
    let one = |it: &mandate_policydb::GenfsPath| {
        let path = String::from_utf8_lossy(&it.path);
        let class = it.class.map(|id| db.classes.name(id));
        format!("genfscon {name} {path} {class:?} {}", db.context_to_string(&it.context))
    };
    filesystem.paths.iter().map(one).collect()
}
