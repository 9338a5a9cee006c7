//! The syntax tree. Each kind is named once; the compiler says what is missing.

use crate::kernel::UnknownCall;
use crate::kernel::ast::{
    AvKind, AvRule, CategoryRange, CompareOp, CondTerm, ConstraintTerm, Context, ContextPart,
    DefaultRangeForm, DefaultSource, FsUseKind, GenfsFileType, Ident, Level, LevelName, MlsRange,
    NumberRange, RangePart, Require, RequireKind, Set, SetForm, SetItem, Side, Slice, Statement,
    StatementKind, TypeRule, TypeRuleKind, Unit, XpermKind, XpermRule,
};
use crate::stored::{Reader, Stored, Writer};

macro_rules! structs {
    ($($name:ident { $($field:ident),* })*) => {
        $(impl Stored for $name {
            fn put(&self, to: &mut Writer<'_>) {
                let Self { $($field),* } = self;
                $($field.put(to);)*
            }

            #[inline]
            fn get(from: &mut Reader<'_>) -> Option<Self> {
                $(let $field = Stored::get(from)?;)*
                Some(Self { $($field),* })
            }
        })*
    };
}

/// Variants with the number each is written as.
macro_rules! enums {
    ($($name:ident {
        $($number:literal $variant:ident
            $(($($part:ident),*))? $({ $($field:ident),* })?)*
    })*) => {
        $(impl Stored for $name {
            fn put(&self, to: &mut Writer<'_>) {
                match self {
                    $(Self::$variant $(($($part),*))? $({ $($field),* })? => {
                        to.number($number);
                        $($($part.put(to);)*)?
                        $($($field.put(to);)*)?
                    })*
                }
            }

            fn get(from: &mut Reader<'_>) -> Option<Self> {
                Some(match from.number()? {
                    $($number => {
                        $($(let $part = Stored::get(from)?;)*)?
                        $($(let $field = Stored::get(from)?;)*)?
                        Self::$variant $(($($part),*))? $({ $($field),* })?
                    })*
                    _ => return None,
                })
            }
        })*
    };
}

structs! {
    Ident { name, span }
    Slice { start, end }
    Set { form, items, span }
    Statement { span, kind }
    AvRule { kind, source, target, classes, permissions }
    XpermRule { kind, source, target, classes, operation, ranges, complement }
    TypeRule { kind, source, target, classes, result, name }
    NumberRange { low, high, span }
    Level { sensitivity, categories }
    CategoryRange { low, high }
    MlsRange { low, high, span }
    Context { user, role, type_, range }
    Require { kind, name, permissions }
    UnknownCall { name, arguments }
    Unit { explicit_bounds, names, statements, set_items, idents, number_ranges, category_ranges, cond_terms, constraint_terms, requires }
}

enums! {
    SetForm {
        0 Listed
        1 Complement
        2 All
    }
    AvKind {
        0 Allow
        1 AuditAllow
        2 AuditDeny
        3 DontAudit
        4 NeverAllow
    }
    XpermKind {
        0 Allow
        1 AuditAllow
        2 DontAudit
        3 NeverAllow
    }
    TypeRuleKind {
        0 Transition
        1 Member
        2 Change
    }
    CondTerm {
        0 Bool(ident)
        1 Not
        2 Or
        3 And
        4 Xor
        5 Eq
        6 Ne
    }
    Side {
        0 Source
        1 Target
        2 New
    }
    ContextPart {
        0 User
        1 Role
        2 Type
    }
    LevelName {
        0 SourceLow
        1 TargetLow
        2 SourceHigh
        3 TargetHigh
    }
    CompareOp {
        0 Eq
        1 Ne
        2 Dom
        3 DomBy
        4 Incomp
    }
    ConstraintTerm {
        0 Not
        1 And
        2 Or
        3 Parts { part, op }
        4 Levels { left, op, right }
        5 Names { part, side, op, names }
    }
    DefaultSource {
        0 Source
        1 Target
    }
    RangePart {
        0 Low
        1 High
        2 LowHigh
    }
    DefaultRangeForm {
        0 From(source, part)
        1 Glblub
    }
    FsUseKind {
        0 Xattr
        1 Task
        2 Trans
    }
    GenfsFileType {
        0 Block
        1 Character
        2 Directory
        3 Fifo
        4 Link
        5 Socket
        6 Regular
    }
    RequireKind {
        0 Class
        1 Role
        2 Type
        3 Attribute
        4 RoleAttribute
        5 User
        6 Boolean
        7 Tunable
        8 Sensitivity
        9 Category
    }
    StatementKind {
        0 Module { name, version }
        1 Class(name)
        2 InitialSid(name)
        3 Common { name, permissions }
        4 AccessVector { class, inherits, permissions }
        5 Default { part, classes, from }
        6 DefaultRange { classes, form }
        7 PolicyCapability(name)
        8 Sensitivity { name, aliases }
        9 Dominance(names)
        10 Category { name, aliases }
        11 Level(level)
        12 Constrain { mls, classes, permissions, expression }
        13 ValidateTrans { mls, classes, expression }
        14 Attribute(name)
        15 ExpandAttribute { names, expand }
        16 Type { name, aliases, attributes }
        17 TypeAlias { name, aliases }
        18 TypeAttribute { name, attributes }
        19 TypeBounds { parent, children }
        20 Permissive(name)
        21 NeverAudit(name)
        22 Boolean { name, value, tunable }
        23 Av(rule)
        24 Xperm(rule)
        25 TypeRule(rule)
        26 RangeTransition { source, target, classes, range }
        27 Role { name, types, attributes }
        28 RoleAttribute(name)
        29 RoleAttributeSet { name, attributes }
        30 RoleAllow { source, target }
        31 RoleTransition { source, target, classes, result }
        32 RoleDominance { name, dominated }
        33 User { name, roles, level, range }
        34 RoleBounds { parent, child }
        35 UserBounds { parent, child }
        36 UserPrefix { name, prefix }
        37 Conditional { expression, then, otherwise }
        38 Optional { then, otherwise }
        39 Require(requires)
        40 SidContext { name, context }
        41 FsCon { major, minor, fs, files }
        42 FsUse { kind, name, context }
        43 GenfsCon { fs, path, file_type, context }
        44 PortCon { protocol, ports, context }
        45 NetifCon { name, interface, packets }
        46 NodeCon { address, mask, context }
        47 IbPkeyCon { subnet, keys, context }
        48 IbEndPortCon { device, port, context }
        49 PirqCon { irq, context }
        50 IomemCon { range, context }
        51 IoportCon { range, context }
        52 PciDeviceCon { device, context }
        53 DeviceTreeCon { path, context }
    }
}

/// There are more of them than of all else: the mark goes with the name.
impl Stored for SetItem {
    fn put(&self, to: &mut Writer<'_>) {
        let Self { ident: Ident { name, span }, excluded } = self;
        to.number((name.index() as u64) << 1 | u64::from(*excluded));
        span.put(to);
    }

    #[inline]
    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let number = from.number()?;
        let name = from.symbol(number >> 1)?;
        let ident = Ident { name, span: Stored::get(from)? };
        Some(Self { ident, excluded: number & 1 == 1 })
    }
}
