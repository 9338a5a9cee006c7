//! What a policy declares: symbols, and what each has.

use std::collections::BTreeSet;

use mandate_policydb::{
    BoolId, CategoryId, ClassDatum, Datum, DefaultFrom, DefaultRange, HandleUnknown, PolicyDb,
    RoleId, SymbolId, SymbolTable, TypeId,
};

use super::{Change, Compared, Detail, Item, Part, Section};
use crate::Statements;
use crate::statement::text;

/// Something that a symbol has, compared.
pub(super) struct Trait {
    noun: &'static str,
    list: bool,
    values: Vec<String>,
}

impl Trait {
    fn list(noun: &'static str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values: BTreeSet<String> = values.into_iter().map(Into::into).collect();
        Self { noun, list: true, values: values.into_iter().collect() }
    }

    pub(super) fn value(noun: &'static str, value: Option<String>) -> Self {
        Self { noun, list: false, values: value.into_iter().collect() }
    }
}

/// A symbol: its name, how it stands in a list of those that only one policy has, and what it has.
pub(super) struct Symbol {
    pub(super) name: String,
    pub(super) alone: String,
    pub(super) traits: Vec<Trait>,
}

impl Symbol {
    fn new(name: &str, traits: Vec<Trait>) -> Self {
        Self { name: name.to_owned(), alone: name.to_owned(), traits }
    }
}

type Side<'s, 'a> = (&'a PolicyDb, &'s Statements<'a>);

impl<'a> Compared<'_, 'a> {
    /// Differences of a part that is a list of symbols.
    pub(super) fn symbols(&self, part: Part) -> Option<Section> {
        let list: fn(Side<'_, 'a>) -> Vec<Symbol> = match part {
            Part::Properties => return Some(self.properties()),
            Part::Defaults => return Some(self.defaults()),
            Part::Capabilities => return Some(self.capabilities()),
            Part::Typebounds => return Some(self.typebounds()),
            Part::Commons => |(db, _)| {
                let permissions = |it: &mandate_policydb::CommonDatum| {
                    Trait::list("permissions", it.permissions.by_value().map(Datum::name))
                };
                let all = db.commons.by_name();
                all.map(|it| Symbol::new(&it.name, vec![permissions(it)])).collect()
            },
            Part::Classes => |(db, _)| {
                let permissions = |it: &ClassDatum| {
                    Trait::list("permissions", db.permissions(it.id).map(Datum::name))
                };
                let all = db.classes.by_name();
                all.map(|it| Symbol::new(&it.name, vec![permissions(it)])).collect()
            },
            Part::Booleans => |(db, _)| booleans(db),
            Part::Roles => |(db, _)| {
                let types = |it: &mandate_policydb::RoleDatum| {
                    Trait::list("types", it.types.ids::<TypeId>().map(|it| db.types.name(it)))
                };
                db.roles.by_name().map(|it| Symbol::new(&it.name, vec![types(it)])).collect()
            },
            Part::Types => |(db, _)| types(db),
            Part::Users => |side| users(side),
            Part::Categories => |(db, _)| aliased(&db.categories),
            Part::Sensitivities => |(db, _)| aliased(&db.sensitivities),
            Part::Levels => |side| levels(side),
            Part::Attributes => return Some(self.attributes()),
            _ => return None,
        };
        let [first, second] = [0, 1].map(|at| self.at(at).map(list).unwrap_or_default());
        Some(compare(part, first, second))
    }

    fn at(&self, at: usize) -> Option<Side<'_, 'a>> {
        Some((self.sides.get(at)?.db, self.statements.get(at)?))
    }

    fn attributes(&self) -> Section {
        let list = |at: usize| {
            let Some(side) = self.sides.get(at) else { return Vec::new() };
            let types = |it: TypeId| {
                let all = side.types(it).list().iter();
                let names = all.filter_map(|it| self.names.types.get(*it as usize).copied());
                Trait::list("types", names)
            };
            let all = side.db.types.by_name().filter(|it| it.attribute);
            all.map(|it| Symbol::new(&it.name, vec![types(it.id)])).collect()
        };
        compare(Part::Attributes, list(0), list(1))
    }

    fn properties(&self) -> Section {
        let list = |at: usize| {
            let Some((db, _)) = self.at(at) else { return Vec::new() };
            let unknown = match db.handle_unknown {
                HandleUnknown::Deny => "deny",
                HandleUnknown::Reject => "reject",
                HandleUnknown::Allow => "allow",
            };
            let mls = if db.mls { "True" } else { "False" };
            let version = db.version.number().to_string();
            vec![
                ("MLS", mls.to_owned()),
                ("handle_unknown", unknown.to_owned()),
                ("version", version),
            ]
        };
        let changed =
            |name: &&str, a: &String, b: &String| Item::plain(format!("{name} +{b} -{a}"));
        Section::compared(
            Part::Properties,
            [list(0), list(1)],
            |name, _| Item::plain(*name),
            changed,
        )
    }

    fn capabilities(&self) -> Section {
        let list = |at: usize| {
            let names = self.at(at).map(|(db, _)| db.capability_names()).unwrap_or_default();
            let names: BTreeSet<String> = names.into_iter().collect();
            names.into_iter().map(|it| (it, ())).collect()
        };
        let plain = |name: &String| Item::plain(name.as_str());
        let lists = [list(0), list(1)];
        Section::compared(
            Part::Capabilities,
            lists,
            |name, ()| plain(name),
            |name, (), ()| plain(name),
        )
    }

    fn typebounds(&self) -> Section {
        let list = |at: usize| {
            let Some((db, _)) = self.at(at) else { return Vec::new() };
            let bounded = db.types.by_name().filter(|it| !it.is_alias());
            let bounded = bounded.filter_map(|it| Some((&*it.name, db.types.name(it.bounds?))));
            bounded.collect()
        };
        Section::compared(
            Part::Typebounds,
            [list(0), list(1)],
            |child, parent| Item::plain(format!("typebounds {parent} {child};")),
            |child, a, b| Item::plain(format!("typebounds +{b} -{a} {child};")),
        )
    }

    fn defaults(&self) -> Section {
        let list = |at: usize| {
            let classes = self.at(at).map(|(db, _)| db.classes.by_name()).into_iter().flatten();
            let mut all: Vec<_> = classes.flat_map(defaults).collect();
            all.sort_unstable();
            all
        };
        let range = |it: &str| if it.is_empty() { String::new() } else { format!(" {it}") };
        Section::compared(
            Part::Defaults,
            [list(0), list(1)],
            |head, (from, part)| Item::plain(format!("{head} {from}{};", range(part))),
            |head, a, b| {
                let whose = signed(a.0, b.0);
                let part = signed(a.1, b.1);
                Item::plain(format!("{head} {whose}{};", range(&part)))
            },
        )
    }
}

