//! The form of the files: what TOML says, and the assertions in their order.

use std::collections::BTreeMap;

use mandate_server::Engine;
use serde::Deserialize;
use toml::Spanned;

use crate::assertions::ask::{Can, Cannot};
use crate::assertions::count::{EmptyAttribute, RuleCount};
use crate::assertions::error::Fault;
use crate::assertions::executables::ReadOnlyExecutables;
use crate::assertions::flow::NoFlow;
use crate::assertions::relabel::Relabel;
use crate::assertions::sets::{Neverallow, Only};
use crate::assertions::transition::Transition;
use crate::assertions::{AssertionError, Claim, Problem, Tested, Verdict};

/// A name, and where it stands.
pub(crate) type Name = Spanned<String>;
/// Values of booleans.
pub(crate) type Settings = BTreeMap<Name, bool>;
/// One name or several.
pub(crate) type Names = Spanned<OneOrMany>;

/// One name or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a name or a list of names")]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// An assertion with the name that every kind may have.
#[derive(Debug)]
struct Assertion {
    start: usize,
    /// From 1.
    line: u32,
    kind: &'static str,
    name: Option<String>,
    claim: Box<dyn Claim>,
}

/// The assertions of a file.
#[derive(Debug)]
pub struct AssertionFile {
    file: String,
    text: String,
    policy: Option<String>,
    build: BTreeMap<String, String>,
    assertions: Vec<Assertion>,
}

/// A table for each kind. The name of a field is the key in the file.
macro_rules! kinds {
    ($($key:ident: $kind:ident,)*) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Tables {
            policy: Option<String>,
            #[serde(default)]
            build: BTreeMap<String, String>,
            $(#[serde(default)] $key: Vec<Spanned<$kind>>,)*
        }

        impl Tables {
            fn assertions(self) -> Vec<Assertion> {
                let mut all = Vec::new();
                $(all.extend(self.$key.into_iter().map(|it| {
                    let start = it.span().start;
                    let claim = it.into_inner();
                    let name = claim.name.clone();
                    Assertion { start, line: 1, kind: stringify!($key), name, claim: Box::new(claim) }
                }));)*
                all.sort_by_key(|it| it.start);
                all
            }
        }
    };
}

kinds! {
    can: Can,
    cannot: Cannot,
    transition: Transition,
    relabel: Relabel,
    no_flow: NoFlow,
    only: Only,
    neverallow: Neverallow,
    empty_attribute: EmptyAttribute,
    read_only_executables: ReadOnlyExecutables,
    rule_count: RuleCount,
}

impl AssertionFile {
    /// Reads a file; `file` is what errors call it.
    ///
    /// # Errors
    /// What is no TOML, or has keys and values that are not those of assertions.
    pub fn parse(file: &str, text: &str) -> Result<Self, AssertionError> {
        let mut tables: Tables = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            let key = key_before(text, span.start).map_or(String::new(), |it| format!("{it}: "));
            let problem = Problem::Form(format!("{key}{}", error.message().trim_end()));
            Fault { span, problem }.in_file(file, text)
        })?;
        let (file, text) = (file.to_owned(), text.to_owned());
        let policy = tables.policy.take();
        let build = std::mem::take(&mut tables.build);
        let mut assertions = tables.assertions();
        number_lines(&text, &mut assertions);
        Ok(Self { file, text, policy, build, assertions })
    }

    /// What the file is called.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The policy that the file names.
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// How the policy is built, if it is a source tree: settings of `build.conf`.
    pub fn build(&self) -> &BTreeMap<String, String> {
        &self.build
    }

    /// How many assertions it has.
    pub fn len(&self) -> usize {
        self.assertions.len()
    }

    /// Has it none?
    pub fn is_empty(&self) -> bool {
        self.assertions.is_empty()
    }

    /// Tests a policy: a verdict for each assertion, in the order of the file.
    ///
    /// # Errors
    /// Every name in the file that means nothing in this policy.
    pub fn check(&self, engine: &Engine) -> Result<Vec<Verdict>, Vec<AssertionError>> {
        let policy = Tested::new(engine);
        let (mut verdicts, mut errors) = (Vec::new(), Vec::new());
        for it in &self.assertions {
            match it.claim.breaches(&policy) {
                Ok(breaches) => verdicts.push(Verdict {
                    line: it.line,
                    kind: it.kind,
                    name: it.name.clone(),
                    claim: it.claim.text(),
                    breaches,
                }),
                Err(fault) => errors.push(fault.or_at(it.start).in_file(&self.file, &self.text)),
            }
        }
        if errors.is_empty() { Ok(verdicts) } else { Err(errors) }
    }
}

/// Tells each assertion its line; they stand in their order in the text.
fn number_lines(text: &str, assertions: &mut [Assertion]) {
    let (mut line, mut at) = (1, 0);
    for it in assertions {
        let between = text.get(at..it.start).unwrap_or_default();
        let breaks = between.bytes().filter(|&it| it == b'\n').count();
        line = u32::try_from(breaks).map_or(u32::MAX, |it| it.saturating_add(line));
        (it.line, at) = (line, it.start);
    }
}

/// The key whose value stands here, if one does.
fn key_before(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?.trim_end().strip_suffix('=')?.trim_end();
    before.rsplit(|it: char| !(it.is_alphanumeric() || it == '_')).next()
}
