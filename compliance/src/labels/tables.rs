//! The smaller tables, Debian's and generated ones: devices, X, databases, logins.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use mandate_label::media::Media;
use mandate_label::sepgsql::{self, SepgsqlContexts};
use mandate_label::seusers::Seusers;
use mandate_label::x::{self, XContexts};

use super::Size;
use super::oracle::Oracle;
use crate::compile::original::Original;
use crate::compile::setting::Setting;
use crate::place::{Place, run as run_program};
use crate::random::Random;
use crate::report::{Comparison, Report};

/// Generated tables of each kind: in CI, and at full size.
const TABLES: (usize, usize) = (20, 200);
/// Names asked of each table.
const NAMES: usize = 100;

const X_KINDS: [&str; 7] =
    ["property", "extension", "client", "event", "selection", "poly_property", "poly_selection"];
const DB_KINDS: [&str; 12] = [
    "db_database",
    "db_schema",
    "db_table",
    "db_column",
    "db_sequence",
    "db_view",
    "db_procedure",
    "db_blob",
    "db_tuple",
    "db_language",
    "db_exception",
    "db_datatype",
];
/// Pieces of names, and of globs.
const PIECES: [&str; 12] = [
    "a",
    "b",
    ".",
    "_SELINUX_",
    "CUT_BUFFER",
    "0",
    "1",
    "pg_catalog",
    "PRIMARY",
    "cdrom",
    "disk",
    "-",
];
const GLOBS: [&str; 12] =
    ["*", "*", "?", "[ab]", "[!a]", "[0-9]", "[[:alpha:]]", "\\a", "[a", "[]a]", "\\*", "[^b-c]"];
/// Logins that Debian always has, one that it has not, and what no login is.
const LOGINS: [&str; 8] =
    ["root", "daemon", "nobody", "www-data", "nosuchlogin", "%root", "__default__", ""];

/// A kind of table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Media,
    X,
    Database,
    Seusers,
}

impl Kind {
    /// How the C program calls it.
    fn mode(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::X => "x",
            Self::Database => "db",
            Self::Seusers => "seuser",
        }
    }

    /// Where a build has Debian's.
    fn file(self) -> &'static str {
        match self {
            Self::Media => "appconfig/files/media",
            Self::X => "appconfig/x_contexts",
            Self::Database => "appconfig/sepgsql_contexts",
            Self::Seusers => "seusers",
        }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Self::X => &X_KINDS,
            Self::Database => &DB_KINDS,
            Self::Media | Self::Seusers => &[],
        }
    }
}

pub(super) fn run(place: &Place, size: &Size, report: &mut Report<'_>) -> Result<()> {
    report.heading("Labels: devices, X, databases, logins")?;
    let oracle = Oracle::installed(place)?;
    let folder = place.work.join("labels").join("small");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    // libselinux asks this whether there are ranges
    std::fs::write(folder.join("mls"), "1").context("writing mls")?;
    let built = Original::build(place, Setting::DEBIAN)?;
    let mut random = Random::new(size.seed);
    let groups = groups()?;
    for kind in [Kind::Media, Kind::X, Kind::Database, Kind::Seusers] {
        let tables = size.of(TABLES);
        let name = format!("{}: Debian's and {tables} generated tables", kind.mode());
        let mut case = Case {
            kind,
            folder: &folder,
            oracle: &oracle,
            groups: &groups,
            comparison: Comparison::new(format!("{name}: {}", oracle.name)),
        };
        let debian = std::fs::read_to_string(built.file(kind.file())).context("Debian's table")?;
        case.compare(&debian, &mut random)?;
        for _ in 0..tables {
            let text = draft(kind, &mut random);
            case.compare(&text, &mut random)?;
        }
        report.add(&case.comparison.done())?;
    }
    Ok(())
}

/// Which groups each login is in.
fn groups() -> Result<Vec<Vec<String>>> {
    let of = |login: &&str| {
        let Ok(output) = run_program(Command::new("id").args(["-Gn", "--", login])) else {
            return Vec::new();
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split_whitespace().map(str::to_owned).collect()
    };
    Ok(LOGINS.iter().map(of).collect())
}

struct Case<'a> {
    kind: Kind,
    folder: &'a Path,
    oracle: &'a Oracle,
    groups: &'a [Vec<String>],
    comparison: Comparison,
}

