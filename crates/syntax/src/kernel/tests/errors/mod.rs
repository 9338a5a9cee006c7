//! One fault, one diagnostic, at the right place; and what follows is read.

mod expressions;
mod placement;
mod punctuation;
mod words;
