//! What is done to and asked of a finished policy, beside checkpolicy: redundant rules, neverallow, bounds. Random small policies, and
//! the Reference Policy.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use mandate_compile::assertion::{self, Assertion};
use mandate_compile::bounds;
use mandate_compile::optimise::optimise;
use mandate_policydb::{
    ClassId, Context, Ebitmap, ExtendedPermissions, PolicyDb, SymbolId, TypeId, Unvalidated,
    XpermForm,
};
use mandate_server::{Engine, Query};
use mandate_syntax::source::Span;

use crate::place::Place;
use crate::random::Random;
use crate::reference::Reference;
use crate::report::Report;

const TYPES: usize = 8;
const ATTRIBUTES: usize = 5;
const PERMISSIONS: [&str; 4] = ["read", "write", "append", "ioctl"];

/// One comparison: it says what it compared.
type Check = fn(&Place) -> Result<String>;

const CHECKS: [(&str, Check); 4] = [
    ("random policies: redundant rules", redundant_rules),
    ("random policies: neverallow and neverallowxperm", neverallow),
    ("random policies: typebounds", type_bounds),
    ("the Reference Policy, -O: the same bytes and answers", reference_optimised),
];

/// Runs them all.
///
/// # Errors
/// When the report cannot be written.
pub fn run(place: &Place, report: &mut Report<'_>) -> Result<()> {
    report.heading("Finished policies, beside checkpolicy")?;
    for (name, check) in CHECKS {
        report.case(name, check(place).map_err(|why| format!("{why:#}")))?;
    }
    Ok(())
}

/// A folder of one comparison.
fn folder(place: &Place, name: &str) -> Result<PathBuf> {
    let folder = place.work.join("compile/finished").join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// What checkpolicy makes of a source; its words if it refuses.
fn checkpolicy(source: &Path, options: &[&str]) -> Result<Result<Vec<u8>, String>> {
    let output = source.with_extension(format!("out{}", options.concat()));
    let mut command = Command::new("checkpolicy");
    command.args(options).args(["-c", "33", "-U", "deny", "-o"]).arg(&output).arg(source);
    let said = command.stdin(Stdio::null()).output()?;
    if said.status.success() {
        return Ok(Ok(fs::read(&output)?));
    }
    Ok(Err(String::from_utf8_lossy(&said.stderr).into_owned()))
}

fn read(bytes: &[u8]) -> Result<PolicyDb> {
    Ok(Unvalidated::read(bytes)?.validate()?.into_db())
}

fn engine(db: PolicyDb) -> Result<Engine> {
    Ok(Engine::new(Unvalidated::from_db(db).validate()?)?)
}

/// A random small policy.
struct Draw {
    random: Random,
    /// For each attribute its types.
    members: Vec<BTreeSet<usize>>,
}

impl Draw {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let members = (0..ATTRIBUTES)
            .map(|_| (0..TYPES).filter(|_| random.chance(40)).collect::<BTreeSet<usize>>());
        let members: Vec<_> = members.collect();
        Self { random, members }
    }

    fn head(&self) -> String {
        let mut text = String::from("class file class dir class process sid kernel\n");
        for class in ["file", "dir"] {
            let _ = writeln!(text, "class {class} {{ {} }}", PERMISSIONS.join(" "));
        }
        text += "class process { transition dyntransition }\n";
        for attribute in 0..ATTRIBUTES {
            let _ = writeln!(text, "attribute a{attribute};");
        }
        for type_ in 0..TYPES {
            let of = (0..ATTRIBUTES).filter(|&it| self.members[it].contains(&type_));
            let of: String = of.map(|it| format!(", a{it}")).collect();
            let _ = writeln!(text, "type k{type_}{of};");
        }
        text += "bool b0 false; bool b1 true; role r; role q;\n";
        for type_ in 0..TYPES {
            let _ = writeln!(text, "role r types k{type_};");
        }
        text + "allow k0 k0:process transition;\n"
    }

    fn types(&mut self) -> String {
        if self.random.chance(50) {
            format!("k{}", self.random.below(TYPES))
        } else {
            format!("a{}", self.random.below(ATTRIBUTES))
        }
    }

    fn target(&mut self) -> String {
        if self.random.chance(15) { "self".to_owned() } else { self.types() }
    }

    fn class(&mut self) -> &'static str {
        if self.random.chance(70) { "file" } else { "dir" }
    }

    fn permissions(&mut self) -> String {
        let names = PERMISSIONS.iter().filter(|_| self.random.chance(40));
        let names: Vec<_> = names.copied().collect();
        if names.is_empty() { "read".to_owned() } else { format!("{{ {} }}", names.join(" ")) }
    }

    fn xperms(&mut self) -> String {
        let number = |random: &mut Random| {
            let driver = 0x10 + random.below(2);
            if random.chance(20) {
                format!("0x{driver:02x}00-0x{driver:02x}ff")
            } else {
                let low = random.below(4);
                format!("0x{driver:02x}{low:02x}-0x{driver:02x}{:02x}", low + random.below(3))
            }
        };
        let count = self.random.between(1, 2);
        let numbers: Vec<_> = (0..count).map(|_| number(&mut self.random)).collect();
        format!("{{ {} }}", numbers.join(" "))
    }

    fn rule(&mut self, kinds: &[&str]) -> String {
        let kind = kinds[self.random.below(kinds.len())];
        let (source, target, class) = (self.types(), self.target(), self.class());
        let what = if kind.ends_with("xperm") {
            format!("ioctl {}", self.xperms())
        } else {
            self.permissions()
        };
        format!("{kind} {source} {target}:{class} {what};\n")
    }

    fn rules(&mut self, count: usize, kinds: &[&str]) -> String {
        (0..count).map(|_| self.rule(kinds)).collect()
    }

    fn block(&mut self, kinds: &[&str]) -> String {
        let condition = ["b0", "b1", "b0 && b1", "!b1"][self.random.below(4)];
        let (yes, no) = (self.random.below(5), self.random.below(5));
        let (yes, no) = (self.rules(yes, kinds), self.rules(no, kinds));
        format!("if ({condition}) {{\n{yes}}} else {{\n{no}}}\n")
    }

    /// Mostly lets attributes with a bounded type hold its parent.
    fn give_parents(&mut self) {
        for members in &mut self.members {
            for (parent, child) in [(1, 2), (3, 4)] {
                if members.contains(&child) && self.random.chance(90) {
                    members.insert(parent);
                }
            }
        }
    }

    /// Mostly adds to rules of a bounded type those of its parent.
    fn with_parents(&mut self, rules: &str) -> String {
        let mut text = String::new();
        for line in rules.lines() {
            let _ = writeln!(text, "{line}");
            for (parent, child) in [("k1", "k2"), ("k3", "k4")] {
                let more = line.strip_prefix(&format!("allow {child} "));
                if let Some(rest) = more.filter(|_| self.random.chance(80)) {
                    let _ = writeln!(text, "allow {parent} {rest}");
                    let _ = writeln!(text, "allow {parent} {}", rest.replace(child, parent));
                }
            }
        }
        text
    }

    fn blocks(&mut self, count: usize, kinds: &[&str]) -> String {
        (0..count).map(|_| self.block(kinds)).collect()
    }
}

