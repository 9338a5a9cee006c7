//! Files of file contexts where both sides read them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use mandate_label::FileType;
use mandate_label::file_contexts::{FileContexts, Lookup, Source, SourceError, Substitutions};

use super::oracle::Record;
use crate::compile::original::Original;
use crate::compile::setting::{Modules, Setting};
use crate::place::Place;
use crate::reference::Flavour;

/// What a file is called after `file_contexts`.
const ENDS: [&str; 5] = ["", ".homedirs", ".local", ".subs", ".subs_dist"];

/// File contexts with all that belongs to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) main: Vec<u8>,
    pub(super) homedirs: Vec<u8>,
    pub(super) local: Vec<u8>,
    pub(super) subs: Vec<u8>,
    pub(super) subs_dist: Vec<u8>,
}

impl Table {
    /// What Debian's Reference Policy says of a flavour, with homes below /home.
    pub(super) fn debian(place: &Place, flavour: Flavour) -> Result<Self> {
        let setting = Setting { flavour, modules: Modules::Full, ubac: true, direct_initrc: true };
        let built = Original::build(place, setting)?;
        let read = |name: &str| {
            let path = built.file(name);
            std::fs::read(&path).with_context(|| format!("reading {}", path.display()))
        };
        let template = String::from_utf8(read("homedir_template")?)?;
        let homedirs = template
            .replace("HOME_DIR", "/home/[^/]+")
            .replace("HOME_ROOT", "/home")
            .replace("%{USERNAME}", "[^/]+")
            .replace("%{USERID}", "[0-9]+");
        Ok(Self {
            main: read("file_contexts")?,
            homedirs: homedirs.into(),
            subs_dist: read("appconfig/files/file_contexts.subs_dist")?,
            ..Self::default()
        })
    }

    fn files(&self) -> [&Vec<u8>; 5] {
        [&self.main, &self.homedirs, &self.local, &self.subs, &self.subs_dist]
    }

    /// Puts the files into a folder; where the first is.
    pub(super) fn write(&self, folder: &Path) -> Result<PathBuf> {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        for (end, bytes) in ENDS.into_iter().zip(self.files()) {
            let path = folder.join(format!("file_contexts{end}"));
            std::fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(folder.join("file_contexts"))
    }

    /// Ours.
    pub(super) fn compile(&self) -> (FileContexts, Vec<SourceError>) {
        let names = ["file_contexts", "file_contexts.homedirs", "file_contexts.local"];
        let files = self.files();
        let source = |(name, bytes)| Source { name, bytes };
        let sources: Vec<Source<'_>> =
            names.into_iter().zip(files.map(Vec::as_slice)).map(source).collect();
        let subs = [&self.subs, &self.subs_dist].map(|it| Substitutions::parse(it).0);
        FileContexts::compile(&sources, subs)
    }

    /// Ours, where every line must be taken.
    pub(super) fn compile_all(&self) -> Result<FileContexts> {
        let (table, errors) = self.compile();
        ensure!(errors.is_empty(), "refused: {}", errors[0]);
        Ok(table)
    }

    /// Patterns of the lines, with their kind of file.
    pub(super) fn patterns(&self) -> Vec<(Option<FileType>, String)> {
        let (table, _) = self.compile();
        table.lines().map(|it| (it.file_type(), it.pattern().to_owned())).collect()
    }
}

/// What ours says, as the oracle says it.
pub(super) fn ours(lookup: &mut Lookup<'_>, record: &Record) -> String {
    let answer = lookup.path(&record.path, record.kind);
    let unknown = if record.path.is_empty() { "!22" } else { "!2" };
    answer.context().unwrap_or(unknown).to_owned()
}
