//! Words as `getopt_long` of the GNU C library reads them: options anywhere, clusters, abbreviations of long names. Where no option has a
//! long name they are read as by `getopt`, to which a second dash is a letter like any other.

/// An option: its letter, its long name (empty for none), and whether it has an argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub(super) letter: char,
    pub(super) name: &'static str,
    pub(super) argument: bool,
}

/// An option of a table.
pub(super) const fn spec(letter: char, name: &'static str, argument: bool) -> Spec {
    Spec { letter, name, argument }
}

/// A word that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// An option, and its argument if it has one.
    Option(char, String),
    /// No option.
    Operand(String),
    /// The message of the C library, without the program's name.
    Wrong(String),
}

/// Reads `words`; operands come last.
pub(super) fn read(specs: &[Spec], words: &[String]) -> Vec<Word> {
    let has_long = specs.iter().any(|it| !it.name.is_empty());
    let mut read = Reader { specs, rest: words.iter(), options: Vec::new() };
    let mut operands = Vec::new();
    while let Some(word) = read.rest.next() {
        match word.strip_prefix("--") {
            Some("") => break,
            Some(long) if has_long => read.long(long),
            _ if word.len() > 1 && word.starts_with('-') => read.cluster(&word[1..]),
            _ => operands.push(word.clone()),
        }
    }
    operands.extend(read.rest.cloned());
    read.options.extend(operands.into_iter().map(Word::Operand));
    read.options
}

struct Reader<'a> {
    specs: &'a [Spec],
    rest: std::slice::Iter<'a, String>,
    options: Vec<Word>,
}

impl Reader<'_> {
    fn cluster(&mut self, cluster: &str) {
        let mut letters = cluster.chars();
        while let Some(letter) = letters.next() {
            let Some(spec) = self.specs.iter().find(|it| it.letter == letter) else {
                self.options.push(Word::Wrong(format!("invalid option -- '{letter}'")));
                continue;
            };
            if !spec.argument {
                self.options.push(Word::Option(letter, String::new()));
                continue;
            }
            let attached = letters.as_str();
            let argument =
                if attached.is_empty() { self.rest.next().cloned() } else { Some(attached.into()) };
            self.options.push(match argument {
                Some(argument) => Word::Option(letter, argument),
                None => Word::Wrong(format!("option requires an argument -- '{letter}'")),
            });
            return;
        }
    }

    fn long(&mut self, word: &str) {
        let (name, attached) = match word.split_once('=') {
            Some((name, argument)) => (name, Some(argument.to_owned())),
            None => (word, None),
        };
        let word = match self.find(name) {
            Err(message) => Word::Wrong(message),
            Ok(spec) if spec.argument => match attached.or_else(|| self.rest.next().cloned()) {
                Some(argument) => Word::Option(spec.letter, argument),
                None => Word::Wrong(format!("option '--{}' requires an argument", spec.name)),
            },
            Ok(spec) if attached.is_some() => {
                Word::Wrong(format!("option '--{}' doesn't allow an argument", spec.name))
            }
            Ok(spec) => Word::Option(spec.letter, String::new()),
        };
        self.options.push(word);
    }

    fn find(&self, name: &str) -> Result<Spec, String> {
        let named = || self.specs.iter().filter(|it| !it.name.is_empty());
        if let Some(exact) = named().find(|it| it.name == name) {
            return Ok(*exact);
        }
        let near: Vec<&Spec> = named().filter(|it| it.name.starts_with(name)).collect();
        match near.as_slice() {
            [] => Err(format!("unrecognized option '--{name}'")),
            [only] => Ok(**only),
            several => {
                let names: Vec<_> = several.iter().map(|it| format!("'--{}'", it.name)).collect();
                let names = names.join(" ");
                Err(format!("option '--{name}' is ambiguous; possibilities: {names}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: [Spec; 3] = [
        Spec { letter: 'M', name: "mls", argument: false },
        Spec { letter: 'o', name: "output", argument: true },
        Spec { letter: 'O', name: "optimize", argument: false },
    ];

    fn check(words: &str, expected: &str) {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let told = read(&SPECS, &words).into_iter().map(|it| match it {
            Word::Option(letter, argument) => format!("-{letter}{argument}"),
            Word::Operand(word) => word,
            Word::Wrong(message) => format!("[{message}]"),
        });
        assert_eq!(told.collect::<Vec<_>>().join(" "), expected, "{words:?}");
    }

    #[test]
    fn without_long_names_a_dash_is_a_letter() {
        let specs = [spec('v', "", false), spec('e', "", true)];
        let words = ["--ve".to_owned(), "x".to_owned(), "--".to_owned(), "-v".to_owned()];
        let expected = [
            Word::Wrong("invalid option -- '-'".to_owned()),
            Word::Option('v', String::new()),
            Word::Option('e', "x".to_owned()),
            Word::Operand("-v".to_owned()),
        ];
        assert_eq!(read(&specs, &words), expected);
    }

    #[test]
    fn words_are_read_as_by_the_c_library() {
        check("in -MOo out", "-M -O -oout in");
        check("-oout --mls -- -M", "-oout -M -M");
        check("--out x --opt --output=y", "-ox -O -oy");
        check("--o", "[option '--o' is ambiguous; possibilities: '--output' '--optimize']");
        check("--mls=1", "[option '--mls' doesn't allow an argument]");
        check("-Z -o", "[invalid option -- 'Z'] [option requires an argument -- 'o']");
        check("--output", "[option '--output' requires an argument]");
        check("-", "-");
    }
}
