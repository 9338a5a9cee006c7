//! Lines of strace as calls: process, name, arguments, result. Calls that were interrupted by others are put together again.

use std::collections::BTreeMap;

/// A call that returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    /// The line on which it returned, from 1.
    pub(super) line: u32,
    /// The thread; 0 if the log is of one.
    pub(super) pid: u32,
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
    pub(super) result: i64,
    /// What `-y` says of the descriptor that it returned.
    pub(super) result_path: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// In quotes; escapes are undone.
    String(Vec<u8>),
    /// A string that was longer than `-s` allows.
    CutOff,
    /// A descriptor, `AT_FDCWD` as none, and what `-y` says of it.
    Descriptor(Option<u32>, Option<Vec<u8>>),
    Other(String),
}

impl Call {
    pub(super) fn string(&self, at: usize) -> Option<&[u8]> {
        match self.arguments.get(at)? {
            Argument::String(it) => Some(it),
            _ => None,
        }
    }

    /// Is this a string that was cut off?
    pub(super) fn is_cut_off(&self, at: usize) -> bool {
        self.arguments.get(at) == Some(&Argument::CutOff)
    }

    /// Does an argument that is no string hold this word?
    pub(super) fn mentions(&self, word: &str) -> bool {
        self.arguments.iter().any(|it| matches!(it, Argument::Other(text) if text.contains(word)))
    }
}

/// The name of what is no call: a process has ended, and its number may be another's.
pub(super) const EXIT: &str = "+++";

/// The calls of a log, in the order in which they returned. What is no call is passed over.
pub(super) fn calls(log: &[u8]) -> impl Iterator<Item = Call> {
    let mut unfinished: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    log.split(|&it| it == b'\n').zip(1u32..).filter_map(move |(text, line)| {
        let (pid, text) = process(text);
        if let Some(begun) = strip_end(text, b"<unfinished ...>") {
            unfinished.insert(pid, begun.trim_ascii_end().to_vec());
            return None;
        }
        let whole;
        let text = match resumed(text) {
            Some(rest) => {
                whole = [unfinished.remove(&pid)?.as_slice(), rest].concat();
                &whole
            }
            None => text,
        };
        if text.starts_with(b"+++ ") {
            return Some(Call { line, pid, name: EXIT.to_owned(), ..Call::default() });
        }
        call(line, pid, text)
    })
}

/// The thread before a line, with `-o` or without, and the line without it and without times.
fn process(text: &[u8]) -> (u32, &[u8]) {
    let mut text = text.trim_ascii();
    let mut pid = None;
    if let Some(rest) = text.strip_prefix(b"[pid") {
        let end = rest.iter().position(|&it| it == b']').unwrap_or(0);
        pid = number(rest.get(..end).unwrap_or_default().trim_ascii());
        text = rest.get(end + 1..).unwrap_or_default().trim_ascii_start();
    }
    // A number, then perhaps times, before the name of the call.
    while text.first().is_some_and(u8::is_ascii_digit) {
        let end = text.iter().position(|&it| it == b' ').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        if pid.is_none() {
            pid = number(word);
        }
        text = rest.trim_ascii_start();
    }
    (pid.unwrap_or(0), text)
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn strip_end<'a>(text: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    text.strip_suffix(end)
}

/// What follows `<... NAME resumed>`.
fn resumed(text: &[u8]) -> Option<&[u8]> {
    const RESUMED: &[u8] = b" resumed>";
    let rest = text.strip_prefix(b"<... ")?;
    let at = rest.windows(RESUMED.len()).position(|it| it == RESUMED)?;
    rest.get(at + RESUMED.len()..)
}

