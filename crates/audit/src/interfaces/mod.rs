//! The interfaces of a Reference Policy, by what they grant: to mend a denial in the words of the policy's authors.

mod catalogue;
mod listing;
mod read;
#[cfg(test)]
mod tests;

pub(crate) use catalogue::Wanted;
pub use catalogue::{Catalogue, Found};
pub use listing::Listing;
