//! `seinfo`: what a policy holds.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use mandate_policydb::{PolicyDb, RoleDatum, Target};
use mandate_query::info::{Component, InfoQuery, Item, Summary};
use mandate_query::{QuestionError, Statements, Style};

use super::argparse::{FAILED, Program, Takes, Words, flag, with};
use crate::{policy, suggest};

/// The roles that a type may have.
const ROLE_TYPES: &str = "--role_types";

/// The options that have a letter.
const LETTERS: [(Component, &str, &str); 6] = [
    (Component::Attribute, "-a", "--attribute"),
    (Component::Boolean, "-b", "--bool"),
    (Component::Class, "-c", "--class"),
    (Component::Role, "-r", "--role"),
    (Component::Type, "-t", "--type"),
    (Component::User, "-u", "--user"),
];

/// The others.
const WORDS: [(Component, &str); 22] = [
    (Component::Category, "--category"),
    (Component::Common, "--common"),
    (Component::Constrain, "--constrain"),
    (Component::Default, "--default"),
    (Component::FsUse, "--fs_use"),
    (Component::Genfscon, "--genfscon"),
    (Component::Ibpkeycon, "--ibpkeycon"),
    (Component::Ibendportcon, "--ibendportcon"),
    (Component::InitialSid, "--initialsid"),
    (Component::Netifcon, "--netifcon"),
    (Component::Nodecon, "--nodecon"),
    (Component::Permissive, "--permissive"),
    (Component::Polcap, "--polcap"),
    (Component::Portcon, "--portcon"),
    (Component::Sensitivity, "--sensitivity"),
    (Component::Typebounds, "--typebounds"),
    (Component::Validatetrans, "--validatetrans"),
    (Component::Ioportcon, "--ioportcon"),
    (Component::Iomemcon, "--iomemcon"),
    (Component::Pcidevicecon, "--pcidevicecon"),
    (Component::Pirqcon, "--pirqcon"),
    (Component::Devicetreecon, "--devicetreecon"),
];

fn program() -> Program {
    let flags = [flag("-x", "--expand"), flag("", "--flat"), flag("", "--all")];
    let letters = LETTERS.map(|(_, short, long)| with(short, long, Takes::Perhaps));
    let words = WORDS.map(|(_, long)| with("", long, Takes::Perhaps));
    let role_types = [with("", ROLE_TYPES, Takes::One)];
    let options = [&flags[..], &letters, &words, &role_types].concat();
    Program { name: "seinfo", help: HELP, options, operands: 1 }
}

pub(crate) fn seinfo(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let program = program();
    let words = match program.read(words, out, err)? {
        ControlFlow::Continue(words) => words,
        ControlFlow::Break(code) => return Ok(code),
    };
    let asked = Asked::of(words);
    if let Some(why) = asked.fault() {
        return program.usage(&why, err);
    }
    let path = asked.policy.clone().map_or_else(policy::running, Ok);
    let read = path.and_then(|path| Ok((policy::load(std::slice::from_ref(&path), err)?, path)));
    let (loaded, path) = match read {
        Ok(read) => read,
        Err(why) => {
            writeln!(err, "{why:#}")?;
            return Ok(FAILED);
        }
    };
    let db = loaded.policy.db();
    if let Some(why) = asked.elsewhere(db, &path) {
        writeln!(err, "{why}")?;
        return Ok(FAILED);
    }
    match asked.answer(db, &path, out)? {
        Ok(()) => Ok(0),
        Err(QuestionError::Malformed { expected, found }) => {
            program.usage(&format!("expected {expected}, found {found:?}"), err)
        }
        Err(error) => {
            writeln!(err, "{}", suggest::question(db, &error))?;
            Ok(FAILED)
        }
    }
}

