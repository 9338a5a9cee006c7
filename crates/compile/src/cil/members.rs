//! The members of attributes, expressions worked off.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, StatementKind, Unit};
use mandate_syntax::names::Symbol;
use rustc_hash::FxHashMap;

use super::declare::{DeclId, DeclKind, Space};
use super::lower::SetUse;
use super::world::{ContainerId, Found, World};

/// Expressions put no more into attributes.
const MOST_MEMBERSHIPS: usize = 2_000_000;
/// Attributes and the expressions in them nest no deeper.
const DEEPEST: usize = 1500;

/// A set of members by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    fn empty(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn full(count: usize) -> Self {
        let mut all = Self(vec![u64::MAX; count.div_ceil(64)]);
        if let (Some(last), rest @ 1..) = (all.0.last_mut(), count % 64) {
            *last = (1 << rest) - 1;
        }
        all
    }

    pub(crate) fn insert(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    pub(crate) fn remove(&mut self, at: usize) {
        self.0[at / 64] &= !(1 << (at % 64));
    }

    pub(crate) fn contains(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|it| it & (1 << (at % 64)) != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|&it| it == 0)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|it| it.count_ones() as usize).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(word, &bits)| {
            let mut rest = bits;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    word * 64 + bit
                })
            })
        })
    }

    pub(crate) fn join(&self, other: &Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(&a, &b)| with(a, b)).collect())
    }

    pub(crate) fn and(&self, other: &Self) -> Self {
        self.join(other, |a, b| a & b)
    }

    pub(crate) fn without(&self, other: &Self) -> Self {
        self.join(other, |a, b| a & !b)
    }

    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }
}

/// What a name of the space is.
#[derive(Clone, Copy, Debug)]
enum Member {
    One(usize),
    Attribute(usize),
}

/// The members of all attributes of a space.
pub(crate) struct Members<'w, 't> {
    world: &'w World<'t>,
    space: Space,
    /// Types, roles or users, in the order of declaration.
    pub(crate) names: Vec<Symbol>,
    /// By name in the policy.
    index: FxHashMap<Symbol, Member>,
    /// By attribute: what plain lists put in.
    direct: Vec<Vec<Member>>,
    expressions: Vec<Vec<SetUse>>,
    /// By attribute: its members, if they are known.
    known: Vec<Option<Bits>>,
    /// By attribute: are its members being looked for?
    doing: Vec<bool>,
    depth: usize,
    attributes: Vec<DeclId>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'w, 't> Members<'w, 't> {
    pub(crate) fn new<'u>(
        world: &'w World<'t>,
        space: Space,
        units: impl IntoIterator<Item = &'u Unit>,
        sets: &[SetUse],
    ) -> Self {
        let mut members = Self {
            world,
            space,
            names: Vec::new(),
            index: FxHashMap::default(),
            direct: Vec::new(),
            expressions: Vec::new(),
            known: Vec::new(),
            doing: Vec::new(),
            depth: 0,
            attributes: Vec::new(),
            diagnostics: Vec::new(),
        };
        members.declare();
        for unit in units {
            members.gather(unit);
        }
        for set in sets {
            let name = world.decl(set.attribute).flat;
            if let Some(&Member::Attribute(at)) = members.index.get(&name) {
                members.expressions[at].push(*set);
            }
        }
        members
    }

    fn kinds(&self) -> (DeclKind, DeclKind) {
        match self.space {
            Space::Types => (DeclKind::Type, DeclKind::TypeAttribute),
            Space::Roles => (DeclKind::Role, DeclKind::RoleAttribute),
            _ => (DeclKind::User, DeclKind::UserAttribute),
        }
    }

    fn declare(&mut self) {
        let (one, attribute) = self.kinds();
        for (decl, id) in self.world.decls.iter().zip(0..) {
            if decl.kind == one {
                self.index.insert(decl.flat, Member::One(self.names.len()));
                self.names.push(decl.flat);
            } else if decl.kind == attribute {
                self.index.insert(decl.flat, Member::Attribute(self.direct.len()));
                self.attributes.push(id);
                self.direct.push(Vec::new());
                self.expressions.push(Vec::new());
                self.known.push(None);
                self.doing.push(false);
            }
        }
    }

    fn gather(&mut self, unit: &Unit) {
        for statement in &unit.statements {
            let (name, attributes) = match (&statement.kind, self.space) {
                (StatementKind::TypeAttribute { name, attributes }, Space::Types)
                | (StatementKind::RoleAttributeSet { name, attributes }, Space::Roles) => {
                    (name, attributes)
                }
                _ => continue,
            };
            let Some(&member) = self.index.get(&name.name) else { continue };
            for attribute in &unit.idents[attributes.range()] {
                if let Some(&Member::Attribute(at)) = self.index.get(&attribute.name) {
                    self.direct[at].push(member);
                }
            }
        }
    }

