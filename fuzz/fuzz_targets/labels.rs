//! Any text as file contexts with substitutions: what is kept answers as what it was made of, and an entry as its path.
//!
//! What stands before the first NUL is `file_contexts`, then come `.subs` and `.subs_dist`, then paths.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_label::FileType;
use mandate_label::file_contexts::{FileContexts, Lookup, Source, Substitutions};

fuzz_target!(|input: &[u8]| {
    let mut parts = input.split(|&it| it == 0);
    let bytes = parts.next().unwrap_or_default();
    let subs = [(); 2].map(|()| Substitutions::parse(parts.next().unwrap_or_default()).0);
    let source = Source { name: "file_contexts", bytes };
    let (table, _told) = FileContexts::compile(&[source], subs);
    let again = FileContexts::from_bytes(&table.to_bytes()).expect("what was written is read");
    let (mut one, mut other) = (Lookup::new(&table), Lookup::new(&again));
    for path in parts.take(8) {
        for kind in [None, Some(FileType::Regular)] {
            let answer = one.path(path, kind).context().map(str::to_owned);
            assert_eq!(answer.as_deref(), other.path(path, kind).context());
            let Some(slash) = path.iter().rposition(|&it| it == b'/').filter(|&it| it > 0) else {
                continue;
            };
            // a slash at the end is not that of a directory
            if path.len() > slash + 1 && path[slash - 1] != b'/' {
                let mut directory = other.directory(&path[..slash]);
                let entry = other.entry(&mut directory, &path[slash + 1..], kind);
                assert_eq!(answer.as_deref(), entry.context());
            }
        }
        one.all(path, None);
        one.partial(path);
    }
});
