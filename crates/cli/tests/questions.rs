//! Questions as a user asks them: sentence and table, JSON, names that the policy does not have.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{check, policy, repository, run};
use expect_test::{Expect, expect};

fn ask(words: &[&str], expected: Expect) {
    check(&[&["mandate", "query"], words].concat(), 0, expected);
}

#[test]
fn one_domain_is_told_as_one() {
    let (_, out, _) = run(&["mandate", "query", "user", &policy(), "bob"]);
    assert!(out.contains("\nuser_r (1 domain): user_t\n"), "{out}");
}

#[test]
fn answers_begin_with_what_was_counted() {
    let policy = policy();
    ask(
        &["wx", &policy],
        expect![[r#"
        0 of 5 domains may write or append to, create and execute files of one type, 0 of them confined; execmem 0, execstack 0, execheap 0, execmod 0.
    "#]],
    );
    ask(
        &["unconfined", &policy],
        expect![[r#"
        0 of 5 domains are unconfined; 0 more types are so towards some kinds of objects.
    "#]],
    );
    ask(
        &["permissive", &policy],
        expect![[r#"
            No type is permissive, none of 5 domains.
        "#]],
    );
    ask(
        &["role", &policy, "system_r"],
        expect![[r#"
        system_r may have 3 types, 3 of them domains; 1 user may have it, and it may become 0 other roles.

        users (1): system_u
        comes from (1): sysadm_r
        domains (3): httpd_t init_t kernel_t
    "#]],
    );
    ask(
        &["user", &policy, "system_u"],
        expect![[r#"
        system_u has 1 role and 3 domains in the range s0-s1:c0.c3; 1 type of programs start a domain from another one of the same role.

        system_r (3 domains): httpd_t init_t kernel_t

        domain   is started by programs of
        httpd_t  httpd_exec_t
    "#]],
    );
    ask(
        &["ports", &policy, "tcp/80"],
        expect![[r#"
            tcp/80 is system_u:object_r:http_port_t:s0 by a portcon of its own; 1 type may bind it, 0 may connect to it.

            may                types
            bind  confined  1  httpd_t
        "#]],
    );
    ask(
        &["memory", &policy, "httpd_t"],
        expect![[r#"
            1 type other than httpd_t could read its memory, 1 of them confined, in 1 of 12 ways.

            ptrace  attaches as a debugger or reads with process_vm_readv: ptrace on it
              the policy has no process:ptrace: a kernel that asks for it denies it to all, for the policy denies what it does not know

            proc-mem  opens /proc/PID/mem: read and open on files of its type, and ptrace on it
              nobody

            proc-files  reads parts through /proc/PID/environ, auxv, maps: read and open on files of its type
              nobody

            raw-memory  reads the machine's memory: read on memory_device_t or proc_kcore_t, and sys_rawio
              the policy has no type memory_device_t, proc_kcore_t
              nobody

            raw-disk  reads what was swapped or dumped from a disk: read on fixed_disk_device_t
              the policy has no type fixed_disk_device_t
              nobody

            modules  loads code into the kernel: sys_module, and module_load on something
              the policy has no system:module_load: a kernel that asks for it denies it to all, for the policy denies what it does not know

            bpf  loads BPF programs that may trace: prog_load on itself, and perfmon or sys_admin
              the policy has no bpf:prog_load: a kernel that asks for it denies it to all, for the policy denies what it does not know

            perf-event  samples registers and stacks of all processes: open and cpu on its own perf_event
              the policy has no perf_event:open: a kernel that asks for it denies it to all, for the policy denies what it does not know

            policy  loads another policy or turns enforcing off: load_policy, setenforce
              the policy has no security:load_policy or setenforce: a kernel that asks for it denies it to all, for the policy denies what it does not know

            exec  becomes it by executing a program: transition to it, execute on an entry point of it
              confined    1  init_t

            dyntransition  becomes it without a program: dyntransition to it, setcurrent on itself
              nobody

            permissive  is permissive: what no rule allows it is logged, but done
              nobody
        "#]],
    );
}

#[test]
fn json_has_the_sentence_first() {
    let base = repository("policies/base");
    for words in [
        &["wx"][..],
        &["memory", "sshd_t"],
        &["ports", "tcp/631"],
        &["ports", "--rpc"],
        &["unconfined"],
        &["permissive"],
        &["role", "staff_r"],
        &["user", "staff_u"],
        &["mls"],
        &["mls", "s0", "s0:c1", "s0:c2"],
    ] {
        let (question, rest) = words.split_first().unwrap();
        let all = [&["mandate", "query", question, &base], rest, &["--json"]].concat();
        let (code, out, err) = run(&all);
        assert_eq!((code, err.as_str()), (0, ""), "{words:?}");
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert!(value["sentence"].as_str().unwrap().ends_with('.'), "{words:?}");
        assert!(out.starts_with("{\n  \"sentence\""), "{words:?}");
    }
}

#[test]
fn names_that_the_policy_does_not_have_are_errors() {
    let policy = policy();
    for (words, expected) in [
        (
            &["wx", "--unconfined", "httpd_t"][..],
            expect![[r#"
            error: httpd_t is a type, not an attribute
        "#]],
        ),
        (
            &["wx", "--bool", "httpd_read_home=on"],
            expect![[r#"
            error: the policy has no boolean "httpd_read_home"; did you mean httpd_read_homes?
        "#]],
        ),
        (
            &["memory", "htpd_t"],
            expect![[r#"
            error: the policy has no type "htpd_t"; did you mean httpd_t?
        "#]],
        ),
        (
            &["role", "sistem_r"],
            expect![[r#"
            error: the policy has no role "sistem_r"; did you mean system_r, sysadm_r?
        "#]],
        ),
        (
            &["user", "alicia"],
            expect![[r#"
            error: the policy has no user "alicia"; did you mean alice?
        "#]],
        ),
        (
            &["mls", "s0", "s0:c999"],
            expect![[r#"
            error: "s0:c999": the policy has no category "c999"
        "#]],
        ),
        (
            &["mls", "s0"],
            expect![[r#"
            error: two levels at least are compared
        "#]],
        ),
    ] {
        let (question, rest) = words.split_first().unwrap();
        check(&[&["mandate", "query", question, &policy], rest].concat(), 2, expected);
    }
}
