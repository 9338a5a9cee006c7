//! What patterns match, by both engines; what they are refused for.

use expect_test::expect;

use super::{Arena, Program, parse};
use crate::automaton::dfa::Dfa;
use crate::automaton::nfa::Builder;

/// Patterns, and paths that they may match.
const PATTERNS: [(&str, &[&str]); 40] = [
    ("a|b", &["a", "b", "ax", "xb", "xa", "bx"]),
    ("(a|b)c", &["ac", "bc", "c"]),
    ("a.c", &["abc", "a\nc", "ac"]),
    ("a$", &["a", "a\n", "a\n\n"]),
    ("a\\z", &["a", "a\n"]),
    ("a*", &["", "a", "aaa", "b"]),
    ("a+b?", &["a", "aab", "b"]),
    ("a{2}", &["a", "aa", "aaa"]),
    ("a{2,}", &["a", "aa", "aaa"]),
    ("a{,2}", &["", "aa", "aaa"]),
    ("a{1,2}", &["", "a", "aa", "aaa"]),
    ("a{x}", &["a", "a{x}"]),
    ("a{0}b", &["b", "ab"]),
    ("[a-c]", &["a", "b", "d", "-"]),
    ("[^a]", &["a", "b", "/"]),
    ("[]a]", &["]", "a", "b"]),
    ("[^]a]", &["]", "b"]),
    ("[a-]", &["a", "-", "b"]),
    ("[\\Qa-c\\E]", &["a", "-", "b"]),
    ("[\\Qa\\E-c]", &["a", "-", "b"]),
    ("[\\E]a]", &["]", "a"]),
    ("[[:alpha:]1]", &["a", "1", "2"]),
    ("[[:^alpha:]]", &["a", "1"]),
    ("[a&&b]", &["a", "&", "b", "c"]),
    ("\\d\\w\\s", &["1_ ", "a_ "]),
    ("\\x41\\x{42}\\103\\o{104}", &["ABCD"]),
    ("\\Qa.b\\E", &["a.b", "axb"]),
    ("a*(?#why)+a", &["aa"]),
    ("a\\Q\\E*", &["aa"]),
    ("\\N{2}", &["ab", "a\n"]),
    ("(?i)ab", &["ab", "AB", "aB"]),
    ("(?i:a)b", &["Ab", "AB"]),
    ("(?-s).", &["a", "\n"]),
    ("(a|b)\\1", &["aa", "ab", "bb"]),
    ("(?<n>a|b)\\k<n>", &["aa", "ab"]),
    ("(?|(a)|(b))c", &["ac", "bc"]),
    ("a(?=b).", &["ab", "ac"]),
    (".(?<!a)b", &["ab", "bb"]),
    ("\\ba\\b.*", &["a", "a b", "ab"]),
    ("\\R", &["\n", "\r\n", "a"]),
];

#[test]
fn matches() {
    let mut said = String::new();
    for (text, paths) in PATTERNS {
        let mut arena = Arena::new();
        let pattern = parse(text.as_bytes(), &mut arena).expect(text);
        let program = Program::new(&arena, pattern);
        let mut builder = Builder::new(&arena);
        builder.pattern(pattern.root, 0);
        let nfa = builder.finish();
        let mut dfa = Dfa::new(&nfa);
        let mut automaton = |path: &[u8]| {
            let end = dfa.walk(&nfa, dfa.start(), path);
            !dfa.lines(dfa.list(end)).is_empty()
        };
        said += &format!("{text}{}\n   ", if pattern.regular { "" } else { " (second engine)" });
        for path in paths.iter().map(|it| it.as_bytes()) {
            let found = program.matches(path);
            // the automaton alone, with the newline that `$` looks over; of others it says where they may match
            let seen = automaton(path) || path.strip_suffix(b"\n").is_some_and(&mut automaton);
            assert!(if pattern.regular { seen == found } else { seen || !found }, "{text}");
            said += &format!(" {}{}", if found { "" } else { "!" }, path.escape_ascii());
        }
        said.push('\n');
    }
    expect![[r#"
        a|b
            a b ax xb !xa !bx
        (a|b)c
            ac bc !c
        a.c
            abc a\nc !ac
        a$
            a a\n !a\n\n
        a\z (second engine)
            a !a\n
        a*
             a aaa !b
        a+b?
            a aab !b
        a{2}
            !a aa !aaa
        a{2,}
            !a aa aaa
        a{,2}
             aa !aaa
        a{1,2}
            ! a aa !aaa
        a{x}
            !a a{x}
        a{0}b
            b !ab
        [a-c]
            a b !d !-
        [^a]
            !a b /
        []a]
            ] a !b
        [^]a]
            !] b
        [a-]
            a - !b
        [\Qa-c\E]
            a - !b
        [\Qa\E-c]
            a !- b
        [\E]a]
            ] a
        [[:alpha:]1]
            a 1 !2
        [[:^alpha:]]
            !a 1
        [a&&b]
            a & b !c
        \d\w\s
            1_  !a_ 
        \x41\x{42}\103\o{104}
            ABCD
        \Qa.b\E
            a.b !axb
        a*(?#why)+a (second engine)
            !aa
        a\Q\E*
            aa
        \N{2}
            ab !a\n
        (?i)ab
            ab AB aB
        (?i:a)b
            Ab !AB
        (?-s).
            a !\n
        (a|b)\1 (second engine)
            aa !ab bb
        (?<n>a|b)\k<n> (second engine)
            aa !ab
        (?|(a)|(b))c
            ac bc
        a(?=b). (second engine)
            ab !ac
        .(?<!a)b (second engine)
            !ab bb
        \ba\b.* (second engine)
            a a b !ab
        \R (second engine)
            \n \r\n !a
    "#]]
    .assert_eq(&said);
}