/// What is asked for.
struct Asked {
    words: Words,
    /// Components by their options, with the names they must have.
    components: Vec<(Component, &'static str, Option<String>)>,
    policy: Option<PathBuf>,
}

impl Asked {
    fn of(words: Words) -> Self {
        let options = LETTERS.iter().map(|it| (it.0, it.2)).chain(WORDS);
        let asked = options.filter(|it| words.has(it.1));
        let name = |option| words.argument(option).map(str::to_owned);
        let mut components: Vec<_> = asked.map(|it| (it.0, it.1, name(it.1))).collect();
        let policy = words.operands.first().map(PathBuf::from);
        let policy = policy.or_else(|| misread(&mut components));
        Self { words, components, policy }
    }

    /// Options of Xen, or of Linux alone.
    fn options(&self, wanted: impl Fn(Component) -> bool) -> String {
        let options = self.components.iter().filter(|it| wanted(it.0)).map(|it| it.1);
        options.collect::<Vec<_>>().join(", ")
    }

    fn fault(&self) -> Option<String> {
        let (linux, xen) = (self.options(is_linux), self.options(Component::is_xen));
        let both = !linux.is_empty() && !xen.is_empty();
        both.then(|| {
            format!("SELinux arguments ({linux}) cannot be combined with Xen arguments ({xen}).")
        })
    }

    /// What a policy that is not for Xen cannot be asked.
    fn elsewhere(&self, db: &PolicyDb, path: &Path) -> Option<String> {
        let xen = self.options(Component::is_xen);
        let asked = !xen.is_empty() && db.target != Target::Xen;
        let path = path.display();
        asked.then(|| {
            format!("error: Xen queries specified ({xen}), but {path} is an SELinux policy.")
        })
    }

    fn queries(&self, db: &PolicyDb) -> Vec<InfoQuery> {
        let expand = self.words.has("--expand");
        let all = self.words.has("--all");
        let here = |it: &Component| !it.is_xen() || db.target == Target::Xen;
        let query = |component| {
            let asked = self.components.iter().find(|it| it.0 == component);
            let name = asked.and_then(|it| it.2.clone());
            (all || asked.is_some()).then_some(InfoQuery { component, name, expand })
        };
        Component::all().filter(here).filter_map(query).collect()
    }

