//! Bytes that nobody writes on purpose.

use std::fmt::Write;

use expect_test::expect;

use super::{check, check_policy, read};
use crate::kernel::parser::{MAX_DIAGNOSTICS, MAX_NAME_BYTES, ParseOptions, SourceKind, parse};
use crate::text::Text;

#[test]
fn bad_bytes() {
    check(
        "type a\u{e4};\ntype t;",
        expect![[r#"
        type t alias () , ()
        1:7: E0110 expected `alias`, `,` and an attribute, or `;`, found the byte 0xc3
    "#]],
    );
    check(
        "\0\0\0type a;\ntype t;",
        expect![[r#"
        type t alias () , ()
        1:1: E0110 expected a statement, found the byte 0x00
    "#]],
    );
    check(
        "type a;\r\ntype b;\r\n# c\r\n",
        expect![[r#"
        type a alias () , ()
        type b alias () , ()
        1:8: E0110 a carriage return is no blank of the language
            note: only the first one is reported
            help: the file seems to have line ends of Windows: convert it with `dos2unix`
    "#]],
    );
    check(
        "\u{feff}type a;",
        expect![[r#"
        type a alias () , ()
        1:1: E0110 the text begins with a byte order mark
            help: save the file as UTF-8 without a byte order mark
    "#]],
    );
    expect![[r#"
        type t alias () , ()
        1:16: E0110 this is not UTF-8
            help: write names and paths in ASCII or UTF-8
    "#]]
    .assert_eq(&read(b"genfscon proc /\xff u:r:t\ntype t;", SourceKind::Expanded));
    expect![[r#"
        type t alias () , ()
        1:6: E0110 expected the name of a type, found the byte 0xff
    "#]]
    .assert_eq(&read(b"type \xff\xfe;\ntype t;", SourceKind::Expanded));
}

#[test]
fn nothing() {
    check("", expect![[""]]);
    check_policy("", expect![[""]]);
    check("# a comment without an end", expect![[""]]);
}

/// What is said when `open` and `close` nest 100,000 deep around `inner`.
fn deep(before: &str, open: &str, inner: &str, close: &str, after: &str) -> String {
    let text =
        format!("{before}{}{inner}{}{after}\ntype t;", open.repeat(100_000), close.repeat(100_000));
    let told = read(text.as_bytes(), SourceKind::Expanded);
    told.lines().filter(|it| it.contains('E') || *it == "type t alias () , ()").fold(
        String::new(),
        |mut all, line| {
            writeln!(all, "{line}").unwrap();
            all
        },
    )
}

#[test]
fn depth() {
    expect![[r#"
        type t alias () , ()
        1:2826: E0208 blocks nest more than 256 deep
    "#]]
    .assert_eq(&deep("", "optional { ", "type a;", "}", ""));
    expect![[r#"
        type t alias () , ()
        1:521: E0208 braces nest more than 256 deep
    "#]]
    .assert_eq(&deep("allow a ", "{ ", "b", "}", ":file read;"));
    expect![[r#"
        type t alias () , ()
        1:523: E0208 braces nest more than 256 deep
    "#]]
    .assert_eq(&deep("allow a b:", "{ ", "b", "}", " read;"));
    expect![[r#"
        type t alias () , ()
        1:536: E0208 braces nest more than 256 deep
    "#]]
    .assert_eq(&deep("allowxperm a b:c ioctl ", "{ ", "1", "}", ";"));
    expect![[r#"
        type t alias () , ()
        1:260: E0208 parentheses nest more than 256 deep
    "#]]
    .assert_eq(&deep("if ", "(", "b", ")", "{ }"));
    expect![[r#"
        type t alias () , ()
        1:271: E0208 parentheses nest more than 256 deep
    "#]]
    .assert_eq(&deep("constrain f p ", "(", "u1 == u2", ")", ";"));
    expect![[r#"
        type t alias () , ()
    "#]]
    .assert_eq(&deep("if ", "not ", "b", "", "{ }"));
    expect![[r#"
        type t alias () , ()
        1:2324: E0208 roles nest more than 256 deep
    "#]]
    .assert_eq(&deep("dominance { ", "role a { ", "role b;", "}", "}"));
    expect![[r#"
        type t alias () , ()
    "#]]
    .assert_eq(&deep("foo", "(", "", ")", ""));
    expect![[r#"
        1:2826: E0208 blocks nest more than 256 deep
        1:2815: E0204 this brace is not closed
    "#]]
    .assert_eq(&deep("", "optional { ", "type a;", "", ""));
    expect![[r#"
        type t alias () , ()
        1:521: E0208 braces nest more than 256 deep
    "#]]
    .assert_eq(&deep("allow a ", "{ ", "b", "", ":file read;"));
}

#[test]
fn long_names() {
    let name = "a".repeat(MAX_NAME_BYTES);
    let parsed = |text: String| {
        let text = Text { bytes: text.into_bytes(), origins: Vec::new() };
        parse(&text, ParseOptions { kind: SourceKind::Expanded }).diagnostics.len()
    };
    assert_eq!(parsed(format!("type {name};")), 0);
    assert_eq!(parsed(format!("type {name}a;")), 1);
    assert_eq!(parsed(format!("type_transition a b:file c \"{name}a\";")), 1);
    assert_eq!(parsed(format!("genfscon a /{name} u:r:t")), 1);
}

#[test]
fn faults_without_end() {
    for line in
        ["x;\n", "}\n", "{\n", "foo(\n", "allow {\n", "type a b\n", "\u{1}\n", "\"\n", "if (\n"]
    {
        let text = Text { bytes: line.repeat(100_000).into_bytes(), origins: Vec::new() };
        for kind in [SourceKind::Expanded, SourceKind::Policy] {
            let parsed = parse(&text, ParseOptions { kind });
            assert!((1..=MAX_DIAGNOSTICS).contains(&parsed.diagnostics.len()), "{line:?}");
        }
    }
}

/// Cuts a text at every byte, and puts another byte there: nothing panics.
#[test]
fn every_cut() {
    let text = include_bytes!("../../../../../policies/micro/xperm-allow/policy.conf");
    for kind in [SourceKind::Expanded, SourceKind::Policy] {
        for at in 0..text.len() {
            let options = ParseOptions { kind };
            let cut = Text { bytes: text[..at].to_vec(), origins: Vec::new() };
            parse(&cut, options);
            let mut other = text.to_vec();
            other[at] = b"{}();:,-~*#\"/\r\0\xffa0"[at % 18];
            parse(&Text { bytes: other, origins: Vec::new() }, options);
        }
    }
}
