//! How much of each kind a policy holds.

use mandate_policydb::{HandleUnknown, PolicyDb, RuleKind, Target};

use super::Component;
use crate::statement::is_mls;

/// A number and what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What is counted.
    pub title: &'static str,
    /// How many.
    pub number: usize,
}

/// The numbers of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its version.
    pub version: u32,
    /// Does it have MLS?
    pub mls: bool,
    /// Linux or Xen.
    pub target: &'static str,
    /// What becomes of classes and permissions that it does not define.
    pub handle_unknown: &'static str,
    /// The numbers.
    pub counts: Vec<Count>,
}

/// How many rules of a kind there are, in blocks and outside of them.
fn rules(db: &PolicyDb, kind: RuleKind) -> usize {
    let blocks = db.conditionals.iter().flat_map(|it| it.when_true.iter().chain(&it.when_false));
    db.rules.iter().chain(blocks).filter(|it| it.kind == kind).count()
}

impl Summary {
    /// Of this policy.
    pub fn of(db: &PolicyDb) -> Self {
        let target = match db.target {
            Target::Selinux => "selinux",
            Target::Xen => "xen",
        };
        let handle_unknown = match db.handle_unknown {
            HandleUnknown::Deny => "deny",
            HandleUnknown::Reject => "reject",
            HandleUnknown::Allow => "allow",
        };
        let counts = counts(db).into_iter().map(|(title, number)| Count { title, number });
        let (version, mls) = (db.version.number(), db.mls);
        Self { version, mls, target, handle_unknown, counts: counts.collect() }
    }
}

fn counts(db: &PolicyDb) -> Vec<(&'static str, usize)> {
    let count = |component| super::items::count(db, component);
    let permissions = db.commons.iter().map(|it| it.permissions.len()).sum::<usize>()
        + db.classes.iter().map(|it| it.permissions.len()).sum::<usize>();
    let constraints = |mls| {
        let all = db.classes.by_value().flat_map(|it| &it.constraints);
        all.filter(|it| is_mls(it) == mls).count()
    };
    let validatetrans = |mls| {
        let all = db.classes.by_value().flat_map(|it| &it.validatetrans);
        all.filter(|it| is_mls(it) == mls).count()
    };
    let rules = |kind| rules(db, kind);
    let mut counts = vec![
        ("Classes", count(Component::Class)),
        ("Permissions", permissions),
        ("Sensitivities", count(Component::Sensitivity)),
        ("Categories", count(Component::Category)),
        ("Types", count(Component::Type)),
        ("Attributes", count(Component::Attribute)),
        ("Users", count(Component::User)),
        ("Roles", count(Component::Role)),
        ("Booleans", count(Component::Boolean)),
        ("Cond. Expr.", db.conditionals.len()),
        ("Allow", rules(RuleKind::Allow)),
        ("Neverallow", 0),
        ("Auditallow", rules(RuleKind::AuditAllow)),
        ("Dontaudit", rules(RuleKind::DontAudit)),
        ("Type_trans", rules(RuleKind::TypeTransition) + db.filename_transitions.len()),
        ("Type_change", rules(RuleKind::TypeChange)),
        ("Type_member", rules(RuleKind::TypeMember)),
        ("Range_trans", db.range_transitions.len()),
        ("Role allow", db.role_allows.len()),
        ("Role_trans", db.role_transitions.len()),
        ("Constraints", constraints(false)),
        ("Validatetrans", validatetrans(false)),
        ("MLS Constrain", constraints(true)),
        ("MLS Val. Tran", validatetrans(true)),
        ("Permissives", count(Component::Permissive)),
        ("Polcap", count(Component::Polcap)),
        ("Defaults", count(Component::Default)),
        ("Typebounds", count(Component::Typebounds)),
    ];
    counts.extend(match db.target {
        Target::Selinux => vec![
            ("Allowxperm", rules(RuleKind::AllowXperm)),
            ("Neverallowxperm", 0),
            ("Auditallowxperm", rules(RuleKind::AuditAllowXperm)),
            ("Dontauditxperm", rules(RuleKind::DontAuditXperm)),
            ("Ibendportcon", count(Component::Ibendportcon)),
            ("Ibpkeycon", count(Component::Ibpkeycon)),
            ("Initial SIDs", count(Component::InitialSid)),
            ("Fs_use", count(Component::FsUse)),
            ("Genfscon", count(Component::Genfscon)),
            ("Portcon", count(Component::Portcon)),
            ("Netifcon", count(Component::Netifcon)),
            ("Nodecon", count(Component::Nodecon)),
        ],
        Target::Xen => vec![
            ("Initial SIDs", count(Component::InitialSid)),
            ("Devicetreecon", count(Component::Devicetreecon)),
            ("Iomemcon", count(Component::Iomemcon)),
            ("Ioportcon", count(Component::Ioportcon)),
            ("Pcidevicecon", count(Component::Pcidevicecon)),
            ("Pirqcon", count(Component::Pirqcon)),
        ],
    });
    counts
}
