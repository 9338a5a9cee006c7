//! The names of a random policy, and the statements that declare them.

use std::collections::BTreeSet;

use super::dice::{Dice, Word};

pub(super) const TYPES: &[Word] = &["ta0", "ta1", "ta2", "ta3", "ta4", "ta5", "ta6", "ta7"];
pub(super) const ATTRIBUTES: &[Word] = &["at0", "at1", "at2", "at3"];
pub(super) const ROLES: &[Word] = &["ra", "rb", "rc"];
pub(super) const USERS: &[Word] = &["ua", "ub", "uc"];
pub(super) const BOOLEANS: &[Word] = &["ba", "bb", "bc"];
pub(super) const NAMES: &[Word] = &["x", "log", "a b", "y"];
const INITIAL: [Word; 3] = ["kernel", "security", "unlabeled"];
const COMMON: &[Word] = &["ioctl", "read", "write"];
const MANY: &[Word] = &[
    "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15",
    "p16", "p17", "p18", "p19", "p20", "p21", "p22", "p23", "p24", "p25", "p26", "p27", "p28",
    "p29", "p30", "p31", "p32",
];
/// The versions to compile for: the kernel's own more often than others.
const VERSIONS: [u32; 8] = [33, 33, 33, 33, 24, 29, 30, 32];

/// A class: whether it inherits the common permissions, and those of its own.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) name: Word,
    inherits: bool,
    own: Vec<Word>,
}

impl Class {
    fn new(name: Word, inherits: bool, own: &[Word]) -> Self {
        Self { name, inherits, own: own.to_vec() }
    }

    pub(super) fn permissions(&self) -> Vec<Word> {
        let common = if self.inherits { COMMON } else { &[] };
        common.iter().chain(&self.own).copied().collect()
    }

    fn declaration(&self) -> String {
        let inherits = if self.inherits { " inherits io" } else { "" };
        format!("class {}{inherits} {{ {} }}\n", self.name, self.own.join(" "))
    }
}

/// A policy that is being drawn.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) dice: Dice,
    pub(super) mls: bool,
    pub(super) version: u32,
    pub(super) enforcing: bool,
    allow_unknown: bool,
    pub(super) classes: Vec<Class>,
    /// The first and last category of each sensitivity.
    pub(super) spans: [(usize, usize); 3],
    /// The types of each role.
    pub(super) role_types: Vec<Vec<Word>>,
    /// Rules that may stand only once.
    pub(super) used: BTreeSet<String>,
}