const TAIL: &str = "user u roles r;\nsid kernel u:r:k0\n";
const PLAIN: [&str; 3] = ["allow", "auditallow", "dontaudit"];
const ALL: [&str; 6] =
    ["allow", "allow", "auditallow", "dontaudit", "allowxperm", "dontauditxperm"];

fn bytes_of(db: &PolicyDb) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    db.write(db.version, &mut bytes)?;
    Ok(bytes)
}

/// Never more rules than checkpolicy leaves; but for extended permissions, the same bytes.
fn redundant_rules(place: &Place) -> Result<String> {
    let folder = folder(place, "optimise")?;
    let policies = 150;
    for seed in 0..policies {
        let mut draw = Draw::new(seed);
        let mut text = draw.head();
        text += &draw.rules(40, if seed % 3 == 0 { &ALL } else { &PLAIN });
        text += &draw.blocks(3, &PLAIN);
        let path = folder.join(format!("{seed}.conf"));
        fs::write(&path, text + TAIL)?;
        let plain = checkpolicy(&path, &[])?.map_err(anyhow::Error::msg)?;
        let theirs = checkpolicy(&path, &["-O"])?.map_err(anyhow::Error::msg)?;
        let mut ours = read(&plain)?;
        let before = engine(ours.clone())?;
        optimise(&mut ours);
        let theirs = read(&theirs)?;
        ensure!(count(&ours) <= count(&theirs), "{}: more rules", path.display());
        if seed % 3 != 0 {
            ensure!(bytes_of(&ours)? == bytes_of(&theirs)?, "{}: other bytes", path.display());
        }
        same_answers(&before, &engine(ours)?, 200, seed)
            .with_context(|| path.display().to_string())?;
    }
    Ok(format!("{policies} policies"))
}

fn count(db: &PolicyDb) -> usize {
    let branches = db.conditionals.iter().map(|it| it.when_true.len() + it.when_false.len());
    db.rules.len() + branches.sum::<usize>()
}

