//! `mandate`, and the classic names that link to it.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    let mut err = anstream::stderr().lock();
    ExitCode::from(mandate_cli::run(arguments, &mut out, &mut err))
}
