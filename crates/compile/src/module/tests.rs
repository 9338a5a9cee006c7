use std::fmt::Write as _;

use expect_test::{Expect, expect};
use mandate_policydb::{Datum, PolicyDb, Unvalidated};
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::{self, ParseOptions, SourceKind, Unit};
use mandate_syntax::source::SourceMap;
use mandate_syntax::text::Text;

use super::*;
use crate::backend;

fn unit(map: &mut SourceMap, name: &str, text: &str) -> Unit {
    let id = map.add(name, text.as_bytes()).expect("is small");
    let options = ParseOptions { kind: SourceKind::Expanded };
    let parsed = kernel::parse(&Text::of_file(map.file(id)), options);
    assert_eq!(parsed.diagnostics, [], "in {name}");
    parsed.unit
}

fn tell(map: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut told = String::new();
    for it in diagnostics {
        let at =
            map.location(it.span.pos).map(|at| format!("{}:{}:{}", at.path, at.line, at.column));
        let at = at.unwrap_or_else(|| "-".to_owned());
        let _ = write!(told, "{at} {} {}", it.code.as_str(), it.message);
        for it in it.help.iter().chain(&it.notes) {
            let _ = write!(told, " | {it}");
        }
        told.push('\n');
    }
    told
}

const BASE: &str = "class file\nclass process\nclass dir\nsid kernel\n\
    class file { read write }\nclass process { fork transition }\nclass dir { search }\n\
    sensitivity s0;\ndominance { s0 }\ncategory c0;\ncategory c1;\nlevel s0:c0.c1;\n\
    mlsconstrain file { read write } ( h1 dom h2 or t1 == trusted );\n\
    attribute domain;\nattribute trusted;\nattribute exec;\n\
    type a_t, domain;\ntype a_exec_t alias b_exec_t, exec;\ntype etc_t;\n\
    bool on true;\nrole system_r;\nrole user_r;\nrole system_r types a_t;\n\
    allow domain etc_t:file read;\nallow a_t a_exec_t:file read;\n\
    type_transition a_t exec:process a_t;\n\
    type_transition a_t etc_t:file etc_t \"name\";\n\
    if (on) { type_transition a_t etc_t:dir etc_t; }\n\
    user system_u roles system_r level s0 range s0 - s0:c0.c1;\n\
    sid kernel system_u:system_r:a_t:s0\n";

fn base(map: &mut SourceMap) -> PolicyDb {
    let unit = unit(map, "base", BASE);
    let options = backend::Options { mls: true, ..backend::Options::default() };
    let compiled = backend::compile(&[unit], &options);
    assert_eq!(tell(map, &compiled.diagnostics), "");
    compiled.policy.expect("has no error")
}

/// Rules of `db` that `base` does not have, and symbols with what they have.
fn news(base: &PolicyDb, db: &PolicyDb) -> String {
    let (before, after) = (dump(base), dump(db));
    after
        .lines()
        .filter(|line| !before.lines().any(|it| it == *line))
        .fold(String::new(), |text, line| text + line + "\n")
}

fn dump(db: &PolicyDb) -> String {
    let mut out = String::new();
    for (id, row) in (1..).zip(&db.type_attributes) {
        let names: Vec<_> = row.ids().map(|it| db.types.name(it)).collect();
        let _ = writeln!(out, "row {id} {}", names.join(" "));
    }
    let blocks = db.conditionals.iter().flat_map(|it| it.when_true.iter().chain(&it.when_false));
    for rule in db.rules.iter().chain(blocks) {
        let (source, target) = (db.types.name(rule.source), db.types.name(rule.target));
        let result = rule.default_type().map(|it| db.types.name(it).into_owned());
        let result =
            result.into_iter().chain(db.permission_names(rule.class(), rule.permissions()));
        let (kind, class) = (rule.kind.keyword(), db.classes.name(rule.class()));
        let result: Vec<String> = result.collect();
        let _ = writeln!(out, "{kind} {source} {target} {class} {}", result.join(" "));
    }
    for it in db.filename_transitions.to_singles().iter() {
        let (source, new) = (db.types.name(it.source), db.types.name(it.default_type));
        let _ = writeln!(out, "named {source} {new} {}", String::from_utf8_lossy(&it.name));
    }
    for role in db.roles.by_value() {
        let types: Vec<_> = role.types.ids().map(|it| db.types.name(it)).collect();
        let _ = writeln!(out, "role {} {}", role.name(), types.join(" "));
    }
    for class in db.classes.by_value() {
        let _ = writeln!(out, "{} {:?}", class.name(), class.constraints);
    }
    let booleans = db.booleans.by_value().map(Datum::name);
    let _ = writeln!(out, "booleans {:?}", booleans.collect::<Vec<_>>());
    out
}

