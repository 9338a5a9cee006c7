//! Conditions of conditional blocks. Negations in front go, with the branches swapped; blocks of the same condition are one.

use mandate_policydb::{BoolId, BoolTerm, Conditional, MAX_CONDITION_DEPTH, SymbolId};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{CondTerm, Slice};
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use super::resolve::Resolver;
use super::tree::{BlockId, small};

/// Up to so many booleans conditions are compared by their values, beyond by their terms.
const COMPARED: usize = 5;

/// A condition.
#[derive(Debug)]
pub(crate) struct Condition {
    terms: Vec<BoolTerm>,
    state: Option<bool>,
    /// Of a condition over tunables: its value, which is final.
    pub(crate) tunable: Option<bool>,
}

/// What makes two conditions one.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Sameness {
    /// The booleans by value, the results by their order, and the results by the order in which they stand: libsepol
    /// goes by the last alone, which takes `a && !b` for `b && !a`; ours have to be the same by both.
    Results(Vec<BoolId>, u32, u32),
    Terms(Vec<BoolTerm>),
}

/// All conditional blocks.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    blocks: Vec<Conditional>,
    places: FxHashMap<Sameness, u32>,
}

impl Conditions {
    /// The block of this condition, and whether its branches are the other way round.
    pub(crate) fn add(&mut self, mut condition: Condition) -> (u32, bool) {
        let mut swapped = false;
        while condition.terms.last() == Some(&BoolTerm::Not) {
            condition.terms.pop();
            condition.state = condition.state.map(|it| !it);
            swapped = !swapped;
        }
        let next = small(self.blocks.len());
        let index = *self.places.entry(sameness(&condition.terms)).or_insert(next);
        if index == next {
            self.blocks.push(Conditional {
                state: condition.state,
                expression: condition.terms,
                when_true: Vec::new(),
                when_false: Vec::new(),
            });
        }
        (index, swapped)
    }

    /// The blocks, without rules, in the order of their first appearance.
    pub(crate) fn take(&mut self) -> Vec<Conditional> {
        std::mem::take(&mut self.blocks)
    }
}

fn sameness(terms: &[BoolTerm]) -> Sameness {
    let mut booleans: Vec<BoolId> = Vec::new();
    for term in terms {
        match term {
            BoolTerm::Bool(id) if !booleans.contains(id) => booleans.push(*id),
            _ => {}
        }
    }
    if booleans.len() > COMPARED {
        return Sameness::Terms(terms.to_vec());
    }
    let as_written = results(terms, &booleans);
    booleans.sort_unstable();
    let by_value = results(terms, &booleans);
    Sameness::Results(booleans, by_value, as_written)
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

impl Resolver<'_, '_> {
    /// Resolves a condition; nothing after an error.
    pub(crate) fn condition(
        &mut self,
        block: BlockId,
        span: Span,
        expression: Slice,
    ) -> Option<Condition> {
        let written = &self.tree.part(block).unit.cond_terms[expression.range()];
        let mut terms = Vec::with_capacity(written.len());
        let mut states: Vec<(BoolId, bool)> = Vec::new();
        let (mut known, mut tunables, mut booleans) = (true, false, false);
        for (term, number) in written.iter().zip(1..) {
            terms.push(match *term {
                CondTerm::Not => BoolTerm::Not,
                CondTerm::Or => BoolTerm::Or,
                CondTerm::And => BoolTerm::And,
                CondTerm::Xor => BoolTerm::Xor,
                CondTerm::Eq => BoolTerm::Equal,
                CondTerm::Ne => BoolTerm::NotEqual,
                CondTerm::Bool(ident) => {
                    let name = self.tree.part(block).name(ident);
                    let Some(symbol) = self.symbols.boolean(name).copied() else {
                        self.unknown_boolean(block, ident);
                        known = false;
                        continue;
                    };
                    tunables |= symbol.tunable;
                    booleans |= !symbol.tunable;
                    // A tunable has no value of its own; within the condition its place will do.
                    let value = if symbol.tunable { number } else { symbol.value };
                    let id = BoolId::from_value(value)?;
                    states.push((id, symbol.state));
                    BoolTerm::Bool(id)
                }
            });
        }
        if !known {
            return None;
        }
        if tunables && booleans {
            let message = "a condition has tunables and booleans together";
            self.report.add(
                Diagnostic::error(Code::BadExpression, span, message)
                    .note("tunables are decided when the policy is built, booleans when it runs")
                    .help("nest nothing: write a condition over tunables or one over booleans"),
            );
            return None;
        }
        let state = |id| states.iter().find(|it| it.0 == id).map(|it| it.1);
        let mut condition = Conditional {
            state: None,
            expression: terms,
            when_true: Vec::new(),
            when_false: Vec::new(),
        };
        condition.state = condition.evaluate(state);
        if condition.state.is_none() {
            let message = format!(
                "the condition is malformed, or has more than {MAX_CONDITION_DEPTH} operands that wait"
            );
            self.report.add(Diagnostic::error(Code::BadExpression, span, message));
            return None;
        }
        let tunable = if tunables { condition.state } else { None };
        Some(Condition { terms: condition.expression, state: condition.state, tunable })
    }
}
