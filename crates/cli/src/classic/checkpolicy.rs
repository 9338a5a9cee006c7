//! `checkpolicy`: policy.conf, or a binary policy, to a binary policy.

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use mandate_compile::outcome::Outcome;
use mandate_policydb::{
    HandleUnknown, PolicyDb, PolicyVersion, Target, Unvalidated, drop_unsupported, unsupported,
};
use mandate_syntax::diagnostic::{Diagnostic, Severity};

use super::getopt::{self, Spec, Word, spec};
use super::{handle_unknown, leading_number, ocontexts, system_words};
use crate::compiler::{self, Input, Options, Source};
use crate::forms::{self, Form, Read};
use crate::output::write_policy;
use crate::render::{Findings, text};
use crate::replace::replace;
use crate::sources;
use crate::words;

const OPTIONS: [Spec; 15] = [
    spec('o', "output", true),
    spec('t', "target", true),
    spec('b', "binary", false),
    spec('d', "debug", false),
    spec('V', "version", false),
    spec('U', "handle-unknown", true),
    spec('M', "mls", false),
    spec('N', "disable-neverallow", false),
    spec('C', "cil", false),
    spec('F', "conf", false),
    spec('S', "sort", false),
    spec('O', "optimize", false),
    spec('E', "werror", false),
    spec('L', "line-marker-for-allow", false),
    spec('h', "help", false),
];

/// `-c` alone has no long name.
const POLICY_VERSION: Spec = spec('c', "", true);

/// The newest version that a policy for Xen can have.
const NEWEST_FOR_XEN: u32 = 30;

/// What the words ask for.
#[derive(Debug, Default)]
struct Request {
    output: Option<String>,
    input: Option<String>,
    xen: bool,
    binary: bool,
    debug: bool,
    mls: bool,
    no_neverallow: bool,
    cil: bool,
    conf: bool,
    sort: bool,
    optimize: bool,
    warnings_are_errors: bool,
    line_markers: bool,
    version: Option<PolicyVersion>,
    handle_unknown: Option<HandleUnknown>,
}

