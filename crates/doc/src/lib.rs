//! Reference pages of a policy, made of its sources and of what they compile to: modules, interfaces, domains, booleans and
//! attributes, as HTML that needs no server and as manual pages.
//!
//! Sources and a compiled policy go in as values, files come out as values; this opens no file. Same input, same bytes.

#![forbid(unsafe_code)]

pub mod comment;
pub mod facts;
mod html;
pub mod links;
mod man;
pub mod reference;
mod site;

use mandate_compile::outcome::{Outcome, Product};
use mandate_compile::refpolicy::Texts;
use mandate_query::types::TypeSets;
use mandate_syntax::diagnostic::Diagnostic;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use facts::Facts;
use facts::domain::Domain;
use site::Site;

/// What can be chosen.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the pages are about, told on each.
    pub title: String,
    /// Make manual pages, too?
    pub man: bool,
    /// The date of manual pages, `2026-11-22`; may be empty.
    pub date: String,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder of the documentation.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The pages, and what was found on the way.
#[derive(Debug)]
pub struct Documentation {
    /// All files, by path.
    pub files: Vec<File>,
    /// What is malformed in comments; places are those of the sources that were read.
    pub diagnostics: Vec<Diagnostic>,
    /// How much there is.
    pub counts: Counts,
}

/// How much there is to tell of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Modules.
    pub modules: usize,
    /// Interfaces and templates.
    pub interfaces: usize,
    /// Domains.
    pub domains: usize,
    /// Booleans of the policy.
    pub booleans: usize,
}

/// Documents the tree of `texts`, which was compiled to `product` of `outcome`.
pub fn document(
    texts: &Texts,
    outcome: &Outcome,
    product: &Product,
    options: &Options,
) -> Documentation {
    let sets = TypeSets::new(&product.policy);
    let ((reference, diagnostics), facts) =
        rayon::join(|| reference::read(texts), || Facts::new(outcome, product, &sets));
    let ids: Vec<_> = facts.types().filter(|it| facts.domains.has(it.0)).map(|it| it.0).collect();
    let domains: Vec<Domain> = ids.par_iter().map(|&it| Domain::new(&facts, it)).collect();
    let counts = Counts {
        modules: reference.modules.len(),
        interfaces: reference.interfaces.len(),
        domains: domains.len(),
        booleans: product.policy.booleans.len(),
    };
    let site = Site::new((&options.title, &options.date), &reference, &facts, &domains);
    let mut files = html::files(&site);
    if options.man {
        files.extend(man::files(&site));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Documentation { files, diagnostics, counts }
}

#[cfg(test)]
mod tests;
