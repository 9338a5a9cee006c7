//! Compiles CIL: `cil [-O] [-m] [-N] [-M true|false] [-f FILE_CONTEXTS] -o OUT FILE…`. Prints how long each step took.

#![allow(clippy::print_stderr, reason = "an example tells what it does")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use mandate_compile::cil::{Options, build, lower, read};
use mandate_compile::whole::Checks;
use mandate_syntax::source::{Expansions, SourceMap};

fn main() -> ExitCode {
    let mut options = Options::default();
    let mut checks = Checks::default();
    let (mut output, mut contexts, mut steps) = (None, None, false);
    let mut files: Vec<(String, Arc<[u8]>)> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    let start = Instant::now();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-O" => checks.optimise = true,
            "-c" => {
                let number = arguments.next().and_then(|it| it.parse().ok()).unwrap_or(0);
                options.version =
                    mandate_policydb::PolicyVersion::new(number).unwrap_or(options.version);
            }
            "-m" => options.multiple_decls = true,
            "-P" => options.preserve_tunables = true,
            "-N" => (checks.neverallow, options.disable_neverallow) = (false, true),
            "-M" => options.mls = Some(arguments.next().as_deref() == Some("true")),
            "-o" => output = arguments.next(),
            "-f" => contexts = arguments.next(),
            "-s" => steps = true,
            _ => match std::fs::read(&argument) {
                Ok(bytes) => files.push((argument, bytes.into())),
                Err(error) => {
                    eprintln!("{argument}: {error}");
                    return ExitCode::from(2);
                }
            },
        }
    }
    if steps {
        let mut sources = SourceMap::new();
        let files: Vec<_> = files
            .iter()
            .filter_map(|it| sources.add(it.0.as_str(), Arc::clone(&it.1)).ok())
            .collect();
        let begun = Instant::now();
        let parsed = read(&mut sources, &files);
        let parse = begun.elapsed();
        let lowered = lower(parsed, &options, &mut Expansions::default());
        eprintln!("parse {parse:?} lower {:?}", begun.elapsed() - parse);
        eprintln!("{} units", lowered.units.len());
    }
    let read = start.elapsed();
    let version = options.version;
    let outcome = build(files, &options, checks);
    eprintln!("read {read:?} build {:?}", start.elapsed() - read);
    for it in &outcome.diagnostics {
        let place = outcome.sources.location(it.span.pos);
        let place =
            place.map_or(String::new(), |it| format!("{}:{}:{}: ", it.path, it.line, it.column));
        let code = it.code.as_str();
        eprintln!("{place}{code}: {} {} {:?} {:?}", it.message, it.label, it.notes, it.help);
    }
    let Some(product) = outcome.product else { return ExitCode::FAILURE };
    eprintln!("{} rules", product.policy.rules.len());
    let mut bytes = Vec::new();
    if let Err(error) = product.policy.write(version, &mut bytes) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    eprintln!("written {:?}", start.elapsed() - read);
    if let (Some(path), Some(text)) = (contexts, product.files.get("file_contexts"))
        && std::fs::write(path, text).is_err()
    {
        return ExitCode::FAILURE;
    }
    match output.map(|it| std::fs::write(it, bytes)) {
        Some(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
