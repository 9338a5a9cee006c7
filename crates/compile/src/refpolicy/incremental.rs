//! What a build of a source tree keeps: the macros that all modules see (the *environment*), and what became of each text.
//!
//! The environment is found by the hash of all files it is made of. What became of a text is found by the text; it holds as long
//! as the definitions it used are what they were, and no name it asked for has become a macro or is none any more.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mandate_syntax::kernel::Parsed;
use mandate_syntax::m4::{Asked, Machine};
use mandate_syntax::source::{ExpansionRecorder, FileId, Pos, SourceMap};
use mandate_syntax::stored::{Reader, Stored, Writer};
use mandate_syntax::text::Text;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cache::{Cache, Key, KeyMaker};
use crate::refpolicy::files::CustomizableTypes;
use crate::refpolicy::jobs::{Done, Environment, Job, Machines, What, With};
use mandate_syntax::diagnostic::Diagnostic;

/// The cache, as one build sees it.
pub(super) struct Kept<'a> {
    cache: &'a dyn Cache,
    sources: &'a SourceMap,
    files: FxHashMap<&'a str, FileId>,
    /// What every key depends on.
    settings: Key,
    environment: Key,
    /// The definitions of this build; asked for once there is an environment.
    definitions: OnceLock<Option<Definitions>>,
    /// How earlier environments differ from this one.
    differences: Mutex<FxHashMap<Key, Option<Arc<[Difference; 2]>>>>,
}

/// An environment that was kept, what making it told, and its expansions.
pub(super) struct Recalled {
    pub(super) environment: Environment,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) recorder: ExpansionRecorder,
}

/// Macros with hashes of their definitions, in the order of names: the support macros, and those with the interfaces.
type Definitions = [Vec<(String, u64)>; 2];

/// How the macros of an earlier build differ from those of this one.
#[derive(Default)]
struct Difference {
    /// Defined otherwise, or in one of the two only.
    changed: FxHashSet<String>,
    /// Defined in one of the two only.
    appeared: Vec<String>,
}

impl<'a> Kept<'a> {
    /// For a build with these settings that reads files of `sources`, whose modules have these names.
    pub(super) fn new(
        cache: &'a dyn Cache,
        sources: &'a SourceMap,
        defines: &[(String, String)],
        modules: &[String],
    ) -> Self {
        let files: FxHashMap<&str, FileId> =
            (0u32..).zip(sources.files()).map(|(at, it)| (it.path.as_str(), FileId(at))).collect();
        let mut settings = KeyMaker::of("settings");
        for (name, value) in defines {
            settings.bytes(name.as_bytes());
            settings.bytes(value.as_bytes());
        }
        let settings = settings.finish();
        let shared = sources.files().par_iter().filter(|it| !alone(&it.path));
        let mut hashes: Vec<(&str, Key)> = shared
            .map(|it| {
                let mut key = KeyMaker::of("file");
                key.bytes(&it.bytes);
                (it.path.as_str(), key.finish())
            })
            .collect();
        hashes.sort_unstable();
        let mut environment = KeyMaker::of("environment");
        environment.bytes(&settings.0);
        for (path, hash) in hashes {
            environment.bytes(path.as_bytes());
            environment.bytes(&hash.0);
        }
        environment.number(modules.len() as u64);
        modules.iter().for_each(|it| environment.bytes(it.as_bytes()));
        let environment = environment.finish();
        let (definitions, differences) = (OnceLock::new(), Mutex::default());
        Self { cache, sources, files, settings, environment, definitions, differences }
    }

    fn find(&self, path: &str) -> Option<FileId> {
        self.files.get(path).copied()
    }

