//! Names as values, which have to be in scope.

use mandate_policydb::Ebitmap;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, Idents, Level, MlsRange, Set, SetForm};

use super::Raiser;
use crate::near;
use crate::package::rules::{NOT_SELF, SELF};
use crate::package::sets::{COMPLEMENT, RoleSet, STAR, TypeSet, WrittenLevel, WrittenRange};
use crate::package::symbols::{Flavor, Kind};

impl<'a> Raiser<'a> {
    /// The place of a symbol in its table.
    pub(super) fn find(&mut self, kind: Kind, ident: Ident) -> Option<usize> {
        let name = self.text(ident);
        let found = self.index[kind as usize].get(name).copied();
        match found {
            Some(at) if self.in_scope(kind, name) => Some(at),
            Some(_) => {
                let message = format!("{} `{name}` is not within scope", word(kind));
                let it = Diagnostic::error(Code::MissingRequire, ident.span, message)
                    .note("it is declared or required in another block only")
                    .help(format!("require it in this block: `{} {name};`", keyword(kind)));
                self.diagnostics.push(it);
                None
            }
            None => {
                self.unknown(kind, ident);
                None
            }
        }
    }

    fn unknown(&mut self, kind: Kind, ident: Ident) {
        let name = self.text(ident);
        let code = match kind {
            Kind::Types => Code::UnknownType,
            Kind::Roles => Code::UnknownRole,
            Kind::Users => Code::UnknownUser,
            Kind::Booleans => Code::UnknownBoolean,
            Kind::Levels => Code::UnknownSensitivity,
            Kind::Categories => Code::UnknownCategory,
            Kind::Commons => Code::UnknownCommon,
            Kind::Classes => Code::UnknownClass,
        };
        let message = format!("the module neither declares nor requires {} `{name}`", word(kind));
        let mut it = Diagnostic::error(code, ident.span, message);
        it.help.extend(near::did_you_mean(name, self.index[kind as usize].keys().copied()));
        if it.help.is_empty() {
            it = it.help(format!("require it: `require {{ {} {name}; }}`", keyword(kind)));
        }
        self.diagnostics.push(it);
    }

    /// Value of a type, attribute or alias: of an alias that of its type.
    pub(super) fn type_value(&mut self, ident: Ident) -> Option<u32> {
        let at = self.find(Kind::Types, ident)?;
        let it = &self.db.symbols.types.entries[at];
        Some(it.alias_of().filter(|_| it.flavor == Flavor::Alias).unwrap_or(it.value))
    }

    pub(super) fn value(&mut self, kind: Kind, ident: Ident) -> Option<u32> {
        if kind == Kind::Types {
            return self.type_value(ident);
        }
        self.find(kind, ident).map(|at| self.value_at(kind, at))
    }

    /// A set of types, and the flags for `self`.
    pub(super) fn type_set(&mut self, set: &Set) -> (TypeSet, u32) {
        let mut found = TypeSet::default();
        let mut flags = 0;
        let complement = set.form == SetForm::Complement;
        found.flags = match set.form {
            SetForm::Listed => 0,
            SetForm::Complement => COMPLEMENT,
            SetForm::All => STAR,
        };
        for item in &self.unit.set_items[set.items.range()] {
            if self.text(item.ident) == "self" {
                flags |= if item.excluded || complement { NOT_SELF } else { SELF };
                continue;
            }
            let Some(value) = self.type_value(item.ident) else { continue };
            let bits = if item.excluded { &mut found.excluded } else { &mut found.types };
            bits.insert(value - 1);
        }
        (found, flags)
    }

    /// A set of types where no source is there that `self` could stand for.
    pub(super) fn types(&mut self, set: &Set) -> TypeSet {
        let items = &self.unit.set_items[set.items.range()];
        if let Some(item) = items.iter().find(|it| self.text(it.ident) == "self") {
            let message = "`self` stands for the source of a rule: only a target can be it";
            let it = Diagnostic::error(Code::WrongKind, item.ident.span, message);
            self.diagnostics.push(it.help("name the types"));
        }
        self.type_set(set).0
    }

