//! Questions about the small policies: what is asked, and the statements of the answer.

use expect_test::{Expect, expect};
use mandate_policydb::{Policy, RuleKind, Unvalidated};
use mandate_query::info::{Component, InfoQuery, Summary};
use mandate_query::name::NameCriterion;
use mandate_query::search::{Choice, End, Kind, Match, RuleQuery};
use mandate_query::{Statements, Style};

fn policy(name: &str) -> Policy {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/micro");
    let bytes = std::fs::read(format!("{folder}/{name}/policy.bin")).unwrap();
    Unvalidated::read(&bytes).unwrap().validate().unwrap()
}

/// The rules that fit, in both styles where these differ; or why it cannot be asked.
fn search(name: &str, query: &RuleQuery, expected: &Expect) {
    let policy = policy(name);
    let text = |style| {
        let mut statements = Statements::new(policy.db(), style);
        let mut text = Vec::new();
        for rule in query.ask(policy.db())? {
            statements.push(&mut text, &rule);
            text.push(b'\n');
        }
        Ok(String::from_utf8(text).unwrap())
    };
    expected.assert_eq(&match (text(Style::Policy), text(Style::Setools)) {
        (Ok(ours), Ok(theirs)) if ours == theirs => ours,
        (Ok(ours), Ok(theirs)) => format!("{ours}setools:\n{theirs}"),
        (Err(error), _) | (_, Err(error)) => mandate_query::QuestionError::to_string(&error),
    });
}

/// Rules of these kinds.
fn rules(kinds: &[RuleKind]) -> RuleQuery {
    RuleQuery { kinds: kinds.iter().copied().map(Kind::Te).collect(), ..RuleQuery::default() }
}

fn allow() -> RuleQuery {
    rules(&[RuleKind::Allow])
}

fn named(name: &str) -> Option<End> {
    let pattern = name.strip_prefix('/');
    let name = NameCriterion::new(pattern.unwrap_or(name), pattern.is_some()).unwrap();
    Some(End { name, direct: false })
}

fn direct(name: &str) -> Option<End> {
    named(name).map(|it| End { direct: true, ..it })
}

fn list(names: &str) -> Vec<String> {
    names.split(' ').map(str::to_owned).collect()
}

