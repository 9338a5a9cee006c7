//! Denials whose cause is known, because one thing was changed in a policy that allowed the access: a rule, a boolean, a label, a
//! level, a role.

use anyhow::{Context as _, Result, ensure};
use mandate_policydb::{
    AvRule, ClassId, Context, Datum as _, Ebitmap, MlsLevel, MlsRange, Policy, PolicyDb, RoleId,
    RuleKind, SymbolId, SymbolTable, TypeId, Unvalidated,
};
use mandate_query::types::TypeSets;
use mandate_server::{Engine, Query};

use crate::random::Random;

/// How many cases of each kind.
pub(super) const EACH: usize = 60;
/// So often is a case drawn before there is none.
const MOST_DRAWS: usize = 200_000;

/// A denial, the policy by which it is denied, and what is to be told of it.
pub(super) struct Case {
    pub(super) name: String,
    /// The policy as it is after the change; none if it is as it was.
    pub(super) policy: Option<PolicyDb>,
    pub(super) line: String,
    /// The cause, and words that its sentence has.
    pub(super) cause: &'static str,
    pub(super) words: Vec<String>,
    /// A line of one of the fixes.
    pub(super) fix: Option<String>,
}

/// An access that the policy allows, because of one rule.
struct Allowed {
    rule: AvRule,
    source: Context,
    target: Context,
    permission: u32,
}

