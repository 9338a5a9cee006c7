//! From the trees to containers: every file is walked once.

use mandate_syntax::cil::{Children, Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::names::Symbol;

use super::allowed::Around;
use super::declare::{DeclKind, Space};
use super::world::{Container, ContainerId, Item, Kind, NONE, ROOT, ScopeId, World};
use crate::near;

impl World<'_> {
    /// Makes containers of all files.
    pub(crate) fn contain_files(&mut self) {
        for file in 0..self.trees.len() {
            let file = u32::try_from(file).unwrap_or(u32::MAX);
            let statements = self.trees[file as usize].statements();
            let id = self.new_container(Kind::File, ROOT, Keyword::File.symbol(), 0);
            self.containers[id as usize].file = file;
            self.containers[id as usize].home = file;
            self.containers[ROOT as usize].items.push(Item::child(id));
            self.fill(id, statements, Around::default());
        }
    }

    /// A container without items, which stands in the same file as its parent.
    pub(crate) fn new_container(
        &mut self,
        kind: Kind,
        parent: ContainerId,
        name: Symbol,
        node: u32,
    ) -> ContainerId {
        let id = u32::try_from(self.containers.len()).unwrap_or(NONE);
        let around = self.container(parent);
        let (file, expansion, mut scope) = (around.file, around.expansion, around.scope);
        let optional = if kind == Kind::Optional { id } else { around.optional };
        let plain =
            around.plain && !matches!(kind, Kind::Block | Kind::Macro | Kind::Call | Kind::Inherit);
        let around_depth = around.depth;
        if matches!(kind, Kind::Block | Kind::Macro) {
            self.copied += self.scopes[scope as usize].prefix.len();
            let more = format!("{}.", self.text(name));
            scope = self.new_scope(scope, &more, self.own_span(parent));
        }
        self.containers.push(Container {
            kind,
            parent,
            file,
            node,
            home: file,
            name,
            scope,
            expansion,
            optional,
            definition: NONE,
            depth: around_depth + 1,
            plain,
            is_abstract: false,
            disabled: false,
            structural: false,
            items: Vec::new(),
        });
        id
    }

    /// Blocks in it are not known around it yet.
    fn own_scope(&mut self, id: ContainerId) {
        let scope = self.new_scope(self.container(id).scope, "", self.own_span(id));
        self.containers[id as usize].scope = scope;
    }

    fn fill(&mut self, id: ContainerId, statements: Children<'_>, around: Around) {
        let mut items = Vec::new();
        for statement in statements {
            if let Some(item) = self.item(id, statement, around) {
                items.push(item);
            }
        }
        self.containers[id as usize].items.append(&mut items);
    }

    fn item(&mut self, id: ContainerId, statement: Element<'_>, around: Around) -> Option<Item> {
        let mut parts = statement.children();
        let first = parts.next();
        let Some(word) = first.and_then(Element::word) else {
            let at = first.unwrap_or(statement);
            let message = "a statement begins with a word";
            let span = self.span(id, at);
            self.report.add(Diagnostic::error(Code::CilShape, span, message));
            return None;
        };
        let keyword = Keyword::of(word).filter(|it| it.begins_statement());
        let Some(keyword) = keyword else {
            self.unknown_statement(id, statement, word);
            return None;
        };
        if !self.is_allowed(id, statement, keyword, around) {
            return None;
        }
        use Keyword as K;
        let index = statement.index();
        match keyword {
            K::Block | K::Macro | K::Optional => self.named(id, statement, keyword, parts, around),
            K::In => self.in_statement(id, statement, parts, around),
            K::BooleanIf | K::TunableIf => self.condition(id, statement, keyword, parts, around),
            K::SrcInfo => self.src_info(id, statement, parts, around),
            K::True | K::False => {
                let message = format!("`{}` stands outside of a condition", keyword.text());
                let span = self.span(id, statement);
                let error = Diagnostic::error(Code::NotAllowedHere, span, message);
                self.report.add(error.help(format!("write {}", K::BooleanIf.shape())));
                None
            }
            K::Call | K::BlockInherit | K::BlockAbstract => {
                self.containers[id as usize].structural = true;
                Some(Item::structural(index))
            }
            _ => Some(Item::statement(index)),
        }
    }

    /// Where what stands in it comes from: a kind, a line and a file.
    fn src_info(
        &mut self,
        id: ContainerId,
        statement: Element<'_>,
        mut parts: Children<'_>,
        around: Around,
    ) -> Option<Item> {
        let [kind, line, file] = [0; 3].map(|_| parts.next().and_then(Element::word));
        let kind = kind.is_some_and(|it| matches!(self.text(it), "cil" | "lms" | "lmx"));
        let line = line.is_some_and(|it| self.text(it).parse::<u32>().is_ok());
        if !(kind && line && file.is_some()) {
            let span = self.span(id, statement);
            self.shape(span, Keyword::SrcInfo, "a kind, a line and a file come first");
            return None;
        }
        let new =
            self.new_container(Kind::Inserted, id, Keyword::SrcInfo.symbol(), statement.index());
        self.fill(new, parts, around);
        Some(Item::child(new))
    }

    /// `block`, `macro`, `optional`.
    fn named(
        &mut self,
        id: ContainerId,
        statement: Element<'_>,
        keyword: Keyword,
        mut parts: Children<'_>,
        around: Around,
    ) -> Option<Item> {
        let span = self.span(id, statement);
        let Some(name) = parts.next().and_then(Element::word) else {
            self.shape(span, keyword, "the name is missing");
            return None;
        };
        if !self.check_name(name, span, None) {
            return None;
        }
        let kind = match keyword {
            Keyword::Block => Kind::Block,
            Keyword::Macro => Kind::Macro,
            _ => Kind::Optional,
        };
        let new = self.new_container(kind, id, name, statement.index());
        if kind == Kind::Macro {
            let parameters = match parts.next().filter(|it| it.is_list()) {
                Some(list) => self.parameters(id, list),
                None => {
                    self.shape(span, keyword, "the list of parameters is missing");
                    return None;
                }
            };
            self.parameters.insert(new, parameters);
        }
        self.declare_block(self.container(id).scope, new);
        let around = Around {
            in_macro: around.in_macro || kind == Kind::Macro,
            optional: around.optional || kind == Kind::Optional,
            ..around
        };
        self.fill(new, parts, around);
        Some(Item::child(new))
    }

    /// Declares the name of a container.
    pub(crate) fn declare_block(&mut self, scope: ScopeId, new: ContainerId) {
        let name = self.container(new).name;
        match self.blocks.entry((scope, name)) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(new);
            }
            std::collections::hash_map::Entry::Occupied(slot) => {
                let before = *slot.get();
                let optionals = [before, new].map(|it| self.container(it).kind == Kind::Optional);
                if optionals != [true, true] {
                    let message = format!("`{}` is declared twice", self.text(name));
                    let (here, there) = (self.own_span(new), self.own_span(before));
                    let error = Diagnostic::error(Code::Redeclared, here, message)
                        .label("declared again")
                        .and(there, "first declared here")
                        .note("blocks, macros and optionals share their names");
                    self.report.add(error);
                }
            }
        }
    }

    fn parameters(&mut self, id: ContainerId, list: Element<'_>) -> Vec<(Space, DeclKind, Symbol)> {
        let mut found: Vec<(Space, DeclKind, Symbol)> = Vec::new();
        for parameter in list.children() {
            let span = self.span(id, parameter);
            let words: Vec<Option<Symbol>> = parameter.children().map(Element::word).collect();
            let [Some(kind), Some(name)] = words[..] else {
                self.shape(span, Keyword::Macro, "a parameter is a list of its kind and its name");
                continue;
            };
            let Some((space, kind)) = Keyword::of(kind).and_then(parameter_kind) else {
                let text = self.text(kind);
                let message = format!("a parameter cannot be of the kind `{text}`");
                let known = PARAMETER_KINDS.map(|it| it.0.text());
                let mut error = Diagnostic::error(Code::CilArguments, span, message);
                error.help.extend(near::did_you_mean(text, known));
                let known: Vec<String> = known.iter().map(|it| format!("`{it}`")).collect();
                self.report.add(error.help(format!("it is one of {}", known.join(", "))));
                continue;
            };
            if !self.check_name(name, span, None) {
                continue;
            }
            if found.iter().any(|it| it.2 == name) {
                let message = format!("two parameters are called `{}`", self.text(name));
                self.report.add(Diagnostic::error(Code::Redeclared, span, message));
                continue;
            }
            found.push((space, kind, name));
        }
        found
    }

    /// `(in [before|after] name …)`
    fn in_statement(
        &mut self,
        id: ContainerId,
        statement: Element<'_>,
        mut parts: Children<'_>,
        around: Around,
    ) -> Option<Item> {
        let mut name = parts.next().and_then(Element::word);
        let which = name.and_then(Keyword::of);
        let position = matches!(which, Some(Keyword::Before | Keyword::After));
        // A block may be called `after`; then a list follows.
        let mut ahead = parts;
        let after = if position && ahead.next().is_some_and(|it| !it.is_list()) {
            name = parts.next().and_then(Element::word);
            which == Some(Keyword::After)
        } else {
            false
        };
        let more = parts.clone().next();
        if !position
            && let (Some(word), Some(more)) = (name, more)
            && !more.is_list()
        {
            let text = self.text(word);
            let message = format!("`{text}` stands where `before` or `after` is expected");
            let span = self.span(id, statement);
            let error = Diagnostic::error(Code::CilBadWord, span, message);
            self.report.add(error.help(format!("write {}", Keyword::In.shape())));
            return None;
        }
        let Some(name) = name else {
            let span = self.span(id, statement);
            self.shape(span, Keyword::In, "the name of the container is missing");
            return None;
        };
        let new = self.new_container(Kind::In, id, name, statement.index());
        self.own_scope(new);
        // Until it is put where it belongs.
        self.containers[new as usize].disabled = true;
        self.containers[new as usize].is_abstract = after;
        self.fill(new, parts, Around { inserted: true, after, ..around });
        Some(Item::child(new))
    }

    fn condition(
        &mut self,
        id: ContainerId,
        statement: Element<'_>,
        keyword: Keyword,
        mut parts: Children<'_>,
        mut around: Around,
    ) -> Option<Item> {
        let span = self.span(id, statement);
        let tunable = keyword == Keyword::TunableIf && !self.options.preserve_tunables;
        let kind = if tunable { Kind::TunableIf } else { Kind::BooleanIf };
        if !tunable && around.boolean_if {
            let message = "a condition over booleans may not stand in another";
            self.report.add(Diagnostic::error(Code::NotAllowedHere, span, message));
            return None;
        }
        if tunable {
            around.tunable_if = true;
        } else {
            around.boolean_if = true;
        }
        let new = self.new_container(kind, id, keyword.symbol(), statement.index());
        if parts.next().is_none() {
            self.shape(span, keyword, "the expression is missing");
            return None;
        }
        let mut seen = [false; 2];
        for branch in parts {
            let mut statements = branch.children();
            let word = statements.next().and_then(Element::word).and_then(Keyword::of);
            let value = match word {
                Some(Keyword::True) => true,
                Some(Keyword::False) => false,
                _ => {
                    let span = self.span(id, branch);
                    self.shape(
                        span,
                        keyword,
                        "here stands a list that begins with `true` or `false`",
                    );
                    return None;
                }
            };
            if std::mem::replace(&mut seen[usize::from(value)], true) {
                let span = self.span(id, branch);
                self.shape(span, keyword, "the same branch stands here twice");
                return None;
            }
            if statements.is_empty() {
                let span = self.span(id, branch);
                self.shape(span, keyword, "a branch without statements");
                return None;
            }
            let name = if value { Keyword::True } else { Keyword::False };
            let child = self.new_container(Kind::Branch(value), new, name.symbol(), branch.index());
            if tunable {
                self.own_scope(child);
            }
            self.fill(child, statements, around);
            self.containers[new as usize].items.push(Item::child(child));
        }
        if seen == [false; 2] {
            self.shape(span, keyword, "it has no branch");
            return None;
        }
        Some(Item::child(new))
    }
}

