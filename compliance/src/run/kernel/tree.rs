//! The files of all scenarios: as steps of the guest, and on this machine.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::scenario::{Kind, Variant};
use crate::kernel::userland::Steps;

/// What makes the calls, as files have it.
const CALLER: &str = "bin/caller";
/// What starts the workers.
pub(super) const RUNNER: &str = "bin/run";
/// A file that nobody may open.
pub(super) const MARK: &str = "mark";
const TEXT: &str = "text\n";
const NULL: &str = "/dev/null";
/// `null`, and a block device that no driver has (Documentation/admin-guide/devices.txt).
const CHARACTERS: (u32, u32) = (1, 3);
const BLOCKS: (u32, u32) = (250, 0);

/// A file, its path below the root of the tree, and its type.
struct Item {
    path: String,
    kind: Kind,
    label: String,
}

/// The files.
pub(super) struct Tree {
    items: Vec<Item>,
    /// Where they are.
    root: String,
    /// The program that makes the calls.
    caller: PathBuf,
}

impl Tree {
    /// All files of the variants, below a folder.
    pub(super) fn new(root: String, caller: &Path, variants: &[Variant<'_>]) -> Self {
        let mut tree = Self { items: Vec::new(), root, caller: caller.to_owned() };
        tree.add(String::new(), Kind::Directory, "root_t".into());
        for folder in ["bin", "start"] {
            tree.add(folder.into(), Kind::Directory, "root_t".into());
        }
        tree.add(CALLER.into(), Kind::Program, "caller_t".into());
        tree.add(RUNNER.into(), Kind::Program, "run_exec_t".into());
        tree.add(MARK.into(), Kind::File, "mark_t".into());
        for variant in variants {
            tree.add_variant(variant);
        }
        tree
    }

    fn add(&mut self, path: String, kind: Kind, label: String) {
        self.items.push(Item { path, kind, label });
    }

    fn add_variant(&mut self, variant: &Variant<'_>) {
        for domain in variant.domains() {
            let label = variant.named(domain) + "_start";
            self.add(start(variant, domain), Kind::Script(None), label);
        }
        let folder = variant.short();
        let nodes = &variant.scenario.nodes;
        let own = nodes.iter().find(|it| it.path == ".");
        let label = own.map_or("work_t".to_owned(), |it| variant.named(&it.label));
        self.add(folder.clone(), Kind::Directory, label);
        for node in nodes.iter().filter(|it| it.path != ".") {
            let kind = match &node.kind {
                Kind::Name(old) => Kind::Name(format!("{folder}/{old}")),
                Kind::Link(to) => Kind::Link(self.text(variant, to)),
                Kind::Script(of) => Kind::Script(of.as_ref().map(|it| self.text(variant, it))),
                kind => kind.clone(),
            };
            self.add(format!("{folder}/{}", node.path), kind, variant.named(&node.label));
        }
    }

    /// A word of a scenario, as it is said here.
    pub(super) fn text(&self, variant: &Variant<'_>, word: &str) -> String {
        let folder = format!("{}/{}", self.root, variant.short());
        let number = format!("{:04}", variant.number);
        variant.text(word).replace('$', &folder).replace('%', &number)
    }

    /// What the runner is to do.
    pub(super) fn script(&self, variants: &[Variant<'_>]) -> String {
        let mut script = String::new();
        for variant in variants {
            let short = variant.short();
            script += &format!("=\t{short}\t{}/{short}\n", self.root);
            for worker in variant.scenario.workers() {
                let start = start(variant, &worker.to_string());
                script += &format!("+\t{worker}\t{}/{start}\n", self.root);
            }
            for call in &variant.scenario.calls {
                let words: Vec<String> =
                    call.words.iter().map(|it| self.text(variant, it)).collect();
                script += &format!("{}\t{}\n", call.worker, words.join("\t"));
            }
            script += ".\n";
        }
        // What stands in the log before this is whole.
        script += &format!("=\t{}\t{}\n", end_of(variants), self.root);
        script
    }

    fn path(&self, item: &str) -> String {
        let slash = if item.is_empty() { "" } else { "/" };
        format!("{}{slash}{item}", self.root)
    }

    /// The steps that make the tree in a guest, for a user.
    pub(super) fn steps(&self, user: u32, steps: &mut Steps) {
        let above = Path::new(&self.root).parent().unwrap_or(Path::new("/"));
        steps.add(["label", &above.display().to_string(), &context("root_t")]);
        for Item { path, kind, label } in &self.items {
            let path = &*self.path(path);
            let number = |it: u32| it.to_string();
            match kind {
                Kind::Directory => steps.add(["dir", path]),
                Kind::File => steps.add(["file", path, TEXT]),
                Kind::Fifo => steps.add(["fifo", path]),
                Kind::Socket => steps.add(["node", "sock", "0", "0", path]),
                Kind::Characters => {
                    steps.add(["node", "chr", &number(CHARACTERS.0), &number(CHARACTERS.1), path]);
                }
                Kind::Blocks => {
                    steps.add(["node", "blk", &number(BLOCKS.0), &number(BLOCKS.1), path]);
                }
                Kind::Program => steps.add(["copy", &self.caller.display().to_string(), path]),
                Kind::Script(of) => steps.add(["script", path, &self.first_line(of.as_deref())]),
                Kind::Link(to) => steps.add(["symlink", to, path]),
                Kind::Name(old) => steps.add(["hard", &self.path(old), path]),
            }
            if !matches!(kind, Kind::Name(_)) {
                steps.add(["label", path, &context(label)]);
            }
        }
        steps.add(["label", NULL, &context("null_t")]);
        steps.add(["own", &self.root, &user.to_string()]);
    }

    fn first_line(&self, interpreter: Option<&str>) -> String {
        let usual = format!("{}/{CALLER}", self.root);
        format!("#!{} w\n", interpreter.unwrap_or(&usual))
    }

    /// Makes the tree on this machine, for a user; the root of it is there.
    pub(super) fn make(&self, user: u32) -> Result<()> {
        for item in &self.items {
            let path = PathBuf::from(self.path(&item.path));
            self.make_one(item, &path).with_context(|| path.display().to_string())?;
            lchown(&path, Some(user), Some(user)).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    fn make_one(&self, item: &Item, path: &Path) -> Result<()> {
        let node = |kind, (major, minor)| {
            mknodat(CWD, path, kind, Mode::from_raw_mode(0o644), makedev(major, minor))
        };
        let executable = || fs::set_permissions(path, fs::Permissions::from_mode(0o755));
        match &item.kind {
            Kind::Directory if item.path.is_empty() => executable()?,
            Kind::Directory => fs::create_dir(path)?,
            Kind::File => fs::write(path, TEXT)?,
            Kind::Fifo => node(FileType::Fifo, (0, 0))?,
            Kind::Socket => node(FileType::Socket, (0, 0))?,
            Kind::Characters => node(FileType::CharacterDevice, CHARACTERS)?,
            Kind::Blocks => node(FileType::BlockDevice, BLOCKS)?,
            Kind::Program => {
                fs::copy(&self.caller, path)?;
                executable()?;
            }
            Kind::Script(of) => {
                fs::write(path, self.first_line(of.as_deref()))?;
                executable()?;
            }
            Kind::Link(to) => symlink(to, path)?,
            Kind::Name(old) => fs::hard_link(self.path(old), path)?,
        }
        Ok(())
    }

    /// File contexts that say of this tree what the guest's labels say.
    pub(super) fn file_contexts(&self) -> Result<String> {
        let mut text = String::from("/.* system_u:object_r:root_t:s0\n");
        text += "/dev(/.*)? system_u:object_r:device_t:s0\n";
        writeln!(text, "{NULL} {}", context("null_t"))?;
        for Item { path, kind, label } in &self.items {
            if !matches!(kind, Kind::Name(_)) {
                let path = self.path(path).replace('.', "\\.");
                writeln!(text, "{path} {}", context(label))?;
            }
        }
        Ok(text)
    }
}

/// What the log has behind all that is of some variants.
pub(super) fn end_of(variants: &[Variant<'_>]) -> String {
    variants.last().map(|it| it.short() + "-end").unwrap_or_default()
}

/// The script by which a domain is entered.
fn start(variant: &Variant<'_>, domain: &str) -> String {
    format!("start/{}_{domain}", variant.short())
}

fn context(label: &str) -> String {
    format!("system_u:object_r:{label}:s0")
}
