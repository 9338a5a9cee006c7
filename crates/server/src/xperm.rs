//! Extended permissions: single ioctl commands and netlink message types.
//!
//! Source: `avc_has_extended_perms` and `services_compute_xperms_*` in the kernel's `security/selinux`.

use mandate_policydb::{AvRule, ExtendedPermissions, PolicyDb, RuleKind, XpermForm};

use crate::engine::{Engine, Query};
use crate::index::RuleRef;

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
    /// Numbers of the rules that match the command.
    rules: Vec<u32>,
}

impl XpermDecision {
    /// The rules that match the command.
    pub fn rules<'a>(&self, db: &'a PolicyDb) -> impl Iterator<Item = &'a AvRule> {
        self.rules.iter().filter_map(|&number| RuleRef::of_number(db, number).rule(db))
    }
}

impl Engine {
    /// Decides about one command of 16 bits.
    pub fn decide_xperm(&self, query: &Query<'_>, base: XpermBase, command: u16) -> XpermDecision {
        let mut decision = XpermDecision::default();
        let (source, target) = (query.source.type_, query.target.type_);
        let index = &*self.index;
        index.xperms.matching(&index.groups, source, target, query.class, |number| {
            let rule = index.numbering.rule(self.db(), number);
            let Some((rule, _)) = rule.filter(|it| self.booleans().applies(it.1)) else { return };
            decision.ruled = true;
            let permissions = self.db().xperms.of(&rule);
            if !permissions.is_some_and(|it| base.covers(it.form) && covers(it, command)) {
                return;
            }
            decision.rules.push(number);
            match rule.kind {
                RuleKind::AllowXperm => decision.allowed = true,
                RuleKind::AuditAllowXperm => decision.auditallow = true,
                _ => decision.dontaudit = true,
            }
        });
        decision.allowed |= !decision.ruled;
        decision
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
