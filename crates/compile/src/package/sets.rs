//! Sets of types and roles as written, and levels by value.

use std::io;

use mandate_policydb::Ebitmap;
use mandate_policydb::wire::{ReadError, Reader, Writer};

/// `*`: all.
pub(crate) const STAR: u32 = 1;
/// `~`: all others.
pub(crate) const COMPLEMENT: u32 = 2;

/// A set of types and attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TypeSet {
    pub(crate) types: Ebitmap,
    pub(crate) excluded: Ebitmap,
    pub(crate) flags: u32,
}

impl TypeSet {
    pub(crate) fn is_empty(&self) -> bool {
        self.types.is_empty() && self.excluded.is_empty() && self.flags == 0
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Self { types: Ebitmap::read(r)?, excluded: Ebitmap::read(r)?, flags: r.u32()? })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        self.types.write(w)?;
        self.excluded.write(w)?;
        w.u32(self.flags)
    }
}

/// A set of roles and role attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RoleSet {
    pub(crate) roles: Ebitmap,
    pub(crate) flags: u32,
}

impl RoleSet {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Self { roles: Ebitmap::read(r)?, flags: r.u32()? })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        self.roles.write(w)?;
        w.u32(self.flags)
    }
}

/// A level as written: a sensitivity (0: none) and ranges of categories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WrittenLevel {
    pub(crate) sensitivity: u32,
    pub(crate) categories: Vec<[u32; 2]>,
}

impl WrittenLevel {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Self { sensitivity: r.u32()?, categories: r.list(8, |r| r.u32s())? })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        w.u32(self.sensitivity)?;
        w.count(self.categories.len())?;
        self.categories.iter().try_for_each(|it| w.u32s(it))
    }

    /// Of a level by value: neighbouring categories become a range.
    pub(crate) fn of(sensitivity: u32, categories: &Ebitmap) -> Self {
        let mut ranges: Vec<[u32; 2]> = Vec::new();
        for value in categories.iter().filter_map(|bit| bit.checked_add(1)) {
            match ranges.last_mut() {
                Some(last) if last[1] + 1 == value => last[1] = value,
                _ => ranges.push([value, value]),
            }
        }
        Self { sensitivity, categories: ranges }
    }

    /// Bits of its categories; none is above `most`.
    pub(crate) fn bits(&self, most: u32) -> Ebitmap {
        let mut bits = Ebitmap::new();
        for &[low, high] in self.categories.iter().filter(|it| it[0] > 0) {
            if low <= high.min(most) {
                bits.insert_range(low - 1, high.min(most) - 1);
            }
        }
        bits
    }
}

/// A low and a high level as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WrittenRange {
    pub(crate) low: WrittenLevel,
    pub(crate) high: WrittenLevel,
}

impl WrittenRange {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Self { low: WrittenLevel::read(r)?, high: WrittenLevel::read(r)? })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        self.low.write(w)?;
        self.high.write(w)
    }

    /// The expanded form of ranges: one level or two, sensitivities first.
    pub(crate) fn read_expanded(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let at = r.offset();
        let count = r.u32()?;
        if !(1..=2).contains(&count) {
            return Err(ReadError::expected(at, "a range of 1 or 2 levels", count));
        }
        let low = r.u32()?;
        let high = if count == 2 { r.u32()? } else { low };
        let low = WrittenLevel::of(low, &Ebitmap::read(r)?);
        let high = match count {
            2 => WrittenLevel::of(high, &Ebitmap::read(r)?),
            _ => low.clone(),
        };
        Ok(Self { low, high })
    }

    pub(crate) fn write_expanded(&self, w: &mut Writer<'_>) -> io::Result<()> {
        let levels =
            if self.low == self.high { vec![&self.low] } else { vec![&self.low, &self.high] };
        w.count(levels.len())?;
        levels.iter().try_for_each(|it| w.u32(it.sensitivity))?;
        levels.iter().try_for_each(|it| it.bits(0xffff).write(w))
    }
}
