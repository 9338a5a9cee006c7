//! Units in CIL, as `hll/pp` writes modules and `checkpolicy -C` whole policies: rules one by one, sets with exceptions as attributes of
//! their own (`MODULE_typeattr_N`, which secilc knows for generated), requirements as members of `cil_gen_require`.

mod classes;
mod contexts;
mod files;
mod names;
mod rules;
mod sets;
mod symbols;

pub use files::{Files, print_files};
use mandate_policydb::{HandleUnknown, OBJECT_R};
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{CondTerm, RequireKind, Slice, Statement, StatementKind, Unit};
use mandate_syntax::source::{SourceMap, Span};
use rustc_hash::{FxHashMap, FxHashSet};

use super::infix::{Shape, Step, prefix};
use super::{Printed, decimal, left_out, not_in_form};
use names::Spelling;

/// What the text is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A whole policy: with what is of the policy and no statement.
    Policy {
        /// With MLS? CIL has levels all the same.
        mls: bool,
        /// What is decided of classes and permissions that the policy does not define.
        handle_unknown: HandleUnknown,
    },
    /// The base of a set of modules: a whole policy, with the roles that [`print`] leaves out of modules.
    Base {
        /// As of a policy.
        mls: bool,
        /// As of a policy.
        handle_unknown: HandleUnknown,
    },
    /// A module, to be compiled with others.
    Module,
}

/// How to print.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// What the text is to be.
    pub layout: Layout,
    /// Tell before each `allow` and `neverallow` where it was written.
    pub line_marks: Option<&'a SourceMap>,
}

/// Prints units, one after the other.
pub fn print(units: &[Unit], options: &Options<'_>) -> Printed {
    let mut printer = Printer::new(units, options);
    printer.header();
    for (at, unit) in units.iter().enumerate() {
        printer.turn_to(at);
        printer.block(&unit.statements, 0);
    }
    printer.footer();
    printer.printed
}

static NOTHING: std::sync::LazyLock<Unit> = std::sync::LazyLock::new(Unit::default);

struct Printer<'a> {
    units: &'a [Unit],
    unit: &'a Unit,
    at: usize,
    options: &'a Options<'a>,
    spelling: Vec<Spelling>,
    printed: Printed,
    /// The module's name, before the numbers of generated names.
    prefix: String,
    optionals: u64,
    attributes: u64,
    /// Attributes that the statement being printed needs, to stand before it.
    pending: Vec<u8>,
    /// What was declared, where the language lets it be said again and CIL does not.
    declared: FxHashSet<(u8, &'a str)>,
    tunables: FxHashSet<&'a str>,
    /// Classes that have permissions of their own or inherit some.
    vectors: FxHashSet<&'a str>,
    /// Parts of dotted names that are blocks already.
    blocks: FxHashSet<&'a str>,
    /// Attributes generated for sets: their items as text, and their names. Only of the current unit's top level.
    generated: FxHashMap<Vec<u8>, String>,
    depth: usize,
    /// Of the block, without the conditions in it.
    block_depth: usize,
}

impl<'a> Printer<'a> {
    fn new(units: &'a [Unit], options: &'a Options<'a>) -> Self {
        let mut tunables = FxHashSet::default();
        let mut vectors = FxHashSet::default();
        for unit in units {
            walk(&unit.statements, &mut |statement| match &statement.kind {
                StatementKind::Boolean { name, tunable: true, .. } => {
                    tunables.insert(unit.text(*name));
                }
                StatementKind::Require(requires) => {
                    let requires = &unit.requires[requires.range()];
                    let of = requires.iter().filter(|it| it.kind == RequireKind::Tunable);
                    tunables.extend(of.map(|it| unit.text(it.name)));
                }
                StatementKind::AccessVector { class, .. } => {
                    vectors.insert(unit.text(*class));
                }
                _ => {}
            });
        }
        let statements: usize = units.iter().map(|it| it.statements.len()).sum();
        Self {
            units,
            unit: units.first().unwrap_or(&NOTHING),
            at: 0,
            options,
            spelling: units.iter().map(|it| Spelling::new(it.names.len())).collect(),
            printed: Printed { text: Vec::with_capacity(statements * 96), diagnostics: Vec::new() },
            prefix: match options.layout {
                Layout::Base { .. } => "base".to_owned(),
                _ => "policy".to_owned(),
            },
            optionals: 0,
            attributes: 0,
            pending: Vec::new(),
            declared: FxHashSet::default(),
            tunables,
            vectors,
            blocks: FxHashSet::default(),
            generated: FxHashMap::default(),
            depth: 0,
            block_depth: 0,
        }
    }

