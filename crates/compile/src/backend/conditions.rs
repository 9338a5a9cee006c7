//! Conditions of conditional blocks. Negations in front go, with the branches swapped; blocks of the same condition are one.

use mandate_policydb::{
    BoolId, BoolTerm, ConditionKey, Conditional, MAX_CONDITION_DEPTH, SymbolId,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{CondTerm, Slice};
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use super::resolve::Resolver;
use super::tree::{BlockId, small};

/// A condition.
#[derive(Debug)]
pub(crate) struct Condition {
    terms: Vec<BoolTerm>,
    state: Option<bool>,
    /// Of a condition over tunables: its value, which is final.
    pub(crate) tunable: Option<bool>,
}

/// All conditional blocks.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    blocks: Vec<Conditional>,
    places: FxHashMap<ConditionKey, u32>,
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
        let index = *self.places.entry(ConditionKey::of(&condition.terms)).or_insert(next);
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
