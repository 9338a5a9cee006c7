//! Emacs' regular expressions, as `regexp` and `patsubst` take them, by way of `regex-automata`.

use regex_automata::meta::Regex;
use regex_automata::util::captures::Captures;
use regex_automata::util::syntax;

/// Patterns may compile to this much.
const MAX_COMPILED: usize = 1 << 20;

/// Compiled patterns: macros ask for the same ones again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    compiled: Vec<(Vec<u8>, Regex)>,
}

impl Patterns {
    const KEPT: usize = 16;

    pub(super) fn get(&mut self, pattern: &[u8]) -> Result<Regex, String> {
        if let Some((_, regex)) = self.compiled.iter().find(|it| it.0 == pattern) {
            return Ok(regex.clone());
        }
        let regex = compile(pattern)?;
        self.compiled.truncate(Self::KEPT - 1);
        self.compiled.push((pattern.to_vec(), regex.clone()));
        Ok(regex)
    }
}

/// The index of the first match or -1; with `template` what it makes of the match, or nothing.
pub(super) fn search(text: &[u8], regex: &Regex, template: Option<&[u8]>) -> Vec<u8> {
    let mut captures = regex.create_captures();
    regex.captures(text, &mut captures);
    let Some(found) = captures.get_match() else {
        return template.map_or_else(|| b"-1".to_vec(), |_| Vec::new());
    };
    match template {
        Some(template) => interpolated(text, &captures, template),
        None => found.start().to_string().into_bytes(),
    }
}

/// `text` with every match replaced.
pub(super) fn replace_all(text: &[u8], regex: &Regex, template: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(found) = captures.get_match() else { continue };
        out.extend_from_slice(&text[end..found.start()]);
        out.extend(interpolated(text, &captures, template));
        end = found.end();
    }
    out.extend_from_slice(&text[end..]);
    out
}

fn compile(pattern: &[u8]) -> Result<Regex, String> {
    let shown = String::from_utf8_lossy(pattern);
    let translated = translate(&shown)?;
    Regex::builder()
        .syntax(syntax::Config::new().utf8(false).unicode(false).nest_limit(50))
        .configure(Regex::config().utf8_empty(false).nfa_size_limit(Some(MAX_COMPILED)))
        .build(&translated)
        .map_err(|_| format!("`{shown}` is no regular expression"))
}

/// In Emacs' syntax `\(`, `\)`, `\|` are operators and the bare characters are not.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut operand = false;
    while let Some(char) = chars.next() {
        match char {
            '\\' => operand = escaped(chars.next(), &mut out)?,
            '[' => {
                bracket(&mut chars, &mut out)?;
                operand = true;
            }
            '*' | '+' | '?' if !operand => {
                out.push('\\');
                out.push(char);
                operand = true;
            }
            '(' | ')' | '|' | '{' | '}' => {
                out.push('\\');
                out.push(char);
                operand = true;
            }
            '^' => {
                out.push_str("(?m:^)");
                operand = false;
            }
            '$' => {
                out.push_str("(?m:$)");
                operand = false;
            }
            other => {
                out.push(other);
                operand = true;
            }
        }
    }
    Ok(out)
}

/// What follows a backslash; is it something that can be repeated?
fn escaped(char: Option<char>, out: &mut String) -> Result<bool, String> {
    match char {
        Some('(') => out.push('('),
        Some('|') => out.push('|'),
        Some('`') => out.push_str("\\A"),
        Some('\'') => out.push_str("\\z"),
        Some('<') => out.push_str("\\b{start}"),
        Some('>') => out.push_str("\\b{end}"),
        Some(other @ (')' | 'w' | 'W' | 'b' | 'B')) => {
            if other != ')' {
                out.push('\\');
            }
            out.push(other);
            return Ok(true);
        }
        Some(digit @ '1'..='9') => {
            return Err(format!("back-references (`\\{digit}`) are not taken"));
        }
        Some(other) => {
            if other.is_ascii_punctuation() {
                out.push('\\');
            }
            out.push(other);
            return Ok(true);
        }
        None => return Err("a regular expression ends in a backslash".into()),
    }
    Ok(false)
}

fn bracket(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
) -> Result<(), String> {
    out.push('[');
    if chars.peek() == Some(&'^') {
        chars.next();
        out.push('^');
    }
    let mut first = true;
    loop {
        match chars.next() {
            Some(']') if !first => break,
            Some('[') if chars.peek() == Some(&':') => {
                out.push('[');
                for char in chars.by_ref() {
                    out.push(char);
                    if char == ']' {
                        break;
                    }
                }
            }
            Some(char @ ('[' | ']' | '\\' | '&' | '~' | '^')) => {
                out.push('\\');
                out.push(char);
            }
            Some(char) => out.push(char),
            None => return Err("a `[` of a regular expression is not closed".into()),
        }
        first = false;
    }
    out.push(']');
    Ok(())
}

fn interpolated(text: &[u8], captures: &Captures, template: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = template.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let group = match bytes.next() {
            Some(b'&' | b'0') => 0,
            Some(digit @ b'1'..=b'9') => usize::from(digit - b'0'),
            Some(other) => {
                out.push(other);
                continue;
            }
            None => break,
        };
        if let Some(span) = captures.get_group(group) {
            out.extend_from_slice(&text[span.range()]);
        }
    }
    out
}
