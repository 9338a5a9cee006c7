//! Policies that the original compilers built, built here: the same but for how symbols are numbered.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use mandate_compile::backend::{Options, compile};
use mandate_policydb::{HandleUnknown, PolicyDb, PolicyVersion, Target, Unvalidated};
use mandate_syntax::kernel::{ParseOptions, parse_file};
use mandate_syntax::source::SourceMap;

/// Cases where the original is wrong, and why.
const BETTER: &[(&str, &str)] = &[(
    "xperm-nlmsg",
    "libsepol takes of a range of message types only those with the high byte of its ends",
)];

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

fn build(source: &Path, options: &Options) -> PolicyDb {
    let mut sources = SourceMap::new();
    let file = sources.add("policy.conf", fs::read(source).unwrap()).unwrap();
    let parsed = parse_file(sources.file(file), ParseOptions::default());
    assert!(parsed.diagnostics.is_empty(), "{}: {:?}", source.display(), parsed.diagnostics);
    let compiled = compile(&[parsed.unit], options);
    let Some(db) = compiled.policy else {
        panic!("{}: {:#?}", source.display(), compiled.diagnostics)
    };
    let mut bytes = Vec::new();
    db.write(options.version, &mut bytes).unwrap();
    Unvalidated::read(&bytes).unwrap().validate().unwrap().into_db()
}

fn original(binary: &Path) -> PolicyDb {
    Unvalidated::read(&fs::read(binary).unwrap()).unwrap().db().clone()
}

/// The lines that one of both has alone.
fn differences(ours: &PolicyDb, theirs: &PolicyDb) -> Vec<String> {
    let (ours, theirs) = (common::canonical(ours), common::canonical(theirs));
    let more = ours.iter().filter(|it| theirs.binary_search(it).is_err());
    let less = theirs.iter().filter(|it| ours.binary_search(it).is_err());
    more.map(|it| format!("+ {it}")).chain(less.map(|it| format!("- {it}"))).collect()
}

fn options(case: &serde_json::Value) -> Options {
    let mut options = Options::default();
    options.mls = case["mls"].as_bool().unwrap();
    let version = case["version"].as_u64().unwrap();
    options.version = PolicyVersion::new(version.try_into().unwrap()).unwrap();
    options.target = match case["target"].as_str().unwrap() {
        "xen" => Target::Xen,
        _ => Target::Selinux,
    };
    options.handle_unknown = match case["handle_unknown"].as_str().unwrap() {
        "allow" => HandleUnknown::Allow,
        "reject" => HandleUnknown::Reject,
        _ => HandleUnknown::Deny,
    };
    options
}

#[test]
fn micro_policies_are_those_of_checkpolicy() {
    let mut compared = 0;
    for folder in fs::read_dir(policies().join("micro")).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let case = fs::read_to_string(folder.join("case.json")).unwrap();
        let options = options(&serde_json::from_str(&case).unwrap());
        for source in fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()) {
            if source.extension().is_none_or(|it| it != "conf") {
                continue;
            }
            let ours = build(&source, &options);
            let theirs = original(&source.with_extension("bin"));
            let differences = differences(&ours, &theirs);
            if BETTER.iter().any(|it| it.0 == name) {
                assert!(differences.iter().all(|it| it.starts_with('+')), "{name}");
            } else {
                assert_eq!(differences, Vec::<String>::new(), "{}", source.display());
            }
            compared += 1;
        }
    }
    assert!(compared >= 100, "only {compared} micro policies found");
}

#[test]
fn the_demo_policy_is_that_of_checkpolicy() {
    let mut options = Options::default();
    options.mls = true;
    let demo = policies().join("demo");
    let ours = build(&demo.join("policy.conf"), &options);
    assert_eq!(differences(&ours, &original(&demo.join("policy.33"))), Vec::<String>::new());
}
