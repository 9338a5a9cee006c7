//! What a policy holds, component by component, as `seinfo` tells it.

mod items;
mod summary;

pub(crate) use items::file_kind;
use mandate_policydb::PolicyDb;

use crate::{QuestionError, Statements};

pub use summary::{Count, Summary};

/// A kind of thing that a policy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// Booleans.
    Boolean,
    /// Categories.
    Category,
    /// Object classes.
    Class,
    /// Common permission sets.
    Common,
    /// `constrain`, `mlsconstrain`.
    Constrain,
    /// `default_user`, `default_role`, `default_type`, `default_range`.
    Default,
    /// `fs_use_*`.
    FsUse,
    /// `genfscon`.
    Genfscon,
    /// `ibendportcon`.
    Ibendportcon,
    /// `ibpkeycon`.
    Ibpkeycon,
    /// Initial SIDs.
    InitialSid,
    /// `netifcon`.
    Netifcon,
    /// `nodecon`.
    Nodecon,
    /// Permissive types.
    Permissive,
    /// Policy capabilities.
    Polcap,
    /// `portcon`.
    Portcon,
    /// Roles.
    Role,
    /// Sensitivities.
    Sensitivity,
    /// `typebounds`.
    Typebounds,
    /// Types.
    Type,
    /// Type attributes.
    Attribute,
    /// Users.
    User,
    /// `validatetrans`, `mlsvalidatetrans`.
    Validatetrans,
    /// Xen's `ioportcon`.
    Ioportcon,
    /// Xen's `iomemcon`.
    Iomemcon,
    /// Xen's `pcidevicecon`.
    Pcidevicecon,
    /// Xen's `pirqcon`.
    Pirqcon,
    /// Xen's `devicetreecon`.
    Devicetreecon,
}

impl Component {
    /// All of them, with their keywords and titles, in the order in which they are told.
    const TABLE: [(Self, &'static str, &'static str); 28] = [
        (Self::Boolean, "bool", "Booleans"),
        (Self::Category, "category", "Categories"),
        (Self::Class, "class", "Classes"),
        (Self::Common, "common", "Commons"),
        (Self::Constrain, "constrain", "Constraints"),
        (Self::Default, "default", "Default rules"),
        (Self::FsUse, "fs_use", "Fs_use"),
        (Self::Genfscon, "genfscon", "Genfscon"),
        (Self::Ibendportcon, "ibendportcon", "Ibendportcon"),
        (Self::Ibpkeycon, "ibpkeycon", "Ibpkeycon"),
        (Self::InitialSid, "initialsid", "Initial SIDs"),
        (Self::Netifcon, "netifcon", "Netifcon"),
        (Self::Nodecon, "nodecon", "Nodecon"),
        (Self::Permissive, "permissive", "Permissive Types"),
        (Self::Polcap, "polcap", "Polcap"),
        (Self::Portcon, "portcon", "Portcon"),
        (Self::Role, "role", "Roles"),
        (Self::Sensitivity, "sensitivity", "Sensitivities"),
        (Self::Typebounds, "typebounds", "Typebounds"),
        (Self::Type, "type", "Types"),
        (Self::Attribute, "attribute", "Type Attributes"),
        (Self::User, "user", "Users"),
        (Self::Validatetrans, "validatetrans", "Validatetrans"),
        (Self::Ioportcon, "ioportcon", "Ioportcon"),
        (Self::Iomemcon, "iomemcon", "Iomemcon"),
        (Self::Pcidevicecon, "pcidevicecon", "Pcidevicecon"),
        (Self::Pirqcon, "pirqcon", "Pirqcon"),
        (Self::Devicetreecon, "devicetreecon", "Devicetreecon"),
    ];

    /// All of them, in the order in which they are told.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::TABLE.into_iter().map(|it| it.0)
    }

    /// The component of this keyword.
    pub fn of_keyword(keyword: &str) -> Option<Self> {
        Self::TABLE.into_iter().find(|it| it.1 == keyword).map(|it| it.0)
    }

    /// The word that asks for it: that of its statement.
    pub fn keyword(self) -> &'static str {
        Self::TABLE.into_iter().find(|it| it.0 == self).map_or("", |it| it.1)
    }

    /// What stands above its list.
    pub fn title(self) -> &'static str {
        Self::TABLE.into_iter().find(|it| it.0 == self).map_or("", |it| it.2)
    }

    /// Is it for Xen alone?
    pub fn is_xen(self) -> bool {
        self >= Self::Ioportcon
    }
}

/// One thing that a policy holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// Its name; of what has none, its statement.
    pub name: String,
    /// Its statement, if it was asked for: it may have several lines.
    pub statement: Option<String>,
}

/// What a policy holds of one kind.
#[derive(Clone, Debug)]
pub struct InfoQuery {
    /// The kind.
    pub component: Component,
    /// The name, class, number or address that it must have.
    pub name: Option<String>,
    /// With statements.
    pub expand: bool,
}

impl InfoQuery {
    /// The items, by name; sensitivities and categories by value.
    ///
    /// # Errors
    /// A class that the policy does not define, or a number or address that is none. Any other name that is not there leaves
    /// nothing: see [`known`].
    pub fn ask(&self, statements: &Statements<'_>) -> Result<Vec<Item>, QuestionError> {
        let mut items = items::of(self, statements)?;
        // Levels and categories have an order of their own.
        if !matches!(self.component, Component::Category | Component::Sensitivity) {
            items.sort();
        }
        Ok(items)
    }
}

/// Is there something of this name?
///
/// # Errors
/// There is none; or what is not a number or address at all.
pub fn known(
    db: &PolicyDb,
    statements: &Statements<'_>,
    component: Component,
    name: &str,
) -> Result<(), QuestionError> {
    items::known(db, statements, component, name)
}
