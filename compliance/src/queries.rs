//! Draws repeatable questions from a policy's vocabulary.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::random::Random;
use crate::sepol::Sepol;
use crate::vocabulary::{Level, Rule, RuleKind, User, Vocabulary};

/// How many contexts the questions of one policy share, at most.
pub const POOL_SIZE: usize = 5_000;

/// A context that the policy allows to exist.
#[derive(Clone, Debug)]
pub struct Pooled {
    /// Its canonical text.
    pub text: String,
    /// Its number in libsepol's pool.
    pub number: usize,
}

/// The contexts that questions are made of.
#[derive(Clone, Debug)]
pub struct Pool {
    /// All of them.
    pub contexts: Vec<Pooled>,
    by_type: BTreeMap<u32, Vec<usize>>,
}

/// An access question; source and target are indices into the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The source context.
    pub source: usize,
    /// The target context.
    pub target: usize,
    /// The class's value.
    pub class: u32,
}

/// Draws questions; the same seed draws the same ones.
#[derive(Debug)]
pub struct Draw<'a> {
    vocabulary: &'a Vocabulary,
    pool: &'a Pool,
    random: Random,
    access_rules: Vec<Rule>,
    create_rules: Vec<Rule>,
    classes: Vec<u32>,
    types_in_pool: Vec<u32>,
    members: BTreeMap<u32, Vec<u32>>,
}

impl Pool {
    /// Fills a pool with contexts that libsepol accepts.
    ///
    /// # Errors
    /// When libsepol's program fails or the policy allows no context.
    pub fn fill(vocabulary: &Vocabulary, sepol: &mut Sepol, seed: u64) -> Result<Self> {
        let mut random = Random::new(seed);
        let wanted = drawn_contexts(vocabulary, &mut random);
        let questions: Vec<String> =
            wanted.iter().map(|(_, text)| format!("context\t{text}")).collect();
        let answers = sepol.ask(&questions)?;
        let mut pool = Self { contexts: Vec::new(), by_type: BTreeMap::new() };
        let mut seen = BTreeSet::new();
        for ((type_, spelled), answer) in wanted.iter().zip(answers) {
            let Some((number, text)) = answer.split_once('\t') else { continue };
            // libsepol 3.4 prints some runs of categories longer than they are; its text would mean another context.
            if text != spelled {
                continue;
            }
            if pool.contexts.len() < POOL_SIZE && seen.insert(text.to_owned()) {
                pool.by_type.entry(*type_).or_default().push(pool.contexts.len());
                pool.contexts.push(Pooled { text: text.to_owned(), number: number.parse()? });
            }
        }
        if pool.contexts.is_empty() {
            bail!("the policy allows none of the contexts drawn for it");
        }
        Ok(pool)
    }
}

/// Contexts for the sources and the targets of rules, and for types at random.
fn drawn_contexts(vocabulary: &Vocabulary, random: &mut Random) -> Vec<(u32, String)> {
    let types: Vec<u32> = vocabulary.types.keys().copied().collect();
    let mut drawn = Vec::new();
    for turn in 0..POOL_SIZE * 3 / 2 {
        let rule = random.pick(&vocabulary.rules).copied();
        let wanted = match (turn % 5, rule) {
            (0 | 1, Some(rule)) => rule.source,
            (2 | 3, Some(rule)) => rule.target,
            _ => random.pick(&types).copied().unwrap_or(1),
        };
        let Some(&type_) = random.pick(&vocabulary.members(wanted)) else { continue };
        if let Some(text) = context_of(vocabulary, type_, random) {
            drawn.push((type_, text));
        }
    }
    drawn
}

/// A context with this type: mostly with a role that may have it, sometimes `object_r`.
fn context_of(vocabulary: &Vocabulary, type_: u32, random: &mut Random) -> Option<String> {
    let any = random.pick(&vocabulary.users)?;
    let may_have = users_and_roles(vocabulary, type_);
    let (user, role) = match random.pick(&may_have) {
        Some(&pair) if random.chance(85) => pair,
        _ => (any, "object_r"),
    };
    let name = vocabulary.types.get(&type_)?;
    let range = range_of(vocabulary, user, random);
    Some(format!("{}:{role}:{name}{range}", user.name))
}

/// Every user with every role that may have this type.
fn users_and_roles(vocabulary: &Vocabulary, type_: u32) -> Vec<(&User, &str)> {
    let named =
        |role: u32| vocabulary.roles.get(&role).filter(|r| r.types.binary_search(&type_).is_ok());
    vocabulary
        .users
        .iter()
        .flat_map(|user| user.roles.iter().map(move |role| (user, *role)))
        .filter_map(|(user, role)| Some((user, named(role)?.name.as_str())))
        .collect()
}

