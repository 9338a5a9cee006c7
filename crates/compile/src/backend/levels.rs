//! MLS: sensitivities by dominance, categories, levels and ranges.

use mandate_policydb::{
    CategoryDatum, CategoryId, Ebitmap, MlsLevel, MlsRange, SensitivityDatum, SensitivityId,
    SymbolId, SymbolTable,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{self, Ident, StatementKind};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;

use super::declare::{Kind, Space};
use super::resolve::Resolver;
use super::tree::{BlockId, small};

/// Sensitivities and categories.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    /// By name: value, or 0.
    sensitivity: Vec<u32>,
    category: Vec<u32>,
    /// By value − 1: the categories a level of it may have; none where no `level` says so.
    allowed: Vec<Option<Ebitmap>>,
    /// By value − 1.
    names: Vec<Symbol>,
    categories: Vec<Symbol>,
}

impl Levels {
    fn sensitivity(&self, name: Symbol) -> Option<u32> {
        self.sensitivity.get(name.index()).copied().filter(|&it| it != 0)
    }

    fn category(&self, name: Symbol) -> Option<u32> {
        self.category.get(name.index()).copied().filter(|&it| it != 0)
    }
}

impl Resolver<'_, '_> {
    /// Gathers sensitivities, categories, dominance and levels.
    pub(crate) fn gather_levels(&mut self) {
        let count = self.tree.names.len();
        self.levels.sensitivity = vec![0; count];
        self.levels.category = vec![0; count];
        if !self.options.mls {
            self.refuse_levels();
            return;
        }
        for it in &self.declared.space(Space::Categories).list {
            if it.kind == Kind::Category && self.levels.category[it.name.index()] == 0 {
                self.levels.categories.push(it.name);
                self.levels.category[it.name.index()] = small(self.levels.categories.len());
            }
        }
        for it in &self.declared.space(Space::Categories).list {
            if let Kind::Alias(of) = it.kind {
                self.levels.category[it.name.index()] = self.levels.category[of.index()];
            }
        }
        self.dominance();
        for it in &self.declared.space(Space::Sensitivities).list {
            if let Kind::Alias(of) = it.kind {
                self.levels.sensitivity[it.name.index()] = self.levels.sensitivity[of.index()];
            }
        }
        self.levels.allowed = vec![None; self.levels.names.len()];
        self.level_statements();
        self.check_levels();
    }

    fn refuse_levels(&mut self) {
        for other in self.enabled_others() {
            let span = other.statement.span;
            let what = match other.statement.kind {
                StatementKind::Sensitivity { .. } => "a sensitivity",
                StatementKind::Category { .. } => "a category",
                StatementKind::Dominance(_) => "a dominance of sensitivities",
                StatementKind::Level(_) => "a level",
                _ => continue,
            };
            let message = format!("{what} in a policy without MLS");
            self.report.add(
                Diagnostic::error(Code::MlsDisabled, span, message)
                    .help("build the policy with MLS, or leave these statements out"),
            );
        }
    }

    fn dominance(&mut self) {
        let declared = self.declared;
        let mut ordered = false;
        for other in self.enabled_others() {
            let StatementKind::Dominance(idents) = other.statement.kind else { continue };
            ordered = true;
            for &ident in self.tree.part(other.block).idents(idents) {
                let name = self.tree.part(other.block).name(ident);
                // An alias stands for its sensitivity.
                let name = match declared.first(Space::Sensitivities, name).map(|it| it.kind) {
                    Some(Kind::Sensitivity) => name,
                    Some(Kind::Alias(of)) => of,
                    _ => {
                        self.unknown_sensitivity(other.block, ident);
                        continue;
                    }
                };
                if self.levels.sensitivity[name.index()] != 0 {
                    let text = self.tree.names.name(name);
                    let message = format!("sensitivity `{text}` stands twice in the dominance");
                    self.report.add(Diagnostic::error(Code::Redeclared, ident.span, message));
                    continue;
                }
                self.levels.names.push(name);
                self.levels.sensitivity[name.index()] = small(self.levels.names.len());
            }
        }
        for it in &declared.space(Space::Sensitivities).list {
            if it.kind != Kind::Sensitivity || self.levels.sensitivity[it.name.index()] != 0 {
                continue;
            }
            let text = self.tree.names.name(it.name);
            let message = format!("sensitivity `{text}` is missing in the dominance");
            let error = Diagnostic::error(Code::Incomplete, it.span, message);
            self.report.add(if ordered {
                error.help("name it in the `dominance` statement, at its rank")
            } else {
                error.help("write `dominance { … }` with all sensitivities, lowest first")
            });
            self.levels.names.push(it.name);
            self.levels.sensitivity[it.name.index()] = small(self.levels.names.len());
        }
    }

    fn level_statements(&mut self) {
        for other in self.enabled_others() {
            let StatementKind::Level(level) = &other.statement.kind else { continue };
            let name = self.tree.part(other.block).name(level.sensitivity);
            let Some(value) = self.levels.sensitivity(name) else {
                self.unknown_sensitivity(other.block, level.sensitivity);
                continue;
            };
            let categories = self.categories(other.block, level.categories);
            let slot = &mut self.levels.allowed[value as usize - 1];
            let Some(categories) = categories else {
                // It was reported; that the level is missing would follow from that.
                slot.get_or_insert_default();
                continue;
            };
            if slot.as_ref().is_some_and(|it| !it.is_empty()) {
                let text = self.tree.part(other.block).text(level.sensitivity);
                let message = format!("the level of sensitivity `{text}` is defined twice");
                let span = level.sensitivity.span;
                self.report.add(Diagnostic::error(Code::Redeclared, span, message));
                continue;
            }
            *slot = Some(categories);
        }
    }

