//! The steps in order, and what is done side by side.

use mandate_policydb::HandleUnknown;
use mandate_syntax::cil::{Element, Keyword, Parsed, Tree};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, Statement, StatementKind, Unit};
use mandate_syntax::names::{Interner, Symbol};
use mandate_syntax::source::Expansions;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::declare::{DeclKind, Run, Space, declares};
use super::finish::Checked;
use super::lower::{Denial, Lowerer, SetUse, is_optional, slice, weight};
use super::members::Members;
use super::report::Told;
use super::tables::{self, Tables};
use super::world::{Container, ContainerId, Kind, World};
use super::{Lowered, Options, deny, used};
use crate::outcome::DisabledOptional;

/// About as many statements are lowered at once.
const PIECE: usize = 50_000;
/// So often optionals are left out because of others that were.
const MOST_ROUNDS: usize = 100;

pub(super) fn lower(
    parsed: Vec<Parsed>,
    options: &Options,
    expansions: &mut Expansions,
) -> Lowered {
    let mut diagnostics = Vec::new();
    let mut told = Told::default();
    let (trees, names) = join(parsed, &mut diagnostics);
    if diagnostics.iter().any(|it| it.code == Code::UnclosedString) {
        // Where its lists end is not known: all else that could be told would follow from that.
        return Lowered { diagnostics, ..Lowered::default() };
    }
    let mut world = World::new(&trees, names, options, expansions.recorder(0));
    world.contain_files();
    world.declare_tunables();
    let spent = world.expand().is_err();
    let mut lowered = Lowered::default();
    if !spent {
        let (runs, tables) = settle(&mut world);
        check_shapes(&mut world, &tables, &runs);
        lowered = lower_world(&world, &tables, &runs, &mut told);
        lowered.disabled = disabled(&world);
        // Faults of the statements follow from those of the containers.
        let failed = world.report.failed();
        if failed {
            lowered.units.clear();
        }
    }
    expansions.set(0, std::mem::take(&mut world.expansions));
    // What is misshapen may be so because it could not be read.
    let unread = !diagnostics.is_empty();
    let mut found = world.report.into_told();
    found.faults.retain(|it| !unread || it.code != Code::CilShape);
    let mut all = Told { faults: diagnostics, ..Told::default() };
    all.append(found);
    all.append(told);
    lowered.diagnostics = all.into_diagnostics();
    lowered
}

/// One interner for all files.
fn join(parsed: Vec<Parsed>, diagnostics: &mut Vec<Diagnostic>) -> (Vec<Tree>, Interner) {
    let mut names = Keyword::interner();
    let mut renamed: Vec<(Tree, Vec<Symbol>)> = Vec::with_capacity(parsed.len());
    for mut it in parsed {
        diagnostics.append(&mut it.diagnostics);
        let to = it.names.iter().map(|(_, name)| names.intern(name)).collect();
        renamed.push((it.tree, to));
    }
    renamed.par_iter_mut().for_each(|(tree, to)| tree.rename(to));
    (renamed.into_iter().map(|it| it.0).collect(), names)
}

/// Declares names and leaves optionals out until nothing changes.
fn settle(world: &mut World<'_>) -> (Vec<Run>, Tables) {
    let mut rounds = 0;
    loop {
        rounds += 1;
        let last = rounds > MOST_ROUNDS;
        let before = count_disabled(world);
        let gathered = world.declare_all();
        world.bind_arguments(&gathered.calls);
        let (tables, _) = tables::gather(world, &gathered);
        if count_disabled(world) != before && !last {
            continue;
        }
        let mut runs = gathered.runs;
        let failed = unresolved(world, &tables, &runs);
        for &id in &failed {
            world.containers[id as usize].disabled = true;
        }
        if failed.iter().any(|&it| matters(world, it)) {
            if !last {
                continue;
            }
            let span = failed.iter().min().map(|&it| world.own_span(it)).unwrap_or_default();
            let message =
                format!("optionals depend on each other in more than {MOST_ROUNDS} steps");
            world.report.add(Diagnostic::error(Code::CilBudget, span, message));
        }
        if !failed.is_empty() {
            runs.retain(|it| !world.is_dead(it.container));
        }
        return (runs, tables);
    }
}

