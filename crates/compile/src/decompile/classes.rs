//! Classes, initial SIDs, levels and constraints.

use mandate_policydb::{
    ClassDatum, Comparison, Constraint, Datum, DefaultFrom, DefaultRange, MlsLevel, NameSet,
    Operator, Part, PermissionDatum, PolicyVersion, SymbolId, SymbolTable, Term, TypeId, Whose,
    initial_sid_name,
};
use mandate_syntax::kernel::ast::{
    CompareOp, ConstraintTerm, ContextPart, DefaultRangeForm, DefaultSource, Ident, LevelName,
    RangePart, Set, Side, Slice, StatementKind,
};

use super::Decompiler;
use super::write::small;

/// No policy has more initial SIDs.
const MOST_SIDS: u32 = 256;

impl Decompiler<'_> {
    pub(super) fn classes(&mut self) {
        let db = self.db;
        for it in db.classes.by_value() {
            let name = self.writer.ident(&it.name);
            self.writer.push(StatementKind::Class(name));
        }
        self.initial_sids();
        for it in db.commons.by_value() {
            self.check_bits("common", &it.name, &it.permissions, 0);
            let name = self.writer.ident(&it.name);
            let permissions = self.writer.idents(it.permissions.by_value().map(Datum::name));
            self.writer.push(StatementKind::Common { name, permissions });
        }
        for it in db.classes.by_value() {
            let common = it.common.as_deref().and_then(|it| db.commons.find(it));
            let shared = common.map_or(0, |it| it.permissions.len());
            self.check_bits("class", &it.name, &it.permissions, shared);
            let class = self.writer.ident(&it.name);
            let inherits = it.common.as_deref().map(|it| self.writer.ident(it));
            let permissions = self.writer.idents(it.permissions.by_value().map(Datum::name));
            if inherits.is_some() || !permissions.is_empty() {
                self.writer.push(StatementKind::AccessVector { class, inherits, permissions });
            }
        }
        for it in db.classes.by_value() {
            self.defaults(it);
        }
    }

    fn initial_sids(&mut self) {
        let db = self.db;
        let most = db.object_contexts.initial_sids.iter().map(|it| it.sid).max().unwrap_or(0);
        if most > MOST_SIDS || db.object_contexts.initial_sids.iter().any(|it| it.sid == 0) {
            self.no_source(format!("an initial SID is not among the numbers 1 to {MOST_SIDS}"));
        }
        for sid in 1..=most.min(MOST_SIDS) {
            let name = self.sid_name(sid);
            self.writer.push(StatementKind::InitialSid(name));
        }
    }

    /// The name of an initial SID, which the policy does not tell.
    pub(super) fn sid_name(&mut self, sid: u32) -> Ident {
        match initial_sid_name(self.db.target, sid) {
            Some(name) => self.writer.ident(name),
            None => self.writer.ident(&format!("sid_{sid}")),
        }
    }

    /// Sources give permissions bits one after the other.
    fn check_bits(
        &mut self,
        what: &str,
        name: &str,
        permissions: &SymbolTable<PermissionDatum>,
        shared: usize,
    ) {
        let in_order = |(it, bit): (&PermissionDatum, usize)| it.id.index() == bit;
        if !permissions.by_value().zip(shared..).all(in_order) {
            self.no_source(format!("{what} `{name}` has gaps between the bits of its permissions"));
        }
    }

    fn defaults(&mut self, class: &ClassDatum) {
        let classes = self.names.classes.list(class.id);
        let parts = [
            (ContextPart::User, class.default_user),
            (ContextPart::Role, class.default_role),
            (ContextPart::Type, class.default_type),
        ];
        for (part, from) in parts {
            let from = match from {
                None => continue,
                Some(DefaultFrom::Source) => DefaultSource::Source,
                Some(DefaultFrom::Target) => DefaultSource::Target,
            };
            self.writer.push(StatementKind::Default { part, classes, from });
        }
        if let Some(range) = class.default_range {
            let form = default_range(range);
            self.writer.push(StatementKind::DefaultRange { classes, form });
        }
    }

    pub(super) fn levels(&mut self) {
        let db = self.db;
        if !db.mls {
            return;
        }
        for it in db.sensitivities.iter().filter(|it| !it.alias) {
            let name = self.writer.ident(&it.name);
            let aliases = db.sensitivities.iter().filter(|other| other.alias && other.id == it.id);
            let aliases = self.writer.idents(aliases.map(Datum::name));
            self.writer.push(StatementKind::Sensitivity { name, aliases });
        }
        let order = self.writer.idents(db.sensitivities.by_value().map(Datum::name));
        self.writer.push(StatementKind::Dominance(order));
        let mut aliases: Vec<_> = db.categories.iter().filter(|it| it.alias).collect();
        aliases.sort_by_key(|it| it.id);
        for it in db.categories.by_value() {
            let name = self.writer.ident(&it.name);
            let from = aliases.partition_point(|alias| alias.id < it.id);
            let to = aliases.partition_point(|alias| alias.id <= it.id);
            let aliases = self.writer.idents(aliases[from..to].iter().map(|it| it.name()));
            self.writer.push(StatementKind::Category { name, aliases });
        }
        for it in db.sensitivities.by_value() {
            let level = MlsLevel { sensitivity: it.id, categories: it.categories.clone() };
            let level = self.writer.level(db, &level);
            self.writer.push(StatementKind::Level(level));
        }
    }

    pub(super) fn capabilities(&mut self) {
        for name in self.db.capability_names() {
            if name.starts_with('#') {
                self.no_source(format!("policy capability {name} has no name"));
                continue;
            }
            let name = self.writer.ident(&name);
            self.writer.push(StatementKind::PolicyCapability(name));
        }
    }

    /// Constraints that look at levels, or the others: a `policy.conf` has them in different places. The last is written first.
    pub(super) fn constraints(&mut self, levels: bool) {
        let db = self.db;
        for class in db.classes.by_value() {
            let classes = self.names.classes.list(class.id);
            let together = mixed(&class.constraints);
            for it in class.constraints.iter().rev() {
                let mls = !together && looks_at_levels(it);
                if mls == levels {
                    let permissions =
                        self.names.permissions(&mut self.writer, class.id, it.permissions);
                    let expression = self.expression(it);
                    let kind = StatementKind::Constrain { mls, classes, permissions, expression };
                    self.writer.push(kind);
                }
            }
            let together = mixed(&class.validatetrans);
            for it in class.validatetrans.iter().rev() {
                let mls = !together && looks_at_levels(it);
                if mls == levels {
                    let expression = self.expression(it);
                    self.writer.push(StatementKind::ValidateTrans { mls, classes, expression });
                }
            }
        }
    }

    fn expression(&mut self, constraint: &Constraint) -> Slice {
        let terms: Vec<ConstraintTerm> =
            constraint.expression.iter().map(|it| self.term(it)).collect();
        let all = &mut self.writer.unit.constraint_terms;
        let start = small(all.len());
        all.extend(terms);
        Slice { start, end: small(all.len()) }
    }

    fn term(&mut self, term: &Term) -> ConstraintTerm {
        match term {
            Term::Not => ConstraintTerm::Not,
            Term::And => ConstraintTerm::And,
            Term::Or => ConstraintTerm::Or,
            Term::Compare(what, op) => compare(*what, operator(*op)),
            Term::Names(set) => {
                let (part, names) = match set.part {
                    Part::User => (
                        ContextPart::User,
                        self.writer.set_of(self.names.users.of_bits(&set.names)),
                    ),
                    Part::Role => (
                        ContextPart::Role,
                        self.writer.set_of(self.names.roles.of_bits(&set.names)),
                    ),
                    Part::Type => (ContextPart::Type, self.types(set)),
                };
                let side = match set.whose {
                    Whose::Source => Side::Source,
                    Whose::Target => Side::Target,
                    Whose::Process => Side::New,
                };
                let op = if set.negated { CompareOp::Ne } else { CompareOp::Eq };
                ConstraintTerm::Names { part, side, op, names }
            }
        }
    }

    /// The types of a constraint, by the names written where the policy holds those.
    fn types(&mut self, set: &NameSet) -> Set {
        let written = self.db.version >= PolicyVersion::CONSTRAINT_NAMES;
        let bits = if written { &set.written.types } else { &set.names };
        if !bits.is_empty() {
            return self.writer.set_of(self.names.types.of_bits(bits));
        }
        // A set of nothing is said by an attribute that nobody has.
        let empty = self.empty_attribute();
        self.writer.set_of(empty.and_then(|it| self.names.types.get(it)))
    }

    fn empty_attribute(&self) -> Option<TypeId> {
        let types = self.db.types.by_value();
        let mut attributes = types.filter(|it| it.attribute).map(|it| it.id);
        let rows = &self.db.type_attributes;
        attributes
            .find(|it| rows.iter().zip(0u32..).all(|(row, bit)| bit == it.bit() || !row.has(*it)))
    }
}

