//! Patterns of paths: the regular expressions of PCRE2 (`pcre2pattern(3)`) as libselinux compiles them, on bytes and with `.` for any byte.

mod backtrack;
mod class;
mod escape;
mod parse;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::file_contexts::literal;
use crate::narrow;

pub(crate) use backtrack::Program;
pub(crate) use class::ByteSet;
pub(crate) use parse::parse;

/// Why a pattern does not compile, and the byte at which that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct PatternError {
    /// Byte in the pattern, from 0.
    pub offset: usize,
    /// What is wrong there.
    pub kind: PatternErrorKind,
}

/// Kinds of [`PatternError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// A group without its end.
    #[error("this parenthesis is not closed")]
    OpenGroup,
    /// An end without its group.
    #[error("this parenthesis closes nothing")]
    StrayClose,
    /// A set of characters without its end.
    #[error("this bracket is not closed")]
    OpenClass,
    /// `[:alpha:]` without brackets around it.
    #[error("named sets of characters stand within brackets: [[:alpha:]]")]
    NamedClass,
    /// `[[:word:]]` with a word that names no set.
    #[error("no set of characters has this name")]
    UnknownClass,
    /// A range of characters that does not ascend.
    #[error("this range of characters does not ascend")]
    ClassRange,
    /// A quantifier with nothing before it.
    #[error("there is nothing to repeat here")]
    NothingToRepeat,
    /// `{n,m}` where m is the lesser, or beyond what PCRE2 counts to.
    #[error("these bounds are out of order or too large")]
    Bounds,
    /// A backslash at the end.
    #[error("nothing follows this backslash")]
    TrailingBackslash,
    /// `\Q` without `\E`: libselinux's `$` would be quoted too.
    #[error("this quote is not closed: it needs \\E")]
    OpenQuote,
    /// A backslash before a letter or number that means nothing.
    #[error("this escape means nothing")]
    UnknownEscape,
    /// A reference to a group that the pattern does not have.
    #[error("the pattern has no such group")]
    UnknownGroup,
    /// A second group of the same name.
    #[error("the pattern has another group of this name")]
    DuplicateName,
    /// What follows `(?` is none of the known groups.
    #[error("this kind of group is not known")]
    UnknownGroupKind,
    /// PCRE2 takes it, this crate does not.
    #[error(
        "conditions, recursion, verbs, \\K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts"
    )]
    Unsupported,
    /// Groups nested deeper than PCRE2 allows.
    #[error("groups are nested more than 250 deep")]
    TooDeep,
    /// The pattern stands for more states than are worth having.
    #[error("the pattern is too large")]
    TooLarge,
    /// A look-behind whose length is not known, or above 255.
    #[error("what a look-behind matches must have a bounded length of at most 255")]
    LookBehind,
}

/// Tells which patterns lines of file contexts may have. Patterns are much alike: the next one costs what is new in it.
#[derive(Default)]
pub struct Checker {
    arena: Arena,
}

impl Checker {
    /// Looks at a pattern.
    ///
    /// # Errors
    /// It does not compile.
    pub fn check(&mut self, pattern: &[u8]) -> Result<(), PatternError> {
        match literal(pattern) {
            Ok(_) => Ok(()),
            Err(_) => parse(pattern, &mut self.arena).map(drop),
        }
    }
}

/// A node of a pattern in an [`Arena`]; those below [`FIRST`] are single bytes.
pub(crate) type NodeId = u32;

/// The first node that is no single byte.
const FIRST: NodeId = 256;

/// The nodes of single bytes, which all arenas share.
static BYTES: LazyLock<[Node; FIRST as usize]> = LazyLock::new(|| {
    let mut next = 0..=u8::MAX;
    std::array::from_fn(|_| next.next().map_or(Node::Empty, |it| Node::Set(ByteSet::of(it))))
});

/// What a pattern is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    Empty,
    Set(ByteSet),
    Concat(Box<[NodeId]>),
    Alternate(Box<[NodeId]>),
    Repeat {
        node: NodeId,
        min: u16,
        max: Option<u16>,
        greed: Greed,
    },
    /// A group that a reference may name.
    Capture {
        group: u16,
        node: NodeId,
    },
    Atomic(NodeId),
    Look {
        behind: bool,
        negative: bool,
        node: NodeId,
    },
    Assert(Assert),
    Reference {
        group: u16,
        fold: bool,
    },
}

/// How a repetition behaves when what follows does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Greed {
    Greedy,
    Lazy,
    Possessive,
}

/// What holds at a place between two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Assert {
    /// `^`, `\A`, `\G`.
    Start,
    /// `$`, `\Z`: the end, or before a newline that ends the path.
    End,
    /// `\z`.
    VeryEnd,
    /// `\b`.
    Boundary,
    /// `\B`.
    NoBoundary,
}

/// The nodes of many patterns, each different one once.
pub(crate) struct Arena {
    bytes: &'static [Node; FIRST as usize],
    /// From [`FIRST`] on.
    nodes: Vec<Node>,
    ids: FxHashMap<Node, NodeId>,
}

/// A pattern that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    pub(crate) root: NodeId,
    /// Groups that references may name.
    pub(crate) groups: u16,
    /// Whether an automaton without memory decides it.
    pub(crate) regular: bool,
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

impl Arena {
    pub(crate) fn new() -> Self {
        Self { bytes: &BYTES, nodes: Vec::new(), ids: FxHashMap::default() }
    }

    pub(crate) fn add(&mut self, node: Node) -> NodeId {
        if let Node::Set(set) = &node
            && let Some(byte) = set.only()
        {
            return byte.into();
        }
        if let Some(&id) = self.ids.get(&node) {
            return id;
        }
        // Patterns are at most 64 KiB each and files hold thousands: far from the end of u32.
        let id = narrow(self.nodes.len()).saturating_add(FIRST);
        self.nodes.push(node.clone());
        self.ids.insert(node, id);
        id
    }

    pub(crate) fn get(&self, id: NodeId) -> &Node {
        let place = match id.checked_sub(FIRST) {
            None => self.bytes.get(id as usize),
            Some(it) => self.nodes.get(it as usize),
        };
        place.unwrap_or(&Node::Empty)
    }

    pub(crate) fn concat(&mut self, mut parts: Vec<NodeId>) -> NodeId {
        match parts.len() {
            0 => self.add(Node::Empty),
            1 => parts.remove(0),
            _ => self.add(Node::Concat(parts.into())),
        }
    }

    /// How many states the node takes when its repetitions are written out.
    pub(crate) fn size(&self, id: NodeId) -> u64 {
        match self.get(id) {
            Node::Empty | Node::Assert(_) => 0,
            Node::Set(_) | Node::Reference { .. } => 1,
            Node::Concat(parts) | Node::Alternate(parts) => {
                parts.iter().fold(1, |sum, &it| sum.saturating_add(self.size(it)))
            }
            &Node::Repeat { node, min, max, .. } => {
                let times = u64::from(max.unwrap_or(min).max(min).max(1));
                self.size(node).saturating_add(1).saturating_mul(times)
            }
            &Node::Capture { node, .. } | &Node::Atomic(node) | &Node::Look { node, .. } => {
                self.size(node)
            }
        }
    }
}
