//! `file_contexts.homedirs` of a root file system: where its parts lie, and what is made of them.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use mandate_label::homedirs::{Account, Group, Inputs, PolicyUser, Settings};
use mandate_label::seusers::Seusers;
use mandate_label::{LineError, homedirs};

use crate::{input, policy};

/// What it is made of, where it is not where a system has it.
#[derive(Default)]
pub(crate) struct Parts {
    /// The root file system; none is the machine's own.
    pub(crate) root: Option<PathBuf>,
    pub(crate) template: Option<PathBuf>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) seusers: Option<PathBuf>,
    pub(crate) users_extra: Option<PathBuf>,
    pub(crate) file_contexts: Option<PathBuf>,
}

/// The file, and where it belongs.
pub(crate) struct Made {
    pub(crate) text: Vec<u8>,
    pub(crate) place: PathBuf,
}

/// Makes the file; what is wrong with its parts, and what was left out, is told on `err`.
///
/// # Errors
/// A part that cannot be read, and a user of two mapped groups.
pub(crate) fn make(parts: &Parts, err: &mut dyn Write) -> Result<Made> {
    let files = Files::of(parts);
    let mut told = Told(err);
    let template = files.template()?;
    let loaded = input::read_policy(&files.policy()?)?;
    let db = loaded.db();
    let users_extra = files.users_extra()?;
    let (users, errors) = PolicyUser::of_policy(db, &users_extra.bytes);
    told.errors(&users_extra, &errors)?;
    let seusers_file = files.seusers()?;
    let (seusers, errors) = Seusers::parse(&seusers_file.bytes);
    told.errors(&seusers_file, &errors)?;
    let passwd = files.required("etc/passwd")?;
    let (accounts, errors) = Account::parse(&passwd.bytes);
    told.errors(&passwd, &errors)?;
    let group = files.required("etc/group")?;
    let (groups, errors) = Group::parse(&group.bytes);
    told.errors(&group, &errors)?;
    let semanage = files.optional("etc/selinux/semanage.conf")?.bytes;
    let machine = ["etc/default/useradd", "etc/libuser.conf", "etc/login.defs"]
        .map(|name| files.optional(name).map(|it| it.bytes));
    let [useradd, libuser, login_defs] = machine;
    let (useradd, libuser, login_defs) = (useradd?, libuser?, login_defs?);
    let shells = input::read_if_there(&files.root.join("etc/shells"))?;
    let made = homedirs::homedirs(&Inputs {
        template: &template.bytes,
        seusers: &seusers,
        users: &users,
        mls: db.mls,
        accounts: &accounts,
        groups: &groups,
        settings: Settings {
            useradd: &useradd,
            libuser: &libuser,
            login_defs: &login_defs,
            shells: shells.as_deref(),
            export_home: files.root.join("export/home").is_dir(),
            use_accounts: setting(&semanage, "usepasswd") != Some("false"),
            ignored: setting(&semanage, "ignoredirs").unwrap_or_default().as_bytes(),
        },
        file_contexts: &files.file_contexts()?.bytes,
        is_valid: &|context| {
            std::str::from_utf8(context).is_ok_and(|it| db.parse_context(it).is_ok())
        },
        matches: &matches,
    })
    .with_context(|| seusers_file.path.display().to_string())?;
    told.errors(&template, &made.errors)?;
    for note in &made.notes {
        writeln!(told.0, "{note}")?;
    }
    Ok(Made { text: made.text, place: files.place() })
}

/// As `regexec` finds it; an expression that is none matches nothing.
fn matches(expression: &[u8], path: &[u8]) -> bool {
    let expression = std::str::from_utf8(expression).ok();
    let expression = expression.and_then(|it| regex::bytes::Regex::new(it).ok());
    expression.is_some_and(|it| it.is_match(path))
}

/// The value of a key of `semanage.conf`, without quotes.
fn setting<'a>(text: &'a [u8], key: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(text).ok()?;
    let line = |line: &'a str| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim().trim_matches('"'))
    };
    text.lines().rev().find_map(line)
}

struct Told<'a>(&'a mut dyn Write);

impl Told<'_> {
    fn errors(&mut self, file: &Part, errors: &[LineError]) -> Result<()> {
        for error in errors {
            writeln!(self.0, "{}:{error}; the line is left out", file.path.display())?;
        }
        Ok(())
    }
}

/// A file that was read.
struct Part {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Where things are.
struct Files<'a> {
    parts: &'a Parts,
    root: &'a Path,
    /// `etc/selinux/TYPE`.
    folder: PathBuf,
    /// The module store, as libsemanage last wrote it.
    store: PathBuf,
}

impl<'a> Files<'a> {
    fn of(parts: &'a Parts) -> Self {
        let root = parts.root.as_deref().unwrap_or(Path::new("/"));
        let folder = policy::folder_in_force(root);
        let store = root.join("var/lib/selinux");
        let store = folder.file_name().map_or_else(|| store.clone(), |it| store.join(it));
        Self { parts, root, folder, store: store.join("active") }
    }

    fn place(&self) -> PathBuf {
        self.folder.join("contexts/files/file_contexts.homedirs")
    }

    fn template(&self) -> Result<Part> {
        let path = self.parts.template.clone();
        let path = path.unwrap_or_else(|| self.store.join("homedir_template"));
        let bytes = std::fs::read(&path).with_context(|| {
            format!("{}: the template of a policy; name one with --template", path.display())
        })?;
        Ok(Part { path, bytes })
    }

    /// The policy of the store, else the newest that is installed.
    fn policy(&self) -> Result<PathBuf> {
        if let Some(path) = &self.parts.policy {
            return Ok(path.clone());
        }
        let stored = self.store.join("policy.kern");
        if stored.exists() {
            return Ok(stored);
        }
        let folder = self.folder.join("policy");
        input::newest_policy(&folder)
            .with_context(|| format!("no policy in {}; name one with --policy", folder.display()))
    }

    fn seusers(&self) -> Result<Part> {
        self.first(
            self.parts.seusers.as_deref(),
            [self.store.join("seusers"), self.folder.join("seusers")],
        )
    }

    fn users_extra(&self) -> Result<Part> {
        let stored = self.store.join("users_extra");
        self.first(self.parts.users_extra.as_deref(), [stored.clone(), stored])
    }

    fn file_contexts(&self) -> Result<Part> {
        let installed = self.folder.join("contexts/files/file_contexts");
        self.first(
            self.parts.file_contexts.as_deref(),
            [self.store.join("file_contexts"), installed],
        )
    }

    /// The file given, which must be there; else the first that is; else an empty one.
    fn first(&self, given: Option<&Path>, usual: [PathBuf; 2]) -> Result<Part> {
        if let Some(path) = given {
            let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
            return Ok(Part { path: path.to_owned(), bytes });
        }
        let [first, second] = usual;
        for path in [&first, &second] {
            if let Some(bytes) = input::read_if_there(path)? {
                return Ok(Part { path: path.clone(), bytes });
            }
        }
        Ok(Part { path: first, bytes: Vec::new() })
    }

    fn required(&self, name: &str) -> Result<Part> {
        let path = self.root.join(name);
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        Ok(Part { path, bytes })
    }

    fn optional(&self, name: &str) -> Result<Part> {
        let path = self.root.join(name);
        Ok(Part { bytes: input::read_if_there(&path)?.unwrap_or_default(), path })
    }
}
