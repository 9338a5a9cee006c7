use std::sync::Arc;

use expect_test::{Expect, expect};
use mandate_policydb::{PolicyDb, RuleKind, SymbolId};

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
(user u) (role r) (userrole u r) (userlevel u low) (userrange u ((s0) (s1 (range c0 c3))))
(type a) (type b) (roletype r a) (roletype r b) (role object_r) (roletype object_r a)
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
            let bits = if kind == RuleKind::DontAudit { !bits } else { bits };
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

#[test]
fn rules() {
    check("(allow a b (file (read write)))", expect![""]);
    check("(allow a self (file (read)))", expect![""]);
    check("(allow a b (file (not (read))))", expect![""]);
    check("(allow a b (file (and (all) (not (read)))))", expect![""]);
    check("(dontaudit a b (file (all)))", expect![""]);
    check("(auditallow a b (file (xor (read write) (write append))))", expect![""]);
    check("(typetransition a b file b)", expect![""]);
    check("(typemember a self file b) (typechange a b dir b)", expect![""]);
    check("(allow a b (file (red)))", expect![""]);
    check("(allow a c (file (read)))", expect![""]);
    check("(allow a b (fil (read)))", expect![""]);
    check("(allow a b)", expect![""]);
    check("(alow a b (file (read)))", expect![""]);
    check("(allow a b (file (read and write)))", expect![""]);
    check("(allow a b (file (and read)))", expect![""]);
    check("(allow r b (file (read)))", expect![""]);
    check("(neverallow a b (file (read)))\n(allow a b (file (read)))", expect![""]);
    check(
        "(typeattribute t) (typeattributeset t (a b)) (neverallow t other (file (read)))\n(allow a b (file (read)))",
        expect![""],
    );
}

#[test]
fn sets() {
    check("(typeattribute t) (typeattributeset t (a b)) (allow t t (file (read)))", expect![""]);
    check("(typeattribute t) (typeattributeset t (not a)) (allow t a (file (read)))", expect![""]);
    check(
        "(typeattribute s) (typeattributeset s (a)) (typeattribute t) (typeattributeset t (xor s (or a b))) (allow t a (file (read)))",
        expect![""],
    );
    check("(typeattribute t) (typeattributeset t (all))", expect![""]);
    check("(typeattribute t) (typeattributeset t (not t))", expect![""]);
    check("(typeattribute t) (typeattributeset t (and a))", expect![""]);
    check("(typeattribute t) (typeattributeset t (a and))", expect![""]);
    check("(typeattribute t) (typeattributeset t (a nobody))", expect![""]);
    check("(typeattributeset a (b))", expect![""]);
    check("(typeattribute cil_gen_require) (typeattributeset cil_gen_require a)", expect![""]);
    check("(typealias x) (typealiasactual x b) (allow a x (file (read)))", expect![""]);
    check(
        "(typealias x) (typealias y) (typealiasactual x y) (typealiasactual y b) (allow a x (file (read)))",
        expect![""],
    );
    check("(typealias x) (typealias y) (typealiasactual x y) (typealiasactual y x)", expect![""]);
}

#[test]
fn notself_and_deny() {
    check(
        "(typeattribute t) (typeattributeset t (a b)) (allow t other (file (read)))",
        expect![""],
    );
    check("(type c) (allow a notself (file (read)))", expect![""]);
    check("(allow a b (file (read write))) (deny a b (file (read)))", expect![""]);
    check(
        "(typeattribute t) (typeattributeset t (a b)) (allow t t (file (read))) (deny a b (file (read)))",
        expect![""],
    );
    check(
        "(typeattribute t) (typeattributeset t (a b)) (allow t t (file (read))) (deny t self (file (read)))",
        expect![""],
    );
    check(
        "(boolean o true) (booleanif o (true (allow a b (file (read))))) (deny a b (file (read)))",
        expect![""],
    );
}

#[test]
fn class_maps_and_permission_sets() {
    check(
        "(classmap m (x)) (classmapping m x (file (read))) (classmapping m x (dir (search))) (allow a b (m (x)))",
        expect![""],
    );
    check(
        "(classpermission p) (classpermissionset p (file (read))) (classpermissionset p (dir (read))) (allow a b p)",
        expect![""],
    );
    check("(classpermission p)\n(allow a b p)", expect![""]);
    check("(classmap m (x))\n(allow a b (m (x)))", expect![""]);
    check("(classpermission p) (classpermissionset p p) (allow a b p)", expect![""]);
    check("(allow a b (file ()))", expect![""]);
    check(
        "(common c (x y)) (class k (z)) (classorder (dir k)) (classcommon k c) (allow a b (k (x z)))",
        expect![""],
    );
}

#[test]
fn blocks() {
    check(
        "(block k (type t) (allow t .a (file (read)))) (allow a k.t (file (write)))",
        expect![""],
    );
    check("(block k (type a) (allow a a (file (read))))", expect![""]);
    check(
        "(block k (blockabstract k) (type t) (allow t a (file (read)))) (block i (blockinherit k)) (block j (blockinherit k))",
        expect![""],
    );
    check("(block k (block n (type t))) (allow a k.n.t (file (read)))", expect![""]);
    check("(block k (type t)) (in k (allow t a (file (read))))", expect![""]);
    check("(block k (type t))\n(in kk (allow t a (file (read))))", expect![""]);
    check("(block k (blockinherit k))", expect![""]);
    check("(block k (blockinherit n)) (block n (blockinherit k))", expect![""]);
    check("(block k (type t)) (block k (type t))", expect![""]);
    check("(block k (category c9))", expect![""]);
    check("(block k (type tt))\n(allow a tt (file (read)))", expect![""]);
}

