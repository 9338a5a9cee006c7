//! `mandate run --learn`: real programs are learned from, run the same under what was learned, and need nearly every rule of it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::lab::{USER, as_user, is_root, tree};
use crate::bench::Figure;
use crate::place::{Place, run as done};
use crate::report::{Comparison, Report};

/// A program to learn from.
#[derive(Debug)]
struct Case {
    name: &'static str,
    /// What has to be on this machine.
    needs: &'static [&'static str],
    /// What is in the work folder.
    files: &'static [(&'static str, &'static str)],
    /// What is done there before, by nobody who is watched.
    before: &'static str,
    program: &'static [&'static str],
    /// Files whose contents are the same each time.
    same: &'static [&'static str],
}

/// The place of a free port in words.
const PORT: &str = "PORT";

const CASES: &[Case] = &[
    Case {
        name: "a web server and its client",
        needs: &["python3", "bash"],
        files: &[
            (
                "web",
                "#!/bin/bash
python3 -m http.server --bind 127.0.0.1 \"$1\" >/dev/null 2>&1 &
for ((n = 0; n < 120; n++)); do
    if { exec 3<>\"/dev/tcp/127.0.0.1/$1\"; } 2>/dev/null; then break; fi
    sleep 0.05
done
printf 'GET /page HTTP/1.0\\r\\n\\r\\n' >&3
tail -n 1 <&3
kill %1
",
            ),
            ("page", "a page\n"),
        ],
        before: "chmod +x web",
        program: &["./web", PORT],
        same: &["page"],
    },
    Case {
        name: "git clone",
        needs: &["git"],
        files: &[("from/file", "content\n")],
        before: "cd from && git init -q . && git add file && git -c user.name=a -c user.email=a@b commit -q -m first",
        program: &["git", "clone", "-q", "from", "copy"],
        same: &["copy/file"],
    },
    Case {
        name: "gcc",
        needs: &["gcc"],
        files: &[(
            "hello.c",
            "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n",
        )],
        before: "true",
        program: &["gcc", "-O2", "-o", "hello", "hello.c"],
        same: &["hello"],
    },
    Case {
        name: "a Python script",
        needs: &["python3"],
        files: &[
            (
                "report.py",
                "import json, os, subprocess, tempfile
names = sorted(os.listdir('.'))
with open('input.json') as file:
    numbers = json.load(file)
with tempfile.TemporaryDirectory() as folder:
    with open(folder + '/part', 'w') as part:
        part.write(str(sum(numbers)))
    total = subprocess.run(['cat', folder + '/part'], stdout=subprocess.PIPE, check=True).stdout
os.makedirs('out')
with open('out/total', 'wb') as file:
    file.write(total)
os.rename('out/total', 'out/report')
print(names, total.decode())
",
            ),
            ("input.json", "[1, 2, 3]\n"),
        ],
        before: "true",
        program: &["python3", "report.py"],
        same: &["out/report"],
    },
];

/// Rules of a case that are taken away one by one, in continuous integration.
const SAMPLE: usize = 6;

pub(super) fn run(
    place: &Place,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.heading("Modules learned from programs")?;
    let learner = Learner::new(place)?;
    let mut all = Counts::default();
    for case in CASES {
        match learner.compare(case, full, seed) {
            Ok((comparison, counts)) => {
                report.add(&comparison.done())?;
                all.add(counts);
            }
            Err(why) => report.case(case.name, Err(format!("{why:#}")))?,
        }
    }
    let Counts { needed, taken, needless } = all;
    ensure!(taken > 0, "no rule was taken away");
    for rule in needless {
        report.note(&format!("nothing is denied without {rule}"))?;
    }
    let share = format!("{:.1} %", 100.0 * needed as f64 / taken as f64);
    let mut comparison = Comparison::new("rules that are needed");
    let enough = needed * 100 >= taken * 95;
    comparison.equal(|| format!("{needed} of {taken}, {share}: 95 % or more"), &enough, &true);
    report.add(&comparison.done())?;
    report.note(&format!("without it something is denied: {needed} of {taken} learned rules"))?;
    Ok(vec![Figure {
        what: format!("`mandate run --learn`: rules that are needed, of {taken}"),
        reach: "95 %".to_owned(),
        ours: share,
        theirs: String::new(),
        ratio: String::new(),
    }])
}

/// Rules that were taken away, and those of them without which something was denied.
#[derive(Debug, Default)]
struct Counts {
    needed: usize,
    taken: usize,
    /// The others.
    needless: Vec<String>,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.needed += other.needed;
        self.taken += other.taken;
        self.needless.extend(other.needless);
    }
}

