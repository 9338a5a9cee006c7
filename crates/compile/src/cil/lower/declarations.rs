//! Declarations, defaults, orders, and what is said of types alone.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    ContextPart, DefaultRangeForm, DefaultSource, Ident, Idents, RangePart, StatementKind,
};

use super::{Lowerer, Res};
use crate::cil::declare::{DeclId, DeclKind, Space, declares};
use crate::cil::world::Found;

impl<'t> Lowerer<'_, 't> {
    pub(super) fn declaration(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        use Keyword as K;
        match keyword {
            K::Type | K::TypeAttribute | K::Role | K::RoleAttribute => {
                let [name] = self.parts(statement, keyword)?;
                let Some(ident) = self.own(statement, keyword, name)? else { return Ok(()) };
                if matches!(keyword, K::TypeAttribute | K::RoleAttribute)
                    && self.is_gen_require(ident.name)
                {
                    return Ok(());
                }
                let none = Idents::default();
                let kind = match keyword {
                    K::Type => StatementKind::Type { name: ident, aliases: none, attributes: none },
                    K::TypeAttribute => StatementKind::Attribute(ident),
                    K::RoleAttribute => StatementKind::RoleAttribute(ident),
                    _ => StatementKind::Role { name: ident, types: None, attributes: none },
                };
                self.push(statement, kind);
            }
            K::Boolean | K::Tunable => {
                let [name, value] = self.parts(statement, keyword)?;
                let value = self.one_of(value, &[K::True, K::False])? == K::True;
                if keyword == K::Tunable && !self.world.options.preserve_tunables {
                    return Ok(());
                }
                if let Some(name) = self.own(statement, keyword, name)? {
                    self.push(statement, StatementKind::Boolean { name, value, tunable: false });
                }
            }
            K::TypeAliasActual => {
                let [alias, actual] = self.parts(statement, keyword)?;
                let name = self.plain_type(actual)?;
                // The alias itself, not what it stands for.
                if let Found::Declared(decl) = self.find(alias, Space::Types)? {
                    let alias = self.ident(decl, alias);
                    let aliases = self.idents([alias]);
                    self.push(statement, StatementKind::TypeAlias { name, aliases });
                }
            }
            K::TypeBounds => {
                let [parent, child] = self.parts(statement, keyword)?;
                let (parent, child) = (self.plain_type(parent)?, self.plain_type(child)?);
                self.bounded_once(Space::Types, parent, child)?;
                let children = self.idents([child]);
                self.push(statement, StatementKind::TypeBounds { parent, children });
            }
            K::TypePermissive | K::TypeNeverAudit => {
                let [name] = self.parts(statement, keyword)?;
                let name = self.plain_type(name)?;
                let kind = match keyword {
                    K::TypePermissive => StatementKind::Permissive(name),
                    _ => StatementKind::NeverAudit(name),
                };
                self.push(statement, kind);
            }
            K::ExpandTypeAttribute => self.expand_attribute(statement)?,
            K::DefaultUser | K::DefaultRole | K::DefaultType => self.default(statement, keyword)?,
            K::DefaultRange => self.default_range(statement)?,
            K::PolicyCap => {
                let [name] = self.parts(statement, keyword)?;
                let name = Ident { name: self.word(name)?, span: self.span(name) };
                self.push(statement, StatementKind::PolicyCapability(name));
            }
            K::HandleUnknown => {
                let [value] = self.parts(statement, keyword)?;
                let value = self.one_of(value, &[K::Allow, K::Deny, K::Reject])?;
                let span = self.span(statement);
                if let Some((_, before)) = self.policy.handle_unknown {
                    let message = "a second `handleunknown` statement";
                    let error = Diagnostic::error(Code::CilConflict, span, message);
                    return Err(self.tell(error.and(before, "the first one")));
                }
                self.policy.handle_unknown = Some((value, span));
            }
            K::PermissionX => {
                let [_, body] = self.parts(statement, keyword)?;
                self.permission_x(body)?;
            }
            K::Level => {
                let [_, body] = self.parts(statement, keyword)?;
                self.level(body)?;
            }
            K::LevelRange => {
                let [_, body] = self.parts(statement, keyword)?;
                if let Some(range) = self.range(body)? {
                    self.policy.ranges.push(range);
                }
            }
            K::CategorySet => {
                let [_, body] = self.parts(statement, keyword)?;
                if body.is_list() && body.children().is_empty() {
                    return Err(self.misshapen(statement, keyword, "the set is empty"));
                }
                self.categories(body)?;
            }
            K::ClassPermissionSet => {
                let [_, body] = self.parts(statement, keyword)?;
                self.class_permissions(body)?;
            }
            K::ClassMapping => {
                let [_, _, body] = self.parts(statement, keyword)?;
                self.class_permissions(body)?;
            }
            // What is wrong with the others was told when they were declared.
            _ => {
                if declares(keyword).is_some_and(|it| it.1 != DeclKind::Class) {
                    self.only_name(statement, keyword)?;
                }
            }
        }
        Ok(())
    }

    /// Nothing is bounded twice, not even by the same.
    pub(super) fn bounded_once(&mut self, space: Space, parent: Ident, child: Ident) -> Res {
        let bounded = &mut self.policy.bounded;
        let before = bounded.insert((space, child.name), (parent, child));
        let Some((_, before)) = before else {
            let (mut at, mut steps) = (parent, 0);
            while let Some(&(above, _)) = bounded.get(&(space, at.name)) {
                if at.name == child.name || steps > bounded.len() {
                    break;
                }
                (at, steps) = (above, steps + 1);
            }
            if at.name != child.name {
                return Ok(());
            }
            let message = format!("`{}` bounds itself", self.world.text(child.name));
            return Err(self.tell(Diagnostic::error(Code::CilRecursion, child.span, message)));
        };
        let message = format!("`{}` is bounded twice", self.world.text(child.name));
        let error = Diagnostic::error(Code::CilConflict, child.span, message);
        Err(self.tell(error.and(before.span, "the other statement")))
    }

    fn only_name(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        use Keyword as K;
        if matches!(keyword, K::ClassMap | K::Common | K::IpAddr | K::Context) {
            return Ok(());
        }
        self.parts::<1>(statement, keyword).map(|_| ())
    }

    /// The name that a statement declares; nothing where another declares it.
    fn own(
        &mut self,
        statement: Element<'t>,
        keyword: Keyword,
        name: Element<'t>,
    ) -> Res<Option<Ident>> {
        let Some((space, _)) = declares(keyword) else { return Ok(None) };
        let space = if space == Space::Tunables { Space::Booleans } else { space };
        let word = self.word(name)?;
        let Some(decl) = self.own_decl(space, word) else { return Ok(None) };
        let datum = self.world.decl(decl);
        let own = (datum.container, datum.node) == (self.base, statement.index());
        Ok(own.then(|| self.ident(decl, name)))
    }

    /// What the scope of the statement declares by this name.
    fn own_decl(&self, space: Space, name: mandate_syntax::names::Symbol) -> Option<DeclId> {
        match self.world.container(self.base).scope {
            0 => self.world.find_global(space, name),
            scope => self.world.local.get(&(scope, space, name)).copied(),
        }
    }

    /// One element, or those of a list.
    fn one_or_more(element: Element<'t>) -> Vec<Element<'t>> {
        if element.is_list() { element.children().collect() } else { vec![element] }
    }

    fn expand_attribute(&mut self, statement: Element<'t>) -> Res {
        let [names, value] = self.parts(statement, Keyword::ExpandTypeAttribute)?;
        let expand = self.one_of(value, &[Keyword::True, Keyword::False])? == Keyword::True;
        let mut idents = Vec::new();
        for element in Self::one_or_more(names) {
            let decl = self.declared_as(element, Space::Types, &[DeclKind::TypeAttribute])?;
            let ident = self.ident(decl, element);
            if !self.is_gen_require(ident.name) {
                idents.push(ident);
            }
        }
        let names = self.idents(idents);
        self.push(statement, StatementKind::ExpandAttribute { names, expand });
        Ok(())
    }

    fn class_list(&mut self, element: Element<'t>) -> Res<Vec<Ident>> {
        let mut all = Vec::new();
        for class in Self::one_or_more(element) {
            for ident in self.classes(class)? {
                if !all.iter().any(|it: &Ident| it.name == ident.name) {
                    all.push(ident);
                }
            }
        }
        Ok(all)
    }

    fn default(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        let [classes, from] = self.parts(statement, keyword)?;
        let classes = self.class_list(classes)?;
        let from = self.default_source(from)?;
        let part = match keyword {
            Keyword::DefaultUser => ContextPart::User,
            Keyword::DefaultRole => ContextPart::Role,
            _ => ContextPart::Type,
        };
        let classes = self.idents(classes);
        self.push(statement, StatementKind::Default { part, classes, from });
        Ok(())
    }

    fn default_source(&mut self, element: Element<'t>) -> Res<DefaultSource> {
        let word = self.one_of(element, &[Keyword::Source, Keyword::Target])?;
        Ok(if word == Keyword::Source { DefaultSource::Source } else { DefaultSource::Target })
    }

    fn default_range(&mut self, statement: Element<'t>) -> Res {
        use Keyword as K;
        let second = statement.children().nth(2).and_then(Element::word);
        let glblub = second == Some(K::Glblub.symbol());
        let (classes, form) = if glblub {
            // A part that follows says nothing.
            if statement.children().count() == 4 {
                let [classes, _, _] = self.parts(statement, K::DefaultRange)?;
                (classes, DefaultRangeForm::Glblub)
            } else {
                let [classes, _] = self.parts(statement, K::DefaultRange)?;
                (classes, DefaultRangeForm::Glblub)
            }
        } else {
            let [classes, from, part] = self.parts(statement, K::DefaultRange)?;
            let from = self.default_source(from)?;
            let part = match self.one_of(part, &[K::Low, K::High, K::LowHigh])? {
                K::Low => RangePart::Low,
                K::High => RangePart::High,
                _ => RangePart::LowHigh,
            };
            (classes, DefaultRangeForm::From(from, part))
        };
        let classes = self.class_list(classes)?;
        let classes = self.idents(classes);
        self.push(statement, StatementKind::DefaultRange { classes, form });
        Ok(())
    }

    /// `classorder` and its kin.
    pub(super) fn order(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        use Keyword as K;
        let [list] = self.parts(statement, keyword)?;
        let (space, kind) = match keyword {
            K::ClassOrder => (Space::Classes, DeclKind::Class),
            K::SidOrder => (Space::Sids, DeclKind::Sid),
            K::CategoryOrder => (Space::Categories, DeclKind::Category),
            _ => (Space::Sensitivities, DeclKind::Sensitivity),
        };
        let mut names = Vec::new();
        let mut elements = list.children().peekable();
        let is_unordered =
            |it: &Element<'_>| keyword == K::ClassOrder && it.word() == Some(K::Unordered.symbol());
        let unordered = elements.next_if(is_unordered).is_some();
        for element in elements {
            let decl = self.declared_as(element, space, &[kind])?;
            names.push(self.ident(decl, element));
        }
        if names.is_empty() {
            return Err(self.misshapen(statement, keyword, "the list is empty"));
        }
        let span = self.span(statement);
        self.policy.orders.push((keyword, unordered, names, span));
        Ok(())
    }
}
