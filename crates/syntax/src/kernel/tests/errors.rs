//! One fault, one diagnostic, at the right place; and what follows is read.

use expect_test::expect;

use super::{check, check_policy};

#[test]
fn missing_semicolons() {
    check(
        r"type a
type b;",
        expect![[]],
    );
    check(
        r"allow a b:file read

  allow a c:file write;",
        expect![[]],
    );
    check(
        r"allow a b:file { read }  # why
}",
        expect![[]],
    );
    check("type a", expect![[]]);
    check(
        r"optional { type a }
type b;",
        expect![[]],
    );
    check("allow a b:file read dontaudit a b:file write;", expect![[]]);
    check(
        r"type a
foo(b)",
        expect![[]],
    );
    check(
        r"user u roles r
user v roles r;",
        expect![[]],
    );
    check(
        r"require { type a
 type b; }",
        expect![[]],
    );
    check("require { class file read }", expect![[]]);
}

#[test]
fn holes() {
    check(
        r"allow  foo_t:file read;
type t;",
        expect![[]],
    );
    check(
        r"allow x_t self:file ;
type t;",
        expect![[]],
    );
    check("allow a b:;", expect![[]]);
    check("allow a;", expect![[]]);
    check("allow ;", expect![[]]);
    check(
        r"allow a b:file { };
type t;",
        expect![[]],
    );
    check("allow a {} : file read;", expect![[]]);
    check(
        r"allow a b:file { read { } };
type t;",
        expect![[]],
    );
    check("type ;", expect![[]]);
    check("type a,;", expect![[]]);
    check("type a, b c;", expect![[]]);
    check("type a alias;", expect![[]]);
    check("typealias a b;", expect![[]]);
    check("role r types ;", expect![[]]);
    check("type_transition a b:process;", expect![[]]);
    check("allowxperm a b:file ioctl;", expect![[]]);
    check("allowxperm a b:file read { 1 };", expect![[]]);
    check("range_transition a b;", expect![[]]);
    check("bool a;", expect![[]]);
    check("bool a maybe;", expect![[]]);
}

#[test]
fn more_than_one_permission() {
    check(
        r"allow a b:file read write;
type t;",
        expect![[]],
    );
    check("allow a b c:file read;", expect![[]]);
    check("type_transition a b:process c d;", expect![[]]);
}

#[test]
fn commas_in_braces() {
    check(
        r"allow a b:file { read, write };
type t;",
        expect![[]],
    );
    check(
        r"allow a b:file { read; write; };
type t;",
        expect![[]],
    );
    check(
        r"optional { allow a b:file { read; write };
 type t; }",
        expect![[]],
    );
    check("require { class file { read, write }; type t; }", expect![[]]);
}

#[test]
fn unclosed_braces() {
    check(
        r"allow a { b c:file read;
type t;",
        expect![[]],
    );
    check(
        r"allow a b:file { read write;
type t;",
        expect![[]],
    );
    check(
        r"allow a b:file { read write
type t;",
        expect![[]],
    );
    check("allow a b:file { read", expect![[]]);
    check(
        r"optional {
  type a;
",
        expect![[]],
    );
    check(
        r"optional {
  optional {
    type a;
  }
",
        expect![[]],
    );
    check(
        r"require {
  type a;
",
        expect![[]],
    );
    check(
        r"require {
 type a;
allow a b:file read;",
        expect![[]],
    );
    check(
        r"if (x) {
 allow a b:file read;",
        expect![[]],
    );
    check(
        r"common f { read
class f",
        expect![[]],
    );
}

#[test]
fn unclosed_parentheses() {
    check(
        r"if (a and (b or c) {
 allow a b:file read;
}
type t;",
        expect![[]],
    );
    check(
        r"constrain file read (u1 == u2;
type t;",
        expect![[]],
    );
}

#[test]
fn stray_braces() {
    check(
        r"type a; }
type b;",
        expect![[]],
    );
    check(
        r"}
}
type b;",
        expect![[]],
    );
}

#[test]
fn unknown_statements() {
    check(
        r"alow a b:file read;
type t;",
        expect![[]],
    );
    check(
        r"typ a;
type t;",
        expect![[]],
    );
    check(
        r"type_transitions a b:process c;
type t;",
        expect![[]],
    );
    check("Allow a b:file read;", expect![[]]);
    check(
        r"frobnicate a {
 b c };
type t;",
        expect![[]],
    );
    check("foo;", expect![[]]);
    check(
        r"5;
type t;",
        expect![[]],
    );
    check(
        r"alias x;
type t;",
        expect![[]],
    );
    check(
        r"else { type a; }
type t;",
        expect![[]],
    );
}

