//! The syntax tree: statements with the names as written. Lists lie in pools of the [`Unit`], so that a rule is one small value.

use std::ops::Range;

use crate::names::{Interner, Symbol};
use crate::source::Span;

/// A name at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name, in the unit's interner.
    pub name: Symbol,
    /// Where it stands.
    pub span: Span,
}

/// An element of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetItem {
    /// The name.
    pub ident: Ident,
    /// Is it taken away (`-name`)?
    pub excluded: bool,
}

/// A place of a list in a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// First element.
    pub start: u32,
    /// One past the last.
    pub end: u32,
}

impl Slice {
    /// As a range of the pool.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Is there nothing in it?
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// How a set's items are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetForm {
    /// What is listed, without what is excluded. `{ a b -c }`, `a`, `a - b`
    Listed,
    /// All but what is listed: `~a`, `~{ a b }`.
    Complement,
    /// Everything, without what is excluded: `*`, `{ * -a }`.
    All,
}

/// A set of names, nested braces flattened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    /// How the items are meant.
    pub form: SetForm,
    /// [`Unit::set_items`].
    pub items: Slice,
    /// Where the set begins.
    pub span: Span,
}

/// Plain names: [`Unit::idents`].
pub type Idents = Slice;

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Its first word.
    pub span: Span,
    /// What it says.
    pub kind: StatementKind,
}

/// The kinds of access vector rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AvKind {
    /// `allow`
    Allow,
    /// `auditallow`
    AuditAllow,
    /// `auditdeny`: old; the complement of `dontaudit`.
    AuditDeny,
    /// `dontaudit`
    DontAudit,
    /// `neverallow`
    NeverAllow,
}

/// The kinds of extended permission rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XpermKind {
    /// `allowxperm`
    Allow,
    /// `auditallowxperm`
    AuditAllow,
    /// `dontauditxperm`
    DontAudit,
    /// `neverallowxperm`
    NeverAllow,
}

/// The kinds of type rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeRuleKind {
    /// `type_transition`
    Transition,
    /// `type_member`
    Member,
    /// `type_change`
    Change,
}

/// `allow source target:classes permissions;`. `self` is a name of the target set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvRule {
    /// Which kind.
    pub kind: AvKind,
    /// Types and attributes.
    pub source: Set,
    /// Types, attributes and `self`.
    pub target: Set,
    /// Class names (plain names; nested braces flattened).
    pub classes: Idents,
    /// Permission names.
    pub permissions: Set,
}

/// `allowxperm source target:classes ioctl { 0x1-0x2 };`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XpermRule {
    /// Which kind.
    pub kind: XpermKind,
    /// Types and attributes.
    pub source: Set,
    /// Types, attributes and `self`.
    pub target: Set,
    /// Class names.
    pub classes: Idents,
    /// `ioctl` or `nlmsg`.
    pub operation: Ident,
    /// Ranges: [`Unit::number_ranges`].
    pub ranges: Slice,
    /// Were the ranges complemented (`~{ … }`)?
    pub complement: bool,
}

/// `type_transition source target:classes result ["name"];`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeRule {
    /// Which kind.
    pub kind: TypeRuleKind,
    /// Types and attributes.
    pub source: Set,
    /// Types, attributes and `self`.
    pub target: Set,
    /// Class names.
    pub classes: Idents,
    /// The new type.
    pub result: Ident,
    /// The last component of the path, without its quotes, of a name-based transition.
    pub name: Option<Ident>,
}

/// `{ low high }` of numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange {
    /// First.
    pub low: u64,
    /// Last.
    pub high: u64,
    /// Where the first stands.
    pub span: Span,
}

/// A level: a sensitivity and categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The sensitivity.
    pub sensitivity: Ident,
    /// Ranges of categories (`c0.c5`, or one category twice): [`Unit::category_ranges`].
    pub categories: Slice,
}

/// `c0.c5`; one category stands as both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CategoryRange {
    /// First.
    pub low: Ident,
    /// Last.
    pub high: Ident,
}

/// `low - high`; one level stands as both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MlsRange {
    /// Low.
    pub low: Level,
    /// High.
    pub high: Level,
    /// Where it begins.
    pub span: Span,
}

/// `user:role:type[:range]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// User.
    pub user: Ident,
    /// Role.
    pub role: Ident,
    /// Type.
    pub type_: Ident,
    /// Range, where there is one.
    pub range: Option<MlsRange>,
}

