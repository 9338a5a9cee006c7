//! Policy packages as a user meets them: `build`, and the classic commands.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Folder, run};

const BASE: &str = "
class process class file
sid kernel
class process { transition } class file { read write }
type kernel_t; type etc_t;
role system_r; role system_r types kernel_t;
allow kernel_t etc_t:file read;
user system_u roles system_r;
sid kernel system_u:system_r:kernel_t
";

const MODULE: &str = "module my 1.0; require { type etc_t; class file write; } type my_t; allow my_t etc_t:file write;";

#[test]
fn a_module_goes_all_the_way() {
    let folder = Folder::new("packages");
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let (base, my) =
        (folder.file("base.conf", BASE.as_bytes()), folder.file("my.te", MODULE.as_bytes()));
    let (base, my) = (base.to_str().unwrap().to_owned(), my.to_str().unwrap().to_owned());
    let contexts = folder.file("my.fc", b"/my -- system_u:object_r:my_t\n");
    let contexts = contexts.to_str().unwrap().to_owned();
    let steps: [&[&str]; 7] = [
        &["checkmodule", "-o", &path("base.mod"), &base],
        &["checkmodule", "-m", "-o", &path("my.mod"), &my],
        &["semodule_package", "-o", &path("base.pp"), "-m", &path("base.mod")],
        &["semodule_package", "-o", &path("my.pp"), "-m", &path("my.mod"), "-f", &contexts],
        &["semodule_unpackage", &path("my.pp"), &path("again.mod"), &path("again.fc")],
        &["semodule_link", "-o", &path("linked.pp"), &path("base.pp"), &path("my.pp")],
        &["semodule_expand", "-c", "33", &path("linked.pp"), &path("expanded.33")],
    ];
    for words in steps {
        let (code, _, err) = run(words);
        assert_eq!((code, err.as_str()), (0, ""), "{words:?}");
    }
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    assert_eq!(read("again.mod"), read("my.mod"));
    assert_eq!(read("again.fc"), read("my.fc"));
    let (code, _, err) =
        run(&["mandate", "build", &path("my.pp"), &path("base.pp"), "-o", &path("out/")]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(read("out/policy.33"), read("expanded.33"));
    assert_eq!(read("out/file_contexts"), read("my.fc"));
}

#[test]
fn mistakes_are_told_as_the_originals_do() {
    let folder = Folder::new("package-mistakes");
    let text = folder.file("x.te", b"module x 1.0; type a_t;");
    let text = text.to_str().unwrap();
    let other = folder.path("other.mod").to_str().unwrap().to_owned();
    let my = folder.file("my.te", MODULE.as_bytes());
    let my = my.to_str().unwrap();
    let cases: [(&[&str], u8, &str); 12] = [
        (&["checkmodule", "-V"], 0, "Module versions 4-24\n"),
        (&["checkmodule", "-h"], 1, "usage:  checkmodule [-h] [-V] [-b]"),
        (&["checkmodule", "-c", "3"], 1, "policyvers value 3 not in range 4-24\n"),
        (&["checkmodule", "-m", "absent"], 1, "checkmodule:  unable to open absent:  No such file"),
        (
            &["checkmodule", "-m", "-b"],
            1,
            "checkmodule:  -b and -m are incompatible with each other.\n",
        ),
        (&["checkmodule", "-m", "-U", "allow"], 1, "is only valid in the base module.\n"),
        (&["checkmodule", "-m", text], 1, "ERROR 'this block requires nothing'"),
        (
            &["checkmodule", "-m", "-o", &other, my],
            1,
            "Module name my is different than the output base filename other",
        ),
        (
            &["semodule_package", "-m", "x"],
            1,
            "usage: semodule_package -o <output file> -m <module>",
        ),
        (&["semodule_unpackage", "x"], 1, "usage: semodule_unpackage ppfile modfile [fcfile]"),
        (
            &["semodule_link", text],
            1,
            "You must provide the base module package and at least one other",
        ),
        (&["semodule_expand", text, "y"], 1, "Error in reading package from"),
    ];
    for (words, expected, text) in cases {
        let (code, out, err) = run(words);
        assert_eq!(code, expected, "{words:?}: {err}");
        assert!(out.contains(text) || err.contains(text), "{words:?}: {out}{err}");
    }
}

#[test]
fn convert_leads_from_macros_to_build() {
    let folder = Folder::new("convert-macros");
    let source = folder.file("my.te", b"policy_module(my, 1.0)\ntype a_t;\ncall(a_t)\n");
    let source = source.to_str().unwrap();
    let (code, _, err) = run(&["mandate", "convert", "--to", "pp", source, "-"]);
    assert_eq!(code, 1);
    let help =
        format!("`mandate build {source} --headers DIR -o {}.pp`", &source[..source.len() - 3]);
    assert_eq!(err.matches(&help).count(), 1, "{err}");
}

#[test]
fn options_and_words_that_do_not_fit_end_as_with_the_originals() {
    let folder = Folder::new("classic-misfits");
    let base = folder.file("base.conf", BASE.as_bytes());
    let base = base.to_str().unwrap();
    let out = folder.path("out").to_str().unwrap().to_owned();
    let check = |words: &[&str], code: u8, said: &str| {
        let (found, _, err) = run(words);
        assert_eq!(found, code, "{words:?} {err}");
        assert!(err.contains(said), "{words:?} {err}");
    };
    check(&["checkpolicy", "-C", base], 1, "No file to write CIL was specified");
    let both = "Can't convert to CIL and policy.conf at the same time";
    check(&["checkpolicy", "-b", "-C", "-F", "-o", &out, base], 1, both);
    check(&["pp", base, &out], 255, "Failed to read policy package");
    check(&["pp", base, &out, "third"], 1, "Too many arguments");
    let whole = folder.file("x.cil", CIL.as_bytes());
    let whole = whole.to_str().unwrap();
    check(&["secil2conf", "-Z", "-M", "1", "-o", &out, whole], 0, "invalid option");
    check(&["secil2conf", "-M", "2", "-o", &out, whole], 1, "");
}

const CIL: &str = "(class file (read)) (classorder (file)) (sid kernel) (sidorder (kernel))
    (type t) (role r) (roletype r t) (user u) (userrole u r) (category c0) (categoryorder (c0))
    (sensitivity s0) (sensitivityorder (s0)) (sensitivitycategory s0 (c0)) (userlevel u (s0))
    (userrange u ((s0) (s0 (c0)))) (sidcontext kernel (u r t ((s0) (s0)))) (allow t t (file (read)))";
