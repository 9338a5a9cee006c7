//! Any text as expanded file contexts: read, sorted, and written in both files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_compile::file_contexts::{read, render_split, sort};
use mandate_syntax::source::SourceMap;
use mandate_syntax::text::Text;

fuzz_target!(|input: &[u8]| {
    let mut sources = SourceMap::new();
    let Ok(id) = sources.add("x.fc", input) else { return };
    let (mut contexts, _told) = read(&Text::of_file(sources.file(id)), None);
    sort(&mut contexts);
    render_split(&contexts);
});
