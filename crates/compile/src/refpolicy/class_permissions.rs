//! The macros `all_CLASS_perms`, `all_kernel_class_perms` and `all_userspace_class_perms`, made of the tree's access vectors.

use std::fmt::Write as _;

use mandate_syntax::kernel::{Idents, StatementKind, Unit};
use rustc_hash::FxHashMap;

/// m4 text that defines them. `vectors` is the parsed head of the policy; `classes` is the file `security_classes`, whose
/// comment `# userspace` marks the classes of object managers outside the kernel.
pub(super) fn definitions(vectors: &Unit, classes: &[u8]) -> String {
    let mut out = String::from("divert(`-1')");
    let mut commons = FxHashMap::default();
    for statement in &vectors.statements {
        match statement.kind {
            StatementKind::Common { name, permissions } => {
                commons.insert(name.name, permissions);
            }
            StatementKind::AccessVector { class, inherits, permissions } => {
                let common = inherits.and_then(|it| commons.get(&it.name)).copied();
                define(&mut out, vectors, vectors.text(class), common, permissions);
            }
            _ => {}
        }
    }
    let marked = class_lines(classes);
    for (macro_name, userspace) in
        [("all_kernel_class_perms", false), ("all_userspace_class_perms", true)]
    {
        let _ = writeln!(out, "define(`{macro_name}',`");
        for (name, _) in marked.iter().filter(|it| it.1 == userspace) {
            let _ = writeln!(out, "\tclass {name} all_{name}_perms;");
        }
        out.push_str("')\n");
    }
    out.push_str("divert\n");
    out
}

fn define(out: &mut String, unit: &Unit, class: &str, common: Option<Idents>, own: Idents) {
    let _ = write!(out, "define(`all_{class}_perms',`{{ ");
    for list in common.into_iter().chain([own]) {
        for &permission in &unit.idents[list.range()] {
            let _ = write!(out, "{} ", unit.text(permission));
        }
    }
    out.push_str("}')\n");
}

/// The classes that the kernel decides about.
pub(super) fn kernel_classes(classes: &[u8]) -> impl Iterator<Item = String> {
    class_lines(classes).into_iter().filter(|it| !it.1).map(|it| it.0)
}

/// Classes and whether they are userspace's.
fn class_lines(bytes: &[u8]) -> Vec<(String, bool)> {
    let text = String::from_utf8_lossy(bytes);
    let class = |line: &str| {
        let (code, comment) = line.split_once('#').unwrap_or((line, ""));
        let mut words = code.split_whitespace();
        let name = words.next().filter(|&it| it == "class").and_then(|_| words.next())?;
        Some((name.to_owned(), comment.trim() == "userspace"))
    };
    text.lines().filter_map(class).collect()
}
