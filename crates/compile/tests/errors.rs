//! What is told of statements that are read but mean nothing, or too much.

use std::fmt::Write;

use expect_test::{Expect, expect};
use mandate_compile::backend::{Options, compile};
use mandate_policydb::PolicyVersion;
use mandate_syntax::kernel::{ParseOptions, SourceKind, parse_file};
use mandate_syntax::source::{SourceMap, Span};

const BEFORE: &str = "class process
class file
class dir
sid kernel
common base { read write }
class process { transition signal }
class file inherits base { execute ioctl }
class dir inherits base { search }
";

const AFTER: &str = "
type kernel_t;
role r;
role r types kernel_t;
allow kernel_t self:process signal;
user u roles r;
sid kernel u:r:kernel_t
";

fn check_with(text: &str, options: &Options, after: &str, expected: &Expect) {
    check_kind(SourceKind::Policy, text, options, after, expected);
}

fn check_kind(kind: SourceKind, text: &str, options: &Options, after: &str, expected: &Expect) {
    let mut sources = SourceMap::new();
    let whole = format!("{BEFORE}{text}{after}");
    let file = sources.add("policy.conf", whole.as_bytes()).unwrap();
    let parsed = parse_file(sources.file(file), ParseOptions { kind });
    let compiled = compile(&[parsed.unit], options);
    let first = BEFORE.lines().count();
    let place = |span: Span| match sources.location(span.pos) {
        Some(at) if at.line > first => format!("{}:{}", at.line - first, at.column),
        Some(at) => format!("before:{}:{}", at.line, at.column),
        None => "nowhere".to_owned(),
    };
    let mut told = String::new();
    for it in parsed.diagnostics.iter().chain(&compiled.diagnostics) {
        writeln!(told, "{} {} {}", it.code.as_str(), place(it.span), it.message).unwrap();
        if !it.label.is_empty() {
            writeln!(told, "    ^ {}", it.label).unwrap();
        }
        for label in &it.labels {
            writeln!(told, "    {} {}", place(label.span), label.text).unwrap();
        }
        for note in &it.notes {
            writeln!(told, "    note: {note}").unwrap();
        }
        for help in &it.help {
            writeln!(told, "    help: {help}").unwrap();
        }
    }
    for it in &compiled.disabled {
        let (block, missing) = (place(it.optional.span), &it.optional.missing);
        let (required, declared) = (place(it.optional.required), it.declared.map(place));
        writeln!(told, "left out {block}: {missing} {required} {declared:?}").unwrap();
    }
    for it in &compiled.unmet {
        let (missing, required) = (&it.optional.missing, place(it.optional.required));
        writeln!(told, "unmet {missing} {required}").unwrap();
    }
    let built = if compiled.policy.is_some() { "built" } else { "not built" };
    writeln!(told, "{built}").unwrap();
    expected.assert_eq(&told);
}

fn check(text: &str, expected: &Expect) {
    check_with(text, &Options::default(), AFTER, expected);
}

