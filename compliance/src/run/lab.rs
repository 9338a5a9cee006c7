//! A folder for programs of an ordinary user, with labels for what is in it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::place::{Place, run};

/// Started by root, programs belong to this user.
pub(super) const USER: &str = "nobody";

/// How a program is run: without the monitor, or under it with these options.
pub(super) type Way<'a> = Option<&'a [&'a str]>;

/// The folder, and the program that watches.
#[derive(Debug)]
pub(super) struct Lab {
    folder: PathBuf,
    mandate: PathBuf,
    /// Labels of the system, by the base policy.
    system: String,
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.folder);
    }
}

/// What is to be labelled otherwise: an expression for paths, or for names in the work folder, with a kind; and a type.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

/// The type of a user's own files.
pub(super) const HOME: &str = "user_home_t";

impl Lab {
    pub(super) fn new(place: &Place, name: &str) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("mandate-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut lab = Self { folder, mandate: place.mandate()?, system: String::new() };
        fs::set_permissions(&lab.folder, Permissions::from_mode(0o755))?;
        let policy = lab.folder.join("policy/");
        lab.mandate(&["build", "--no-cache", "-o"], &[&policy])?;
        lab.system = fs::read_to_string(policy.join("file_contexts"))?;
        let substitutions = policy.join("appconfig/files/file_contexts.subs_dist");
        fs::copy(substitutions, lab.folder.join("labels.subs_dist"))?;
        fs::copy(std::env::current_exe()?, lab.program())?;
        lab.label(HOME, &[])?;
        Ok(lab)
    }

    /// Another verb of the program that watches.
    pub(super) fn mandate(&self, words: &[&str], paths: &[&Path]) -> Result<()> {
        run(Command::new(&self.mandate).args(words).args(paths)).map(drop)
    }

    /// All files are labelled alike, from now on.
    pub(super) fn label_as(&self, context: &str) -> Result<()> {
        fs::write(self.folder.join("labels"), format!("/.* {context}\n")).context("writing labels")
    }

    /// Where programs work.
    pub(super) fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// This program, where anybody can execute it.
    pub(super) fn program(&self) -> PathBuf {
        self.folder.join("program")
    }

    /// Labels for what is in the work folder, from now on.
    pub(super) fn label(&self, all: &str, labels: Labels<'_>) -> Result<()> {
        let line = |what: String, kind: &str| format!("{what} system_u:object_r:{kind}:s0\n");
        let (folder, work) = (self.folder.display(), self.work());
        let work = work.display();
        let mut text = self.system.clone();
        text += &line(format!("\n{folder} -d"), "var_t");
        text += &line(format!("{folder}/program --"), "bin_t");
        text += &line(format!("{work} -d"), all);
        text += &line(format!("{work}/.*"), all);
        for (what, kind) in labels {
            let folder = if what.starts_with('/') { String::new() } else { format!("{work}/") };
            text += &line(format!("{folder}{what}"), kind);
        }
        fs::write(self.folder.join("labels"), text).context("writing labels")
    }

    /// Empties the work folder and puts files into it. A name that ends with / is a folder; what begins with #! can be executed.
    pub(super) fn fill(&self, files: &[(&str, &str)]) -> Result<()> {
        let work = self.work();
        if work.exists() {
            fs::remove_dir_all(&work).context("emptying the work folder")?;
        }
        fs::create_dir(&work)?;
        for (name, text) in files {
            let path = work.join(name);
            if name.ends_with('/') {
                fs::create_dir_all(&path)?;
                continue;
            }
            fs::create_dir_all(path.parent().context("a file in the work folder")?)?;
            fs::write(&path, text)?;
            let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
            fs::set_permissions(&path, Permissions::from_mode(mode))?;
        }
        if is_root() {
            run(Command::new("chown").args(["-R", USER]).arg(&work))?;
        }
        Ok(())
    }

    /// A program that is ended if it takes longer than some seconds, if any, which shows as its code 124.
    pub(super) fn command<W: AsRef<OsStr>>(
        &self,
        way: Way<'_>,
        words: &[W],
        seconds: Option<u32>,
    ) -> Command {
        let mut command = Command::new("/usr/bin/env");
        // Whoever starts this may have been told to ignore keys, which programs would inherit.
        command.arg("--default-signal");
        if let Some(seconds) = seconds {
            command.args(["timeout", "-k", "1", &seconds.to_string()]);
        }
        let labels = self.folder.join("labels");
        let options = way.map(|options| {
            let options = options.iter().map(|it| OsStr::new(*it));
            options.chain([OsStr::new("--labels"), labels.as_os_str()]).collect::<Vec<_>>()
        });
        as_user(&mut command, &self.mandate, options.as_deref());
        command.args(words).current_dir(self.work());
        command
    }
}

/// Lets a command go on as a program of the user: watched with options of `mandate run`, or not at all.
pub(super) fn as_user(command: &mut Command, mandate: &Path, watched: Option<&[&OsStr]>) {
    match watched {
        Some(options) => {
            command.arg(mandate).arg("run").args(options);
            if is_root() {
                command.args(["--user", USER]);
            }
            command.arg("--");
        }
        None if is_root() => {
            let user = format!("--reuid={USER}");
            command.args(["setpriv", &user, "--regid=nogroup", "--clear-groups", "--"]);
        }
        None => {}
    }
    command.stdin(Stdio::null()).env_clear();
    command.envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C"), ("TERM", "dumb")]);
    // As `run` sets them, which nobody is to see a difference by.
    command.envs([("HOME", "/nonexistent"), ("SHELL", "/usr/sbin/nologin")]);
    command.envs([("USER", USER), ("LOGNAME", USER)]);
}

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A file that programs left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Kind, mode, number of names.
    pub(super) kind: String,
    /// What is in it.
    pub(super) content: String,
}

/// All that is in the work folder.
pub(super) fn tree(folder: &Path) -> Result<BTreeMap<PathBuf, Entry>> {
    let mut entries = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(&inside)? {
            let path = entry?.path();
            let metadata = fs::symlink_metadata(&path)?;
            let kind = metadata.file_type();
            let (mut links, mut content) = (metadata.nlink(), String::new());
            if kind.is_dir() {
                folders.push(path.clone());
                // Those of directories are counted by their file system as it likes.
                links = 1;
            } else if kind.is_symlink() {
                content = fs::read_link(&path)?.display().to_string();
            } else if kind.is_file() {
                content = hash(&fs::read(&path)?);
            } else if kind.is_char_device() || kind.is_block_device() {
                content = metadata.rdev().to_string();
            }
            let kind = format!("{:o} {links}", metadata.mode());
            entries.insert(path.strip_prefix(folder)?.to_owned(), Entry { kind, content });
        }
    }
    Ok(entries)
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|it| format!("{it:02x}")).collect()
}
