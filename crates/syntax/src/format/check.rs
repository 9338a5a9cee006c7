//! The last look: nothing but blanks has changed, and only where they mean nothing.

use super::skeleton::Skeleton;
use super::token::{Kind, Lexer, Odd, Token};

/// Are the bytes of both texts the same but for blanks?
pub(super) fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    let mut other = other.iter().filter(|it| !is_blank(**it));
    let mut one = one.iter().filter(|it| !is_blank(**it));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

/// Have both texts the same tokens in the same lines, with blanks where they count?
pub(super) fn same_tokens(one: &[u8], skeleton: &Skeleton, other: &[u8]) -> bool {
    let Ok(others) = Skeleton::of(other) else { return false };
    let mut left = Lexer::new(one, skeleton);
    let mut right = Lexer::new(other, &others);
    let mut before: Option<Token> = None;
    // Of each quote and parenthesis that is open: does a comma end an argument there?
    let mut calls: Vec<bool> = Vec::new();
    loop {
        match (left.next(), right.next()) {
            (Ok(it), Ok(other)) => {
                let in_call = calls.last().copied().unwrap_or(false);
                if !same(&left, &it, &right, &other, before.as_ref(), in_call) {
                    return false;
                }
                match it.kind {
                    Kind::Open => calls.push(false),
                    Kind::Paren => {
                        calls.push(in_call || is_call(left.text, &it, before.as_ref()));
                    }
                    Kind::Close | Kind::EndParen => drop(calls.pop()),
                    _ => {}
                }
                if it.kind == Kind::End {
                    return true;
                }
                before = Some(it);
            }
            (Err(Odd), Err(Odd)) => {
                let (Some(rest), Some(other_rest)) = (odd_rest(&mut left), odd_rest(&mut right))
                else {
                    return false;
                };
                if rest != other_rest {
                    return false;
                }
                before = None;
                calls.clear();
            }
            _ => return false,
        }
    }
}

fn same(
    left: &Lexer<'_>,
    one: &Token,
    right: &Lexer<'_>,
    other: &Token,
    before: Option<&Token>,
    in_call: bool,
) -> bool {
    if one.kind != other.kind || left.text[one.start..one.end] != right.text[other.start..other.end]
    {
        return false;
    }
    let Some(before) = before else { return true };
    if one.kind != Kind::End && (one.lines == 0) != (other.lines == 0) {
        return false;
    }
    if one.lines > 0 {
        return true;
    }
    // Blanks at the end of an argument are text, those at its start are not.
    let ends_argument = in_call
        && matches!(one.kind, Kind::Comma | Kind::EndParen)
        && !matches!(before.kind, Kind::Comma | Kind::Paren | Kind::EndBrace);
    let exact = before.kind == Kind::Open || matches!(one.kind, Kind::Close | Kind::Comment);
    match (before.kind, one.kind) {
        _ if exact || ends_argument => {
            left.text[one.gap..one.start] == right.text[other.gap..other.start]
        }
        (Kind::Word, Kind::Paren) if word(left.text, before) != b"if" => {
            one.is_glued() == other.is_glued()
        }
        (Kind::Word | Kind::String | Kind::Quoted, Kind::Word | Kind::String | Kind::Quoted) => {
            one.is_glued() == other.is_glued() || word(left.text, before) == b"-"
        }
        _ => true,
    }
}

fn word<'a>(text: &'a [u8], token: &Token) -> &'a [u8] {
    &text[token.start..token.end]
}

/// Does a parenthesis open the arguments of a macro?
fn is_call(text: &[u8], paren: &Token, before: Option<&Token>) -> bool {
    paren.is_glued() && before.is_some_and(|it| it.kind == Kind::Word && word(text, it) != b"if")
}

/// From the odd place to the end of its chunk.
fn odd_rest<'a>(lexer: &mut Lexer<'a>) -> Option<&'a [u8]> {
    let chunks = &lexer.skeleton.chunks;
    let end = *chunks.get(chunks.partition_point(|&it| it <= lexer.at))?;
    let rest = &lexer.text[lexer.at..end];
    lexer.jump(end);
    Some(rest.strip_suffix(b"\n").unwrap_or(rest))
}
