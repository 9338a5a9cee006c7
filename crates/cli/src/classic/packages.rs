//! `semodule_package`, `semodule_unpackage`, `semodule_link`, `semodule_expand`: policy packages and what is made of them.

use std::fs;
use std::io::Write;

use anyhow::Result;
use mandate_compile::backend;
use mandate_compile::outcome::Outcome;
use mandate_compile::package::{self, Module, Package};
use mandate_compile::whole::Checks;
use mandate_policydb::{PolicyVersion, drop_unsupported, unsupported};
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::source::{SourceMap, Span};

use super::getopt::{self, Spec, Word, spec};
use super::{leading_number, system_words};
use crate::output::write_policy;
use crate::render::{Findings, text};
use crate::replace::replace;
use crate::words;

/// What `-V` of semodule_link and semodule_expand prints.
const TOOL_VERSION: &str = "1.0";

fn program(words: &[String]) -> (&str, &[String]) {
    let name = words.first().map_or("semodule", String::as_str);
    (name, words.get(1..).unwrap_or_default())
}

/// `semodule_package -o FILE -m MODULE [-f FC] [-s SEUSERS] [-u USERS_EXTRA] [-n NETFILTER_CONTEXTS]`
pub(crate) fn package(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    const OPTIONS: [Spec; 7] = [
        spec('m', "module", true),
        spec('f', "fc", true),
        spec('s', "seuser", true),
        spec('u', "user_extra", true),
        spec('n', "nc", true),
        spec('o', "outfile", true),
        spec('h', "help", false),
    ];
    let (name, words) = program(words);
    let mut files: [Option<String>; 6] = Default::default();
    let mut superfluous = Vec::new();
    for word in getopt::read(&OPTIONS, words) {
        match word {
            Word::Option('h', _) => return package_usage(name, out),
            Word::Option(letter, file) => {
                let kinds = [
                    "module",
                    "file context file",
                    "seuser file",
                    "user_extra file",
                    "netfilter contexts file",
                    "output file",
                ];
                let at = OPTIONS.iter().position(|it| it.letter == letter).unwrap_or(0);
                if files[at].is_some() {
                    writeln!(err, "May not specify more than one {}", kinds[at])?;
                    return Ok(1);
                }
                files[at] = Some(file);
            }
            Word::Wrong(message) => {
                writeln!(err, "{name}: {message}")?;
                return package_usage(name, out);
            }
            Word::Operand(word) => superfluous.push(word),
        }
    }
    if !superfluous.is_empty() {
        let all = superfluous.join(" ");
        writeln!(err, "{name}:  Superfluous command line arguments: {all} ")?;
        return package_usage(name, out);
    }
    let [module, texts @ .., output] = files;
    let (Some(module), Some(output)) = (module, output) else {
        return package_usage(name, out);
    };
    let mut read = Vec::new();
    for file in texts {
        read.push(match file {
            None => Vec::new(),
            Some(file) => match fs::read(&file) {
                Ok(bytes) => bytes,
                Err(why) => {
                    let why = system_words(&why);
                    writeln!(err, "{name}:  Failed to open {file}:  {why}")?;
                    return Ok(1);
                }
            },
        });
    }
    let bytes = match fs::read(&module) {
        Ok(bytes) => bytes,
        Err(why) => {
            let why = system_words(&why);
            writeln!(err, "{name}:  Could not open file {module}:  {why}")?;
            return Ok(1);
        }
    };
    let mut package = match Module::read(&bytes) {
        Ok(module) => Package::new(module),
        Err(why) => {
            writeln!(err, "{module}: {why}")?;
            writeln!(err, "{name}:  Error while reading policy module from {module}")?;
            return Ok(1);
        }
    };
    let mut read = read.into_iter();
    for slot in [
        &mut package.file_contexts,
        &mut package.seusers,
        &mut package.users_extra,
        &mut package.netfilter_contexts,
    ] {
        *slot = read.next().filter(|it: &Vec<u8>| !it.is_empty());
    }
    write_package(&package, &output, "Could not open file", name, err)
}

