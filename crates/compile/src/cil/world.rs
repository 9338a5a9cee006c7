//! The containers of all files, the scopes in which they declare names, and how a name is found.
//!
//! A container holds statements: a file, a block, a branch of a condition. A call and an inherited block become containers of their
//! own with the statements of what they name; the statements themselves are never copied, a container lists their places.

use mandate_syntax::cil::{Element, Keyword, Tree};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::names::{Interner, Symbol};
use mandate_syntax::source::{ExpansionId, ExpansionRecorder, Span};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Options;
use super::declare::{Decl, DeclId, DeclKind, Space};
use super::report::Report;

/// Which container.
pub(crate) type ContainerId = u32;
/// Which scope.
pub(crate) type ScopeId = u32;

/// The container of everything.
pub(crate) const ROOT: ContainerId = 0;
/// No container.
pub(crate) const NONE: ContainerId = u32::MAX;

/// What a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Root,
    File,
    Block,
    Macro,
    Optional,
    In,
    BooleanIf,
    TunableIf,
    /// `(true …)` or `(false …)`
    Branch(bool),
    Call,
    Inherit,
    /// What an `in` put here.
    Inserted,
}

/// Something in a container: the place of a statement in the tree of its file, or a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item(u32);

const CHILD: u32 = 1 << 31;
const STRUCTURAL: u32 = 1 << 30;

impl Item {
    pub(crate) fn statement(index: u32) -> Self {
        Self(index)
    }

    /// `call`, `blockinherit`, `blockabstract`.
    pub(crate) fn structural(index: u32) -> Self {
        Self(index | STRUCTURAL)
    }

    pub(crate) fn child(id: ContainerId) -> Self {
        Self(id | CHILD)
    }

    pub(crate) fn as_child(self) -> Option<ContainerId> {
        (self.0 & CHILD != 0).then_some(self.0 & !CHILD)
    }

    pub(crate) fn as_structural(self) -> Option<u32> {
        (self.0 & (CHILD | STRUCTURAL) == STRUCTURAL).then_some(self.0 & !STRUCTURAL)
    }

    pub(crate) fn as_statement(self) -> Option<u32> {
        (self.0 & (CHILD | STRUCTURAL) == 0).then_some(self.0)
    }
}

/// An argument of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding {
    pub(crate) space: Space,
    pub(crate) parameter: Symbol,
    pub(crate) found: Option<Found>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Declared(DeclId),
    /// Something without a name: the place of its element, and the container in whose view its names are.
    Anonymous(ContainerId, u32),
    /// A string.
    Text(Symbol),
    /// An argument that was told to be missing.
    Missing,
}

#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) kind: Kind,
    pub(crate) parent: ContainerId,
    /// Which tree its statements are in.
    pub(crate) file: u32,
    /// Its own statement in the tree of `home`.
    pub(crate) node: u32,
    /// The tree its own statement is in.
    pub(crate) home: u32,
    pub(crate) name: Symbol,
    /// Where its statements declare names.
    pub(crate) scope: ScopeId,
    pub(crate) expansion: ExpansionId,
    /// The innermost `optional` around its statements, itself included.
    pub(crate) optional: ContainerId,
    /// Of a call the macro; of an inherited block the block.
    pub(crate) definition: ContainerId,
    /// How many containers are around it.
    pub(crate) depth: u32,
    /// Are there only files and optionals around it? Then names are those of the top level.
    pub(crate) plain: bool,
    pub(crate) is_abstract: bool,
    /// Left out: an `optional` whose names are unknown, a branch that is not chosen.
    pub(crate) disabled: bool,
    /// Has it structural statements?
    pub(crate) structural: bool,
    pub(crate) items: Vec<Item>,
}

/// Where names are declared: the top level, a block, a macro.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// What stands before a name in the policy: `a.b.`
    pub(crate) prefix: String,
}

/// Everything that is known of the sources.
pub(crate) struct World<'t> {
    pub(crate) trees: &'t [Tree],
    pub(crate) options: &'t Options,
    pub(crate) names: Interner,
    /// By symbol: has the name a dot?
    pub(crate) dotted: Vec<bool>,
    pub(crate) containers: Vec<Container>,
    pub(crate) scopes: Vec<Scope>,
    /// Blocks, macros and optionals.
    pub(crate) blocks: FxHashMap<(ScopeId, Symbol), ContainerId>,
    /// Of each macro: its parameters.
    pub(crate) parameters: FxHashMap<ContainerId, Vec<(Space, DeclKind, Symbol)>>,
    /// Of each call: its arguments.
    pub(crate) bindings: FxHashMap<ContainerId, Vec<Binding>>,
    pub(crate) decls: Vec<Decl>,
    /// By space, then symbol: what the top level declares, + 1.
    pub(crate) global: Vec<Vec<DeclId>>,
    pub(crate) local: FxHashMap<(ScopeId, Space, Symbol), DeclId>,
    pub(crate) expansions: ExpansionRecorder,
    pub(crate) report: Report,
    /// How many items were copied.
    pub(crate) copied: usize,
    /// How many bytes of names with the blocks around them were written.
    spelled: usize,
}

