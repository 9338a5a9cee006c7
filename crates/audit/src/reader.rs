//! The records of a text, line by line.

use std::fmt;

use memchr::memchr;

use crate::record::{Malformed, Record};

/// A line that begins as a record and is none. The lines around it are read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Which line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: Malformed,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.why.column, self.why)
    }
}

impl std::error::Error for BadLine {}

/// Reads records one by one; lines that hold none are passed over.
///
/// ```
/// let log = b"type=AVC msg=audit(1700000000.003:7): avc:  denied  { read } for  pid=1 tclass=file\n";
/// let record = mandate_audit::Reader::new(log).next().unwrap().unwrap();
/// assert_eq!(record.stamp().unwrap().serial, 7);
/// assert!(record.avc().unwrap().denied);
/// ```
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    line: u64,
}

impl<'a> Reader<'a> {
    /// The records of `text`.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        Self::at(text, 0)
    }

    /// The same, behind so many lines that were read before.
    #[must_use]
    pub fn at(text: &'a [u8], line: u64) -> Self {
        Self { rest: text, line }
    }

    /// How many lines were read.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Record<'a>, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = memchr(b'\n', self.rest).unwrap_or(self.rest.len());
            let (line, rest) = self.rest.split_at(end);
            self.rest = rest.get(1..).unwrap_or_default();
            self.line += 1;
            match Record::parse(line) {
                Ok(None) => {}
                Ok(Some(record)) => return Some(Ok(record)),
                Err(why) => return Some(Err(BadLine { line: self.line, why })),
            }
        }
        None
    }
}
