//! From CIL statements to those of the kernel language, whose names are flat.
//!
//! Rules and memberships are lowered side by side, a piece of the sources each; everything else in one unit. A name that is unknown
//! leaves out the optional around it, which is found by lowering what stands in optionals first.

mod constraints;
mod contexts;
mod declarations;
mod find;
mod levels;
mod network;
mod people;
mod permissions;
mod rules;
mod sets;
mod xperms;

use mandate_policydb::PolicyVersion;
use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    CondTerm, Ident, Set, SetForm, SetItem, Slice, Statement, StatementKind, Unit,
};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use super::condition::{self, Malformed, Part};
use super::declare::{DeclId, Run, Space};
use super::report::Report;
use super::tables::Tables;
use super::world::{ContainerId, Item, Kind, NONE, World};

pub(crate) use contexts::{FileContext, Labels};
pub(crate) use people::Users;
pub(crate) use rules::Denial;
pub(crate) use rules::Target;
pub(crate) use sets::{SetUse, operator as set_operator};

/// The statement is given up: what is wrong was told, or its optional is left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop;

pub(crate) type Res<T = ()> = Result<T, Stop>;

/// So many steps one piece may take through sets within sets.
const MOST_STEPS: u32 = 1_000_000;
/// So many of them are free in each statement.
const FREE_STEPS: u32 = 100;

/// Lowers statements into a unit.
pub(crate) struct Lowerer<'w, 't> {
    pub(crate) world: &'w World<'t>,
    pub(crate) tables: &'w Tables,
    pub(crate) unit: Unit,
    pub(crate) report: Report,
    /// The container in whose view names are looked for.
    at: ContainerId,
    /// The container that the statement stands in.
    base: ContainerId,
    /// Is a name of the statement unknown?
    pub(crate) unresolved: bool,
    /// Are only names looked for?
    checking: bool,
    /// Are, besides, statements told that are wrong in themselves?
    shapes: bool,
    conditional: bool,
    /// Are statements lowered that were put off?
    late: bool,
    steps: u32,
    depth: u32,
    /// Sets that are expressions, which are worked off when all memberships are known.
    pub(crate) sets: Vec<SetUse>,
    pub(crate) denials: Vec<Denial>,
    /// Is there a rule about `notself` or `other`?
    pub(crate) spreads: bool,
    /// What rules that are left out are about, and whether they are `neverallow` rules.
    pub(crate) left_out: Vec<(Symbol, bool)>,
    /// The types and attributes that are said to go with `object_r`.
    pub(crate) object_types: Vec<Symbol>,
    pub(crate) users: Users,
    pub(crate) labels: Labels,
    pub(crate) policy: Policy,
    /// Statements that need what others say.
    pub(crate) deferred: Vec<(ContainerId, u32)>,
}

/// What is said of the policy as a whole.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    pub(crate) handle_unknown: Option<(Keyword, Span)>,
    /// Is there an order that is wrong in itself?
    pub(crate) disordered: bool,
    /// Statements of order: the word, whether they say `unordered`, and the names.
    pub(crate) orders: Vec<(Keyword, bool, Vec<Ident>, Span)>,
    /// What was bounded: by the child, the parent and the child.
    pub(crate) bounded: FxHashMap<(Space, Symbol), (Ident, Ident)>,
    /// Ranges by name, which have to ascend.
    pub(crate) ranges: Vec<mandate_syntax::kernel::ast::MlsRange>,
    /// Contexts that have to be valid though the policy does not hold them.
    pub(crate) contexts: Vec<mandate_syntax::kernel::ast::Context>,
    pub(crate) sensitivity_categories: Vec<(DeclId, Slice, Span)>,
}

/// Conditional blocks hold extended permissions from this version on.
const COND_XPERMS: PolicyVersion = PolicyVersion::CONDITIONAL_XPERMS;

fn is_xperm(keyword: Keyword) -> bool {
    use Keyword as K;
    matches!(keyword, K::AllowX | K::AuditAllowX | K::DontAuditX)
}

/// Is it lowered side by side with others of its kind?
pub(crate) fn is_parallel(keyword: Keyword) -> bool {
    use Keyword as K;
    (keyword as u8) < Keyword::Type as u8
        || matches!(keyword, K::TypeAttributeSet | K::RoleType | K::RoleAttributeSet)
}

impl<'w, 't> Lowerer<'w, 't> {
    pub(crate) fn new(world: &'w World<'t>, tables: &'w Tables) -> Self {
        Self {
            world,
            tables,
            unit: Unit { explicit_bounds: true, ..Unit::default() },
            report: Report::default(),
            at: 0,
            base: 0,
            unresolved: false,
            checking: false,
            shapes: false,
            conditional: false,
            late: false,
            steps: 0,
            depth: 0,
            sets: Vec::new(),
            denials: Vec::new(),
            spreads: false,
            left_out: Vec::new(),
            object_types: Vec::new(),
            users: Users::default(),
            labels: Labels::default(),
            policy: Policy::default(),
            deferred: Vec::new(),
        }
    }

