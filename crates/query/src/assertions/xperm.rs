//! `xperm`: single ioctl commands and netlink messages.

use std::ops::RangeInclusive;

use mandate_policydb::{ClassId, ExtendedPermissions, PolicyDb, RuleKind, TypeId};
use mandate_server::XpermBase;

use crate::assertions::Tested;
use crate::assertions::error::{Fault, Problem};
use crate::assertions::file::Names;
use crate::lookup;
use crate::rules::Conditions;
use crate::statement::{xperm_ranges, xperm_subject};

/// `ioctl=0x5412`, `nlmsg=16`, `ioctl=0x8910-0x8927`.
#[derive(Clone, Debug)]
pub(crate) struct Commands {
    pub(crate) base: XpermBase,
    pub(crate) numbers: RangeInclusive<u16>,
    /// The bit of the permission that they are under.
    pub(crate) bit: u32,
}

/// All commands that an assertion is about.
pub(crate) fn commands(
    db: &PolicyDb,
    class: ClassId,
    names: Option<&Names>,
) -> Result<Vec<Commands>, Fault> {
    let Some(names) = names else { return Ok(Vec::new()) };
    let found = names.get_ref().as_slice().iter().map(|text| {
        let wrong = |why| Fault::new(names, Problem::Form(why));
        let (base, numbers) = lookup::commands(text).map_err(wrong)?;
        let bit = Fault::at(names, lookup::permission(db, class, base.permission()))?;
        Ok(Commands { base, numbers, bit })
    });
    let found: Vec<Commands> = found.collect::<Result<_, _>>()?;
    if found.is_empty() { Err(Fault::new(names, Problem::NoNames)) } else { Ok(found) }
}

impl Commands {
    /// `ioctl 0x5412`.
    pub(crate) fn told(&self, numbers: &RangeInclusive<u16>) -> String {
        let (base, first, last) = (self.base.permission(), numbers.start(), numbers.end());
        if first == last {
            format!("{base} {first:#06x}")
        } else {
            format!("{base} {first:#06x}-{last:#06x}")
        }
    }

    /// May `source` use any of them on `target` once it has the permission that they are under?
    pub(crate) fn usable(
        &self,
        policy: &Tested<'_>,
        (source, target, class): (TypeId, TypeId, ClassId),
        conditions: &Conditions,
    ) -> bool {
        let (db, sets) = (policy.db(), &policy.sets);
        let (mut ruled, mut named) = (false, false);
        for it in policy.about(&policy.xperms, class, conditions) {
            let rule = it.rule;
            if sets.members(rule.source).has(source) && sets.members(rule.target).has(target) {
                ruled |= conditions.always(it.place);
                named |= rule.kind == RuleKind::AllowXperm
                    && db.xperms.of(rule).is_some_and(|it| self.are_among(it));
            }
        }
        named || !ruled
    }

    fn are_among(&self, permissions: &ExtendedPermissions) -> bool {
        let (first, last) = (u32::from(*self.numbers.start()), u32::from(*self.numbers.end()));
        xperm_subject(permissions) == self.base.permission()
            && xperm_ranges(permissions).iter().any(|it| it.0 <= last && first <= it.1)
    }
}
