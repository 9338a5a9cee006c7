//! Every micro policy is read and written byte for byte, and goes to every version and back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use mandate_policydb::{
    Policy, PolicyVersion, ReadErrorKind, Unvalidated, WriteError, drop_unsupported, unsupported,
};

fn binaries() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let cases = std::fs::read_dir(folder.join("micro")).unwrap();
    let files = cases.flat_map(|case| std::fs::read_dir(case.unwrap().path()).unwrap());
    let mut paths: Vec<_> = files.map(|it| it.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "bin"));
    paths.push(folder.join("demo/policy.33"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

fn read(bytes: &[u8]) -> Policy {
    Unvalidated::read(bytes).unwrap().validate().unwrap()
}

fn written(policy: &Policy, version: PolicyVersion) -> Vec<u8> {
    let mut bytes = Vec::new();
    policy.db().write(version, &mut bytes).unwrap();
    bytes
}

#[test]
fn reading_and_writing_keeps_the_bytes() {
    let binaries = binaries();
    let mut versions: Vec<u32> = Vec::new();
    for (path, bytes) in &binaries {
        let policy = read(bytes);
        assert!(written(&policy, policy.db().version) == *bytes, "{}", path.display());
        versions.push(policy.db().version.number());
    }
    versions.sort_unstable();
    versions.dedup();
    assert!(binaries.len() > 100 && versions.len() > 8, "versions {versions:?}");
    assert_eq!(versions.last(), Some(&35));
}

/// What a version holds it holds whole: written there, read, and written there again it is the same, and it is valid.
#[test]
fn every_version_that_holds_a_policy_holds_it_whole() {
    for (path, bytes) in binaries() {
        let policy = read(&bytes);
        for version in PolicyVersion::all() {
            let lost = unsupported(policy.db(), version);
            if !lost.is_empty() {
                let mut sink = Vec::new();
                let error = policy.db().write(version, &mut sink).unwrap_err();
                assert!(matches!(error, WriteError::Unsupported { .. }));
                assert!(sink.is_empty(), "nothing is written before the refusal");
                continue;
            }
            let there = written(&policy, version);
            let again = read(&there);
            assert_eq!(again.db().version, version);
            assert!(written(&again, version) == there, "{} at {version}", path.display());
        }
    }
}

/// With what it cannot hold left out, a version takes every policy; only MLS cannot be left out.
#[test]
fn dropping_makes_a_policy_fit() {
    for (path, bytes) in binaries() {
        for version in PolicyVersion::all() {
            let mut db = read(&bytes).into_db();
            drop_unsupported(&mut db, version);
            if db.mls && version < PolicyVersion::MLS {
                continue;
            }
            assert_eq!(unsupported(&db, version), [], "{} at {version}", path.display());
            let mut sink = Vec::new();
            db.write(version, &mut sink).unwrap();
            read(&sink);
        }
    }
}

/// From a version that keeps all to a higher one and back, no byte changes.
#[test]
fn up_and_back_keeps_the_bytes() {
    for (path, bytes) in binaries() {
        let policy = read(&bytes);
        // Above 20 the rules keep their form; filename transitions are grouped in another order from 33 on.
        let from = policy.db().version;
        if from < PolicyVersion::BOUNDARY || from == PolicyVersion::MAX {
            continue;
        }
        let regrouped = from < PolicyVersion::COMPRESSED_FILENAME_TRANS;
        if regrouped && !policy.db().filename_transitions.is_empty() {
            continue;
        }
        let up = read(&written(&policy, PolicyVersion::MAX));
        assert!(written(&up, from) == bytes, "{}", path.display());
    }
}

#[test]
fn a_cut_file_is_told_where_it_ends() {
    let (_, bytes) = binaries().pop().unwrap();
    for length in 0..bytes.len() {
        let error = Unvalidated::read(bytes.get(..length).unwrap()).unwrap_err();
        assert!(error.offset <= length);
        let told =
            matches!(error.kind, ReadErrorKind::Truncated { .. } | ReadErrorKind::NotAPolicy(_));
        assert!(told, "{length}: {error}");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert_eq!(Unvalidated::read(&longer).unwrap_err().kind, ReadErrorKind::TrailingBytes(1));
}