/// An operand or operator of a conditional expression, in postfix order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CondTerm {
    /// A boolean.
    Bool(Ident),
    /// `!`
    Not,
    /// `||`
    Or,
    /// `&&`
    And,
    /// `^`
    Xor,
    /// `==`
    Eq,
    /// `!=`
    Ne,
}

/// Whose part of a context a constraint looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `u1`, `r1`, `t1`
    Source,
    /// `u2`, `r2`, `t2`
    Target,
    /// `u3`, `r3`, `t3`: the new context, of `validatetrans` only.
    New,
}

/// Which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextPart {
    /// `u1`…
    User,
    /// `r1`…
    Role,
    /// `t1`…
    Type,
}

/// A level of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelName {
    /// `l1`
    SourceLow,
    /// `l2`
    TargetLow,
    /// `h1`
    SourceHigh,
    /// `h2`
    TargetHigh,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// `==` or `eq`
    Eq,
    /// `!=` or `ne`
    Ne,
    /// `dom`
    Dom,
    /// `domby`
    DomBy,
    /// `incomp`
    Incomp,
}

/// An operand or operator of a constraint, in postfix order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstraintTerm {
    /// `not`
    Not,
    /// `and`
    And,
    /// `or`
    Or,
    /// `u1 op u2`, `r1 op r2`, `t1 op t2`
    Parts {
        /// Which.
        part: ContextPart,
        /// How.
        op: CompareOp,
    },
    /// `l1 op l2` and so on.
    Levels {
        /// Left.
        left: LevelName,
        /// How.
        op: CompareOp,
        /// Right.
        right: LevelName,
    },
    /// `t1 op { names }`
    Names {
        /// Which.
        part: ContextPart,
        /// Whose.
        side: Side,
        /// `==` or `!=`.
        op: CompareOp,
        /// With what.
        names: Set,
    },
}

/// Where a new object's user, role or type comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultSource {
    /// `source`
    Source,
    /// `target`
    Target,
}

/// Which part of a range `default_range` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultRangeForm {
    /// `source low` and so on.
    From(DefaultSource, RangePart),
    /// `glblub`
    Glblub,
}

/// Part of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangePart {
    /// `low`
    Low,
    /// `high`
    High,
    /// `low_high`
    LowHigh,
}

/// How a file system is labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsUseKind {
    /// `fs_use_xattr`
    Xattr,
    /// `fs_use_task`
    Task,
    /// `fs_use_trans`
    Trans,
}

/// The file type of a `genfscon`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenfsFileType {
    /// `-b`
    Block,
    /// `-c`
    Character,
    /// `-d`
    Directory,
    /// `-p`
    Fifo,
    /// `-l`
    Link,
    /// `-s`
    Socket,
    /// `--`
    Regular,
}

/// What a requirement names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequireKind {
    /// `class name perms`
    Class,
    /// `role`
    Role,
    /// `type` (also attributes, as checkmodule takes them)
    Type,
    /// `attribute`
    Attribute,
    /// `attribute_role`
    RoleAttribute,
    /// `user`
    User,
    /// `bool`
    Boolean,
    /// `tunable`
    Tunable,
    /// `sensitivity`
    Sensitivity,
    /// `category`
    Category,
}

/// One requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Require {
    /// Of what kind.
    pub kind: RequireKind,
    /// What.
    pub name: Ident,
    /// Permissions, of a class only.
    pub permissions: Idents,
}

