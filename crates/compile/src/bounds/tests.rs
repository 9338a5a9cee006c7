use expect_test::expect;
use mandate_policydb::{SymbolTable, Unvalidated};

use super::*;

const SOURCE: &[u8] = include_bytes!("../../../../policies/micro/typebounds-source/policy.bin");

fn read() -> PolicyDb {
    Unvalidated::read(SOURCE).unwrap().validate().unwrap().into_db()
}

fn told(db: &PolicyDb) -> String {
    let nowhere = |_| Span::NOWHERE;
    let all = diagnostics(db, &check(db), &RuleOrigins::default(), &nowhere);
    let lines = all.iter().map(|it| {
        let notes: String = it.notes.iter().chain(&it.help).map(|it| format!("  {it}\n")).collect();
        format!("{}: {}\n{notes}", it.code.as_str(), it.message)
    });
    lines.collect()
}

#[test]
fn a_type_beyond_its_bounds_is_told() {
    expect![[r#"
        E0403: `child_t` may { write } file of `secret_t`, which its bounds `parent_t` may not
          the rule is `allow child_t secret_t:file { read write };`
          allow it to `parent_t` too: the kernel denies it to `child_t` otherwise
    "#]]
    .assert_eq(&told(&read()));
}

#[test]
fn roles_and_users_have_bounds_too() {
    let mut db = read();
    let mut roles: Vec<_> = db.roles.iter().cloned().collect();
    let parent = roles.iter().find(|it| it.types.is_empty()).unwrap().id;
    let child = roles.iter_mut().find(|it| !it.types.is_empty()).unwrap();
    child.bounds = Some(parent);
    db.roles = SymbolTable::new(db.roles.nprim(), roles).unwrap();
    let mut users: Vec<_> = db.users.iter().cloned().collect();
    let mut parent = users[0].clone();
    parent.id = SymbolId::from_value(db.users.nprim() + 1).unwrap();
    parent.name = "parent".into();
    parent.roles = Ebitmap::new();
    users[0].bounds = Some(parent.id);
    users.push(parent);
    db.users = SymbolTable::new(db.users.nprim() + 1, users).unwrap();
    let told = told(&db);
    expect![[r#"
        E0403: user `u` has `r`, which its bounds `parent` has not
          give `parent` these roles too, or take them from `u`
        E0403: role `r` may enter `kernel_t`, `parent_t`, `child_t`, `secret_t`, which its bounds `object_r` may not
          give `object_r` these types too, or take them from `r`
        E0403: `child_t` may { write } file of `secret_t`, which its bounds `parent_t` may not
          the rule is `allow child_t secret_t:file { read write };`
          allow it to `parent_t` too: the kernel denies it to `child_t` otherwise
    "#]].assert_eq(&told);
}
