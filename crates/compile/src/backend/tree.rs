//! The module tree: the units' statements in blocks. A block is the top level of a unit or a branch of an `optional`; each
//! knows the block around it. Every language comes to this: statements with names and places, in blocks with requirements.

use mandate_syntax::kernel::ast::{
    Ident, Idents, Require, Set, SetItem, Slice, Statement, StatementKind, Unit,
};
use mandate_syntax::names::{Interner, Symbol};
use mandate_syntax::source::Span;

/// Counts that fit: sources take less than 4 GiB.
pub(crate) fn small(count: usize) -> u32 {
    u32::try_from(count).expect("sources take less than 4 GiB")
}

/// A unit, with its names turned into those of all units.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) unit: &'a Unit,
    names: Vec<Symbol>,
}

impl<'a> Part<'a> {
    /// The name of `ident` among those of all units.
    pub(crate) fn name(&self, ident: Ident) -> Symbol {
        self.names[ident.name.index()]
    }

    pub(crate) fn idents(&self, idents: Idents) -> &'a [Ident] {
        &self.unit.idents[idents.range()]
    }

    pub(crate) fn items(&self, set: &Set) -> &'a [SetItem] {
        &self.unit.set_items[set.items.range()]
    }

    pub(crate) fn text(&self, ident: Ident) -> &'a str {
        self.unit.names.name(ident.name)
    }
}

/// Which block, by its place in [`Tree::blocks`].
pub(crate) type BlockId = u32;

/// What a block is to the one around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Branch {
    /// The top level of a unit.
    Top,
    /// `optional { … }`
    Then,
    /// The `else` of this block.
    Else(BlockId),
}

/// A block of statements.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    /// The unit it stands in.
    pub(crate) part: u32,
    pub(crate) parent: Option<BlockId>,
    pub(crate) branch: Branch,
    /// The first word of the `optional`.
    pub(crate) span: Span,
    pub(crate) statements: &'a [Statement],
    /// What it requires itself: of [`Tree::requires`].
    pub(crate) requires: Slice,
}

/// Statements that are not rules, by block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Other<'a> {
    pub(crate) block: BlockId,
    pub(crate) statement: &'a Statement,
}

/// All units.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    pub(crate) names: Interner,
    /// The name `self`.
    pub(crate) self_name: Symbol,
    pub(crate) parts: Vec<Part<'a>>,
    /// In the order of their first words.
    pub(crate) blocks: Vec<Block<'a>>,
    pub(crate) requires: Vec<&'a Require>,
    /// All statements but rules, blocks and requirements.
    pub(crate) others: Vec<Other<'a>>,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(units: &'a [Unit]) -> Self {
        let mut names = match units {
            [one] => one.names.clone(),
            _ => Interner::new(),
        };
        let parts: Vec<Part<'_>> = (units.iter())
            .map(|unit| Part { unit, names: names.intern_all(&unit.names) })
            .collect();
        let self_name = names.intern("self");
        names.intern(mandate_policydb::OBJECT_R);
        names.intern("process");
        let mut tree = Self {
            names,
            self_name,
            parts,
            blocks: Vec::new(),
            requires: Vec::new(),
            others: Vec::new(),
        };
        for part in 0..small(units.len()) {
            tree.add_unit(part, units);
        }
        tree
    }

    pub(crate) fn part(&self, block: BlockId) -> &Part<'a> {
        &self.parts[self.blocks[block as usize].part as usize]
    }

    fn add_unit(&mut self, part: u32, units: &'a [Unit]) {
        let unit = &units[part as usize];
        let mut pending = vec![Pending {
            parent: None,
            branch: PendingBranch::Top,
            span: Span::NOWHERE,
            statements: &unit.statements,
        }];
        // The last `then` block of each depth is known before its `else` is taken up.
        let mut then_of: Vec<(*const Statement, BlockId)> = Vec::new();
        while let Some(next) = pending.pop() {
            let id = small(self.blocks.len());
            let branch = match next.branch {
                PendingBranch::Top => Branch::Top,
                PendingBranch::Then(statement) => {
                    if let StatementKind::Optional { otherwise: Some(_), .. } = statement.kind {
                        then_of.push((statement, id));
                    }
                    Branch::Then
                }
                PendingBranch::Else(statement) => {
                    let of = then_of.iter().rposition(|it| std::ptr::eq(it.0, statement));
                    of.map_or(Branch::Top, |at| Branch::Else(then_of.swap_remove(at).1))
                }
            };
            let start = small(self.requires.len());
            self.blocks.push(Block {
                part,
                parent: next.parent,
                branch,
                span: next.span,
                statements: next.statements,
                requires: Slice { start, end: start },
            });
            let first_child = pending.len();
            for statement in next.statements {
                self.add_statement(id, unit, statement, &mut pending);
            }
            pending[first_child..].reverse();
            self.blocks[id as usize].requires.end = small(self.requires.len());
        }
    }

    fn add_statement(
        &mut self,
        block: BlockId,
        unit: &'a Unit,
        statement: &'a Statement,
        pending: &mut Vec<Pending<'a>>,
    ) {
        match &statement.kind {
            StatementKind::Av(_) | StatementKind::Xperm(_) | StatementKind::TypeRule(_) => {}
            StatementKind::Require(slice) => self.requires.extend(&unit.requires[slice.range()]),
            StatementKind::Conditional { then, otherwise, .. } => {
                // Requirements within a condition are those of the block.
                for inner in then.iter().chain(otherwise) {
                    if let StatementKind::Require(slice) = &inner.kind {
                        self.requires.extend(&unit.requires[slice.range()]);
                    }
                }
            }
            StatementKind::Optional { then, otherwise } => {
                let (parent, span) = (Some(block), statement.span);
                let branch = PendingBranch::Then(statement);
                pending.push(Pending { parent, branch, span, statements: then });
                if let Some(statements) = otherwise {
                    let branch = PendingBranch::Else(statement);
                    pending.push(Pending { parent, branch, span, statements });
                }
            }
            _ => self.others.push(Other { block, statement }),
        }
    }
}

/// A block that is still to be walked.
struct Pending<'a> {
    parent: Option<BlockId>,
    branch: PendingBranch<'a>,
    span: Span,
    statements: &'a [Statement],
}

enum PendingBranch<'a> {
    Top,
    Then(&'a Statement),
    Else(&'a Statement),
}
