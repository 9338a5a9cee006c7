//! What watching costs: time of processor (user and system) of the monitor and of all that it watches together, and time, beside the same
//! unwatched, in turns; medians. Loops about one call count without what starting the monitor takes, which is a figure of its own.

mod growth;

use std::ffi::OsString;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::lab::{HOME, Lab, Way};
use crate::bench::{Figure, median, note};
use crate::place::Place;
use crate::report::Report;

pub(super) fn run(place: &Place, full: bool, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("What watching costs")?;
    let bench = Bench { lab: Lab::new(place, "cost")?, full };
    let mut figures = vec![bench.start(report)?];
    for load in LOADS {
        figures.push(bench.ratio(load, report)?);
    }
    figures.extend(growth::figures(&bench, report)?);
    Ok(if full { figures } else { Vec::new() })
}

/// Pairs of runs: in continuous integration, and at full size.
const PAIRS: (usize, usize) = (1, 7);

/// Something whose cost is measured.
struct Load {
    name: &'static str,
    what: What,
    exact: bool,
    /// What the processor may be busy for, beside the same unwatched.
    most: f64,
}

#[derive(Clone, Copy)]
enum What {
    /// This program does something so many times, and in continuous integration so many.
    Loop(&'static str, usize, usize),
    /// This program counts so far; starting the monitor is part of it.
    Count(usize, usize),
    Find,
    Tar,
    Compile,
}
use What::{Compile, Find, Tar};

const OPEN: What = What::Loop("open", 100_000, 2_000);
// Some folders of a system are nobody's business, and find says so.
const FIND: &str = "find /usr/share/doc -type f > /dev/null 2>&1; true";
const FIND_ALL: &str = "find /usr/share /usr/lib -type f > /dev/null 2>&1; true";
const TAR: &str = "tar cf archive -C / -T names 2> /dev/null; true";
const MAKE: &str = "make -s -C source clean all";

const fn load(name: &'static str, what: What, exact: bool, most: f64) -> Load {
    Load { name, what, exact, most }
}

const LOADS: &[Load] = &[
    load("open and close, 100,000 times", OPEN, false, 8.0),
    load("find /usr/share /usr/lib -type f", Find, false, 2.5),
    load("tar of 8,000 files of /usr", Tar, false, 2.5),
    load("make, 21 files of C, gcc -O2", Compile, false, 1.5),
    load("/bin/true, 1,000 times", What::Loop("spawn", 1_000, 50), false, 2.5),
    load("counting, 3 seconds and more", What::Count(6_000_000_000, 1_000_000), false, 1.05),
    load("find /usr/share /usr/lib -type f, --exact", Find, true, 5.0),
    load("tar of 8,000 files of /usr, --exact", Tar, true, 6.0),
    load("make, 21 files of C, gcc -O2, --exact", Compile, true, 1.6),
];

/// What a run took: seconds of processor, and seconds.
#[derive(Clone, Copy, Debug)]
struct Cost {
    processor: f64,
    seconds: f64,
}

struct Bench {
    lab: Lab,
    full: bool,
}

/// Files of the system that are archived, as far as the user may read them, in continuous integration and at full size.
const FILES: (usize, usize) = (200, 8_000);

impl Bench {
    fn pairs(&self) -> usize {
        if self.full { PAIRS.1 } else { PAIRS.0 }
    }

    /// The monitor starts, and the program ends at once.
    fn start(&self, report: &mut Report<'_>) -> Result<Figure> {
        self.lab.fill(&[])?;
        let words = ["/bin/true"].map(OsString::from);
        let costs = (0..self.pairs()).map(|_| self.cost(Some(&[]), &words));
        let cost = middle(&costs.collect::<Result<Vec<_>>>()?);
        let figure = Figure {
            what: "the monitor starts, with the base policy".into(),
            reach: String::new(),
            ours: format!(
                "{:.0} ms of processor, {:.0} ms",
                cost.processor * 1e3,
                cost.seconds * 1e3
            ),
            theirs: String::new(),
            ratio: String::new(),
        };
        note(&figure, report)?;
        Ok(figure)
    }