/// A range that the user may have, as text with its colon; empty without MLS.
fn range_of(vocabulary: &Vocabulary, user: &User, random: &mut Random) -> String {
    if !vocabulary.mls {
        return String::new();
    }
    let (low, high) = match random.below(5) {
        0 => (user.low.clone(), user.low.clone()),
        1 => (user.low.clone(), user.high.clone()),
        _ => {
            let high = high_level(vocabulary, user, random);
            (low_level(user, &high, random), high)
        }
    };
    let (low_text, high_text) = (spell(vocabulary, &low), spell(vocabulary, &high));
    if low == high { format!(":{low_text}") } else { format!(":{low_text}-{high_text}") }
}

fn high_level(vocabulary: &Vocabulary, user: &User, random: &mut Random) -> Level {
    let sensitivity = between(user.low.sensitivity, user.high.sensitivity, random);
    let may = vocabulary.sensitivities.get(&sensitivity).map(|(_, categories)| categories);
    let allowed: Vec<u32> = user
        .high
        .categories
        .iter()
        .copied()
        .filter(|category| may.is_some_and(|may| may.binary_search(category).is_ok()))
        .collect();
    let mut categories = some_categories(&allowed, random);
    categories.extend(&user.low.categories);
    Level { sensitivity, categories: categories.into_iter().collect() }
}

fn low_level(user: &User, high: &Level, random: &mut Random) -> Level {
    if random.chance(30) {
        return high.clone();
    }
    let sensitivity = between(user.low.sensitivity, high.sensitivity, random);
    let mut categories = match random.below(3) {
        0 => BTreeSet::new(),
        _ => some_categories(&high.categories, random),
    };
    categories.extend(&user.low.categories);
    Level { sensitivity, categories: categories.into_iter().collect() }
}

fn between(low: u32, high: u32, random: &mut Random) -> u32 {
    let span = usize::try_from(high.saturating_sub(low)).unwrap_or(0);
    low + u32::try_from(random.below(span + 1)).unwrap_or(0)
}

/// Category sets of every shape: none, single ones, runs, both mixed, all.
fn some_categories(allowed: &[u32], random: &mut Random) -> BTreeSet<u32> {
    let mut set = BTreeSet::new();
    let shape = random.below(6);
    if shape == 5 {
        set.extend(allowed);
    }
    if matches!(shape, 1 | 2 | 4) {
        let n = if shape == 1 { 1 } else { random.between(2, 5) };
        set.extend((0..n).filter_map(|_| random.pick(allowed)));
    }
    if matches!(shape, 3 | 4) {
        let start = random.below(allowed.len());
        let length = random.between(2, 40);
        set.extend(allowed.iter().skip(start).take(length));
    }
    set
}

/// A level as text; neighbouring categories become a run.
fn spell(vocabulary: &Vocabulary, level: &Level) -> String {
    let name = |category: &u32| vocabulary.categories.get(category).map_or("?", String::as_str);
    let mut text = vocabulary
        .sensitivities
        .get(&level.sensitivity)
        .map_or_else(String::new, |(name, _)| name.clone());
    let runs = level.categories.chunk_by(|a, b| *b == *a + 1);
    for (position, run) in runs.enumerate() {
        text.push(if position == 0 { ':' } else { ',' });
        text.push_str(run.first().map_or("?", name));
        if let (true, Some(last)) = (run.len() > 1, run.last()) {
            text.push(if run.len() > 2 { '.' } else { ',' });
            text.push_str(name(last));
        }
    }
    text
}

impl<'a> Draw<'a> {
    /// Prepares to draw questions about the contexts of a pool.
    #[must_use]
    pub fn new(vocabulary: &'a Vocabulary, pool: &'a Pool, seed: u64) -> Self {
        let mut members = BTreeMap::new();
        let mut pooled = |value: u32| {
            let list = members.entry(value).or_insert_with(|| {
                let mut list = vocabulary.members(value);
                list.retain(|type_| pool.by_type.contains_key(type_));
                list
            });
            !list.is_empty()
        };
        let rules: Vec<Rule> = vocabulary
            .rules
            .iter()
            .copied()
            .filter(|rule| pooled(rule.source) && pooled(rule.target))
            .collect();
        let (access_rules, create_rules) =
            rules.iter().partition(|rule| rule.kind == RuleKind::Access);
        Self {
            vocabulary,
            pool,
            random: Random::new(seed),
            access_rules,
            create_rules,
            classes: vocabulary.classes.keys().copied().collect(),
            types_in_pool: pool.by_type.keys().copied().collect(),
            members,
        }
    }

