//! Builds a policy of packages: read, link, expand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use mandate_policydb::Target;
use mandate_policydb::wire::ReadError;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::Unit;
use mandate_syntax::source::Span;
use rayon::prelude::*;

use super::lower::{Branches, lower};
use super::{Linked, Module, Package, link};
use crate::backend::{self, Compiled};
use crate::outcome::{Outcome, Product};
use crate::whole::{self, Checks};

impl Module {
    /// As a unit: blocks are `optional` statements, scopes declarations and requirements.
    ///
    /// # Errors
    /// When the module contradicts itself.
    pub fn to_unit(&self) -> Result<Unit, Vec<Diagnostic>> {
        let (unit, faults) = lower(&self.db, Branches::All);
        if faults.is_empty() { Ok(unit) } else { Err(faults) }
    }

    /// What diagnostics about this module show in place of its source: a line for each branch of its blocks.
    pub fn outline(&self) -> String {
        let name = match self.is_base() {
            true => "base".to_owned(),
            false => format!("module {} {}", self.name(), self.version()),
        };
        let mut text = String::new();
        for (at, block) in self.db.blocks.iter().enumerate() {
            for branch in 0..block.branches.len() {
                let _ = match (at, branch) {
                    (0, _) => writeln!(text, "{name}"),
                    (_, 0) => writeln!(text, "{name}, optional block {at}"),
                    _ => writeln!(text, "{name}, optional block {at}, else"),
                };
            }
        }
        text
    }

    /// Sets the place of each branch to its line in the [outline](Self::outline), which begins at `start`.
    pub fn locate(&mut self, start: Span) {
        let outline = self.outline();
        let mut lines = outline.split_inclusive('\n');
        let mut at = start;
        for branch in self.db.blocks.iter_mut().flat_map(|it| &mut it.branches) {
            branch.span = at;
            let length = lines.next().map_or(0, str::len);
            at = at.forward(u32::try_from(length).unwrap_or(u32::MAX));
        }
    }
}

/// Expands a linked base: what its enabled blocks say becomes a policy.
pub fn expand(linked: &Module, options: &backend::Options, checks: Checks) -> Compiled {
    let (unit, faults) = lower(&linked.db, Branches::Enabled);
    if !faults.is_empty() {
        return Compiled { diagnostics: faults, ..Compiled::default() };
    }
    let options = backend::Options {
        target: Target::Selinux,
        mls: linked.mls(),
        handle_unknown: linked.handle_unknown(),
        sort_declarations: false,
        ..options.clone()
    };
    whole::compile(&[unit], &options, checks)
}

/// Builds the policy of packages or modules, by path: a base and modules in any order. What kind of policy it is, the base says;
/// of the options the version counts, and whether tunables stay.
pub fn build(
    files: Vec<(String, Arc<[u8]>)>,
    options: &backend::Options,
    checks: Checks,
) -> Outcome {
    let mut outcome = Outcome::default();
    let found: Vec<_> = files.into_par_iter().map(|(path, bytes)| (path, read(&bytes))).collect();
    let mut packages: Vec<Package> = Vec::with_capacity(found.len());
    for (path, found) in found {
        add(&path, found, &mut packages, &mut outcome);
    }
    if outcome.failed() {
        return outcome;
    }
    let files = other_files(&packages);
    let Some((base, modules)) = sorted(packages, &mut outcome) else { return outcome };
    let linked = match link(base, &modules) {
        Ok(linked) => linked,
        Err(errors) => {
            outcome.diagnostics.extend(errors);
            return outcome;
        }
    };
    drop(modules);
    let Linked { module, disabled, warnings } = linked;
    outcome.diagnostics.extend(warnings);
    let whole = expand(&module, options, checks);
    outcome.diagnostics.extend(whole.diagnostics);
    if let (Some(policy), false) = (whole.policy, outcome.failed()) {
        outcome.product = Some(Product {
            policy,
            origins: whole.origins,
            disabled,
            files,
            declarations: Vec::new(),
        });
    }
    outcome
}

/// A package and its outline.
fn read(bytes: &[u8]) -> Result<(Package, String), ReadError> {
    Package::read(bytes).map(|it| {
        let outline = it.module.outline();
        (it, outline)
    })
}

/// Adds what was read of one file. In place of the bytes, an outline of the module stands among the sources.
fn add(
    path: &str,
    found: Result<(Package, String), ReadError>,
    packages: &mut Vec<Package>,
    outcome: &mut Outcome,
) {
    let (found, outline) = match found {
        Ok((package, outline)) => (Ok(package), outline),
        Err(error) => (Err(error), String::new()),
    };
    let start = match outcome.sources.add(path, outline.into_bytes()) {
        Ok(id) => Span { pos: outcome.sources.file(id).start(), ..Span::NOWHERE },
        Err(error) => {
            let it = Diagnostic::error(Code::MissingFile, Span::NOWHERE, error.to_string());
            return outcome.diagnostics.push(it);
        }
    };
    match found {
        Ok(mut package) => {
            package.module.locate(start);
            packages.push(package);
        }
        Err(error) => {
            let it = Diagnostic::error(Code::BadPackage, start, error.to_string());
            outcome.diagnostics.push(it);
        }
    }
}

/// The base, and the modules.
fn sorted(packages: Vec<Package>, outcome: &mut Outcome) -> Option<(Module, Vec<Module>)> {
    let (mut bases, modules): (Vec<Module>, Vec<Module>) =
        packages.into_iter().map(|it| it.module).partition(Module::is_base);
    if bases.len() == 1 {
        return bases.pop().map(|base| (base, modules));
    }
    let place = |it: &Module| {
        let first = it.db.blocks.first().and_then(|it| it.branches.first());
        first.map_or(Span::NOWHERE, |it| it.span)
    };
    let it = match &bases[..] {
        [] => {
            let span = modules.first().map_or(Span::NOWHERE, place);
            Diagnostic::error(Code::BadModuleSet, span, "there is no base module among the packages")
                .help("add the base package of the policy, for example /usr/share/selinux/default/base.pp.bz2")
        }
        [first, second, ..] => {
            let message = "there are two base modules among the packages";
            Diagnostic::error(Code::BadModuleSet, place(second), message)
                .and(place(first), "the other one")
        }
        [_] => return None,
    };
    outcome.diagnostics.push(it);
    None
}

/// `file_contexts`, `seusers` and `users_extra`: those of the base first, then those of the modules as they come.
fn other_files(packages: &[Package]) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let (bases, modules): (Vec<&Package>, Vec<&Package>) =
        packages.iter().partition(|it| it.module.is_base());
    for package in bases.into_iter().chain(modules) {
        let texts = [
            ("file_contexts", &package.file_contexts),
            ("seusers", &package.seusers),
            ("users_extra", &package.users_extra),
            ("netfilter_contexts", &package.netfilter_contexts),
        ];
        for (name, text) in texts {
            let Some(text) = text.as_ref().filter(|it| !it.is_empty()) else { continue };
            let all = files.entry(name.to_owned()).or_default();
            all.extend_from_slice(text);
            if !text.ends_with(b"\n") {
                all.push(b'\n');
            }
        }
    }
    files
}
