//! Any text as a `policy.conf`: compiled, checked and written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_compile::whole::Checks;
use mandate_compile::{backend, conf};

fuzz_target!(|input: &[u8]| {
    let mut options = backend::Options::default();
    options.mls = input.windows(11).any(|word| word == b"sensitivity");
    let checks = Checks { optimise: true, ..Checks::default() };
    let outcome = conf::build("policy.conf", input.into(), &options, checks);
    let Some(product) = outcome.product else { return };
    let mut bytes = Vec::new();
    product.policy.write(options.version, &mut bytes).expect("what was compiled can be written");
});
