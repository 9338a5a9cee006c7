//! The finished module: what the domain needs, in the base policy's words where it has them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;

use anyhow::{Result, bail};
use mandate_audit::explain::Explainer;
use mandate_audit::interfaces::Catalogue;
use mandate_audit::rules::Rules;
use mandate_audit::{Access, Worded, learned, worded};
use mandate_policydb::Unvalidated;
use mandate_server::Engine;

use super::super::summary::EXCESS;
use super::super::told::type_of;
use super::heard::Made;
use super::limits::Limits;
use super::{Learning, draft, paths};
use crate::interfaces;

/// What a module says.
pub(super) struct Module<'a> {
    learning: &'a Learning,
    domain: String,
    /// What the rules are for.
    wanted: Vec<Access>,
    worded: Worded,
    /// What is not granted, and why.
    pub(super) left_out: BTreeSet<String>,
}

impl<'a> Module<'a> {
    /// Of what was heard under a draft.
    pub(super) fn of(learning: &'a Learning, engine: &Engine) -> Result<Self> {
        let heard = &learning.heard;
        let limits = Limits::of(engine.db())?;
        let mut explainer = Explainer::new(engine);
        let (mut wanted, mut left_out) = (Vec::new(), BTreeSet::new());
        for access in heard.own_accesses.values() {
            let mut access = access.clone();
            for (permission, why) in limits.take(&mut access, &mut explainer, engine.db()) {
                left_out.insert(format!("{}: {why}", sentence(&access, &permission)));
            }
            wanted.extend((!access.permissions.is_empty()).then_some(access));
        }
        for access in heard.of_others.values() {
            let (what, who) = (access.permissions.join(" "), type_of(&access.scontext));
            left_out.insert(format!("{}: {who} did it", sentence(access, &what)));
        }
        let rules = learned(&wanted, engine);
        let listing = interfaces::of_base()?;
        let catalogue = Catalogue::new(&listing, engine.db());
        let worded = worded(rules, &catalogue, engine.db(), EXCESS);
        let domain = match &learning.name {
            Some(name) => format!("{name}_t"),
            None => heard.own().next().cloned().unwrap_or_default(),
        };
        Ok(Self { learning, domain, wanted, worded, left_out })
    }

    pub(super) fn domain(&self) -> &str {
        &self.domain
    }

