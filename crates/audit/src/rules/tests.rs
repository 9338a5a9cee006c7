use expect_test::{Expect, expect};

use super::{Rules, Transition};
use crate::{Access, Object};

fn access(source: &str, target: &str, class: &str, permissions: &str) -> Access {
    Access {
        denied: true,
        scontext: format!("system_u:system_r:{source}:s0"),
        tcontext: format!("system_u:object_r:{target}:s0"),
        tclass: class.to_owned(),
        permissions: permissions.split_whitespace().map(str::to_owned).collect(),
        ..Access::default()
    }
}

fn check(rules: &Rules, te: Expect, cil: Expect) {
    te.assert_eq(&rules.to_module("local", "1.0"));
    cil.assert_eq(&rules.to_cil());
}

#[test]
fn permissions_of_the_same_pair_are_one_rule_and_self_is_self() {
    let accesses = [
        access("b_t", "c_t", "file", "write read"),
        access("b_t", "b_t", "process", "execmem"),
        access("b_t", "c_t", "file", "read open"),
        access("a_t", "c_t", "dir", "search"),
    ];
    let rules = Rules::of(&accesses);
    check(
        &rules,
        expect![[r#"

            module local 1.0;

            require {
            	type a_t;
            	type b_t;
            	type c_t;
            	class dir search;
            	class file { open read write };
            	class process execmem;
            }

            #============= a_t ==============
            allow a_t c_t:dir search;

            #============= b_t ==============
            allow b_t c_t:file { open read write };
            allow b_t self:process execmem;
        "#]],
        expect![[r#"
            (allow a_t c_t (dir (search)))
            (allow b_t c_t (file (open read write)))
            (allow b_t self (process (execmem)))
        "#]],
    );
}

#[test]
fn commands_transitions_and_roles() {
    let mut ioctl = access("b_t", "c_t", "chr_file", "ioctl");
    ioctl.object = Object { ioctl: Some(0x5401), ..Object::default() };
    let mut rules = Rules::of([&ioctl]);
    rules.add_xperm(&ioctl);
    for command in [0x5402, 0x8910] {
        ioctl.object.ioctl = Some(command);
        rules.add_xperm(&ioctl);
    }
    rules.transitions.insert(Transition {
        source: "b_t".to_owned(),
        target: "tmp_t".to_owned(),
        class: "sock_file".to_owned(),
        result: "b_tmp_t".to_owned(),
        name: Some("bus".to_owned()),
    });
    rules.role_allows.insert(("a_r".to_owned(), "b_r".to_owned()));
    rules.role_types.insert(("b_r".to_owned(), "b_t".to_owned()));
    check(
        &rules,
        expect![[r#"

            module local 1.0;

            require {
            	type b_t;
            	type b_tmp_t;
            	type c_t;
            	type tmp_t;
            	role a_r;
            	role b_r;
            	class chr_file ioctl;
            	class sock_file create;
            }

            #============= b_t ==============
            allow b_t c_t:chr_file ioctl;
            allowxperm b_t c_t:chr_file ioctl { 0x5401-0x5402 0x8910 };

            #============= ROLES AND TRANSITIONS ==============
            type_transition b_t tmp_t:sock_file b_tmp_t "bus";
            allow a_r b_r;
            role b_r types b_t;
        "#]],
        expect![[r#"
            (allow b_t c_t (chr_file (ioctl)))
            (allowx b_t c_t (ioctl chr_file ((range 0x5401 0x5402) 0x8910)))
            (typetransition b_t tmp_t sock_file "bus" b_tmp_t)
            (roleallow a_r b_r)
            (roletype b_r b_t)
        "#]],
    );
}

#[test]
fn a_record_without_a_class_makes_no_rule() {
    assert!(Rules::of([&access("b_t", "c_t", "", "read")]).is_empty());
    assert!(Rules::of([&access("b_t", "c_t", "file", "")]).is_empty());
}
