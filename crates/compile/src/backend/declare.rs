//! What is declared, where, and in which of the languages' name spaces.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, RequireKind, StatementKind};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;

use super::report::Report;
use super::tree::{BlockId, Tree, small};

/// A name space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Space {
    /// Types, attributes and aliases.
    Types,
    /// Roles and role attributes.
    Roles,
    Users,
    /// Booleans and tunables.
    Booleans,
    Classes,
    Commons,
    Sensitivities,
    Categories,
    InitialSids,
}

impl Space {
    pub(crate) const ALL: [Self; 9] = [
        Self::Types,
        Self::Roles,
        Self::Users,
        Self::Booleans,
        Self::Classes,
        Self::Commons,
        Self::Sensitivities,
        Self::Categories,
        Self::InitialSids,
    ];

    /// Where names of this kind are looked for.
    pub(crate) fn of(kind: RequireKind) -> Self {
        match kind {
            RequireKind::Class => Self::Classes,
            RequireKind::Role | RequireKind::RoleAttribute => Self::Roles,
            RequireKind::Type | RequireKind::Attribute => Self::Types,
            RequireKind::User => Self::Users,
            RequireKind::Boolean | RequireKind::Tunable => Self::Booleans,
            RequireKind::Sensitivity => Self::Sensitivities,
            RequireKind::Category => Self::Categories,
        }
    }
}

/// What a declaration declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Type,
    Attribute,
    /// Of a type, sensitivity or category.
    Alias(Symbol),
    Role,
    RoleAttribute,
    User,
    Boolean {
        state: bool,
    },
    Tunable {
        state: bool,
    },
    Class,
    Common,
    Sensitivity,
    Category,
    InitialSid,
}

impl Kind {
    /// With its article.
    pub(crate) fn words(self, space: Space) -> &'static str {
        match self {
            Self::Type => "a type",
            Self::Attribute => "a type attribute",
            Self::Alias(_) => match space {
                Space::Sensitivities => "an alias of a sensitivity",
                Space::Categories => "an alias of a category",
                _ => "an alias of a type",
            },
            Self::Role => "a role",
            Self::RoleAttribute => "a role attribute",
            Self::User => "a user",
            Self::Boolean { .. } => "a boolean",
            Self::Tunable { .. } => "a tunable",
            Self::Class => "a class",
            Self::Common => "a common",
            Self::Sensitivity => "a sensitivity",
            Self::Category => "a category",
            Self::InitialSid => "an initial SID",
        }
    }
}

/// A declaration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declaration {
    pub(crate) name: Symbol,
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) block: BlockId,
    /// What follows the name in its line: the Reference Policy sorts lines.
    pub(crate) terminator: u8,
    /// The same name's next declaration: index + 1. Roles and users alone may have several.
    next: u32,
}

/// The declarations of a name space.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    pub(crate) list: Vec<Declaration>,
    /// By name: index of the first declaration + 1.
    first: Vec<u32>,
}

impl Declarations {
    /// All declarations of `name`.
    pub(crate) fn of(&self, name: Symbol) -> impl Iterator<Item = &Declaration> {
        let mut at = self.first.get(name.index()).copied().unwrap_or(0);
        std::iter::from_fn(move || {
            let found = self.list.get(at.checked_sub(1)? as usize)?;
            at = found.next;
            Some(found)
        })
    }

    /// Adds a declaration; the one before it if there is one.
    fn add(&mut self, declaration: Declaration) -> Option<usize> {
        let slot = &mut self.first[declaration.name.index()];
        let index = small(self.list.len()) + 1;
        let before = (*slot).checked_sub(1).map(|it| it as usize);
        match before {
            None => *slot = index,
            Some(first) => {
                let next = self.list[first].next;
                self.list[first].next = index;
                self.list.push(Declaration { next, ..declaration });
                return before;
            }
        }
        self.list.push(declaration);
        before
    }
}

/// All declarations.
#[derive(Debug)]
pub(crate) struct Declared {
    spaces: [Declarations; Space::ALL.len()],
}

impl Declared {
    pub(crate) fn space(&self, space: Space) -> &Declarations {
        &self.spaces[space as usize]
    }

    /// The first declaration of `name` in this name space.
    pub(crate) fn first(&self, space: Space, name: Symbol) -> Option<&Declaration> {
        self.space(space).of(name).next()
    }

