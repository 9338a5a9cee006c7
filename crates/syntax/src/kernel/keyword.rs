//! The reserved words. None of them can be a name anywhere, in lower or in upper case.

use std::sync::LazyLock;

use crate::names::{Interner, Symbol};

macro_rules! keywords {
    ($($group:ident { $($name:ident $text:literal)* })*) => {
        /// A reserved word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Keyword {
            $($($name,)*)*
        }

        impl Keyword {
            /// All, in the order of their symbols.
            pub(super) const ALL: &[Self] = &[$($(Self::$name,)*)*];

            /// As it is written in lower case.
            pub(super) fn text(self) -> &'static str {
                match self { $($(Self::$name => $text,)*)* }
            }

            /// Where a statement that begins with it may stand.
            pub(super) fn group(self) -> Group {
                match self { $($(Self::$name => Group::$group,)*)* }
            }
        }
    };
}

/// Statements that may stand in the same places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Begins no statement.
    None,
    /// What conditional blocks are for.
    Rule,
    /// Rules and declarations outside of conditional blocks.
    Te,
    /// `require`
    Require,
    /// `if`, `optional`
    Block,
    /// `user`
    User,
    /// `policycap`
    Capability,
    /// What is of the whole policy.
    Global,
    /// `module`
    Module,
}

keywords! {
    Rule {
        Allow "allow"
        AuditAllow "auditallow"
        AuditDeny "auditdeny"
        DontAudit "dontaudit"
        AllowXperm "allowxperm"
        AuditAllowXperm "auditallowxperm"
        DontAuditXperm "dontauditxperm"
        TypeTransition "type_transition"
        TypeMember "type_member"
        TypeChange "type_change"
    }
    Te {
        NeverAllow "neverallow"
        NeverAllowXperm "neverallowxperm"
        Attribute "attribute"
        ExpandAttribute "expandattribute"
        Type "type"
        TypeAlias "typealias"
        TypeAttribute "typeattribute"
        TypeBounds "typebounds"
        Bool "bool"
        Tunable "tunable"
        RangeTransition "range_transition"
        Permissive "permissive"
        NeverAudit "neveraudit"
        Role "role"
        RoleAttribute "roleattribute"
        AttributeRole "attribute_role"
        RoleTransition "role_transition"
    }
    Require { Require "require" }
    Block {
        If "if"
        Optional "optional"
    }
    User { User "user" }
    Capability { PolicyCap "policycap" }
    Module { Module "module" }
    Global {
        Class "class"
        Common "common"
        Sid "sid"
        DefaultUser "default_user"
        DefaultRole "default_role"
        DefaultType "default_type"
        DefaultRange "default_range"
        Sensitivity "sensitivity"
        Category "category"
        Dominance "dominance"
        Level "level"
        Constrain "constrain"
        MlsConstrain "mlsconstrain"
        ValidateTrans "validatetrans"
        MlsValidateTrans "mlsvalidatetrans"
        FsCon "fscon"
        FsUseXattr "fs_use_xattr"
        FsUseTask "fs_use_task"
        FsUseTrans "fs_use_trans"
        GenfsCon "genfscon"
        PortCon "portcon"
        NetifCon "netifcon"
        NodeCon "nodecon"
        IbPkeyCon "ibpkeycon"
        IbEndPortCon "ibendportcon"
        PirqCon "pirqcon"
        IomemCon "iomemcon"
        IoportCon "ioportcon"
        PciDeviceCon "pcidevicecon"
        DeviceTreeCon "devicetreecon"
    }
    None {
        Inherits "inherits"
        Roles "roles"
        Types "types"
        Else "else"
        Alias "alias"
        Range "range"
        Source "source"
        Target "target"
        SameUser "sameuser"
        Or "or"
        And "and"
        Not "not"
        Xor "xor"
        Eq "eq"
        True "true"
        False "false"
        Dom "dom"
        DomBy "domby"
        Incomp "incomp"
        R1 "r1"
        R2 "r2"
        R3 "r3"
        U1 "u1"
        U2 "u2"
        U3 "u3"
        T1 "t1"
        T2 "t2"
        T3 "t3"
        L1 "l1"
        L2 "l2"
        H1 "h1"
        H2 "h2"
        LowHigh "low-high"
        High "high"
        Low "low"
        Glblub "glblub"
    }
}

impl Keyword {
    /// The reserved word of a symbol of an interner that began as [`reserved_names`].
    pub(super) fn of(symbol: Symbol) -> Option<Self> {
        Self::ALL.get(symbol.index() / 2).copied()
    }

    /// Does a statement begin with it?
    pub(super) fn begins_statement(self) -> bool {
        self.group() != Group::None
    }
}

/// An interner where the first names are the reserved words, so that interning a word tells whether it is one.
pub(super) fn reserved_names() -> Interner {
    NAMES.clone()
}

/// Is it a reserved word?
pub(super) fn is_reserved(word: &str) -> bool {
    NAMES.get(word).is_some()
}

static NAMES: LazyLock<Interner> = LazyLock::new(|| {
    let mut names = Interner::new();
    for keyword in Keyword::ALL {
        names.intern(keyword.text());
        names.intern(&keyword.text().to_ascii_uppercase());
    }
    names
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_are_found_by_their_symbols() {
        let mut names = reserved_names();
        for &keyword in Keyword::ALL {
            assert_eq!(Keyword::of(names.get(keyword.text()).unwrap()), Some(keyword));
            let upper = keyword.text().to_ascii_uppercase();
            assert_eq!(Keyword::of(names.get(&upper).unwrap()), Some(keyword));
        }
        assert_eq!(Keyword::of(names.intern("foo_t")), None);
    }
}
