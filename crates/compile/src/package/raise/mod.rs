//! From a unit to a module: symbols get values in the order in which they are first named, blocks their branches, and every
//! symbol its scope. Names have to be declared or required where they are used.

mod conditions;
mod contexts;
mod declare;
mod expressions;
mod require;
mod resolve;
mod rules;
mod write;

use mandate_policydb::HandleUnknown;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::kernel::ast::{Ident, Idents, Statement, StatementKind, Unit};
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use super::blocks::{Block, Branch, DECLARED, REQUIRED, Scope};
use super::db::{ALLOW_UNKNOWN, Db, MLS, REJECT_UNKNOWN};
use super::form::{Form, ModuleVersion};
use super::symbols::{Flavor, Kind, Record, Symbols, Table, Type};
use super::{Module, WriteError};

/// What kind of module is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleOptions {
    /// A base?
    pub base: bool,
    /// With MLS?
    pub mls: bool,
    /// What is decided of unknown classes and permissions: a base says it.
    pub handle_unknown: HandleUnknown,
    /// The version of the format.
    pub version: ModuleVersion,
}

/// A module, and what is to be told about it.
#[derive(Debug)]
pub struct Raised {
    /// The module, if there is no error.
    pub module: Option<Module>,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
}

impl Module {
    /// Makes a module of a unit: of a `.te` file, or of a base.conf.
    pub fn from_unit(unit: &Unit, options: &ModuleOptions) -> Raised {
        let mut raiser = Raiser::new(unit, options);
        raiser.run();
        raiser.diagnostics.sort_by_key(|it| it.span);
        let failed = raiser.diagnostics.iter().any(|it| it.severity == Severity::Error);
        let module = (!failed).then_some(Self { db: raiser.db });
        Raised { module, diagnostics: raiser.diagnostics }
    }
}

/// A branch by block and place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At {
    block: usize,
    branch: usize,
}

const TOP: At = At { block: 0, branch: 0 };

