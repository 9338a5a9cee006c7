//! Denials as they stand in logs, with the policy, file contexts, interfaces and bounds that they are explained by.

use std::sync::Arc;

use expect_test::{Expect, expect};
use mandate_compile::outcome::SourceTree;
use mandate_compile::refpolicy::called;
use mandate_compile::whole::Checks;
use mandate_compile::{backend, conf};
use mandate_label::file_contexts::{FileContexts, Source, Substitutions};
use mandate_policydb::Unvalidated;
use mandate_server::Engine;

use super::{Explainer, group, happened};
use crate::bound::Bound;
use crate::interfaces::{Catalogue, Listing};
use crate::rules::{RuleKey, Rules};
use crate::{Access, Events, Reader, worded};

const POLICY: &str = "
class process class security class file class dir class sock_file class chr_file class memprotect class fd
sid kernel sid security sid unlabeled sid fs sid file sid file_labels sid init sid any_socket sid port
class process { transition dyntransition sigchld execmem }
class security { load_policy }
class file { read write create open execute execute_no_trans entrypoint map getattr }
class dir { read search add_name }
class sock_file { create write }
class chr_file { read ioctl }
class memprotect { mmap_zero }
class fd { use }
sensitivity s0; sensitivity s1;
dominance { s0 s1 }
category c0; category c1;
level s0:c0.c1; level s1:c0.c1;
mlsconstrain file { write } ( l1 eq l2 or t1 == mlsfilewrite );
mlsconstrain file { read } ( l1 dom l2 );
attribute mlsfilewrite; attribute domain; attribute can_change_role; attribute trusted;
type kernel_t; type init_t, domain; type web_t, domain; type web_exec_t; type web_content_t; type web_tmp_t;
type job_t, domain; type job_exec_t; type job_tmp_t; type loose_t, domain; type child_t, domain;
type other_t, domain; type portage_t, domain; type portage_tmp_t; type wine_t, domain;
type var_t; type tmp_t; type etc_t; type shadow_t; type tty_t; type unlabeled_t; type srv_t;
bool web_reads_srv false; bool web_reads_all false; bool mmap_low_allowed false;
allow web_t web_content_t:file { read open getattr };
allow web_t web_content_t:dir { read search };
allow web_t web_tmp_t:file { create write };
allow web_t web_tmp_t:sock_file { create write };
allow web_t etc_t:file { read write };
allow web_t tty_t:chr_file { read ioctl };
allowxperm web_t tty_t:chr_file ioctl { 0x5401-0x5403 };
allow job_t job_tmp_t:file { create write };
allow init_t job_t:process transition;
allow init_t web_t:process transition;
allow init_t web_exec_t:file execute;
allow portage_t portage_tmp_t:file { create write execute map open read };
allow other_t etc_t:file read;
dontaudit other_t shadow_t:file { read getattr };
type_transition init_t job_exec_t:process job_t;
type_transition web_t tmp_t:file web_tmp_t;
type_transition job_t tmp_t:file job_tmp_t;
type_transition portage_t tmp_t:file portage_tmp_t;
type_transition other_t etc_t:file shadow_t \"shadow\";
if (web_reads_srv || web_reads_all) { allow web_t srv_t:file read; }
if (mmap_low_allowed) { allow wine_t wine_t:memprotect mmap_zero; }
permissive loose_t;
role object_r; role system_r; role user_r; role admin_r;
role system_r types { kernel_t init_t web_t job_t loose_t other_t portage_t child_t wine_t };
role user_r types { web_t other_t };
role admin_r types { web_t job_t };
allow system_r admin_r;
typebounds job_t child_t;
allow child_t etc_t:file read;
allow web_t job_t:process { transition };
allow init_t init_t:process sigchld;
allow web_t tmp_t:dir { add_name search };
user system_u roles { system_r user_r admin_r } level s0 range s0 - s1:c0.c1;
user staff_u roles { user_r admin_r } level s0 range s0 - s0:c0.c1;
constrain process { transition } ( u1 == u2 or t1 == can_change_role );
constrain dir { add_name } ( t1 == trusted );
sid kernel system_u:system_r:kernel_t:s0
sid security system_u:system_r:kernel_t:s0
sid unlabeled system_u:system_r:kernel_t:s0
sid fs system_u:system_r:kernel_t:s0
sid file system_u:system_r:kernel_t:s0
sid file_labels system_u:system_r:kernel_t:s0
sid init system_u:system_r:kernel_t:s0
sid any_socket system_u:system_r:kernel_t:s0
sid port system_u:system_r:kernel_t:s0
";

