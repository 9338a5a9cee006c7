//! The files of a guest: the programs that commands use, with what these need, copied from this machine.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::super::lab::Lab;
use super::Domain;
use crate::place::run;

/// Besides what commands begin with.
const PROGRAMS: &str = "sh bash awk base64 basename cat cksum cut dirname grep head mkdir mv od rm sed sort tail tr true wc setfiles env su passwd df find tar cp ln install touch test printf";
const FILES: &str = "/etc/passwd /etc/shadow /etc/group /etc/nsswitch.conf /etc/ld.so.cache /etc/ld.so.conf /etc/sestatus.conf /etc/hostname /sbin/init";
const FOLDERS: &str = "dev etc/selinux home mnt proc root run sys tmp usr/bin usr/sbin var";
/// One tree of folders under two names (usr-merge).
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];
const PATH: [&str; 2] = ["/usr/sbin", "/usr/bin"];

/// Makes the tree.
pub(super) fn make(root: &Path, lab: &Lab) -> Result<()> {
    if root.exists() {
        fs::remove_dir_all(root).context("removing the last tree")?;
    }
    for folder in FOLDERS.split(' ') {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::set_permissions(root.join("tmp"), Permissions::from_mode(0o1777))?;
    for name in MERGED {
        ensure!(Path::new("/").join(name).is_symlink(), "/{name} is not part of /usr here");
        fs::create_dir_all(root.join("usr").join(name))?;
        symlink(format!("usr/{name}"), root.join(name))?;
    }
    let programs = programs();
    let mut files: BTreeSet<PathBuf> = FILES.split(' ').map(PathBuf::from).collect();
    files.extend(shown_by_sestatus()?);
    files.extend(programs.iter().flat_map(|it| libraries(it)));
    files.extend(programs);
    files.iter().filter(|it| it.exists()).try_for_each(|it| copy(it, root))?;
    configuration(root, lab)
}

/// Words of commands that are programs.
fn programs() -> BTreeSet<PathBuf> {
    let commands = Domain::ALL.into_iter().flat_map(Domain::commands);
    let words = commands.flat_map(|it| it.split([' ', ';', '|', '(', ')']));
    let names = words.chain(PROGRAMS.split(' ')).filter(|it| !it.is_empty() && !it.contains('/'));
    let found = names.filter_map(|name| {
        PATH.iter().map(|folder| Path::new(folder).join(name)).find(|it| it.is_file())
    });
    found.collect()
}

/// What `sestatus -v` shows the contexts of.
fn shown_by_sestatus() -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string("/etc/sestatus.conf").context("policycoreutils is missing")?;
    Ok(text.lines().filter(|it| it.starts_with('/')).map(|it| it.trim().into()).collect())
}

fn libraries(program: &Path) -> Vec<PathBuf> {
    let Ok(output) = Command::new("ldd").arg(program).output() else { return Vec::new() };
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().filter(|it| it.starts_with('/')).map(PathBuf::from).collect()
}

/// A file under its name, and where it is a link what it leads to.
fn copy(file: &Path, root: &Path) -> Result<()> {
    let folder = file.parent().context("a file has a folder")?.canonicalize()?;
    let path = folder.join(file.file_name().context("a file has a name")?);
    let to = root.join(path.strip_prefix("/")?);
    if to.symlink_metadata().is_ok() {
        return Ok(());
    }
    fs::create_dir_all(to.parent().context("a file has a folder")?)?;
    if path.is_dir() && !path.is_symlink() {
        return Ok(fs::create_dir_all(&to)?);
    }
    run(Command::new("cp").arg("-a").arg(&path).arg(&to))?;
    match fs::read_link(&path) {
        Ok(target) => copy(&folder.join(target), root),
        Err(_) => Ok(()),
    }
}

/// /etc/selinux as programs find it under `mandate run`, but for the policy, of which they may not read everything.
fn configuration(root: &Path, lab: &Lab) -> Result<()> {
    lab.fill(&[])?;
    let archive = root.with_extension("tar");
    let words = ["tar", "-c", "-C", "/etc/selinux", "."];
    let dumped = lab.command(Some(&["--quiet", "--permissive=user_t"]), &words, None).output()?;
    let said = String::from_utf8_lossy(&dumped.stderr);
    ensure!(dumped.status.success(), "reading /etc/selinux: {said}");
    fs::write(&archive, &dumped.stdout)?;
    let to = root.join("etc/selinux");
    run(Command::new("tar")
        .args(["-x", "--no-same-owner", "-f"])
        .arg(&archive)
        .arg("-C")
        .arg(&to))?;
    Ok(())
}