    /// One that only looks whether names are known.
    pub(crate) fn checker(world: &'w World<'t>, tables: &'w Tables) -> Self {
        Self { checking: true, ..Self::new(world, tables) }
    }

    /// Tells what is wrong in itself with statements that are not lowered: of branches that go, of macros nobody calls.
    pub(crate) fn check_shapes(&mut self, container: ContainerId) {
        (self.checking, self.shapes) = (true, true);
        (self.at, self.base) = (container, container);
        let world = self.world;
        for index in world.container(container).items.iter().filter_map(|it| it.as_statement()) {
            let statement = world.element(container, index);
            let word = statement.children().next().and_then(Element::word);
            if let Some(keyword) = word.and_then(Keyword::of) {
                self.steps = 0;
                let _ = self.statement(statement, keyword);
                (self.at, self.base) = (container, container);
            }
        }
        self.clear();
    }

    /// Forgets what was lowered.
    pub(crate) fn clear(&mut self) {
        let unit = &mut self.unit;
        unit.statements.clear();
        unit.set_items.clear();
        unit.idents.clear();
        unit.number_ranges.clear();
        unit.category_ranges.clear();
        unit.cond_terms.clear();
        unit.constraint_terms.clear();
        self.sets.clear();
        self.denials.clear();
        self.left_out.clear();
        self.object_types.clear();
        self.users = Users::default();
        self.labels = Labels::default();
        self.policy = Policy::default();
        self.deferred.clear();
        self.unresolved = false;
        self.steps = 0;
    }

    /// Lowers the statements of a run that are lowered side by side, or the others.
    pub(crate) fn run(&mut self, run: Run, parallel: bool) {
        let Run { container, start, end } = run;
        (self.at, self.base) = (container, container);
        if end == 0 {
            if parallel {
                self.boolean_if(container);
            }
            return;
        }
        let world = self.world;
        for item in &world.container(container).items[start as usize..end as usize] {
            let Some(index) = item.as_statement() else { continue };
            let statement = world.element(container, index);
            let word = statement.children().next().and_then(Element::word);
            let Some(keyword) = word.and_then(Keyword::of) else { continue };
            if is_parallel(keyword) == parallel {
                self.steps = self.steps.saturating_sub(FREE_STEPS);
                // What is wrong was told.
                let _ = self.statement(statement, keyword);
            }
        }
    }

    /// Lowers what had to wait for all others.
    pub(crate) fn lower_deferred(&mut self) {
        self.late = true;
        for (container, index) in std::mem::take(&mut self.deferred) {
            (self.at, self.base) = (container, container);
            let statement = self.world.element(container, index);
            let word = statement.children().next().and_then(Element::word);
            if let Some(keyword) = word.and_then(Keyword::of) {
                let _ = self.statement(statement, keyword);
            }
        }
    }

    fn statement(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        use Keyword as K;
        match keyword {
            K::Allow | K::AuditAllow | K::DontAudit | K::NeverAllow | K::Deny => {
                self.av_rule(statement, keyword)
            }
            K::AllowX | K::AuditAllowX | K::DontAuditX | K::NeverAllowX => {
                self.xperm_rule(statement, keyword)
            }
            K::TypeTransition | K::TypeMember | K::TypeChange => self.type_rule(statement, keyword),
            K::RangeTransition => self.range_transition(statement),
            K::RoleAllow | K::RoleTransition | K::RoleType | K::RoleBounds => {
                self.role_statement(statement, keyword)
            }
            K::TypeAttributeSet | K::RoleAttributeSet | K::UserAttributeSet => {
                self.attribute_set(statement, keyword)
            }
            K::UserRole
            | K::UserLevel
            | K::UserRange
            | K::UserBounds
            | K::UserPrefix
            | K::SelinuxUser
            | K::SelinuxUserDefault => self.user_statement(statement, keyword),
            K::Constrain | K::MlsConstrain | K::ValidateTrans | K::MlsValidateTrans => {
                if self.checking || self.late {
                    return self.constraint(statement, keyword);
                }
                self.deferred.push((self.base, statement.index()));
                Ok(())
            }
            K::SensitivityCategory => self.sensitivity_category(statement),
            K::ClassOrder | K::SidOrder | K::CategoryOrder | K::SensitivityOrder => {
                let result = self.order(statement, keyword);
                self.policy.disordered |= result.is_err();
                result
            }
            K::SidContext
            | K::FileCon
            | K::FsUse
            | K::GenfsCon
            | K::Context
            | K::DeviceTreeCon
            | K::PirqCon
            | K::IomemCon
            | K::IoportCon
            | K::PciDeviceCon => self.label(statement, keyword),
            K::PortCon | K::NodeCon | K::NetifCon | K::IbPkeyCon | K::IbEndPortCon | K::IpAddr => {
                self.network_label(statement, keyword)
            }
            _ => self.declaration(statement, keyword),
        }
    }

