//! What a run was denied, explained at its end: the same denials together, why, and what would mend it.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use mandate_audit::Access;
use mandate_audit::explain::{Explainer, Explanation, Fix, Group, group_counted, happened, quoted};
use mandate_audit::interfaces::Catalogue;
use mandate_label::file_contexts::FileContexts;
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

type Explained<'a> = Vec<(Group<'a>, Explanation)>;

impl Knowledge<'_> {
    /// A line for each kind of denial, with its cause and the best fix.
    pub(super) fn print(
        &self,
        server: &SecurityServer,
        kinds: &[(Access, usize)],
        err: &mut dyn Write,
    ) -> Result<()> {
        let all = server.with_engine(|engine| self.explained(engine, kinds));
        for (group, explanation) in all.iter().take(MOST) {
            self.print_group(group, explanation, err)?;
        }
        let rules = |it: &Fix| matches!(it, Fix::Interface { .. } | Fix::Rules(_));
        let module = all.iter().take(MOST).any(|it| best(&it.1).is_some_and(rules));
        if module && self.embedded {
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
            all.iter().map(|(group, it)| json::group(group, it)).collect()
        })
    }

    fn explained<'a>(&self, engine: &Engine, kinds: &'a [(Access, usize)]) -> Explained<'a> {
        let base = self.embedded.then(sources::base_policy);
        let bound = base.and_then(|it| goals::of(&it, engine.db()).ok()).unwrap_or_default();
        let explainer =
            || Explainer::new(engine).with_file_contexts(self.file_contexts).with_bound(&bound);
        let mut plain = explainer();
        let groups = group_counted(kinds.iter().map(|(it, count)| (it, *count)), &mut plain);
        let mut all: Explained<'a> = groups
            .into_iter()
            .map(|group| {
                let explanation = plain.explain(group.first);
                (group, explanation)
            })
            .collect();
        // Interfaces take time to read: only where a rule would be written else.
        let is_rule = |it: &Fix| matches!(it, Fix::Rules(_));
        if self.embedded
            && all.iter().any(|it| it.1.fixes.iter().any(is_rule))
            && let Ok(listing) = interfaces::of_base()
        {
            let catalogue = Catalogue::new(&listing, engine.db());
            let mut explainer = explainer().with_interfaces(&catalogue);
            for (group, explanation) in &mut all {
                *explanation = explainer.explain(group.first);
            }
        }
        all.sort_by_key(|it| std::cmp::Reverse(it.0.count));
        all
    }

    fn print_group(
        &self,
        group: &Group<'_>,
        explanation: &Explanation,
        err: &mut dyn Write,
    ) -> Result<()> {
        let count = styled(STRONG, &format!("{}×", group.count));
        writeln!(err, "mandate: {count} {}", happened(group.first))?;
        if let Some(cause) = explanation.cause() {
            writeln!(err, "mandate:   {}  {}", styled(DENIED, "cause"), cause.sentence())?;
        }
        let lines = best(explanation).map(|it| self.lines(it)).unwrap_or_default();
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
    fn lines(&self, fix: &Fix) -> Vec<String> {
        match fix {
            Fix::Booleans(set) => {
                let each = set.iter();
                let each = each
                    .map(|(name, on)| format!("--set {name}={}", if *on { "on" } else { "off" }));
                vec![each.collect::<Vec<_>>().join(" ")]
            }
            Fix::Relabel { path, whole, .. } => vec![self.relabel(path, *whole)],
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

/// An interface may grant so many permissions that nobody asked for, to be better than a rule.
const EXCESS: u64 = 8;

/// The first fix, but for an interface that grants much besides.
fn best(explanation: &Explanation) -> Option<&Fix> {
    let narrow = |it: &&Fix| !matches!(it, Fix::Interface { excess, .. } if *excess > EXCESS);
    explanation.fixes.iter().find(narrow).or(explanation.fixes.first())
}
