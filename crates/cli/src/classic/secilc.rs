//! `secilc`: CIL to a binary policy and file contexts.

use std::io::Write;

use anyhow::Result;
use mandate_compile::cil;
use mandate_compile::outcome::Product;
use mandate_compile::whole::Checks;
use mandate_policydb::{PolicyDb, PolicyVersion, Target, drop_unsupported, unsupported};

use super::getopt::{self, Spec, Word, spec};
use super::handle_unknown;
use crate::compiler::{self, Source};
use crate::output::write_policy;
use crate::render::{Findings, text};
use crate::replace::replace;
use crate::sources;
use crate::words;

const OPTIONS: [Spec; 16] = [
    spec('h', "help", false),
    spec('v', "verbose", false),
    spec('t', "target", true),
    spec('M', "mls", true),
    spec('c', "policyversion", true),
    spec('U', "handle-unknown", true),
    spec('D', "disable-dontaudit", false),
    spec('m', "multiple-decls", false),
    spec('N', "disable-neverallow", false),
    spec('P', "preserve-tunables", false),
    spec('Q', "qualified-names", false),
    spec('o', "output", true),
    spec('f', "filecontexts", true),
    spec('G', "expand-generated", false),
    spec('X', "expand-size", true),
    spec('O', "optimize", false),
];

/// What the original returns for a failure: -1.
const FAILED: u8 = 255;

/// What the words ask for.
#[derive(Debug)]
struct Request {
    options: cil::Options,
    checks: Checks,
    output: Option<String>,
    contexts: Option<String>,
    files: Vec<String>,
}

pub(crate) fn secilc(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let name = words.first().map_or("secilc", String::as_str);
    let request = match Request::read(name, words.get(1..).unwrap_or_default(), err)? {
        Some(request) => request,
        None => return usage(name, out),
    };
    let Some(sources) = read_files(&request.files, err)? else { return Ok(FAILED) };
    let outcome = compiler::compile_cil(sources, &request.options, request.checks);
    let findings = Findings::of(&outcome).without_notes();
    text::write(&findings, text::Settings::for_terminal(), err)?;
    let Some(mut product) = outcome.product else {
        writeln!(err, "Failed to compile cildb: -1")?;
        return Ok(FAILED);
    };
    write_all(&request, &mut product, out, err)
}

/// The files, or nothing after one that cannot be read. Empty ones are passed over.
pub(super) fn read_files(files: &[String], err: &mut dyn Write) -> Result<Option<Vec<Source>>> {
    let mut read = Vec::with_capacity(files.len());
    for path in files {
        match sources::read_source(&words::to_path(path)) {
            Ok(bytes) => read.push(Source { path: path.clone(), bytes }),
            Err(_) => {
                writeln!(err, "Could not open file: {path}")?;
                return Ok(None);
            }
        }
    }
    Ok(Some(read))
}

fn write_all(
    request: &Request,
    product: &mut Product,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let version = request.options.version;
    for dropped in unsupported(&product.policy, version) {
        writeln!(err, "Warning! Policy version {version} cannot support {dropped}")?;
    }
    drop_unsupported(&mut product.policy, version);
    let output = request.output.clone().unwrap_or_else(|| format!("policy.{version}"));
    let to_file = |db: &PolicyDb| {
        replace(&words::to_path(&output), |file| write_policy(db, version, "", file))
    };
    let written = if output == "/dev/stdout" {
        write_policy(&product.policy, version, "", out)
    } else {
        to_file(&product.policy)
    };
    if written.is_err() {
        writeln!(err, "Failure opening binary file for writing")?;
        return Ok(FAILED);
    }
    let contexts = request.contexts.as_deref().unwrap_or("file_contexts");
    let text = product.files.get("file_contexts").cloned().unwrap_or_default();
    let written = match contexts {
        "/dev/null" => Ok(()),
        path => replace(&words::to_path(path), |file| Ok(file.write_all(&text)?)),
    };
    if written.is_err() {
        writeln!(err, "Failed to open file_contexts file")?;
        return Ok(FAILED);
    }
    Ok(0)
}