#[test]
fn macros() {
    check("(macro m ((type x) (class c)) (allow x a (c (read)))) (call m (b file))", expect![""]);
    check(
        "(macro m ((type x)) (call n (x))) (macro n ((type y)) (allow y a (file (read)))) (call m (b))",
        expect![""],
    );
    check("(macro m ((classpermission p)) (allow a b p)) (call m ((file (read))))", expect![""]);
    check("(macro m ((string s)) (typetransition a b file s b)) (call m (\"x y\"))", expect![""]);
    check("(block k (type t) (macro m () (allow t a (file (read))))) (call k.m)", expect![""]);
    check("(macro m () (type t) (allow t a (file (read)))) (block k (call m))", expect![""]);
    check("(macro m ((type x)) (allow x a (file (read))))\n(call m (a b))", expect![""]);
    check("(macro m ((type x)) (allow x a (file (read))))\n(call m ((a b)))", expect![""]);
    check("(macro m ((type x))\n(allow x q (file (read))))\n(call m (a))", expect![""]);
    check("(macro m ((type x)) (call m (x)))\n(call m (a))", expect![""]);
    check("(macro m ((tipe x)))", expect![""]);
    check("(call mm (a))", expect![""]);
    check("(macro m () (macro n ()))", expect![""]);
    check("(macro m ((type x)) (type x))\n(call m (a))", expect![""]);
}

#[test]
fn optionals() {
    check("(optional o (allow a nobody (file (read))) (allow a b (file (read))))", expect![""]);
    check(
        "(optional o (allow a b (file (read))) (optional p (allow a nobody (file (read)))))",
        expect![""],
    );
    check(
        "(optional o (type t) (allow a nobody (file (read)))) (optional p (allow t a (file (read))))",
        expect![""],
    );
    check("(optional o (call nothing)) (allow a b (file (read)))", expect![""]);
    check("(optional o (booleanif nothing (true (allow a b (file (read))))))", expect![""]);
    check("(optional o (block k))", expect![""]);
    check("(optional o (allow a b (file (nothing))))", expect![""]);
}

#[test]
fn conditions() {
    check(
        "(boolean o false) (booleanif (not o) (true (allow a b (file (read)))) (false (allow a b (file (write)))))",
        expect![""],
    );
    check(
        "(tunable o true) (tunableif o (true (allow a b (file (read)))) (false (allow a b (file (write)))))",
        expect![""],
    );
    let preserve = Options { preserve_tunables: true, ..Options::default() };
    check_with(
        "(tunable o true) (tunableif o (true (allow a b (file (read)))))",
        &preserve,
        expect![""],
    );
    check("(boolean o false) (booleanif (and o) (true (allow a b (file (read)))))", expect![""]);
    check("(boolean o false) (booleanif o (true (type t)))", expect![""]);
    check("(boolean o false) (booleanif oo (true (allow a b (file (read)))))", expect![""]);
    check("(boolean o false) (booleanif o)", expect![""]);
    check("(boolean o maybe)", expect![""]);
}

#[test]
fn declarations() {
    check("(type a)", expect![""]);
    let several = Options { multiple_decls: true, ..Options::default() };
    check_with("(type a)", &several, expect![""]);
    check("(typeattribute a)", expect![""]);
    check("(type self)", expect![""]);
    check("(type x.y)", expect![""]);
    check("(type)", expect![""]);
    check("(type (x))", expect![""]);
    check("((type x))", expect![""]);
    check("(class k (x))", expect![""]);
    check("(sensitivityorder (s1 s0))", expect![""]);
    check("(typebounds a b) (typebounds a b)", expect![""]);
    check("(mls true) (mls false)", expect![""]);
}

#[test]
fn labels_and_levels() {
    check("(portcon tcp 80 (u r a low_low)) (portcon tcp 80 (u r b low_low))", expect![""]);
    check("(portcon tpc 80 (u r a low_low))", expect![""]);
    check("(portcon tcp 80 (u r a))", expect![""]);
    check("(nodecon 10.0.0.1.2 255.0.0.0 (u r a low_low))", expect![""]);
    check("(filecon \"/x\" file (u object_r b low_low))", expect![""]);
    check("(pirqcon 3 (u r a low_low))", expect![""]);
    let mls = Options { mls: Some(true), ..Options::default() };
    check_with("(rangetransition a b file ((s0) (s0 (not (c0)))))", &mls, expect![""]);
    check_with("(rangetransition a b file ((s0) (s0 (range c3 c0))))", &mls, expect![""]);
    check_with("(user v) (userrole v r)", &mls, expect![""]);
    check("(constrain (file (read)) (or (eq u1 u2) (eq t1 (a b))))", expect![""]);
    check("(constrain (file (read)) (eq t1 t3))", expect![""]);
}

#[test]
fn file_contexts_are_sorted() {
    let text = "(filecon \"/usr(/.*)?\" any (u r a low_low)) (filecon \"/usr/bin/x\" file (u r b low_low)) (filecon \"/usr/.*\" dir ())";
    let mls = Options { mls: Some(true), ..Options::default() };
    let product = compile(text, &mls).product.unwrap();
    let text = String::from_utf8_lossy(&product.files["file_contexts"]).into_owned();
    expect![""].assert_eq(&text);
}

/// Each ends with an error, soon.
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
        let budget = mandate_syntax::codes::Code::CilBudget;
        assert!(outcome.diagnostics.iter().any(|it| it.code == budget), "{}", told(&outcome));
    }
    assert!(begun.elapsed().as_secs() < 60, "took {:?}", begun.elapsed());
}
