//! Does the policy allow a context?

use mandate_policydb::{Context, ContextError, Datum, PolicyDb, SymbolTable};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::text::Text;
use rustc_hash::FxHashMap;

use super::is_template;
use crate::near::did_you_mean;

/// What is wrong with a context.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    code: Code,
    message: String,
    help: Option<String>,
    /// Offset in the context.
    offset: usize,
}

impl Fault {
    /// The fault of the context at offset `at` of `text`.
    pub(super) fn at(self, at: usize, text: &Text) -> Diagnostic {
        let mut it = Diagnostic::error(self.code, text.span(at + self.offset), self.message);
        it.help.extend(self.help);
        it
    }
}

/// Checks contexts against a policy, each spelling once.
pub(super) struct Checker<'a> {
    policy: &'a PolicyDb,
    known: FxHashMap<(String, bool), Option<Fault>>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(policy: &'a PolicyDb) -> Self {
        Self { policy, known: FxHashMap::default() }
    }

    /// What is wrong with `context`. In a template parts that name a user are left open.
    pub(super) fn check(&mut self, context: &str, template: bool) -> Option<Fault> {
        let key = (context.to_owned(), template);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let fault = if template { self.template(context) } else { self.whole(context) };
        self.known.insert(key, fault.clone());
        fault
    }

    fn whole(&self, context: &str) -> Option<Fault> {
        let parsed: Result<Context, _> = self.policy.parse_context(context);
        parsed.err().map(|error| self.fault(context, &error))
    }

    /// Only what will not be replaced is looked at, and not whether the parts fit each other.
    fn template(&self, context: &str) -> Option<Fault> {
        let mut parts: Vec<&str> = context.splitn(4, ':').collect();
        if parts.len() < 3 {
            return self.whole(context);
        }
        let open: Vec<bool> = parts.iter().map(|it| is_template(it)).collect();
        if !open.contains(&true) {
            return self.whole(context);
        }
        let (user, role, type_) = (parts[0], parts[1], parts[2]);
        self.part(context, &self.policy.users, "user", user)
            .or_else(|| self.part(context, &self.policy.roles, "role", role))
            .or_else(|| self.part(context, &self.policy.types, "type", type_))
            .or_else(|| {
                let range = parts.drain(..).nth(3).filter(|_| self.policy.mls)?;
                self.policy.parse_range(range).err().map(|it| self.fault(context, &it))
            })
    }

    fn part<T: Datum>(
        &self,
        context: &str,
        table: &SymbolTable<T>,
        kind: &'static str,
        name: &str,
    ) -> Option<Fault> {
        if is_template(name) || table.find(name).is_some() {
            return None;
        }
        Some(self.fault(context, &ContextError::Unknown { kind, name: name.to_owned() }))
    }

    fn fault(&self, context: &str, error: &ContextError) -> Fault {
        match error {
            ContextError::Unknown { kind, name } => Fault {
                code: code(kind),
                message: format!("there is no {kind} `{name}`"),
                help: self.near(kind, name),
                offset: offset(context, name),
            },
            ContextError::Attribute(name) => Fault {
                code: Code::WrongKind,
                message: format!("`{name}` is an attribute, not a type"),
                help: None,
                offset: offset(context, name),
            },
            other => Fault {
                code: Code::InvalidContext,
                message: format!("`{context}` is not a context of the policy"),
                help: Some(other.to_string()),
                offset: 0,
            },
        }
    }

    fn near(&self, kind: &str, name: &str) -> Option<String> {
        let policy = self.policy;
        match kind {
            "user" => did_you_mean(name, policy.users.iter().map(Datum::name)),
            "role" => did_you_mean(name, policy.roles.iter().map(Datum::name)),
            "type" => {
                let types = policy.types.iter().filter(|it| !it.attribute);
                did_you_mean(name, types.map(Datum::name))
            }
            "sensitivity" => did_you_mean(name, policy.sensitivities.iter().map(Datum::name)),
            "category" => did_you_mean(name, policy.categories.iter().map(Datum::name)),
            _ => None,
        }
    }
}

fn code(kind: &str) -> Code {
    match kind {
        "user" => Code::UnknownUser,
        "role" => Code::UnknownRole,
        "type" => Code::UnknownType,
        "sensitivity" => Code::UnknownSensitivity,
        "category" => Code::UnknownCategory,
        _ => Code::InvalidContext,
    }
}

/// Where the part `name` stands in a context.
fn offset(context: &str, name: &str) -> usize {
    let mut at = 0;
    for part in context.split([':', '-', ',', '.']) {
        if part == name {
            return at;
        }
        at += part.len() + 1;
    }
    0
}
