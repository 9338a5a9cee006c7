//! Where the rules of a build were written, as the file that goes beside its policy.

mod positions;

use std::collections::HashMap;

use mandate_policydb::{PlaceId, ProvenanceBuilder, RuleKey, RulePlace, StringId};
use mandate_syntax::source::{ExpansionId, Expansions, Pos, SourceMap, Span};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use rustc_hash::FxBuildHasher;

use crate::outcome::RuleOrigins;
use positions::{Position, Positions};

/// The places of all rules; [`ProvenanceBuilder::finish`] says of which policy. Statements that nobody wrote are left out.
pub fn provenance(
    origins: &RuleOrigins,
    sources: &SourceMap,
    expansions: &Expansions,
) -> ProvenanceBuilder {
    let statements = statements(origins);
    let mut made = ProvenanceBuilder::new();
    let written = statements.iter().map(|it| it.span.pos);
    let calls = expansions.calls().map(|it| it.pos);
    let (positions, order) = rayon::join(
        || Positions::of(written, calls, sources, &mut made),
        || by_expansion(&statements),
    );
    let parts: Vec<_> = parts(&order, expansions)
        .into_par_iter()
        .map(|part| {
            let mut places = Places::new(&positions, expansions);
            let ids = places.of_all(part, &statements);
            (part, ids, places.made)
        })
        .collect();
    let mut ids = vec![None; statements.len()];
    for (part, places, builder) in parts {
        let first = made.append_places(builder);
        for (&(_, at), place) in part.iter().zip(places) {
            if let (Some(entry), Some(place)) = (ids.get_mut(at as usize), place) {
                *entry = Some(place.moved(first));
            }
        }
    }
    for (statement, id) in statements.iter().zip(ids) {
        if let Some(id) = id {
            made.add(statement.of, statement.permissions, id);
        }
    }
    made
}

/// Statements by expansion, so that neighbours share file and call: the key, and the index of the statement.
fn by_expansion(statements: &[Statement]) -> Vec<(u64, u32)> {
    let key = |span: Span| u64::from(span.expansion.0) << 32 | u64::from(span.pos.0);
    let mut order: Vec<(u64, u32)> = statements.iter().map(|it| key(it.span)).zip(0u32..).collect();
    order.par_sort_unstable();
    order
}

/// Cuts statements that are sorted by expansion where no calls are shared: what comes of it does not depend on threads.
fn parts<'a>(order: &'a [(u64, u32)], expansions: &Expansions) -> Vec<&'a [(u64, u32)]> {
    const SIZE: usize = 8192;
    let unit = |it: &(u64, u32)| {
        let expansion = u32::try_from(it.0 >> 32).unwrap_or_default();
        expansions.unit_of(ExpansionId(expansion))
    };
    let mut parts = Vec::new();
    let mut rest = order;
    while let Some(last) = rest.get(SIZE - 1) {
        let same = |it: &&(u64, u32)| unit(it).is_some() && unit(it) == unit(last);
        let size = SIZE + rest[SIZE..].iter().take_while(same).count();
        let (part, behind) = rest.split_at(size);
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts
}

/// A statement behind a rule.
struct Statement {
    of: RuleKey,
    permissions: u32,
    span: Span,
}

fn statements(origins: &RuleOrigins) -> Vec<Statement> {
    let mut all = Vec::with_capacity(origins.rules.len() + origins.conditional.len());
    all.extend(origins.rules.iter().map(|it| Statement {
        of: RuleKey::Rule(RulePlace::Unconditional(it.rule)),
        permissions: it.permissions,
        span: it.span,
    }));
    all.extend(origins.conditional.iter().map(|&(block, when, it)| Statement {
        of: RuleKey::Rule(RulePlace::Conditional { block, when, rule: it.rule }),
        permissions: it.permissions,
        span: it.span,
    }));
    let whole = |of, span| Statement { of, permissions: u32::MAX, span };
    all.extend(origins.role_allows.iter().map(|it| whole(RuleKey::RoleAllow(it.0), it.1)));
    let transitions = &origins.role_transitions;
    all.extend(transitions.iter().map(|it| whole(RuleKey::RoleTransition(it.0), it.1)));
    let transitions = &origins.range_transitions;
    all.extend(transitions.iter().map(|it| whole(RuleKey::RangeTransition(it.0), it.1)));
    all.extend(
        origins
            .constraints
            .iter()
            .map(|&(class, index, span)| whole(RuleKey::Constraint { class, index }, span)),
    );
    all
}

/// The macro in whose body a text stands, and its call.
type Within = Option<(StringId, PlaceId)>;

/// Turns spans into places.
struct Places<'a> {
    positions: &'a Positions,
    expansions: &'a Expansions,
    made: ProvenanceBuilder,
    /// For each expansion its macro's name and where it was called.
    calls: HashMap<ExpansionId, Within, FxBuildHasher>,
}