fn package_usage(name: &str, out: &mut dyn Write) -> Result<u8> {
    writeln!(out, "usage: {name} -o <output file> -m <module> [-f <file contexts>]")?;
    writeln!(out, "Options:")?;
    for line in [
        "-o --outfile\t\tOutput file (required)",
        "-m --module\t\tModule file (required)",
        "-f --fc\t\tFile contexts file",
        "-s --seuser\t\tSeusers file (only valid in base)",
        "-u --user_extra\tuser_extra file (only valid in base)",
        "-n --nc\t\tNetfilter contexts file",
        "-h --help\t\tShow this help message",
    ] {
        writeln!(out, "  {line}")?;
    }
    Ok(1)
}

fn write_package(
    package: &Package,
    path: &str,
    trouble: &str,
    name: &str,
    err: &mut dyn Write,
) -> Result<u8> {
    let bytes = match package.write() {
        Ok(bytes) => bytes,
        Err(why) => {
            writeln!(err, "{name}:  Error while writing module package to {path}: {why}")?;
            return Ok(1);
        }
    };
    write_file(path, &bytes, trouble, name, err)
}

fn write_file(
    path: &str,
    bytes: &[u8],
    trouble: &str,
    name: &str,
    err: &mut dyn Write,
) -> Result<u8> {
    let written = replace(&words::to_path(path), |file| Ok(file.write_all(bytes)?));
    if let Err(why) = written {
        let why = why.root_cause().to_string();
        let why = why.split(" (os error").next().unwrap_or(&why);
        writeln!(err, "{name}:  {trouble} {path}:  {why}")?;
        return Ok(1);
    }
    Ok(0)
}

/// `semodule_unpackage PPFILE MODFILE [FCFILE]`
pub(crate) fn unpackage(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let (name, words) = program(words);
    let [pp, module, rest @ ..] = words else {
        writeln!(out, "usage: {name} ppfile modfile [fcfile]")?;
        return Ok(1);
    };
    let bytes = match fs::read(pp) {
        Ok(bytes) => bytes,
        Err(why) => {
            writeln!(err, "{name}:  Could not open file {pp}:  {}", system_words(&why))?;
            return Ok(1);
        }
    };
    let package = match Package::read(&bytes) {
        Ok(package) => package,
        Err(why) => {
            writeln!(err, "{pp}: {why}")?;
            writeln!(err, "{name}:  Error while reading policy module from {pp}")?;
            return Ok(1);
        }
    };
    let bytes = match package.module.write(package.module.format_version()) {
        Ok(bytes) => bytes,
        Err(why) => {
            writeln!(err, "{name}:  Error while writing module to {module}: {why}")?;
            return Ok(1);
        }
    };
    let code = write_file(module, &bytes, "Could not open file", name, err)?;
    match rest.first() {
        Some(file) if code == 0 => match &package.file_contexts {
            Some(text) if !text.is_empty() => {
                write_file(file, text, "Could not open file", name, err)
            }
            _ => Ok(code),
        },
        _ => Ok(code),
    }
}

/// Packages with outlines in place of sources, so that findings have places.
#[derive(Default)]
struct Loaded {
    packages: Vec<Package>,
    sources: SourceMap,
}

impl Loaded {
    fn add(&mut self, path: &str, mut package: Package) {
        if let Ok(id) = self.sources.add(path, package.module.outline().into_bytes()) {
            let start = Span { pos: self.sources.file(id).start(), ..Span::NOWHERE };
            package.module.locate(start);
        }
        self.packages.push(package);
    }

    fn show(self, diagnostics: Vec<Diagnostic>, err: &mut dyn Write) -> Result<()> {
        let outcome = Outcome { sources: self.sources, diagnostics, ..Outcome::default() };
        let findings = Findings::of(&outcome).without_notes();
        Ok(text::write(&findings, text::Settings::for_terminal(), err)?)
    }
}

