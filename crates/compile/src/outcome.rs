//! What a build takes and gives.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use mandate_policydb::{PolicyDb, RulePlace};
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::kernel::{RequireKind, Unit};
use mandate_syntax::source::{Expansions, SourceMap, Span};

/// Files by their path relative to the root of a source tree, with `/` between names.
pub type SourceTree = BTreeMap<String, Arc<[u8]>>;

/// What a build gave.
#[derive(Debug, Default)]
pub struct Outcome {
    /// All files that were read; positions are in it.
    pub sources: SourceMap,
    /// The macro expansions that spans refer to.
    pub expansions: Expansions,
    /// What was found, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The result; none after an error.
    pub product: Option<Product>,
    /// Modules that were checked by themselves, to be packaged.
    pub modules: Vec<ModuleUnit>,
}

/// A module by itself.
#[derive(Debug)]
pub struct ModuleUnit {
    /// Its name.
    pub name: String,
    /// What it says, expanded.
    pub unit: Unit,
    /// Is it for a policy with MLS?
    pub mls: bool,
    /// Its file contexts.
    pub file_contexts: Vec<u8>,
}

impl Outcome {
    /// Is there an error among the diagnostics?
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|it| it.severity == Severity::Error)
    }
}

/// A compiled policy and the files that go with it.
#[derive(Debug)]
pub struct Product {
    /// The policy.
    pub policy: PolicyDb,
    /// Where its rules were written.
    pub origins: RuleOrigins,
    /// Optional blocks that were left out, and why.
    pub disabled: Vec<DisabledOptional>,
    /// The other files, by the path below the output folder: `file_contexts`, `homedir_template`, `seusers`, `users_extra`,
    /// `customizable_types`, `appconfig/…`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The types, attributes, roles and booleans that a source tree declares, and where; of other inputs nothing.
    pub declarations: Vec<Declaration>,
}

/// A name that a source declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Of what kind: [`RequireKind::Type`], `Attribute`, `Role` or `Boolean`.
    pub kind: RequireKind,
    /// The name.
    pub name: String,
    /// Where it stands; the calls that brought it there lead to the module.
    pub span: Span,
}

/// An optional block whose requirements are not met.
#[derive(Clone, Debug)]
pub struct DisabledOptional {
    /// The block's first word.
    pub span: Span,
    /// The first name that is missing: `type foo_t`, `permission quux of class file`.
    pub missing: String,
    /// Where it is required.
    pub required: Span,
}

/// The statements behind each rule: what a rule of the binary was merged from.
#[derive(Clone, Debug, Default)]
pub struct RuleOrigins {
    /// Of [`PolicyDb::rules`], sorted by rule.
    pub rules: Vec<RuleOrigin>,
    /// Of the rules of [`PolicyDb::conditionals`]: index of the conditional, branch, then as above, sorted.
    pub conditional: Vec<(u32, bool, RuleOrigin)>,
    /// Of [`PolicyDb::role_allows`] (index, where).
    pub role_allows: Vec<(u32, Span)>,
    /// Of [`PolicyDb::role_transitions`].
    pub role_transitions: Vec<(u32, Span)>,
    /// Of [`PolicyDb::range_transitions`].
    pub range_transitions: Vec<(u32, Span)>,
    /// Of constraints: (class value, index in its list).
    pub constraints: Vec<(u32, u32, Span)>,
}

impl RuleOrigins {
    /// The statements behind a type enforcement rule.
    pub fn of(&self, rule: RulePlace) -> impl Iterator<Item = &RuleOrigin> {
        let (plain, conditional): (&[_], &[_]) = match rule {
            RulePlace::Unconditional(index) => (equal(&self.rules, |it| it.rule.cmp(&index)), &[]),
            RulePlace::Conditional { block, when, rule } => {
                let key = |it: &(u32, bool, RuleOrigin)| {
                    (it.0, it.1, it.2.rule).cmp(&(block, when, rule))
                };
                (&[], equal(&self.conditional, key))
            }
        };
        plain.iter().chain(conditional.iter().map(|it| &it.2))
    }
}

/// The entries of a sorted list that are equal to what `order` compares with.
fn equal<T>(list: &[T], order: impl Fn(&T) -> Ordering) -> &[T] {
    let from = list.partition_point(|it| order(it) == Ordering::Less);
    let length = list[from..].partition_point(|it| order(it) == Ordering::Equal);
    &list[from..from + length]
}

/// One statement behind a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleOrigin {
    /// Index of the rule in its list.
    pub rule: u32,
    /// Permission bits this statement gives (of a dontaudit: those it does not audit); all bits for type rules and extended permissions.
    pub permissions: u32,
    /// The statement.
    pub span: Span,
}
