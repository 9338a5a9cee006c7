//! Questions drawn around what a policy holds.

use std::collections::BTreeMap;
use std::path::Path;

use mandate_policydb::{
    AvRule, Datum, PolicyDb, RuleKind, SymbolTable, Target, XpermForm, initial_sid_name,
};

use super::setools::Answer;
use crate::random::Random;

/// How often each of the criteria that a rule offers is taken, in a hundred.
const CRITERION: usize = 45;

/// A question.
#[derive(Clone, Debug)]
pub struct Question {
    /// `sesearch` or `seinfo`.
    pub tool: &'static str,
    /// Options and their arguments.
    pub options: Vec<String>,
}

impl Question {
    /// The words of the command, the policy among them.
    #[must_use]
    pub fn words(&self, policy: &Path) -> Vec<String> {
        let policy = policy.display().to_string();
        std::iter::once(policy).chain(self.options.iter().cloned()).collect()
    }
}

/// What was asked so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many questions.
    pub asked: usize,
    answered: usize,
    options: BTreeMap<String, usize>,
}

/// Options of `sesearch`, and of `seinfo`, that questions are made of.
const SESEARCH: [&str; 31] = [
    "-A",
    "--allow",
    "--allowxperm",
    "--auditallow",
    "--auditallowxperm",
    "--dontaudit",
    "--dontauditxperm",
    "-T",
    "--type_change",
    "--type_member",
    "--role_allow",
    "--role_trans",
    "--range_trans",
    "-s",
    "-t",
    "-c",
    "-p",
    "-x",
    "-D",
    "-b",
    "-eb",
    "-ep",
    "-ex",
    "-Sp",
    "-ds",
    "-dt",
    "-rs",
    "-rt",
    "-rc",
    "-rd",
    "-rb",
];
const SEINFO: [&str; 23] = [
    "-a",
    "-b",
    "-c",
    "-r",
    "-t",
    "-u",
    "--category",
    "--common",
    "--constrain",
    "--default",
    "--fs_use",
    "--genfscon",
    "--ibpkeycon",
    "--ibendportcon",
    "--initialsid",
    "--netifcon",
    "--nodecon",
    "--permissive",
    "--polcap",
    "--portcon",
    "--sensitivity",
    "--typebounds",
    "--validatetrans",
];
const BOTH: [&str; 3] = ["-x", "--flat", "--all"];

impl Tally {
    /// Counts a question and its answer.
    pub fn count(&mut self, question: &Question, answer: &Answer) {
        self.asked += 1;
        // A list of seinfo has a blank line and a title before what it holds.
        let titles = match question.options.iter().any(|it| it == "--flat") {
            _ if question.tool == "sesearch" => 0,
            true => 0,
            false => 2,
        };
        self.answered += usize::from(answer.lines.len() > titles);
        for option in question.options.iter().filter(|it| it.starts_with('-')) {
            *self.options.entry(key(question.tool, option)).or_default() += 1;
        }
    }

    /// How many answers hold something, in a hundred.
    #[must_use]
    pub fn share_of_answers(&self) -> usize {
        self.answered * 100 / self.asked.max(1)
    }

    /// The options that occurred less than `often`.
    #[must_use]
    pub fn rarer_than(&self, often: usize) -> Vec<String> {
        let search = SESEARCH.iter().map(|it| key("sesearch", it));
        let info = SEINFO.iter().chain(&BOTH).map(|it| key("seinfo", it));
        search.chain(info).filter(|it| self.times(it) < often).collect()
    }

    /// The option that was asked least, of those that only some policies have something for.
    #[must_use]
    pub fn least(&self) -> (&'static str, &'static str) {
        let search = SESEARCH.iter().filter(|it| xperm_kind(it).is_some());
        let search = search.map(|it| ("sesearch", *it));
        let all = search.chain(SEINFO.iter().map(|it| ("seinfo", *it)));
        all.min_by_key(|it| self.times(&key(it.0, it.1))).unwrap_or(("seinfo", "-t"))
    }

    fn times(&self, key: &str) -> usize {
        self.options.get(key).copied().unwrap_or(0)
    }
}

fn key(tool: &str, option: &str) -> String {
    format!("{tool} {option}")
}

