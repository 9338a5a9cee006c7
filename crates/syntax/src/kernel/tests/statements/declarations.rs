//! Types, roles, users, classes, levels, and what is about the policy as a whole.

use expect_test::expect;

use crate::kernel::tests::{check, check_policy};

#[test]
fn types() {
    check(
        "attribute x;",
        expect![[r#"
        attribute x
    "#]],
    );
    check(
        "type a;",
        expect![[r#"
        type a alias () , ()
    "#]],
    );
    check(
        "type a, x, y;",
        expect![[r#"
        type a alias () , (x y)
    "#]],
    );
    check(
        "type a alias b;",
        expect![[r#"
        type a alias (b) , ()
    "#]],
    );
    check(
        "type a alias { b c }, x;",
        expect![[r#"
        type a alias (b c) , (x)
    "#]],
    );
    check(
        "typealias a alias { b c };",
        expect![[r#"
        typealias a (b c)
    "#]],
    );
    check(
        "typeattribute a x, y;",
        expect![[r#"
        typeattribute a (x y)
    "#]],
    );
    check(
        "typebounds a b, c;",
        expect![[r#"
        typebounds a (b c)
    "#]],
    );
    check(
        "permissive a;",
        expect![[r#"
        permissive a
    "#]],
    );
    check(
        "neveraudit a;",
        expect![[r#"
        neveraudit a
    "#]],
    );
    check(
        "expandattribute { x y } true;",
        expect![[r#"
        expandattribute (x y) true
    "#]],
    );
    check(
        "expandattribute x FALSE;",
        expect![[r#"
        expandattribute (x) false
    "#]],
    );
}

#[test]
fn booleans() {
    check(
        "bool a true;",
        expect![[r#"
        bool a true
    "#]],
    );
    check(
        "tunable a FALSE;",
        expect![[r#"
        tunable a false
    "#]],
    );
}

#[test]
fn roles() {
    check(
        "role r;",
        expect![[r#"
        role r types - , ()
    "#]],
    );
    check(
        "role r types { a -b };",
        expect![[r#"
        role r types {a -b} , ()
    "#]],
    );
    check(
        "role r, x, y;",
        expect![[r#"
        role r types - , (x y)
    "#]],
    );
    check(
        "attribute_role x;",
        expect![[r#"
        attribute_role x
    "#]],
    );
    check(
        "roleattribute r x, y;",
        expect![[r#"
        roleattribute r (x y)
    "#]],
    );
    check(
        "role_transition r a s;",
        expect![[r#"
        role_transition {r} {a} : () s
    "#]],
    );
    check(
        "role_transition { r s } { a b }:{ process file } t;",
        expect![[r#"
        role_transition {r s} {a b} : (process file) t
    "#]],
    );
}

#[test]
fn role_dominance() {
    check(
        "dominance { role a; }",
        expect![[r#"
        dominance role a ()
    "#]],
    );
    check(
        "dominance { role a { role b; role c { role d; } } role e; }",
        expect![[r#"
        dominance role b ()
        dominance role d ()
        dominance role c (d)
        dominance role a (b c)
        dominance role e ()
    "#]],
    );
}

#[test]
fn users() {
    check(
        "user u roles r;",
        expect![[r#"
        user u {r} - -
    "#]],
    );
    check(
        "user u roles { r s };",
        expect![[r#"
        user u {r s} - -
    "#]],
    );
    check(
        "user u roles r level s0 range s0 - s1:c0.c5;",
        expect![[r#"
        user u {r} s0: [s0: - s1:c0..c5]
    "#]],
    );
    check(
        "user u roles r level s0:c1,c2 range s0;",
        expect![[r#"
        user u {r} s0:c1..c1,c2..c2 [s0: - s0:]
    "#]],
    );
    check(
        "user u prefix staff;",
        expect![[r#"
        user u prefix staff
    "#]],
    );
}

#[test]
fn modules() {
    check(
        "module m 1.0.0;",
        expect![[r#"
        module m 1.0.0
    "#]],
    );
    check(
        "module m 1;",
        expect![[r#"
        module m 1
    "#]],
    );
    check(
        "module m 10.0.0.1;",
        expect![[r#"
        module m 10.0.0.1
    "#]],
    );
    check(
        "module m 1.a_b;",
        expect![[r#"
        module m 1.a_b
    "#]],
    );
    check(
        "module m;",
        expect![[r#"
        module m -
    "#]],
    );
}

#[test]
fn classes() {
    check(
        "class file",
        expect![[r#"
        class file
    "#]],
    );
    check(
        "common file { read write }",
        expect![[r#"
        common file (read write)
    "#]],
    );
    check(
        "class file { read }",
        expect![[r#"
        class file inherits - (read)
    "#]],
    );
    check(
        "class file inherits file",
        expect![[r#"
        class file inherits file ()
    "#]],
    );
    check(
        "class file inherits file { open }",
        expect![[r#"
        class file inherits file (open)
    "#]],
    );
    check(
        r"sid kernel
sid file",
        expect![[r#"
            sid kernel
            sid file
        "#]],
    );
    check(
        "default_user file source;",
        expect![[r#"
        default User (file) Source
    "#]],
    );
    check(
        "default_role { file dir } target;",
        expect![[r#"
        default Role (file dir) Target
    "#]],
    );
    check(
        "default_type file source;",
        expect![[r#"
        default Type (file) Source
    "#]],
    );
    check(
        "default_range file source low;",
        expect![[r#"
        default_range (file) From(Source, Low)
    "#]],
    );
    check(
        "default_range file target low-high;",
        expect![[r#"
        default_range (file) From(Target, LowHigh)
    "#]],
    );
    check(
        "default_range file source HIGH;",
        expect![[r#"
        default_range (file) From(Source, High)
    "#]],
    );
    check(
        "default_range file glblub;",
        expect![[r#"
        default_range (file) Glblub
    "#]],
    );
}

#[test]
fn mls() {
    check(
        "sensitivity s0;",
        expect![[r#"
        sensitivity s0 ()
    "#]],
    );
    check(
        "sensitivity s0 alias { low_ x };",
        expect![[r#"
        sensitivity s0 (low_ x)
    "#]],
    );
    check(
        "category c0 alias x;",
        expect![[r#"
        category c0 (x)
    "#]],
    );
    check(
        "category c0;",
        expect![[r#"
        category c0 ()
    "#]],
    );
    check(
        "dominance s0",
        expect![[r#"
        dominance (s0)
    "#]],
    );
    check(
        "dominance { s0 s1 }",
        expect![[r#"
        dominance (s0 s1)
    "#]],
    );
    check(
        "level s0;",
        expect![[r#"
        level s0:
    "#]],
    );
    check(
        "level s0:c0.c1023,c2000;",
        expect![[r#"
        level s0:c0..c1023,c2000..c2000
    "#]],
    );
}

#[test]
fn capabilities() {
    check(
        "policycap open_perms;",
        expect![[r#"
        policycap open_perms
    "#]],
    );
}

#[test]
fn whole_policies() {
    check_policy(
        r"class c
sid kernel
class c { p }
;type t; role r types t;
;allow t t:c p;
user u roles r;
constrain c p u1 == u2;
sid kernel u:r:t
",
        expect![[r#"
            class c
            sid kernel
            class c inherits - (p)
            type t alias () , ()
            role r types {t} , ()
            Allow {t} {t} : (c) {p}
            user u {r} - -
            constrain mls=false (c) {p} [User Eq]
            sid kernel u:r:t
        "#]],
    );
    check_policy(
        r"module m 1;
require { type t; }
type s;
user u roles r;
",
        expect![[r#"
            module m 1
            require Type t;
            type s alias () , ()
            user u {r} - -
        "#]],
    );
}
