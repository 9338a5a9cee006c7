//! `seinfo`: what a policy holds.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use mandate_policydb::{PolicyDb, Target};
use mandate_query::info::{Component, InfoQuery, Summary};
use mandate_query::{QuestionError, Statements, Style};

use super::argparse::{self, Spec, Takes, Words};
use crate::{policy, suggest};

/// The words cannot be read.
const USAGE: u8 = 2;
/// The question cannot be asked.
const FAILED: u8 = 1;

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

fn specs() -> Vec<Spec> {
    let flag = |short, long| Spec { short, long, takes: Takes::Nothing };
    let letters = LETTERS.map(|(_, short, long)| Spec { short, long, takes: Takes::Perhaps });
    let words = WORDS.map(|(component, long)| {
        let takes = if component.is_xen() { Takes::Nothing } else { Takes::Perhaps };
        Spec { short: "", long, takes }
    });
    let flags = [
        flag("-h", "--help"),
        flag("", "--version"),
        flag("-x", "--expand"),
        flag("", "--flat"),
        flag("-v", "--verbose"),
        flag("", "--debug"),
        flag("", "--all"),
    ];
    flags.into_iter().chain(letters).chain(words).collect()
}

pub(crate) fn seinfo(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let words = match argparse::read(&specs(), words.get(1..).unwrap_or_default()) {
        Ok(words) => words,
        Err(message) => return usage(&message, err),
    };
    if words.has("--help") {
        write!(out, "{HELP}")?;
        return Ok(0);
    }
    if words.has("--version") {
        writeln!(out, "{}", env!("CARGO_PKG_VERSION"))?;
        return Ok(0);
    }
    let path = words.operands.first().map_or_else(policy::running, |it| Ok(PathBuf::from(it)));
    let read = path.and_then(|path| Ok((policy::load(std::slice::from_ref(&path), err)?, path)));
    let (loaded, path) = match read {
        Ok(read) => read,
        Err(why) => {
            writeln!(err, "{why:#}")?;
            return Ok(FAILED);
        }
    };
    let db = loaded.policy.db();
    let all = words.has("--all");
    let queries = queries(&words, db);
    if (all || queries.is_empty()) && !words.has("--flat") {
        writeln!(out, "Statistics for policy file: {}", path.display())?;
        print_summary(&Summary::of(db), out)?;
    }
    match print_components(db, &queries, words.has("--flat"), out)? {
        Ok(()) => Ok(0),
        Err(QuestionError::Malformed { expected, found }) => {
            usage(&format!("expected {expected}, found {found:?}"), err)
        }
        Err(error) => {
            writeln!(err, "{}", suggest::question(db, &error))?;
            Ok(FAILED)
        }
    }
}

/// What the words ask for.
fn queries(words: &Words, db: &PolicyDb) -> Vec<InfoQuery> {
    let expand = words.has("--expand");
    let here = |it: &Component| !it.is_xen() || db.target == Target::Xen;
    let asked = |component| {
        let letters = LETTERS.iter().map(|it| (it.0, it.2));
        let mut options = letters.chain(WORDS);
        let option = options.find(|it| it.0 == component)?.1;
        let wanted = words.has(option) || words.has("--all");
        let name = words.argument(option).map(str::to_owned);
        wanted.then_some(InfoQuery { component, name, expand })
    };
    Component::all().filter(here).filter_map(asked).collect()
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

/// Prints what each component holds; flat, without its number and without indentation.
fn print_components(
    db: &PolicyDb,
    queries: &[InfoQuery],
    flat: bool,
    out: &mut dyn Write,
) -> Result<Result<(), QuestionError>> {
    let statements = Statements::new(db, Style::Setools);
    for query in queries {
        let items = match query.ask(&statements) {
            Ok(items) => items,
            Err(error) => return Ok(Err(error)),
        };
        let indent = if flat { "" } else { "   " };
        if !flat {
            writeln!(out, "\n{}: {}", query.component.title(), items.len())?;
        }
        for item in &items {
            writeln!(out, "{indent}{}", item.statement.as_ref().unwrap_or(&item.name))?;
        }
    }
    Ok(Ok(()))
}

fn usage(message: &str, err: &mut dyn Write) -> Result<u8> {
    let usage = HELP.split("\n\n").next().unwrap_or_default();
    writeln!(err, "{usage}\nseinfo: error: {message}")?;
    Ok(USAGE)
}

const HELP: &str = "\
usage: seinfo [-h] [--version] [-x] [--flat] [-v] [--debug] [-a [ATTR]] [-b [BOOL]] [-c [CLASS]]
              [-r [ROLE]] [-t [TYPE]] [-u [USER]] [--category [CAT]] [--common [COMMON]]
              [--constrain [CLASS]] [--default [CLASS]] [--fs_use [FS_TYPE]] [--genfscon [FS_TYPE]]
              [--ibpkeycon [PKEY[-PKEY]]] [--ibendportcon [NAME]] [--initialsid [NAME]]
              [--netifcon [DEVICE]] [--nodecon [ADDR]] [--permissive [TYPE]] [--polcap [NAME]]
              [--portcon [PORTNUM[-PORTNUM]]] [--sensitivity [SENS]] [--typebounds [BOUND_TYPE]]
              [--validatetrans [CLASS]] [--all] [--ioportcon] [--iomemcon] [--pcidevicecon]
              [--pirqcon] [--devicetreecon] [policy]

Prints what a policy holds: without options, how much of each; with some, these, or the one of the name.
The policy may be a binary, CIL, a policy.conf, a package or a source tree; without one, that in force
is asked.

Options:
  -x, --expand   statements, not names
  --flat         neither numbers nor indentation
  --all          everything; for Xen also its own contexts
  -v, --debug    nothing more is told
  -h, --version  this text; the version
";
