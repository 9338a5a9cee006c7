//! Any bytes as what `mandate label` reads: compiled file contexts, a log of strace, mounts, lists of packages.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_label::file_contexts::binary::{self, Engine, Version};
use mandate_label::file_contexts::{FileContexts, Source, Substitutions};
use mandate_label::packages::{dpkg, portage};
use mandate_label::{mounts, trace};

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = binary::text(input) {
        let source = Source { name: "fc", bytes: &text };
        let (table, _told) = FileContexts::compile(&[source], <[Substitutions; 2]>::default());
        if let Ok(again) = table.to_binary(Version::Tree, &Engine::here("10.42 2022-12-11")) {
            binary::text(&again).expect("what was written can be read");
        }
    }
    let question = trace::Question { domain: "a_t", file_system: "fs_t", before: Some("b_t") };
    trace::read(input, &question);
    mounts::Mount::parse(input);
    mounts::executable_mappings(input);
    dpkg::Diversions::parse(input);
    portage::paths(input);
});
