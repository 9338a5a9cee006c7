use std::path::Path;

use mandate_policydb::{PolicyDb, Unvalidated, canonical};

use super::unit;
use crate::conf;
use crate::print::kernel::{Options, print};
use crate::whole::Checks;

fn policies() -> Vec<(String, PolicyDb)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let folders = std::fs::read_dir(root.join("micro")).unwrap().map(|it| it.unwrap().path());
    let files = folders.flat_map(|it| std::fs::read_dir(it).unwrap()).map(|it| it.unwrap().path());
    let binaries = files.filter(|it| it.extension().is_some_and(|it| it == "bin"));
    let all = binaries.chain([root.join("demo/policy.33")]).map(|path| {
        let policy = Unvalidated::read(&std::fs::read(&path).unwrap()).unwrap().validate().unwrap();
        (path.display().to_string(), policy.into_db())
    });
    all.collect()
}

fn bytes(db: &PolicyDb, like: &PolicyDb) -> Vec<u8> {
    let mut bytes = Vec::new();
    db.write(like.version, &mut bytes).unwrap();
    bytes
}

#[test]
fn decompiled_printed_and_compiled_they_are_canonical() {
    let policies = policies();
    assert!(policies.len() > 100, "{}", policies.len());
    for (name, db) in policies {
        let decompiled = unit(&db);
        assert_eq!(decompiled.diagnostics, [], "{name}");
        let printed = print(&[decompiled.unit], &Options::default());
        assert_eq!(printed.diagnostics, [], "{name}");
        let checks = Checks { neverallow: false, optimise: false };
        let outcome = conf::build("p.conf", printed.text.into(), &decompiled.options, checks);
        let built = outcome.product.unwrap_or_else(|| panic!("{name}: {:?}", outcome.diagnostics));
        let normal = bytes(&canonical(&db), &db);
        assert_eq!(bytes(&built.policy, &db), normal, "{name}");
        let twice = Unvalidated::read(&normal).unwrap().validate().unwrap().into_db();
        assert_eq!(bytes(&canonical(&twice), &db), normal, "{name}");
    }
}

#[test]
fn what_no_statement_says_is_told() {
    let (_, mut db) = policies().pop().unwrap();
    db.policy_capabilities.insert(40);
    if let Some(port) = db.object_contexts.ports.first_mut() {
        port.protocol = 99;
    }
    let told: Vec<String> = unit(&db).diagnostics.into_iter().map(|it| it.message).collect();
    assert!(told.contains(&"policy capability #40 has no name".to_owned()), "{told:?}");
}