#[test]
fn unknown_names_have_near_misses() {
    check(
        "type backup_t;\nallow bakup_t self:fil { reed signal };\nallow backup_t self:file reed;",
        &expect![[r#"
            E0301 2:7 no type or attribute `bakup_t` is declared
                help: did you mean `backup_t`?
            E0305 2:20 no class `fil` is declared
                help: did you mean `file` or `dir`?
            E0306 3:26 class `file` has no permission `reed`
                before:5:8 it inherits `base`
                before:7:7 its permissions are defined here
                help: did you mean `read`?
            not built
        "#]],
    );
    check(
        "role_transition x backup_t:process r;\nallow r s;",
        &expect![[r#"
        E0303 1:17 no role `x` is declared
        E0301 1:19 no type or attribute `backup_t` is declared
        E0303 2:9 no role `s` is declared
        not built
    "#]],
    );
    check(
        "bool b true;\nif (c) { allow kernel_t self:file read; }",
        &expect![[r#"
        E0307 2:5 no boolean `c` is declared
        not built
    "#]],
    );
    check(
        "policycap open_perm;",
        &expect![[r#"
        E0312 1:11 no policy capability `open_perm` is known
            help: did you mean `open_perms`?
        not built
    "#]],
    );
}

#[test]
fn a_name_is_told_at_a_few_places() {
    let rules = "allow lost_t kernel_t:file read;\n".repeat(9);
    check(
        &rules,
        &expect![[r#"
        E0301 1:7 no type or attribute `lost_t` is declared
        E0301 2:7 no type or attribute `lost_t` is declared
        E0301 3:7 no type or attribute `lost_t` is declared
        E0301 4:7 no type or attribute `lost_t` is declared
        E0301 5:7 no type or attribute `lost_t` is declared
        not built
    "#]],
    );
}

#[test]
fn kinds_are_told_apart() {
    check(
        "attribute domain;\ntype t;\nrole q;\ntype_transition t t:process domain;\nallow q t:file read;
typeattribute t q;\ntypeattribute t kernel_t;\npermissive domain;",
        &expect![[r#"
            E0314 4:29 `domain` is a type attribute, not a type
                ^ a type is needed here
                1:11 declared here
            E0314 5:7 `q` is a role, not a type or attribute
                ^ a type or attribute is needed here
                3:6 declared here
            E0314 6:17 `q` is a role, not a type attribute
                ^ a type attribute is needed here
                3:6 declared here
            E0314 7:17 `kernel_t` is a type, not a type attribute
                ^ a type attribute is needed here
                9:6 declared here
            E0314 8:12 `domain` is a type attribute, not a type
                ^ a type is needed here
                1:11 declared here
            not built
        "#]],
    );
}

#[test]
fn declarations_stand_once() {
    check(
        "type t;\nattribute t;\ntype a alias t;\nrole q;\nrole q;\nbool b true;\nbool b true;",
        &expect![[r#"
            E0313 2:11 `t` is declared as a type attribute, but is already a type
                ^ declared again
                1:6 first declared here
                help: remove one declaration, or rename one of the two
            E0313 3:14 `t` is declared as an alias of a type, but is already a type
                ^ declared again
                1:6 first declared here
                help: remove one declaration, or rename one of the two
            E0313 7:6 `b` is declared twice as a boolean
                ^ declared again
                6:6 first declared here
                help: remove one declaration, or rename one of the two
            not built
        "#]],
    );
    check(
        "type self;",
        &expect![[r#"
            E0210 1:6 `self` cannot be declared: it stands for the source of a rule
            not built
        "#]],
    );
}

#[test]
fn type_rules_agree() {
    check(
        "type a;\ntype b;\ntype_transition a b:process a;\ntype_transition a b:process a;
type_transition a b:process b;\ntype_transition a b:file a \"x\";\ntype_transition a b:file b \"x\";",
        &expect![[r#"
            E0404 5:1 `type_transition a b:process` gives `b` here and `a` elsewhere
                ^ gives `b`
                3:1 gives `a`
            E0404 7:1 type_transition a b:file with the name "x" gives `b` here and `a` elsewhere
                ^ gives `b`
                6:1 gives `a`
            not built
        "#]],
    );
    check(
        "type a;\ntype b;\nbool x true;\nbool y true;\ntype_change a b:process a;
if (x) { type_change a b:process a; }\nif (x) { type_member a b:process a; } else { type_member a b:process b; }
if (y) { type_member a b:process a; }",
        &expect![[r#"
            E0404 6:10 `type_change a b:process` stands in a conditional block and also outside of it
                5:1 the other rule
                help: write it once outside of conditional blocks
            E0404 8:10 `type_member a b:process` stands in a conditional block and also in another block
                7:10 the other rule
                help: write it once outside of conditional blocks
            not built
        "#]],
    );
}

#[test]
fn sets_have_their_places() {
    check(
        "allow ~kernel_t self:file read;",
        &expect![[r#"
        E0205 1:7 `~` is not allowed in the types of this statement
            note: only neverallow and neverallowxperm may say it of types
            help: name an attribute that all these types have
        not built
    "#]],
    );
    check(
        "allow kernel_t { kernel_t -self }:file read;",
        &expect![[r#"
        E0205 1:16 `-self` is allowed in neverallow and neverallowxperm only
        not built
    "#]],
    );
    check(
        "neverallow { kernel_t } { self -self }:file write;",
        &expect![[r#"
        E0205 1:25 `self` and `-self` cannot stand in one set
        not built
    "#]],
    );
    check(
        "allow kernel_t self:file ~{ read write execute ioctl };",
        &expect![[r#"
        E0413 1:26 no permission of class `file` is left in this set
            ^ the rule says nothing of this class
        built
    "#]],
    );
    check(
        "neverallow * ~{ self kernel_t }:file write;",
        &expect![[r#"
        built
    "#]],
    );
}

#[test]
fn optional_blocks_are_left_out_and_why() {
    check(
        "type a;\noptional {\n require { type a, lost_t; }\n type within_t;\n allow a lost_t:file read;
 optional { require { type a; } allow a a:file write; }\n} else {\n allow a a:file read;\n}
optional { require { type within_t; } allow a within_t:file read; }
optional { require { class file { read reed }; } allow a a:file execute; }
allow a within_t:file read;",
        &expect![[r#"
            E0301 12:9 type or attribute `within_t` is declared only in a block that is left out
                4:7 the optional block around this is left out
                help: require it in an optional block of its own, or declare it outside
            left out 2:1: type lost_t 3:20 None
            left out 10:1: type within_t 10:27 Some("4:7")
            left out 11:1: permission reed of class file 11:40 Some("before:2:7")
            not built
        "#]],
    );
}

#[test]
fn blocks_that_are_left_out_are_looked_at() {
    check(
        "optional {\n require { type lost_t; class file { open }; }\n allow lost_t lots_t:file open;
 allow lost_t self:file opn;\n if (nob) { allow lost_t self:fil read; }\n role nor types lost_t;\n role object_r types lost_t;\n}",
        &expect![[r#"
            E0301 3:15 no type or attribute `lots_t` is declared
            E0306 4:25 class `file` has no permission `opn`
                before:5:8 it inherits `base`
                before:7:7 its permissions are defined here
                help: it has read, write, execute, ioctl
            E0307 5:6 no boolean `nob` is declared
            E0305 5:31 no class `fil` is declared
                help: did you mean `file` or `dir`?
            E0303 6:7 no role `nor` is declared
                help: did you mean `r`?
            left out 1:1: type lost_t 2:17 None
            not built
        "#]],
    );
}

#[test]
fn requirements_of_the_top_are_told_apart() {
    let text = "require { type lost_t; class file reed; }";
    check_kind(
        SourceKind::Expanded,
        text,
        &Options::default(),
        AFTER,
        &expect![[r#"
            unmet type lost_t 1:16
            unmet permission reed of class file 1:35
            built
        "#]],
    );
}

#[test]
fn conditions_hold_together() {
    check(
        "tunable t true;\nbool b true;\nif (t && b) { allow kernel_t self:file read; }",
        &expect![[r#"
            E0409 3:1 a condition has tunables and booleans together
                note: tunables are decided when the policy is built, booleans when it runs
                help: nest nothing: write a condition over tunables or one over booleans
            not built
        "#]],
    );
}

#[test]
fn contexts_fit() {
    let after = "type kernel_t;\ntype other_t;\nrole r;\nrole q;\nrole r types kernel_t;\nrole q types kernel_t;
allow kernel_t self:process signal;\nuser u roles r;\n";
    let with = |text: &str, expected| {
        check_with("", &Options::default(), &format!("{after}{text}"), expected);
    };
    with(
        "sid kernel u:r:other_t\n",
        &expect![[r#"
        E0405 9:16 the policy does not allow the context `u:r:other_t`
            ^ role `r` may not have type `other_t`
            help: write `role r types other_t;`
        not built
    "#]],
    );
    with(
        "sid kernel u:q:kernel_t\n",
        &expect![[r#"
        E0405 9:14 the policy does not allow the context `u:q:kernel_t`
            ^ user `u` may not have role `q`
            help: add `q` to the roles of user `u`
        not built
    "#]],
    );
    with(
        "sid kernel u:r:kernel_t:s0\nsid kernal u:r:kernel_t\n",
        &expect![[r#"
        E0407 9:25 a context with a level in a policy without MLS
            help: build the policy with MLS, or leave the level out
        E0311 10:5 no initial SID `kernal` is declared
            help: did you mean `kernel`?
        not built
    "#]],
    );
    with(
        "sid kernel u:r:kernel_t\nportcon tcp 1-10 u:r:kernel_t\nportcon tcp 5 u:r:kernel_t\ngenfscon proc / -b u:r:kernel_t\n",
        &expect![[r#"
            E0205 12:1 `genfscon` may not stand behind `portcon`
                10:1 `portcon` begin here
                note: the sections of a policy have a fixed order
                help: move the statement up to its section
            E0404 11:1 an earlier portcon has all of tcp 5-5 already
                10:1 the earlier statement
            E0305 12:1 no class `blk_file` is declared, which this file type stands for
            not built
        "#]],
    );
}

#[test]
fn versions_hold_what_they_can() {
    let mut options = Options::default();
    options.version = PolicyVersion::DEFAULT_TYPE;
    check_with(
        "allowxperm kernel_t self:file ioctl 0x1;\npermissive kernel_t;",
        &options,
        AFTER,
        &expect![[r#"
            E0411 1:1 policy version 28 cannot hold extended permissions
                help: build version 30 or higher, or leave it out
            not built
        "#]],
    );
    options.version = PolicyVersion::CONDITIONAL_XPERMS;
    check_with(
        "allowxperm kernel_t self:dir ioctl 0x1;\nallowxperm kernel_t self:file ioctl { 0x5-0x1 };",
        &options,
        AFTER,
        &expect![[r#"
            E0206 2:39 the range ends before it begins
                2:43 this is less
            E0306 1:30 class `dir` has no permission `ioctl`
                before:5:8 it inherits `base`
                before:8:7 its permissions are defined here
                note: `ioctl` is a permission of `file`
            not built
        "#]],
    );
}

#[test]
fn a_policy_has_rules() {
    let after = "type kernel_t;\nrole r;\nrole r types kernel_t;\nuser u roles r;\nsid kernel u:r:kernel_t\n";
    check_with(
        "",
        &Options::default(),
        after,
        &expect![[r#"
        E0412 nowhere the policy has no rule outside of conditional blocks: libsepol and the kernel need one
        not built
    "#]],
    );
}

/// checkpolicy refuses each as well.
#[test]
fn sets_hold_what_their_statement_can_say() {
    check(
        "type a_t;\nattribute at;\nrole q;\nrole q types self;\nrole_transition q { a_t self } q;\ntypeattribute self at;\nallow a_t a_t:file { read -write };",
        &expect![[r#"
            E0314 4:14 `self` cannot be one of these types
                help: name the types; only the target of a type enforcement rule may be `self`
            E0314 5:25 `self` cannot be one of these types
                help: name the types; only the target of a type enforcement rule may be `self`
            E0301 6:15 no type or attribute `self` is declared
            E0205 7:20 `-` is not allowed in a set of permissions
                help: list those that are meant, or all but some: ~{ write append }
            not built
        "#]],
    );
    let sets = "constrain file { read } (u1 == ~u);\nconstrain file { read } (u1 == *);\nconstrain file { read } (t1 == self);\n";
    let after = AFTER.replace("sid kernel u", &format!("{sets}sid kernel u"));
    check_with(
        "",
        &Options::default(),
        &after,
        &expect![[r#"
        E0205 7:32 `*` and `~` are not allowed in a set of users
            help: name the users
        E0205 8:32 `*` and `~` are not allowed in a set of users
            help: name the users
        E0314 9:32 `self` cannot be one of these types
            help: name the types; only the target of a type enforcement rule may be `self`
        not built
    "#]],
    );
}
