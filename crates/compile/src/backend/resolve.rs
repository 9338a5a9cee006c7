//! From names to values, with an error where there is none.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, Idents};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use super::classes::Classes;
use super::declare::{Declaration, Declared, Kind, Space};
use super::link::Links;
use super::report::Report;
use super::symbols::{ATTRIBUTE, Symbols};
use super::tree::{BlockId, Other, Tree};
use super::{Features, Options};
use crate::bounds::Bounded;
use crate::near;

/// For how many names near misses are looked for.
const NEAR_MISSES: u32 = 100;

/// What names stand for, and where faults go.
pub(crate) struct Resolver<'a, 'r> {
    pub(crate) tree: &'r Tree<'a>,
    pub(crate) declared: &'r Declared,
    pub(crate) links: &'r Links,
    pub(crate) classes: &'r Classes,
    pub(crate) options: &'r Options,
    pub(crate) symbols: Symbols,
    pub(crate) levels: super::levels::Levels,
    pub(crate) report: &'r mut Report,
    pub(crate) features: Features,
    /// What `expandattribute` said of attributes.
    pub(crate) expand_said: FxHashMap<Symbol, bool>,
    /// Where roles and users were bounded.
    pub(crate) bounded: Vec<(Bounded, Span)>,
    near_misses: u32,
}

/// What is wanted of a name.
#[derive(Clone, Copy)]
struct Wanted {
    space: Space,
    code: Code,
    /// Without article.
    words: &'static str,
    fits: fn(Kind) -> bool,
}

impl<'a, 'r> Resolver<'a, 'r> {
    pub(crate) fn new(
        tree: &'r Tree<'a>,
        declared: &'r Declared,
        links: &'r Links,
        classes: &'r Classes,
        options: &'r Options,
        report: &'r mut Report,
    ) -> Self {
        Self {
            tree,
            declared,
            links,
            classes,
            options,
            symbols: Symbols::default(),
            levels: super::levels::Levels::default(),
            report,
            features: Features::default(),
            expand_said: FxHashMap::default(),
            bounded: Vec::new(),
            near_misses: 0,
        }
    }

    /// Are the statements CIL or of a policy? `secilc` allows some pairs that `checkpolicy` does not.
    pub(crate) fn is_explicit(&self) -> bool {
        !self.tree.blocks.is_empty() && self.tree.part(0).unit.explicit_bounds
    }