    fn turn_to(&mut self, at: usize) {
        (self.unit, self.at) = (&self.units[at], at);
        let unit = self.unit;
        self.generated.clear();
        let module = unit.statements.iter().find_map(|it| match it.kind {
            StatementKind::Module { name, .. } => Some(unit.text(name)),
            _ => None,
        });
        if let Some(module) = module {
            self.prefix.clear();
            self.prefix.push_str(module);
            (self.optionals, self.attributes) = (0, 0);
        }
    }

    fn is_policy(&self) -> bool {
        self.options.layout != Layout::Module
    }

    fn header(&mut self) {
        let (Layout::Policy { mls, handle_unknown } | Layout::Base { mls, handle_unknown }) =
            self.options.layout
        else {
            return;
        };
        self.put(match handle_unknown {
            HandleUnknown::Deny => "(handleunknown deny)\n",
            HandleUnknown::Reject => "(handleunknown reject)\n",
            HandleUnknown::Allow => "(handleunknown allow)\n",
        });
        self.put(if mls { "(mls true)\n" } else { "(mls false)\n" });
        if !mls {
            // CIL has levels in all contexts, and wants one to be there.
            self.put(
                "(category c0)\n(categoryorder (c0))\n(sensitivity s0)\n(sensitivityorder (s0))\n",
            );
            self.put("(sensitivitycategory s0 (c0))\n");
        }
        self.put(
            "(role object_r)\n(typeattribute cil_gen_require)\n(roleattribute cil_gen_require)\n",
        );
        self.declared.insert((ROLE, OBJECT_R));
        if matches!(self.options.layout, Layout::Base { .. }) {
            for role in ANYWHERE {
                self.put("(role ");
                self.put(role);
                self.put(")\n");
                self.declared.insert((ROLE, role));
            }
        }
        self.orders();
    }

    /// Orders of what is declared: CIL wants them said.
    fn orders(&mut self) {
        let units = self.units;
        let mut lists: [Vec<(usize, mandate_syntax::kernel::ast::Ident)>; 4] = Default::default();
        for (at, unit) in units.iter().enumerate() {
            for statement in &unit.statements {
                match &statement.kind {
                    StatementKind::InitialSid(name) => lists[0].push((at, *name)),
                    StatementKind::Class(name) => lists[1].push((at, *name)),
                    StatementKind::Category { name, .. } => lists[2].push((at, *name)),
                    StatementKind::Dominance(names) => {
                        lists[3].extend(unit.idents[names.range()].iter().map(|&it| (at, it)));
                    }
                    _ => {}
                }
            }
        }
        let words = ["(sidorder (", "(classorder (", "(categoryorder (", "(sensitivityorder ("];
        for (word, list) in words.into_iter().zip(lists) {
            if list.is_empty() {
                continue;
            }
            self.put(word);
            for (place, (at, ident)) in list.into_iter().enumerate() {
                if place > 0 {
                    self.put(" ");
                }
                self.turn_to_names(at);
                self.name(ident);
            }
            self.put("))\n");
        }
        self.turn_to_names(0);
    }

    fn turn_to_names(&mut self, at: usize) {
        if let Some(unit) = self.units.get(at) {
            (self.unit, self.at) = (unit, at);
        }
    }

