//! Words as Python's `argparse` reads them: long options may be shortened, `-ds` is an option and no cluster, and the argument of
//! some options may be missing.

/// Does an option have an argument?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// None.
    Nothing,
    /// One.
    One,
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
}

/// Reads words without the command's own name; at most one operand is allowed.
///
/// # Errors
/// What `argparse` says of it, after the command's name.
pub(super) fn read(specs: &[Spec], words: &[String]) -> Result<Words, String> {
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
    unknown.extend(words.operands.drain(1.min(words.operands.len())..));
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
        let mut push = |argument| self.words.options.push((spec.key(), argument));
        match (spec.takes, attached) {
            (Takes::Nothing, None) => push(None),
            (Takes::Nothing, Some(rest)) => {
                push(None);
                return self.cluster(spec, &rest);
            }
            (_, Some(argument)) => push(Some(argument)),
            (Takes::One, None) => match self.rest.next_if(|it| is_argument(it)) {
                Some(argument) => push(Some(argument.clone())),
                None => return Err(format!("argument {}: expected one argument", spec.shown())),
            },
            (Takes::Perhaps, None) => push(self.rest.next_if(|it| is_argument(it)).cloned()),
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

    const fn spec(short: &'static str, long: &'static str, takes: Takes) -> Spec {
        Spec { short, long, takes }
    }

    const SPECS: [Spec; 7] = [
        spec("-A", "", Takes::Nothing),
        spec("", "--allow", Takes::Nothing),
        spec("", "--allowxperm", Takes::Nothing),
        spec("-s", "--source", Takes::One),
        spec("-ds", "", Takes::Nothing),
        spec("-dt", "", Takes::Nothing),
        spec("-t", "--type", Takes::Perhaps),
    ];

    fn check(words: &str, expected: &str) {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let told = match read(&SPECS, &words) {
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
        check("--allow -s", "argument -s/--source: expected one argument");
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
