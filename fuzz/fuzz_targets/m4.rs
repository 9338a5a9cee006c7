//! Any text through m4: it ends, within its budget, and says what went wrong.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_syntax::m4::Machine;
use mandate_syntax::source::{Expansions, SourceMap};
use mandate_syntax::text::Text;

fuzz_target!(|input: &[u8]| {
    let mut sources = SourceMap::new();
    let Ok(id) = sources.add("input.m4", input) else { return };
    let text = Text::of_file(sources.file(id));
    let mut recorder = Expansions::for_units(1).recorder(0);
    Machine::new().run(&[&text], &sources, &mut recorder);
});
