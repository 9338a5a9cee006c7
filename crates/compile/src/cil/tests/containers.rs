//! Blocks, macros, optionals and conditions.

use expect_test::expect;

use super::{check, check_with};
use crate::cil::Options;

#[test]
fn blocks() {
    check(
        "(block k (type t) (allow t .a (file (read)))) (allow a k.t (file (write)))",
        expect![[r#"
            allow a k.t:file { write }
            allow k.t a:file { read }
        "#]],
    );
    check(
        "(block k (type a) (allow a a (file (read))))",
        expect![[r#"
        allow k.a k.a:file { read }
    "#]],
    );
    check(
        "(block k (blockabstract k) (type t) (allow t a (file (read)))) (block i (blockinherit k)) (block j (blockinherit k))",
        expect![[r#"
            allow i.t a:file { read }
            allow j.t a:file { read }
        "#]],
    );
    check(
        "(block k (block n (type t))) (allow a k.n.t (file (read)))",
        expect![[r#"
        allow a k.n.t:file { read }
    "#]],
    );
    check(
        "(block k (type t)) (in k (allow t a (file (read))))",
        expect![[r#"
        allow k.t a:file { read }
    "#]],
    );
    check(
        "(block k (type t))\n(in kk (allow t a (file (read))))",
        expect![[r#"
        x.cil:2:1 E0603 there is no container `kk`
          help: did you mean `k`?
    "#]],
    );
    check(
        "(block k (blockinherit k))",
        expect![[r#"
        x.cil:1:10 E0605 block `k` inherits itself
          x.cil:1:1 the block
    "#]],
    );
    check(
        "(block k (blockinherit n)) (block n (blockinherit k))",
        expect![[r#"
        x.cil:1:37 E0605 block `k` inherits itself
          x.cil:1:1 the block
    "#]],
    );
    check(
        "(block k (type t)) (block k (type t))",
        expect![[r#"
        x.cil:1:20 E0313 `k` is declared twice
          x.cil:1:1 first declared here
    "#]],
    );
    check(
        "(block k (category c9))",
        expect![[r#"
        x.cil:1:10 E0205 `category` may not stand in a block
    "#]],
    );
    check(
        "(block k (type tt))\n(allow a tt (file (read)))",
        expect![[r#"
        x.cil:2:10 E0301 there is no type or attribute `tt`
          help: in another block there is `k.tt`
    "#]],
    );
}

#[test]
fn blocks_in_branches_and_in_statements() {
    check(
        "(tunable o true) (tunableif o (true (block k (type t))) (false (block k (type u)))) (allow a k.t (file (read)))",
        expect![[r#"
            allow a k.t:file { read }
        "#]],
    );
    check(
        "(block k (type t)) (in k (block n (type u))) (allow k.n.u a (file (read)))",
        expect![[r#"
        allow k.n.u a:file { read }
    "#]],
    );
    check(
        "(in k (block k (type t)))",
        expect![[r#"
        x.cil:1:1 E0603 there is no container `k`
    "#]],
    );
}

#[test]
fn macros() {
    check(
        "(macro m ((type x) (class c)) (allow x a (c (read)))) (call m (b file))",
        expect![[r#"
        allow b a:file { read }
    "#]],
    );
    check(
        "(macro m ((type x)) (call n (x))) (macro n ((type y)) (allow y a (file (read)))) (call m (b))",
        expect![[r#"
            allow b a:file { read }
        "#]],
    );
    check(
        "(macro m ((classpermission p)) (allow a b p)) (call m ((file (read))))",
        expect![[r#"
        allow a b:file { read }
    "#]],
    );
    check("(macro m ((string s)) (typetransition a b file s b)) (call m (\"x y\"))", expect![""]);
    check(
        "(block k (type t) (macro m () (allow t a (file (read))))) (call k.m)",
        expect![[r#"
        allow k.t a:file { read }
    "#]],
    );
    check(
        "(macro m () (type t) (allow t a (file (read)))) (block k (call m))",
        expect![[r#"
        allow k.t a:file { read }
    "#]],
    );
    check(
        "(macro m ((type x)) (allow x a (file (read))))\n(call m (a b))",
        expect![[r#"
        x.cil:2:1 E0607 macro `m` takes 1 argument, but 2 are given
          x.cil:1:1 its parameters are (type x)
    "#]],
    );
    check(
        "(macro m ((type x)) (allow x a (file (read))))\n(call m ((a b)))",
        expect![[r#"
        x.cil:2:10 E0607 a type is given by its name, not as a list
    "#]],
    );
    check(
        "(macro m ((type x))\n(allow x q (file (read))))\n(call m (a))",
        expect![[r#"
        x.cil:2:10 E0301 there is no type or attribute `q`, by x.cil:3:7
    "#]],
    );
    check(
        "(macro m ((type x)) (call m (x)))\n(call m (a))",
        expect![[r#"
        x.cil:1:21 E0605 macro `m` calls itself, by x.cil:2:7
          x.cil:2:1 called here first
    "#]],
    );
    check(
        "(macro m ((tipe x)))",
        expect![[r#"
        x.cil:1:11 E0607 a parameter cannot be of the kind `tipe`
          help: did you mean `type`?
          help: it is one of `type`, `role`, `user`, `sensitivity`, `category`, `categoryset`, `level`, `levelrange`, `class`, `classmap`, `classpermission`, `ipaddr`, `boolean`, `string`, `name`
    "#]],
    );
    check(
        "(call mm (a))",
        expect![[r#"
        x.cil:1:1 E0603 there is no macro `mm`
    "#]],
    );
    check(
        "(macro m () (macro n ()))",
        expect![[r#"
        x.cil:1:13 E0205 `macro` may not stand in a macro
    "#]],
    );
    check(
        "(macro m ((type x)) (type x))\n(call m (a))",
        expect![[r#"
        x.cil:1:27 E0313 type `x` has the name of a parameter of its macro, by x.cil:2:7
    "#]],
    );
}

#[test]
fn optionals() {
    check("(optional o (allow a nobody (file (read))) (allow a b (file (read))))", expect![""]);
    check(
        "(optional o (allow a b (file (read))) (optional p (allow a nobody (file (read)))))",
        expect![[r#"
            allow a b:file { read }
        "#]],
    );
    check(
        "(optional o (type t) (allow a nobody (file (read)))) (optional p (allow t a (file (read))))",
        expect![""],
    );
    check(
        "(optional o (call nothing)) (allow a b (file (read)))",
        expect![[r#"
        allow a b:file { read }
    "#]],
    );
    check("(optional o (booleanif nothing (true (allow a b (file (read))))))", expect![""]);
    check(
        "(optional o (block k))",
        expect![[r#"
        x.cil:1:13 E0205 `block` may not stand in an optional block
    "#]],
    );
    check("(optional o (allow a b (file (nothing))))", expect![""]);
}

#[test]
fn conditions() {
    check(
        "(boolean o false) (booleanif (not o) (true (allow a b (file (read)))) (false (allow a b (file (write)))))",
        expect![[r#"
            if allow a b:file { write }
            else allow a b:file { read }
        "#]],
    );
    check(
        "(tunable o true) (tunableif o (true (allow a b (file (read)))) (false (allow a b (file (write)))))",
        expect![[r#"
            allow a b:file { read }
        "#]],
    );
    let preserve = Options { preserve_tunables: true, ..Options::default() };
    check_with(
        "(tunable o true) (tunableif o (true (allow a b (file (read)))))",
        &preserve,
        expect![[r#"
            if allow a b:file { read }
        "#]],
    );
    check(
        "(boolean o false) (booleanif (and o) (true (allow a b (file (read)))))",
        expect![[r#"
        x.cil:1:30 E0608 a malformed expression: it takes two operands
          help: `(and a b)`, `(or a b)`, `(xor a b)`, `(eq a b)`, `(neq a b)` and `(not a)` nest as needed
    "#]],
    );
    check(
        "(boolean o false) (booleanif o (true (type t)))",
        expect![[r#"
        x.cil:1:38 E0205 `type` may not stand in `booleanif`
    "#]],
    );
    check(
        "(boolean o false) (booleanif oo (true (allow a b (file (read)))))",
        expect![[r#"
        x.cil:1:30 E0307 there is no boolean `oo`
          help: did you mean `o`?
    "#]],
    );
    check(
        "(boolean o false) (booleanif o)",
        expect![[r#"
        x.cil:1:19 E0602 `booleanif`: it has no branch
          help: write (booleanif EXPRESSION (true STATEMENT …) (false STATEMENT …))
    "#]],
    );
    check(
        "(boolean o maybe)",
        expect![[r#"
        x.cil:1:12 E0612 `maybe` stands where one of `true`, `false` is expected
    "#]],
    );
}

#[test]
fn a_block_may_be_called_after() {
    check(
        "(block after (type t)) (block k (blockinherit after)) (in after (type q)) (allow k.q a (file (read)))",
        expect![[r#"
            allow k.q a:file { read }
        "#]],
    );
}

#[test]
fn arguments_that_are_none() {
    check(
        "(macro m () (allow a b (file (read)))) (call m ())",
        expect![[r#"
        x.cil:1:48 E0602 `call`: the list of arguments is empty
          help: write (call MACRO [(ARGUMENT …)])
    "#]],
    );
    check(
        "(macro m ((type x)) (allow a x (file (read)))) (call m a)",
        expect![[r#"
        x.cil:1:56 E0602 `call`: arguments stand in a list
          help: write (call MACRO [(ARGUMENT …)])
    "#]],
    );
}

#[test]
fn chains_name_in_and_blockinherit() {
    check(
        "(block k)\n(in k (allow a nobody (file (read))))",
        expect![[r#"
        x.cil:2:16 E0301 there is no type or attribute `nobody`, by x.cil:2:5
    "#]],
    );
    check(
        "(block k (blockabstract k)\n(allow a nobody (file (read))))\n(block l\n(blockinherit k))",
        expect![[r#"
            x.cil:2:10 E0301 there is no type or attribute `nobody`, by x.cil:4:15
        "#]],
    );
}

#[test]
fn lines_of_another_source() {
    check(
        "(<src_info> lms 3 x.te (allow a b (file (read))))",
        expect![[r#"
        allow a b:file { read }
    "#]],
    );
    check(
        "(<src_info> hll 3 x.te (allow a b (file (read))))",
        expect![[r#"
        x.cil:1:1 E0602 `<src_info>`: a kind, a line and a file come first
          help: write (<src_info> cil | lms | lmx LINE FILE STATEMENT …)
    "#]],
    );
    check(
        "(<src_info> lms x.te (allow a b (file (read))))",
        expect![[r#"
        x.cil:1:1 E0602 `<src_info>`: a kind, a line and a file come first
          help: write (<src_info> cil | lms | lmx LINE FILE STATEMENT …)
    "#]],
    );
}