/// A word that is the same, or with signs what it is instead of what it was.
fn signed(before: &str, after: &str) -> String {
    match (before, after) {
        (a, b) if a == b => a.to_owned(),
        ("", b) => format!("+{b}"),
        (a, "") => format!("-{a}"),
        (a, b) => format!("+{b} -{a}"),
    }
}

/// The `default_*` statements of a class: whose part, and of a range which.
fn defaults(class: &ClassDatum) -> Vec<(String, (&'static str, &'static str))> {
    let from = |it: DefaultFrom| match it {
        DefaultFrom::Source => ("source", ""),
        DefaultFrom::Target => ("target", ""),
    };
    let range = |it: DefaultRange| match it {
        DefaultRange::SourceLow => ("source", "low"),
        DefaultRange::SourceHigh => ("source", "high"),
        DefaultRange::SourceLowHigh => ("source", "low_high"),
        DefaultRange::TargetLow => ("target", "low"),
        DefaultRange::TargetHigh => ("target", "high"),
        DefaultRange::TargetLowHigh => ("target", "low_high"),
        DefaultRange::Glblub => ("glblub", ""),
    };
    let all = [
        ("default_user", class.default_user.map(from)),
        ("default_role", class.default_role.map(from)),
        ("default_type", class.default_type.map(from)),
        ("default_range", class.default_range.map(range)),
    ];
    let set = all.into_iter().filter_map(|(word, value)| Some((word, value?)));
    set.map(|(word, value)| (format!("{word} {}", class.name), value)).collect()
}

fn booleans(db: &PolicyDb) -> Vec<Symbol> {
    let state = |id: BoolId| db.booleans.get(id).is_some_and(|it| it.state);
    let text = |state| if state { "True" } else { "False" }.to_owned();
    let one = |it: &mandate_policydb::BooleanDatum| {
        Symbol::new(&it.name, vec![Trait::value("default state", Some(text(state(it.id))))])
    };
    db.booleans.by_name().map(one).collect()
}

/// The aliases of each symbol of a table.
fn aliases<T: Datum>(table: &SymbolTable<T>) -> Vec<Vec<&str>> {
    let mut aliases = vec![Vec::new(); table.nprim() as usize];
    for it in table.iter().filter(|it| it.is_alias()) {
        if let Some(list) = aliases.get_mut(it.id().index()) {
            list.push(it.name());
        }
    }
    aliases
}

