//! Domain transitions: which domain becomes which, and by what rules.
//!
//! A process of domain A becomes B by running a program, if A has `transition` to B and there is an entry point: a file type that A
//! may execute and that is an `entrypoint` of B. Which new domain is meant says a `type_transition` of A and the entry point, or A
//! itself, if it has `setexec`. Without a program it becomes B if it has `dyntransition` to B and `setcurrent`.
//! (SELinux notebook, *Domain and Object Transitions*.) Constraints, roles and levels do not count here.

use mandate_policydb::{ClassId, PermId, PolicyDb, RuleKind, SymbolId, TypeId};
use rustc_hash::FxHashMap;

use crate::graph::{Bits, Graph, Length, Paths};
use crate::rules::{Between, Conditions, Rule};
use crate::types::TypeSets;

/// The domain transitions of a policy as a graph of types.
#[derive(Debug)]
pub struct Transitions<'a> {
    sets: &'a TypeSets<'a>,
    names: Names,
    rules: Between<'a>,
    execute: Rows,
    entrypoint: Rows,
    outward: Rows,
    inward: Rows,
}

/// For each type a set of others: what it may execute, what it can become, … A row is an eighth of a byte for each type, so that
/// even a policy in which all become all takes less than a gigabyte.
type Rows = Vec<Option<Bits>>;

/// What makes one step.
#[derive(Clone, Debug, Default)]
pub struct Step<'a> {
    /// Rules with `transition`; empty if it takes `dyntransition`.
    pub transition: Vec<Rule<'a>>,
    /// Rules with `setexec`.
    pub setexec: Vec<Rule<'a>>,
    /// The file types through which it goes, by name.
    pub entrypoints: Vec<Entrypoint<'a>>,
    /// Rules with `dyntransition`; empty if it takes a program.
    pub dyntransition: Vec<Rule<'a>>,
    /// Rules with `setcurrent`.
    pub setcurrent: Vec<Rule<'a>>,
}

/// A type of programs that a step goes through.
#[derive(Clone, Debug)]
pub struct Entrypoint<'a> {
    /// The type.
    pub type_: TypeId,
    /// Rules that make it an entry point of the new domain.
    pub entrypoint: Vec<Rule<'a>>,
    /// Rules that let the old domain execute it.
    pub execute: Vec<Rule<'a>>,
    /// Rules that choose the new domain.
    pub type_transition: Vec<Rule<'a>>,
}

/// The class `process` or `file` of a policy, and bits of its permissions; empty where the policy lacks one.
#[derive(Clone, Copy, Debug)]
struct Names {
    process: Option<ClassId>,
    file: Option<ClassId>,
    transition: u32,
    dyntransition: u32,
    setexec: u32,
    setcurrent: u32,
    entrypoint: u32,
    execute: u32,
}

impl Names {
    fn of(db: &PolicyDb) -> Self {
        let bit = |class: Option<ClassId>, name: &str| {
            let id = class.and_then(|class| db.permission(class, name));
            id.map_or(0, |id: PermId| 1 << id.bit())
        };
        let (process, file) = (db.classes.id("process"), db.classes.id("file"));
        Self {
            process,
            file,
            transition: bit(process, "transition"),
            dyntransition: bit(process, "dyntransition"),
            setexec: bit(process, "setexec"),
            setcurrent: bit(process, "setcurrent"),
            entrypoint: bit(file, "entrypoint"),
            execute: bit(file, "execute"),
        }
    }

    /// Has this rule to do with domain transitions?
    fn concern(&self, it: &Rule<'_>) -> bool {
        let process = self.transition | self.dyntransition | self.setexec | self.setcurrent;
        self.allows_process(it, process)
            || self.allows_file(it, self.entrypoint | self.execute)
            || self.changes(it)
    }

    fn allows_process(&self, it: &Rule<'_>, permissions: u32) -> bool {
        allows(it, self.process, permissions)
    }

    fn allows_file(&self, it: &Rule<'_>, permissions: u32) -> bool {
        allows(it, self.file, permissions)
    }

    /// Does it choose the domain of a program?
    fn changes(&self, it: &Rule<'_>) -> bool {
        it.rule.kind == RuleKind::TypeTransition && Some(it.rule.class()) == self.process
    }
}

fn allows(it: &Rule<'_>, class: Option<ClassId>, permissions: u32) -> bool {
    it.rule.kind == RuleKind::Allow
        && Some(it.rule.class()) == class
        && it.rule.permissions() & permissions != 0
}

