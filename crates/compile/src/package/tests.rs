use expect_test::{Expect, expect};
use mandate_policydb::HandleUnknown;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::kernel::{self, ParseOptions, SourceKind};
use mandate_syntax::source::SourceMap;

use super::sets::{WrittenLevel, WrittenRange};
use super::{Module, ModuleOptions, ModuleVersion, Package, expand, link};
use crate::backend;
use crate::whole::Checks;

const BASE: &str = "
class process class file
sid kernel
class process { transition } class file { read write }
attribute domain;
type kernel_t, domain; type etc_t;
role system_r; role system_r types kernel_t;
allow kernel_t etc_t:file read;
user system_u roles system_r;
sid kernel system_u:system_r:kernel_t
";

fn compile(source: &str, base: bool, version: ModuleVersion) -> Result<Module, Vec<Diagnostic>> {
    compile_as(source, base, false, version)
}

fn compile_as(
    source: &str,
    base: bool,
    mls: bool,
    version: ModuleVersion,
) -> Result<Module, Vec<Diagnostic>> {
    let mut sources = SourceMap::new();
    let id = sources.add("x.te", source.as_bytes()).unwrap();
    let parsed = kernel::parse_file(sources.file(id), ParseOptions { kind: SourceKind::Policy });
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let handle_unknown = HandleUnknown::Deny;
    let options = ModuleOptions { base, mls, handle_unknown, version };
    let raised = Module::from_unit(&parsed.unit, &options);
    raised.module.ok_or(raised.diagnostics)
}

fn told(found: &[Diagnostic]) -> String {
    found.iter().map(|it| format!("{} {}\n", it.code.as_str(), it.message)).collect()
}

/// What becomes of the base and these modules: how many blocks are left out, and the rules for `etc_t`.
fn check(modules: &[&str], expected: Expect) {
    expected.assert_eq(&linked(modules).unwrap_or_else(|it| told(&it)));
}

fn linked(sources: &[&str]) -> Result<String, Vec<Diagnostic>> {
    let base = compile(BASE, true, ModuleVersion::NEWEST)?;
    let mut modules = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let source =
            format!("module m{number} 1; require {{ class file {{ read write }}; }} {source}");
        modules.push(compile(&source, false, ModuleVersion::NEWEST)?);
    }
    let linked = link(base, &modules)?;
    let checks = Checks { neverallow: true, optimise: false };
    let whole = expand(&linked.module, &backend::Options::default(), checks);
    if whole.diagnostics.iter().any(|it| it.severity == Severity::Error) {
        return Err(whole.diagnostics);
    }
    let mut text = String::new();
    for it in &linked.disabled {
        text += &format!("left out for want of {}\n", it.missing);
    }
    let db = whole.policy.unwrap();
    for rule in &db.rules {
        text += &format!("{}\n", db.rule_to_string(rule));
    }
    Ok(text)
}

