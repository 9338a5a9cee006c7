//! Conditional rules: expressions over booleans and tunables, and what each of them switches.

use mandate_syntax::codes::Code;
use mandate_syntax::kernel::ast::{CondTerm, Slice, Statement, StatementKind};

use super::Raiser;
use crate::package::rules::{Conditional, Rule};
use crate::package::symbols::{Kind, TUNABLE};

impl<'a> Raiser<'a> {
    pub(super) fn conditional(
        &mut self,
        expression: Slice,
        then: &'a [Statement],
        otherwise: &'a [Statement],
    ) {
        let mut terms = Vec::new();
        let (mut tunables, mut booleans) = (false, false);
        for term in &self.unit.cond_terms[expression.range()] {
            terms.push(match term {
                CondTerm::Bool(ident) => {
                    let Some(at) = self.find(Kind::Booleans, *ident) else { continue };
                    let it = &self.db.symbols.booleans.entries[at];
                    let tunable = it.flags & TUNABLE != 0;
                    let value = it.value;
                    tunables |= tunable;
                    booleans |= !tunable;
                    if tunables && booleans {
                        let message = "booleans and tunables in one condition".to_owned();
                        self.error(Code::WrongKind, ident.span, message);
                    }
                    [1, value]
                }
                CondTerm::Not => [2, 0],
                CondTerm::Or => [3, 0],
                CondTerm::And => [4, 0],
                CondTerm::Xor => [5, 0],
                CondTerm::Eq => [6, 0],
                CondTerm::Ne => [7, 0],
            });
        }
        let (mut then, mut otherwise) =
            (self.conditional_rules(then), self.conditional_rules(otherwise));
        // `!` over all of it changes the branches.
        while terms.last() == Some(&[2, 0]) {
            terms.pop();
            std::mem::swap(&mut then, &mut otherwise);
        }
        let flags = u32::from(tunables);
        let state = 0;
        let conditionals = &mut self.branch().conditionals;
        match conditionals.iter_mut().find(|it| same(&it.expression, &terms)) {
            Some(known) => {
                known.then.extend(then);
                known.otherwise.extend(otherwise);
                known.flags |= flags;
            }
            // The newest stands first.
            None => conditionals
                .insert(0, Conditional { state, expression: terms, then, otherwise, flags }),
        }
    }

    fn conditional_rules(&mut self, statements: &'a [Statement]) -> Vec<Rule> {
        let mut rules = Vec::new();
        for statement in statements {
            match &statement.kind {
                StatementKind::Av(rule) => rules.push(self.av_rule(rule)),
                StatementKind::Xperm(rule) => rules.extend(self.xperm_rules(rule)),
                StatementKind::TypeRule(rule) => {
                    self.type_rule(statement.span, rule, Some(&mut rules));
                }
                StatementKind::Require(_) => {}
                _ => {
                    let message = "this statement may not be conditional".to_owned();
                    self.error(Code::NotAllowedHere, statement.span, message);
                }
            }
        }
        rules
    }
}

/// Expressions of at most so many booleans are the same if they say the same.
const MOST_BOOLEANS: usize = 5;

fn same(a: &[[u32; 2]], b: &[[u32; 2]]) -> bool {
    match (truth(a), truth(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// The booleans of an expression, and its value for each of their states.
fn truth(terms: &[[u32; 2]]) -> Option<(Vec<u32>, u32)> {
    let mut booleans: Vec<u32> = terms.iter().filter(|it| it[0] == 1).map(|it| it[1]).collect();
    booleans.sort_unstable();
    booleans.dedup();
    if booleans.len() > MOST_BOOLEANS {
        return None;
    }
    let mut table = 0;
    for state in 0..1u32 << booleans.len() {
        let mut stack: Vec<bool> = Vec::new();
        for &[kind, boolean] in terms {
            let value = match kind {
                1 => state >> booleans.binary_search(&boolean).ok()? & 1 == 1,
                2 => !stack.pop()?,
                _ => {
                    let (right, left) = (stack.pop()?, stack.pop()?);
                    match kind {
                        3 => left || right,
                        4 => left && right,
                        5 | 7 => left != right,
                        _ => left == right,
                    }
                }
            };
            stack.push(value);
        }
        table |= u32::from(stack.pop()?) << state;
    }
    Some((booleans, table))
}
