//! From CIL statements to those of the kernel language, whose names are flat.
//!
//! Rules and memberships are lowered side by side, a piece of the sources each; everything else in one unit. A name that is unknown
//! leaves out the optional around it, which is found by lowering what stands in optionals first.

mod constraints;
mod contexts;
mod declarations;
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
use super::declare::{DeclId, DeclKind, Run, Space};
use super::report::Report;
use super::tables::Tables;
use super::world::{ContainerId, Found, Item, Kind, NONE, World};

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

    /// Where an element stands in the container whose names are looked at.
    fn span(&self, element: Element<'_>) -> Span {
        self.world.span(self.at, element)
    }

    /// Tells a finding, unless only names are looked for.
    fn tell(&mut self, it: Diagnostic) -> Stop {
        if !self.checking {
            self.report.add(it);
        }
        Stop
    }

    /// A finding about the statement's shape.
    fn misshapen(&mut self, element: Element<'_>, keyword: Keyword, message: &str) -> Stop {
        let message = format!("`{}`: {message}", keyword.text());
        let error = Diagnostic::error(Code::CilShape, self.span(element), message);
        let error = error.help(format!("write {}", keyword.shape()));
        if self.shapes {
            self.report.add(error);
            return Stop;
        }
        self.tell(error)
    }

    /// The elements behind the first word, which are as many.
    fn parts<const N: usize>(
        &mut self,
        statement: Element<'t>,
        keyword: Keyword,
    ) -> Res<[Element<'t>; N]> {
        let mut parts = [statement; N];
        let mut count = 0;
        for part in statement.children().skip(1) {
            if let Some(slot) = parts.get_mut(count) {
                *slot = part;
            }
            count += 1;
        }
        if count == N { Ok(parts) } else { Err(self.wrong_count(statement, keyword, count, N)) }
    }

    fn wrong_count(
        &mut self,
        statement: Element<'_>,
        keyword: Keyword,
        count: usize,
        wanted: usize,
    ) -> Stop {
        let few = if count < wanted { "parts are missing" } else { "there are too many parts" };
        self.misshapen(statement, keyword, few)
    }

    /// A word; nothing of a list.
    fn word(&mut self, element: Element<'t>) -> Res<Symbol> {
        match element.word() {
            Some(word) => Ok(word),
            None => {
                let message = "a name stands here, not a list";
                let span = self.span(element);
                Err(self.tell(Diagnostic::error(Code::CilShape, span, message)))
            }
        }
    }

    /// One of the words that may stand here.
    fn one_of(&mut self, element: Element<'t>, words: &[Keyword]) -> Res<Keyword> {
        let found = element.word().and_then(Keyword::of).filter(|it| words.contains(it));
        found.ok_or_else(|| {
            let known: Vec<String> = words.iter().map(|it| format!("`{}`", it.text())).collect();
            let what = match element.word() {
                Some(word) => format!("`{}`", self.world.text(word)),
                None => "a list".to_owned(),
            };
            let message = format!("{what} stands where one of {} is expected", known.join(", "));
            let span = self.span(element);
            self.tell(Diagnostic::error(Code::CilBadWord, span, message))
        })
    }

    /// What a name stands for; that it is unknown was told, or leaves the optional out.
    fn find(&mut self, element: Element<'t>, space: Space) -> Res<Found> {
        let Some(name) = element.word() else { return Err(self.not_a_list(element, space)) };
        match self.world.find(self.at, space, name) {
            // That an argument is missing was told.
            Some(Found::Missing) => Err(Stop),
            Some(found) => Ok(found),
            None => Err(self.unknown(space, name, element)),
        }
    }

    fn not_a_list(&mut self, element: Element<'_>, space: Space) -> Stop {
        let span = self.span(element);
        let error = Diagnostic::error(Code::CilShape, span, "a name stands here, not a list");
        let attribute = match space {
            Space::Types => Some("typeattribute"),
            Space::Roles => Some("roleattribute"),
            Space::Users => Some("userattribute"),
            _ => None,
        };
        let help = attribute.map(|it| {
            format!("for several, declare a `{it}`, fill it by `{it}set` and name it here")
        });
        self.tell(match help {
            Some(help) => error.help(help),
            None => error,
        })
    }

    fn unknown(&mut self, space: Space, name: Symbol, element: Element<'_>) -> Stop {
        self.unresolved = true;
        if self.world.container(self.base).optional == NONE && !self.checking {
            let error = self.world.unknown(space, name, self.span(element), self.report.len());
            self.report.add(error);
        }
        Stop
    }

    /// The declaration behind a name, aliases seen through.
    fn declared(&mut self, element: Element<'t>, space: Space) -> Res<DeclId> {
        match self.find(element, space)? {
            Found::Declared(decl) => Ok(self.world.actual(decl)),
            _ => {
                let span = self.span(element);
                let message = "something without a name is given where a name is needed";
                Err(self.tell(Diagnostic::error(Code::WrongKind, span, message)))
            }
        }
    }

    /// A declaration of one of these kinds.
    fn declared_as(
        &mut self,
        element: Element<'t>,
        space: Space,
        kinds: &[DeclKind],
    ) -> Res<DeclId> {
        let decl = self.declared(element, space)?;
        if kinds.contains(&self.world.decl(decl).kind) {
            return Ok(decl);
        }
        Err(self.wrong_kind(decl, element, kinds))
    }

    fn wrong_kind(&mut self, decl: DeclId, element: Element<'_>, kinds: &[DeclKind]) -> Stop {
        let decl = self.world.decl(decl);
        if decl.kind.is_alias() {
            // One that stands for nothing, or itself: it was told.
            return Stop;
        }
        if matches!(decl.kind, DeclKind::SelfType | DeclKind::NotSelf | DeclKind::Other) {
            let text = self.world.text(decl.flat);
            let message = format!("`{text}` can only be the target of a rule");
            let span = self.span(element);
            return self.tell(Diagnostic::error(Code::WrongKind, span, message));
        }
        let wanted: Vec<&str> = kinds.iter().map(|it| it.words()).collect();
        let text = self.world.text(decl.flat);
        let wanted = wanted.join(" or ");
        let message = format!("`{text}` is a {}, not a {wanted}", decl.kind.words());
        let span = self.span(element);
        let error = Diagnostic::error(Code::WrongKind, span, message)
            .label(format!("a {wanted} is needed here"));
        let error =
            if decl.span == Span::NOWHERE { error } else { error.and(decl.span, "declared here") };
        self.tell(error)
    }

    /// A name in the policy, as it is used here.
    fn ident(&self, decl: DeclId, element: Element<'_>) -> Ident {
        Ident { name: self.world.decl(decl).flat, span: self.span(element) }
    }

    /// A type, not an attribute.
    fn plain_type(&mut self, element: Element<'t>) -> Res<Ident> {
        let decl = self.declared_as(element, Space::Types, &[DeclKind::Type])?;
        Ok(self.ident(decl, element))
    }

    /// A type or attribute.
    fn type_or_attribute(&mut self, element: Element<'t>) -> Res<DeclId> {
        let kinds = &[DeclKind::Type, DeclKind::TypeAttribute];
        self.declared_as(element, Space::Types, kinds)
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

    /// The body of something that has a name or is written in place: the container whose names it uses, and the element.
    fn located(&mut self, element: Element<'t>, space: Space) -> Res<(ContainerId, Element<'t>)> {
        if element.is_list() {
            return Ok((self.at, element));
        }
        match self.find(element, space)? {
            Found::Anonymous(container, index) => {
                Ok((container, self.world.element(container, index)))
            }
            Found::Declared(decl) => {
                let decl = self.world.decl(decl);
                let statement = self.world.element(decl.container, decl.node);
                match statement.children().nth(2) {
                    Some(body) => Ok((decl.container, body)),
                    // Its own statement is told.
                    None => Err(Stop),
                }
            }
            Found::Text(_) | Found::Missing => Err(Stop),
        }
    }

    /// Does something with the names of another container.
    fn within<T>(
        &mut self,
        container: ContainerId,
        action: impl FnOnce(&mut Self) -> Res<T>,
    ) -> Res<T> {
        let at = std::mem::replace(&mut self.at, container);
        let result = action(self);
        self.at = at;
        result
    }

    /// Takes a step through sets within sets.
    fn step(&mut self, element: Element<'_>) -> Res {
        self.steps += 1;
        if self.steps <= MOST_STEPS {
            return Ok(());
        }
        let message = "sets within sets multiply beyond the budget";
        let span = self.span(element);
        Err(self.tell(Diagnostic::error(Code::CilBudget, span, message)))
    }

    /// A string, which may be a parameter of the macro.
    fn text(&mut self, element: Element<'t>) -> Res<Symbol> {
        let word = self.word(element)?;
        if self.world.container(self.at).plain {
            return Ok(word);
        }
        match self.world.find(self.at, Space::Strings, word) {
            Some(Found::Text(text)) => Ok(text),
            _ => Ok(word),
        }
    }

    /// A number in decimal notation.
    fn decimal(&mut self, element: Element<'t>) -> Res<u64> {
        let word = self.text(element)?;
        let text = self.world.text(word);
        if text.bytes().all(|it| it.is_ascii_digit())
            && let Ok(number) = text.parse()
        {
            return Ok(number);
        }
        let message = format!("`{text}` is no decimal number");
        let span = self.span(element);
        Err(self.tell(Diagnostic::error(Code::BadNumber, span, message)))
    }

    /// A number in C's notation.
    fn number(&mut self, element: Element<'t>) -> Res<u64> {
        let word = self.text(element)?;
        let text = self.world.text(word);
        let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u64::from_str_radix(digits, 16),
            None if text.len() > 1 && text.starts_with('0') => u64::from_str_radix(text, 8),
            None => text.parse(),
        };
        parsed.map_err(|_| {
            let message = format!("`{text}` is no number");
            let span = self.span(element);
            self.tell(Diagnostic::error(Code::BadNumber, span, message))
        })
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
