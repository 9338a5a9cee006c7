//! Names put together from a base and words, and taken apart.

use super::{Base, Domain, Group, Setrans, Word};
use crate::levels::{Categories, Level};

impl Setrans {
    /// The raw level that `name` stands for: a base at its start, then words of groups in any order, until no letter or digit is left.
    pub(super) fn compute_raw(&self, domain: &Domain, name: &[u8]) -> Option<Vec<u8>> {
        let mut rest = Rest { bytes: name.to_vec() };
        let mut level = rest.take_base(domain)?.level.clone();
        let mut complete = false;
        let mut changed = true;
        while changed && !complete {
            changed = false;
            for group in &domain.groups {
                changed = rest.take_words(group, &mut level.categories);
                complete = !rest.bytes.iter().any(u8::is_ascii_alphanumeric);
                if changed || complete {
                    break;
                }
            }
        }
        (complete && self.allows(&level)).then(|| level.to_string().into_bytes())
    }
}

/// What remains of a name to be understood: what was understood is `#`.
struct Rest {
    bytes: Vec<u8>,
}

impl Rest {
    fn strike(&mut self, from: usize, to: usize) {
        self.bytes.iter_mut().take(to).skip(from).for_each(|it| *it = b'#');
    }

    /// The base that the name begins with, the longest if there are many; and the blanks behind it.
    fn take_base<'d>(&mut self, domain: &'d Domain) -> Option<&'d Base> {
        let fits = |it: &&Base| starts_with(&self.bytes, &it.name);
        let longest = domain.bases.iter().filter(fits).map(|it| it.name.len()).max()?;
        let base = domain.bases.iter().filter(fits).find(|it| it.name.len() == longest)?;
        let blanks = self.bytes.iter().skip(longest).take_while(|it| is_blank(**it)).count();
        self.strike(0, longest.saturating_add(blanks));
        Some(base)
    }

    /// Words of a group, with its prefix or suffix if it has any: their categories come or go. Was there a word?
    fn take_words(&mut self, group: &Group, categories: &mut Categories) -> bool {
        let prefix = find_prefix(&self.bytes, &group.prefixes);
        let suffix = find_suffix(&self.bytes, &group.suffixes);
        let bare = group.prefixes.is_empty() && group.suffixes.is_empty();
        if !bare && prefix.is_none() && suffix.is_none() {
            return false;
        }
        let start = prefix.map_or(0, |it| it.1);
        let end = suffix.map_or(self.bytes.len(), |it| it.0);
        let Some(middle) = self.bytes.get(start..end) else { return false };
        let Some((from, to)) = find_words(middle, group) else { return false };
        let words = trim(middle.get(from..to).unwrap_or_default(), &group.whitespace);
        if words.is_empty() {
            return false;
        }
        let changed = apply(words, group, categories);
        for (from, to) in prefix.into_iter().chain(suffix) {
            self.strike(from, to);
        }
        self.strike(start.saturating_add(from), start.saturating_add(to));
        changed
    }
}

/// Does what each word says, the longest first where many fit. Was there any?
fn apply(mut words: &[u8], group: &Group, categories: &mut Categories) -> bool {
    let mut changed = false;
    while let Some(word) = longest(group, |it| starts_with(words, &it.text)) {
        *categories = categories
            .or(&word.categories.minus(&group.default))
            .minus(&group.default.minus(&word.categories));
        changed = true;
        words = trim_start(words.get(word.text.len()..).unwrap_or_default(), &group.whitespace);
        if words.is_empty() {
            break;
        }
    }
    changed
}

/// The longest word of a group that fits; the first in order of bytes, if many are as long.
fn longest(group: &Group, fits: impl Fn(&Word) -> bool) -> Option<&Word> {
    let fitting = group.words.iter().filter(|it| fits(it));
    fitting.min_by(|one, other| {
        other.text.len().cmp(&one.text.len()).then_with(|| one.text.cmp(&other.text))
    })
}

/// The first stretch of words and white space: from its start to its end. With prefixes it must start where they end, with suffixes end where
/// they start.
fn find_words(text: &[u8], group: &Group) -> Option<(usize, usize)> {
    if group.words.is_empty() {
        return None;
    }
    let mut starts = if group.prefixes.is_empty() { 0..text.len() } else { 0..text.len().min(1) };
    if group.suffixes.is_empty() {
        return starts.find_map(|start| {
            let end = end_of_words(text, start, group);
            (end > start).then_some((start, end))
        });
    }
    let reaching = reaching_end(text, group);
    starts.find(|&it| reaching.get(it) == Some(&true)).map(|start| (start, text.len()))
}

/// Where words and white space from `start` on end, if always the longest word is taken.
fn end_of_words(text: &[u8], start: usize, group: &Group) -> usize {
    let mut at = start;
    loop {
        if let Some(word) = longest(group, |it| stands_at(text, at, &it.text)) {
            at = at.saturating_add(word.text.len());
        } else if text.get(at).is_some_and(|it| group.whitespace.contains(it)) {
            at = at.saturating_add(1);
        } else {
            return at;
        }
    }
}

/// For each offset: do words and white space lead from there to the end?
fn reaching_end(text: &[u8], group: &Group) -> Vec<bool> {
    let mut reaching = vec![true; text.len().saturating_add(1)];
    for at in (0..text.len()).rev() {
        let reaches = |length: usize| reaching.get(at.saturating_add(length)) == Some(&true);
        let space = text.get(at).is_some_and(|it| group.whitespace.contains(it)) && reaches(1);
        let word = |it: &Word| reaches(it.text.len()) && stands_at(text, at, &it.text);
        let found = space || group.words.iter().any(word);
        if let Some(slot) = reaching.get_mut(at) {
            *slot = found;
        }
    }
    reaching
}

