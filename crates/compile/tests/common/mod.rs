//! A policy as lines that do not depend on how symbols are numbered.

use std::collections::BTreeSet;

use mandate_policydb::{AvRule, Context, Ebitmap, PolicyDb, SymbolId, TypeId};

struct Names<'a> {
    db: &'a PolicyDb,
    /// Members of each type's value.
    members: Vec<Vec<String>>,
}

impl<'a> Names<'a> {
    fn new(db: &'a PolicyDb) -> Self {
        let mut members = vec![Vec::new(); db.types.nprim() as usize];
        for (index, attributes) in db.type_attributes.iter().enumerate() {
            let Some(datum) = TypeId::from_bit(u32::try_from(index).unwrap())
                .and_then(|id| db.types.get(id))
                .filter(|it| !it.attribute)
            else {
                continue;
            };
            for attribute in attributes.iter() {
                members[attribute as usize].push(datum.name.to_string());
            }
        }
        members.iter_mut().for_each(|it| it.sort());
        Self { db, members }
    }

    /// A type's name. Attributes have none below version 24: there it is what they hold.
    fn type_(&self, id: TypeId) -> String {
        match self.db.types.get(id) {
            Some(datum) => datum.name.to_string(),
            None => format!("{{{}}}", self.members[id.index()].join(" ")),
        }
    }

    fn types(&self, set: &Ebitmap) -> String {
        let names: BTreeSet<String> = set.ids().map(|id| self.type_(id)).collect();
        names.into_iter().collect::<Vec<_>>().join(" ")
    }

    fn roles(&self, set: &Ebitmap) -> String {
        let names: BTreeSet<String> =
            set.ids().map(|id| self.db.roles.name(id).into_owned()).collect();
        names.into_iter().collect::<Vec<_>>().join(" ")
    }

    fn rule(&self, rule: &AvRule) -> String {
        let db = self.db;
        let (source, target) = (self.type_(rule.source), self.type_(rule.target));
        let class = db.classes.name(rule.class());
        let what = match (rule.default_type(), db.xperms.of(rule)) {
            (Some(type_), _) => self.type_(type_),
            (None, Some(permissions)) => permissions.to_statement(),
            (None, None) => {
                let mask = db.permission_mask(rule.class());
                db.permission_names(rule.class(), rule.permissions() & mask).join(" ")
            }
        };
        format!("{} {source} {target}:{class} {what} {}", rule.kind.keyword(), rule.enabled)
    }

    fn context(&self, context: &Context) -> String {
        self.db.context_to_string(context)
    }
}

/// The policy as sorted lines; lists whose order decides are one line.
pub(crate) fn canonical(db: &PolicyDb) -> Vec<String> {
    let names = Names::new(db);
    let mut lines = vec![format!(
        "{:?} {} {:?} {:?}",
        db.target,
        db.mls,
        db.handle_unknown,
        db.capability_names()
    )];
    symbols(db, &names, &mut lines);
    rules(db, &names, &mut lines);
    contexts(db, &names, &mut lines);
    lines.sort();
    lines
}

fn symbols(db: &PolicyDb, names: &Names<'_>, lines: &mut Vec<String>) {
    for class in db.classes.iter() {
        let permissions: Vec<&str> = db.permissions(class.id).map(|it| &*it.name).collect();
        lines.push(format!("class {} {:?} {permissions:?}", class.name, class.common));
        lines.push(format!(
            "defaults {} {:?} {:?} {:?} {:?}",
            class.name,
            class.default_user,
            class.default_role,
            class.default_range,
            class.default_type
        ));
        for constraint in class.constraints.iter().chain(&class.validatetrans) {
            lines.push(sorted_sets(&db.constraint_to_string(class.id, constraint)));
        }
    }
    for role in db.roles.iter() {
        let (dominates, types) = (names.roles(&role.dominates), names.types(&role.types));
        let bounds = role.bounds.map(|id| db.roles.name(id).into_owned());
        lines.push(format!("role {} [{dominates}] [{types}] {bounds:?}", role.name));
    }
    for type_ in db.types.iter() {
        let bounds = type_.bounds.map(|id| names.type_(id));
        let of = names.type_(type_.id);
        lines.push(format!("type {} {of} {} {bounds:?}", type_.name, type_.attribute));
    }
    for (index, attributes) in db.type_attributes.iter().enumerate() {
        let id = TypeId::from_bit(u32::try_from(index).unwrap()).unwrap();
        let is_type = db.types.get(id).is_some_and(|it| !it.attribute);
        if is_type {
            lines.push(format!("attributes {} [{}]", names.type_(id), names.types(attributes)));
        }
    }
    for user in db.users.iter() {
        let range = user.range.as_ref().map(|it| db.range_to_string(it));
        let level = user.default_level.as_ref().map(|it| db.level_to_string(it));
        let bounds = user.bounds.map(|id| db.users.name(id).into_owned());
        let roles = names.roles(&user.roles);
        lines.push(format!("user {} [{roles}] {range:?} {level:?} {bounds:?}", user.name));
    }
    for boolean in db.booleans.iter() {
        lines.push(format!("bool {} {}", boolean.name, boolean.state));
    }
    for it in db.sensitivities.iter() {
        let categories: Vec<u32> = it.categories.iter().collect();
        lines.push(format!("sensitivity {} {} {} {categories:?}", it.name, it.id, it.alias));
    }
    for it in db.categories.iter() {
        lines.push(format!("category {} {} {}", it.name, it.id, it.alias));
    }
    for (word, set) in [("permissive", &db.permissive), ("neveraudit", &db.neveraudit)] {
        for id in set.iter().filter_map(TypeId::from_value) {
            lines.push(format!("{word} {}", names.type_(id)));
        }
    }
}

