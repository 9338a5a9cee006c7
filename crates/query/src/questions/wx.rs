//! Who may make code: files that the same domain may write, create and execute; memory that is both writable and executable.

use mandate_policydb::{Ebitmap, PolicyDb, TypeId};
use rustc_hash::FxHashMap;

use crate::questions::{self, Access, count};
use crate::rules::Conditions;
use crate::types::TypeSets;

/// Which domains may make code that they then run?
#[derive(Clone, Debug, Default)]
pub struct WxQuery {
    /// The rules that count.
    pub conditions: Conditions,
    /// Attributes whose members are unconfined; if empty, `unconfined_domain_type`.
    pub unconfined: Vec<TypeId>,
}

/// A domain that may make code in some way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WxDomain {
    /// The domain.
    pub domain: TypeId,
    /// Has it an attribute of unconfined domains?
    pub unconfined: bool,
    /// Types of files that it may write (or append to), create and execute.
    pub types: Ebitmap,
    /// `execmem`, `execstack`, `execheap`: what it may do to its own memory.
    pub memory: Vec<&'static str>,
    /// Types of files of which it may change mapped code (`execmod`).
    pub execmod: Ebitmap,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wx {
    /// Domains that may make code in any way, by name.
    pub domains: Vec<WxDomain>,
    /// How many domains the policy has.
    pub of: usize,
}

const MEMORY: [&str; 3] = ["execmem", "execstack", "execheap"];

impl WxQuery {
    /// Asks.
    pub fn ask(&self, sets: &TypeSets<'_>) -> Wx {
        let access = Access::new(sets, &self.conditions);
        let domains = questions::domains(sets);
        let unconfined =
            questions::members(sets, &questions::unconfined_attributes(sets, &self.unconfined));
        let files = Files::new(&access);
        let memory = MEMORY.map(|it| (it, access.to_self("process", &[it]).types));
        let of_domain = |domain: TypeId| WxDomain {
            domain,
            unconfined: unconfined.has(domain),
            types: files.made_and_run(sets, domain),
            memory: memory.iter().filter(|it| it.1.has(domain)).map(|it| it.0).collect(),
            execmod: files.execmod.targets(sets, domain).to_ebitmap(),
        };
        let mut found: Vec<WxDomain> = domains.ids().map(of_domain).collect();
        found.retain(WxDomain::makes_code);
        found.sort_by_cached_key(|it| sets.db().types.name(it.domain).into_owned());
        Wx { domains: found, of: domains.len() }
    }
}

impl WxDomain {
    fn makes_code(&self) -> bool {
        !(self.types.is_empty() && self.memory.is_empty() && self.execmod.is_empty())
    }
}

impl Wx {
    /// Domains that may write, create and execute files of one type.
    pub fn of_files(&self) -> impl Iterator<Item = &WxDomain> {
        self.domains.iter().filter(|it| !it.types.is_empty())
    }

    /// What was counted.
    pub fn sentence(&self) -> String {
        let files = self.of_files().count();
        let confined = self.of_files().filter(|it| !it.unconfined).count();
        let with = |name| self.domains.iter().filter(|it| it.memory.contains(&name)).count();
        let memory = MEMORY.map(|it| format!("{it} {}", with(it))).join(", ");
        let execmod = self.domains.iter().filter(|it| !it.execmod.is_empty()).count();
        format!(
            "{files} of {} may write or append to, create and execute files of one type, {confined} of them confined; {memory}, execmod {execmod}.",
            count(self.of, "domain")
        )
    }
}

/// Who may do what to files, by the names of the rules.
struct Files {
    write: Reach,
    create: Reach,
    execute: Reach,
    execmod: Reach,
}

impl Files {
    fn new(access: &Access<'_>) -> Self {
        let of = |permissions: &[&str]| Reach::new(access, "file", permissions);
        let (write, execmod) = (of(&["write", "append"]), of(&["execmod"]));
        Self { write, create: of(&["create"]), execute: of(&["execute"]), execmod }
    }