#[test]
fn a_type_is_found_through_its_attributes() {
    let by = |source, expected: Expect| {
        search("conditional-several", &RuleQuery { source, ..allow() }, &expected);
    };
    by(
        named("c_t"),
        expect![[r#"
        allow c_t c_t:file open; [ se_a ]:False
        allow domain b_t:file append; [ se_a || se_b ]:True
        setools:
        allow c_t c_t:file open; [ se_a ]:False
        allow domain b_t:file append; [ se_b || se_a ]:True
    "#]],
    );
    by(
        direct("c_t"),
        expect![[r#"
        allow c_t c_t:file open; [ se_a ]:False
    "#]],
    );
    by(
        named("domain"),
        expect![[r#"
        allow a_t a_t:file open; [ se_a ]:False
        allow a_t b_t:file read; [ se_a ]:True
        allow a_t b_t:file { read write }; [ se_b ]:True
        allow c_t c_t:file open; [ se_a ]:False
        allow domain b_t:file append; [ se_a || se_b ]:True
        setools:
        allow a_t a_t:file open; [ se_a ]:False
        allow a_t b_t:file read; [ se_a ]:True
        allow a_t b_t:file { read write }; [ se_b ]:True
        allow c_t c_t:file open; [ se_a ]:False
        allow domain b_t:file append; [ se_b || se_a ]:True
    "#]],
    );
    by(
        direct("domain"),
        expect![[r#"
        allow domain b_t:file append; [ se_a || se_b ]:True
        setools:
        allow domain b_t:file append; [ se_b || se_a ]:True
    "#]],
    );
    by(
        named("/^[ac]_"),
        expect![[r#"
        allow a_t a_t:file open; [ se_a ]:False
        allow a_t b_t:file read; [ se_a ]:True
        allow a_t b_t:file { read write }; [ se_b ]:True
        allow c_t c_t:file open; [ se_a ]:False
        allow domain b_t:file append; [ se_a || se_b ]:True
        setools:
        allow a_t a_t:file open; [ se_a ]:False
        allow a_t b_t:file read; [ se_a ]:True
        allow a_t b_t:file { read write }; [ se_b ]:True
        allow c_t c_t:file open; [ se_a ]:False
        allow domain b_t:file append; [ se_b || se_a ]:True
    "#]],
    );
    by(named("d_t"), expect![[r#"the policy has no type or attribute "d_t""#]]);
}

#[test]
fn permissions_are_any_all_or_exactly_these() {
    let with = |names, how, expected: Expect| {
        let permissions = Some((list(names), how));
        search("conditional-several", &RuleQuery { permissions, ..allow() }, &expected);
    };
    with(
        "write open",
        Match::Any,
        expect![[r#"
        allow a_t a_t:file open; [ se_a ]:False
        allow a_t b_t:file { read write }; [ se_b ]:True
        allow c_t c_t:file open; [ se_a ]:False
    "#]],
    );
    with(
        "read write",
        Match::All,
        expect![[r#"
        allow a_t b_t:file { read write }; [ se_b ]:True
    "#]],
    );
    with(
        "read",
        Match::Exactly,
        expect![[r#"
        allow a_t b_t:file read; [ se_a ]:True
    "#]],
    );
    with("read transition", Match::All, expect![[""]]);
    with("raed", Match::Any, expect!["no class has the permission raed"]);
}

#[test]
fn conditions_are_found_by_their_booleans() {
    let with = |choice, how, expected: Expect| {
        let booleans = Some((choice, how));
        search("conditional-operators", &RuleQuery { booleans, ..allow() }, &expected);
    };
    with(
        Choice::Names(list("op_b")),
        Match::Any,
        expect![[r#"
        allow a_t b_t:file p3; [ op_a && op_b ]:True
        allow a_t b_t:file p4; [ op_a || op_b ]:True
        allow a_t b_t:file p6; [ op_a == op_b ]:True
        allow a_t b_t:file p8; [ !(op_a && !op_b) || (op_b ^ !op_a) ]:True
        allow a_t b_t:file { p5 p7 }; [ op_a ^ op_b ]:True
        setools:
        allow a_t b_t:file p3; [ op_b && op_a ]:True
        allow a_t b_t:file p4; [ op_b || op_a ]:True
        allow a_t b_t:file p6; [ op_b == op_a ]:True
        allow a_t b_t:file p8; [ ! op_a ^ op_b || ! ( ! op_b && op_a ) ]:True
        allow a_t b_t:file { p5 p7 }; [ op_b ^ op_a ]:True
    "#]],
    );
    with(
        Choice::Names(list("op_a")),
        Match::Exactly,
        expect![[r#"
        allow a_t b_t:file p1; [ op_a ]:True
        allow a_t b_t:file p2; [ op_a ]:False
    "#]],
    );
    let pattern = NameCriterion::new("_a$", true).unwrap();
    with(
        Choice::Pattern(pattern),
        Match::Exactly,
        expect![[r#"
        allow a_t b_t:file p1; [ op_a ]:True
        allow a_t b_t:file p2; [ op_a ]:False
    "#]],
    );
    with(Choice::Names(list("op_z")), Match::Any, expect![[r#"the policy has no boolean "op_z""#]]);
}

#[test]
fn extended_permissions_are_ranges() {
    let with = |ranges: &[(u16, u16)], how, expected: Expect| {
        let xperms = Some((ranges.to_vec(), how));
        let query = rules(&[RuleKind::Allow, RuleKind::AllowXperm]);
        search("xperm-driver", &RuleQuery { xperms, ..query }, &expected);
    };
    with(
        &[(0x1201, 0x1201)],
        Match::Any,
        expect![[r#"
        allowxperm a_t obj_t:file ioctl 0x1201;
        allowxperm b_t obj_t:file ioctl 0x0000-0xffff;
    "#]],
    );
    with(
        &[(0x8980, 0x89ff), (0x8900, 0x897f)],
        Match::Exactly,
        expect![[r#"
        allowxperm a_t obj_t:file ioctl 0x8900-0x89ff;
    "#]],
    );
    with(
        &[(0x7000, 0x7001), (0x8000, 0x8000)],
        Match::All,
        expect![[r#"
        allowxperm b_t obj_t:file ioctl 0x0000-0xffff;
    "#]],
    );
}

#[test]
fn what_a_rule_gives_is_asked_for() {
    let default = |name| Some(NameCriterion::new(name, false).unwrap());
    let types = rules(&[RuleKind::Allow, RuleKind::TypeTransition]);
    let query = RuleQuery { default: default("one_t"), ..types };
    search(
        "filename-transition",
        &query,
        &expect![[r#"
        type_transition a_t dir_t:file one_t "a+b%c";
        type_transition a_t dir_t:file one_t "one";
        type_transition a_t exec_t:process one_t "prog";
        type_transition a_t sub_t:file one_t "shared";
        type_transition b_t sub_t:file one_t "shared";
        setools:
        type_transition a_t dir_t:file one_t a+b%c;
        type_transition a_t dir_t:file one_t one;
        type_transition a_t exec_t:process one_t prog;
        type_transition a_t sub_t:file one_t shared;
        type_transition b_t sub_t:file one_t shared;
    "#]],
    );
    let of = |kinds: &[Kind]| RuleQuery { kinds: kinds.to_vec(), ..RuleQuery::default() };
    let roles = of(&[Kind::RoleAllow, Kind::RoleTransition]);
    let query = RuleQuery { default: default("rb"), ..roles.clone() };
    search(
        "role-transition",
        &query,
        &expect![[r#"
        role_transition r exec_t:process rb;
    "#]],
    );
    let query = RuleQuery { target: named("exec_t"), ..roles };
    search(
        "role-transition",
        &query,
        &expect![[r#"
        role_transition r exec_t:dir rc;
        role_transition r exec_t:process rb;
    "#]],
    );
    let ranges = of(&[Kind::RangeTransition]);
    let query = RuleQuery { default: default("s1:c0 - s2:c0,c1,c2"), ..ranges.clone() };
    search(
        "range-transition",
        &query,
        &expect![[r#"
        range_transition a_t exec_t:process s1:c0-s2:c0.c2;
        range_transition b_t exec_t:process s1:c0-s2:c0.c2;
        setools:
        range_transition a_t exec_t:process s1:c0 - s2:c0.c2;
        range_transition b_t exec_t:process s1:c0 - s2:c0.c2;
    "#]],
    );
    let query = RuleQuery { default: default("s2-s1"), ..ranges };
    search(
        "range-transition",
        &query,
        &expect![[r#"in the range "s2-s1" the high level does not dominate the low one"#]],
    );
}

/// The items of a component with their statements.
fn info(name: &str, component: Component, item: Option<&str>, expected: &Expect) {
    let policy = policy(name);
    let text = |style| {
        let query = InfoQuery { component, name: item.map(str::to_owned), expand: true };
        let items = query.ask(&Statements::new(policy.db(), style))?;
        let lines = items.into_iter().filter_map(|it| it.statement);
        Ok(lines.map(|it| it + "\n").collect::<String>())
    };
    expected.assert_eq(&match (text(Style::Policy), text(Style::Setools)) {
        (Ok(ours), Ok(theirs)) if ours == theirs => ours,
        (Ok(ours), Ok(theirs)) => format!("{ours}setools:\n{theirs}"),
        (Err(error), _) | (_, Err(error)) => mandate_query::QuestionError::to_string(&error),
    });
}

#[test]
fn symbols_have_statements() {
    info(
        "type-alias",
        Component::Type,
        Some("old_a_t"),
        &expect![[r#"
        type a_t alias { old_a_t older_a_t };
    "#]],
    );
    info(
        "common",
        Component::Class,
        None,
        &expect![[r#"
        class bare
        inherits things

        class dir
        inherits things
        {
        	d1
        	d2
        }
        class file
        inherits things
        {
        	f1
        	f2
        }
        class lone
        {
        	c1
        }
        class process
        {
        	dyntransition
        	transition
        }
    "#]],
    );
    info(
        "mls-alias",
        Component::Category,
        None,
        &expect![[r#"
        category c0 alias red;
        category c1;
        category c2;
        category c3 alias { blue green };
        category c4;
        category c5;
    "#]],
    );
    info(
        "user-levels",
        Component::User,
        None,
        &expect![[r#"
        user cat roles r level s1:c2 range s1:c2-s1:c2.c3;
        user lower roles r level s0 range s0;
        user mid roles r level s1:c0 range s1-s2:c0.c1;
        user u roles r level s0 range s0-s3:c0.c3;
        user upper roles r level s3:c0 range s2:c0-s3:c0.c3;
        setools:
        user cat roles r level s1:c2 range s1:c2 - s1:c2.c3;
        user lower roles r level s0 range s0;
        user mid roles r level s1:c0 range s1 - s2:c0.c1;
        user u roles r level s0 range s0 - s3:c0.c3;
        user upper roles r level s3:c0 range s2:c0 - s3:c0.c3;
    "#]],
    );
    info(
        "version-24",
        Component::Attribute,
        None,
        &expect![[r#"
        attribute domain;
        	a_t
        	b_t
        attribute objects;
        	b_t
        	c_t
    "#]],
    );
    info(
        "typebounds-nested",
        Component::Typebounds,
        None,
        &expect![[r#"
        typebounds a_t b_t;
        typebounds b_t c_t;
    "#]],
    );
    info(
        "default-range-source-low-high",
        Component::Default,
        None,
        &expect![[r#"
        default_range file source low_high;
        default_range process source low_high;
    "#]],
    );
}

#[test]
fn constraints_are_as_they_are_meant_and_as_setools_prints_them() {
    info(
        "constrain-nested",
        Component::Constrain,
        None,
        &expect![[r#"
        constrain file p1 ( (u1 == u) or ((r1 == rb) and (t1 == b_t)) );
        constrain file p2 ( ((u1 == u) or (r1 == rb)) and (t1 == b_t) );
        constrain file p3 ( not (u1 == u) and (r1 == rb) );
        constrain file p4 ( not ((u1 == u) and ((r1 == rb) or not (t1 == b_t))) );
        constrain file p5 ( (u1 == u2) and ((r1 == r2) or ((t1 == a_t) and not ((t2 == b_t) or (u1 == v)))) );
        setools:
        constrain file p1 (u1 == u or ( r1 == rb ) and ( t1 == b_t )); 
        constrain file p2 (u1 == u or ( r1 == rb ) and ( t1 == b_t )); 
        constrain file p3 (not ( u1 == u ) and r1 == rb); 
        constrain file p4 (not ( ( u1 == u and ( r1 == rb ) or not ( ( t1 == b_t ) ) ) )); 
        constrain file p5 (( u1 == u2 and ( r1 == r2 ) or ( t1 == a_t ) and not ( ( t2 == b_t ) or ( u1 == v ) ) )); 
    "#]],
    );
    info(
        "mlsvalidatetrans",
        Component::Validatetrans,
        Some("file"),
        &expect![[r#"
        mlsvalidatetrans file ( (((h1 eq h2) or (l1 incomp h2)) or (h1 domby l2)) or (t3 == admin_t) );
        mlsvalidatetrans file ( ((l1 eq l2) or (t3 == admin_t)) or ((l1 domby l2) and (h1 domby h2)) );
        setools:
        mlsvalidatetrans file (h1 == h2 or ( l1 incomp h2 ) or ( h1 domby l2 ) or ( t3 == admin_t ));
        mlsvalidatetrans file (l1 == l2 or ( t3 == admin_t ) or ( l1 domby l2 ) and ( h1 domby h2 ));
    "#]],
    );
    info(
        "constrain-nested",
        Component::Constrain,
        Some("fiel"),
        &expect![[r#"the policy has no class "fiel""#]],
    );
}

#[test]
fn contexts_are_found_by_number_and_address() {
    info(
        "ports",
        Component::Portcon,
        Some("8010-8020"),
        &expect![[r#"
        portcon tcp 1024-32767 u:object_r:low_t
        portcon tcp 8000-8100 u:object_r:http_t
    "#]],
    );
    info(
        "ports",
        Component::Portcon,
        Some("http"),
        &expect![[r#"expected a port or range of ports, found "http""#]],
    );
    info(
        "nodes",
        Component::Nodecon,
        Some("10.1.0.0/16"),
        &expect![[r#"
        nodecon 10.1.0.0 255.255.0.0 u:object_r:inner_t
    "#]],
    );
    info(
        "nodes",
        Component::Nodecon,
        Some("10.1.0.1/16"),
        &expect![[
            r#"expected an IPv4 or IPv6 address, or a network without host bits, found "10.1.0.1/16""#
        ]],
    );
    info(
        "infiniband",
        Component::Ibpkeycon,
        Some("0x8020"),
        &expect![[r#"
        ibpkeycon fe80:: 0x8010-0x80ff u:object_r:keys_t
        setools:
    "#]],
    );
    info(
        "genfs",
        Component::Genfscon,
        Some("proc"),
        &expect![[r#"
            genfscon proc / u:object_r:proc_t
            genfscon proc /net -d u:object_r:net_t
            genfscon proc /sys u:object_r:sysctl_t
            genfscon proc /sys/kernel u:object_r:kernel_sysctl_t
            genfscon proc /sys/kernel/modprobe -- u:object_r:modprobe_t
            setools:
            genfscon proc /  u:object_r:proc_t
            genfscon proc /net -d u:object_r:net_t
            genfscon proc /sys  u:object_r:sysctl_t
            genfscon proc /sys/kernel  u:object_r:kernel_sysctl_t
            genfscon proc /sys/kernel/modprobe -- u:object_r:modprobe_t
        "#]],
    );
    info(
        "object-contexts-mls",
        Component::Netifcon,
        None,
        &expect![[r#"
        netifcon lo u:object_r:a_t:s0-s1:c0.c3 u:object_r:a_t:s0
        setools:
        netifcon lo u:object_r:a_t:s0 - s1:c0.c3 u:object_r:a_t:s0
    "#]],
    );
    info(
        "xen",
        Component::Iomemcon,
        None,
        &expect![[r#"
            iomemcon 1043424-1043455 u:object_r:mem_t
            setools:
            iomemcon 0xfebe0-0xfebff u:object_r:mem_t
        "#]],
    );
    // setools means the statement about the address, not what holds it.
    info(
        "xen",
        Component::Iomemcon,
        Some("0xfebe1"),
        &expect![[r#"
            iomemcon 1043424-1043455 u:object_r:mem_t
            setools:
        "#]],
    );
    info(
        "xen",
        Component::Ioportcon,
        Some("c001-c002"),
        &expect![[r#"
            ioportcon 49152-49184 u:object_r:mem_t
            setools:
            ioportcon 0xc000-0xc020 u:object_r:mem_t
        "#]],
    );
}

#[test]
fn everything_is_counted() {
    let policy = policy("xen");
    let counts = Summary::of(policy.db()).counts.into_iter().filter(|it| it.number > 0);
    let counts: Vec<String> = counts.map(|it| format!("{} {}", it.title, it.number)).collect();
    expect!["Classes 3, Permissions 8, Types 6, Attributes 1, Users 1, Roles 2, Allow 2, Auditallow 1, Initial SIDs 12, Devicetreecon 1, Iomemcon 1, Ioportcon 1, Pcidevicecon 1, Pirqcon 1"].assert_eq(&counts.join(", "));
}