/// Names with the blocks around them take no more bytes in all: blocks nest, so that they grow with the square of the sources.
const MOST_SPELLED: usize = 64 << 20;

impl<'t> World<'t> {
    pub(crate) fn new(
        trees: &'t [Tree],
        names: Interner,
        options: &'t Options,
        expansions: ExpansionRecorder,
    ) -> Self {
        let mut world = Self {
            trees,
            options,
            dotted: Vec::new(),
            names,
            containers: Vec::new(),
            scopes: vec![Scope { prefix: String::new() }],
            blocks: FxHashMap::default(),
            parameters: FxHashMap::default(),
            bindings: FxHashMap::default(),
            decls: Vec::new(),
            global: Vec::new(),
            local: FxHashMap::default(),
            expansions,
            report: Report::default(),
            copied: 0,
            spelled: 0,
        };
        world.update_dotted();
        world.containers.push(Container {
            kind: Kind::Root,
            parent: NONE,
            file: 0,
            node: 0,
            home: 0,
            name: Keyword::Block.symbol(),
            scope: 0,
            expansion: ExpansionId(0),
            optional: NONE,
            definition: NONE,
            depth: 0,
            plain: true,
            is_abstract: false,
            disabled: false,
            structural: false,
            items: Vec::new(),
        });
        world
    }

    /// A new scope, whose names have the prefix of `around` and then `more`. Beyond the budget it has no prefix, which is told.
    pub(crate) fn new_scope(&mut self, around: ScopeId, more: &str, span: Span) -> ScopeId {
        let length = self.scopes[around as usize].prefix.len() + more.len();
        let prefix = if self.may_spell(length, span) {
            format!("{}{more}", self.scopes[around as usize].prefix)
        } else {
            String::new()
        };
        self.scopes.push(Scope { prefix });
        ScopeId::try_from(self.scopes.len() - 1).unwrap_or(0)
    }

    /// A name with the blocks around it.
    pub(crate) fn flat(&mut self, scope: ScopeId, name: Symbol, span: Span) -> Symbol {
        let length = self.scopes[scope as usize].prefix.len() + self.text(name).len();
        if scope == 0 || !self.may_spell(length, span) {
            return name;
        }
        let known = self.names.len();
        let flat = format!("{}{}", self.scopes[scope as usize].prefix, self.text(name));
        let flat = self.names.intern(&flat);
        if self.names.len() == known {
            self.spelled -= length;
        }
        flat
    }

    /// Takes `length` bytes from the budget of names; tells once that it is spent.
    fn may_spell(&mut self, length: usize, span: Span) -> bool {
        let spent = self.spelled > MOST_SPELLED;
        self.spelled += length;
        if !spent && self.spelled > MOST_SPELLED {
            let message = "names with the blocks around them take more than 64 MiB";
            self.report.add(Diagnostic::error(Code::CilBudget, span, message));
        }
        self.spelled <= MOST_SPELLED
    }

    /// Makes `dotted` cover names that were added.
    pub(crate) fn update_dotted(&mut self) {
        let known = self.dotted.len();
        let new = self.names.iter().skip(known).map(|(_, name)| name.contains('.'));
        let new: Vec<bool> = new.collect();
        self.dotted.extend(new);
    }

