use expect_test::{Expect, expect};
use mandate_policydb::{Policy, Unvalidated};

use super::*;

const A: &[u8] = include_bytes!("../../tests/diff/a.bin");
const B: &[u8] = include_bytes!("../../tests/diff/b.bin");
const C: &[u8] = include_bytes!("../../tests/diff/c.bin");
const D: &[u8] = include_bytes!("../../tests/diff/d.bin");
const E: &[u8] = include_bytes!("../../tests/diff/e.bin");
const F: &[u8] = include_bytes!("../../tests/diff/f.bin");

fn read(bytes: &[u8]) -> Policy {
    Unvalidated::read(bytes).unwrap().validate().unwrap()
}

/// All differences, a line each.
fn differences(first: &Policy, second: &Policy, style: Style) -> String {
    let query = DiffQuery { parts: Part::all().collect(), style };
    let diff = query.ask(first.db(), second.db());
    let mut text = Vec::new();
    for section in &diff.sections {
        let lists = [("+", &section.added), ("-", &section.removed), ("*", &section.modified)];
        for (sign, change) in lists.iter().flat_map(|it| it.1.iter().map(|change| (it.0, change))) {
            text.extend_from_slice(format!("{sign} {}: ", section.part.keyword()).as_bytes());
            diff.push(&mut text, change);
            text.push(b'\n');
        }
    }
    String::from_utf8(text).unwrap()
}

fn check(first: &[u8], second: &[u8], expected: &Expect) {
    let (first, second) = (read(first), read(second));
    expected.assert_eq(&differences(&first, &second, Style::Setools));
}

