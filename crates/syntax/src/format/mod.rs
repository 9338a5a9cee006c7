//! The formatter: the same text as people like to read it. Lines stay as they are cut, and in order; comments stay where
//! they are. What is not understood stays as it is, byte for byte.

mod check;
mod cil;
mod fc;
mod gaps;
mod layout;
mod skeleton;
mod token;
mod words;

#[cfg(test)]
mod tests;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::{ExpansionId, SourceFile, Span};

use self::skeleton::{Skeleton, Unclosed};

/// The languages that are formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Rules of a module: `.te`.
    Te,
    /// Its interfaces: `.if`.
    If,
    /// Its file contexts: `.fc`.
    Fc,
    /// CIL: `.cil`.
    Cil,
}

impl Language {
    /// All languages and the ends of the names of their files.
    pub const ALL: [(Self, &str); 4] =
        [(Self::Te, "te"), (Self::If, "if"), (Self::Fc, "fc"), (Self::Cil, "cil")];

    /// The language of a file by the end of its name.
    #[must_use]
    pub fn of_ending(ending: &str) -> Option<Self> {
        Self::ALL.iter().find(|it| it.1 == ending).map(|it| it.0)
    }
}

/// Why a text cannot be formatted, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Unclosed(Unclosed),
    /// A brace or parenthesis closes nothing.
    Stray(usize),
    /// A brace or parenthesis is not closed.
    Open(usize),
    /// A string is not closed.
    String(usize),
    TooDeep(usize),
    Bytes(usize),
    /// A bug: the meaning would change.
    Changed,
}

/// Formats a source.
///
/// # Errors
/// A finding, when quotes, parentheses or braces are out of balance or the bytes are no text: it says where.
pub fn format(source: &SourceFile, language: Language) -> Result<Vec<u8>, Box<Diagnostic>> {
    format_bytes(&source.bytes, language).map_err(|it| Box::new(it.tell(source)))
}

fn format_bytes(text: &[u8], language: Language) -> Result<Vec<u8>, Fault> {
    if let Some(at) = memchr::memchr(0, text) {
        return Err(Fault::Bytes(at));
    }
    if let Err(bad) = std::str::from_utf8(text) {
        return Err(Fault::Bytes(bad.valid_up_to()));
    }
    let (out, same) = match language {
        Language::Te | Language::If => {
            let skeleton = Skeleton::of(text).map_err(Fault::Unclosed)?;
            let out = layout::format(text, &skeleton)?;
            let same = out == text || check::same_tokens(text, &skeleton, &out);
            (out, same)
        }
        Language::Fc => {
            let out = fc::format(text)?;
            let same = fc::same(text, &out);
            (out, same)
        }
        Language::Cil => {
            let out = cil::format(text)?;
            let same = cil::same(text, &out);
            (out, same)
        }
    };
    if same && check::same_bytes(text, &out) { Ok(out) } else { Err(Fault::Changed) }
}

impl Fault {
    fn tell(self, source: &SourceFile) -> Diagnostic {
        let at = |offset| Span { pos: source.pos(offset), expansion: ExpansionId(0) };
        let shown = |offset: usize| {
            let byte = source.bytes.get(offset).copied().unwrap_or(b' ');
            char::from(byte)
        };
        match self {
            Self::Unclosed(Unclosed::Quote(open)) => {
                Diagnostic::error(Code::UnclosedQuote, at(open), "this quote is not closed")
                    .label("opened here")
                    .help("an apostrophe in a comment within quotes closes a quote, too")
            }
            Self::Unclosed(Unclosed::Call(open)) => {
                let text = "the parenthesis of this call is not closed";
                Diagnostic::error(Code::UnclosedCall, at(open), text).label("opened here")
            }
            Self::Stray(here) => {
                let text = format!("`{}` closes nothing", shown(here));
                Diagnostic::error(Code::UnexpectedToken, at(here), text)
                    .label("nothing is open here")
            }
            Self::Open(open) => {
                let text = format!("`{}` is not closed", shown(open));
                Diagnostic::error(Code::UnclosedBlock, at(open), text).label("opened here")
            }
            Self::String(open) => {
                Diagnostic::error(Code::UnclosedString, at(open), "this string is not closed")
                    .label("opened here")
            }
            Self::TooDeep(here) => {
                let text = format!("more than {} levels within each other", layout::MAX_DEPTH);
                Diagnostic::error(Code::TooDeep, at(here), text)
            }
            Self::Bytes(here) => {
                let byte = source.bytes.get(here).copied().unwrap_or(0);
                let text = format!("the byte {byte:#04x} is no text in UTF-8");
                Diagnostic::error(Code::BadBytes, at(here), text)
            }
            Self::Changed => {
                let text = "formatting would change the meaning of this file: it is left alone";
                Diagnostic::error(Code::FormatterFault, at(0), text)
                    .help("this is a bug of mandate fmt: please report it with the file")
            }
        }
    }
}

/// Bytes of names, as m4 sees them.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
