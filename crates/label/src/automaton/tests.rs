//! The automaton by itself: what it shares, forgets and compares.

use super::dfa::Dfa;
use super::inclusion::{includes, shortest};
use super::nfa::{Builder, Nfa};
use crate::pattern::{Arena, parse};

fn nfa(patterns: &[&str]) -> Nfa {
    let mut arena = Arena::new();
    let parsed: Vec<_> =
        patterns.iter().map(|it| parse(it.as_bytes(), &mut arena).expect(it)).collect();
    let mut builder = Builder::new(&arena);
    (0..).zip(parsed).for_each(|(line, it)| builder.pattern(it.root, line));
    builder.finish()
}

#[test]
fn what_begins_alike_is_there_once() {
    let one = nfa(&["/usr/lib/a(/.*)?"]).len();
    assert_eq!(nfa(&["/usr/lib/a(/.*)?", "/usr/lib/a(/.*)?"]).len(), one);
    assert_eq!(nfa(&["/usr/lib/a(/.*)?", "/usr/lib/b"]).len(), one + 1);
}

#[test]
fn bytes_that_no_pattern_tells_apart_are_one_class() {
    let (classes, count) = nfa(&["/a[0-9]"]).classes();
    let class = |byte: u8| classes[usize::from(byte)];
    assert_eq!(class(b'0'), class(b'9'));
    assert_ne!(class(b'a'), class(b'b'));
    assert!(count < 12, "{count} classes");
}

#[test]
fn forgetting_changes_no_answer() {
    let nfa = nfa(&["(a|b)*a(a|b)(a|b)(a|b)", "(ab)*", "b*a?b*", "[ab]{3}.*"]);
    let mut plenty = Dfa::new(&nfa);
    let mut few = Dfa::bounded(&nfa, 3);
    for number in 0..1u32 << 9 {
        let path: Vec<u8> =
            (0..9).map(|it| if number >> it & 1 == 0 { b'a' } else { b'b' }).collect();
        let [one, other] = [&mut plenty, &mut few].map(|it| {
            let end = it.walk(&nfa, it.start(), &path);
            it.lines(it.list(end)).to_vec()
        });
        assert_eq!(one, other, "{}", path.escape_ascii());
        assert!(few.len() <= 3);
    }
    assert!(few.generation() > 0 && plenty.generation() == 0);
}

#[test]
fn one_pattern_within_another() {
    let cases = [
        ("/a/.*", "/a/b", Some(true)),
        ("/a/b", "/a/.*", Some(false)),
        ("/a(/.*)?", "/a/.*", Some(true)),
        ("/a/[^/]*", "/a/.*", Some(false)),
        ("/(a|b)/.*", "/[ab]/.+", Some(true)),
        (".*", "", Some(true)),
        (".*", "(.*a.{5})?", Some(true)),
        (".*", "(.*a.{12})?", None),
    ];
    for (outer, inner, expected) in cases {
        let mut arena = Arena::new();
        let mut root = |it: &str| parse(it.as_bytes(), &mut arena).expect(it).root;
        let (outer_root, inner_root) = (root(outer), root(inner));
        assert_eq!(includes(&arena, outer_root, inner_root), expected, "{outer} {inner}");
    }
}

#[test]
fn a_shortest_path() {
    let cases =
        [("/a/.*", "/a/"), ("(bb|c+)d", "cd"), ("[0-9]{2}x?", "00"), ("[^a]", "b"), ("", "")];
    for (text, expected) in cases {
        let mut arena = Arena::new();
        let root = parse(text.as_bytes(), &mut arena).expect(text).root;
        let found = shortest(&arena, root).expect(text);
        assert_eq!(String::from_utf8_lossy(&found), expected, "{text}");
    }
}