    fn made_and_run(&self, sets: &TypeSets<'_>, domain: TypeId) -> Ebitmap {
        let mut types = self.create.targets(sets, domain);
        types.keep(&self.write.targets(sets, domain));
        types.keep(&self.execute.targets(sets, domain));
        types.to_ebitmap()
    }
}

/// For each type or attribute that is the source of a rule: the types that are its targets.
struct Reach {
    targets: FxHashMap<TypeId, Types>,
    empty: Types,
}

impl Reach {
    fn new(access: &Access<'_>, class: &str, permissions: &[&str]) -> Self {
        let empty = Types::none(access.db());
        let mut targets: FxHashMap<TypeId, Types> = FxHashMap::default();
        for it in access.rules(class, permissions) {
            let of_source = targets.entry(it.rule.source).or_insert_with(|| empty.clone());
            of_source.add_ebitmap(access.sets.members(it.rule.target));
        }
        Self { targets, empty }
    }

    fn targets(&self, sets: &TypeSets<'_>, source: TypeId) -> Types {
        let mut all = self.empty.clone();
        for group in sets.groups(source).ids() {
            if let Some(targets) = self.targets.get(&group) {
                all.add(targets);
            }
        }
        all
    }
}

/// A set of types, a bit for each of the policy: sets of many rules are joined faster than sparse ones.
#[derive(Clone)]
struct Types(Vec<u64>);

impl Types {
    fn none(db: &PolicyDb) -> Self {
        Self(vec![0; (db.types.nprim() as usize).div_ceil(64)])
    }

    fn add_ebitmap(&mut self, other: &Ebitmap) {
        for &(start, map) in other.runs() {
            if let Some(word) = self.0.get_mut(start as usize / 64) {
                *word |= map;
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(to, from)| *to |= from);
    }

    fn keep(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(to, from)| *to &= from);
    }

    fn to_ebitmap(&self) -> Ebitmap {
        let words = (0u32..).step_by(64).zip(&self.0).filter(|it| *it.1 != 0);
        Ebitmap::from_bits(words.flat_map(|(start, &word)| {
            (0..u64::BITS).filter(move |bit| word >> bit & 1 == 1).map(move |bit| start + bit)
        }))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::testing::policy;

    fn check(rules: &str, expected: Expect) {
        let db = policy(rules);
        let sets = TypeSets::new(&db);
        let query = WxQuery { conditions: Conditions::with(&db, &[]), ..WxQuery::default() };
        let answer = query.ask(&sets);
        let mut text = answer.sentence() + "\n";
        for it in &answer.domains {
            let confined = if it.unconfined { "unconfined" } else { "confined" };
            let names = |types| questions::type_names(&sets, types).join(" ");
            let (name, memory) = (db.types.name(it.domain), it.memory.join(" "));
            let (types, execmod) = (names(&it.types), names(&it.execmod));
            text += &format!("{name} {confined} [{types}] [{memory}] [{execmod}]\n");
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn permissions_of_several_rules_and_attributes_count_together() {
        check(
            "allow a_t x_t:file { write create };
            allow domain files:file execute;
            allow b_t x_t:file { append execute };
            allow u_t files:file { append create };",
            expect![[r"
                2 of 4 domains may write or append to, create and execute files of one type, 1 of them confined; execmem 0, execstack 0, execheap 0, execmod 0.
                a_t confined [x_t] [] []
                u_t unconfined [x_t y_t] [] []
            "]],
        );
    }

    #[test]
    fn booleans_decide_and_other_classes_do_not_count() {
        check(
            "allow a_t x_t:file { write create };
            if (off) { allow a_t x_t:file execute; }
            allow b_t x_t:dir { write create };
            allow b_t x_t:file { execute };
            allow b_t x_t:file execmod;
            if (on) { allow b_t self:process execmem; }
            allow a_t b_t:process execheap;",
            expect![[r"
                0 of 4 domains may write or append to, create and execute files of one type, 0 of them confined; execmem 1, execstack 0, execheap 0, execmod 1.
                b_t confined [] [execmem] [x_t]
            "]],
        );
    }
}