    /// Names that nothing is taken from: the module could not hold what is. `*` and `~` are `whole`.
    pub(super) fn refuse_exceptions(&mut self, set: &Set, whole: bool, what: &str) {
        let excluded = self.unit.set_items[set.items.range()].iter().any(|it| it.excluded);
        if excluded || whole && set.form != SetForm::Listed {
            let signs = if whole { "`*`, `~` and `-` are" } else { "`-` is" };
            let message = format!("{signs} not allowed in a set of {what}");
            let it = Diagnostic::error(Code::NotAllowedHere, set.span, message);
            self.diagnostics.push(it.help(format!("name the {what}")));
        }
    }

    pub(super) fn role_set(&mut self, set: &Set) -> RoleSet {
        self.refuse_exceptions(set, false, "roles");
        let mut roles = Ebitmap::new();
        for item in &self.unit.set_items[set.items.range()] {
            if let Some(value) = self.value(Kind::Roles, item.ident) {
                roles.insert(value - 1);
            }
        }
        let flags = match set.form {
            SetForm::Listed => 0,
            SetForm::Complement => COMPLEMENT,
            SetForm::All => STAR,
        };
        RoleSet { roles, flags }
    }

    pub(super) fn class_bits(&mut self, classes: Idents) -> Ebitmap {
        let mut bits = Ebitmap::new();
        for &ident in self.idents(classes) {
            if let Some(value) = self.value(Kind::Classes, ident) {
                bits.insert(value - 1);
            }
        }
        bits
    }

    /// `process`, where a transition names no class.
    pub(super) fn class_bits_or_process(&mut self, classes: Idents, at: Ident) -> Ebitmap {
        if !classes.is_empty() {
            return self.class_bits(classes);
        }
        match self.db.symbols.classes.find("process") {
            Some(class) => [class.value - 1].into_iter().collect(),
            None => {
                let message = "the transition is for class process, which nothing requires";
                let it = Diagnostic::error(Code::UnknownClass, at.span, message)
                    .help("require it: `require { class process transition; }`");
                self.diagnostics.push(it);
                Ebitmap::new()
            }
        }
    }

    /// The bits of permissions in a class.
    pub(super) fn permissions(&mut self, class: usize, set: &Set) -> u32 {
        let nprim = self.db.symbols.classes.entries[class].permissions.nprim.min(32);
        let mask = if nprim == 0 { 0 } else { u32::MAX >> (32 - nprim) };
        if set.form == SetForm::All {
            return mask;
        }
        self.refuse_exceptions(set, false, "permissions");
        let mut bits = 0;
        for item in &self.unit.set_items[set.items.range()] {
            if let Some(value) = self.permission(class, item.ident) {
                bits |= 1 << (value - 1);
            }
        }
        if set.form == SetForm::Complement { !bits & mask } else { bits }
    }

    pub(super) fn permission(&mut self, class: usize, ident: Ident) -> Option<u32> {
        let name = self.text(ident);
        let symbols = &self.db.symbols;
        let known = &symbols.classes.entries[class];
        let common = known.common.as_deref().and_then(|it| symbols.commons.find(it));
        let own = known.permissions.value(name);
        let found = own.or_else(|| common?.permissions.value(name));
        let class = &known.name;
        if found.is_none() {
            let message =
                format!("the module does not require permission `{name}` of class `{class}`");
            let it = Diagnostic::error(Code::UnknownPermission, ident.span, message)
                .help(format!("require it: `require {{ class {class} {name}; }}`"));
            self.diagnostics.push(it);
        }
        found
    }

    pub(super) fn level(&mut self, level: &Level) -> WrittenLevel {
        let sensitivity = self.value(Kind::Levels, level.sensitivity).unwrap_or(0);
        let mut categories = Vec::new();
        for range in &self.unit.category_ranges[level.categories.range()] {
            let low = self.value(Kind::Categories, range.low);
            if let (Some(low), Some(high)) = (low, self.value(Kind::Categories, range.high)) {
                categories.push([low, high]);
            }
        }
        WrittenLevel { sensitivity, categories }
    }

    pub(super) fn range(&mut self, range: &MlsRange) -> WrittenRange {
        WrittenRange { low: self.level(&range.low), high: self.level(&range.high) }
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Types => "type",
        Kind::Booleans => "boolean",
        Kind::Levels => "sensitivity",
        other => other.word(),
    }
}

/// The word a requirement is written with.
fn keyword(kind: Kind) -> &'static str {
    match kind {
        Kind::Levels => "sensitivity",
        Kind::Types => "type",
        other => other.word(),
    }
}