/// Does `word` stand at an offset, with no word going on before or behind it?
fn stands_at(text: &[u8], at: usize, word: &[u8]) -> bool {
    let in_word = |at: Option<usize>| {
        let byte = at.and_then(|at| text.get(at));
        byte.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_')
    };
    let is_edge = |at: usize| in_word(at.checked_sub(1)) != in_word(Some(at));
    text.get(at..).is_some_and(|it| starts_with(it, word))
        && is_edge(at)
        && is_edge(at.saturating_add(word.len()))
}

/// The first prefix with blanks behind it: from its start to the end of those.
fn find_prefix(text: &[u8], prefixes: &[crate::Bytes]) -> Option<(usize, usize)> {
    (0..text.len()).find_map(|at| {
        let rest = text.get(at..)?;
        prefixes.iter().find_map(|prefix| {
            let behind = rest.get(prefix.len()..).filter(|_| starts_with(rest, prefix))?;
            let blanks = behind.iter().take_while(|it| is_blank(**it)).count();
            (blanks > 0).then(|| (at, at.saturating_add(prefix.len()).saturating_add(blanks)))
        })
    })
}

/// The first blanks with a suffix behind them: from their start to the end of that.
fn find_suffix(text: &[u8], suffixes: &[crate::Bytes]) -> Option<(usize, usize)> {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|it| !it.is_empty()) {
        let blanks = rest.iter().take_while(|it| is_blank(**it)).count();
        let behind = rest.get(blanks..).filter(|_| blanks > 0);
        let suffix = behind.and_then(|it| suffixes.iter().find(|suffix| starts_with(it, suffix)));
        if let Some(suffix) = suffix {
            return Some((at, at.saturating_add(blanks).saturating_add(suffix.len())));
        }
        at = at.saturating_add(blanks.max(1));
    }
    None
}

/// The case of letters does not count.
fn starts_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim_start<'a>(mut text: &'a [u8], whitespace: &[u8]) -> &'a [u8] {
    while let [first, rest @ ..] = text
        && whitespace.contains(first)
    {
        text = rest;
    }
    text
}

fn trim<'a>(mut text: &'a [u8], whitespace: &[u8]) -> &'a [u8] {
    while let [rest @ .., last] = text
        && whitespace.contains(last)
    {
        text = rest;
    }
    trim_start(text, whitespace)
}

/// How many words a name may be made of.
const WORDS: usize = 50;

impl Setrans {
    /// The name of a raw level: that of the first base of its sensitivity from which words lead to its categories.
    pub(super) fn compute_name(&self, domain: &Domain, raw: &[u8]) -> Option<Vec<u8>> {
        let level = super::read::parse_level(raw)?;
        let known = level.categories.runs().last().is_none_or(|&(_, last)| last < self.limit);
        if !known || !self.allows(&level) {
            return None;
        }
        domain.bases.iter().filter(|it| it.level.sensitivity == level.sensitivity).find_map(
            |base| {
                let words = self.words_between(domain, base, &level)?;
                Some(written(domain, base, &words))
            },
        )
    }

    /// The words that lead from a base to a level, in the order they were found, each with the number of its group.
    fn words_between<'d>(
        &self,
        domain: &'d Domain,
        base: &Base,
        level: &Level,
    ) -> Option<Vec<(usize, &'d Word)>> {
        let all = level.categories.xor(&base.level.categories);
        let mut left = all.clone();
        let mut words = Vec::new();
        while !left.is_empty() {
            if words.len() == WORDS {
                return None;
            }
            let done = all.minus(&left);
            let found = self.next_word(domain, &left, &done, level.sensitivity > 0)?;
            left = left.minus(&found.1.categories.xor(&base.level.categories));
            words.push(found);
        }
        Some(words)
    }

    /// The word that comes closest to the categories that are left, and changes none but these and such as are done. At the lowest sensitivity,
    /// only words that take away count.
    fn next_word<'d>(
        &self,
        domain: &'d Domain,
        left: &Categories,
        done: &Categories,
        may_add: bool,
    ) -> Option<(usize, &'d Word)> {
        let groups = domain.groups.iter().enumerate();
        let words = groups.flat_map(|(at, group)| group.words.iter().map(move |it| (at, it)));
        let fitting = words.filter_map(|(at, word)| {
            if !may_add && !word.added.is_empty() {
                return None;
            }
            let changed = word.added.or(&word.taken).minus(done);
            left.contains(&changed).then(|| (changed.xor(left).count(), (at, word)))
        });
        fitting.min_by_key(|it| it.0).map(|it| it.1)
    }
}

/// The name: the base, a blank, then each group that has words, with its first prefix and suffix. Groups of one name are one.
fn written(domain: &Domain, base: &Base, words: &[(usize, &Word)]) -> Vec<u8> {
    let name_of = |at: usize| domain.groups.get(at).map(|it| &it.name);
    let mut parts = Vec::new();
    for (index, group) in domain.groups.iter().enumerate() {
        let seen = domain.groups.iter().take(index).any(|it| it.name == group.name);
        let own = words.iter().filter(|(at, _)| name_of(*at) == Some(&group.name));
        let own: Vec<&[u8]> = own.map(|(_, word)| &*word.text).collect();
        if seen || own.is_empty() {
            continue;
        }
        let middle = own.join(&*group.join);
        let affixed = [
            group.prefixes.first().map(|it| &**it),
            Some(&middle),
            group.suffixes.first().map(|it| &**it),
        ];
        parts.push(affixed.into_iter().flatten().collect::<Vec<_>>().join(&b' '));
    }
    [&*base.name, b" ", &parts.join(&b' ')].concat()
}
