//! Conditions over tunables, `in`, inherited blocks and calls: what is meant is put where it belongs, in the order in which CIL says.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::names::Symbol;
use mandate_syntax::source::{ExpansionId, Span};
use rustc_hash::FxHashSet;

use super::condition;
use super::declare::{Binding_, Space};
use super::world::{ContainerId, Found, Item, Kind, NONE, ROOT, ScopeId, World};
use crate::near;

/// So many statements may come by calls, inheritance and `in`; a container counts as [`CONTAINER`].
const MOST_COPIED: usize = 1_000_000;
const CONTAINER: usize = 16;
/// Calls nest no deeper.
const DEEPEST_CALL: usize = 256;
/// Blocks inherit no deeper, those around them counted in.
const DEEPEST_BLOCK: usize = 1024;
/// Containers nest no deeper.
const DEEPEST: u32 = 4096;

/// The budget is spent; it was told.
pub(crate) struct Spent;

impl World<'_> {
    /// All steps in order.
    pub(crate) fn expand(&mut self) -> Result<(), Spent> {
        self.choose_branches();
        self.insert(false)?;
        self.inherit()?;
        self.mark_abstract();
        self.insert(true)?;
        self.call_macros()
    }

    fn ids(&self) -> std::ops::Range<ContainerId> {
        0..ContainerId::try_from(self.containers.len()).unwrap_or(NONE)
    }

    fn choose_branches(&mut self) {
        let mut opened: Vec<(ScopeId, ScopeId)> = Vec::new();
        for id in self.ids() {
            let container = self.container(id);
            if container.kind != Kind::TunableIf {
                continue;
            }
            let parent = container.parent;
            let statement = self.element(parent, container.node);
            let Some(expression) = statement.children().nth(1) else { continue };
            let value = condition::tunable_value(self, parent, expression);
            let branches = self.container(id).items.clone();
            for branch in branches.into_iter().filter_map(Item::as_child) {
                let chosen = value.map(Kind::Branch) == Some(self.container(branch).kind);
                self.containers[branch as usize].disabled = !chosen;
                if chosen {
                    opened.push((self.container(branch).scope, self.container(parent).scope));
                }
            }
        }
        self.open_scopes(&mut opened);
    }

    /// What was declared in chosen branches is declared around them: pairs of the branch's scope and that around it.
    fn open_scopes(&mut self, opened: &mut [(ScopeId, ScopeId)]) {
        if opened.is_empty() {
            return;
        }
        opened.sort_unstable();
        // Scopes are numbered from the outside inwards.
        for at in 0..opened.len() {
            if let Ok(around) = opened.binary_search_by_key(&opened[at].1, |it| it.0) {
                opened[at].1 = opened[around].1;
            }
        }
        let to = |scope: ScopeId| {
            let found = opened.binary_search_by_key(&scope, |it| it.0);
            found.ok().map(|it| opened[it].1)
        };
        for container in &mut self.containers {
            container.scope = to(container.scope).unwrap_or(container.scope);
        }
        let moved = self.blocks.iter().filter_map(|(key, &id)| Some((*key, to(key.0)?, id)));
        let mut moved: Vec<_> = moved.collect();
        moved.sort_unstable_by_key(|it| it.2);
        for (key, scope, id) in moved {
            self.blocks.remove(&key);
            self.declare_block(scope, id);
        }
    }

    /// Puts what stands in `in` statements to where they say.
    fn insert(&mut self, after: bool) -> Result<(), Spent> {
        let is_in = |it: &ContainerId| {
            let container = self.container(*it);
            let alive = || !self.is_dead(container.parent);
            container.kind == Kind::In && container.is_abstract == after && alive()
        };
        let mut waiting: Vec<ContainerId> = self.ids().filter(is_in).rev().collect();
        loop {
            let before = waiting.len();
            let mut rest = Vec::new();
            for id in waiting {
                let (parent, name) = (self.container(id).parent, self.container(id).name);
                match self.find_block(parent, name) {
                    None => rest.push(id),
                    Some(target) => {
                        let expansion = self.record_insert(id, target);
                        self.copy(id, Kind::Inserted, target, Some(expansion), false)?;
                    }
                }
            }
            if rest.is_empty() || rest.len() == before {
                rest.iter().for_each(|&it| self.unknown_target(it));
                return Ok(());
            }
            waiting = rest;
        }
    }

    fn unknown_target(&mut self, id: ContainerId) {
        let (parent, name) = (self.container(id).parent, self.container(id).name);
        let span = self.own_span(id);
        self.unknown_container(parent, name, span, "container");
    }

    /// A name of no container; leaves the optional out that it stands in.
    fn unknown_container(&mut self, at: ContainerId, name: Symbol, span: Span, what: &str) {
        let optional = self.container(at).optional;
        if optional != NONE {
            self.containers[optional as usize].disabled = true;
            return;
        }
        let text = self.text(name);
        let message = format!("there is no {what} `{text}`");
        let mut known: Vec<&str> = self.blocks.keys().map(|it| self.text(it.1)).collect();
        known.sort_unstable();
        let mut error = Diagnostic::error(Code::CilUnknownContainer, span, message);
        error.help.extend(near::did_you_mean(text, known));
        self.report.add(error);
    }

    /// Copies the items of `from` into a new container in `parent`.
    fn copy(
        &mut self,
        from: ContainerId,
        kind: Kind,
        parent: ContainerId,
        expansion: Option<ExpansionId>,
        inherited: bool,
    ) -> Result<ContainerId, Spent> {
        let id = self.bare_copy(from, kind, parent, expansion)?;
        if !matches!(kind, Kind::Call | Kind::Inherit) {
            self.containers[parent as usize].items.push(Item::child(id));
        }
        for at in 0..self.container(from).items.len() {
            let item = self.container(from).items[at];
            if let Some(child) = item.as_child() {
                self.copy_child(child, id, inherited)?;
            } else if !(inherited && self.is_abstract_statement(from, item)) {
                self.containers[id as usize].items.push(item);
            }
        }
        Ok(id)
    }

    fn copy_child(
        &mut self,
        child: ContainerId,
        into: ContainerId,
        inherited: bool,
    ) -> Result<(), Spent> {
        let (kind, name) = (self.container(child).kind, self.container(child).name);
        if self.container(child).disabled {
            return Ok(());
        }
        let scope = self.container(into).scope;
        let before = match kind {
            Kind::Block | Kind::Macro => self.blocks.get(&(scope, name)).copied(),
            _ => None,
        };
        match before {
            // A macro of one's own stands in for an inherited one.
            Some(_) if kind == Kind::Macro && inherited => {}
            Some(block) if inherited && self.container(block).kind == Kind::Block => {
                self.copy(child, Kind::Inserted, block, None, inherited)?;
            }
            _ => {
                let new = self.copy(child, kind, into, None, inherited)?;
                if let Some(parameters) = self.parameters.get(&child).cloned() {
                    self.parameters.insert(new, parameters);
                }
                if matches!(kind, Kind::Block | Kind::Macro | Kind::Optional) {
                    self.declare_block(scope, new);
                }
                if matches!(kind, Kind::Call | Kind::Inherit) {
                    self.containers[into as usize].items.push(Item::child(new));
                }
            }
        }
        Ok(())
    }

    /// A container like `from`, without its items.
    fn bare_copy(
        &mut self,
        from: ContainerId,
        kind: Kind,
        parent: ContainerId,
        expansion: Option<ExpansionId>,
    ) -> Result<ContainerId, Spent> {
        self.copied += CONTAINER + self.container(from).items.len();
        if self.copied > MOST_COPIED {
            let message = "calls and inherited blocks multiply into more than a million statements";
            let help = "write a rule about an attribute in place of many calls";
            return Err(self.spent(parent, message, help));
        }
        if self.container(parent).depth > DEEPEST {
            let message = format!("calls and inherited blocks nest deeper than {DEEPEST}");
            return Err(self.spent(parent, &message, "nest fewer optionals in macros and blocks"));
        }
        let source = self.container(from);
        let (file, home, node, name) = (source.file, source.home, source.node, source.name);
        let (structural, definition) = (source.structural, source.definition);
        let id = self.new_container(kind, parent, name, node);
        let new = &mut self.containers[id as usize];
        (new.file, new.home, new.structural) = (file, home, structural);
        new.definition = definition;
        if let Some(expansion) = expansion {
            new.expansion = expansion;
        }
        Ok(id)
    }

    fn spent(&mut self, at: ContainerId, message: &str, help: &str) -> Spent {
        let error = Diagnostic::error(Code::CilBudget, self.outermost(at), message);
        self.report.add(error.help(help));
        Spent
    }

    /// The statement at the top level that everything here comes from.
    fn outermost(&self, mut id: ContainerId) -> Span {
        let span = self.own_span(id);
        let mut chain = self.expansions.chain(span);
        if let Some(last) = chain.by_ref().last() {
            return last;
        }
        while self.container(id).parent != NONE && self.container(id).parent != ROOT {
            id = self.container(id).parent;
        }
        span
    }

    fn keyword_at(&self, at: ContainerId, index: u32) -> Option<Keyword> {
        let word = self.element(at, index).children().next()?.word()?;
        Keyword::of(word)
    }

    fn is_abstract_statement(&self, at: ContainerId, item: Item) -> bool {
        let keyword = item.as_structural().and_then(|it| self.keyword_at(at, it));
        keyword == Some(Keyword::BlockAbstract)
    }

    /// The structural statements of this kind in a container: place among its items, element, and the name behind the first word.
    fn structural(&mut self, id: ContainerId, wanted: Keyword) -> Vec<(usize, u32, Symbol)> {
        let mut found = Vec::new();
        if !self.container(id).structural {
            return found;
        }
        for (at, item) in self.container(id).items.clone().into_iter().enumerate() {
            let Some(index) = item.as_structural() else { continue };
            if self.keyword_at(id, index) != Some(wanted) {
                continue;
            }
            let statement = self.element(id, index);
            let parts: Vec<Element<'_>> = statement.children().skip(1).collect();
            let most = if wanted == Keyword::Call { 2 } else { 1 };
            match parts.first().and_then(|it| it.word()) {
                Some(name) if parts.len() <= most => found.push((at, index, name)),
                _ => {
                    let span = self.span(id, statement);
                    let message = "it names one, and nothing else stands here";
                    self.shape(span, wanted, message);
                }
            }
        }
        found
    }

    fn inherit(&mut self) -> Result<(), Spent> {
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

    fn mark_abstract(&mut self) {
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

    fn call_macros(&mut self) -> Result<(), Spent> {
        let mut id = 0;
        while (id as usize) < self.containers.len() {
            if self.container(id).structural && !self.is_dead(id) && !self.is_template(id) {
                for (at, index, name) in self.structural(id, Keyword::Call) {
                    self.call(id, at, index, name)?;
                }
            }
            id += 1;
        }
        Ok(())
    }

    /// Is it part of a macro?
    fn is_template(&self, mut id: ContainerId) -> bool {
        while id != NONE {
            if matches!(self.container(id).kind, Kind::Macro | Kind::In) {
                return true;
            }
            id = self.container(id).parent;
        }
        false
    }

    fn call(&mut self, id: ContainerId, at: usize, index: u32, name: Symbol) -> Result<(), Spent> {
        let statement = self.element(id, index);
        let span = self.span(id, statement);
        let target = match self.find_block(id, name) {
            Some(target) if self.container(target).kind == Kind::Macro => target,
            Some(_) => {
                let message = format!("`{}` is no macro", self.text(name));
                self.report.add(Diagnostic::error(Code::WrongKind, span, message));
                return Ok(());
            }
            None => {
                self.unknown_container(id, name, span, "macro");
                return Ok(());
            }
        };
        let list = statement.children().nth(2);
        if let Some(it) = list.filter(|it| it.children().is_empty()) {
            let wrong = if it.is_list() {
                "the list of arguments is empty"
            } else {
                "arguments stand in a list"
            };
            let span = self.span(id, it);
            self.shape(span, Keyword::Call, wrong);
            return Ok(());
        }
        let arguments: Vec<Element<'_>> = list.into_iter().flat_map(Element::children).collect();
        let parameters = self.parameters.get(&target).cloned().unwrap_or_default();
        if arguments.len() != parameters.len() {
            self.argument_count(span, target, arguments.len(), &parameters);
            return Ok(());
        }
        if !self.check_recursion(id, target, span) {
            return Ok(());
        }
        let expansion = self.record(id, statement);
        let new = self.copy(target, Kind::Call, id, Some(expansion), false)?;
        let home = self.container(id).file;
        let container = &mut self.containers[new as usize];
        (container.definition, container.node, container.home) = (target, index, home);
        self.containers[id as usize].items[at] = Item::child(new);
        let mut bindings = Vec::new();
        for ((space, kind, parameter), argument) in parameters.into_iter().zip(arguments) {
            let binding = Binding_ { space, kind, parameter };
            bindings.push(self.unresolved_binding(id, binding, argument));
        }
        self.bindings.insert(new, bindings);
        Ok(())
    }

    fn argument_count(
        &mut self,
        span: Span,
        target: ContainerId,
        given: usize,
        parameters: &[(Space, super::declare::DeclKind, Symbol)],
    ) {
        let name = self.text(self.container(target).name);
        let wanted = parameters.len();
        let s = if wanted == 1 { "" } else { "s" };
        let are = if given == 1 { "is" } else { "are" };
        let message = format!("macro `{name}` takes {wanted} argument{s}, but {given} {are} given");
        let shown: Vec<String> =
            parameters.iter().map(|it| format!("({} {})", it.1.words(), self.text(it.2))).collect();
        let error = Diagnostic::error(Code::CilArguments, span, message)
            .and(self.own_span(target), format!("its parameters are {}", shown.join(" ")));
        self.report.add(error);
    }

    /// Records that statements come by this one; the place is that of the name.
    fn record(&mut self, at: ContainerId, statement: Element<'_>) -> ExpansionId {
        let name = statement.children().nth(1).unwrap_or(statement);
        let span = self.span(at, name);
        self.expansions.record(span)
    }

    /// Records that statements come to `target` by the `in` of this container; the place is that of the target's name.
    fn record_insert(&mut self, id: ContainerId, target: ContainerId) -> ExpansionId {
        let container = self.container(id);
        let statement = self.trees[container.home as usize].element(container.node);
        let name = statement.children().filter(|it| it.word() == Some(container.name)).last();
        let pos = name.unwrap_or(statement).pos();
        let expansion = self.container(target).expansion;
        self.expansions.record(Span { pos, expansion })
    }

    fn check_recursion(&mut self, id: ContainerId, target: ContainerId, span: Span) -> bool {
        let (mut at, mut depth) = (id, 0);
        while at != NONE {
            let container = self.container(at);
            if container.kind == Kind::Call {
                depth += 1;
                if container.definition == target || depth > DEEPEST_CALL {
                    let name = self.text(self.container(target).name);
                    let message = if container.definition == target {
                        format!("macro `{name}` calls itself")
                    } else {
                        format!("calls of macros nest deeper than {DEEPEST_CALL}")
                    };
                    let there = self.own_span(at);
                    let error = Diagnostic::error(Code::CilRecursion, span, message);
                    self.report.add(error.and(there, "called here first"));
                    return false;
                }
            }
            at = container.parent;
        }
        true
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

/// What an argument is before names are declared.
impl World<'_> {
    fn unresolved_binding(
        &mut self,
        at: ContainerId,
        parameter: Binding_,
        argument: Element<'_>,
    ) -> super::world::Binding {
        let Binding_ { space, kind, parameter } = parameter;
        let found = match argument.word() {
            Some(word) if space == Space::Strings => Some(Found::Text(word)),
            None if kind.may_be_anonymous() => Some(Found::Anonymous(at, argument.index())),
            Some(word) if space == Space::Addresses => {
                let text = self.text(word);
                text.contains(['.', ':']).then_some(Found::Anonymous(at, argument.index()))
            }
            None => {
                let span = self.span(at, argument);
                let message = format!("a {} is given by its name, not as a list", kind.words());
                self.report.add(Diagnostic::error(Code::CilArguments, span, message));
                None
            }
            Some(_) => None,
        };
        super::world::Binding { space, parameter, found }
    }
}