impl Draft {
    /// The skeleton: which classes, with levels or without, for which version.
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let many = MANY.get(..[3, 9, 31, 32][dice.between(0, 3)]).unwrap_or(MANY);
        let classes = [
            Class::new("process", false, &["transition", "dyntransition", "signal", "fork"]),
            Class::new("file", true, &["open", "append", "execute"]),
            Class::new("dir", true, &["search"]),
            Class::new("tcp_socket", false, &["bind", "listen"]),
            Class::new("my_class", false, many),
        ];
        let spans = if dice.chance(60) { [(1, 3); 3] } else { [(0, 4), (0, 4), (1, 3)] };
        Self {
            mls: dice.chance(50),
            version: VERSIONS[dice.between(0, VERSIONS.len() - 1)],
            enforcing: dice.chance(33),
            allow_unknown: dice.chance(50),
            classes: dice.some(&classes, classes.len(), classes.len()),
            spans,
            role_types: ROLES.iter().map(|_| dice.some(TYPES, 5, 8)).collect(),
            used: BTreeSet::new(),
            dice,
        }
    }

    /// What checkpolicy is told about classes that the policy lacks.
    pub(super) fn handle_unknown(&self) -> Word {
        if self.allow_unknown { "allow" } else { "deny" }
    }

    pub(super) fn class(&mut self) -> Class {
        let n = self.dice.between(0, self.classes.len() - 1);
        self.classes[n].clone()
    }

    /// False when it was drawn before.
    pub(super) fn first(&mut self, rule: &str) -> bool {
        self.used.insert(rule.to_owned())
    }

    /// The whole source, in the order that checkpolicy wants.
    pub(super) fn source(&mut self) -> String {
        let parts = [
            self.class_declarations(),
            self.defaults(),
            if self.mls { self.levels() } else { String::new() },
            if self.mls { self.mls_constraints() } else { String::new() },
            self.type_declarations(),
            self.role_declarations(),
            self.rules(),
            self.users(),
            self.constraints(),
            self.initial_contexts(),
        ];
        parts.concat()
    }

    fn class_declarations(&self) -> String {
        let names: String =
            self.classes.iter().map(|class| format!("class {}\n", class.name)).collect();
        let initial = INITIAL.map(|sid| format!("sid {sid}\n")).concat();
        let common = format!("common io {{ {} }}\n", COMMON.join(" "));
        let declarations: String = self.classes.iter().map(Class::declaration).collect();
        names + &initial + &common + &declarations
    }

    fn defaults(&mut self) -> String {
        const RANGES: &[Word] = &[
            "source low",
            "source high",
            "source low-high",
            "target low",
            "target high",
            "target low-high",
            "glblub",
        ];
        let mut text = String::new();
        for class in self.classes.iter().map(|class| class.name) {
            for what in ["user", "role", "type"] {
                if self.dice.chance(12) {
                    let side = self.dice.either(50, "source", "target");
                    text += &format!("default_{what} {class} {side};\n");
                }
            }
            if self.mls && self.dice.chance(25) {
                text += &format!("default_range {class} {};\n", self.dice.one(RANGES));
            }
        }
        text
    }

    fn levels(&mut self) -> String {
        let declarations =
            ["sensitivity s0;\n", "sensitivity s1 alias mid;\n", "sensitivity s2;\n"];
        let mut text = self.dice.some(&declarations, 3, 3).concat();
        text += "dominance { s0 s1 s2 }\n";
        text += "category c0;\ncategory c1 alias one;\ncategory c2;\ncategory c3;\ncategory c4;\n";
        for (n, (first, last)) in self.spans.iter().enumerate() {
            text += &format!("level s{n}:c{first}.c{last};\n");
        }
        text
    }

    fn type_declarations(&mut self) -> String {
        let mut text: String = ATTRIBUTES.iter().map(|it| format!("attribute {it};\n")).collect();
        text += "type kernel_t;\npermissive kernel_t; # the guest's own init\n";
        for (n, name) in TYPES.iter().enumerate() {
            text += &format!("type {name};\n");
            for attribute in ATTRIBUTES {
                if self.dice.chance(40) {
                    text += &format!("typeattribute {name} {attribute};\n");
                }
            }
            if n > 0 && self.dice.chance(8) {
                let parent = TYPES[self.dice.between(0, n - 1)];
                text += &format!("typebounds {parent} {name};\n");
            }
        }
        text += "typealias ta1 alias al1;\n";
        text += &self.dice.many(0, 1, |dice| format!("permissive {};\n", dice.one(TYPES)));
        for name in BOOLEANS {
            text += &format!("bool {name} {};\n", self.dice.either(50, "true", "false"));
        }
        text
    }

    fn role_declarations(&mut self) -> String {
        let mut text = "attribute_role some_roles;\n".to_owned();
        for (role, types) in ROLES.iter().zip(&self.role_types) {
            text += &format!("role {role};\nrole {role} types {{ {} }};\n", types.join(" "));
        }
        text += "role ra types kernel_t;\n";
        for role in self.dice.some(ROLES, 1, 3) {
            text += &format!("roleattribute {role} some_roles;\n");
        }
        text += self.dice.either(40, "dominance { role rtop { role ra; } }\n", "");
        text += self.dice.either(20, "dominance { role rc { role rb; } }\n", "");
        text += self.dice.either(20, "allow some_roles rb;\n", "");
        text += &self
            .dice
            .many(0, 3, |dice| format!("allow {} {};\n", dice.one(ROLES), dice.one(ROLES)));
        text
    }

    fn users(&mut self) -> String {
        let mut text = String::new();
        for user in USERS {
            let least = self.dice.between(2, 3);
            let roles = self.dice.set(ROLES, least, 3);
            let levels = if self.mls { self.user_levels() } else { String::new() };
            text += &format!("user {user} roles {roles}{levels};\n");
        }
        let levels = if self.mls { " level s0 range s0 - s2:c1.c3" } else { "" };
        text + &format!("user uk roles ra{levels};\n")
    }

    fn initial_contexts(&self) -> String {
        let level = if self.mls { ":s0" } else { "" };
        INITIAL.map(|sid| format!("sid {sid} uk:ra:kernel_t{level}\n")).concat()
    }
}
