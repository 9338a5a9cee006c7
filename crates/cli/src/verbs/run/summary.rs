//! What a run was denied, explained at its end: the same denials together, why, and what would mend it.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use mandate_audit::explain::{Explainer, Explanation, Fix, Group, group_counted, happened, quoted};
use mandate_audit::interfaces::Catalogue;
use mandate_audit::rules::Rules;
use mandate_audit::{Access, worded};
use mandate_label::file_contexts::FileContexts;
use mandate_policydb::PolicyDb;
use mandate_server::{Engine, SecurityServer};
use serde_json::Value;

use super::goals;
use crate::verbs::explain::json;
use crate::{DENIED, FAINT, STRONG, interfaces, sources, styled};

/// So many kinds of denials are explained to people; whoever has more reads the records.
const MOST: usize = 10;

/// What explanations of a run are made with.
pub(super) struct Knowledge<'a> {
    pub(super) file_contexts: &'a FileContexts,
    /// The file that they were read from, if it was named.
    pub(super) labels: Option<&'a Path>,
    /// The policy is the embedded one, whose interfaces are known.
    pub(super) embedded: bool,
}

/// The same denials, and what is told of them.
struct Explained<'a> {
    group: Group<'a>,
    explanation: Explanation,
    /// What would mend it in a module, if rules do: calls of interfaces that grant hardly more, and rules.
    module: Vec<String>,
}

impl Knowledge<'_> {
    /// A line for each kind of denial, with its cause and the best fix.
    pub(super) fn print(
        &self,
        server: &SecurityServer,
        kinds: &[(Access, usize)],
        err: &mut dyn Write,
    ) -> Result<()> {
        let all = server.with_engine(|engine| self.explained(engine, kinds));
        let first = || all.iter().take(MOST);
        first().try_for_each(|it| self.print_group(it, err))?;
        if self.embedded && first().any(|it| matches!(it.best(), Some(Fix::Rules(_)))) {
            let hint = "rules and interfaces go into a module, NAME.te, which --policy NAME.te adds to the base policy; --learn writes one";
            writeln!(err, "mandate: {}", styled(FAINT, hint))?;
        }
        if all.len() > MOST {
            let more = all.len() - MOST;
            writeln!(
                err,
                "mandate: {more} more kinds: --audit FILE keeps all for mandate explain"
            )?;
        }
        Ok(())
    }

    /// The same for programs: docs/explain.md tells the shape.
    pub(super) fn as_json(&self, server: &SecurityServer, kinds: &[(Access, usize)]) -> Vec<Value> {
        server.with_engine(|engine| {
            let all = self.explained(engine, kinds);
            all.iter().map(|it| json::group(&it.group, &it.explanation)).collect()
        })
    }

    fn explained<'a>(&self, engine: &Engine, kinds: &'a [(Access, usize)]) -> Vec<Explained<'a>> {
        let base = self.embedded.then(sources::base_policy);
        let bound = base.and_then(|it| goals::of(&it, engine.db()).ok()).unwrap_or_default();
        let explainer =
            || Explainer::new(engine).with_file_contexts(self.file_contexts).with_bound(&bound);
        let mut plain = explainer();
        let groups = group_counted(kinds.iter().map(|(it, count)| (it, *count)), &mut plain);
        let mut all: Vec<Explained<'a>> = groups
            .into_iter()
            .map(|group| Explained {
                explanation: plain.explain(group.first),
                group,
                module: Vec::new(),
            })
            .collect();
        // Interfaces take time to read: only where a rule would be written else.
        let ruled = all.iter().any(|it| it.rules().is_some());
        let listing = (self.embedded && ruled).then(|| interfaces::of_base().ok()).flatten();
        let catalogue = listing.map(|it| Catalogue::new(&it, engine.db()));
        let mut explainer = explainer();
        if let Some(catalogue) = &catalogue {
            explainer = explainer.with_interfaces(catalogue);
        }
        for it in all.iter_mut().filter(|it| it.rules().is_some()) {
            it.explanation = explainer.explain(it.group.first);
            it.module = it
                .rules()
                .map(|it| in_words(it, catalogue.as_ref(), engine.db()))
                .unwrap_or_default();
        }
        all.sort_by_key(|it| std::cmp::Reverse(it.group.count));
        all
    }

    fn print_group(&self, it: &Explained<'_>, err: &mut dyn Write) -> Result<()> {
        let Explained { group, explanation, .. } = it;
        let count = styled(STRONG, &format!("{}×", group.count));
        writeln!(err, "mandate: {count} {}", happened(group.first))?;
        if let Some(cause) = explanation.cause() {
            writeln!(err, "mandate:   {}  {}", styled(DENIED, "cause"), cause.sentence())?;
        }
        let lines = it.best().map(|fix| self.lines(fix, &it.module)).unwrap_or_default();
        for (at, line) in lines.iter().enumerate() {
            let head = if at == 0 { "fix" } else { "   " };
            writeln!(err, "mandate:   {head}    {}", styled(STRONG, line))?;
        }
        if let (true, Some(refusal)) = (lines.is_empty(), explanation.refused.first()) {
            let place = &refusal.place;
            writeln!(err, "mandate:   no fix: the policy forbids such a rule at {place}")?;
        }
        Ok(())
    }

    /// A fix as it is typed for a run.
    fn lines(&self, fix: &Fix, module: &[String]) -> Vec<String> {
        match fix {
            Fix::Booleans(set) => {
                let each = set.iter();
                let each = each
                    .map(|(name, on)| format!("--set {name}={}", if *on { "on" } else { "off" }));
                vec![each.collect::<Vec<_>>().join(" ")]
            }
            Fix::Relabel { path, whole, .. } => vec![self.relabel(path, *whole)],
            Fix::Rules(_) => module.to_vec(),
            other => other.lines(),
        }
    }

    /// A label is the file's own, or was settled in this run and is forgotten with it.
    fn relabel(&self, path: &str, whole: bool) -> String {
        let mut label = [0_u8; 4096];
        let own = rustix::fs::lgetxattr(path, "security.selinux", &mut label).is_ok();
        let path = quoted(path);
        if !own {
            return format!(
                "run it again: {path} got its label in this run, or keeps it in --state"
            );
        }
        let from = self.labels.map(|it| format!(" -f {}", quoted(&it.display().to_string())));
        let force = if whole { " -F" } else { "" };
        format!("mandate label restore{force}{} {path}", from.unwrap_or_default())
    }
}

impl Explained<'_> {
    fn rules(&self) -> Option<&Rules> {
        self.explanation.fixes.iter().find_map(|it| match it {
            Fix::Rules(rules) => Some(rules),
            _ => None,
        })
    }

    /// The first fix; of an interface, the rules that it stands before, which are said in words of their own.
    fn best(&self) -> Option<&Fix> {
        let is_interface = |it: &&Fix| matches!(it, Fix::Interface { .. });
        self.explanation.fixes.iter().find(|it| !is_interface(it))
    }
}

/// An interface may grant so many permissions that nobody asked for, to be better than a rule.
pub(super) const EXCESS: u64 = 16;

fn in_words(rules: &Rules, catalogue: Option<&Catalogue>, db: &PolicyDb) -> Vec<String> {
    let Some(catalogue) = catalogue else { return rules.statements() };
    let said = worded(rules.clone(), catalogue, db, EXCESS);
    [said.calls, said.rest.statements()].concat()
}