    /// An access question, three in four drawn from a rule.
    pub fn access(&mut self) -> Access {
        self.drawn(RuleKind::Access, 75)
    }

    /// A question for the context of something new, three in four drawn from a rule.
    pub fn create(&mut self) -> Access {
        self.drawn(RuleKind::Create, 75)
    }

    fn drawn(&mut self, kind: RuleKind, percent: usize) -> Access {
        let rules = match kind {
            RuleKind::Access => &self.access_rules,
            RuleKind::Create => &self.create_rules,
        };
        let rule =
            if self.random.chance(percent) { self.random.pick(rules).copied() } else { None };
        match rule {
            Some(rule) => Access {
                source: self.with_member(rule.source),
                target: self.with_member(rule.target),
                class: rule.class,
            },
            None => Access {
                source: self.random.below(self.pool.contexts.len()),
                target: self.random.below(self.pool.contexts.len()),
                class: self.random.pick(&self.classes).copied().unwrap_or(1),
            },
        }
    }

    /// A pooled context whose type is a rule's type or has a rule's attribute.
    fn with_member(&mut self, type_or_attribute: u32) -> usize {
        let members = self.members.get(&type_or_attribute).unwrap_or(&self.types_in_pool);
        let type_ = self.random.pick(members).copied().unwrap_or(1);
        self.with_type(type_)
    }

    fn with_type(&mut self, type_: u32) -> usize {
        let contexts = self.pool.by_type.get(&type_).map_or(&[][..], Vec::as_slice);
        let any = self.random.below(self.pool.contexts.len());
        self.random.pick(contexts).copied().unwrap_or(any)
    }

    /// Names of booleans to set, and the values to set them to.
    pub fn booleans(&mut self, n: usize) -> Vec<(String, bool)> {
        (0..n).filter_map(|_| self.boolean()).collect()
    }

    fn boolean(&mut self) -> Option<(String, bool)> {
        let name = self.random.pick(&self.vocabulary.booleans)?.0.clone();
        Some((name, self.random.chance(50)))
    }

    /// A question of any kind that a kernel answers, in the form that `mandate decide --jsonl` reads.
    pub fn mixed(&mut self) -> Value {
        match self.random.below(100) {
            0..50 => self.access_object(),
            50..70 => self.create_object(),
            70..75 => self.computed("member"),
            75..80 => self.computed("relabel"),
            80..90 => self.context_object(),
            90..96 => self.validatetrans_object(),
            96 => self.user_object(),
            _ => self.boolean_object(),
        }
    }

    fn text(&self, context: usize) -> &str {
        self.pool.contexts.get(context).map_or("", |pooled| &pooled.text)
    }

    /// The class's name; once in fifty a number, which may belong to no class.
    fn class(&mut self, class: u32) -> Value {
        match self.random.below(50) {
            0 => json!(self.random.below(self.classes.len() + 8).to_string()),
            1 if self.random.chance(20) => json!("no_such_class"),
            _ => json!(self.vocabulary.classes.get(&class)),
        }
    }

    fn asked(&mut self, op: &str, access: Access) -> Value {
        let class = self.class(access.class);
        let (source, target) = (self.text(access.source), self.text(access.target));
        json!({"op": op, "scontext": source, "tcontext": target, "tclass": class})
    }

    fn access_object(&mut self) -> Value {
        let access = self.access();
        self.asked("access", access)
    }

    fn computed(&mut self, op: &str) -> Value {
        let access = self.drawn(RuleKind::Create, 75);
        self.asked(op, access)
    }

    fn create_object(&mut self) -> Value {
        if self.random.chance(40) && !self.vocabulary.filename_transitions.is_empty() {
            return self.named_create_object();
        }
        let mut object = self.computed("create");
        if let (true, Some(map)) = (self.random.chance(10), object.as_object_mut()) {
            map.insert("objname".into(), json!("a name of no rule"));
        }
        object
    }

    fn named_create_object(&mut self) -> Value {
        let Some(rule) = self.random.pick(&self.vocabulary.filename_transitions) else {
            return self.computed("create");
        };
        let source = self.random.pick(&rule.sources).copied().unwrap_or(1);
        let source = self.with_type(source);
        let access = Access { source, target: self.with_type(rule.target), class: rule.class };
        let mut object = self.asked("create", access);
        if let Some(map) = object.as_object_mut() {
            map.insert("objname".into(), json!(rule.name));
        }
        object
    }

