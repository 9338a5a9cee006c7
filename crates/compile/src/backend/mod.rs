//! From statements to a policy: names are declared, blocks linked, sets resolved, rules expanded and joined. The semantics are
//! those of checkpolicy and libsepol for a monolithic policy.
//!
//! The steps, each a file: [`tree`] the statements in blocks; [`declare`] what is declared where; [`classes`] classes and
//! permissions; [`link`] which optional blocks are enabled; [`symbols`] values and attributes; [`rules`] type enforcement;
//! then [`transitions`], [`people`], [`levels`], [`constraints`] and [`contexts`].

mod classes;
mod conditions;
mod constraints;
mod contexts;
mod declare;
mod dormant;
mod features;
mod levels;
mod link;
mod people;
mod records;
mod report;
mod resolve;
mod rules;
mod sets;
mod symbols;
mod transitions;
mod tree;
mod xperms;

use mandate_policydb::{HandleUnknown, PolicyDb, PolicyVersion, SymbolId, Target, TypeId};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{RequireKind, StatementKind, Unit};
use mandate_syntax::source::Span;

use crate::assertion::Assertion;
use crate::bounds::Bounded;
use crate::outcome::{DisabledOptional, RuleOrigins};
use features::{Feature, Features};
use resolve::Resolver;
use rules::{Expanded, Rules};

/// What kind of policy is built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Linux or Xen.
    pub target: Target,
    /// With MLS?
    pub mls: bool,
    /// What is decided of classes and permissions that the policy does not define.
    pub handle_unknown: HandleUnknown,
    /// The version of the binary policy. What it cannot hold is an error. A policy for a version below 20, which has no
    /// attributes in rules, is held as one of 20: they are expanded as it is written at its own version.
    pub version: PolicyVersion,
    /// Give types, attributes, roles and booleans of the top level their values in the order in which a monolithic build of
    /// the Reference Policy sorts them, not in that of the units.
    pub sort_declarations: bool,
    /// Keep tunables as booleans; else their values are final and their blocks are plain rules.
    pub preserve_tunables: bool,
    /// Attributes that the policy does not hold: rules are about their members.
    pub dropped_attributes: Vec<String>,
    /// Leave commons out that no class has, as `secilc` does and `checkpolicy` does not.
    pub drop_unused_commons: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: Target::Selinux,
            mls: false,
            handle_unknown: HandleUnknown::Deny,
            version: PolicyVersion::COMPRESSED_FILENAME_TRANS,
            sort_declarations: false,
            preserve_tunables: false,
            dropped_attributes: Vec::new(),
            drop_unused_commons: false,
        }
    }
}

/// A requirement that is not met.
#[derive(Clone, Debug)]
pub struct Unmet {
    /// The optional block, what is missing and where that is required. At the top level the block's place is nowhere.
    pub optional: DisabledOptional,
    /// What kind of name it is.
    pub kind: RequireKind,
    /// The name; the class, where a permission of it is missing.
    pub name: String,
    /// The permission that the class does not have.
    pub permission: Option<String>,
    /// Where the name is declared: in a block that is left out itself, or a class that lacks the permission. None if nothing
    /// declares it.
    pub declared: Option<Span>,
}

/// What [`compile`] gives.
#[derive(Debug, Default)]
pub struct Compiled {
    /// The policy; none after an error.
    pub policy: Option<PolicyDb>,
    /// The statements behind its rules.
    pub origins: RuleOrigins,
    /// What was found, in the order of places.
    pub diagnostics: Vec<Diagnostic>,
    /// Optional blocks that are left out for want of a requirement of their own. Blocks within those are not named.
    pub disabled: Vec<Unmet>,
    /// Requirements at the top level of units that nothing meets. They change nothing.
    pub unmet: Vec<Unmet>,
    /// `neverallow` statements, for [`crate::assertion::check`].
    pub assertions: Vec<Assertion>,
    /// Where types, roles and users were bounded, by a statement or a name with a dot.
    pub bounded: Vec<(Bounded, Span)>,
}

