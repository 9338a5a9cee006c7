//! Constraints of all kinds with all operators.

use super::dice::Word;
use super::draft::{ATTRIBUTES, Draft, ROLES, TYPES, USERS};

/// Where an expression stands decides what it may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Constrain,
    ValidateTrans,
    /// Before users are declared, and with levels.
    Mls,
    MlsValidateTrans,
}

impl Place {
    fn mls(self) -> bool {
        matches!(self, Self::Mls | Self::MlsValidateTrans)
    }

    /// Whose names may be compared with a set.
    fn sides(self) -> &'static [Word] {
        match self {
            Self::Constrain | Self::Mls => &["1", "2"],
            Self::ValidateTrans | Self::MlsValidateTrans => &["1", "2", "3"],
        }
    }
}

/// How deep operators nest; the kernel's stack holds five values.
const DEEPEST: usize = 3;

impl Draft {
    /// The constraints that stand with the levels.
    pub(super) fn mls_constraints(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.dice.between(1, 4) {
            text += &self.constraint("mlsconstrain", Place::Mls);
        }
        for _ in 0..self.dice.between(0, 2) {
            text += &self.validate("mlsvalidatetrans", Place::MlsValidateTrans);
        }
        text
    }

    /// Those that stand after the users.
    pub(super) fn constraints(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.dice.between(0, 5) {
            text += &self.constraint("constrain", Place::Constrain);
        }
        for _ in 0..self.dice.between(0, 3) {
            text += &self.validate("validatetrans", Place::ValidateTrans);
        }
        text
    }

    fn constraint(&mut self, keyword: Word, place: Place) -> String {
        let class = self.class();
        let permissions = self.dice.set(&class.permissions(), 1, 3);
        let expression = self.expression(place, 0);
        format!("{keyword} {} {permissions} ( {expression} );\n", class.name)
    }

    fn validate(&mut self, keyword: Word, place: Place) -> String {
        let class = self.class().name;
        format!("{keyword} {class} ( {} );\n", self.expression(place, 0))
    }

    fn expression(&mut self, place: Place, depth: usize) -> String {
        let deeper = depth < DEEPEST;
        match self.dice.between(0, 9) {
            0..=4 if deeper => {
                let operator = self.dice.either(50, "and", "or");
                let left = self.expression(place, depth + 1);
                format!("( {left} {operator} {} )", self.expression(place, depth + 1))
            }
            5 if deeper => format!("not ( {} )", self.expression(place, depth + 1)),
            _ => self.comparison(place),
        }
    }

    fn comparison(&mut self, place: Place) -> String {
        let operator = self.dice.either(50, "==", "!=");
        let side = self.dice.one(place.sides());
        if place.mls() && self.dice.chance(60) {
            return self.level_comparison();
        }
        match self.dice.between(0, 5) {
            0 => format!("t1 {operator} t2"),
            1 => format!("r1 {} r2", self.dice.one(&["==", "!=", "dom", "domby", "incomp"])),
            2 => format!("r{side} {operator} {}", self.role_set()),
            3 => format!("u1 {operator} u2"),
            4 if !place.mls() => format!("u{side} {operator} {}", self.dice.set(USERS, 1, 2)),
            _ => format!("t{side} {operator} {}", self.constrained_types()),
        }
    }

    fn level_comparison(&mut self) -> String {
        const PAIRS: &[(Word, Word)] =
            &[("l1", "l2"), ("h1", "h2"), ("l1", "h2"), ("h1", "l2"), ("l1", "h1"), ("l2", "h2")];
        let (left, right) = PAIRS[self.dice.between(0, PAIRS.len() - 1)];
        format!("{left} {} {right}", self.dice.one(&["eq", "==", "!=", "dom", "domby", "incomp"]))
    }

    fn role_set(&mut self) -> String {
        self.dice.set(&[ROLES, &["object_r"]].concat(), 1, 2)
    }

    fn constrained_types(&mut self) -> String {
        self.dice.set(&[TYPES, ATTRIBUTES].concat(), 1, 2)
    }
}
