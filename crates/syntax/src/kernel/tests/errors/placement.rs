//! Statements that are unknown, or stand where they may not.

use expect_test::expect;

use crate::kernel::tests::{check, check_policy};

#[test]
fn unknown_statements() {
    check(
        r"alow a b:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:1: E0202 no statement begins with `alow`
                help: did you mean `allow`?
        "#]],
    );
    check(
        r"typ a;
type t;",
        expect![[r#"
            type t alias () , ()
            1:1: E0202 no statement begins with `typ`
                help: did you mean `type`?
        "#]],
    );
    check(
        r"type_transitions a b:process c;
type t;",
        expect![[r#"
            type t alias () , ()
            1:1: E0202 no statement begins with `type_transitions`
                help: did you mean `type_transition`?
        "#]],
    );
    check(
        "Allow a b:file read;",
        expect![[r#"
        1:1: E0202 no statement begins with `Allow`
            help: did you mean `allow`?
    "#]],
    );
    check(
        r"frobnicate a {
 b c };
type t;",
        expect![[r#"
            type t alias () , ()
            1:1: E0202 no statement begins with `frobnicate`
        "#]],
    );
    check(
        "foo;",
        expect![[r#"
        1:1: E0202 no statement begins with `foo`
    "#]],
    );
    check(
        r"5;
type t;",
        expect![[r#"
            type t alias () , ()
            1:1: E0201 expected a statement, found `5`
        "#]],
    );
    check(
        r"alias x;
type t;",
        expect![[r#"
            type t alias () , ()
            1:1: E0201 expected a statement, found `alias`
        "#]],
    );
    check(
        r"else { type a; }
type t;",
        expect![[r#"
            type t alias () , ()
            1:1: E0201 `else` follows no block of `if` or `optional`
                help: `else` stands right behind the closing brace; an `if` or `optional` has one `else`
        "#]],
    );
}

#[test]
fn misplaced() {
    check(
        r"if (x) { type a; neverallow a b:file read; }
type t;",
        expect![[r#"
            if [x]
            else
            type t alias () , ()
            1:10: E0205 `type` may not stand in a conditional block
                help: an `if` takes access vector rules, type rules and `require` only
        "#]],
    );
    check(
        r"if (x) { if (y) { allow a b:file read; } }
type t;",
        expect![[r#"
            if [x]
            else
            type t alias () , ()
            1:10: E0205 `if` may not stand in a conditional block
                help: an `if` takes access vector rules, type rules and `require` only
        "#]],
    );
    check(
        r"if (x) { allow r s; }
type t;",
        expect![[r#"
            if [x]
            else
            type t alias () , ()
            1:10: E0205 an `allow` of roles may not stand in a conditional block
                help: move it out of the block: it cannot depend on a boolean
        "#]],
    );
    check(
        r#"if (x) { type_transition a b:file c "d"; }
type t;"#,
        expect![[r#"
            if [x]
            else
            type t alias () , ()
            1:10: E0205 a `type_transition` with a file name may not stand in a conditional block
                help: move it out of the block: it cannot depend on a boolean
        "#]],
    );
    check(
        "if (x) { ; }",
        expect![[r#"
        if [x]
        else
        1:10: E0205 a semicolon alone may not stand in a conditional block
            help: remove it
    "#]],
    );
    check(
        "optional { class file portcon tcp 5 u:r:t type a; }",
        expect![[r#"
        optional
          type a alias () , ()
        1:12: E0205 `class` may not stand in an optional block
            help: it is of the whole policy: move it out of the block
    "#]],
    );
    check(
        "optional { policycap x; }",
        expect![[r#"
        optional
        1:12: E0205 `policycap` may not stand in an optional block
            help: it is of the whole policy: move it out of the block
    "#]],
    );
    check(
        "optional { user u roles r; type a; type b; }",
        expect![[r#"
        optional
          user u {r} - -
          type a alias () , ()
          type b alias () , ()
        1:28: E0205 after a `user` only users may follow in this block
            1:12: the first user is here
            help: move the users to the end of the block
    "#]],
    );
    check(
        r"type a;
module m 1;",
        expect![[r#"
            type a alias () , ()
            2:1: E0205 `module` may stand at the beginning only
                help: a text is one module
        "#]],
    );
    check(
        r"optional { }
type t;",
        expect![[r#"
            optional
            type t alias () , ()
            1:12: E0201 expected a statement in the block, found `}`
        "#]],
    );
    check(
        r"require { }
type t;",
        expect![[r#"
            require
            type t alias () , ()
            1:11: E0201 expected a requirement in the braces, found `}`
        "#]],
    );
    check(
        r"require { ; type a; allow a b:file read;
 type c; }",
        expect![[r#"
            require Type a; Type c;
            1:11: E0201 expected a requirement or `}`, found `;`
                help: remove the semicolon
            1:21: E0201 expected a requirement or `}`, found `allow`
                help: a requirement begins with `type`, `attribute`, `class`, `role`, `attribute_role`, `bool`, `tunable`, `user`, `sensitivity` or `category`
        "#]],
    );
}

#[test]
fn misplaced_in_policies() {
    check_policy(
        r"class c
sid kernel
class c { p }
require { type t; }
type t;",
        expect![[r#"
            class c
            sid kernel
            class c inherits - (p)
            type t alias () , ()
            4:1: E0205 `require` may not stand at the top of a policy
                help: requirements belong in modules and optional blocks; here declare what is needed
        "#]],
    );
    check_policy(
        r"class c
sid s
class c { p }
type t;
user u roles r;
type v;
type w;
sensitivity s0;
user v roles r;
",
        expect![[r#"
            class c
            sid s
            class c inherits - (p)
            type t alias () , ()
            user u {r} - -
            type v alias () , ()
            type w alias () , ()
            sensitivity s0 ()
            user v {r} - -
            6:1: E0205 rules and declarations may not stand behind users
                5:1: users begin here
                note: the sections of a policy have a fixed order
                help: move the statement up to its section
            8:1: E0205 sensitivities may not stand behind rules and declarations
                6:1: rules and declarations begin here
                note: the sections of a policy have a fixed order
                help: move the statement up to its section
        "#]],
    );
    check_policy(
        r"class c;
sid kernel
",
        expect![[r#"
            class c
            sid kernel
            1:8: E0201 a semicolon alone may stand between rules and declarations only
                help: remove it: the statement before it has none
        "#]],
    );
    check_policy(
        r"module m 1;
class c
portcon tcp 5 u:r:t
type a;
user u roles r;
type b;",
        expect![[r#"
            module m 1
            type a alias () , ()
            user u {r} - -
            type b alias () , ()
            2:1: E0205 `class` may not stand in a module
                help: it belongs in the base policy
        "#]],
    );
    check_policy(
        r"module m;
type a;",
        expect![[r#"
            type a alias () , ()
            1:9: E0201 expected the version of the module, found `;`
        "#]],
    );
    check_policy(
        r"foo(a)
type t;",
        expect![[r#"
            type t alias () , ()
            1:1: E0202 no statement begins with `foo`
                help: calls of macros are expanded by m4 before the policy is compiled
        "#]],
    );
    check_policy(
        "user u prefix p;",
        expect![[r#"
        1:8: E0201 expected `roles`, found `prefix`
    "#]],
    );
}

#[test]
fn else_without_block() {
    check(
        r"if (x) { } else { } else { allow a b:file read; }
type t;",
        expect![[r#"
            if [x]
            else
            type t alias () , ()
            1:21: E0201 `else` follows no block of `if` or `optional`
                help: `else` stands right behind the closing brace; an `if` or `optional` has one `else`
        "#]],
    );
}

#[test]
fn macro_remnants() {
    check(
        r"allow a b:file { read `write' };
type t;",
        expect![[r#"
            type t alias () , ()
            1:23: E0201 expected a name or `}`, found ```
                help: it is a quote of m4 left over: check the quotes of the macro calls before it
        "#]],
    );
    check(
        r"allow $1 b:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:7: E0201 expected a source type, found `$`
                help: an argument of a macro has a meaning in the macro's body only
        "#]],
    );
    check(
        r"allow a foo(b):file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:12: E0201 expected `:` and a class, or `;` after the roles, found `(`
                help: a macro that nobody defines stays as it is written: is its name right?
        "#]],
    );
    check(
        r"'
type t;",
        expect![[r#"
            type t alias () , ()
            1:1: E0201 expected a statement, found `'`
                help: it is a quote of m4 left over: check the quotes of the macro calls before it
        "#]],
    );
    check(
        r"foo(a
type t;",
        expect![[r#"
            type t alias () , ()
            1:1: E0102 the parenthesis of the call of `foo` is not closed
        "#]],
    );
    check(
        r"foo(a
type t;
bar(b
type u;",
        expect![[r#"
            type t alias () , ()
            1:1: E0102 the parenthesis of the call of `foo` is not closed
            3:1: E0102 the parenthesis of the call of `bar` is not closed
        "#]],
    );
}

#[test]
fn capabilities_and_modules() {
    check(
        r"policycap;
type t;",
        expect![[r#"
            type t alias () , ()
            1:10: E0201 expected the name of a policy capability, found `;`
        "#]],
    );
    check(
        r"module m x;
type t;",
        expect![[r#"
            type t alias () , ()
            1:10: E0201 expected the version of the module, found `x`
        "#]],
    );
    check(
        r"module m 1x.0;
type t;",
        expect![[r#"
            type t alias () , ()
            1:10: E0206 a version is digits, with dots between
        "#]],
    );
    check(
        r"module;
type t;",
        expect![[r#"
            type t alias () , ()
            1:7: E0201 expected the name of the module, found `;`
        "#]],
    );
}

#[test]
fn dominance() {
    check(
        r"dominance;
type t;",
        expect![[r#"
            type t alias () , ()
            1:10: E0201 expected a sensitivity or `{`, found `;`
        "#]],
    );
    check(
        r"dominance { };
type t;",
        expect![[r#"
            type t alias () , ()
            1:13: E0201 expected a sensitivity, found empty braces
        "#]],
    );
    check(
        r"dominance { role a }
type t;",
        expect![[r#"
            dominance role a ()
            type t alias () , ()
            1:19: E0203 a semicolon is missing
        "#]],
    );
    check(
        r"dominance { role a { } }
type t;",
        expect![[r#"
            dominance role a ()
            type t alias () , ()
        "#]],
    );
    check(
        "dominance { role a { role b;",
        expect![[r#"
        dominance role b ()
        1:11: E0204 this brace is not closed
            1:29: expected `role` or `}`, found the end of the text
    "#]],
    );
}