/// Draws changes of one policy.
pub(super) struct Changes<'a> {
    db: &'a PolicyDb,
    engine: Engine,
    sets: TypeSets<'a>,
    random: Random,
    rules: Vec<AvRule>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(policy: &'a Policy, seed: u64) -> Result<Self> {
        let db = policy.db();
        let engine = Engine::new(policy.clone())?;
        let rules = db.rules.iter().filter(|it| it.kind == RuleKind::Allow).copied().collect();
        Ok(Self { db, engine, sets: TypeSets::new(db), random: Random::new(seed), rules })
    }

    /// Draws until there are enough.
    fn draw(
        &mut self,
        what: &str,
        count: usize,
        mut one: impl FnMut(&mut Self) -> Option<Case>,
    ) -> Result<Vec<Case>> {
        let mut cases: Vec<Case> = Vec::new();
        for _ in 0..MOST_DRAWS {
            if cases.len() == count {
                break;
            }
            cases.extend(one(self));
        }
        ensure!(cases.len() == count, "only {} of {count} cases of a {what}", cases.len());
        Ok(cases)
    }

    /// A rule is taken away.
    pub(super) fn rules(&mut self, count: usize) -> Result<Vec<Case>> {
        self.draw("rule", count, |it| {
            let allowed = it.allowed(None)?;
            let mut db = it.db.clone();
            db.rules.retain(|rule| *rule != allowed.rule);
            let (name, fix) = (it.name("without", &allowed), it.statement(&allowed));
            let line = it.line(&allowed.source, &allowed.target, &allowed, "");
            let engine = Engine::new(checked(&db)?).ok()?;
            // Where a boolean would allow it now, that is as good a cause.
            let told = engine.explain(&query(&allowed), Some(allowed.permission));
            let denied = !told.permissions.iter().any(|it| it.allowed || !it.changes.is_empty());
            denied.then(|| Case {
                name,
                policy: Some(db),
                line,
                cause: "no_rule",
                words: Vec::new(),
                fix: Some(fix),
            })
        })
    }

    /// A boolean has another value.
    pub(super) fn booleans(&mut self, count: usize) -> Result<Vec<Case>> {
        self.draw("boolean", count, |it| {
            let block = it.random.pick(&it.db.conditionals)?;
            let branch = if it.random.chance(70) { &block.when_true } else { &block.when_false };
            let rule = *it.random.pick(branch).filter(|it| it.kind == RuleKind::Allow)?;
            let mut booleans: Vec<_> = block.booleans().collect();
            let changed = *it.random.pick(&booleans)?;
            booleans.retain(|it| *it != changed);
            // The others stand so that it is this one that decides.
            let others: Vec<_> = booleans.iter().map(|&id| (id, it.random.chance(50))).collect();
            let with = |value| {
                let all = others.iter().copied().chain([(changed, value)]);
                it.engine.with_booleans(it.engine.booleans().with(it.db, all))
            };
            let (on, off) = (with(true), with(false));
            let allowed = it.concrete(rule)?;
            let value = allows(&on, &allowed);
            if value == allows(&off, &allowed) {
                return None;
            }
            let mut db = it.db.clone();
            set_booleans(&mut db, &others)?;
            set_booleans(&mut db, &[(changed, !value)])?;
            let boolean = it.db.booleans.name(changed).into_owned();
            let word = format!("{boolean}={}", if value { "on" } else { "off" });
            Some(Case {
                name: it.name(&format!("{boolean} changed, for"), &allowed),
                policy: Some(db),
                line: it.line(&allowed.source, &allowed.target, &allowed, ""),
                cause: "boolean",
                words: vec![word],
                fix: None,
            })
        })
    }

    /// A file has another type than file contexts say. `files` are paths without meta characters with their contexts.
    pub(super) fn labels(&mut self, count: usize, files: &[(String, String)]) -> Result<Vec<Case>> {
        const WRONG: [&str; 6] = ["var_t", "tmp_t", "etc_t", "usr_t", "default_t", "user_home_t"];
        let file = self.db.classes.id("file").context("a class file")?;
        self.draw("label", count, |it| {
            let (path, context) = it.random.pick(files)?;
            let target = it.db.parse_context(context).ok()?;
            let rule = *it.random.pick(&it.rules)?;
            let fits = rule.class() == file && it.sets.members(rule.target).has(target.type_);
            let mut allowed = fits.then(|| it.concrete(rule))??;
            allowed.target = target;
            let wrong = it.db.types.id(it.random.pick(&WRONG)?)?;
            let mut mislabelled = allowed.target.clone();
            mislabelled.type_ = wrong;
            let as_labelled = Allowed { target: mislabelled.clone(), ..allowed };
            let allowed = Allowed { target: it.db.parse_context(context).ok()?, ..as_labelled };
            let denied = Allowed { source: allowed.source.clone(), target: mislabelled, ..allowed };
            if !allows(&it.engine, &allowed) || allows(&it.engine, &denied) {
                return None;
            }
            Some(Case {
                name: it.name(&format!("{path} mislabelled, for"), &allowed),
                policy: None,
                line: it.line(
                    &denied.source,
                    &denied.target,
                    &allowed,
                    &format!("path=\"{path}\""),
                ),
                cause: "mislabelled",
                words: vec![path.clone(), context.clone()],
                fix: Some(format!("restorecon -v {path}")),
            })
        })
    }

    /// A level, of the source or of the target, is another.
    pub(super) fn levels(&mut self, count: usize) -> Result<Vec<Case>> {
        self.draw("level", count, |it| {
            let allowed = it.allowed(None)?;
            let mut changed = [allowed.source.clone(), allowed.target.clone()];
            let end = usize::from(it.random.chance(60));
            let level = it.level()?;
            changed.get_mut(end)?.range = Some(MlsRange::single(level));
            let [source, target] = changed;
            let valid = it.db.context_is_valid(&source) && it.db.context_is_valid(&target);
            let line = it.line(&source, &target, &allowed, "");
            let denied = Allowed { source, target, ..allowed };
            (valid && !allows(&it.engine, &denied)).then(|| Case {
                name: it.name("another level, for", &denied),
                policy: None,
                line,
                cause: "constraint",
                words: vec!["the levels do not fit".to_owned()],
                fix: None,
            })
        })
    }

    /// A role may not become another any more, or not have a type.
    pub(super) fn roles(&mut self, count: usize) -> Result<Vec<Case>> {
        let half = count / 2;
        let mut cases = self.draw("role allow", half, Self::role_allow)?;
        cases.extend(self.draw("role's type", count - half, Self::role_type)?);
        Ok(cases)
    }

    fn role_allow(&mut self) -> Option<Case> {
        let process = self.db.classes.id("process")?;
        let transition = self.db.permission(process, "transition")?.mask();
        let allow = *self.random.pick(&self.db.role_allows)?;
        let rule = *self.random.pick(&self.rules)?;
        if rule.class() != process || rule.permissions() & transition == 0 {
            return None;
        }
        let source = self.context_of_role(rule.source, allow.role)?;
        let target = self.context_of_role(rule.target, allow.new_role)?;
        let allowed = Allowed { rule, source, target, permission: transition };
        if allow.role == allow.new_role || !allows(&self.engine, &allowed) {
            return None;
        }
        let mut db = self.db.clone();
        db.role_allows.retain(|it| *it != allow);
        let names = [allow.role, allow.new_role].map(|it| self.db.roles.name(it).into_owned());
        let fix = format!("allow {} {};", names[0], names[1]);
        Some(Case {
            name: self.name(&format!("without `{fix}`, for"), &allowed),
            policy: Some(db),
            line: self.line(&allowed.source, &allowed.target, &allowed, ""),
            cause: "role_allow",
            words: names.to_vec(),
            fix: Some(fix),
        })
    }

    fn role_type(&mut self) -> Option<Case> {
        let allowed = self.allowed(None)?;
        let (role, type_) = (allowed.source.role, allowed.source.type_);
        let mut db = self.db.clone();
        take_type(&mut db, role, type_)?;
        checked(&db)?;
        let (role, type_) = (self.db.roles.name(role), self.db.types.name(type_));
        let fix = format!("role {role} types {type_};");
        Some(Case {
            name: self.name(&format!("without `{fix}`, for"), &allowed),
            line: self.line(&allowed.source, &allowed.target, &allowed, ""),
            policy: Some(db),
            cause: "role_type",
            words: vec![role.into_owned(), type_.into_owned()],
            fix: Some(fix),
        })
    }

    /// An access that is allowed.
    fn allowed(&mut self, class: Option<ClassId>) -> Option<Allowed> {
        let rule = *self.random.pick(&self.rules)?;
        if class.is_some_and(|it| it != rule.class()) {
            return None;
        }
        let allowed = self.concrete(rule)?;
        allows(&self.engine, &allowed).then_some(allowed)
    }

    /// Types and a permission that a rule is about, in contexts that are valid.
    fn concrete(&mut self, rule: AvRule) -> Option<Allowed> {
        let source = self.context(rule.source, true)?;
        let itself = rule.source == rule.target;
        let process = self.db.classes.name(rule.class()) == "process";
        let target = if itself { source.clone() } else { self.context(rule.target, process)? };
        let bits: Vec<u32> =
            (0..32).map(|it| 1 << it).filter(|it| rule.permissions() & it != 0).collect();
        let permission = *self.random.pick(&bits)?;
        let known = self.db.permissions(rule.class()).any(|it| it.id.mask() == permission);
        known.then_some(Allowed { rule, source, target, permission })
    }

    fn type_of(&mut self, id: TypeId) -> Option<TypeId> {
        let types: Vec<TypeId> = self.sets.members(id).ids().collect();
        self.random.pick(&types).copied()
    }

    /// A context of a type, with a role of its own or that of objects.
    fn context(&mut self, id: TypeId, subject: bool) -> Option<Context> {
        let type_ = self.type_of(id)?;
        if !subject {
            return self.with_role(type_, RoleId::OBJECT);
        }
        let roles: Vec<RoleId> = self.db.roles.by_value().map(|it| it.id()).collect();
        let able = |it: &RoleId| self.db.roles.get(*it).is_some_and(|it| it.types.has(type_));
        let roles: Vec<RoleId> = roles.into_iter().filter(able).collect();
        let role = *self.random.pick(&roles)?;
        self.with_role(type_, role)
    }

    fn context_of_role(&mut self, id: TypeId, role: RoleId) -> Option<Context> {
        let type_ = self.type_of(id)?;
        self.with_role(type_, role)
    }

    /// With a user that may have the role, at its lowest level.
    fn with_role(&mut self, type_: TypeId, role: RoleId) -> Option<Context> {
        let low = self.db.parse_range("s0").ok();
        let able = self.db.users.by_value().filter_map(|user| {
            let context = Context { user: user.id, role, type_, range: low.clone() };
            self.db.context_is_valid(&context).then_some(context)
        });
        let able: Vec<Context> = able.collect();
        self.random.pick(&able).cloned()
    }

    fn level(&mut self) -> Option<MlsLevel> {
        let sensitivities: Vec<_> = self.db.sensitivities.by_value().map(|it| it.id).collect();
        let sensitivity = *self.random.pick(&sensitivities)?;
        let categories = Ebitmap::from_bits([u32::try_from(self.random.below(1024)).ok()?]);
        Some(MlsLevel { sensitivity, categories })
    }

    fn permission(&self, allowed: &Allowed) -> String {
        self.db.permission_names(allowed.rule.class(), allowed.permission).concat()
    }

    fn name(&self, change: &str, allowed: &Allowed) -> String {
        format!("{change} {}", self.statement(allowed))
    }

    /// The access as the narrowest rule.
    fn statement(&self, allowed: &Allowed) -> String {
        let (source, target) = (allowed.source.type_, allowed.target.type_);
        let name = self.db.types.name(target);
        let target = if source == target { "self" } else { &name };
        let (source, class) = (self.db.types.name(source), allowed.rule.class());
        let class = self.db.classes.name(class);
        format!("allow {source} {target}:{class} {};", self.permission(allowed))
    }

    fn line(&self, source: &Context, target: &Context, allowed: &Allowed, about: &str) -> String {
        let class = self.db.classes.name(allowed.rule.class());
        let permission = self.permission(allowed);
        let (source, target) =
            (self.db.context_to_string(source), self.db.context_to_string(target));
        format!(
            "type=AVC msg=audit(1700000000.000:1): avc:  denied  {{ {permission} }} for  pid=1 comm=\"prog\" {about} scontext={source} tcontext={target} tclass={class} permissive=0\n"
        )
    }
}

