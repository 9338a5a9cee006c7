//! `can` and `cannot`: decisions.

use mandate_policydb::{ClassId, Context, MlsLevel, MlsRange, PolicyDb, RoleId, UserId};
use mandate_server::{Denial, Engine, PermissionExplanation, Query};
use serde::Deserialize;

use crate::assertions::error::{Fault, Problem};
use crate::assertions::file::{Name, Names, Settings};
use crate::assertions::xperm::{self, Commands};
use crate::assertions::{Breach, Claim, Tested, listed};
use crate::lookup;

/// What a decision is asked about.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Can {
    pub(crate) name: Option<String>,
    source: Name,
    target: Name,
    class: Name,
    permissions: Option<Names>,
    xperm: Option<Names>,
    booleans: Option<Settings>,
}

/// The same, where nothing may be allowed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cannot {
    pub(crate) name: Option<String>,
    source: Name,
    target: Name,
    class: Name,
    permissions: Option<Names>,
    xperm: Option<Names>,
    booleans: Option<Settings>,
}

/// Source and target: contexts, or types in contexts that no constraint is asked about.
pub(crate) struct Pair {
    pub(crate) source: Context,
    pub(crate) target: Context,
    pub(crate) by_type: bool,
}

impl Pair {
    pub(crate) fn new(db: &PolicyDb, source: &Name, target: &Name) -> Result<Self, Fault> {
        let by_type = !is_context(source);
        if is_context(target) == by_type {
            return Err(Fault::new(target, Problem::Mixed));
        }
        Ok(Self { source: context(db, source)?, target: context(db, target)?, by_type })
    }
}

pub(crate) fn is_context(name: &Name) -> bool {
    name.get_ref().contains(':')
}

/// A context, or one that stands for a type.
pub(crate) fn context(db: &PolicyDb, name: &Name) -> Result<Context, Fault> {
    if is_context(name) {
        return Fault::at(name, lookup::context(db, name.get_ref()));
    }
    let type_ = Fault::at(name, lookup::type_(db, name.get_ref()))?;
    let first = db.users.by_value().next().map(|it| it.id);
    let unknown = || Fault::new(name, Problem::Form("the policy has no user".to_owned()));
    let user: UserId = first.ok_or_else(unknown)?;
    Ok(Context { user, role: RoleId::OBJECT, type_, range: lowest(db) })
}

fn lowest(db: &PolicyDb) -> Option<MlsRange> {
    let sensitivity = db.sensitivities.by_value().map(|it| it.id).min()?;
    let level = MlsLevel { sensitivity, categories: mandate_policydb::Ebitmap::new() };
    db.mls.then(|| MlsRange::single(level))
}

/// The bits of these permissions.
fn permissions(db: &PolicyDb, class: ClassId, names: &Names) -> Result<u32, Fault> {
    let mut bits = 0;
    for name in names.get_ref().as_slice() {
        bits |= match name.as_str() {
            "*" => db.permission_mask(class),
            _ => Fault::at(names, lookup::permission(db, class, name))?,
        };
    }
    if bits == 0 { Err(Fault::new(names, Problem::NoNames)) } else { Ok(bits) }
}

/// What an assertion is about: permissions, and commands of which each counts beside the permission it is under.
pub(crate) struct What {
    pub(crate) bits: u32,
    pub(crate) commands: Vec<Commands>,
}

impl What {
    pub(crate) fn new(
        db: &PolicyDb,
        class: ClassId,
        names: Option<&Names>,
        xperm: Option<&Names>,
    ) -> Result<Self, Fault> {
        if names.is_none() && xperm.is_none() {
            return Err(Fault::of_all(Problem::NothingAsked));
        }
        let bits = names.map_or(Ok(0), |it| permissions(db, class, it))?;
        Ok(Self { bits, commands: xperm::commands(db, class, xperm)? })
    }
}

/// Permissions and commands as they were given.
pub(crate) fn asked(permissions: Option<&Names>, xperm: Option<&Names>) -> Vec<String> {
    let names = [permissions, xperm].into_iter().flatten();
    names.flat_map(|it| it.get_ref().as_slice()).cloned().collect()
}

/// What is allowed. Of types only the rules count, and those of the types that bound them.
pub(crate) fn allowed(engine: &Engine, query: &Query<'_>, by_type: bool) -> u32 {
    if by_type { engine.allowed_by_rules(query) } else { engine.decide(query).allowed }
}

