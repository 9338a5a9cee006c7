//! `audit2allow` and `audit2why`: rules for what logs say was denied, and why it was.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mandate_audit::allowing::{Allowing, Style};
use mandate_audit::interfaces::Catalogue;
use mandate_audit::verdict::Verdict;
use mandate_audit::{Access, Event, Events, Kind, Reader};
use mandate_server::Engine;
use regex::Regex;

use super::checkmodule::checkmodule;
use super::getopt::{self, Spec, Word, spec};
use super::packages;
use crate::{input, interfaces, policy, words};

const OPTIONS: [Spec; 21] = [
    spec('a', "all", false),
    spec('b', "boot", false),
    spec('d', "dmesg", false),
    spec('D', "dontaudit", false),
    spec('e', "explain", false),
    spec('h', "help", false),
    spec('i', "input", true),
    spec('l', "lastreload", false),
    spec('m', "module", true),
    spec('M', "module-package", true),
    spec('N', "noreference", false),
    spec('o', "output", true),
    spec('p', "policy", true),
    spec('r', "requires", false),
    spec('R', "reference", false),
    spec('t', "type", true),
    spec('v', "verbose", false),
    spec('w', "why", false),
    spec('x', "xperms", false),
    // Ours alone, and names without a letter.
    spec('H', "headers", true),
    spec('V', "version", false),
];

/// Where auditd keeps its log.
const LOG: &str = "/var/log/audit/audit.log";
/// Where the headers of a policy are installed.
const HEADERS: &str = "/usr/share/selinux/devel";
/// What is wrong with the words.
const USAGE: u8 = 2;
/// What cannot be done.
const FAILED: u8 = 1;

pub(crate) fn audit2allow(
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    run("audit2allow", words, out, err)
}

pub(crate) fn audit2why(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    run("audit2why", words, out, err)
}

fn run(name: &str, words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let mut options = Options { why: name == "audit2why", ..Options::default() };
    for word in getopt::read(&OPTIONS, words.get(1..).unwrap_or_default()) {
        match options.take(word) {
            Ok(()) => {}
            Err(why) => {
                writeln!(err, "Usage: {name} [options]\n\n{name}: error: {why}")?;
                return Ok(USAGE);
            }
        }
    }
    if options.help {
        write!(out, "{HELP}")?;
        return Ok(0);
    }
    if options.version {
        writeln!(out, "{name} {}", env!("CARGO_PKG_VERSION"))?;
        return Ok(0);
    }
    if let Some(why) = options.conflict() {
        writeln!(err, "Usage: {name} [options]\n\n{name}: error: {why}")?;
        return Ok(USAGE);
    }
    match answer(&options, out, err) {
        Ok(()) => Ok(0),
        Err(why) => {
            writeln!(err, "{name}: {why:#}")?;
            Ok(FAILED)
        }
    }
}

#[derive(Default)]
struct Options {
    why: bool,
    help: bool,
    version: bool,
    all: bool,
    input: Option<PathBuf>,
    last_reload: bool,
    module: Option<String>,
    package: Option<String>,
    output: Option<PathBuf>,
    policy: Option<PathBuf>,
    requires: bool,
    reference: bool,
    headers: Option<PathBuf>,
    type_: Option<Regex>,
    style: Style,
}

impl Options {
    fn take(&mut self, word: Word) -> Result<(), String> {
        match word {
            Word::Option('a', _) => self.all = true,
            Word::Option('D', _) => self.style.dontaudit = true,
            Word::Option('h', _) => self.help = true,
            Word::Option('i', file) => self.input = Some(words::to_path(&file)),
            Word::Option('l', _) => self.last_reload = true,
            Word::Option('m', name) => self.module = Some(name),
            Word::Option('M', name) => self.package = Some(name),
            Word::Option('N', _) => self.reference = false,
            Word::Option('o', file) => self.output = Some(words::to_path(&file)),
            Word::Option('p', file) => self.policy = Some(words::to_path(&file)),
            Word::Option('r', _) => self.requires = true,
            Word::Option('R', _) => self.reference = true,
            Word::Option('H', folder) => self.headers = Some(words::to_path(&folder)),
            Word::Option('t', pattern) => {
                let anchored = format!("^(?:{pattern})");
                self.type_ = Some(Regex::new(&anchored).map_err(|it| it.to_string())?);
            }
            Word::Option('v', _) => self.style.verbose = true,
            Word::Option('V', _) => self.version = true,
            Word::Option('w', _) => self.why = true,
            Word::Option('x', _) => self.style.xperms = true,
            Word::Option(letter, _) => return Err(format!("option -{letter} is not supported")),
            Word::Operand(word) => return Err(format!("unexpected argument {word}")),
            Word::Wrong(message) => return Err(message),
        }
        Ok(())
    }

