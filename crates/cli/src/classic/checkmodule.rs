//! `checkmodule`: a module's source, or that of a base, to a policy module.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use mandate_compile::backend;
use mandate_compile::outcome::Outcome;
use mandate_compile::package::{self, Module, ModuleOptions, ModuleVersion};
use mandate_compile::whole::Checks;
use mandate_policydb::{HandleUnknown, PolicyVersion};
use mandate_syntax::diagnostic::Severity;
use mandate_syntax::kernel::{self, ParseOptions, SourceKind};

use super::checkpolicy::{has_warning, show};
use super::getopt::{self, Spec, Word, spec};
use super::{handle_unknown, leading_number, system_words};
use crate::forms::{Form, Read};
use crate::render::{Findings, text};
use crate::replace::replace;
use crate::sources;
use crate::words;

const OPTIONS: [Spec; 12] = [
    spec('h', "help", false),
    spec('o', "output", true),
    spec('b', "binary", false),
    spec('V', "version", false),
    spec('E', "werror", false),
    spec('U', "handle-unknown", true),
    spec('m', "", false),
    spec('M', "mls", false),
    spec('N', "disable-neverallow", false),
    spec('C', "cil", false),
    spec('c', "", true),
    spec('L', "line-marker-for-allow", false),
];

/// What the words ask for.
#[derive(Debug)]
struct Request {
    output: Option<String>,
    input: Option<String>,
    binary: bool,
    module: bool,
    mls: bool,
    no_neverallow: bool,
    cil: bool,
    warnings_are_errors: bool,
    line_markers: bool,
    version: ModuleVersion,
    handle_unknown: Option<HandleUnknown>,
}

pub(crate) fn checkmodule(
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let name = words.first().map_or("checkmodule", String::as_str);
    let request = match Request::read(name, words.get(1..).unwrap_or_default(), out, err)? {
        Ok(request) => request,
        Err(code) => return Ok(code),
    };
    if let Some(refused) = request.refused(name) {
        writeln!(err, "{refused}")?;
        return Ok(1);
    }
    let read =
        if request.binary { request.binary(name, err)? } else { request.source(name, err)? };
    let Some(module) = read else { return Ok(1) };
    let Some(output) = &request.output else {
        if request.cil {
            writeln!(err, "{name}:  No file to write CIL was specified")?;
            return Ok(1);
        }
        return Ok(0);
    };
    if request.module && Path::new(output).file_stem().is_none_or(|it| it != module.name()) {
        let stem = Path::new(output).file_stem().unwrap_or_default().to_string_lossy();
        let known = module.name();
        writeln!(
            err,
            "{name}:  Module name {known} is different than the output base filename {stem}"
        )?;
        return Ok(1);
    }
    if request.cil {
        return write_cil(name, &module, output, err);
    }
    let bytes = match module.write(request.version) {
        Ok(bytes) => bytes,
        Err(why) => {
            writeln!(err, "{why}")?;
            writeln!(err, "{name}:  error writing {output}")?;
            return Ok(1);
        }
    };
    if let Err(why) = replace(&words::to_path(output), |file| Ok(file.write_all(&bytes)?)) {
        let why = why.root_cause().to_string();
        let why = why.split(" (os error").next().unwrap_or(&why);
        writeln!(err, "{name}:  error opening {output}:  {why}")?;
        return Ok(1);
    }
    Ok(0)
}

/// Writes the module as CIL.
fn write_cil(name: &str, module: &Module, output: &str, err: &mut dyn Write) -> Result<u8> {
    let mut read = Read::of_module(module);
    let text = read.text(Form::Cil, false);
    text::write(&Findings::of(&read.outcome), text::Settings::for_terminal(), err)?;
    let Some(text) = text else {
        writeln!(err, "{name}:  error writing {output}")?;
        return Ok(1);
    };
    if replace(&words::to_path(output), |file| Ok(file.write_all(&text)?)).is_err() {
        writeln!(err, "{name}:  error opening {output}")?;
        return Ok(1);
    }
    Ok(0)
}