impl Request {
    /// The request; nothing where the usage is to be shown.
    fn read(name: &str, words: &[String], err: &mut dyn Write) -> Result<Option<Self>> {
        let mut request = Self {
            // What an older version cannot hold is left out when it is written.
            options: cil::Options { newest: true, ..cil::Options::default() },
            checks: Checks::default(),
            output: None,
            contexts: None,
            files: Vec::new(),
        };
        for word in getopt::read(&OPTIONS, words) {
            let (letter, argument) = match word {
                Word::Option(letter, argument) => (letter, argument),
                Word::Operand(file) => {
                    request.files.push(file);
                    continue;
                }
                Word::Wrong(message) => {
                    // The original tells it and goes on.
                    writeln!(err, "{name}: {message}")?;
                    continue;
                }
            };
            if let Err(message) = request.option(letter, argument) {
                if !message.is_empty() {
                    writeln!(err, "{message}")?;
                }
                return Ok(None);
            }
        }
        if request.files.is_empty() {
            writeln!(err, "No cil files specified")?;
            return Ok(None);
        }
        Ok(Some(request))
    }

    fn option(&mut self, letter: char, argument: String) -> Result<(), String> {
        let options = &mut self.options;
        let lower = argument.to_ascii_lowercase();
        match letter {
            't' => {
                options.target = match argument.as_str() {
                    "selinux" => Target::Selinux,
                    "xen" => Target::Xen,
                    _ => return Err(format!("Unknown target: {argument}")),
                };
            }
            'M' => {
                options.mls = Some(match lower.as_str() {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(String::new()),
                });
            }
            'c' => {
                let number: i64 =
                    argument.parse().map_err(|_| format!("Bad policy version: {argument}"))?;
                let version = u32::try_from(number).ok().and_then(PolicyVersion::new);
                options.version = version.ok_or_else(|| {
                    let (low, high) = (PolicyVersion::MIN, PolicyVersion::MAX);
                    format!("Policy version must be between {low} and {high}")
                })?;
            }
            'U' => {
                options.handle_unknown = Some(handle_unknown(&argument).ok_or_else(String::new)?);
            }
            'X' => {
                let bad = || format!("Bad attribute expand size: {argument}");
                let size: i64 = argument.parse().map_err(|_| bad())?;
                let size = u32::try_from(size)
                    .map_err(|_| "Attribute expand size must be > 0".to_owned())?;
                options.expand_size = Some(size);
            }
            'D' => options.disable_dontaudit = true,
            'm' => options.multiple_decls = true,
            'N' => {
                options.disable_neverallow = true;
                self.checks.neverallow = false;
            }
            'P' => options.preserve_tunables = true,
            'Q' => options.qualified_names = true,
            'G' => options.expand_generated = true,
            'O' => self.checks.optimise = true,
            'o' => self.output = Some(argument),
            'f' => self.contexts = Some(argument),
            'h' => return Err(String::new()),
            _ => {}
        }
        Ok(())
    }
}

fn usage(name: &str, out: &mut dyn Write) -> Result<u8> {
    let newest = PolicyVersion::MAX;
    writeln!(
        out,
        "Usage: {name} [OPTION]... FILE...

Options:
  -o, --output=<file>            write binary policy to <file>
                                 (default: policy.<version>)
  -f, --filecontext=<file>       write file contexts to <file>
                                 (default: file_contexts)
  -t, --target=<type>            selinux or xen (default: selinux)
  -M, --mls true|false           build an MLS policy or none, whatever (mls ...) says
  -c, --policyvers=<version>     version of the binary policy (default: {newest})
  -U, --handle-unknown=<action>  deny, allow or reject, whatever (handleunknown ...) says
  -D, --disable-dontaudit        leave dontaudit rules out
  -P, --preserve-tunables        treat tunables as booleans
  -Q, --qualified-names          names may have dots; no blocks, blockinherits, blockabstracts
                                 and in-statements
  -m, --multiple-decls           take equal declarations as one
  -N, --disable-neverallow       do not check neverallow rules
  -G, --expand-generated         expand and remove generated attributes
  -X, --expand-size <SIZE>       expand attributes with fewer than <SIZE> members
  -O, --optimize                 leave out rules that others make redundant
  -v, --verbose                  accepted
  -h, --help                     show this"
    )?;
    Ok(1)
}