impl Case<'_> {
    fn compare(&mut self, text: &str, random: &mut Random) -> Result<()> {
        let file = self.folder.join("seusers");
        std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        let names = self.names(text, random);
        let mut records = Vec::new();
        for (number, name) in &names {
            records.push(b'A' + number);
            records.extend_from_slice(name.as_bytes());
            records.push(0);
        }
        let path = if self.kind == Kind::Seusers { self.folder } else { &file };
        let told = self.oracle.ask_bytes(self.kind.mode(), path, &records, 1)?;
        let theirs = told.answers;
        let ours = names.iter().map(|(number, name)| self.ours(text, *number, name));
        for (((number, name), ours), theirs) in
            names.iter().zip(ours.collect::<Vec<_>>()).zip(theirs)
        {
            let query = || format!("{number} {name:?} of {text:?}");
            self.comparison.equal(query, &ours, &theirs);
        }
        Ok(())
    }

    /// Kinds by their number, and names: some as the table has them, some not.
    fn names(&self, text: &str, random: &mut Random) -> Vec<(u8, String)> {
        let kinds = self.kind.words().len();
        let words: Vec<&str> = text.split_whitespace().collect();
        let name = |random: &mut Random| {
            let own = random.pick(&words).copied().unwrap_or_default();
            match (self.kind, random.below(3)) {
                (Kind::Seusers, _) => random.pick(&LOGINS).copied().unwrap_or_default().to_owned(),
                (_, 0) => own.replace(['*', '?'], "a"),
                _ => (0..random.below(4)).filter_map(|_| random.pick(&PIECES).copied()).collect(),
            }
        };
        let first = u8::from(kinds > 0);
        let number = |random: &mut Random| first + u8::try_from(random.below(kinds)).unwrap_or(0);
        (0..NAMES).map(|_| (number(random), name(random))).collect()
    }

    fn ours(&self, text: &str, number: u8, name: &str) -> String {
        let (bytes, name) = (text.as_bytes(), name.as_bytes());
        let word = self.kind.words().get(usize::from(number).wrapping_sub(1));
        let word = word.map_or(&b""[..], |it| it.as_bytes());
        let found = match self.kind {
            Kind::Media => Media::parse(bytes).0.lookup(name).map(<[u8]>::to_vec),
            Kind::X => x::Kind::parse(word)
                .and_then(|it| XContexts::parse(bytes).0.lookup(it, name).map(<[u8]>::to_vec)),
            Kind::Database => sepgsql::Kind::parse(word).and_then(|it| {
                SepgsqlContexts::parse(bytes).0.lookup(it, name).map(<[u8]>::to_vec)
            }),
            Kind::Seusers => Some(self.seuser(bytes, name)),
        };
        found.map_or("!2".to_owned(), |it| String::from_utf8_lossy(&it).into_owned())
    }

    fn seuser(&self, table: &[u8], name: &[u8]) -> Vec<u8> {
        let (table, _) = Seusers::parse(table);
        let login = LOGINS.iter().position(|it| it.as_bytes() == name);
        let groups = login.and_then(|it| self.groups.get(it)).map_or(&[][..], Vec::as_slice);
        let found = table.lookup(name, |group| groups.iter().any(|it| it.as_bytes() == group));
        match found {
            Some(it) => [it.user, b" ", it.range.unwrap_or(b"-")].concat(),
            None => [name, b" -"].concat(),
        }
    }
}

fn draft(kind: Kind, random: &mut Random) -> String {
    let mut text = String::new();
    for number in 0..random.between(1, 12) {
        let line = match kind {
            Kind::Seusers => login(random, number),
            _ => labelled(kind, random, number),
        };
        let _never_fails = writeln!(text, "{line}");
    }
    text
}

fn labelled(kind: Kind, random: &mut Random, number: usize) -> String {
    let word = random.pick(kind.words()).copied().unwrap_or_default();
    let mut glob = String::new();
    for _ in 0..random.between(1, 3) {
        let list = if random.chance(50) { &PIECES } else { &GLOBS };
        glob += random.pick(list).copied().unwrap_or_default();
    }
    let (before, context) = (["", " ", "\t"], format!("u:r:t{number}:s0"));
    let before = random.pick(&before).copied().unwrap_or_default();
    match random.below(12) {
        0 => format!("#{word} {glob} {context}"),
        1 => String::new(),
        // devices have no globs but the star
        _ if kind == Kind::Media && random.chance(20) => format!("{before}* {context}"),
        _ => format!("{before}{word} {glob}\t {context}"),
    }
}

fn login(random: &mut Random, number: usize) -> String {
    const NAMES: [&str; 12] = [
        "root",
        "daemon",
        "nobody",
        "__default__",
        "%root",
        "%daemon",
        "%nogroup",
        "%www-data",
        "%nosuchgroup",
        "nosuchlogin",
        "%",
        "",
    ];
    let name = random.pick(&NAMES).copied().unwrap_or_default();
    match random.below(14) {
        0 => format!("# {name}:u{number}:s0"),
        1 => format!("{name}:u{number}"),
        2 => format!("{name}:u{number} :s0"),
        3 => format!("{name}:u{number}:"),
        4 => format!("{name}::s0"),
        5 => name.to_owned(),
        6 => format!("  {name}:u{number}:s0-s0:c0.c3 more"),
        7 => String::new(),
        _ => format!("{name}:u{number}:s0-s0:c0.c1023"),
    }
}
