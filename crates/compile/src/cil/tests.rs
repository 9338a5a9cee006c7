use std::sync::Arc;

use expect_test::{Expect, expect};
use mandate_policydb::{PolicyDb, SymbolId};

use super::{Options, build};
use crate::outcome::Outcome;
use crate::whole::Checks;

/// What every policy needs, and two types with a role and a user.
const BASE: &str = "\
(class file (read write append)) (class dir (read search)) (classorder (file dir))
(sid kernel) (sidorder (kernel)) (sidcontext kernel kernel_context)
(sensitivity s0) (sensitivity s1) (sensitivityorder (s0 s1))
(category c0) (category c1) (category c2) (category c3) (categoryorder (c0 c1 c2 c3))
(sensitivitycategory s0 (range c0 c3)) (sensitivitycategory s1 (range c0 c3))
(level low (s0)) (levelrange low_low (low low))
(user u) (role r) (userrole u r) (userrole u object_r) (userlevel u low) (userrange u ((s0) (s1 (range c0 c3))))
(type a) (type b) (roletype r a) (roletype r b) (role object_r) (roletype object_r a) (roletype object_r b)
(context kernel_context (u r a low_low))
(allow a self (dir (search)))
";

fn compile(text: &str, options: &Options) -> Outcome {
    let file = |path: &str, text: &str| (path.to_owned(), Arc::from(text.as_bytes()));
    build(vec![file("base", BASE), file("x.cil", text)], options, Checks::default())
}

/// The policy's rules and attributes beyond the base.
fn show(db: &PolicyDb) -> String {
    let mut lines: Vec<String> = Vec::new();
    let type_ = |id| db.types.name(id).into_owned();
    let rule = |it: &mandate_policydb::AvRule| {
        let kind = it.kind;
        let class = db.classes.name(it.class());
        let mut line =
            format!("{} {} {}:{class}", kind.keyword(), type_(it.source), type_(it.target));
        if kind.is_type() {
            line += &format!(" {}", it.default_type().map_or(String::new(), type_));
        } else if !kind.is_xperm() {
            let bits = it.permissions();
            line += &format!(" {{ {} }}", db.permission_names(it.class(), bits).join(" "));
        }
        line
    };
    lines.extend(db.rules.iter().map(rule));
    for block in &db.conditionals {
        lines.extend(block.when_true.iter().map(|it| format!("if {}", rule(it))));
        lines.extend(block.when_false.iter().map(|it| format!("else {}", rule(it))));
    }
    for (bits, value) in db.type_attributes.iter().zip(1..) {
        let own = bits.iter().filter(|&it| it + 1 != value);
        let names: Vec<String> =
            own.filter_map(|it| mandate_policydb::TypeId::from_value(it + 1)).map(type_).collect();
        if let (Some(id), false) = (mandate_policydb::TypeId::from_value(value), names.is_empty()) {
            lines.push(format!("{} is in {}", type_(id), names.join(" ")));
        }
    }
    let base = "allow a a:dir { search }";
    lines.retain(|it| it != base);
    lines.iter().map(|it| format!("{it}\n")).collect()
}

fn told(outcome: &Outcome) -> String {
    let place = |span: mandate_syntax::source::Span| {
        let at = outcome.sources.location(span.pos);
        at.map_or(String::new(), |it| format!("{}:{}:{}", it.path, it.line, it.column))
    };
    let mut out = String::new();
    for it in &outcome.diagnostics {
        out += &format!("{} {} {}", place(it.span), it.code.as_str(), it.message);
        for call in outcome.expansions.chain(it.span) {
            out += &format!(", by {}", place(call));
        }
        out.push('\n');
        for label in &it.labels {
            out += &format!("  {} {}\n", place(label.span), label.text);
        }
        for help in &it.help {
            out += &format!("  help: {help}\n");
        }
    }
    out
}

