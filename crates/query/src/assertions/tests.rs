//! Assertions on a small policy: what holds, what breaks, what is no assertion.

use expect_test::{Expect, expect};
use mandate_policydb::Unvalidated;
use mandate_server::Engine;

use super::*;
use crate::testing::{policy, policy_with_levels};

const RULES: &str = "
allow a_t files:file { read open };
allow b_t x_t:file { write append };
if (off) { allow a_t y_t:file write; }
allow a_t a_exec_t:file execute;
allow b_t b_exec_t:file entrypoint;
allow a_t b_exec_t:file execute;
allow a_t b_t:process transition;
type_transition a_t b_exec_t:process b_t;
type_transition a_t a_exec_t:process b_t;
type_transition a_t x_t:file y_t;
type_transition a_t x_t:file security_t \"shadow\";
allow u_t a_exec_t:file append;
allow domain self:process signal;
";

fn check(text: &str, expected: Expect) {
    check_of(Unvalidated::from_db(policy(RULES)), text, expected);
}

fn check_of(policy: Unvalidated, text: &str, expected: Expect) {
    let engine = Engine::new(policy.validate().unwrap()).unwrap();
    let checked = AssertionFile::parse("test.toml", text).map_err(|it| vec![it]);
    let mut shown = String::new();
    match checked.and_then(|it| it.check(&engine)) {
        Ok(verdicts) => verdicts.iter().for_each(|it| show(&engine, it, &mut shown)),
        Err(errors) => errors.iter().for_each(|it| shown += &format!("{it}\n")),
    }
    expected.assert_eq(&shown);
}

fn show(engine: &Engine, it: &Verdict, to: &mut String) {
    let verdict = if it.holds() { "ok" } else { "FAIL" };
    *to += &format!("{verdict} {} {}: {}\n", it.line, it.kind, it.claim);
    for breach in &it.breaches {
        *to += &format!("  {}\n", breach.text);
        let rules = breach.rules.iter().filter_map(|it| it.0.rule(engine.db()));
        rules.for_each(|it| *to += &format!("    {}\n", engine.db().rule_to_string(it)));
    }
}