#[test]
fn refusals() {
    let deep = "(".repeat(251) + &")".repeat(251);
    let patterns = [
        "a)",
        "(a",
        "[a",
        "[a-",
        "*a",
        "a**",
        "a{2}{3}",
        "a\\",
        "\\Qa",
        "[b-a]",
        "[\\d-z]",
        "[a-\\d]",
        "[[:word:]-z]",
        "[[:no:]]",
        "[:alpha:]",
        "a{2,1}",
        "a{70000}",
        "\\y",
        "\\8",
        "\\N{name}",
        "(?<n>a)(?<n>b)",
        "(a)\\2",
        "\\k<n>",
        "(?<=a*)b",
        "(?x)a",
        "(?(1)a)",
        "\\K",
        "\\pL",
        "(*FAIL)",
        "(?1)",
        "(a\\1)",
        "(?|(a)|(b))\\1",
        "(?|(?<n>a)|b)",
        "(?y)",
        "(?#a",
        "$*",
        "(a{1000}){1000}",
        &deep,
    ];
    let said = patterns.map(|text| {
        let error = parse(text.as_bytes(), &mut Arena::new()).expect_err(text);
        let shown = if text.len() > 20 { &text[..20] } else { text };
        format!("{shown} at {}: {error}", error.offset)
    });
    expect![[r#"
        a) at 1: this parenthesis closes nothing
        (a at 0: this parenthesis is not closed
        [a at 0: this bracket is not closed
        [a- at 0: this bracket is not closed
        *a at 0: there is nothing to repeat here
        a** at 2: there is nothing to repeat here
        a{2}{3} at 4: there is nothing to repeat here
        a\ at 1: nothing follows this backslash
        \Qa at 0: this quote is not closed: it needs \E
        [b-a] at 1: this range of characters does not ascend
        [\d-z] at 3: this range of characters does not ascend
        [a-\d] at 1: this range of characters does not ascend
        [[:word:]-z] at 9: this range of characters does not ascend
        [[:no:]] at 1: no set of characters has this name
        [:alpha:] at 0: named sets of characters stand within brackets: [[:alpha:]]
        a{2,1} at 1: these bounds are out of order or too large
        a{70000} at 1: these bounds are out of order or too large
        \y at 0: this escape means nothing
        \8 at 0: the pattern has no such group
        \N{name} at 0: this escape means nothing
        (?<n>a)(?<n>b) at 0: the pattern has another group of this name
        (a)\2 at 3: the pattern has no such group
        \k<n> at 0: the pattern has no such group
        (?<=a*)b at 0: what a look-behind matches must have a bounded length of at most 255
        (?x)a at 0: conditions, recursion, verbs, \K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts
        (?(1)a) at 0: conditions, recursion, verbs, \K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts
        \K at 0: conditions, recursion, verbs, \K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts
        \pL at 0: conditions, recursion, verbs, \K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts
        (*FAIL) at 0: conditions, recursion, verbs, \K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts
        (?1) at 0: conditions, recursion, verbs, \K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts
        (a\1) at 2: conditions, recursion, verbs, \K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts
        (?|(a)|(b))\1 at 0: conditions, recursion, verbs, \K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts
        (?|(?<n>a)|b) at 0: conditions, recursion, verbs, \K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts
        (?y) at 0: this kind of group is not known
        (?#a at 0: this parenthesis is not closed
        $* at 1: there is nothing to repeat here
        (a{1000}){1000} at 0: the pattern is too large
        (((((((((((((((((((( at 250: groups are nested more than 250 deep"#]].assert_eq(&said.join("\n"));
}

#[test]
fn steps_are_bounded() {
    let mut arena = Arena::new();
    let pattern = parse(b"(a|aa)*(?!b)c", &mut arena).expect("a pattern");
    let path = [&b"a".repeat(200)[..], b"d"].concat();
    assert!(!Program::new(&arena, pattern).matches(&path));
}