impl<'a> Places<'a> {
    fn new(positions: &'a Positions, expansions: &'a Expansions) -> Self {
        let made = ProvenanceBuilder::new();
        Self { positions, expansions, made, calls: HashMap::default() }
    }

    /// The places of statements, in the order given.
    fn of_all(&mut self, order: &[(u64, u32)], statements: &[Statement]) -> Vec<Option<PlaceId>> {
        let mut last: Option<(u64, Option<PlaceId>)> = None;
        let ids = order.iter().map(|&(key, at)| {
            let id = match last {
                Some((same, id)) if same == key => id,
                _ => statements.get(at as usize).and_then(|it| self.of(it.span)),
            };
            last = Some((key, id));
            id
        });
        ids.collect()
    }

    fn of(&mut self, span: Span) -> Option<PlaceId> {
        let within = self.call(span.expansion);
        self.place(span.pos, within)
    }

    fn place(&mut self, pos: Pos, within: Within) -> Option<PlaceId> {
        let Position { path, line, column, .. } = self.positions.get(pos)?;
        Some(self.made.place(path, line, column, within))
    }

    /// The call behind an expansion: outer calls first, each once.
    fn call(&mut self, expansion: ExpansionId) -> Within {
        let mut pending = Vec::new();
        let mut at = expansion;
        let mut within = loop {
            if let Some(&known) = self.calls.get(&at) {
                break known;
            }
            let Some(call) = self.expansions.get(at).map(|it| it.call) else { break None };
            pending.push((at, call));
            // An expansion within itself is no chain.
            if pending.len() > MOST_CALLS {
                break None;
            }
            at = call.expansion;
        };
        for (expansion, call) in pending.into_iter().rev() {
            let place = self.place(call.pos, within);
            let word = self.positions.get(call.pos).and_then(|it| it.word);
            within = word.zip(place).or(within);
            self.calls.insert(expansion, within);
        }
        within
    }
}

/// The longest chain of calls that is told.
const MOST_CALLS: usize = 10_000;

#[cfg(test)]
mod tests {
    use mandate_syntax::source::ExpansionRecorder;

    use super::*;
    use crate::outcome::RuleOrigin;

    /// Two files: an interface, and a module that calls it on its second line.
    fn sample() -> (SourceMap, Expansions, RuleOrigins) {
        let mut sources = SourceMap::new();
        let interfaces = b"interface(`bar_read',`\n\tallow $1 bar_t:file read;\n')\n";
        let interfaces = sources.add("bar.if", *interfaces).unwrap();
        let module = sources.add("foo.te", *b"type foo_t;\nbar_read(foo_t)\n").unwrap();
        let mut expansions = Expansions::for_units(1);
        let mut unit: ExpansionRecorder = expansions.recorder(0);
        let call = Span { pos: sources.file(module).pos(12), ..Span::NOWHERE };
        let expansion = unit.record(call);
        expansions.set(0, unit);
        let inside = Span { pos: sources.file(interfaces).pos(24), expansion };
        let written = Span { pos: sources.file(module).pos(0), ..Span::NOWHERE };
        let origin = |rule, permissions, span| RuleOrigin { rule, permissions, span };
        let origins = RuleOrigins {
            rules: vec![origin(0, 1, inside), origin(0, 2, written), origin(3, 1, Span::NOWHERE)],
            conditional: vec![(2, true, origin(1, 4, inside))],
            ..RuleOrigins::default()
        };
        (sources, expansions, origins)
    }

    #[test]
    fn statements_are_found_with_their_calls() {
        let (sources, expansions, origins) = sample();
        let made = provenance(&origins, &sources, &expansions).finish([1; 32]);
        let shown = |of| {
            let places = made.places(of).map(|(mask, id)| {
                let chain = made.chain(id).map(|it| {
                    let name = it.within.map_or("-", |it| it.0);
                    format!("{}:{}:{} {name}", it.path, it.line, it.column)
                });
                (mask, chain.collect::<Vec<_>>().join(", "))
            });
            let mut places: Vec<_> = places.collect();
            places.sort();
            places
        };
        let inside = "bar.if:2:2 bar_read, foo.te:2:1 -".to_owned();
        let rule = RuleKey::Rule(RulePlace::Unconditional(0));
        assert_eq!(shown(rule), [(1, inside.clone()), (2, "foo.te:1:1 -".to_owned())]);
        let rule = RulePlace::Conditional { block: 2, when: true, rule: 1 };
        assert_eq!(shown(RuleKey::Rule(rule)), [(4, inside)]);
        // Nobody wrote it.
        assert_eq!(shown(RuleKey::Rule(RulePlace::Unconditional(3))), []);
        assert_eq!(made.policy_hash(), &[1; 32]);
    }
}
