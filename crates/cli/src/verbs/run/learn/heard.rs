//! What is heard of a program while it is learned from.

use std::collections::{BTreeMap, BTreeSet};

use mandate_audit::Access;

use super::super::told::type_of;
use super::draft::USER;

/// A transition of new files: the type of the folder, the class, and the type they get.
pub(super) type Made = (String, String, String);

/// Accesses that the policy does not allow, each kind once.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Who is learned from: its domain, and the types of its files.
    own: BTreeSet<String>,
    /// By source, target, class and permissions.
    pub(super) own_accesses: BTreeMap<Kind, Access>,
    /// What other domains did.
    pub(super) of_others: BTreeMap<Kind, Access>,
    /// Types of folders that something was written to.
    folders: BTreeMap<Vec<u8>, String>,
    pub(super) made: BTreeSet<Made>,
    /// Files of types of its own, and which.
    pub(super) files: BTreeMap<Vec<u8>, String>,
}

type Kind = [String; 4];

/// What a program that comes into another domain may do without: the loader is careful, signals and limits begin anew.
const AT_ENTRY: [&str; 3] = ["noatsecure", "siginh", "rlimitinh"];

impl Heard {
    pub(super) fn of(own: BTreeSet<String>) -> Self {
        Self { own, ..Self::default() }
    }

    pub(super) fn own(&self) -> impl Iterator<Item = &String> {
        self.own.iter()
    }

    pub(super) fn hears(&mut self, mut access: Access) {
        if !access.denied {
            return;
        }
        let source = type_of(&access.scontext).to_owned();
        let target = type_of(&access.tcontext).to_owned();
        let enters = source == USER && self.own.contains(&target);
        if enters {
            access.permissions.retain(|it| !AT_ENTRY.contains(&&**it));
        }
        if access.permissions.is_empty() {
            return;
        }
        let is_own = enters || self.own.contains(&source);
        if is_own && let Some(path) = access.object.path.clone() {
            self.place(&path, &target, &access);
        }
        (access.pid, access.object.ino) = (None, None);
        let kind = [
            access.scontext.clone(),
            access.tcontext.clone(),
            access.tclass.clone(),
            access.permissions.join(" "),
        ];
        let list = if is_own { &mut self.own_accesses } else { &mut self.of_others };
        list.entry(kind).or_insert(access);
    }

    /// Notes where a file of a type of its own is, and in a folder of which type it was made.
    fn place(&mut self, path: &[u8], target: &str, access: &Access) {
        let has = |name: &str| access.permissions.iter().any(|it| it == name);
        let class = access.tclass.as_str();
        if class == "dir" && has("write") {
            self.folders.insert(path.to_owned(), target.to_owned());
        }
        if !self.own.contains(target) || class == "filesystem" {
            return;
        }
        // A file without a name is known by the folder it is made in.
        let nameless = class != "dir" && self.folders.contains_key(path);
        let folder = if nameless { path } else { parent(path) };
        if nameless || has("create") {
            let folder = self.folders.get(folder).filter(|it| !self.own.contains(*it));
            let made = folder.map(|it| (it.clone(), class.to_owned(), target.to_owned()));
            self.made.extend(made);
        }
        if !nameless && !self.files.contains_key(parent(path)) {
            self.files.insert(path.to_owned(), target.to_owned());
        }
    }
}

/// The folder of an absolute path.
fn parent(path: &[u8]) -> &[u8] {
    let slash = path.iter().rposition(|it| *it == b'/').unwrap_or(0);
    path.get(..slash.max(1)).unwrap_or_default()
}
