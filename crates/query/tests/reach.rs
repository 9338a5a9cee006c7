//! Domain transitions of small policies.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{names, policy, type_};
use mandate_policydb::{PolicyDb, TypeId};
use mandate_query::graph::Length;
use mandate_query::reach::{Step, Transitions};
use mandate_query::rules::{Conditions, Rule};
use mandate_query::types::TypeSets;

/// `a` becomes `b` by a `type_transition`, `b` becomes `c` by `setexec`, `c` becomes `d` by itself, `d` becomes `b` if `off` is on.
const CHAIN: &str = "
attribute domain; attribute program;
type a, domain; type b, domain; type c, domain; type d, domain; type e, domain;
type b_exec, program; type c_exec, program; type other_exec;
bool off false;
allow a b:process transition;
allow a b_exec:file execute;
allow b b_exec:file entrypoint;
type_transition a b_exec:process b;
allow b c:process transition;
allow b self:process setexec;
allow b program:file execute;
allow c c_exec:file entrypoint;
allow c d:process dyntransition;
allow domain self:process setcurrent;
if (off) { allow d b:process transition; }
allow d program:file execute;
allow d self:process setexec;
";

/// What is allowed beside [`CHAIN`], and the steps that `from` can then take.
fn check(more: &str, from: &str, expected: &str) {
    let policy = policy(&format!("{CHAIN}{more}"));
    let db = policy.db();
    let sets = TypeSets::new(db);
    let transitions = Transitions::new(&sets, &Conditions::All, &[]);
    let from = type_(db, from);
    let found: Vec<_> = transitions.out_of(from).map(|it| db.types.name(it)).collect();
    assert_eq!(found.join(" "), expected, "{more}");
    for to in transitions.out_of(from) {
        assert!(transitions.towards(to).any(|it| it == from));
        let step = transitions.step(from, to);
        assert!(!step.entrypoints.is_empty() || !step.dyntransition.is_empty(), "{more}");
    }
}

#[test]
fn a_step_needs_all_its_rules() {
    check("", "a", "b");
    check("", "b", "c");
    check("", "c", "d");
    check("", "d", "b");
    check("", "e", "");
    // No entry point, nobody who chooses the domain, an entry point that may not be executed.
    check("allow e c:process transition; allow e self:process setexec;", "e", "");
    check("allow e c:process transition; allow e c_exec:file execute;", "e", "");
    check(
        "allow e c:process transition; allow e c_exec:file execute; type_transition e c_exec:process b;",
        "e",
        "",
    );
    check(
        "allow e c:process transition; allow e c_exec:file execute; type_transition e c_exec:process c;",
        "e",
        "c",
    );
    check("allow e c:process transition; type_transition e c_exec:process c;", "e", "");
    // What stands for another process does not count.
    check("allow e c:process { transition setexec }; allow e c_exec:file execute;", "e", "");
    check("allow a e:process dyntransition;", "a", "b e");
    check("allow first e:process { dyntransition setcurrent };", "first", "");
    // Attributes stand for all their types, but nothing becomes itself.
    check("allow b domain:process transition;", "b", "c");
    check("allow e domain:process dyntransition;", "e", "a b c d");
}

fn paths(conditions: &Conditions, excluded: &[&str], wanted: Length, from_to: [&str; 2]) -> String {
    let policy = policy(&format!("{CHAIN}allow a c:process dyntransition;"));
    let db = policy.db();
    let sets = TypeSets::new(db);
    let excluded: Vec<TypeId> = excluded.iter().map(|it| type_(db, it)).collect();
    let transitions = Transitions::new(&sets, conditions, &excluded);
    let [from, to] = from_to.map(|it| type_(db, it));
    names(db, transitions.paths(from, to, wanted))
}

#[test]
fn paths_are_found_the_shortest_first() {
    let all = &Conditions::All;
    assert_eq!(paths(all, &[], Length::Shortest, ["a", "d"]), "a>c>d");
    assert_eq!(paths(all, &[], Length::UpTo(3), ["a", "d"]), "a>c>d a>b>c>d");
    assert_eq!(paths(all, &["c"], Length::UpTo(9), ["a", "d"]), "");
    assert_eq!(paths(all, &["b"], Length::UpTo(9), ["a", "d"]), "a>c>d");
    assert_eq!(paths(all, &[], Length::Shortest, ["d", "a"]), "");
    assert_eq!(paths(all, &[], Length::Shortest, ["d", "c"]), "d>b>c");
}

#[test]
fn booleans_can_be_as_they_stand_or_as_given() {
    let policy = policy(CHAIN);
    let off = policy.db().booleans.id("off").unwrap();
    let as_is = Conditions::with(policy.db(), &[]);
    let on = Conditions::with(policy.db(), &[(off, true)]);
    assert_eq!(paths(&as_is, &[], Length::Shortest, ["d", "c"]), "");
    assert_eq!(paths(&on, &[], Length::Shortest, ["d", "c"]), "d>b>c");
}

fn told(db: &PolicyDb, step: &Step<'_>) -> String {
    let rules = |head: &str, rules: &[Rule<'_>]| -> Vec<String> {
        rules.iter().map(|it| format!("{head}: {}", db.rule_to_string(it.rule))).collect()
    };
    let mut lines = rules("transition", &step.transition);
    lines.extend(rules("setexec", &step.setexec));
    for it in &step.entrypoints {
        lines.push(format!("through {}", db.types.name(it.type_)));
        lines.extend(rules("  entrypoint", &it.entrypoint));
        lines.extend(rules("  execute", &it.execute));
        lines.extend(rules("  type_transition", &it.type_transition));
    }
    lines.extend(rules("dyntransition", &step.dyntransition));
    lines.extend(rules("setcurrent", &step.setcurrent));
    lines.join("\n")
}

#[test]
fn a_step_shows_the_rules_that_make_it() {
    let policy = policy(CHAIN);
    let db = policy.db();
    let sets = TypeSets::new(db);
    let transitions = Transitions::new(&sets, &Conditions::All, &[]);
    assert_eq!((transitions.domains(), transitions.count()), (4, 4));
    let check = |from: &str, to: &str, expected: expect_test::Expect| {
        expected.assert_eq(&told(db, &transitions.step(type_(db, from), type_(db, to))));
    };
    check(
        "a",
        "b",
        expect_test::expect![[r#"
        transition: allow a b:process transition;
        through b_exec
          entrypoint: allow b b_exec:file entrypoint;
          execute: allow a b_exec:file execute;
          type_transition: type_transition a b_exec:process b;"#]],
    );
    check(
        "b",
        "c",
        expect_test::expect![[r#"
            transition: allow b c:process transition;
            setexec: allow b b:process { setexec setcurrent };
            through c_exec
              entrypoint: allow c c_exec:file entrypoint;
              execute: allow b program:file execute;"#]],
    );
    check(
        "c",
        "d",
        expect_test::expect![[r#"
        dyntransition: allow c d:process dyntransition;
        setcurrent: allow c c:process setcurrent;"#]],
    );
    check("a", "d", expect_test::expect![[""]]);
}
