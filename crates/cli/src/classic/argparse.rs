//! Words as Python's `argparse` reads them: long options may be shortened, `-ds` is an option and no cluster, and the argument of
//! some options may be missing. What the commands that read so have in common.

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Result;

/// The words cannot be read.
const USAGE: u8 = 2;
/// The question cannot be asked.
pub(super) const FAILED: u8 = 1;

/// The options of every command.
const COMMON: [Spec; 4] =
    [flag("-h", "--help"), flag("", "--version"), flag("-v", "--verbose"), flag("", "--debug")];

/// A command that reads its words so.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    /// What `-h` shows; the first paragraph is the usage that errors show.
    pub(super) help: &'static str,
    /// Its options besides those of every command.
    pub(super) options: Vec<Spec>,
    /// How many operands it takes.
    pub(super) operands: usize,
}

impl Program {
    /// The words behind the command's name; or the exit code, where nothing more is to be done.
    pub(super) fn read(
        &self,
        words: &[String],
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<ControlFlow<u8, Words>> {
        let specs = [&COMMON, self.options.as_slice()].concat();
        let words = match read(&specs, words.get(1..).unwrap_or_default(), self.operands) {
            Ok(words) => words,
            Err(why) => return Ok(ControlFlow::Break(self.usage(&why, err)?)),
        };
        if words.has("--help") {
            write!(out, "{}", self.help)?;
        } else if words.has("--version") {
            writeln!(out, "{}", env!("CARGO_PKG_VERSION"))?;
        } else {
            return Ok(ControlFlow::Continue(words));
        }
        Ok(ControlFlow::Break(0))
    }

    /// What wrong words get.
    pub(super) fn usage(&self, why: &str, err: &mut dyn Write) -> Result<u8> {
        let usage = self.help.split("\n\n").next().unwrap_or_default();
        writeln!(err, "{usage}\n{}: error: {why}", self.name)?;
        Ok(USAGE)
    }
}

/// Does an option have an argument?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// None.
    Nothing,
    /// One.
    One,
    /// One, a number.
    Number,
    /// One, unless an option or the end follows.
    Perhaps,
}

/// An option: its names, and how it is told apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    /// With its dash: `-s` or `-ds`; empty for none.
    pub(super) short: &'static str,
    /// With its dashes: `--source`; empty for none.
    pub(super) long: &'static str,
    /// Its argument.
    pub(super) takes: Takes,
}

/// An option without an argument.
pub(super) const fn flag(short: &'static str, long: &'static str) -> Spec {
    Spec { short, long, takes: Takes::Nothing }
}

/// An option with an argument.
pub(super) const fn with(short: &'static str, long: &'static str, takes: Takes) -> Spec {
    Spec { short, long, takes }
}

impl Spec {
    /// The name that it goes by: the long one, if it has one.
    fn key(&self) -> &'static str {
        if self.long.is_empty() { self.short } else { self.long }
    }

    /// Its names as errors tell them.
    fn shown(&self) -> String {
        let names = [self.short, self.long].into_iter().filter(|it| !it.is_empty());
        names.collect::<Vec<_>>().join("/")
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.short, self.long].into_iter().filter(|it| !it.is_empty())
    }
}

/// What the words say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// Options by their key, in order, with their arguments.
    pub(super) options: Vec<(&'static str, Option<String>)>,
    /// What is no option and no argument.
    pub(super) operands: Vec<String>,
}

impl Words {
    /// Was this option given?
    pub(super) fn has(&self, key: &str) -> bool {
        self.options.iter().any(|it| it.0 == key)
    }

    /// The argument of an option: the last one counts, and one that is empty does not.
    pub(super) fn argument(&self, key: &str) -> Option<&str> {
        let given = self.options.iter().rev().find(|it| it.0 == key)?;
        given.1.as_deref().filter(|it| !it.is_empty())
    }

    /// The argument of an option that takes a number.
    pub(super) fn number(&self, key: &str) -> Option<isize> {
        self.argument(key).and_then(number)
    }
}

fn number(text: &str) -> Option<isize> {
    text.trim().parse().ok()
}

/// Reads words without the command's own name, with at most so many operands; or what `argparse` says of them, after the
/// command's name.
fn read(specs: &[Spec], words: &[String], most: usize) -> Result<Words, String> {
    let mut reader = Reader { specs, rest: words.iter().peekable(), words: Words::default() };
    let mut unknown = Vec::new();
    while let Some(word) = reader.rest.next() {
        if word == "--" {
            reader.words.operands.extend(reader.rest.by_ref().cloned());
        } else if !looks_like_option(word) {
            reader.words.operands.push(word.clone());
        } else if let Some((spec, attached)) = reader.find(word)? {
            reader.option(spec, attached)?;
        } else {
            unknown.push(word.clone());
        }
    }
    let mut words = reader.words;
    unknown.extend(words.operands.drain(most.min(words.operands.len())..));
    match unknown.as_slice() {
        [] => Ok(words),
        unknown => Err(format!("unrecognized arguments: {}", unknown.join(" "))),
    }
}

/// Does the word stand where an option would? A number below zero does not, nor does what has a blank.
fn looks_like_option(word: &str) -> bool {
    let number = |it: &str| it.parse::<f64>().is_ok();
    word.len() > 1 && word.starts_with('-') && !number(word) && !word.contains(' ')
}

struct Reader<'a> {
    specs: &'a [Spec],
    rest: std::iter::Peekable<std::slice::Iter<'a, String>>,
    words: Words,
}