const PARAMETER_KINDS: [(Keyword, Space, DeclKind); 15] = [
    (Keyword::Type, Space::Types, DeclKind::Type),
    (Keyword::Role, Space::Roles, DeclKind::Role),
    (Keyword::User, Space::Users, DeclKind::User),
    (Keyword::Sensitivity, Space::Sensitivities, DeclKind::Sensitivity),
    (Keyword::Category, Space::Categories, DeclKind::Category),
    (Keyword::CategorySet, Space::Categories, DeclKind::CategorySet),
    (Keyword::Level, Space::Levels, DeclKind::Level),
    (Keyword::LevelRange, Space::LevelRanges, DeclKind::LevelRange),
    (Keyword::Class, Space::Classes, DeclKind::Class),
    (Keyword::ClassMap, Space::Classes, DeclKind::ClassMap),
    (Keyword::ClassPermission, Space::ClassPermissions, DeclKind::ClassPermission),
    (Keyword::IpAddr, Space::Addresses, DeclKind::Address),
    (Keyword::Boolean, Space::Booleans, DeclKind::Boolean),
    (Keyword::String, Space::Strings, DeclKind::Text),
    (Keyword::Name, Space::Strings, DeclKind::Text),
];

fn parameter_kind(keyword: Keyword) -> Option<(Space, DeclKind)> {
    PARAMETER_KINDS.iter().find(|it| it.0 == keyword).map(|it| (it.1, it.2))
}
