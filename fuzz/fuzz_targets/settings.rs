//! Any text as `build.conf`, `modules.conf` and `booleans.conf`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_compile::outcome::SourceTree;
use mandate_compile::refpolicy::modules::{ModuleList, ModuleTree, read_booleans};
use mandate_compile::refpolicy::settings::{Apps, Settings};
use mandate_syntax::source::SourceMap;

fuzz_target!(|input: &[u8]| {
    let mut sources = SourceMap::new();
    let Ok(id) = sources.add("x.conf", input) else { return };
    let file = sources.file(id);
    Settings::read(&[file], &[]);
    let tree = SourceTree::from([("policy/modules/kernel/x.te".to_owned(), (*b"").into())]);
    let (found, _told) = ModuleTree::find(&tree, &[""]);
    ModuleList::read(Some(file), &Apps::default(), &found, &tree);
    read_booleans(file);
});