pub(crate) fn checkpolicy(
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let name = words.first().map_or("checkpolicy", String::as_str);
    let request = match Request::read(name, words.get(1..).unwrap_or_default(), out, err)? {
        Ok(request) => request,
        Err(code) => return Ok(code),
    };
    let mut tell = |message: &dyn Display| writeln!(err, "{message}");
    if let Some(refused) = request.refused(name) {
        tell(&refused)?;
        return Ok(1);
    }
    let read =
        if request.binary { request.binary(name, out, err)? } else { request.source(err)? };
    let Some((mut db, source)) = read else { return Ok(1) };
    let Some(output) = &request.output else {
        if request.cil {
            writeln!(err, "{name}:  No file to write CIL was specified")?;
        }
        return Ok(u8::from(request.cil));
    };
    if request.cil || request.conf {
        return request.text(db, source, output, out, err);
    }
    if request.sort {
        ocontexts::sort(&mut db.object_contexts);
    }
    let version = request.version(&db);
    for dropped in unsupported(&db, version) {
        writeln!(err, "Warning! Policy version {version} cannot support {dropped}")?;
    }
    drop_unsupported(&mut db, version);
    let written = if output == "-" {
        write_policy(&db, version, "", out)
    } else {
        replace(&words::to_path(output), |file| write_policy(&db, version, "", file))
    };
    if let Err(why) = written {
        let why = why.root_cause().to_string();
        // The original tells the system's words alone, without their number.
        let why = why.split(" (os error").next().unwrap_or(&why);
        writeln!(err, "{output}: {why}")?;
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
        let mut request = Self::default();
        let mut specs = OPTIONS.to_vec();
        specs.push(POLICY_VERSION);
        for word in getopt::read(&specs, words) {
            match word {
                Word::Option('V', _) => {
                    let (low, high) = (PolicyVersion::MIN, PolicyVersion::MAX);
                    writeln!(out, "{high} (compatibility range {high}-{low})")?;
                    return Ok(Err(0));
                }
                Word::Option('h', _) => return usage(name, out),
                Word::Option('t', target) => match target.to_ascii_lowercase().as_str() {
                    "selinux" => request.xen = false,
                    "xen" => request.xen = true,
                    _ => {
                        writeln!(err, "{name}:  Unknown target platform:{target}")?;
                        return Ok(Err(1));
                    }
                },
                Word::Option('c', number) => {
                    let number = leading_number(&number);
                    request.version = PolicyVersion::new(number);
                    if request.version.is_none() {
                        let (low, high) = (PolicyVersion::MIN, PolicyVersion::MAX);
                        writeln!(err, "policyvers value {number} not in range {low}-{high}")?;
                        return usage(name, out);
                    }
                }
                Word::Option('U', action) => match handle_unknown(&action) {
                    None => return usage(name, out),
                    given => request.handle_unknown = given,
                },
                Word::Option('o', file) => request.output = Some(file),
                Word::Option(letter, _) => request.switch(letter),
                Word::Wrong(message) => {
                    writeln!(err, "{name}: {message}")?;
                    return usage(name, out);
                }
                Word::Operand(_) if request.input.is_some() => return usage(name, out),
                Word::Operand(file) => request.input = Some(file),
            }
        }
        Ok(Ok(request))
    }

    fn switch(&mut self, letter: char) {
        match letter {
            'b' => self.binary = true,
            'd' => self.debug = true,
            'M' => self.mls = true,
            'N' => self.no_neverallow = true,
            'C' => self.cil = true,
            'F' => self.conf = true,
            'S' => self.sort = true,
            'O' => self.optimize = true,
            'E' => self.warnings_are_errors = true,
            'L' => self.line_markers = true,
            _ => {}
        }
    }

    /// What neither the original nor we do, or we do not.
    fn refused(&self, name: &str) -> Option<String> {
        if self.conf && !self.binary {
            return Some("Can only generate policy.conf from binary policy".to_owned());
        }
        if self.conf && self.cil {
            return Some("Can't convert to CIL and policy.conf at the same time".to_owned());
        }
        if self.line_markers && !self.cil {
            return Some(format!("{name}: -L: can only be used when writing a CIL policy file"));
        }
        self.debug.then(|| {
            format!("{name}: -d: no menus here; mandate decide, explain and info answer the same")
        })
    }

    fn version(&self, db: &PolicyDb) -> PolicyVersion {
        let newest = match db.target {
            Target::Xen => PolicyVersion::new(NEWEST_FOR_XEN).unwrap_or(PolicyVersion::MAX),
            Target::Selinux => PolicyVersion::MAX,
        };
        self.version.unwrap_or(newest)
    }

    /// The policy of a binary file.
    fn binary(
        &self,
        name: &str,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<Option<(PolicyDb, Option<PathBuf>)>> {
        let input = self.input.as_deref().unwrap_or("policy");
        let bytes = match std::fs::read(input) {
            Ok(bytes) => bytes,
            Err(why) => {
                writeln!(err, "Can't open '{input}':  {}", system_words(&why))?;
                return Ok(None);
            }
        };
        let policy = Unvalidated::read(&bytes).map_err(|it| it.to_string());
        let policy = policy.and_then(|it| it.validate().map_err(|it| it.to_string()));
        let mut db = match policy {
            Ok(policy) => policy.into_db(),
            Err(why) => {
                writeln!(err, "{input}: {why}")?;
                writeln!(err, "{name}:  error(s) encountered while parsing configuration")?;
                return Ok(None);
            }
        };
        write_index(&db, out)?;
        let mismatch = match (self.mls, db.mls) {
            (true, false) => "non-MLS policy, but MLS is specified",
            (false, true) => "MLS policy, but non-MLS is specified",
            _ => "",
        };
        if !mismatch.is_empty() {
            writeln!(err, "{name}:  {mismatch}")?;
            return Ok(None);
        }
        if self.optimize {
            compiler::optimise(&mut db);
        }
        Ok(Some((db, None)))
    }

    /// Writes the policy as text: from its source, where that was given and nothing was left out of it, else decompiled.
    fn text(
        &self,
        mut db: PolicyDb,
        source: Option<PathBuf>,
        output: &str,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<u8> {
        let mut read = match source {
            Some(source) if !self.optimize => {
                let mut read = forms::read_input(&source)?;
                read.options.mls = self.mls;
                read.options.handle_unknown = self.handle_unknown.unwrap_or(HandleUnknown::Deny);
                read
            }
            _ => {
                if self.sort {
                    ocontexts::sort(&mut db.object_contexts);
                }
                if let Some(handle_unknown) = self.handle_unknown {
                    db.handle_unknown = handle_unknown;
                }
                Read::of_policy(db)
            }
        };
        let form = if self.cil { Form::Cil } else { Form::Conf };
        let text = read.text(form, self.line_markers);
        read.outcome.diagnostics.retain(|it| it.severity == Severity::Error);
        show(&read.outcome, err)?;
        let Some(text) = text else { return Ok(1) };
        if output == "-" {
            out.write_all(&text)?;
            return Ok(0);
        }
        if let Err(why) = replace(&words::to_path(output), |file| Ok(file.write_all(&text)?)) {
            let why = why.root_cause().to_string();
            let why = why.split(" (os error").next().unwrap_or(&why);
            writeln!(err, "{output}: {why}")?;
            return Ok(1);
        }
        Ok(0)
    }

    /// The policy of a source.
    fn source(&self, err: &mut dyn Write) -> Result<Option<(PolicyDb, Option<PathBuf>)>> {
        let input = self.input.as_deref().unwrap_or("policy.conf");
        let bytes = match std::fs::metadata(input) {
            Ok(_) => sources::read_source(&words::to_path(input))?,
            Err(why) => {
                writeln!(err, "checkpolicy:  unable to open {input}:  {}", system_words(&why))?;
                return Ok(None);
            }
        };
        let options = Options {
            // What an older version cannot hold is left out when it is written.
            version: Some(PolicyVersion::MAX),
            optimize: self.optimize,
            no_neverallow: self.no_neverallow,
            mls: Some(self.mls),
            handle_unknown: self.handle_unknown,
            xen: self.xen,
            ..Options::default()
        };
        let source = Source { path: input.to_owned(), bytes };
        let outcome = compiler::compile(Input::Conf(source), &options)?;
        let strict = self.warnings_are_errors && has_warning(&outcome);
        show(&outcome, err)?;
        match outcome.product {
            Some(product) if !strict => Ok(Some((product.policy, Some(input.into())))),
            _ => {
                writeln!(err, "checkpolicy:  error(s) encountered while parsing configuration")?;
                Ok(None)
            }
        }
    }
}

pub(super) fn has_warning(outcome: &Outcome) -> bool {
    outcome.diagnostics.iter().any(|it| it.severity == Severity::Warning)
}

/// Each finding as programs that read the original's output know it, then as we show it.
pub(super) fn show(outcome: &Outcome, err: &mut dyn Write) -> Result<()> {
    let settings = text::Settings::for_terminal();
    let findings = Findings::of(outcome).without_notes();
    for it in findings.iter().take(settings.most) {
        writeln!(err, "{}", first_line(outcome, it))?;
    }
    Ok(text::write(&findings, settings, err)?)
}

/// `policy.conf:12:ERROR 'unknown type x' at token 'x' on line 12:`
fn first_line(outcome: &Outcome, it: &Diagnostic) -> String {
    let word = match it.severity {
        Severity::Error => "ERROR",
        Severity::Warning | Severity::Note => "WARNING",
    };
    let message = it.message.replace(['`', '\''], "").replace('\n', " ");
    let findings = Findings::of(outcome);
    match findings.place(it.span) {
        Some(at) => {
            let token = findings.word(it.span);
            let (file, line) = (at.file, at.line);
            format!("{file}:{line}:{word} '{message}' at token '{token}' on line {line}:")
        }
        None => format!("{word} '{message}'"),
    }
}

/// What libsepol tells of a policy that it has read.
fn write_index(db: &PolicyDb, out: &mut dyn Write) -> Result<()> {
    const WHO: &str = "libsepol.policydb_index_others: security:";
    let conditional: usize =
        db.conditionals.iter().map(|it| it.when_true.len() + it.when_false.len()).sum();
    let (users, roles) = (db.users.len(), db.roles.by_value().count());
    let (types, booleans) = (db.types.by_value().count(), db.booleans.len());
    writeln!(out, "{WHO}  {users} users, {roles} roles, {types} types, {booleans} bools")?;
    if db.mls {
        let (sensitivities, categories) = (db.sensitivities.len(), db.categories.len());
        writeln!(out, "{WHO} {sensitivities} sens, {categories} cats")?;
    }
    let (classes, rules) = (db.classes.by_value().count(), db.rules.len());
    Ok(writeln!(out, "{WHO}  {classes} classes, {rules} rules, {conditional} cond rules")?)
}

fn usage(name: &str, out: &mut dyn Write) -> Result<Result<Request, u8>> {
    let (low, high) = (PolicyVersion::MIN, PolicyVersion::MAX);
    writeln!(
        out,
        "usage:  {name} [-b[F]] [-C] [-d] [-U handle_unknown (allow,deny,reject)] [-M] [-N] [-c policyvers ({low}-{high})] \
         [-o output_file|-] [-S] [-O] [-t target_platform (selinux,xen)] [-E] [-V] [-L] [input_file]"
    )?;
    Ok(Err(1))
}
