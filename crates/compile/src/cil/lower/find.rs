//! Names, words and numbers in statements: what they stand for, and what is told where they stand for nothing.

use super::{Lowerer, MOST_STEPS, Res, Stop};
use crate::cil::declare::{DeclId, DeclKind, Space};
use crate::cil::world::{ContainerId, Found, NONE};
use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::Ident;
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;

impl<'t> Lowerer<'_, 't> {
    /// Where an element stands in the container whose names are looked at.
    pub(super) fn span(&self, element: Element<'_>) -> Span {
        self.world.span(self.at, element)
    }

    /// Tells a finding, unless only names are looked for.
    pub(super) fn tell(&mut self, it: Diagnostic) -> Stop {
        if !self.checking {
            self.report.add(it);
        }
        Stop
    }

    /// A finding about the statement's shape.
    pub(super) fn misshapen(
        &mut self,
        element: Element<'_>,
        keyword: Keyword,
        message: &str,
    ) -> Stop {
        let message = format!("`{}`: {message}", keyword.text());
        let error = Diagnostic::error(Code::CilShape, self.span(element), message);
        let error = error.help(format!("write {}", keyword.shape()));
        if self.shapes {
            self.report.add(error);
            return Stop;
        }
        self.tell(error)
    }

    /// The elements behind the first word, which are as many.
    pub(super) fn parts<const N: usize>(
        &mut self,
        statement: Element<'t>,
        keyword: Keyword,
    ) -> Res<[Element<'t>; N]> {
        let mut parts = [statement; N];
        let mut count = 0;
        for part in statement.children().skip(1) {
            if let Some(slot) = parts.get_mut(count) {
                *slot = part;
            }
            count += 1;
        }
        if count == N { Ok(parts) } else { Err(self.wrong_count(statement, keyword, count, N)) }
    }

    pub(super) fn wrong_count(
        &mut self,
        statement: Element<'_>,
        keyword: Keyword,
        count: usize,
        wanted: usize,
    ) -> Stop {
        let few = if count < wanted { "parts are missing" } else { "there are too many parts" };
        self.misshapen(statement, keyword, few)
    }

    /// A word; nothing of a list.
    pub(super) fn word(&mut self, element: Element<'t>) -> Res<Symbol> {
        match element.word() {
            Some(word) => Ok(word),
            None => {
                let message = "a name stands here, not a list";
                let span = self.span(element);
                Err(self.tell(Diagnostic::error(Code::CilShape, span, message)))
            }
        }
    }

    /// One of the words that may stand here.
    pub(super) fn one_of(&mut self, element: Element<'t>, words: &[Keyword]) -> Res<Keyword> {
        let found = element.word().and_then(Keyword::of).filter(|it| words.contains(it));
        found.ok_or_else(|| {
            let known: Vec<String> = words.iter().map(|it| format!("`{}`", it.text())).collect();
            let what = match element.word() {
                Some(word) => format!("`{}`", self.world.text(word)),
                None => "a list".to_owned(),
            };
            let message = format!("{what} stands where one of {} is expected", known.join(", "));
            let span = self.span(element);
            self.tell(Diagnostic::error(Code::CilBadWord, span, message))
        })
    }

    /// What a name stands for; that it is unknown was told, or leaves the optional out.
    pub(super) fn find(&mut self, element: Element<'t>, space: Space) -> Res<Found> {
        let Some(name) = element.word() else { return Err(self.not_a_list(element, space)) };
        match self.world.find(self.at, space, name) {
            // That an argument is missing was told.
            Some(Found::Missing) => Err(Stop),
            Some(found) => Ok(found),
            None => Err(self.unknown(space, name, element)),
        }
    }

    pub(super) fn not_a_list(&mut self, element: Element<'_>, space: Space) -> Stop {
        let span = self.span(element);
        let error = Diagnostic::error(Code::CilShape, span, "a name stands here, not a list");
        let attribute = match space {
            Space::Types => Some("typeattribute"),
            Space::Roles => Some("roleattribute"),
            Space::Users => Some("userattribute"),
            _ => None,
        };
        let help = attribute.map(|it| {
            format!("for several, declare a `{it}`, fill it by `{it}set` and name it here")
        });
        self.tell(match help {
            Some(help) => error.help(help),
            None => error,
        })
    }

    pub(super) fn unknown(&mut self, space: Space, name: Symbol, element: Element<'_>) -> Stop {
        self.unresolved = true;
        if self.world.container(self.base).optional == NONE && !self.checking {
            let error = self.world.unknown(space, name, self.span(element), self.report.len());
            self.report.add(error);
        }
        Stop
    }

    /// The declaration behind a name, aliases seen through.
    pub(super) fn declared(&mut self, element: Element<'t>, space: Space) -> Res<DeclId> {
        match self.find(element, space)? {
            Found::Declared(decl) => Ok(self.world.actual(decl)),
            _ => {
                let span = self.span(element);
                let message = "something without a name is given where a name is needed";
                Err(self.tell(Diagnostic::error(Code::WrongKind, span, message)))
            }
        }
    }

    /// A declaration of one of these kinds.
    pub(super) fn declared_as(
        &mut self,
        element: Element<'t>,
        space: Space,
        kinds: &[DeclKind],
    ) -> Res<DeclId> {
        let decl = self.declared(element, space)?;
        if kinds.contains(&self.world.decl(decl).kind) {
            return Ok(decl);
        }
        Err(self.wrong_kind(decl, element, kinds))
    }

    pub(super) fn wrong_kind(
        &mut self,
        decl: DeclId,
        element: Element<'_>,
        kinds: &[DeclKind],
    ) -> Stop {
        let decl = self.world.decl(decl);
        if decl.kind.is_alias() {
            // One that stands for nothing, or itself: it was told.
            return Stop;
        }
        if matches!(decl.kind, DeclKind::SelfType | DeclKind::NotSelf | DeclKind::Other) {
            let text = self.world.text(decl.flat);
            let message = format!("`{text}` can only be the target of a rule");
            let span = self.span(element);
            return self.tell(Diagnostic::error(Code::WrongKind, span, message));
        }
        let wanted: Vec<&str> = kinds.iter().map(|it| it.words()).collect();
        let text = self.world.text(decl.flat);
        let wanted = wanted.join(" or ");
        let message = format!("`{text}` is a {}, not a {wanted}", decl.kind.words());
        let span = self.span(element);
        let error = Diagnostic::error(Code::WrongKind, span, message)
            .label(format!("a {wanted} is needed here"));
        let error =
            if decl.span == Span::NOWHERE { error } else { error.and(decl.span, "declared here") };
        self.tell(error)
    }

    /// A name in the policy, as it is used here.
    pub(super) fn ident(&self, decl: DeclId, element: Element<'_>) -> Ident {
        Ident { name: self.world.decl(decl).flat, span: self.span(element) }
    }

    /// A type, not an attribute.
    pub(super) fn plain_type(&mut self, element: Element<'t>) -> Res<Ident> {
        let decl = self.declared_as(element, Space::Types, &[DeclKind::Type])?;
        Ok(self.ident(decl, element))
    }

    /// A type or attribute.
    pub(super) fn type_or_attribute(&mut self, element: Element<'t>) -> Res<DeclId> {
        let kinds = &[DeclKind::Type, DeclKind::TypeAttribute];
        self.declared_as(element, Space::Types, kinds)
    }

    /// The body of something that has a name or is written in place: the container whose names it uses, and the element.
    pub(super) fn located(
        &mut self,
        element: Element<'t>,
        space: Space,
    ) -> Res<(ContainerId, Element<'t>)> {
        if element.is_list() {
            return Ok((self.at, element));
        }
        match self.find(element, space)? {
            Found::Anonymous(container, index) => {
                Ok((container, self.world.element(container, index)))
            }
            Found::Declared(decl) => {
                let decl = self.world.decl(decl);
                let statement = self.world.element(decl.container, decl.node);
                match statement.children().nth(2) {
                    Some(body) => Ok((decl.container, body)),
                    // Its own statement is told.
                    None => Err(Stop),
                }
            }
            Found::Text(_) | Found::Missing => Err(Stop),
        }
    }

    /// Does something with the names of another container.
    pub(super) fn within<T>(
        &mut self,
        container: ContainerId,
        action: impl FnOnce(&mut Self) -> Res<T>,
    ) -> Res<T> {
        let at = std::mem::replace(&mut self.at, container);
        let result = action(self);
        self.at = at;
        result
    }

    /// Takes a step through sets within sets.
    pub(super) fn step(&mut self, element: Element<'_>) -> Res {
        self.steps += 1;
        if self.steps <= MOST_STEPS {
            return Ok(());
        }
        let message = "sets within sets multiply beyond the budget";
        let span = self.span(element);
        Err(self.tell(Diagnostic::error(Code::CilBudget, span, message)))
    }

    /// A string, which may be a parameter of the macro.
    pub(super) fn text(&mut self, element: Element<'t>) -> Res<Symbol> {
        let word = self.word(element)?;
        if self.world.container(self.at).plain {
            return Ok(word);
        }
        match self.world.find(self.at, Space::Strings, word) {
            Some(Found::Text(text)) => Ok(text),
            _ => Ok(word),
        }
    }

    /// A number in decimal notation.
    pub(super) fn decimal(&mut self, element: Element<'t>) -> Res<u64> {
        let word = self.text(element)?;
        let text = self.world.text(word);
        if text.bytes().all(|it| it.is_ascii_digit())
            && let Ok(number) = text.parse()
        {
            return Ok(number);
        }
        let message = format!("`{text}` is no decimal number");
        let span = self.span(element);
        Err(self.tell(Diagnostic::error(Code::BadNumber, span, message)))
    }

    /// A number in C's notation.
    pub(super) fn number(&mut self, element: Element<'t>) -> Res<u64> {
        let word = self.text(element)?;
        let text = self.world.text(word);
        let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u64::from_str_radix(digits, 16),
            None if text.len() > 1 && text.starts_with('0') => u64::from_str_radix(text, 8),
            None => text.parse(),
        };
        parsed.map_err(|_| {
            let message = format!("`{text}` is no number");
            let span = self.span(element);
            self.tell(Diagnostic::error(Code::BadNumber, span, message))
        })
    }
}
