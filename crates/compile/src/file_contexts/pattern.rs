//! Is a path pattern well formed? Patterns are regular expressions of PCRE; what is refused here does not compile there.

/// Why a pattern does not compile, and the offset at which that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A group without its end.
    #[error("this parenthesis is not closed")]
    OpenGroup(usize),
    /// An end without its group.
    #[error("this parenthesis closes nothing")]
    StrayClose(usize),
    /// A set of characters without its end.
    #[error("this bracket is not closed")]
    OpenClass(usize),
    /// `[:alpha:]` without brackets around it.
    #[error("named sets of characters stand within brackets: [[:alpha:]]")]
    NamedClass(usize),
    /// A range of characters that does not ascend.
    #[error("this range of characters does not ascend")]
    ClassRange(usize),
    /// A quantifier with nothing before it.
    #[error("there is nothing to repeat here")]
    NothingToRepeat(usize),
    /// `{n,m}` where m is the lesser, or beyond what PCRE counts to.
    #[error("these bounds are out of order or too large")]
    Bounds(usize),
    /// A backslash at the end.
    #[error("nothing follows this backslash")]
    TrailingBackslash(usize),
}

impl PatternError {
    /// Byte in the pattern.
    pub fn offset(self) -> usize {
        match self {
            Self::OpenGroup(it)
            | Self::StrayClose(it)
            | Self::OpenClass(it)
            | Self::NamedClass(it)
            | Self::ClassRange(it)
            | Self::NothingToRepeat(it)
            | Self::Bounds(it)
            | Self::TrailingBackslash(it) => it,
        }
    }
}

/// What a quantifier may do after what was read last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing that can be repeated.
    Nothing,
    /// Something that can.
    Item,
    /// A quantifier, which `?` or `+` make lazy or possessive.
    Quantifier,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    before: Before,
    groups: Vec<usize>,
}

/// Checks a pattern.
pub(super) fn check(pattern: &str) -> Result<(), PatternError> {
    let mut it =
        Scanner { bytes: pattern.as_bytes(), at: 0, before: Before::Nothing, groups: Vec::new() };
    while let Some(&byte) = it.bytes.get(it.at) {
        it.step(byte)?;
    }
    match it.groups.pop() {
        Some(at) => Err(PatternError::OpenGroup(at)),
        None => Ok(()),
    }
}

impl Scanner<'_> {
    fn step(&mut self, byte: u8) -> Result<(), PatternError> {
        let at = self.at;
        self.at += 1;
        match byte {
            b'\\' => self.escape(at),
            b'[' => self.class(at),
            b'(' => {
                self.groups.push(at);
                self.group_head();
                self.before = Before::Nothing;
                Ok(())
            }
            b')' => {
                self.before = Before::Item;
                self.groups.pop().map(drop).ok_or(PatternError::StrayClose(at))
            }
            b'|' | b'^' | b'$' => {
                self.before = Before::Nothing;
                Ok(())
            }
            b'*' | b'+' | b'?' => self.quantifier(byte, at),
            b'{' => self.bounds(at),
            _ => {
                self.before = Before::Item;
                Ok(())
            }
        }
    }

    fn escape(&mut self, at: usize) -> Result<(), PatternError> {
        self.before = Before::Item;
        self.at += 1;
        if at + 1 == self.bytes.len() { Err(PatternError::TrailingBackslash(at)) } else { Ok(()) }
    }

    /// Skips what says of which kind the group is: `?:`, `?=`, `?<name>`, `?i`.
    fn group_head(&mut self) {
        if self.bytes.get(self.at) != Some(&b'?') {
            return;
        }
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b')' => return,
                b'<' | b'-' | b'P' | b'a'..=b'z' | b'_' | b'0'..=b'9' | b'\'' => self.at += 1,
                _ => break,
            }
        }
        self.at += usize::from(self.at < self.bytes.len());
    }

    fn quantifier(&mut self, byte: u8, at: usize) -> Result<(), PatternError> {
        match self.before {
            Before::Item => {
                self.before = Before::Quantifier;
                Ok(())
            }
            Before::Quantifier if byte != b'*' => {
                self.before = Before::Nothing;
                Ok(())
            }
            _ => Err(PatternError::NothingToRepeat(at)),
        }
    }

    /// `{n}`, `{n,}` or `{n,m}`; any other brace is itself.
    fn bounds(&mut self, at: usize) -> Result<(), PatternError> {
        const MOST: u32 = 65_535;
        let close = self.bytes[at..].iter().position(|&it| it == b'}').map(|it| at + it);
        let inner = close.and_then(|it| std::str::from_utf8(&self.bytes[at + 1..it]).ok());
        let Some((low, high)) = inner.and_then(numbers) else {
            self.before = Before::Item;
            return Ok(());
        };
        self.at = close.map_or(self.at, |it| it + 1);
        if low > MOST || high.is_some_and(|it| it > MOST || it < low) {
            return Err(PatternError::Bounds(at));
        }
        match self.before {
            Before::Item => {
                self.before = Before::Quantifier;
                Ok(())
            }
            _ => Err(PatternError::NothingToRepeat(at)),
        }
    }

    fn class(&mut self, at: usize) -> Result<(), PatternError> {
        self.before = Before::Item;
        self.at = at;
        if self.named_class() {
            return Err(PatternError::NamedClass(at));
        }
        self.at = at + 1;
        if self.bytes.get(self.at) == Some(&b'^') {
            self.at += 1;
        }
        let mut first = true;
        let mut low: Option<u8> = None;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b']' if !first => {
                    self.at += 1;
                    return Ok(());
                }
                b'[' if self.named_class() => low = None,
                b'\\' => {
                    self.at += 2;
                    low = None;
                }
                b'-' if low.is_some() && self.range_end().is_some() => {
                    if low > self.range_end() {
                        return Err(PatternError::ClassRange(self.at - 1));
                    }
                    self.at += 2;
                    low = None;
                }
                _ => {
                    self.at += 1;
                    low = byte.is_ascii().then_some(byte);
                }
            }
            first = false;
        }
        Err(PatternError::OpenClass(at))
    }

    /// The plain character after a `-` in a set.
    fn range_end(&self) -> Option<u8> {
        self.bytes.get(self.at + 1).copied().filter(|it| it.is_ascii() && !b"]\\[".contains(it))
    }

    /// Skips `[:alpha:]`, if that is what stands here.
    fn named_class(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let end = rest.windows(2).position(|it| it == b":]").map(|it| it + 2);
        match end.filter(|&end| {
            rest.starts_with(b"[:")
                && end > 3
                && rest[2..end - 2].iter().all(|it| it.is_ascii_lowercase() || *it == b'^')
        }) {
            Some(end) => {
                self.at += end;
                true
            }
            None => false,
        }
    }
}

fn numbers(inner: &str) -> Option<(u32, Option<u32>)> {
    let digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    let value = |it: &str| digits(it).then(|| it.parse().unwrap_or(u32::MAX));
    match inner.split_once(',') {
        None => value(inner).map(|it| (it, Some(it))),
        Some((low, "")) => value(low).map(|it| (it, None)),
        Some((low, high)) => Some((value(low)?, Some(value(high)?))),
    }
}