/// What a statement says. Slices without a comment are [`Unit::idents`].
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `module name version;` / `policy_module`
    Module {
        /// Name.
        name: Ident,
        /// Version, as written.
        version: Option<Ident>,
    },
    /// `class name` of the list of classes.
    Class(Ident),
    /// `sid name` of the list of initial SIDs.
    InitialSid(Ident),
    /// `common name { permissions }`
    Common {
        /// Name.
        name: Ident,
        /// Permissions in order.
        permissions: Idents,
    },
    /// `class name [inherits common] [{ permissions }]`
    AccessVector {
        /// Class.
        class: Ident,
        /// Common.
        inherits: Option<Ident>,
        /// Permissions of its own.
        permissions: Idents,
    },
    /// `default_user { classes } source;` and so on
    Default {
        /// User, role or type.
        part: ContextPart,
        /// Classes.
        classes: Idents,
        /// From where.
        from: DefaultSource,
    },
    /// `default_range { classes } source low;`
    DefaultRange {
        /// Classes.
        classes: Idents,
        /// How.
        form: DefaultRangeForm,
    },
    /// `policycap name;`
    PolicyCapability(Ident),
    /// `sensitivity name [alias names];`
    Sensitivity {
        /// Name.
        name: Ident,
        /// Aliases.
        aliases: Idents,
    },
    /// `dominance { s0 s1 }`: lowest first.
    Dominance(Idents),
    /// `category name [alias names];`
    Category {
        /// Name.
        name: Ident,
        /// Aliases.
        aliases: Idents,
    },
    /// `level s0:c0.c5;`
    Level(Level),
    /// `constrain { classes } { permissions } expression;` and `mlsconstrain`
    Constrain {
        /// `mlsconstrain`?
        mls: bool,
        /// Classes.
        classes: Idents,
        /// Permissions.
        permissions: Set,
        /// [`Unit::constraint_terms`].
        expression: Slice,
    },
    /// `validatetrans { classes } expression;` and `mlsvalidatetrans`
    ValidateTrans {
        /// `mlsvalidatetrans`?
        mls: bool,
        /// Classes.
        classes: Idents,
        /// [`Unit::constraint_terms`].
        expression: Slice,
    },
    /// `attribute name;`
    Attribute(Ident),
    /// `expandattribute names true;`
    ExpandAttribute {
        /// Attributes.
        names: Idents,
        /// `true`?
        expand: bool,
    },
    /// `type name [alias names][, attributes];`
    Type {
        /// Name.
        name: Ident,
        /// Aliases.
        aliases: Idents,
        /// Attributes.
        attributes: Idents,
    },
    /// `typealias name alias names;`
    TypeAlias {
        /// The type.
        name: Ident,
        /// Aliases.
        aliases: Idents,
    },
    /// `typeattribute name attributes;`
    TypeAttribute {
        /// The type (or, since 3.10, attribute).
        name: Ident,
        /// Attributes.
        attributes: Idents,
    },
    /// `typebounds parent children;`
    TypeBounds {
        /// Parent.
        parent: Ident,
        /// Children.
        children: Idents,
    },
    /// `permissive name;`
    Permissive(Ident),
    /// `neveraudit name;`
    NeverAudit(Ident),
    /// `bool name true;`, `tunable name false;`
    Boolean {
        /// Name.
        name: Ident,
        /// Its default.
        value: bool,
        /// `tunable`?
        tunable: bool,
    },
    /// `allow …` and its kin.
    Av(AvRule),
    /// `allowxperm …` and its kin.
    Xperm(XpermRule),
    /// `type_transition …` and its kin.
    TypeRule(TypeRule),
    /// `range_transition source target[:classes] range;`
    RangeTransition {
        /// Types.
        source: Set,
        /// Types.
        target: Set,
        /// Classes; empty where none are written (`process`).
        classes: Idents,
        /// The new range.
        range: Box<MlsRange>,
    },
    /// `role name;`, `role name types { … };`
    Role {
        /// Name.
        name: Ident,
        /// Types it may have.
        types: Option<Set>,
        /// Role attributes: `role name, attributes;`
        attributes: Idents,
    },
    /// `attribute_role name;`
    RoleAttribute(Ident),
    /// `roleattribute name attributes;`
    RoleAttributeSet {
        /// The role.
        name: Ident,
        /// Attributes.
        attributes: Idents,
    },
    /// `allow roles roles;`
    RoleAllow {
        /// From.
        source: Set,
        /// To.
        target: Set,
    },
    /// `role_transition roles types[:classes] role;`
    RoleTransition {
        /// Roles.
        source: Set,
        /// Types.
        target: Set,
        /// Classes; empty where none are written (`process`).
        classes: Idents,
        /// The new role.
        result: Ident,
    },
    /// `dominance { role name … }`: old; the outer role gets the types of the inner ones.
    RoleDominance {
        /// The role.
        name: Ident,
        /// The roles it takes in.
        dominated: Idents,
    },
    /// `user name roles { … } [level l range r];`
    User {
        /// Name.
        name: Ident,
        /// Roles.
        roles: Set,
        /// Default level.
        level: Option<Box<Level>>,
        /// Range.
        range: Option<Box<MlsRange>>,
    },
    /// `(rolebounds parent child)` of CIL and binary policies. The kernel language has role names with a dot for it.
    RoleBounds {
        /// Parent.
        parent: Ident,
        /// Child.
        child: Ident,
    },
    /// `(userbounds parent child)` of CIL and binary policies. The kernel language has user names with a dot for it.
    UserBounds {
        /// Parent.
        parent: Ident,
        /// Child.
        child: Ident,
    },
    /// `user name prefix p;` of users_extra.
    UserPrefix {
        /// Name.
        name: Ident,
        /// Prefix.
        prefix: Ident,
    },
    /// `if (expression) { … } else { … }`
    Conditional {
        /// [`Unit::cond_terms`].
        expression: Slice,
        /// Statements of the true branch.
        then: Vec<Statement>,
        /// Statements of the false branch.
        otherwise: Vec<Statement>,
    },
    /// `optional { … } else { … }`
    Optional {
        /// Statements.
        then: Vec<Statement>,
        /// Statements that stand in where the requirements are not met.
        otherwise: Option<Vec<Statement>>,
    },
    /// `require { … }`: [`Unit::requires`].
    Require(Slice),
    /// `sid name context`
    SidContext {
        /// Initial SID.
        name: Ident,
        /// Its context.
        context: Box<Context>,
    },
    /// `fscon major minor context context`: old.
    FsCon {
        /// Major number.
        major: NumberRange,
        /// Minor number.
        minor: NumberRange,
        /// Context of the file system.
        fs: Box<Context>,
        /// Context of its files.
        files: Box<Context>,
    },
    /// `fs_use_xattr name context;` and its kin
    FsUse {
        /// How.
        kind: FsUseKind,
        /// File system.
        name: Ident,
        /// Context.
        context: Box<Context>,
    },
    /// `genfscon name path [-type] context`
    GenfsCon {
        /// File system.
        fs: Ident,
        /// Path, without quotes.
        path: Ident,
        /// Only files of this type.
        file_type: Option<GenfsFileType>,
        /// Context.
        context: Box<Context>,
    },
    /// `portcon protocol low[-high] context`
    PortCon {
        /// `tcp`, `udp`, `dccp`, `sctp`.
        protocol: Ident,
        /// Ports.
        ports: NumberRange,
        /// Context.
        context: Box<Context>,
    },
    /// `netifcon name context context`
    NetifCon {
        /// Interface.
        name: Ident,
        /// Context of the interface.
        interface: Box<Context>,
        /// Context of its packets.
        packets: Box<Context>,
    },
    /// `nodecon address mask context`, or `address/prefix`
    NodeCon {
        /// Address.
        address: std::net::IpAddr,
        /// Mask, of the same family.
        mask: std::net::IpAddr,
        /// Context.
        context: Box<Context>,
    },
    /// `ibpkeycon subnet low[-high] context`
    IbPkeyCon {
        /// Subnet prefix: the upper half.
        subnet: std::net::Ipv6Addr,
        /// Keys.
        keys: NumberRange,
        /// Context.
        context: Box<Context>,
    },
    /// `ibendportcon device port context`
    IbEndPortCon {
        /// Device.
        device: Ident,
        /// Port.
        port: NumberRange,
        /// Context.
        context: Box<Context>,
    },
    /// `pirqcon irq context` (Xen)
    PirqCon {
        /// Interrupt.
        irq: NumberRange,
        /// Context.
        context: Box<Context>,
    },
    /// `iomemcon low[-high] context` (Xen)
    IomemCon {
        /// Page frames.
        range: NumberRange,
        /// Context.
        context: Box<Context>,
    },
    /// `ioportcon low[-high] context` (Xen)
    IoportCon {
        /// Ports.
        range: NumberRange,
        /// Context.
        context: Box<Context>,
    },
    /// `pcidevicecon device context` (Xen)
    PciDeviceCon {
        /// Device.
        device: NumberRange,
        /// Context.
        context: Box<Context>,
    },
    /// `devicetreecon path context` (Xen)
    DeviceTreeCon {
        /// Path.
        path: Ident,
        /// Context.
        context: Box<Context>,
    },
}

/// What was read of one text: a whole `policy.conf`, or one expanded module.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Bounds are statements only: a name with a dot implies none. So in CIL and in binary policies.
    pub explicit_bounds: bool,
    /// The names.
    pub names: Interner,
    /// The statements in order.
    pub statements: Vec<Statement>,
    /// Pool of [`Set::items`].
    pub set_items: Vec<SetItem>,
    /// Pool of plain names.
    pub idents: Vec<Ident>,
    /// Pool of numbers.
    pub number_ranges: Vec<NumberRange>,
    /// Pool of categories.
    pub category_ranges: Vec<CategoryRange>,
    /// Pool of conditional expressions.
    pub cond_terms: Vec<CondTerm>,
    /// Pool of constraint expressions.
    pub constraint_terms: Vec<ConstraintTerm>,
    /// Pool of requirements.
    pub requires: Vec<Require>,
}

impl Unit {
    /// The name behind `ident`.
    pub fn text(&self, ident: Ident) -> &str {
        self.names.name(ident.name)
    }
}
