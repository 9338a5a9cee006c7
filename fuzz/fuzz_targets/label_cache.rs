//! Any bytes as compiled file contexts: refused, or asked without harm.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_label::file_contexts::{FileContexts, Lookup};

fuzz_target!(|input: &[u8]| {
    let Some(table) = FileContexts::from_bytes(input) else { return };
    let mut lookup = Lookup::new(&table);
    for path in [&b"/"[..], b"/etc/passwd", b"/usr/lib/x\n", b"relative", b""] {
        lookup.path(path, None);
        lookup.all(path, None);
        lookup.partial(path);
    }
    table.lines().for_each(|line| drop(line.to_string()));
});
