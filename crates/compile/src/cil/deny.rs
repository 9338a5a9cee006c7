//! `deny`, `notself` and `other`: rules are rewritten into such that name who and whom.
//!
//! A rule says of each source what its targets are: a set, with the source itself put in, left out, or as the set has it. To take
//! one rule from another is to do so for each source; sources fall into two groups, by whether they remain targets of themselves.

use mandate_syntax::cil::Keyword;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    AvKind, AvRule, Ident, Set, SetForm, SetItem, Slice, Statement, StatementKind, Unit, XpermKind,
};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;

use super::lower::{Denial, Target, slice};
use super::members::{Bits, Members};
use super::tables::Tables;
use super::world::World;

/// So many names may stand in rules that were rewritten.
const MOST_NAMES: usize = 2_000_000;

/// Is the source one of its own targets?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Itself {
    /// If it is in the set.
    AsListed,
    Always,
    Never,
}

#[derive(Clone, Debug)]
struct Who {
    source: Bits,
    target: Bits,
    itself: Itself,
}

impl Who {
    fn targets_itself(&self, source: usize) -> bool {
        match self.itself {
            Itself::AsListed => self.target.contains(source),
            Itself::Always => true,
            Itself::Never => false,
        }
    }

    fn is_empty(&self) -> bool {
        let nobody = match self.itself {
            Itself::Always => false,
            _ => self.target.is_empty(),
        };
        self.source.is_empty() || nobody
    }

    /// What is left of it without `other`.
    fn without(&self, other: &Self) -> Vec<Self> {
        let both = self.source.and(&other.source);
        let apart = Self { source: self.source.without(&other.source), ..self.clone() };
        let target = self.target.without(&other.target);
        let (mut remain, mut lose) = (both.clone(), both.clone());
        for source in both.iter() {
            if self.targets_itself(source) && !other.targets_itself(source) {
                lose.remove(source);
            } else {
                remain.remove(source);
            }
        }
        let remain = Self { source: remain, target: target.clone(), itself: Itself::Always };
        let lose = Self { source: lose, target, itself: Itself::Never };
        let mut left = vec![apart, remain, lose];
        left.retain(|it| !it.is_empty());
        left
    }

    /// Do both speak of a pair?
    fn meets(&self, other: &Self) -> bool {
        let both = self.source.and(&other.source);
        let common = self.target.and(&other.target);
        both.iter().any(|source| {
            let mut rest = common.clone();
            rest.remove(source);
            !rest.is_empty() || self.targets_itself(source) && other.targets_itself(source)
        })
    }
}

/// A `deny` with its members known.
struct Denied {
    who: Who,
    /// Class and permissions by name.
    permissions: Vec<(Symbol, Vec<Symbol>)>,
}

/// Rewrites rules that `deny` rules speak of, and those about `notself` and `other`.
pub(crate) fn work_off(
    world: &World<'_>,
    tables: &Tables,
    members: &mut Members<'_, '_>,
    denials: &[Denial],
    unit: &mut Unit,
) -> Option<Diagnostic> {
    let mut denied = Vec::new();
    for denial in denials {
        let source = members.of(world.decl(denial.source).flat);
        let (target, itself) = match denial.target {
            Target::Named(decl) => (members.of(world.decl(decl).flat), Itself::AsListed),
            Target::Itself => (members.empty(), Itself::Always),
            Target::NotSelf => (members.all(), Itself::Never),
            Target::Other => (source.clone(), Itself::Never),
        };
        let who = Who { source, target, itself };
        let mut permissions = Vec::new();
        for &(class, bits) in &denial.permissions {
            let names = tables.permissions(class).iter().enumerate();
            let names = names.filter(|it| bits & (1 << it.0) != 0).map(|it| *it.1).collect();
            permissions.push((world.decl(class).flat, names));
        }
        denied.push(Denied { who, permissions });
    }
    let mut worker = Worker { members, denied, unit, named: 0, spent: None };
    let statements = std::mem::take(&mut worker.unit.statements);
    let statements = worker.statements(statements);
    let spent = worker.spent;
    unit.statements = statements;
    spent.map(|span| {
        let message = "`deny`, `notself` and `other` multiply into too many rules";
        Diagnostic::error(Code::CilBudget, span, message)
            .help("name an attribute with fewer types as source")
    })
}

struct Worker<'x, 'w, 't> {
    members: &'x mut Members<'w, 't>,
    denied: Vec<Denied>,
    unit: &'x mut Unit,
    /// How many names were written.
    named: usize,
    /// Where the budget was spent.
    spent: Option<Span>,
}

