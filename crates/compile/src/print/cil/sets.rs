//! Sets: names one by one, or an attribute of their own where something is taken away.

use mandate_syntax::kernel::ast::{Ident, Set, SetForm};

use super::Printer;

/// A name of a rule, as CIL says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Name(Ident),
    /// `self`
    Own,
    /// `notself`
    NotOwn,
    /// A generated attribute.
    Generated(String),
}

impl Printer<'_> {
    /// A set of types as names to be told one by one. `self` may be among those of a target.
    pub(super) fn types(&mut self, set: &Set, items: &mut Vec<Item>) {
        items.clear();
        let unit = self.unit;
        let list = &unit.set_items[set.items.range()];
        let is_self = |ident: Ident| unit.text(ident) == "self";
        let plain = set.form == SetForm::Listed && list.iter().all(|it| !it.excluded);
        if plain {
            let of = |ident| if is_self(ident) { Item::Own } else { Item::Name(ident) };
            return items.extend(list.iter().map(|it| of(it.ident)));
        }
        let others = list.iter().filter(|it| !is_self(it.ident)).count();
        let own = list.iter().find(|it| is_self(it.ident));
        match (set.form, own) {
            // All but the source itself.
            (SetForm::Complement, Some(own)) if others == 0 && !own.excluded => {
                items.push(Item::NotOwn);
            }
            (SetForm::All, Some(own)) if others == 0 && own.excluded => items.push(Item::NotOwn),
            (_, Some(own)) if own.excluded || set.form != SetForm::Listed => {
                let message = "CIL has no set of types that `self` is taken from";
                self.tell(super::not_in_form(set.span, message));
            }
            (_, own) => {
                items.push(Item::Generated(self.attribute(set)));
                items.extend(own.map(|_| Item::Own));
            }
        }
    }

    /// The name of an attribute generated for a set.
    fn attribute(&mut self, set: &Set) -> String {
        let key = self.expression(set);
        if let Some(name) = self.generated.get(&key) {
            return name.clone();
        }
        self.attributes += 1;
        let name = format!("{}_typeattr_{}", self.prefix, self.attributes);
        let text = std::mem::take(&mut self.printed.text);
        self.printed.text = std::mem::take(&mut self.pending);
        let depth = std::mem::replace(&mut self.depth, self.block_depth);
        self.open("(typeattribute ");
        self.put(&name);
        self.put(")\n");
        self.open("(typeattributeset ");
        self.put(&name);
        self.put(" ");
        self.printed.text.extend_from_slice(&key);
        self.put(")\n");
        self.pending = std::mem::replace(&mut self.printed.text, text);
        self.depth = depth;
        self.generated.insert(key, name.clone());
        name
    }

    /// `(and (a b) (not (c)))`
    fn expression(&mut self, set: &Set) -> Vec<u8> {
        let unit = self.unit;
        let list = &unit.set_items[set.items.range()];
        let excluded = |it: bool| {
            let items = list.iter().filter(move |item| item.excluded == it);
            items.map(|it| it.ident).filter(|&it| unit.text(it) != "self")
        };
        let text = std::mem::take(&mut self.printed.text);
        let some = excluded(true).next().is_some();
        // All is also what is left when nothing is taken away.
        let all = set.form == SetForm::All || set.form == SetForm::Complement && list.is_empty();
        if set.form == SetForm::Complement && !all {
            self.put("(not ");
        }
        if some {
            self.put("(and ");
        }
        if all {
            self.put("(all)");
        } else {
            self.list(excluded(false));
        }
        if some {
            self.put(" (not ");
            self.list(excluded(true));
            self.put("))");
        }
        if set.form == SetForm::Complement && !all {
            self.put(")");
        }
        std::mem::replace(&mut self.printed.text, text)
    }

    /// `(a b)`
    pub(super) fn list(&mut self, names: impl Iterator<Item = Ident>) {
        self.put("(");
        for (place, ident) in names.enumerate() {
            if place > 0 {
                self.put(" ");
            }
            self.name(ident);
        }
        self.put(")");
    }

    pub(super) fn item(&mut self, item: &Item) {
        match item {
            Item::Name(ident) => self.name(*ident),
            Item::Own => self.put("self"),
            Item::NotOwn => self.put("notself"),
            Item::Generated(name) => self.put(name),
        }
    }

    /// The roles of a set, which has no exceptions.
    pub(super) fn roles(&mut self, set: &Set) -> Vec<Ident> {
        let unit = self.unit;
        let list = &unit.set_items[set.items.range()];
        if set.form != SetForm::Listed || list.iter().any(|it| it.excluded) {
            self.tell(super::not_in_form(set.span, "a set of roles has exceptions"));
        }
        list.iter().map(|it| it.ident).collect()
    }

    /// `(class (permissions))`
    pub(super) fn permissions(&mut self, class: Ident, set: &Set, turned: bool) {
        let unit = self.unit;
        let list = &unit.set_items[set.items.range()];
        self.put("(");
        self.name(class);
        self.put(" (");
        let complement = (set.form == SetForm::Complement) != turned;
        if set.form == SetForm::All {
            self.put("all");
        } else {
            if complement {
                self.put("not (");
            }
            for (place, item) in list.iter().enumerate() {
                if place > 0 {
                    self.put(" ");
                }
                self.name(item.ident);
            }
            if complement {
                self.put(")");
            }
        }
        self.put("))");
    }
}
