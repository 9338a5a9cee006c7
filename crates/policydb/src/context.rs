//! Security contexts as the policy keeps them: by value.

use std::io;

use crate::ids::{RoleId, SymbolId, TypeId, UserId};
use crate::mls::MlsRange;
use crate::version::PolicyVersion;
use crate::wire::{ReadError, Reader, Writer};

/// A security context: who, in which role, of which type, at which range.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Context {
    /// The user.
    pub user: UserId,
    /// The role.
    pub role: RoleId,
    /// The type.
    pub type_: TypeId,
    /// The range, in a policy with MLS.
    pub range: Option<MlsRange>,
}

impl Context {
    pub(crate) fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let user = r.id("the user of a context")?;
        let role = r.id("the role of a context")?;
        let type_ = r.id("the type of a context")?;
        let range = if version >= PolicyVersion::MLS { MlsRange::read(r)? } else { None };
        Ok(Self { user, role, type_, range })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        w.u32s(&[self.user.value(), self.role.value(), self.type_.value()])?;
        if version >= PolicyVersion::MLS {
            MlsRange::write(w, self.range.as_ref())?;
        }
        Ok(())
    }
}
