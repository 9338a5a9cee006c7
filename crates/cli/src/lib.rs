//! The command line: each verb a file that turns arguments into one library call and renders the answer.
//!
//! Exit codes: 0 success or allowed, 1 denied or errors in policy sources, 2 error. Classic commands keep those of the originals.

mod answers;
mod cache;
mod classic;
mod compiler;
mod differences;
mod folder;
mod forms;
mod homedirs;
mod input;
mod interfaces;
mod labels;
mod logs;
mod output;
mod packages;
mod policy;
mod progress;
mod relabel;
pub mod render;
mod replace;
mod setrans;
mod sources;
mod suggest;
mod verbs;
mod words;

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use anyhow::Error;
use clap::{CommandFactory, Parser};

/// How a verb ends when nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, or allowed.
    Success,
    /// The policy denies what was asked.
    Denied,
    /// The policy sources have errors, which were told.
    Faulty,
    /// Some input was wrong; it was told where the answer would stand.
    BadInput,
    /// As a program that it ran.
    Code(u8),
}

const FAILURE: u8 = 2;

/// SELinux, whole: read, ask and explain any policy, on any Linux.
#[derive(Parser)]
#[command(name = "mandate", version, arg_required_else_help = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: verbs::Verb,
}

/// The command with all its verbs, for man pages and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Whether a command line's output is bytes as they are, without colours: that of classic commands that name files.
pub fn is_plain(arguments: &[OsString]) -> bool {
    let name = arguments.first().and_then(|it| Path::new(it).file_name()?.to_str());
    name.is_some_and(|it| classic::NAME_FILES.contains(&it))
}

/// Whether answers are bytes that must not be taken for colours: `label lookup --null`, and records of `audit search` and `follow`.
pub fn is_bytes(arguments: &[OsString]) -> bool {
    let is = |at: usize, word: &str| arguments.get(at).is_some_and(|it| it == word);
    if is(1, "audit") && (is(2, "search") || is(2, "follow")) {
        return !arguments.iter().any(|it| it == "--help" || it == "-h");
    }
    is(1, "label") && is(2, "lookup") && arguments.iter().any(|it| is_null(it.as_bytes()))
}

/// `--null`, or `-0` among other options of one letter that take no value.
fn is_null(word: &[u8]) -> bool {
    let letters = word.strip_prefix(b"-").unwrap_or_default();
    word == b"--null" || letters.iter().take_while(|it| b"0b".contains(it)).any(|&it| it == b'0')
}

fn classic_of(arguments: &[OsString]) -> Option<classic::Classic> {
    classic::find(Path::new(arguments.first()?).file_name()?.to_str()?)
}

/// Runs a command line, `arguments[0]` included, and returns the exit code.
pub fn run(arguments: Vec<OsString>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    if let Some(classic) = classic_of(&arguments) {
        let words: Vec<_> = arguments.iter().map(|it| words::to_text(it)).collect();
        let code = match classic(&words, out, err) {
            Err(error) if is_plain(&arguments) && !is_broken_pipe(&error) => {
                writeln!(err, "{}: {error:#}", words.first().map_or("", |it| it))
                    .map(|()| FAILURE)
                    .map_err(Error::from)
            }
            code => code,
        };
        return finish(code, out, err);
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { FAILURE } else { 0 };
            let text = error.render().ansi().to_string();
            let written = if error.use_stderr() {
                err.write_all(text.as_bytes())
            } else {
                out.write_all(text.as_bytes())
            };
            return finish(written.map(|()| code).map_err(Error::from), out, err);
        }
    };
    let result = cli.verb.run(out, err).map(|outcome| match outcome {
        Outcome::Success => 0,
        Outcome::Denied | Outcome::Faulty => 1,
        Outcome::BadInput => FAILURE,
        Outcome::Code(code) => code,
    });
    finish(result, out, err)
}

/// Flushes and turns a result into an exit code. A reader that went away is no error.
fn finish(result: Result<u8, Error>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let result = result.and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => 0,
        Err(error) => {
            let (red, plain) = (ERROR.render(), ERROR.render_reset());
            // Nothing is left to tell the failure to.
            drop(writeln!(err, "{red}error:{plain} {error:#}"));
            FAILURE
        }
    }
}

fn is_broken_pipe(error: &Error) -> bool {
    let io_error = error.chain().find_map(|it| it.downcast_ref::<io::Error>());
    io_error.is_some_and(|it| it.kind() == io::ErrorKind::BrokenPipe)
}

const ERROR: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
const ALLOWED: anstyle::Style = anstyle::AnsiColor::Green.on_default();
const DENIED: anstyle::Style = anstyle::AnsiColor::Red.on_default();
const FAINT: anstyle::Style = anstyle::Style::new().dimmed();
const STRONG: anstyle::Style = anstyle::Style::new().bold();

/// Text in a style; colours are left out on the way where they are not wanted.
fn styled(style: anstyle::Style, text: &str) -> String {
    format!("{}{text}{}", style.render(), style.render_reset())
}
