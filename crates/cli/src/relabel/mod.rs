//! Where walks meet file contexts: what verbs and classic commands that label files have in common.

mod driver;
pub(crate) mod found;
pub(crate) mod manifest;
pub(crate) mod mender;
pub(crate) mod tar;

use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use mandate_host::tree::Entry;
use mandate_host::xattr::{self, Reader};
use mandate_label::FileType;
use mandate_label::customizable::CustomizableTypes;
use mandate_label::file_contexts::{Answer, Directory, FileContexts, Lookup};
use mandate_label::relabel::{Decision, Rules};
use rustix::io::Errno;

pub(crate) use driver::{Post, drive};

/// What decides about labels, and whether they are written.
pub(crate) struct Plan<'t> {
    pub(crate) table: &'t FileContexts,
    pub(crate) rules: Rules,
    pub(crate) write: bool,
    /// Bytes at the beginning of paths that file contexts do not see.
    pub(crate) outside: usize,
    pub(crate) attribute: &'static CStr,
}

/// What became of a label.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is right.
    Right,
    /// It differs in user, role or range, which are kept.
    Kept(Vec<u8>),
    /// Its type is customizable.
    Customized(Vec<u8>),
    /// It was set, or would be.
    Set { old: Option<Vec<u8>>, new: String },
    /// Its label, or what it should be, is no context.
    Invalid,
    /// Another file stands there now, or it got another name.
    Other,
}

/// Looks contexts up and sets them; each thread has its own.
pub(crate) struct Labeller<'t> {
    pub(crate) plan: &'t Plan<'t>,
    lookup: Lookup<'t>,
    reader: Reader,
    /// Directories that were met last, by depth.
    places: Vec<Option<(u64, Directory)>>,
    /// What became of the last entry, which tells what to try first with the next.
    last: Last,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Right,
    /// It was set.
    Wrong,
    /// It was set, and had no label.
    Unlabelled,
}

/// Deeper directories share places.
const PLACES: usize = 64;

impl<'t> Labeller<'t> {
    pub(crate) fn new(plan: &'t Plan<'t>) -> Self {
        let places = std::iter::repeat_with(|| None).take(PLACES).collect();
        let lookup = Lookup::new(plan.table);
        let reader = Reader::new(plan.attribute);
        Self { plan, lookup, reader, places, last: Last::default() }
    }

