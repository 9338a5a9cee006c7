use expect_test::{Expect, expect};
use mandate_syntax::source::{Pos, Span};

use super::*;

fn check(text: &str, expected: Expect) {
    let mut at = 1;
    let lines = text.lines().map(|line| {
        let span = Span { pos: Pos(at), ..Span::NOWHERE };
        at += u32::try_from(line.len()).unwrap() + 1;
        Line { text: line.to_owned(), span }
    });
    let (comment, told) = read(&lines.collect::<Vec<_>>());
    let told: Vec<_> =
        told.iter().map(|it| format!("{}: {}\n", it.span.pos.0, it.message)).collect();
    expected.assert_eq(&format!("{comment:?}\n{}", told.concat()));
}

#[test]
fn a_comment_says_what_its_tags_say() {
    check(
        "<summary>
            Read  files.
         </summary>
         <param name=\"domain\"><summary>Domain
         allowed access.</summary></param>
         <param name='x' optional=\"true\"><summary>More.</summary></param>
         <infoflow type=\"read\" weight=\"10\"/>
         <rolecap/>",
        expect![[r#"
            Comment { summary: [Paragraph("Read files.")], description: [], parameters: [Parameter { name: "domain", summary: [Paragraph("Domain allowed access.")], optional: false, unused: false }, Parameter { name: "x", summary: [Paragraph("More.")], optional: true, unused: false }], flow: Some(Flow { kind: "read", weight: "10" }), role_base: false, role_capability: true, required: None }
        "#]],
    );
}

#[test]
fn lists_paragraphs_and_empty_lines_are_blocks() {
    check(
        "<desc><p>One:</p><ul><li>a &lt; b</li><li>c_<b>t</b></li></ul>
         two

         three</desc>",
        expect![[r#"
            Comment { summary: [], description: [Paragraph("One:"), List([[Paragraph("a < b")], [Paragraph("c_t")]]), Paragraph("two"), Paragraph("three")], parameters: [], flow: None, role_base: false, role_capability: false, required: None }
        "#]],
    );
}

#[test]
fn what_is_not_closed_ends_where_it_must() {
    check(
        "<summary>One
<param name=domain><summary>Two</param>
<desc><p>a<p>b</desc></ul>",
        expect![[r#"
            Comment { summary: [Paragraph("One")], description: [Paragraph("a"), Paragraph("b")], parameters: [Parameter { name: "domain", summary: [Paragraph("Two")], optional: false, unused: false }], flow: None, role_base: false, role_capability: false, required: None }
            14: the value `domain` of an attribute needs quotes
            1: `<summary>` is not closed
            33: `<summary>` is not closed
            60: `<p>` is not closed
            64: `<p>` is not closed
            75: `</ul>` closes nothing
        "#]],
    );
}

#[test]
fn what_is_no_markup_is_text() {
    check(
        "<summary>R&D at /dev/<vg>/<lv> & 1 < 2 &bogus; &#65;</summary> <required val=\"true\">Base.</required>",
        expect![[r#"
            Comment { summary: [Paragraph("R&D at /dev/<vg>/<lv> & 1 < 2 &bogus; A")], description: [], parameters: [], flow: None, role_base: false, role_capability: false, required: Some([Paragraph("Base.")]) }
            11: `&` stands for itself only as `&amp;`
            22: `<` begins no tag here, and stands for itself only as `&lt;`
            27: `<` begins no tag here, and stands for itself only as `&lt;`
            32: `&` stands for itself only as `&amp;`
            36: `<` begins no tag here, and stands for itself only as `&lt;`
            40: `&` stands for itself only as `&amp;`
        "#]],
    );
}

#[test]
fn anything_can_be_read() {
    let pieces = ["<", ">", "/", "summary", "&", ";", "\"", "=", "p", " ", "ü", "param", "#"];
    let mut state = 7_u32;
    for _ in 0..2000 {
        let mut text = String::new();
        for _ in 0..20 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(pieces[(state >> 16) as usize % pieces.len()]);
        }
        read(&[Line { text, span: Span::NOWHERE }]);
    }
}