    fn reader<'b>(&self, bytes: &'b [u8], recorder: &ExpansionRecorder) -> Option<Reader<'b>> {
        Reader::new(bytes, self.sources, |path| self.find(path), recorder)
    }

    /// The environment, if an earlier build kept it. The interfaces are read beside all else of it.
    pub(super) fn recall_environment(&self, recorder: &ExpansionRecorder) -> Option<Recalled> {
        let (interfaces, rest) =
            rayon::join(|| self.recall_interfaces(recorder), || self.recall_rest(recorder));
        let mut recalled = rest?;
        recalled.environment.machines.interfaces = interfaces?;
        Some(recalled)
    }

    fn recall_interfaces(&self, recorder: &ExpansionRecorder) -> Option<Machine> {
        let bytes = self.cache.get(&self.key("interfaces"))?;
        let mut from = self.reader(&bytes, recorder)?;
        Machine::get(&mut from).filter(|_| from.is_empty())
    }

    /// With no interfaces yet.
    fn recall_rest(&self, recorder: &ExpansionRecorder) -> Option<Recalled> {
        let bytes = self.cache.get(&self.key("environment"))?;
        let mut from = self.reader(&bytes, recorder)?;
        let (bare, support) = (Machine::get(&mut from)?, Machine::get(&mut from)?);
        let head = Parsed {
            unit: Stored::get(&mut from)?,
            diagnostics: Stored::get(&mut from)?,
            unknown_calls: Stored::get(&mut from)?,
        };
        let generated = Stored::get(&mut from)?;
        let diagnostics = Stored::get(&mut from)?;
        let recorder = Stored::get(&mut from)?;
        let machines = Machines { bare, support, interfaces: Machine::new() };
        let environment = Environment { machines, head, generated };
        from.is_empty().then_some(Recalled { environment, diagnostics, recorder })
    }

    /// Keeps the environment. `diagnostics` are those that making it gave.
    pub(super) fn keep_environment(
        &self,
        environment: &Environment,
        diagnostics: &[Diagnostic],
        recorder: &ExpansionRecorder,
    ) {
        let Environment { machines, head, generated } = environment;
        let definitions = [&machines.support, &machines.interfaces].map(|it| self.hashes(it));
        let mut to = Writer::new(self.sources, recorder);
        definitions.iter().for_each(|it| it.put(&mut to));
        // Nobody asked before.
        let _ = self.definitions.set(Some(definitions));
        self.cache.put(&self.definitions_key(&self.environment), &to.finish());
        let mut to = Writer::new(self.sources, recorder);
        machines.bare.put(&mut to);
        machines.support.put(&mut to);
        head.unit.put(&mut to);
        head.diagnostics.put(&mut to);
        head.unknown_calls.put(&mut to);
        generated.put(&mut to);
        diagnostics.to_vec().put(&mut to);
        recorder.put(&mut to);
        self.cache.put(&self.key("environment"), &to.finish());
        let mut to = Writer::new(self.sources, recorder);
        machines.interfaces.put(&mut to);
        self.cache.put(&self.key("interfaces"), &to.finish());
    }

    /// What became of a text in an earlier build, if it would be the same now. Its expansions are put into `recorder`.
    pub(super) fn recall(&self, job: &Job, recorder: &mut ExpansionRecorder) -> Option<Done> {
        let bytes = self.cache.get(&self.job_key(job))?;
        let (head, rest) = bytes.split_at_checked(33)?;
        let (environment, foreign) = head.split_at(32);
        let environment = Key(environment.try_into().ok()?);
        let mut from = self.reader(rest, recorder)?;
        let used = String::get(&mut from)?;
        let asked = Asked::get(&mut from)?;
        if environment != self.environment
            && (foreign != [0] || !self.holds(job.with, &environment, &used, &asked))
        {
            return None;
        }
        let done = Done {
            unit: Stored::get(&mut from)?,
            text: Stored::get(&mut from)?,
            diagnostics: Stored::get(&mut from)?,
            unknown_calls: Stored::get(&mut from)?,
            customizable: Stored::get(&mut from)?,
            used,
            asked,
        };
        let expansions = Stored::get(&mut from)?;
        from.is_empty().then(|| {
            *recorder = expansions;
            done
        })
    }

    /// Keeps what became of a text.
    pub(super) fn keep(&self, job: &Job, done: &Done, recorder: &ExpansionRecorder) {
        let mut to = Writer::new(self.sources, recorder);
        let Done { unit, text, diagnostics, unknown_calls, customizable, used, asked } = done;
        used.put(&mut to);
        asked.put(&mut to);
        unit.put(&mut to);
        text.put(&mut to);
        diagnostics.put(&mut to);
        unknown_calls.put(&mut to);
        customizable.put(&mut to);
        recorder.put(&mut to);
        let mut bytes = self.environment.0.to_vec();
        bytes.push(u8::from(to.foreign()));
        bytes.extend(to.finish());
        self.cache.put(&self.job_key(job), &bytes);
    }

    /// Is all that a text used and asked for what it was in an earlier environment?
    fn holds(&self, with: With, environment: &Key, used: &str, asked: &Asked) -> bool {
        let Some(differences) = self.differences(environment) else { return false };
        let difference = &differences[slot(with)];
        // Where a line is told, text before it counts that is no part of a definition.
        let same = |name: &str| name != "__line__" && !difference.changed.contains(name);
        used.lines().all(same) && !difference.appeared.iter().any(|it| asked.may_hold(it))
    }

    fn differences(&self, environment: &Key) -> Option<Arc<[Difference; 2]>> {
        let mut known = self.differences.lock().unwrap_or_else(PoisonError::into_inner);
        let compare = || {
            let now = self.definitions.get_or_init(|| self.definitions_of(&self.environment));
            let [new_support, new_interfaces] = now.as_ref()?;
            let [support, interfaces] = self.definitions_of(environment)?;
            let both = [compare(&support, new_support), compare(&interfaces, new_interfaces)];
            Some(Arc::new(both))
        };
        known.entry(*environment).or_insert_with(compare).clone()
    }

    fn definitions_of(&self, environment: &Key) -> Option<Definitions> {
        let bytes = self.cache.get(&self.definitions_key(environment))?;
        let mut from = self.reader(&bytes, &ExpansionRecorder::default())?;
        Some([Stored::get(&mut from)?, Stored::get(&mut from)?])
    }

    /// Hashes of all definitions: their texts, and where these stand.
    fn hashes(&self, machine: &Machine) -> Vec<(String, u64)> {
        let hash = |text: Option<&Text>, (least, most): (u16, u16)| {
            let mut key = KeyMaker::of("definition");
            key.number(u64::from(least));
            key.number(u64::from(most));
            text.into_iter().for_each(|it| self.add_text(&mut key, it, false));
            let [a, b, c, d, e, f, g, h, ..] = key.finish().0;
            u64::from_le_bytes([a, b, c, d, e, f, g, h])
        };
        let definitions: Vec<_> = machine.definitions().collect();
        let mut all: Vec<(String, u64)> = definitions
            .into_par_iter()
            .map(|(name, text, arity)| (name.to_owned(), hash(text, arity)))
            .collect();
        all.sort_unstable();
        all
    }

    fn key(&self, what: &str) -> Key {
        let mut key = KeyMaker::of(what);
        key.bytes(&self.environment.0);
        key.finish()
    }

    fn definitions_key(&self, environment: &Key) -> Key {
        let mut key = KeyMaker::of("definitions");
        key.bytes(&environment.0);
        key.finish()
    }

    fn job_key(&self, job: &Job) -> Key {
        let mut key = KeyMaker::of("text");
        key.bytes(&self.settings.0);
        key.number(slot(job.with) as u64);
        key.number(u64::from(job.what == What::FileContexts));
        job.text.iter().for_each(|it| self.add_text(&mut key, it, true));
        key.finish()
    }

    /// The bytes of a text and the places they came from; `expansions` are those of the build.
    fn add_text(&self, key: &mut KeyMaker, text: &Text, expansions: bool) {
        key.bytes(&text.bytes);
        key.number(text.origins.len() as u64);
        let mut last = None;
        for &(start, span) in &text.origins {
            key.number(u64::from(start));
            let place = self.sources.locate(span.pos).filter(|_| span.pos != Pos(0));
            if let Some((file, offset)) = place {
                if last != Some(file) {
                    key.bytes(self.sources.file(file).path.as_bytes());
                }
                last = Some(file);
                key.number(offset as u64);
            }
            if expansions {
                key.number(u64::from(span.expansion.0));
            }
        }
    }
}

