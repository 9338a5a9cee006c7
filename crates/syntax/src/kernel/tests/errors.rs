//! One fault, one diagnostic, at the right place; and what follows is read.

use expect_test::expect;

use super::{check, check_policy};

#[test]
fn missing_semicolons() {
    check(
        r"type a
type b;",
        expect![[r#"
            type a alias () , ()
            type b alias () , ()
            1:7: E0203 a semicolon is missing
        "#]],
    );
    check(
        r"allow a b:file read

  allow a c:file write;",
        expect![[r#"
            Allow {a} {b} : (file) {read}
            Allow {a} {c} : (file) {write}
            1:20: E0203 a semicolon is missing
        "#]],
    );
    check(
        r"allow a b:file { read }  # why
}",
        expect![[r#"
            Allow {a} {b} : (file) {read}
            1:24: E0203 a semicolon is missing
            2:1: E0201 this `}` closes nothing
                help: remove it, or look for a `{` that is missing before it
        "#]],
    );
    check(
        "type a",
        expect![[r#"
        type a alias () , ()
        1:7: E0203 a semicolon is missing
    "#]],
    );
    check(
        r"optional { type a }
type b;",
        expect![[r#"
            optional
              type a alias () , ()
            type b alias () , ()
            1:18: E0203 a semicolon is missing
        "#]],
    );
    check(
        "allow a b:file read dontaudit a b:file write;",
        expect![[r#"
        Allow {a} {b} : (file) {read}
        DontAudit {a} {b} : (file) {write}
        1:20: E0203 a semicolon is missing
    "#]],
    );
    check(
        r"type a
foo(b)",
        expect![[r#"
            type a alias () , ()
            2:1: call of foo/1
            1:7: E0203 a semicolon is missing
        "#]],
    );
    check(
        r"user u roles r
user v roles r;",
        expect![[r#"
            user u {r} - -
            user v {r} - -
            1:15: E0203 a semicolon is missing
        "#]],
    );
    check(
        r"require { type a
 type b; }",
        expect![[r#"
            require Type a; Type b;
            1:17: E0203 a semicolon is missing
        "#]],
    );
    check(
        "require { class file read }",
        expect![[r#"
        require Class file (read);
        1:26: E0203 a semicolon is missing
    "#]],
    );
}

#[test]
fn holes() {
    check(
        r"allow  foo_t:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:13: E0201 expected a target type, found `:`
        "#]],
    );
    check(
        r"allow x_t self:file ;
type t;",
        expect![[r#"
            type t alias () , ()
            1:21: E0201 expected a permission after the class, found `;`
        "#]],
    );
    check(
        "allow a b:;",
        expect![[r#"
        1:11: E0201 expected a class after `:`, found `;`
    "#]],
    );
    check(
        "allow a;",
        expect![[r#"
        1:8: E0201 expected a target type, found `;`
    "#]],
    );
    check(
        "allow ;",
        expect![[r#"
        1:7: E0201 expected a source type, found `;`
    "#]],
    );
    check(
        r"allow a b:file { };
type t;",
        expect![[r#"
            type t alias () , ()
            1:18: E0201 expected a permission after the class, found empty braces
        "#]],
    );
    check(
        "allow a {} : file read;",
        expect![[r#"
            1:10: E0201 expected a target type, found empty braces
        "#]],
    );
    check(
        r"allow a b:file { read { } };
type t;",
        expect![[r#"
            type t alias () , ()
            1:25: E0201 expected a permission after the class, found empty braces
        "#]],
    );
    check(
        "type ;",
        expect![[r#"
        1:6: E0201 expected the name of a type, found `;`
    "#]],
    );
    check(
        "type a,;",
        expect![[r#"
        1:8: E0201 expected an attribute after `,`, found `;`
    "#]],
    );
    check(
        "type a, b c;",
        expect![[r#"
        1:11: E0201 expected `,` or `;`, found `c`
    "#]],
    );
    check(
        "type a alias;",
        expect![[r#"
        1:13: E0201 expected an alias, found `;`
    "#]],
    );
    check(
        "typealias a b;",
        expect![[r#"
        1:13: E0201 expected `alias`, found `b`
    "#]],
    );
    check(
        "role r types ;",
        expect![[r#"
        1:14: E0201 expected a type, found `;`
    "#]],
    );
    check(
        "type_transition a b:process;",
        expect![[r#"
        1:28: E0201 expected the new type, found `;`
    "#]],
    );
    check(
        "allowxperm a b:file ioctl;",
        expect![[r#"
            1:26: E0201 expected an extended permission such as 0x5401, found `;`
        "#]],
    );
    check(
        "allowxperm a b:file read { 1 };",
        expect![[r#"
        1:21: E0201 expected `ioctl` or `nlmsg`, found `read`
    "#]],
    );
    check(
        "range_transition a b;",
        expect![[r#"
        1:21: E0201 expected the new range, found `;`
    "#]],
    );
    check(
        "bool a;",
        expect![[r#"
        1:7: E0201 expected `true` or `false`, found `;`
    "#]],
    );
    check(
        "bool a maybe;",
        expect![[r#"
        1:8: E0201 expected `true` or `false`, found `maybe`
    "#]],
    );
}

#[test]
fn more_than_one_permission() {
    check(
        r"allow a b:file read write;
type t;",
        expect![[r#"
            type t alias () , ()
            1:21: E0201 expected `;`, found `write`
                help: several permissions stand in braces
        "#]],
    );
    check(
        "allow a b c:file read;",
        expect![[r#"
        1:11: E0201 expected `:` and a class, or `;` after the roles, found `c`
    "#]],
    );
    check(
        "type_transition a b:process c d;",
        expect![[r#"
        1:31: E0201 expected `;` or a file name in quotes, found `d`
    "#]],
    );
}

#[test]
fn commas_in_braces() {
    check(
        r"allow a b:file { read, write };
type t;",
        expect![[r#"
            type t alias () , ()
            1:22: E0201 expected a name or `}`, found `,`
                help: in braces blanks stand between names, no commas
        "#]],
    );
    check(
        r"allow a b:file { read; write; };
type t;",
        expect![[r#"
            type t alias () , ()
            1:22: E0201 expected a name or `}`, found `;`
                help: in braces blanks stand between names, no semicolons
        "#]],
    );
    check(
        r"optional { allow a b:file { read; write };
 type t; }",
        expect![[r#"
            optional
              type t alias () , ()
            1:33: E0201 expected a name or `}`, found `;`
                help: in braces blanks stand between names, no semicolons
        "#]],
    );
    check(
        "require { class file { read, write }; type t; }",
        expect![[r#"
            require Type t;
            1:28: E0201 expected a name or `}`, found `,`
                help: in braces blanks stand between names, no commas
        "#]],
    );
}

#[test]
fn unclosed_braces() {
    check(
        r"allow a { b c:file read;
type t;",
        expect![[r#"
            type t alias () , ()
            1:9: E0204 this brace is not closed
                1:14: expected a name or `}`, found `:`
        "#]],
    );
    check(
        r"allow a b:file { read write;
type t;",
        expect![[r#"
            type t alias () , ()
            1:16: E0204 this brace is not closed
                1:28: expected a name or `}`, found `;`
        "#]],
    );
    check(
        r"allow a b:file { read write
type t;",
        expect![[r#"
            type t alias () , ()
            1:16: E0204 this brace is not closed
                2:1: expected a name or `}`, found `type`
        "#]],
    );
    check(
        "allow a b:file { read",
        expect![[r#"
        1:16: E0204 this brace is not closed
            1:22: expected a name or `}`, found the end of the text
    "#]],
    );
    check(
        r"optional {
  type a;
",
        expect![[r#"
            optional
              type a alias () , ()
            1:10: E0204 this brace is not closed
                3:1: expected `}`, found the end of the text
        "#]],
    );
    check(
        r"optional {
  optional {
    type a;
  }
",
        expect![[r#"
            optional
              optional
                type a alias () , ()
            1:10: E0204 this brace is not closed
                5:1: expected `}`, found the end of the text
        "#]],
    );
    check(
        r"require {
  type a;
",
        expect![[r#"
            1:9: E0204 this brace is not closed
                3:1: expected a requirement or `}`, found the end of the text
        "#]],
    );
    check(
        r"require {
 type a;
allow a b:file read;",
        expect![[r#"
            Allow {a} {b} : (file) {read}
            1:9: E0204 this brace is not closed
                3:1: expected a requirement or `}`, found `allow`
        "#]],
    );
    check(
        r"if (x) {
 allow a b:file read;",
        expect![[r#"
            if [x]
              Allow {a} {b} : (file) {read}
            else
            1:8: E0204 this brace is not closed
                2:22: expected `}`, found the end of the text
        "#]],
    );
    check(
        r"common f { read
class f",
        expect![[r#"
            class f
            1:10: E0204 this brace is not closed
                2:1: expected a name or `}`, found `class`
        "#]],
    );
}

#[test]
fn unclosed_parentheses() {
    check(
        r"if (a and (b or c) {
 allow a b:file read;
}
type t;",
        expect![[r#"
            type t alias () , ()
            1:4: E0204 this parenthesis is not closed
                1:20: expected an operator or `)`
        "#]],
    );
    check(
        r"constrain file read (u1 == u2;
type t;",
        expect![[r#"
            type t alias () , ()
            1:21: E0204 this parenthesis is not closed
                1:30: expected an operator or `)`
        "#]],
    );
}

#[test]
fn stray_braces() {
    check(
        r"type a; }
type b;",
        expect![[r#"
            type a alias () , ()
            type b alias () , ()
            1:9: E0201 this `}` closes nothing
                help: remove it, or look for a `{` that is missing before it
        "#]],
    );
    check(
        r"}
}
type b;",
        expect![[r#"
            type b alias () , ()
            1:1: E0201 this `}` closes nothing
                help: remove it, or look for a `{` that is missing before it
            2:1: E0201 this `}` closes nothing
                help: remove it, or look for a `{` that is missing before it
        "#]],
    );
}

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

#[test]
fn numbers() {
    check(
        r"portcon tcp 65536 u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:13: E0206 `65536` is out of range: the largest is 65535
        "#]],
    );
    check(
        "portcon tcp 9-5 u:r:t",
        expect![[r#"
        1:13: E0206 the range ends before it begins
            1:15: this is less
    "#]],
    );
    check(
        "portcon tcp 09 u:r:t",
        expect![[r#"
        1:13: E0206 `09` is no octal number
            help: a number that begins with 0 is octal: leave the 0 out
    "#]],
    );
    check(
        "portcon tcp 99999999999999999999999 u:r:t",
        expect![[r#"
        1:13: E0206 `99999999999999999999999` does not fit into 64 bits
    "#]],
    );
    check(
        "portcon tcp x u:r:t",
        expect![[r#"
        1:13: E0201 expected a port number, found `x`
    "#]],
    );
    check(
        "portcon icmp 5 u:r:t",
        expect![[r#"
        1:9: E0201 expected `tcp`, `udp`, `dccp` or `sctp`, found `icmp`
    "#]],
    );
    check(
        "allowxperm a b:file ioctl 0x10000;",
        expect![[r#"
        1:27: E0206 `0x10000` is out of range: the largest is 65535
    "#]],
    );
    check(
        "allowxperm a b:file ioctl 1-5;",
        expect![[r#"
        1:28: E0201 expected `;`, found `-`
            help: a range stands in braces
    "#]],
    );
    check(
        r"allowxperm a b:file ioctl { 5-1 };
type t;",
        expect![[r#"
            type t alias () , ()
            1:29: E0206 the range ends before it begins
                1:31: this is less
        "#]],
    );
    check(
        r"allowxperm a b:file ioctl { read };
type t;",
        expect![[r#"
            type t alias () , ()
            1:29: E0201 expected a number or `}`, found `read`
                help: extended permissions are numbers such as 0x5401
        "#]],
    );
    check(
        r"allowxperm a b:file ioctl { 1, 2 };
type t;",
        expect![[r#"
            type t alias () , ()
            1:30: E0201 expected a name or `}`, found `,`
                help: in braces blanks stand between names, no commas
        "#]],
    );
    check(
        "allowxperm a b:file ioctl 0xg;",
        expect![[r#"
        1:27: E0206 `0xg` is no number
    "#]],
    );
    check(
        "pirqcon 0x100000000 u:r:t",
        expect![[r#"
        1:9: E0206 `0x100000000` is out of range: the largest is 4294967295
    "#]],
    );
    check(
        "ibendportcon x 0 u:r:t",
        expect![[r#"
        1:16: E0206 ports count from 1
    "#]],
    );
    check(
        "ibendportcon x 256 u:r:t",
        expect![[r#"
        1:16: E0206 `256` is out of range: the largest is 255
    "#]],
    );
    check(
        "ibpkeycon fe80:: 0x10000 u:r:t",
        expect![[r#"
        1:18: E0206 `0x10000` is out of range: the largest is 65535
    "#]],
    );
}

#[test]
fn addresses() {
    check(
        r"nodecon 300.0.0.1 255.0.0.0 u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:9: E0207 `300.0.0.1` is no IP address
        "#]],
    );
    check(
        r"nodecon 10.0.0.1 ffff:: u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:18: E0207 `ffff::` is no IPv4 mask
        "#]],
    );
    check(
        "nodecon 10.0.0.0/33 u:r:t",
        expect![[r#"
        1:9: E0207 `33` is no prefix length
            help: it is a number up to 32
    "#]],
    );
    check(
        "nodecon 10.0.0.0/x u:r:t",
        expect![[r#"
        1:9: E0207 `x` is no prefix length
            help: it is a number up to 32
    "#]],
    );
    check(
        "nodecon x 255.0.0.0 u:r:t",
        expect![[r#"
        1:9: E0201 expected an IP address, found `x`
    "#]],
    );
    check(
        r"nodecon ; u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:9: E0201 expected an IP address, found `;`
            1:11: E0202 no statement begins with `u`
        "#]],
    );
    check(
        "nodecon 10.0.0.1/8 u:r:t",
        expect![[r#"
        nodecon 10.0.0.0 255.0.0.0 u:r:t
        1:9: W0007 the address `10.0.0.1` has bits that the mask `255.0.0.0` leaves out
            help: did you mean `10.0.0.0`?
    "#]],
    );
    check(
        "nodecon 10.0.0.1 255.0.0.0 u:r:t",
        expect![[r#"
        nodecon 10.0.0.1 255.0.0.0 u:r:t
        1:9: W0007 the address `10.0.0.1` has bits that the mask `255.0.0.0` leaves out
            help: did you mean `10.0.0.0`?
    "#]],
    );
    check(
        "nodecon 10.0.0.0 255.0.255.0 u:r:t",
        expect![[r#"
        nodecon 10.0.0.0 255.0.255.0 u:r:t
        1:9: W0007 the mask `255.0.255.0` has gaps
    "#]],
    );
    check(
        "nodecon fe80::1 ffff:: u:r:t",
        expect![[r#"
        nodecon fe80::1 ffff:: u:r:t
        1:9: W0007 the address `fe80::1` has bits that the mask `ffff::` leaves out
            help: did you mean `fe80::`?
    "#]],
    );
    check(
        "nodecon 1.2.3.4 / u:r:t",
        expect![[r#"
        1:17: E0201 expected an IPv4 mask, found `/`
    "#]],
    );
    check(
        "ibpkeycon fe80::1 5 u:r:t",
        expect![[r#"
        1:11: E0207 the lower half of a subnet prefix is zero
    "#]],
    );
    check(
        "ibpkeycon 10.0.0.1 5 u:r:t",
        expect![[r#"
        1:11: E0207 `10.0.0.1` is no IPv6 address
    "#]],
    );
}

#[test]
fn contexts() {
    check(
        r"sid kernel u:r
type t;",
        expect![[r#"
            type t alias () , ()
            1:15: E0201 expected `:` and a type, found `type`
        "#]],
    );
    check(
        r"sid kernel u:r:t:
type t;",
        expect![[r#"
            type t alias () , ()
            1:18: E0201 expected a level after `:`, found `type`
        "#]],
    );
    check(
        r"fs_use_xattr ext4 u:r:t
type t;",
        expect![[r#"
            fs_use Xattr ext4 u:r:t
            type t alias () , ()
            1:24: E0203 a semicolon is missing
        "#]],
    );
    check(
        "fs_use_trans 9p u:r:t;",
        expect![[r#"
        1:14: E0210 expected the name of a file system, found `9p`
            help: a name begins with a letter
    "#]],
    );
    check(
        "fs_use_xattr 9_p u:r:t;",
        expect![[r#"
        1:14: E0210 the name of a file system that begins with a digit is of letters and digits
    "#]],
    );
    check(
        r"genfscon proc u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:15: E0201 expected a path that begins with `/`, found `u`
        "#]],
    );
    check(
        r"genfscon proc /a -x u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:19: E0201 expected a file type after `-`, found `x`
                help: the file types are -b, -c, -d, -p, -l, -s and --
        "#]],
    );
    check(
        r#"genfscon proc "a" u:r:t
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:15: E0201 expected a path that begins with `/`, found `"a"`
        "#]],
    );
    check(
        r"netifcon - u:r:t u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:10: E0201 expected the name of a network interface, found `-`
                help: a name with `*` or `?`, or one that begins with a digit, has up to 16 letters, digits and `_`
        "#]],
    );
    check(
        r"netifcon user u:r:t u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:10: E0201 expected the name of a network interface, found `user`
                help: a name with `*` or `?`, or one that begins with a digit, has up to 16 letters, digits and `_`
        "#]],
    );
    check(
        "netifcon * u:r:t u:r:t",
        expect![[r#"
        1:10: E0201 expected the name of a network interface, found `*`
            help: a name with `*` or `?`, or one that begins with a digit, has up to 16 letters, digits and `_`
    "#]],
    );
    check(
        r"netifcon eth0 u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:20: E0201 expected a context, found `type`
        "#]],
    );
}

#[test]
fn strings() {
    check(
        r#"type_transition a b:file c "d;
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:28: E0209 expected `;` or a file name in quotes, found a string that is not closed
                help: end it with `"` on the same line
        "#]],
    );
    check(
        r#"type_transition a b:file c "d/e";
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:28: E0210 the file name of a transition has no `/`: it is the last component of a path
        "#]],
    );
    check(
        r#"type_transition a b:file c "";
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:28: E0210 the file name is empty
        "#]],
    );
    check(
        r#"type_member a b:file c "d";
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:24: E0201 expected `;`, found `"d"`
                help: only `type_transition` takes a file name
        "#]],
    );
    check(
        r#"type "a";
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:6: E0201 expected the name of a type, found `"a"`
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

#[test]
fn several_faults() {
    check(
        r"type a
allow b:file read;
optional { typ c;
 type d }
allow a b:file { read, write };
type e;",
        expect![[r#"
            type a alias () , ()
            optional
              type d alias () , ()
            type e alias () , ()
            1:7: E0203 a semicolon is missing
            2:8: E0201 expected a target type, found `:`
            3:12: E0202 no statement begins with `typ`
                help: did you mean `type`?
            4:8: E0203 a semicolon is missing
            5:22: E0201 expected a name or `}`, found `,`
                help: in braces blanks stand between names, no commas
        "#]],
    );
}
