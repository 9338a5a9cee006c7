//! A module of one's own beside a source tree: its files join the tree, and what it says has to hold for it alone.

use std::sync::Arc;

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{StatementKind, Unit};
use mandate_syntax::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use super::class_permissions;
use super::modules::{ModuleFile, ModuleList, ModuleSource, ModuleTree};
use crate::module::{Ambient, Known, NameKind, check_scope, declared};
use crate::outcome::SourceTree;

/// The files of a module, each with its path as the user knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnModule {
    /// The module's name.
    pub name: String,
    /// The rules.
    pub te: Option<(String, Arc<[u8]>)>,
    /// The interfaces.
    pub interfaces: Option<(String, Arc<[u8]>)>,
    /// The file contexts.
    pub file_contexts: Option<(String, Arc<[u8]>)>,
}

impl OwnModule {
    /// Is this one of its files?
    pub(super) fn has(&self, path: &str) -> bool {
        let files = [&self.te, &self.interfaces, &self.file_contexts];
        files.into_iter().flatten().any(|it| it.0 == path)
    }

    /// The modules of `files` (paths that end in `.te`, `.if` and `.fc`), by name.
    ///
    /// # Errors
    /// A file of another kind, or two of one kind and name.
    pub fn of_files(files: Vec<(String, Arc<[u8]>)>) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let mut modules: Vec<Self> = Vec::new();
        let mut told = Vec::new();
        for (path, bytes) in files {
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            let Some((name, kind)) = name.rsplit_once('.').filter(|it| !it.0.is_empty()) else {
                told.push(no_source(&path));
                continue;
            };
            let at = modules.iter().position(|it| it.name == name).unwrap_or_else(|| {
                modules.push(Self { name: name.to_owned(), ..Self::default() });
                modules.len() - 1
            });
            let module = &mut modules[at];
            let slot = match kind {
                "te" => &mut module.te,
                "if" => &mut module.interfaces,
                "fc" => &mut module.file_contexts,
                _ => {
                    told.push(no_source(&path));
                    continue;
                }
            };
            if let Some((known, _)) = slot {
                let message = format!("module `{name}` is given as `{known}` and as `{path}`");
                told.push(Diagnostic::error(Code::DuplicateModule, Span::NOWHERE, message));
            }
            *slot = Some((path, bytes));
        }
        modules.sort_by(|a, b| a.name.cmp(&b.name));
        if told.is_empty() { Ok(modules) } else { Err(told) }
    }

    /// Puts the module's files into `tree`.
    pub fn insert(&self, tree: &mut SourceTree) {
        for (path, bytes) in [&self.te, &self.interfaces, &self.file_contexts].into_iter().flatten()
        {
            tree.insert(path.clone(), Arc::clone(bytes));
        }
    }

    /// Where its files are.
    pub fn source(&self) -> ModuleSource {
        let file = |it: &Option<(String, Arc<[u8]>)>| {
            it.as_ref().map(|it| ModuleFile { path: it.0.clone(), generated: false })
        };
        ModuleSource {
            te: file(&self.te),
            interfaces: file(&self.interfaces),
            file_contexts: file(&self.file_contexts),
        }
    }

    /// Makes it one of the modules that are built, in place of one of the tree with its name.
    pub fn join(&self, found: &mut ModuleTree, list: &mut ModuleList) {
        found.modules.insert(self.name.clone(), self.source());
        list.off.retain(|it| *it != self.name);
        if self.te.is_none() {
            list.off.push(self.name.clone());
        } else if !list.base.contains(&self.name) && !list.modules.contains(&self.name) {
            let at = list.modules.partition_point(|it| *it < self.name);
            list.modules.insert(at, self.name.clone());
        }
    }
}

fn no_source(path: &str) -> Diagnostic {
    let message = format!("`{path}` is no part of a module");
    let it = Diagnostic::error(Code::MissingFile, Span::NOWHERE, message);
    it.help("a module is NAME.te, NAME.if and NAME.fc")
}

/// What units declare.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    names: FxHashSet<(NameKind, String)>,
    permissions: FxHashSet<(String, String)>,
}

impl Declarations {
    /// Of all blocks of all of `units`.
    pub fn of<'a>(units: impl IntoIterator<Item = &'a Unit>) -> Self {
        let mut this = Self::default();
        let mut vectors = Vec::new();
        let mut commons: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for unit in units {
            declared(unit, &unit.statements, &mut |kind, ident| {
                this.names.insert((kind, unit.text(ident).to_owned()));
            });
            for statement in &unit.statements {
                let texts = |list: mandate_syntax::kernel::ast::Idents| {
                    unit.idents[list.range()].iter().map(|&it| unit.text(it))
                };
                match statement.kind {
                    StatementKind::Common { name, permissions } => {
                        commons.insert(unit.text(name), texts(permissions).collect());
                    }
                    StatementKind::AccessVector { class, inherits, permissions } => {
                        let class = unit.text(class);
                        vectors.push((class, inherits.map(|it| unit.text(it))));
                        let own = texts(permissions);
                        this.permissions.extend(own.map(|it| (class.to_owned(), it.to_owned())));
                    }
                    _ => {}
                }
            }
        }
        for (class, common) in vectors {
            let shared = common.and_then(|it| commons.get(it)).into_iter().flatten();
            this.permissions.extend(shared.map(|it| (class.to_owned(), (*it).to_owned())));
        }
        this
    }
}

impl Known for Declarations {
    fn has(&self, kind: NameKind, name: &str) -> bool {
        self.names.contains(&(kind, name.to_owned()))
    }

    fn has_permission(&self, class: &str, permission: &str) -> bool {
        self.permissions.contains(&(class.to_owned(), permission.to_owned()))
    }
}

/// What a module of the tree uses without declaring or requiring it. `unit` is the module with its requirements, expanded as
/// part of a monolithic build; `classes` is `policy/flask/security_classes`; `known` are the [`Declarations`] of all units.
pub fn check_alone(
    unit: &Unit,
    known: &Declarations,
    classes: &[u8],
    mls: bool,
) -> Vec<Diagnostic> {
    let itself = unit.statements.iter().any(|it| matches!(it.kind, StatementKind::Module { .. }));
    let kernel = class_permissions::kernel_classes(classes);
    let ambient = Ambient { classes: kernel.into_iter().collect(), levels: mls };
    // What begins with `module` says all it requires; `policy_module` is gone from the text, and with it what it required.
    check_scope(unit, Some(known), (!itself).then_some(&ambient))
}