    /// Walks the tree for declarations.
    pub(crate) fn gather(tree: &Tree<'_>, report: &mut Report) -> Self {
        let count = tree.names.len();
        let spaces = Space::ALL.map(|_| Declarations { list: Vec::new(), first: vec![0; count] });
        let mut gatherer = Gatherer { tree, report, declared: Self { spaces }, block: 0 };
        for other in &tree.others {
            gatherer.block = other.block;
            gatherer.statement(&other.statement.kind);
        }
        gatherer.declared
    }
}

struct Gatherer<'a, 'r> {
    tree: &'r Tree<'a>,
    report: &'r mut Report,
    declared: Declared,
    block: BlockId,
}

impl Gatherer<'_, '_> {
    fn statement(&mut self, kind: &StatementKind) {
        use StatementKind as S;
        let list = |aliases, attributes| match (aliases, attributes) {
            (true, _) => b' ',
            (false, true) => b',',
            _ => b';',
        };
        match kind {
            S::Class(name) => self.declare(Space::Classes, *name, Kind::Class, b';'),
            S::InitialSid(name) => self.declare(Space::InitialSids, *name, Kind::InitialSid, b';'),
            S::Common { name, .. } => self.declare(Space::Commons, *name, Kind::Common, b';'),
            S::Attribute(name) => self.declare(Space::Types, *name, Kind::Attribute, b';'),
            S::Type { name, aliases, attributes } => {
                let terminator = list(!aliases.is_empty(), !attributes.is_empty());
                self.declare(Space::Types, *name, Kind::Type, terminator);
                self.aliases(Space::Types, *name, *aliases);
            }
            S::TypeAlias { name, aliases } => self.aliases(Space::Types, *name, *aliases),
            S::Boolean { name, value, tunable } => {
                let state = *value;
                let kind = if *tunable { Kind::Tunable { state } } else { Kind::Boolean { state } };
                self.declare(Space::Booleans, *name, kind, b' ');
            }
            S::Role { name, types: None, attributes } => {
                let terminator = list(false, !attributes.is_empty());
                self.declare(Space::Roles, *name, Kind::Role, terminator);
            }
            S::RoleAttribute(name) => {
                self.declare(Space::Roles, *name, Kind::RoleAttribute, b';');
            }
            S::RoleDominance { name, dominated } => {
                self.declare(Space::Roles, *name, Kind::Role, b';');
                for &ident in self.tree.part(self.block).idents(*dominated) {
                    self.declare(Space::Roles, ident, Kind::Role, b';');
                }
            }
            S::User { name, .. } => self.declare(Space::Users, *name, Kind::User, b' '),
            S::Sensitivity { name, aliases } => {
                self.declare(Space::Sensitivities, *name, Kind::Sensitivity, b';');
                self.aliases(Space::Sensitivities, *name, *aliases);
            }
            S::Category { name, aliases } => {
                self.declare(Space::Categories, *name, Kind::Category, b';');
                self.aliases(Space::Categories, *name, *aliases);
            }
            _ => {}
        }
    }

    fn aliases(&mut self, space: Space, name: Ident, aliases: mandate_syntax::kernel::ast::Idents) {
        let part = self.tree.part(self.block);
        let of = part.name(name);
        for &alias in part.idents(aliases) {
            self.declare(space, alias, Kind::Alias(of), b' ');
        }
    }

    fn declare(&mut self, space: Space, ident: Ident, kind: Kind, terminator: u8) {
        let name = self.tree.part(self.block).name(ident);
        let (span, block) = (ident.span, self.block);
        if name == self.tree.self_name && space == Space::Types {
            let message = "`self` cannot be declared: it stands for the source of a rule";
            self.report.add(Diagnostic::error(Code::BadName, span, message));
            return;
        }
        let declaration = Declaration { name, kind, span, block, terminator, next: 0 };
        let declarations = &mut self.declared.spaces[space as usize];
        let Some(before) = declarations.add(declaration) else { return };
        let before = declarations.list[before];
        let several =
            matches!((before.kind, kind), (Kind::Role, Kind::Role) | (Kind::User, Kind::User));
        if !several {
            self.redeclared(name, space, &before, kind, span);
        }
    }

    fn redeclared(
        &mut self,
        name: Symbol,
        space: Space,
        before: &Declaration,
        kind: Kind,
        span: Span,
    ) {
        let text = self.tree.names.name(name);
        let (was, is) = (before.kind.words(space), kind.words(space));
        self.report.about(name, Code::Redeclared, span, || {
            let message = if was == is {
                format!("`{text}` is declared twice as {is}")
            } else {
                format!("`{text}` is declared as {is}, but is already {was}")
            };
            Diagnostic::error(Code::Redeclared, span, message)
                .label("declared again")
                .and(before.span, "first declared here")
                .help("remove one declaration, or rename one of the two")
        });
    }
}
