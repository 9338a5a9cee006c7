//! Questions about a random policy: every operation, contexts from a pool, some of them wrong.

use serde_json::{Value, json};

use super::dice::Word;
use super::draft::{BOOLEANS, Draft, NAMES, ROLES, TYPES, USERS};

/// How many questions each policy is asked.
pub(super) const QUESTIONS: usize = 200;
/// How many contexts they share.
const POOL: usize = 60;

/// Draws the questions for one policy.
struct Asking<'a> {
    draft: &'a mut Draft,
    pool: Vec<String>,
}

impl Draft {
    /// The questions, in order; the first says whether the kernel enforces.
    pub(super) fn questions(&mut self) -> Vec<Value> {
        let pool = (0..POOL).map(|n| self.context(n % 2 == 1)).collect();
        let enforcing = u8::from(self.enforcing);
        let mut questions = vec![json!({"op": "setenforce", "value": enforcing})];
        let mut asking = Asking { draft: self, pool };
        while questions.len() <= QUESTIONS {
            questions.extend(asking.question());
        }
        questions
    }

    /// A context, of an object or a process; one in twenty takes any type.
    fn context(&mut self, object: bool) -> String {
        let role = self.dice.between(0, ROLES.len() - 1);
        let types = self.role_types[role].clone();
        let any = self.dice.chance(5);
        let name = self.dice.one(if any { TYPES } else { &types });
        let object = (object && self.dice.chance(60)) || self.dice.chance(8);
        let role = if object { "object_r" } else { ROLES[role] };
        let user = self.dice.one(USERS);
        let range = if self.mls { format!(":{}", self.range()) } else { String::new() };
        format!("{user}:{role}:{name}{range}")
    }
}

impl Asking<'_> {
    /// One question, or two that belong together.
    fn question(&mut self) -> Vec<Value> {
        let one = match self.draft.dice.between(0, 99) {
            0..=44 => self.triple("access"),
            45..=64 => self.create(),
            65..=68 => self.triple("member"),
            69..=71 => self.triple("relabel"),
            72..=77 => json!({"op": "context", "context": self.draft.context(false)}),
            78..=84 => self.user(),
            85..=92 => self.validatetrans(),
            93..=94 => json!({"op": "getbool", "name": self.boolean()}),
            95 => self.initial(),
            96 => return vec![self.set(), self.set(), json!({"op": "commit"})],
            97 => self.set(),
            _ => json!({"op": "commit"}),
        };
        vec![one]
    }

    fn context(&mut self) -> String {
        let n = self.draft.dice.between(0, self.pool.len() - 1);
        self.pool[n].clone()
    }

    /// A class of the policy, seldom one that it does not have.
    fn class(&mut self) -> Value {
        match self.draft.dice.between(0, 99) {
            0 => "nosuch".into(),
            1 => 0.into(),
            2 => 9.into(),
            _ => self.draft.class().name.into(),
        }
    }

    fn triple(&mut self, op: Word) -> Value {
        let (source, target, class) = (self.context(), self.context(), self.class());
        json!({"op": op, "scontext": source, "tcontext": target, "tclass": class})
    }

    fn create(&mut self) -> Value {
        let mut question = self.triple("create");
        if self.draft.dice.chance(40) {
            question["objname"] = self.draft.dice.one(NAMES).into();
        }
        question
    }

    fn user(&mut self) -> Value {
        let user = if self.draft.dice.chance(3) { "nobody" } else { self.draft.dice.one(USERS) };
        json!({"op": "user", "context": self.context(), "user": user})
    }

    fn validatetrans(&mut self) -> Value {
        let (old, new, task) = (self.context(), self.context(), self.context());
        let class = self.class();
        let op = "validatetrans";
        json!({"op": op, "oldcontext": old, "newcontext": new, "tclass": class, "taskcontext": task})
    }

    fn boolean(&mut self) -> Word {
        if self.draft.dice.chance(5) { "nosuch" } else { self.draft.dice.one(BOOLEANS) }
    }

    fn set(&mut self) -> Value {
        let value = self.draft.dice.between(0, 1);
        json!({"op": "setbool", "name": self.boolean(), "value": value})
    }

    fn initial(&mut self) -> Value {
        let name = self.draft.dice.one(&["kernel", "security", "unlabeled", "file", "port"]);
        json!({"op": "initial_sid", "name": name})
    }
}
