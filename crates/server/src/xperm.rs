//! Extended permissions: single ioctl commands and netlink message types.
//!
//! Source: `avc_has_extended_perms` and `services_compute_xperms_*` in the kernel's `security/selinux`.

use mandate_policydb::{ExtendedPermissions, RuleKind, RulePlace, XpermForm};

use crate::engine::{Engine, Query};

/// What kind of command is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XpermBase {
    /// An ioctl command, under permission `ioctl`.
    Ioctl,
    /// A netlink message type, under permission `nlmsg`.
    Nlmsg,
}

impl XpermBase {
    /// The permission that it refines.
    pub fn permission(self) -> &'static str {
        match self {
            Self::Ioctl => "ioctl",
            Self::Nlmsg => "nlmsg",
        }
    }

    fn covers(self, form: XpermForm) -> bool {
        (form == XpermForm::Nlmsg) == (self == Self::Nlmsg)
    }
}

/// The answer about one command. It counts beside the decision about the permission itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XpermDecision {
    /// Is there any rule of extended permissions for source, target and class? If not, the permission alone decides.
    pub ruled: bool,
    /// May the command be used, as far as these rules go?
    pub allowed: bool,
    /// Is it logged when allowed?
    pub auditallow: bool,
    /// Is its denial kept out of the log?
    pub dontaudit: bool,
    /// The rules that name the command.
    pub rules: Vec<RulePlace>,
    /// `allowxperm` rules that name it but do not apply as the booleans stand.
    pub inactive: Vec<RulePlace>,
    /// Blocks that hold rules of extended permissions for source, target and class.
    pub(crate) blocks: Vec<usize>,
}

impl Engine {
    /// Decides about one command of 16 bits.
    pub fn decide_xperm(&self, query: &Query<'_>, base: XpermBase, command: u16) -> XpermDecision {
        let mut decision = XpermDecision::default();
        let (source, target) = (query.source.type_, query.target.type_);
        let (index, db) = (&*self.index, self.db());
        index.xperms.matching(&index.groups, source, target, query.class, |number| {
            let Some((rule, branch)) = index.numbering.rule(db, number) else { return };
            let named = db.xperms.of(&rule);
            let named = named.is_some_and(|it| base.covers(it.form) && covers(it, command));
            let reference = index.numbering.reference(db, number);
            decision.add(rule.kind, reference, named, self.booleans().applies(branch));
        });
        // The kernel allows all to a type that is permissive and neveraudit, without looking at rules.
        let unruled = db.is_permissive(source) && db.is_neveraudit(source);
        decision.ruled &= !unruled;
        decision.allowed |= !decision.ruled;
        decision
    }
}

impl XpermDecision {
    fn add(&mut self, kind: RuleKind, rule: RulePlace, named: bool, applies: bool) {
        if let RulePlace::Conditional { block, .. } = rule {
            self.blocks.push(block as usize);
        }
        self.ruled |= applies;
        match kind {
            _ if !named => return,
            RuleKind::AllowXperm if !applies => return self.inactive.push(rule),
            _ if !applies => return,
            RuleKind::AllowXperm => self.allowed = true,
            RuleKind::AuditAllowXperm => self.auditallow = true,
            _ => self.dontaudit = true,
        }
        self.rules.push(rule);
    }
}

fn covers(permissions: &ExtendedPermissions, command: u16) -> bool {
    let [driver, low] = command.to_be_bytes();
    match permissions.form {
        XpermForm::IoctlDriver => permissions.has(driver),
        XpermForm::IoctlFunction | XpermForm::Nlmsg => {
            permissions.driver == driver && permissions.has(low)
        }
    }
}