/// `semodule_link [-Vvh] [-o FILE] BASE MODULE...`
pub(crate) fn link(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    const OPTIONS: [Spec; 4] =
        [spec('h', "", false), spec('V', "", false), spec('v', "", false), spec('o', "", true)];
    let (name, words) = program(words);
    let usage = |out: &mut dyn Write| -> Result<u8> {
        writeln!(out, "usage: {name} [-hVv] [-o outfile] basemodpkg modpkg1 [modpkg2]...")?;
        Ok(1)
    };
    let (mut output, mut files, mut verbose, mut version) = (None, Vec::new(), false, false);
    for word in getopt::read(&OPTIONS, words) {
        match word {
            Word::Option('h', _) => return usage(out),
            Word::Option('V', _) => version = true,
            Word::Option('v', _) => verbose = true,
            Word::Option(_, file) => output = Some(file),
            Word::Operand(file) => files.push(file),
            Word::Wrong(message) => {
                writeln!(err, "{name}: {message}")?;
                return usage(out);
            }
        }
    }
    if version {
        writeln!(out, "{TOOL_VERSION}")?;
        return Ok(0);
    }
    if files.len() < 2 {
        writeln!(
            err,
            "{name}:  You must provide the base module package and at least one other module package"
        )?;
        return usage(out);
    }
    let mut loaded = Loaded::default();
    for (at, file) in files.iter().enumerate() {
        if !load(&mut loaded, file, name, out, err)? {
            let what = if at == 0 { "base module" } else { "module" };
            writeln!(err, "{name}:  Could not load {what} from file {file}")?;
            return Ok(1);
        }
    }
    let mut packages = std::mem::take(&mut loaded.packages).into_iter();
    let Some(mut base) = packages.next() else { return Ok(1) };
    let rest: Vec<Package> = packages.collect();
    for package in &rest {
        for (to, from) in [
            (&mut base.file_contexts, &package.file_contexts),
            (&mut base.netfilter_contexts, &package.netfilter_contexts),
        ] {
            to.get_or_insert_default().extend(from.iter().flatten());
        }
    }
    let modules: Vec<Module> = rest.into_iter().map(|it| it.module).collect();
    let linked = match package::link(base.module, &modules) {
        Ok(linked) => linked,
        Err(errors) => {
            loaded.show(errors, err)?;
            writeln!(err, "{name}:  Error while linking packages")?;
            return Ok(1);
        }
    };
    if verbose {
        for it in &linked.disabled {
            let line = outline_line(&loaded.sources, it.span);
            writeln!(err, "{line}: optional requirements were not met: {}", it.missing)?;
        }
    }
    loaded.show(linked.warnings, err)?;
    base.module = linked.module;
    match output {
        Some(output) => write_package(&base, &output, "Could not open output file", name, err),
        None => Ok(0),
    }
}

/// The line of an outline.
fn outline_line(sources: &SourceMap, span: Span) -> String {
    let Some(at) = sources.location(span.pos) else { return String::new() };
    let text = &sources.file(at.file).bytes[at.offset..];
    let line = text.split(|it| *it == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}

fn load(
    loaded: &mut Loaded,
    file: &str,
    name: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<bool> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(why) => {
            writeln!(err, "{name}:  Could not open package {file}:  {}", system_words(&why))?;
            return Ok(false);
        }
    };
    writeln!(out, "{name}:  loading package from file {file}")?;
    match Package::read(&bytes) {
        Ok(package) => {
            loaded.add(file, package);
            Ok(true)
        }
        Err(why) => {
            writeln!(err, "{file}: {why}")?;
            writeln!(err, "{name}:  Error while reading package from {file}")?;
            Ok(false)
        }
    }
}