/// What is not lowered has to be well formed too.
fn check_shapes(world: &mut World<'_>, tables: &Tables, runs: &[Run]) {
    let lowered: FxHashSet<ContainerId> = runs.iter().map(|it| it.container).collect();
    let is_unused = |it: &(&Container, ContainerId)| {
        let chosen = matches!(it.0.kind, Kind::Branch(_)) && !it.0.disabled;
        !chosen && !lowered.contains(&it.1)
    };
    let unused = world.containers.iter().zip(0..).filter(is_unused);
    let unused: Vec<ContainerId> = unused.map(|it| it.1).collect();
    let mut checker = Lowerer::checker(world, tables);
    unused.iter().for_each(|&it| checker.check_shapes(it));
    let told = checker.report.into_told();
    told.faults.into_iter().for_each(|it| world.report.add(it));
    told.missing.into_iter().for_each(|it| world.report.add_missing(it));
    world.check_declarations(&unused);
}

fn count_disabled(world: &World<'_>) -> usize {
    world.containers.iter().filter(|it| it.disabled).count()
}

/// The optionals in which names are unknown.
fn unresolved(world: &World<'_>, tables: &Tables, runs: &[Run]) -> FxHashSet<ContainerId> {
    let optional: Vec<Run> = runs.iter().copied().filter(|&it| is_optional(world, it)).collect();
    let pieces = pieces(world, &optional);
    let failed: Vec<Vec<ContainerId>> = pieces
        .par_iter()
        .map(|runs| {
            let mut checker = Lowerer::checker(world, tables);
            let mut failed = Vec::new();
            for &run in *runs {
                let optional = world.container(run.container).optional;
                if failed.last() == Some(&optional) {
                    continue;
                }
                checker.run(run, true);
                checker.run(run, false);
                if checker.unresolved {
                    failed.push(optional);
                }
                checker.clear();
            }
            failed
        })
        .collect();
    failed.into_iter().flatten().collect()
}

/// Does it matter to others that this optional is left out?
fn matters(world: &World<'_>, id: ContainerId) -> bool {
    let container = world.container(id);
    container.items.iter().any(|item| {
        if let Some(child) = item.as_child() {
            return world.container(child).kind == Kind::Call || matters(world, child);
        }
        let Some(index) = item.as_statement() else { return true };
        let word = world.element(id, index).children().next().and_then(Element::word);
        let keyword = word.and_then(Keyword::of);
        keyword.is_some_and(|it| {
            it as u8 >= Keyword::Class as u8 && !it.text().starts_with("boolean")
                || declares(it).is_some()
                || it == Keyword::TypeAliasActual
        })
    })
}

fn disabled(world: &World<'_>) -> Vec<DisabledOptional> {
    let mut found = Vec::new();
    for (container, id) in world.containers.iter().zip(0..) {
        if container.kind == Kind::Optional && container.disabled {
            let span = world.own_span(id);
            let missing = world.text(container.name).to_owned();
            found.push(DisabledOptional { span, missing, required: span });
        }
    }
    found
}

/// Runs in pieces of about the same size.
fn pieces<'r>(world: &World<'_>, runs: &'r [Run]) -> Vec<&'r [Run]> {
    let mut pieces = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for (at, &run) in runs.iter().enumerate() {
        sum += weight(world, run);
        if sum >= PIECE {
            pieces.push(&runs[start..=at]);
            (start, sum) = (at + 1, 0);
        }
    }
    if start < runs.len() {
        pieces.push(&runs[start..]);
    }
    pieces
}

