//! What a draft draws from.

use crate::random::Random;

/// Words that the policy is made of.
pub(super) type Word = &'static str;

/// Draws words and sets of words.
#[derive(Clone, Debug)]
pub(super) struct Dice(Random);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.0.chance(percent)
    }

    /// Both ends included.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        self.0.between(low, high)
    }

    pub(super) fn one(&mut self, list: &[Word]) -> Word {
        self.0.pick(list).copied().unwrap_or_default()
    }

    /// The first word so many times in a hundred, else the second.
    pub(super) fn either(&mut self, percent: usize, often: Word, seldom: Word) -> Word {
        if self.chance(percent) { often } else { seldom }
    }

    /// From `low` to `high` different elements, in any order.
    pub(super) fn some<T: Clone>(&mut self, list: &[T], low: usize, high: usize) -> Vec<T> {
        let count = self.between(low, high.max(low)).min(list.len());
        let mut left = list.to_vec();
        (0..count).map(|_| left.swap_remove(self.0.below(left.len()))).collect()
    }

    /// From `low` to `high` different words in braces.
    pub(super) fn set(&mut self, list: &[Word], low: usize, high: usize) -> String {
        format!("{{ {} }}", self.some(list, low, high).join(" "))
    }

    /// What `draw` gives, from `low` to `high` times.
    pub(super) fn many(
        &mut self,
        low: usize,
        high: usize,
        mut draw: impl FnMut(&mut Self) -> String,
    ) -> String {
        (0..self.between(low, high)).map(|_| draw(self)).collect()
    }
}
