//! Any text as CIL: compiled, checked and written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_compile::cil;
use mandate_compile::whole::Checks;

fuzz_target!(|input: &[u8]| {
    let options = cil::Options { multiple_decls: true, ..cil::Options::default() };
    let checks = Checks { optimise: true, ..Checks::default() };
    let outcome = cil::build(vec![("x.cil".to_owned(), input.into())], &options, checks);
    let Some(product) = outcome.product else { return };
    let mut bytes = Vec::new();
    product.policy.write(options.version, &mut bytes).expect("what was compiled can be written");
});