    /// What a compiler of CIL would take for superfluous, and a policy has all the same.
    fn footer(&mut self) {
        for at in 0..self.units.len() {
            self.turn_to_names(at);
            let unit = self.unit;
            if !unit.explicit_bounds || !self.is_policy() {
                continue;
            }
            let expanded: FxHashSet<&str> = (unit.statements.iter())
                .filter_map(|it| match &it.kind {
                    StatementKind::ExpandAttribute { names, .. } => Some(names),
                    _ => None,
                })
                .flat_map(|names| unit.idents[names.range()].iter().map(|&it| unit.text(it)))
                .collect();
            let mut first = true;
            for statement in &unit.statements {
                let StatementKind::Attribute(name) = statement.kind else { continue };
                if !expanded.contains(unit.text(name)) {
                    self.put(if first { "(expandtypeattribute (" } else { " " });
                    self.name(name);
                    first = false;
                }
            }
            if !first {
                self.put(") false)\n");
            }
        }
    }

    fn block(&mut self, statements: &'a [Statement], depth: usize) {
        let outer = std::mem::replace(&mut self.depth, depth);
        let outer_block = std::mem::replace(&mut self.block_depth, depth);
        for statement in statements {
            let start = self.printed.text.len();
            self.statement(statement);
            if !self.pending.is_empty() {
                // Attributes stand before what names them, also where that is a condition.
                let made = std::mem::take(&mut self.pending);
                self.printed.text.splice(start..start, made);
            }
        }
        (self.depth, self.block_depth) = (outer, outer_block);
    }

