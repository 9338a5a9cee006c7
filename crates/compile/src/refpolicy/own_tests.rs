use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};

use super::headers::{self, Headers};
use super::modules::{ModuleList, ModuleTree};
use super::own::{Declarations, OwnModule, check_alone};
use crate::outcome::{Outcome, SourceTree};

fn bytes(text: &str) -> Arc<[u8]> {
    Arc::from(text.as_bytes())
}

fn module(te: &str, fc: &str) -> Vec<OwnModule> {
    let files = vec![("src/my.te".to_owned(), bytes(te)), ("src/my.fc".to_owned(), bytes(fc))];
    OwnModule::of_files(files).expect("are a module")
}

/// Headers as Debian installs them.
fn tree(root: &str) -> SourceTree {
    let files = [
        ("build.conf", "TYPE ?= mcs\nDISTRO ?= debian\noverride MCS_CATS := 4\n"),
        (
            "support/loadable_module.spt",
            include_str!("../../../../policies/base/policy/support/loadable_module.spt"),
        ),
        (
            "support/misc_macros.spt",
            include_str!("../../../../policies/base/policy/support/misc_macros.spt"),
        ),
        (
            "support/mls_mcs_macros.spt",
            include_str!("../../../../policies/base/policy/support/mls_mcs_macros.spt"),
        ),
        (
            "support/all_perms.spt",
            "define(`all_kernel_class_perms',`class file { read write };')\n",
        ),
        (
            "system/files.if",
            "## <summary>Files.</summary>\n## <param name=\"domain\"><summary>Who.</summary></param>\n\
             interface(`files_read_etc',`\n\tgen_require(`\n\t\ttype etc_t;\n\t')\n\n\tallow $1 etc_t:file read;\n\tallow $1 var_t:file read;\n')\n",
        ),
    ];
    files.iter().map(|(path, text)| (format!("{root}{path}"), bytes(text))).collect()
}

fn tell(outcome: &Outcome) -> String {
    let mut told = String::new();
    let place = |span: mandate_syntax::source::Span| {
        let at = outcome.sources.location(span.pos);
        at.map_or_else(|| "-".to_owned(), |at| format!("{}:{}:{}", at.path, at.line, at.column))
    };
    for it in &outcome.diagnostics {
        let _ = write!(told, "{} {} {}", place(it.span), it.code.as_str(), it.message);
        for it in &it.help {
            let _ = write!(told, " | {it}");
        }
        for it in outcome.expansions.chain(it.span) {
            let _ = write!(told, " < {}", place(it));
        }
        told.push('\n');
    }
    told
}

fn check(te: &str, fc: &str, expected: &Expect) {
    let outcome = headers::build(&tree("include/"), &module(te, fc), None, &[]);
    expected.assert_eq(&tell(&outcome));
}

#[test]
fn headers_are_found_in_either_layout() {
    assert!(Headers::find(&tree("")).is_some());
    assert!(Headers::find(&tree("usr/share/selinux/devel/include/")).is_some());
    assert!(Headers::find(&SourceTree::new()).is_none());
}

#[test]
fn a_module_is_checked_against_headers_alone() {
    check(
        "policy_module(my, 1.0)\ntype my_t;\nallow my_t self:file read;\n",
        "/my -- gen_context(system_u:object_r:my_t,s0)\n",
        &expect![[r#""#]],
    );
    check(
        "policy_module(my, 1.0)\ntype my_t;\nfiles_read_etc(my_t)\nfiles_raed_etc(my_t)\n\
         allow my_t self:file { read append };\nallow my_t bin_t:file read;\nallow my_t bin_t:file write;\n",
        "/my -x gen_context(system_u:object_r:my_t,s0)\n/my( gen_context(system_u:object_r:my_t,s0)\n",
        &expect![[r#"
            src/my.te:4:1 E0107 no interface or macro is called `files_raed_etc` | did you mean `files_read_etc`?
            include/system/files.if:9:11 E0315 the module neither declares nor requires type `var_t` | write gen_require(`type var_t;') < src/my.te:3:1
            src/my.te:5:29 E0315 the module does not require permission `append` of class `file` | write gen_require(`class file append;')
            src/my.te:6:12 E0315 the module neither declares nor requires type `bin_t` | write gen_require(`type bin_t;')
            src/my.fc:1:5 E0502 there is no file type `-x`
            src/my.fc:2:4 E0503 the pattern `/my(` is malformed
        "#]],
    );
    check(
        "policy_module(my)\nsid kernel gen_context(a:b:c,s0)\n",
        "",
        &expect![[r#"
        src/my.te:2:1 E0205 a module cannot have this statement: it belongs to the base policy
    "#]],
    );
}

#[test]
fn files_make_modules() {
    let file = |path: &str| (path.to_owned(), bytes(""));
    let modules = OwnModule::of_files(vec![file("x/b.te"), file("a.fc"), file("y/b.if")]);
    let shown: Vec<_> =
        modules.iter().flatten().map(|it| (it.name.as_str(), it.source())).collect();
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[1].1.te.as_ref().map(|it| it.path.as_str()), Some("x/b.te"));
    let told =
        OwnModule::of_files(vec![file("x.cil"), file("noend"), file("a.te"), file("b/a.te")]);
    let told: Vec<_> = told.expect_err("are none").into_iter().map(|it| it.message).collect();
    expect![[r#"
        [
            "`x.cil` is no part of a module",
            "`noend` is no part of a module",
            "module `a` is given as `a.te` and as `b/a.te`",
        ]
    "#]]
    .assert_debug_eq(&told);
}

#[test]
fn a_module_joins_a_tree_sorted_by_name() {
    let own = module("", "");
    let list = |modules: &[&str], off: &[&str]| ModuleList {
        base: Vec::new(),
        modules: modules.iter().map(|it| (*it).to_owned()).collect(),
        off: off.iter().map(|it| (*it).to_owned()).collect(),
    };
    let mut found = ModuleTree::default();
    let mut joined = list(&["a", "z"], &["my", "x"]);
    own[0].join(&mut found, &mut joined);
    assert_eq!(joined, list(&["a", "my", "z"], &["x"]));
    assert_eq!(found.modules["my"], own[0].source());
}

#[test]
fn a_module_of_a_tree_must_hold_alone() {
    let parse = |text: &str| {
        let mut map = mandate_syntax::source::SourceMap::new();
        let id = map.add("x", text.as_bytes()).expect("is small");
        let kind = mandate_syntax::kernel::SourceKind::Expanded;
        mandate_syntax::kernel::parse_file(
            map.file(id),
            mandate_syntax::kernel::ParseOptions { kind },
        )
        .unit
    };
    let classes = "class file\nclass bus # userspace\n";
    let head = parse(
        "class file\nclass bus\ncommon all { read }\nclass file inherits all { write }\nclass bus { send }\ntype etc_t;\n",
    );
    let mine = parse(
        "type my_t;\nallow my_t self:file { read write };\nallow my_t etc_t:file read;\nallow my_t none_t:bus send;\n",
    );
    let known = Declarations::of([&head, &mine]);
    let told = check_alone(&mine, &known, classes.as_bytes(), false);
    let told: Vec<_> = told.into_iter().map(|it| it.message).collect();
    expect![[r#"
        [
            "the module neither declares nor requires type `etc_t`",
            "the module neither declares nor requires class `bus`",
        ]
    "#]]
    .assert_debug_eq(&told);
}
