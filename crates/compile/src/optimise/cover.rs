//! Finds the rules that may cover a rule, without trying every pair of attributes.
//!
//! Filed by whether they name types (t) or attributes (a): `t t` and `t a` under the source, `a t` under the target, `a a` under
//! class and kind, each sorted by class and kind and then by the other side.

use mandate_policydb::{AvRule, PolicyDb, RuleKind, SymbolId, TypeId};

use super::supersets::{Supersets, has};

/// Class and kind of rules, numbered.
pub(super) struct Slots {
    numbers: Vec<u16>,
    count: u16,
}

const NONE: u16 = u16::MAX;
const KINDS: usize = 6;

impl Slots {
    /// None if there are too many.
    pub(super) fn of(db: &PolicyDb) -> Option<Self> {
        let classes = db.classes.nprim() as usize;
        let mut this = Self { numbers: vec![NONE; (classes + 1) * KINDS], count: 0 };
        for rule in &db.rules {
            let Some(place) = place(rule).and_then(|it| this.numbers.get_mut(it)) else { continue };
            if *place == NONE {
                *place = this.count;
                this.count = this.count.checked_add(1).filter(|&it| it != NONE)?;
            }
        }
        Some(this)
    }

    /// The number of a rule's class and kind; none of a type rule, which others never cover, and of what no unconditional rule has.
    fn number(&self, rule: &AvRule) -> Option<u16> {
        let number = self.numbers.get(place(rule)?).copied();
        number.filter(|&it| it != NONE)
    }

    /// Can other rules cover this one?
    pub(super) fn of_rule(&self, rule: &AvRule) -> Option<usize> {
        place(rule)
    }
}

fn place(rule: &AvRule) -> Option<usize> {
    let kind = match rule.kind {
        RuleKind::Allow => 0,
        RuleKind::AuditAllow => 1,
        RuleKind::DontAudit => 2,
        RuleKind::AllowXperm => 3,
        RuleKind::AuditAllowXperm => 4,
        RuleKind::DontAuditXperm => 5,
        RuleKind::TypeTransition | RuleKind::TypeMember | RuleKind::TypeChange => return None,
    };
    Some(rule.class().value() as usize * KINDS + kind)
}

/// Rows of filed rules. An entry is slot, other side and rule: one word, which sorts fast.
struct Rows {
    starts: Vec<u32>,
    entries: Vec<u64>,
}

fn entry(slot: u16, side: u32, rule: u32) -> u64 {
    u64::from(slot) << 48 | u64::from(side & 0xffff) << 32 | u64::from(rule)
}

fn side(entry: u64) -> u32 {
    u32::try_from(entry >> 32 & 0xffff).unwrap_or(u32::MAX)
}

