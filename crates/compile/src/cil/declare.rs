//! What the name spaces hold: declarations, arguments of calls, and what is told of names that are unknown.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;

pub(crate) use super::spaces::{DeclKind, Space, declares};
use super::world::{Binding, ContainerId, Found, Item, Kind, NONE, ROOT, ScopeId, World};
use crate::near;

/// For so many findings near misses are looked for.
const NEAR_MISSES: usize = 20;

/// Which declaration.
pub(crate) type DeclId = u32;

/// A declaration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decl {
    pub(crate) kind: DeclKind,
    /// The name in the policy.
    pub(crate) flat: Symbol,
    pub(crate) span: Span,
    pub(crate) container: ContainerId,
    /// The statement.
    pub(crate) node: u32,
    /// Of an alias what it stands for; else itself.
    pub(crate) actual: DeclId,
}

/// A parameter and what it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding_ {
    pub(crate) space: Space,
    pub(crate) kind: DeclKind,
    pub(crate) parameter: Symbol,
}

/// Statements that stand together in a container, or a condition over booleans (then `end` is 0).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) container: ContainerId,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What there is to be lowered.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) runs: Vec<Run>,
    /// Statements that others depend on.
    pub(crate) early: Vec<(ContainerId, u32, Keyword)>,
    /// Containers that are calls.
    pub(crate) calls: Vec<ContainerId>,
}

/// Do other statements depend on those that begin with this word?
fn is_early(keyword: Keyword) -> bool {
    use Keyword as K;
    matches!(
        keyword,
        K::Class
            | K::ClassMap
            | K::ClassMapping
            | K::ClassCommon
            | K::ClassPermissionSet
            | K::Common
            | K::TypeAliasActual
            | K::SensitivityAliasActual
            | K::CategoryAliasActual
            | K::CategoryOrder
            | K::Mls
    )
}