/// Compiles units: one for a whole `policy.conf`, or one for each expanded module with those of the global files. Each unit has
/// names of its own; their spans are apart.
pub fn compile(units: &[Unit], options: &Options) -> Compiled {
    let mut report = report::Report::default();
    let tree = tree::Tree::new(units);
    let declared = declare::Declared::gather(&tree, &mut report);
    let classes = classes::Classes::gather(&tree, &declared, options, &mut report);
    let links = link::link(&tree, &declared, &classes);
    let mut compiled = Compiled::default();
    let mut names = Resolver::new(&tree, &declared, &links, &classes, options, &mut report);
    let db = build(&mut names, &mut compiled);
    if !report.failed() {
        compiled.policy = db;
    }
    if compiled.policy.is_none() && !report.failed() {
        let message = "the policy's symbols do not fit its tables";
        report.add(Diagnostic::error(Code::TooMany, Span::NOWHERE, message));
    }
    compiled.diagnostics = report.into_diagnostics();
    compiled.disabled = links.disabled;
    compiled.unmet = links.unmet;
    compiled
}

/// Everything after linking.
fn build(names: &mut Resolver<'_, '_>, compiled: &mut Compiled) -> Option<PolicyDb> {
    let options = names.options;
    names.declare_symbols();
    names.gather_attributes();
    names.gather_levels();
    let mut db = PolicyDb::empty(options.target, options.version.max(PolicyVersion::AVTAB));
    (db.mls, db.handle_unknown) = (options.mls, options.handle_unknown);
    capabilities(names, &mut db);
    rules(names, &mut db, compiled);
    let found = names.transitions();
    let origins = &mut compiled.origins;
    (db.role_allows, origins.role_allows) = transitions::split(found.role_allows);
    (db.role_transitions, origins.role_transitions) = transitions::split(found.role_transitions);
    (db.range_transitions, origins.range_transitions) = transitions::split(found.range_transitions);
    let class_rules = names.class_rules();
    let roles = names.role_table();
    let users = names.user_table();
    if let (Some(types), Some(roles), Some(users)) = (names.type_table(), roles, users) {
        (db.types, db.roles, db.users) = (types, roles, users);
    } else {
        return None;
    }
    (db.sensitivities, db.categories) = names.level_tables()?;
    for (symbol, value) in names.symbols.type_list.iter().zip(1..) {
        if symbol.permissive {
            db.permissive.insert(value);
        }
        if symbol.neveraudit {
            db.neveraudit.insert(value);
        }
        if let (Some(id), 1..) = (TypeId::from_value(value), symbol.bounds) {
            compiled.bounded.push((Bounded::Type(id), symbol.bounds_span));
        }
    }
    compiled.bounded.append(&mut names.bounded);
    db.type_attributes = names.type_attributes_map();
    db.booleans = names.boolean_table()?;
    (db.commons, db.classes, origins.constraints) =
        names.classes.tables(names.tree, class_rules)?;
    contexts::object_contexts(names, &mut db);
    names.check_disabled_blocks();
    names.check_version();
    names.check_complete(&db);
    Some(db)
}

fn capabilities(names: &mut Resolver<'_, '_>, db: &mut PolicyDb) {
    for other in names.enabled_others() {
        let StatementKind::PolicyCapability(ident) = other.statement.kind else { continue };
        if let Some(bit) = names.capability(other.block, ident) {
            db.policy_capabilities.insert(bit);
            names.features.note(Feature::PolicyCapability, other.statement.span);
        }
    }
}

fn rules(names: &mut Resolver<'_, '_>, db: &mut PolicyDb, compiled: &mut Compiled) {
    let rules = Rules::gather(names);
    let (expanded, assertions, named) = rules.finish();
    let Expanded { rules, xperms, conditionals, origins, conditional_origins } = expanded;
    (db.rules, db.xperms, db.conditionals) = (rules, xperms, conditionals);
    (compiled.origins.rules, compiled.origins.conditional) = (origins, conditional_origins);
    compiled.assertions = assertions;
    db.filename_transitions = names.filename_transitions(named);
}
