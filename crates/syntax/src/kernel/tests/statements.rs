//! Every production of the grammar.

use expect_test::expect;

use super::{check, check_policy};

#[test]
fn av_rules() {
    check("allow a b:file read;", expect![[]]);
    check("ALLOW a b : file read ;", expect![[]]);
    check("auditallow a b:file read;", expect![[]]);
    check("auditdeny a b:file read;", expect![[]]);
    check("dontaudit a b:file ~{ read write };", expect![[]]);
    check("neverallow * ~{ a b }:{ file dir } *;", expect![[]]);
    check("allow { a { b -c } } { self d }:{ file { dir fd } } { read { write } };", expect![[]]);
    check("neverallow a - b ~c:file ~read;", expect![[]]);
    check("allow a-b.c_1 self:file read;", expect![[]]);
}

#[test]
fn role_allows() {
    check("allow r s;", expect![[]]);
    check("allow { r s } { t };", expect![[]]);
}

#[test]
fn xperm_rules() {
    check("allowxperm a b:file ioctl 0x1;", expect![[]]);
    check("auditallowxperm a b:{ file dir } ioctl { 0x1 5-7 { 010 } };", expect![[]]);
    check("dontauditxperm a self:sock nlmsg ~{ 1 2 };", expect![[]]);
    check("neverallowxperm * b:file ioctl ~0xffff;", expect![[]]);
}

