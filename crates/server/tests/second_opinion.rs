//! A plain implementation of the decision, attribute pair by attribute pair as the kernel does it, asked the same as
//! the indexed one: every type pair and class of every micro policy.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use mandate_policydb::{
    AvRule, ClassId, Constraint, Context, MlsRange, Operator, PolicyDb, RoleId, RuleKind, SymbolId,
    Term, TypeId, Unvalidated,
};
use mandate_policydb::{Comparison, Part, Whose};
use mandate_server::{Booleans, Decision, Engine, Query};

fn policies() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let micro = std::fs::read_dir(folder.join("micro")).unwrap();
    let mut paths: Vec<_> = micro.map(|it| it.unwrap().path().join("policy.bin")).collect();
    paths.push(folder.join("demo/policy.33"));
    paths.sort();
    paths
}

fn rules_of<'a>(db: &'a PolicyDb, booleans: &Booleans) -> Vec<&'a AvRule> {
    let mut rules: Vec<_> = db.rules.iter().collect();
    for block in &db.conditionals {
        match block.evaluate(|id| booleans.get(id)) {
            Some(true) => rules.extend(&block.when_true),
            Some(false) => rules.extend(&block.when_false),
            None => {}
        }
    }
    rules
}

fn plain(db: &PolicyDb, booleans: &Booleans, query: &Query<'_>) -> (u32, u32, u32) {
    let (mut allowed, mut auditallow, mut auditdeny) = (0, 0, !0);
    let belongs =
        |type_: TypeId, to: TypeId| type_ == to || db.type_attributes[type_.index()].has(to);
    for rule in rules_of(db, booleans) {
        if rule.class() != query.class
            || !belongs(query.source.type_, rule.source)
            || !belongs(query.target.type_, rule.target)
        {
            continue;
        }
        match rule.kind {
            RuleKind::Allow => allowed |= rule.datum(),
            RuleKind::AuditAllow => auditallow |= rule.datum(),
            RuleKind::DontAudit => auditdeny &= rule.datum(),
            _ => {}
        }
    }
    for constraint in &db.classes.get(query.class).unwrap().constraints {
        if constraint.permissions & allowed != 0 && !holds(db, constraint, query) {
            allowed &= !constraint.permissions;
        }
    }
    if db.classes.name(query.class) == "process" && query.source.role != query.target.role {
        let (from, to) = (query.source.role, query.target.role);
        if !db.role_allows.iter().any(|it| it.role == from && it.new_role == to) {
            for name in ["transition", "dyntransition"] {
                if let Some(id) = db.permission(query.class, name) {
                    allowed &= !(1 << id.bit());
                }
            }
        }
    }
    if let Some(upper) = db.types.get(query.source.type_).unwrap().bounds {
        let source = Context { type_: upper, ..query.source.clone() };
        let target_upper = db.types.get(query.target.type_).unwrap().bounds;
        let type_ = target_upper.unwrap_or(query.target.type_);
        let target = Context { type_, ..query.target.clone() };
        let outer = Query { source: &source, target: &target, class: query.class };
        allowed &= plain(db, booleans, &outer).0;
    }
    (allowed, auditallow, auditdeny)
}

/// Evaluates recursively from the end of the postfix expression.
fn holds(db: &PolicyDb, constraint: &Constraint, query: &Query<'_>) -> bool {
    let mut terms = constraint.expression.iter().rev();
    let value = value(db, &mut terms, query);
    assert!(terms.next().is_none());
    value
}

fn value<'a>(db: &PolicyDb, terms: &mut impl Iterator<Item = &'a Term>, query: &Query<'_>) -> bool {
    let (source, target) = (query.source, query.target);
    match terms.next().unwrap() {
        Term::Not => !value(db, terms, query),
        Term::And => {
            let right = value(db, terms, query);
            value(db, terms, query) && right
        }
        Term::Or => {
            let right = value(db, terms, query);
            value(db, terms, query) || right
        }
        Term::Names(set) => {
            let context = if set.whose == Whose::Target { target } else { source };
            let found = match set.part {
                Part::User => set.names.has(context.user),
                Part::Role => set.names.has(context.role),
                Part::Type => set.names.has(context.type_),
            };
            found != set.negated
        }
        Term::Compare(what, operator) => compare(db, *what, *operator, source, target),
    }
}

