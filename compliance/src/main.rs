//! The command line of the compliance suite.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use mandate_compliance::bench::{self, Effort, Figure};
use mandate_compliance::cil;
use mandate_compliance::compile::{self, Part};
use mandate_compliance::place::Place;
use mandate_compliance::reference::{Flavour, Reference};
use mandate_compliance::report::Report;
use mandate_compliance::{
    audit, base_policy, compiled_contexts, decisions, decompile, doc, format, incremental,
    kernel_mix, labels, measure, micro, objects, originals, packages, query, random_policies,
    reach, roundtrip, run, walk,
};

/// How many questions libsepol is asked about each policy: in CI, and at full size.
const DECISIONS: (usize, usize) = (100_000, 1_000_000);
/// How many questions a kernel is asked about each policy.
const KERNEL: (usize, usize) = (20_000, 100_000);
/// How many random policies a kernel is asked about.
const RANDOM: (usize, usize) = (40, 600);
/// The exit code of `originals` when some stay missing.
const STILL_MISSING: u8 = 3;

/// Compares Mandate with the original SELinux tools and a real kernel.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Debug, Subcommand)]
enum Suite {
    /// Name the original tools that are missing, or install them; exits with 3 when some stay missing.
    Originals {
        /// Install the missing ones.
        #[arg(long)]
        install: bool,
    },
    /// Every suite, at the sizes of continuous integration.
    Ci {
        /// Only what needs no original tool.
        #[arg(long)]
        without_originals: bool,
        /// Which questions.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Every suite at full size, and the speed of both sides.
    Measure {
        /// What to measure.
        area: Area,
        /// Write the figures to this file.
        #[arg(long, value_name = "FILE")]
        figures: Option<PathBuf>,
        /// Which questions.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Read and write every policy that the original tools make.
    Roundtrip(Size),
    /// Decompile every policy and compile it again; give what we print to the originals.
    Decompile(Size),
    /// Ask libsepol for decisions.
    Decisions(Size),
    /// Ask libsepol for the contexts of ports, nodes, interfaces and filesystems.
    Objects(Size),
    /// Ask a real kernel.
    Kernel(Size),
    /// The small policies that show one kind of rule each.
    Micro(Size),
    /// Random small policies with every kind of rule, each asked of a real kernel; `--queries` counts policies.
    Random(Size),
    /// Speed and memory of both sides.
    Bench(Size),
    /// Record the micro policies and the answers of the originals anew.
    Bless {
        /// Only those whose name contains this.
        #[arg(default_value = "")]
        name: String,
    },
    /// The compiler: builds, m4, mistakes, damage, speed.
    Compile {
        /// Only this part.
        part: Option<Part>,
        /// The sizes of continuous integration, as without it.
        #[arg(long, conflicts_with = "full")]
        ci: bool,
        /// The full sizes, which docs/figures.md tells.
        #[arg(long)]
        full: bool,
        /// Which questions, faults and mutants.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// Only cases or settings whose name contains this.
        #[arg(long, value_name = "NAME", default_value = "")]
        only: String,
        /// Record what is shown of broken sources instead of comparing it.
        #[arg(long)]
        bless: bool,
    },
    /// The formatter: files stay as they are once formatted, and make the same policy.
    Format(Size),
    /// Packages and modules: the same bytes, the same policy, the same refusals.
    Packages {
        /// The full sizes, which docs/figures.md tells.
        #[arg(long)]
        full: bool,
        /// Which questions.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Builds with a cache: the same bytes as without, and how fast.
    Incremental(Size),
    /// CIL: statements and rules case by case, modules, speed.
    Cil {
        /// Only this part.
        part: Option<cil::Part>,
        /// The full sizes, which docs/figures.md tells.
        #[arg(long)]
        full: bool,
        /// Which questions.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// Only cases and modules whose name contains this.
        #[arg(long, value_name = "NAME", default_value = "")]
        only: String,
        /// Record what secilc says of the cases instead of comparing it.
        #[arg(long)]
        bless: bool,
        /// A newer secilc, to judge the cases that the documentation settles.
        #[arg(long, value_name = "PROGRAM")]
        newer: Option<PathBuf>,
    },
    /// Questions: sesearch and seinfo beside setools, and how fast.
    Query {
        /// Only this part.
        part: Option<query::Part>,
        /// The full sizes, which docs/figures.md tells.
        #[arg(long)]
        full: bool,
        /// Which questions.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Domain transitions and information flow beside setools: the same or shorter ways, none missed; speed.
    Reach {
        /// Only this part.
        part: Option<reach::Part>,
        /// The full sizes, which docs/figures.md tells.
        #[arg(long)]
        full: bool,
        /// How many questions of each graph.
        #[arg(long, value_name = "N")]
        queries: Option<usize>,
        /// Which questions.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Compiled file contexts compared with those of sefcontext_compile.
    LabelsCompiled {
        /// The full sizes.
        #[arg(long)]
        full: bool,
        /// Which random tables.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Labels beside libselinux: lookups, patterns, the smaller tables, damaged files; speed.
    Labels {
        /// Only this part.
        part: Option<labels::Part>,
        /// The full sizes, which docs/figures.md tells.
        #[arg(long)]
        full: bool,
        /// Which questions.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Labels of trees: setfiles beside the original, hostile trees, walks cut off and resumed, restorecon and its kin in a guest with
    /// SELinux, time and memory.
    LabelsWalk {
        /// Only this part.
        part: Option<walk::Part>,
        /// The full sizes, which docs/figures.md tells.
        #[arg(long)]
        full: bool,
        /// Which options, trees and moments.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Audit logs: ausearch and aureport beside the originals, and how fast.
    Audit {
        /// Only this part.
        part: Option<audit::Part>,
        /// The full sizes, which docs/figures.md tells.
        #[arg(long)]
        full: bool,
        /// Which logs.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Reference pages: links, manual pages, time.
    Doc(Size),
    /// Print the questions that `kernel` asks about one policy.
    Questions {
        /// Which Reference Policy.
        flavour: Flavour,
        /// How many, and which.
        #[command(flatten)]
        size: Size,
    },
    /// Answer questions from a file and print the peak memory in kB; `bench` runs this.
    #[command(hide = true)]
    Memory {
        /// A binary policy.
        policy: PathBuf,
        /// The questions.
        questions: PathBuf,
    },
    /// Tests of policies/base: rules and goals taken away, or given too much, are noticed. At full size, a Debian system boots under it.
    BasePolicy {
        /// Only this part.
        #[arg(value_enum)]
        part: Option<base_policy::Part>,
        /// The sizes of docs/figures.md.
        #[arg(long)]
        full: bool,
        /// What is drawn.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// `mandate run` beside a real kernel and beside programs that nobody watches; races; its cost.
    Run {
        /// Only this part.
        #[arg(value_enum)]
        part: Option<run::Part>,
        /// The sizes of docs/figures.md.
        #[arg(long)]
        full: bool,
        /// What is drawn.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Do something that is watched or measured; `run` starts this.
    #[command(hide = true)]
    Work {
        /// What.
        what: run::Work,
        /// How many times.
        rounds: usize,
        /// To what.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Make ten million files and walk them; `labels-walk bench` runs this.
    #[command(hide = true)]
    WalkMost {
        /// Where.
        folder: PathBuf,
        /// The program that walks.
        ours: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Area {
    /// Policy database and security server.
    Core,
    /// The compiler.
    Compile,
    /// CIL, packages, decompiler, formatter, incremental builds.
    Forms,
    /// Questions about policies.
    Query,
    /// Labels of files and of all else.
    Labels,
    /// Audit logs.
    Audit,
    /// Reference pages.
    Doc,
    /// The base policy and its tests.
    Base,
    /// Programs under the policy.
    Run,
}

#[derive(Clone, Copy, Debug, Args)]
struct Size {
    /// The full sizes, which docs/figures.md tells.
    #[arg(long)]
    full: bool,
    /// How many questions for each policy.
    #[arg(long, value_name = "N")]
    queries: Option<usize>,
    /// Which questions.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Only this Reference Policy.
    #[arg(long, value_name = "FLAVOUR")]
    only: Option<Flavour>,
}

impl Size {
    fn ci(seed: u64) -> Self {
        Self { full: false, queries: None, seed, only: None }
    }

    fn full(seed: u64) -> Self {
        Self { full: true, ..Self::ci(seed) }
    }

    fn queries(self, (small, full): (usize, usize)) -> usize {
        self.queries.unwrap_or(if self.full { full } else { small })
    }

    fn effort(self) -> Effort {
        if self.full { Effort::FULL } else { Effort::SMOKE }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::stdout().lock();
    match run(cli.suite, &mut out) {
        Ok(code) => code,
        Err(why) => {
            let _closed = writeln!(io::stderr(), "mandate-compliance: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(suite: Suite, out: &mut dyn Write) -> Result<ExitCode> {
    match suite {
        Suite::Originals { install } => bring_originals(install),
        Suite::Memory { policy, questions } => {
            writeln!(out, "{}", bench::memory(&policy, &questions)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Suite::Work { what, rounds, words } => {
            run::work(what, rounds, &words, out)?;
            Ok(ExitCode::SUCCESS)
        }
        Suite::WalkMost { folder, ours } => {
            let numbers = walk::most(&folder, &ours)?;
            writeln!(out, "{}", numbers.map(|it| it.to_string()).join(" "))?;
            Ok(ExitCode::SUCCESS)
        }
        Suite::Questions { flavour, size } => {
            let place = Place::here()?;
            let reference = Reference::build(&place, flavour)?;
            for it in
                kernel_mix::questions(&place, &reference.binary(), size.queries(KERNEL), size.seed)?
            {
                writeln!(out, "{it}")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Suite::Bless { name } => bless(&name, out),
        suite => compare(suite, out),
    }
}

fn compare(suite: Suite, out: &mut dyn Write) -> Result<ExitCode> {
    let mut suites = Suites { place: Place::here()?, report: Report::new(out), built: Vec::new() };
    match suite {
        Suite::Ci { without_originals: true, .. } => suites.without_originals()?,
        Suite::Ci { seed, .. } => {
            suites.all(Size::ci(seed))?;
            suites.compile(&Part::ALL, &compile::Size::new(false, seed))?;
            suites.forms(false, seed)?;
            suites.query(&query::Part::ALL, false, seed)?;
            suites.walk(&walk::Part::ALL, false, seed)?;
            suites.compiled_contexts(false, seed)?;
            suites.reach(&reach::Part::ALL, &reach::Size { full: false, queries: None, seed })?;
            suites.labels(&labels::Part::ALL, &labels::Size { full: false, seed })?;
            drop(suites.audit(&audit::Part::ALL, false, seed)?);
            suites.doc(false)?;
            drop(suites.base_policy(base_policy::Part::of_size(false), false, seed)?);
            drop(suites.run(run::Part::of_size(false), false, seed)?);
        }
        Suite::Measure { area: Area::Core, figures, seed } => {
            let measured = suites.all(Size::full(seed))?;
            if let Some(path) = figures {
                let measured: Vec<_> = measured.into_iter().map(|it| ("bench", it)).collect();
                measure::write(&path, "core", suites.report.summaries(), &measured)?;
            }
        }
        Suite::Measure { area: Area::Compile, figures, seed } => {
            let measured = suites.compile(&Part::ALL, &compile::Size::new(true, seed))?;
            if let Some(path) = figures {
                measure::write(&path, "compile", suites.report.summaries(), &measured)?;
            }
        }
        Suite::Measure { area: Area::Forms, figures, seed } => {
            let measured = suites.forms(true, seed)?;
            if let Some(path) = figures {
                measure::write(&path, "forms", suites.report.summaries(), &measured)?;
            }
        }
        Suite::Measure { area: Area::Query, figures, seed } => {
            let mut measured = suites.query(&query::Part::ALL, true, seed)?;
            let size = reach::Size { full: true, queries: None, seed };
            measured.extend(suites.reach(&reach::Part::ALL, &size)?);
            if let Some(path) = figures {
                measure::write(&path, "query", suites.report.summaries(), &measured)?;
            }
        }
        Suite::Measure { area: Area::Labels, figures, seed } => {
            let mut measured =
                suites.labels(&labels::Part::ALL, &labels::Size { full: true, seed })?;
            measured.extend(suites.walk(&walk::Part::ALL, true, seed)?);
            if let Some(path) = figures {
                measure::write(&path, "labels", suites.report.summaries(), &measured)?;
            }
        }
        Suite::Measure { area: Area::Base, figures, seed } => {
            let measured = suites.base_policy(base_policy::Part::of_size(true), true, seed)?;
            if let Some(path) = figures {
                measure::write(&path, "base", suites.report.summaries(), &measured)?;
            }
        }
        Suite::Measure { area: Area::Run, figures, seed } => {
            let measured = suites.run(run::Part::of_size(true), true, seed)?;
            if let Some(path) = figures {
                measure::write(&path, "run", suites.report.summaries(), &measured)?;
            }
        }
        Suite::Measure { area: Area::Audit, figures, seed } => {
            let measured = suites.audit(&audit::Part::ALL, true, seed)?;
            if let Some(path) = figures {
                measure::write(&path, "audit", suites.report.summaries(), &measured)?;
            }
        }
        Suite::Measure { area: Area::Doc, figures, .. } => {
            let measured = suites.doc(true)?;
            if let Some(path) = figures {
                measure::write(&path, "doc", suites.report.summaries(), &measured)?;
            }
        }
        Suite::Compile { part, full, seed, only, bless, .. } => {
            let parts = part.map_or_else(|| Part::ALL.to_vec(), |part| vec![part]);
            suites.compile(&parts, &compile::Size { full, seed, only, bless })?;
        }
        Suite::Cil { part, full, seed, only, bless, newer } => {
            let parts = part.map_or_else(|| cil::Part::ALL.to_vec(), |part| vec![part]);
            let size = cil::Size { full, seed, only, bless, newer, ..cil::Size::default() };
            suites.cil(&parts, &size)?;
        }
        Suite::Reach { part, full, queries, seed } => {
            let parts = part.map_or_else(|| reach::Part::ALL.to_vec(), |part| vec![part]);
            let size = reach::Size { full, queries, seed };
            suites.reach(&parts, &size)?;
        }
        Suite::Labels { part, full, seed } => {
            let parts = part.map_or_else(|| labels::Part::ALL.to_vec(), |part| vec![part]);
            suites.labels(&parts, &labels::Size { full, seed })?;
        }
        Suite::Packages { full, seed } => drop(suites.packages(full, seed)?),
        Suite::Query { part, full, seed } => {
            let parts = part.map_or_else(|| query::Part::ALL.to_vec(), |part| vec![part]);
            suites.query(&parts, full, seed)?;
        }
        Suite::LabelsCompiled { full, seed } => suites.compiled_contexts(full, seed)?,
        Suite::BasePolicy { part, full, seed } => {
            let all = || base_policy::Part::of_size(full).to_vec();
            let parts = part.map_or_else(all, |part| vec![part]);
            drop(suites.base_policy(&parts, full, seed)?);
        }
        Suite::Run { part, full, seed } => {
            let parts = part.map_or_else(|| run::Part::of_size(full).to_vec(), |part| vec![part]);
            drop(suites.run(&parts, full, seed)?);
        }
        Suite::Audit { part, full, seed } => {
            let parts = part.map_or_else(|| audit::Part::ALL.to_vec(), |part| vec![part]);
            drop(suites.audit(&parts, full, seed)?);
        }
        Suite::LabelsWalk { part, full, seed } => {
            let parts = part.map_or_else(|| walk::Part::ALL.to_vec(), |part| vec![part]);
            suites.walk(&parts, full, seed)?;
        }
        Suite::Roundtrip(size) => suites.roundtrip(size)?,
        Suite::Decompile(size) => suites.decompile(size)?,
        Suite::Decisions(size) => suites.decisions(size)?,
        Suite::Objects(size) => suites.objects(size)?,
        Suite::Kernel(size) => suites.kernel(size)?,
        Suite::Micro(size) => suites.micro(size)?,
        Suite::Random(size) => suites.random(size)?,
        Suite::Format(size) => suites.format(size)?,
        Suite::Incremental(size) => drop(suites.incremental(size)?),
        Suite::Bench(size) => drop(suites.bench(size)?),
        Suite::Doc(size) => drop(suites.doc(size.full)?),
        _ => {}
    }
    let good = suites.report.finish()?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The suites, and the policies they share.
struct Suites<'a> {
    place: Place,
    report: Report<'a>,
    built: Vec<Reference>,
}

impl Suites<'_> {
    fn all(&mut self, size: Size) -> Result<Vec<Figure>> {
        self.attempt(|it| it.micro(size))?;
        self.attempt(|it| it.random(size))?;
        self.attempt(|it| it.roundtrip(size))?;
        self.attempt(|it| it.objects(size))?;
        self.attempt(|it| it.decisions(size))?;
        self.attempt(|it| it.kernel(size))?;
        Ok(self.attempt(|it| it.bench(size))?.unwrap_or_default())
    }

    /// CIL, packages, decompiler, formatter, incremental builds; figures come with the part that measured them.
    fn forms(&mut self, full: bool, seed: u64) -> Result<Vec<(&'static str, Figure)>> {
        let size = if full { Size::full(seed) } else { Size::ci(seed) };
        let mut figures = self.packages(full, seed)?;
        self.attempt(|it| it.decompile(size))?;
        self.attempt(|it| it.format(size))?;
        figures.extend(self.cil(&cil::Part::ALL, &cil::Size::new(full, seed))?);
        let measured = self.attempt(|it| it.incremental(size))?;
        figures.extend(measured.into_iter().flatten().map(|it| ("incremental", it)));
        Ok(figures)
    }

    fn incremental(&mut self, size: Size) -> Result<Vec<Figure>> {
        self.report.suite("incremental");
        incremental::run(&self.place, size.full, &mut self.report)
    }

    /// The compiler.
    fn compile(
        &mut self,
        parts: &[Part],
        size: &compile::Size,
    ) -> Result<Vec<(&'static str, Figure)>> {
        self.parts(parts, Part::suite, |it, part| {
            compile::run(&it.place, part, size, &mut it.report)
        })
    }

    /// CIL.
    fn cil(
        &mut self,
        parts: &[cil::Part],
        size: &cil::Size,
    ) -> Result<Vec<(&'static str, Figure)>> {
        self.parts(parts, cil::Part::suite, |it, part| {
            cil::run(&it.place, part, size, &mut it.report)
        })
    }

    /// Compiled file contexts.
    fn compiled_contexts(&mut self, full: bool, seed: u64) -> Result<()> {
        self.attempt(|it| compiled_contexts::run(&it.place, full, seed, &mut it.report)).map(|_| ())
    }

    /// Labels of trees.
    fn walk(
        &mut self,
        parts: &[walk::Part],
        full: bool,
        seed: u64,
    ) -> Result<Vec<(&'static str, Figure)>> {
        self.parts(parts, walk::Part::suite, |it, part| {
            walk::run(&it.place, part, full, seed, &mut it.report)
        })
    }

    /// Questions.
    fn query(
        &mut self,
        parts: &[query::Part],
        full: bool,
        seed: u64,
    ) -> Result<Vec<(&'static str, Figure)>> {
        self.parts(parts, query::Part::suite, |it, part| {
            query::run(&it.place, part, full, seed, &mut it.report)
        })
    }

    /// Paths through a policy.
    fn reach(
        &mut self,
        parts: &[reach::Part],
        size: &reach::Size,
    ) -> Result<Vec<(&'static str, Figure)>> {
        self.parts(parts, reach::Part::suite, |it, part| {
            reach::run(&it.place, part, size, &mut it.report)
        })
    }

    /// Tests of the base policy.
    fn base_policy(
        &mut self,
        parts: &[base_policy::Part],
        full: bool,
        seed: u64,
    ) -> Result<Vec<(&'static str, Figure)>> {
        self.parts(parts, base_policy::Part::suite, |it, part| {
            base_policy::run(&it.place, part, full, seed, &mut it.report)
        })
    }

    /// `mandate run`.
    fn run(
        &mut self,
        parts: &[run::Part],
        full: bool,
        seed: u64,
    ) -> Result<Vec<(&'static str, Figure)>> {
        self.parts(parts, run::Part::suite, |it, part| {
            run::run(&it.place, part, full, seed, &mut it.report)
        })
    }

    /// Labels.
    fn labels(
        &mut self,
        parts: &[labels::Part],
        size: &labels::Size,
    ) -> Result<Vec<(&'static str, Figure)>> {
        self.parts(parts, labels::Part::suite, |it, part| {
            labels::run(&it.place, part, size, &mut it.report)
        })
    }

    /// Audit logs.
    fn audit(
        &mut self,
        parts: &[audit::Part],
        full: bool,
        seed: u64,
    ) -> Result<Vec<(&'static str, Figure)>> {
        self.parts(parts, audit::Part::suite, |it, part| {
            audit::run(&it.place, part, full, seed, &mut it.report)
        })
    }

    /// Reference pages.
    fn doc(&mut self, full: bool) -> Result<Vec<(&'static str, Figure)>> {
        self.report.suite("doc");
        self.attempt(|it| doc::own_tree(&it.place, &mut it.report))?;
        let measured = self.attempt(|it| doc::run(&it.place, full, &mut it.report))?;
        Ok(measured.into_iter().flatten().map(|it| ("doc", it)).collect())
    }

    fn packages(&mut self, full: bool, seed: u64) -> Result<Vec<(&'static str, Figure)>> {
        let measured = self.attempt(|it| packages::run(&it.place, full, seed, &mut it.report))?;
        Ok(measured.into_iter().flatten().map(|it| ("packages", it)).collect())
    }

    /// Runs the parts of a suite; figures come with the part that measured them.
    fn parts<P: Copy>(
        &mut self,
        parts: &[P],
        suite: fn(P) -> &'static str,
        run: impl Fn(&mut Self, P) -> Result<Vec<Figure>>,
    ) -> Result<Vec<(&'static str, Figure)>> {
        let mut figures = Vec::new();
        for &part in parts {
            let measured = self.attempt(|it| run(it, part))?;
            figures.extend(measured.into_iter().flatten().map(|it| (suite(part), it)));
        }
        Ok(figures)
    }

    /// A suite that breaks off is a failure, and the others run all the same.
    fn attempt<T>(&mut self, suite: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        match suite(self) {
            Ok(done) => Ok(Some(done)),
            Err(why) => {
                self.report.case("the suite broke off", Err(format!("{why:#}")))?;
                Ok(None)
            }
        }
    }

    /// The Reference Policies that this run is about.
    fn references(&mut self, size: Size) -> Result<Vec<Reference>> {
        if self.built.is_empty() {
            self.built = Reference::build_all(&self.place)?;
        }
        let wanted = |it: &&Reference| size.only.is_none_or(|only| it.flavour == only);
        Ok(self.built.iter().filter(wanted).cloned().collect())
    }

    fn roundtrip(&mut self, size: Size) -> Result<()> {
        let references = self.references(size)?;
        self.report.suite("roundtrip");
        roundtrip::run(&self.place, &references, size.full, &mut self.report)
    }

    fn decompile(&mut self, size: Size) -> Result<()> {
        let references = self.references(size)?;
        self.report.suite("decompile");
        decompile::run(&self.place, &references, size.full, size.seed, &mut self.report)
    }

    fn objects(&mut self, size: Size) -> Result<()> {
        let references = self.references(size)?;
        self.report.suite("objects");
        objects::run(&self.place, &references, size.seed, &mut self.report)
    }

    fn decisions(&mut self, size: Size) -> Result<()> {
        let references = self.references(size)?;
        self.report.suite("decisions");
        let n = size.queries(DECISIONS);
        decisions::run(&self.place, &references, n, size.seed, &mut self.report)
    }

    fn kernel(&mut self, size: Size) -> Result<()> {
        let references = self.references(size)?;
        self.report.suite("kernel");
        let n = size.queries(KERNEL);
        kernel_mix::run(&self.place, &references, n, size.seed, &mut self.report)
    }

    fn bench(&mut self, size: Size) -> Result<Vec<Figure>> {
        let references = self.references(size)?;
        self.report.suite("bench");
        bench::run(&self.place, &references, size.effort(), size.seed, &mut self.report)
    }

    fn micro(&mut self, size: Size) -> Result<()> {
        self.report.suite("micro");
        self.report.heading("Micro policies: one kind of rule each")?;
        let cases = micro::cases(&self.place.root)?;
        micro::check_ours(&mut self.report, &cases, &self.place.mandate()?)?;
        let asked = if size.full { cases } else { micro::sample(&cases) };
        micro::check_binaries(&mut self.report, &asked, &self.place.work)?;
        micro::check_answers(&mut self.report, &asked, &self.place.work)
    }

    fn random(&mut self, size: Size) -> Result<()> {
        self.report.suite("random");
        random_policies::run(&self.place, size.queries(RANDOM), size.seed, &mut self.report)
    }

    fn format(&mut self, size: Size) -> Result<()> {
        self.report.suite("format");
        format::run(&self.place, size.full, size.seed, &mut self.report)
    }

    /// What is recorded in the repository needs no original to be compared with.
    fn without_originals(&mut self) -> Result<()> {
        self.report.suite("micro");
        self.report.heading("Micro policies: one kind of rule each")?;
        let cases = micro::cases(&self.place.root)?;
        micro::check_ours(&mut self.report, &cases, &self.place.mandate()?)?;
        let size = compile::Size::new(false, 1);
        self.compile(&[Part::Broken], &size)?;
        self.report.suite("format");
        format::own_tree(&self.place, &[Flavour::Mcs], &mut self.report)?;
        let size = cil::Size { without_originals: true, ..cil::Size::new(false, 1) };
        self.cil(&[cil::Part::Cases], &size)?;
        self.report.suite("doc");
        self.attempt(|it| doc::own_tree(&it.place, &mut it.report))?;
        let parts = [base_policy::Part::Mutations, base_policy::Part::Goals];
        drop(self.base_policy(&parts, false, 1)?);
        self.report.heading("Left out, because they need the original tools")?;
        for what in LEFT_OUT {
            self.report.note(what)?;
        }
        Ok(())
    }
}

const LEFT_OUT: &[&str] = &[
    "domain transitions and information flow compared with setools",
    "audit logs searched and counted as by ausearch and aureport",
    "denials with a known cause explained; rules and reasons compared with audit2allow and audit2why",
    "micro policies compiled anew, and their answers asked anew",
    "random policies compared with a real kernel",
    "reading and writing the Reference Policy and small policies of every version",
    "decisions compared with libsepol",
    "contexts of ports, nodes, interfaces and filesystems compared with libsepol",
    "decisions and transitions compared with a real kernel",
    "speed and memory compared with libsepol",
    "builds of the Reference Policy compared with those of make, m4 and checkpolicy",
    "every file of the Reference Policy expanded by our m4 and by the original",
    "random faults in the Reference Policy",
    "damaged sources cut from the Reference Policy",
    "the formatted Reference Policy built, formatted CIL compiled by secilc",
    "the CIL cases compared with what secilc says now",
    "whole policies in CIL compared with those of secilc",
    "answers of sesearch and seinfo compared with those of setools",
    "labels compared with those of libselinux, and damaged context files",
    "labels that setfiles sets compared with those of the original",
    "restorecon, chcon and chcat compared with the originals under SELinux",
    "compiled file contexts compared with those of sefcontext_compile",
    "reference pages of the Reference Policy, and their time",
    "programs under mandate run compared with a real kernel and with themselves, races, and what it costs",
];

/// Names the missing packages and installs them if asked; all of it goes to standard error.
fn bring_originals(install: bool) -> Result<ExitCode> {
    let mut err = io::stderr().lock();
    let missing = originals::missing();
    if missing.is_empty() {
        writeln!(err, "all original tools are installed")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(err, "to compare with the original tools, these Debian packages are missing:")?;
    for package in &missing {
        writeln!(err, "  {:<20} {}", package.name, package.purpose)?;
    }
    let obstacle = if install { originals::obstacle() } else { Some("call with --install") };
    if let Some(obstacle) = obstacle {
        writeln!(err, "not installed: {obstacle}")?;
        return Ok(ExitCode::from(STILL_MISSING));
    }
    writeln!(err, "installing them with apt-get; no service is started")?;
    originals::install(&missing)?;
    Ok(ExitCode::SUCCESS)
}

fn bless(name: &str, out: &mut dyn Write) -> Result<ExitCode> {
    let place = Place::here()?;
    let mut cases = micro::cases(&place.root)?;
    cases.retain(|case| case.name.contains(name));
    for line in micro::bless(&mut cases, &place.work)? {
        writeln!(out, "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}