#[test]
fn modules_are_linked() {
    check(
        &["require { type etc_t; } type a_t; allow a_t etc_t:file write;"],
        expect![[r#"
            allow kernel_t etc_t:file read;
            allow a_t etc_t:file write;
        "#]],
    );
    check(
        &["require { type b_t; } allow b_t b_t:file read;"],
        expect![[r#"
            E0316 the module requires type/attribute b_t, which nothing declares
        "#]],
    );
    check(
        &[
            "type a_t; optional { require { type b_t; } allow b_t a_t:file read; } else { allow a_t a_t:file write; }",
        ],
        expect![[r#"
            left out for want of type/attribute b_t
            allow kernel_t etc_t:file read;
            allow a_t a_t:file write;
        "#]],
    );
    check(
        &[
            "optional { require { type b_t; } type a_t; allow b_t a_t:file read; }",
            "type b_t; optional { require { type a_t; } allow a_t b_t:file read; }",
        ],
        expect![[r#"
            allow kernel_t etc_t:file read;
            allow a_t b_t:file read;
            allow b_t a_t:file read;
        "#]],
    );
    check(
        &["type a_t;", "type a_t;"],
        expect![[r#"
            E0313 `a_t` is declared twice as a type/attribute
        "#]],
    );
    check(
        &["require { attribute etc_t; } allow etc_t etc_t:file read;"],
        expect![[r#"
            E0314 module `m0` takes `etc_t` for a type attribute, but it is a type
        "#]],
    );
}

#[test]
fn versions_refuse_what_they_cannot_hold() {
    let check = |version: u32, statements: &str, expected: &str| {
        let source = format!(
            "module m 1; require {{ class file {{ read ioctl }}; class process transition; role r; type a_t, b_t; }} {statements}"
        );
        let version = ModuleVersion::new(version).unwrap();
        let found = compile(&source, false, version).map_or_else(|it| told(&it), |_| "held".into());
        assert_eq!(found.trim(), expected, "{version}: {statements}");
    };
    check(8, "permissive a_t;", "held");
    check(7, "permissive a_t;", "E0703 module version 7 cannot hold `permissive a_t`");
    check(8, "typebounds a_t b_t;", "E0703 module version 8 cannot hold the bounds of `b_t`");
    check(9, "typebounds a_t b_t;", "held");
    let named = "type_transition a_t a_t:file b_t \"x\";";
    check(10, named, "E0703 module version 10 cannot hold the type transition for the name `x`");
    check(11, named, "held");
    let other = "role_transition r a_t:file r;";
    check(
        11,
        other,
        "E0703 module version 11 cannot hold role transitions for other classes than process",
    );
    check(12, "attribute_role x;", "E0703 module version 12 cannot hold role attribute `x`");
    check(13, "tunable t true;", "E0703 module version 13 cannot hold tunable `t`");
    let xperm = "allowxperm a_t a_t:file ioctl 0x1234;";
    check(17, xperm, "E0703 module version 17 cannot hold extended permissions");
    check(18, xperm, "held");
    let own = "type_transition a_t self:file b_t;";
    check(20, own, "E0703 module version 20 cannot hold `self` in type rules");
    check(21, own, "held");
    check(22, "neveraudit a_t;", "E0703 module version 22 cannot hold `neveraudit a_t`");
}

#[test]
fn every_version_is_read_as_it_is_written() {
    for number in 4..=24 {
        let version = ModuleVersion::new(number).unwrap();
        let source = "module m 1; require { class file read; role system_r; } type a_t; role system_r types a_t;
            optional { require { type b_t; bool on; } if (on) { allow a_t b_t:file read; } } else { allow a_t self:file read; }";
        for module in [compile(BASE, true, version), compile(source, false, version)] {
            let module = module.unwrap();
            let bytes = Package::new(module.clone()).write().unwrap();
            let again = Package::read(&bytes).unwrap();
            assert_eq!(again.write().unwrap(), bytes, "{version}");
            assert_eq!(again.module.format_version(), version);
            let unit = again.module.to_unit().unwrap();
            assert!(!unit.statements.is_empty());
        }
    }
}

#[test]
fn damage_is_told_with_its_place() {
    let module = compile(BASE, true, ModuleVersion::NEWEST).unwrap();
    let bytes = Package::new(module).write().unwrap();
    let check = |bytes: &[u8], expected: Expect| {
        expected.assert_eq(&Package::read(bytes).unwrap_err().to_string());
    };
    check(
        b"type a_t;",
        expect![
            "expected the magic number 0xf97cff8d of a policy module, found 0x65707974, at byte 0"
        ],
    );
    check(
        &bytes[..30],
        expect!["the file is cut short: 15 more bytes expected, 6 left, at byte 24"],
    );
    check(
        &bytes[..400],
        expect!["the file is cut short: 4 more bytes expected, 3 left, at byte 397, in the roles"],
    );
    let mut damaged = bytes.clone();
    damaged[16 + 23] = 77;
    check(&damaged, expect!["expected 1 (a base) or 2 (a module), found 77, at byte 39"]);
    for end in 0..bytes.len() {
        assert!(Package::read(&bytes[..end]).is_err(), "{end} bytes");
    }
}

/// What is said against a base with `new` in place of `old`.
fn check_base(old: &str, new: &str, expected: Expect) {
    assert!(BASE.contains(old), "{old}");
    let shown = match compile(&BASE.replacen(old, new, 1), true, ModuleVersion::NEWEST) {
        Ok(_) => "held".to_owned(),
        Err(found) => told(&found),
    };
    expected.assert_eq(&shown);
}

#[test]
fn what_a_module_cannot_hold_is_an_error() {
    check_base(
        "type etc_t;",
        "type etc_t; allow self etc_t:file read; role system_r types self;",
        expect![[r#"
            E0314 `self` stands for the source of a rule: only a target can be it
            E0314 `self` stands for the source of a rule: only a target can be it
        "#]],
    );
    check_base(
        "type etc_t;",
        "type etc_t; allow { system_r -system_r } system_r; allow kernel_t etc_t:file { read -write };",
        expect![[r#"
            E0205 `-` is not allowed in a set of roles
            E0205 `-` is not allowed in a set of permissions
        "#]],
    );
    check_base(
        "user system_u roles system_r;\n",
        "user system_u roles system_r; constrain file read (u1 == ~system_u and r2 == * or t1 == self);\n",
        expect![[r#"
            E0205 `*`, `~` and `-` are not allowed in a set of users
            E0205 `*`, `~` and `-` are not allowed in a set of roles
            E0314 `self` stands for the source of a rule: only a target can be it
        "#]],
    );
    let sid = "sid kernel system_u:system_r:kernel_t\n";
    let genfs = format!("{sid}genfscon proc / -b system_u:system_r:kernel_t\n");
    check_base(
        sid,
        &genfs,
        expect![[r#"
        E0305 no class `blk_file`, which this type of file is of
    "#]],
    );
    check_base(
        "sid kernel",
        "sid kernel\nsid kernel",
        expect![[r#"
        E0313 initial SID `kernel` is declared twice
    "#]],
    );
}

const LEVELS: &str = "class file { read write }
    sensitivity s0 alias sa; sensitivity s1; dominance { s0 s1 } category c0; level sa:c0; level s1;";

#[test]
fn every_sensitivity_has_one_rank() {
    let class = "class file { read write }";
    check_base(
        class,
        &LEVELS.replace("{ s0 s1 }", "{ s0 s1 s1 }"),
        expect![[r#"
        E0313 sensitivity `s1` stands twice in the dominance
    "#]],
    );
    check_base(
        class,
        &LEVELS.replace("{ s0 s1 }", "{ s0 }"),
        expect![[r#"
        E0412 sensitivity `s1` is missing in the dominance
    "#]],
    );
}

#[test]
fn levels_are_of_sensitivities_and_what_is_required_is_not_declared() {
    let own = "type etc_t; optional { require { category c9; } }";
    let source = BASE.replace("class file { read write }", LEVELS).replace("type etc_t;", own);
    let module = compile(&source, true, ModuleVersion::NEWEST).unwrap();
    let text = crate::print::kernel::print(&[module.to_unit().unwrap()], &Default::default()).text;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("level s0:c0;"), "{text}");
    assert_eq!(text.matches("category c9").count(), 1, "{text}");
}

#[test]
fn what_old_versions_say_otherwise_is_kept_by_new_ones() {
    let own = "type etc_t; role staff_r; role_transition system_r etc_t staff_r;";
    let source = BASE.replace("class file { read write }", LEVELS).replace("type etc_t;", own);
    let source = source.replace("roles system_r;", "roles system_r level s0 range s0;");
    let source = source.replace("system_r:kernel_t\n", "system_r:kernel_t:s0\n");
    let version = |it| ModuleVersion::new(it).unwrap();
    let mut module = compile_as(&source, true, true, version(5)).unwrap();
    let level = WrittenLevel { sensitivity: 2, categories: Vec::new() };
    let range = WrittenRange { low: level.clone(), high: level };
    module.db.old_ranges.push(super::db::OldRange { types: [1, 2], range });
    let module = Module::read(&module.write(version(5)).unwrap()).unwrap();
    let again = Module::read(&module.write(version(24)).unwrap()).unwrap();
    for (module, class) in [(&module, ""), (&again, ":process")] {
        let units = [module.to_unit().unwrap()];
        let text = crate::print::kernel::print(&units, &Default::default()).text;
        let text = String::from_utf8(text).unwrap();
        let said = |it: &&str| it.contains("_transition");
        let said: Vec<&str> = text.lines().filter(said).collect();
        let range = format!("range_transition domain kernel_t{class} s1;");
        let role = format!("role_transition system_r etc_t{class} staff_r;");
        assert_eq!(said, [range, role]);
    }
}
