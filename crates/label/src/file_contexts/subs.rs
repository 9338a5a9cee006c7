//! Substitutions (`file_contexts.subs`, `file_contexts.subs_dist`): paths that are labelled as if they were elsewhere.

use std::borrow::Cow;

use crate::line::{fields, lines};
use crate::{LineError, LineErrorKind};

/// A file of substitutions. Of those that fit a path, the last in the file counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Substitutions {
    pairs: Vec<Pair>,
}

/// `SOURCE TARGET`: what begins with the one is looked up as if it began with the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) source: Box<[u8]>,
    pub(crate) target: Box<[u8]>,
}

impl Substitutions {
    /// Reads a file. A line without its target is told and left out.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<LineError>) {
        let mut errors = Vec::new();
        let mut pairs = Vec::new();
        for (number, line) in lines(bytes) {
            let mut fields = fields(line).map(|it| it.bytes);
            match (fields.next(), fields.next()) {
                (Some(source), Some(target)) => {
                    pairs.push(Pair { source: source.into(), target: target.into() });
                }
                _ => errors.push(LineError {
                    line: number,
                    column: crate::line::column(line.len()),
                    kind: LineErrorKind::Missing("the path to use instead"),
                }),
            }
        }
        (Self { pairs }, errors)
    }

    pub(crate) fn from_pairs(pairs: Vec<Pair>) -> Self {
        Self { pairs }
    }

    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The path to look up instead, if any pair fits.
    pub fn apply<'a>(&self, path: &'a [u8]) -> Cow<'a, [u8]> {
        let fits = |pair: &&Pair| {
            path.strip_prefix(&*pair.source)
                .is_some_and(|it| matches!(it.first(), None | Some(b'/')))
        };
        let Some(pair) = self.pairs.iter().rev().find(fits) else { return Cow::Borrowed(path) };
        let rest = &path[pair.source.len()..];
        let rest =
            if *pair.target == *b"/" { rest.strip_prefix(b"/").unwrap_or(rest) } else { rest };
        Cow::Owned([&pair.target, rest].concat())
    }

    /// Whether a name directly in `directory` may be a source itself, so that it does not go where its directory goes.
    pub(crate) fn reach_into(&self, directory: &[u8]) -> bool {
        self.pairs.iter().any(|pair| {
            let parent = pair.source.iter().rposition(|&it| it == b'/');
            *pair.source == *directory && directory == b"/"
                || parent.is_some_and(|it| pair.source[..it.max(1)] == *directory)
        })
    }
}
