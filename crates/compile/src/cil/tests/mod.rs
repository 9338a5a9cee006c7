//! CIL to a policy: its rules and attributes, or what is told.

mod containers;
mod declarations;
mod hostile;
mod rules;

use std::sync::Arc;

use expect_test::Expect;
use mandate_policydb::{PolicyDb, SymbolId};

use super::{Options, build};
use crate::outcome::Outcome;
use crate::whole::Checks;

/// What every policy needs, and two types with a role and a user.
const BASE: &str = "\
(class file (read write append)) (class dir (read search)) (classorder (file dir))
(sid kernel) (sidorder (kernel)) (sidcontext kernel kernel_context)
(sensitivity s0) (sensitivity s1) (sensitivityorder (s0 s1))
(category c0) (category c1) (category c2) (category c3) (categoryorder (c0 c1 c2 c3))
(sensitivitycategory s0 (range c0 c3)) (sensitivitycategory s1 (range c0 c3))
(level low (s0)) (levelrange low_low (low low))
(user u) (role r) (userrole u r) (userrole u object_r) (userlevel u low) (userrange u ((s0) (s1 (range c0 c3))))
(type a) (type b) (roletype r a) (roletype r b) (role object_r) (roletype object_r a) (roletype object_r b)
(context kernel_context (u r a low_low))
(allow a self (dir (search)))
";

fn compile(text: &str, options: &Options) -> Outcome {
    let file = |path: &str, text: &str| (path.to_owned(), Arc::from(text.as_bytes()));
    build(vec![file("base", BASE), file("x.cil", text)], options, Checks::default())
}

/// The policy's rules and attributes beyond the base.
fn show(db: &PolicyDb) -> String {
    let mut lines: Vec<String> = Vec::new();
    let type_ = |id| db.types.name(id).into_owned();
    let rule = |it: &mandate_policydb::AvRule| {
        let kind = it.kind;
        let class = db.classes.name(it.class());
        let mut line =
            format!("{} {} {}:{class}", kind.keyword(), type_(it.source), type_(it.target));
        if kind.is_type() {
            line += &format!(" {}", it.default_type().map_or(String::new(), type_));
        } else if !kind.is_xperm() {
            let bits = it.permissions();
            line += &format!(" {{ {} }}", db.permission_names(it.class(), bits).join(" "));
        }
        line
    };
    lines.extend(db.rules.iter().map(rule));
    for block in &db.conditionals {
        lines.extend(block.when_true.iter().map(|it| format!("if {}", rule(it))));
        lines.extend(block.when_false.iter().map(|it| format!("else {}", rule(it))));
    }
    for (bits, value) in db.type_attributes.iter().zip(1..) {
        let own = bits.iter().filter(|&it| it + 1 != value);
        let names: Vec<String> =
            own.filter_map(|it| mandate_policydb::TypeId::from_value(it + 1)).map(type_).collect();
        if let (Some(id), false) = (mandate_policydb::TypeId::from_value(value), names.is_empty()) {
            lines.push(format!("{} is in {}", type_(id), names.join(" ")));
        }
    }
    let base = "allow a a:dir { search }";
    lines.retain(|it| it != base);
    lines.iter().map(|it| format!("{it}\n")).collect()
}

fn told(outcome: &Outcome) -> String {
    let place = |span: mandate_syntax::source::Span| {
        let at = outcome.sources.location(span.pos);
        at.map_or(String::new(), |it| format!("{}:{}:{}", it.path, it.line, it.column))
    };
    let mut out = String::new();
    for it in &outcome.diagnostics {
        out += &format!("{} {} {}", place(it.span), it.code.as_str(), it.message);
        for call in outcome.expansions.chain(it.span) {
            out += &format!(", by {}", place(call));
        }
        out.push('\n');
        for label in &it.labels {
            out += &format!("  {} {}\n", place(label.span), label.text);
        }
        for help in &it.help {
            out += &format!("  help: {help}\n");
        }
    }
    out
}

#[track_caller]
fn check_with(text: &str, options: &Options, expected: Expect) {
    let outcome = compile(text, options);
    let mut shown = told(&outcome);
    if let Some(product) = &outcome.product {
        shown += &show(&product.policy);
    }
    expected.assert_eq(&shown);
}

#[track_caller]
fn check(text: &str, expected: Expect) {
    check_with(text, &Options::default(), expected);
}