/// Files that only texts of their own are made of.
fn alone(path: &str) -> bool {
    let around = ["users", "constraints", "global_booleans", "global_tunables"];
    path.ends_with(".te")
        || path.ends_with(".fc")
        || around.iter().any(|it| path.strip_suffix(it).is_some_and(|it| it.ends_with("policy/")))
        || path.contains("config/appconfig")
}

fn slot(with: With) -> usize {
    match with {
        With::Support => 0,
        With::Interfaces => 1,
    }
}

/// Compares two sorted lists of definitions.
fn compare(old: &[(String, u64)], new: &[(String, u64)]) -> Difference {
    let old: FxHashMap<&str, u64> = old.iter().map(|it| (it.0.as_str(), it.1)).collect();
    let mut found = Difference::default();
    let mut kept = 0;
    for (name, hash) in new {
        match old.get(name.as_str()) {
            Some(before) => {
                kept += 1;
                if before != hash {
                    found.changed.insert(name.clone());
                }
            }
            None => found.appeared.push(name.clone()),
        }
    }
    if kept < old.len() {
        let new: FxHashSet<&str> = new.iter().map(|it| it.0.as_str()).collect();
        found.appeared.extend(old.keys().filter(|it| !new.contains(*it)).map(|&it| it.to_owned()));
    }
    found.changed.extend(found.appeared.iter().cloned());
    found
}

impl Stored for CustomizableTypes {
    fn put(&self, to: &mut Writer<'_>) {
        self.names().put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Vec::get(from).map(Self::of_names)
    }
}