#[test]
fn misplaced() {
    check(
        r"if (x) { type a; neverallow a b:file read; }
type t;",
        expect![[]],
    );
    check(
        r"if (x) { if (y) { allow a b:file read; } }
type t;",
        expect![[]],
    );
    check(
        r"if (x) { allow r s; }
type t;",
        expect![[]],
    );
    check(
        r#"if (x) { type_transition a b:file c "d"; }
type t;"#,
        expect![[]],
    );
    check("if (x) { ; }", expect![[]]);
    check("optional { class file portcon tcp 5 u:r:t type a; }", expect![[]]);
    check("optional { policycap x; }", expect![[]]);
    check("optional { user u roles r; type a; type b; }", expect![[]]);
    check(
        r"type a;
module m 1;",
        expect![[]],
    );
    check(
        r"optional { }
type t;",
        expect![[]],
    );
    check(
        r"require { }
type t;",
        expect![[]],
    );
    check(
        r"require { ; type a; allow a b:file read;
 type c; }",
        expect![[]],
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
        expect![[]],
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
        expect![[]],
    );
    check_policy(
        r"class c;
sid kernel
",
        expect![[]],
    );
    check_policy(
        r"module m 1;
class c
portcon tcp 5 u:r:t
type a;
user u roles r;
type b;",
        expect![[]],
    );
    check_policy(
        r"module m;
type a;",
        expect![[]],
    );
    check_policy(
        r"foo(a)
type t;",
        expect![[]],
    );
    check_policy("user u prefix p;", expect![[]]);
}

#[test]
fn else_without_block() {
    check(
        r"if (x) { } else { } else { allow a b:file read; }
type t;",
        expect![[]],
    );
}

#[test]
fn sets() {
    check(
        r"allow { a * } b:file read;
type t;",
        expect![[]],
    );
    check(
        r"allow { a ~b } b:file read;
type t;",
        expect![[]],
    );
    check(
        r"allow a b:~file read;
type t;",
        expect![[]],
    );
    check(
        r"allow a b:{ file -dir } read;
type t;",
        expect![[]],
    );
    check(
        r"allow a -b:file read;
type t;",
        expect![[]],
    );
    check("allow a 5:file read;", expect![[]]);
    check(
        r"allow a { b 5 }:file read;
type t;",
        expect![[]],
    );
    check("allow a 9p:file read;", expect![[]]);
    check(
        r"allow type b:file read;
type t;",
        expect![[]],
    );
    check(
        r"allow a { b -{ c d } }:file read;
type t;",
        expect![[]],
    );
}

#[test]
fn conditions() {
    check(
        r"if () { allow a b:file read; }
type t;",
        expect![[]],
    );
    check(
        r"if (a and) { allow a b:file read; }
type t;",
        expect![[]],
    );
    check(
        r"if (a b) { allow a b:file read; }
type t;",
        expect![[]],
    );
    check(
        r"if (a = b) { allow a b:file read; }
type t;",
        expect![[]],
    );
    check(
        r"if a)
type t;",
        expect![[]],
    );
    check(
        r"if (x) allow a b:file read;
type t;",
        expect![[]],
    );
    check("if (true) { }", expect![[]]);
}

#[test]
fn constraints() {
    check(
        r"constrain file read;
type t;",
        expect![[]],
    );
    check(
        r"constrain file read u1 = u2;
type t;",
        expect![[]],
    );
    check("constrain file read u1 dom u2;", expect![[]]);
    check("constrain file read r1 dom { a };", expect![[]]);
    check("constrain file read l1 dom s0;", expect![[]]);
    check("constrain file read h1 dom h1;", expect![[]]);
    check("constrain file read l2 dom l1;", expect![[]]);
    check(
        r"constrain file read t1 == { a -b };
type t;",
        expect![[]],
    );
    check(
        r"constrain file read t1 == { a { b } };
type t;",
        expect![[]],
    );
    check("constrain file read t1 == t3;", expect![[]]);
    check(
        r"constrain file read u1 == u2 xor r1 == r2;
type t;",
        expect![[]],
    );
    check("constrain file read u1 == u2 u1 == u3;", expect![[]]);
    check("constrain file read source u;", expect![[]]);
    check("constrain file read foo;", expect![[]]);
}

#[test]
fn numbers() {
    check(
        r"portcon tcp 65536 u:r:t
type t;",
        expect![[]],
    );
    check("portcon tcp 9-5 u:r:t", expect![[]]);
    check("portcon tcp 09 u:r:t", expect![[]]);
    check("portcon tcp 99999999999999999999999 u:r:t", expect![[]]);
    check("portcon tcp x u:r:t", expect![[]]);
    check("portcon icmp 5 u:r:t", expect![[]]);
    check("allowxperm a b:file ioctl 0x10000;", expect![[]]);
    check("allowxperm a b:file ioctl 1-5;", expect![[]]);
    check(
        r"allowxperm a b:file ioctl { 5-1 };
type t;",
        expect![[]],
    );
    check(
        r"allowxperm a b:file ioctl { read };
type t;",
        expect![[]],
    );
    check(
        r"allowxperm a b:file ioctl { 1, 2 };
type t;",
        expect![[]],
    );
    check("allowxperm a b:file ioctl 0xg;", expect![[]]);
    check("pirqcon 0x100000000 u:r:t", expect![[]]);
    check("ibendportcon x 0 u:r:t", expect![[]]);
    check("ibendportcon x 256 u:r:t", expect![[]]);
    check("ibpkeycon fe80:: 0x10000 u:r:t", expect![[]]);
}