fn call(line: u32, pid: u32, text: &[u8]) -> Option<Call> {
    let open = text.iter().position(|&it| it == b'(')?;
    let name = std::str::from_utf8(text.get(..open)?).ok()?;
    let is_name = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
    if name.is_empty() || !name.bytes().all(is_name) {
        return None;
    }
    let mut cursor = Cursor { text, at: open + 1 };
    let arguments = cursor.arguments();
    let rest = text.get(cursor.at..).unwrap_or_default().trim_ascii_start();
    let result = rest.strip_prefix(b"= ")?.trim_ascii_start();
    let digits = result.iter().skip(1).position(|it| !it.is_ascii_alphanumeric());
    let (word, after) = result.split_at(digits.map_or(result.len(), |it| it + 1));
    Some(Call {
        line,
        pid,
        name: name.to_owned(),
        arguments,
        result: std::str::from_utf8(word).ok()?.parse().ok()?,
        result_path: annotation(after).map(|it| it.0.to_vec()),
    })
}

/// `</path>` and what follows. A path in it may hold `>`, if a letter follows.
fn annotation(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"<")?;
    let is_end = |at: usize| {
        rest.get(at) == Some(&b'>')
            && matches!(rest.get(at + 1), None | Some(b',' | b')' | b' ' | b'<'))
    };
    let end = (0..rest.len()).find(|&it| is_end(it))?;
    Some((rest.get(..end)?, rest.get(end + 1..)?))
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    /// Up to the parenthesis that ends them, and past it.
    fn arguments(&mut self) -> Vec<Argument> {
        let mut arguments = Vec::new();
        loop {
            while matches!(self.peek(), Some(b' ' | b',')) {
                self.at += 1;
            }
            match self.peek() {
                None => return arguments,
                Some(b')') => {
                    self.at += 1;
                    return arguments;
                }
                Some(b'"') => {
                    let string = Argument::String(self.string());
                    let is_whole = self.other().is_empty();
                    arguments.push(if is_whole { string } else { Argument::CutOff });
                }
                Some(_) => {
                    let argument = self.descriptor();
                    let argument = argument.unwrap_or_else(|| Argument::Other(self.other()));
                    arguments.push(argument);
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// A number or `AT_FDCWD`, perhaps with a path, and nothing else before the next comma.
    fn descriptor(&mut self) -> Option<Argument> {
        let rest = self.text.get(self.at..)?;
        let (number, after) = match rest.strip_prefix(b"AT_FDCWD") {
            Some(after) => (None, after),
            None => {
                let digits = rest.iter().take_while(|it| it.is_ascii_digit()).count();
                let (digits, after) = rest.split_at(digits);
                (Some(number(digits)?), after)
            }
        };
        let (path, after) = match annotation(after) {
            Some((path, after)) => (Some(path.to_vec()), after),
            None => (None, after),
        };
        if !matches!(after.first(), Some(b',' | b')')) {
            return None;
        }
        self.at = self.text.len() - after.len();
        Some(Argument::Descriptor(number, path))
    }

    /// Up to the next comma or parenthesis that belongs to no bracket and no string.
    fn other(&mut self) -> String {
        let start = self.at;
        let mut depth = 0u32;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'(' | b'[' | b'{' => depth += 1,
                b',' | b')' if depth == 0 => break,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    /// A string in quotes, and past it.
    fn string(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut string = Vec::new();
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => string.push(self.escape()),
                it => string.push(it),
            }
        }
        string
    }

    /// What follows a backslash.
    fn escape(&mut self) -> u8 {
        let byte = self.peek().unwrap_or(b'\\');
        self.at += 1;
        match byte {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'v' => 0x0b,
            b'f' => 0x0c,
            b'a' => 0x07,
            b'b' => 0x08,
            b'x' => self.digits(2, 16, 0),
            b'0'..=b'7' => self.digits(2, 8, byte - b'0'),
            it => it,
        }
    }

    fn digits(&mut self, most: usize, base: u32, first: u8) -> u8 {
        let mut value = u32::from(first);
        for _ in 0..most {
            let Some(digit) = self.peek().and_then(|it| char::from(it).to_digit(base)) else {
                break;
            };
            value = value * base + digit;
            self.at += 1;
        }
        u8::try_from(value & 0xff).unwrap_or(0)
    }
}