#[track_caller]
fn check_with(text: &str, options: &Options, expected: Expect) {
    let outcome = compile(text, options);
    let mut shown = told(&outcome);
    if let Some(product) = &outcome.product {
        shown += &show(&product.policy);
    }
    expected.assert_eq(&shown);
}

#[track_caller]
fn check(text: &str, expected: Expect) {
    check_with(text, &Options::default(), expected);
}

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
          help: write (allow SOURCE TARGET CLASSPERMISSIONS)
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

#[test]
fn blocks() {
    check(
        "(block k (type t) (allow t .a (file (read)))) (allow a k.t (file (write)))",
        expect![[r#"
            allow a k.t:file { write }
            allow k.t a:file { read }
        "#]],
    );
    check(
        "(block k (type a) (allow a a (file (read))))",
        expect![[r#"
        allow k.a k.a:file { read }
    "#]],
    );
    check(
        "(block k (blockabstract k) (type t) (allow t a (file (read)))) (block i (blockinherit k)) (block j (blockinherit k))",
        expect![[r#"
            allow i.t a:file { read }
            allow j.t a:file { read }
        "#]],
    );
    check(
        "(block k (block n (type t))) (allow a k.n.t (file (read)))",
        expect![[r#"
        allow a k.n.t:file { read }
    "#]],
    );
    check(
        "(block k (type t)) (in k (allow t a (file (read))))",
        expect![[r#"
        allow k.t a:file { read }
    "#]],
    );
    check(
        "(block k (type t))\n(in kk (allow t a (file (read))))",
        expect![[r#"
        x.cil:2:1 E0603 there is no container `kk`
          help: did you mean `k`?
    "#]],
    );
    check(
        "(block k (blockinherit k))",
        expect![[r#"
        x.cil:1:10 E0605 block `k` inherits itself
          x.cil:1:1 the block
    "#]],
    );
    check(
        "(block k (blockinherit n)) (block n (blockinherit k))",
        expect![[r#"
        x.cil:1:37 E0605 block `k` inherits itself
          x.cil:1:1 the block
    "#]],
    );
    check(
        "(block k (type t)) (block k (type t))",
        expect![[r#"
        x.cil:1:20 E0313 `k` is declared twice
          x.cil:1:1 first declared here
    "#]],
    );
    check(
        "(block k (category c9))",
        expect![[r#"
        x.cil:1:10 E0205 `category` may not stand in a block
    "#]],
    );
    check(
        "(block k (type tt))\n(allow a tt (file (read)))",
        expect![[r#"
        x.cil:2:10 E0301 there is no type or attribute `tt`
          help: in another block there is `k.tt`
    "#]],
    );
}

#[test]
fn macros() {
    check(
        "(macro m ((type x) (class c)) (allow x a (c (read)))) (call m (b file))",
        expect![[r#"
        allow b a:file { read }
    "#]],
    );
    check(
        "(macro m ((type x)) (call n (x))) (macro n ((type y)) (allow y a (file (read)))) (call m (b))",
        expect![[r#"
            allow b a:file { read }
        "#]],
    );
    check(
        "(macro m ((classpermission p)) (allow a b p)) (call m ((file (read))))",
        expect![[r#"
        allow a b:file { read }
    "#]],
    );
    check("(macro m ((string s)) (typetransition a b file s b)) (call m (\"x y\"))", expect![""]);
    check(
        "(block k (type t) (macro m () (allow t a (file (read))))) (call k.m)",
        expect![[r#"
        allow k.t a:file { read }
    "#]],
    );
    check(
        "(macro m () (type t) (allow t a (file (read)))) (block k (call m))",
        expect![[r#"
        allow k.t a:file { read }
    "#]],
    );
    check(
        "(macro m ((type x)) (allow x a (file (read))))\n(call m (a b))",
        expect![[r#"
        x.cil:2:1 E0607 macro `m` takes 1 argument, but 2 are given
          x.cil:1:1 its parameters are (type x)
    "#]],
    );
    check(
        "(macro m ((type x)) (allow x a (file (read))))\n(call m ((a b)))",
        expect![[r#"
        x.cil:2:10 E0607 a type is given by its name, not as a list
    "#]],
    );
    check(
        "(macro m ((type x))\n(allow x q (file (read))))\n(call m (a))",
        expect![[r#"
        x.cil:2:10 E0301 there is no type or attribute `q`, by x.cil:3:7
    "#]],
    );
    check(
        "(macro m ((type x)) (call m (x)))\n(call m (a))",
        expect![[r#"
        x.cil:1:21 E0605 macro `m` calls itself, by x.cil:2:7
          x.cil:2:1 called here first
    "#]],
    );
    check(
        "(macro m ((tipe x)))",
        expect![[r#"
        x.cil:1:11 E0607 a parameter cannot be of the kind `tipe`
          help: did you mean `type`?
          help: it is one of `type`, `role`, `user`, `sensitivity`, `category`, `categoryset`, `level`, `levelrange`, `class`, `classmap`, `classpermission`, `ipaddr`, `boolean`, `string`, `name`
    "#]],
    );
    check(
        "(call mm (a))",
        expect![[r#"
        x.cil:1:1 E0603 there is no macro `mm`
    "#]],
    );
    check(
        "(macro m () (macro n ()))",
        expect![[r#"
        x.cil:1:13 E0205 `macro` may not stand in a macro
    "#]],
    );
    check(
        "(macro m ((type x)) (type x))\n(call m (a))",
        expect![[r#"
        x.cil:1:27 E0313 type `x` has the name of a parameter of its macro, by x.cil:2:7
    "#]],
    );
}

#[test]
fn optionals() {
    check("(optional o (allow a nobody (file (read))) (allow a b (file (read))))", expect![""]);
    check(
        "(optional o (allow a b (file (read))) (optional p (allow a nobody (file (read)))))",
        expect![[r#"
            allow a b:file { read }
        "#]],
    );
    check(
        "(optional o (type t) (allow a nobody (file (read)))) (optional p (allow t a (file (read))))",
        expect![""],
    );
    check(
        "(optional o (call nothing)) (allow a b (file (read)))",
        expect![[r#"
        allow a b:file { read }
    "#]],
    );
    check("(optional o (booleanif nothing (true (allow a b (file (read))))))", expect![""]);
    check(
        "(optional o (block k))",
        expect![[r#"
        x.cil:1:13 E0205 `block` may not stand in an optional block
    "#]],
    );
    check("(optional o (allow a b (file (nothing))))", expect![""]);
}

#[test]
fn conditions() {
    check(
        "(boolean o false) (booleanif (not o) (true (allow a b (file (read)))) (false (allow a b (file (write)))))",
        expect![[r#"
            if allow a b:file { write }
            else allow a b:file { read }
        "#]],
    );
    check(
        "(tunable o true) (tunableif o (true (allow a b (file (read)))) (false (allow a b (file (write)))))",
        expect![[r#"
            allow a b:file { read }
        "#]],
    );
    let preserve = Options { preserve_tunables: true, ..Options::default() };
    check_with(
        "(tunable o true) (tunableif o (true (allow a b (file (read)))))",
        &preserve,
        expect![[r#"
            if allow a b:file { read }
        "#]],
    );
    check(
        "(boolean o false) (booleanif (and o) (true (allow a b (file (read)))))",
        expect![[r#"
        x.cil:1:30 E0608 a malformed expression: it takes two operands
          help: `(and a b)`, `(or a b)`, `(xor a b)`, `(eq a b)`, `(neq a b)` and `(not a)` nest as needed
    "#]],
    );
    check(
        "(boolean o false) (booleanif o (true (type t)))",
        expect![[r#"
        x.cil:1:38 E0205 `type` may not stand in `booleanif`
    "#]],
    );
    check(
        "(boolean o false) (booleanif oo (true (allow a b (file (read)))))",
        expect![[r#"
        x.cil:1:30 E0307 there is no boolean `oo`
          help: did you mean `o`?
    "#]],
    );
    check(
        "(boolean o false) (booleanif o)",
        expect![[r#"
        x.cil:1:19 E0602 `booleanif`: it has no branch
          help: write (booleanif EXPRESSION (true STATEMENT …) (false STATEMENT …))
    "#]],
    );
    check(
        "(boolean o maybe)",
        expect![[r#"
        x.cil:1:12 E0612 `maybe` stands where one of `true`, `false` is expected
    "#]],
    );
}

#[test]
fn declarations() {
    check(
        "(type a)",
        expect![[r#"
        x.cil:1:7 E0313 type `a` is declared twice
          base:8:7 first declared here
          help: -m (multiple declarations) takes several declarations as one
    "#]],
    );
    let several = Options { multiple_decls: true, ..Options::default() };
    check_with("(type a)", &several, expect![""]);
    check(
        "(typeattribute a)",
        expect![[r#"
        x.cil:1:16 E0313 `a` is declared as type attribute, but is already a type
          base:8:7 first declared here
    "#]],
    );
    check(
        "(type self)",
        expect![[r#"
        x.cil:1:7 E0210 `self` cannot be declared: it is a word of expressions
    "#]],
    );
    check(
        "(type x.y)",
        expect![[r#"
        x.cil:1:7 E0210 `x.y` is no name: '.' cannot stand in one
    "#]],
    );
    check(
        "(type)",
        expect![[r#"
        x.cil:1:1 E0602 `type`: the name is missing
          help: write (type NAME)
    "#]],
    );
    check(
        "(type (x))",
        expect![[r#"
        x.cil:1:1 E0602 `type`: the name is missing
          help: write (type NAME)
        x.cil:1:7 E0602 a name stands here, not a list
    "#]],
    );
    check(
        "((type x))",
        expect![[r#"
        x.cil:1:2 E0602 a statement begins with a word
    "#]],
    );
    check(
        "(class k (x))",
        expect![[r#"
        x.cil:1:8 E0604 class `k` has no place in the order
          help: name it in a `classorder` statement
    "#]],
    );
    check(
        "(sensitivityorder (s1 s0))",
        expect![[r#"
        x.cil:1:1 E0604 this `sensitivityorder` cannot be merged with the others
          base:3:35 another order
    "#]],
    );
    check(
        "(typebounds a b) (typebounds a b)",
        expect![[r#"
        x.cil:1:32 E0611 `b` is bounded twice
          x.cil:1:15 the other statement
    "#]],
    );
    check(
        "(mls true) (mls false)",
        expect![[r#"
        x.cil:1:12 E0611 a second `mls` statement
          x.cil:1:1 the first one
    "#]],
    );
}

#[test]
fn labels_and_levels() {
    check(
        "(portcon tcp 80 (u r a low_low)) (portcon tcp 80 (u r b low_low))",
        expect![[r#"
        x.cil:1:34 E0611 two labels for one thing
          x.cil:1:1 the other one
    "#]],
    );
    check(
        "(portcon tpc 80 (u r a low_low))",
        expect![[r#"
        x.cil:1:10 E0612 `tpc` stands where one of `tcp`, `udp`, `dccp`, `sctp` is expected
    "#]],
    );
    check(
        "(portcon tcp 80 (u r a))",
        expect![[r#"
        x.cil:1:17 E0602 a context has a user, a role, a type and a range
          help: write `(USER ROLE TYPE ((s0) (s0)))`, or name a `context`
    "#]],
    );
    check(
        "(nodecon 10.0.0.1.2 255.0.0.0 (u r a low_low))",
        expect![[r#"
        x.cil:1:10 E0207 `10.0.0.1.2` is no address
    "#]],
    );
    check("(filecon \"/x\" file (u object_r b low_low))", expect![""]);
    check(
        "(pirqcon 3 (u r a low_low))",
        expect![[r#"
        x.cil:1:1 W0007 a statement about Xen in a policy for Linux is left out
    "#]],
    );
    let mls = Options { mls: Some(true), ..Options::default() };
    check_with("(rangetransition a b file ((s0) (s0 (not (c0)))))", &mls, expect![""]);
    check_with(
        "(rangetransition a b file ((s0) (s0 (range c3 c0))))",
        &mls,
        expect![[r#"
        x.cil:1:37 E0406 the range of categories does not ascend
    "#]],
    );
    check_with(
        "(user v) (userrole v r)",
        &mls,
        expect![[r#"
        x.cil:1:7 E0408 user `v` has no default level
          help: write `(userlevel v (s0))` and `(userrange v ((s0) (s0)))`
    "#]],
    );
    check("(constrain (file (read)) (or (eq u1 u2) (eq t1 (a b))))", expect![""]);
    check(
        "(constrain (file (read)) (eq t1 t3))",
        expect![[r#"
        x.cil:1:26 E0409 a malformed constraint: these parts cannot be compared
          help: a comparison is `(eq t1 t2)`, `(dom l1 l2)` or `(eq t1 (a_t b_t))`
    "#]],
    );
}

#[test]
fn file_contexts_are_sorted() {
    let text = "(filecon \"/usr(/.*)?\" any (u r a low_low)) (filecon \"/usr/bin/x\" file (u r b low_low)) (filecon \"/usr/.*\" dir ())";
    let mls = Options { mls: Some(true), ..Options::default() };
    let product = compile(text, &mls).product.unwrap();
    let text = String::from_utf8_lossy(&product.files["file_contexts"]).into_owned();
    expect![[r#"
        /usr(/.*)?	u:r:a:s0
        /usr/.*	-d	<<none>>
        /usr/bin/x	--	u:r:b:s0
    "#]]
    .assert_eq(&text);
}

/// Each ends with an error, soon.
#[test]
fn what_multiplies_ends() {
    let begun = std::time::Instant::now();
    let mut calls = "(macro m0 ((type x)) (allow x a (file (read))))\n".to_owned();
    let mut blocks = "(block b0 (type t))\n".to_owned();
    let mut sets = "(categoryset k0 (c0))\n".to_owned();
    let mut permissions = "(classpermission p0) (classpermissionset p0 (file (read)))\n".to_owned();
    for n in 1..60 {
        let before = n - 1;
        calls += &format!("(macro m{n} ((type x)) (call m{before} (x)) (call m{before} (x)))\n");
        blocks += &format!(
            "(block b{n} (block l (blockinherit b{before})) (block r (blockinherit b{before})))\n"
        );
        sets += &format!("(categoryset k{n} (or k{before} k{before}))\n");
        permissions += &format!(
            "(classpermission p{n}) (classpermissionset p{n} p{before}) (classpermissionset p{n} p{before})\n"
        );
    }
    calls += "(call m59 (a))";
    permissions += "(allow a b p59)";
    for text in [calls, blocks, sets, permissions] {
        let outcome = compile(&text, &Options::default());
        let budget = mandate_syntax::codes::Code::CilBudget;
        assert!(outcome.diagnostics.iter().any(|it| it.code == budget), "{}", told(&outcome));
    }
    assert!(begun.elapsed().as_secs() < 60, "took {:?}", begun.elapsed());
}

#[test]
fn blocks_in_branches_and_in_statements() {
    check(
        "(tunable o true) (tunableif o (true (block k (type t))) (false (block k (type u)))) (allow a k.t (file (read)))",
        expect![[r#"
            allow a k.t:file { read }
        "#]],
    );
    check(
        "(block k (type t)) (in k (block n (type u))) (allow k.n.u a (file (read)))",
        expect![[r#"
        allow k.n.u a:file { read }
    "#]],
    );
    check(
        "(in k (block k (type t)))",
        expect![[r#"
        x.cil:1:1 E0603 there is no container `k`
    "#]],
    );
}