    fn validatetrans_object(&mut self) -> Value {
        let access = self.drawn(RuleKind::Access, 75);
        let task = self.random.below(self.pool.contexts.len());
        let class = match self.random.pick(&["file", "dir", "lnk_file", "socket", ""]) {
            Some(&"") | None => self.class(access.class),
            Some(&name) => json!(name),
        };
        json!({
            "op": "validatetrans", "oldcontext": self.text(access.target),
            "newcontext": self.text(access.source), "tclass": class, "taskcontext": self.text(task),
        })
    }

    fn user_object(&mut self) -> Value {
        let context = self.random.below(self.pool.contexts.len());
        let user = self.random.pick(&self.vocabulary.users).map_or("nobody_u", |user| &user.name);
        json!({"op": "user", "context": self.text(context), "user": user})
    }

    fn boolean_object(&mut self) -> Value {
        let Some((name, value)) = self.boolean() else { return json!({"op": "commit"}) };
        match self.random.below(6) {
            0..3 => json!({"op": "setbool", "name": name, "value": u8::from(value)}),
            3 => json!({"op": "commit"}),
            4 => json!({"op": "getbool", "name": name}),
            _ if self.random.chance(10) => json!({"op": "getbool", "name": "no_such_boolean"}),
            _ => json!({"op": "getbool", "name": name}),
        }
    }

    fn context_object(&mut self) -> Value {
        let context = self.random.below(self.pool.contexts.len());
        let text = self.text(context).to_owned();
        json!({"op": "context", "context": self.respelled(&text)})
    }

    /// Another spelling of a context: of the same one, of another one, or of none.
    fn respelled(&mut self, text: &str) -> String {
        let fields: Vec<&str> = text.splitn(4, ':').collect();
        let (&[user, role, type_], range) = fields.split_at(fields.len().min(3)) else {
            return text.to_owned();
        };
        let range = range.first().copied().unwrap_or_default();
        let tail = if range.is_empty() { String::new() } else { format!(":{range}") };
        match self.random.below(12) {
            0 => text.to_owned(),
            1 => format!("{user}:{role}:{}{tail}", self.type_spelling()),
            2 => format!("{}:{role}:{type_}{tail}", self.any_user()),
            3 => format!("{user}:{}:{type_}{tail}", self.any_role()),
            4 => self.damaged(text),
            5 => format!("{user}:{role}:{type_}:{}", self.wild_range()),
            _ if range.is_empty() => text.to_owned(),
            _ => format!("{user}:{role}:{type_}:{}", self.respelled_range(range)),
        }
    }

    /// A type, an alias of one, an attribute's number, or no type at all.
    fn type_spelling(&mut self) -> String {
        let aliases = &self.vocabulary.type_aliases;
        match self.random.below(4) {
            0 | 1 => self.random.pick(aliases).map(|(_, name)| name.clone()).unwrap_or_default(),
            2 => {
                let type_ = self.random.pick(&self.types_in_pool).copied().unwrap_or(1);
                self.vocabulary.types.get(&type_).cloned().unwrap_or_default()
            }
            _ => "domain".to_owned(),
        }
    }

