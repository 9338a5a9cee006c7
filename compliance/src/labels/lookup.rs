//! Paths asked of both sides: of a real tree, made from patterns, hostile; on Debian's tables and on hostile ones.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use mandate_label::FileType;
use mandate_label::file_contexts::{FileContexts, Lookup, Substitutions};

use super::oracle::{Oracle, Record};
use super::table::{self, Table};
use super::{Size, explained, hostile_tables, paths};
use crate::place::Place;
use crate::random::Random;
use crate::reference::Flavour;
use crate::report::{Comparison, Report};

/// Paths that patterns describe, of all flavours together: in CI, and at full size.
const MADE: (usize, usize) = (20_000, 42_000);
/// Of the real tree in CI; at full size all.
const REAL: usize = 20_000;
/// What is walked: every kind of file is below one of them.
const ROOTS: [&str; 5] = ["/usr", "/etc", "/var", "/dev", "/run"];
/// Hostile names.
const HOSTILE: (usize, usize) = (20_000, 100_000);
/// Names asked of one hostile table.
const OF_A_TABLE: usize = 250;
/// The slow libselinux is asked about so many of each.
const SLOW: usize = 1_000;

/// Both libselinux, and where tables are written.
struct Originals<'a> {
    place: &'a Place,
    later: Oracle,
    installed: Oracle,
}

pub(super) fn run(place: &Place, size: &Size, report: &mut Report<'_>) -> Result<()> {
    report.heading("Labels: lookups")?;
    let originals =
        Originals { place, later: Oracle::later(place)?, installed: Oracle::installed(place)? };
    let mut random = Random::new(size.seed);
    let mut words = Vec::new();
    for flavour in Flavour::ALL {
        let table = Table::debian(place, flavour)?;
        let patterns = table.patterns();
        if flavour == Flavour::Mcs {
            words = paths::words(&patterns);
            originals.real(size, &table, report)?;
            originals.partial(&table, &words, &mut random, report)?;
            originals.best(&table, &patterns, &mut random, report)?;
        }
        let many = size.of(MADE).div_ceil(Flavour::ALL.len());
        let made = paths::made(&mut random, &patterns, many);
        let name = format!("paths that the patterns of {} describe", flavour.name());
        originals.compare(&name, &table, &made, report)?;
    }
    originals.hostile(size, &words, &mut random, report)?;
    originals.hostile_tables(size, &mut random, report)
}

