//! CIL, the Common Intermediate Language: sources to units of the kernel language with flat names, and on to a policy.
//!
//! The steps, each a file: [`contain`] statements become items of containers, where they are [`allowed`]; [`expand`] tunables and `in`, [`inherit`] and [`call`] are
//! worked off; [`declare`] names; [`tables`] what other statements depend on; optionals whose names are unknown are left out until
//! nothing changes; [`lower`] statements become those of the kernel language, side by side; [`finish`] what several statements say
//! together; [`members`] and [`deny`] what needs the members of attributes.

mod allowed;
mod call;
mod check;
mod condition;
mod contain;
mod declare;
mod deny;
mod expand;
mod file_contexts;
mod finish;
mod inherit;
mod labels;
mod lower;
mod members;
mod order;
mod report;
mod spaces;
mod tables;
#[cfg(test)]
mod tests;
mod unused;
mod used;
mod work;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use mandate_policydb::{HandleUnknown, PolicyDb, PolicyVersion, Target};
use mandate_syntax::cil::{Parsed, parse};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::kernel::ast::Unit;
use mandate_syntax::source::{Expansions, FileId, SourceMap, Span};
use rayon::prelude::*;

pub use check::check_neverallows;

use crate::backend;
use crate::outcome::{DisabledOptional, Outcome, Product};
use crate::whole::{self, Checks};

/// How CIL is compiled: what the options of `secilc` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Linux or Xen (`-t`).
    pub target: Target,
    /// The version of the policy (`-c`).
    pub version: PolicyVersion,
    /// Leave what the version cannot hold to whoever writes the policy: the policy is compiled for the newest.
    pub newest: bool,
    /// In place of the `mls` statement (`-M`).
    pub mls: Option<bool>,
    /// In place of the `handleunknown` statement (`-U`).
    pub handle_unknown: Option<HandleUnknown>,
    /// Treat tunables as booleans (`-P`).
    pub preserve_tunables: bool,
    /// Leave `dontaudit` rules out (`-D`).
    pub disable_dontaudit: bool,
    /// Leave `neverallow` rules out (`-N`).
    pub disable_neverallow: bool,
    /// Take several declarations of a type, attribute or role, and equal contexts, as one (`-m`).
    pub multiple_decls: bool,
    /// Names may have dots, and there are no blocks (`-Q`).
    pub qualified_names: bool,
    /// Expand attributes that were generated (`-G`).
    pub expand_generated: bool,
    /// Expand attributes with fewer members (`-X`).
    pub expand_size: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: Target::Selinux,
            version: PolicyVersion::MAX,
            newest: false,
            mls: None,
            handle_unknown: None,
            preserve_tunables: false,
            disable_dontaudit: false,
            disable_neverallow: false,
            multiple_decls: false,
            qualified_names: false,
            expand_generated: false,
            expand_size: None,
        }
    }
}

/// CIL as units of the kernel language.
#[derive(Debug, Default)]
pub struct Lowered {
    /// The statements: the first unit has all but rules and memberships, which are in the others.
    pub units: Vec<Unit>,
    /// Is it an MLS policy?
    pub mls: bool,
    /// What `handleunknown` says, or the option.
    pub handle_unknown: Option<HandleUnknown>,
    /// File contexts, as `secilc -f` writes them.
    pub file_contexts: Vec<u8>,
    /// Logins, as `seusers` has them; empty where nothing is said of them.
    pub seusers: Vec<u8>,
    /// Contexts that the policy has to allow though it does not hold them.
    pub contexts: Vec<(String, Span)>,
    /// Attributes that a policy does not hold: nothing uses them, or they are to be expanded.
    pub dropped_attributes: Vec<String>,
    /// Optionals that were left out.
    pub disabled: Vec<DisabledOptional>,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
}

impl Lowered {
    /// Is there an error among what was found?
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|it| it.severity == Severity::Error)
    }
}

/// Reads all files, in parallel. The map is given theirs.
pub fn read(sources: &mut SourceMap, files: &[FileId]) -> Vec<Parsed> {
    for &id in files {
        sources.honour_cil_marks(id);
    }
    files.par_iter().map(|&id| parse(sources.file(id))).collect()
}

/// Lowers what was read. `expansions` is given the calls that statements came by.
pub fn lower(parsed: Vec<Parsed>, options: &Options, expansions: &mut Expansions) -> Lowered {
    work::lower(parsed, options, expansions)
}

/// Builds the policy of these files: path and text.
pub fn build(sources: Vec<(String, Arc<[u8]>)>, options: &Options, checks: Checks) -> Outcome {
    let mut outcome = Outcome::default();
    let mut files = Vec::with_capacity(sources.len());
    for (path, bytes) in sources {
        match outcome.sources.add(path, bytes) {
            Ok(id) => files.push(id),
            Err(error) => {
                let it = Diagnostic::error(Code::MissingFile, Span::NOWHERE, error.to_string());
                outcome.diagnostics.push(it);
                return outcome;
            }
        }
    }
    let parsed = read(&mut outcome.sources, &files);
    let lowered = lower(parsed, options, &mut outcome.expansions);
    outcome.diagnostics = lowered.diagnostics;
    if outcome.failed() {
        return outcome;
    }
    let backend = backend::Options {
        target: options.target,
        mls: lowered.mls,
        handle_unknown: lowered.handle_unknown.unwrap_or(HandleUnknown::Deny),
        version: if options.newest { PolicyVersion::MAX } else { options.version },
        dropped_attributes: lowered.dropped_attributes,
        drop_unused_commons: true,
        ..backend::Options::default()
    };
    let whole = whole::compile(&lowered.units, &backend, checks);
    drop(lowered.units);
    let start = files.first().map(|&id| outcome.sources.file(id).start());
    let start = Span { pos: start.unwrap_or_default(), ..Span::NOWHERE };
    outcome.diagnostics.extend(whole.diagnostics.into_iter().map(|it| match it.span {
        Span::NOWHERE => Diagnostic { span: start, ..it },
        _ => it,
    }));
    if let Some(db) = &whole.policy {
        outcome.diagnostics.extend(invalid_contexts(db, &lowered.contexts));
    }
    if let (Some(policy), false) = (whole.policy, outcome.failed()) {
        let mut files = BTreeMap::new();
        files.insert("file_contexts".to_owned(), lowered.file_contexts);
        if !lowered.seusers.is_empty() {
            files.insert("seusers".to_owned(), lowered.seusers);
        }
        let disabled = lowered.disabled;
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

/// Contexts of files that the policy does not allow.
fn invalid_contexts(db: &PolicyDb, contexts: &[(String, Span)]) -> Vec<Diagnostic> {
    let outside = |it: &&(String, Span)| match db.parse_context(&it.0) {
        Ok(context) => !within_user(db, &context),
        Err(_) => true,
    };
    let wrong = contexts.iter().filter(outside);
    let tell = |(context, span): &(String, Span)| {
        let message = format!("the policy does not allow the context `{context}`");
        Diagnostic::error(Code::InvalidContext, *span, message).help(
            "the role needs a `roletype` with the type, the user a `userrole` with the role, and the range has to be within the user's",
        )
    };
    wrong.map(tell).collect()
}

/// Is the range within that of the user? libsepol does not ask that of `object_r`, `secilc` does.
fn within_user(db: &PolicyDb, context: &mandate_policydb::Context) -> bool {
    let user = db.users.get(context.user).and_then(|it| it.range.as_ref());
    let (Some(user), Some(range)) = (user, &context.range) else { return true };
    range.low.dominates(&user.low) && user.high.dominates(&range.high)
}