fn aliased<T: Datum>(table: &SymbolTable<T>) -> Vec<Symbol> {
    let aliases = aliases(table);
    let own = |it: &T| aliases.get(it.id().index()).cloned().unwrap_or_default();
    let one = |it: &T| Symbol::new(it.name(), vec![Trait::list("Aliases", own(it))]);
    table.by_value().map(one).collect()
}

fn types(db: &PolicyDb) -> Vec<Symbol> {
    let aliases = aliases(&db.types);
    let one = |it: &mandate_policydb::TypeDatum| {
        let groups = db.type_attributes.get(it.id.index());
        let groups = groups.into_iter().flat_map(|it| it.ids::<TypeId>());
        let groups = groups.filter(|group| *group != it.id).map(|group| db.types.name(group));
        let own = aliases.get(it.id.index()).cloned().unwrap_or_default();
        let permissive = db.is_permissive(it.id).then(|| "permissive".to_owned());
        let traits = vec![
            Trait::list("attributes", groups),
            Trait::list("aliases", own),
            Trait::value("permissive", permissive),
        ];
        Symbol::new(&it.name, traits)
    };
    db.types.by_name().filter(|it| !it.attribute && !it.is_alias()).map(one).collect()
}

fn users((db, statements): Side<'_, '_>) -> Vec<Symbol> {
    let disabled = || "None (MLS Disabled)".to_owned();
    let one = |it: &mandate_policydb::UserDatum| {
        let level = it.default_level.as_ref().filter(|_| db.mls);
        let level = level.map_or_else(disabled, |it| text(|to| statements.push_level(to, it)));
        let range = it.range.as_ref().filter(|_| db.mls);
        let range = range.map_or_else(disabled, |it| text(|to| statements.push_range(to, it)));
        let traits = vec![
            Trait::list("roles", it.roles.ids::<RoleId>().map(|it| db.roles.name(it))),
            Trait::value("default level", Some(level)),
            Trait::value("range", Some(range)),
        ];
        Symbol::new(&it.name, traits)
    };
    db.users.by_name().map(one).collect()
}

fn levels((db, statements): Side<'_, '_>) -> Vec<Symbol> {
    let one = |it: &mandate_policydb::SensitivityDatum| {
        let names = it.categories.ids::<CategoryId>().map(|it| db.categories.name(it));
        let level =
            mandate_policydb::MlsLevel { sensitivity: it.id(), categories: it.categories.clone() };
        Symbol {
            alone: text(|to| statements.push_level(to, &level)),
            ..Symbol::new(&it.name, vec![Trait::list("Categories", names)])
        }
    };
    db.sensitivities.by_value().map(one).collect()
}

/// What two lists of symbols have not in common, in their order.
pub(super) fn compare(part: Part, first: Vec<Symbol>, second: Vec<Symbol>) -> Section {
    let mut section = Section::new(part);
    let known: rustc_hash::FxHashMap<&str, &Symbol> =
        first.iter().map(|it| (it.name.as_str(), it)).collect();
    for symbol in &second {
        match known.get(symbol.name.as_str()) {
            None => section.added.push(Change::Item(Item::plain(symbol.alone.as_str()))),
            Some(before) => {
                let details = details(before, symbol);
                if !details.is_empty() {
                    let text = symbol.name.clone();
                    section.modified.push(Change::Item(Item { details, ..Item::plain(text) }));
                }
            }
        }
    }
    let kept: rustc_hash::FxHashSet<&str> = second.iter().map(|it| it.name.as_str()).collect();
    let gone = first.iter().filter(|it| !kept.contains(it.name.as_str()));
    section.removed.extend(gone.map(|it| Change::Item(Item::plain(it.alone.as_str()))));
    section
}

fn details(before: &Symbol, after: &Symbol) -> Vec<Detail> {
    let both = before.traits.iter().zip(&after.traits);
    let one = |(a, b): (&Trait, &Trait)| {
        let only = |of: &Trait, other: &Trait| {
            let only = of.values.iter().filter(|it| other.values.binary_search(it).is_err());
            only.cloned().collect::<Vec<String>>()
        };
        let (added, removed) = (only(b, a), only(a, b));
        let differs = !added.is_empty() || !removed.is_empty();
        differs.then_some(Detail { noun: b.noun, list: b.list, added, removed })
    };
    both.filter_map(one).collect()
}
