//! Rules, the sets they name, class maps and sets of permissions.

use expect_test::expect;

use super::check;

#[test]
fn rules() {
    check(
        "(allow a b (file (read write)))",
        expect![[r#"
        allow a b:file { read write }
    "#]],
    );
    check(
        "(allow a self (file (read)))",
        expect![[r#"
        allow a a:file { read }
    "#]],
    );
    check(
        "(allow a b (file (not (read))))",
        expect![[r#"
        allow a b:file { write append }
    "#]],
    );
    check(
        "(allow a b (file (and (all) (not (read)))))",
        expect![[r#"
        allow a b:file { write append }
    "#]],
    );
    check(
        "(dontaudit a b (file (all)))",
        expect![[r#"
        dontaudit a b:file { read write append }
    "#]],
    );
    check(
        "(auditallow a b (file (xor (read write) (write append))))",
        expect![[r#"
        auditallow a b:file { read append }
    "#]],
    );
    check(
        "(typetransition a b file b)",
        expect![[r#"
        type_transition a b:file b
    "#]],
    );
    check(
        "(typemember a self file b) (typechange a b dir b)",
        expect![[r#"
        type_member a a:file b
        type_change a b:dir b
    "#]],
    );
    check(
        "(allow a b (file (red)))",
        expect![[r#"
        x.cil:1:19 E0306 class `file` has no permission `red`
          base:1:8 its permissions are declared here
          help: did you mean `read`?
    "#]],
    );
    check(
        "(allow a c (file (read)))",
        expect![[r#"
        x.cil:1:10 E0301 there is no type or attribute `c`
    "#]],
    );
    check(
        "(allow a b (fil (read)))",
        expect![[r#"
        x.cil:1:13 E0305 there is no class `fil`
          help: did you mean `file` or `dir`?
    "#]],
    );
    check(
        "(allow a b)",
        expect![[r#"
            x.cil:1:1 E0602 `allow`: parts are missing
              help: write (allow SOURCE TARGET (CLASS (PERMISSION …)))
        "#]],
    );
    check(
        "(alow a b (file (read)))",
        expect![[r#"
        x.cil:1:1 E0202 no CIL statement begins with `alow`
          help: did you mean `allow` or `allowx`?
    "#]],
    );
    check(
        "(allow a b (file (read and write)))",
        expect![[r#"
        x.cil:1:24 E0306 class `file` has no permission `and`
          base:1:8 its permissions are declared here
          help: it has read, write, append
    "#]],
    );
    check(
        "(allow a b (file (and read)))",
        expect![[r#"
        x.cil:1:18 E0608 `and` takes 2 operands, but 1 is given
    "#]],
    );
    check(
        "(allow r b (file (read)))",
        expect![[r#"
        x.cil:1:8 E0301 there is no type or attribute `r`
    "#]],
    );
    check(
        "(neverallow a b (file (read)))\n(allow a b (file (read)))",
        expect![[r#"
        x.cil:2:1 E0401 `allow a b:file { read };` is forbidden by a neverallow
          x.cil:1:1 neverallow here
    "#]],
    );
    check(
        "(typeattribute t) (typeattributeset t (a b)) (neverallow t other (file (read)))\n(allow a b (file (read)))",
        expect![[r#"
            x.cil:2:1 E0401 `allow a b:file { read };` is forbidden by a neverallow
              x.cil:1:46 neverallow here
        "#]],
    );
}

#[test]
fn sets() {
    check(
        "(typeattribute t) (typeattributeset t (a b)) (allow t t (file (read)))",
        expect![[r#"
        allow t t:file { read }
        a is in t
        b is in t
    "#]],
    );
    check(
        "(typeattribute t) (typeattributeset t (not a)) (allow t a (file (read)))",
        expect![[r#"
        allow t a:file { read }
        b is in t
    "#]],
    );
    check(
        "(typeattribute s) (typeattributeset s (a)) (typeattribute t) (typeattributeset t (xor s (or a b))) (allow t a (file (read)))",
        expect![[r#"
            allow t a:file { read }
            b is in t
        "#]],
    );
    check(
        "(typeattribute t) (typeattributeset t (all)) (allow t a (file (read)))",
        expect![[r#"
        allow t a:file { read }
        a is in t
        b is in t
    "#]],
    );
    check(
        "(typeattribute t) (typeattributeset t (not t))",
        expect![[r#"
        x.cil:1:16 E0605 type attribute `t` is a member of itself
    "#]],
    );
    check(
        "(typeattribute t) (typeattributeset t (and a))",
        expect![[r#"
        x.cil:1:39 E0608 `and` takes 2 operands, but 1 is given
    "#]],
    );
    check(
        "(typeattribute t) (typeattributeset t (a and))",
        expect![[r#"
        x.cil:1:42 E0608 an operator without its operands
          help: an operator stands first in its list: `(and a b)`
    "#]],
    );
    check(
        "(typeattribute t) (typeattributeset t (a nobody))",
        expect![[r#"
        x.cil:1:42 E0301 there is no type or attribute `nobody`
    "#]],
    );
    check(
        "(typeattributeset a (b))",
        expect![[r#"
        x.cil:1:19 E0314 `a` is a type, not a type attribute
          base:8:7 declared here
    "#]],
    );
    check("(typeattribute cil_gen_require) (typeattributeset cil_gen_require a)", expect![""]);
    check(
        "(typealias x) (typealiasactual x b) (allow a x (file (read)))",
        expect![[r#"
        allow a b:file { read }
    "#]],
    );
    check(
        "(typealias x) (typealias y) (typealiasactual x y) (typealiasactual y b) (allow a x (file (read)))",
        expect![[r#"
            allow a b:file { read }
        "#]],
    );
    check(
        "(typealias x) (typealias y) (typealiasactual x y) (typealiasactual y x)",
        expect![[r#"
        x.cil:1:48 E0605 alias `x` stands for itself
        x.cil:1:70 E0605 alias `y` stands for itself
    "#]],
    );
}

#[test]
fn notself_and_deny() {
    check(
        "(typeattribute t) (typeattributeset t (a b)) (allow t other (file (read)))",
        expect![[r#"
            allow a b:file { read }
            allow b a:file { read }
        "#]],
    );
    check(
        "(type c) (allow a notself (file (read)))",
        expect![[r#"
        allow a b:file { read }
        allow a c:file { read }
    "#]],
    );
    check(
        "(allow a b (file (read write))) (deny a b (file (read)))",
        expect![[r#"
        allow a b:file { write }
    "#]],
    );
    check(
        "(typeattribute t) (typeattributeset t (a b)) (allow t t (file (read))) (deny a b (file (read)))",
        expect![[r#"
            allow a a:file { read }
            allow b a:file { read }
            allow b b:file { read }
            a is in t
            b is in t
        "#]],
    );
    check(
        "(typeattribute t) (typeattributeset t (a b)) (allow t t (file (read))) (deny t self (file (read)))",
        expect![[r#"
            allow a b:file { read }
            allow b a:file { read }
            a is in t
            b is in t
        "#]],
    );
    check(
        "(boolean o true) (booleanif o (true (allow a b (file (read))))) (deny a b (file (read)))",
        expect![""],
    );
}

#[test]
fn class_maps_and_permission_sets() {
    check(
        "(classmap m (x)) (classmapping m x (file (read))) (classmapping m x (dir (search))) (allow a b (m (x)))",
        expect![[r#"
            allow a b:file { read }
            allow a b:dir { search }
        "#]],
    );
    check(
        "(classpermission p) (classpermissionset p (file (read))) (classpermissionset p (dir (read))) (allow a b p)",
        expect![[r#"
            allow a b:file { read }
            allow a b:dir { read }
        "#]],
    );
    check(
        "(classpermission p)\n(allow a b p)",
        expect![[r#"
        x.cil:1:18 E0610 class permission set `p`: no `classpermissionset` says what it means
    "#]],
    );
    check(
        "(classmap m (x))\n(allow a b (m (x)))",
        expect![[r#"
        x.cil:1:11 E0610 class map `m`: its permission `x` has no `classmapping`
    "#]],
    );
    check(
        "(classpermission p) (classpermissionset p p) (allow a b p)",
        expect![[r#"
        x.cil:1:43 E0605 sets of permissions lead to others deeper than 64
    "#]],
    );
    check(
        "(allow a b (file ()))",
        expect![[r#"
        x.cil:1:18 E0413 a list of permissions without any
    "#]],
    );
    check(
        "(common c (x y)) (class k (z)) (classorder (dir k)) (classcommon k c) (allow a b (k (x z)))",
        expect![[r#"
            allow a b:k { x z }
        "#]],
    );
}

/// An attribute that nothing is in does not hide the others.
#[test]
fn what_generated_attributes_are_made_of_is_kept() {
    let one = |n: usize, of: &str| {
        format!(
            "(typeattribute x_typeattr_{n}) (typeattribute p{n}) (typeattributeset p{n} (a b)) (neverallow x_typeattr_{n} b (file (read))){of}\n"
        )
    };
    let of = |n: usize| {
        if n.is_multiple_of(2) {
            String::new()
        } else {
            format!("(typeattributeset x_typeattr_{n} (p{n}))")
        }
    };
    let text: String = (0..6).map(|n| one(n, &of(n))).collect();
    check(
        &text,
        expect![[r#"
            a is in p1 p3 p5
            b is in p1 p3 p5
        "#]],
    );
}
