//! The forms a policy can have: read as units with what is of the whole policy, and written from them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use mandate_compile::backend::Options;
use mandate_compile::decompile;
use mandate_compile::outcome::Outcome;
use mandate_compile::print::{self, Printed, cil, kernel};
use mandate_compile::whole::{self, Checks};
use mandate_policydb::{FileKind, PolicyDb, Unvalidated};
use mandate_syntax::kernel::{self as language, ParseOptions, SourceKind, StatementKind, Unit};

use crate::input::read_bytes;

/// What a policy can be written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// A policy that the kernel loads
    #[default]
    Binary,
    /// The kernel policy language: policy.conf, of a module NAME.te
    Conf,
    /// CIL
    Cil,
}

/// What was read.
pub(crate) struct Read {
    /// The statements. Of a binary policy none: it is decompiled when they are wanted.
    pub(crate) units: Vec<Unit>,
    /// What is of the whole policy and no statement.
    pub(crate) options: Options,
    /// Is it a module, to be linked with others?
    pub(crate) module: bool,
    /// A binary policy as it was read.
    pub(crate) policy: Option<PolicyDb>,
    /// Sources and what was found.
    pub(crate) outcome: Outcome,
}

/// Reads what `path` holds, by its first bytes and, of text, by its name.
pub(crate) fn read_input(path: &Path) -> Result<Read> {
    let bytes = read_bytes(path)?;
    let binary = Unvalidated::read(&bytes);
    match (binary, FileKind::of(&bytes)) {
        (Ok(policy), _) => {
            let db = policy.validate().with_context(|| path.display().to_string())?.into_db();
            Ok(Read::of_policy(db))
        }
        (Err(_), FileKind::Text) if path.extension().is_none_or(|it| it != "cil") => {
            read_text(path, bytes.into())
        }
        (Err(error), _) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// The kernel policy language.
fn read_text(path: &Path, bytes: Arc<[u8]>) -> Result<Read> {
    let mut outcome = Outcome::default();
    let id =
        outcome.sources.add(path.display().to_string(), bytes).map_err(|it| anyhow!("{it}"))?;
    outcome.sources.honour_line_marks(id);
    let kind = ParseOptions { kind: SourceKind::Policy };
    let parsed = language::parse_file(outcome.sources.file(id), kind);
    outcome.diagnostics = parsed.diagnostics;
    let statements = &parsed.unit.statements;
    let mut options = Options::default();
    options.mls = statements.iter().any(|it| matches!(it.kind, StatementKind::Sensitivity { .. }));
    let module = statements.iter().any(|it| matches!(it.kind, StatementKind::Module { .. }));
    Ok(Read { units: vec![parsed.unit], options, module, policy: None, outcome })
}

impl Read {
    /// A policy that is there.
    pub(crate) fn of_policy(db: PolicyDb) -> Self {
        let mut options = Options::default();
        (options.version, options.target, options.mls) = (db.version, db.target, db.mls);
        options.handle_unknown = db.handle_unknown;
        let (units, outcome) = (Vec::new(), Outcome::default());
        Self { units, options, module: false, policy: Some(db), outcome }
    }

    /// The units; a binary policy is decompiled.
    pub(crate) fn decompile(&mut self) {
        if let (Some(db), true) = (&self.policy, self.units.is_empty()) {
            let decompiled = decompile::unit(db);
            self.units.push(decompiled.unit);
            self.outcome.diagnostics.extend(decompiled.diagnostics);
        }
    }

    /// The text of a form that is one; what cannot be said in it joins the findings.
    pub(crate) fn text(&mut self, form: Form, line_marks: bool) -> Option<Vec<u8>> {
        self.decompile();
        if self.outcome.failed() {
            return None;
        }
        let printed: Printed = match form {
            Form::Binary => return None,
            Form::Conf => {
                let whole = kernel::Layout::Policy;
                let layout = if self.module { kernel::Layout::Module } else { whole };
                print::kernel::print(&self.units, &kernel::Options { layout })
            }
            Form::Cil => {
                let (mls, handle_unknown) = (self.options.mls, self.options.handle_unknown);
                let whole = cil::Layout::Policy { mls, handle_unknown };
                let layout = if self.module { cil::Layout::Module } else { whole };
                let line_marks = line_marks.then_some(&self.outcome.sources);
                print::cil::print(&self.units, &cil::Options { layout, line_marks })
            }
        };
        self.outcome.diagnostics.extend(printed.diagnostics);
        (!self.outcome.failed()).then_some(printed.text)
    }

    /// The policy; what is wrong joins the findings.
    pub(crate) fn policy(&mut self) -> Result<Option<PolicyDb>> {
        if let Some(db) = self.policy.take() {
            return Ok(Some(db));
        }
        if self.module {
            bail!("a module alone is no policy: build it with mandate build");
        }
        if self.outcome.failed() {
            return Ok(None);
        }
        let whole = whole::compile(&self.units, &self.options, Checks::default());
        self.outcome.diagnostics.extend(whole.diagnostics);
        Ok(whole.policy.filter(|_| !self.outcome.failed()))
    }
}
