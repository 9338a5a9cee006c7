//! Any bytes as a package: read, written, turned into a unit, linked and expanded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_compile::package::{self, Package};
use mandate_compile::{backend, whole};

fuzz_target!(|input: &[u8]| {
    let Ok(package) = Package::read(input) else { return };
    package.write().ok();
    package.module.to_unit().ok();
    let Ok(linked) = package::link(package.module, &[]) else { return };
    let checks = whole::Checks::default();
    package::expand(&linked.module, &backend::Options::default(), checks);
});
