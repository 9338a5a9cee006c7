//! The parts of a policy that are compared.

use mandate_policydb::RuleKind;

/// A part of a policy that is compared on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is called as its statements are")]
pub enum Part {
    Properties,
    Commons,
    Classes,
    Booleans,
    Roles,
    Types,
    Attributes,
    Users,
    Categories,
    Sensitivities,
    Levels,
    Allow,
    AllowXperm,
    NeverAllow,
    NeverAllowXperm,
    AuditAllow,
    AuditAllowXperm,
    DontAudit,
    DontAuditXperm,
    TypeTransition,
    TypeChange,
    TypeMember,
    RoleAllow,
    RoleTransition,
    RangeTransition,
    Constraints,
    MlsConstraints,
    Validatetrans,
    MlsValidatetrans,
    InitialSids,
    Ibendportcons,
    Ibpkeycons,
    FsUse,
    Genfscons,
    Netifcons,
    Nodecons,
    Portcons,
    Capabilities,
    Defaults,
    Typebounds,
}

impl Part {
    /// All, in the order in which differences are told, with the words for each: in JSON, and as a title.
    pub const ALL: [(Self, &'static str, &'static str); 40] = [
        (Self::Properties, "property", "Policy Properties"),
        (Self::Commons, "common", "Commons"),
        (Self::Classes, "class", "Classes"),
        (Self::Booleans, "bool", "Booleans"),
        (Self::Roles, "role", "Roles"),
        (Self::Types, "type", "Types"),
        (Self::Attributes, "attribute", "Type Attributes"),
        (Self::Users, "user", "Users"),
        (Self::Categories, "category", "Categories"),
        (Self::Sensitivities, "sensitivity", "Sensitivities"),
        (Self::Levels, "level", "Levels"),
        (Self::Allow, "allow", "Allow Rules"),
        (Self::AllowXperm, "allowxperm", "Allowxperm Rules"),
        (Self::NeverAllow, "neverallow", "Neverallow Rules"),
        (Self::NeverAllowXperm, "neverallowxperm", "Neverallowxperm Rules"),
        (Self::AuditAllow, "auditallow", "Auditallow Rules"),
        (Self::AuditAllowXperm, "auditallowxperm", "Auditallowxperm Rules"),
        (Self::DontAudit, "dontaudit", "Dontaudit Rules"),
        (Self::DontAuditXperm, "dontauditxperm", "Dontauditxperm Rules"),
        (Self::TypeTransition, "type_transition", "Type_transition Rules"),
        (Self::TypeChange, "type_change", "Type_change Rules"),
        (Self::TypeMember, "type_member", "Type_member Rules"),
        (Self::RoleAllow, "role_allow", "Role allow Rules"),
        (Self::RoleTransition, "role_transition", "Role_transition Rules"),
        (Self::RangeTransition, "range_transition", "Range_transition Rules"),
        (Self::Constraints, "constrain", "Constraints"),
        (Self::MlsConstraints, "mlsconstrain", "MLS Constraints"),
        (Self::Validatetrans, "validatetrans", "Validatetrans"),
        (Self::MlsValidatetrans, "mlsvalidatetrans", "MLS Validatetrans"),
        (Self::InitialSids, "initialsid", "Initial SIDs"),
        (Self::Ibendportcons, "ibendportcon", "Ibendportcons"),
        (Self::Ibpkeycons, "ibpkeycon", "Ibpkeycons"),
        (Self::FsUse, "fs_use", "Fs_use"),
        (Self::Genfscons, "genfscon", "Genfscons"),
        (Self::Netifcons, "netifcon", "Netifcons"),
        (Self::Nodecons, "nodecon", "Nodecons"),
        (Self::Portcons, "portcon", "Portcons"),
        (Self::Capabilities, "polcap", "Policy Capabilities"),
        (Self::Defaults, "default", "Defaults"),
        (Self::Typebounds, "typebounds", "Typebounds"),
    ];

    /// All, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().map(|it| it.0)
    }

    /// One word for it.
    pub fn keyword(self) -> &'static str {
        Self::ALL.iter().find(|it| it.0 == self).map_or("", |it| it.1)
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        Self::ALL.iter().find(|it| it.0 == self).map_or("", |it| it.2)
    }

    /// The part of this keyword.
    pub fn of_keyword(keyword: &str) -> Option<Self> {
        Self::ALL.iter().find(|it| it.1 == keyword).map(|it| it.0)
    }

    /// Is the whole statement its name, so that none is ever modified?
    pub fn is_whole(self) -> bool {
        use Part::{
            Capabilities, Constraints, MlsConstraints, MlsValidatetrans, RoleAllow, Validatetrans,
        };
        let whole = [RoleAllow, Constraints, MlsConstraints, Validatetrans, MlsValidatetrans];
        whole.contains(&self) || self == Capabilities
    }

    /// The kind of type enforcement rule that it is about.
    pub fn rule_kind(self) -> Option<RuleKind> {
        Some(match self {
            Self::Allow => RuleKind::Allow,
            Self::AllowXperm => RuleKind::AllowXperm,
            Self::AuditAllow => RuleKind::AuditAllow,
            Self::AuditAllowXperm => RuleKind::AuditAllowXperm,
            Self::DontAudit => RuleKind::DontAudit,
            Self::DontAuditXperm => RuleKind::DontAuditXperm,
            Self::TypeTransition => RuleKind::TypeTransition,
            Self::TypeChange => RuleKind::TypeChange,
            Self::TypeMember => RuleKind::TypeMember,
            _ => return None,
        })
    }
}