/// What there is to say of each of these permissions.
pub(crate) fn explained(
    engine: &Engine,
    query: &Query<'_>,
    by_type: bool,
    bits: u32,
    breach: fn(&Engine, &Query<'_>, bool, &PermissionExplanation) -> Breach,
) -> Vec<Breach> {
    // To explain takes much longer than to decide, and most assertions hold.
    if bits == 0 {
        return Vec::new();
    }
    let explained = engine.explain(query, Some(bits)).permissions;
    explained.iter().map(|it| breach(engine, query, by_type, it)).collect()
}

fn denied_by_rules(denial: &Denial) -> bool {
    match denial {
        Denial::NoRule => true,
        Denial::Bounds { denials, .. } => denials.iter().any(denied_by_rules),
        _ => false,
    }
}

/// Why a permission is denied; the rules are those that would grant it with other booleans.
pub(crate) fn denied(
    engine: &Engine,
    query: &Query<'_>,
    by_type: bool,
    it: &PermissionExplanation,
) -> Breach {
    let db = engine.db();
    let reasons = it.denials.iter().filter(|it| !by_type || denied_by_rules(it));
    let mut reasons: Vec<String> = reasons.map(|it| reason(db, query, it)).collect();
    if !it.inactive.is_empty() {
        reasons.push("booleans turn off".to_owned());
    }
    let (source, target) = (name(db, query.source, by_type), name(db, query.target, by_type));
    let class = db.classes.name(query.class);
    let text = format!(
        "{source} may not {} {class} of {target}: {}",
        it.permission.name,
        reasons.join("; ")
    );
    let bit = it.permission.id.mask();
    Breach { text, rules: it.inactive.iter().map(|&rule| (rule, bit)).collect() }
}

fn reason(db: &PolicyDb, query: &Query<'_>, denial: &Denial) -> String {
    match denial {
        Denial::NoRule => "no allow rule applies".to_owned(),
        Denial::Constraint { constraint, .. } => {
            let text = db.constraint_to_string(query.class, constraint);
            format!("a constraint does not hold, {}", text.trim_end_matches(';'))
        }
        Denial::RoleAllow { from, to } => {
            format!("no role allow lets {} become {}", db.roles.name(*from), db.roles.name(*to))
        }
        Denial::Bounds { source, target, .. } => {
            let (source, target) = (db.types.name(*source), db.types.name(*target));
            format!("{source}, which bounds it, may not do it to {target}")
        }
        other => format!("{other:?}"),
    }
}

/// A context, or the type that it stands for.
pub(crate) fn name(db: &PolicyDb, context: &Context, by_type: bool) -> String {
    if by_type { db.types.name(context.type_).into_owned() } else { db.context_to_string(context) }
}

fn granted(
    engine: &Engine,
    query: &Query<'_>,
    by_type: bool,
    it: &PermissionExplanation,
) -> Breach {
    let db = engine.db();
    let (source, target) = (name(db, query.source, by_type), name(db, query.target, by_type));
    let class = db.classes.name(query.class);
    let bit = it.permission.id.mask();
    Breach {
        text: format!("{source} may {} {class} of {target}", it.permission.name),
        rules: it.grants.iter().map(|&rule| (rule, bit)).collect(),
    }
}

fn text(source: &Name, target: &Name, class: &Name, asked: &[String]) -> String {
    let (source, target) = (source.get_ref(), target.get_ref());
    format!("{source} {target} {} {}", class.get_ref(), listed(asked))
}

/// Commands that may be used although they should not, or the contrary.
fn commands_broken(
    engine: &Engine,
    query: &Query<'_>,
    by_type: bool,
    wanted: bool,
    commands: &Commands,
) -> Vec<Breach> {
    let permitted = allowed(engine, query, by_type) & commands.bit != 0;
    if wanted && !permitted {
        return explained(engine, query, by_type, commands.bit, denied);
    }
    let decide = |number| engine.decide_xperm(query, commands.base, number);
    let usable = |number| permitted && decide(number).allowed;
    let Some(number) = commands.numbers.clone().find(|it| usable(*it) != wanted) else {
        return Vec::new();
    };
    let decision = decide(number);
    let what = commands.told(&(number..=number));
    let (db, class) = (engine.db(), engine.db().classes.name(query.class));
    let (source, target) = (name(db, query.source, by_type), name(db, query.target, by_type));
    let (text, rules) = match wanted {
        true => (
            format!("{source} may not {what} {class} of {target}: no allowxperm rule names it"),
            decision.inactive,
        ),
        false => (format!("{source} may {what} {class} of {target}"), decision.rules),
    };
    let mut breach = Breach { text, rules: rules.into_iter().map(|it| (it, u32::MAX)).collect() };
    if !wanted {
        let granting = explained(engine, query, by_type, commands.bit, granted);
        breach.rules.extend(granting.into_iter().flat_map(|it| it.rules));
    }
    vec![breach]
}

impl Can {
    /// What breaks it, or its contrary.
    fn broken(&self, policy: &Tested<'_>, wanted: bool) -> Result<Vec<Breach>, Fault> {
        let db = policy.db();
        let Pair { source, target, by_type } = Pair::new(db, &self.source, &self.target)?;
        let class = Fault::at(&self.class, lookup::class(db, self.class.get_ref()))?;
        let what = What::new(db, class, self.permissions.as_ref(), self.xperm.as_ref())?;
        let engine = policy.engine_with(self.booleans.as_ref())?;
        let query = Query { source: &source, target: &target, class };
        let given = allowed(&engine, &query, by_type);
        let mut broken = match wanted {
            true => explained(&engine, &query, by_type, what.bits & !given, denied),
            false => explained(&engine, &query, by_type, what.bits & given, granted),
        };
        for it in &what.commands {
            broken.extend(commands_broken(&engine, &query, by_type, wanted, it));
        }
        Ok(broken)
    }
}

impl Claim for Can {
    fn text(&self) -> String {
        let asked = asked(self.permissions.as_ref(), self.xperm.as_ref());
        text(&self.source, &self.target, &self.class, &asked)
    }

    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault> {
        self.broken(policy, true)
    }
}

impl Claim for Cannot {
    fn text(&self) -> String {
        let asked = asked(self.permissions.as_ref(), self.xperm.as_ref());
        text(&self.source, &self.target, &self.class, &asked)
    }

    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault> {
        let Self { name, source, target, class, permissions, xperm, booleans } = self.clone();
        Can { name, source, target, class, permissions, xperm, booleans }.broken(policy, false)
    }
}
