//! What is wrong with a file of assertions.

use std::ops::Range;

use toml::Spanned;

use crate::lookup::LookupError;

/// Something in a file that is no assertion about this policy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem}")]
pub struct AssertionError {
    /// The file, as the caller named it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It is no TOML, or has a key that no assertion of the kind has, or lacks one, or has a value of another form.
    #[error("{0}")]
    Form(String),
    /// A name that means nothing in the policy.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// A context and a type together.
    #[error(
        "source and target are both types or both contexts: a type has no user, role and level"
    )]
    Mixed,
    /// A context where only a type can stand.
    #[error("becomes is a context only if source and target are")]
    NoContext,
    /// A type where a context has to stand.
    #[error("expected a context: the constraints look at users, roles and levels")]
    NeedsContext,
    /// Neither permissions nor commands under one.
    #[error("expected permissions, or xperm")]
    NothingAsked,
    /// A kind of rule that the assertion does not know.
    #[error("no kind of rule {found:?}; expected one of {expected}")]
    RuleKind {
        /// What was found.
        found: String,
        /// All kinds.
        expected: String,
    },
    /// `rule_count` without a number.
    #[error("expected one of exactly, at_most, at_least")]
    NoLimit,
    /// A flow through an end of it.
    #[error("an end of the flow is excepted, so that nothing would be tested")]
    EndExcepted,
    /// A flow from a type to itself.
    #[error("a flow leads from one type to another; both ends are the same")]
    OneEnd,
    /// A weight that no permission has.
    #[error("{0} is no weight; expected 1 to 10")]
    Weight(u8),
    /// A list without a name.
    #[error("expected a name at least")]
    NoNames,
    /// A set that comes out empty: the assertion would hold of nothing.
    #[error("no type is meant, so that nothing would be tested")]
    NothingTested,
    /// The contexts cannot be joined.
    #[error("{0}")]
    Compute(String),
}

/// A problem, and where in the text it is.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) span: Range<usize>,
    pub(crate) problem: Problem,
}

impl Fault {
    pub(crate) fn new<T>(what: &Spanned<T>, problem: impl Into<Problem>) -> Self {
        Self { span: what.span(), problem: problem.into() }
    }

    /// Of the assertion, and no word in it.
    pub(crate) fn of_all(problem: impl Into<Problem>) -> Self {
        Self { span: 0..0, problem: problem.into() }
    }

    /// The same, at a place if it had none.
    pub(crate) fn or_at(self, start: usize) -> Self {
        if self.span.is_empty() { Self { span: start..start, ..self } } else { self }
    }

    /// The result of looking `what` up.
    pub(crate) fn at<T, U>(what: &Spanned<T>, found: Result<U, LookupError>) -> Result<U, Self> {
        found.map_err(|error| Self::new(what, error))
    }

    /// With line and column.
    pub(crate) fn in_file(self, file: &str, text: &str) -> AssertionError {
        let (line, column) = line_and_column(text, self.span.start);
        AssertionError { file: file.to_owned(), line, column, problem: self.problem }
    }
}

/// Line and column of a byte, both from 1; a column counts characters.
fn line_and_column(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |it| it + 1);
    let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX).saturating_add(1);
    let line = before.bytes().filter(|&it| it == b'\n').count();
    (number(line), number(before.get(line_start..).unwrap_or_default().chars().count()))
}