#[test]
fn addresses() {
    check(
        r"nodecon 300.0.0.1 255.0.0.0 u:r:t
type t;",
        expect![[]],
    );
    check(
        r"nodecon 10.0.0.1 ffff:: u:r:t
type t;",
        expect![[]],
    );
    check("nodecon 10.0.0.0/33 u:r:t", expect![[]]);
    check("nodecon 10.0.0.0/x u:r:t", expect![[]]);
    check("nodecon x 255.0.0.0 u:r:t", expect![[]]);
    check(
        r"nodecon ; u:r:t
type t;",
        expect![[]],
    );
    check("nodecon 10.0.0.1/8 u:r:t", expect![[]]);
    check("nodecon 10.0.0.1 255.0.0.0 u:r:t", expect![[]]);
    check("nodecon 10.0.0.0 255.0.255.0 u:r:t", expect![[]]);
    check("nodecon fe80::1 ffff:: u:r:t", expect![[]]);
    check("nodecon 1.2.3.4 / u:r:t", expect![[]]);
    check("ibpkeycon fe80::1 5 u:r:t", expect![[]]);
    check("ibpkeycon 10.0.0.1 5 u:r:t", expect![[]]);
}

#[test]
fn contexts() {
    check(
        r"sid kernel u:r
type t;",
        expect![[]],
    );
    check(
        r"sid kernel u:r:t:
type t;",
        expect![[]],
    );
    check(
        r"fs_use_xattr ext4 u:r:t
type t;",
        expect![[]],
    );
    check("fs_use_trans 9p u:r:t;", expect![[]]);
    check("fs_use_xattr 9_p u:r:t;", expect![[]]);
    check(
        r"genfscon proc u:r:t
type t;",
        expect![[]],
    );
    check(
        r"genfscon proc /a -x u:r:t
type t;",
        expect![[]],
    );
    check(
        r#"genfscon proc "a" u:r:t
type t;"#,
        expect![[]],
    );
    check(
        r"netifcon - u:r:t u:r:t
type t;",
        expect![[]],
    );
    check(
        r"netifcon user u:r:t u:r:t
type t;",
        expect![[]],
    );
    check("netifcon * u:r:t u:r:t", expect![[]]);
    check(
        r"netifcon eth0 u:r:t
type t;",
        expect![[]],
    );
}

#[test]
fn strings() {
    check(
        r#"type_transition a b:file c "d;
type t;"#,
        expect![[]],
    );
    check(
        r#"type_transition a b:file c "d/e";
type t;"#,
        expect![[]],
    );
    check(
        r#"type_transition a b:file c "";
type t;"#,
        expect![[]],
    );
    check(
        r#"type_member a b:file c "d";
type t;"#,
        expect![[]],
    );
    check(
        r#"type "a";
type t;"#,
        expect![[]],
    );
}

#[test]
fn macro_remnants() {
    check(
        r"allow a b:file { read `write' };
type t;",
        expect![[]],
    );
    check(
        r"allow $1 b:file read;
type t;",
        expect![[]],
    );
    check(
        r"allow a foo(b):file read;
type t;",
        expect![[]],
    );
    check(
        r"'
type t;",
        expect![[]],
    );
    check(
        r"foo(a
type t;",
        expect![[]],
    );
    check(
        r"foo(a
type t;
bar(b
type u;",
        expect![[]],
    );
}

#[test]
fn capabilities_and_modules() {
    check(
        r"policycap;
type t;",
        expect![[]],
    );
    check(
        r"module m x;
type t;",
        expect![[]],
    );
    check(
        r"module m 1x.0;
type t;",
        expect![[]],
    );
    check(
        r"module;
type t;",
        expect![[]],
    );
}

#[test]
fn dominance() {
    check(
        r"dominance;
type t;",
        expect![[]],
    );
    check(
        r"dominance { };
type t;",
        expect![[]],
    );
    check(
        r"dominance { role a }
type t;",
        expect![[]],
    );
    check(
        r"dominance { role a { } }
type t;",
        expect![[]],
    );
    check("dominance { role a { role b;", expect![[]]);
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
        expect![[]],
    );
}