    /// Interface calls and rules.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.worded.calls.len(), self.worded.rest.count())
    }

    /// The text and the file contexts, built and asked: all that is wanted has to be allowed by what is written.
    pub(super) fn written(&self, learning: &Learning) -> Result<(String, String)> {
        let fc = self.file_contexts();
        let te = self.text(&self.worded);
        let missing = missing(learning, &te, &fc, &self.wanted)?;
        if missing.is_empty() {
            return Ok((te, fc));
        }
        let mut more = self.worded.clone();
        more.rest.merge(missing);
        Ok((self.text(&more), fc))
    }

    fn text(&self, worded: &Worded) -> String {
        let module = self.learning.module();
        let mut text = format!("policy_module({module})\n\n");
        // Writing to a String cannot fail.
        let _ =
            writeln!(text, "# Learned by `mandate run --learn` from: {}", self.learning.command);
        for line in &self.left_out {
            let _ = writeln!(text, "# Left out: {}", line.replace('\n', " "));
        }
        text += &self.required(&worded.rest);
        if let Some(name) = &self.learning.name {
            text += "\n";
            text += &draft::domain(name);
            for kind in draft::KINDS.iter().filter(|it| self.uses(&it.type_of(name))) {
                text += "\n";
                text += &kind.declaration(name);
            }
        }
        text += &section(self.transitions());
        text += &section(worded.calls.iter().cloned());
        text += &section(worded.rest.statements());
        text
    }

    /// Was there anything of this type?
    fn uses(&self, own: &str) -> bool {
        let targets = |it: &Access| type_of(&it.tcontext) == own || type_of(&it.scontext) == own;
        self.wanted.iter().any(targets)
    }

    /// What is new in a folder of somebody else's has a type of the program's own.
    fn transitions(&self) -> Vec<String> {
        let mut classes: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (folder, class, result) in &self.learning.heard.made {
            classes.entry((folder, result)).or_default().push(class);
        }
        let each = classes.into_iter().map(|((folder, result), classes)| {
            let classes = match classes.as_slice() {
                [one] => (*one).to_owned(),
                several => format!("{{ {} }}", several.join(" ")),
            };
            format!("type_transition {} {folder}:{classes} {result};", self.domain)
        });
        each.collect()
    }

    /// What the module uses and does not declare.
    fn required(&self, rest: &Rules) -> String {
        let own: BTreeSet<String> =
            self.learning.name.as_deref().map(draft::own_types).unwrap_or_default();
        let mut types: BTreeSet<&str> = [&*self.domain].into();
        let keys = rest.allow.keys().chain(rest.xperms.keys().map(|it| &it.0));
        types.extend(keys.flat_map(|it| [&*it.source, it.target_type()]));
        let made: &BTreeSet<Made> = &self.learning.heard.made;
        types.extend(made.iter().map(|it| &*it.0));
        if self.learning.name.is_some() {
            types.insert(draft::USER);
        }
        types.retain(|it| !own.contains(*it));
        let types: String = types.iter().map(|it| format!("\ttype {it};\n")).collect();
        let role = if own.is_empty() { "" } else { "\trole user_r;\n" };
        format!("\ngen_require(`\n{types}{role}')\n")
    }

    /// Of the program, and of what it left.
    fn file_contexts(&self) -> String {
        let Some(name) = &self.learning.name else { return String::new() };
        let mut text = self.learning.program_line(name);
        // A folder's line is for what is in it, too, and comes before it.
        let mut folders: BTreeSet<&[u8]> = BTreeSet::new();
        for (path, type_) in &self.learning.heard.files {
            let slashes = path.iter().enumerate().filter(|it| *it.1 == b'/');
            let mut above = slashes.filter_map(|(at, _)| path.get(..at));
            if above.any(|it| folders.contains(it)) {
                continue;
            }
            let Ok(about) = std::fs::symlink_metadata(std::ffi::OsStr::from_bytes(path)) else {
                continue;
            };
            let kind = about.file_type();
            let mut pattern = paths::pattern(path);
            let kind = match () {
                () if kind.is_dir() => {
                    folders.insert(path);
                    pattern += "(/.*)?";
                    ""
                }
                () if kind.is_symlink() => "-l",
                () if kind.is_socket() => "-s",
                () if kind.is_fifo() => "-p",
                () => "--",
            };
            text += &paths::line(&pattern, kind, type_);
        }
        text
    }
}

/// What a built module does not allow of what is wanted.
fn missing(learning: &Learning, te: &str, fc: &str, wanted: &[Access]) -> Result<Rules> {
    let outcome = learning.build(te, fc)?;
    let Some(product) = outcome.product else {
        let found: Vec<_> = outcome.diagnostics.iter().map(|it| it.message.as_str()).collect();
        bail!("the learned module does not build: {}", found.join("; "));
    };
    let engine = Engine::new(Unvalidated::from_db(product.policy).validate()?)?;
    Ok(learned(wanted, &engine))
}

fn section(lines: impl IntoIterator<Item = String>) -> String {
    let lines: String = lines.into_iter().map(|it| it + "\n").collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

/// `read of file /etc/shadow (shadow_t)`.
fn sentence(access: &Access, permission: &str) -> String {
    let path = access.object.path.as_deref().map(mandate_audit::explain::printable);
    let path = path.map(|it| format!(" {it}")).unwrap_or_default();
    format!("{permission} of {}{path} ({})", access.tclass, type_of(&access.tcontext))
}
