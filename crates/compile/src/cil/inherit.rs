//! Blocks that inherit others, and blocks that are abstract.

use super::expand::Spent;
use super::world::{ContainerId, Item, Kind, NONE, ROOT, World};
use mandate_syntax::cil::Keyword;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::Span;
use rustc_hash::FxHashSet;

/// Blocks inherit no deeper, those around them counted in.
const DEEPEST_BLOCK: usize = 1024;

impl World<'_> {
    pub(super) fn inherit(&mut self) -> Result<(), Spent> {
        if !self.containers.iter().any(|it| it.structural) {
            return Ok(());
        }
        // Names are those before anything is inherited: what is inherited cannot be inherited again by its name.
        let mut links = Vec::new();
        for id in self.ids() {
            if self.container(id).kind == Kind::In || self.is_dead(id) {
                continue;
            }
            for (at, index, name) in self.structural(id, Keyword::BlockInherit) {
                let span = self.span(id, self.element(id, index));
                match self.find_block(id, name) {
                    Some(block) if self.container(block).kind == Kind::Block => {
                        links.push(Link { id, at, block, span, index });
                    }
                    Some(_) => {
                        let message = format!("`{}` is no block", self.text(name));
                        self.report.add(Diagnostic::error(Code::WrongKind, span, message));
                    }
                    None => self.unknown_container(id, name, span, "block"),
                }
            }
        }
        let mut inheritance = Inheritance { links, done: FxHashSet::default(), doing: Vec::new() };
        inheritance.complete(self, ROOT)
    }

    pub(super) fn mark_abstract(&mut self) {
        for id in self.ids() {
            if self.container(id).kind == Kind::In {
                continue;
            }
            for (_, index, name) in self.structural(id, Keyword::BlockAbstract) {
                let span = self.span(id, self.element(id, index));
                match self.find_block(id, name) {
                    Some(block) if self.container(block).kind == Kind::Block => {
                        self.containers[block as usize].is_abstract = true;
                    }
                    Some(_) => {
                        let message = format!("`{}` is no block", self.text(name));
                        self.report.add(Diagnostic::error(Code::WrongKind, span, message));
                    }
                    None => self.unknown_container(id, name, span, "block"),
                }
            }
        }
    }
}

/// A `blockinherit` whose block is known.
struct Link {
    id: ContainerId,
    at: usize,
    block: ContainerId,
    span: Span,
    index: u32,
}

struct Inheritance {
    links: Vec<Link>,
    done: FxHashSet<ContainerId>,
    doing: Vec<ContainerId>,
}

impl Inheritance {
    /// Copies into this container, and all within it, what they inherit.
    fn complete(&mut self, world: &mut World<'_>, id: ContainerId) -> Result<(), Spent> {
        if !self.done.insert(id) {
            return Ok(());
        }
        self.doing.push(id);
        let from = self.links.partition_point(|it| it.id < id);
        for number in from..self.links.len() {
            let Link { id: at_id, at, block, span, index } = self.links[number];
            if at_id != id {
                break;
            }
            let deep = self.doing.len() > DEEPEST_BLOCK;
            if deep || self.doing.contains(&block) || within(world, id, block) {
                let name = world.text(world.container(block).name);
                let message = if deep {
                    format!("blocks inherit deeper than {DEEPEST_BLOCK}, from `{name}` on")
                } else {
                    format!("block `{name}` inherits itself")
                };
                let error = Diagnostic::error(Code::CilRecursion, span, message);
                world.report.add(error.and(world.own_span(block), "the block"));
                continue;
            }
            self.complete(world, block)?;
            let expansion = world.record(id, world.element(id, index));
            let new = world.copy(block, Kind::Inherit, id, Some(expansion), true)?;
            world.containers[new as usize].definition = block;
            world.containers[id as usize].items[at] = Item::child(new);
        }
        for at in 0..world.container(id).items.len() {
            if let Some(child) = world.container(id).items[at].as_child() {
                self.complete(world, child)?;
            }
        }
        self.doing.pop();
        Ok(())
    }
}

fn within(world: &World<'_>, mut id: ContainerId, block: ContainerId) -> bool {
    while id != NONE {
        if id == block {
            return true;
        }
        id = world.container(id).parent;
    }
    false
}
