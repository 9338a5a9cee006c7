//! Compiles a `policy.conf`: `conf [-M] [-c VERSION] [-t xen] [-U deny|reject|allow] FILE OUT`. Prints how long each step took.

#![allow(clippy::print_stderr, reason = "an example tells what it does")]

use std::process::ExitCode;
use std::time::Instant;

use mandate_compile::backend::{Options, compile};
use mandate_policydb::{HandleUnknown, PolicyVersion, Target, Unvalidated};
use mandate_syntax::kernel::{ParseOptions, parse_file};
use mandate_syntax::source::SourceMap;

fn main() -> ExitCode {
    let mut options = Options::default();
    let mut files = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_default();
        match argument.as_str() {
            "-M" => options.mls = true,
            "-c" => {
                let number = value().parse().unwrap_or(0);
                options.version = PolicyVersion::new(number).unwrap_or(PolicyVersion::MAX);
            }
            "-t" if value() == "xen" => options.target = Target::Xen,
            "-U" => {
                options.handle_unknown = match value().as_str() {
                    "allow" => HandleUnknown::Allow,
                    "reject" => HandleUnknown::Reject,
                    _ => HandleUnknown::Deny,
                }
            }
            _ => files.push(argument),
        }
    }
    let version = options.version;
    let [input, output] = files.as_slice() else { return ExitCode::from(2) };
    let start = Instant::now();
    let Ok(bytes) = std::fs::read(input) else { return ExitCode::from(2) };
    let mut sources = SourceMap::new();
    let Ok(file) = sources.add(input.as_str(), bytes) else { return ExitCode::from(2) };
    let read = start.elapsed();
    let parsed = parse_file(sources.file(file), ParseOptions::default());
    let parse = start.elapsed() - read;
    let compiled = compile(std::slice::from_ref(&parsed.unit), &options);
    let back = start.elapsed() - read - parse;
    for it in parsed.diagnostics.iter().chain(&compiled.diagnostics) {
        let place = sources.location(it.span.pos);
        let place =
            place.map_or(String::new(), |it| format!("{}:{}:{}: ", it.path, it.line, it.column));
        eprintln!(
            "{place}{}: {} {} {:?} {:?} {:?}",
            it.code.as_str(),
            it.message,
            it.label,
            it.labels,
            it.notes,
            it.help
        );
    }
    eprintln!("read {read:?} parse {parse:?} back end {back:?}");
    eprintln!(
        "{} disabled, {} unmet, {} assertions",
        compiled.disabled.len(),
        compiled.unmet.len(),
        compiled.assertions.len()
    );
    let Some(db) = compiled.policy else { return ExitCode::FAILURE };
    eprintln!("{} rules, {} origins", db.rules.len(), compiled.origins.rules.len());
    let mut bytes = Vec::new();
    if let Err(error) = db.write(version, &mut bytes) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    if let Err(error) = Unvalidated::from_db(db).validate() {
        eprintln!("INVALID: {error}");
    }
    if std::fs::write(output, bytes).is_err() {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
