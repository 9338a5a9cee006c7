//! `mandate`, and the classic names that link to it.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use mandate_host::memory::{self, Prefer};

#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::Allocator;

fn main() -> ExitCode {
    memory::prefer(Prefer::Room);
    let arguments: Vec<_> = std::env::args_os().collect();
    // Names of files and records go out byte by byte; all else may be coloured, which is taken away where it is not wanted.
    let plain = mandate_cli::is_plain(&arguments);
    let sink: Box<dyn Write> = match plain || mandate_cli::is_bytes(&arguments) {
        true => Box::new(std::io::stdout().lock()),
        false => Box::new(anstream::stdout().lock()),
    };
    let mut out = BufWriter::new(sink);
    // Not locked: progress is drawn from another thread.
    let mut err: Box<dyn Write> = match plain {
        true => Box::new(std::io::stderr()),
        false => Box::new(anstream::stderr()),
    };
    ExitCode::from(mandate_cli::run(arguments, &mut out, &mut err))
}
