//! What the version of a policy can hold, and what every policy needs.

use mandate_policydb::{BoolId, BooleanDatum, PolicyDb, PolicyVersion, SymbolId, SymbolTable};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::Span;

use super::resolve::Resolver;
use super::tree::small;

macro_rules! features {
    ($($name:ident $since:ident $words:literal;)*) => {
        /// A kind of statement that older versions cannot hold.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Feature {
            $($name,)*
        }

        impl Feature {
            const ALL: &[(Self, PolicyVersion, &'static str)] =
                &[$((Self::$name, PolicyVersion::$since, $words),)*];
        }
    };
}

features! {
    Conditional BOOL "conditional blocks";
    Ipv6 IPV6 "nodecon for IPv6";
    ValidateTrans VALIDATETRANS "validatetrans";
    RangeTransition MLS "range_transition";
    RangeTransitionClass RANGETRANS "range_transition for classes other than process";
    PolicyCapability POLICY_CAPABILITIES "policy capabilities";
    Permissive PERMISSIVE "permissive types";
    Bounds BOUNDARY "bounds of types, roles and users";
    FilenameTransition FILENAME_TRANS "type_transition with a file name";
    RoleTransitionClass ROLETRANS "role_transition for classes other than process";
    Default NEW_OBJECT_DEFAULTS "default_user, default_role and default_range";
    DefaultType DEFAULT_TYPE "default_type";
    Xperm XPERMS "extended permissions";
    DeviceTree XPERMS "devicetreecon";
    WideIomem XPERMS "iomemcon above 32 bits";
    Infiniband INFINIBAND "InfiniBand statements";
    Glblub GLBLUB "default_range glblub";
    ConditionalXperm CONDITIONAL_XPERMS "extended permissions in conditional blocks";
    NeverAudit NEVERAUDIT "neveraudit types";
}

/// Where each feature is first used.
#[derive(Debug, Default)]
pub(crate) struct Features {
    first: Vec<(Feature, Span)>,
}

impl Features {
    /// Notes a use.
    pub(crate) fn note(&mut self, feature: Feature, span: Span) {
        match self.first.iter_mut().find(|it| it.0 == feature) {
            Some(first) => first.1 = first.1.min(span),
            None => self.first.push((feature, span)),
        }
    }
}

impl Resolver<'_, '_> {
    /// Tells what the version cannot hold.
    pub(crate) fn check_version(&mut self) {
        let version = self.options.version;
        for &(feature, span) in &self.features.first {
            let Some(&(_, since, words)) = Feature::ALL.iter().find(|it| it.0 == feature) else {
                continue;
            };
            if version < since {
                let message = format!("policy version {version} cannot hold {words}");
                self.report.add(
                    Diagnostic::error(Code::NotInVersion, span, message)
                        .help(format!("build version {since} or higher, or leave it out")),
                );
            }
        }
        if self.options.mls && version < PolicyVersion::MLS {
            let message = format!("policy version {version} cannot hold MLS");
            self.report.add(Diagnostic::error(Code::NotInVersion, Span::NOWHERE, message));
        }
    }

    /// Tells what every policy needs.
    pub(crate) fn check_complete(&mut self, db: &PolicyDb) {
        if self.report.failed() {
            return;
        }
        let missing = if db.classes.is_empty() {
            "the policy has no class"
        } else if db.rules.is_empty() {
            "the policy has no rule outside of conditional blocks: libsepol and the kernel need one"
        } else {
            return;
        };
        self.report.add(Diagnostic::error(Code::Incomplete, Span::NOWHERE, missing));
    }

    /// The table of booleans.
    pub(crate) fn boolean_table(&self) -> Option<SymbolTable<BooleanDatum>> {
        let mut booleans = Vec::new();
        for symbol in self.symbols.boolean_list.iter().filter(|it| !it.tunable) {
            booleans.push(BooleanDatum {
                name: self.tree.names.name(symbol.name).into(),
                id: BoolId::from_value(symbol.value)?,
                state: symbol.state,
            });
        }
        SymbolTable::new(small(booleans.len()), booleans).ok()
    }
}
