//! What a call of an interface became, as what it grants.

use mandate_compile::refpolicy::called::{Called, parameter};
use mandate_syntax::kernel::{
    AvKind, AvRule, Ident, RequireKind, Set, SetForm, Statement, StatementKind, TypeRule,
    TypeRuleKind, Unit,
};

use super::listing::{Listed, Listing, NONE, PARAMETER, Word, Words};

/// An interface that grants more than this is never the least that would do.
const MOST_GRANTS: usize = 2_000;
/// What stands for a rule that cannot be counted.
const UNCOUNTED: u32 = 100;

impl Listing {
    /// Of every interface called once. Templates, which make types of their own, are left out.
    pub fn of(called: &[Called]) -> Self {
        let mut reading = Reading::default();
        for it in called {
            if let Some(listed) = reading.interface(it) {
                reading.listing.interfaces.push(listed);
            }
        }
        reading.listing
    }
}

#[derive(Default)]
struct Reading {
    listing: Listing,
    words: Words,
}

impl Reading {
    fn interface(&mut self, called: &Called) -> Option<Listed> {
        let unit = &called.unit;
        let parameters = u32::try_from(called.parameters).ok()?;
        let name = self.word(&called.name);
        let mut listed = Listed { name, parameters, ..Listed::default() };
        self.statements(unit, &unit.statements, true, &mut listed)?;
        let grants = listed.grants.len() + listed.attributes.len();
        let nothing = grants == 0 && listed.transitions.is_empty();
        (!nothing && grants <= MOST_GRANTS).then_some(listed)
    }

    /// Nothing if the interface declares something.
    fn statements(
        &mut self,
        unit: &Unit,
        statements: &[Statement],
        always: bool,
        to: &mut Listed,
    ) -> Option<()> {
        for statement in statements {
            match &statement.kind {
                StatementKind::Type { .. } | StatementKind::Attribute(_) => return None,
                StatementKind::Role { types: None, .. } => return None,
                StatementKind::Require(requires) if always => {
                    for it in &unit.requires[requires.range()] {
                        let types = [RequireKind::Type, RequireKind::Attribute];
                        if types.contains(&it.kind) {
                            to.requires.push(self.name(unit, it.name));
                        }
                    }
                }
                StatementKind::Av(rule) if rule.kind == AvKind::Allow => {
                    self.allow(unit, rule, to);
                }
                StatementKind::TypeAttribute { name, attributes } => {
                    let name = self.name(unit, *name);
                    for &it in &unit.idents[attributes.range()] {
                        to.attributes.push([name, self.name(unit, it)]);
                    }
                }
                StatementKind::TypeRule(rule) if rule.kind == TypeRuleKind::Transition => {
                    self.transition(unit, rule, to);
                }
                StatementKind::Optional { then, .. } => {
                    self.statements(unit, then, false, to)?;
                }
                StatementKind::Conditional { then, otherwise, .. } => {
                    let mut aside = Listed::default();
                    self.statements(unit, then, false, &mut aside)?;
                    self.statements(unit, otherwise, false, &mut aside)?;
                    let rules = u32::try_from(aside.grants.len()).unwrap_or(UNCOUNTED);
                    to.more = to.more.saturating_add(rules.saturating_mul(4));
                }
                StatementKind::Xperm(_)
                | StatementKind::RoleAllow { .. }
                | StatementKind::Role { .. } => {
                    to.more = to.more.saturating_add(1);
                }
                _ => {}
            }
        }
        Some(())
    }

    fn allow(&mut self, unit: &Unit, rule: &AvRule, to: &mut Listed) {
        let (Some(sources), Some(targets)) =
            (self.types(unit, rule.source), self.types(unit, rule.target))
        else {
            to.more = to.more.saturating_add(UNCOUNTED);
            return;
        };
        let permissions = match rule.permissions.form {
            SetForm::Listed => self.types(unit, rule.permissions),
            SetForm::All => Some(Vec::new()),
            SetForm::Complement => None,
        };
        let Some(permissions) = permissions else {
            to.more = to.more.saturating_add(UNCOUNTED);
            return;
        };
        let set = self.words.set(&mut self.listing, permissions);
        for &class in &unit.idents[rule.classes.range()] {
            let class = self.name(unit, class);
            for &source in &sources {
                to.grants.extend(targets.iter().map(|&target| [source, target, class, set]));
            }
        }
    }

    fn transition(&mut self, unit: &Unit, rule: &TypeRule, to: &mut Listed) {
        let (Some(sources), Some(targets)) =
            (self.types(unit, rule.source), self.types(unit, rule.target))
        else {
            return;
        };
        let result = self.name(unit, rule.result);
        let name = rule.name.map_or(NONE, |it| self.name(unit, it));
        for &class in &unit.idents[rule.classes.range()] {
            let class = self.name(unit, class);
            for &source in &sources {
                let with = targets.iter().map(|&target| [source, target, class, result, name]);
                to.transitions.extend(with);
            }
        }
    }

    /// The names of a set that is a plain list.
    fn types(&mut self, unit: &Unit, set: Set) -> Option<Vec<Word>> {
        let items = &unit.set_items[set.items.range()];
        let plain = set.form == SetForm::Listed && items.iter().all(|it| !it.excluded);
        plain.then(|| items.iter().map(|it| self.name(unit, it.ident)).collect())
    }

    fn name(&mut self, unit: &Unit, ident: Ident) -> Word {
        let text = unit.text(ident);
        match parameter(text).and_then(|it| u32::try_from(it).ok()) {
            Some(number) => PARAMETER.saturating_add(number),
            None => self.word(text),
        }
    }

    fn word(&mut self, name: &str) -> Word {
        self.words.word(&mut self.listing, name)
    }
}
