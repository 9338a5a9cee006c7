//! The texts of a build: each is expanded and parsed by itself, on all threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::{self, ParseOptions, Parsed, SourceKind, Unit, UnknownCall};
use mandate_syntax::m4::{Asked, Machine};
use mandate_syntax::source::{ExpansionRecorder, Expansions, SourceMap};
use mandate_syntax::text::Text;

use crate::refpolicy::files::CustomizableTypes;
use crate::refpolicy::incremental::Kept;
use crate::refpolicy::{expand, tell};

/// A text to expand and parse.
pub(super) struct Job {
    /// The macros it is expanded with.
    pub(super) with: With,
    pub(super) text: Vec<Text>,
    pub(super) what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    /// Support macros and generated definitions.
    Support,
    /// Those and all interfaces.
    Interfaces,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Statements,
    FileContexts,
}

/// What became of a job.
#[derive(Default)]
pub(super) struct Done {
    pub(super) unit: Unit,
    pub(super) text: Text,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) unknown_calls: Vec<UnknownCall>,
    pub(super) customizable: CustomizableTypes,
    /// The macros that were used, one a line.
    pub(super) used: String,
    /// The words that were looked up.
    pub(super) asked: Asked,
}

/// m4 as far as the texts of a job need it.
pub(super) struct Machines {
    /// Support macros, for the files around a policy.
    pub(super) bare: Machine,
    /// Those as a policy sees them, and generated definitions.
    pub(super) support: Machine,
    /// Those and all interfaces.
    pub(super) interfaces: Machine,
}

/// What all texts of a build share.
pub(super) struct Environment {
    pub(super) machines: Machines,
    /// Classes, vectors, MLS and capabilities.
    pub(super) head: Parsed,
    /// The rules of modules that are generated, with their paths.
    pub(super) generated: Vec<(String, Text)>,
}

/// Does all jobs, on as many threads as there are; what comes out does not depend on their number, nor on what was kept of an
/// earlier build. In the order of the jobs.
pub(super) fn run_jobs(
    jobs: &[Job],
    machines: &Machines,
    sources: &SourceMap,
    kept: Option<&Kept<'_>>,
    expansions: &mut Expansions,
    first_unit: usize,
) -> Vec<Done> {
    let size = |job: &Job| job.text.iter().map(|it| it.bytes.len()).sum::<usize>();
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|&it| std::cmp::Reverse(size(&jobs[it])));
    let next = AtomicUsize::new(0);
    let finished = Mutex::new(Vec::new());
    let fresh = &*expansions;
    let work = || {
        let mut own = OwnMachines { of: machines, support: None, interfaces: None };
        let mut mine = Vec::new();
        while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let job = &jobs[index];
            let mut recorder = fresh.recorder(first_unit + index);
            let recalled = kept.and_then(|it| it.recall(job, &mut recorder));
            let done = recalled.unwrap_or_else(|| {
                let done = run_job(job, own.machine(job.with), sources, &mut recorder);
                kept.iter().for_each(|it| it.keep(job, &done, &recorder));
                done
            });
            mine.push((index, done, recorder));
        }
        finished.lock().unwrap_or_else(PoisonError::into_inner).append(&mut mine);
    };
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| work());
        }
    });
    let mut done: Vec<Done> = jobs.iter().map(|_| Done::default()).collect();
    for (index, it, recorder) in finished.into_inner().unwrap_or_else(PoisonError::into_inner) {
        done[index] = it;
        expansions.set(first_unit + index, recorder);
    }
    done
}

/// The machines of one thread, made when they are needed.
struct OwnMachines<'a> {
    of: &'a Machines,
    support: Option<Machine>,
    interfaces: Option<Machine>,
}

impl OwnMachines<'_> {
    fn machine(&mut self, with: With) -> &mut Machine {
        let (own, of) = match with {
            With::Support => (&mut self.support, &self.of.support),
            With::Interfaces => (&mut self.interfaces, &self.of.interfaces),
        };
        own.get_or_insert_with(|| of.clone())
    }
}

pub(super) fn run_job(
    job: &Job,
    machine: &mut Machine,
    sources: &SourceMap,
    recorder: &mut ExpansionRecorder,
) -> Done {
    let inputs: Vec<&Text> = job.text.iter().collect();
    let mut expanded = machine.run_apart(&inputs, sources, recorder);
    let mut diagnostics = expand::report(&mut expanded, sources, recorder);
    let (used, asked) = (expanded.used.join("\n"), expanded.asked);
    if job.what == What::FileContexts {
        return Done { text: expanded.text, diagnostics, used, asked, ..Done::default() };
    }
    let mut customizable = CustomizableTypes::new();
    customizable.scan(&expanded.text.bytes);
    let parsed = parse(&expanded.text);
    diagnostics.extend(parsed.diagnostics);
    let Parsed { unit, unknown_calls, .. } = parsed;
    Done { unit, unknown_calls, diagnostics, customizable, used, asked, ..Done::default() }
}

/// Tells of calls that are no macro's.
pub(super) struct Callable<'a> {
    pub(super) machine: &'a Machine,
    pub(super) names: Option<Vec<&'a str>>,
}

impl<'a> Callable<'a> {
    pub(super) fn new(machine: &'a Machine) -> Self {
        Self { machine, names: None }
    }

    pub(super) fn tell(&mut self, done: &mut Done) -> Vec<Diagnostic> {
        let calls = std::mem::take(&mut done.unknown_calls);
        let told = calls.into_iter().map(|call| {
            let names = self.names.get_or_insert_with(|| self.machine.names().collect());
            tell::unknown_call(done.unit.text(call.name), call, names)
        });
        told.collect()
    }
}

pub(super) fn parse(text: &Text) -> Parsed {
    kernel::parse(text, ParseOptions { kind: SourceKind::Expanded })
}
