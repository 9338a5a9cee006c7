//! Small policies compiled from text.
#![allow(
    dead_code,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test fails by panicking; each test is a crate"
)]

use mandate_compile::{backend, conf, whole::Checks};
use mandate_policydb::{Policy, PolicyDb, TypeId, Unvalidated};

const HEAD: &str = "class process class file class dir class fd
sid kernel
class process { transition dyntransition setexec setcurrent sigchld }
class file { read write append execute entrypoint ioctl getattr }
class dir { read write search }
class fd { use }
";
const FOOT: &str = "role r; role r types first; user u roles r; sid kernel u:r:first\n";

/// The policy of these statements; it has a type `first`.
pub fn policy(statements: &str) -> Policy {
    let text = format!("{HEAD}type first;\n{statements}\n{FOOT}");
    let options = backend::Options::default();
    let outcome = conf::build("p.conf", text.into_bytes().into(), &options, Checks::default());
    let product = outcome.product.unwrap_or_else(|| panic!("{:?}", outcome.diagnostics));
    Unvalidated::from_db(product.policy).validate().unwrap()
}

/// The type of a name.
pub fn type_(db: &PolicyDb, name: &str) -> TypeId {
    db.types.id(name).unwrap_or_else(|| panic!("no type {name}"))
}

/// Paths of nodes as names.
pub fn names(db: &PolicyDb, paths: impl Iterator<Item = Vec<u32>>) -> String {
    use mandate_policydb::SymbolId;
    let name = |it: &u32| db.types.name(TypeId::from_bit(*it).unwrap()).into_owned();
    let paths: Vec<String> =
        paths.map(|path| path.iter().map(name).collect::<Vec<_>>().join(">")).collect();
    paths.join(" ")
}
