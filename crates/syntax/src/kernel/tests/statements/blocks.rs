//! Blocks, conditions and constraints.

use expect_test::expect;

use crate::kernel::tests::check;

#[test]
fn requires() {
    check(
        "require { type a, b; attribute c; role r; attribute_role s; class file { read write }; class dir search; bool x; tunable y; user u; sensitivity s0; category c0, c1; }",
        expect![[r#"
            require Type a; Type b; Attribute c; Role r; RoleAttribute s; Class file (read write); Class dir (search); Boolean x; Tunable y; User u; Sensitivity s0; Category c0; Category c1;
        "#]],
    );
}

#[test]
fn optionals() {
    check(
        "optional { type a; }",
        expect![[r#"
        optional
          type a alias () , ()
    "#]],
    );
    check(
        "optional { require { type a; } allow a b:file read; optional { ; } else { type c; } user u roles r; } else { type d; }",
        expect![[r#"
            optional
              require Type a;
              Allow {a} {b} : (file) {read}
              optional
              else
                type c alias () , ()
              user u {r} - -
            else
              type d alias () , ()
        "#]],
    );
}

#[test]
fn conditionals() {
    check(
        "if a { }",
        expect![[r#"
        if [a]
        else
    "#]],
    );
    check(
        "if (a && b || !c) { allow a b:file read; } else { dontaudit a b:file read; }",
        expect![[r#"
            if [a b And c Not Or]
              Allow {a} {b} : (file) {read}
            else
              DontAudit {a} {b} : (file) {read}
        "#]],
    );
    check(
        "if (x) { require { type a; } type_transition a b:process c; allowxperm a b:file ioctl 1; }",
        expect![[r#"
            if [x]
              require Type a;
              Transition {a} {b} : (process) c
              Allow {a} {b} : (file) ioctl {1}
            else
        "#]],
    );
}

#[test]
fn conditions() {
    check(
        "if (a or b and c) {}",
        expect![[r#"
        if [a b c And Or]
        else
    "#]],
    );
    check(
        "if (a ^ b || c xor d and e) {}",
        expect![[r#"
        if [a b Xor c d e And Xor Or]
        else
    "#]],
    );
    check(
        "if (!a == b) {}",
        expect![[r#"
        if [a b Eq Not]
        else
    "#]],
    );
    check(
        "if (a == !b == c) {}",
        expect![[r#"
        if [a b c Eq Not Eq]
        else
    "#]],
    );
    check(
        "if (not (a or b) != c) {}",
        expect![[r#"
        if [a b Or c Ne Not]
        else
    "#]],
    );
    check(
        "if (a eq b) {}",
        expect![[r#"
        if [a b Eq]
        else
    "#]],
    );
    check(
        "if ((((a)))) {}",
        expect![[r#"
        if [a]
        else
    "#]],
    );
    check(
        "if (not not a) {}",
        expect![[r#"
        if [a Not Not]
        else
    "#]],
    );
    check(
        "if (a or b or c) {}",
        expect![[r#"
        if [a b Or c Or]
        else
    "#]],
    );
}

#[test]
fn constraints() {
    check(
        "constrain file read u1 == u2;",
        expect![[r#"
        constrain mls=false (file) {read} [User Eq]
    "#]],
    );
    check(
        "constrain { file dir } { read write } (u1 == u2 or t1 == { a b }) and not r1 dom r2;",
        expect![[r#"
            constrain mls=false (file dir) {read write} [User Eq, Source Type Eq {a b}, Or, Role Dom, Not, And]
        "#]],
    );
    check(
        "mlsconstrain file ~read l1 dom l2 and h1 domby h2 or l1 incomp h2;",
        expect![[r#"
        constrain mls=true (file) ~{read} [SourceLow Dom TargetLow, SourceHigh DomBy TargetHigh, And, SourceLow Incomp TargetHigh, Or]
    "#]],
    );
    check(
        "validatetrans file t3 == a;",
        expect![[r#"
        validatetrans mls=false (file) [New Type Eq {a}]
    "#]],
    );
    check(
        "mlsvalidatetrans { file dir } u1 != u2 and l1 eq l2;",
        expect![[r#"
        validatetrans mls=true (file dir) [User Ne, SourceLow Eq TargetLow, And]
    "#]],
    );
    check(
        "constrain file * ! t1 != ~{ a b } && t2 == * || u3 == ~u;",
        expect![[r#"
        constrain mls=false (file) *{} [Source Type Ne ~{a b}, Not, Target Type Eq *{}, And, New User Eq ~{u}, Or]
    "#]],
    );
}

#[test]
fn constraint_operands() {
    check(
        "constrain f p u1 == u;",
        expect![[r#"
        constrain mls=false (f) {p} [Source User Eq {u}]
    "#]],
    );
    check(
        "constrain f p u2 == u;",
        expect![[r#"
        constrain mls=false (f) {p} [Target User Eq {u}]
    "#]],
    );
    check(
        "constrain f p r2 != { r };",
        expect![[r#"
        constrain mls=false (f) {p} [Target Role Ne {r}]
    "#]],
    );
    check(
        "constrain f p r3 == r;",
        expect![[r#"
        constrain mls=false (f) {p} [New Role Eq {r}]
    "#]],
    );
    check(
        "constrain f p t2 == t;",
        expect![[r#"
        constrain mls=false (f) {p} [Target Type Eq {t}]
    "#]],
    );
    check(
        "constrain f p t1 == t2;",
        expect![[r#"
        constrain mls=false (f) {p} [Type Eq]
    "#]],
    );
    check(
        "constrain f p r1 incomp r2;",
        expect![[r#"
        constrain mls=false (f) {p} [Role Incomp]
    "#]],
    );
    check(
        "constrain f p r1 == r;",
        expect![[r#"
        constrain mls=false (f) {p} [Source Role Eq {r}]
    "#]],
    );
    check(
        "constrain f p h1 dom l2;",
        expect![[r#"
        constrain mls=false (f) {p} [SourceHigh Dom TargetLow]
    "#]],
    );
    check(
        "constrain f p l1 eq h1;",
        expect![[r#"
        constrain mls=false (f) {p} [SourceLow Eq SourceHigh]
    "#]],
    );
    check(
        "constrain f p l2 != h2;",
        expect![[r#"
        constrain mls=false (f) {p} [TargetLow Ne TargetHigh]
    "#]],
    );
    check(
        "constrain f p l1 == h2;",
        expect![[r#"
        constrain mls=false (f) {p} [SourceLow Eq TargetHigh]
    "#]],
    );
}

#[test]
fn old_constraint_operands() {
    check(
        "constrain f p sameuser;",
        expect![[r#"
        constrain mls=false (f) {p} [User Eq]
    "#]],
    );
    check(
        "constrain f p source role { r s };",
        expect![[r#"
        constrain mls=false (f) {p} [Source Role Eq {r s}]
    "#]],
    );
    check(
        "constrain f p target role r;",
        expect![[r#"
        constrain mls=false (f) {p} [Target Role Eq {r}]
    "#]],
    );
    check(
        "constrain f p role dom;",
        expect![[r#"
        constrain mls=false (f) {p} [Role Dom]
    "#]],
    );
    check(
        "constrain f p source type a;",
        expect![[r#"
        constrain mls=false (f) {p} [Source Type Eq {a}]
    "#]],
    );
    check(
        "constrain f p target type ~{ a b };",
        expect![[r#"
        constrain mls=false (f) {p} [Target Type Eq ~{a b}]
    "#]],
    );
}