/// Differences that are known, by their reason.
#[derive(Default)]
struct Explained(BTreeMap<&'static str, usize>);

impl Explained {
    fn is(&mut self, table: &FileContexts, record: &Record, ours: &str, theirs: &str) -> bool {
        if ours == theirs {
            return false;
        }
        let reason = explained::reason(table, record, theirs);
        if let Some(reason) = reason {
            *self.0.entry(reason).or_default() += 1;
        }
        reason.is_some()
    }

    fn tell(&self, oracle: &Oracle, report: &mut Report<'_>) -> Result<()> {
        for (reason, many) in &self.0 {
            report.note(&format!("{many} more: {} differs about {reason}", oracle.name))?;
        }
        Ok(())
    }
}

impl Originals<'_> {
    fn folder(&self) -> std::path::PathBuf {
        self.place.work.join("labels").join("table")
    }

    fn real(&self, size: &Size, table: &Table, report: &mut Report<'_>) -> Result<()> {
        let trees = ROOTS.iter().flat_map(|root| paths::walk(Path::new(root)));
        let mut records = paths::records(&trees.collect::<Vec<_>>());
        if !size.full {
            records = paths::sample(&records, REAL);
        }
        self.compare(
            &format!("paths of a real tree ({}), mcs", ROOTS.join(" ")),
            table,
            &records,
            report,
        )
    }

    /// All of the records with the later libselinux, some with the installed one.
    fn compare(
        &self,
        name: &str,
        table: &Table,
        records: &[Record],
        report: &mut Report<'_>,
    ) -> Result<()> {
        let path = table.write(&self.folder())?;
        let ours = table.compile_all()?;
        let some = paths::sample(records, SLOW);
        for (oracle, records) in [(&self.later, records), (&self.installed, &some)] {
            let mut comparison = Comparison::new(format!("{name}: {}", oracle.name));
            let mut explained = Explained::default();
            let told = oracle.ask("lookup", &path, records)?;
            let mut lookup = Lookup::new(&ours);
            for (record, theirs) in records.iter().zip(&told.answers) {
                let own = table::ours(&mut lookup, record);
                if !(oracle.is_installed() && explained.is(&ours, record, &own, theirs)) {
                    comparison.equal(|| record.to_string(), &own, theirs);
                }
            }
            report.add(&comparison.done())?;
            explained.tell(oracle, report)?;
        }
        Ok(())
    }

    fn hostile(
        &self,
        size: &Size,
        words: &[Vec<u8>],
        random: &mut Random,
        report: &mut Report<'_>,
    ) -> Result<()> {
        let mut table = Table::debian(self.place, Flavour::Mcs)?;
        table.subs =
            b"/a /\n/srv /var/www\n/srv/data /home\n/opt/x /usr\n/opt /var/opt\n/ /usr\n".into();
        table.local = hostile_tables::local();
        let records = paths::hostile(random, words, size.of(HOSTILE) / 2);
        self.compare("hostile names, mcs with .local and .subs", &table, &records, report)
    }

    fn hostile_tables(
        &self,
        size: &Size,
        random: &mut Random,
        report: &mut Report<'_>,
    ) -> Result<()> {
        let tables = size.of(HOSTILE) / 2 / OF_A_TABLE;
        let later = format!("hostile names on {tables} hostile tables: {}", self.later.name);
        let installed = format!("hostile names on hostile tables: {}", self.installed.name);
        let (mut later, mut installed) = (Comparison::new(later), Comparison::new(installed));
        let mut explained = Explained::default();
        for _ in 0..tables {
            let table = hostile_tables::table(random);
            let records = hostile_tables::records(random, OF_A_TABLE);
            let path = table.write(&self.folder())?;
            let compiled = table.compile_all()?;
            let mut lookup = Lookup::new(&compiled);
            let ours: Vec<String> = records.iter().map(|it| table::ours(&mut lookup, it)).collect();
            let told = self.later.ask("lookup", &path, &records)?;
            for ((record, ours), theirs) in records.iter().zip(&ours).zip(&told.answers) {
                later.equal(|| hostile_tables::show(&table, record), ours, theirs);
            }
            let some = SLOW.div_ceil(tables).min(records.len());
            let told = self.installed.ask("lookup", &path, &records[..some])?;
            for ((record, ours), theirs) in records.iter().zip(&ours).zip(&told.answers) {
                if !explained.is(&compiled, record, ours, theirs) {
                    installed.equal(|| hostile_tables::show(&table, record), ours, theirs);
                }
            }
        }
        report.add(&later.done())?;
        report.add(&installed.done())?;
        explained.tell(&self.installed, report)
    }

    /// Names that paths begin with. libselinux 3.11 never answers about one that a `<<none>>` line without meta characters begins with: these are left out.
    fn partial(
        &self,
        table: &Table,
        words: &[Vec<u8>],
        random: &mut Random,
        report: &mut Report<'_>,
    ) -> Result<()> {
        let path = table.write(&self.folder())?;
        let ours = table.compile_all()?;
        let none = ours.lines().filter(|it| it.is_literal() && it.context().is_none());
        let none: Vec<String> = none.map(|it| it.pattern().replace('\\', "")).collect();
        let subs = Substitutions::parse(&table.subs_dist).0;
        let endless = |it: &Record| {
            let path = subs.apply(it.path.strip_suffix(b"/").unwrap_or(&it.path));
            none.iter().any(|none| none.as_bytes().starts_with(&path))
        };
        let mut records = paths::records(&paths::walk(Path::new("/usr/share")));
        records = paths::sample(&records, SLOW);
        records.extend(words.iter().filter(|it| it.starts_with(b"/")).map(|it| {
            let length = if random.chance(50) { it.len() } else { random.between(1, it.len()) };
            Record { kind: None, path: it[..length].to_owned() }
        }));
        records.retain(|it| !endless(it));
        let mut comparison = Comparison::new(format!("partial matches, mcs: {}", self.later.name));
        let told = self.later.ask("partial", &path, &records)?;
        let mut lookup = Lookup::new(&ours);
        for (record, theirs) in records.iter().zip(&told.answers) {
            let ours = if lookup.partial(&record.path) { "1" } else { "0" };
            comparison.equal(|| record.to_string(), &ours, &theirs.as_str());
        }
        Ok(report.add(&comparison.done())?)
    }

    /// Paths with other names.
    fn best(
        &self,
        table: &Table,
        patterns: &[(Option<FileType>, String)],
        random: &mut Random,
        report: &mut Report<'_>,
    ) -> Result<()> {
        let path = table.write(&self.folder())?;
        let ours = table.compile_all()?;
        let made = paths::made(random, patterns, 4 * SLOW);
        let made: Vec<Record> = made.into_iter().filter(|it| !it.path.contains(&b'\n')).collect();
        let mut groups: Vec<Vec<Record>> = Vec::new();
        while groups.len() < SLOW {
            let many = random.between(1, 4);
            groups.push((0..many).filter_map(|_| random.pick(&made).cloned()).collect());
        }
        let joined = groups.iter().map(|names| {
            let names: Vec<&[u8]> = names.iter().map(|it| it.path.as_slice()).collect();
            names.join(&b'\n')
        });
        let records: Vec<Record> = joined
            .zip(&groups)
            .map(|(path, names)| Record { kind: names.first().and_then(|it| it.kind), path })
            .collect();
        let mut comparison = Comparison::new(format!("best matches, mcs: {}", self.later.name));
        let told = self.later.ask("best", &path, &records)?;
        let mut lookup = Lookup::new(&ours);
        for ((record, names), theirs) in records.iter().zip(&groups).zip(&told.answers) {
            let names: Vec<&[u8]> = names.iter().map(|it| it.path.as_slice()).collect();
            let Some((first, aliases)) = names.split_first() else { continue };
            let ours = lookup.best(first, aliases, record.kind);
            let ours = ours.context().unwrap_or("!2");
            comparison.equal(|| record.to_string(), &ours, &theirs.as_str());
        }
        Ok(report.add(&comparison.done())?)
    }
}
