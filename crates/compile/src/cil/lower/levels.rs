//! Levels, ranges and sets of categories.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{CategoryRange, Ident, Level, MlsRange, Slice};
use mandate_syntax::source::Span;

use super::{Lowerer, Res, slice};
use crate::cil::declare::{DeclKind, Space};
use crate::cil::world::Found;

/// Sets nest no deeper, those they name counted in.
const DEEPEST: u32 = 600;

/// A set of categories by their places.
type Bits = Vec<bool>;

impl<'t> Lowerer<'_, 't> {
    /// A range, by name or in place; none in a policy without MLS.
    pub(super) fn range(&mut self, element: Element<'t>) -> Res<Option<MlsRange>> {
        let span = self.span(element);
        let (container, body) = self.located(element, Space::LevelRanges)?;
        self.within(container, |it| {
            let parts: Vec<Element<'t>> = body.children().collect();
            let [low, high] = parts[..] else {
                let message = "a range has two levels";
                let span = it.span(body);
                let error = Diagnostic::error(Code::CilShape, span, message);
                return Err(it.tell(error.help("write `((s0) (s0 (c0)))`, or name levels")));
            };
            let (low, high) = (it.level(low)?, it.level(high)?);
            Ok(it.tables.mls.then_some(MlsRange { low, high, span }))
        })
    }

    /// A level, by name or in place.
    pub(super) fn level(&mut self, element: Element<'t>) -> Res<Level> {
        let (container, body) = self.located(element, Space::Levels)?;
        self.within(container, |it| {
            let parts: Vec<Element<'t>> = body.children().collect();
            let (sensitivity, categories) = match parts[..] {
                [sensitivity] => (sensitivity, None),
                [sensitivity, categories] => (sensitivity, Some(categories)),
                _ => {
                    let message = "a level is a sensitivity and categories";
                    let span = it.span(body);
                    let error = Diagnostic::error(Code::CilShape, span, message);
                    return Err(it.tell(error.help("write `(s0)` or `(s0 (c0 c1))`")));
                }
            };
            let kinds = &[DeclKind::Sensitivity];
            let decl = it.declared_as(sensitivity, Space::Sensitivities, kinds)?;
            let sensitivity = it.ident(decl, sensitivity);
            let categories = match categories {
                Some(categories) => it.categories(categories)?,
                None => Slice::default(),
            };
            Ok(Level { sensitivity, categories })
        })
    }

    /// Categories: a name, a list or an expression.
    pub(super) fn categories(&mut self, element: Element<'t>) -> Res<Slice> {
        let mut bits = vec![false; self.tables.categories.len()];
        let span = self.span(element);
        self.add_categories(element, &mut bits)?;
        Ok(self.category_slice(&bits, span))
    }

    fn category_slice(&mut self, bits: &[bool], span: Span) -> Slice {
        let start = self.unit.category_ranges.len();
        let mut at = 0;
        while let Some(low) = bits[at..].iter().position(|&it| it).map(|it| at + it) {
            let high = bits[low..].iter().position(|&it| !it).map_or(bits.len(), |it| low + it) - 1;
            let ident = |place: usize| {
                let decl = self.world.decl(self.tables.categories[place]);
                Ident { name: decl.flat, span }
            };
            let range = CategoryRange { low: ident(low), high: ident(high) };
            self.unit.category_ranges.push(range);
            at = high + 1;
        }
        slice(start, self.unit.category_ranges.len())
    }

    fn add_categories(&mut self, element: Element<'t>, into: &mut Bits) -> Res {
        self.depth += 1;
        let result = if self.depth > DEEPEST {
            let message = format!("sets of categories nest deeper than {DEEPEST}");
            let span = self.span(element);
            Err(self.tell(Diagnostic::error(Code::CilRecursion, span, message)))
        } else {
            self.categories_of(element, into)
        };
        self.depth -= 1;
        result
    }

    fn categories_of(&mut self, element: Element<'t>, into: &mut Bits) -> Res {
        self.step(element)?;
        if !element.is_list() {
            return self.add_category(element, into);
        }
        use Keyword as K;
        let mut parts = element.children();
        let operator = parts.next().and_then(|it| Keyword::of(it.word()?));
        let operands: Vec<Element<'t>> = parts.collect();
        match operator {
            Some(K::Range) => {
                let [low, high] = operands[..] else {
                    let span = self.span(element);
                    let message = "`range` takes the first and the last category";
                    return Err(self.tell(Diagnostic::error(Code::CilExpression, span, message)));
                };
                let (from, to) = (self.category_place(low)?, self.category_place(high)?);
                if from > to {
                    let message = "the range of categories does not ascend";
                    let span = self.span(element);
                    return Err(self.tell(Diagnostic::error(Code::InvalidLevel, span, message)));
                }
                into[from..=to].iter_mut().for_each(|it| *it = true);
                Ok(())
            }
            Some(operator @ (K::And | K::Or | K::Xor | K::Not | K::All)) => {
                self.check_operands(element, operator, operands.len())?;
                let mut values = [vec![false; into.len()], vec![false; into.len()]];
                for (value, &operand) in values.iter_mut().zip(&operands) {
                    self.add_categories(operand, value)?;
                }
                let [a, b] = values;
                for ((bit, a), b) in into.iter_mut().zip(a).zip(b) {
                    *bit |= match operator {
                        K::And => a && b,
                        K::Or => a || b,
                        K::Xor => a != b,
                        K::Not => !a,
                        _ => true,
                    };
                }
                Ok(())
            }
            _ => {
                for part in element.children() {
                    self.add_categories(part, into)?;
                }
                Ok(())
            }
        }
    }

    /// A category or a named set of them.
    fn add_category(&mut self, element: Element<'t>, into: &mut Bits) -> Res {
        let (container, body) = match self.find(element, Space::Categories)? {
            Found::Declared(decl) => {
                let decl = self.world.actual(decl);
                let datum = self.world.decl(decl);
                if datum.kind != DeclKind::CategorySet {
                    let place = self.place(element, decl)?;
                    into[place] = true;
                    return Ok(());
                }
                let statement = self.world.element(datum.container, datum.node);
                let Some(body) = statement.children().nth(2) else { return Ok(()) };
                (datum.container, body)
            }
            Found::Anonymous(container, index) => (container, self.world.element(container, index)),
            Found::Text(_) | Found::Missing => return Ok(()),
        };
        self.within(container, |it| it.add_categories(body, into))
    }

    fn category_place(&mut self, element: Element<'t>) -> Res<usize> {
        let decl = self.declared_as(element, Space::Categories, &[DeclKind::Category])?;
        self.place(element, decl)
    }

    fn place(&mut self, element: Element<'_>, decl: u32) -> Res<usize> {
        if let Some(place) = self.tables.category(decl) {
            return Ok(place as usize);
        }
        let datum = self.world.decl(decl);
        let text = self.world.text(datum.flat);
        let message = format!("category `{text}` has no place in the order of categories");
        let span = self.span(element);
        let error = Diagnostic::error(Code::CilOrder, span, message)
            .and(datum.span, "declared here")
            .help("name it in a `categoryorder` statement");
        Err(self.tell(error))
    }

    pub(super) fn sensitivity_category(&mut self, statement: Element<'t>) -> Res {
        let [sensitivity, categories] = self.parts(statement, Keyword::SensitivityCategory)?;
        let kinds = &[DeclKind::Sensitivity];
        let decl = self.declared_as(sensitivity, Space::Sensitivities, kinds)?;
        let categories = self.categories(categories)?;
        let span = self.span(statement);
        self.policy.sensitivity_categories.push((decl, categories, span));
        Ok(())
    }
}
