//! Numbers and ranges of them.

use super::ast::NumberRange;
use super::lexer::TokenKind;
use super::parser::{Failed, Parser, Read};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// The largest number of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Largest(pub(super) u64);

pub(super) const EXTENDED_PERMISSION: Largest = Largest(0xffff);
pub(super) const PORT: Largest = Largest(0xffff);
pub(super) const PKEY: Largest = Largest(0xffff);
pub(super) const END_PORT: Largest = Largest(0xff);
pub(super) const WORD: Largest = Largest(u32::MAX as u64);
pub(super) const LONG: Largest = Largest(u64::MAX);

impl Parser<'_> {
    /// Reads one number, as both ends of a range.
    pub(super) fn number(&mut self, largest: Largest, what: &str) -> Read<NumberRange> {
        if self.token.kind != TokenKind::Number {
            return Err(self.expected_number(what));
        }
        let span = self.token.span;
        let bytes = self.token_bytes();
        let value = match value(bytes) {
            Ok(value) => value,
            Err(fault) => return Err(self.bad_number(fault)),
        };
        if value > largest.0 {
            let text = super::recovery::shortened(bytes);
            let message = format!("`{text}` is out of range: the largest is {}", largest.0);
            return Err(self.fail(Code::BadNumber, message));
        }
        self.advance();
        Ok(NumberRange { low: value, high: value, span })
    }

    /// Reads `low` or `low-high`.
    pub(super) fn number_range(&mut self, largest: Largest, what: &str) -> Read<NumberRange> {
        let low = self.number(largest, what)?;
        if !self.eat(TokenKind::Minus) {
            return Ok(low);
        }
        let high = self.number(largest, "the end of the range after `-`")?;
        if high.low < low.low {
            return Err(self.falling(low, high.span));
        }
        Ok(NumberRange { high: high.low, ..low })
    }

    fn falling(&mut self, low: NumberRange, high: Span) -> Failed {
        self.report(
            Diagnostic::error(Code::BadNumber, low.span, "the range ends before it begins")
                .and(high, "this is less"),
        );
        Failed
    }

    fn expected_number(&mut self, what: &str) -> Failed {
        if self.token.kind != TokenKind::Odd {
            return self.expected(what);
        }
        let text = super::recovery::shortened(self.token_bytes());
        let message = format!("`{text}` is no number");
        self.fail(Code::BadNumber, message)
    }

    fn bad_number(&mut self, fault: Fault) -> Failed {
        let text = super::recovery::shortened(self.token_bytes());
        let span = self.token.span;
        let diagnostic = match fault {
            Fault::TooLarge => Diagnostic::error(
                Code::BadNumber,
                span,
                format!("`{text}` does not fit into 64 bits"),
            ),
            Fault::Octal => {
                Diagnostic::error(Code::BadNumber, span, format!("`{text}` is no octal number"))
                    .help("a number that begins with 0 is octal: leave the 0 out")
            }
        };
        self.report(diagnostic);
        Failed
    }
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    TooLarge,
    Octal,
}

/// Reads digits as C does: `0x` for hexadecimal, `0` for octal.
fn value(bytes: &[u8]) -> Result<u64, Fault> {
    let (digits, base) = match bytes {
        [b'0', b'x', digits @ ..] => (digits, 16),
        [b'0', digits @ ..] => (digits, 8),
        digits => (digits, 10),
    };
    digits.iter().try_fold(0_u64, |value, &digit| {
        let digit = char::from(digit).to_digit(base).ok_or(Fault::Octal)?;
        let shifted = value.checked_mul(u64::from(base)).ok_or(Fault::TooLarge)?;
        shifted.checked_add(u64::from(digit)).ok_or(Fault::TooLarge)
    })
}
