//! Tags and text, as they come.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::Span;

use super::Line;

/// Tags that comments may have. Others are text that forgot to be escaped.
const TAGS: &[&str] = &[
    "summary", "desc", "param", "infoflow", "rolecap", "rolebase", "required", "p", "ul", "ol",
    "li", "b", "i", "em", "strong", "tt", "code", "br", "pre", "layer", "module",
];

/// What text is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Text(String),
    Open { tag: Tag, empty: bool },
    Close(Tag),
}

/// A tag at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) name: &'static str,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) span: Span,
}

impl Tag {
    /// The value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }
}

pub(super) fn malformed(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::warning(Code::MalformedDocumentation, span, message)
}

/// Cuts a comment into tokens.
pub(super) fn tokens(lines: &[Line], told: &mut Vec<Diagnostic>) -> Vec<Token> {
    let mut text = String::new();
    let mut starts = Vec::new();
    for line in lines {
        starts.push((text.len(), line.span));
        text.push_str(&line.text);
        text.push('\n');
    }
    let mut lexer = Lexer { text: &text, starts: &starts, at: 0, plain: String::new(), told };
    let mut found = Vec::new();
    while lexer.at < text.len() {
        let token = lexer.step();
        if token.is_some() && !lexer.plain.is_empty() {
            found.push(Token::Text(std::mem::take(&mut lexer.plain)));
        }
        found.extend(token);
    }
    if !lexer.plain.is_empty() {
        found.push(Token::Text(lexer.plain));
    }
    found
}

struct Lexer<'a> {
    text: &'a str,
    starts: &'a [(usize, Span)],
    at: usize,
    plain: String,
    told: &'a mut Vec<Diagnostic>,
}

impl Lexer<'_> {
    fn span(&self, at: usize) -> Span {
        let line = self.starts.partition_point(|it| it.0 <= at).saturating_sub(1);
        let Some(&(start, span)) = self.starts.get(line) else { return Span::NOWHERE };
        span.forward(u32::try_from(at - start).unwrap_or(0))
    }

    /// Reads on to the next tag, which it gives.
    fn step(&mut self) -> Option<Token> {
        let rest = &self.text[self.at..];
        let plain = rest.find(['<', '&']).unwrap_or(rest.len());
        self.plain.push_str(&rest[..plain]);
        self.at += plain;
        match rest.as_bytes().get(plain) {
            Some(b'<') => self.tag(),
            Some(_) => {
                self.entity();
                None
            }
            None => None,
        }
    }

    fn entity(&mut self) {
        let rest = &self.text[self.at + 1..];
        let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '#');
        let end = end.unwrap_or(rest.len());
        let known = rest[end..].starts_with(';').then(|| character(&rest[..end])).flatten();
        if let Some(it) = known {
            self.plain.push(it);
            self.at += end + 2;
            return;
        }
        let it = malformed(self.span(self.at), "`&` stands for itself only as `&amp;`");
        self.told.push(it);
        self.plain.push('&');
        self.at += 1;
    }

    fn tag(&mut self) -> Option<Token> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let close = rest.starts_with('/');
        let name = rest.trim_start_matches('/');
        let length = name.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(name.len());
        let known = TAGS.iter().find(|it| it.eq_ignore_ascii_case(&name[..length]));
        let end = rest.find('>').filter(|&it| !rest[..it].contains('<'));
        let (Some(&name), Some(end)) = (known, end) else { return self.no_tag(known.is_some()) };
        let inner = rest[..end].trim_start_matches('/');
        let empty = inner.ends_with('/');
        let attributes = self.attributes(inner[name.len()..].trim_end_matches('/'), start);
        self.at = start + end + 2;
        let tag = Tag { name, attributes, span: self.span(start) };
        Some(if close { Token::Close(tag) } else { Token::Open { tag, empty } })
    }

    /// A `<` that begins no tag.
    fn no_tag(&mut self, known: bool) -> Option<Token> {
        let message = if known {
            "this tag has no `>`".to_owned()
        } else {
            "`<` begins no tag here, and stands for itself only as `&lt;`".to_owned()
        };
        self.told.push(malformed(self.span(self.at), message));
        self.plain.push('<');
        self.at += 1;
        None
    }

    fn attributes(&mut self, text: &str, at: usize) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let Some((name, after)) = rest.split_once('=') else {
                let message = format!("`{rest}` is no attribute: write `name=\"value\"`");
                self.told.push(malformed(self.span(at), message));
                break;
            };
            let after = after.trim_start();
            let quote = after.chars().next().filter(|it| matches!(it, '"' | '\''));
            let (value, more) = match quote {
                Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            if quote.is_none() {
                let message = format!("the value `{value}` of an attribute needs quotes");
                self.told.push(malformed(self.span(at), message));
            }
            found.push((name.trim().to_ascii_lowercase(), value.to_owned()));
            rest = more.trim();
        }
        found
    }
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        number => {
            let digits = number.strip_prefix('#')?;
            let value = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(value).filter(|it| !it.is_control())
        }
    }
}
