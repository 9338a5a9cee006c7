//! The scenarios, as compliance/cases/run/*.txt write them.
//!
//! ```text
//! == open for reading             a name
//! + file f secret                 a file of the scenario's folder, and its type
//! domain e                        a domain that nobody starts in
//! allow d secret file read open   a rule; each permission is left out once
//! always d work dir search        a rule that is always there
//! policy type_transition ...      any other statement
//! d open 5 f r                    a call, made by a worker in domain d
//! ```
//!
//! Each scenario runs once with all its rules, and once more without each `allow` and without each permission of it; at full size without
//! each two of these permissions, too. Without any of them it runs in permissive domains, so that all that is asked is told. Types and domains are its own,
//! unless their names end with `_t`; in calls and statements they stand in braces. `$` stands for the scenario's folder, `%` for a number of its own.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};

const TEXTS: [(&str, &str); 6] = [
    ("files", include_str!("../../../cases/run/files.txt")),
    ("names", include_str!("../../../cases/run/names.txt")),
    ("programs", include_str!("../../../cases/run/programs.txt")),
    ("processes", include_str!("../../../cases/run/processes.txt")),
    ("sockets", include_str!("../../../cases/run/sockets.txt")),
    ("ipc", include_str!("../../../cases/run/ipc.txt")),
];

/// Rules, files and calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) nodes: Vec<Node>,
    rules: Vec<Rule>,
    statements: Vec<String>,
    pub(super) calls: Vec<Call>,
    /// Further domains.
    domains: BTreeSet<String>,
}

/// A file that is there before.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Below the scenario's folder.
    pub(super) path: String,
    /// Its type; none for a further name.
    pub(super) label: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
    Fifo,
    Socket,
    Characters,
    Blocks,
    /// A copy of the program that makes the calls.
    Program,
    /// A script whose interpreter is that program, or another.
    Script(Option<String>),
    /// A symbolic link, and where it leads.
    Link(String),
    /// A further name of another file.
    Name(String),
}

#[derive(Clone, Debug)]
struct Rule {
    source: String,
    target: String,
    class: String,
    permissions: Vec<String>,
    always: bool,
}

/// A call of a worker.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) worker: char,
    pub(super) words: Vec<String>,
}

/// A rule of a scenario and one of its permissions.
type Permission = (usize, usize);

/// Permissions that are left out.
type Without = Vec<Permission>;

/// A scenario with all its rules, or without some permissions.
#[derive(Clone, Debug)]
pub(super) struct Variant<'a> {
    pub(super) number: usize,
    pub(super) scenario: &'a Scenario,
    /// What is left out.
    without: Without,
    /// What is denied is told, and done all the same.
    permissive: bool,
}

/// All scenarios.
pub(super) fn all() -> Result<Vec<Scenario>> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (file, text) in TEXTS {
        for line in text.lines().filter(|it| !it.is_empty() && !it.starts_with('#')) {
            if let Some(name) = line.strip_prefix("== ") {
                scenarios.push(Scenario { name: name.to_owned(), ..Scenario::default() });
                continue;
            }
            let scenario = scenarios.last_mut().context("a scenario begins with its name")?;
            scenario.take(line).with_context(|| format!("{file}: {}: {line}", scenario.name))?;
        }
    }
    let names: BTreeSet<&str> = scenarios.iter().map(|it| &*it.name).collect();
    ensure!(names.len() == scenarios.len(), "each scenario has a name of its own");
    Ok(scenarios)
}

/// All variants of scenarios; `full` also without each two permissions.
pub(super) fn variants(scenarios: &[Scenario], full: bool) -> Vec<Variant<'_>> {
    let mut variants = Vec::new();
    for scenario in scenarios {
        for without in scenario.withouts(full) {
            let number = variants.len();
            variants.push(Variant { number, scenario, without, permissive: false });
        }
        let (number, without) = (variants.len(), scenario.permissions().concat());
        variants.push(Variant { number, scenario, without, permissive: true });
    }
    variants
}