/// What a piece gave.
struct Piece {
    unit: Unit,
    told: Told,
    sets: Vec<SetUse>,
    denials: Vec<Denial>,
    spreads: bool,
    left_out: Vec<(Symbol, bool)>,
    object_types: Vec<Symbol>,
}

impl Piece {
    fn of(lowerer: Lowerer<'_, '_>) -> Self {
        let Lowerer { unit, report, sets, denials, spreads, left_out, object_types, .. } = lowerer;
        let told = report.into_told();
        Self { unit, told, sets, denials, spreads, left_out, object_types }
    }
}

fn lower_world(world: &World<'_>, tables: &Tables, runs: &[Run], told: &mut Told) -> Lowered {
    let pieces = pieces(world, runs);
    let side_by_side = || -> Vec<Piece> {
        let lowered = pieces.par_iter().map(|runs| {
            let mut lowerer = Lowerer::new(world, tables);
            runs.iter().for_each(|&run| lowerer.run(run, true));
            Piece::of(lowerer)
        });
        lowered.collect()
    };
    let one_by_one = || {
        let mut lowerer = Lowerer::new(world, tables);
        runs.iter().for_each(|&run| lowerer.run(run, false));
        lowerer.finish();
        let contexts = lowerer.checked_contexts();
        let objects = lowerer.object_users();
        let file_contexts = lowerer.file_contexts();
        let seusers = lowerer.logins();
        let handle_unknown = lowerer.policy.handle_unknown;
        (Piece::of(lowerer), file_contexts, seusers, handle_unknown, (contexts, objects))
    };
    let ((first, file_contexts, seusers, said, (contexts, objects)), rest) =
        rayon::join(one_by_one, side_by_side);
    let mut pieces = vec![first];
    pieces.extend(rest);
    let said = said.map(|it| match it.0 {
        Keyword::Allow => HandleUnknown::Allow,
        Keyword::Reject => HandleUnknown::Reject,
        _ => HandleUnknown::Deny,
    });
    let mut lowered = Lowered {
        mls: tables.mls,
        handle_unknown: world.options.handle_unknown.or(said),
        file_contexts,
        seusers,
        ..Lowered::default()
    };
    let mut objects = Objects { users: objects, ..Objects::default() };
    work_off(world, tables, &mut pieces, &mut objects, &mut lowered, &mut told.faults);
    told.faults.extend(objects.refused(world, &contexts));
    lowered.contexts = contexts.into_iter().map(|it| (it.text, it.span)).collect();
    for mut piece in pieces {
        told.append(piece.told);
        piece.unit.names = world.names.clone();
        lowered.units.push(piece.unit);
    }
    lowered
}

/// What needs the members of attributes.
fn work_off(
    world: &World<'_>,
    tables: &Tables,
    pieces: &mut [Piece],
    objects: &mut Objects,
    lowered: &mut Lowered,
    faults: &mut Vec<Diagnostic>,
) {
    let sets: Vec<SetUse> = pieces.iter_mut().flat_map(|it| std::mem::take(&mut it.sets)).collect();
    let denials: Vec<Denial> =
        pieces.iter_mut().flat_map(|it| std::mem::take(&mut it.denials)).collect();
    let spreads = pieces.iter().any(|it| it.spreads);
    for (space, kind) in
        [(Space::Types, DeclKind::TypeAttribute), (Space::Roles, DeclKind::RoleAttribute)]
    {
        let of_space = |it: &&SetUse| world.decl(it.attribute).kind == kind;
        let own: Vec<SetUse> = sets.iter().filter(of_space).copied().collect();
        let mut members = Members::new(world, space, pieces.iter().map(|it| &it.unit), &own);
        let worked = members.worked_off(&own);
        if let Some(first) = pieces.first_mut() {
            let unit = &mut first.unit;
            for of_one in worked.chunk_by(|a, b| a.0 == b.0) {
                let start = unit.idents.len();
                unit.idents.extend(of_one.iter().map(|it| it.1));
                let attributes = slice(start, unit.idents.len());
                let span = of_one[0].1.span;
                let name = Ident { name: members.names[of_one[0].0 as usize], span };
                let kind = match space {
                    Space::Types => StatementKind::TypeAttribute { name, attributes },
                    _ => StatementKind::RoleAttributeSet { name, attributes },
                };
                unit.statements.push(Statement { span, kind });
            }
        }
        if space == Space::Types {
            let left_out: Vec<(Symbol, bool)> =
                pieces.iter_mut().flat_map(|it| std::mem::take(&mut it.left_out)).collect();
            let units = pieces.iter().map(|it| &it.unit);
            let uses = used::Uses::of(world, units, &own, &left_out);
            if !denials.is_empty() || spreads {
                for piece in &mut *pieces {
                    let told =
                        deny::work_off(world, tables, &mut members, &denials, &mut piece.unit);
                    faults.extend(told);
                }
            }
            objects.types(&mut members, pieces);
            lowered.dropped_attributes = uses.dropped(world, &mut members);
        }
        if space == Space::Roles {
            objects.through_attributes(&mut members);
        }
        faults.append(&mut members.diagnostics);
    }
}