fn query(it: &Allowed) -> Query<'_> {
    Query { source: &it.source, target: &it.target, class: it.rule.class() }
}

fn allows(engine: &Engine, it: &Allowed) -> bool {
    engine.decide(&query(it)).allowed & it.permission != 0
}

fn checked(db: &PolicyDb) -> Option<Policy> {
    Unvalidated::from_db(db.clone()).validate().ok()
}

fn set_booleans(db: &mut PolicyDb, values: &[(mandate_policydb::BoolId, bool)]) -> Option<()> {
    let entries = db.booleans.iter().cloned().map(|mut it| {
        if let Some((_, value)) = values.iter().find(|value| value.0 == it.id) {
            it.state = *value;
        }
        it
    });
    db.booleans = SymbolTable::new(db.booleans.nprim(), entries.collect()).ok()?;
    Some(())
}

fn take_type(db: &mut PolicyDb, role: RoleId, type_: TypeId) -> Option<()> {
    let entries = db.roles.iter().cloned().map(|mut it| {
        if it.id == role {
            it.types = Ebitmap::from_bits(it.types.iter().filter(|bit| *bit != type_.bit()));
        }
        it
    });
    db.roles = SymbolTable::new(db.roles.nprim(), entries.collect()).ok()?;
    Some(())
}
