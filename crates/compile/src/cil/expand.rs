//! Conditions over tunables, `in`, inherited blocks and calls: what is meant is put where it belongs, in the order in which CIL says.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::names::Symbol;
use mandate_syntax::source::{ExpansionId, Span};

use super::condition;
use super::world::{ContainerId, Item, Kind, NONE, ROOT, ScopeId, World};
use crate::near;

/// So many statements may come by calls, inheritance and `in`; a container counts as [`CONTAINER`].
const MOST_COPIED: usize = 1_000_000;
const CONTAINER: usize = 16;

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

    pub(super) fn ids(&self) -> std::ops::Range<ContainerId> {
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
    pub(super) fn unknown_container(
        &mut self,
        at: ContainerId,
        name: Symbol,
        span: Span,
        what: &str,
    ) {
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
    pub(super) fn copy(
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

    pub(super) fn spent(&mut self, at: ContainerId, message: &str, help: &str) -> Spent {
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
    pub(super) fn structural(
        &mut self,
        id: ContainerId,
        wanted: Keyword,
    ) -> Vec<(usize, u32, Symbol)> {
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

    /// Records that statements come by this one; the place is that of the name.
    pub(super) fn record(&mut self, at: ContainerId, statement: Element<'_>) -> ExpansionId {
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
}
