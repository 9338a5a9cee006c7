//! Names of levels, and back: `setrans.conf(5)`, `mcstransd(8)`.
//!
//! A *domain* has names for whole ranges, as written; and names put together from a *base*, a sensitivity with categories, and *words* of
//! *modifier groups*, which add categories (`c1`) or take such away as the group has by default (`~c1`).

mod compute;
mod read;
#[cfg(test)]
mod tests;

pub use read::{FileError, Include};

use rustc_hash::FxHashMap;

use crate::Bytes;
use crate::context::Parts;
use crate::levels::{Categories, Level};

/// Categories are numbers below this.
const CATEGORIES: u32 = 1024;

/// A `setrans.conf` with all it includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setrans {
    domains: Vec<Domain>,
    constraints: Vec<Constraint>,
    /// All categories that bases, words, defaults and constraints speak of are below.
    limit: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Domain {
    /// A range as written, and its first name.
    names: FxHashMap<Bytes, Bytes>,
    /// A name, and its first range.
    ranges: FxHashMap<Bytes, Bytes>,
    /// Ranges in the order of the file, for listings.
    listed: Vec<Bytes>,
    bases: Vec<Base>,
    groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Base {
    name: Bytes,
    level: Level,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: Bytes,
    /// Bytes that may stand between words, and around them.
    whitespace: Bytes,
    /// What is written between words.
    join: Bytes,
    /// One of them must stand before the words, unless a suffix stands behind; the first is what is written.
    prefixes: Vec<Bytes>,
    suffixes: Vec<Bytes>,
    /// Categories that are there as long as no word takes them away.
    default: Categories,
    words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    text: Bytes,
    /// The default of the group at that line, changed by the word.
    categories: Categories,
    /// What it adds to that default.
    added: Categories,
    /// What it takes from it.
    taken: Categories,
}

/// A level that breaks a constraint has no name, and no name gives such a level.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Constraint {
    /// The sensitivity has none of the categories.
    Sensitivity(u32, Categories),
    /// With any category of the first set, none of the second.
    Excludes(Categories, Categories),
    /// With any category of the first set, all of the second.
    Requires(Categories, Categories),
}

impl Constraint {
    fn allows(&self, level: &Level) -> bool {
        let has = |it: &Categories| !level.categories.and(it).is_empty();
        match self {
            Self::Sensitivity(sensitivity, categories) => {
                *sensitivity != level.sensitivity || !has(categories)
            }
            Self::Excludes(with, none) => !has(with) || !has(none),
            Self::Requires(with, all) => !has(with) || level.categories.contains(all),
        }
    }
}

impl Setrans {
    /// The name of a raw range; the range itself if it has none.
    ///
    /// Of a range with `-`, each level is named by the first domain, unless that has a name for the whole.
    pub fn to_name(&self, range: &[u8]) -> Vec<u8> {
        self.translate(
            range,
            |domain| &domain.names,
            |domain, level| self.compute_name(domain, level),
        )
    }

    /// The raw range that a name stands for; the name itself if it stands for none. The reverse of [`Self::to_name`], as far as names are clear.
    pub fn to_raw(&self, name: &[u8]) -> Vec<u8> {
        self.translate(
            name,
            |domain| &domain.ranges,
            |domain, level| self.compute_raw(domain, level),
        )
    }

    /// A context with the name of its range; `None` if it is no context, or has no range.
    pub fn context_to_name(&self, context: &[u8]) -> Option<Vec<u8>> {
        with_range(context, |range| self.to_name(range))
    }

    /// A context with the raw range that its range stands for; `None` if it is no context, or has no range.
    pub fn context_to_raw(&self, context: &[u8]) -> Option<Vec<u8>> {
        with_range(context, |range| self.to_raw(range))
    }

    /// Ranges that have names as a whole, and these, in the order of the files.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.domains.iter().flat_map(|domain| {
            domain.listed.iter().filter_map(|it| Some((&**it, &**domain.names.get(it)?)))
        })
    }

    fn translate(
        &self,
        text: &[u8],
        table: impl Fn(&Domain) -> &FxHashMap<Bytes, Bytes>,
        compute: impl Fn(&Domain, &[u8]) -> Option<Vec<u8>>,
    ) -> Vec<u8> {
        let dash = text.iter().position(|&it| it == b'-');
        for domain in &self.domains {
            if let Some(found) = table(domain).get(text) {
                return found.to_vec();
            }
            let level = |level: &[u8]| {
                let found = table(domain).get(level).map(|it| it.to_vec());
                found.or_else(|| compute(domain, level))
            };
            let Some((low, high)) =
                dash.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)))
            else {
                if let Some(found) = compute(domain, text) {
                    return found;
                }
                continue;
            };
            let low = level(low).unwrap_or_else(|| low.to_vec());
            let high = level(high).unwrap_or_else(|| high.to_vec());
            return if low == high { low } else { [low, high].join(&b'-') };
        }
        text.to_vec()
    }

    fn allows(&self, level: &Level) -> bool {
        self.constraints.iter().all(|it| it.allows(level))
    }
}

fn with_range(context: &[u8], translate: impl Fn(&[u8]) -> Vec<u8>) -> Option<Vec<u8>> {
    let parts = Parts::of(context)?;
    let range = translate(parts.range?);
    Some(Parts { range: Some(&range), ..parts }.join())
}
