use expect_test::{Expect, expect};

use super::Machine;
use crate::source::{ExpansionRecorder, SourceMap};
use crate::text::Text;

fn check(input: &str, expected: Expect) {
    let mut sources = SourceMap::new();
    let file = sources.add("in.te", input.as_bytes()).unwrap();
    let text = Text::of_file(sources.file(file));
    let out = Machine::new().run(&[&text], &sources, &mut ExpansionRecorder::default());
    let mut shown = String::from_utf8(out.text.bytes).unwrap();
    for diagnostic in out.diagnostics {
        let place = sources.location(diagnostic.span.pos).unwrap();
        shown += &format!("\n{}:{}: {}", place.line, place.column, diagnostic.message);
    }
    expected.assert_eq(&shown);
}

#[test]
fn words_arguments_and_quotes() {
    check(
        "define(`f',`<$1|$2|$#|$*|$@>')f(a, `b,c' d,e)f",
        expect!["<a|b,c d|3|a,b,c d,e|a,b,c d,e><||0||>"],
    );
    check("define(`x',`1')`x' x ``x'' # x `x'\nx", expect!["x 1 `x' # x `x'\n1"]);
    check("define(`p',`pre')define(`prefix',`YES')p()fix", expect!["YES"]);
    check("define(`l',`g(')define(`g',`[$1]')l`'x) g(a(b,c),d)", expect!["[x] [a(b,c)]"]);
    check(
        "ifelse(a,a,`y',`n') ifelse(a,b,`1',c,c,`2',`3') ifdef(`zz',`d',`u') define",
        expect!["y 2 u define"],
    );
    check("define(`n',`ifelse($1,0,,`$1 n(decr($1))')')n(5)", expect!["5 4 3 2 1 "]);
}

#[test]
fn builtins() {
    check(
        "eval(1+2*3**2) eval(`0x1f & ~1') eval(-7/2) eval(5,2,8) incr(9) decr(0)",
        expect!["19 30 -3 00000101 10 -1"],
    );
    check(
        "substr(`hello',1,3) index(`hello',`l') len(`abc') translit(`abc',`a-c',`x-z')",
        expect!["ell 2 3 xyz"],
    );
    check(
        r"regexp(`a && b', `\(\w+\)', `<\1>') regexp(`x', `y') patsubst(`a.b', `\.', `-')",
        expect!["<a> -1 a-b"],
    );
    check("divert(-1)gone\ndivert`'here divert(1)later divert(0)now ", expect!["here now later "]);
    check("changequote([,])define([q],[a `b' $1])q(1)changequote`'q(2)", expect!["a `b' 1a b 2"]);
    check("pushdef(`s',`1')s pushdef(`s',`2')s popdef(`s')s", expect!["1 2 1"]);
    check("shift(a,`b,c',d) format(`%05d|%-3s|%x',42,`a',255)", expect!["b,c,d 00042|a  |ff"]);
}

#[test]
fn what_goes_wrong_is_told_at_its_place() {
    check("a\n`b\n", expect!["a\n\n2:1: this quote is not closed"]);
    check(
        "define(`f',`x')\nf(a,",
        expect![[r#"


        2:1: the call of `f` is not closed"#]],
    );
    check(
        "define(`f',`f')f",
        expect![[r#"

            1:13: `f` calls itself without end: macros are called more than 1000000 times"#]],
    );
    check(
        "syscmd(`ls')",
        expect![[r#"

        1:1: `syscmd` is refused: sources run no commands and open no files"#]],
    );
}
