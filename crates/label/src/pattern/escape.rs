//! What a backslash makes of the characters after it.

use super::{Assert, ByteSet, PatternError, PatternErrorKind};

/// An escape that was read, and how many bytes it took with its backslash.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Escape<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) length: usize,
}

/// What an escape stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Byte(u8),
    Set(ByteSet),
    /// `\R`: any end of line, `\r\n` as one.
    Newline,
    Assert(Assert),
    Reference(u32),
    /// A reference to a group so many before this place.
    Relative(u32),
    Named(&'a [u8]),
    /// `\Q…\E`.
    Quote(&'a [u8]),
    /// A lone `\E`.
    Nothing,
}

/// Reads the escape at `at`, which holds a backslash. `groups` is how many groups the whole pattern has: a number up to it is a reference.
pub(super) fn read(
    pattern: &[u8],
    at: usize,
    in_class: bool,
    groups: u32,
) -> Result<Escape<'_>, PatternError> {
    let rest = &pattern[at + 1..];
    let error = |kind| PatternError { offset: at, kind };
    let &letter = rest.first().ok_or(error(PatternErrorKind::TrailingBackslash))?;
    let (kind, length) = match letter {
        b'x' => hexadecimal(rest).ok_or(error(PatternErrorKind::UnknownEscape))?,
        b'o' => braced_octal(rest).ok_or(error(PatternErrorKind::UnknownEscape))?,
        b'0' => octal(rest),
        b'1'..=b'9' => {
            number(rest, in_class, groups).ok_or(error(PatternErrorKind::UnknownEscape))?
        }
        b'c' => control(rest).ok_or(error(PatternErrorKind::UnknownEscape))?,
        b'Q' => quote(rest).ok_or(error(PatternErrorKind::OpenQuote))?,
        b'E' => (Kind::Nothing, 1),
        b'g' | b'k' if !in_class => {
            reference(rest).ok_or(error(PatternErrorKind::UnknownEscape))?
        }
        b'K' | b'p' | b'P' | b'X' | b'C' => return Err(error(PatternErrorKind::Unsupported)),
        _ => (simple(letter, in_class).ok_or(error(PatternErrorKind::UnknownEscape))?, 1),
    };
    Ok(Escape { kind, length: length + 1 })
}

fn simple(letter: u8, in_class: bool) -> Option<Kind<'static>> {
    if let Some(set) = ByteSet::shorthand(letter) {
        return Some(Kind::Set(set));
    }
    let byte = match letter {
        b'a' => 0x07,
        b'e' => 0x1b,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' if in_class => 0x08,
        b'b' => return Some(Kind::Assert(Assert::Boundary)),
        b'B' if !in_class => return Some(Kind::Assert(Assert::NoBoundary)),
        b'A' | b'G' if !in_class => return Some(Kind::Assert(Assert::Start)),
        b'Z' if !in_class => return Some(Kind::Assert(Assert::End)),
        b'z' if !in_class => return Some(Kind::Assert(Assert::VeryEnd)),
        b'N' if !in_class => return Some(Kind::Set(ByteSet::of(b'\n').complement())),
        b'R' if !in_class => return Some(Kind::Newline),
        it if it.is_ascii_alphanumeric() => return None,
        it => it,
    };
    Some(Kind::Byte(byte))
}

/// `\xh`, `\xhh`, `\x{h…}`.
fn hexadecimal(rest: &[u8]) -> Option<(Kind<'static>, usize)> {
    if rest.get(1) == Some(&b'{') {
        let end = rest.iter().position(|&it| it == b'}')?;
        return Some((Kind::Byte(digits(&rest[2..end], 16)?), end + 1));
    }
    let length = rest[1..].iter().take(2).take_while(|it| it.is_ascii_hexdigit()).count();
    Some((Kind::Byte(digits(&rest[1..1 + length], 16)?), 1 + length))
}

fn braced_octal(rest: &[u8]) -> Option<(Kind<'static>, usize)> {
    let end = rest.iter().position(|&it| it == b'}')?;
    let inner = rest.get(1..end)?.strip_prefix(b"{")?;
    Some((Kind::Byte(digits(inner, 8)?), end + 1))
}

/// Up to three digits of base eight; PCRE2 keeps the low byte.
fn octal(rest: &[u8]) -> (Kind<'static>, usize) {
    let length = rest.iter().take(3).take_while(|it| matches!(it, b'0'..=b'7')).count();
    let value =
        rest[..length].iter().fold(0u8, |sum, it| sum.wrapping_mul(8).wrapping_add(it - b'0'));
    (Kind::Byte(value), length)
}

/// A reference, or else a byte in base eight: below 10 always a reference, above when there are so many groups.
fn number(rest: &[u8], in_class: bool, groups: u32) -> Option<(Kind<'static>, usize)> {
    let length = rest.iter().take_while(|it| it.is_ascii_digit()).count();
    match leading_number(rest) {
        Some(it) if !in_class && is_reference(it, groups) => Some((Kind::Reference(it), length)),
        _ if rest[0] < b'8' => Some(octal(rest)),
        _ => None,
    }
}

/// The number, from 1, that stands first.
pub(super) fn leading_number(rest: &[u8]) -> Option<u32> {
    let length = rest.iter().take_while(|it| it.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..length]).ok()?.parse().ok().filter(|_| rest[0] != b'0')
}

/// Whether a number after a backslash names a group, of which the pattern has so many.
pub(super) fn is_reference(number: u32, groups: u32) -> bool {
    number < 10 || number <= groups
}

fn control(rest: &[u8]) -> Option<(Kind<'static>, usize)> {
    let byte = rest.get(1).filter(|it| matches!(it, 0x20..=0x7e))?;
    Some((Kind::Byte(byte.to_ascii_uppercase() ^ 0x40), 2))
}

fn quote(rest: &[u8]) -> Option<(Kind<'_>, usize)> {
    let text = quoted(rest)?;
    Some((Kind::Quote(text), text.len() + 3))
}

/// What stands between `Q` and `\E`.
pub(super) fn quoted(rest: &[u8]) -> Option<&[u8]> {
    let inner = rest.strip_prefix(b"Q")?;
    let end = inner.windows(2).position(|it| it == b"\\E")?;
    inner.get(..end)
}

/// `\g2`, `\g{2}`, `\g{-1}`, `\g{name}`, `\k<name>`, `\k'name'`, `\k{name}`.
fn reference(rest: &[u8]) -> Option<(Kind<'_>, usize)> {
    let close = match rest.get(1)? {
        b'{' => b'}',
        b'<' if rest[0] == b'k' => b'>',
        b'\'' if rest[0] == b'k' => b'\'',
        b'0'..=b'9' if rest[0] == b'g' => {
            let length = rest[1..].iter().take_while(|it| it.is_ascii_digit()).count();
            let value = std::str::from_utf8(&rest[1..=length]).ok()?.parse().ok()?;
            return Some((Kind::Reference(value), 1 + length));
        }
        _ => return None,
    };
    let end = 2 + rest[2..].iter().position(|&it| it == close)?;
    let inner = &rest[2..end];
    let text = std::str::from_utf8(inner).ok()?;
    let kind = match text.strip_prefix('-') {
        Some(back) => Kind::Relative(back.parse().ok()?),
        None => match text.parse() {
            Ok(group) => Kind::Reference(group),
            Err(_) if !inner.is_empty() => Kind::Named(inner),
            Err(_) => return None,
        },
    };
    Some((kind, end + 1))
}

/// The byte that the digits stand for.
fn digits(bytes: &[u8], base: u32) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(bytes).ok().filter(|it| !it.starts_with('+'))?, base)
        .ok()
}