impl Worker<'_, '_, '_> {
    fn statements(&mut self, list: Vec<Statement>) -> Vec<Statement> {
        let mut worked = Vec::with_capacity(list.len());
        for statement in list {
            let span = statement.span;
            match statement.kind {
                StatementKind::Conditional { expression, then, otherwise } => {
                    let (then, otherwise) = (self.statements(then), self.statements(otherwise));
                    let kind = StatementKind::Conditional { expression, then, otherwise };
                    worked.push(Statement { span, kind });
                }
                StatementKind::Av(rule) if rule.kind != AvKind::NeverAllow => {
                    self.rule(rule, span, &mut worked);
                }
                StatementKind::Xperm(rule)
                    if rule.kind != XpermKind::NeverAllow && self.is_spread(&rule.target) =>
                {
                    let who = self.who(&rule.source, &rule.target);
                    for (source, target) in self.sets(&who, span) {
                        let rule =
                            mandate_syntax::kernel::ast::XpermRule { source, target, ..rule };
                        worked.push(Statement { span, kind: StatementKind::Xperm(rule) });
                    }
                }
                _ => worked.push(statement),
            }
        }
        worked
    }

    fn is_spread(&self, target: &Set) -> bool {
        self.unit.set_items[target.items.range()].iter().any(|it| it.excluded)
    }

    fn who(&mut self, source: &Set, target: &Set) -> Who {
        let mut bits = self.members.empty();
        for at in source.items.range() {
            let name = self.unit.set_items[at].ident.name;
            bits = bits.join(&self.members.of(name), |a, b| a | b);
        }
        let (mut targets, mut itself) = (self.members.empty(), Itself::AsListed);
        if target.form == SetForm::All {
            targets = self.members.all();
        }
        for at in target.items.range() {
            let item = self.unit.set_items[at];
            if item.ident.name == Keyword::Self_.symbol() {
                itself = if item.excluded { Itself::Never } else { Itself::Always };
            } else {
                targets = targets.join(&self.members.of(item.ident.name), |a, b| a | b);
            }
        }
        Who { source: bits, target: targets, itself }
    }

    fn rule(&mut self, rule: AvRule, span: Span, into: &mut Vec<Statement>) {
        let class = self.unit.idents[rule.classes.range()].first().map(|it| it.name);
        let names: Vec<Symbol> = self.unit.set_items[rule.permissions.items.range()]
            .iter()
            .map(|it| it.ident.name)
            .collect();
        let concerns = |it: &Denied| {
            let same = it.permissions.iter().filter(|it| Some(it.0) == class);
            same.flat_map(|it| &it.1).any(|name| names.contains(name))
        };
        let is_allow = rule.kind == AvKind::Allow;
        let concerned: Vec<usize> =
            (0..self.denied.len()).filter(|&it| is_allow && concerns(&self.denied[it])).collect();
        if concerned.is_empty() && !self.is_spread(&rule.target) {
            into.push(Statement { span, kind: StatementKind::Av(rule) });
            return;
        }
        let who = self.who(&rule.source, &rule.target);
        let mut pieces = vec![(who, names)];
        let mut touched = self.is_spread(&rule.target);
        for number in concerned {
            let denied = &self.denied[number];
            let mut next = Vec::new();
            for (who, names) in pieces {
                let is_denied = |name: &Symbol| {
                    let mut same = denied.permissions.iter().filter(|it| Some(it.0) == class);
                    same.any(|it| it.1.contains(name))
                };
                let (gone, kept): (Vec<Symbol>, Vec<Symbol>) =
                    names.iter().partition(|it| is_denied(it));
                if gone.is_empty() || !who.meets(&denied.who) {
                    next.push((who, names));
                    continue;
                }
                touched = true;
                next.extend(who.without(&denied.who).into_iter().map(|it| (it, gone.clone())));
                if !kept.is_empty() {
                    next.push((who, kept));
                }
            }
            pieces = next;
        }
        if !touched {
            into.push(Statement { span, kind: StatementKind::Av(rule) });
            return;
        }
        for (who, names) in pieces {
            let permissions = self.listed(names, span);
            for (source, target) in self.sets(&who, span) {
                let rule = AvRule { source, target, permissions, ..rule };
                into.push(Statement { span, kind: StatementKind::Av(rule) });
            }
        }
    }

    fn listed(&mut self, names: impl IntoIterator<Item = Symbol>, span: Span) -> Set {
        let start = self.unit.set_items.len();
        if self.named > MOST_NAMES {
            self.spent.get_or_insert(span);
            return Set { form: SetForm::Listed, items: slice(start, start), span };
        }
        let item = |name| SetItem { ident: Ident { name, span }, excluded: false };
        self.unit.set_items.extend(names.into_iter().map(item));
        let items: Slice = slice(start, self.unit.set_items.len());
        self.named += self.unit.set_items.len() - start;
        Set { form: SetForm::Listed, items, span }
    }

    /// Sources and targets that a rule can name.
    fn sets(&mut self, who: &Who, span: Span) -> Vec<(Set, Set)> {
        let names = |bits: &Bits, members: &Members<'_, '_>| -> Vec<Symbol> {
            bits.iter().map(|it| members.names[it]).collect()
        };
        let mut found = Vec::new();
        let mut together = who.source.clone();
        if who.itself == Itself::Never {
            for source in who.source.and(&who.target).iter() {
                together.remove(source);
                let mut target = who.target.clone();
                target.remove(source);
                if !target.is_empty() {
                    let source = self.listed([self.members.names[source]], span);
                    let target = names(&target, self.members);
                    found.push((source, self.listed(target, span)));
                }
            }
        }
        let with_self = (who.itself == Itself::Always).then(|| Keyword::Self_.symbol());
        let target: Vec<Symbol> =
            names(&who.target, self.members).into_iter().chain(with_self).collect();
        if !together.is_empty() && !target.is_empty() {
            let source = names(&together, self.members);
            let source = self.listed(source, span);
            found.push((source, self.listed(target, span)));
        }
        found
    }
}