    /// A path as file contexts see it.
    pub(crate) fn inner<'p>(&self, path: &'p [u8]) -> &'p [u8] {
        match path.get(self.plan.outside..) {
            None | Some(b"") => b"/",
            Some(path) => path,
        }
    }

    /// What file contexts say of an entry.
    pub(crate) fn wanted(&mut self, entry: &Entry<'_>) -> Answer<'t> {
        let kind = FileType::of_mode(entry.identity.mode);
        if entry.directory == 0 || entry.name_at <= self.plan.outside {
            return self.lookup.path(self.inner(entry.path), kind);
        }
        let at = entry.depth % PLACES;
        let known = self.places[at].take().filter(|it| it.0 == entry.directory);
        let (number, mut place) = known.unwrap_or_else(|| {
            let end = if entry.name_at > 1 { entry.name_at - 1 } else { entry.name_at };
            let path = self.inner(entry.path.get(..end).unwrap_or(entry.path));
            (entry.directory, self.lookup.directory(path))
        });
        let answer = self.lookup.entry(&mut place, entry.name(), kind);
        self.places[at] = Some((number, place));
        answer
    }

    /// Forgets the directories of a walk: the next one numbers its own.
    pub(crate) fn forget(&mut self) {
        self.places.fill_with(|| None);
    }

    /// Whether a directory, or something below it, may have a context.
    pub(crate) fn partial(&mut self, path: &[u8]) -> bool {
        let inner = self.inner(path);
        self.lookup.partial(inner)
    }

    /// The label of an entry, if it has one.
    pub(crate) fn label(&mut self, entry: &Entry<'_>) -> Result<Option<&[u8]>, Errno> {
        entry.read(&mut self.reader)
    }

    /// Whether the next file will likely be changed.
    pub(crate) fn expects_change(&self) -> bool {
        self.plan.write && self.last != Last::Right
    }

    /// Gives an entry the context `wanted`, by the rules. What is decided on is held before it is changed, and looked at again.
    pub(crate) fn settle(&mut self, entry: &Entry<'_>, wanted: &str) -> Result<Change, Errno> {
        if self.plan.write && self.last == Last::Unlabelled && self.label_first(entry, wanted)? {
            return Ok(Change::Set { old: None, new: wanted.to_owned() });
        }
        let change = self.compare(entry, wanted)?;
        self.last = match &change {
            Change::Set { old: None, .. } => Last::Unlabelled,
            Change::Set { .. } => Last::Wrong,
            _ => Last::Right,
        };
        Ok(change)
    }

    /// Among files without labels the next has none likely either: then it is set without a look, which the kernel does only if it has none.
    fn label_first(&self, entry: &Entry<'_>, wanted: &str) -> Result<bool, Errno> {
        if !entry.is_held() {
            return Ok(false);
        }
        let Some(held) = entry.pin()? else { return Ok(false) };
        held.create(self.plan.attribute, &xattr::stored(wanted))
    }

    fn compare(&mut self, entry: &Entry<'_>, wanted: &str) -> Result<Change, Errno> {
        let rules = &self.plan.rules;
        let found = entry.read(&mut self.reader)?;
        let change = decided(rules, found, wanted);
        if !self.plan.write || !matches!(change, Change::Set { .. }) {
            return Ok(change);
        }
        let Some(held) = entry.pin()? else { return Ok(Change::Other) };
        let links = |it: &mandate_host::tree::Identity| it.has_other_names();
        if links(held.identity()) && !links(&entry.identity) {
            return Ok(Change::Other);
        }
        // What is set whatever there was needs no second look.
        let change = match rules.force || entry.is_held() {
            true => change,
            false => decided(rules, held.read(&mut self.reader)?, wanted),
        };
        if let Change::Set { new, .. } = &change {
            held.set(self.plan.attribute, &xattr::stored(new))?;
        }
        Ok(change)
    }
}

fn decided(rules: &Rules, current: Option<&[u8]>, wanted: &str) -> Change {
    match rules.decide(current, wanted) {
        Decision::Right => Change::Right,
        Decision::Kept => Change::Kept(current.unwrap_or_default().to_vec()),
        Decision::Customized => Change::Customized(current.unwrap_or_default().to_vec()),
        Decision::Set(new) => {
            Change::Set { old: current.map(<[u8]>::to_vec), new: new.into_owned() }
        }
        Decision::Invalid => Change::Invalid,
    }
}

/// The customizable types of a policy's folder; none if there is no such file.
pub(crate) fn customizable(folder: &Path) -> CustomizableTypes {
    let bytes = std::fs::read(folder.join("contexts/customizable_types"));
    CustomizableTypes::parse(&bytes.unwrap_or_default()).0
}

/// A path without links in the folders that lead to it; its last part stays as it is.
pub(crate) fn resolved(path: &Path) -> Result<PathBuf> {
    let resolve = |it: &Path| it.canonicalize().with_context(|| it.display().to_string());
    let last = path.components().next_back();
    let Some(std::path::Component::Normal(name)) = last else { return resolve(path) };
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    Ok(resolve(folder.unwrap_or(Path::new(".")))?.join(name))
}

/// Whether labels can be written at all: SELinux decides by its policy, without it only an administrator may.
pub(crate) fn may_write() -> bool {
    use rustix::thread::{CapabilitySet, capabilities};
    if Path::new("/sys/fs/selinux/enforce").exists() {
        return true;
    }
    let has = capabilities(None).is_ok_and(|it| it.effective.contains(CapabilitySet::SYS_ADMIN));
    // In a user namespace the capability is not the one that counts.
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let initial = map.split_whitespace().eq(["0", "0", "4294967295"]);
    has && (initial || map.is_empty())
}

/// The bytes of a path.
pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
