//! How long it takes to read, validate and write a policy: the demo's, or the file that `MANDATE_BENCH_POLICY` names.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mandate_policydb::Unvalidated;

const DEMO: &[u8] = include_bytes!("../../../policies/demo/policy.33");

fn policy() -> Vec<u8> {
    let named = std::env::var_os("MANDATE_BENCH_POLICY");
    named.map_or_else(|| DEMO.to_vec(), |path| std::fs::read(path).expect("the policy can be read"))
}

fn read(bytes: &[u8]) -> Unvalidated {
    Unvalidated::read(bytes).expect("the policy can be read")
}

fn bench(criterion: &mut Criterion) {
    let bytes = policy();
    criterion.bench_function("read", |b| b.iter(|| read(black_box(&bytes))));
    criterion.bench_function("validate", |b| {
        b.iter_batched(|| read(&bytes), Unvalidated::validate, BatchSize::LargeInput);
    });
    criterion.bench_function("read and validate", |b| b.iter(|| read(&bytes).validate()));
    let db = read(&bytes).validate().expect("the policy is valid").into_db();
    criterion.bench_function("write", |b| {
        let mut copy = Vec::with_capacity(bytes.len());
        b.iter(|| {
            copy.clear();
            db.write(db.version, &mut copy)
        });
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