impl World<'_> {
    /// Declares everything that is not left out, and lists what is to be lowered. What was declared before is forgotten.
    pub(crate) fn declare_all(&mut self) -> Gathered {
        self.decls.clear();
        self.local.clear();
        self.global = vec![Vec::new(); Space::COUNT];
        for (word, kind) in [
            (Keyword::Self_, DeclKind::SelfType),
            (Keyword::NotSelf, DeclKind::NotSelf),
            (Keyword::Other, DeclKind::Other),
        ] {
            self.add_decl(0, Space::Types, word.symbol(), kind, Span::NOWHERE, (ROOT, 0));
        }
        let mut gathered = Gathered::default();
        self.gather(ROOT, &mut gathered);
        self.update_dotted();
        gathered
    }

    fn gather(&mut self, id: ContainerId, into: &mut Gathered) {
        let container = self.container(id);
        let dead = container.disabled || container.is_abstract;
        if dead || matches!(container.kind, Kind::Macro | Kind::In) {
            return;
        }
        match container.kind {
            Kind::BooleanIf => {
                into.runs.push(Run { container: id, start: 0, end: 0 });
                return self.gather_calls(id, into);
            }
            Kind::Call => into.calls.push(id),
            _ => {}
        }
        let mut start = None;
        for at in 0..self.container(id).items.len() {
            let item = self.container(id).items[at];
            let place = u32::try_from(at).unwrap_or(u32::MAX);
            if let Some(index) = item.as_statement() {
                start.get_or_insert(place);
                self.gather_statement(id, index, into);
                continue;
            }
            if let Some(start) = start.take() {
                into.runs.push(Run { container: id, start, end: place });
            }
            if let Some(child) = item.as_child() {
                self.gather(child, into);
            }
        }
        if let Some(start) = start {
            let end = u32::try_from(self.container(id).items.len()).unwrap_or(u32::MAX);
            into.runs.push(Run { container: id, start, end });
        }
    }

    fn gather_calls(&self, id: ContainerId, into: &mut Gathered) {
        for child in self.container(id).items.iter().copied().filter_map(Item::as_child) {
            if self.container(child).kind == Kind::Call {
                into.calls.push(child);
            }
            self.gather_calls(child, into);
        }
    }

    fn gather_statement(&mut self, id: ContainerId, index: u32, into: &mut Gathered) {
        let statement = self.element(id, index);
        let mut parts = statement.children();
        let Some(keyword) = parts.next().and_then(Element::word).and_then(Keyword::of) else {
            return;
        };
        // Most statements are rules.
        if (keyword as u8) < Keyword::Type as u8 {
            return;
        }
        if is_early(keyword) {
            into.early.push((id, index, keyword));
        }
        if let Some((space, kind)) = declares(keyword) {
            let space = match (kind, self.options.preserve_tunables) {
                (DeclKind::Tunable, true) => Space::Booleans,
                (DeclKind::Tunable, false) => return,
                _ => space,
            };
            self.declare(id, statement, keyword, space, kind);
        }
    }

    /// Declares a tunable, which is asked for before anything else is declared.
    pub(crate) fn declare_tunables(&mut self) {
        self.global = vec![Vec::new(); Space::COUNT];
        for id in 0..self.containers.len() {
            let id = ContainerId::try_from(id).unwrap_or(NONE);
            for at in 0..self.container(id).items.len() {
                let Some(index) = self.container(id).items[at].as_statement() else { continue };
                let statement = self.element(id, index);
                let word = statement.children().next().and_then(Element::word);
                if word == Some(Keyword::Tunable.symbol()) {
                    let (space, kind) = (Space::Tunables, DeclKind::Tunable);
                    self.declare(id, statement, Keyword::Tunable, space, kind);
                }
            }
        }
    }

    fn declare(
        &mut self,
        id: ContainerId,
        statement: Element<'_>,
        keyword: Keyword,
        space: Space,
        kind: DeclKind,
    ) {
        let Some(element) = statement.children().nth(1).filter(|it| !it.is_list()) else {
            let span = self.span(id, statement);
            return self.shape(span, keyword, "the name is missing");
        };
        let Some(name) = element.word() else { return };
        let span = self.span(id, element);
        if !self.check_name(name, span, Some(kind)) {
            return;
        }
        if self.shadows(id, kind, name, span) {
            return;
        }
        let scope = self.container(id).scope;
        self.add_decl(scope, space, name, kind, span, (id, statement.index()));
    }

    /// Is it the name of a parameter of the same kind?
    fn shadows(&mut self, id: ContainerId, kind: DeclKind, name: Symbol, span: Span) -> bool {
        let container = self.container(id);
        if container.kind != Kind::Call {
            return false;
        }
        let parameters = self.parameters.get(&container.definition).into_iter().flatten();
        let same = parameters.into_iter().any(|it| it.1 == kind && it.2 == name);
        if same {
            self.shadowed(kind, name, span);
        }
        same
    }

    /// Tells of a declaration by the name of a parameter.
    pub(crate) fn shadowed(&mut self, kind: DeclKind, name: Symbol, span: Span) {
        let (what, text) = (kind.words(), self.text(name));
        let message = format!("{what} `{text}` has the name of a parameter of its macro");
        self.report.add(Diagnostic::error(Code::Redeclared, span, message));
    }

    fn add_decl(
        &mut self,
        scope: ScopeId,
        space: Space,
        name: Symbol,
        kind: DeclKind,
        span: Span,
        (container, node): (ContainerId, u32),
    ) {
        let before = match scope {
            0 => self.find_global(space, name),
            _ => self.local.get(&(scope, space, name)).copied(),
        };
        if let Some(before) = before {
            let was = self.decls[before as usize];
            return self.declared_twice((was.kind, was.span), name, kind, span);
        }
        let flat = self.flat(scope, name, span);
        let actual = DeclId::try_from(self.decls.len()).unwrap_or(0);
        self.decls.push(Decl { kind, flat, span, container, node, actual });
        if scope == 0 {
            let table = &mut self.global[space as usize];
            if table.len() <= name.index() {
                table.resize(self.names.len().max(name.index() + 1), 0);
            }
            table[name.index()] = actual + 1;
        } else {
            self.local.insert((scope, space, name), actual);
        }
    }

    /// Tells of a second declaration, unless it is the first one, or several may be.
    pub(crate) fn declared_twice(
        &mut self,
        (was, there): (DeclKind, Span),
        name: Symbol,
        kind: DeclKind,
        span: Span,
    ) {
        use DeclKind as D;
        let may_be_several = matches!(kind, D::Type | D::TypeAttribute | D::Role) && was == kind;
        if may_be_several && self.options.multiple_decls || there == span {
            return;
        }
        let text = self.text(name);
        let (is, old) = (kind.words(), was.words());
        let message = if is == old {
            format!("{is} `{text}` is declared twice")
        } else {
            format!("`{text}` is declared as {is}, but is already a {old}")
        };
        let mut error = Diagnostic::error(Code::Redeclared, span, message)
            .label("declared again")
            .and(there, "first declared here");
        if may_be_several {
            error = error.help("-m (multiple declarations) takes several declarations as one");
        }
        self.report.add(error);
    }

    /// Finds what the arguments of calls are.
    pub(crate) fn bind_arguments(&mut self, calls: &[ContainerId]) {
        for &id in calls {
            let Some(mut bindings) = self.bindings.remove(&id) else { continue };
            let parent = self.container(id).parent;
            let home = self.container(id).home;
            let statement = self.trees[home as usize].element(self.container(id).node);
            let arguments = statement.children().nth(2).into_iter().flat_map(Element::children);
            for (binding, argument) in bindings.iter_mut().zip(arguments) {
                let Some(word) = argument.word() else { continue };
                binding.found = match binding.found {
                    Some(Found::Text(_)) => match self.find(parent, Space::Strings, word) {
                        // A parameter of the macro around the call, handed on.
                        Some(found @ Found::Text(_)) => Some(found),
                        _ => Some(Found::Text(word)),
                    },
                    Some(found @ Found::Anonymous(..)) => Some(found),
                    _ => {
                        let found = self.find_outside(id, binding.space, word);
                        if found.is_none() {
                            let span = self.span(parent, argument);
                            self.unknown_argument(id, binding, word, span);
                        }
                        found
                    }
                };
            }
            self.bindings.insert(id, bindings);
        }
    }

    /// What an argument means where the call stands: nothing that the call itself declares, and not `self`.
    fn find_outside(&mut self, call: ContainerId, space: Space, name: Symbol) -> Option<Found> {
        let parent = self.container(call).parent;
        let found = self.find(parent, space, name);
        let Some(Found::Declared(decl)) = found else { return found };
        let datum = self.decls[decl as usize];
        if matches!(datum.kind, DeclKind::SelfType | DeclKind::NotSelf | DeclKind::Other) {
            return None;
        }
        let mut at = datum.container;
        while at != call {
            if at == NONE {
                return found;
            }
            at = self.container(at).parent;
        }
        let scope = self.container(datum.container).scope;
        if scope == 0 {
            let slot = &mut self.global[space as usize][name.index()];
            let own = std::mem::take(slot);
            let found = self.find(parent, space, name);
            self.global[space as usize][name.index()] = own;
            return found;
        }
        self.local.remove(&(scope, space, name));
        let found = self.find(parent, space, name);
        self.local.insert((scope, space, name), decl);
        found
    }

    fn unknown_argument(&mut self, call: ContainerId, binding: &Binding, name: Symbol, span: Span) {
        let container = self.container(call);
        let (parent, definition) = (container.parent, container.definition);
        let parameters = self.parameters.get(&definition).into_iter().flatten();
        let kind = parameters.into_iter().find(|it| it.2 == binding.parameter);
        let kind = kind.map_or("", |it| it.1.words());
        let text = self.text(binding.parameter);
        let label = format!("its parameter `{text}` takes the name of a {kind}");
        let there = self.own_span(definition);
        let optional = self.container(parent).optional;
        if optional == NONE {
            let error = self.unknown(binding.space, name, span, self.report.len());
            self.report.add(error.and(there, label));
        } else {
            self.containers[optional as usize].disabled = true;
        }
    }

    /// What to tell of a name that stands for nothing.
    pub(crate) fn unknown(
        &self,
        space: Space,
        name: Symbol,
        span: Span,
        told: usize,
    ) -> Diagnostic {
        let (what, code) = space.wanted();
        let text = self.text(name);
        let mut error = Diagnostic::error(code, span, format!("there is no {what} `{text}`"));
        if told > NEAR_MISSES {
            return error;
        }
        let last = text.rsplit('.').next().unwrap_or(text);
        let table = self.global.get(space as usize).into_iter().flatten();
        let global = table.filter_map(|it| it.checked_sub(1));
        let local = self.local.iter().filter(|it| it.0.1 == space).map(|it| *it.1);
        let mut known: Vec<&str> =
            global.chain(local).map(|it| self.text(self.decls[it as usize].flat)).collect();
        known.sort_unstable();
        let elsewhere = |it: &&&str| it.rsplit_once('.').is_some_and(|it| it.1 == last);
        let within: Vec<String> =
            known.iter().filter(elsewhere).take(3).map(|it| format!("`{it}`")).collect();
        if within.is_empty() {
            error.help.extend(near::did_you_mean(text, known));
        } else {
            error = error.help(format!("in another block there is {}", within.join(", ")));
        }
        error
    }

    /// The declaration behind an alias.
    pub(crate) fn actual(&self, decl: DeclId) -> DeclId {
        self.decls[decl as usize].actual
    }

    pub(crate) fn decl(&self, decl: DeclId) -> &Decl {
        &self.decls[decl as usize]
    }
}
