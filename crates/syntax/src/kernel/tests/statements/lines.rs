//! Blanks, comments, line marks and calls.

use expect_test::expect;

use crate::kernel::tests::check;

#[test]
fn blanks_and_comments() {
    check(
        r#"	type a;# type b;
 type c ;;; # { "
# ä"#,
        expect![[r#"
            type a alias () , ()
            type c alias () , ()
        "#]],
    );
}

#[test]
fn line_marks() {
    check(
        r#"#line 7 "x.te"
type a
type b;
#line 3
?
"#,
        expect![[r#"
            type a alias () , ()
            type b alias () , ()
            x.te:7:7: E0203 a semicolon is missing
            x.te:3:1: E0201 expected a statement, found `?`
        "#]],
    );
}

#[test]
fn unknown_calls() {
    check(
        r"foo(a, { b c })
bar()
baz( )
type a;
optional { qux(`a, b', (c, d)); }
if (x) { quux(# ,)
 a); }",
        expect![[r#"
            type a alias () , ()
            optional
            if [x]
            else
            1:1: call of foo/2
            2:1: call of bar/0
            3:1: call of baz/0
            5:12: call of qux/2
            6:10: call of quux/1
        "#]],
    );
}