impl Scenario {
    fn take(&mut self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["+", kind, rest @ ..] => self.nodes.push(node(kind, rest)?),
            ["domain", name] => {
                self.domains.insert((*name).to_owned());
            }
            ["policy", ..] => self.statements.push(line["policy ".len()..].to_owned()),
            [kind @ ("allow" | "always"), source, target, class, permissions @ ..] => {
                ensure!(!permissions.is_empty(), "no permissions");
                let [source, target, class] = [source, target, class].map(|it| (*it).to_owned());
                let permissions = permissions.iter().map(|it| (*it).to_owned()).collect();
                let always = *kind == "always";
                self.rules.push(Rule { source, target, class, permissions, always });
            }
            [worker, words @ ..] if worker.len() == 1 && !words.is_empty() => {
                let worker = worker.chars().next().context("a worker has a letter")?;
                ensure!(worker.is_ascii_lowercase(), "a worker is called by a small letter");
                let others = words.iter().filter_map(|it| it.strip_prefix('@'));
                self.domains.extend(others.map(str::to_owned));
                self.domains.insert(worker.to_string());
                let words = words.iter().map(|it| (*it).to_owned()).collect();
                self.calls.push(Call { worker, words });
            }
            _ => bail!("this cannot be read"),
        }
        Ok(())
    }

    /// Rules whose permissions are left out, and these.
    fn permissions(&self) -> Vec<Without> {
        let rules = self.rules.iter().enumerate().filter(|it| !it.1.always);
        rules.map(|(n, rule)| (0..rule.permissions.len()).map(|p| (n, p)).collect()).collect()
    }

    /// What is left out, one after the other.
    fn withouts(&self, full: bool) -> Vec<Without> {
        let rules = self.permissions();
        let each: Vec<Permission> = rules.concat();
        let mut all = vec![Vec::new()];
        all.extend(each.iter().map(|it| vec![*it]));
        all.extend(rules.into_iter().filter(|it| it.len() > 1));
        if full {
            for (n, one) in each.iter().enumerate() {
                all.extend(each.iter().skip(n + 1).map(|two| vec![*one, *two]));
            }
        }
        all
    }

    /// The workers, in the order in which they are needed.
    pub(super) fn workers(&self) -> Vec<char> {
        let mut workers = Vec::new();
        let named = self.calls.iter().flat_map(|it| {
            let numbers = it.words.iter().filter_map(|it| it.strip_prefix('@')?.chars().next());
            std::iter::once(it.worker).chain(numbers)
        });
        for worker in named {
            if !workers.contains(&worker) {
                workers.push(worker);
            }
        }
        workers
    }
}

fn node(kind: &str, words: &[&str]) -> Result<Node> {
    let made = |kind, path: &str, label: &str| {
        Ok(Node { kind, path: path.to_owned(), label: label.to_owned() })
    };
    match (kind, words) {
        ("dir", [path, label]) => made(Kind::Directory, path, label),
        ("file", [path, label]) => made(Kind::File, path, label),
        ("fifo", [path, label]) => made(Kind::Fifo, path, label),
        ("sock", [path, label]) => made(Kind::Socket, path, label),
        ("chr", [path, label]) => made(Kind::Characters, path, label),
        ("blk", [path, label]) => made(Kind::Blocks, path, label),
        ("program", [path, label]) => made(Kind::Program, path, label),
        ("script", [path, label]) => made(Kind::Script(None), path, label),
        ("script-of", [interpreter, path, label]) => {
            made(Kind::Script(Some((*interpreter).to_owned())), path, label)
        }
        ("link", [target, path, label]) => made(Kind::Link((*target).to_owned()), path, label),
        ("name", [old, path]) => made(Kind::Name((*old).to_owned()), path, ""),
        _ => bail!("no such file"),
    }
}

