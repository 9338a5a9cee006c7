//! The tree of a file: all nodes in one vector, in the order in which they begin. Eight bytes a node.

use crate::names::Symbol;
use crate::source::Pos;

/// Marks a node that is a list.
const LIST: u32 = 1 << 31;
/// Marks a word that was written in quotes.
const QUOTED: u32 = 1 << 30;

/// A word, or a list with the place behind its last node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    what: u32,
    pos: Pos,
}

impl Node {
    pub(super) fn word(symbol: Symbol, quoted: bool, pos: Pos) -> Self {
        let what = u32::try_from(symbol.index()).unwrap_or(0) & !(LIST | QUOTED);
        Self { what: what | if quoted { QUOTED } else { 0 }, pos }
    }

    /// A list whose end is not known yet.
    pub(super) fn open(pos: Pos) -> Self {
        Self { what: LIST, pos }
    }

    pub(super) fn close(&mut self, end: u32) {
        self.what = LIST | end;
    }
}

/// What was read of a file: its statements.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    pub(super) nodes: Vec<Node>,
}

impl Tree {
    /// The statements, and what stands where one should.
    pub fn statements(&self) -> Children<'_> {
        Children { tree: self, at: 0, end: end(self.nodes.len()) }
    }

    /// The node at this place, as [`Element::index`] gives it.
    pub fn element(&self, index: u32) -> Element<'_> {
        Element { tree: self, at: index }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Is there nothing in the file?
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Turns the symbols of a file's interner into those of another.
    pub fn rename(&mut self, to: &[Symbol]) {
        for node in &mut self.nodes {
            if node.what & LIST == 0 {
                let symbol = to[(node.what & !QUOTED) as usize];
                *node = Node::word(symbol, node.what & QUOTED != 0, node.pos);
            }
        }
    }
}

pub(super) fn end(length: usize) -> u32 {
    u32::try_from(length).expect("a node takes a byte at least, and sources less than 2 GiB")
}

/// A node in its tree.
#[derive(Clone, Copy, Debug)]
pub struct Element<'t> {
    tree: &'t Tree,
    at: u32,
}

impl<'t> Element<'t> {
    fn node(self) -> Node {
        self.tree.nodes[self.at as usize]
    }

    /// Its place in the tree.
    pub fn index(self) -> u32 {
        self.at
    }

    /// Where it is written.
    pub fn pos(self) -> Pos {
        self.node().pos
    }

    /// The word, if it is one.
    pub fn word(self) -> Option<Symbol> {
        let what = self.node().what;
        (what & LIST == 0).then(|| Symbol::new(what & !QUOTED))
    }

    /// Is it a word in quotes?
    pub fn is_quoted(self) -> bool {
        self.node().what & (LIST | QUOTED) == QUOTED
    }

    /// Is it a list?
    pub fn is_list(self) -> bool {
        self.node().what & LIST != 0
    }

    /// The elements of a list; nothing of a word.
    pub fn children(self) -> Children<'t> {
        Children { tree: self.tree, at: self.at + 1, end: self.end() }
    }

    /// The place behind its last node.
    fn end(self) -> u32 {
        let what = self.node().what;
        if what & LIST != 0 { what & !LIST } else { self.at + 1 }
    }
}

/// The elements of a list.
#[derive(Clone, Copy, Debug)]
pub struct Children<'t> {
    tree: &'t Tree,
    at: u32,
    end: u32,
}

impl<'t> Iterator for Children<'t> {
    type Item = Element<'t>;

    fn next(&mut self) -> Option<Element<'t>> {
        (self.at < self.end).then(|| {
            let element = Element { tree: self.tree, at: self.at };
            self.at = element.end();
            element
        })
    }
}

impl Children<'_> {
    /// Is nothing left?
    pub fn is_empty(&self) -> bool {
        self.at >= self.end
    }
}
