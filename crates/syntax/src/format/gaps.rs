//! How much room is left between two tokens of a line.

use super::layout::Opener;
use super::token::{Kind, Token};
use super::words::Arguments;

/// The room between two tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    None,
    One,
    /// As it was.
    Keep,
}

/// What is around two tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings {
    /// What was opened last.
    pub(super) opener: Opener,
    /// In the arguments of a macro, out of quotes.
    pub(super) in_call: bool,
    /// Directly in a rule on types.
    pub(super) in_rule: bool,
}

/// The room before `token`, behind `previous`.
///
/// m4 drops blanks at the start of an argument, and there only: before a comma or a parenthesis they are text. Between a
/// name and the parenthesis of its call there must be none.
pub(super) fn gap(text: &[u8], previous: &Token, token: &Token, place: Surroundings) -> Gap {
    let Surroundings { opener, in_call, in_rule } = place;
    let glued = token.is_glued();
    let as_written = if glued { Gap::None } else { Gap::One };
    // The first rule that fits counts.
    match (previous.kind, token.kind) {
        _ if opener == Opener::Call(Arguments::Message) => Gap::Keep,
        (Kind::Open, _) | (_, Kind::Close | Kind::Comment) => Gap::Keep,
        (_, Kind::Paren) if is_word(text, previous, b"if") => Gap::One,
        (Kind::EndBrace, Kind::Comma | Kind::EndParen) if in_call => Gap::None,
        (_, Kind::Comma | Kind::EndParen | Kind::Semicolon) if in_call => Gap::Keep,
        (_, Kind::Comma | Kind::Semicolon) => Gap::None,
        (Kind::Paren, _) if matches!(opener, Opener::Call(_)) => Gap::None,
        (Kind::Comma, Kind::Quoted | Kind::Open) if in_call => Gap::None,
        (Kind::Comma, _) if opener == Opener::Call(Arguments::Context) => Gap::None,
        (Kind::Comma, _) => Gap::One,
        (Kind::Paren, _) | (_, Kind::EndParen) if opener == Opener::Condition => Gap::None,
        (_, Kind::Paren) => as_written,
        (Kind::Colon, _) | (_, Kind::Colon) if in_rule => Gap::None,
        (Kind::Tilde, _) => Gap::None,
        (Kind::Colon | Kind::Paren, Kind::Brace) => as_written,
        (Kind::Brace, _) | (_, Kind::EndBrace) => Gap::One,
        (_, Kind::Brace) => {
            if glued && !ends_name(text, previous) {
                Gap::None
            } else {
                Gap::One
            }
        }
        (Kind::EndBrace, Kind::Word) => Gap::One,
        (Kind::Word, Kind::Word) if opener == Opener::Set && excludes(text, previous, token) => {
            Gap::None
        }
        (Kind::Semicolon, Kind::Word) => Gap::One,
        _ => as_written,
    }
}

fn is_word(text: &[u8], token: &Token, word: &[u8]) -> bool {
    token.kind == Kind::Word && &text[token.start..token.end] == word
}

/// Does the token end in a byte of a name, so that a brace cannot belong to it?
fn ends_name(text: &[u8], token: &Token) -> bool {
    token.kind != Kind::Word || super::is_name_byte(text[token.end - 1])
}

/// A minus that takes the next name out of a set.
fn excludes(text: &[u8], previous: &Token, token: &Token) -> bool {
    is_word(text, previous, b"-") && text[token.start].is_ascii_alphabetic()
}