impl<'a> Transitions<'a> {
    /// Gathers them. What leads to `excluded` types, or away from them, is left out.
    pub fn new(sets: &'a TypeSets<'a>, conditions: &Conditions, excluded: &[TypeId]) -> Self {
        let names = Names::of(sets.db());
        let rules = conditions.rules(sets.db()).filter(|it| names.concern(it)).collect();
        let gathered = Gathered::new(sets, names, rules);
        let mut out = Bits::new(sets.db().type_attributes.len());
        excluded.iter().for_each(|it| out.insert(it.bit()));
        let outward = gathered.steps(&out);
        let inward = turned(&outward);
        let Gathered { rules, execute, entrypoint, .. } = gathered;
        let rules = Between::new(rules.into_iter());
        Self { sets, names, rules, execute, entrypoint, outward, inward }
    }

    /// How many transitions there are.
    pub fn count(&self) -> usize {
        self.outward.iter().flatten().map(Bits::len).sum()
    }

    /// How many domains have one, or are what one leads to.
    pub fn domains(&self) -> usize {
        let both = self.outward.iter().zip(&self.inward);
        both.filter(|(out, into)| out.is_some() || into.is_some()).count()
    }

    /// The domains that `from` can become in one step.
    pub fn out_of(&self, from: TypeId) -> impl Iterator<Item = TypeId> {
        row(&self.outward, from.bit()).into_iter().flat_map(Bits::iter).filter_map(TypeId::from_bit)
    }

    /// The domains that can become `to` in one step.
    pub fn towards(&self, to: TypeId) -> impl Iterator<Item = TypeId> {
        row(&self.inward, to.bit()).into_iter().flat_map(Bits::iter).filter_map(TypeId::from_bit)
    }

    /// The ways by which `from` becomes `to`.
    pub fn paths(&self, from: TypeId, to: TypeId, wanted: Length) -> Paths<'_, Self> {
        Paths::new(self, from.bit(), to.bit(), wanted)
    }

    /// What makes the step from one domain to another.
    pub fn step(&self, from: TypeId, to: TypeId) -> Step<'a> {
        let among = |found: Vec<Rule<'a>>, permission: u32| -> Vec<Rule<'a>> {
            found.into_iter().filter(|it| self.names.allows_process(it, permission)).collect()
        };
        let (between, own) = (self.find(from, to), self.find(from, from));
        let setexec = among(own.clone(), self.names.setexec);
        let entrypoints = self.entrypoints(from, to, !setexec.is_empty());
        let mut step = Step::default();
        if !entrypoints.is_empty() {
            step.transition = among(between.clone(), self.names.transition);
            if !step.transition.is_empty() {
                (step.setexec, step.entrypoints) = (setexec, entrypoints);
            }
        }
        let setcurrent = among(own, self.names.setcurrent);
        if !setcurrent.is_empty() {
            step.dyntransition = among(between, self.names.dyntransition);
            if !step.dyntransition.is_empty() {
                step.setcurrent = setcurrent;
            }
        }
        step
    }

    fn find(&self, source: TypeId, target: TypeId) -> Vec<Rule<'a>> {
        self.rules.find(self.sets, source, target).collect()
    }

    fn entrypoints(&self, from: TypeId, to: TypeId, setexec: bool) -> Vec<Entrypoint<'a>> {
        let db = self.sets.db();
        let Some(mut common) = row(&self.execute, from.bit()).cloned() else { return Vec::new() };
        let Some(entrypoint) = row(&self.entrypoint, to.bit()) else { return Vec::new() };
        common.keep(entrypoint);
        let mut found: Vec<_> = common
            .iter()
            .filter_map(TypeId::from_bit)
            .map(|type_| self.entrypoint(from, to, type_))
            .filter(|it| setexec || !it.type_transition.is_empty())
            .collect();
        found.sort_by_cached_key(|it| db.types.name(it.type_));
        found
    }

    fn entrypoint(&self, from: TypeId, to: TypeId, type_: TypeId) -> Entrypoint<'a> {
        let mut entrypoint = self.find(to, type_);
        entrypoint.retain(|it| self.names.allows_file(it, self.names.entrypoint));
        let mut execute = self.find(from, type_);
        let mut type_transition = execute.clone();
        execute.retain(|it| self.names.allows_file(it, self.names.execute));
        type_transition.retain(|it| self.names.changes(it) && it.rule.default_type() == Some(to));
        Entrypoint { type_, entrypoint, execute, type_transition }
    }
}

impl Graph for Transitions<'_> {
    fn nodes(&self) -> usize {
        self.outward.len()
    }

    fn outward(&self, node: u32, found: &mut Bits) {
        found.clear();
        row(&self.outward, node).into_iter().for_each(|it| found.add(it));
    }

    fn inward(&self, node: u32, found: &mut Bits) {
        found.clear();
        row(&self.inward, node).into_iter().for_each(|it| found.add(it));
    }
}

