//! What a module holds that a version cannot.

use crate::package::WriteError;
use crate::package::blocks::Branch;
use crate::package::db::Db;
use crate::package::form::{Form, ModuleVersion};
use crate::package::rules::{Rule, SELF, TYPE_RULES, XPERMS};
use crate::package::symbols::{Flavor, NEVERAUDIT, PERMISSIVE, TUNABLE};

/// Can this version hold the module?
pub(crate) fn check(db: &Db, version: ModuleVersion) -> Result<(), WriteError> {
    let form = Form { version, ..db.form };
    match stands_in_the_way(db, form) {
        Some(what) => Err(WriteError::NotInVersion { version, what }),
        None => Ok(()),
    }
}

fn stands_in_the_way(db: &Db, form: Form) -> Option<String> {
    let lacks = |since: ModuleVersion| !form.has(since);
    let fixed = |what: &str| Some(what.to_owned());
    if lacks(ModuleVersion::MLS) && db.mls() {
        return fixed("MLS");
    }
    if lacks(ModuleVersion::CAPABILITIES) && !db.capabilities.is_empty() {
        return fixed("policy capabilities");
    }
    let types = || db.symbols.types.entries.iter();
    if lacks(ModuleVersion::NEVERAUDIT)
        && let Some(it) = types().find(|it| it.flags & NEVERAUDIT != 0)
    {
        return Some(format!("`neveraudit {}`", it.name));
    }
    if lacks(ModuleVersion::PERMISSIVE)
        && let Some(it) = types().find(|it| it.flags & PERMISSIVE != 0)
    {
        return Some(format!("`permissive {}`", it.name));
    }
    let tunables = || db.symbols.booleans.entries.iter().filter(|it| it.flags & TUNABLE != 0);
    if lacks(ModuleVersion::TUNABLES)
        && let Some(it) = tunables().next()
    {
        return Some(format!("tunable `{}`", it.name));
    }
    classes(db, form).or_else(|| db.all_branches().find_map(|it| branch(db, it, form)))
}

fn classes(db: &Db, form: Form) -> Option<String> {
    for class in db.symbols.classes.entries.iter().filter(|_| form.base) {
        let [user, role, range, type_] = class.defaults;
        let name = &class.name;
        if !form.has(ModuleVersion::OBJECT_DEFAULTS) && user.max(role).max(range) > 0 {
            return Some(format!("the defaults of class `{name}`"));
        }
        if !form.has(ModuleVersion::DEFAULT_TYPE) && type_ > 0 {
            return Some(format!("`default_type` of class `{name}`"));
        }
        if !form.has(ModuleVersion::GLBLUB) && range == 7 {
            return Some(format!("`default_range {name} glblub`"));
        }
        if !form.has(ModuleVersion::MLS) && !class.validatetrans.is_empty() {
            return Some(format!("`validatetrans` of class `{name}`"));
        }
    }
    let contexts = &db.contexts;
    let infiniband = contexts.ibpkeys.is_empty() && contexts.ibendports.is_empty();
    (!form.has(ModuleVersion::INFINIBAND) && !infiniband)
        .then(|| "ibpkeycon and ibendportcon".into())
}

fn branch(db: &Db, branch: &Branch, form: Form) -> Option<String> {
    let lacks = |since: ModuleVersion| !form.has(since);
    let whole = branch.id == 1;
    let tables = [Some(&branch.symbols), whole.then_some(&db.symbols)];
    for symbols in tables.into_iter().flatten() {
        let bounded = symbols.types.entries.iter().find(|it| it.bounds != 0).map(|it| &it.name);
        let bounded = bounded
            .or_else(|| symbols.roles.entries.iter().find(|it| it.bounds != 0).map(|it| &it.name))
            .or_else(|| symbols.users.entries.iter().find(|it| it.bounds != 0).map(|it| &it.name));
        if let (true, Some(name)) = (lacks(ModuleVersion::BOUNDARY), bounded) {
            return Some(format!("the bounds of `{name}`"));
        }
        let attribute = symbols.roles.entries.iter().find(|it| it.is_attribute());
        if let (true, Some(it)) = (lacks(ModuleVersion::ROLE_ATTRIBUTES), attribute) {
            return Some(format!("role attribute `{}`", it.name));
        }
        if lacks(ModuleVersion::ATTRIBUTES_OF_ATTRIBUTES) {
            let attributes = db.symbols.types.entries.iter();
            let attributes: mandate_policydb::Ebitmap = attributes
                .filter(|it| it.flavor == Flavor::Attribute)
                .filter_map(|it| it.value.checked_sub(1))
                .collect();
            let mut all = symbols.types.entries.iter();
            let inner = |it: &&crate::package::symbols::Type| {
                it.flavor == Flavor::Attribute && !it.types.intersection(&attributes).is_empty()
            };
            if let Some(it) = all.find(inner) {
                return Some(format!("attributes within attribute `{}`", it.name));
            }
        }
    }
    if lacks(ModuleVersion::FILENAME_TRANS)
        && let Some(it) = branch.filename_transitions.first()
    {
        return Some(format!("the type transition for the name `{}`", it.name));
    }
    if lacks(ModuleVersion::RANGE_RULES) && !branch.range_transitions.is_empty() {
        return Some("range transitions".into());
    }
    let process = db.symbols.classes.find("process").map_or(0, |it| it.value);
    let other = |it: &crate::package::rules::RoleTransition| {
        it.classes.iter().any(|bit| bit + 1 != process)
    };
    if lacks(ModuleVersion::ROLE_TRANS) && branch.role_transitions.iter().any(other) {
        return Some("role transitions for other classes than process".into());
    }
    let named_self = branch.filename_transitions.iter().any(|it| it.flags & SELF != 0);
    if lacks(ModuleVersion::SELF_TYPE_RULES) && named_self {
        return Some("`self` in type transitions".into());
    }
    let conditional = branch.conditionals.iter().flat_map(|it| it.then.iter().chain(&it.otherwise));
    let mut conditional = conditional;
    rules(&branch.rules, form)
        .or_else(|| branch.conditionals.iter().find_map(|it| rules(&it.then, form)))
        .or_else(|| branch.conditionals.iter().find_map(|it| rules(&it.otherwise, form)))
        .or_else(|| {
            let xperms = conditional.any(|it| it.kind & XPERMS != 0);
            (lacks(ModuleVersion::CONDITIONAL_XPERMS) && xperms)
                .then(|| "extended permissions in conditional blocks".into())
        })
}

fn rules(rules: &[Rule], form: Form) -> Option<String> {
    let xperms = |it: &&Rule| it.kind & XPERMS != 0;
    if !form.has(ModuleVersion::XPERMS) && rules.iter().any(|it| xperms(&it)) {
        return Some("extended permissions".into());
    }
    let own = |it: &Rule| it.kind & TYPE_RULES != 0 && it.flags & SELF != 0;
    (!form.has(ModuleVersion::SELF_TYPE_RULES) && rules.iter().any(own))
        .then(|| "`self` in type rules".into())
}

impl Db {
    /// Every branch of every block.
    pub(crate) fn all_branches(&self) -> impl Iterator<Item = &Branch> {
        self.blocks.iter().flat_map(|it| &it.branches)
    }
}