    fn statement(&mut self, statement: &'a Statement) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Conditional { expression, then, otherwise } => {
                self.conditional(span, *expression, then, otherwise);
            }
            StatementKind::Optional { then, otherwise } => {
                self.optional(then);
                if otherwise.is_some() {
                    let message = "the `else` of an optional block is left out: CIL has none";
                    self.tell(left_out(span, message).note("hll/pp leaves it out, too"));
                }
            }
            StatementKind::Require(requires) => {
                if !self.is_policy() || self.depth > 0 {
                    self.requires(*requires);
                }
            }
            StatementKind::Module { .. } => {}
            kind => {
                let said = self.rule(span, kind)
                    || self.symbol(span, kind)
                    || self.class_statement(span, kind)
                    || self.object(span, kind);
                if !said {
                    self.tell(not_in_form(span, "CIL does not have this statement"));
                }
            }
        }
    }

    fn conditional(
        &mut self,
        span: Span,
        expression: Slice,
        then: &'a [Statement],
        otherwise: &'a [Statement],
    ) {
        // Requirements within a condition are those of the block.
        for statement in then.iter().chain(otherwise) {
            if let StatementKind::Require(requires) = statement.kind {
                self.requires(requires);
            }
        }
        let is_rule = |it: &&Statement| !matches!(it.kind, StatementKind::Require(_));
        let unit = self.unit;
        let terms = &unit.cond_terms[expression.range()];
        let tunable = terms.iter().all(|it| match it {
            CondTerm::Bool(ident) => self.tunables.contains(unit.text(*ident)),
            _ => true,
        });
        self.open(if tunable { "(tunableif " } else { "(booleanif " });
        self.condition(span, terms);
        self.put("\n");
        for (word, statements) in [("(true\n", then), ("(false\n", otherwise)] {
            if !statements.iter().any(|it| is_rule(&it)) {
                continue;
            }
            self.depth += 1;
            self.open(word);
            self.depth += 1;
            for statement in statements.iter().filter(is_rule) {
                self.statement(statement);
            }
            self.depth -= 1;
            self.open(")\n");
            self.depth -= 1;
        }
        self.open(")\n");
    }

    fn condition(&mut self, span: Span, terms: &[CondTerm]) {
        if let [CondTerm::Bool(one)] = terms {
            self.put("(");
            self.name(*one);
            return self.put(")");
        }
        let shapes: Vec<Shape> = terms
            .iter()
            .map(|it| match it {
                CondTerm::Bool(_) => Shape::Operand,
                CondTerm::Not => Shape::Prefix(0),
                _ => Shape::Binary(0),
            })
            .collect();
        let Some(steps) = prefix(&shapes) else {
            return self.tell(not_in_form(span, "the condition is malformed"));
        };
        for step in steps {
            match step {
                Step::Open => self.part("("),
                Step::Close => self.put(")"),
                Step::Term(at) => match terms[at] {
                    CondTerm::Bool(ident) => {
                        self.part("");
                        self.name(ident);
                    }
                    CondTerm::Not => self.put("not"),
                    CondTerm::Or => self.put("or"),
                    CondTerm::Xor => self.put("xor"),
                    CondTerm::And => self.put("and"),
                    CondTerm::Eq => self.put("eq"),
                    CondTerm::Ne => self.put("neq"),
                },
            }
        }
    }

    fn optional(&mut self, then: &'a [Statement]) {
        self.optionals += 1;
        self.open("(optional ");
        self.generated_name("_optional_", self.optionals);
        self.put("\n");
        // An attribute generated within may go with the block.
        let generated = std::mem::take(&mut self.generated);
        let pending = std::mem::take(&mut self.pending);
        self.block(then, self.depth + 1);
        (self.generated, self.pending) = (generated, pending);
        self.open(")\n");
    }

    /// `MODULE_typeattr_7`
    fn generated_name(&mut self, kind: &str, number: u64) {
        self.printed.text.extend_from_slice(self.prefix.as_bytes());
        self.put(kind);
        decimal(&mut self.printed.text, number);
    }

    fn requires(&mut self, requires: Slice) {
        let unit = self.unit;
        for require in &unit.requires[requires.range()] {
            let word = match require.kind {
                RequireKind::Type | RequireKind::Attribute => "(typeattributeset cil_gen_require ",
                RequireKind::Role | RequireKind::RoleAttribute => {
                    "(roleattributeset cil_gen_require "
                }
                // What a rule names is required by being named; permissions of classes, too.
                RequireKind::Class
                | RequireKind::User
                | RequireKind::Boolean
                | RequireKind::Tunable
                | RequireKind::Sensitivity
                | RequireKind::Category => continue,
            };
            self.open(word);
            self.name(require.name);
            self.put(")\n");
        }
    }

    fn put(&mut self, text: &str) {
        self.printed.text.extend_from_slice(text.as_bytes());
    }

    /// Part of an expression, apart from the one before.
    fn part(&mut self, text: &str) {
        if !self.printed.text.ends_with(b"(") && !self.printed.text.ends_with(b" ") {
            self.put(" ");
        }
        self.put(text);
    }

    /// Begins a line.
    fn open(&mut self, text: &str) {
        const BLANKS: &str = "                                                                ";
        let mut blanks = self.depth * 4;
        while blanks > 0 {
            let some = blanks.min(BLANKS.len());
            self.put(&BLANKS[..some]);
            blanks -= some;
        }
        self.put(text);
    }

    fn number(&mut self, number: u64) {
        decimal(&mut self.printed.text, number);
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        self.printed.diagnostics.push(diagnostic);
    }
}

/// Roles that modules declare although every base does. CIL has a role declared once, so that hll/pp declares it with the base.
const IN_BASE: [&str; 5] = ["user_r", "staff_r", "sysadm_r", "system_r", "unconfined_r"];
/// Roles that the base may declare, or a module, or both: the base's CIL declares them whatever the base does.
const ANYWHERE: [&str; 2] = ["auditadm_r", "secadm_r"];

/// Name spaces of declarations.
const ROLE: u8 = 0;
const USER: u8 = 1;
const ATTRIBUTE: u8 = 2;
const ROLE_ATTRIBUTE: u8 = 3;

fn walk<'a>(statements: &'a [Statement], see: &mut impl FnMut(&'a Statement)) {
    for statement in statements {
        see(statement);
        match &statement.kind {
            StatementKind::Optional { then, otherwise } => {
                walk(then, see);
                walk(otherwise.as_deref().unwrap_or_default(), see);
            }
            StatementKind::Conditional { then, otherwise, .. } => {
                walk(then, see);
                walk(otherwise, see);
            }
            _ => {}
        }
    }
}
