//! Any text as a file of a module: the first byte says of what kind. It stands in a source tree of its own.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_compile::outcome::SourceTree;
use mandate_compile::refpolicy::{Options, build};

/// The least that a tree is built from.
const TREE: [(&str, &[u8]); 9] = [
    ("build.conf", include_bytes!("../../policies/base/build.conf")),
    ("policy/flask/security_classes", include_bytes!("../../policies/base/policy/flask/security_classes")),
    ("policy/flask/initial_sids", include_bytes!("../../policies/base/policy/flask/initial_sids")),
    ("policy/flask/access_vectors", include_bytes!("../../policies/base/policy/flask/access_vectors")),
    ("policy/support/loadable_module.spt", include_bytes!("../../policies/base/policy/support/loadable_module.spt")),
    ("policy/support/misc_macros.spt", include_bytes!("../../policies/base/policy/support/misc_macros.spt")),
    ("policy/support/mls_mcs_macros.spt", include_bytes!("../../policies/base/policy/support/mls_mcs_macros.spt")),
    ("policy/support/obj_perm_sets.spt", include_bytes!("../../policies/base/policy/support/obj_perm_sets.spt")),
    ("policy/modules.conf", b"x = base\n"),
];

fuzz_target!(|input: &[u8]| {
    let Some((&kind, text)) = input.split_first() else { return };
    let mut tree: SourceTree =
        TREE.iter().map(|&(path, bytes)| (path.to_owned(), bytes.into())).collect();
    let files = ["te", "if", "fc"].map(|kind| format!("policy/modules/kernel/x.{kind}"));
    for (number, file) in files.into_iter().enumerate() {
        let bytes = if usize::from(kind) % 3 == number { text } else { &[] };
        tree.insert(file, bytes.into());
    }
    build(&tree, &Options { check_interfaces: true, ..Options::default() });
});
