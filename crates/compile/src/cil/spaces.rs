//! Name spaces, and the kinds of things that are declared in them.

use mandate_syntax::cil::Keyword;
use mandate_syntax::codes::Code;
use mandate_syntax::names::Symbol;

/// A name space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Space {
    Types,
    Roles,
    Users,
    Classes,
    Commons,
    ClassPermissions,
    Booleans,
    Tunables,
    Sensitivities,
    Categories,
    Sids,
    Contexts,
    Levels,
    LevelRanges,
    Addresses,
    Strings,
    PermissionX,
}

impl Space {
    pub(super) const COUNT: usize = Self::PermissionX as usize + 1;

    /// What is missing where a name is unknown, and the code for it.
    pub(super) fn wanted(self) -> (&'static str, Code) {
        match self {
            Self::Types => ("type or attribute", Code::UnknownType),
            Self::Roles => ("role or role attribute", Code::UnknownRole),
            Self::Users => ("user", Code::UnknownUser),
            Self::Classes => ("class", Code::UnknownClass),
            Self::Commons => ("common", Code::UnknownCommon),
            Self::Booleans => ("boolean", Code::UnknownBoolean),
            Self::Tunables => ("tunable", Code::UnknownBoolean),
            Self::Sensitivities => ("sensitivity", Code::UnknownSensitivity),
            Self::Categories => ("category", Code::UnknownCategory),
            Self::Sids => ("initial SID", Code::UnknownInitialSid),
            Self::ClassPermissions => ("class permission set", Code::CilUnknownName),
            Self::Contexts => ("context", Code::CilUnknownName),
            Self::Levels => ("level", Code::CilUnknownName),
            Self::LevelRanges => ("level range", Code::CilUnknownName),
            Self::Addresses => ("address", Code::CilUnknownName),
            Self::Strings => ("string", Code::CilUnknownName),
            Self::PermissionX => ("extended permission", Code::CilUnknownName),
        }
    }
}

/// What a declaration declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeclKind {
    Type,
    TypeAttribute,
    TypeAlias,
    /// `self`, `notself`, `other`
    SelfType,
    NotSelf,
    Other,
    Role,
    RoleAttribute,
    User,
    UserAttribute,
    Class,
    ClassMap,
    Common,
    ClassPermission,
    Boolean,
    Tunable,
    Sensitivity,
    SensitivityAlias,
    Category,
    CategoryAlias,
    CategorySet,
    Sid,
    Context,
    Level,
    LevelRange,
    Address,
    Text,
    PermissionX,
}

impl DeclKind {
    /// Without article.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Type | Self::SelfType | Self::NotSelf | Self::Other => "type",
            Self::TypeAttribute => "type attribute",
            Self::TypeAlias => "type alias",
            Self::Role => "role",
            Self::RoleAttribute => "role attribute",
            Self::User => "user",
            Self::UserAttribute => "user attribute",
            Self::Class => "class",
            Self::ClassMap => "class map",
            Self::Common => "common",
            Self::ClassPermission => "class permission set",
            Self::Boolean => "boolean",
            Self::Tunable => "tunable",
            Self::Sensitivity => "sensitivity",
            Self::SensitivityAlias => "sensitivity alias",
            Self::Category => "category",
            Self::CategoryAlias => "category alias",
            Self::CategorySet => "category set",
            Self::Sid => "initial SID",
            Self::Context => "context",
            Self::Level => "level",
            Self::LevelRange => "level range",
            Self::Address => "address",
            Self::Text => "string",
            Self::PermissionX => "extended permission",
        }
    }

    pub(crate) fn is_alias(self) -> bool {
        matches!(self, Self::TypeAlias | Self::SensitivityAlias | Self::CategoryAlias)
    }

    pub(crate) fn may_be_anonymous(self) -> bool {
        matches!(self, Self::CategorySet | Self::Level | Self::LevelRange | Self::ClassPermission)
    }

    /// Is this a word of expressions, which cannot be a name of this kind?
    pub(crate) fn reserves(self, name: Symbol) -> bool {
        use Keyword as K;
        let Some(word) = Keyword::of(name) else { return false };
        let operator = matches!(word, K::And | K::Or | K::Not | K::Xor);
        match self {
            Self::Boolean | Self::Tunable => operator || matches!(word, K::Eq | K::Neq),
            Self::User | Self::UserAttribute | Self::Role | Self::RoleAttribute => {
                operator || word == K::All
            }
            Self::Type | Self::TypeAttribute | Self::TypeAlias => {
                operator || matches!(word, K::All | K::Self_ | K::NotSelf | K::Other)
            }
            Self::Category | Self::CategorySet | Self::CategoryAlias | Self::PermissionX => {
                operator || matches!(word, K::All | K::Range)
            }
            _ => false,
        }
    }
}

/// What a statement that begins with this word declares.
pub(crate) fn declares(keyword: Keyword) -> Option<(Space, DeclKind)> {
    use DeclKind as D;
    use Keyword as K;
    Some(match keyword {
        K::Type => (Space::Types, D::Type),
        K::TypeAttribute => (Space::Types, D::TypeAttribute),
        K::TypeAlias => (Space::Types, D::TypeAlias),
        K::Role => (Space::Roles, D::Role),
        K::RoleAttribute => (Space::Roles, D::RoleAttribute),
        K::User => (Space::Users, D::User),
        K::UserAttribute => (Space::Users, D::UserAttribute),
        K::Class => (Space::Classes, D::Class),
        K::ClassMap => (Space::Classes, D::ClassMap),
        K::Common => (Space::Commons, D::Common),
        K::ClassPermission => (Space::ClassPermissions, D::ClassPermission),
        K::Boolean => (Space::Booleans, D::Boolean),
        K::Tunable => (Space::Tunables, D::Tunable),
        K::Sensitivity => (Space::Sensitivities, D::Sensitivity),
        K::SensitivityAlias => (Space::Sensitivities, D::SensitivityAlias),
        K::Category => (Space::Categories, D::Category),
        K::CategoryAlias => (Space::Categories, D::CategoryAlias),
        K::CategorySet => (Space::Categories, D::CategorySet),
        K::Sid => (Space::Sids, D::Sid),
        K::Context => (Space::Contexts, D::Context),
        K::Level => (Space::Levels, D::Level),
        K::LevelRange => (Space::LevelRanges, D::LevelRange),
        K::IpAddr => (Space::Addresses, D::Address),
        K::PermissionX => (Space::PermissionX, D::PermissionX),
        _ => return None,
    })
}