    /// Options that do not go together.
    fn conflict(&self) -> Option<&'static str> {
        let name = self.module.as_ref().or(self.package.as_ref());
        let valid = |it: &String| {
            let mut letters = it.chars();
            letters.next().is_some_and(char::is_alphabetic)
                && letters.all(|it| it.is_alphanumeric() || "-_.".contains(it))
        };
        if self.all && self.input.is_some() {
            return Some("options --all and --input conflict");
        }
        if self.package.is_some() && (self.module.is_some() || self.output.is_some()) {
            return Some("option --module-package conflicts with --module and --output");
        }
        if name.is_some_and(|it| !valid(it)) {
            return Some(
                "module names must begin with a letter, optionally followed by letters, numbers, \"-\", \"_\", \".\"",
            );
        }
        None
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let path = match (&self.input, self.all) {
            (Some(path), _) => path.as_path(),
            (None, true) => Path::new(LOG),
            (None, false) => Path::new("-"),
        };
        input::read_bytes(path)
    }
}

fn answer(options: &Options, out: &mut dyn Write, err: &mut dyn Write) -> Result<()> {
    let bytes = options.bytes()?;
    let events = match options.why {
        true => records(&bytes, options, err)?,
        false => events(&bytes, options, err)?,
    };
    let path = options.policy.clone().map_or_else(policy::running, Ok)?;
    let engine = Engine::new(policy::load(&[path], err)?.policy)?;
    if options.why {
        return why(&events, options, &engine, out);
    }
    let accesses: Vec<Access> = events.iter().flat_map(Event::accesses).collect();
    let wanted = accesses.iter().filter(|it| options.wants(it));
    let allowing = Allowing::of(wanted, &engine);
    let roles = role_types(&events);
    if allowing.is_empty() && roles.is_empty() {
        writeln!(out, "Nothing to do")?;
        return Ok(());
    }
    let text = text(options, &allowing, &engine)? + &roles;
    if let Some(name) = &options.package {
        return package(name, &text, out, err);
    }
    match &options.output {
        Some(path) => {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            let file = file.as_mut().map_err(|it| std::io::Error::new(it.kind(), it.to_string()));
            file.with_context(|| path.display().to_string())?.write_all(text.as_bytes())?;
        }
        None => write!(out, "{text}")?,
    }
    Ok(())
}

/// The events of a log; with `-l` those after the last load of a policy.
fn events<'a>(bytes: &'a [u8], options: &Options, err: &mut dyn Write) -> Result<Vec<Event<'a>>> {
    let mut found = Vec::new();
    for event in Events::new(Reader::new(bytes)) {
        match event {
            Ok(event) => {
                if options.last_reload && event.record(Kind::MAC_POLICY_LOAD).is_some() {
                    found.clear();
                }
                found.push(event);
            }
            Err(why) => writeln!(err, "line {why}; it is left out")?,
        }
    }
    Ok(found)
}

/// The records of a log, each an event of its own: in the order in which they stand there.
fn records<'a>(bytes: &'a [u8], options: &Options, err: &mut dyn Write) -> Result<Vec<Event<'a>>> {
    let mut found = Vec::new();
    for record in Reader::new(bytes) {
        match record {
            Ok(record) if options.last_reload && record.kind() == Kind::MAC_POLICY_LOAD => {
                found.clear();
            }
            Ok(record) => found.push(Event::new(record)),
            Err(why) => writeln!(err, "line {why}; it is left out")?,
        }
    }
    Ok(found)
}

