use expect_test::{Expect, expect};
use mandate_policydb::HandleUnknown;
use mandate_syntax::kernel::{ParseOptions, SourceKind, Unit, dump::dump, parse_file};
use mandate_syntax::source::SourceMap;

use super::{Printed, cil, kernel};

fn parsed(text: &str, kind: SourceKind) -> Unit {
    let mut sources = SourceMap::new();
    let file = sources.add("test", text.as_bytes()).unwrap();
    let parsed = parse_file(sources.file(file), ParseOptions { kind });
    assert_eq!(parsed.diagnostics, [], "{text}");
    parsed.unit
}

fn shown(printed: Printed) -> String {
    let mut text = String::from_utf8(printed.text).unwrap();
    for it in printed.diagnostics {
        text += &format!("{} {}\n", it.code.as_str(), it.message);
    }
    text
}

/// Prints statements as they stand, and reads what was printed: the same tree.
fn check_kernel(text: &str, expected: &Expect) {
    let unit = parsed(text, SourceKind::Expanded);
    let layout = kernel::Layout::Expanded;
    let printed = kernel::print(std::slice::from_ref(&unit), &kernel::Options { layout });
    let again = parsed(std::str::from_utf8(&printed.text).unwrap(), SourceKind::Expanded);
    assert_eq!(dump(&unit), dump(&again));
    expected.assert_eq(&shown(printed));
}

fn check_cil(text: &str, expected: &Expect) {
    let unit = parsed(text, SourceKind::Expanded);
    let options = cil::Options { layout: cil::Layout::Module, line_marks: None };
    expected.assert_eq(&shown(cil::print(&[unit], &options)));
}

