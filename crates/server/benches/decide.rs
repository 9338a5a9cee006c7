//! How long a decision takes: uncached, from the cache, and explained. The policy is the demo's, or the file that
//! `MANDATE_BENCH_POLICY` names; the questions are its contexts and classes in a fixed mixture.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mandate_policydb::{ClassId, Context, MlsRange, Policy, PolicyDb, Unvalidated, UserDatum};
use mandate_server::{Engine, Mode, Query, SecurityServer, Sid};

const DEMO: &[u8] = include_bytes!("../../../policies/demo/policy.33");
/// So few that the cache holds them all.
const QUESTIONS: usize = 256;
/// How many contexts the questions are about.
const CONTEXTS: usize = 64;

fn policy() -> Policy {
    let named = std::env::var_os("MANDATE_BENCH_POLICY");
    let bytes = named.map(|path| std::fs::read(path).expect("the policy can be read"));
    let read = Unvalidated::read(bytes.as_deref().unwrap_or(DEMO));
    read.expect("the policy can be read").validate().expect("the policy is valid")
}

/// Contexts of processes, spread evenly over the policy's.
fn contexts(db: &PolicyDb) -> Vec<Context> {
    let all: Vec<Context> = db.users.iter().flat_map(|user| contexts_of(db, user)).collect();
    all.iter().step_by(all.len().div_ceil(CONTEXTS).max(1)).cloned().collect()
}

fn contexts_of(db: &PolicyDb, user: &UserDatum) -> Vec<Context> {
    let range =
        user.range.as_ref().map(|it| MlsRange { low: it.low.clone(), high: it.low.clone() });
    let roles = user.roles.ids().filter_map(|role| db.roles.get(role));
    let types = roles.flat_map(|role| role.types.ids().map(|type_| (role.id, type_)));
    types
        .map(|(role, type_)| Context { user: user.id, role, type_, range: range.clone() })
        .filter(|context| db.context_is_valid(context))
        .collect()
}

/// Pairs of contexts, by number, and a class.
fn questions(db: &PolicyDb, contexts: usize) -> Vec<(usize, usize, ClassId)> {
    let classes: Vec<ClassId> = db.classes.iter().map(|class| class.id).collect();
    let one = |n: usize| (n * 7 % contexts, n * 13 % contexts, classes[n % classes.len()]);
    (0..QUESTIONS).map(one).collect()
}

fn bench(criterion: &mut Criterion) {
    let policy = policy();
    let contexts = contexts(policy.db());
    let questions = questions(policy.db(), contexts.len());
    criterion.bench_function("index", |b| {
        b.iter_batched(|| policy.clone(), Engine::new, BatchSize::LargeInput);
    });
    let engine = Engine::new(policy.clone()).expect("the policy can be indexed");
    bench_engine(criterion, &engine, &contexts, &questions);
    let server = SecurityServer::new(policy, Mode::Enforcing).expect("the policy can be indexed");
    bench_cache(criterion, &server, &contexts, &questions);
}

/// One question after the other, again and again.
fn bench_engine(
    criterion: &mut Criterion,
    engine: &Engine,
    contexts: &[Context],
    questions: &[(usize, usize, ClassId)],
) {
    let queries = questions.iter().map(|&(source, target, class)| Query {
        source: &contexts[source],
        target: &contexts[target],
        class,
    });
    let mut cycle = queries.cycle();
    let mut next = || cycle.next().expect("there are questions");
    criterion.bench_function("decide", |b| b.iter(|| engine.decide(black_box(&next()))));
    criterion.bench_function("explain", |b| b.iter(|| engine.explain(black_box(&next()), None)));
}

fn bench_cache(
    criterion: &mut Criterion,
    server: &SecurityServer,
    contexts: &[Context],
    questions: &[(usize, usize, ClassId)],
) {
    let text = |context| server.with_engine(|engine| engine.db().context_to_string(context));
    let sid = |context| server.sid(&text(context)).expect("the context is valid");
    let sids: Vec<Sid> = contexts.iter().map(sid).collect();
    let mut cycle = questions.iter().cycle();
    criterion.bench_function("decide, cached", |b| {
        b.iter(|| {
            let &(source, target, class) = cycle.next().expect("there are questions");
            server.decide(sids[source], sids[target], black_box(class))
        });
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
