//! Denials as rules with what a policy says of each: what audit2allow(1) prints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use mandate_policydb::PolicyDb;
use mandate_server::Engine;

use crate::Access;
use crate::explain::printable;
use crate::interfaces::{Catalogue, Wanted};
use crate::rules::{RuleKey, Rules, permissions_of, xperm_operation};
use crate::verdict::Verdict;

/// What is told before rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Print `dontaudit` rules.
    pub dontaudit: bool,
    /// Tell what each rule is about, and which programs asked.
    pub verbose: bool,
    /// Add rules for the commands of ioctls.
    pub xperms: bool,
}

/// Rules for denials. Permissions of the same source, target, class and verdict are one.
#[derive(Clone, Debug, Default)]
pub struct Allowing {
    entries: BTreeMap<(RuleKey, Verdict), Entry>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    permissions: BTreeSet<String>,
    xperms: BTreeMap<String, BTreeSet<u16>>,
    /// Program, file it executes, path.
    programs: BTreeSet<[String; 3]>,
}

impl Allowing {
    /// Of the accesses that were denied. Those whose contexts or permissions the policy does not know are left out.
    pub fn of<'a>(accesses: impl IntoIterator<Item = &'a Access>, engine: &Engine) -> Self {
        let mut this = Self::default();
        for access in accesses.into_iter().filter(|it| it.denied) {
            let Some((key, permissions)) = permissions_of(access) else { continue };
            let verdict = Verdict::of(engine, access);
            if verdict.is_about_names() {
                continue;
            }
            let entry = this.entries.entry((key, verdict)).or_default();
            entry.permissions.extend(permissions.iter().cloned());
            if let Some((operation, command)) = xperm_operation(access) {
                entry.xperms.entry(operation.to_owned()).or_default().insert(command);
            }
            let text = |it: &Option<Vec<u8>>| printable(it.as_deref().unwrap_or_default());
            let program = [text(&access.comm), text(&access.exe), text(&access.object.path)];
            entry.programs.insert(program);
        }
        this
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of it as one list of rules, with what the policy says of them as comments.
    pub fn rules(&self, style: Style) -> Rules {
        let mut rules = Rules { dontaudit: style.dontaudit, ..Rules::default() };
        for ((key, verdict), entry) in &self.entries {
            add(&mut rules, key, verdict, entry, style);
        }
        rules
    }

    /// The rules as audit2allow prints them: a heading for each source, and a rule for each verdict.
    pub fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        let mut source = None;
        for ((key, verdict), entry) in &self.entries {
            head(&mut text, &mut source, &key.source);
            let mut rules = Rules { dontaudit: style.dontaudit, ..Rules::default() };
            add(&mut rules, key, verdict, entry, style);
            let comments = rules.comments.remove(key).unwrap_or_default();
            if style.verbose {
                text.push_str(&about(key, entry));
            } else if !comments.is_empty() {
                text.push('\n');
            }
            for line in comments.iter().map(|it| format!("#{it}")).chain(rules.statements()) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }

    /// The same with calls of interfaces where one grants what is wanted, and with what they and the rules require.
    pub fn to_reference(&self, catalogue: &Catalogue, db: &PolicyDb, style: Style) -> String {
        let (mut text, mut rest) = (String::new(), Rules::default());
        let mut source = None;
        let mut types = BTreeSet::new();
        for ((key, verdict), entry) in &self.entries {
            head(&mut text, &mut source, &key.source);
            for line in verdict.comments() {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "#{line}");
            }
            let call = call_for(catalogue, db, key, &entry.permissions);
            match call.filter(|_| !style.dontaudit) {
                Some(call) => {
                    types.insert(key.source.clone());
                    let _ = writeln!(text, "{call}");
                }
                None => {
                    let mut rules = Rules { dontaudit: style.dontaudit, ..Rules::default() };
                    add(&mut rules, key, verdict, entry, style);
                    for line in rules.statements() {
                        let _ = writeln!(text, "{line}");
                    }
                    rest.merge(rules);
                }
            }
        }
        let own = rest.to_requires();
        let more = types.iter().filter(|it| !own.contains(&format!("\ttype {it};\n")));
        let more: String = more.map(|it| format!("\ttype {it};\n")).collect();
        let requires = own.replacen("require {\n", &format!("require {{\n{more}"), 1);
        format!("\n{requires}{text}")
    }
}

/// The least interface that grants these permissions and little besides.
fn call_for(
    catalogue: &Catalogue,
    db: &PolicyDb,
    key: &RuleKey,
    permissions: &BTreeSet<String>,
) -> Option<String> {
    let class = db.classes.id(&key.class)?;
    let bits = permissions.iter().map(|it| Some(db.permission(class, it)?.mask()));
    let wanted = Wanted {
        source: db.types.id(&key.source)?,
        target: db.types.id(key.target_type())?,
        class,
        permissions: bits.sum::<Option<u32>>()?,
    };
    let found = catalogue.granting(db, wanted).into_iter().next();
    found.filter(|it| it.excess <= crate::explain::MOST_EXCESS).map(|it| it.call)
}

fn head(text: &mut String, last: &mut Option<String>, source: &str) {
    if last.as_deref() != Some(source) {
        let _ = writeln!(text, "\n#============= {source} ==============");
        *last = Some(source.to_owned());
    }
}

/// What may be behind an ioctl that is allowed and was denied.
const OVERRIDDEN: &str =
    "!!!! This av rule may have been overridden by an extended permission av rule";

fn add(rules: &mut Rules, key: &RuleKey, verdict: &Verdict, entry: &Entry, style: Style) {
    rules.allow(key.clone(), entry.permissions.iter().cloned());
    if style.xperms {
        for (operation, commands) in &entry.xperms {
            let key = (key.clone(), operation.clone());
            rules.xperms.entry(key).or_default().extend(commands);
        }
    }
    let mut comments = verdict.comments();
    if *verdict == Verdict::Allowed && !entry.xperms.is_empty() {
        comments.push(OVERRIDDEN.to_owned());
    }
    if !comments.is_empty() {
        rules.comments.entry(key.clone()).or_default().extend(comments);
    }
}

/// What a rule is about.
fn about(key: &RuleKey, entry: &Entry) -> String {
    let names: Vec<&str> = entry.permissions.iter().map(String::as_str).collect();
    let permissions = match names.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("{{ {} }}", several.join(" ")),
    };
    let mut text = format!(
        "# src=\"{}\" tgt=\"{}\" class=\"{}\", perms=\"{permissions}\"\n",
        key.source,
        key.target_type(),
        key.class
    );
    for [comm, exe, path] in &entry.programs {
        let _ = writeln!(text, "# comm=\"{comm}\" exe=\"{exe}\" path=\"{path}\"");
    }
    text
}