/// Draws questions about one policy.
#[derive(Debug)]
pub struct Draw<'a> {
    db: &'a PolicyDb,
    /// The rules, with their conditional blocks if they stand in one.
    rules: Vec<(&'a AvRule, Option<usize>)>,
}

impl<'a> Draw<'a> {
    /// About this policy.
    #[must_use]
    pub fn of(db: &'a PolicyDb) -> Self {
        let plain = db.rules.iter().map(|it| (it, None));
        let blocks = db.conditionals.iter().enumerate().flat_map(|(at, block)| {
            block.when_true.iter().chain(&block.when_false).map(move |it| (it, Some(at)))
        });
        Self { db, rules: plain.chain(blocks).collect() }
    }

    /// Is there something that this option of the tool asks for?
    #[must_use]
    pub fn offers(&self, tool: &str, option: &str) -> bool {
        match xperm_kind(option) {
            Some(kind) => self.rules.iter().any(|it| it.0.kind == kind),
            None => tool == "seinfo" && !self.names(option).is_empty(),
        }
    }

    /// A question; with an option if it is wanted.
    pub fn question(
        &self,
        random: &mut Random,
        tally: &Tally,
        wanted: Option<(&str, &str)>,
    ) -> Question {
        let info = wanted.map_or_else(|| random.chance(40), |it| it.0 == "seinfo");
        let wanted = wanted.map(|it| it.1);
        if info {
            return Question { tool: "seinfo", options: self.info(random, tally, wanted) };
        }
        let options = match random.below(10) {
            _ if wanted.is_some() => None,
            0 => self.roles(random),
            1 => self.ranges(random),
            2 => self.file_names(random),
            _ => None,
        };
        let options = options.or_else(|| self.rule(random, wanted.and_then(xperm_kind)));
        let options = options.unwrap_or_else(|| words(&["--role_allow"]));
        Question { tool: "sesearch", options }
    }

    /// A rule; rare kinds and conditional rules are drawn more often than they are.
    fn any_rule(
        &self,
        random: &mut Random,
        wanted: Option<RuleKind>,
    ) -> Option<(&'a AvRule, Option<usize>)> {
        let kinds = [
            RuleKind::Allow,
            RuleKind::AuditAllow,
            RuleKind::DontAudit,
            RuleKind::TypeTransition,
            RuleKind::TypeMember,
            RuleKind::TypeChange,
            RuleKind::AllowXperm,
            RuleKind::AuditAllowXperm,
            RuleKind::DontAuditXperm,
        ];
        let kind = wanted.or_else(|| random.pick(&kinds).copied())?;
        let conditional = wanted.is_none() && random.chance(30);
        let fits =
            |it: &&(&AvRule, Option<usize>)| it.0.kind == kind && (!conditional || it.1.is_some());
        let fitting: Vec<_> = self.rules.iter().filter(fits).collect();
        match random.pick(&fitting) {
            Some(rule) => Some(**rule),
            None => random.pick(&self.rules).copied(),
        }
    }

    fn rule(&self, random: &mut Random, wanted: Option<RuleKind>) -> Option<Vec<String>> {
        let db = self.db;
        let (rule, block) = self.any_rule(random, wanted)?;
        let mut options = words(&[kind_option(rule.kind, random)]);
        if random.chance(10) {
            options.extend(words(&["--dontaudit"]));
        }
        let types = &db.types;
        self.end(random, "-s", "-ds", "-rs", &types.name(rule.source), &mut options);
        self.end(random, "-t", "-dt", "-rt", &types.name(rule.target), &mut options);
        self.class(random, &db.classes.name(rule.class()), &mut options);
        if let Some(type_) = rule.default_type() {
            named(random, "-D", "-rd", &types.name(type_), &mut options);
        } else if let Some(xperms) = db.xperms.of(rule) {
            let ranges = xperm_ranges(xperms.form, xperms.driver, |low| xperms.has(low));
            self.xperms(random, &ranges, &mut options);
        } else {
            self.permissions(random, rule, &mut options);
        }
        if let Some(block) = block.and_then(|it| db.conditionals.get(it)) {
            let names: Vec<_> = block.booleans().map(|it| db.booleans.name(it)).collect();
            self.booleans(random, &names, &mut options);
        }
        Some(options)
    }