    fn answer(
        &self,
        db: &PolicyDb,
        path: &Path,
        out: &mut dyn Write,
    ) -> Result<Result<(), QuestionError>> {
        let (queries, flat) = (self.queries(db), self.words.has("--flat"));
        let nothing = queries.is_empty() && !self.words.has(ROLE_TYPES);
        if (self.words.has("--all") || nothing) && !flat {
            writeln!(out, "Statistics for policy file: {}", path.display())?;
            print_summary(&Summary::of(db), out)?;
        }
        match self.items(db, &queries) {
            Ok(found) => {
                let print = |(component, items)| print_component(component, items, flat, out);
                found.iter().map(|it| (it.0, it.1.as_slice())).try_for_each(print)?;
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// What the components hold, in the order in which they are told.
    fn items(
        &self,
        db: &PolicyDb,
        queries: &[InfoQuery],
    ) -> Result<Vec<(Component, Vec<Item>)>, QuestionError> {
        let statements = Statements::new(db, Style::Setools);
        let items = queries.iter().map(|it| Ok((it.component, it.ask(&statements)?)));
        let mut found = items.collect::<Result<Vec<_>, QuestionError>>()?;
        if let Some(type_) = self.words.argument(ROLE_TYPES) {
            let expand = self.words.has("--expand");
            found.push((Component::Role, roles_of(type_, expand, &statements)?));
            found.sort_by_key(|it| it.0);
        }
        Ok(found)
    }
}

/// Is there nothing like it in a policy for Xen?
fn is_linux(component: Component) -> bool {
    use Component::{
        FsUse, Genfscon, Ibendportcon, Ibpkeycon, InitialSid, Netifcon, Nodecon, Portcon,
    };
    let linux = [FsUse, Genfscon, Ibpkeycon, Ibendportcon, InitialSid, Netifcon, Nodecon, Portcon];
    linux.contains(&component)
}

/// The policy, where it was taken for the name of a component: `seinfo -t policy.33`.
fn misread(components: &mut [(Component, &str, Option<String>)]) -> Option<PathBuf> {
    let names = components.iter_mut().map(|it| &mut it.2);
    let file = |it: &&mut Option<String>| it.as_ref().is_some_and(|it| Path::new(it).exists());
    names.into_iter().find(file)?.take().map(PathBuf::from)
}

/// The roles that a type may have; none if there is no such type, as with all other names.
fn roles_of(
    type_: &str,
    expand: bool,
    statements: &Statements<'_>,
) -> Result<Vec<Item>, QuestionError> {
    let db = statements.db();
    let Some(type_) = db.types.find(type_) else { return Ok(Vec::new()) };
    let has = |role: &&RoleDatum| role.types.has(type_.id);
    let mut items = Vec::new();
    for role in db.roles.by_name().filter(has) {
        let name = Some(role.name.to_string());
        items.extend(InfoQuery { component: Component::Role, name, expand }.ask(statements)?);
    }
    Ok(items)
}

/// The numbers of a policy, two on a line.
pub(crate) fn print_summary(summary: &Summary, out: &mut dyn Write) -> Result<()> {
    let mls = if summary.mls { "enabled" } else { "disabled" };
    writeln!(out, "Policy Version:             {} (MLS {mls})", summary.version)?;
    writeln!(out, "Target Policy:              {}", summary.target)?;
    writeln!(out, "Handle unknown classes:     {}", summary.handle_unknown)?;
    let cells: Vec<String> = summary
        .counts
        .iter()
        .map(|it| {
            // Every title has its colon at the one before.
            let width = 24usize.saturating_sub(it.title.len() + 1);
            format!("{}:{:>width$}", it.title, it.number)
        })
        .collect();
    for pair in cells.chunks(2) {
        writeln!(out, "  {}", pair.join("    "))?;
    }
    Ok(())
}

/// Prints what a component holds; flat, without its number and without indentation.
fn print_component(
    component: Component,
    items: &[Item],
    flat: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let indent = if flat { "" } else { "   " };
    if !flat {
        writeln!(out, "\n{}: {}", component.title(), items.len())?;
    }
    for item in items {
        writeln!(out, "{indent}{}", item.statement.as_ref().unwrap_or(&item.name))?;
    }
    Ok(())
}

const HELP: &str = "\
usage: seinfo [-h] [--version] [-x] [--flat] [-v] [--debug] [-a [ATTR]] [-b [BOOL]] [-c [CLASS]]
              [-r [ROLE]] [-t [TYPE]] [-u [USER]] [--category [CAT]] [--common [COMMON]]
              [--constrain [CLASS]] [--default [CLASS]] [--fs_use [FS_TYPE]] [--genfscon [FS_TYPE]]
              [--ibpkeycon [PKEY[-PKEY]]] [--ibendportcon [NAME]] [--initialsid [NAME]]
              [--netifcon [DEVICE]] [--nodecon [ADDR]] [--permissive [TYPE]] [--polcap [NAME]]
              [--portcon [PORTNUM[-PORTNUM]]] [--role_types TYPE] [--sensitivity [SENS]]
              [--typebounds [BOUND_TYPE]] [--validatetrans [CLASS]] [--all]
              [--devicetreecon [PATH]] [--iomemcon [ADDR[-ADDR]]] [--ioportcon [PORTNUM[-PORTNUM]]]
              [--pcidevicecon [DEVICE]] [--pirqcon [IRQ]] [policy]

Prints what a policy holds: without options, how much of each; with some, these, or the one of the name.
The policy may be a binary, CIL, a policy.conf, a package or a source tree; without one, that in force
is asked.

Options:
  -x, --expand   statements, not names
  --flat         neither numbers nor indentation
  --role_types T the roles that this type may have
  --all          everything; for Xen also its own contexts
  -v, --debug    nothing more is told
  -h, --version  this text; the version
";