#[test]
fn decisions() {
    check(
        r#"
[[can]]
source = "a_t"
target = "x_t"
class = "file"
permissions = ["read", "open"]
[[can]]
source = "a_t"
target = "y_t"
class = "file"
permissions = "write"
[[can]]
source = "alias_t"
target = "y_t"
class = "file"
permissions = "write"
booleans = { off = true }
[[cannot]]
source = "a_t"
target = "x_t"
class = "file"
permissions = ["read", "write"]
[[can]]
source = "u_u:a_r:a_t"
target = "u_u:object_r:x_t"
class = "file"
permissions = "read"
"#,
        expect![[r#"
            ok 2 can: a_t x_t file read and open
            FAIL 7 can: a_t y_t file write
              a_t may not write file of y_t: no allow rule applies; booleans turn off
                allow a_t y_t:file write;
            ok 12 can: alias_t y_t file write
            FAIL 18 cannot: a_t x_t file read and write
              a_t may read file of x_t
                allow a_t files:file { read open };
            ok 23 can: u_u:a_r:a_t u_u:object_r:x_t file read
        "#]],
    );
}

#[test]
fn transitions() {
    check(
        r#"
[[transition]]
source = "a_t"
target = "b_exec_t"
becomes = "b_t"
[[transition]]
source = "a_t"
target = "a_exec_t"
becomes = "b_t"
[[transition]]
source = "a_t"
target = "x_t"
class = "file"
becomes = "y_t"
[[transition]]
source = "a_t"
target = "x_t"
class = "file"
filename = "shadow"
becomes = "y_t"
[[transition]]
source = "u_u:a_r:a_t"
target = "u_u:object_r:b_exec_t"
becomes = "u_u:a_r:b_t"
"#,
        expect![[r#"
            ok 2 transition: a_t b_exec_t process becomes b_t
            FAIL 6 transition: a_t a_exec_t process becomes b_t
              b_t may not entrypoint file of a_exec_t: no allow rule applies
            ok 10 transition: a_t x_t file becomes y_t
            FAIL 15 transition: a_t x_t file "shadow" becomes y_t
              it becomes security_t, not y_t
            ok 21 transition: u_u:a_r:a_t u_u:object_r:b_exec_t process becomes u_u:a_r:b_t
        "#]],
    );
}

#[test]
fn contexts_for_users_and_members() {
    check_of(
        Unvalidated::from_db(policy(
            "type_change a_t x_t:file y_t; type_member a_t x_t:dir security_t;",
        )),
        r#"
[[transition]]
kind = "type_change"
source = "a_t"
target = "x_t"
class = "file"
becomes = "y_t"
[[transition]]
kind = "type_member"
source = "a_t"
target = "x_t"
class = "dir"
becomes = "y_t"
"#,
        expect![[r#"
            ok 2 transition: type_change a_t x_t file becomes y_t
            FAIL 8 transition: type_member a_t x_t dir becomes y_t
              it becomes security_t, not y_t
        "#]],
    );
}

#[test]
fn commands() {
    let rules = "
allow a_t { x_t y_t }:chr_file { ioctl read };
allowxperm a_t x_t:chr_file ioctl { 0x5401 0x8910-0x8913 };
allow u_t self:chr_file ioctl;
if (off) { allowxperm a_t x_t:chr_file ioctl 0x5412; }
";
    check_of(
        Unvalidated::from_db(policy(rules)),
        r#"
[[can]]
source = "a_t"
target = "x_t"
class = "chr_file"
permissions = "read"
xperm = ["ioctl=0x5401", "ioctl=0x8910-0x8913"]
[[can]]
source = "a_t"
target = "x_t"
class = "chr_file"
xperm = ["ioctl=0x5412", "ioctl=0x8912-0x8914"]
[[can]]
source = "a_t"
target = "x_t"
class = "chr_file"
xperm = "ioctl=0x5412"
booleans = { off = true }
[[can]]
source = "b_t"
target = "x_t"
class = "chr_file"
xperm = "ioctl=0x5401"
[[cannot]]
source = "a_t"
target = "x_t"
class = "chr_file"
xperm = ["ioctl=21522", "ioctl=0x8900-0x89ff"]
[[cannot]]
source = "a_t"
target = "y_t"
class = "chr_file"
xperm = "ioctl=0x5412"
[[neverallow]]
source = "a_t"
target = "*"
class = "chr_file"
xperm = "ioctl=0x5412"
[[neverallow]]
source = "a_t"
target = ["*", "-y_t"]
class = "chr_file"
xperm = "ioctl=0x5412"
booleans = {}
[[only]]
domains = "a_t"
target = ["files", "self"]
class = "chr_file"
xperm = "ioctl=0x5412"
"#,
        expect![[r#"
            ok 2 can: a_t x_t chr_file read, ioctl=0x5401 and ioctl=0x8910-0x8913
            FAIL 8 can: a_t x_t chr_file ioctl=0x5412 and ioctl=0x8912-0x8914
              a_t may not ioctl 0x5412 chr_file of x_t: no allowxperm rule names it
                allowxperm a_t x_t:chr_file ioctl 0x5412;
              a_t may not ioctl 0x8914 chr_file of x_t: no allowxperm rule names it
            ok 13 can: a_t x_t chr_file ioctl=0x5412
            FAIL 19 can: b_t x_t chr_file ioctl=0x5401
              b_t may not ioctl chr_file of x_t: no allow rule applies
            FAIL 24 cannot: a_t x_t chr_file ioctl=21522 and ioctl=0x8900-0x89ff
              a_t may ioctl 0x8910 chr_file of x_t
                allowxperm a_t x_t:chr_file ioctl 0x8910-0x8913;
                allow a_t x_t:chr_file { read ioctl };
            FAIL 29 cannot: a_t y_t chr_file ioctl=0x5412
              a_t may ioctl 0x5412 chr_file of y_t
                allow a_t y_t:chr_file { read ioctl };
            FAIL 34 neverallow: a_t *:chr_file { ioctl=0x5412 }
              a_t may ioctl 0x5412 chr_file of x_t
                allow a_t x_t:chr_file { read ioctl };
              a_t may ioctl 0x5412 chr_file of y_t
                allow a_t y_t:chr_file { read ioctl };
            ok 39 neverallow: a_t * -y_t:chr_file { ioctl=0x5412 }
            FAIL 45 only: a_t: ioctl=0x5412 chr_file of files and self
              u_t may ioctl 0x5412 chr_file of itself
                allow u_t u_t:chr_file ioctl;
        "#]],
    );
}

#[test]
fn changes_of_labels() {
    let constraints = "mlsvalidatetrans file (l1 eq l2 or t3 == mlsfilewrite);";
    check_of(
        Unvalidated::from_db(policy_with_levels(
            constraints,
            "typeattribute b_t mlsfilewrite; allow a_t x_t:file read;",
        )),
        r#"
[[relabel]]
source = "u_u:a_r:a_t:s0"
from = "u_u:object_r:x_t:s0"
to = "u_u:object_r:x_t:s1"
class = "file"
allowed = false
[[relabel]]
source = "u_u:a_r:b_t:s0"
from = "u_u:object_r:x_t:s0"
to = "u_u:object_r:x_t:s1"
class = "file"
allowed = false
[[relabel]]
source = "u_u:a_r:a_t:s0"
from = "u_u:object_r:x_t:s0"
to = "u_u:object_r:x_t:s1"
class = "file"
allowed = true
"#,
        expect![[r#"
            ok 2 relabel: u_u:a_r:a_t:s0 may not relabel file from u_u:object_r:x_t:s0 to u_u:object_r:x_t:s1
            FAIL 8 relabel: u_u:a_r:b_t:s0 may not relabel file from u_u:object_r:x_t:s0 to u_u:object_r:x_t:s1
              every constraint holds
            FAIL 14 relabel: u_u:a_r:a_t:s0 may relabel file from u_u:object_r:x_t:s0 to u_u:object_r:x_t:s1
              a constraint does not hold, mlsvalidatetrans file ( (l1 eq l2) or (t3 == mlsfilewrite) )
        "#]],
    );
}

#[test]
fn sets() {
    check(
        r#"
[[only]]
domains = ["b_t"]
target = "files"
class = "file"
permissions = ["write", "append"]
[[only]]
domains = "b_t"
target = "files"
class = "file"
permissions = ["write", "append"]
booleans = {}
[[neverallow]]
source = ["*", "-u_t"]
target = "*"
class = ["file", "process"]
permissions = "*"
booleans = { on = false }
[[neverallow]]
source = "domain"
target = "self"
class = "process"
permissions = "signal"
[[neverallow]]
source = "a_t"
target = ["*", "-files"]
class = "file"
permissions = "write"
[[read_only_executables]]
[[read_only_executables]]
except_writers = "unconfined_domain_type"
"#,
        expect![[r#"
            FAIL 2 only: b_t: write and append file of files
              a_t may write file of y_t
                allow a_t y_t:file write;
            ok 7 only: b_t: write and append file of files
            FAIL 13 neverallow: * -u_t *:file process { * }
              a_t may read and open file of x_t and y_t
                allow a_t files:file { read open };
              a_t may execute file of a_exec_t
                allow a_t a_exec_t:file execute;
              a_t may execute file of b_exec_t
                allow a_t b_exec_t:file execute;
              b_t may write and append file of x_t
                allow b_t x_t:file { write append };
              b_t may entrypoint file of b_exec_t
                allow b_t b_exec_t:file entrypoint;
              kernel_t may signal process of kernel_t
                allow kernel_t kernel_t:process signal;
              a_t may signal process of a_t
                allow a_t a_t:process signal;
              a_t may transition process of b_t
                allow a_t b_t:process transition;
              b_t may signal process of b_t
                allow b_t b_t:process signal;
            FAIL 19 neverallow: domain self:process { signal }
              kernel_t may signal process of itself
                allow kernel_t kernel_t:process signal;
              a_t may signal process of itself
                allow a_t a_t:process signal;
              b_t may signal process of itself
                allow b_t b_t:process signal;
              u_t may signal process of itself
                allow u_t u_t:process signal;
            ok 24 neverallow: a_t * -files:file { write }
            FAIL 29 read_only_executables: files that are executed are not written
              a_exec_t is written by u_t and executed by a_t
                allow u_t a_exec_t:file append;
            ok 30 read_only_executables: files that are executed are not written
        "#]],
    );
}

#[test]
fn counts() {
    check(
        r#"
[[empty_attribute]]
attribute = "empty_attr"
[[empty_attribute]]
attribute = "files"
[[rule_count]]
kind = "allow"
source = "a_t"
class = "file"
exactly = 4
[[rule_count]]
kind = "type_transition"
at_least = 2
at_most = 2
"#,
        expect![[r#"
            ok 2 empty_attribute: empty_attr
            FAIL 4 empty_attribute: files
              files has x_t and y_t
            ok 6 rule_count: exactly 4 rules allow a_t file
            FAIL 11 rule_count: at least 2 and at most 2 rules type_transition
              there are 3 rules, not at least 2 and at most 2
        "#]],
    );
}

#[test]
fn unknown_names_and_keys_are_errors() {
    check(
        "[[can]]\nsource = \"a_t\"\ntarget = 3\n",
        expect![[r#"
            test.toml:3:10: target: invalid type: integer `3`, expected a string
        "#]],
    );
    check(
        "[[can]]\nsource = \"a_t\"\n",
        expect![[r#"
        test.toml:1:1: missing field `target`
    "#]],
    );
    check(
        "[[may]]\nsource = \"a_t\"\n",
        expect![[r#"
            test.toml:1:3: unknown field `may`, expected one of `policy`, `build`, `can`, `cannot`, `transition`, `relabel`, `no_flow`, `only`, `neverallow`, `empty_attribute`, `read_only_executables`, `rule_count`
        "#]],
    );
    check(
        "cannot = [\n    { source = \"a_t\", target = \"x_t\", class = [\"file\"], permissions = \"read\" },\n]\n",
        expect![[r#"
            test.toml:2:47: class: invalid type: sequence, expected a string
        "#]],
    );
    check(
        r#"
[[can]]
source = "a_t"
target = "x_t"
class = "chr_file"
[[can]]
source = "a_t"
target = "x_t"
class = "chr_file"
xperm = "ioctl=0x10000"
[[can]]
source = "a_t"
target = "x_t"
class = "chr_file"
xperm = "iotcl=1"
[[cannot]]
source = "a_t"
target = "x_t"
class = "chr_file"
xperm = "ioctl=2-1"
[[cannot]]
source = "a_t"
target = "x_t"
class = "file"
xperm = "ioctl=2"
[[transition]]
kind = "type_chang"
source = "a_t"
target = "x_t"
class = "file"
becomes = "y_t"
[[relabel]]
source = "a_t"
from = "u_u:object_r:x_t"
to = "u_u:object_r:y_t"
class = "file"
allowed = true
"#,
        expect![[r#"
            test.toml:2:1: expected permissions, or xperm
            test.toml:10:9: expected a number up to 0xffff, found "0x10000"
            test.toml:15:9: expected ioctl or nlmsg before =, found "iotcl"
            test.toml:20:9: "ioctl=2-1" is an empty range
            test.toml:25:9: class file has no permission "ioctl"
            test.toml:27:8: no kind of rule "type_chang"; expected one of type_transition, type_member, type_change
            test.toml:33:10: expected a context: the constraints look at users, roles and levels
        "#]],
    );
    check(
        "[[empty_attribute]]\nattribute = \"x\"\nname = \"n\"\nwhy = \"x\"\n",
        expect![[r#"
        test.toml:4:1: unknown field `why`, expected `name` or `attribute`
    "#]],
    );
    check(
        "[[empty_attribute]]\nattribute = \n",
        expect![[r#"
            test.toml:2:13: attribute: string values must be quoted, expected literal string
        "#]],
    );
    check(
        r#"
[[cannot]]
source = "a_t"
target = "nowhere_t"
class = "file"
permissions = "read"
[[cannot]]
source = "a_t"
target = "u_u:object_r:x_t"
class = "file"
permissions = "read"
[[cannot]]
source = "files"
target = "x_t"
class = "file"
permissions = "read"
[[cannot]]
source = "a_t"
target = "x_t"
class = "file"
permissions = ["read", "raed"]
[[cannot]]
source = "a_t"
target = "x_t"
class = "file"
permissions = []
[[can]]
source = "a_t"
target = "x_t"
class = "file"
permissions = "read"
booleans = { on = true, offf = true }
[[rule_count]]
kind = "allow"
[[rule_count]]
kind = "alow"
exactly = 1
[[neverallow]]
source = "empty_attr"
target = "x_t"
class = "file"
permissions = "write"
[[can]]
source = "u_u:a_r:u_t"
target = "u_u:object_r:x_t"
class = "file"
permissions = "read"
"#,
        expect![[r#"
            test.toml:4:10: the policy has no type "nowhere_t"
            test.toml:9:10: source and target are both types or both contexts: a type has no user, role and level
            test.toml:13:10: files is an attribute, not a type
            test.toml:21:15: class file has no permission "raed"
            test.toml:26:15: expected a name at least
            test.toml:32:25: the policy has no boolean "offf"
            test.toml:34:8: expected one of exactly, at_most, at_least
            test.toml:36:8: no kind of rule "alow"; expected one of allow, auditallow, dontaudit, type_transition, type_member, type_change, allowxperm, auditallowxperm, dontauditxperm
            test.toml:39:10: no type is meant, so that nothing would be tested
            test.toml:44:10: "u_u:a_r:u_t": role a_r may not have type u_t
        "#]],
    );
}

#[test]
fn without_files_nothing_is_said_of_executables() {
    let xen = include_bytes!("../../../../policies/micro/xen/policy.bin");
    check_of(
        Unvalidated::read(xen).unwrap(),
        "\n[[read_only_executables]]\n",
        expect![[r#"
            test.toml:2:1: the policy has no class "file"
        "#]],
    );
}

#[test]
fn flows() {
    check(
        r#"
[[no_flow]]
from = "a_t"
to = "b_t"
[[no_flow]]
from = "b_t"
to = "a_t"
[[no_flow]]
from = "b_t"
to = "a_t"
except = ["x_t"]
[[no_flow]]
from = "b_t"
to = "a_t"
min_weight = 10
"#,
        expect![[r#"
            FAIL 2 no_flow: nothing from a_t to b_t
              information flows by a_t → b_t
                allow a_t b_t:process transition;
            FAIL 5 no_flow: nothing from b_t to a_t
              information flows by b_t → x_t → a_t
                allow b_t x_t:file { write append };
                allow a_t files:file { read open };
            ok 8 no_flow: nothing from b_t to a_t, but through x_t
            FAIL 12 no_flow: nothing from b_t to a_t
              information flows by b_t → x_t → a_t
                allow b_t x_t:file { write append };
                allow a_t files:file { read open };
        "#]],
    );
    check(
        r#"
[[no_flow]]
from = "a_t"
to = "x_t"
except = ["files"]
[[no_flow]]
from = "a_t"
to = "a_t"
[[no_flow]]
from = "a_t"
to = "x_t"
min_weight = 11
"#,
        expect![[r#"
            test.toml:5:10: an end of the flow is excepted, so that nothing would be tested
            test.toml:8:6: a flow leads from one type to another; both ends are the same
            test.toml:12:14: 11 is no weight; expected 1 to 10
        "#]],
    );
}