    fn any_user(&mut self) -> &'a str {
        if self.random.chance(15) {
            return "no_such_u";
        }
        self.random.pick(&self.vocabulary.users).map_or("", |user| &user.name)
    }

    fn any_role(&mut self) -> &'a str {
        let roles: Vec<&str> = self.vocabulary.roles.values().map(|r| r.name.as_str()).collect();
        if self.random.chance(15) { "no_such_r" } else { self.random.pick(&roles).unwrap_or(&"") }
    }

    /// The text with one byte lost, doubled or replaced.
    fn damaged(&mut self, text: &str) -> String {
        let at = self.random.below(text.len());
        let (before, after) = (text.get(..at).unwrap_or(""), text.get(at..).unwrap_or(""));
        let rest = after.get(1..).unwrap_or("");
        match self.random.below(5) {
            0 => format!("{before}{rest}"),
            1 => format!("{before}{}", after.get(..1).unwrap_or("").repeat(2) + rest),
            2 => before.to_owned() + "x",
            3 => format!("{text}:"),
            _ => {
                let byte = self.random.pick(&[":", ".", ",", "-", "s", "c", "0", " ", "\u{e9}"]);
                format!("{before}{}{rest}", byte.unwrap_or(&":"))
            }
        }
    }

    /// A range that need not exist, nor be in order.
    fn wild_range(&mut self) -> String {
        let low = self.wild_level();
        match self.random.below(4) {
            0 | 1 => low,
            2 => format!("{low}-{}", self.wild_level()),
            _ => format!("{low}-{low}"),
        }
    }

    fn wild_level(&mut self) -> String {
        let sensitivity = self.random.below(self.vocabulary.sensitivities.len() + 1);
        let n = self.vocabulary.categories.len() + 2;
        let mut parts = Vec::new();
        for _ in 0..self.random.below(4) {
            let (a, b) = (self.random.below(n), self.random.below(n));
            let separator = self.random.pick(&[".", ",", ",", "-c"]).copied().unwrap_or(",");
            let separator = if separator == "-c" { "," } else { separator };
            parts.push(format!("c{a}{separator}c{b}"));
        }
        match parts.is_empty() {
            true => format!("s{sensitivity}"),
            false => format!("s{sensitivity}:{}", parts.join(",")),
        }
    }

    /// The same range in other words, as far as the words are understood.
    fn respelled_range(&mut self, range: &str) -> String {
        let levels: Vec<String> =
            range.split('-').map(|level| self.respelled_level(level)).collect();
        match (levels.as_slice(), self.random.below(4)) {
            ([only], 0) => format!("{only}-{only}"),
            _ => levels.join("-"),
        }
    }

    fn respelled_level(&mut self, level: &str) -> String {
        let Some((sensitivity, categories)) = level.split_once(':') else {
            return level.to_owned();
        };
        let mut parts: Vec<String> = Vec::new();
        for part in categories.split(',') {
            match (part.split_once('.'), self.random.below(3)) {
                (Some((first, last)), 0) => parts.extend(self.run(first, last)),
                (None, 0) => parts.push(format!("{part}.{part}")),
                _ => parts.push(part.to_owned()),
            }
        }
        if self.random.chance(50) {
            let turn = self.random.below(parts.len());
            parts.rotate_left(turn);
        }
        if self.random.chance(20) {
            parts.extend(self.random.pick(&parts.clone()).cloned());
        }
        format!("{sensitivity}:{}", parts.join(","))
    }

    /// A run of categories, named one by one when that is not too long for a page.
    fn run(&mut self, first: &str, last: &str) -> Vec<String> {
        let value = |name: &str| {
            self.vocabulary.categories.iter().find(|(_, n)| *n == name).map(|(value, _)| *value)
        };
        let (Some(low), Some(high)) = (value(first), value(last)) else { return Vec::new() };
        if high.saturating_sub(low) > 100 {
            return vec![format!("{first}.{last}")];
        }
        (low..=high).filter_map(|value| self.vocabulary.categories.get(&value).cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let dump = "policy\t33\t1\t0\nclass\t1\tfile\t3\ntype\t1\ta_t\ntype\t2\tb_t\n\
            attribute\t3\tab\t1,2\nrole\t1\tobject_r\t\nrole\t2\tr\t1,2\n\
            user\t1\tu\t2\t1\t\t2\t1,2,3,4\nsensitivity\t1\ts0\t1,2,3,4\nsensitivity\t2\ts1\t1,2,3,4\n\
            category\t1\tc0\ncategory\t2\tc1\ncategory\t3\tc2\ncategory\t4\tc3\n\
            boolean\t1\tswitch\nrule\taccess\t3\t2\t1\nrule\tcreate\t1\t2\t1";
        Vocabulary::parse(dump.lines()).expect("the dump is well formed")
    }

    fn pool() -> Pool {
        let texts = ["u:r:a_t:s0-s1:c0.c3", "u:object_r:b_t:s0"];
        let contexts = texts
            .iter()
            .enumerate()
            .map(|(number, text)| Pooled { text: (*text).to_owned(), number })
            .collect();
        Pool { contexts, by_type: BTreeMap::from([(1, vec![0]), (2, vec![1])]) }
    }

    #[test]
    fn levels_are_spelled_in_runs() {
        let level = Level { sensitivity: 2, categories: vec![1, 3, 4] };
        assert_eq!(spell(&vocabulary(), &level), "s1:c0,c2,c3");
        let level = Level { sensitivity: 1, categories: vec![1, 2, 3, 4] };
        assert_eq!(spell(&vocabulary(), &level), "s0:c0.c3");
    }

    #[test]
    fn the_same_seed_draws_the_same_questions() {
        let (vocabulary, pool) = (vocabulary(), pool());
        let draw = |seed| {
            let mut draw = Draw::new(&vocabulary, &pool, seed);
            (0..500).map(|_| draw.mixed()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn every_context_drawn_has_a_range_within_the_users() {
        let vocabulary = vocabulary();
        let drawn = drawn_contexts(&vocabulary, &mut Random::new(3));
        assert!(drawn.len() > 1000);
        assert!(drawn.iter().all(|(_, text)| text.matches(':').count() >= 3), "{drawn:?}");
    }
}
