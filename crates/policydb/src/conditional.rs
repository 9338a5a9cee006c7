//! Conditional blocks: rules that apply while an expression over booleans is true, and others while it is false.
//!
//! Wire form: `u32` state when written, `u32` number of terms, each `u32` kind and `u32` boolean; then two lists of rules.

use std::io;

use crate::avtab::{self, AvRule, OldEntries, XpermPool};
use crate::ids::{BoolId, SymbolId};
use crate::version::PolicyVersion;
use crate::wire::{ReadError, Reader, Writer};

/// The longest chain of pending operands that the kernel evaluates; `COND_EXPR_MAXDEPTH`.
pub const MAX_DEPTH: usize = 10;

/// An `if` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditional {
    /// Value of the expression when the policy was written; `None` if it was undefined.
    pub state: Option<bool>,
    /// The expression in postfix order.
    pub expression: Vec<BoolTerm>,
    /// Rules of the true branch.
    pub when_true: Vec<AvRule>,
    /// Rules of the false branch.
    pub when_false: Vec<AvRule>,
}

/// A term of an expression over booleans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoolTerm {
    /// The value of a boolean.
    Bool(BoolId),
    /// Negates the operand before.
    Not,
    /// `||`
    Or,
    /// `&&`
    And,
    /// `^`
    Xor,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Conditional {
    /// The value of the expression under these booleans; `None`, which disables both branches, if it is malformed.
    pub fn evaluate(&self, state: impl Fn(BoolId) -> Option<bool>) -> Option<bool> {
        let mut stack = [false; MAX_DEPTH];
        let mut depth = 0usize;
        for term in &self.expression {
            let (taken, value) = match *term {
                BoolTerm::Bool(id) => (0, state(id)?),
                BoolTerm::Not => (1, !top(&stack, depth, 1)?),
                binary => {
                    let (a, b) = (top(&stack, depth, 2)?, top(&stack, depth, 1)?);
                    (2, binary.apply(a, b))
                }
            };
            depth -= taken;
            *stack.get_mut(depth)? = value;
            depth += 1;
        }
        if depth == 1 { top(&stack, depth, 1) } else { None }
    }

    /// The booleans of the expression, as often as they stand in it.
    pub fn booleans(&self) -> impl Iterator<Item = BoolId> + '_ {
        self.expression.iter().filter_map(|term| match term {
            BoolTerm::Bool(id) => Some(*id),
            _ => None,
        })
    }

    pub(crate) fn read(
        r: &mut Reader<'_>,
        version: PolicyVersion,
        pool: &mut XpermPool,
    ) -> Result<Self, ReadError> {
        let at = r.offset();
        let state = match r.u32()? {
            0 => Some(false),
            1 => Some(true),
            u32::MAX => None,
            found => return Err(ReadError::expected(at, "a state of 0, 1 or undefined", found)),
        };
        let expression = r.list(8, BoolTerm::read)?;
        let when_true = avtab::read_rules(r, version, pool)?;
        let when_false = avtab::read_rules(r, version, pool)?;
        Ok(Self { state, expression, when_true, when_false })
    }

    pub(crate) fn write_head(&self, w: &mut Writer<'_>) -> io::Result<()> {
        w.u32(self.state.map_or(u32::MAX, u32::from))?;
        w.count(self.expression.len())?;
        self.expression.iter().try_for_each(|term| w.u32s(&term.wire()))
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, pool: &XpermPool) -> io::Result<()> {
        self.write_head(w)?;
        avtab::write_rules(w, &self.when_true, pool)?;
        avtab::write_rules(w, &self.when_false, pool)
    }

    pub(crate) fn write_old(&self, w: &mut Writer<'_>) -> io::Result<()> {
        self.write_head(w)?;
        avtab::write_old_rules(w, &self.when_true, OldEntries::Single)?;
        avtab::write_old_rules(w, &self.when_false, OldEntries::Single)
    }
}

fn top(stack: &[bool], depth: usize, below: usize) -> Option<bool> {
    stack.get(depth.checked_sub(below)?).copied()
}

impl BoolTerm {
    fn apply(self, a: bool, b: bool) -> bool {
        match self {
            Self::Or => a || b,
            Self::And => a && b,
            Self::Xor | Self::NotEqual => a != b,
            Self::Equal => a == b,
            Self::Bool(_) | Self::Not => b,
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let at = r.offset();
        let [kind, boolean] = r.u32s()?;
        match kind {
            1 => BoolId::from_value(boolean)
                .map(Self::Bool)
                .ok_or_else(|| ReadError::expected(at, "a boolean in a condition", boolean)),
            2..=7 if boolean != 0 => {
                Err(ReadError::expected(at, "an operator without a boolean", boolean))
            }
            2 => Ok(Self::Not),
            3 => Ok(Self::Or),
            4 => Ok(Self::And),
            5 => Ok(Self::Xor),
            6 => Ok(Self::Equal),
            7 => Ok(Self::NotEqual),
            _ => Err(ReadError::expected(at, "a condition term of kind 1 to 7", kind)),
        }
    }

    fn wire(self) -> [u32; 2] {
        match self {
            Self::Bool(id) => [1, id.value()],
            Self::Not => [2, 0],
            Self::Or => [3, 0],
            Self::And => [4, 0],
            Self::Xor => [5, 0],
            Self::Equal => [6, 0],
            Self::NotEqual => [7, 0],
        }
    }
}
