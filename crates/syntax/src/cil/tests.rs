use expect_test::{Expect, expect};

use crate::cil::{Children, Element, parse};
use crate::names::Interner;
use crate::source::{LineIndex, SourceMap};

fn show(element: Element<'_>, names: &Interner, out: &mut String) {
    let list = |children: Children<'_>, out: &mut String| {
        for (number, child) in children.enumerate() {
            if number > 0 {
                out.push(' ');
            }
            show(child, names, out);
        }
    };
    match element.word() {
        Some(word) if element.is_quoted() => *out += &format!("{:?}", names.name(word)),
        Some(word) => *out += names.name(word),
        None => {
            out.push('(');
            list(element.children(), out);
            out.push(')');
        }
    }
}

/// The statements as read, a line each, and the faults.
fn check(text: &str, expected: Expect) {
    let mut map = SourceMap::new();
    let id = map.add("x.cil", text.as_bytes()).unwrap();
    map.honour_cil_marks(id);
    let parsed = parse(map.file(id));
    let mut out = String::new();
    for statement in parsed.tree.statements() {
        show(statement, &parsed.names, &mut out);
        out.push('\n');
    }
    for it in &parsed.diagnostics {
        let at = map.location(it.span.pos).unwrap();
        out += &format!("{}:{}:{} {}\n", at.path, at.line, at.column, it.message);
        for label in &it.labels {
            let at = map.location(label.span.pos).unwrap();
            out += &format!("  {}:{} {}\n", at.line, at.column, label.text);
        }
    }
    expected.assert_eq(&out);
}

#[test]
fn lists_words_and_strings() {
    check(
        "(a b(c) () \"d e\") ; f\n(g)",
        expect![[r#"
        (a b (c) () "d e")
        (g)
    "#]],
    );
    check("; only this", expect![""]);
    check(
        "(filecon /usr/(.*)? any x)",
        expect![[r#"
        (filecon /usr/ (.*) ? any x)
    "#]],
    );
}

#[test]
fn faults_are_told_and_the_rest_is_read() {
    check(
        "(a))\n(b)",
        expect![[r#"
        (a)
        (b)
        x.cil:1:4 a parenthesis is closed that was never opened
    "#]],
    );
    check(
        "(a (b\n(c)\n(d)\n",
        expect![[r#"
        (a (b (c) (d)))
        x.cil:1:1 this parenthesis is never closed
          2:1 a statement at the margin: one is missing before this
    "#]],
    );
    check(
        "type a\n(b)",
        expect![[r#"
        (b)
        x.cil:1:1 `type` stands outside of parentheses
    "#]],
    );
    check(
        "(a \"b\n)(c \\ d)",
        expect![[r#"
        (a)
        (c d)
        x.cil:1:4 a string is not closed on its line
        x.cil:2:5 the character '\\' cannot stand here
    "#]],
    );
    check(
        "(a \"b)\n(c)",
        expect![[r#"
        (a (c))
        x.cil:1:4 a string is not closed on its line
    "#]],
    );
    check(
        "(a \u{e4}b)",
        expect![[r#"
        (a b)
        x.cil:1:4 the character 'ä' cannot stand here
    "#]],
    );
    check(
        ";;* lme\n;;* lms x y\n",
        expect![[r#"
        x.cil:1:1 the end of a line mark that was never begun
        x.cil:2:1 a malformed line mark
    "#]],
    );
}

#[test]
fn nesting_is_bounded() {
    let text = "(".repeat(100_000);
    check(
        &text,
        expect![[r#"
        x.cil:1:513 lists nest deeper than 512
    "#]],
    );
}

#[test]
fn line_marks_name_places() {
    let text = "(a)\n;;* lms 10 x.te\n(b)\n(c)\n;;* lmx 3 \"y.if\"\n(d)\n(e)\n;;* lme\n(f)\n;;* lme\n(g)\n";
    let mut map = SourceMap::new();
    let id = map.add("x.cil", text.as_bytes()).unwrap();
    map.honour_cil_marks(id);
    let file = map.file(id);
    let mut index = LineIndex::of(file);
    let mut told = String::new();
    for (offset, _) in text.match_indices('(') {
        let at = map.location(file.pos(offset)).unwrap();
        told += &format!("{} {}:{}\n", &text[offset..offset + 3], at.path, at.line);
        let (path, line, _) = index.position(file, offset);
        assert_eq!((path.unwrap_or("x.cil"), line as usize), (at.path, at.line));
    }
    expect![[r#"
        (a) x.cil:1
        (b) x.te:10
        (c) x.te:11
        (d) y.if:3
        (e) y.if:3
        (f) x.te:14
        (g) x.cil:11
    "#]]
    .assert_eq(&told);
}
