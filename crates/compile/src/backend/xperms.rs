//! Extended permissions: from ranges of numbers to the pieces that rules hold.

use mandate_policydb::{ExtendedPermissions, XpermForm};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::XpermRule;

use super::resolve::Resolver;
use super::tree::BlockId;

/// The highest number.
const LAST: u64 = 0xffff;

/// 65536 bits.
type Numbers = Box<[u32; 2048]>;

impl Resolver<'_, '_> {
    /// The pieces of a rule's extended permissions; none after an error.
    pub(crate) fn extended_permissions(
        &mut self,
        block: BlockId,
        rule: &XpermRule,
    ) -> Option<Vec<ExtendedPermissions>> {
        let part = self.tree.part(block);
        let operation = part.text(rule.operation);
        let nlmsg = match operation {
            "ioctl" => false,
            "nlmsg" => true,
            other => {
                let message = format!("there are no extended permissions of `{other}`");
                self.report.add(
                    Diagnostic::error(Code::UnexpectedToken, rule.operation.span, message)
                        .help("write `ioctl` or `nlmsg`"),
                );
                return None;
            }
        };
        let numbers = self.numbers(block, rule)?;
        Some(if nlmsg { messages(&numbers) } else { commands(&numbers) })
    }

    fn numbers(&mut self, block: BlockId, rule: &XpermRule) -> Option<Numbers> {
        let ranges = &self.tree.part(block).unit.number_ranges[rule.ranges.range()];
        let mut numbers: Numbers = Box::new([0; 2048]);
        for range in ranges {
            let message = if range.low > LAST || range.high > LAST {
                "an extended permission is at most 0xffff".to_owned()
            } else if range.low > range.high {
                format!("the range {:#x}-{:#x} does not ascend", range.low, range.high)
            } else {
                for number in range.low..=range.high {
                    let at = usize::try_from(number).unwrap_or(0);
                    numbers[at / 32] |= 1 << (at % 32);
                }
                continue;
            };
            self.report.add(Diagnostic::error(Code::BadNumber, range.span, message));
            return None;
        }
        if rule.complement {
            numbers.iter_mut().for_each(|word| *word = !*word);
        }
        Some(numbers)
    }
}

/// The 256 bits of each high byte.
fn drivers(numbers: &Numbers) -> impl Iterator<Item = (u8, [u32; 8])> {
    (0..=u8::MAX).zip(numbers.chunks_exact(8)).map(|(driver, chunk)| {
        let mut bits = [0; 8];
        bits.copy_from_slice(chunk);
        (driver, bits)
    })
}

const NONE: [u32; 8] = [0; 8];
const ALL: [u32; 8] = [u32::MAX; 8];

/// `ioctl`: drivers that are meant whole in one piece, then a piece for each of the others.
fn commands(numbers: &Numbers) -> Vec<ExtendedPermissions> {
    let mut whole = NONE;
    let mut pieces = Vec::new();
    for (driver, bits) in drivers(numbers) {
        if bits == ALL {
            whole[usize::from(driver / 32)] |= 1 << (driver % 32);
        } else if bits != NONE {
            pieces.push(ExtendedPermissions { form: XpermForm::IoctlFunction, driver, bits });
        }
    }
    if whole != NONE {
        let form = XpermForm::IoctlDriver;
        pieces.insert(0, ExtendedPermissions { form, driver: 0, bits: whole });
    }
    pieces
}

/// `nlmsg`: a piece for each high byte.
fn messages(numbers: &Numbers) -> Vec<ExtendedPermissions> {
    let used = drivers(numbers).filter(|it| it.1 != NONE);
    used.map(|(driver, bits)| ExtendedPermissions { form: XpermForm::Nlmsg, driver, bits })
        .collect()
}