    /// Statements of enabled blocks that are not rules.
    pub(crate) fn enabled_others(&self) -> impl Iterator<Item = Other<'a>> + use<'a, 'r> {
        let links = self.links;
        self.tree.others.iter().filter(|it| links.is_enabled(it.block)).copied()
    }

    fn fault(&mut self, block: BlockId, ident: Ident, wanted: Wanted) {
        let name = self.tree.part(block).name(ident);
        let declared = self.declared;
        let text = self.tree.names.name(name);
        let here: Option<Declaration> = declared.first(wanted.space, name).copied();
        let elsewhere = || {
            Space::ALL.iter().find_map(|&space| {
                declared.first(space, name).map(|it| (it.kind.words(space), it.span))
            })
        };
        let kind = match here {
            Some(it) if (wanted.fits)(it.kind) => None,
            Some(it) => Some((it.kind.words(wanted.space), it.span)),
            None => elsewhere(),
        };
        let code = if kind.is_some() { Code::WrongKind } else { wanted.code };
        let (report, near_misses) = (&mut *self.report, &mut self.near_misses);
        let names = &self.tree.names;
        report.about(name, code, ident.span, || {
            if let Some((is, span)) = kind {
                let message = format!("`{text}` is {is}, not a {}", wanted.words);
                return Diagnostic::error(code, ident.span, message)
                    .label(format!("a {} is needed here", wanted.words))
                    .and(span, "declared here");
            }
            if let Some(it) = here {
                let message = format!(
                    "{} `{text}` is declared only in a block that is left out",
                    wanted.words
                );
                return Diagnostic::error(code, ident.span, message)
                    .and(it.span, "the optional block around this is left out")
                    .help("require it in an optional block of its own, or declare it outside");
            }
            let message = format!("no {} `{text}` is declared", wanted.words);
            let mut error = Diagnostic::error(code, ident.span, message);
            if *near_misses < NEAR_MISSES {
                *near_misses += 1;
                let list = declared.space(wanted.space).list.iter();
                let known = list.filter(|it| (wanted.fits)(it.kind)).map(|it| names.name(it.name));
                error.help.extend(near::did_you_mean(text, known));
            }
            error
        });
    }

    /// Value of a type, attribute or alias, with marks.
    pub(crate) fn type_or_attribute(&mut self, block: BlockId, ident: Ident) -> Option<u32> {
        match self.symbols.type_value(self.tree.part(block).name(ident)) {
            0 => {
                let words = "type or attribute";
                let (space, code) = (Space::Types, Code::UnknownType);
                self.fault(block, ident, Wanted { space, code, words, fits: |_| true });
                None
            }
            value => Some(value),
        }
    }

    /// Value of a type or alias.
    pub(crate) fn plain_type(&mut self, block: BlockId, ident: Ident) -> Option<u32> {
        let value = self.symbols.type_value(self.tree.part(block).name(ident));
        if value == 0 || value & ATTRIBUTE != 0 {
            let (space, code, words) = (Space::Types, Code::UnknownType, "type");
            let fits = |kind| kind != Kind::Attribute;
            self.fault(block, ident, Wanted { space, code, words, fits });
            return None;
        }
        Some(value)
    }

    /// Value of an attribute, without marks.
    pub(crate) fn attribute(&mut self, block: BlockId, ident: Ident) -> Option<u32> {
        let value = self.symbols.type_value(self.tree.part(block).name(ident));
        if value & ATTRIBUTE == 0 {
            let (space, code, words) = (Space::Types, Code::UnknownAttribute, "type attribute");
            let fits = |kind| kind == Kind::Attribute;
            self.fault(block, ident, Wanted { space, code, words, fits });
            return None;
        }
        Some(value & super::symbols::VALUE)
    }

    /// Value of a role or role attribute, with mark.
    pub(crate) fn role_or_attribute(&mut self, block: BlockId, ident: Ident) -> Option<u32> {
        match self.symbols.role_value(self.tree.part(block).name(ident)) {
            0 => {
                let (space, code, words) = (Space::Roles, Code::UnknownRole, "role");
                self.fault(block, ident, Wanted { space, code, words, fits: |_| true });
                None
            }
            value => Some(value),
        }
    }

    /// Value of a role.
    pub(crate) fn role(&mut self, block: BlockId, ident: Ident) -> Option<u32> {
        let value = self.symbols.role_value(self.tree.part(block).name(ident));
        if value == 0 || value & ATTRIBUTE != 0 {
            let (space, code, words) = (Space::Roles, Code::UnknownRole, "role");
            let fits = |kind| kind == Kind::Role;
            self.fault(block, ident, Wanted { space, code, words, fits });
            return None;
        }
        Some(value)
    }

    /// Value of a user.
    pub(crate) fn user(&mut self, block: BlockId, ident: Ident) -> Option<u32> {
        match self.symbols.user_value(self.tree.part(block).name(ident)) {
            0 => {
                let (space, code, words) = (Space::Users, Code::UnknownUser, "user");
                self.fault(block, ident, Wanted { space, code, words, fits: |_| true });
                None
            }
            value => Some(value),
        }
    }

    /// Tells that no boolean has this name.
    pub(crate) fn unknown_boolean(&mut self, block: BlockId, ident: Ident) {
        let (space, code, words) = (Space::Booleans, Code::UnknownBoolean, "boolean");
        self.fault(block, ident, Wanted { space, code, words, fits: |_| true });
    }

    /// Tells that no sensitivity has this name.
    pub(crate) fn unknown_sensitivity(&mut self, block: BlockId, ident: Ident) {
        let (space, code, words) = (Space::Sensitivities, Code::UnknownSensitivity, "sensitivity");
        self.fault(block, ident, Wanted { space, code, words, fits: |_| true });
    }

    /// Tells that no category has this name.
    pub(crate) fn unknown_category(&mut self, block: BlockId, ident: Ident) {
        let (space, code, words) = (Space::Categories, Code::UnknownCategory, "category");
        self.fault(block, ident, Wanted { space, code, words, fits: |_| true });
    }

    /// Tells that no initial SID has this name.
    pub(crate) fn unknown_initial_sid(&mut self, block: BlockId, ident: Ident) {
        let (space, code, words) = (Space::InitialSids, Code::UnknownInitialSid, "initial SID");
        self.fault(block, ident, Wanted { space, code, words, fits: |_| true });
    }

    /// Value of a class.
    pub(crate) fn class(&mut self, block: BlockId, ident: Ident) -> Option<u16> {
        match self.classes.value(self.tree.part(block).name(ident)) {
            0 => {
                let (space, code, words) = (Space::Classes, Code::UnknownClass, "class");
                self.fault(block, ident, Wanted { space, code, words, fits: |_| true });
                None
            }
            value => Some(value),
        }
    }

    /// Values of classes in the order written, each once. False where one is unknown.
    pub(crate) fn classes(&mut self, block: BlockId, idents: Idents, into: &mut Vec<u16>) -> bool {
        into.clear();
        let mut known = true;
        for &ident in self.tree.part(block).idents(idents) {
            match self.class(block, ident) {
                Some(class) if !into.contains(&class) => into.push(class),
                Some(_) => {}
                None => known = false,
            }
        }
        known
    }

    /// Tells that a class has no such permission.
    pub(crate) fn unknown_permission(&mut self, block: BlockId, class: u16, ident: Ident) {
        let name = self.tree.part(block).name(ident);
        let (classes, tree) = (self.classes, self.tree);
        self.report.about(name, Code::UnknownPermission, ident.span, || {
            classes.unknown_permission(tree, class, name, ident.span)
        });
    }
}