    /// Condition and branches of a `booleanif`.
    fn boolean_if(&mut self, id: ContainerId) {
        let world = self.world;
        let container = world.container(id);
        (self.at, self.base) = (container.parent, container.parent);
        let statement = world.element(container.parent, container.node);
        let Some(expression) = statement.children().nth(1) else { return };
        let Ok(expression) = self.condition(expression) else { return };
        let around = std::mem::take(&mut self.unit.statements);
        self.conditional = true;
        let mut branches = [Vec::new(), Vec::new()];
        for branch in container.items.iter().filter_map(|it| it.as_child()) {
            self.branch(branch);
            let is_false = world.container(branch).kind == Kind::Branch(false);
            branches[usize::from(is_false)] = std::mem::take(&mut self.unit.statements);
        }
        self.conditional = false;
        self.unit.statements = around;
        let [then, otherwise] = branches;
        let span = world.own_span(id);
        let kind = StatementKind::Conditional { expression, then, otherwise };
        self.unit.statements.push(Statement { span, kind });
    }

    /// The statements in a branch of a condition.
    fn branch(&mut self, id: ContainerId) {
        let world = self.world;
        if world.container(id).disabled {
            return;
        }
        for item in &world.container(id).items {
            if let Some(child) = item.as_child() {
                self.branch(child);
                continue;
            }
            let Some(index) = item.as_statement() else { continue };
            (self.at, self.base) = (id, id);
            let statement = world.element(id, index);
            let word = statement.children().next().and_then(Element::word);
            let Some(keyword) = word.and_then(Keyword::of) else { continue };
            if (keyword as u8) < Keyword::RangeTransition as u8
                && !matches!(keyword, Keyword::NeverAllow | Keyword::NeverAllowX | Keyword::Deny)
                && (self.world.options.version >= COND_XPERMS || !is_xperm(keyword))
            {
                let _ = self.statement(statement, keyword);
            } else {
                let message = format!("`{}` may not stand in `booleanif`", keyword.text());
                let span = self.span(statement);
                self.tell(Diagnostic::error(Code::NotAllowedHere, span, message));
            }
        }
    }

    fn condition(&mut self, expression: Element<'t>) -> Res<Slice> {
        let start = self.unit.cond_terms.len();
        let mut parts = Vec::new();
        let result = condition::postfix(expression, &mut |part| match part {
            Part::Name(element) => parts.push(Err(element.index())),
            Part::Operator(term) => parts.push(Ok(term)),
        });
        if let Err(Malformed(index, wrong)) = result {
            let span = self.span(self.world.element(self.at, index));
            return Err(self.tell(condition::malformed(span, wrong)));
        }
        for part in parts {
            let term = match part {
                Ok(term) => term,
                Err(index) => {
                    let element = self.world.element(self.at, index);
                    let decl = self.declared(element, Space::Booleans)?;
                    CondTerm::Bool(self.ident(decl, element))
                }
            };
            self.unit.cond_terms.push(term);
        }
        Ok(slice(start, self.unit.cond_terms.len()))
    }

    /// Pushes a statement.
    fn push(&mut self, statement: Element<'_>, kind: StatementKind) {
        let span = self.world.span(self.base, statement);
        self.unit.statements.push(Statement { span, kind });
    }

    fn idents(&mut self, list: impl IntoIterator<Item = Ident>) -> Slice {
        let start = self.unit.idents.len();
        self.unit.idents.extend(list);
        slice(start, self.unit.idents.len())
    }

    /// A set of one name.
    fn single(&mut self, ident: Ident) -> Set {
        self.listed(&[SetItem { ident, excluded: false }], ident.span)
    }

    fn listed(&mut self, items: &[SetItem], span: Span) -> Set {
        let start = self.unit.set_items.len();
        self.unit.set_items.extend_from_slice(items);
        let items = slice(start, self.unit.set_items.len());
        Set { form: SetForm::Listed, items, span }
    }
}

/// From place to place in a pool.
pub(crate) fn slice(start: usize, end: usize) -> Slice {
    let small = |it| u32::try_from(it).expect("sources take less than 4 GiB");
    Slice { start: small(start), end: small(end) }
}

/// The statements of a run that stand in optionals are looked at first.
pub(crate) fn is_optional(world: &World<'_>, run: Run) -> bool {
    world.container(run.container).optional != NONE
}

/// How many statements a run has, conditions counted with theirs.
pub(crate) fn weight(world: &World<'_>, run: Run) -> usize {
    if run.end > 0 {
        return (run.end - run.start) as usize;
    }
    let branches = world.container(run.container).items.iter().copied();
    branches.filter_map(Item::as_child).map(|it| world.container(it).items.len() + 1).sum()
}
