use mandate_policydb::{PolicyDb, RuleKind, Unvalidated};
use mandate_syntax::source::{ExpansionId, Pos, Span};

use super::*;

const DEMO: &[u8] = include_bytes!("../../../../policies/demo/policy.33");

fn demo() -> PolicyDb {
    Unvalidated::read(DEMO).unwrap().validate().unwrap().into_db()
}

/// The demo with a rule on an attribute, and on one of its types two that it covers: one whole, one in part.
fn with_redundant_rules() -> (PolicyDb, u32) {
    let mut db = demo();
    let attribute = db.types.iter().find(|it| it.attribute && members(&db, it.id) > 1).unwrap().id;
    let type_ = (0u32..)
        .zip(&db.type_attributes)
        .find(|(_, it)| it.has(attribute))
        .and_then(|(bit, _)| mandate_policydb::SymbolId::from_bit(bit))
        .unwrap();
    let class = db.classes.id("dir").unwrap();
    let first = u32::try_from(db.rules.len()).unwrap();
    let rule = |kind, source, permissions| {
        AvRule::access(kind, source, type_, class, 0).with_permissions(permissions)
    };
    db.rules.push(rule(RuleKind::AuditAllow, type_, 0b011));
    db.rules.push(rule(RuleKind::DontAudit, type_, 0b110));
    db.rules.push(rule(RuleKind::AuditAllow, attribute, 0b111));
    db.rules.push(rule(RuleKind::DontAudit, attribute, 0b010));
    (db, first)
}

fn members(db: &PolicyDb, id: mandate_policydb::TypeId) -> usize {
    db.type_attributes.iter().filter(|it| it.has(id)).count()
}

#[test]
fn what_an_attribute_gives_goes_from_its_types() {
    let (mut db, first) = with_redundant_rules();
    let places = optimise(&mut db).rules;
    let moved = |rule: u32| places[(first + rule) as usize];
    assert_eq!(moved(0), None);
    let rule = db.rules[moved(1).unwrap() as usize];
    assert_eq!((rule.kind, rule.permissions()), (RuleKind::DontAudit, 0b100));
    assert_eq!(db.rules[moved(2).unwrap() as usize].permissions(), 0b111);
}

#[test]
fn origins_follow_their_rules() {
    let (mut db, first) = with_redundant_rules();
    let span = |pos| Span { pos: Pos(pos), expansion: ExpansionId(0) };
    let origin = |rule, pos| RuleOrigin { rule, permissions: !0, span: span(pos) };
    let rules = vec![origin(first, 7), origin(first + 1, 8), origin(first + 1, 9)];
    let mut origins = RuleOrigins { rules, ..RuleOrigins::default() };
    let remap = optimise(&mut db);
    remap.apply(&mut origins);
    let at = remap.rules[first as usize + 1].unwrap();
    assert_eq!(origins.rules, [origin(at, 8), origin(at, 9)]);
    assert!(remap.removed() > 0);
}

#[test]
fn a_second_time_nothing_goes() {
    let (mut db, _) = with_redundant_rules();
    optimise(&mut db);
    let once = db.clone();
    assert_eq!(optimise(&mut db).removed(), 0);
    assert_eq!(db, once);
}