/// What goes with `object_r`: nothing of it is in a policy, but `secilc` asks for it.
#[derive(Debug, Default)]
struct Objects {
    users: Vec<(Symbol, Symbol)>,
    types: FxHashSet<Symbol>,
    /// Of each role attribute: its types.
    of_attributes: Vec<(Symbol, FxHashSet<Symbol>)>,
}

impl Objects {
    /// Types are said of the role, or of attributes that may have it.
    fn types(&mut self, members: &mut Members<'_, '_>, pieces: &[Piece]) {
        let mut named: Vec<Symbol> =
            pieces.iter().flat_map(|it| it.object_types.iter().copied()).collect();
        named.sort_unstable();
        named.dedup();
        for name in named {
            let bits = members.of(name);
            self.types.extend(bits.iter().map(|it| members.names[it]));
        }
        let attributes = members.world().role_attributes();
        for unit in pieces.iter().map(|it| &it.unit) {
            for statement in &unit.statements {
                let StatementKind::Role { name, types: Some(types), .. } = &statement.kind else {
                    continue;
                };
                if !attributes.contains(&name.name) {
                    continue;
                }
                for item in &unit.set_items[types.items.range()] {
                    let bits = members.of(item.ident.name);
                    let names = bits.iter().map(|it| members.names[it]).collect();
                    self.of_attributes.push((name.name, names));
                }
            }
        }
    }

    fn through_attributes(&mut self, members: &mut Members<'_, '_>) {
        let object_r = Keyword::ObjectR.symbol();
        let place = members.names.iter().position(|&it| it == object_r);
        let mut holds = |name: Symbol| place.is_some_and(|it| members.of(name).contains(it));
        for (attribute, types) in std::mem::take(&mut self.of_attributes) {
            if holds(attribute) {
                self.types.extend(types);
            }
        }
        self.users.retain(|it| holds(it.1));
    }

    fn refused(&self, world: &World<'_>, contexts: &[Checked]) -> Vec<Diagnostic> {
        let users: FxHashSet<Symbol> = self.users.iter().map(|it| it.0).collect();
        let mut told = Vec::new();
        for it in contexts.iter().filter(|it| it.object) {
            let (user, type_) = (world.text(it.user), world.text(it.type_));
            let missing = if !users.contains(&it.user) {
                format!("(userrole {user} object_r)")
            } else if !self.types.contains(&it.type_) {
                format!("(roletype object_r {type_})")
            } else {
                continue;
            };
            let message = format!("the context `{}` is not allowed", it.text);
            let error = Diagnostic::error(Code::InvalidContext, it.span, message);
            told.push(error.help(format!("write `{missing}`")));
        }
        told
    }
}