/// `semodule_expand [-Vvha] [-c VERSION] BASE FILE`
pub(crate) fn expand(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    const OPTIONS: [Spec; 5] = [
        spec('h', "", false),
        spec('V', "", false),
        spec('v', "", false),
        spec('a', "", false),
        spec('c', "", true),
    ];
    let (name, words) = program(words);
    let usage = |out: &mut dyn Write| -> Result<u8> {
        writeln!(out, "usage: {name} [-h -V -a -c [version] -v] basemodpkg outputfile")?;
        Ok(1)
    };
    let (mut version, mut files) = (None, Vec::new());
    let (mut verbose, mut show_version, mut check) = (false, false, true);
    for word in getopt::read(&OPTIONS, words) {
        match word {
            Word::Option('h', _) => return usage(out),
            Word::Option('V', _) => show_version = true,
            Word::Option('v', _) => verbose = true,
            Word::Option('a', _) => check = false,
            Word::Option(_, number) => {
                let number = leading_number(&number);
                version = PolicyVersion::new(number);
                if version.is_none() {
                    let (low, high) = (PolicyVersion::MIN, PolicyVersion::MAX);
                    writeln!(err, "{name}:  policyvers value {number} not in range {low}-{high}")?;
                    return usage(out);
                }
            }
            Word::Operand(file) => files.push(file),
            Word::Wrong(message) => {
                writeln!(err, "{name}: {message}")?;
                return usage(out);
            }
        }
    }
    if let (true, Some(version)) = (verbose, version) {
        writeln!(out, "Building version {version} policy")?;
    }
    if show_version {
        writeln!(out, "{TOOL_VERSION}")?;
        return Ok(0);
    }
    let [base, output] = &files[..] else {
        writeln!(err, "{name}:  You must provide the base module package and output filename")?;
        return usage(out);
    };
    expand_file(base, output, version, check, name, err)
}

fn expand_file(
    base: &str,
    output: &str,
    version: Option<PolicyVersion>,
    check: bool,
    name: &str,
    err: &mut dyn Write,
) -> Result<u8> {
    let bytes = match fs::read(base) {
        Ok(bytes) => bytes,
        Err(why) => {
            writeln!(err, "{name}:  Can't open '{base}':  {}", system_words(&why))?;
            return Ok(1);
        }
    };
    let mut loaded = Loaded::default();
    match Package::read(&bytes) {
        Ok(package) => loaded.add(base, package),
        Err(why) => {
            writeln!(err, "{base}: {why}")?;
            writeln!(err, "{name}:  Error in reading package from {base}")?;
            return Ok(1);
        }
    }
    let Some(package) = loaded.packages.pop() else { return Ok(1) };
    // Linking the base alone takes care of enabling optional blocks.
    let linked = match package::link(package.module, &[]) {
        Ok(linked) => linked,
        Err(errors) => {
            loaded.show(errors, err)?;
            writeln!(err, "{name}:  Error while enabling avrules")?;
            return Ok(1);
        }
    };
    let mut options = backend::Options::default();
    options.version = PolicyVersion::MAX;
    let checks = Checks { neverallow: check, optimise: false };
    let whole = package::expand(&linked.module, &options, checks);
    let failed = whole.diagnostics.iter().any(|it| it.severity == Severity::Error);
    loaded.show(whole.diagnostics, err)?;
    let Some(mut db) = whole.policy.filter(|_| !failed) else {
        writeln!(err, "{name}:  Error while expanding policy")?;
        return Ok(1);
    };
    let version = version.unwrap_or(PolicyVersion::MAX);
    for dropped in unsupported(&db, version) {
        writeln!(err, "Warning! Policy version {version} cannot support {dropped}")?;
    }
    drop_unsupported(&mut db, version);
    let mut bytes = Vec::new();
    if let Err(why) = write_policy(&db, version, "", &mut bytes) {
        writeln!(err, "{why:#}")?;
        writeln!(err, "{name}:  Error while writing expanded policy to {output}")?;
        return Ok(1);
    }
    let written = replace(&words::to_path(output), |file| Ok(file.write_all(&bytes)?));
    if let Err(why) = written {
        let why = why.root_cause().to_string();
        let why = why.split(" (os error").next().unwrap_or(&why);
        writeln!(err, "{name}:  Can't open '{output}':  {why}")?;
        return Ok(1);
    }
    Ok(0)
}
