//! Any bytes as a policy: read, validated, indexed, asked, written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_policydb::{Context, Policy, PolicyDb, Unvalidated};
use mandate_server::{Compute, Engine, Query};

/// How many classes and contexts of a policy are asked about.
const SOME: usize = 8;

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = Unvalidated::read(bytes) else { return };
    let Ok(policy) = read.validate() else { return };
    write(policy.db());
    ask(policy);
});

/// What is written can be read, is valid and is written the same.
fn write(db: &PolicyDb) {
    let written = bytes_of(db);
    let again = Unvalidated::read(&written).expect("a written policy can be read");
    let again = again.validate().expect("a written policy is valid");
    assert!(bytes_of(again.db()) == written, "a written policy is written differently");
}

fn bytes_of(db: &PolicyDb) -> Vec<u8> {
    let mut bytes = Vec::new();
    db.write(db.version, &mut bytes).expect("a policy holds what its version can");
    bytes
}

fn ask(policy: Policy) {
    let Ok(engine) = Engine::new(policy) else { return };
    let contexts: Vec<Context> = contexts(engine.db());
    for source in &contexts {
        for target in &contexts {
            ask_about(&engine, source, target);
        }
        for user in engine.db().users.iter().take(SOME) {
            engine.reachable_contexts(source, user);
        }
    }
}

fn contexts(db: &PolicyDb) -> Vec<Context> {
    let initial = db.object_contexts.initial_sids.iter().map(|sid| &sid.context);
    initial.take(SOME).cloned().collect()
}

fn ask_about(engine: &Engine, source: &Context, target: &Context) {
    for class in engine.db().classes.iter().take(SOME) {
        let class = class.id;
        let query = Query { source, target, class };
        let decision = engine.decide(&query);
        assert_eq!(engine.explain(&query, None).decision, decision);
        for compute in [Compute::Create, Compute::Member, Compute::Relabel] {
            let _refused = engine.compute_context(compute, source, target, Some(class), Some(b"x"));
        }
        let _forbidden = engine.validate_transition(source, target, class, source);
    }
}
