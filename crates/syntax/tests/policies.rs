//! Every policy of the repository can be read.

use std::path::{Path, PathBuf};

use mandate_syntax::kernel::{ParseOptions, parse_file};
use mandate_syntax::source::SourceMap;

fn policies() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut found = vec![root.join("demo/policy.conf")];
    for entry in std::fs::read_dir(root.join("micro")).unwrap() {
        found.push(entry.unwrap().path().join("policy.conf"));
    }
    // Some are written in CIL.
    found.retain(|it| it.exists());
    assert!(found.len() > 100);
    found
}

#[test]
fn all_policies_are_read_without_diagnostics() {
    let mut sources = SourceMap::new();
    for path in policies() {
        let bytes = std::fs::read(&path).unwrap();
        let file = sources.add(path.display().to_string(), bytes).unwrap();
        let parsed = parse_file(sources.file(file), ParseOptions::default());
        assert_eq!(parsed.diagnostics, [], "{}", path.display());
        assert!(parsed.unknown_calls.is_empty() && parsed.unit.statements.len() > 5);
    }
}
