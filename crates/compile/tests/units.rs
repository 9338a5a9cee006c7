//! Several units make one policy; every rule knows its statements.

mod common;

use mandate_compile::backend::{Compiled, Options, compile};
use mandate_compile::outcome::RuleOrigin;
use mandate_policydb::{Datum, PolicyDb, RuleKind};
use mandate_syntax::kernel::{ParseOptions, SourceKind, Unit, parse_file};
use mandate_syntax::source::{SourceMap, Span};

const CLASSES: &str = "class process\nclass file\nsid kernel\nclass process { signal transition }
class file { read write execute }\n";

const PEOPLE: &str = "role r;\nrole r types kernel_t;\nuser u roles r;\nsid kernel u:r:kernel_t\n";

fn units(texts: &[&str]) -> (SourceMap, Vec<Unit>) {
    let mut sources = SourceMap::new();
    let options = ParseOptions { kind: SourceKind::Expanded };
    let mut units = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let file = sources.add(format!("unit{number}"), text.as_bytes()).unwrap();
        let parsed = parse_file(sources.file(file), options);
        assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
        units.push(parsed.unit);
    }
    (sources, units)
}

fn built(texts: &[&str], options: &Options) -> (SourceMap, PolicyDb, Compiled) {
    let (sources, units) = units(texts);
    let mut compiled = compile(&units, options);
    let Some(policy) = compiled.policy.take() else { panic!("{:#?}", compiled.diagnostics) };
    (sources, policy, compiled)
}

#[test]
fn units_are_one_policy() {
    let first = "attribute domain;\ntype kernel_t, domain;\nallow domain self:process signal;\n";
    let second = "type a_t, domain;\nbool b true;
optional { require { type z_t; } type within_t, domain; allow a_t z_t:file read; }
optional { require { type lost_t; } allow a_t lost_t:file read; } else { allow a_t a_t:file write; }
if (b) { allow a_t z_t:file execute; }\n";
    let third = "type z_t;\noptional { require { type within_t; bool b; } if (!b) { allow z_t within_t:file read; } }\n";
    let options = Options::default();
    let (_, apart, compiled) = built(&[CLASSES, first, second, third, PEOPLE], &options);
    let whole = [CLASSES, first, second, third, PEOPLE].concat();
    let (_, together, _) = built(&[&whole], &options);
    assert_eq!(common::canonical(&apart), common::canonical(&together));
    assert_eq!(compiled.disabled.len(), 1);
    assert_eq!(compiled.disabled[0].optional.missing, "type lost_t");
    assert_eq!(apart.conditionals.len(), 1, "`b` and `!b` are one block");
}

#[test]
fn declarations_sort_as_in_a_monolithic_build() {
    let text =
        "type zz_t, domain;\ntype kernel_t;\ntype kernel_t2;\nattribute domain;\nattribute aa;
allow kernel_t self:process signal;\n";
    let names = |options: &Options| -> Vec<String> {
        let (_, policy, _) = built(&[CLASSES, text, PEOPLE], options);
        policy.types.by_value().map(|it| it.name().to_owned()).collect()
    };
    let mut options = Options::default();
    assert_eq!(names(&options), ["zz_t", "kernel_t", "kernel_t2", "domain", "aa"]);
    options.sort_declarations = true;
    assert_eq!(names(&options), ["aa", "domain", "kernel_t2", "kernel_t", "zz_t"]);
}

#[test]
fn rules_know_their_statements() {
    let text = "type kernel_t;\ntype a_t;\nbool b true;
allow a_t kernel_t:file read;
allow a_t kernel_t:file { read write };
dontaudit a_t kernel_t:file execute;
if (b) { allow a_t kernel_t:file read; }
if (b) { allow a_t kernel_t:file execute; } else {
allow a_t kernel_t:file read; }
allow r r;\n";
    let (sources, policy, compiled) = built(&[CLASSES, text, PEOPLE], &Options::default());
    let line = |span: Span| sources.location(span.pos).unwrap().line;
    let of = |list: &[&RuleOrigin]| -> Vec<(u32, usize)> {
        list.iter().map(|it| (it.permissions, line(it.span))).collect()
    };
    let origins = &compiled.origins;
    let index = |kind: RuleKind| {
        let at = policy.rules.iter().position(|it| it.kind == kind).unwrap();
        u32::try_from(at).unwrap()
    };
    let at = |rule: u32| -> Vec<&RuleOrigin> {
        origins.rules.iter().filter(|it| it.rule == rule).collect()
    };
    assert_eq!(of(&at(index(RuleKind::Allow))), [(1, 4), (3, 5)]);
    assert_eq!(of(&at(index(RuleKind::DontAudit))), [(4, 6)]);
    let branch = |when: bool| -> Vec<&RuleOrigin> {
        let list = origins.conditional.iter().filter(|it| it.0 == 0 && it.1 == when);
        list.map(|it| &it.2).collect()
    };
    assert_eq!(of(&branch(true)), [(1, 7), (4, 8)]);
    assert_eq!(of(&branch(false)), [(1, 9)]);
    assert_eq!(origins.role_allows.iter().map(|it| line(it.1)).collect::<Vec<_>>(), [10]);
    assert!(origins.conditional.is_sorted_by_key(|it| (it.0, it.1, it.2.rule)));
}
