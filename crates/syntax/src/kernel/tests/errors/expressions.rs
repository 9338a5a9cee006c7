//! Sets, conditions and constraints.

use expect_test::expect;

use crate::kernel::tests::check;

#[test]
fn sets() {
    check(
        r"allow { a * } b:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:11: E0201 expected a name or `}`, found `*`
                help: `*` and `~` stand before braces, not in them
        "#]],
    );
    check(
        r"allow { a ~b } b:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:11: E0201 expected a name or `}`, found `~`
                help: `*` and `~` stand before braces, not in them
        "#]],
    );
    check(
        r"allow a b:~file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:11: E0201 expected a plain name, found `~`
                help: list the names one by one: sets are computed of types and permissions only
        "#]],
    );
    check(
        r"allow a b:{ file -dir } read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:18: E0201 expected a plain name, found `-`
                help: list the names one by one: sets are computed of types and permissions only
        "#]],
    );
    check(
        r"allow a -b:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:11: E0201 expected a target type, found `:`
        "#]],
    );
    check(
        "allow a 5:file read;",
        expect![[r#"
        1:9: E0201 expected a target type, found `5`
    "#]],
    );
    check(
        r"allow a { b 5 }:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:13: E0201 expected a name or `}`, found `5`
        "#]],
    );
    check(
        "allow a 9p:file read;",
        expect![[r#"
        1:9: E0210 expected a target type, found `9p`
            help: a name begins with a letter
    "#]],
    );
    check(
        r"allow type b:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:7: E0201 expected a source type, found `type`
        "#]],
    );
    check(
        r"allow a { b -{ c d } }:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:14: E0201 expected a name after `-`, found `{`
        "#]],
    );
}

#[test]
fn conditions() {
    check(
        r"if () { allow a b:file read; }
type t;",
        expect![[r#"
            type t alias () , ()
            1:5: E0201 expected a boolean, found `)`
        "#]],
    );
    check(
        r"if (a and) { allow a b:file read; }
type t;",
        expect![[r#"
            type t alias () , ()
            1:10: E0201 expected a boolean, found `)`
        "#]],
    );
    check(
        r"if (a b) { allow a b:file read; }
type t;",
        expect![[r#"
            type t alias () , ()
            1:7: E0201 expected an operator or `)`, found `b`
        "#]],
    );
    check(
        r"if (a = b) { allow a b:file read; }
type t;",
        expect![[r#"
            type t alias () , ()
            1:7: E0201 expected an operator or `)`, found `=`
                help: equality is `==`
        "#]],
    );
    check(
        r"if a)
type t;",
        expect![[r#"
            type t alias () , ()
            1:5: E0201 expected `{`, found `)`
        "#]],
    );
    check(
        r"if (x) allow a b:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:8: E0201 expected `{`, found `allow`
        "#]],
    );
    check(
        "if (true) { }",
        expect![[r#"
        1:5: E0201 expected a boolean, found `true`
            note: `true` is a reserved word, which cannot be a name
    "#]],
    );
}

#[test]
fn constraints() {
    check(
        r"constrain file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:20: E0201 expected an operand such as `u1`, `r1`, `t1` or `l1`, found `;`
        "#]],
    );
    check(
        r"constrain file read u1 = u2;
type t;",
        expect![[r#"
            type t alias () , ()
            1:24: E0201 expected `==` or `!=`, found `=`
                help: equality is `==`
        "#]],
    );
    check(
        "constrain file read u1 dom u2;",
        expect![[r#"
            1:24: E0201 expected `==` or `!=`, found `dom`
        "#]],
    );
    check(
        "constrain file read r1 dom { a };",
        expect![[r#"
        1:24: E0201 roles are compared with names by `==` or `!=` only
    "#]],
    );
    check(
        "constrain file read l1 dom s0;",
        expect![[r#"
        1:28: E0201 expected `l2`, `h2` or `h1`, found `s0`
    "#]],
    );
    check(
        "constrain file read h1 dom h1;",
        expect![[r#"
            1:28: E0201 expected `l2` or `h2`, found `h1`
        "#]],
    );
    check(
        "constrain file read l2 dom l1;",
        expect![[r#"
            1:28: E0201 expected `h2`, found `l1`
        "#]],
    );
    check(
        r"constrain file read t1 == { a -b };
type t;",
        expect![[r#"
            type t alias () , ()
            1:31: E0201 expected a name or `}`, found `-`
        "#]],
    );
    check(
        r"constrain file read t1 == { a { b } };
type t;",
        expect![[r#"
            type t alias () , ()
            1:31: E0201 expected a name or `}`, found `{`
                help: here braces do not nest
        "#]],
    );
    check(
        "constrain file read t1 == t3;",
        expect![[r#"
        1:27: E0201 expected a name, found `t3`
            note: `t3` is a reserved word, which cannot be a name
    "#]],
    );
    check(
        r"constrain file read u1 == u2 xor r1 == r2;
type t;",
        expect![[r#"
            type t alias () , ()
            1:30: E0201 expected `and`, `or` or `;`, found `xor`
        "#]],
    );
    check(
        "constrain file read u1 == u2 u1 == u3;",
        expect![[r#"
            1:30: E0201 expected `and`, `or` or `;`, found `u1`
        "#]],
    );
    check(
        "constrain file read source u;",
        expect![[r#"
        1:28: E0201 expected `role` or `type`, found `u`
    "#]],
    );
    check(
        "constrain file read foo;",
        expect![[r#"
        1:21: E0201 expected an operand such as `u1`, `r1`, `t1` or `l1`, found `foo`
    "#]],
    );
}
