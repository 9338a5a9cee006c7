//! Access, type, role and range rules, and the conditionals that hold some of them.

use super::dice::Word;
use super::draft::{ATTRIBUTES, BOOLEANS, Class, Draft, NAMES, ROLES, TYPES};

const TYPE_RULES: &[Word] = &["type_transition", "type_member", "type_change"];
const ACCESS_RULES: &[Word] =
    &["allow", "allow", "allow", "allow", "allow", "allow", "auditallow", "dontaudit"];

impl Draft {
    /// Everything between the roles and the users.
    pub(super) fn rules(&mut self) -> String {
        let parts = [
            self.times(10, 60, Self::access_rule),
            self.times(0, 2, Self::extended_rule),
            self.times(2, 10, Self::type_rule),
            self.times(0, 6, Self::filename_rule),
            self.times(0, 4, Self::role_rule),
            if self.mls { self.times(0, 4, Self::range_rule) } else { String::new() },
            self.times(0, 5, Self::conditional),
        ];
        parts.concat()
    }

    fn times(&mut self, low: usize, high: usize, draw: fn(&mut Self) -> String) -> String {
        (0..self.dice.between(low, high)).map(|_| draw(self)).collect()
    }

    fn access_rule(&mut self) -> String {
        let kind = self.dice.one(ACCESS_RULES);
        let (source, class) = (self.types(), self.class());
        let target = if self.dice.chance(12) { "self".into() } else { self.types() };
        format!("{kind} {source} {target}:{} {};\n", class.name, self.permissions(&class))
    }

    fn permissions(&mut self, class: &Class) -> String {
        let all = class.permissions();
        match self.dice.between(0, 99) {
            0..=7 => "*".to_owned(),
            8..=14 => format!("~{}", self.dice.set(&all, 1, 1)),
            _ => self.dice.set(&all, 1, 4),
        }
    }

    /// A type, an attribute, or a set in which some are taken away.
    fn types(&mut self) -> String {
        let (type_, attribute) = (self.dice.one(TYPES), self.dice.one(ATTRIBUTES));
        match self.dice.between(0, 99) {
            0..=44 => type_.to_owned(),
            45..=47 => "al1".to_owned(),
            48..=79 => attribute.to_owned(),
            80..=85 => format!("{{ {attribute} -{} }}", self.dice.one(ATTRIBUTES)),
            _ => format!("{{ {attribute} {type_} -{} }}", self.dice.one(TYPES)),
        }
    }

    /// Extended permissions leave plain decisions as they are.
    fn extended_rule(&mut self) -> String {
        let kind = self.dice.either(70, "allowxperm", "dontauditxperm");
        let (source, target) = (self.types(), self.types());
        let class = self.dice.either(50, "file", "dir");
        format!("{kind} {source} {target}:{class} ioctl {{ 0x8910 0x5400-0x5420 }};\n")
    }

    fn type_rule(&mut self) -> String {
        let kind = self.dice.one(TYPE_RULES);
        let source = self.transition_source();
        let (target, class) = (self.dice.one(TYPES), self.class().name);
        let rule = format!("{kind} {source} {target}:{class}");
        self.once(&rule, TYPES)
    }

    /// An attribute seldom, because two rules that overlap are refused.
    fn transition_source(&mut self) -> Word {
        let attribute = self.dice.one(ATTRIBUTES);
        let type_ = self.dice.one(TYPES);
        if self.dice.chance(4) { attribute } else { type_ }
    }

    fn filename_rule(&mut self) -> String {
        let (source, target) = (self.transition_source(), self.dice.one(TYPES));
        let (class, name) = (self.class().name, self.dice.one(&NAMES[..3]));
        if !self.first(&format!("{source} {target}:{class} {name}")) {
            return String::new();
        }
        let result = self.dice.one(TYPES);
        format!("type_transition {source} {target}:{class} {result} \"{name}\";\n")
    }

    fn role_rule(&mut self) -> String {
        let (role, type_) = (self.dice.one(ROLES), self.dice.one(TYPES));
        let class = self.class().name;
        self.once(&format!("role_transition {role} {type_}:{class}"), ROLES)
    }

    fn range_rule(&mut self) -> String {
        let (source, target) = (self.dice.one(TYPES), self.dice.one(TYPES));
        let rule = format!("range_transition {source} {target}:{}", self.class().name);
        if !self.first(&rule) {
            return String::new();
        }
        format!("{rule} {};\n", self.range_in_statement())
    }

    /// A rule with its result, unless there is one already.
    fn once(&mut self, rule: &str, results: &[Word]) -> String {
        if !self.first(rule) {
            return String::new();
        }
        format!("{rule} {};\n", self.dice.one(results))
    }

    fn conditional(&mut self) -> String {
        let condition = self.condition(0);
        let then = self.times(1, 3, Self::access_rule) + &self.type_rule();
        let mut text = format!("if ({condition}) {{\n{then}}}");
        if self.dice.chance(50) {
            text += &format!(" else {{\n{}}}", self.times(1, 2, Self::access_rule));
        }
        text + "\n"
    }

    fn condition(&mut self, depth: usize) -> String {
        if depth < 2 && self.dice.chance(60) {
            let operator = self.dice.one(&["&&", "||", "^", "==", "!="]);
            let left = self.condition(depth + 1);
            let negated = self.dice.either(85, "", "!");
            return format!("{negated}({left} {operator} {})", self.condition(depth + 1));
        }
        format!("{}{}", self.dice.either(50, "", "!"), self.dice.one(BOOLEANS))
    }
}