/// The names within braces in the order of the alphabet.
fn sorted_sets(text: &str) -> String {
    let mut parts = text.split('{');
    let mut sorted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (names, rest) = part.split_once('}').unwrap();
        let names: BTreeSet<&str> = names.split_whitespace().collect();
        sorted += &format!("{{ {} }}{rest}", names.into_iter().collect::<Vec<_>>().join(" "));
    }
    sorted
}

fn rules(db: &PolicyDb, names: &Names<'_>, lines: &mut Vec<String>) {
    lines.extend(db.rules.iter().map(|rule| names.rule(rule)));
    for block in &db.conditionals {
        let condition = db.condition_to_string(block);
        lines.push(format!("if {condition} {:?}", block.state));
        for (list, branch) in [(&block.when_true, true), (&block.when_false, false)] {
            for rule in list {
                lines.push(format!("if {condition} {branch} {}", names.rule(rule)));
            }
        }
    }
    for it in &db.role_allows {
        lines.push(format!("allow {} {}", db.roles.name(it.role), db.roles.name(it.new_role)));
    }
    for it in &db.role_transitions {
        let class = it.class.map_or("process".into(), |id| db.classes.name(id));
        let (role, new) = (db.roles.name(it.role), db.roles.name(it.new_role));
        lines.push(format!("role_transition {role} {}:{class} {new}", names.type_(it.type_)));
    }
    for it in &db.range_transitions {
        let class = it.class.map_or("process".into(), |id| db.classes.name(id));
        let (source, target) = (names.type_(it.source), names.type_(it.target));
        let range = db.range_to_string(&it.range);
        lines.push(format!("range_transition {source} {target}:{class} {range}"));
    }
    for it in db.filename_transitions.to_singles().iter() {
        lines.push(format!(
            "type_transition {} {}:{} {} {:?}",
            names.type_(it.source),
            names.type_(it.target),
            db.classes.name(it.class),
            names.type_(it.default_type),
            String::from_utf8_lossy(&it.name)
        ));
    }
}

fn contexts(db: &PolicyDb, names: &Names<'_>, lines: &mut Vec<String>) {
    let all = &db.object_contexts;
    let context = |it: &Context| names.context(it);
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    lines.extend(
        all.initial_sids.iter().map(|it| format!("sid {} {}", it.sid, context(&it.context))),
    );
    for it in all.netifs.iter().chain(&all.filesystems) {
        let (a, b) = (context(&it.context), context(&it.second));
        lines.push(format!("pair {} {a} {b}", text(&it.name)));
    }
    for it in &all.fs_uses {
        lines.push(format!("fs_use {:?} {} {}", it.behavior, text(&it.name), context(&it.context)));
    }
    let ports = all.ports.iter();
    let ports =
        ports.map(|it| format!("{} {}-{} {}", it.protocol, it.low, it.high, context(&it.context)));
    lines.push(format!("ports {:?}", ports.collect::<Vec<_>>()));
    let nodes = all.nodes.iter();
    let nodes = nodes.map(|it| format!("{} {} {}", it.address, it.mask, context(&it.context)));
    lines.push(format!("nodes {:?}", nodes.collect::<Vec<_>>()));
    let nodes = all.nodes6.iter();
    let nodes = nodes.map(|it| format!("{} {} {}", it.address, it.mask, context(&it.context)));
    lines.push(format!("nodes6 {:?}", nodes.collect::<Vec<_>>()));
    for it in &all.ibpkeys {
        let (low, high) = (it.low, it.high);
        lines.push(format!("ibpkey {:x} {low}-{high} {}", it.subnet_prefix, context(&it.context)));
    }
    for it in &all.ibendports {
        lines.push(format!("ibendport {} {} {}", text(&it.device), it.port, context(&it.context)));
    }
    for (word, list) in [
        ("pirq", &all.pirqs),
        ("ioport", &all.ioports),
        ("iomem", &all.iomems),
        ("pci", &all.pci_devices),
    ] {
        for it in list {
            lines.push(format!("{word} {:x}-{:x} {}", it.low, it.high, context(&it.context)));
        }
    }
    for it in &all.device_tree {
        lines.push(format!("devicetree {} {}", text(&it.path), context(&it.context)));
    }
    for genfs in &db.genfs {
        let paths = genfs.paths.iter().map(|it| {
            let class = it.class.map(|id| db.classes.name(id).into_owned());
            format!("{} {class:?} {}", text(&it.path), context(&it.context))
        });
        lines.push(format!("genfs {} {:?}", text(&genfs.fstype), paths.collect::<Vec<_>>()));
    }
}