    /// One end of a rule: itself, a type of its, or a pattern.
    fn end(
        &self,
        random: &mut Random,
        option: &str,
        direct: &str,
        regex: &str,
        name: &str,
        options: &mut Vec<String>,
    ) {
        if !random.chance(CRITERION) {
            return;
        }
        let member = self.member(random, name);
        let name = if random.chance(50) { member.as_deref().unwrap_or(name) } else { name };
        if random.chance(25) {
            options.extend([option.to_owned(), pattern(random, name), regex.to_owned()]);
        } else {
            options.extend([option.to_owned(), name.to_owned()]);
        }
        if random.chance(25) {
            options.push(direct.to_owned());
        }
    }

    /// A type of an attribute.
    fn member(&self, random: &mut Random, name: &str) -> Option<String> {
        let db = self.db;
        let attribute = db.types.find(name).filter(|it| it.attribute)?.id;
        let has = |it: &&mandate_policydb::TypeDatum| {
            use mandate_policydb::SymbolId as _;
            !it.attribute
                && db.type_attributes.get(it.id.index()).is_some_and(|at| at.has(attribute))
        };
        let members: Vec<_> = db.types.by_value().filter(has).collect();
        random.pick(&members).map(|it| it.name.to_string())
    }

    fn class(&self, random: &mut Random, class: &str, options: &mut Vec<String>) {
        if !random.chance(CRITERION) {
            return;
        }
        if random.chance(30) {
            options.extend(["-c".to_owned(), pattern(random, class), "-rc".to_owned()]);
            return;
        }
        let mut names = class.to_owned();
        if random.chance(30) {
            let all: Vec<_> = self.db.classes.by_value().collect();
            names += &random.pick(&all).map(|it| format!(",{}", it.name)).unwrap_or_default();
        }
        options.extend(["-c".to_owned(), names]);
    }

    fn permissions(&self, random: &mut Random, rule: &AvRule, options: &mut Vec<String>) {
        let mask = self.db.permission_mask(rule.class());
        let names = self.db.permission_names(rule.class(), rule.permissions() & mask);
        if names.is_empty() || !random.chance(CRITERION) {
            return;
        }
        let some: Vec<String> = names.iter().filter(|_| random.chance(50)).cloned().collect();
        let some = if some.is_empty() { names.clone() } else { some };
        let (names, how) = match random.below(4) {
            0 => (names, Some("-ep")),
            1 => (some, Some("-Sp")),
            2 => (some, Some("-ep")),
            _ => (some, None),
        };
        options.extend(["-p".to_owned(), names.join(",")]);
        options.extend(how.map(str::to_owned));
    }

    fn xperms(&self, random: &mut Random, ranges: &[(u32, u32)], options: &mut Vec<String>) {
        if !random.chance(80) {
            return;
        }
        let shown = |&(low, high): &(u32, u32)| match low == high {
            true => format!("{low:#06x}"),
            false => format!("{low:#06x}-{high:#06x}"),
        };
        if random.chance(50) {
            let all: Vec<_> = ranges.iter().map(shown).collect();
            options.extend(["-x".to_owned(), all.join(","), "-ex".to_owned()]);
        } else if let Some(range) = random.pick(ranges) {
            options.extend(["-x".to_owned(), shown(range)]);
        }
    }

    fn booleans(&self, random: &mut Random, names: &[impl AsRef<str>], options: &mut Vec<String>) {
        if !random.chance(70) {
            return;
        }
        let Some(one) = random.pick(names).map(AsRef::as_ref) else { return };
        match random.below(3) {
            0 => options.extend(["-b".to_owned(), pattern(random, one), "-rb".to_owned()]),
            1 => {
                let all: Vec<_> = names.iter().map(AsRef::as_ref).collect();
                options.extend(["-b".to_owned(), all.join(","), "-eb".to_owned()]);
            }
            _ => options.extend(["-b".to_owned(), one.to_owned()]),
        }
    }

    fn roles(&self, random: &mut Random) -> Option<Vec<String>> {
        let db = self.db;
        let (mut options, source, target) = if random.chance(50) {
            let rule = random.pick(&db.role_allows)?;
            let names = (db.roles.name(rule.role), db.roles.name(rule.new_role));
            (words(&["--role_allow"]), names.0, names.1)
        } else {
            let rule = random.pick(&db.role_transitions)?;
            let mut options = words(&["--role_trans"]);
            if let Some(class) = rule.class {
                self.class(random, &db.classes.name(class), &mut options);
            }
            named(random, "-D", "-rd", &db.roles.name(rule.new_role), &mut options);
            (options, db.roles.name(rule.role), db.types.name(rule.type_))
        };
        if random.chance(20) {
            options.extend(words(&["--role_allow", "--role_trans"]));
        }
        self.end(random, "-s", "-ds", "-rs", &source, &mut options);
        self.end(random, "-t", "-dt", "-rt", &target, &mut options);
        Some(options)
    }