/// Do others stand before those that look at levels, so that they cannot be divided?
fn mixed(list: &[Constraint]) -> bool {
    // The last is written first.
    let written = || list.iter().rev().map(looks_at_levels);
    written().zip(written().skip(1)).any(|(before, after)| !before && after)
}

fn looks_at_levels(constraint: &Constraint) -> bool {
    let of_levels = |it: &Term| {
        let Term::Compare(what, _) = it else { return false };
        !matches!(what, Comparison::User | Comparison::Role | Comparison::Type)
    };
    constraint.expression.iter().any(of_levels)
}

fn operator(op: Operator) -> CompareOp {
    match op {
        Operator::Equal => CompareOp::Eq,
        Operator::NotEqual => CompareOp::Ne,
        Operator::Dominates => CompareOp::Dom,
        Operator::DominatedBy => CompareOp::DomBy,
        Operator::Incomparable => CompareOp::Incomp,
    }
}

fn compare(what: Comparison, op: CompareOp) -> ConstraintTerm {
    use LevelName::{SourceHigh, SourceLow, TargetHigh, TargetLow};
    let levels = |left, right| ConstraintTerm::Levels { left, op, right };
    match what {
        Comparison::User => ConstraintTerm::Parts { part: ContextPart::User, op },
        Comparison::Role => ConstraintTerm::Parts { part: ContextPart::Role, op },
        Comparison::Type => ConstraintTerm::Parts { part: ContextPart::Type, op },
        Comparison::L1L2 => levels(SourceLow, TargetLow),
        Comparison::L1H2 => levels(SourceLow, TargetHigh),
        Comparison::H1L2 => levels(SourceHigh, TargetLow),
        Comparison::H1H2 => levels(SourceHigh, TargetHigh),
        Comparison::L1H1 => levels(SourceLow, SourceHigh),
        Comparison::L2H2 => levels(TargetLow, TargetHigh),
    }
}

fn default_range(range: DefaultRange) -> DefaultRangeForm {
    use DefaultSource::{Source, Target};
    match range {
        DefaultRange::SourceLow => DefaultRangeForm::From(Source, RangePart::Low),
        DefaultRange::SourceHigh => DefaultRangeForm::From(Source, RangePart::High),
        DefaultRange::SourceLowHigh => DefaultRangeForm::From(Source, RangePart::LowHigh),
        DefaultRange::TargetLow => DefaultRangeForm::From(Target, RangePart::Low),
        DefaultRange::TargetHigh => DefaultRangeForm::From(Target, RangePart::High),
        DefaultRange::TargetLowHigh => DefaultRangeForm::From(Target, RangePart::LowHigh),
        DefaultRange::Glblub => DefaultRangeForm::Glblub,
    }
}
