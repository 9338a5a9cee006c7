//! Access, type, range and role rules.

use expect_test::expect;

use crate::kernel::tests::check;

#[test]
fn av_rules() {
    check(
        "allow a b:file read;",
        expect![[r#"
        Allow {a} {b} : (file) {read}
    "#]],
    );
    check(
        "ALLOW a b : file read ;",
        expect![[r#"
        Allow {a} {b} : (file) {read}
    "#]],
    );
    check(
        "auditallow a b:file read;",
        expect![[r#"
        AuditAllow {a} {b} : (file) {read}
    "#]],
    );
    check(
        "auditdeny a b:file read;",
        expect![[r#"
        AuditDeny {a} {b} : (file) {read}
    "#]],
    );
    check(
        "dontaudit a b:file ~{ read write };",
        expect![[r#"
        DontAudit {a} {b} : (file) ~{read write}
    "#]],
    );
    check(
        "neverallow * ~{ a b }:{ file dir } *;",
        expect![[r#"
        NeverAllow *{} ~{a b} : (file dir) *{}
    "#]],
    );
    check(
        "allow { a { b -c } } { self d }:{ file { dir fd } } { read { write } };",
        expect![[r#"
        Allow {a b -c} {self d} : (file dir fd) {read write}
    "#]],
    );
    check(
        "neverallow a - b ~c:file ~read;",
        expect![[r#"
        NeverAllow {a -b} ~{c} : (file) ~{read}
    "#]],
    );
    check(
        "allow a-b.c_1 self:file read;",
        expect![[r#"
        Allow {a-b.c_1} {self} : (file) {read}
    "#]],
    );
}

#[test]
fn role_allows() {
    check(
        "allow r s;",
        expect![[r#"
        allow roles {r} {s}
    "#]],
    );
    check(
        "allow { r s } { t };",
        expect![[r#"
        allow roles {r s} {t}
    "#]],
    );
}

#[test]
fn xperm_rules() {
    check(
        "allowxperm a b:file ioctl 0x1;",
        expect![[r#"
        Allow {a} {b} : (file) ioctl {1}
    "#]],
    );
    check(
        "auditallowxperm a b:{ file dir } ioctl { 0x1 5-7 { 010 } };",
        expect![[r#"
        AuditAllow {a} {b} : (file dir) ioctl {1 5-7 8}
    "#]],
    );
    check(
        "dontauditxperm a self:sock nlmsg ~{ 1 2 };",
        expect![[r#"
        DontAudit {a} {self} : (sock) nlmsg ~{1 2}
    "#]],
    );
    check(
        "neverallowxperm * b:file ioctl ~0xffff;",
        expect![[r#"
        NeverAllow *{} {b} : (file) ioctl ~{65535}
    "#]],
    );
}

#[test]
fn type_rules() {
    check(
        "type_transition a b:process c;",
        expect![[r#"
        Transition {a} {b} : (process) c
    "#]],
    );
    check(
        r#"type_transition a b:{ file dir } c "x y.z";"#,
        expect![[r#"
        Transition {a} {b} : (file dir) c "x y.z"
    "#]],
    );
    check(
        "type_member a b:dir c;",
        expect![[r#"
        Member {a} {b} : (dir) c
    "#]],
    );
    check(
        "type_change a { b -c }:chr_file d;",
        expect![[r#"
        Change {a} {b -c} : (chr_file) d
    "#]],
    );
}

#[test]
fn range_transitions() {
    check(
        "range_transition a b s0;",
        expect![[r#"
        range_transition {a} {b} : () [s0: - s0:]
    "#]],
    );
    check(
        "range_transition { a b } c:{ process file } s0:c0 - s1:c0.c5,c7;",
        expect![[r#"
        range_transition {a b} {c} : (process file) [s0:c0..c0 - s1:c0..c5,c7..c7]
    "#]],
    );
    check(
        "range_transition a b - c s0 - s1;",
        expect![[r#"
        range_transition {a} {b -c} : () [s0: - s1:]
    "#]],
    );
}