struct Raiser<'a> {
    unit: &'a Unit,
    options: &'a ModuleOptions,
    db: Db,
    diagnostics: Vec<Diagnostic>,
    /// Places in the tables of the module, by kind and name.
    index: [FxHashMap<&'a str, usize>; Kind::COUNT],
    scopes: [FxHashMap<&'a str, usize>; Kind::COUNT],
    /// The branches around the statement that is read, innermost last.
    stack: Vec<At>,
    next_id: u32,
    /// The blocks of `optional` statements in the order of the first pass, for the second.
    next_block: usize,
    sids: Vec<&'a str>,
}

impl<'a> Raiser<'a> {
    fn new(unit: &'a Unit, options: &'a ModuleOptions) -> Self {
        let form = Form { version: options.version, base: options.base };
        let mut db = Db::new(form);
        db.config = if options.mls { MLS } else { 0 }
            | match options.handle_unknown {
                HandleUnknown::Deny => 0,
                HandleUnknown::Reject => REJECT_UNKNOWN,
                HandleUnknown::Allow => ALLOW_UNKNOWN,
            };
        Self {
            unit,
            options,
            db,
            diagnostics: Vec::new(),
            index: Default::default(),
            scopes: Default::default(),
            stack: vec![TOP],
            next_id: 1,
            next_block: 1,
            sids: Vec::new(),
        }
    }

    fn run(&mut self) {
        self.new_block(true);
        self.object_r();
        self.declare_all(&self.unit.statements);
        let span = self.unit.statements.first().map_or(Span::NOWHERE, |it| it.span);
        self.check_requires(span);
        self.number_levels();
        self.say_all(&self.unit.statements);
        // The last of the list of initial SIDs stands first.
        self.db.contexts.initial_sids.sort_by_key(|it| std::cmp::Reverse(it.sid));
        self.check_version();
    }

    /// A block with one branch.
    fn new_block(&mut self, top: bool) {
        let branch = self.new_branch();
        self.db.blocks.push(Block { branches: vec![branch], top });
    }

    fn new_branch(&mut self) -> Branch {
        let id = self.next_id;
        self.next_id += 1;
        Branch { id, enabled: u32::from(id == 1), ..Branch::default() }
    }

    fn at(&self) -> At {
        self.stack.last().copied().unwrap_or(TOP)
    }

    fn branch(&mut self) -> &mut Branch {
        let at = self.at();
        &mut self.db.blocks[at.block].branches[at.branch]
    }

    fn branch_id(&self) -> u32 {
        let at = self.at();
        self.db.blocks[at.block].branches[at.branch].id
    }

    /// The tables that take what the branch says of symbols: at the top level those of the module.
    fn local(&mut self) -> &mut Symbols {
        if self.at() == TOP { &mut self.db.symbols } else { &mut self.branch().symbols }
    }

    fn text(&self, ident: Ident) -> &'a str {
        self.unit.text(ident)
    }

    fn idents(&self, idents: Idents) -> &'a [Ident] {
        &self.unit.idents[idents.range()]
    }

    fn error(&mut self, code: Code, span: Span, message: String) {
        self.diagnostics.push(Diagnostic::error(code, span, message));
    }

    /// First pass: everything that has a name.
    fn declare_all(&mut self, statements: &'a [Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Optional { then, otherwise } => {
                    let block = self.db.blocks.len();
                    self.new_block(false);
                    self.stack.push(At { block, branch: 0 });
                    self.declare_all(then);
                    self.check_requires(statement.span);
                    self.stack.pop();
                    if let Some(otherwise) = otherwise {
                        let branch = self.new_branch();
                        self.db.blocks[block].branches.push(branch);
                        self.stack.push(At { block, branch: 1 });
                        self.declare_all(otherwise);
                        self.stack.pop();
                    }
                }
                StatementKind::Conditional { then, otherwise, .. } => {
                    self.declare_all(then);
                    self.declare_all(otherwise);
                }
                _ => self.declare(statement),
            }
        }
    }

    /// A block of a module requires something: without that it cannot be left out, and a module would stand for itself.
    fn check_requires(&mut self, span: Span) {
        let branch = self.branch();
        let none = Kind::ALL.into_iter().all(|it| branch.required.of(it).is_empty());
        if none && !self.options.base {
            let message = "this block requires nothing".to_owned();
            let it = Diagnostic::error(Code::MissingRequire, span, message)
                .note(
                    "the top level of a module and every optional block have to require something",
                )
                .help("require what it uses: `require { type NAME; class NAME { PERMISSIONS }; }`");
            self.diagnostics.push(it);
        }
    }

    /// Second pass: what is said with the names.
    fn say_all(&mut self, statements: &'a [Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Optional { then, otherwise } => {
                    let block = self.next_block;
                    self.next_block += 1;
                    self.stack.push(At { block, branch: 0 });
                    self.say_all(then);
                    self.stack.pop();
                    self.inherit_requirements(At { block, branch: 0 });
                    if let Some(otherwise) = otherwise {
                        self.stack.push(At { block, branch: 1 });
                        self.say_all(otherwise);
                        self.stack.pop();
                        self.inherit_requirements(At { block, branch: 1 });
                    }
                }
                _ => self.say(statement),
            }
        }
    }

    /// A block requires what the blocks around it require.
    fn inherit_requirements(&mut self, of: At) {
        for around in self.stack.clone() {
            let from = self.db.blocks[around.block].branches[around.branch].required.clone();
            let to = &mut self.db.blocks[of.block].branches[of.branch].required;
            for kind in Kind::ALL {
                *to.of_mut(kind) = to.of(kind).union(from.of(kind));
            }
            if to.permissions.len() < from.permissions.len() {
                to.permissions.resize(from.permissions.len(), Default::default());
            }
            for (to, from) in to.permissions.iter_mut().zip(&from.permissions) {
                *to = to.union(from);
            }
        }
    }

    /// Enters a symbol into its scope. False if it is declared twice.
    fn scope(&mut self, kind: Kind, name: &'a str, scope: u32) -> bool {
        let id = self.branch_id();
        let scopes = &mut self.db.scopes[kind as usize];
        let at = *self.scopes[kind as usize].entry(name).or_insert_with(|| {
            scopes.push(Scope { name: name.into(), scope, branches: Vec::new() });
            scopes.len() - 1
        });
        let known = &mut scopes[at];
        let several = matches!(kind, Kind::Roles | Kind::Users);
        if known.scope == DECLARED && scope == DECLARED && !known.branches.is_empty() && !several {
            return false;
        }
        if scope == DECLARED {
            known.scope = DECLARED;
        }
        if known.branches.contains(&id) {
            return true;
        }
        known.branches.push(id);
        if known.scope == DECLARED && scope == REQUIRED {
            // The branch that declares it stands last.
            let last = known.branches.len() - 1;
            known.branches.swap(last, last - 1);
        }
        true
    }

    /// May the name be used here?
    fn in_scope(&self, kind: Kind, name: &str) -> bool {
        let Some(&at) = self.scopes[kind as usize].get(name) else { return false };
        let branches = &self.db.scopes[kind as usize][at].branches;
        self.stack.iter().any(|it| {
            let id = self.db.blocks[it.block].branches[it.branch].id;
            branches.contains(&id)
        })
    }

    /// What the version cannot hold.
    fn check_version(&mut self) {
        if let Err(WriteError::NotInVersion { version, what }) =
            write::check(&self.db, self.options.version)
        {
            let message = format!("module version {version} cannot hold {what}");
            let span = self.unit.statements.first().map_or(Span::NOWHERE, |it| it.span);
            self.error(Code::NotInModuleVersion, span, message);
        }
    }
}

/// The record of a name in a branch's own table, made if there is none.
fn local_record<'t, T: Record>(
    table: &'t mut Table<T>,
    name: &str,
    new: impl FnOnce() -> T,
) -> &'t mut T {
    let at = table.entries.iter().position(|it| it.name() == name);
    let at = at.unwrap_or_else(|| {
        table.entries.push(new());
        table.nprim += 1;
        table.entries.len() - 1
    });
    &mut table.entries[at]
}

fn is_attribute(type_: &Type) -> bool {
    type_.flavor == Flavor::Attribute
}

pub(crate) use write::check as check_version;
