//! Damage to texts: what a slip of a hand, a bad merge or an attacker makes of a source.

use crate::random::Random;

/// Bytes that mean something in one of the languages.
const TELLING: [&str; 30] = [
    "`",
    "'",
    "(",
    ")",
    "{",
    "}",
    ";",
    ",",
    "#",
    "\n",
    "\"",
    "$*",
    "$@",
    "$1",
    "dnl",
    "define(`x',`",
    "ifdef(`",
    "divert(-1)",
    "changequote([,])",
    "optional {",
    "require {",
    "if (",
    "-",
    "~",
    "*",
    ":",
    "self",
    "\0",
    "\u{fffd}",
    "99999999999999999999",
];

/// One to eight changes of a text of the corpus; mostly few, so that many get past the first statements.
pub fn mutant(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut text = random.pick(corpus).cloned().unwrap_or_default();
    let changes = if random.chance(60) { random.between(1, 2) } else { random.between(3, 8) };
    for _ in 0..changes {
        change(random, &mut text, corpus);
    }
    text
}

/// One to three changes of the numbers in a binary: a byte, a word of four with a telling number or that of another place. So
/// little, because most damage is seen at the first count or offset.
pub fn damaged(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    const TELLING: [u32; 8] = [0, 1, 2, 32, 33, 0xffff, 0x7fff_ffff, u32::MAX];
    let mut bytes = random.pick(corpus).cloned().unwrap_or_default();
    for _ in 0..random.between(1, 3) {
        let (at, from) = (random.below(bytes.len()), random.below(bytes.len()));
        match random.below(8) {
            0..4 => flip(random, &mut bytes, at),
            4 | 5 => {
                let number = random.pick(&TELLING).copied().unwrap_or_default();
                put(&mut bytes, at, number.to_le_bytes());
            }
            6 => {
                if let Some(word) = bytes.get(from..).and_then(|it| it.first_chunk()).copied() {
                    put::<4>(&mut bytes, at, word);
                }
            }
            _ => bytes.truncate(at.max(bytes.len() / 2)),
        }
    }
    bytes
}

fn put<const N: usize>(bytes: &mut [u8], at: usize, word: [u8; N]) {
    if let Some(place) = bytes.get_mut(at..at + N) {
        place.copy_from_slice(&word);
    }
}

fn change(random: &mut Random, text: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = random.below(text.len());
    match random.below(10) {
        0 => flip(random, text, at),
        1 => drop(text.drain(at..(at + random.between(1, 20)).min(text.len()))),
        2 => duplicate(random, text, at),
        3 => splice(random, text, at, corpus),
        4 | 5 => {
            let word = random.pick(&TELLING).copied().unwrap_or_default();
            text.splice(at..at, word.bytes());
        }
        6 | 7 => swap_words(random, text),
        8 => text.truncate(at.max(text.len() / 2)),
        _ => repeat(random, text, at),
    }
}

fn flip(random: &mut Random, text: &mut [u8], at: usize) {
    if let Some(byte) = text.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

/// A part of the text stands at another place, too.
fn duplicate(random: &mut Random, text: &mut Vec<u8>, at: usize) {
    let length = random.between(1, 200);
    let part: Vec<u8> = text.iter().skip(at).take(length).copied().collect();
    let to = random.below(text.len());
    text.splice(to..to, part);
}

/// A part of another text stands in this one.
fn splice(random: &mut Random, text: &mut Vec<u8>, at: usize, corpus: &[Vec<u8>]) {
    let Some(other) = random.pick(corpus) else { return };
    let from = random.below(other.len());
    let length = random.between(1, 200);
    let part: Vec<u8> = other.iter().skip(from).take(length).copied().collect();
    let end = if random.chance(50) { at } else { (at + part.len()).min(text.len()) };
    text.splice(at..end, part);
}

/// The same few bytes many times over.
fn repeat(random: &mut Random, text: &mut Vec<u8>, at: usize) {
    let part: Vec<u8> = text.iter().skip(at).take(random.between(1, 4)).copied().collect();
    let times = random.between(2, 300);
    text.splice(at..at, part.repeat(times));
}

/// Two words change places.
fn swap_words(random: &mut Random, text: &mut Vec<u8>) {
    let words = words(text);
    let (Some(one), Some(other)) = (random.pick(&words), random.pick(&words)) else { return };
    let (first, second) = if one.start <= other.start { (one, other) } else { (other, one) };
    if first.end > second.start {
        return;
    }
    let parts = [
        &text[..first.start],
        &text[second.clone()],
        &text[first.end..second.start],
        &text[first.clone()],
        &text[second.end..],
    ];
    *text = parts.concat();
}

fn words(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut all = Vec::new();
    let mut at = 0;
    for run in text.chunk_by(|one, other| is_word(one) == is_word(other)) {
        if run.first().is_some_and(is_word) {
            all.push(at..at + run.len());
        }
        at += run.len();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_mutants() {
        let corpus = vec![b"allow a b:c d;\n".to_vec(), Vec::new()];
        let make = |seed| mutant(&mut Random::new(seed), &corpus);
        assert!((0..500).all(|seed| make(seed) == make(seed)));
        assert!((0..500).any(|seed| make(seed) != corpus[0]));
    }

    #[test]
    fn words_change_places() {
        let mut text = b"one, two".to_vec();
        let mut random = Random::new(1);
        while text.starts_with(b"one") {
            swap_words(&mut random, &mut text);
        }
        assert_eq!(text, b"two, one");
    }
}
