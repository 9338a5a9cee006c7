//! The SELinux policy database: reads, validates and writes binary kernel policies of versions 15 to 35, for SELinux
//! and Xen, with and without MLS. The format is described in `docs/formats/policydb.md`.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let bytes = include_bytes!("../../../policies/demo/policy.33");
//! let policy = mandate_policydb::Unvalidated::read(bytes)?.validate()?;
//! let mut copy = Vec::new();
//! policy.db().write(policy.db().version, &mut copy)?;
//! assert_eq!(copy, bytes);
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::unwrap_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod avtab;
mod canonical;
mod capability;
mod conditional;
mod constraint;
mod context;
mod convert;
mod db;
mod ebitmap;
mod ids;
mod initial_sids;
mod mls;
mod object_contexts;
mod provenance;
mod rules;
mod sniff;
mod statement;
mod symbols;
mod symtab;
mod text;
mod validate;
mod version;
pub mod wire;

pub use avtab::{AvRule, ExtendedPermissions, RuleKind, XpermForm, XpermPool};
pub use canonical::{ConditionKey, canonical};
pub use capability::{capability_bit, capability_names};
pub use conditional::{BoolTerm, Conditional, MAX_DEPTH as MAX_CONDITION_DEPTH};
pub use constraint::{
    Comparison, Constraint, MAX_DEPTH as MAX_CONSTRAINT_DEPTH, NameSet, Operator, Part, Term,
    TypeSet, Whose,
};
pub use context::Context;
pub use convert::{Unsupported, drop_unsupported, unsupported};
pub use db::{HandleUnknown, PolicyDb, WriteError};
pub use ebitmap::Ebitmap;
pub use ids::{
    BoolId, CategoryId, ClassId, CommonId, OBJECT_R, PermId, RoleId, SensitivityId, SymbolId,
    TypeId, UserId,
};
pub use initial_sids::initial_sid_name;
pub use mls::{MlsLevel, MlsRange};
pub use object_contexts::{
    DeviceTree, FsUse, FsUseBehavior, GenfsDatum, GenfsPath, IbEndPort, IbPkey, InitialSid,
    NamedPair, Node, ObjectContexts, Port, Target, XenRange,
};
pub use provenance::{
    PROVENANCE_SUFFIX, Place, PlaceId, Provenance, ProvenanceBuilder, RuleKey, RulePlace, StringId,
};
pub use rules::{
    FilenameTransition, FilenameTransitionGroup, FilenameTransitions, RangeTransition, RoleAllow,
    RoleTransition,
};
pub use sniff::FileKind;
pub use symbols::{
    BooleanDatum, CategoryDatum, ClassDatum, CommonDatum, DefaultFrom, DefaultRange,
    PermissionDatum, RoleDatum, SensitivityDatum, TypeDatum, UserDatum,
};
pub use symtab::{Datum, SymbolTable};
pub use text::ContextError;
pub use validate::{Policy, Unvalidated, ValidateError};
pub use version::PolicyVersion;
pub use wire::{ReadError, ReadErrorKind};
