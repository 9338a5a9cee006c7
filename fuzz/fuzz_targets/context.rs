//! Any text as a context of a small policy: what parses prints canonically, and parses to the same.
//!
//! The first byte chooses the policy, the rest is the text.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use mandate_policydb::{Policy, Unvalidated};

const POLICIES: [&[u8]; 5] = [
    include_bytes!("../../policies/micro/mls-categories/policy.bin"),
    include_bytes!("../../policies/micro/mls-alias/policy.bin"),
    include_bytes!("../../policies/micro/user-levels/policy.bin"),
    include_bytes!("../../policies/micro/type-alias/policy.bin"),
    include_bytes!("../../policies/micro/context-plain/policy.bin"),
];

fuzz_target!(|input: &[u8]| {
    let Some((&number, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let db = policies()[usize::from(number) % POLICIES.len()].db();
    let _refused = db.parse_range(text);
    let Ok(context) = db.parse_context(text) else { return };
    let canonical = db.context_to_string(&context);
    assert_eq!(db.parse_context(&canonical), Ok(context), "{canonical:?}");
});

fn policies() -> &'static [Policy] {
    static READ: OnceLock<Vec<Policy>> = OnceLock::new();
    READ.get_or_init(|| {
        let read = |bytes| Unvalidated::read(bytes).expect("a micro policy can be read");
        let valid = |bytes| read(bytes).validate().expect("a micro policy is valid");
        POLICIES.into_iter().map(valid).collect()
    })
}
