//! Constraints: expressions over two or three security contexts, in postfix order.
//!
//! Wire form: `u32` permissions, `u32` number of terms; each term `u32` kind, `u32` attribute, `u32` operator, and for
//! a set of names a bitmap, from version 29 followed by the set as written: types, excluded types, `u32` flags.

use std::io;

use crate::ebitmap::Ebitmap;
use crate::version::PolicyVersion;
use crate::wire::{ReadError, Reader, Writer};

/// The longest chain of pending operands; the kernel's `CEXPR_MAXDEPTH`.
pub const MAX_DEPTH: usize = 5;

/// `constrain`, `mlsconstrain`, `validatetrans` or `mlsvalidatetrans`, for one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// Bits of the permissions it applies to; 0 for a `validatetrans`.
    pub permissions: u32,
    /// The expression in postfix order.
    pub expression: Vec<Term>,
}

/// One term of a constraint expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Negates the operand before.
    Not,
    /// Both of the two operands before.
    And,
    /// Either of the two operands before.
    Or,
    /// Compares an attribute of one context with one of another.
    Compare(Comparison, Operator),
    /// Compares an attribute with a set.
    Names(NameSet),
}

/// What [`Term::Compare`] compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `u1 u2`
    User,
    /// `r1 r2`
    Role,
    /// `t1 t2`
    Type,
    /// `l1 l2`: low of the source, low of the target.
    L1L2,
    /// `l1 h2`
    L1H2,
    /// `h1 l2`
    H1L2,
    /// `h1 h2`
    H1H2,
    /// `l1 h1`: both of the source.
    L1H1,
    /// `l2 h2`: both of the target.
    L2H2,
}

/// A comparison operator. Only levels and roles have the last three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `dom`
    Dominates,
    /// `domby`
    DominatedBy,
    /// `incomp`
    Incomparable,
}

/// Which part of a context [`NameSet`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The user.
    User,
    /// The role.
    Role,
    /// The type.
    Type,
}

/// Whose context a [`NameSet`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// `u1 r1 t1`: the source, or the old context of a `validatetrans`.
    Source,
    /// `u2 r2 t2`: the target, or the new context of a `validatetrans`.
    Target,
    /// `u3 r3 t3`: the process of a `validatetrans`.
    Process,
}

/// A part of a context compared with a set of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameSet {
    /// User, role or type.
    pub part: Part,
    /// Of which context.
    pub whose: Whose,
    /// `!=` in place of `==`.
    pub negated: bool,
    /// Bits of the symbols, attributes expanded.
    pub names: Ebitmap,
    /// The set as written. From version 29.
    pub written: TypeSet,
}

/// A set of types as written, attributes kept. Empty for users and roles and before version 29.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeSet {
    /// Bits of the types and attributes.
    pub types: Ebitmap,
    /// Bits of those taken away.
    pub excluded: Ebitmap,
    /// 1: all types (`*`); 2: the complement (`~`).
    pub flags: u32,
}

const KIND_NOT: u32 = 1;
const KIND_AND: u32 = 2;
const KIND_OR: u32 = 3;
const KIND_COMPARE: u32 = 4;
const KIND_NAMES: u32 = 5;
const TARGET: u32 = 8;
const PROCESS: u32 = 16;

const COMPARISONS: [(u32, Comparison); 9] = [
    (1, Comparison::User),
    (2, Comparison::Role),
    (4, Comparison::Type),
    (32, Comparison::L1L2),
    (64, Comparison::L1H2),
    (128, Comparison::H1L2),
    (256, Comparison::H1H2),
    (512, Comparison::L1H1),
    (1024, Comparison::L2H2),
];

const OPERATORS: [(u32, Operator); 5] = [
    (1, Operator::Equal),
    (2, Operator::NotEqual),
    (3, Operator::Dominates),
    (4, Operator::DominatedBy),
    (5, Operator::Incomparable),
];

fn from_wire<T: Copy>(table: &[(u32, T)], wire: u32) -> Option<T> {
    table.iter().find(|entry| entry.0 == wire).map(|entry| entry.1)
}

fn to_wire<T: Copy + PartialEq>(table: &[(u32, T)], value: T) -> u32 {
    table.iter().find(|entry| entry.1 == value).map_or(0, |entry| entry.0)
}