    fn check_levels(&mut self) {
        for (name, allowed) in self.levels.names.iter().zip(&self.levels.allowed) {
            if allowed.is_none() {
                let span = self.declared.first(Space::Sensitivities, *name).map(|it| it.span);
                let text = self.tree.names.name(*name);
                let message = format!("sensitivity `{text}` has no `level` statement");
                let span = span.unwrap_or(Span::NOWHERE);
                self.report.add(
                    Diagnostic::error(Code::Incomplete, span, message)
                        .help(format!("write `level {text}:…;` with the categories it may have")),
                );
            }
        }
        if self.levels.names.is_empty() {
            let message = "a policy with MLS has no sensitivity";
            self.report.add(
                Diagnostic::error(Code::Incomplete, Span::NOWHERE, message)
                    .help("declare sensitivities, or build the policy without MLS"),
            );
        }
    }

    /// Categories of ranges, which have to ascend.
    fn categories(&mut self, block: BlockId, ranges: ast::Slice) -> Option<Ebitmap> {
        let part = self.tree.part(block);
        let mut set = Ebitmap::new();
        let mut known = true;
        for range in &part.unit.category_ranges[ranges.range()] {
            let low = self.category(block, range.low);
            let (Some(low), Some(high)) = (low, self.category(block, range.high)) else {
                known = false;
                continue;
            };
            if low > high {
                let (low, high) = (part.text(range.low), part.text(range.high));
                let message = format!("the category range `{low}.{high}` does not ascend");
                self.report.add(Diagnostic::error(Code::InvalidLevel, range.low.span, message));
                known = false;
                continue;
            }
            set.insert_range(low - 1, high - 1);
        }
        known.then_some(set)
    }

    fn category(&mut self, block: BlockId, ident: Ident) -> Option<u32> {
        let found = self.levels.category(self.tree.part(block).name(ident));
        if found.is_none() {
            self.unknown_category(block, ident);
        }
        found
    }

    /// A level, whose categories the sensitivity may have.
    pub(crate) fn level(&mut self, block: BlockId, level: &ast::Level) -> Option<MlsLevel> {
        let name = self.tree.part(block).name(level.sensitivity);
        let Some(value) = self.levels.sensitivity(name) else {
            self.unknown_sensitivity(block, level.sensitivity);
            return None;
        };
        let categories = self.categories(block, level.categories)?;
        let allowed = self.levels.allowed.get(value as usize - 1)?.as_ref()?;
        if !allowed.is_superset(&categories) {
            let bad = categories.iter().find(|&bit| !allowed.contains(bit));
            let bad = bad.and_then(|bit| self.levels.categories.get(bit as usize));
            let bad = bad.map_or("", |&it| self.tree.names.name(it));
            let text = self.tree.names.name(name);
            let message = format!("sensitivity `{text}` may not have category `{bad}`");
            self.report.add(
                Diagnostic::error(Code::InvalidLevel, level.sensitivity.span, message)
                    .note("a `level` statement lists the categories of each sensitivity"),
            );
            return None;
        }
        Some(MlsLevel { sensitivity: SensitivityId::from_value(value)?, categories })
    }

    /// A range, whose high level dominates the low one.
    pub(crate) fn range(&mut self, block: BlockId, range: &ast::MlsRange) -> Option<MlsRange> {
        let low = self.level(block, &range.low);
        let (low, high) = (low?, self.level(block, &range.high)?);
        if !high.dominates(&low) {
            let message = "the high level of the range does not dominate the low one";
            self.report.add(Diagnostic::error(Code::InvalidLevel, range.span, message));
            return None;
        }
        Some(MlsRange { low, high })
    }

    /// The tables of the policy.
    pub(crate) fn level_tables(
        &self,
    ) -> Option<(SymbolTable<SensitivityDatum>, SymbolTable<CategoryDatum>)> {
        let mut sensitivities = Vec::new();
        for it in &self.declared.space(Space::Sensitivities).list {
            let Some(value) = self.levels.sensitivity(it.name) else { continue };
            let allowed = self.levels.allowed.get(value as usize - 1)?;
            sensitivities.push(SensitivityDatum {
                name: self.tree.names.name(it.name).into(),
                id: SensitivityId::from_value(value)?,
                alias: it.kind != Kind::Sensitivity,
                categories: allowed.clone().unwrap_or_default(),
            });
        }
        let mut categories = Vec::new();
        for it in &self.declared.space(Space::Categories).list {
            let Some(value) = self.levels.category(it.name) else { continue };
            categories.push(CategoryDatum {
                name: self.tree.names.name(it.name).into(),
                id: CategoryId::from_value(value)?,
                alias: it.kind != Kind::Category,
            });
        }
        let sensitivities = SymbolTable::new(small(self.levels.names.len()), sensitivities).ok()?;
        let categories = SymbolTable::new(small(self.levels.categories.len()), categories).ok()?;
        Some((sensitivities, categories))
    }
}
