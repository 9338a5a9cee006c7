//! Every production of the grammar.

mod blocks;
mod declarations;
mod labels;
mod lines;
mod rules;