impl Request {
    /// The request, or the exit code of what ends at once.
    fn read(
        name: &str,
        words: &[String],
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<Result<Self, u8>> {
        let mut request = Self {
            output: None,
            input: None,
            binary: false,
            module: false,
            mls: false,
            no_neverallow: false,
            cil: false,
            warnings_are_errors: false,
            line_markers: false,
            version: ModuleVersion::NEWEST,
            handle_unknown: None,
        };
        let (low, high) = (ModuleVersion::OLDEST, ModuleVersion::NEWEST);
        let mut show_version = false;
        for word in getopt::read(&OPTIONS, words) {
            match word {
                Word::Option('h', _) => return usage(name, out),
                Word::Option('V', _) => show_version = true,
                Word::Option('o', file) => request.output = Some(file),
                Word::Option('U', action) => match handle_unknown(&action) {
                    None => return usage(name, out),
                    given => request.handle_unknown = given,
                },
                Word::Option('c', number) => {
                    let number = leading_number(&number);
                    let Some(version) = ModuleVersion::new(number) else {
                        writeln!(err, "policyvers value {number} not in range {low}-{high}")?;
                        return usage(name, out);
                    };
                    request.version = version;
                }
                Word::Option(letter, _) => request.switch(letter),
                Word::Wrong(message) => {
                    writeln!(err, "{name}: {message}")?;
                    return usage(name, out);
                }
                Word::Operand(_) if request.input.is_some() => return usage(name, out),
                Word::Operand(file) => request.input = Some(file),
            }
        }
        if show_version {
            writeln!(out, "Module versions {low}-{high}")?;
            return Ok(Err(0));
        }
        Ok(Ok(request))
    }

    fn switch(&mut self, letter: char) {
        match letter {
            'b' => self.binary = true,
            'm' => self.module = true,
            'M' => self.mls = true,
            'N' => self.no_neverallow = true,
            'C' => self.cil = true,
            'E' => self.warnings_are_errors = true,
            'L' => self.line_markers = true,
            _ => {}
        }
    }

    fn refused(&self, name: &str) -> Option<String> {
        let unknown = self.handle_unknown.is_some_and(|it| it != HandleUnknown::Deny);
        if unknown && self.module {
            return Some(format!(
                "{name}:  Handling of unknown classes and permissions is only valid in the base module."
            ));
        }
        if self.binary && self.module {
            return Some(format!("{name}:  -b and -m are incompatible with each other."));
        }
        if self.line_markers && !self.cil {
            return Some(format!("{name}:  -L must be used along with -C."));
        }
        let refused =
            "-L: a module does not hold the lines of its source; checkpolicy -C -L tells them";
        self.line_markers.then(|| format!("{name}:  {refused}"))
    }

    fn input(&self) -> &str {
        self.input.as_deref().unwrap_or(if self.binary { "policy" } else { "policy.conf" })
    }

    /// The base module of a binary file.
    fn binary(&self, name: &str, err: &mut dyn Write) -> Result<Option<Module>> {
        let input = self.input();
        let bytes = match std::fs::read(input) {
            Ok(bytes) => bytes,
            Err(why) => {
                writeln!(err, "Can't open '{input}':  {}", system_words(&why))?;
                return Ok(None);
            }
        };
        let module = match Module::read(&bytes) {
            Ok(module) => module,
            Err(why) => {
                writeln!(err, "{input}: {why}")?;
                writeln!(err, "{name}:  error(s) encountered while parsing configuration")?;
                return Ok(None);
            }
        };
        let mismatch = match (self.mls, module.mls()) {
            (true, false) => "non-MLS policy, but MLS is specified",
            (false, true) => "MLS policy, but non-MLS is specified",
            _ => return Ok(Some(module)),
        };
        writeln!(err, "{name}:  {mismatch}")?;
        Ok(None)
    }

    /// The module of a source.
    fn source(&self, name: &str, err: &mut dyn Write) -> Result<Option<Module>> {
        let input = self.input();
        let bytes = match std::fs::metadata(input) {
            Ok(_) => sources::read_source(&words::to_path(input))?,
            Err(why) => {
                writeln!(err, "{name}:  unable to open {input}:  {}", system_words(&why))?;
                return Ok(None);
            }
        };
        let mut outcome = Outcome::default();
        let id = outcome.sources.add(input, bytes)?;
        outcome.sources.honour_line_marks(id);
        let options = ParseOptions { kind: SourceKind::Policy };
        let parsed = kernel::parse_file(outcome.sources.file(id), options);
        outcome.diagnostics = parsed.diagnostics;
        let mut module = None;
        if !outcome.failed() {
            let options = ModuleOptions {
                base: !self.module,
                mls: self.mls,
                handle_unknown: self.handle_unknown.unwrap_or(HandleUnknown::Deny),
                version: self.version,
            };
            let raised = Module::from_unit(&parsed.unit, &options);
            outcome.diagnostics.extend(raised.diagnostics);
            module = raised.module;
        }
        if let Some(base) = module.as_ref().filter(|it| it.is_base()) {
            self.try_to_expand(base, &mut outcome);
        }
        let strict = self.warnings_are_errors && has_warning(&outcome);
        show(&outcome, err)?;
        if outcome.failed() || strict {
            writeln!(err, "{name}:  error(s) encountered while parsing configuration")?;
            return Ok(None);
        }
        Ok(module)
    }

    /// A base has to make a policy by itself.
    fn try_to_expand(&self, base: &Module, outcome: &mut Outcome) {
        let linked = match package::link(base.clone(), &[]) {
            Ok(linked) => linked,
            Err(errors) => return outcome.diagnostics.extend(errors),
        };
        let mut options = backend::Options::default();
        options.version = PolicyVersion::MAX;
        let checks = Checks { neverallow: !self.no_neverallow, optimise: false };
        let whole = package::expand(&linked.module, &options, checks);
        let errors = whole.diagnostics.into_iter().filter(|it| it.severity == Severity::Error);
        outcome.diagnostics.extend(errors);
    }
}

fn usage(name: &str, out: &mut dyn Write) -> Result<Result<Request, u8>> {
    let (low, high) = (ModuleVersion::OLDEST, ModuleVersion::NEWEST);
    writeln!(
        out,
        "usage:  {name} [-h] [-V] [-b] [-C] [-E] [-U handle_unknown] [-m] [-M] [-N] [-L] [-o FILE] [-c VERSION] [INPUT]"
    )?;
    for line in [
        "Build base and policy modules.",
        "Options:",
        "  INPUT      build module from INPUT (else read from \"policy.conf\")",
        "  -V         show policy versions created by this program",
        "  -b         treat input as a binary policy file",
        "  -C         output CIL policy instead of binary policy",
        "  -E         treat warnings as errors",
        "  -h         print usage",
        "  -U OPTION  How to handle unknown classes and permissions",
        "               deny: Deny unknown kernel checks",
        "               reject: Reject loading of policy with unknowns",
        "               allow: Allow unknown kernel checks",
        "  -m         build a policy module instead of a base module",
        "  -M         enable MLS policy",
        "  -N         do not check neverallow rules",
        "  -L         output line markers for allow rules",
        "  -o FILE    write module to FILE (else just check syntax)",
    ] {
        writeln!(out, "{line}")?;
    }
    writeln!(
        out,
        "  -c VERSION build a policy module targeting a modular policy version ({low}-{high})"
    )?;
    Ok(Err(1))
}
