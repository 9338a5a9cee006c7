//! Reading a policy and writing it at the same version gives the same bytes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::originals;
use crate::ours;
use crate::place::Place;
use crate::reference::{Flavour, Reference, VERSION};
use crate::report::{Comparison, Report};
use crate::small::Small;

/// The oldest version at which the large policies are compared; older ones expand attributes.
const OLDEST: u32 = 20;

/// Compares every policy that the originals make.
///
/// # Errors
/// When the originals fail or the report cannot be written.
pub fn run(
    place: &Place,
    references: &[Reference],
    full: bool,
    report: &mut Report<'_>,
) -> Result<()> {
    report.heading("Read and write: the same bytes")?;
    let newest = originals::newest_policy_version()?.min(VERSION);
    small_policies(place, newest, report)?;
    compile_cil(references)?;
    for reference in references {
        let every = full || reference.flavour == Flavour::Mcs;
        let oldest = if every { OLDEST } else { newest };
        downgraded(reference, oldest..=newest, report)?;
        converted(reference, oldest..=newest, report)?;
        by_secilc(reference, report)?;
        if full {
            expanded(reference, report)?;
        }
    }
    Ok(())
}

/// secilc takes longest, so it compiles all of them at the same time.
fn compile_cil(references: &[Reference]) -> Result<()> {
    std::thread::scope(|scope| {
        let compiling: Vec<_> =
            references.iter().map(|reference| scope.spawn(|| reference.by_secilc())).collect();
        for made in compiling {
            made.join().map_err(|_| anyhow::anyhow!("compiling CIL panicked"))??;
        }
        Ok(())
    })
}

fn small_policies(place: &Place, newest: u32, report: &mut Report<'_>) -> Result<()> {
    let mut comparison = Comparison::new("small policies, selinux and xen, every version");
    for small in Small::all(newest) {
        identical(&mut comparison, &small.name(), &small.build(place)?)?;
    }
    Ok(report.add(&comparison)?)
}

fn downgraded(
    reference: &Reference,
    versions: std::ops::RangeInclusive<u32>,
    report: &mut Report<'_>,
) -> Result<()> {
    let flavour = reference.flavour.name();
    let (first, last) = (versions.start(), versions.end());
    let name = format!("Reference Policy {flavour}, checkpolicy -b -c {first}..{last}");
    let mut comparison = Comparison::new(name);
    identical(&mut comparison, "as compiled", &reference.binary())?;
    for version in versions {
        let path = reference.downgraded(version)?;
        identical(&mut comparison, &format!("{flavour} at version {version}"), &path)?;
    }
    Ok(report.add(&comparison)?)
}

/// Writing at an older version is not only possible: it gives what `checkpolicy -b -c` gives.
fn converted(
    reference: &Reference,
    versions: std::ops::RangeInclusive<u32>,
    report: &mut Report<'_>,
) -> Result<()> {
    let flavour = reference.flavour.name();
    let (first, last) = (versions.start(), versions.end());
    let name =
        format!("Reference Policy {flavour}, converted to {first}..{last} as checkpolicy does");
    let mut comparison = Comparison::new(name);
    // checkpolicy reorders its tables as it reads; what it once wrote has the order of all that it writes.
    let newest = read(&reference.downgraded(VERSION)?)?;
    for version in versions {
        let query = format!("{flavour} {VERSION} to {version}");
        let theirs = read(&reference.downgraded(version)?)?;
        same_bytes(&mut comparison, &query, ours::convert(&newest, version), &theirs);
    }
    Ok(report.add(&comparison)?)
}

/// The versions without attributes in rules, 136 MB each; MLS came with the last of them.
fn expanded(reference: &Reference, report: &mut Report<'_>) -> Result<()> {
    let flavour = reference.flavour.name();
    let name = format!("Reference Policy {flavour}, read and converted below {OLDEST}");
    let mut comparison = Comparison::new(name);
    let newest = read(&reference.downgraded(VERSION)?)?;
    let first = if reference.flavour == Flavour::Standard { 15 } else { OLDEST - 1 };
    for version in first..OLDEST {
        let path = reference.downgraded(version)?;
        let theirs = read(&path)?;
        std::fs::remove_file(&path).context("removing a large policy")?;
        let query = format!("{flavour} at version {version}");
        same_bytes(&mut comparison, &query, ours::rewrite(&theirs), &theirs);
        let ours = ours::convert(&newest, version)?;
        let same = ours::same_but_for_order(&ours, &theirs)?;
        let query = || format!("{flavour} {VERSION} to {version}, rules in any order");
        comparison.equal(query, &same, &true);
    }
    Ok(report.add(&comparison)?)
}

fn by_secilc(reference: &Reference, report: &mut Report<'_>) -> Result<()> {
    let flavour = reference.flavour.name();
    let mut comparison =
        Comparison::new(format!("Reference Policy {flavour}, secilc -c {VERSION}"));
    identical(&mut comparison, flavour, &reference.by_secilc()?)?;
    Ok(report.add(&comparison)?)
}

fn identical(comparison: &mut Comparison, name: &str, path: &Path) -> Result<()> {
    let theirs = read(path)?;
    let query = format!("{name} ({})", shown(path).display());
    same_bytes(comparison, &query, ours::rewrite(&theirs), &theirs);
    Ok(())
}

fn same_bytes(comparison: &mut Comparison, query: &str, ours: Result<Vec<u8>>, theirs: &[u8]) {
    match ours {
        Ok(ours) if ours == theirs => comparison.agree(),
        Ok(ours) => {
            let at = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
            comparison.disagree(query.to_owned(), around(&ours, at), around(theirs, at));
        }
        Err(why) => {
            let theirs = format!("{} bytes", theirs.len());
            comparison.disagree(query.to_owned(), format!("{why:#}"), theirs);
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}

/// The file's name with the folder it is in.
fn shown(path: &Path) -> PathBuf {
    path.iter().rev().take(2).collect::<Vec<_>>().into_iter().rev().collect()
}

/// The length, and the bytes at the first place where two files differ.
fn around(bytes: &[u8], at: usize) -> String {
    let seen: Vec<String> = bytes.iter().skip(at).take(24).map(|b| format!("{b:02x}")).collect();
    format!("{} bytes, at {at:#x}: {}", bytes.len(), seen.join(" "))
}