    fn ranges(&self, random: &mut Random) -> Option<Vec<String>> {
        let db = self.db;
        let rule = random.pick(&db.range_transitions)?;
        let mut options = words(&["--range_trans"]);
        self.end(random, "-s", "-ds", "-rs", &db.types.name(rule.source), &mut options);
        self.end(random, "-t", "-dt", "-rt", &db.types.name(rule.target), &mut options);
        if let Some(class) = rule.class {
            self.class(random, &db.classes.name(class), &mut options);
        }
        if random.chance(CRITERION) {
            options.extend(["-D".to_owned(), db.range_to_string(&rule.range)]);
        }
        Some(options)
    }

    fn file_names(&self, random: &mut Random) -> Option<Vec<String>> {
        let db = self.db;
        let all = db.filename_transitions.to_groups();
        let rule = random.pick(&all)?;
        let (sources, default) = random.pick(&rule.defaults)?;
        let source = sources.ids().next()?;
        let mut options = words(&["-T"]);
        self.end(random, "-s", "-ds", "-rs", &db.types.name(source), &mut options);
        self.end(random, "-t", "-dt", "-rt", &db.types.name(rule.target), &mut options);
        self.class(random, &db.classes.name(rule.class), &mut options);
        named(random, "-D", "-rd", &db.types.name(*default), &mut options);
        Some(options)
    }

    /// A question of `seinfo`, about what was asked least and what there is.
    fn info(&self, random: &mut Random, tally: &Tally, wanted: Option<&str>) -> Vec<String> {
        let mut options = Vec::new();
        // With --all setools asks a policy for Xen for what it does not have, and fails.
        if wanted.is_none() && random.chance(6) && self.db.target == Target::Selinux {
            options.push("--all".to_owned());
        } else {
            let asked = SEINFO.iter().filter(|it| wanted.is_none_or(|wanted| wanted == **it));
            let mut present: Vec<_> = asked.map(|it| (*it, self.names(it))).collect();
            present.retain(|it| !it.1.is_empty());
            present.sort_by_key(|it| tally.times(&key("seinfo", it.0)));
            let least = random.below(present.len().min(4));
            let Some((option, names)) = present.get(least) else { return options };
            options.push((*option).to_owned());
            if random.chance(60) {
                options.extend(random.pick(names).cloned());
            }
        }
        if random.chance(50) {
            options.push("-x".to_owned());
        }
        if random.chance(25) {
            options.push("--flat".to_owned());
        }
        options
    }

