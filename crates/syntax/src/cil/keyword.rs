//! The words that CIL knows.

use crate::names::{Interner, Symbol};

macro_rules! keywords {
    ($($name:ident $text:literal $($shape:literal)?,)*) => {
        /// A word of the language. Its number is that of its symbol in every interner that [`Keyword::interner`] made.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "each is the word it is called after")]
        pub enum Keyword { $($name,)* }

        impl Keyword {
            /// All of them, by number.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it is written.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How the statement looks that begins with it; empty for words that begin none.
            pub fn shape(self) -> &'static str {
                match self { $(Self::$name => concat!($($shape)?),)* }
            }
        }
    };
}

keywords! {
    // Rules, the most frequent first.
    Allow "allow" "(allow SOURCE TARGET (CLASS (PERMISSION …)))",
    DontAudit "dontaudit" "(dontaudit SOURCE TARGET (CLASS (PERMISSION …)))",
    AuditAllow "auditallow" "(auditallow SOURCE TARGET (CLASS (PERMISSION …)))",
    NeverAllow "neverallow" "(neverallow SOURCE TARGET (CLASS (PERMISSION …)))",
    Deny "deny" "(deny SOURCE TARGET (CLASS (PERMISSION …)))",
    AllowX "allowx" "(allowx SOURCE TARGET PERMISSIONX)",
    AuditAllowX "auditallowx" "(auditallowx SOURCE TARGET PERMISSIONX)",
    DontAuditX "dontauditx" "(dontauditx SOURCE TARGET PERMISSIONX)",
    NeverAllowX "neverallowx" "(neverallowx SOURCE TARGET PERMISSIONX)",
    TypeTransition "typetransition" "(typetransition SOURCE TARGET CLASS [NAME] RESULT)",
    TypeMember "typemember" "(typemember SOURCE TARGET CLASS RESULT)",
    TypeChange "typechange" "(typechange SOURCE TARGET CLASS RESULT)",
    RangeTransition "rangetransition" "(rangetransition SOURCE TARGET CLASS RANGE)",
    RoleAllow "roleallow" "(roleallow SOURCE TARGET)",
    RoleTransition "roletransition" "(roletransition SOURCE TARGET CLASS RESULT)",
    // Types.
    Type "type" "(type NAME)",
    TypeAttribute "typeattribute" "(typeattribute NAME)",
    TypeAttributeSet "typeattributeset" "(typeattributeset ATTRIBUTE (TYPE … | EXPRESSION))",
    ExpandTypeAttribute "expandtypeattribute" "(expandtypeattribute ATTRIBUTE | (ATTRIBUTE …) true | false)",
    TypeAlias "typealias" "(typealias NAME)",
    TypeAliasActual "typealiasactual" "(typealiasactual ALIAS TYPE)",
    TypeBounds "typebounds" "(typebounds PARENT CHILD)",
    TypePermissive "typepermissive" "(typepermissive TYPE)",
    TypeNeverAudit "typeneveraudit" "(typeneveraudit TYPE)",
    // Roles and users.
    Role "role" "(role NAME)",
    RoleAttribute "roleattribute" "(roleattribute NAME)",
    RoleAttributeSet "roleattributeset" "(roleattributeset ATTRIBUTE (ROLE … | EXPRESSION))",
    RoleType "roletype" "(roletype ROLE TYPE)",
    RoleBounds "rolebounds" "(rolebounds PARENT CHILD)",
    User "user" "(user NAME)",
    UserAttribute "userattribute" "(userattribute NAME)",
    UserAttributeSet "userattributeset" "(userattributeset ATTRIBUTE (USER … | EXPRESSION))",
    UserRole "userrole" "(userrole USER ROLE)",
    UserLevel "userlevel" "(userlevel USER LEVEL)",
    UserRange "userrange" "(userrange USER RANGE)",
    UserBounds "userbounds" "(userbounds PARENT CHILD)",
    UserPrefix "userprefix" "(userprefix USER PREFIX)",
    SelinuxUser "selinuxuser" "(selinuxuser LOGIN USER RANGE)",
    SelinuxUserDefault "selinuxuserdefault" "(selinuxuserdefault USER RANGE)",
    // Classes.
    Class "class" "(class NAME (PERMISSION …))",
    ClassOrder "classorder" "(classorder ([unordered] CLASS …))",
    ClassCommon "classcommon" "(classcommon CLASS COMMON)",
    ClassPermission "classpermission" "(classpermission NAME)",
    ClassPermissionSet "classpermissionset" "(classpermissionset NAME (CLASS (PERMISSION …)))",
    ClassMap "classmap" "(classmap NAME (PERMISSION …))",
    ClassMapping "classmapping" "(classmapping CLASSMAP PERMISSION (CLASS (PERMISSION …)))",
    Common "common" "(common NAME (PERMISSION …))",
    PermissionX "permissionx" "(permissionx NAME (ioctl | nlmsg CLASS (NUMBER … | EXPRESSION)))",
    DefaultUser "defaultuser" "(defaultuser CLASS | (CLASS …) source | target)",
    DefaultRole "defaultrole" "(defaultrole CLASS | (CLASS …) source | target)",
    DefaultType "defaulttype" "(defaulttype CLASS | (CLASS …) source | target)",
    DefaultRange "defaultrange" "(defaultrange CLASS | (CLASS …) source | target low | high | low-high) or (defaultrange CLASS | (CLASS …) glblub)",
    // Containers and what is about them.
    Block "block" "(block NAME STATEMENT …)",
    BlockAbstract "blockabstract" "(blockabstract NAME)",
    BlockInherit "blockinherit" "(blockinherit BLOCK)",
    In "in" "(in [before | after] CONTAINER STATEMENT …)",
    Optional "optional" "(optional NAME STATEMENT …)",
    Macro "macro" "(macro NAME ((KIND PARAMETER) …) STATEMENT …)",
    Call "call" "(call MACRO [(ARGUMENT …)])",
    BooleanIf "booleanif" "(booleanif EXPRESSION (true STATEMENT …) (false STATEMENT …))",
    TunableIf "tunableif" "(tunableif EXPRESSION (true STATEMENT …) (false STATEMENT …))",
    True "true" "(true STATEMENT …)",
    False "false" "(false STATEMENT …)",
    SrcInfo "<src_info>" "(<src_info> cil | lms | lmx LINE FILE STATEMENT …)",
    Boolean "boolean" "(boolean NAME true | false)",
    Tunable "tunable" "(tunable NAME true | false)",
    // Levels.
    Sensitivity "sensitivity" "(sensitivity NAME)",
    SensitivityAlias "sensitivityalias" "(sensitivityalias NAME)",
    SensitivityAliasActual "sensitivityaliasactual" "(sensitivityaliasactual ALIAS SENSITIVITY)",
    SensitivityOrder "sensitivityorder" "(sensitivityorder (SENSITIVITY …))",
    SensitivityCategory "sensitivitycategory" "(sensitivitycategory SENSITIVITY CATEGORIES)",
    Category "category" "(category NAME)",
    CategoryAlias "categoryalias" "(categoryalias NAME)",
    CategoryAliasActual "categoryaliasactual" "(categoryaliasactual ALIAS CATEGORY)",
    CategoryOrder "categoryorder" "(categoryorder (CATEGORY …))",
    CategorySet "categoryset" "(categoryset NAME CATEGORIES)",
    Level "level" "(level NAME (SENSITIVITY [CATEGORIES]))",
    LevelRange "levelrange" "(levelrange NAME (LOW HIGH))",
    // Constraints.
    Constrain "constrain" "(constrain (CLASS (PERMISSION …)) EXPRESSION)",
    MlsConstrain "mlsconstrain" "(mlsconstrain (CLASS (PERMISSION …)) EXPRESSION)",
    ValidateTrans "validatetrans" "(validatetrans CLASS EXPRESSION)",
    MlsValidateTrans "mlsvalidatetrans" "(mlsvalidatetrans CLASS EXPRESSION)",
    // Labels.
    Sid "sid" "(sid NAME)",
    SidOrder "sidorder" "(sidorder (SID …))",
    SidContext "sidcontext" "(sidcontext SID CONTEXT)",
    Context "context" "(context NAME (USER ROLE TYPE RANGE))",
    FileCon "filecon" "(filecon PATH any | file | dir | char | block | socket | pipe | symlink CONTEXT | ())",
    FsUse "fsuse" "(fsuse xattr | task | trans FILESYSTEM CONTEXT)",
    GenfsCon "genfscon" "(genfscon FILESYSTEM PATH [FILETYPE] CONTEXT)",
    PortCon "portcon" "(portcon tcp | udp | dccp | sctp PORT | (LOW HIGH) CONTEXT)",
    NodeCon "nodecon" "(nodecon ADDRESS MASK CONTEXT)",
    NetifCon "netifcon" "(netifcon INTERFACE CONTEXT PACKETCONTEXT)",
    IbPkeyCon "ibpkeycon" "(ibpkeycon SUBNET KEY | (LOW HIGH) CONTEXT)",
    IbEndPortCon "ibendportcon" "(ibendportcon DEVICE PORT CONTEXT)",
    PirqCon "pirqcon" "(pirqcon IRQ CONTEXT)",
    IomemCon "iomemcon" "(iomemcon ADDRESS | (LOW HIGH) CONTEXT)",
    IoportCon "ioportcon" "(ioportcon PORT | (LOW HIGH) CONTEXT)",
    PciDeviceCon "pcidevicecon" "(pcidevicecon DEVICE CONTEXT)",
    DeviceTreeCon "devicetreecon" "(devicetreecon PATH CONTEXT)",
    IpAddr "ipaddr" "(ipaddr NAME ADDRESS)",
    // The policy itself.
    PolicyCap "policycap" "(policycap NAME)",
    Mls "mls" "(mls true | false)",
    HandleUnknown "handleunknown" "(handleunknown allow | deny | reject)",
    // Words within statements.
    And "and",
    Or "or",
    Not "not",
    Xor "xor",
    All "all",
    Range "range",
    Eq "eq",
    Neq "neq",
    Dom "dom",
    DomBy "domby",
    Incomp "incomp",
    Self_ "self",
    NotSelf "notself",
    Other "other",
    U1 "u1",
    U2 "u2",
    U3 "u3",
    R1 "r1",
    R2 "r2",
    R3 "r3",
    T1 "t1",
    T2 "t2",
    T3 "t3",
    L1 "l1",
    L2 "l2",
    H1 "h1",
    H2 "h2",
    Unordered "unordered",
    Before "before",
    After "after",
    Ioctl "ioctl",
    Nlmsg "nlmsg",
    Source "source",
    Target "target",
    Low "low",
    High "high",
    LowHigh "low-high",
    Glblub "glblub",
    Reject "reject",
    Any "any",
    File "file",
    Dir "dir",
    Char "char",
    Socket "socket",
    Pipe "pipe",
    Symlink "symlink",
    Xattr "xattr",
    Task "task",
    Trans "trans",
    Tcp "tcp",
    Udp "udp",
    Dccp "dccp",
    Sctp "sctp",
    String "string",
    Name "name",
    Star "*",
    ObjectR "object_r",
    GenRequire "cil_gen_require",
}

impl Keyword {
    /// An interner in which each keyword's symbol has the keyword's number.
    pub fn interner() -> Interner {
        let mut names = Interner::new();
        for keyword in Self::ALL {
            names.intern(keyword.text());
        }
        names
    }

    /// The keyword behind a symbol of such an interner.
    pub fn of(symbol: Symbol) -> Option<Self> {
        Self::ALL.get(symbol.index()).copied()
    }

    /// Its symbol in such an interner.
    pub fn symbol(self) -> Symbol {
        Symbol::new(self as u32)
    }

    /// Does a statement begin with it?
    pub fn begins_statement(self) -> bool {
        !self.shape().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_its_keyword() {
        let names = Keyword::interner();
        for &keyword in Keyword::ALL {
            assert_eq!(names.name(keyword.symbol()), keyword.text());
            assert_eq!(Keyword::of(keyword.symbol()), Some(keyword));
        }
        assert_eq!(names.len(), Keyword::ALL.len(), "a word stands in the list twice");
    }
}