    fn ratio(&self, load: &Load, report: &mut Report<'_>) -> Result<Figure> {
        self.prepare(load.what)?;
        let options: &[&str] = if load.exact { &["--quiet", "--exact"] } else { &["--quiet"] };
        let [all, nothing] = [false, true].map(|nothing| self.words(load.what, nothing));
        let (mut plain, mut watched, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.pairs() {
            let theirs = self.beyond(None, &all, nothing.as_deref())?;
            let ours = self.beyond(Some(options), &all, nothing.as_deref())?;
            ratios.push(ours.over(theirs));
            plain.push(theirs);
            watched.push(ours);
        }
        let ratio = middle(&ratios);
        let told = |it: Cost| format!("{:.2} s of processor, {:.2} s", it.processor, it.seconds);
        let figure = Figure {
            what: format!("{}, watched and unwatched", load.name),
            reach: format!("≤ {} × processor", load.most),
            ours: told(middle(&watched)),
            theirs: told(middle(&plain)),
            ratio: format!("{:.2} × processor, {:.2} × time", ratio.processor, ratio.seconds),
        };
        self.tell(load.name, &figure, ratio.processor <= load.most, report)?;
        Ok(figure)
    }

    /// At full size what is not reached fails. Otherwise times mean nothing.
    fn tell(
        &self,
        name: &str,
        figure: &Figure,
        holds: bool,
        report: &mut Report<'_>,
    ) -> Result<()> {
        note(figure, report)?;
        let told = format!("{}; reach: {}", figure.ratio, figure.reach);
        let result = match (self.full, holds) {
            (false, _) => Ok("ran".to_owned()),
            (true, true) => Ok(told),
            (true, false) => Err(told),
        };
        Ok(report.case(name, result)?)
    }

    /// Puts what is worked on into the work folder.
    fn prepare(&self, what: What) -> Result<()> {
        match what {
            Tar => {
                let number = if self.full { FILES.1 } else { FILES.0 };
                let list = "find usr/share usr/include -type f -perm -4 -size -1024k | sort | head -n \"$0\"";
                let mut command = Command::new("sh");
                command.args(["-c", list, &number.to_string()]).current_dir("/");
                let names = command.stderr(Stdio::null()).output().context("listing files")?;
                let names = String::from_utf8_lossy(&names.stdout).into_owned();
                ensure!(names.lines().count() == number, "/usr has not {number} files");
                self.lab.fill(&[("names", &names)])?;
            }
            Compile => {
                let files = source();
                let files: Vec<_> = files.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
                self.lab.fill(&files)?;
            }
            _ => self.lab.fill(&[("file", "text\n")])?,
        }
        self.lab.label(HOME, &[])
    }

    /// The program, and for a loop the same with nothing to do.
    fn words(&self, what: What, nothing: bool) -> Option<Vec<OsString>> {
        let sized = |all: usize, few: usize| if self.full { all } else { few };
        let script = |it: &str| Some(["/bin/sh", "-c", it].map(OsString::from).to_vec());
        match what {
            What::Loop(what, ..) if nothing => Some(self.own(what, 0, &["file"])),
            What::Loop(what, all, few) => Some(self.own(what, sized(all, few), &["file"])),
            _ if nothing => None,
            What::Count(all, few) => Some(self.own("spin", sized(all, few), &[])),
            Find => script(if self.full { FIND_ALL } else { FIND }),
            Tar => script(TAR),
            Compile => script(MAKE),
        }
    }

    /// This program itself.
    fn own(&self, what: &str, rounds: usize, words: &[&str]) -> Vec<OsString> {
        let mut all = vec![self.lab.program().into_os_string()];
        all.extend(["work", what, &rounds.to_string()].iter().chain(words).map(OsString::from));
        all
    }

    /// What a program takes, without what it takes to do nothing.
    fn beyond(
        &self,
        way: Way<'_>,
        all: &Option<Vec<OsString>>,
        nothing: Option<&[OsString]>,
    ) -> Result<Cost> {
        let all = self.cost(way, all.as_deref().unwrap_or_default())?;
        match nothing {
            Some(words) => Ok(all.without(self.cost(way, words)?)),
            None => Ok(all),
        }
    }

    /// What a program takes, with all processes that it starts and waits for: the monitor, and through it what it watches.
    fn cost(&self, way: Way<'_>, words: &[OsString]) -> Result<Cost> {
        let inside = self.lab.command(way, words, None);
        let told = self.lab.work().with_file_name("times");
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "300", "/bin/bash", "-c", TIMED]).arg(&told);
        command.arg(inside.get_program()).args(inside.get_args());
        command.current_dir(self.lab.work()).env_clear();
        command.envs(inside.get_envs().filter_map(|it| Some((it.0, it.1?))));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let output = command.output().context("starting a program")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{words:?}: {} {said}", output.status);
        let text = fs::read_to_string(&told).context("reading the times")?;
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|it| it.parse().ok()).collect();
        let [seconds, user, system] = numbers[..] else { anyhow::bail!("times {text:?}") };
        Ok(Cost { processor: user + system, seconds })
    }
}