/// A folder of the user who runs programs, and the program that watches.
struct Learner {
    folder: PathBuf,
    mandate: PathBuf,
}

impl Drop for Learner {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.folder);
    }
}

/// What a run left.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    code: String,
    output: String,
    /// Kinds of files, and the contents of some.
    files: BTreeMap<PathBuf, String>,
}

impl Outcome {
    fn shown(&self) -> String {
        format!("{self:#?}")
    }
}

impl Learner {
    fn new(place: &Place) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("mandate-learn-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
        let this = Self { folder, mandate: place.mandate()? };
        this.give(&this.folder)?;
        Ok(this)
    }

    fn give(&self, path: &Path) -> Result<()> {
        if is_root() {
            done(Command::new("chown").args(["-R", USER]).arg(path))?;
        }
        Ok(())
    }

    fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// The work folder as a case wants it.
    fn fill(&self, case: &Case) -> Result<()> {
        let work = self.work();
        if work.exists() {
            fs::remove_dir_all(&work).context("emptying the work folder")?;
        }
        for (name, text) in case.files {
            let path = work.join(name);
            fs::create_dir_all(path.parent().context("a file in the work folder")?)?;
            fs::write(path, text)?;
        }
        self.give(&work)?;
        done(&mut self.command(None, &["sh".into(), "-c".into(), case.before.into()])).map(drop)
    }

