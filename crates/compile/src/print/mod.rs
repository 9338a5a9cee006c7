//! Writers of text: units in the kernel policy language and in CIL. What a form cannot hold is told, never dropped in silence.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::Span;

pub mod cil;
mod infix;
pub mod kernel;
#[cfg(test)]
mod tests;

/// A text, and what could not be said in it.
#[derive(Clone, Debug, Default)]
pub struct Printed {
    /// The text. After an error it is not to be used.
    pub text: Vec<u8>,
    /// What the form cannot hold.
    pub diagnostics: Vec<Diagnostic>,
}

impl Printed {
    /// Is there an error among the diagnostics?
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|it| it.severity == mandate_syntax::diagnostic::Severity::Error)
    }
}

/// An error about what a form does not have.
fn not_in_form(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::NotInForm, span, message)
}

/// A warning about what a form does not have and can do without.
fn left_out(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::warning(Code::LeftOut, span, message)
}

/// Writes a number without a detour by a string.
fn decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes `0x` and the number.
fn hexadecimal(out: &mut Vec<u8>, number: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"0x");
    let digits = (64 - number.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.push(DIGITS[usize::try_from(number >> (digit * 4) & 15).unwrap_or(0)]);
    }
}
