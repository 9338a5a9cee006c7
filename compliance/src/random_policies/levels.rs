//! Levels and ranges, as statements and contexts spell them.

use super::dice::Word;
use super::draft::Draft;

/// A sensitivity and its categories, sorted.
#[derive(Clone, Debug)]
struct Level {
    rank: usize,
    categories: Vec<usize>,
}

impl Draft {
    /// A range; its ends are one level half of the time.
    pub(super) fn range(&mut self) -> String {
        self.range_with("-")
    }

    /// The same as statements spell it.
    pub(super) fn range_in_statement(&mut self) -> String {
        self.range_with(" - ")
    }

    fn range_with(&mut self, dash: &str) -> String {
        let low = self.level(0, 0, 2);
        if self.dice.chance(50) {
            return self.show(&low);
        }
        let mut high = self.level(low.rank, 0, 2);
        let span = self.spans[high.rank];
        high.add(&low.categories, span);
        format!("{}{dash}{}", self.show(&low), self.show(&high))
    }

    /// Default level and range of a user; most reach high.
    pub(super) fn user_levels(&mut self) -> String {
        let span = self.spans[2];
        let mut low = Level { rank: 0, categories: Vec::new() };
        if self.dice.chance(12) {
            low = self.level(0, 0, 2);
            low.categories.retain(|category| (span.0..=span.1).contains(category));
        }
        let least = if self.dice.chance(80) { 3 } else { 0 };
        let mut high = self.level(2, least, 3);
        high.add(&low.categories, span);
        let (low, high) = (self.show(&low), self.show(&high));
        format!(" level {low} range {low} - {high}")
    }

    /// A level of at least this sensitivity.
    fn level(&mut self, rank: usize, fewest: usize, most: usize) -> Level {
        let rank = self.dice.between(rank, 2);
        let (first, last) = self.spans[rank];
        let all: Vec<usize> = (first..=last).collect();
        let mut categories = self.dice.some(&all, fewest, most);
        categories.sort_unstable();
        Level { rank, categories }
    }

    /// One of the ways to spell a level.
    fn show(&mut self, level: &Level) -> String {
        const NAMES: [&[Word]; 3] = [&["s0"], &["s1", "s1", "mid"], &["s2"]];
        let mut text = self.dice.one(NAMES[level.rank]).to_owned();
        if let (Some(first), Some(last)) = (level.categories.first(), level.categories.last()) {
            let whole = last - first + 1 == level.categories.len() && first < last;
            if whole && self.dice.chance(70) {
                return format!("{text}:c{first}.c{last}");
            }
            let names: Vec<String> = level.categories.iter().map(|n| format!("c{n}")).collect();
            text += &format!(":{}", names.join(","));
        }
        text
    }
}

impl Level {
    /// Adds the categories that lie within the span.
    fn add(&mut self, categories: &[usize], (first, last): (usize, usize)) {
        self.categories.extend(categories.iter().filter(|it| (first..=last).contains(it)));
        self.categories.sort_unstable();
        self.categories.dedup();
    }
}