fn check_added(text: &str, expected: &Expect) {
    let mut map = SourceMap::new();
    let base = base(&mut map);
    let module = unit(&mut map, "m", text);
    let added = add(&base, vec![module]);
    let mut told = tell(&map, &added.diagnostics);
    for it in &added.disabled {
        let _ = writeln!(told, "disabled for want of {}", it.optional.missing);
    }
    if let Some(db) = added.policy {
        told += &news(&base, &db);
        for it in &added.origins.rules {
            let at = map.location(it.span.pos).map(|at| at.line);
            let _ = writeln!(told, "rule {} of line {at:?}", it.rule);
        }
        let mut bytes = Vec::new();
        db.write(db.version, &mut bytes).expect("goes to memory");
        let read = Unvalidated::read(&bytes).map(Unvalidated::validate);
        assert!(read.is_ok_and(|it| it.is_ok()), "the policy is one");
    }
    expected.assert_eq(&told);
}

#[test]
fn a_module_joins_a_binary_policy() {
    check_added(
        "module m 1;\nrequire { attribute domain, trusted, exec; type a_t, etc_t, b_exec_t; role system_r; bool on;\n\
         class file { read write }; class process { fork transition }; class dir search; }\n\
         type m_t, domain, trusted;\ntype m_exec_t, exec;\nbool m_on false;\n\
         allow m_t etc_t:file write;\nallow a_t b_exec_t:file write;\ndontaudit m_t self:process fork;\n\
         type_transition a_t m_exec_t:process m_t;\ntype_transition m_t etc_t:file m_t \"name\";\n\
         role system_r types m_t;\nif (on && m_on) { allow m_t etc_t:dir search; }\n\
         optional { require { type gone_t; } allow m_t gone_t:file read; }\n",
        &expect![[r#"
            - W0007 some rules of a binary policy list the members of attributes, which types of the module do not join | build against the policy's source to have them too | such are its transitions, and rules over attributes without some members
            disabled for want of type gone_t
            row 7 domain trusted m_t
            row 8 exec m_exec_t
            allow a_t a_exec_t file read write
            type_transition a_t m_exec_t process m_t
            allow m_t etc_t file write
            dontaudit m_t m_t process fork
            allow m_t etc_t dir search
            named m_t m_t name
            role system_r a_t m_t
            file [Constraint { permissions: 3, expression: [Compare(H1H2, Dominates), Names(NameSet { part: Type, whose: Source, negated: false, names: Ebitmap { runs: [(0, 64)] }, written: TypeSet { types: Ebitmap { runs: [(0, 2)] }, excluded: Ebitmap { runs: [] }, flags: 0 } }), Or] }]
            booleans ["on", "m_on"]
            rule 1 of line Some(8)
            rule 3 of line Some(10)
            rule 4 of line Some(7)
            rule 5 of line Some(9)
        "#]],
    );
}

#[test]
fn what_cannot_join_is_told() {
    check_added(
        "require { type gone_t; attribute_role my_roles; }\n",
        &expect![[r#"
        m:1:16 E0316 the policy has no type gone_t
        m:1:39 E0316 the policy has no attribute_role my_roles | role attributes are not kept in a binary policy; build against the source
    "#]],
    );
    check_added(
        "type a_t;\nportcon tcp 80 system_u:system_r:a_t:s0\n",
        &expect![[r#"
        m:2:1 E0205 a module cannot have this statement: it belongs to the base policy
        m:1:6 E0313 `a_t` is declared twice as a type | remove one declaration, or rename one of the two
    "#]],
    );
    check_added(
        "require { type a_t, etc_t, a_exec_t; class process transition; class dir search; class file read; }\n\
         type m_t;\ntype_transition a_t a_exec_t:process m_t;\ntype_transition a_t etc_t:dir m_t;\n\
         type_transition a_t etc_t:file m_t \"name\";\n",
        &expect![[r#"
            m:3:1 E0404 the policy already has a type_transition for `a_t`, `a_exec_t` and class `process`
            m:4:1 E0404 the policy already has a type_transition for `a_t`, `etc_t` and class `dir`
            - E0404 the policy already has a type_transition for `a_t`, `etc_t`, class `file` and name `name`
        "#]],
    );
    check_added(
        "require { type a_t, etc_t; attribute domain; class file { read write }; }\n\
         neverallow domain etc_t:file write;\nallow a_t etc_t:file write;\n",
        &expect![[r#"
            m:3:1 E0401 `allow a_t etc_t:file { write };` is forbidden by a neverallow
        "#]],
    );
}

fn check_scopes(text: &str, ambient: Option<&Ambient>, expected: &Expect) {
    let mut map = SourceMap::new();
    let base = base(&mut map);
    let module = unit(&mut map, "m", text);
    let alone = tell(&map, &check_scope(&module, None, ambient));
    let with = tell(&map, &check_scope(&module, Some(&base), ambient));
    expected.assert_eq(&format!("{alone}--\n{with}"));
}

#[test]
fn names_out_of_scope_are_told_once() {
    check_scopes(
        "require { type a_t; class file read; }\ntype m_t;\nallow m_t a_t:file { read write };\n\
         allow m_t etc_t:file read;\nallow m_t etc_t:dir search;\nallow m_tt self:file read;\n\
         role system_r types m_t;\nif (on) { allow m_t a_exec_t:file read; }\n",
        None,
        &expect![[r#"
            m:3:27 E0315 the module does not require permission `write` of class `file` | write gen_require(`class file write;')
            m:4:11 E0315 the module neither declares nor requires type `etc_t` | write gen_require(`type etc_t;')
            m:5:17 E0315 the module neither declares nor requires class `dir` | write gen_require(`class dir;')
            m:6:7 E0315 the module neither declares nor requires type `m_tt` | did you mean `m_t` or `a_t`? | write gen_require(`type m_tt;')
            m:7:6 E0315 the module neither declares nor requires role `system_r` | write gen_require(`role system_r;')
            m:8:5 E0315 the module neither declares nor requires boolean `on` | write gen_require(`bool on;')
            m:8:21 E0315 the module neither declares nor requires type `a_exec_t` | write gen_require(`type a_exec_t;')
            --
            m:3:27 E0315 the module does not require permission `write` of class `file` | write gen_require(`class file write;')
            m:4:11 E0315 the module neither declares nor requires type `etc_t` | write gen_require(`type etc_t;')
            m:5:17 E0315 the module neither declares nor requires class `dir` | write gen_require(`class dir;')
            m:7:6 E0315 the module neither declares nor requires role `system_r` | write gen_require(`role system_r;')
            m:8:5 E0315 the module neither declares nor requires boolean `on` | write gen_require(`bool on;')
            m:8:21 E0315 the module neither declares nor requires type `a_exec_t` | write gen_require(`type a_exec_t;')
        "#]],
    );
}

#[test]
fn blocks_see_what_is_around_them_and_not_within_others() {
    check_scopes(
        "type m_t;\noptional { require { type a_t; class file read; } allow m_t a_t:file read; type n_t; }\n\
         optional { require { class file read; } allow m_t a_t:file read; allow n_t m_t:file read; }\n\
         allow m_t late_t:dir search;\nrequire { type late_t; class dir search; }\n\
         if (on) { require { type etc_t; } }\nallow m_t etc_t:dir search;\n",
        None,
        &expect![[r#"
            m:3:51 E0315 the module neither declares nor requires type `a_t` | did you mean `m_t` or `n_t`? | write gen_require(`type a_t;')
            m:3:72 E0315 the module neither declares nor requires type `n_t` | did you mean `a_t` or `m_t`? | write gen_require(`type n_t;')
            m:6:5 E0315 the module neither declares nor requires boolean `on` | write gen_require(`bool on;')
            --
            m:3:51 E0315 the module neither declares nor requires type `a_t` | write gen_require(`type a_t;')
            m:6:5 E0315 the module neither declares nor requires boolean `on` | write gen_require(`bool on;')
        "#]],
    );
}

#[test]
fn what_policy_module_requires_is_in_scope() {
    let classes = ["file".to_owned()].into_iter().collect();
    check_scopes(
        "type m_t;\nrole system_r types m_t;\nallow m_t self:file read;\nallow m_t self:dir search;\n\
         range_transition m_t m_t:file s0:c1;\n",
        Some(&Ambient { classes, levels: true }),
        &expect![[r#"
            m:4:16 E0315 the module neither declares nor requires class `dir` | write gen_require(`class dir;')
            --
            m:4:16 E0315 the module neither declares nor requires class `dir` | write gen_require(`class dir;')
        "#]],
    );
}