const FILE_CONTEXTS: &str = "
/srv/www(/.*)? system_u:object_r:web_content_t:s0
/etc/.* -- system_u:object_r:etc_t:s0
/var/tmp -d system_u:object_r:tmp_t:s0
/var/tmp/.* <<none>>
";

/// What makes interfaces of a Reference Policy.
const MACROS: &str = include_str!("../../../../policies/base/policy/support/loadable_module.spt");

/// Headers with a few interfaces.
const INTERFACES: &str = "
interface(`etc_read',`
	gen_require(`
		type etc_t;
	')
	allow $1 etc_t:file { read open getattr };
')
interface(`etc_manage',`
	gen_require(`
		type etc_t;
	')
	allow $1 etc_t:file { read write create open getattr };
')
interface(`job_domtrans',`
	gen_require(`
		type job_t, job_exec_t;
	')
	allow $1 job_exec_t:file { execute read open getattr map };
	allow $1 job_t:process transition;
	type_transition $1 job_exec_t:process job_t;
')
interface(`tmp_filetrans',`
	gen_require(`
		type tmp_t;
	')
	type_transition $1 tmp_t:$3 $2 $4;
')
interface(`missing_read',`
	gen_require(`
		type missing_t;
	')
	allow $1 { missing_t etc_t }:file read;
')
";

fn engine() -> Engine {
    // A bounded type may be given what its bounds may not have: that is a cause, too.
    let checks = Checks { neverallow: false, optimise: false };
    let mut options = backend::Options::default();
    options.mls = true;
    let outcome = conf::build("policy.conf", Arc::from(POLICY.as_bytes()), &options, checks);
    let told: Vec<_> = outcome.diagnostics.iter().map(|it| &it.message).collect();
    let product = outcome.product.unwrap_or_else(|| panic!("{told:?}"));
    Engine::new(Unvalidated::from_db(product.policy).validate().unwrap()).unwrap()
}

fn table() -> FileContexts {
    let source = Source { name: "file_contexts", bytes: FILE_CONTEXTS.as_bytes() };
    FileContexts::compile(&[source], [Substitutions::default(), Substitutions::default()]).0
}

fn listing() -> Listing {
    let mut tree = SourceTree::new();
    for (path, text) in [("support/loadable_module.spt", MACROS), ("kernel/etc.if", INTERFACES)] {
        tree.insert(path.to_owned(), Arc::from(text.as_bytes()));
    }
    Listing::of(&called::of_headers(&tree, &[]))
}

fn accesses(log: &str) -> Vec<Access> {
    let events = Events::new(Reader::new(log.as_bytes()));
    events.flat_map(|it| it.unwrap().accesses()).collect()
}

/// A denial of a log.
fn avc(permissions: &str, about: &str, source: &str, target: &str, class: &str) -> String {
    format!(
        "type=AVC msg=audit(1700000000.000:1): avc:  denied  {{ {permissions} }} for  pid=1 comm=\"prog\" {about} scontext={source} tcontext={target} tclass={class} permissive=0\n"
    )
}

fn web(permissions: &str, about: &str, target: &str, class: &str) -> String {
    let target = format!("system_u:object_r:{target}:s0");
    avc(permissions, about, "system_u:system_r:web_t:s0", &target, class)
}

fn check(log: &str, expect: Expect) {
    check_within("", log, expect);
}

fn check_within(bound: &str, log: &str, expect: Expect) {
    let (engine, table) = (engine(), table());
    let catalogue = Catalogue::new(&listing(), engine.db());
    let bound = Bound::parse("bounds", bound.as_bytes(), engine.db()).unwrap();
    let mut explainer = Explainer::new(&engine)
        .with_file_contexts(&table)
        .with_interfaces(&catalogue)
        .with_bound(&bound);
    let accesses = accesses(log);
    let mut text = String::new();
    for group in group(&accesses, &mut explainer) {
        let it = explainer.explain(group.first);
        text += &format!("{}x {}\n", group.count, happened(group.first));
        for reason in &it.reasons {
            text += &format!("{}: {}\n", reason.cause.name(), reason.cause.sentence());
        }
        for note in &it.notes {
            text += &format!("note: {}\n", note.name());
        }
        for fix in &it.fixes {
            text += &format!("fix: {}\n", fix.lines().join(" "));
        }
        for refusal in &it.refused {
            let lines = refusal.fix.lines().join(" ");
            text += &format!("refused: {lines} ({})\n", refusal.place);
        }
    }
    expect.assert_eq(&text);
}

#[test]
fn a_rule_is_missing_and_the_smallest_interface_is_offered_first() {
    let source = "system_u:system_r:job_t:s0";
    let log = avc("read", "name=\"passwd\"", source, "system_u:object_r:etc_t:s0", "file");
    check(
        &(log.clone() + &log),
        expect![[r#"
        2x prog (job_t) was denied read on file passwd of etc_t
        no_rule: No allow rule grants it.
        fix: etc_read(job_t)
        fix: allow job_t etc_t:file read;
    "#]],
    );
}

#[test]
fn a_bound_forbids_one_fix_or_all() {
    let source = "system_u:system_r:job_t:s0";
    let log = avc("read", "", source, "system_u:object_r:etc_t:s0", "file");
    check_within(
        "neverallow job_t etc_t:file open;",
        &log,
        expect![[r#"
        1x prog (job_t) was denied read on file of etc_t
        no_rule: No allow rule grants it.
        fix: allow job_t etc_t:file read;
        refused: etc_read(job_t) (bounds:1)
        refused: etc_manage(job_t) (bounds:1)
    "#]],
    );
    check_within(
        "neverallow domain { etc_t shadow_t }:file *;",
        &log,
        expect![[r#"
        1x prog (job_t) was denied read on file of etc_t
        no_rule: No allow rule grants it.
        refused: etc_read(job_t) (bounds:1)
        refused: etc_manage(job_t) (bounds:1)
        refused: allow job_t etc_t:file read; (bounds:1)
    "#]],
    );
}

#[test]
fn a_file_is_mislabelled() {
    check(
        &web("read", "path=\"/srv/www/index.html\"", "var_t", "file"),
        expect![[r#"
        1x prog (web_t) was denied read on file /srv/www/index.html of var_t
        mislabelled: /srv/www/index.html is probably mislabelled: it is system_u:object_r:var_t:s0, and file contexts give it system_u:object_r:web_content_t:s0 (/srv/www(/.*)? at file_contexts:2), with which this is allowed.
        no_rule: No allow rule grants it.
        fix: restorecon -v /srv/www/index.html
    "#]],
    );
    // With the label that it should have it would be denied, too.
    check(
        &web("write", "path=\"/srv/www/index.html\"", "var_t", "file"),
        expect![[r#"
        1x prog (web_t) was denied write on file /srv/www/index.html of var_t
        no_rule: No allow rule grants it.
        fix: allow web_t var_t:file write;
    "#]],
    );
}

#[test]
fn a_level_alone_is_wrong() {
    let target = "system_u:object_r:etc_t:s1";
    let source = "system_u:system_r:web_t:s0";
    check(
        &avc("read write", "", source, target, "file"),
        expect![[r#"
        1x prog (web_t) was denied read, write on file of etc_t
        constraint: A constraint does not hold (the levels do not fit): mlsconstrain file read ( l1 dom l2 );
        constraint: A constraint does not hold (the levels do not fit): mlsconstrain file write ( (l1 eq l2) or (t1 == mlsfilewrite) );
    "#]],
    );
    check(
        &avc("read", "path=\"/etc/hosts\"", source, target, "file"),
        expect![[r#"
        1x prog (web_t) was denied read on file /etc/hosts of etc_t
        mislabelled: /etc/hosts is probably mislabelled: it is system_u:object_r:etc_t:s1, and file contexts give it system_u:object_r:etc_t:s0 (/etc/.* at file_contexts:3), with which this is allowed.
        constraint: A constraint does not hold (the levels do not fit): mlsconstrain file read ( l1 dom l2 );
        fix: restorecon -F -v /etc/hosts
    "#]],
    );
}

#[test]
fn a_deleted_file_of_libffi_was_made_in_a_folder_with_a_wrong_label() {
    let log = avc(
        "execute",
        "path=\"/var/tmp/ffi3kQ9aZ (deleted)\" dev=\"vda1\" ino=7",
        "system_u:system_r:portage_t:s0",
        "system_u:object_r:var_t:s0",
        "file",
    );
    check(
        &log,
        expect![[r#"
        1x prog (portage_t) was denied execute on file /var/tmp/ffi3kQ9aZ of var_t
        mislabelled: It was made in /var/tmp, which has, or had then, a wrong label: file contexts give the folder system_u:object_r:tmp_t:s0 (/var/tmp at file_contexts:4), and in such a one the file would have become portage_tmp_t, with which this is allowed.
        no_rule: No allow rule grants it.
        note: deleted
        note: libffi
        fix: restorecon -R -v /var/tmp
    "#]],
    );
}

#[test]
fn a_boolean_allows_it() {
    check(
        &web("read", "", "srv_t", "file"),
        expect![[r#"
        1x prog (web_t) was denied read on file of srv_t
        boolean: A boolean would allow it: web_reads_srv=on, or web_reads_all=on.
        fix: setsebool -P web_reads_srv=1
        fix: allow web_t srv_t:file read;
    "#]],
    );
}

#[test]
fn memory_at_zero_with_its_mapping() {
    let source = "system_u:system_r:wine_t:s0";
    let log = avc("mmap_zero", "", source, source, "memprotect")
        + "type=MMAP msg=audit(1700000000.000:1): fd=-1 flags=0x32\n"
        + "type=SYSCALL msg=audit(1700000000.000:1): arch=c000003e syscall=9 success=no exit=-13 a0=0 a1=1000 a2=3 a3=32 items=0 ppid=1 pid=1 comm=\"prog\" exe=\"/usr/bin/wine\" subj=system_u:system_r:wine_t:s0 key=(null)\n";
    check(
        &log,
        expect![[r#"
        1x /usr/bin/wine (wine_t) was denied mmap_zero on memprotect of itself
        boolean: A boolean would allow it: mmap_low_allowed=on.
        note: mmap_zero
        fix: setsebool -P mmap_low_allowed=1
        fix: allow wine_t self:memprotect mmap_zero;
    "#]],
    );
}

#[test]
fn constraints_by_the_part_that_fails() {
    let source = "staff_u:admin_r:web_t:s0";
    let target = "system_u:admin_r:job_t:s0";
    check(
        &avc("transition", "", source, target, "process"),
        expect![[r#"
        1x prog (web_t) was denied transition on process of job_t
        constraint: A constraint does not hold (the users differ): constrain process transition ( (u1 == u2) or (t1 == can_change_role) );
    "#]],
    );
    check(
        &web("add_name", "", "tmp_t", "dir"),
        expect![[r#"
        1x prog (web_t) was denied add_name on dir of tmp_t
        constraint: A constraint does not hold (the type is no exception): constrain dir add_name ( t1 == trusted );
        fix: typeattribute web_t trusted;
    "#]],
    );
}

#[test]
fn roles() {
    let to = "system_u:admin_r:job_t:s0";
    check(
        &avc("transition", "", "system_u:user_r:web_t:s0", to, "process"),
        expect![[r#"
        1x prog (web_t) was denied transition on process of job_t
        role_allow: Role user_r may not become role admin_r: there is no rule `allow user_r admin_r;`.
        fix: allow user_r admin_r;
    "#]],
    );
    let to = "system_u:user_r:job_t:s0";
    check(
        &avc("transition", "", "system_u:user_r:web_t:s0", to, "process"),
        expect![[r#"
        1x prog (web_t) was denied transition on process of job_t
        role_type: The target context is not valid: role user_r may not have type job_t.
        fix: role user_r types job_t;
    "#]],
    );
    let to = "staff_u:system_r:job_t:s0";
    check(
        &avc("transition", "", "system_u:system_r:web_t:s0", to, "process"),
        expect![[r#"
        1x prog (web_t) was denied transition on process of job_t
        user_role: The target context is not valid: user staff_u may not have role system_r.
    "#]],
    );
}

#[test]
fn transitions_of_processes() {
    check(
        &web("execute_no_trans", "", "job_exec_t", "file"),
        expect![[r#"
        1x prog (web_t) was denied execute_no_trans on file of job_exec_t
        missing_transition: It may run in domain job_t, but no type_transition takes it there when it executes job_exec_t.
        no_rule: No allow rule grants it.
        fix: job_domtrans(web_t)
        fix: allow job_t web_t:fd use; allow job_t web_t:process sigchld; allow web_t job_exec_t:file { execute getattr map open read }; allow web_t job_t:process transition; type_transition web_t job_exec_t:process job_t;
        fix: allow web_t job_exec_t:file execute_no_trans;
    "#]],
    );
    let source = "system_u:system_r:other_t:s0";
    let target = "system_u:object_r:job_exec_t:s0";
    check(
        &avc("execute", "", source, target, "file"),
        expect![[r#"
        1x prog (other_t) was denied execute on file of job_exec_t
        no_rule: No allow rule grants it.
        missing_transition: job_exec_t is the program of domain job_t: a transition to it may be what is missing.
        fix: job_domtrans(other_t)
        fix: allow job_t other_t:fd use; allow job_t other_t:process sigchld; allow other_t job_exec_t:file { execute getattr map open read }; allow other_t job_t:process transition; type_transition other_t job_exec_t:process job_t;
        fix: allow other_t job_exec_t:file execute;
    "#]],
    );
}

#[test]
fn transitions_of_files() {
    check(
        &web("create", "name=\"bus\"", "tmp_t", "sock_file"),
        expect![[r#"
        1x prog (web_t) was denied create on sock_file bus of tmp_t
        no_rule: No allow rule grants it.
        missing_transition: What is made in a folder of tmp_t got the folder's type; with a transition such as that of web_t it would be web_tmp_t, which is allowed.
        fix: type_transition web_t tmp_t:sock_file web_tmp_t;
        fix: allow web_t tmp_t:sock_file create;
    "#]],
    );
}

#[test]
fn commands() {
    check(
        &web("ioctl", "ioctlcmd=0x5404", "tty_t", "chr_file"),
        expect![[r#"
        1x prog (web_t) was denied ioctl on chr_file command 0x5404 of tty_t
        xperm: Rules name the ioctl commands that are allowed, and 0x5404 is not among them.
        fix: allowxperm web_t tty_t:chr_file ioctl 0x5404;
    "#]],
    );
    check(
        &web("ioctl", "ioctlcmd=0x5403", "tty_t", "chr_file"),
        expect![[r#"
        1x prog (web_t) was denied ioctl on chr_file command 0x5403 of tty_t
        allowed: This policy allows it: the denial came from another policy, or from other values of booleans.
    "#]],
    );
}

#[test]
fn bounds_dontaudit_and_permissive_domains() {
    let etc = "system_u:object_r:etc_t:s0";
    check(
        &avc("read", "", "system_u:system_r:child_t:s0", etc, "file"),
        expect![[r#"
        1x prog (child_t) was denied read on file of etc_t
        bounds: It is bounded by job_t, which may not do it to etc_t either.
    "#]],
    );
    let shadow = "system_u:object_r:shadow_t:s0";
    check(
        &avc("read", "", "system_u:system_r:other_t:s0", shadow, "file"),
        expect![[r#"
        1x prog (other_t) was denied read on file of shadow_t
        no_rule: No allow rule grants it.
        note: dontaudit
        fix: allow other_t shadow_t:file read;
    "#]],
    );
    check(
        &avc("read", "", "system_u:system_r:loose_t:s0", shadow, "file"),
        expect![[r#"
        1x prog (loose_t) was denied read on file of shadow_t
        no_rule: No allow rule grants it.
        note: permissive_domain
        fix: allow loose_t shadow_t:file read;
    "#]],
    );
}

#[test]
fn what_the_policy_does_not_know() {
    check(
        &web("read", "", "nosuch_t", "file"),
        expect![[r#"
        1x prog (web_t) was denied read on file of nosuch_t
        unknown_name: This policy has no type nosuch_t, which the target context names.
    "#]],
    );
    check(
        &web("read", "", "etc_t", "nosuch"),
        expect![[r#"
        1x prog (web_t) was denied read on nosuch of etc_t
        unknown_class: This policy has no class nosuch.
    "#]],
    );
    check(
        &web("read wave", "", "etc_t", "file"),
        expect![[r#"
        1x prog (web_t) was denied read, wave on file of etc_t
        unknown_permission: In this policy class file has no permission wave.
    "#]],
    );
    check(
        &avc("read", "", "nonsense", "system_u:object_r:etc_t:s0", "file"),
        expect![[r#"
        1x prog (nonsense) was denied read on file of etc_t
        invalid_context: The source context nonsense is not valid in this policy: a context is user:role:type:level, found "nonsense".
    "#]],
    );
    check(
        &web("read", "", "unlabeled_t", "file"),
        expect![[r#"
        1x prog (web_t) was denied read on file of unlabeled_t
        no_rule: No allow rule grants it.
        note: unlabelled
        fix: allow web_t unlabeled_t:file read;
    "#]],
    );
}

#[test]
fn bounds_that_are_wrong_are_told_with_their_place() {
    let engine = engine();
    let told = |text: &str| match Bound::parse("bounds", text.as_bytes(), engine.db()) {
        Ok(_) => "fine".to_owned(),
        Err(why) => why.to_string(),
    };
    expect!["bounds:1: no type or attribute `nosuch_t` is declared"]
        .assert_eq(&told("neverallow web_t nosuch_t:file read;\n"));
    expect!["bounds:2: only neverallow statements can stand here"]
        .assert_eq(&told("\nallow web_t etc_t:file read;\n"));
}

/// What a program did while nothing was denied.
fn did(permissions: &str, source: &str, target: &str, class: &str) -> Access {
    let log = avc(permissions, "", source, target, class);
    accesses(&log).remove(0)
}

#[test]
fn learned_rules_are_the_least_that_is_missing() {
    let web = "system_u:system_r:web_t:s0";
    let etc = "system_u:object_r:etc_t:s0";
    let mut ioctl = did("ioctl", web, "system_u:object_r:tty_t:s0", "chr_file");
    ioctl.object.ioctl = Some(0x5404);
    let all = [
        did("read open", web, etc, "file"),
        did("getattr", web, etc, "file"),
        did("execmem", web, web, "process"),
        did("read", web, "system_u:object_r:made_t:s0", "file"),
        ioctl,
    ];
    expect![[r#"
        allow web_t etc_t:file { getattr open };
        allow web_t made_t:file read;
        allow web_t self:process execmem;
        allowxperm web_t tty_t:chr_file ioctl 0x5404;"#]]
    .assert_eq(&crate::learned(&all, &engine()).statements().join("\n"));
}

#[test]
fn what_audit2allow_says_of_rules() {
    let web = "system_u:system_r:web_t:s0";
    let srv = "system_u:object_r:srv_t:s0";
    let all = [
        did("read", web, srv, "file"),
        did("read", web, "system_u:object_r:etc_t:s0", "file"),
        did("read", web, "system_u:object_r:etc_t:s1", "file"),
        did("write", web, srv, "file"),
        did("read", "system_u:system_r:other_t:s0", "system_u:object_r:shadow_t:s0", "file"),
        did("read", web, "system_u:object_r:nosuch_t:s0", "file"),
    ];
    let allowing = crate::allowing::Allowing::of(&all, &engine());
    expect![[r#"

        #============= other_t ==============

        #!!!! This avc has a dontaudit rule in the current policy
        allow other_t shadow_t:file read;

        #============= web_t ==============

        #!!!! This avc is allowed in the current policy
        allow web_t etc_t:file read;

        #!!!! This avc is a constraint violation.  You would need to modify the attributes of either the source or target types to allow this access.
        #Constraint rule: 
        #	mlsconstrain file read ( l1 dom l2 );
        #	Possible cause is the source role (system_r) and target role (object_r) are different.
        #	Possible cause is the source level (s0) and target level (s1) are different.
        allow web_t etc_t:file read;
        allow web_t srv_t:file write;

        #!!!! This avc can be allowed using one of the these booleans:
        #     web_reads_all, web_reads_srv
        allow web_t srv_t:file read;
    "#]].assert_eq(&allowing.to_text(crate::allowing::Style::default()));
}

/// Rules as calls of interfaces that may grant so much besides.
#[track_caller]
fn check_worded(rules: &[(&str, &str, &str)], excess: u64, expect: Expect) {
    let engine = engine();
    let catalogue = Catalogue::new(&listing(), engine.db());
    let mut all = Rules::default();
    for (target, class, permissions) in rules {
        let key = RuleKey::new("portage_t", target, class);
        all.allow(key, permissions.split(' '));
    }
    let said = worded(all, &catalogue, engine.db(), excess);
    expect.assert_eq(&[said.calls, said.rest.statements()].concat().join("\n"));
}

#[test]
fn rules_are_said_by_interfaces_that_grant_little_besides() {
    let read = ("etc_t", "file", "read open");
    let others = ("srv_t", "file", "read");
    check_worded(
        &[read, others],
        2,
        expect![[r#"
            etc_read(portage_t)
            allow portage_t srv_t:file read;"#]],
    );
    check_worded(&[read], 0, expect!["allow portage_t etc_t:file { open read };"]);
    // What would change more than is wanted is not nearly it.
    check_worded(
        &[("etc_t", "file", "read write")],
        9,
        expect!["allow portage_t etc_t:file { read write };"],
    );
    let all = ("etc_t", "file", "read write create");
    check_worded(&[all], 9, expect!["etc_manage(portage_t)"]);
    // No rule is left out that the policy has no words for.
    let new = ("new_t", "file", "read");
    check_worded(&[new], 9, expect!["allow portage_t new_t:file read;"]);
}
