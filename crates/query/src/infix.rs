//! Expressions as setools writes them.
//!
//! It puts parentheses around what an operator makes when the operator *before it in postfix order* does not bind weaker, whatever
//! the two have to do with each other. So the text of a nested expression may mean something else; programs read it all the same.

/// How strongly an operator binds.
pub(crate) type Strength = u8;

/// An expression that is read in postfix order.
#[derive(Debug, Default)]
pub(crate) struct Infix {
    waiting: Vec<String>,
    before: Option<Strength>,
}

impl Infix {
    /// A name: never in parentheses.
    pub(crate) fn name(&mut self, name: &str) {
        self.waiting.push(name.to_owned());
    }

    /// A comparison.
    pub(crate) fn leaf(&mut self, text: String, strength: Strength) {
        let text = self.wrapped(text, strength);
        self.waiting.push(text);
    }

    /// An operator before its operand.
    pub(crate) fn prefix(&mut self, symbol: &str, strength: Strength) {
        let operand = self.waiting.pop().unwrap_or_default();
        let wrap = operand.contains(' ') && self.before.is_some_and(|it| it <= strength);
        self.before = Some(strength);
        self.waiting.push(if wrap {
            format!("{symbol} ( {operand} )")
        } else {
            format!("{symbol} {operand}")
        });
    }

    /// An operator between its operands.
    pub(crate) fn infix(&mut self, symbol: &str, strength: Strength, order: Order) {
        let last = self.waiting.pop().unwrap_or_default();
        let first = self.waiting.pop().unwrap_or_default();
        let text = match order {
            Order::Kept => format!("{first} {symbol} {last}"),
            Order::Reversed => format!("{last} {symbol} {first}"),
        };
        let text = self.wrapped(text, strength);
        self.waiting.push(text);
    }

    /// The text of all of it.
    pub(crate) fn finish(mut self) -> String {
        self.waiting.pop().unwrap_or_default()
    }

    fn wrapped(&mut self, text: String, strength: Strength) -> String {
        let wrap = self.before.is_some_and(|it| it <= strength);
        self.before = Some(strength);
        if wrap { format!("( {text} )") } else { text }
    }
}

/// Which operand comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The one that stands first.
    Kept,
    /// The one that stands last.
    Reversed,
}
