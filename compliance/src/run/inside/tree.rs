//! The files of a guest: the programs that commands use, with what these need, copied from this machine.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::super::lab::Lab;
use super::{Domain, python};
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
    let mut programs = programs();
    programs.extend(python::needs(&programs)?);
    let mut files: BTreeSet<PathBuf> = FILES.split(' ').map(PathBuf::from).collect();
    files.extend(shown_by_sestatus()?);
    files.extend(libraries(&programs)?);
    files.extend(programs);
    copy(files, root)?;
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

/// Of all at once. What needs none, and what is no program, is passed over.
fn libraries(programs: &BTreeSet<PathBuf>) -> Result<Vec<PathBuf>> {
    let output = Command::new("ldd").args(programs).stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let indented = text.lines().filter(|it| it.starts_with('\t'));
    let words = indented.flat_map(str::split_whitespace).filter(|it| it.starts_with('/'));
    Ok(words.map(PathBuf::from).collect())
}

/// Those that are there, under their names, and where they are links what these lead to.
fn copy(files: BTreeSet<PathBuf>, root: &Path) -> Result<()> {
    let mut left: Vec<PathBuf> = files.into_iter().filter(|it| it.exists()).collect();
    let mut found = BTreeSet::new();
    while let Some(file) = left.pop() {
        let folder = file.parent().context("a file has a folder")?.canonicalize()?;
        let path = folder.join(file.file_name().context("a file has a name")?);
        if let Ok(target) = fs::read_link(&path) {
            left.push(folder.join(target));
        } else if path.is_dir() {
            fs::create_dir_all(root.join(path.strip_prefix("/")?))?;
            continue;
        }
        found.insert(path);
    }
    let mut cp = Command::new("cp");
    // cp 9.1 sets the modes of folders that it made with the names of the files, as seen from where it is.
    cp.args(["-a", "--parents", "-t"]).arg(root).args(found).current_dir("/");
    run(&mut cp).map(drop)
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
