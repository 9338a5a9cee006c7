//! Every production of the grammar.

use expect_test::expect;

use super::{check, check_policy};

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
fn initial_sid_contexts() {
    check(
        "sid kernel u:r:t",
        expect![[r#"
        sid kernel u:r:t
    "#]],
    );
    check(
        r"sid kernel u:r:t:s0 - s1:c0.c5
sid file
  u:r:t:s0",
        expect![[r#"
            sid kernel u:r:t[s0: - s1:c0..c5]
            sid file u:r:t[s0: - s0:]
        "#]],
    );
}

#[test]
fn file_systems() {
    check(
        "fs_use_xattr ext4 u:r:t;",
        expect![[r#"
        fs_use Xattr ext4 u:r:t
    "#]],
    );
    check(
        "fs_use_xattr 9p u:r:t:s0;",
        expect![[r#"
        fs_use Xattr 9p u:r:t[s0: - s0:]
    "#]],
    );
    check(
        "fs_use_task pipefs u:r:t;",
        expect![[r#"
        fs_use Task pipefs u:r:t
    "#]],
    );
    check(
        "fs_use_trans tmpfs u:r:t;",
        expect![[r#"
        fs_use Trans tmpfs u:r:t
    "#]],
    );
    check(
        "fscon 3 0x10 u:r:t u:r:s",
        expect![[r#"
            fscon 3 16 u:r:t u:r:s
        "#]],
    );
}

#[test]
fn genfs() {
    check(
        "genfscon proc / u:r:t",
        expect![[r#"
        genfscon proc "/" None u:r:t
    "#]],
    );
    check(
        "genfscon 9p /a#b;{ u:r:t:s0",
        expect![[r#"
        genfscon 9p "/a#b;{" None u:r:t[s0: - s0:]
    "#]],
    );
    check(
        "genfscon proc /a -b u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Block) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -c u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Character) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -d u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Directory) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -p u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Fifo) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -l u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Link) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -s u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Socket) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -- u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Regular) u:r:t
    "#]],
    );
    check(
        r#"genfscon sysfs "/a b" - d u:r:t"#,
        expect![[r#"
        genfscon sysfs "/a b" Some(Directory) u:r:t
    "#]],
    );
}

#[test]
fn ports() {
    check(
        "portcon tcp 80 u:r:t",
        expect![[r#"
        portcon tcp 80 u:r:t
    "#]],
    );
    check(
        "portcon UDP 1-1023 u:r:t:s0 - s1",
        expect![[r#"
        portcon UDP 1-1023 u:r:t[s0: - s1:]
    "#]],
    );
    check(
        "portcon sctp 1 - 0xffff u:r:t",
        expect![[r#"
        portcon sctp 1-65535 u:r:t
    "#]],
    );
    check(
        "portcon dccp 0 u:r:t",
        expect![[r#"
        portcon dccp 0 u:r:t
    "#]],
    );
}

#[test]
fn interfaces() {
    check(
        "netifcon eth0 u:r:t u:r:s",
        expect![[r#"
        netifcon eth0 u:r:t u:r:s
    "#]],
    );
    check(
        "netifcon eth*x? u:r:t:s0 u:r:s:s0",
        expect![[r#"
        netifcon eth*x? u:r:t[s0: - s0:] u:r:s[s0: - s0:]
    "#]],
    );
    check(
        "netifcon *0 u:r:t u:r:s",
        expect![[r#"
        netifcon *0 u:r:t u:r:s
    "#]],
    );
    check(
        "netifcon 1a u:r:t u:r:s",
        expect![[r#"
        netifcon 1a u:r:t u:r:s
    "#]],
    );
    check(
        "netifcon eth-0.5 u:r:t u:r:s",
        expect![[r#"
        netifcon eth-0.5 u:r:t u:r:s
    "#]],
    );
}

#[test]
fn nodes() {
    check(
        "nodecon 10.0.0.0 255.0.0.0 u:r:t",
        expect![[r#"
        nodecon 10.0.0.0 255.0.0.0 u:r:t
    "#]],
    );
    check(
        "nodecon 10.0.0.0/8 u:r:t",
        expect![[r#"
        nodecon 10.0.0.0 255.0.0.0 u:r:t
    "#]],
    );
    check(
        "nodecon 0.0.0.0/0 u:r:t",
        expect![[r#"
        nodecon 0.0.0.0 0.0.0.0 u:r:t
    "#]],
    );
    check(
        "nodecon 10.0.0.1/32 u:r:t",
        expect![[r#"
        nodecon 10.0.0.1 255.255.255.255 u:r:t
    "#]],
    );
    check(
        "nodecon fe80:: ffff:: u:r:t:s0",
        expect![[r#"
        nodecon fe80:: ffff:: u:r:t[s0: - s0:]
    "#]],
    );
    check(
        "nodecon :: :: u:r:t",
        expect![[r#"
        nodecon :: :: u:r:t
    "#]],
    );
    check(
        "nodecon ::1/128 u:r:t",
        expect![[r#"
        nodecon ::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff u:r:t
    "#]],
    );
    check(
        "nodecon ::ffff:1.2.3.4 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff u:r:t",
        expect![[r#"
        nodecon ::ffff:1.2.3.4 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff u:r:t
    "#]],
    );
    check(
        "nodecon ::/0 u:r:t",
        expect![[r#"
        nodecon :: :: u:r:t
    "#]],
    );
}

#[test]
fn infiniband() {
    check(
        "ibpkeycon fe80:: 0xffff u:r:t",
        expect![[r#"
        ibpkeycon fe80:: 65535 u:r:t
    "#]],
    );
    check(
        "ibpkeycon fe80:: 1-2 u:r:t",
        expect![[r#"
        ibpkeycon fe80:: 1-2 u:r:t
    "#]],
    );
    check(
        "ibendportcon mlx5_0 1 u:r:t",
        expect![[r#"
        ibendportcon mlx5_0 1 u:r:t
    "#]],
    );
}

#[test]
fn xen() {
    check(
        "pirqcon 33 u:r:t",
        expect![[r#"
        pirqcon 33 u:r:t
    "#]],
    );
    check(
        "iomemcon 0xffffffffff-0xffffffffffff u:r:t",
        expect![[r#"
        iomemcon 1099511627775-281474976710655 u:r:t
    "#]],
    );
    check(
        "iomemcon 5 u:r:t",
        expect![[r#"
        iomemcon 5 u:r:t
    "#]],
    );
    check(
        "ioportcon 0xeac0-0xeadf u:r:t",
        expect![[r#"
        ioportcon 60096-60127 u:r:t
    "#]],
    );
    check(
        "pcidevicecon 0xc800 u:r:t",
        expect![[r#"
        pcidevicecon 51200 u:r:t
    "#]],
    );
    check(
        r#"devicetreecon "/a,b@0" u:r:t"#,
        expect![[r#"
        devicetreecon "/a,b@0" u:r:t
    "#]],
    );
    check(
        "devicetreecon /a u:r:t",
        expect![[r#"
        devicetreecon "/a" u:r:t
    "#]],
    );
}

#[test]
fn blanks_and_comments() {
    check(
        r#"	type a;# type b;
 type c ;;; # { "
# ä"#,
        expect![[r#"
            type a alias () , ()
            type c alias () , ()
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

#[test]
fn line_marks() {
    check(
        r#"#line 7 "x.te"
type a
type b;
#line 3
?
"#,
        expect![[r#"
            type a alias () , ()
            type b alias () , ()
            x.te:7:7: E0203 a semicolon is missing
            x.te:3:1: E0201 expected a statement, found `?`
        "#]],
    );
}

#[test]
fn unknown_calls() {
    check(
        r"foo(a, { b c })
bar()
baz( )
type a;
optional { qux(`a, b', (c, d)); }
if (x) { quux(# ,)
 a); }",
        expect![[r#"
            type a alias () , ()
            optional
            if [x]
            else
            1:1: call of foo/2
            2:1: call of bar/0
            3:1: call of baz/0
            5:12: call of qux/2
            6:10: call of quux/1
        "#]],
    );
}
