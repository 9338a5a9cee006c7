//! Why a question cannot be asked of a policy.

use mandate_policydb::ContextError;

use crate::lookup::LookupError;

/// A question that the policy has no answer to, because it names what is not there.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuestionError {
    /// A name that means nothing in the policy.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// Permissions that no class has, or none of the classes asked for.
    #[error("{} has the permission {}", if *.named { "none of these classes" } else { "no class" }, .names.join(", "))]
    Permissions {
        /// The permissions.
        names: Vec<String>,
        /// Were classes named?
        named: bool,
    },
    /// A range that is none of this policy.
    #[error("{text:?} is no range of the policy: {why}")]
    Range {
        /// The range.
        text: String,
        /// What is wrong with it.
        why: ContextError,
    },
    /// A range whose low level is not below its high one.
    #[error("in the range {0:?} the high level does not dominate the low one")]
    RangeOrder(String),
    /// What is no number, or no address.
    #[error("expected {expected}, found {found:?}")]
    Malformed {
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: String,
    },
}