impl Constraint {
    /// Reads the wire form.
    pub fn read_list(
        r: &mut Reader<'_>,
        count: u32,
        version: PolicyVersion,
    ) -> Result<Vec<Self>, ReadError> {
        r.bounded(count, 8)?;
        (0..count).map(|_| Self::read(r, version)).collect()
    }

    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let permissions = r.u32()?;
        let at = r.offset();
        let expression = r.list(12, |r| Term::read(r, version))?;
        let constraint = Self { permissions, expression };
        match constraint.depth() {
            Some(_) => Ok(constraint),
            None => Err(ReadError::expected(
                at,
                "a postfix expression that leaves one value",
                constraint.expression.len() as u64,
            )),
        }
    }

    /// Writes the wire form.
    pub fn write_list(
        w: &mut Writer<'_>,
        constraints: &[Self],
        version: PolicyVersion,
    ) -> io::Result<()> {
        for constraint in constraints {
            w.u32(constraint.permissions)?;
            w.count(constraint.expression.len())?;
            constraint.expression.iter().try_for_each(|term| term.write(w, version))?;
        }
        Ok(())
    }

    /// The most operands that wait at once, or `None` if the expression is not in postfix order.
    pub fn depth(&self) -> Option<usize> {
        let (mut waiting, mut most) = (0usize, 0);
        for term in &self.expression {
            waiting = match term {
                Term::Not => waiting.checked_sub(1)?.checked_add(1)?,
                Term::And | Term::Or => waiting.checked_sub(2)?.checked_add(1)?,
                Term::Compare(..) | Term::Names(_) => waiting.checked_add(1)?,
            };
            most = most.max(waiting);
        }
        (waiting == 1).then_some(most)
    }
}

impl Term {
    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let at = r.offset();
        let [kind, attribute, operator] = r.u32s()?;
        match kind {
            KIND_NOT | KIND_AND | KIND_OR if attribute != 0 || operator != 0 => {
                Err(ReadError::expected(at, "no attribute on not, and, or", attribute | operator))
            }
            KIND_NOT => Ok(Self::Not),
            KIND_AND => Ok(Self::And),
            KIND_OR => Ok(Self::Or),
            KIND_COMPARE => compare(at, attribute, operator),
            KIND_NAMES => NameSet::read(r, at, attribute, operator, version).map(Self::Names),
            _ => Err(ReadError::expected(at, "a constraint term of kind 1 to 5", kind)),
        }
    }

    fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        match self {
            Self::Not => w.u32s(&[KIND_NOT, 0, 0]),
            Self::And => w.u32s(&[KIND_AND, 0, 0]),
            Self::Or => w.u32s(&[KIND_OR, 0, 0]),
            Self::Compare(what, operator) => w.u32s(&[
                KIND_COMPARE,
                to_wire(&COMPARISONS, *what),
                to_wire(&OPERATORS, *operator),
            ]),
            Self::Names(set) => set.write(w, version),
        }
    }
}

fn compare(at: usize, attribute: u32, operator: u32) -> Result<Term, ReadError> {
    let what = from_wire(&COMPARISONS, attribute)
        .ok_or_else(|| ReadError::expected(at, "a constraint attribute", attribute))?;
    let operator = from_wire(&OPERATORS, operator)
        .ok_or_else(|| ReadError::expected(at, "a constraint operator of 1 to 5", operator))?;
    let ordered = !matches!(what, Comparison::User | Comparison::Type);
    if !ordered && !matches!(operator, Operator::Equal | Operator::NotEqual) {
        return Err(ReadError::expected(at, "== or != between users or types", attribute));
    }
    Ok(Term::Compare(what, operator))
}

impl NameSet {
    fn read(
        r: &mut Reader<'_>,
        at: usize,
        attribute: u32,
        operator: u32,
        version: PolicyVersion,
    ) -> Result<Self, ReadError> {
        let part = match attribute & !(TARGET | PROCESS) {
            1 => Part::User,
            2 => Part::Role,
            4 => Part::Type,
            _ => return Err(ReadError::expected(at, "a user, role or type attribute", attribute)),
        };
        let whose = match attribute & (TARGET | PROCESS) {
            0 => Whose::Source,
            TARGET => Whose::Target,
            PROCESS => Whose::Process,
            _ => return Err(ReadError::expected(at, "one context of an attribute", attribute)),
        };
        let negated = match operator {
            1 => false,
            2 => true,
            _ => return Err(ReadError::expected(at, "== or != with a set of names", operator)),
        };
        let names = Ebitmap::read(r)?;
        let written = if version >= PolicyVersion::CONSTRAINT_NAMES {
            TypeSet { types: Ebitmap::read(r)?, excluded: Ebitmap::read(r)?, flags: r.u32()? }
        } else {
            TypeSet::default()
        };
        Ok(Self { part, whose, negated, names, written })
    }

    fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        let part = match self.part {
            Part::User => 1,
            Part::Role => 2,
            Part::Type => 4,
        };
        let whose = match self.whose {
            Whose::Source => 0,
            Whose::Target => TARGET,
            Whose::Process => PROCESS,
        };
        w.u32s(&[KIND_NAMES, part | whose, if self.negated { 2 } else { 1 }])?;
        self.names.write(w)?;
        if version >= PolicyVersion::CONSTRAINT_NAMES {
            self.written.types.write(w)?;
            self.written.excluded.write(w)?;
            w.u32(self.written.flags)?;
        }
        Ok(())
    }
}
