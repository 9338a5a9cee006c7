//! CIL, the Common Intermediate Language: parentheses, words and strings. The reader gives a flat [`Tree`]; what statements mean is
//! said elsewhere.

mod keyword;
pub(crate) mod marks;
mod reader;
#[cfg(test)]
mod tests;
mod tree;

pub use keyword::Keyword;
pub use reader::{MAX_DEPTH, Parsed, parse};
pub use tree::{Children, Element, Node, Tree};