/// Asks both the same, under several settings of the booleans.
fn same_answers(before: &Engine, after: &Engine, questions: usize, seed: u64) -> Result<()> {
    let db = before.db();
    let model = db.object_contexts.contexts().next().context("an initial SID")?.clone();
    let mut random = Random::new(seed);
    for round in 0..4 {
        let set: Vec<_> = db.booleans.iter().map(|it| (it.id, random.chance(50))).collect();
        let one = before.with_booleans(before.booleans().with(before.db(), set.clone()));
        let two = after.with_booleans(after.booleans().with(after.db(), set));
        for _ in 0..questions / 4 {
            let (source, target, class) = question(db, &mut random, &model);
            let query = Query { source: &source, target: &target, class };
            let (one, two) = (one.decide(&query), two.decide(&query));
            ensure!(one == two, "round {round}: {source:?} {target:?} {class}: {one:?} {two:?}");
        }
    }
    Ok(())
}

/// Half of the questions are about a rule of the policy.
fn question(db: &PolicyDb, random: &mut Random, model: &Context) -> (Context, Context, ClassId) {
    let member = |id: TypeId, random: &mut Random| {
        let all: Vec<TypeId> = (0..)
            .zip(&db.type_attributes)
            .filter(|(_, attributes)| attributes.has(id))
            .filter_map(|(bit, _)| TypeId::from_bit(bit))
            .filter(|&it| db.types.get(it).is_some_and(|it| !it.attribute))
            .collect();
        random.pick(&all).copied().unwrap_or(model.type_)
    };
    let rule = db.rules[random.below(db.rules.len())];
    let any = |random: &mut Random| {
        let types = u32::try_from(random.below(db.types.nprim() as usize)).unwrap_or(0);
        TypeId::from_bit(types).filter(|&it| db.types.get(it).is_some_and(|it| !it.attribute))
    };
    let source = member(rule.source, random);
    let target = match random.chance(50) {
        true => member(rule.target, random),
        false => any(random).unwrap_or(source),
    };
    let with = |type_| Context { type_, ..model.clone() };
    (with(source), with(target), rule.class())
}

/// A neverallow as text and as we check it.
fn forbid(draw: &mut Draw, db: &PolicyDb) -> (String, Vec<Assertion>) {
    let (source, target) = (draw.types(), draw.types());
    let itself = draw.random.chance(20);
    let complement = draw.random.chance(20);
    let class = draw.class();
    let id = db.classes.id(class).expect("a class");
    let xperm = draw.random.chance(40);
    let set = |name: &str| -> Ebitmap {
        let id = db.types.id(name).expect("a type");
        let types = (0..TYPES).filter_map(|it| db.types.id(&format!("k{it}")));
        types.filter(|it| db.type_attributes[it.index()].has(id)).map(SymbolId::bit).collect()
    };
    let all: Ebitmap =
        (0..TYPES).filter_map(|it| db.types.id(&format!("k{it}"))).map(SymbolId::bit).collect();
    let other: Ebitmap = all.iter().filter(|&bit| !set(&target).contains(bit)).collect();
    let (written, targets) = match (itself, complement) {
        (true, _) => ("self".to_owned(), Ebitmap::new()),
        (false, true) => (format!("~{target}"), other),
        (false, false) => (target.clone(), set(&target)),
    };
    let plain = Assertion {
        source: set(&source),
        target: targets,
        self_: itself,
        not_self: false,
        class: id,
        permissions: 0,
        xperms: Vec::new(),
        span: Span::NOWHERE,
    };
    if xperm {
        let (driver, low) = (0x10 + draw.random.below(2), draw.random.below(5));
        let text =
            format!("neverallowxperm {source} {written}:{class} ioctl 0x{driver:02x}{low:02x};\n");
        let mut bits = [0; 8];
        bits[0] = 1 << low;
        let driver = u8::try_from(driver).expect("a byte");
        let xperms = vec![ExtendedPermissions { form: XpermForm::IoctlFunction, driver, bits }];
        return (text, vec![Assertion { permissions: bit(db, id, "ioctl"), xperms, ..plain }]);
    }
    let name = PERMISSIONS[draw.random.below(4)];
    let text = format!("neverallow {source} {written}:{class} {name};\n");
    (text, vec![Assertion { permissions: bit(db, id, name), ..plain }])
}

fn bit(db: &PolicyDb, class: ClassId, name: &str) -> u32 {
    1 << db.permission(class, name).expect("a permission").bit()
}