    /// A program of the user, watched with these options or not at all.
    fn command(&self, options: Option<&[&str]>, words: &[String]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "120"]);
        let options = options.map(|it| it.iter().map(OsStr::new).collect::<Vec<_>>());
        as_user(&mut command, &self.mandate, options.as_deref());
        command.args(words).current_dir(self.work()).env("XDG_CACHE_HOME", "/nonexistent");
        command
    }

    /// What a case does, and the lines that the monitor tells.
    fn outcome(&self, case: &Case, options: Option<&[&str]>) -> Result<(Outcome, Vec<String>)> {
        self.fill(case)?;
        let port = free_port()?.to_string();
        let word = |it: &&str| if *it == PORT { port.clone() } else { (*it).to_owned() };
        let words: Vec<String> = case.program.iter().map(word).collect();
        let output = self.command(options, &words).output()?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let told = errors.lines().filter(|it| it.starts_with("mandate: ")).map(str::to_owned);
        let files = tree(&self.work())?.into_iter().map(|(path, entry)| {
            let same = case.same.iter().any(|it| path.as_path() == Path::new(it));
            let content = if same { entry.content } else { String::new() };
            // Which objects git packs depends on the time of the commit.
            (path, format!("{} {content}", entry.kind))
        });
        let files = files.filter(|(path, _)| !path.to_string_lossy().contains(".git/objects/"));
        let outcome = Outcome {
            code: output.status.to_string(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            files: files.collect(),
        };
        Ok((outcome, told.collect()))
    }

    /// Learned, built, enforced; and how many rules are needed of how many that were taken away.
    fn compare(&self, case: &Case, full: bool, seed: u64) -> Result<(Comparison, Counts)> {
        for program in case.needs {
            let there = ["/usr/bin", "/bin"].iter().any(|it| Path::new(it).join(program).is_file());
            ensure!(there, "{program} is not on this machine");
        }
        let mut comparison = Comparison::new(case.name);
        let (plain, _) = self.outcome(case, None)?;
        let module = self.folder.join("learned.te");
        let path = module.to_str().context("a path in UTF-8")?;
        let mut same = |way: &str, (outcome, told): (Outcome, Vec<String>)| {
            comparison.equal(|| format!("{}: {way}", case.name), &outcome.shown(), &plain.shown());
            let denied: Vec<_> = told.iter().filter(|it| is_denial(it)).collect();
            comparison.equal(|| format!("{}: {way}: told", case.name), &denied.len(), &0);
        };
        same("permissive", self.outcome(case, Some(&["--permissive", "--learn", path]))?);
        same("enforced", self.outcome(case, Some(&["--policy", path]))?);
        let (policy, labels) = self.built(&module)?;
        let built = ["--policy", &policy, "--labels", &labels];
        same("built and enforced", self.outcome(case, Some(&built))?);
        let counts = self.needed(case, &module, full, seed)?;
        Ok((comparison, counts))
    }

    /// The binary policy and the file contexts that a module is built into.
    fn built(&self, module: &Path) -> Result<(String, String)> {
        let folder = self.folder.join("built/");
        done(
            Command::new(&self.mandate)
                .args(["build", "--no-cache", "-o"])
                .arg(&folder)
                .arg(module),
        )?;
        done(Command::new("chmod").args(["-R", "a+rX"]).arg(&folder))?;
        let names = fs::read_dir(&folder)?.map(|it| Ok(it?.path())).collect::<Result<Vec<_>>>()?;
        let is_policy = |it: &&PathBuf| {
            let name = it.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.strip_prefix("policy.").is_some_and(|it| it.parse::<u32>().is_ok())
        };
        let policy = names.iter().find(is_policy).context("a policy in what was built")?;
        let labels = folder.join("file_contexts");
        Ok((policy.display().to_string(), labels.display().to_string()))
    }

    /// Takes rules away, one at a time, and counts those without which something is denied.
    fn needed(&self, case: &Case, module: &Path, full: bool, seed: u64) -> Result<Counts> {
        let text = fs::read_to_string(module)?;
        let contexts = fs::read_to_string(module.with_extension("fc"))?;
        let lines: Vec<&str> = text.lines().collect();
        let rules = rules_of(&lines);
        ensure!(!rules.is_empty(), "{} has no rules", module.display());
        let step = if full { 1 } else { rules.len().div_ceil(SAMPLE) };
        let first = usize::try_from(seed)? % step;
        let mut counts = Counts::default();
        let without = self.folder.join("without.te");
        let path = without.to_str().context("a path in UTF-8")?;
        for &at in rules.iter().skip(first).step_by(step) {
            let less = lines.iter().enumerate().filter(|it| it.0 != at).map(|it| *it.1);
            let less = less.collect::<Vec<_>>().join("\n") + "\n";
            fs::write(&without, less.replace("policy_module(learned)", "policy_module(without)"))?;
            fs::write(without.with_extension("fc"), &contexts)?;
            let (_, told) = self.outcome(case, Some(&["--policy", path]))?;
            counts.taken += 1;
            if told.iter().any(|it| is_denial(it)) {
                counts.needed += 1;
            } else if told.iter().any(|it| it.contains("error")) {
                bail!("without {}: {told:?}", lines[at]);
            } else {
                counts.needless.push(format!("{}: {}", case.name, lines[at]));
            }
        }
        Ok(counts)
    }
}

fn is_denial(line: &str) -> bool {
    line.starts_with("mandate: denied: ")
}

/// The lines of rules, interface calls and transitions; not the declarations, which come before the first of them.
fn rules_of(lines: &[&str]) -> Vec<usize> {
    let is_rule = |it: &&str| it.starts_with("allow ") || it.starts_with("type_transition ");
    let blank = lines.iter().rposition(|it| it.starts_with("type ") && it.ends_with(';'));
    // Behind the last declared type stands the call that says what it is a type of.
    let after = blank.map_or(0, |it| it + 2);
    let is_call = |it: &&str| it.ends_with("_t)") && !it.starts_with("domtrans_pattern");
    let all = lines.iter().enumerate();
    let counted = all.filter(|(at, it)| is_rule(it) || (*at >= after && is_call(it)));
    counted.map(|it| it.0).collect()
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
