//! Information flow in small policies.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{names, policy, type_};
use mandate_policydb::{PolicyDb, SymbolId as _, TypeId};
use mandate_query::flow::{FlowQuery, Flows, PermissionMap};
use mandate_query::graph::{Length, Lightest};
use mandate_query::rules::Conditions;
use mandate_query::types::TypeSets;

const MAP: &str = "4
class process 5
 transition w 5
 dyntransition w 5
 setexec n 1
 setcurrent n 1
 sigchld b 1
class file 7
 read r 10
 write w 10
 append w 3
 execute r 2
 entrypoint r 1
 ioctl n 1
 getattr r 7
class dir 2
 read r 5
 write w 4
class fd 0
";

const RULES: &str = "
attribute domain;
type a, domain; type b, domain; type c, domain; type d, domain; type e;
type f; type g; type log;
bool on true;
allow a f:file write;
allow b f:file read;
allow a g:file append;
allow c g:file getattr;
allow domain log:file append;
allow d log:file read;
allow a self:file write;
allow a e:file { ioctl execute };
allow a e:fd use;
allow e a:process sigchld;
if (on) { allow c e:dir { read write search }; } else { allow d e:dir write; }
";

struct Asked<'q> {
    least: u8,
    conditions: fn(&PolicyDb) -> Conditions,
    excluded: &'q [&'q str],
}

const ALL: Asked<'_> = Asked { least: 1, conditions: |_| Conditions::All, excluded: &[] };

fn ask<T>(asked: &Asked<'_>, answer: impl FnOnce(&PolicyDb, &Flows<'_>) -> T) -> T {
    let policy = policy(RULES);
    let db = policy.db();
    let sets = TypeSets::new(db);
    let map = PermissionMap::parse(MAP).unwrap();
    let excluded: Vec<TypeId> = asked.excluded.iter().map(|it| type_(db, it)).collect();
    let (least_weight, conditions) = (asked.least, (asked.conditions)(db));
    let query = FlowQuery { map: &map, least_weight, conditions, excluded: &excluded };
    answer(db, &Flows::new(&sets, &query))
}

fn check(asked: &Asked<'_>, from: &str, out: &str, into: &str) {
    ask(asked, |db, flows| {
        let names = |types: Vec<TypeId>| {
            let names: Vec<_> = types.iter().map(|it| db.types.name(*it)).collect();
            names.join(" ")
        };
        assert_eq!(names(flows.out_of(type_(db, from))), out, "out of {from}");
        assert_eq!(names(flows.towards(type_(db, from))), into, "into {from}");
    });
}

#[test]
fn what_is_written_goes_to_the_target_and_what_is_read_to_the_source() {
    check(&ALL, "a", "e f g log", "e");
    check(&ALL, "f", "b", "a");
    check(&ALL, "log", "d", "a b c d");
    check(&ALL, "e", "a c", "a c d");
    check(&ALL, "first", "", "");
}

#[test]
fn a_least_weight_booleans_and_excluded_types_narrow_it() {
    check(&Asked { least: 3, ..ALL }, "a", "f g log", "");
    check(&Asked { least: 4, ..ALL }, "a", "f", "");
    check(&Asked { least: 5, ..ALL }, "e", "c", "");
    let as_is: fn(&PolicyDb) -> Conditions = |db| Conditions::with(db, &[]);
    let off: fn(&PolicyDb) -> Conditions =
        |db| Conditions::with(db, &[(db.booleans.id("on").unwrap(), false)]);
    check(&Asked { conditions: as_is, ..ALL }, "e", "a c", "a c");
    check(&Asked { conditions: off, ..ALL }, "e", "a", "a d");
    check(&Asked { excluded: &["f", "log"], ..ALL }, "a", "e g", "e");
    check(&Asked { excluded: &["a"], ..ALL }, "a", "", "");
}

fn paths(asked: &Asked<'_>, from: &str, to: &str, wanted: Length) -> String {
    ask(asked, |db, flows| names(db, flows.paths(type_(db, from), type_(db, to), wanted)))
}

#[test]
fn paths_are_found_the_shortest_first() {
    assert_eq!(paths(&ALL, "a", "d", Length::Shortest), "a>log>d");
    assert_eq!(paths(&ALL, "a", "c", Length::Shortest), "a>e>c a>g>c");
    assert_eq!(
        paths(&ALL, "a", "d", Length::UpTo(4)),
        "a>log>d a>e>c>log>d a>f>b>log>d a>g>c>log>d"
    );
    assert_eq!(paths(&Asked { least: 4, ..ALL }, "a", "c", Length::UpTo(9)), "");
    assert_eq!(paths(&ALL, "first", "d", Length::UpTo(9)), "");
}

#[test]
fn the_lightest_way_may_have_more_steps() {
    let policy = policy(RULES);
    let db = policy.db();
    let sets = TypeSets::new(db);
    let map = PermissionMap::parse(MAP).unwrap();
    let query =
        FlowQuery { map: &map, least_weight: 1, conditions: Conditions::All, excluded: &[] };
    let levels = Flows::by_length(&sets, &query);
    let [a, c, d] = ["a", "c", "d"].map(|it| type_(db, it).bit());
    // a to g has weight 3 and g to c 7; a to e has 1.
    let ways = Lightest::new(&levels, a, c);
    assert_eq!(ways.length(), Some(8 + 4));
    assert_eq!(names(db, ways), "a>g>c");
    assert_eq!(names(db, Lightest::new(&levels, a, d)), "a>log>d");
}

#[test]
fn a_step_shows_its_rules_the_heaviest_first() {
    let told = ask(&ALL, |db, flows| {
        let step = flows.step(type_(db, "a"), type_(db, "e"));
        let told =
            step.iter().map(|it| format!("{} {}", it.weight, db.rule_to_string(it.rule.rule)));
        let step = flows.step(type_(db, "b"), type_(db, "log"));
        let more =
            step.iter().map(|it| format!("{} {}", it.weight, db.rule_to_string(it.rule.rule)));
        told.chain(more).collect::<Vec<_>>().join("\n")
    });
    expect_test::expect![[r#"
        1 allow e a:process sigchld;
        3 allow domain log:file append;"#]]
    .assert_eq(&told);
    let counts = ask(&ALL, |_, flows| (flows.count(), flows.unmapped().to_vec()));
    let pair = |class: &str, permission: &str| (class.to_owned(), permission.to_owned());
    assert_eq!(counts, ((8, 14), vec![pair("dir", "search"), pair("fd", "use")]));
}

/// Classes and permissions of the Reference Policy, those of object managers too.
#[test]
fn our_map_knows_every_permission_of_the_base_policy() {
    let text = include_str!("../../../policies/base/policy/flask/access_vectors");
    let words = text.lines().filter_map(|it| it.split('#').next()).flat_map(str::split_whitespace);
    let map = PermissionMap::ours();
    let (mut class, mut known) = (String::new(), 0);
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        match word {
            "common" => class.clear(),
            "class" => words.next().unwrap_or_default().clone_into(&mut class),
            "inherits" => drop(words.next()),
            "{" | "}" => {}
            _ if class.is_empty() => drop((word != "{").then(|| words.peek())),
            permission => {
                assert!(map.mapping(&class, permission).is_some(), "{class} {permission}");
                known += 1;
            }
        }
    }
    assert!(known > 100, "{known}");
}