impl<'a> Reader<'a> {
    /// The option that a word means, and the argument within the word.
    fn find(&self, word: &str) -> Result<Option<(&'a Spec, Option<String>)>, String> {
        let exact = |name: &str| self.specs.iter().find(|it| it.names().any(|it| it == name));
        if let Some(spec) = exact(word) {
            return Ok(Some((spec, None)));
        }
        if let Some((name, argument)) = word.split_once('=')
            && let Some(spec) = exact(name)
        {
            return Ok(Some((spec, Some(argument.to_owned()))));
        }
        let near =
            if word.starts_with("--") { self.near_long(word) } else { self.near_short(word) };
        match near.as_slice() {
            [] => Ok(None),
            [(_, spec, attached)] => Ok(Some((spec, attached.clone()))),
            several => {
                let names: Vec<_> = several.iter().map(|it| it.0).collect();
                let word = word.split('=').next().unwrap_or(word);
                Err(format!("ambiguous option: {word} could match {}", names.join(", ")))
            }
        }
    }

    fn near_long(&self, word: &str) -> Vec<(&'static str, &'a Spec, Option<String>)> {
        let (start, attached) = match word.split_once('=') {
            Some((start, argument)) => (start, Some(argument.to_owned())),
            None => (word, None),
        };
        let longer = self.specs.iter().filter(|it| it.long.starts_with(start));
        longer.map(|it| (it.long, it, attached.clone())).collect()
    }

    /// `-d` is short for what begins so; `-sNAME` is `-s NAME`.
    fn near_short(&self, word: &str) -> Vec<(&'static str, &'a Spec, Option<String>)> {
        let letter = word.chars().nth(1).map_or(1, |it| 1 + it.len_utf8());
        let (head, tail) = word.split_at(letter);
        let named = self.specs.iter().flat_map(|it| it.names().map(move |name| (name, it)));
        named
            .filter_map(|(name, spec)| {
                if name == head {
                    return Some((name, spec, Some(tail.to_owned())));
                }
                name.starts_with(word).then_some((name, spec, None))
            })
            .collect()
    }

    fn option(&mut self, spec: &'a Spec, attached: Option<String>) -> Result<(), String> {
        let argument = match (spec.takes, attached) {
            (Takes::Nothing, None) => None,
            (Takes::Nothing, Some(rest)) => {
                self.words.options.push((spec.key(), None));
                return self.cluster(spec, &rest);
            }
            (_, Some(argument)) => Some(argument),
            (_, None) => self.rest.next_if(|it| is_argument(it)).cloned(),
        };
        let wrong = |why: &str| Err(format!("argument {}: {why}", spec.shown()));
        match (spec.takes, &argument) {
            (Takes::One | Takes::Number, None) => return wrong("expected one argument"),
            (Takes::Number, Some(text)) if number(text).is_none() => {
                return wrong(&format!("invalid int value: '{text}'"));
            }
            _ => self.words.options.push((spec.key(), argument)),
        }
        Ok(())
    }

    /// What follows a letter without an argument: the next letter.
    fn cluster(&mut self, spec: &Spec, rest: &str) -> Result<(), String> {
        let refused = || format!("argument {}: ignored explicit argument '{rest}'", spec.shown());
        let letter = rest.chars().next().map_or(0, char::len_utf8);
        let (head, tail) = rest.split_at(letter);
        let name = format!("-{head}");
        let next = self.specs.iter().find(|it| it.short == name);
        let next = next.filter(|_| !spec.short.is_empty()).ok_or_else(refused)?;
        let tail = tail.strip_prefix('=').unwrap_or(tail);
        self.option(next, (!tail.is_empty()).then(|| tail.to_owned()))
    }
}

fn is_argument(word: &str) -> bool {
    word != "--" && !looks_like_option(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: [Spec; 8] = [
        flag("-A", ""),
        flag("", "--allow"),
        flag("", "--allowxperm"),
        with("-s", "--source", Takes::One),
        flag("-ds", ""),
        flag("-dt", ""),
        with("-t", "--type", Takes::Perhaps),
        with("-l", "--limit", Takes::Number),
    ];

    fn check(words: &str, expected: &str) {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let told = match read(&SPECS, &words, 1) {
            Err(message) => message,
            Ok(read) => {
                let options = read.options.iter().map(|(key, argument)| match argument {
                    Some(argument) => format!("{key}={argument}"),
                    None => (*key).to_owned(),
                });
                options.chain(read.operands.iter().cloned()).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(told, expected, "{words:?}");
    }

    #[test]
    fn words_are_read_as_by_argparse() {
        check("-A -s a_t policy", "-A --source=a_t policy");
        check("-Asa_t -ds policy", "-A --source=a_t -ds policy");
        check("--so a_t --source=b_t", "--source=a_t --source=b_t");
        check("policy -t", "--type policy");
        check("-t -A policy", "--type -A policy");
        check("-t -5 -- -x", "--type=-5 -x");
        check("-l -5 -l3", "--limit=-5 --limit=3");
        check("--allow -s", "argument -s/--source: expected one argument");
        check("--limit many", "argument -l/--limit: invalid int value: 'many'");
    }

    #[test]
    fn what_is_not_known_is_refused() {
        check("-d", "ambiguous option: -d could match -ds, -dt");
        check("--allo", "ambiguous option: --allo could match --allow, --allowxperm");
        check("-q a b", "unrecognized arguments: -q b");
        check("--allow=x", "argument --allow: ignored explicit argument 'x'");
        check("-Aq", "argument -A: ignored explicit argument 'q'");
    }
}
