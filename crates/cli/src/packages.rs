//! Which files the packages of a root file system have, by dpkg, rpm and Portage.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use mandate_host::links;
use mandate_label::LineError;
use mandate_label::packages::{dpkg, portage, rpm};

const DPKG: &str = "var/lib/dpkg";
const PORTAGE: &str = "var/db/pkg";
/// Where rpm has its database, on old and new systems, and the names it may have there.
const RPM: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
const RPM_FILES: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];

/// The files of packages that are there, each once, without links in the folders that lead to them, as seen from the root. What is not there is counted on `err`.
///
/// # Errors
/// A package that nobody knows, and a package manager that cannot be asked.
pub(crate) fn files(root: &Path, names: &[String], err: &mut dyn Write) -> Result<Vec<PathBuf>> {
    let mut all = BTreeSet::new();
    for name in names {
        let paths = paths(root, name, err)?;
        let mut missing = 0;
        for path in &paths {
            match links::resolve(root, Path::new(OsStr::from_bytes(path))) {
                Ok(path) => drop(all.insert(path)),
                Err(_) => missing += 1,
            }
        }
        if missing > 0 {
            writeln!(err, "{name}: {missing} of {} files are not there", paths.len())?;
        }
    }
    Ok(all.into_iter().collect())
}

/// The paths of a package, whoever manages it.
fn paths(root: &Path, name: &str, err: &mut dyn Write) -> Result<Vec<Vec<u8>>> {
    let mut asked = Vec::new();
    let managers: [(&str, Manager); 3] =
        [("dpkg", of_dpkg), ("rpm", of_rpm), ("Portage", of_portage)];
    for (manager, ask) in managers {
        match ask(root, name, err)? {
            Known::Files(paths) => return Ok(paths),
            Known::NoPackage => asked.push(manager),
            Known::NoManager => {}
        }
    }
    if asked.is_empty() {
        bail!("{} has no packages of dpkg, rpm or Portage", root.display());
    }
    bail!("{} has no package {name} in {}", root.display(), asked.join(" and "))
}

type Manager = fn(&Path, &str, &mut dyn Write) -> Result<Known>;

/// What a package manager knows of a package.
enum Known {
    Files(Vec<Vec<u8>>),
    NoPackage,
    /// It is not used on this root.
    NoManager,
}

fn of_dpkg(root: &Path, name: &str, err: &mut dyn Write) -> Result<Known> {
    let folder = root.join(DPKG).join("info");
    let Some(entries) = folder_entries(&folder)? else { return Ok(Known::NoManager) };
    let is_list = |it: &PathBuf| {
        it.file_name().and_then(OsStr::to_str).is_some_and(|it| dpkg::is_list(it, name))
    };
    let lists: Vec<PathBuf> = entries.into_iter().filter(is_list).collect();
    if lists.is_empty() {
        return Ok(Known::NoPackage);
    }
    let diversions_file = root.join(DPKG).join("diversions");
    let diversions = std::fs::read(&diversions_file).unwrap_or_default();
    let (diversions, errors) = dpkg::Diversions::parse(&diversions);
    tell(&diversions_file, &errors, err)?;
    let mut paths = Vec::new();
    for list in lists {
        let bytes = std::fs::read(&list).with_context(|| list.display().to_string())?;
        paths.extend(dpkg::paths(&bytes).map(|it| diversions.apply(name, it).into_owned()));
    }
    Ok(Known::Files(paths))
}

fn of_rpm(root: &Path, name: &str, _: &mut dyn Write) -> Result<Known> {
    let has_database = |it: &PathBuf| RPM_FILES.iter().any(|name| it.join(name).exists());
    let Some(database) = RPM.map(|it| root.join(it)).into_iter().find(has_database) else {
        return Ok(Known::NoManager);
    };
    let mut command = Command::new("rpm");
    if root != Path::new("/") {
        command.arg("--root").arg(root.canonicalize()?);
    }
    let printed = match command.args(["-q", "-l", "--", name]).env("LC_ALL", "C").output() {
        Ok(printed) => printed,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "{} is a database of rpm, but there is no program rpm to ask it: install rpm",
            database.display()
        ),
        Err(error) => return Err(error).context("rpm"),
    };
    if !printed.status.success() {
        return Ok(Known::NoPackage);
    }
    Ok(Known::Files(rpm::paths(&printed.stdout).map(<[u8]>::to_vec).collect()))
}

fn of_portage(root: &Path, name: &str, err: &mut dyn Write) -> Result<Known> {
    let Some(categories) = folder_entries(&root.join(PORTAGE))? else {
        return Ok(Known::NoManager);
    };
    let mut found = None;
    for category in categories {
        for package in folder_entries(&category)?.unwrap_or_default() {
            let text = |it: &Path| it.file_name().and_then(OsStr::to_str).map(str::to_owned);
            let (Some(group), Some(folder)) = (text(&category), text(&package)) else { continue };
            if !portage::is_package(&group, &folder, name) {
                continue;
            }
            let file = package.join("CONTENTS");
            let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
            let (paths, errors) = portage::paths(&bytes);
            tell(&file, &errors, err)?;
            let paths = paths.into_iter().map(<[u8]>::to_vec);
            found.get_or_insert_with(Vec::new).extend(paths);
        }
    }
    Ok(found.map_or(Known::NoPackage, Known::Files))
}

/// What is in a folder, sorted; none if it is no folder.
fn folder_entries(folder: &Path) -> Result<Option<Vec<PathBuf>>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| folder.display().to_string()),
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|it| it.map(|it| it.path()))
        .collect::<Result<_, _>>()
        .with_context(|| folder.display().to_string())?;
    paths.sort();
    Ok(Some(paths))
}

fn tell(file: &Path, errors: &[LineError], err: &mut dyn Write) -> Result<()> {
    for error in errors {
        writeln!(err, "{}:{error}; the line is left out", file.display())?;
    }
    Ok(())
}