    pub(crate) fn container(&self, id: ContainerId) -> &Container {
        &self.containers[id as usize]
    }

    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        self.names.name(symbol)
    }

    /// The element at a place in the tree of a container.
    pub(crate) fn element(&self, container: ContainerId, index: u32) -> Element<'t> {
        self.trees[self.container(container).file as usize].element(index)
    }

    /// Where an element stands, seen from its container.
    pub(crate) fn span(&self, container: ContainerId, element: Element<'_>) -> Span {
        Span { pos: element.pos(), expansion: self.container(container).expansion }
    }

    /// Where a container's own statement stands.
    pub(crate) fn own_span(&self, id: ContainerId) -> Span {
        let container = self.container(id);
        let element = self.trees[container.home as usize].element(container.node);
        let expansion = match container.parent {
            NONE => ExpansionId(0),
            parent => self.container(parent).expansion,
        };
        Span { pos: element.pos(), expansion }
    }

    /// Is what stands in this container left out?
    pub(crate) fn is_dead(&self, mut id: ContainerId) -> bool {
        while id != NONE {
            let container = self.container(id);
            if container.disabled || container.is_abstract && container.kind == Kind::Block {
                return true;
            }
            id = container.parent;
        }
        false
    }

    /// The names of the policy that are those of role attributes.
    pub(crate) fn role_attributes(&self) -> FxHashSet<Symbol> {
        let attributes = self.decls.iter().filter(|it| it.kind == DeclKind::RoleAttribute);
        attributes.map(|it| it.flat).collect()
    }

    /// What `name` stands for in this container.
    pub(crate) fn find(&self, at: ContainerId, space: Space, name: Symbol) -> Option<Found> {
        if !self.dotted[name.index()] || self.options.qualified_names {
            if !self.container(at).plain
                && let Some(found) = self.find_around(at, space, name)
            {
                return Some(found);
            }
            return self.find_global(space, name).map(Found::Declared);
        }
        let (scope, last) = self.dotted_scope(at, name)?;
        self.find_in(scope, space, last).map(Found::Declared)
    }

    pub(crate) fn find_global(&self, space: Space, name: Symbol) -> Option<DeclId> {
        self.global.get(space as usize)?.get(name.index())?.checked_sub(1)
    }

    fn find_in(&self, scope: ScopeId, space: Space, name: Symbol) -> Option<DeclId> {
        if scope == 0 {
            return self.find_global(space, name);
        }
        self.local.get(&(scope, space, name)).copied()
    }

    /// In the containers from `at` outwards, without the top level.
    fn find_around(&self, mut at: ContainerId, space: Space, name: Symbol) -> Option<Found> {
        while at != NONE {
            let container = self.container(at);
            match container.kind {
                Kind::Root => return None,
                Kind::Block if !container.is_abstract => {
                    if let Some(&found) = self.local.get(&(container.scope, space, name)) {
                        return Some(Found::Declared(found));
                    }
                }
                Kind::Call => {
                    let bindings = self.bindings.get(&at);
                    let mut bindings = bindings.into_iter().flatten();
                    let of_call = bindings.find(|it| it.space == space && it.parameter == name);
                    if let Some(binding) = of_call {
                        return Some(binding.found.unwrap_or(Found::Missing));
                    }
                    // A name that the macro declares is declared on the side of the call.
                    let of_macro = self.container(container.definition);
                    if !self.local.contains_key(&(of_macro.scope, space, name))
                        && let Some(found) = self.find_around(of_macro.parent, space, name)
                    {
                        return Some(found);
                    }
                }
                Kind::Inherit => {
                    let outwards = self.find_around(container.parent, space, name);
                    let original = self.container(container.definition).parent;
                    return outwards.or_else(|| self.find_around(original, space, name));
                }
                _ => {}
            }
            at = container.parent;
        }
        None
    }

    /// The scope that the dotted `name` leads to, and its last part.
    fn dotted_scope(&self, at: ContainerId, name: Symbol) -> Option<(ScopeId, Symbol)> {
        let text = self.text(name);
        let mut parts = text.split('.').filter(|it| !it.is_empty()).peekable();
        let mut scope = None;
        while let Some(part) = parts.next() {
            let symbol = self.names.get(part)?;
            if parts.peek().is_none() {
                let whole = scope.is_some() || text.starts_with('.');
                return whole.then_some((scope.unwrap_or(0), symbol));
            }
            let block = match scope {
                None if text.starts_with('.') => *self.blocks.get(&(0, symbol))?,
                None => self.find_block_plainly(at, symbol)?,
                Some(scope) => *self.blocks.get(&(scope, symbol))?,
            };
            let block = self.container(block);
            if block.kind != Kind::Block || block.is_abstract {
                return None;
            }
            scope = Some(block.scope);
        }
        None
    }

    /// The block, macro or optional of this name.
    pub(crate) fn find_block(&self, at: ContainerId, name: Symbol) -> Option<ContainerId> {
        if !self.dotted[name.index()] || self.options.qualified_names {
            return self.find_block_plainly(at, name);
        }
        let text = self.text(name);
        let mut found = None;
        for part in text.split('.').filter(|it| !it.is_empty()) {
            let symbol = self.names.get(part)?;
            found = Some(match found {
                None if text.starts_with('.') => *self.blocks.get(&(0, symbol))?,
                None => self.find_block_plainly(at, symbol)?,
                Some(within) => {
                    let within = self.container(within);
                    if within.kind == Kind::Block && within.is_abstract {
                        return None;
                    }
                    *self.blocks.get(&(within.scope, symbol))?
                }
            });
        }
        found
    }

    fn find_block_plainly(&self, at: ContainerId, name: Symbol) -> Option<ContainerId> {
        self.block_around(at, name).or_else(|| self.blocks.get(&(0, name)).copied())
    }

    fn block_around(&self, mut at: ContainerId, name: Symbol) -> Option<ContainerId> {
        while at != NONE {
            let container = self.container(at);
            match container.kind {
                Kind::Root => return None,
                Kind::Block | Kind::Macro if !container.is_abstract => {
                    if let Some(&found) = self.blocks.get(&(container.scope, name)) {
                        return Some(found);
                    }
                }
                Kind::Call => {
                    let around = self.container(container.definition).parent;
                    if let Some(found) = self.block_around(around, name) {
                        return Some(found);
                    }
                }
                Kind::Inherit => {
                    let outwards = self.block_around(container.parent, name);
                    let original = self.container(container.definition).parent;
                    return outwards.or_else(|| self.block_around(original, name));
                }
                _ => {}
            }
            at = container.parent;
        }
        None
    }
}
