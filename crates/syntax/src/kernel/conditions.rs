//! The expressions of conditional blocks.

use super::ast::{CondTerm, Slice};
use super::expressions::{Grammar, Operator};
use super::parser::{Parser, Read, pool_index};

impl Parser<'_> {
    pub(super) fn condition(&mut self) -> Read<Slice> {
        let start = pool_index(self.unit.cond_terms.len());
        self.expression(&Grammar {
            operand: Self::condition_operand,
            emit: Self::condition_operator,
            comparisons: true,
        })?;
        Ok(Slice { start, end: pool_index(self.unit.cond_terms.len()) })
    }

    fn condition_operand(&mut self) -> Read<()> {
        let ident = self.ident("a boolean")?;
        self.unit.cond_terms.push(CondTerm::Bool(ident));
        Ok(())
    }

    fn condition_operator(&mut self, operator: Operator) {
        self.unit.cond_terms.push(match operator {
            Operator::Not => CondTerm::Not,
            Operator::Or => CondTerm::Or,
            Operator::Xor => CondTerm::Xor,
            Operator::Eq => CondTerm::Eq,
            Operator::Ne => CondTerm::Ne,
            Operator::And | Operator::Open(_) => CondTerm::And,
        });
    }
}
