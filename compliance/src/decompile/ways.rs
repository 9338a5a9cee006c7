//! Other ways back to a binary policy than by way of a policy.conf: by CIL, and by a base package.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use mandate_compile::package::{self, Module, ModuleOptions, ModuleVersion, Package};
use mandate_compile::print::cil as printer;
use mandate_compile::whole::{self, Checks};
use mandate_compile::{cil, decompile};
use mandate_policydb::PolicyDb;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::source::{Expansions, SourceMap};

use super::{good, options_of};
use crate::packages::shipped;

/// The newest version of modules that the originals of Debian 12 read.
const OF_DEBIAN: u32 = 20;
/// Nothing is left out, and what is against the rules is no less a policy.
const CHECKS: Checks = Checks { neverallow: false, optimise: false };

/// The policy in CIL.
pub(super) fn cil_of(db: &PolicyDb) -> Result<Vec<u8>> {
    let decompiled = decompile::unit(db);
    let (mls, handle_unknown) = (db.mls, db.handle_unknown);
    let layout = printer::Layout::Policy { mls, handle_unknown };
    good(printer::print(&[decompiled.unit], &printer::Options { layout, line_marks: None }))
}

/// Printed as CIL and compiled.
pub(super) fn by_cil(db: &PolicyDb) -> Result<Vec<u8>> {
    let text: Arc<[u8]> = cil_of(db)?.into();
    let mut sources = SourceMap::new();
    let id = sources.add("policy.cil", text)?;
    let parsed = cil::read(&mut sources, &[id]);
    // As `mandate convert` does: what the version cannot hold is left to whoever writes the policy.
    let options = cil::Options { target: db.target, newest: true, ..cil::Options::default() };
    let lowered = cil::lower(parsed, &options, &mut Expansions::default());
    refused(&lowered.diagnostics)?;
    ensure!(lowered.mls == db.mls, "MLS is lost");
    ensure!(lowered.handle_unknown == Some(db.handle_unknown), "handle_unknown is lost");
    let whole = whole::compile(&lowered.units, &options_of(db), CHECKS);
    written(db, &whole.policy.context("what we printed is not compiled")?)
}

/// Written as the package of a base, which has no module to be linked with.
pub(super) fn by_package(db: &PolicyDb) -> Result<Vec<u8>> {
    let package = Package::read(&package_of(db, ModuleVersion::NEWEST)?)?;
    let linked = package::link(package.module, &[])
        .map_err(|it| anyhow::anyhow!("{}", it.first().map_or("", |it| &it.message)))?;
    let whole = package::expand(&linked.module, &options_of(db), CHECKS);
    written(db, &whole.policy.context("what we wrote is not expanded")?)
}

fn written(like: &PolicyDb, made: &PolicyDb) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    made.write(like.version, &mut bytes)?;
    Ok(bytes)
}

/// The same by the original.
pub(super) fn by_semodule_expand(folder: &Path, name: &str, db: &PolicyDb) -> Result<PathBuf> {
    let package = folder.join(format!("{name}.pp"));
    let version = ModuleVersion::new(OF_DEBIAN).context("a version of modules")?;
    std::fs::write(&package, package_of(db, version)?).context("writing a package")?;
    let made = package.with_extension("pp.bin");
    shipped::expand(&package, &made)?;
    Ok(made)
}

fn package_of(db: &PolicyDb, version: ModuleVersion) -> Result<Vec<u8>> {
    let options =
        ModuleOptions { base: true, mls: db.mls, handle_unknown: db.handle_unknown, version };
    let raised = Module::from_unit(&decompile::unit(db).unit, &options);
    refused(&raised.diagnostics)?;
    Ok(Package::new(raised.module.context("no module")?).write()?)
}

fn refused(diagnostics: &[Diagnostic]) -> Result<()> {
    let error = diagnostics.iter().find(|it| it.severity == Severity::Error);
    ensure!(error.is_none(), "{}", error.map_or("", |it| &it.message));
    Ok(())
}
