//! What `##` comments say of modules, interfaces and booleans: XML, as support/policyxml.dtd of Reference Policy describes it.
//!
//! Nearly no tree writes it without slips. Reading never fails: what is malformed becomes text or is closed where it must end,
//! and is told.

mod markup;
mod read;

use mandate_syntax::source::Span;

pub use read::read;

/// What a comment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comment {
    /// `<summary>`: what it is, in a sentence or two.
    pub summary: Vec<Block>,
    /// `<desc>`: the whole story.
    pub description: Vec<Block>,
    /// `<param>`, in order.
    pub parameters: Vec<Parameter>,
    /// `<infoflow>`: which way information goes.
    pub flow: Option<Flow>,
    /// `<rolebase/>`: the template makes a role.
    pub role_base: bool,
    /// `<rolecap/>`: a role may be given this.
    pub role_capability: bool,
    /// `<required val="true">`: no policy goes without the module; with the reason.
    pub required: Option<Vec<Block>>,
}

/// A parameter of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// What the comment calls it.
    pub name: String,
    /// What it means.
    pub summary: Vec<Block>,
    /// May it be left out?
    pub optional: bool,
    /// Is it taken and not used?
    pub unused: bool,
}

/// `<infoflow type="read" weight="10"/>`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// `read`, `write`, `both` or `none`, as written.
    pub kind: String,
    /// How much flows, 1 to 10, as written.
    pub weight: String,
}

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A paragraph, its blanks made one each.
    Paragraph(String),
    /// A list.
    List(Vec<Vec<Self>>),
}

impl Comment {
    /// Does it say nothing?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// All text of blocks in one line.
pub fn plain(blocks: &[Block]) -> String {
    let mut out = String::new();
    gather(blocks, &mut out);
    out
}

fn gather(blocks: &[Block], out: &mut String) {
    for block in blocks {
        match block {
            Block::Paragraph(text) => {
                let gap = if out.is_empty() { "" } else { " " };
                out.push_str(gap);
                out.push_str(text);
            }
            Block::List(items) => items.iter().for_each(|it| gather(it, out)),
        }
    }
}

/// A line of a comment, without its `##`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The text.
    pub text: String,
    /// Where its first byte stands.
    pub span: Span,
}

#[cfg(test)]
mod tests;