    /// The names that an option of `seinfo` may be given.
    fn names(&self, option: &str) -> Vec<String> {
        fn all<T: Datum>(table: &SymbolTable<T>) -> Vec<String> {
            table.iter().map(|it| it.name().to_owned()).collect()
        }
        let db = self.db;
        let objects = &db.object_contexts;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let classes = |has: &dyn Fn(&mandate_policydb::ClassDatum) -> bool| {
            let with = db.classes.by_value().filter(|it| has(it));
            with.map(|it| it.name.to_string()).collect::<Vec<_>>()
        };
        let types = |has: &dyn Fn(&mandate_policydb::TypeDatum) -> bool| {
            let with = db.types.iter().filter(|it| has(it));
            with.map(|it| it.name.to_string()).collect::<Vec<_>>()
        };
        match option {
            "-a" => types(&|it| it.attribute),
            "-b" => all(&db.booleans),
            "-c" => all(&db.classes),
            "-r" => all(&db.roles),
            "-t" => types(&|it| !it.attribute),
            "-u" => all(&db.users),
            "--category" => all(&db.categories),
            "--common" => all(&db.commons),
            "--sensitivity" => all(&db.sensitivities),
            "--constrain" => classes(&|it| !it.constraints.is_empty()),
            "--validatetrans" => classes(&|it| !it.validatetrans.is_empty()),
            "--default" => classes(&|it| {
                it.default_user.is_some()
                    || it.default_role.is_some()
                    || it.default_type.is_some()
                    || it.default_range.is_some()
            }),
            "--typebounds" => types(&|it| it.bounds.is_some()),
            "--permissive" => types(&|it| db.is_permissive(it.id)),
            "--polcap" => db.capability_names(),
            "--initialsid" => {
                let names = objects.initial_sids.iter();
                let names = names.filter_map(|it| initial_sid_name(db.target, it.sid));
                // setools knows no names of Xen's, and fails.
                let here = db.target == Target::Selinux;
                names.filter(|_| here).map(str::to_owned).collect()
            }
            "--fs_use" => objects.fs_uses.iter().map(|it| text(&it.name)).collect(),
            "--genfscon" => db.genfs.iter().map(|it| text(&it.fstype)).collect(),
            "--netifcon" => objects.netifs.iter().map(|it| text(&it.name)).collect(),
            "--ibendportcon" => objects.ibendports.iter().map(|it| text(&it.device)).collect(),
            // setools 4.4 fails on a range of numbers.
            "--portcon" => objects.ports.iter().map(|it| it.low.to_string()).collect(),
            "--ibpkeycon" => objects.ibpkeys.iter().map(|it| format!("{:#x}", it.low)).collect(),
            "--nodecon" => {
                let four = objects
                    .nodes
                    .iter()
                    .map(|it| format!("{}/{}", it.address, u32::from(it.mask).count_ones()));
                let six = objects
                    .nodes6
                    .iter()
                    .map(|it| format!("{}/{}", it.address, u128::from(it.mask).count_ones()));
                four.chain(six).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The rules of extended permissions that an option asks for.
fn xperm_kind(option: &str) -> Option<RuleKind> {
    match option {
        "--allowxperm" | "-x" | "-ex" => Some(RuleKind::AllowXperm),
        "--auditallowxperm" => Some(RuleKind::AuditAllowXperm),
        "--dontauditxperm" => Some(RuleKind::DontAuditXperm),
        _ => None,
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|it| (*it).to_owned()).collect()
}

fn kind_option(kind: RuleKind, random: &mut Random) -> &'static str {
    match kind {
        RuleKind::Allow | RuleKind::AllowXperm if random.chance(50) => "-A",
        RuleKind::Allow => "--allow",
        RuleKind::AllowXperm => "--allowxperm",
        RuleKind::AuditAllow => "--auditallow",
        RuleKind::AuditAllowXperm => "--auditallowxperm",
        RuleKind::DontAudit => "--dontaudit",
        RuleKind::DontAuditXperm => "--dontauditxperm",
        RuleKind::TypeTransition => "-T",
        RuleKind::TypeChange => "--type_change",
        RuleKind::TypeMember => "--type_member",
    }
}

/// A name, or a pattern that finds it.
fn named(random: &mut Random, option: &str, regex: &str, name: &str, options: &mut Vec<String>) {
    if !random.chance(CRITERION) {
        return;
    }
    if random.chance(40) {
        options.extend([option.to_owned(), pattern(random, name), regex.to_owned()]);
    } else {
        options.extend([option.to_owned(), name.to_owned()]);
    }
}

/// A pattern that the name fits.
fn pattern(random: &mut Random, name: &str) -> String {
    let half = name.chars().count().div_ceil(2);
    let head: String = name.chars().take(half).collect();
    let tail: String = name.chars().skip(half).collect();
    match random.below(4) {
        0 => format!("^{head}"),
        1 => format!("{tail}$"),
        2 => format!("^({name}|nothing.*)$"),
        _ => format!("^{head}.*{tail}$"),
    }
}

fn xperm_ranges(form: XpermForm, driver: u8, has: impl Fn(u8) -> bool) -> Vec<(u32, u32)> {
    let high = u32::from(driver) << 8;
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for low in (0..=u8::MAX).filter(|it| has(*it)).map(u32::from) {
        let (first, last) = match form {
            XpermForm::IoctlDriver => (low << 8, low << 8 | 0xff),
            XpermForm::IoctlFunction | XpermForm::Nlmsg => (high | low, high | low),
        };
        match ranges.last_mut() {
            Some(open) if open.1 + 1 == first => open.1 = last,
            _ => ranges.push((first, last)),
        }
    }
    ranges
}
