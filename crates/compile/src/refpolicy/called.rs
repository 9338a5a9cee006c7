//! Every interface called once, with stand-ins for its arguments: what it grants, for who looks for one that grants something.

use std::sync::Arc;

use mandate_syntax::kernel::{self, ParseOptions, SourceKind, Unit};
use mandate_syntax::m4::Machine;
use mandate_syntax::source::{Expansions, SourceMap};
use rayon::prelude::*;

use super::expand::plain;
use super::{build, headers, interfaces};
use crate::outcome::SourceTree;
use crate::refpolicy::Options;

/// An interface called with stand-ins.
#[derive(Debug)]
pub struct Called {
    /// Its name.
    pub name: String,
    /// How many parameters it uses.
    pub parameters: usize,
    /// What the call became. The argument of parameter 1 is the name [`stand_in`] gives for it.
    pub unit: Unit,
}

/// The name that stands for the argument of a parameter, from 1.
pub fn stand_in(parameter: usize) -> String {
    format!("{}{parameter}", interfaces::STAND_IN)
}

/// The parameter that a name stands for.
pub fn parameter(name: &str) -> Option<usize> {
    name.strip_prefix(interfaces::STAND_IN)?.parse().ok()
}

/// Calls every interface of installed headers. Those that report something when they are called, as deprecated ones do, and
/// those that cannot be read are left out, and so are macros of the tree's own that have no parameters.
pub fn of_headers(tree: &SourceTree, overrides: &[(String, String)]) -> Vec<Called> {
    headers::with_interfaces(tree, overrides, call_all).unwrap_or_default()
}

/// Calls every interface of a source tree, likewise.
pub fn of_source(tree: &SourceTree, options: &Options) -> Vec<Called> {
    build::with_interfaces(tree, options, call_all)
}

/// How many interfaces one job calls.
const CHUNK: usize = 64;

/// Calls what is defined in `machine` and not in `support`.
fn call_all(machine: &Machine, support: &Machine, sources: &SourceMap) -> Vec<Called> {
    let mut names: Vec<&str> = machine.names().filter(|it| !support.is_defined(it)).collect();
    names.sort_unstable();
    let machine = Arc::new(machine.clone());
    let chunks = names.par_chunks(CHUNK).map(|chunk| {
        let mut machine = Machine::clone(&machine);
        chunk.iter().filter_map(|name| call(&mut machine, name, sources)).collect::<Vec<_>>()
    });
    chunks.flatten_iter().collect()
}

fn call(machine: &mut Machine, name: &str, sources: &SourceMap) -> Option<Called> {
    let parameters = machine.parameters(name).filter(|it| *it > 0)?;
    let text = plain(interfaces::call(name, parameters));
    let mut recorder = Expansions::for_units(1).recorder(0);
    let expanded = machine.run_apart(&[&text], sources, &mut recorder);
    if !expanded.messages.is_empty() {
        return None;
    }
    let parsed = kernel::parse(&expanded.text, ParseOptions { kind: SourceKind::Expanded });
    Some(Called { name: name.to_owned(), parameters, unit: parsed.unit })
}
