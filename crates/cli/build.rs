//! Embeds the base policy: every file of policies/base but its tests, sorted by path, and what a build makes of them, for `mandate run` is to start at once.
#![allow(clippy::print_stdout, reason = "cargo is told on standard output")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use mandate_compile::outcome::SourceTree;
use mandate_compile::refpolicy;

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = manifest.join("../../policies/base");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, "", &mut files)?;
    files.sort();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let tree = files.iter().map(|(name, path)| Ok((name.clone(), fs::read(path)?.into())));
    let built = build(&tree.collect::<io::Result<_>>()?, &out.join("base"))?;
    fs::write(out.join("base_policy.rs"), list(&files)?)?;
    fs::write(out.join("base_built.rs"), list(&built)?)
}

/// Files as a list in Rust: their names, and what is in them.
fn list(files: &[(String, PathBuf)]) -> io::Result<String> {
    let mut text = String::from("&[\n");
    for (name, path) in files {
        let path = path.canonicalize()?;
        writeln!(text, "    ({name:?}, include_bytes!({path:?})),").expect("memory takes all");
    }
    text.push_str("]\n");
    Ok(text)
}

/// Writes what a build gives below `folder`; nothing, if the policy has errors, which `mandate check` shows.
fn build(tree: &SourceTree, folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let Some(product) = refpolicy::build(tree, &refpolicy::Options::default()).product else {
        println!("cargo::warning=policies/base has errors, which mandate check shows");
        return Ok(Vec::new());
    };
    let mut files = product.files;
    let mut policy = Vec::new();
    product.policy.write(product.policy.version, &mut policy).map_err(io::Error::other)?;
    files.insert("policy".to_owned(), policy);
    let mut written = Vec::new();
    for (name, bytes) in files {
        let path = folder.join(&name);
        fs::create_dir_all(path.parent().expect("a file has a folder"))?;
        fs::write(&path, bytes)?;
        written.push((name, path));
    }
    Ok(written)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|it| it.to_str()) else { continue };
        let tests = prefix.is_empty() && name == "tests";
        if tests || name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(&path, &format!("{name}/"), files)?;
        } else {
            files.push((name, path));
        }
    }
    Ok(())
}