fn compare(db: &PolicyDb, what: Comparison, op: Operator, a: &Context, b: &Context) -> bool {
    let (equal, dom, domby) = match what {
        Comparison::User => (a.user == b.user, false, false),
        Comparison::Type => (a.type_ == b.type_, false, false),
        Comparison::Role => (
            a.role == b.role,
            db.roles.get(a.role).unwrap().dominates.has(b.role),
            db.roles.get(b.role).unwrap().dominates.has(a.role),
        ),
        levels => {
            let (Some(from), Some(to)) = (&a.range, &b.range) else {
                return matches!(op, Operator::Equal | Operator::Dominates | Operator::DominatedBy);
            };
            let (x, y) = match levels {
                Comparison::L1L2 => (&from.low, &to.low),
                Comparison::L1H2 => (&from.low, &to.high),
                Comparison::H1L2 => (&from.high, &to.low),
                Comparison::H1H2 => (&from.high, &to.high),
                Comparison::L1H1 => (&from.low, &from.high),
                _ => (&to.low, &to.high),
            };
            (x == y, x.dominates(y), y.dominates(x))
        }
    };
    match op {
        Operator::Equal => equal,
        Operator::NotEqual => !equal,
        Operator::Dominates => dom,
        Operator::DominatedBy => domby,
        Operator::Incomparable => !dom && !domby,
    }
}

/// A context for every type, in each role that may have it and as an object, at both ends of a user's range.
fn contexts(db: &PolicyDb) -> Vec<Context> {
    let mut contexts = Vec::new();
    for user in db.users.by_value() {
        let ranges = match &user.range {
            Some(range) if db.mls => {
                vec![Some(range.clone()), Some(MlsRange::single(range.low.clone()))]
            }
            _ => vec![None],
        };
        let roles = user.roles.ids::<RoleId>().chain([RoleId::OBJECT]);
        for (role, range) in roles.flat_map(|role| ranges.iter().map(move |it| (role, it))) {
            for type_ in db.types.by_value() {
                let range = range.clone();
                let context = Context { user: user.id, role, type_: type_.id, range };
                if db.context_is_valid(&context) {
                    contexts.push(context);
                }
            }
        }
    }
    contexts
}

#[test]
fn indexed_and_plain_decisions_agree() {
    let mut compared = 0usize;
    for path in policies() {
        let bytes = std::fs::read(&path).unwrap();
        let policy = Unvalidated::read(&bytes).unwrap().validate().unwrap();
        let engine = Engine::new(policy).unwrap();
        let db = engine.db();
        let flips = db.booleans.iter().map(|it| vec![(it.id, !it.state)]).chain([Vec::new()]);
        let contexts = contexts(db);
        // All pairs where they are few, else an even choice.
        let step = (contexts.len() / 24).max(1);
        for flip in flips {
            let engine = engine.with_booleans(engine.booleans().with(db, flip));
            for source in contexts.iter().step_by(step) {
                for target in contexts.iter().step_by(step) {
                    for class in db.classes.by_value().map(|it| it.id) {
                        compared += 1;
                        check(&path, &engine, &Query { source, target, class });
                    }
                }
            }
        }
    }
    assert!(compared > 100_000, "only {compared} compared");
}

fn check(path: &Path, engine: &Engine, query: &Query<'_>) {
    let db = engine.db();
    let Decision { allowed, auditallow, auditdeny, .. } = engine.decide(query);
    let mut expected = plain(db, engine.booleans(), query);
    if db.is_neveraudit(query.source.type_) {
        let all = db.is_permissive(query.source.type_);
        expected = (if all { !0 } else { expected.0 }, 0, 0);
    }
    let shown = || {
        let (source, target) = (query.source, query.target);
        let class: ClassId = query.class;
        format!(
            "{}: {} {} {}",
            path.display(),
            db.context_to_string(source),
            db.context_to_string(target),
            db.classes.name(class)
        )
    };
    assert_eq!((allowed, auditallow, auditdeny), expected, "{}", shown());
}
