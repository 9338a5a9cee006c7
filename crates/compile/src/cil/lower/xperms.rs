//! Extended permissions: numbers of ioctls and netlink messages.

use mandate_policydb::PolicyVersion;
use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, NumberRange, StatementKind, XpermKind, XpermRule};

use super::{Lowerer, Res, slice};
use crate::cil::declare::Space;
use crate::cil::world::ContainerId;

const COUNT: usize = 1 << 16;

/// A set of numbers, 64 a word.
type Numbers = Vec<u64>;

fn none() -> Numbers {
    vec![0; COUNT / 64]
}

fn contains(numbers: &[u64], number: usize) -> bool {
    numbers[number / 64] & (1 << (number % 64)) != 0
}

/// The operation, classes and numbers of a `permissionx`.
pub(super) struct Extended<'t> {
    operation: (Keyword, Element<'t>),
    classes: Vec<Ident>,
    numbers: Numbers,
}

impl<'t> Lowerer<'_, 't> {
    pub(super) fn xperm_rule(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        let [from, to, permissions] = self.parts(statement, keyword)?;
        if self.world.options.version < PolicyVersion::XPERMS {
            let message = "extended permissions in a version without them";
            let span = self.span(statement);
            let error = Diagnostic::error(Code::NotInVersion, span, message);
            return Err(self.tell(error.help("build version 30 or higher")));
        }
        let decl = self.type_or_attribute(from)?;
        let target = self.target(to)?;
        let (container, body) = self.located(permissions, Space::PermissionX)?;
        let extended = self.within(container, |it| it.permission_x(body))?;
        let kind = match keyword {
            Keyword::AllowX => XpermKind::Allow,
            Keyword::AuditAllowX => XpermKind::AuditAllow,
            Keyword::DontAuditX => XpermKind::DontAudit,
            _ => XpermKind::NeverAllow,
        };
        let options = self.world.options;
        if kind == XpermKind::DontAudit && options.disable_dontaudit
            || kind == XpermKind::NeverAllow && options.disable_neverallow
        {
            self.leave_out(decl, target, kind == XpermKind::NeverAllow);
            return Ok(());
        }
        let source = self.ident(decl, from);
        let span = self.span(permissions);
        let operation = Ident { name: extended.operation.0.symbol(), span };
        let ranges = self.ranges(&extended.numbers, container, body);
        if ranges.is_empty() {
            let message = "no extended permission is left in this set";
            let warning = Diagnostic::warning(Code::EmptySet, span, message);
            self.tell(warning);
            return Ok(());
        }
        let target = self.target_set(target, source, to);
        let (source, classes) = (self.single(source), self.idents(extended.classes));
        let complement = false;
        let rule = XpermRule { kind, source, target, classes, operation, ranges, complement };
        self.push(statement, StatementKind::Xperm(rule));
        Ok(())
    }

    fn ranges(
        &mut self,
        numbers: &[u64],
        container: ContainerId,
        body: Element<'t>,
    ) -> mandate_syntax::kernel::ast::Slice {
        let start = self.unit.number_ranges.len();
        let span = self.world.span(container, body);
        let mut at = 0;
        while at < COUNT {
            if numbers[at / 64] >> (at % 64) == 0 {
                at = (at / 64 + 1) * 64;
                continue;
            }
            let low = (at..COUNT).find(|&it| contains(numbers, it)).unwrap_or(COUNT);
            at = low;
            while at < COUNT && contains(numbers, at) {
                at += if at % 64 == 0 && numbers[at / 64] == u64::MAX { 64 } else { 1 };
            }
            let range = NumberRange { low: low as u64, high: at as u64 - 1, span };
            self.unit.number_ranges.push(range);
        }
        slice(start, self.unit.number_ranges.len())
    }

    /// `(ioctl class (numbers))`
    pub(super) fn permission_x(&mut self, body: Element<'t>) -> Res<Extended<'t>> {
        let parts: Vec<Element<'t>> = body.children().collect();
        let [operation, class, numbers] = parts[..] else {
            let message = "an operation, a class and numbers are expected";
            let span = self.span(body);
            let error = Diagnostic::error(Code::CilShape, span, message);
            return Err(self.tell(error.help("write `(ioctl CLASS (NUMBER …))`")));
        };
        let word = self.one_of(operation, &[Keyword::Ioctl, Keyword::Nlmsg])?;
        let classes = self.classes(class)?;
        let mut set = none();
        self.add_numbers(numbers, &mut set)?;
        Ok(Extended { operation: (word, operation), classes, numbers: set })
    }

    fn small_number(&mut self, element: Element<'t>) -> Res<usize> {
        let number = self.number(element)?;
        match usize::try_from(number) {
            Ok(number) if number < COUNT => Ok(number),
            _ => {
                let message = format!("{number:#x} is larger than 0xffff");
                let span = self.span(element);
                Err(self.tell(Diagnostic::error(Code::BadNumber, span, message)))
            }
        }
    }

    fn add_numbers(&mut self, element: Element<'t>, into: &mut [u64]) -> Res {
        use Keyword as K;
        self.step(element)?;
        if !element.is_list() {
            let number = self.small_number(element)?;
            into[number / 64] |= 1 << (number % 64);
            return Ok(());
        }
        let mut parts = element.children();
        let operator = parts.next().and_then(|it| Keyword::of(it.word()?));
        let operands: Vec<Element<'t>> = parts.collect();
        match operator {
            Some(K::Range) => {
                let [low, high] = operands[..] else {
                    let span = self.span(element);
                    let message = "`range` takes the first and the last number";
                    return Err(self.tell(Diagnostic::error(Code::CilExpression, span, message)));
                };
                let (from, to) = (self.small_number(low)?, self.small_number(high)?);
                if from > to {
                    let message = format!("the range {from:#x}-{to:#x} does not ascend");
                    let span = self.span(element);
                    return Err(self.tell(Diagnostic::error(Code::BadNumber, span, message)));
                }
                (from..=to).for_each(|it| into[it / 64] |= 1 << (it % 64));
            }
            Some(operator @ (K::And | K::Or | K::Xor | K::Not | K::All)) => {
                self.check_operands(element, operator, operands.len())?;
                self.steps = self.steps.saturating_add(20);
                let mut values = [none(), none()];
                for (value, &operand) in values.iter_mut().zip(&operands) {
                    self.add_numbers(operand, value)?;
                }
                let [a, b] = values;
                for ((bit, a), b) in into.iter_mut().zip(a).zip(b) {
                    *bit |= match operator {
                        K::And => a & b,
                        K::Or => a | b,
                        K::Xor => a ^ b,
                        K::Not => !a,
                        _ => u64::MAX,
                    };
                }
            }
            _ => {
                for part in element.children() {
                    self.add_numbers(part, into)?;
                }
            }
        }
        Ok(())
    }
}
