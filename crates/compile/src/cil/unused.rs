//! Declarations in what is not lowered, such as macros that nobody calls: they have to be right all the same.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::{ExpansionId, Span};
use rustc_hash::FxHashMap;

use super::declare::{DeclKind, Space, declares};
use super::world::{ContainerId, Kind, ScopeId, World};

/// By scope and name what was declared, and where.
type Seen = FxHashMap<(ScopeId, Space, Symbol), (DeclKind, Span)>;

impl World<'_> {
    /// Tells what is declared twice in these containers, and what has the name of a parameter of its macro.
    pub(crate) fn check_declarations(&mut self, unused: &[ContainerId]) {
        let mut seen = Seen::default();
        for &id in unused {
            // What was copied is told where it was copied from.
            if self.container(id).expansion != ExpansionId(0) {
                continue;
            }
            for at in 0..self.container(id).items.len() {
                if let Some(index) = self.container(id).items[at].as_statement() {
                    self.check_declaration(id, self.element(id, index), &mut seen);
                }
            }
        }
    }

    fn check_declaration(&mut self, id: ContainerId, statement: Element<'_>, seen: &mut Seen) {
        let mut parts = statement.children();
        let word = parts.next().and_then(Element::word).and_then(Keyword::of);
        let Some((space, kind)) = word.and_then(declares) else { return };
        let Some((element, name)) = parts.next().and_then(|it| Some((it, it.word()?))) else {
            return;
        };
        let span = self.span(id, element);
        if self.is_parameter(id, kind, name) {
            return self.shadowed(kind, name, span);
        }
        let was = *seen.entry((self.container(id).scope, space, name)).or_insert((kind, span));
        self.declared_twice(was, name, kind, span);
    }

    /// Has the macro around this container a parameter of this kind and name?
    fn is_parameter(&self, mut id: ContainerId, kind: DeclKind, name: Symbol) -> bool {
        while !matches!(self.container(id).kind, Kind::Macro | Kind::File | Kind::Root) {
            id = self.container(id).parent;
        }
        let parameters = self.parameters.get(&id).into_iter().flatten();
        parameters.into_iter().any(|it| it.1 == kind && it.2 == name)
    }
}
