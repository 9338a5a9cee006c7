//! What m4 sees of a file before it expands anything: which quotes belong together, and where it is between two calls.

use memchr::{memchr, memchr2};

use super::is_name_byte;

/// The quotes of a text and the places where m4 has nothing open.
#[derive(Debug, Default)]
pub(super) struct Skeleton {
    /// Offsets of quotes that belong together, in the order of the opening ones.
    pub(super) quotes: Vec<(u32, u32)>,
    /// The ends of lines where no quote and no parenthesis of a call is open, the text's end among them.
    pub(super) chunks: Vec<usize>,
}

/// What is open at the end of a text, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unclosed {
    /// A quote.
    Quote(usize),
    /// The parenthesis of a call.
    Call(usize),
}

impl Skeleton {
    /// Reads as m4 does: quotes nest, in quotes nothing else counts; out of them comments are opaque.
    pub(super) fn of(text: &[u8]) -> Result<Self, Unclosed> {
        let mut scan = Scan { text, at: 0, parens: 0, call: 0, found: Self::default() };
        while let Some(&byte) = text.get(scan.at) {
            scan.step(byte)?;
        }
        if scan.parens != 0 {
            return Err(Unclosed::Call(scan.call));
        }
        scan.found.chunks.push(text.len());
        Ok(scan.found)
    }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// Open parentheses of the outermost call and in it.
    parens: usize,
    /// Where the first of them is.
    call: usize,
    found: Skeleton,
}

impl Scan<'_> {
    fn step(&mut self, byte: u8) -> Result<(), Unclosed> {
        match byte {
            b'`' => return self.quote(),
            b'#' => self.skip_line(),
            b'\n' => {
                self.at += 1;
                if self.parens == 0 {
                    self.found.chunks.push(self.at);
                }
            }
            b'(' => {
                let glued = self.at != 0 && is_name_byte(self.text[self.at - 1]);
                if self.parens != 0 || glued {
                    self.call = if self.parens == 0 { self.at } else { self.call };
                    self.parens += 1;
                }
                self.at += 1;
            }
            b')' => {
                self.parens = self.parens.saturating_sub(1);
                self.at += 1;
            }
            _ if is_name_byte(byte) => self.name(),
            _ => self.at += 1,
        }
        Ok(())
    }

    fn name(&mut self) {
        let rest = &self.text[self.at..];
        let len = rest.iter().position(|&it| !is_name_byte(it)).unwrap_or(rest.len());
        self.at += len;
        match &rest[..len] {
            b"dnl" => self.skip_line(),
            // From here on other bytes are quotes: the rest is one chunk.
            b"changequote" | b"changecom" => (self.at, self.parens) = (self.text.len(), 0),
            _ => {}
        }
    }

    /// To the end of the line, which itself stays.
    fn skip_line(&mut self) {
        self.at = memchr(b'\n', &self.text[self.at..]).map_or(self.text.len(), |it| self.at + it);
    }

    /// From an opening quote to behind the one that closes it.
    fn quote(&mut self) -> Result<(), Unclosed> {
        let start = self.at;
        let mut open: Vec<usize> = Vec::new();
        while let Some(next) = memchr2(b'`', b'\'', &self.text[self.at..]) {
            let here = self.at + next;
            self.at = here + 1;
            if self.text[here] == b'`' {
                open.push(self.found.quotes.len());
                self.found.quotes.push((offset(here), 0));
                continue;
            }
            if let Some(index) = open.pop() {
                self.found.quotes[index].1 = offset(here);
            }
            if open.is_empty() {
                return Ok(());
            }
        }
        Err(Unclosed::Quote(start))
    }
}

/// Sources take less than 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
