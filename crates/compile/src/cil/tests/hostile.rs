//! What nests and multiplies ends with an error, soon.

use mandate_syntax::codes::Code;

use super::{compile, told};
use crate::cil::Options;

#[test]
fn what_multiplies_ends() {
    let begun = std::time::Instant::now();
    let mut calls = "(macro m0 ((type x)) (allow x a (file (read))))\n".to_owned();
    let mut blocks = "(block b0 (type t))\n".to_owned();
    let mut sets = "(categoryset k0 (c0))\n".to_owned();
    let mut permissions = "(classpermission p0) (classpermissionset p0 (file (read)))\n".to_owned();
    for n in 1..60 {
        let before = n - 1;
        calls += &format!("(macro m{n} ((type x)) (call m{before} (x)) (call m{before} (x)))\n");
        blocks += &format!(
            "(block b{n} (block l (blockinherit b{before})) (block r (blockinherit b{before})))\n"
        );
        sets += &format!("(categoryset k{n} (or k{before} k{before}))\n");
        permissions += &format!(
            "(classpermission p{n}) (classpermissionset p{n} p{before}) (classpermissionset p{n} p{before})\n"
        );
    }
    calls += "(call m59 (a))";
    permissions += "(allow a b p59)";
    for text in [calls, blocks, sets, permissions] {
        let outcome = compile(&text, &Options::default());
        let budget = Code::CilBudget;
        assert!(outcome.diagnostics.iter().any(|it| it.code == budget), "{}", told(&outcome));
    }
    assert!(begun.elapsed().as_secs() < 60, "took {:?}", begun.elapsed());
}

/// Nests `count` lists that begin with `word` around `text`.
fn nested(word: &str, count: usize, text: &str) -> String {
    format!("{}{text}{}", format!("({word} ").repeat(count), ")".repeat(count))
}

#[track_caller]
fn ends_with(text: &str, code: Code) {
    let outcome = compile(text, &Options::default());
    let found = outcome.diagnostics.iter().any(|it| it.code == code);
    assert!(found, "{}", told(&outcome).chars().take(2000).collect::<String>());
}

/// Statements in each of which a set by a name leads deep down to the next.
fn leading(statement: &str) -> String {
    let one = |n: usize| {
        let set = nested("not", 500, &format!("x{}", n + 1));
        statement.replace("NAME", &format!("x{n}")).replace("SET", &set)
    };
    (0..60).map(one).collect()
}

#[test]
fn what_nests_ends() {
    ends_with(&(leading("(categoryset NAME SET)") + "(categoryset x60 (c0))"), Code::CilRecursion);
    let types = leading("(typeattribute NAME) (typeattributeset NAME SET)");
    ends_with(&(types + "(typeattribute x60)"), Code::CilRecursion);
    let users = leading("(userattribute NAME) (userattributeset NAME SET)");
    ends_with(&(users + "(userattribute x60) (userrole x0 r)"), Code::CilRecursion);
    let body = |n: usize| nested("optional o", 490, &format!("(call m{})", n + 1));
    let macros: String = (0..100).map(|n| format!("(macro m{n} () {})\n", body(n))).collect();
    ends_with(&(macros + "(macro m100 ()) (call m0)"), Code::CilBudget);
    let inherits = |n: usize| format!("(block b{n} (blockinherit b{}))\n", n + 1);
    let blocks: String = (0..20_000).map(inherits).collect();
    ends_with(&(blocks + "(block b20000)"), Code::CilRecursion);
}

#[test]
fn names_do_not_grow_with_the_square_of_the_sources() {
    let long = format!("block {}", "n".repeat(2000));
    let many = |word: &str| (0..5000).map(|n| format!("({word} a{n})")).collect::<String>();
    ends_with(&nested(&long, 100, &many("block")), Code::CilBudget);
    ends_with(&nested(&long, 100, &many("type")), Code::CilBudget);
    ends_with(&nested(&long, 400, "(type t)"), Code::CilBudget);
}
