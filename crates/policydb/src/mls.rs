//! Levels and ranges of multi-level security.
//!
//! Wire form of a level: `u32` sensitivity, category bitmap. Of a range: `u32` number of levels (1 when low and high
//! are equal), that many sensitivities, that many category bitmaps. A policy without MLS has sensitivity 0 throughout.

use std::cmp::Ordering;
use std::io;

use crate::ebitmap::Ebitmap;
use crate::ids::{SensitivityId, SymbolId};
use crate::wire::{ReadError, Reader, Writer};

/// A sensitivity with a set of categories.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MlsLevel {
    /// The sensitivity; by value, so a higher one dominates.
    pub sensitivity: SensitivityId,
    /// Bits of the categories.
    pub categories: Ebitmap,
}

/// A low and a high level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MlsRange {
    /// The low or effective level.
    pub low: MlsLevel,
    /// The high level or clearance.
    pub high: MlsLevel,
}

impl MlsLevel {
    /// Does this level dominate `other`: sensitivity not lower, and every category of it?
    pub fn dominates(&self, other: &Self) -> bool {
        self.sensitivity >= other.sensitivity && self.categories.is_superset(&other.categories)
    }

    /// How two levels stand to each other; `None` when neither dominates.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.dominates(other), other.dominates(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }

    /// Reads the wire form.
    pub fn read(r: &mut Reader<'_>) -> Result<Option<Self>, ReadError> {
        let sensitivity = r.u32()?;
        level(r.offset(), sensitivity, Ebitmap::read(r)?)
    }

    /// Writes the wire form.
    pub fn write(w: &mut Writer<'_>, level: Option<&Self>) -> io::Result<()> {
        match level {
            Some(level) => {
                w.u32(level.sensitivity.value())?;
                level.categories.write(w)
            }
            None => {
                w.u32(0)?;
                Ebitmap::new().write(w)
            }
        }
    }
}

fn level(at: usize, sensitivity: u32, categories: Ebitmap) -> Result<Option<MlsLevel>, ReadError> {
    match SensitivityId::from_value(sensitivity) {
        Some(sensitivity) => Ok(Some(MlsLevel { sensitivity, categories })),
        None if categories.is_empty() => Ok(None),
        None => {
            Err(ReadError::expected(at, "a level without sensitivity to have no category", 0u32))
        }
    }
}

impl MlsRange {
    /// The range of one level.
    pub fn single(level: MlsLevel) -> Self {
        Self { low: level.clone(), high: level }
    }

    /// Does `inner` lie within this range?
    pub fn contains(&self, inner: &Self) -> bool {
        inner.low.dominates(&self.low) && self.high.dominates(&inner.high)
    }

    /// Reads the wire form.
    pub fn read(r: &mut Reader<'_>) -> Result<Option<Self>, ReadError> {
        let at = r.offset();
        let levels = r.u32()?;
        if !(1..=2).contains(&levels) {
            return Err(ReadError::expected(at, "a range of 1 or 2 levels", levels));
        }
        let low_sensitivity = r.u32()?;
        let high_sensitivity = if levels == 2 { r.u32()? } else { low_sensitivity };
        let low_categories = Ebitmap::read(r)?;
        let high_categories = if levels == 2 { Ebitmap::read(r)? } else { low_categories.clone() };
        let low = level(at, low_sensitivity, low_categories)?;
        match (low, level(at, high_sensitivity, high_categories)?) {
            (Some(low), Some(high)) => Ok(Some(Self { low, high })),
            (None, None) => Ok(None),
            _ => Err(ReadError::expected(at, "a range with two levels or none", 1u32)),
        }
    }

    /// Writes the wire form.
    pub fn write(w: &mut Writer<'_>, range: Option<&Self>) -> io::Result<()> {
        let Some(range) = range else {
            w.u32(1)?;
            return MlsLevel::write(w, None);
        };
        if range.low == range.high {
            w.u32(1)?;
            return MlsLevel::write(w, Some(&range.low));
        }
        w.u32s(&[2, range.low.sensitivity.value(), range.high.sensitivity.value()])?;
        range.low.categories.write(w)?;
        range.high.categories.write(w)
    }
}
