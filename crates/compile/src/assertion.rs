//! `neverallow` and `neverallowxperm`: what no rule of the finished policy may allow.

mod check;
mod tell;
mod xperms;

use mandate_policydb::{ClassId, Ebitmap, ExtendedPermissions, TypeId};
use mandate_syntax::source::Span;

pub use check::check;
pub use mandate_policydb::RulePlace;
pub use tell::diagnostics;

/// A `neverallow` or `neverallowxperm` of one class. A statement over several classes is one assertion for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Bits of the source types, attributes expanded.
    pub source: Ebitmap,
    /// Bits of the target types, attributes expanded, `self` not among them. Of `~self`: all types.
    pub target: Ebitmap,
    /// Is `self` among the targets: each source with itself?
    pub self_: bool,
    /// Is `self` taken from the targets: `-self` or `~self`?
    pub not_self: bool,
    /// The class.
    pub class: ClassId,
    /// The permissions; of `neverallowxperm` that of its operation alone: `ioctl` or `nlmsg`.
    pub permissions: u32,
    /// Of `neverallowxperm` the extended permissions, in as many pieces as a rule of them would take; else empty.
    pub xperms: Vec<ExtendedPermissions>,
    /// The statement.
    pub span: Span,
}

/// A rule that allows what an assertion forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Index of the assertion.
    pub assertion: usize,
    /// The `allow` rule, or for extended permissions the `allowxperm` rule that names them.
    pub rule: RulePlace,
    /// A source type for which it does so.
    pub source: TypeId,
    /// A target type, together with `source`.
    pub target: TypeId,
    /// The permissions that offend.
    pub permissions: u32,
    /// The extended permissions that offend; none if the permission as a whole is allowed.
    pub xperms: Option<ExtendedPermissions>,
}

#[cfg(test)]
mod tests;