    pub(crate) fn world(&self) -> &'w World<'t> {
        self.world
    }

    pub(crate) fn empty(&self) -> Bits {
        Bits::empty(self.names.len())
    }

    pub(crate) fn all(&self) -> Bits {
        Bits::full(self.names.len())
    }

    /// All attributes with their names.
    pub(crate) fn attributes(&self) -> Vec<Symbol> {
        self.attributes.iter().map(|&it| self.world.decl(it).flat).collect()
    }

    /// What a name of the policy means: one, or the members of an attribute.
    pub(crate) fn of(&mut self, name: Symbol) -> Bits {
        match self.index.get(&name).copied() {
            Some(member) => self.of_member(member),
            None => self.empty(),
        }
    }

    fn of_member(&mut self, member: Member) -> Bits {
        let mut bits = self.empty();
        match member {
            Member::One(at) => bits.insert(at),
            Member::Attribute(at) => return self.of_attribute(at),
        }
        bits
    }

    fn of_attribute(&mut self, at: usize) -> Bits {
        if let Some(known) = &self.known[at] {
            return known.clone();
        }
        let mut bits = self.empty();
        if self.depth > DEEPEST || self.doing[at] {
            self.nested_badly(at);
            return bits;
        }
        self.doing[at] = true;
        self.depth += 1;
        for member in std::mem::take(&mut self.direct[at]) {
            match member {
                Member::One(at) => bits.insert(at),
                Member::Attribute(_) => bits.add(&self.of_member(member)),
            }
        }
        for set in std::mem::take(&mut self.expressions[at]) {
            let expression = self.world.element(set.container, set.index);
            bits.add(&self.expression(set.container, expression));
        }
        self.doing[at] = false;
        self.depth -= 1;
        self.known[at] = Some(bits.clone());
        bits
    }

    fn nested_badly(&mut self, at: usize) {
        let decl = self.world.decl(self.attributes[at]);
        let text = self.world.text(decl.flat);
        let message = if self.doing[at] {
            format!("{} `{text}` is a member of itself", decl.kind.words())
        } else {
            format!("the sets that `{text}` is in nest deeper than {DEEPEST}")
        };
        self.diagnostics.push(Diagnostic::error(Code::CilRecursion, decl.span, message));
    }

    /// The value of an expression that was checked.
    pub(crate) fn expression(&mut self, at: ContainerId, element: Element<'_>) -> Bits {
        self.depth += 1;
        let bits = self.value(at, element);
        self.depth -= 1;
        bits
    }

    fn value(&mut self, at: ContainerId, element: Element<'_>) -> Bits {
        if let Some(name) = element.word() {
            return match self.world.find(at, self.space, name) {
                Some(Found::Declared(decl)) => {
                    let flat = self.world.decl(self.world.actual(decl)).flat;
                    self.of(flat)
                }
                _ => self.empty(),
            };
        }
        let mut parts = element.children();
        let operator = parts.next().and_then(super::lower::set_operator);
        let Some(operator) = operator else {
            let mut bits = self.empty();
            for part in element.children() {
                bits.add(&self.expression(at, part));
            }
            return bits;
        };
        let mut operands = parts.map(|it| self.expression(at, it));
        let a = operands.next();
        let b = operands.next();
        drop(operands);
        let a = a.unwrap_or_else(|| self.empty());
        let b = b.unwrap_or_else(|| self.empty());
        match operator {
            Keyword::And => a.and(&b),
            Keyword::Or => a.join(&b, |a, b| a | b),
            Keyword::Xor => a.join(&b, |a, b| a ^ b),
            Keyword::Not => self.all().without(&a),
            _ => self.all(),
        }
    }

    /// What expressions put into attributes: the member's place, and the attribute where the statement stands. In the order of
    /// members.
    pub(crate) fn worked_off(&mut self, sets: &[SetUse]) -> Vec<(u32, Ident)> {
        let mut found = Vec::new();
        for set in sets {
            let name = self.world.decl(set.attribute).flat;
            // The attribute first: so a loop is seen.
            self.of(name);
            let expression = self.world.element(set.container, set.index);
            let bits = self.expression(set.container, expression);
            if found.len() + bits.count() > MOST_MEMBERSHIPS {
                let message = "sets multiply into more than two million memberships";
                self.diagnostics.push(Diagnostic::error(Code::CilBudget, set.span, message));
                break;
            }
            let ident = Ident { name, span: set.span };
            let member = |at| (u32::try_from(at).unwrap_or(u32::MAX), ident);
            found.extend(bits.iter().map(member));
        }
        found.sort_by_key(|it| it.0);
        found
    }
}
