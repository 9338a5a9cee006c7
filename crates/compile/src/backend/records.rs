//! What statements say of keys, and the rules that it makes: those of one source are work for one thread.

use mandate_policydb::{AvRule, ClassId, RuleKind, SymbolId as _, TypeId};
use mandate_syntax::source::Span;

use super::tree::small;
use crate::outcome::RuleOrigin;

/// What a statement says of one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// Source, target and class, 16 bits each, and the kind.
    pub(super) key: u64,
    /// Permissions as written, or the value of a type.
    pub(super) bits: u32,
    /// Which statement: its place among the spans of statements.
    pub(super) statement: u32,
}

const KINDS: [RuleKind; 9] = [
    RuleKind::Allow,
    RuleKind::AuditAllow,
    RuleKind::DontAudit,
    RuleKind::TypeTransition,
    RuleKind::TypeMember,
    RuleKind::TypeChange,
    RuleKind::AllowXperm,
    RuleKind::AuditAllowXperm,
    RuleKind::DontAuditXperm,
];

pub(super) fn key(source: u32, target: u32, class: u16, kind: RuleKind) -> u64 {
    u64::from(source) << 48 | u64::from(target) << 32 | u64::from(class) << 16 | kind as u64
}

fn key_source(key: u64) -> usize {
    usize::try_from(key >> 48).unwrap_or(0)
}

fn half(key: u64, shift: u32) -> u32 {
    u32::from(u16::try_from(key >> shift & 0xffff).unwrap_or(0))
}

/// Kind, source, target and class of a key.
pub(super) fn parts(key: u64) -> Option<(RuleKind, TypeId, TypeId, ClassId)> {
    let kind = KINDS.get(usize::try_from(key & 0xff).ok()?)?;
    let source = TypeId::from_value(half(key, 48))?;
    let target = TypeId::from_value(half(key, 32))?;
    Some((*kind, source, target, ClassId::from_value(half(key, 16))?))
}

/// By source; those of each are not sorted yet.
pub(super) fn by_source(records: Vec<Record>, types: usize) -> Vec<Record> {
    let mut ends = vec![0usize; types + 2];
    for record in &records {
        ends[key_source(record.key) + 1] += 1;
    }
    for at in 1..ends.len() {
        ends[at] += ends[at - 1];
    }
    let mut sorted = vec![Record { key: 0, bits: 0, statement: 0 }; records.len()];
    for record in records {
        let place = &mut ends[key_source(record.key)];
        sorted[*place] = record;
        *place += 1;
    }
    sorted
}

/// Cuts records between sources, so that each part is work for a thread.
pub(super) fn parts_of(records: &mut [Record]) -> Vec<&mut [Record]> {
    const SIZE: usize = 8192;
    let mut parts = Vec::new();
    let mut rest = records;
    while let Some(last) = rest.get(SIZE - 1).map(|it| key_source(it.key)) {
        let more = rest[SIZE..].iter().take_while(|it| key_source(it.key) == last).count();
        let (part, behind) = rest.split_at_mut(SIZE + more);
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts
}

/// The rules of some sources.
pub(super) struct Joined {
    pub(super) rules: Vec<AvRule>,
    /// Rules are numbered from 0 here.
    pub(super) origins: Vec<RuleOrigin>,
    pub(super) conflicts: Vec<(Record, Record)>,
}

impl Joined {
    /// Of records by source, which are sorted by key and statement here: those of a source lie in the cache.
    pub(super) fn of(records: &mut [Record], spans: &[Span]) -> Self {
        let sources = records.chunk_by_mut(|a, b| key_source(a.key) == key_source(b.key));
        sources.for_each(|it| it.sort_unstable_by_key(|it| (it.key, it.statement)));
        let (mut rules, mut conflicts) = (Vec::new(), Vec::new());
        let mut origins = Vec::with_capacity(records.len());
        for group in records.chunk_by(|a, b| a.key == b.key) {
            let (rule, conflict) = join(group);
            conflicts.extend(conflict);
            if let Some(rule) = rule {
                origins.extend(origins_of(small(rules.len()), group, spans));
                rules.push(rule);
            }
        }
        Self { rules, origins, conflicts }
    }
}

/// One rule of all records with its key. The statements of a type rule have to agree: else the first and one that differs.
pub(super) fn join(group: &[Record]) -> (Option<AvRule>, Option<(Record, Record)>) {
    let Some(first) = group.first() else { return (None, None) };
    let Some((kind, source, target, class)) = parts(first.key) else { return (None, None) };
    if kind.is_type() {
        let other = group.iter().find(|it| it.bits != first.bits);
        let result = TypeId::from_value(first.bits);
        let rule = result.map(|it| AvRule::type_rule(kind, source, target, class, it));
        return (rule, other.map(|it| (*first, *it)));
    }
    let said = group.iter().fold(0, |bits, it| bits | it.bits);
    let bits = if kind == RuleKind::DontAudit { !said } else { said };
    (Some(AvRule::access(kind, source, target, class, bits)), None)
}

/// The statements behind a rule.
pub(super) fn origins_of(
    rule: u32,
    group: &[Record],
    spans: &[Span],
) -> impl Iterator<Item = RuleOrigin> {
    group.chunk_by(|a, b| a.statement == b.statement).map(move |said| {
        let permissions = match parts(said[0].key) {
            Some((kind, ..)) if kind.is_type() => u32::MAX,
            _ => said.iter().fold(0, |bits, it| bits | it.bits),
        };
        RuleOrigin { rule, permissions, span: spans[said[0].statement as usize] }
    })
}