/// The steps the other way round.
fn turned(steps: &Rows) -> Rows {
    let mut turned: Rows = vec![None; steps.len()];
    for (from, row) in (0u32..).zip(steps) {
        for to in row.iter().flat_map(Bits::iter) {
            insert(&mut turned, to, from);
        }
    }
    turned
}

fn insert(rows: &mut Rows, of: u32, bit: u32) {
    let nodes = rows.len();
    if let Some(row) = rows.get_mut(of as usize) {
        row.get_or_insert_with(|| Bits::new(nodes)).insert(bit);
    }
}

fn row(rows: &Rows, of: u32) -> Option<&Bits> {
    rows.get(of as usize)?.as_ref()
}

/// What the rules say of each type, attributes expanded.
struct Gathered<'a> {
    sets: &'a TypeSets<'a>,
    names: Names,
    rules: Vec<Rule<'a>>,
    setexec: Bits,
    setcurrent: Bits,
    execute: Rows,
    entrypoint: Rows,
    /// Of the old and the new domain: the entry points that choose it.
    chosen: FxHashMap<(u32, u32), Vec<u32>>,
}

impl<'a> Gathered<'a> {
    fn new(sets: &'a TypeSets<'a>, names: Names, rules: Vec<Rule<'a>>) -> Self {
        let nodes = sets.db().type_attributes.len();
        let mut gathered = Self {
            sets,
            names,
            rules,
            setexec: Bits::new(nodes),
            setcurrent: Bits::new(nodes),
            execute: vec![None; nodes],
            entrypoint: vec![None; nodes],
            chosen: FxHashMap::default(),
        };
        for at in 0..gathered.rules.len() {
            gathered.add(gathered.rules[at]);
        }
        gathered
    }

    fn add(&mut self, it: Rule<'a>) {
        let nodes = self.execute.len();
        let sources = self.sets.members(it.rule.source);
        let targets = self.sets.members(it.rule.target);
        if self.names.changes(&it) {
            self.choose(&it);
        } else if Some(it.rule.class()) == self.names.process {
            // Both are about the process itself: only what a rule says of a type towards itself counts.
            let own = sources.intersection(targets);
            if it.rule.permissions() & self.names.setexec != 0 {
                self.setexec.add_ebitmap(&own);
            }
            if it.rule.permissions() & self.names.setcurrent != 0 {
                self.setcurrent.add_ebitmap(&own);
            }
        } else {
            let entrypoint = (self.names.entrypoint, &mut self.entrypoint);
            for (permission, table) in [entrypoint, (self.names.execute, &mut self.execute)] {
                if it.rule.permissions() & permission == 0 {
                    continue;
                }
                for source in sources.iter() {
                    let row = table[source as usize].get_or_insert_with(|| Bits::new(nodes));
                    row.add_ebitmap(targets);
                }
            }
        }
    }

    fn choose(&mut self, it: &Rule<'_>) {
        let Some(default) = it.rule.default_type() else { return };
        for source in self.sets.members(it.rule.source).iter() {
            let chosen = self.chosen.entry((source, default.bit())).or_default();
            chosen.extend(self.sets.members(it.rule.target).iter());
        }
    }

    /// The transitions that are possible, but for those of types that are left out.
    fn steps(&self, out: &Bits) -> Rows {
        let nodes = self.execute.len();
        let mut steps: Rows = vec![None; nodes];
        for it in &self.rules {
            let by_program = self.names.allows_process(it, self.names.transition);
            let at_once = self.names.allows_process(it, self.names.dyntransition);
            if !by_program && !at_once {
                continue;
            }
            let mut targets = Bits::new(nodes);
            targets.add_ebitmap(self.sets.members(it.rule.target));
            targets.take_out(out);
            for from in self.sets.members(it.rule.source).iter().filter(|it| !out.has(*it)) {
                let mut new = targets.clone();
                new.remove(from);
                if let Some(known) = row(&steps, from) {
                    new.take_out(known);
                }
                let all = at_once && self.setcurrent.has(from);
                let possible =
                    new.iter().filter(|to| all || by_program && self.enters((from, *to)));
                possible.for_each(|to| insert(&mut steps, from, to));
            }
        }
        steps
    }

    /// Is there an entry point?
    fn enters(&self, (from, to): (u32, u32)) -> bool {
        let rows = (row(&self.execute, from), row(&self.entrypoint, to));
        let (Some(execute), Some(entrypoint)) = rows else { return false };
        if self.setexec.has(from) {
            return execute.meets(entrypoint);
        }
        let chosen = self.chosen.get(&(from, to));
        chosen.is_some_and(|it| it.iter().any(|it| execute.has(*it) && entrypoint.has(*it)))
    }
}