impl Variant<'_> {
    /// What it is called where letters are few.
    pub(super) fn short(&self) -> String {
        format!("v{:04}", self.number)
    }

    /// What it is, for people.
    pub(super) fn name(&self) -> String {
        let name = &self.scenario.name;
        if self.permissive {
            return format!("{name}, permissive");
        }
        let each = self.without.iter().filter_map(|(rule, n)| {
            let Rule { source, target, class, permissions, .. } = self.scenario.rules.get(*rule)?;
            Some(format!("{source} {target} {class} {}", permissions.get(*n)?))
        });
        let without = each.collect::<Vec<_>>().join(" and ");
        if without.is_empty() { name.clone() } else { format!("{name}, without {without}") }
    }

    /// A type's name in the policy.
    pub(super) fn named(&self, name: &str) -> String {
        match name.ends_with("_t") || name == "self" {
            true => name.to_owned(),
            false => format!("{}_{name}", self.short()),
        }
    }

    /// Text in which names of types stand in braces.
    pub(super) fn text(&self, text: &str) -> String {
        let mut whole = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{')
            && let Some((name, after)) = after.split_once('}')
        {
            whole.push_str(before);
            // A set of the policy's language has blanks.
            match name.contains(' ') {
                true => whole.push_str(&format!("{{{name}}}")),
                false => whole.push_str(&self.named(name)),
            }
            rest = after;
        }
        whole + rest
    }

    /// Domains, each with whether it is one of a worker.
    pub(super) fn domains(&self) -> impl Iterator<Item = &str> {
        self.scenario.domains.iter().map(String::as_str)
    }

    /// Types that are no domains.
    pub(super) fn types(&self) -> BTreeSet<String> {
        let Scenario { nodes, rules, statements, calls, domains, .. } = self.scenario;
        let mut names: BTreeSet<String> = nodes.iter().map(|it| it.label.clone()).collect();
        names.extend(rules.iter().flat_map(|it| [it.source.clone(), it.target.clone()]));
        let texts = statements.iter().chain(calls.iter().flat_map(|it| &it.words));
        names.extend(texts.flat_map(|it| in_braces(it)));
        names.retain(|it| {
            !it.is_empty() && !it.ends_with("_t") && it != "self" && !domains.contains(it)
        });
        names
    }

    /// The types of the files that are there before.
    pub(super) fn labels(&self) -> BTreeSet<String> {
        let labels = self.scenario.nodes.iter().map(|it| &it.label).filter(|it| !it.is_empty());
        labels.map(|it| self.named(it)).collect()
    }

    /// Its statements.
    pub(super) fn statements(&self) -> Vec<String> {
        let mut all: Vec<String> =
            self.scenario.statements.iter().map(|it| self.text(it)).collect();
        let permissive = self.domains().filter(|_| self.permissive);
        all.extend(permissive.map(|it| format!("permissive {};", self.named(it))));
        for (number, rule) in self.scenario.rules.iter().enumerate() {
            let each = rule.permissions.iter().enumerate();
            let each = each.filter(|it| !self.without.contains(&(number, it.0)));
            let permissions: Vec<&str> = each.map(|it| it.1.as_str()).collect();
            if !permissions.is_empty() {
                let (source, target) = (self.named(&rule.source), self.named(&rule.target));
                let (class, permissions) = (&rule.class, permissions.join(" "));
                all.push(format!("allow {source} {target}:{class} {{ {permissions} }};"));
            }
        }
        all
    }
}

fn in_braces(text: &str) -> Vec<String> {
    let parts = text.split('{').skip(1).filter_map(|it| Some(it.split_once('}')?.0));
    parts.filter(|it| !it.contains(' ')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_scenarios_can_be_read() {
        let scenarios = all().unwrap();
        assert!(scenarios.len() >= 150);
        assert!(scenarios.iter().all(|it| !it.calls.is_empty()));
        assert!(variants(&scenarios, false).len() > 2 * scenarios.len());
    }

    #[test]
    fn each_permission_is_left_out_once() {
        let mut scenario = Scenario::default();
        for line in ["allow d f file read open", "always d w dir search", "d open 5 f r"] {
            scenario.take(line).unwrap();
        }
        let scenarios = [scenario];
        let rules: Vec<String> =
            variants(&scenarios, false).iter().map(|it| it.statements()[0].clone()).collect();
        let read_only = "allow v0002_d v0002_f:file { read };";
        assert_eq!(rules[0], "allow v0000_d v0000_f:file { read open };");
        assert_eq!(rules[1], "allow v0001_d v0001_f:file { open };");
        assert_eq!(rules[2], read_only);
        assert_eq!(rules[3], "allow v0003_d v0003_w:dir { search };");
        assert_eq!(rules[4], "permissive v0004_d;");
        assert_eq!(rules.len(), 5);
    }

    #[test]
    fn names_in_braces_are_the_variants_own() {
        let scenario = Scenario::default();
        let variant =
            Variant { number: 7, scenario: &scenario, without: Vec::new(), permissive: false };
        assert_eq!(variant.text("a {x} {fs_t} { y z }"), "a v0007_x fs_t { y z }");
    }
}