fn rule(entry: u64) -> u32 {
    u32::try_from(entry & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

impl Rows {
    fn new(count: usize, filed: &[(u32, u64)]) -> Self {
        let mut starts = vec![0u32; count + 1];
        for &(row, _) in filed {
            if let Some(start) = starts.get_mut(row as usize + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut entries = vec![0; filed.len()];
        for &(row, entry) in filed {
            let Some(at) = next.get_mut(row as usize) else { continue };
            if let Some(place) = entries.get_mut(*at as usize) {
                *place = entry;
            }
            *at += 1;
        }
        let mut this = Self { starts, entries };
        this.sort();
        this
    }

    fn sort(&mut self) {
        for (&from, &to) in self.starts.iter().zip(self.starts.iter().skip(1)) {
            if let Some(row) = self.entries.get_mut(from as usize..to as usize) {
                row.sort_unstable();
            }
        }
    }

    fn row(&self, row: usize) -> &[u64] {
        let start = |row: usize| self.starts.get(row).map_or(0, |&it| it as usize);
        self.entries.get(start(row)..start(row + 1)).unwrap_or_default()
    }

    /// The entries of a row from `from` on whose upper half lies below `to`.
    fn part(&self, row: usize, from: u64, to: u64) -> &[u64] {
        let row = self.row(row);
        let first = row.partition_point(|&it| it < from);
        let rest = row.get(first..).unwrap_or_default();
        let length = rest.iter().position(|&it| it >= to).unwrap_or(rest.len());
        rest.get(..length).unwrap_or_default()
    }

    /// All of a row with this slot.
    fn slot(&self, row: usize, slot: u16) -> &[u64] {
        self.part(row, entry(slot, 0, 0), entry(slot + 1, 0, 0))
    }
}

/// Rules between attributes of one class and kind: the sources as a bitmap, and where each one's entries are.
struct Between {
    sources: Vec<u64>,
    runs: Vec<(u32, u32)>,
}

/// All rules of a list, filed.
pub(super) struct Candidates {
    rows: Rows,
    types: usize,
    between: Vec<Option<Between>>,
}

impl Candidates {
    pub(super) fn new(slots: &Slots, supersets: &Supersets, rules: &[AvRule]) -> Self {
        let types = supersets.types_len();
        let filed = (0u32..).zip(rules).filter_map(|(number, it)| {
            let slot = slots.number(it)?;
            let (source, target) = (it.source, it.target);
            let (row, side) = match (supersets.number(source), supersets.number(target)) {
                (None, None) => (source.index(), target.value()),
                (None, Some(to)) => (types + source.index(), to),
                (Some(from), None) => (2 * types + target.index(), from),
                (Some(from), Some(to)) => {
                    let entry = entry_between(from, to, number);
                    return Some((u32::try_from(3 * types + usize::from(slot)).ok()?, entry));
                }
            };
            Some((u32::try_from(row).ok()?, entry(slot, side, number)))
        });
        let filed: Vec<(u32, u64)> = filed.collect();
        let rows = Rows::new(3 * types + usize::from(slots.count), &filed);
        let between = |slot: u16| between(rows.row(3 * types + usize::from(slot)), supersets.words);
        Self { between: (0..slots.count).map(between).collect(), rows, types }
    }

    /// Calls `visit` with rules on supersets of a rule's source and target, itself among them, until one answers true. Did one?
    pub(super) fn visit(
        &self,
        supersets: &Supersets,
        slots: &Slots,
        of: &AvRule,
        mut visit: impl FnMut(u32) -> bool,
    ) -> bool {
        let Some(slot) = slots.number(of) else { return false };
        let (from, to) = (supersets.row(of.source), supersets.row(of.target));
        let exact = entry(slot, of.target.value(), 0);
        let own = |id: TypeId| !supersets.is_attribute(id);
        if own(of.source) && own(of.target) {
            let same = self.rows.part(of.source.index(), exact, exact.saturating_add(1 << 32));
            if same.iter().any(|&it| visit(rule(it))) {
                return true;
            }
        }
        if own(of.source)
            && hit(self.rows.slot(self.types + of.source.index(), slot), to, &mut visit)
        {
            return true;
        }
        let of_attributes = 2 * self.types + of.target.index();
        if own(of.target) && hit(self.rows.slot(of_attributes, slot), from, &mut visit) {
            return true;
        }
        self.visit_between(slot, from, to, &mut visit)
    }

    fn visit_between(
        &self,
        slot: u16,
        from: &[u64],
        to: &[u64],
        visit: &mut impl FnMut(u32) -> bool,
    ) -> bool {
        let Some(Some(between)) = self.between.get(usize::from(slot)) else { return false };
        let row = self.rows.row(3 * self.types + usize::from(slot));
        let mut before = 0;
        for (sources, own) in between.sources.iter().zip(from) {
            let mut hits = sources & own;
            while hits != 0 {
                let below = (1u64 << hits.trailing_zeros()) - 1;
                let run = before + (sources & below).count_ones() as usize;
                hits &= hits - 1;
                let Some(&(start, end)) = between.runs.get(run) else { continue };
                if hit(row.get(start as usize..end as usize).unwrap_or_default(), to, visit) {
                    return true;
                }
            }
            before += sources.count_ones() as usize;
        }
        false
    }
}

/// As [`entry`], but the upper part is the source: the row has one slot.
fn entry_between(from: u32, to: u32, rule: u32) -> u64 {
    u64::from(from) << 48 | u64::from(to) << 32 | u64::from(rule)
}

fn hit(entries: &[u64], around: &[u64], visit: &mut impl FnMut(u32) -> bool) -> bool {
    entries.iter().filter(|&&it| has(around, side(it))).any(|&it| visit(rule(it)))
}

fn between(row: &[u64], words: usize) -> Option<Between> {
    let mut this = Between { sources: vec![0; words], runs: Vec::new() };
    let mut at = 0;
    for run in row.chunk_by(|a, b| a >> 48 == b >> 48) {
        let source = usize::try_from(run.first()? >> 48).ok()?;
        *this.sources.get_mut(source / 64)? |= 1 << (source % 64);
        let end = at + u32::try_from(run.len()).ok()?;
        this.runs.push((at, end));
        at = end;
    }
    (!row.is_empty()).then_some(this)
}
