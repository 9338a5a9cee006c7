//! Declarations, labels and levels.

use expect_test::expect;
use mandate_syntax::source::{Expansions, SourceMap};

use super::{BASE, check, check_with, compile};
use crate::cil::Options;
use crate::print::kernel;

#[test]
fn declarations() {
    check(
        "(type a)",
        expect![[r#"
        x.cil:1:7 E0313 type `a` is declared twice
          base:8:7 first declared here
          help: -m (multiple declarations) takes several declarations as one
    "#]],
    );
    let several = Options { multiple_decls: true, ..Options::default() };
    check_with("(type a)", &several, expect![""]);
    check(
        "(typeattribute a)",
        expect![[r#"
        x.cil:1:16 E0313 `a` is declared as type attribute, but is already a type
          base:8:7 first declared here
    "#]],
    );
    check(
        "(type self)",
        expect![[r#"
        x.cil:1:7 E0210 `self` cannot be declared: it is a word of expressions
    "#]],
    );
    check(
        "(type x.y)",
        expect![[r#"
        x.cil:1:7 E0210 `x.y` is no name: '.' cannot stand in one
    "#]],
    );
    check(
        "(type)",
        expect![[r#"
        x.cil:1:1 E0602 `type`: the name is missing
          help: write (type NAME)
    "#]],
    );
    check(
        "(type (x))",
        expect![[r#"
        x.cil:1:1 E0602 `type`: the name is missing
          help: write (type NAME)
        x.cil:1:7 E0602 a name stands here, not a list
    "#]],
    );
    check(
        "((type x))",
        expect![[r#"
        x.cil:1:2 E0602 a statement begins with a word
    "#]],
    );
    check(
        "(class k (x))",
        expect![[r#"
        x.cil:1:8 E0604 class `k` has no place in the order
          help: name it in a `classorder` statement
    "#]],
    );
    check(
        "(sensitivityorder (s1 s0))",
        expect![[r#"
        x.cil:1:1 E0604 this `sensitivityorder` cannot be merged with the others
          base:3:35 another order
    "#]],
    );
    check(
        "(typebounds a b) (typebounds a b)",
        expect![[r#"
        x.cil:1:32 E0611 `b` is bounded twice
          x.cil:1:15 the other statement
    "#]],
    );
    check(
        "(mls true) (mls false)",
        expect![[r#"
        x.cil:1:12 E0611 a second `mls` statement
          x.cil:1:1 the first one
    "#]],
    );
}

#[test]
fn labels_and_levels() {
    check(
        "(portcon tcp 80 (u r a low_low)) (portcon tcp 80 (u r b low_low))",
        expect![[r#"
        x.cil:1:34 E0611 two labels for one thing
          x.cil:1:1 the other one
    "#]],
    );
    check(
        "(portcon tpc 80 (u r a low_low))",
        expect![[r#"
        x.cil:1:10 E0612 `tpc` stands where one of `tcp`, `udp`, `dccp`, `sctp` is expected
    "#]],
    );
    check(
        "(portcon tcp 80 (u r a))",
        expect![[r#"
        x.cil:1:17 E0602 a context has a user, a role, a type and a range
          help: write `(USER ROLE TYPE ((s0) (s0)))`, or name a `context`
    "#]],
    );
    check(
        "(nodecon 10.0.0.1.2 255.0.0.0 (u r a low_low))",
        expect![[r#"
        x.cil:1:10 E0207 `10.0.0.1.2` is no address
    "#]],
    );
    check("(filecon \"/x\" file (u object_r b low_low))", expect![""]);
    check(
        "(pirqcon 3 (u r a low_low))",
        expect![[r#"
        x.cil:1:1 W0007 a statement about Xen in a policy for Linux is left out
    "#]],
    );
    let mls = Options { mls: Some(true), ..Options::default() };
    check_with("(rangetransition a b file ((s0) (s0 (not (c0)))))", &mls, expect![""]);
    check_with(
        "(rangetransition a b file ((s0) (s0 (range c3 c0))))",
        &mls,
        expect![[r#"
        x.cil:1:37 E0406 the range of categories does not ascend
    "#]],
    );
    check_with(
        "(user v) (userrole v r)",
        &mls,
        expect![[r#"
        x.cil:1:7 E0408 user `v` has no default level
          help: write `(userlevel v (s0))` and `(userrange v ((s0) (s0)))`
    "#]],
    );
    check("(constrain (file (read)) (or (eq u1 u2) (eq t1 (a b))))", expect![""]);
    check(
        "(constrain (file (read)) (eq t1 t3))",
        expect![[r#"
        x.cil:1:26 E0409 a malformed constraint: these parts cannot be compared
          help: a comparison is `(eq t1 t2)`, `(dom l1 l2)` or `(eq t1 (a_t b_t))`
    "#]],
    );
}

#[test]
fn file_contexts_are_sorted() {
    let text = "(filecon \"/usr(/.*)?\" any (u r a low_low)) (filecon \"/usr/bin/x\" file (u r b low_low)) (filecon \"/usr/.*\" dir ())";
    let mls = Options { mls: Some(true), ..Options::default() };
    let product = compile(text, &mls).product.unwrap();
    let text = String::from_utf8_lossy(&product.files["file_contexts"]).into_owned();
    expect![[r#"
        /usr(/.*)?	u:r:a:s0
        /usr/.*	-d	<<none>>
        /usr/bin/x	--	u:r:b:s0
    "#]]
    .assert_eq(&text);
}

#[test]
fn what_is_not_lowered_is_declared_once_too() {
    check(
        "(macro m ((type x)) (type x))",
        expect![[r#"
        x.cil:1:27 E0313 type `x` has the name of a parameter of its macro
    "#]],
    );
    check(
        "(macro m () (type x) (type x))",
        expect![[r#"
        x.cil:1:28 E0313 type `x` is declared twice
          x.cil:1:19 first declared here
          help: -m (multiple declarations) takes several declarations as one
    "#]],
    );
    check("(macro m () (type x)) (macro n () (type x)) (block k (call m))", expect![[r#""#]]);
    check(
        "(block k (blockabstract k) (context x (u r a low_low)) (context x (u r a low_low)))",
        expect![[r#"
            x.cil:1:65 E0313 context `x` is declared twice
              x.cil:1:37 first declared here
        "#]],
    );
    check(
        "(tunable t false) (tunableif t (true (type x) (type x)) (false (type x)))",
        expect![[r#"
            x.cil:1:53 E0313 type `x` is declared twice
              x.cil:1:44 first declared here
              help: -m (multiple declarations) takes several declarations as one
        "#]],
    );
    check(
        "(optional o (type x) (allow a nobody (file (read)))) (type x)",
        expect![[r#"
        x.cil:1:60 E0313 type `x` is declared twice
          x.cil:1:19 first declared here
          help: -m (multiple declarations) takes several declarations as one
    "#]],
    );
    check("(optional o (typealias x) (typealiasactual x nobody))", expect![[r#""#]]);
}

#[test]
fn a_string_that_is_not_closed_is_told_alone() {
    check(
        "(filecon \"/x file (u r a low_low))\n(type c)\n(allow c c (file (read)))",
        expect![[r#"
            x.cil:1:10 E0209 a string is not closed on its line
        "#]],
    );
}

/// `checkpolicy` keeps a common that no class has, `secilc` does not.
#[test]
fn commons_of_no_class_stay_in_the_text() {
    let unused = "(common c (x y))";
    let built = compile(unused, &Options::default()).product.expect("a policy");
    assert_eq!(built.policy.commons.len(), 0);
    let (mut map, mut expansions) = (SourceMap::new(), Expansions::default());
    let id = map.add("x.cil", format!("{BASE}{unused}").as_bytes()).expect("is small");
    let parsed = crate::cil::read(&mut map, &[id]);
    let lowered = crate::cil::lower(parsed, &Options::default(), &mut expansions);
    let layout = kernel::Layout::Policy;
    let text = kernel::print(&lowered.units, &kernel::Options { layout }).text;
    let text = String::from_utf8(text).expect("is text");
    assert!(text.contains("common c { x y }\n"), "{text}");
}
