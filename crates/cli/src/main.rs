//! `mandate`, and the classic names that link to it.

use std::process::ExitCode;

use mandate_host::memory::{self, Prefer};

#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::Allocator;

fn main() -> ExitCode {
    memory::prefer(Prefer::Room);
    let arguments: Vec<_> = std::env::args_os().collect();
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    // Not locked: progress is drawn from another thread.
    let mut err = anstream::stderr();
    ExitCode::from(mandate_cli::run(arguments, &mut out, &mut err))
}
