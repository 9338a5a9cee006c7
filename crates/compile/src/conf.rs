//! Builds `policy.conf`: a whole policy in the kernel policy language.

use std::collections::BTreeMap;
use std::sync::Arc;

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::{self, ParseOptions, SourceKind};
use mandate_syntax::source::{SourceMap, Span};

use crate::backend;
use crate::outcome::{Outcome, Product};
use crate::whole::{self, Checks};

/// Builds the policy of the file `path`, which holds `bytes`.
pub fn build(path: &str, bytes: Arc<[u8]>, options: &backend::Options, checks: Checks) -> Outcome {
    let mut outcome = Outcome::default();
    let id = match outcome.sources.add(path, bytes) {
        Ok(id) => id,
        Err(error) => {
            let it = Diagnostic::error(Code::MissingFile, Span::NOWHERE, error.to_string());
            outcome.diagnostics.push(it);
            return outcome;
        }
    };
    let parsed = parse(&mut outcome.sources, id);
    outcome.diagnostics = parsed.diagnostics;
    if outcome.failed() {
        return outcome;
    }
    let units = [parsed.unit];
    let whole = whole::compile(&units, options, checks);
    let start = Span { pos: outcome.sources.file(id).start(), ..Span::NOWHERE };
    outcome.diagnostics.extend(whole.diagnostics.into_iter().map(|it| match it.span {
        // What is missing altogether is missing from this file.
        Span::NOWHERE => Diagnostic { span: start, ..it },
        _ => it,
    }));
    if let (Some(policy), false) = (whole.policy, outcome.failed()) {
        let disabled = whole.disabled.into_iter().map(|it| it.optional).collect();
        let files = BTreeMap::new();
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

fn parse(sources: &mut SourceMap, id: mandate_syntax::source::FileId) -> kernel::Parsed {
    sources.honour_line_marks(id);
    let options = ParseOptions { kind: SourceKind::Policy };
    kernel::parse_file(sources.file(id), options)
}