#[test]
fn each_part_is_compared() {
    check(
        A,
        B,
        &expect![[r#"
        * class: dir (1 Added permissions)
        + bool: b3
        - bool: b2
        * bool: b1 (Modified default state)
        * role: q (1 Added types, 1 Removed types)
        * type: a_t (1 Added aliases, 1 Removed aliases, Removed permissive)
        * type: b_t (1 Added attributes, 1 Removed attributes, Added permissive)
        * attribute: at (1 Removed types)
        * attribute: bt (1 Added types)
        + user: w
        - user: v
        * user: u (1 Added roles)
        * level: s0 (1 Removed Categories)
        + allow: allow b_t c_t:file execute; [ b1 ]:True
        - allow: allow a_t c_t:file read;
        * allow: allow a_t b_t:file { read +execute -write };
        * allowxperm: allowxperm c_t c_t:file ioctl { 0x1234 0x1300-0x1310 +[0x1311-0x1312] };
        * type_transition: type_transition a_t b_t:process +d_t -c_t;
        + role_allow: allow q r;
        - role_allow: allow r q;
        * range_transition: range_transition a_t b_t:process +[s0:c0 - s1:c0.c2] -[s0:c0 - s1:c0.c1]
        + mlsconstrain: mlsconstrain file read (l1 == l2); 
        - mlsconstrain: mlsconstrain file read (l1 dom l2); 
        * initialsid: security +[u:r:b_t:s0] -[u:r:a_t:s0];
        * fs_use: fs_use_xattr ext4 +[u:r:b_t:s0] -[u:r:a_t:s0];
        * genfscon: genfscon proc /  +[u:r:b_t:s0] -[u:r:a_t:s0];
        * netifcon: eth0 (Modified Context)
        + nodecon: nodecon 11.0.0.0 255.0.0.0 u:r:a_t:s0
        - nodecon: nodecon 10.0.0.0 255.0.0.0 u:r:a_t:s0
        * portcon: portcon tcp 80 +[u:r:b_t:s0] -[u:r:a_t:s0];
        + polcap: network_peer_controls
        - polcap: open_perms
        * default: default_user file +target -source;
        * typebounds: typebounds +b_t -a_t d_t;
    "#]],
    );
}

#[test]
fn rules_are_compared_by_what_they_do() {
    check(
        C,
        D,
        &expect![[r#"
        * common: base (1 Added permissions)
        * class: dir (2 Added permissions)
        * class: file (1 Added permissions)
        + role: pp
        * role: q (1 Added types)
        * role: r (1 Added types)
        + type: e_t
        * type: a_t (1 Added attributes)
        * attribute: bt (1 Added types)
        + user: w
        - user: v
        * user: u (1 Added roles, 1 Removed roles, Modified default level)
        + category: c3
        * category: c0 (1 Added Aliases)
        * sensitivity: s0 (1 Added Aliases)
        * level: s1 (1 Added Categories)
        + allow: allow c_t b_t:file { getattr read }; [ b1 && b3 ]:True
        + allow: allow d_t b_t:file read; [ b1 && b3 ]:False
        - allow: allow c_t b_t:file read; [ b3 && b1 ]:True
        - allow: allow d_t b_t:file { getattr read }; [ b3 && b1 ]:False
        * allow: allow a_t b_t:file { read write +create -execute };
        * allowxperm: allowxperm a_t b_t:file ioctl { 0x0002 0x8900-0x8a00 +[0x8a01-0x8a0f] -0x0001 -0x0003 };
        + auditallow: auditallow d_t d_t:file read; [ b2 ]:False
        - auditallow: auditallow d_t d_t:file read; [ b2 ]:True
        * auditallow: auditallow a_t b_t:file { read +write };
        * auditallowxperm: auditallowxperm a_t b_t:file ioctl { 0x0001-0xfff0 -[0xfff1-0xffff] };
        * dontaudit: dontaudit a_t b_t:file { read +execute -write };
        * dontauditxperm: dontauditxperm a_t b_t:file ioctl { +0x0006 -0x0005 };
        + type_transition: type_transition a_t b_t:file d_t; [ b2 ]:False
        - type_transition: type_transition a_t b_t:file c_t; [ b2 ]:True
        * type_transition: type_transition a_t b_t:file +d_t -c_t foo;
        * type_transition: type_transition b_t b_t:file +d_t -c_t foo;
        * type_change: type_change a_t b_t:file +d_t -c_t;
        * type_member: type_member a_t b_t:file +b_t -d_t;
        + role_allow: allow r q;
        * role_transition: role_transition r b_t:process +r -q
        * range_transition: range_transition a_t b_t:file +[s0] -[s1]
        * range_transition: range_transition b_t b_t:file +[s0] -[s1]
        + constrain: constrain file { read write } (( u1 == u2 and ( t1 == at ) or ( r1 != r2 ) )); 
        + constrain: constrain process { dyntransition signal } (u1 == u2); 
        - constrain: constrain file { read write } (( u1 == u2 and ( r1 != r2 ) or ( t1 == at ) )); 
        - constrain: constrain process signal (u1 == u2); 
        - validatetrans: validatetrans file (u1 == u2);
        + mlsvalidatetrans: mlsvalidatetrans file (l1 == l2 or ( l1 domby l2 ));
        - mlsvalidatetrans: mlsvalidatetrans file (l1 == l2 or ( l1 dom l2 ));
        * initialsid: kernel +[u:q:a_t:s0] -[u:r:a_t:s0];
        * initialsid: security +[u:q:a_t:s0] -[u:r:a_t:s0];
        + ibendportcon: ibendportcon mlx4_1 1 u:q:b_t:s0
        * ibendportcon: ibendportcon mlx4_0 1 +[u:q:b_t:s0] -[u:r:a_t:s0]
        * ibpkeycon: ibpkeycon fe80:: 0x8000-0x9000 +[u:q:b_t:s0] -[u:r:a_t:s0]
        + fs_use: fs_use_trans pipefs u:q:a_t:s0;
        + fs_use: fs_use_xattr xfs u:q:a_t:s0;
        - fs_use: fs_use_task pipefs u:r:a_t:s0;
        - fs_use: fs_use_trans tmpfs u:r:a_t:s0;
        * fs_use: fs_use_xattr ext4 +[u:q:b_t:s0] -[u:r:a_t:s0];
        + genfscon: genfscon sysfs /x -- u:q:a_t:s0
        - genfscon: genfscon proc /x -- u:r:a_t:s0
        * genfscon: genfscon proc /  +[u:q:b_t:s0] -[u:r:a_t:s0];
        * genfscon: genfscon proc /x -d +[u:q:a_t:s0] -[u:r:b_t:s0];
        + netifcon: netifcon eth2 u:q:a_t:s0 u:q:a_t:s0
        - netifcon: netifcon eth1 u:r:a_t:s0 u:r:a_t:s0
        * netifcon: eth0 (Modified Context, Modified Packet Context)
        * nodecon: nodecon 10.0.0.0 255.0.0.0 +[u:q:b_t:s0] -[u:r:a_t:s0];
        * nodecon: nodecon fe80:: ffff:: +[u:q:b_t:s0] -[u:r:a_t:s0];
        + portcon: portcon tcp 80-81 u:q:a_t:s0
        - portcon: portcon tcp 80 u:r:a_t:s0
        * portcon: portcon udp 80-90 +[u:q:a_t:s0:c2] -[u:r:a_t:s0:c1];
        + default: default_type process target;
        - default: default_role process target;
        * default: default_range file +source -target low_high;
        * default: default_user file +target -source;
        + typebounds: typebounds a_t d_t;
        - typebounds: typebounds a_t c_t;
    "#]],
    );
}

#[test]
fn conditional_rules_count_beyond_what_is_given_anyway() {
    check(
        E,
        F,
        &expect![[r#"
        * type: d_t (Added permissive)
        * type: e_t (1 Added attributes, 1 Added aliases, 1 Removed aliases, Added permissive)
        * attribute: bt (1 Added types)
        - sensitivity: s2
        - level: s2:c0.c2
        + allow: allow a_t b_t:file getattr;
        + allow: allow b_t b_t:file getattr;
        * allow: allow a_t b_t:file { read +execute -write }; [ b1 ]
        * allow: allow a_t b_t:file { read +write }; [ b1 ]
        + auditallow: auditallow a_t a_t:file read;
        * auditallow: auditallow c_t b_t:file { read +execute -write }; [ b1 ]
        + type_transition: type_transition c_t c_t:file a_t; [ b2 ]:True
        * type_transition: type_transition a_t b_t:file +d_t -c_t; [ b1 ]
        + polcap: open_perms
    "#]],
    );
}

#[test]
fn a_policy_does_not_differ_from_itself() {
    for bytes in [A, B, C, D, E, F] {
        let policy = read(bytes);
        assert_eq!(differences(&policy, &policy, Style::Policy), "");
    }
}

#[test]
fn the_way_back_turns_every_sign() {
    let (c, d) = (read(C), read(D));
    let count = |text: &str, sign: &str| text.lines().filter(|it| it.starts_with(sign)).count();
    let (there, back) = (differences(&c, &d, Style::Policy), differences(&d, &c, Style::Policy));
    assert_eq!(count(&there, "+"), count(&back, "-"));
    assert_eq!(count(&there, "-"), count(&back, "+"));
    assert_eq!(count(&there, "*"), count(&back, "*"));
}

#[test]
fn effects_follow_the_booleans() {
    let (a, b) = (read(A), read(B));
    let effects = Effects::of(a.db(), b.db(), Style::Policy);
    let mut text = Vec::new();
    for (domain, changes) in effects.domains() {
        text.extend_from_slice(format!("{domain}\n").as_bytes());
        for change in changes {
            text.extend_from_slice(b"   ");
            effects.diff().push_access(&mut text, change);
            text.push(b'\n');
        }
    }
    expect![[r#"
        a_t
           allow a_t b_t:file { read +execute -write };
           allow a_t c_t:file read;
        b_t
           allow b_t c_t:file { read +write };
    "#]]
    .assert_eq(&String::from_utf8(text).unwrap());
}

#[test]
fn the_rules_behind_a_change_are_found() {
    let (a, b) = (read(A), read(B));
    let query = DiffQuery { parts: vec![Part::Allow], style: Style::Policy };
    let diff = query.ask(a.db(), b.db());
    let mut text = String::new();
    let section = diff.sections.first().unwrap();
    for change in section.added.iter().chain(&section.removed).chain(&section.modified) {
        let Change::Access(access) = change else { unreachable!() };
        for (side, db) in [a.db(), b.db()].into_iter().enumerate() {
            for (place, _) in diff.rules(side, access) {
                text += &format!("{side} {}\n", db.rule_to_string(place.rule(db).unwrap()));
            }
        }
    }
    expect![[r#"
        1 allow b_t c_t:file { read execute };
        0 allow at c_t:file read;
        0 allow a_t b_t:file { read write };
        1 allow a_t b_t:file { read execute };
    "#]]
    .assert_eq(&text);
}

/// The pair-by-pair reference: every access vector of every pair, expanded.
fn expanded(db: &PolicyDb, kind: RuleKind) -> std::collections::BTreeMap<[String; 3], u32> {
    let sets = crate::types::TypeSets::new(db);
    let mut vectors = std::collections::BTreeMap::new();
    for rule in db.rules.iter().filter(|it| it.kind == kind) {
        for source in sets.members(rule.source).ids() {
            for target in sets.members(rule.target).ids() {
                let key =
                    [db.types.name(source), db.types.name(target), db.classes.name(rule.class())];
                *vectors.entry(key.map(|it| it.into_owned())).or_insert(0) |= rule.permissions();
            }
        }
    }
    vectors
}

#[test]
fn access_vectors_are_those_of_plain_expansion() {
    let (c, d) = (read(C), read(D));
    for kind in [RuleKind::Allow, RuleKind::AuditAllow, RuleKind::DontAudit] {
        let (names, sides) = joined([c.db(), d.db()], Style::Policy);
        let found = access::changes(&sides, names.types.len(), kind, Conditions::Kept);
        let found = found.filter(|it| it.layer == 0).count();
        let [before, after] = [c.db(), d.db()].map(|db| {
            let named = |(key, vector): ([String; 3], u32)| {
                let class = db.classes.id(&key[2]).unwrap();
                let mut names = db.permission_names(class, vector & db.permission_mask(class));
                names.sort_unstable();
                (key, names)
            };
            expanded(db, kind).into_iter().map(named).collect::<std::collections::BTreeMap<_, _>>()
        });
        let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let differ = keys.into_iter().filter(|it| before.get(*it) != after.get(*it)).count();
        assert_eq!(found, differ, "{kind:?}");
    }
}
