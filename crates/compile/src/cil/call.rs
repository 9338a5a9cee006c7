//! Calls of macros, and what their arguments are before names are declared.

use super::declare::{Binding_, Space};
use super::expand::Spent;
use super::world::{ContainerId, Found, Item, Kind, NONE, World};
use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;

/// Calls nest no deeper.
const DEEPEST_CALL: usize = 256;

impl World<'_> {
    pub(super) fn call_macros(&mut self) -> Result<(), Spent> {
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