/// The same policies are refused, for rules that checkpolicy names, too.
fn neverallow(place: &Place) -> Result<String> {
    let folder = folder(place, "neverallow")?;
    let (mut refused, mut accepted) = (0, 0);
    for seed in 0..300 {
        let mut draw = Draw::new(seed);
        let mut text = draw.head();
        let (allows, xperms) = (draw.random.between(1, 5), draw.random.below(5));
        text += &draw.rules(allows, &["allow"]);
        text += &draw.rules(xperms, &["allowxperm", "allowxperm", "dontauditxperm"]);
        text += &draw.blocks(1, &["allow", "dontaudit"]);
        let path = folder.join(format!("{seed}.conf"));
        fs::write(&path, format!("{text}{TAIL}"))?;
        let db = read(&checkpolicy(&path, &[])?.map_err(anyhow::Error::msg)?)?;
        let (never, assertions) = forbid(&mut draw, &db);
        fs::write(&path, format!("{text}{never}{TAIL}"))?;
        let said = checkpolicy(&path, &[])?.err();
        let ours = assertion::check(&db, &assertions);
        let same = said.is_some() != ours.is_empty();
        ensure!(same, "{}: {said:?} but {ours:?}", path.display());
        let Some(said) = said else {
            accepted += 1;
            continue;
        };
        refused += 1;
        for violation in &ours {
            let (rule, pair) = (violation.rule.rule(&db).context("a rule")?, violation);
            // An allowxperm is mostly told by the names of its rule, an allow by the types.
            let told =
                |a, b| said.contains(&format!(" {} {}:", db.types.name(a), db.types.name(b)));
            let ours = told(pair.source, pair.target) || told(rule.source, rule.target);
            ensure!(ours, "{}: {violation:?} is not in {said}", path.display());
        }
    }
    let told = format!("{refused} refused, {accepted} accepted");
    ensure!(refused > 50 && accepted > 50, "too few of either: {told}");
    Ok(told)
}

fn type_bounds(place: &Place) -> Result<String> {
    let folder = folder(place, "bounds")?;
    let (mut refused, mut accepted) = (0, 0);
    for seed in 0..200 {
        let mut draw = Draw::new(seed);
        draw.give_parents();
        let mut text = draw.head();
        let rules = draw.random.between(1, 5);
        let drawn = draw.rules(rules, &["allow"]);
        text += &draw.with_parents(&drawn);
        let drawn = draw.blocks(1, &["allow"]);
        text += &draw.with_parents(&drawn);
        let path = folder.join(format!("{seed}.conf"));
        text += "typebounds k1 k2;\ntypebounds k3 k4;\n";
        fs::write(&path, format!("{text}{TAIL}"))?;
        let said = checkpolicy(&path, &[])?.err();
        fs::write(&path, format!("{}{TAIL}", text.replace("typebounds", "#")))?;
        let mut db = read(&checkpolicy(&path, &[])?.map_err(anyhow::Error::msg)?)?;
        bind(&mut db, &[("k1", "k2"), ("k3", "k4")])?;
        let ours = bounds::check(&db);
        let same = said.is_some() != ours.is_empty();
        ensure!(same, "{}: {said:?} but {ours:?}", path.display());
        if said.is_some() { refused += 1 } else { accepted += 1 }
    }
    let told = format!("{refused} refused, {accepted} accepted");
    ensure!(refused > 50 && accepted > 50, "too few of either: {told}");
    Ok(told)
}

/// Gives types their bounds: checkpolicy writes no policy that breaks them.
fn bind(db: &mut PolicyDb, pairs: &[(&str, &str)]) -> Result<()> {
    let mut types: Vec<_> = db.types.iter().cloned().collect();
    for (parent, child) in pairs {
        let bounds = db.types.id(parent);
        let child = types.iter_mut().find(|it| &*it.name == *child).context("a type")?;
        child.bounds = bounds;
    }
    db.types = mandate_policydb::SymbolTable::new(db.types.nprim(), types)?;
    Ok(())
}

fn reference_optimised(place: &Place) -> Result<String> {
    const QUESTIONS: usize = 200_000;
    let references = Reference::build_all(place)?;
    for reference in &references {
        let name = reference.flavour.name();
        let path = folder(place, "reference")?.join(format!("{name}.conf"));
        fs::copy(reference.source(), &path)?;
        let mls = reference.flavour.mls_option();
        let plain = checkpolicy(&path, mls)?.map_err(anyhow::Error::msg)?;
        let theirs = [mls, &["-O"]].concat();
        let theirs = checkpolicy(&path, &theirs)?.map_err(anyhow::Error::msg)?;
        let mut ours = read(&plain)?;
        let before = engine(ours.clone())?;
        optimise(&mut ours);
        ensure!(bytes_of(&ours)? == theirs, "{name}: other bytes");
        same_answers(&before, &engine(ours)?, QUESTIONS, 1).context(name)?;
    }
    Ok(format!("{} policies, {QUESTIONS} decisions each", references.len()))
}
