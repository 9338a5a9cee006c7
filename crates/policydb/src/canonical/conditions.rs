//! Which conditions are one.

use crate::conditional::{BoolTerm, Conditional};
use crate::ids::BoolId;

/// Up to so many booleans conditions are compared by their values, beyond by their terms.
const COMPARED: usize = 5;

/// What makes two conditions one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConditionKey(Key);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// The booleans by value, the results by their order, and the results by the order in which they stand: libsepol
    /// goes by the last alone, which takes `a && !b` for `b && !a`; ours have to be the same by both.
    Results(Vec<BoolId>, u32, u32),
    Terms(Vec<BoolTerm>),
}

impl ConditionKey {
    /// The key of an expression in postfix order.
    pub fn of(terms: &[BoolTerm]) -> Self {
        let mut booleans: Vec<BoolId> = Vec::new();
        for term in terms {
            match term {
                BoolTerm::Bool(id) if !booleans.contains(id) => booleans.push(*id),
                _ => {}
            }
            if booleans.len() > COMPARED {
                return Self(Key::Terms(terms.to_vec()));
            }
        }
        let as_written = results(terms, &booleans);
        booleans.sort_unstable();
        let by_value = results(terms, &booleans);
        Self(Key::Results(booleans, by_value, as_written))
    }
}

/// The results for all values of these booleans, one bit each.
fn results(terms: &[BoolTerm], booleans: &[BoolId]) -> u32 {
    let block = Conditional {
        state: None,
        expression: terms.to_vec(),
        when_true: Vec::new(),
        when_false: Vec::new(),
    };
    (0..1u32 << booleans.len())
        .filter(|values| {
            let value = |id| Some(values >> booleans.iter().position(|&it| it == id)? & 1 == 1);
            block.evaluate(value) == Some(true)
        })
        .fold(0, |bits, values| bits | 1 << values)
}
