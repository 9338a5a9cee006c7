use expect_test::{Expect, expect};
use mandate_policydb::{
    AvRule, Ebitmap, PolicyDb, RuleKind, SymbolId, TypeId, Unvalidated, XpermForm,
};
use mandate_syntax::source::{ExpansionId, Pos};

use super::*;
use crate::outcome::{RuleOrigin, RuleOrigins};

const DEMO: &[u8] = include_bytes!("../../../../policies/demo/policy.33");
const XPERM: &[u8] = include_bytes!("../../../../policies/micro/xperm-allow/policy.bin");

fn read(bytes: &[u8]) -> PolicyDb {
    Unvalidated::read(bytes).unwrap().validate().unwrap().into_db()
}

/// The types of names, attributes expanded; `*` for all.
fn types(db: &PolicyDb, names: &str) -> Ebitmap {
    let types = db.types.by_value().filter(|it| !it.attribute);
    let wanted: Vec<Option<TypeId>> = names.split(' ').map(|name| db.types.id(name)).collect();
    let named = |id: TypeId| {
        names == "*" || wanted.iter().flatten().any(|&it| db.type_attributes[id.index()].has(it))
    };
    types.map(|it| it.id).filter(|&id| named(id)).map(SymbolId::bit).collect()
}

fn span(pos: u32) -> Span {
    Span { pos: Pos(pos), expansion: ExpansionId(0) }
}

/// `neverallow SOURCE TARGET:CLASS PERMISSIONS`; `self` and `-self` among the targets.
fn never(db: &PolicyDb, text: &str) -> Assertion {
    let parts: Vec<&str> = text.split(" | ").collect();
    let [source, target, class, permissions] = parts[..] else { panic!("{text}") };
    let class = db.classes.id(class).unwrap();
    let bit = |name| 1 << db.permission(class, name).unwrap().bit();
    Assertion {
        source: types(db, source),
        target: types(db, target.trim_end_matches(" -self")),
        self_: target.split(' ').any(|it| it == "self"),
        not_self: target.ends_with("-self"),
        class,
        permissions: permissions.split(' ').fold(0, |all, it| all | bit(it)),
        xperms: Vec::new(),
        span: span(1000),
    }
}

/// Every rule has one statement, at its index.
fn origins(db: &PolicyDb) -> RuleOrigins {
    let origin = |rule: u32, at: u32| RuleOrigin { rule, permissions: !0, span: span(at + 1) };
    let rules = (0u32..).zip(&db.rules).map(|(rule, _)| origin(rule, rule)).collect();
    RuleOrigins { rules, ..RuleOrigins::default() }
}

fn told(db: &PolicyDb, assertions: &[Assertion], expected: &Expect) {
    let violations = check(db, assertions);
    let mut text = String::new();
    for it in diagnostics(db, assertions, &violations, &origins(db)) {
        text += &format!("{}: {}\n", it.code.as_str(), it.message);
        let labels = it.labels.iter().map(|label| label.text.as_str());
        text += &format!("  {}; {}\n", it.label, labels.collect::<Vec<_>>().join("; "));
        it.notes.iter().for_each(|note| text += &format!("  {note}\n"));
    }
    expected.assert_eq(&text);
}

#[test]
fn a_rule_that_a_neverallow_forbids_is_told_with_both_places() {
    let db = read(DEMO);
    let forbid = |text| [never(&db, text)];
    told(
        &db,
        &forbid("httpd_t | httpd_content_t | file | read write"),
        &expect![[r#"
        E0401: `allow httpd_t httpd_content_t:file { read };` is forbidden by a neverallow
          allowed here; neverallow here
    "#]],
    );
    told(&db, &forbid("httpd_t | self | file | read"), &expect![[""]]);
    told(
        &db,
        &forbid("httpd_t | user_home_t | file | read"),
        &expect![[r#"
        E0401: `allow httpd_t user_home_t:file { read };` is forbidden by a neverallow
          neverallow here; 
          it applies while `httpd_read_homes` is true
    "#]],
    );
}

#[test]
fn targets_with_and_without_self() {
    let db = read(DEMO);
    let count = |text: &str| check(&db, &[never(&db, text)]).len();
    let class = "process | signal sigchld fork";
    let class = if db.permission(db.classes.id("process").unwrap(), "fork").is_some() {
        class
    } else {
        "process | transition"
    };
    let all = count(&format!("* | * | {class}"));
    let itself = count(&format!("* | self | {class}"));
    let others = count(&format!("* | * -self | {class}"));
    assert!(itself <= all && others <= all && all <= itself + others, "{all} {itself} {others}");
}

#[test]
fn extended_permissions_are_forbidden_one_by_one() {
    let db = read(XPERM);
    let allowed = |it: &&AvRule| {
        let same = |other: &&AvRule| (other.source, other.target) == (it.source, it.target);
        let base = db.rules.iter().filter(same).any(|it| it.kind == RuleKind::Allow);
        it.kind == RuleKind::AllowXperm && base
    };
    let rule = db.rules.iter().find(allowed).unwrap();
    let own = *db.xperms.of(rule).unwrap();
    let forbid = |bits| {
        let (source, target) = (Ebitmap::from_bits([rule.source.bit()]), rule.target.bit());
        let class = rule.class();
        let permission = if own.form == XpermForm::Nlmsg { "nlmsg" } else { "ioctl" };
        Assertion {
            source,
            target: Ebitmap::from_bits([target]),
            self_: rule.source == rule.target,
            not_self: false,
            class,
            permissions: 1 << db.permission(class, permission).unwrap().bit(),
            xperms: vec![ExtendedPermissions { bits, ..own }],
            span: span(1000),
        }
    };
    assert_eq!(check(&db, &[forbid(own.bits.map(|it| !it))]), []);
    told(
        &db,
        &[forbid(own.bits)],
        &expect![[r#"
        E0402: `allowxperm a_t obj_t:file ioctl { 0x8910 0x8912 };` is forbidden by a neverallowxperm
          allowed here; neverallowxperm here
    "#]],
    );
}
