//! Semicolons, commas, braces and parentheses that are missing or too many.

use expect_test::expect;

use crate::kernel::tests::check;

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