/// Writes what a command took, to the millisecond, to a file.
const TIMED: &str = r#"TIMEFORMAT="%3R %3U %3S"; { time "$@" 2>&3; } 3>&2 2>"$0""#;

impl Cost {
    fn without(self, other: Self) -> Self {
        Self { processor: self.processor - other.processor, seconds: self.seconds - other.seconds }
    }

    /// How many times the other.
    fn over(self, other: Self) -> Self {
        Self { processor: self.processor / other.processor, seconds: self.seconds / other.seconds }
    }
}

fn middle(costs: &[Cost]) -> Cost {
    Cost {
        processor: median(costs.iter().map(|it| it.processor).collect()),
        seconds: median(costs.iter().map(|it| it.seconds).collect()),
    }
}

/// How many files of C there are besides the main one.
const SOURCES: usize = 20;

/// A project of C.
fn source() -> Vec<(String, String)> {
    let numbers = 1..=SOURCES;
    let objects: String = numbers.clone().map(|it| format!(" part{it}.o")).collect();
    let makefile = format!(
        "CFLAGS = -O2\nall: program\nprogram: main.o{objects}\n\t$(CC) -o $@ $^\n%.o: %.c parts.h\n\t$(CC) $(CFLAGS) -c -o $@ $<\nclean:\n\trm -f *.o program\n"
    );
    let header: String = numbers.clone().map(|it| format!("int part{it}(int);\n")).collect();
    let calls: String = numbers.clone().map(|it| format!("sum += part{it}(sum);\n")).collect();
    let main = format!(
        "#include <stdio.h>\n#include \"parts.h\"\nint main(void) {{ int sum = 1;\n{calls}printf(\"%d\\n\", sum); return 0; }}\n"
    );
    let mut files = vec![
        ("source/Makefile".to_owned(), makefile),
        ("source/parts.h".to_owned(), header),
        ("source/main.c".to_owned(), main),
    ];
    files.extend(numbers.map(|it| (format!("source/part{it}.c"), part(it))));
    files
}

/// A file as those of real projects: headers of the system, and some functions to optimise.
fn part(number: usize) -> String {
    let includes = ["stdio", "stdlib", "string", "unistd", "sys/stat", "errno", "fcntl", "time"];
    let includes: String = includes.iter().map(|it| format!("#include <{it}.h>\n")).collect();
    let functions: String = (0..20)
        .map(|it| {
            format!(
                "static int f{it}(const char *text, int n) {{\n  int sum = {number};\n  for (int i = 0; text[i]; i++)\n    for (int j = 0; j < n; j++)\n      sum = sum * 31 + (text[i] ^ (j << {it} % 7));\n  return sum;\n}}\n"
            )
        })
        .collect();
    let calls: String = (0..20).map(|it| format!("  sum += f{it}(text, n);\n")).collect();
    format!(
        "{includes}#include \"parts.h\"\n{functions}int part{number}(int n) {{\n  char text[64];\n  snprintf(text, sizeof text, \"%d %s\", n, getenv(\"HOME\"));\n  int sum = (int)strlen(text);\n{calls}  return sum;\n}}\n"
    )
}