#[test]
fn type_rules() {
    check("type_transition a b:process c;", expect![[]]);
    check(r#"type_transition a b:{ file dir } c "x y.z";"#, expect![[]]);
    check("type_member a b:dir c;", expect![[]]);
    check("type_change a { b -c }:chr_file d;", expect![[]]);
}

#[test]
fn range_transitions() {
    check("range_transition a b s0;", expect![[]]);
    check("range_transition { a b } c:{ process file } s0:c0 - s1:c0.c5,c7;", expect![[]]);
    check("range_transition a b - c s0 - s1;", expect![[]]);
}

#[test]
fn types() {
    check("attribute x;", expect![[]]);
    check("type a;", expect![[]]);
    check("type a, x, y;", expect![[]]);
    check("type a alias b;", expect![[]]);
    check("type a alias { b c }, x;", expect![[]]);
    check("typealias a alias { b c };", expect![[]]);
    check("typeattribute a x, y;", expect![[]]);
    check("typebounds a b, c;", expect![[]]);
    check("permissive a;", expect![[]]);
    check("neveraudit a;", expect![[]]);
    check("expandattribute { x y } true;", expect![[]]);
    check("expandattribute x FALSE;", expect![[]]);
}

#[test]
fn booleans() {
    check("bool a true;", expect![[]]);
    check("tunable a FALSE;", expect![[]]);
}

#[test]
fn roles() {
    check("role r;", expect![[]]);
    check("role r types { a -b };", expect![[]]);
    check("role r, x, y;", expect![[]]);
    check("attribute_role x;", expect![[]]);
    check("roleattribute r x, y;", expect![[]]);
    check("role_transition r a s;", expect![[]]);
    check("role_transition { r s } { a b }:{ process file } t;", expect![[]]);
}

#[test]
fn role_dominance() {
    check("dominance { role a; }", expect![[]]);
    check("dominance { role a { role b; role c { role d; } } role e; }", expect![[]]);
}

#[test]
fn users() {
    check("user u roles r;", expect![[]]);
    check("user u roles { r s };", expect![[]]);
    check("user u roles r level s0 range s0 - s1:c0.c5;", expect![[]]);
    check("user u roles r level s0:c1,c2 range s0;", expect![[]]);
    check("user u prefix staff;", expect![[]]);
}

#[test]
fn modules() {
    check("module m 1.0.0;", expect![[]]);
    check("module m 1;", expect![[]]);
    check("module m 10.0.0.1;", expect![[]]);
    check("module m 1.a_b;", expect![[]]);
    check("module m;", expect![[]]);
}

#[test]
fn requires() {
    check(
        "require { type a, b; attribute c; role r; attribute_role s; class file { read write }; class dir search; bool x; tunable y; user u; sensitivity s0; category c0, c1; }",
        expect![[]],
    );
}

#[test]
fn optionals() {
    check("optional { type a; }", expect![[]]);
    check(
        "optional { require { type a; } allow a b:file read; optional { ; } else { type c; } user u roles r; } else { type d; }",
        expect![[]],
    );
}

#[test]
fn conditionals() {
    check("if a { }", expect![[]]);
    check(
        "if (a && b || !c) { allow a b:file read; } else { dontaudit a b:file read; }",
        expect![[]],
    );
    check(
        "if (x) { require { type a; } type_transition a b:process c; allowxperm a b:file ioctl 1; }",
        expect![[]],
    );
}

#[test]
fn conditions() {
    check("if (a or b and c) {}", expect![[]]);
    check("if (a ^ b || c xor d and e) {}", expect![[]]);
    check("if (!a == b) {}", expect![[]]);
    check("if (a == !b == c) {}", expect![[]]);
    check("if (not (a or b) != c) {}", expect![[]]);
    check("if (a eq b) {}", expect![[]]);
    check("if ((((a)))) {}", expect![[]]);
    check("if (not not a) {}", expect![[]]);
    check("if (a or b or c) {}", expect![[]]);
}

#[test]
fn constraints() {
    check("constrain file read u1 == u2;", expect![[]]);
    check(
        "constrain { file dir } { read write } (u1 == u2 or t1 == { a b }) and not r1 dom r2;",
        expect![[]],
    );
    check("mlsconstrain file ~read l1 dom l2 and h1 domby h2 or l1 incomp h2;", expect![[]]);
    check("validatetrans file t3 == a;", expect![[]]);
    check("mlsvalidatetrans { file dir } u1 != u2 and l1 eq l2;", expect![[]]);
    check("constrain file * ! t1 != ~{ a b } && t2 == * || u3 == ~u;", expect![[]]);
}

#[test]
fn constraint_operands() {
    check("constrain f p u1 == u;", expect![[]]);
    check("constrain f p u2 == u;", expect![[]]);
    check("constrain f p r2 != { r };", expect![[]]);
    check("constrain f p r3 == r;", expect![[]]);
    check("constrain f p t2 == t;", expect![[]]);
    check("constrain f p t1 == t2;", expect![[]]);
    check("constrain f p r1 incomp r2;", expect![[]]);
    check("constrain f p r1 == r;", expect![[]]);
    check("constrain f p h1 dom l2;", expect![[]]);
    check("constrain f p l1 eq h1;", expect![[]]);
    check("constrain f p l2 != h2;", expect![[]]);
    check("constrain f p l1 == h2;", expect![[]]);
}

#[test]
fn old_constraint_operands() {
    check("constrain f p sameuser;", expect![[]]);
    check("constrain f p source role { r s };", expect![[]]);
    check("constrain f p target role r;", expect![[]]);
    check("constrain f p role dom;", expect![[]]);
    check("constrain f p source type a;", expect![[]]);
    check("constrain f p target type ~{ a b };", expect![[]]);
}

#[test]
fn classes() {
    check("class file", expect![[]]);
    check("common file { read write }", expect![[]]);
    check("class file { read }", expect![[]]);
    check("class file inherits file", expect![[]]);
    check("class file inherits file { open }", expect![[]]);
    check(
        r"sid kernel
sid file",
        expect![[]],
    );
    check("default_user file source;", expect![[]]);
    check("default_role { file dir } target;", expect![[]]);
    check("default_type file source;", expect![[]]);
    check("default_range file source low;", expect![[]]);
    check("default_range file target low-high;", expect![[]]);
    check("default_range file source HIGH;", expect![[]]);
    check("default_range file glblub;", expect![[]]);
}

#[test]
fn mls() {
    check("sensitivity s0;", expect![[]]);
    check("sensitivity s0 alias { low_ x };", expect![[]]);
    check("category c0 alias x;", expect![[]]);
    check("category c0;", expect![[]]);
    check("dominance s0", expect![[]]);
    check("dominance { s0 s1 }", expect![[]]);
    check("level s0;", expect![[]]);
    check("level s0:c0.c1023,c2000;", expect![[]]);
}

#[test]
fn capabilities() {
    check("policycap open_perms;", expect![[]]);
}

#[test]
fn initial_sid_contexts() {
    check("sid kernel u:r:t", expect![[]]);
    check(
        r"sid kernel u:r:t:s0 - s1:c0.c5
sid file
  u:r:t:s0",
        expect![[]],
    );
}

#[test]
fn file_systems() {
    check("fs_use_xattr ext4 u:r:t;", expect![[]]);
    check("fs_use_xattr 9p u:r:t:s0;", expect![[]]);
    check("fs_use_task pipefs u:r:t;", expect![[]]);
    check("fs_use_trans tmpfs u:r:t;", expect![[]]);
    check("fscon 3 0x10 u:r:t u:r:s", expect![[]]);
}

#[test]
fn genfs() {
    check("genfscon proc / u:r:t", expect![[]]);
    check("genfscon 9p /a#b;{ u:r:t:s0", expect![[]]);
    check("genfscon proc /a -b u:r:t", expect![[]]);
    check("genfscon proc /a -c u:r:t", expect![[]]);
    check("genfscon proc /a -d u:r:t", expect![[]]);
    check("genfscon proc /a -p u:r:t", expect![[]]);
    check("genfscon proc /a -l u:r:t", expect![[]]);
    check("genfscon proc /a -s u:r:t", expect![[]]);
    check("genfscon proc /a -- u:r:t", expect![[]]);
    check(r#"genfscon sysfs "/a b" - d u:r:t"#, expect![[]]);
}

#[test]
fn ports() {
    check("portcon tcp 80 u:r:t", expect![[]]);
    check("portcon UDP 1-1023 u:r:t:s0 - s1", expect![[]]);
    check("portcon sctp 1 - 0xffff u:r:t", expect![[]]);
    check("portcon dccp 0 u:r:t", expect![[]]);
}

#[test]
fn interfaces() {
    check("netifcon eth0 u:r:t u:r:s", expect![[]]);
    check("netifcon eth*x? u:r:t:s0 u:r:s:s0", expect![[]]);
    check("netifcon *0 u:r:t u:r:s", expect![[]]);
    check("netifcon 1a u:r:t u:r:s", expect![[]]);
    check("netifcon eth-0.5 u:r:t u:r:s", expect![[]]);
}

#[test]
fn nodes() {
    check("nodecon 10.0.0.0 255.0.0.0 u:r:t", expect![[]]);
    check("nodecon 10.0.0.0/8 u:r:t", expect![[]]);
    check("nodecon 0.0.0.0/0 u:r:t", expect![[]]);
    check("nodecon 10.0.0.1/32 u:r:t", expect![[]]);
    check("nodecon fe80:: ffff:: u:r:t:s0", expect![[]]);
    check("nodecon :: :: u:r:t", expect![[]]);
    check("nodecon ::1/128 u:r:t", expect![[]]);
    check("nodecon ::ffff:1.2.3.4 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff u:r:t", expect![[]]);
    check("nodecon ::/0 u:r:t", expect![[]]);
}

#[test]
fn infiniband() {
    check("ibpkeycon fe80:: 0xffff u:r:t", expect![[]]);
    check("ibpkeycon fe80:: 1-2 u:r:t", expect![[]]);
    check("ibendportcon mlx5_0 1 u:r:t", expect![[]]);
}

#[test]
fn xen() {
    check("pirqcon 33 u:r:t", expect![[]]);
    check("iomemcon 0xffffffffff-0xffffffffffff u:r:t", expect![[]]);
    check("iomemcon 5 u:r:t", expect![[]]);
    check("ioportcon 0xeac0-0xeadf u:r:t", expect![[]]);
    check("pcidevicecon 0xc800 u:r:t", expect![[]]);
    check(r#"devicetreecon "/a,b@0" u:r:t"#, expect![[]]);
    check("devicetreecon /a u:r:t", expect![[]]);
}

#[test]
fn blanks_and_comments() {
    check(
        r#"	type a;# type b;
 type c ;;; # { "
# ä"#,
        expect![[]],
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
        expect![[]],
    );
    check_policy(
        r"module m 1;
require { type t; }
type s;
user u roles r;
",
        expect![[]],
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
        expect![[]],
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
        expect![[]],
    );
}