#[test]
fn rules() {
    check_kernel(
        "allow a { b self -c }:{ file dir } ~{ read write }; dontaudit a b:file *; allow r1_r { r2_r r3_r };
         type_transition a b:file c \"a name\"; allowxperm a b:file ioctl ~{ 0x1 0x5-0xff }; neverallow ~a *:file read;
         range_transition a b:process s0:c0.c3,c5 - s1; role_transition r a:process r2_r;",
        &expect![[r#"
            allow a { b self -c }:{ file dir } ~{ read write };
            dontaudit a b:file *;
            allow r1_r { r2_r r3_r };
            type_transition a b:file c "a name";
            allowxperm a b:file ioctl ~{ 0x1 0x5-0xff };
            neverallow ~a *:file read;
            range_transition a b:process s0:c0.c3,c5 - s1;
            role_transition r a:process r2_r;
        "#]],
    );
}

#[test]
fn expressions_have_the_parentheses_they_need() {
    check_kernel(
        "if ((a || b) && !(c ^ d) == e) { allow x y:file read; } else { allow x y:file write; }
         if (a || (b || c)) { } if (!(a == b) != c) { }
         constrain file read (u1 == u2 or (r1 dom r2 and not (t1 == { a b } or t2 != c)));
         mlsvalidatetrans file (l1 eq l2 or h1 domby h2) and t3 == a;",
        &expect![[r#"
            if ((a || b) && !((c ^ d) == e)) {
                allow x y:file read;
            } else {
                allow x y:file write;
            }
            if (a || (b || c)) {
            }
            if (!(a == b != c)) {
            }
            constrain file read u1 == u2 or r1 dom r2 and not (t1 == { a b } or t2 != c);
            mlsvalidatetrans file (l1 == l2 or h1 domby h2) and t3 == a;
        "#]],
    );
}

#[test]
fn blocks_and_declarations() {
    check_kernel(
        "module m 1.2; require { type a, b; class file { read write }; role r; } attribute at; type t alias { u v }, at, bt;
         optional { require { bool x; } user j roles { r s } level s0 range s0 - s1:c1; } else { bool y false; }
         common file { read } class dir inherits file { search } class fd sid kernel default_range dir target low-high;",
        &expect![[r#"
            module m 1.2;
            require {
                type a;
                type b;
                class file { read write };
                role r;
            }
            attribute at;
            type t alias { u v }, at, bt;
            optional {
                require {
                    bool x;
                }
                user j roles { r s } level s0 range s0 - s1:c1;
            } else {
                bool y false;
            }
            common file { read }
            class dir inherits file { search }
            class fd
            sid kernel
            default_range dir target low-high;
        "#]],
    );
}

#[test]
fn contexts() {
    check_kernel(
        "sid kernel u:r:t:s0 fs_use_xattr ext4 u:r:t; genfscon 9p / -d u:r:t genfscon proc \"/a b\" u:r:t
         portcon tcp 1-5 u:r:t:s0 - s1 netifcon eth0 u:r:t u:r:t nodecon 10.0.0.0 255.0.0.0 u:r:t nodecon fe80::/16 u:r:t
         ibpkeycon fe80:: 1-2 u:r:t ibendportcon mlx5_0 1 u:r:t iomemcon 0x10-0xff u:r:t pirqcon 3 u:r:t
         devicetreecon \"/soc/a@1\" u:r:t fscon 8 1 u:r:t u:r:t",
        &expect![[r#"
            sid kernel u:r:t:s0
            fs_use_xattr ext4 u:r:t;
            genfscon 9p / -d u:r:t
            genfscon proc "/a b" u:r:t
            portcon tcp 1-5 u:r:t:s0 - s1
            netifcon eth0 u:r:t u:r:t
            nodecon 10.0.0.0 255.0.0.0 u:r:t
            nodecon fe80:: ffff:: u:r:t
            ibpkeycon fe80:: 1-2 u:r:t
            ibendportcon mlx5_0 1 u:r:t
            iomemcon 0x10-0xff u:r:t
            pirqcon 3 u:r:t
            devicetreecon "/soc/a@1" u:r:t
            fscon 8 1 u:r:t u:r:t
        "#]],
    );
}

#[test]
fn a_policy_is_put_in_order() {
    let texts = [
        "allow a b:file read; class file",
        "user u roles r; type a; class dir",
        "require { type b; }",
    ];
    let units: Vec<Unit> = texts.iter().map(|it| parsed(it, SourceKind::Expanded)).collect();
    let printed = kernel::print(&units, &kernel::Options::default());
    expect![[r#"
        class file
        class dir

        allow a b:file read;
        type a;

        user u roles r;
    "#]]
    .assert_eq(&shown(printed));
}

#[test]
fn what_the_kernel_language_cannot_say_is_told() {
    let mut unit =
        parsed("type a; type b.c; role r; role r.s; typebounds b b.c;", SourceKind::Expanded);
    unit.explicit_bounds = true;
    let printed = kernel::print(&[unit], &kernel::Options::default());
    assert!(printed.failed());
    expect![[r#"
        type a;
        type b.c;
        role r;
        role r.s;
        typebounds b b.c;
        E0801 the name of role `r.s` would say that `r` bounds it
    "#]]
    .assert_eq(&shown(printed));
}

#[test]
fn modules_in_cil() {
    check_cil(
        "module m 1.0; require { type a, b; attribute at; role r; class file { read write }; bool x; }
         type t alias u, at; role r types t; bool y true;
         allow { t a } { b self }:file { read write }; allow t { at -b }:file ~read; dontaudit t { at -b }:file *;
         neverallow ~a ~self:file read; auditdeny t a:file read;
         allowxperm t a:file ioctl ~{ 1 5-0xf }; type_transition t a:file b \"x y\";
         optional { require { type z; } allow t z:file read; optional { type w; } } else { allow t a:file read; }
         if (x && !y) { require { type k; } allow t { at -k }:file read; }",
        &expect![[r#"
            (typeattributeset cil_gen_require a)
            (typeattributeset cil_gen_require b)
            (typeattributeset cil_gen_require at)
            (roleattributeset cil_gen_require r)
            (type t)
            (roletype object_r t)
            (typealias u)
            (typealiasactual u t)
            (typeattributeset at (t))
            (roletype r t)
            (boolean y true)
            (allow t b (file (read write)))
            (allow t self (file (read write)))
            (allow a b (file (read write)))
            (allow a self (file (read write)))
            (typeattribute m_typeattr_1)
            (typeattributeset m_typeattr_1 (and (at) (not (b))))
            (allow t m_typeattr_1 (file (not (read))))
            (dontaudit t m_typeattr_1 (file (all)))
            (typeattribute m_typeattr_2)
            (typeattributeset m_typeattr_2 (not (a)))
            (neverallow m_typeattr_2 notself (file (read)))
            (dontaudit t a (file (not (read))))
            (allowx t a (ioctl file (not (0x1 (range 0x5 0xf)))))
            (typetransition t a file "x y" b)
            (optional m_optional_1
                (typeattributeset cil_gen_require z)
                (allow t z (file (read)))
                (optional m_optional_2
                    (type w)
                    (roletype object_r w)
                )
            )
            (typeattribute m_typeattr_3)
            (typeattributeset m_typeattr_3 (and (at) (not (k))))
            (typeattributeset cil_gen_require k)
            (booleanif (and x (not y))
                (true
                    (allow t m_typeattr_3 (file (read)))
                )
            )
            W0101 the `else` of an optional block is left out: CIL has none
        "#]],
    );
}

#[test]
fn policies_in_cil() {
    let unit = parsed(
        "class file sid kernel class file { read } sensitivity s0 alias bottom; dominance { s0 } category c0; category c1; level s0:c0.c1;
         mlsconstrain file read (l1 dom l2 or t1 == { a b }); type a.b; type a.c; attribute e; role r; user u roles r level s0 range s0 - s0:c0.c1;
         portcon tcp 1-5 u:r:a.b:s0 genfscon proc /x -d u:r:a.b:s0",
        SourceKind::Expanded,
    );
    let unit = Unit { explicit_bounds: true, ..unit };
    let layout = cil::Layout::Policy { mls: true, handle_unknown: HandleUnknown::Allow };
    let printed = cil::print(&[unit], &cil::Options { layout, line_marks: None });
    expect![[r#"
        (handleunknown allow)
        (mls true)
        (role object_r)
        (typeattribute cil_gen_require)
        (roleattribute cil_gen_require)
        (sidorder (kernel))
        (classorder (file))
        (categoryorder (c0 c1))
        (sensitivityorder (s0))
        (sid kernel)
        (class file (read))
        (sensitivity s0)
        (sensitivityalias bottom)
        (sensitivityaliasactual bottom s0)
        (category c0)
        (category c1)
        (sensitivitycategory s0 ((range c0 c1)))
        (mlsconstrain (file (read)) (or (dom l1 l2) (eq t1 (a b))))
        (block a (type b))
        (roletype object_r a.b)
        (in a (type c))
        (roletype object_r a.c)
        (typeattribute e)
        (role r)
        (user u)
        (userrole u object_r)
        (userrole u r)
        (userlevel u (s0))
        (userrange u ((s0) (s0 ((range c0 c1)))))
        (portcon tcp (1 5) (u r a.b ((s0) (s0))))
        (genfscon proc "/x" dir (u r a.b ((s0) (s0))))
        (expandtypeattribute (e) false)
    "#]]
    .assert_eq(&shown(printed));
}

#[test]
fn names_that_cil_does_not_take_are_told() {
    check_cil(
        "type all; type and-so; allow self_t all:file read;",
        &expect![[r#"
            (type all)
            (roletype object_r all)
            (type and-so)
            (roletype object_r and-so)
            (allow self_t all (file (read)))
            E0802 CIL cannot spell the name "all"
            E0802 CIL cannot spell the name "all"
        "#]],
    );
}