/// What would make contexts valid that the kernel computed and refused.
fn role_types(events: &[Event<'_>]) -> String {
    const OLD: &str = "invalid context ";
    let mut found = BTreeSet::new();
    for record in events.iter().flat_map(Event::records) {
        if record.kind() != Kind::SELINUX_ERR {
            continue;
        }
        let body = String::from_utf8_lossy(record.body()).into_owned();
        let told =
            record.text("invalid_context").map(|it| String::from_utf8_lossy(&it).into_owned());
        let old = || Some(body.split_once(OLD)?.1.split_whitespace().next()?.to_owned());
        let Some(context) = told.or_else(old) else { continue };
        let mut parts = context.split(':').skip(1);
        if let (Some(role), Some(type_)) = (parts.next(), parts.next()) {
            found.insert(format!("role {role} types {type_};\n"));
        }
    }
    if found.is_empty() {
        return String::new();
    }
    let rules: String = found.into_iter().collect();
    format!("#============= ROLES ==============\n{rules}\n")
}

impl Options {
    /// Does the type of one of its contexts match?
    fn wants(&self, access: &Access) -> bool {
        let Some(pattern) = &self.type_ else { return true };
        let type_ = |it: &str| it.split(':').nth(2).map(str::to_owned).unwrap_or_default();
        pattern.is_match(&type_(&access.scontext)) || pattern.is_match(&type_(&access.tcontext))
    }
}

fn text(options: &Options, allowing: &Allowing, engine: &Engine) -> Result<String> {
    let style = options.style;
    let name = options.module.as_ref().or(options.package.as_ref());
    if options.reference {
        let folder = options.headers.clone().unwrap_or_else(|| HEADERS.into());
        let listing = interfaces::of_headers(&folder).context("no interfaces to be offered")?;
        let catalogue = Catalogue::new(&listing, engine.db());
        let rules = allowing.to_reference(&catalogue, engine.db(), style);
        let head = name.map_or_else(String::new, |it| format!("policy_module({it}, 1.0)\n"));
        return Ok(format!("{head}{rules}"));
    }
    let rules = allowing.to_text(style);
    let required = allowing.rules(style).to_requires();
    Ok(match name {
        Some(name) => format!("\nmodule {name} 1.0;\n\n{required}{rules}"),
        None if options.requires => format!("\n{required}{rules}"),
        None => format!("\n{rules}"),
    })
}

/// Writes NAME.te and makes NAME.pp of it.
fn package(name: &str, text: &str, out: &mut dyn Write, err: &mut dyn Write) -> Result<()> {
    let file = |ending: &str| format!("{name}.{ending}");
    std::fs::write(file("te"), text).with_context(|| file("te"))?;
    let words = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let (te, module, made) = (file("te"), file("mod"), file("pp"));
    let mut quiet = Vec::new();
    let compile = words(&["checkmodule", "-M", "-m", "-o", &module, &te]);
    let wrap = words(&["semodule_package", "-o", &made, "-m", &module]);
    let failed = checkmodule(&compile, &mut quiet, err)? != 0
        || packages::package(&wrap, &mut quiet, err)? != 0;
    let removed = std::fs::remove_file(&module);
    if failed {
        bail!("{te} could not be made a package");
    }
    removed.with_context(|| module.clone())?;
    writeln!(out, "******************** IMPORTANT ***********************")?;
    writeln!(out, "To make this policy package active, execute:\n\nsemodule -i {made}\n")?;
    Ok(())
}

/// Tells of each record why it was denied.
fn why(
    events: &[Event<'_>],
    options: &Options,
    engine: &Engine,
    out: &mut dyn Write,
) -> Result<()> {
    for event in events {
        let records = event.records().iter().filter(|it| it.avc().is_some());
        for (record, access) in records.zip(event.accesses()) {
            let verdict = Verdict::of(engine, &access);
            let unknown = verdict.is_about_names() || verdict == Verdict::BadClass;
            if unknown || !options.wants(&access) {
                continue;
            }
            out.write_all(record.line())?;
            writeln!(out, "\n\n\tWas caused by:")?;
            tell(&verdict, out)?;
        }
    }
    Ok(())
}

fn tell(verdict: &Verdict, out: &mut dyn Write) -> Result<()> {
    const MISMATCH: &str = "\t\tPossible mismatch between this policy and the one under which the audit message was generated.\n\n\
        \t\tPossible mismatch between current in-memory boolean settings vs. permanent ones.\n";
    match verdict {
        Verdict::Allowed => {
            writeln!(out, "\t\tUnknown - would be allowed by active policy\n{MISMATCH}")?;
        }
        Verdict::DontAudit => {
            writeln!(out, "\t\tUnknown - should be dontaudit'd by active policy\n{MISMATCH}")?;
        }
        Verdict::Boolean(all) => {
            match all.as_slice() {
                [(name, _)] => writeln!(out, "\tThe boolean {name} was set incorrectly. ")?,
                _ => writeln!(out, "\tOne of the following booleans was set incorrectly.")?,
            }
            for (name, on) in all {
                writeln!(
                    out,
                    "\tAllow access by executing:\n\t# setsebool -P {name} {}",
                    u8::from(*on)
                )?;
            }
        }
        Verdict::Constraint { .. } => {
            let comments = verdict.comments();
            for line in comments.iter().skip(1) {
                writeln!(out, "#{line}\n")?;
            }
        }
        Verdict::Role => {
            writeln!(
                out,
                "\t\tMissing role allow rule.\n\n\t\tAdd an allow rule for the role pair.\n"
            )?;
        }
        Verdict::Bounds => {
            writeln!(
                out,
                "\t\tTypebounds violation.\n\n\t\tAdd an allow rule for the parent type.\n"
            )?;
        }
        Verdict::Rule | Verdict::BadContext | Verdict::BadClass | Verdict::BadPermission => {
            writeln!(
                out,
                "\t\tMissing type enforcement (TE) allow rule.\n\n\t\tYou can use audit2allow to generate a loadable module to allow this access.\n"
            )?;
        }
    }
    Ok(())
}

const HELP: &str = "\
Usage: audit2allow [options]
       audit2why [options]

Rules that would allow what logs say was denied; audit2why (audit2allow -w) says why it was.

  -i, --input FILE            the log; without it standard input
  -a, --all                   the log of auditd, /var/log/audit/audit.log
  -p, --policy FILE           the policy that says why, in any form; without it that in force
  -l, --lastreload            only what came after the last load of a policy
  -t, --type REGEX            only where the type of a context begins so
  -m, --module NAME           a module: with what it requires
  -M, --module-package NAME   NAME.te, and NAME.pp made of it
  -r, --requires              with what the rules require
  -R, --reference             calls of interfaces where they grant it; --headers DIR says where they are
  -N, --noreference           rules only
  -D, --dontaudit             dontaudit rules
  -x, --xperms                with rules for the commands of ioctls
  -v, --verbose               what each rule is about
  -o, --output FILE           append to FILE
  -w, --why                   as audit2why
  -h, --help; --version       this text; the version
";
