//! Policy packages (`.pp`) and modules (`.mod`): read, written, linked and expanded as libsepol does.
//!
//! [`db`] is what a file holds, value by value, so that reading and writing again gives the same bytes. `lower` turns it into
//! a [`Unit`], `raise` a unit into it; `link` joins modules with a base; `expand` gives what is enabled to the back end.

mod blocks;
mod build;
mod container;
mod db;
mod form;
mod link;
mod lower;
mod raise;
mod rules;
mod sets;
mod symbols;

use mandate_policydb::HandleUnknown;
#[cfg(test)]
mod tests;

use mandate_policydb::wire::{ReadError, ReadErrorKind, Reader, Writer};

pub use build::{build, expand};
pub use container::Package;
pub use form::ModuleVersion;
pub use link::{Linked, link};
pub use raise::{ModuleOptions, Raised};

/// A policy module, or a base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    db: db::Db,
}

/// Why a module cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Longer than offsets can say.
    #[error("the module is larger than 4 GiB")]
    TooLarge,
    /// `seusers` or `users_extra` with a module that is no base.
    #[error("seusers and users_extra are for the package of a base only")]
    OfBase,
    /// Statements that the version does not know.
    #[error("module version {version} cannot hold {what}")]
    NotInVersion {
        /// The version.
        version: ModuleVersion,
        /// What stands in the way.
        what: String,
    },
}

impl Module {
    /// Reads a module.
    ///
    /// # Errors
    /// When the bytes are no module.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        Self::read_within(bytes, 0, bytes.len())
    }

    /// Reads the module between these offsets.
    fn read_within(bytes: &[u8], start: usize, end: usize) -> Result<Self, ReadError> {
        let mut r = Reader::new(bytes.get(..end).unwrap_or_default());
        r.skip_to(bytes.get(start..end).unwrap_or_default());
        let db = db::Db::read(&mut r)?;
        match r.remaining() {
            0 => Ok(Self { db }),
            left => Err(ReadError::new(r.offset(), ReadErrorKind::TrailingBytes(left))),
        }
    }

    /// Writes the module at this version.
    ///
    /// # Errors
    /// When the version cannot hold it.
    pub fn write(&self, version: ModuleVersion) -> Result<Vec<u8>, WriteError> {
        let mut bytes = Vec::new();
        let mut db = std::borrow::Cow::Borrowed(&self.db);
        if version < db.form.version {
            raise::check_version(&self.db, version)?;
        }
        if version != db.form.version {
            db.to_mut().set_version(version);
        }
        db.write(&mut Writer::new(&mut bytes)).map_err(|_| WriteError::TooLarge)?;
        Ok(bytes)
    }

    /// The name; of a base empty.
    pub fn name(&self) -> &str {
        &self.db.name
    }

    /// The module's own version, as it is written in its source; of a base empty.
    pub fn version(&self) -> &str {
        &self.db.release
    }

    /// Is it a base?
    pub fn is_base(&self) -> bool {
        self.db.form.base
    }

    /// Is it for a policy with MLS?
    pub fn mls(&self) -> bool {
        self.db.mls()
    }

    /// The version of the format.
    pub fn format_version(&self) -> ModuleVersion {
        self.db.form.version
    }

    /// What is decided of unknown classes and permissions.
    pub fn handle_unknown(&self) -> HandleUnknown {
        match self.db.config & (db::REJECT_UNKNOWN | db::ALLOW_UNKNOWN) {
            db::REJECT_UNKNOWN => HandleUnknown::Reject,
            db::ALLOW_UNKNOWN => HandleUnknown::Allow,
            _ => HandleUnknown::Deny,
        }
    }
}
