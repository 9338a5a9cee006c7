//! Labels of what has none of its own, and constraints.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use mandate_policydb::{
    ClassDatum, Constraint, Context, FsUseBehavior, GenfsDatum, IbPkey, NamedPair, PolicyDb, Port,
    initial_sid_name,
};

use super::rules::merge;
use super::symbols::{Symbol, Trait, compare};
use super::{Change, Compared, Item, Part, Section};
use crate::Statements;
use crate::info::file_kind;
use crate::statement::{is_mls, text};

/// What is labelled, and how.
type Labels<'a> = Vec<(String, &'a Context)>;

impl<'a> Compared<'_, 'a> {
    /// Differences of a part whose statements give labels, or that are constraints.
    pub(super) fn labels(&self, part: Part) -> Option<Section> {
        Some(match part {
            Part::InitialSids => self.labelled(part, initial_sids, ["sid ", "", ";"]),
            Part::Ibendportcons => self.labelled(part, ibendports, ["", "", ""]),
            Part::Ibpkeycons => self.labelled(part, ibpkeys, ["", "", ""]),
            Part::FsUse => self.labelled(part, fs_uses, ["", ";", ";"]),
            Part::Genfscons => self.labelled(part, genfs, ["", "", ";"]),
            Part::Nodecons => self.labelled(part, nodes, ["", "", ";"]),
            Part::Portcons => self.labelled(part, ports, ["", "", ";"]),
            Part::Netifcons => self.netifs(),
            Part::Constraints => self.constraints(part, |it| &it.constraints, false),
            Part::MlsConstraints => self.constraints(part, |it| &it.constraints, true),
            Part::Validatetrans => self.constraints(part, |it| &it.validatetrans, false),
            Part::MlsValidatetrans => self.constraints(part, |it| &it.validatetrans, true),
            _ => return None,
        })
    }

    /// Labels as text: symbols may have other numbers on each side.
    fn texts(&self, at: usize, list: impl Fn(&'a PolicyDb) -> Labels<'a>) -> Vec<(String, String)> {
        let both = self.sides.get(at).zip(self.statements.get(at));
        let Some((side, statements)) = both else { return Vec::new() };
        let labels = list(side.db).into_iter();
        let mut texts: Vec<_> =
            labels.map(|(head, context)| (head, context_text(statements, context))).collect();
        texts.sort();
        texts.dedup_by(|next, kept| next.0 == kept.0);
        texts
    }

    fn labelled(
        &self,
        part: Part,
        list: impl Fn(&'a PolicyDb) -> Labels<'a>,
        [start, end, modified_end]: [&str; 3],
    ) -> Section {
        Section::compared(
            part,
            [self.texts(0, &list), self.texts(1, &list)],
            |head, context| Item::plain(format!("{start}{head} {context}{end}")),
            |head, a, b| Item::plain(format!("{head} +[{b}] -[{a}]{modified_end}")),
        )
    }

    fn netifs(&self) -> Section {
        let of = |at, second: bool| {
            self.texts(at, move |db| {
                let context = |it: &'a NamedPair| if second { &it.second } else { &it.context };
                let all = db.object_contexts.netifs.iter();
                all.map(|it| (lossy(&it.name).into_owned(), context(it))).collect()
            })
        };
        let list = |at| {
            let both = of(at, false).into_iter().zip(of(at, true));
            let one = |((name, own), (_, packets)): ((String, String), (String, String))| Symbol {
                alone: format!("netifcon {name} {own} {packets}"),
                traits: vec![
                    Trait::value("Context", Some(own)),
                    Trait::value("Packet Context", Some(packets)),
                ],
                name,
            };
            both.map(one).collect()
        };
        compare(Part::Netifcons, list(0), list(1))
    }

    fn constraints(
        &self,
        part: Part,
        list: impl Fn(&ClassDatum) -> &Vec<Constraint>,
        mls: bool,
    ) -> Section {
        let texts = |at: usize| {
            let both = self.sides.get(at).zip(self.statements.get(at));
            let Some((side, statements)) = both else { return Vec::new() };
            let mut texts = Vec::new();
            for class in side.db.classes.by_value() {
                for it in list(class).iter().filter(|it| is_mls(it) == mls) {
                    let statement = text(|to| statements.push_constraint(to, class.id, it));
                    // Names within braces stand in the order of their numbers, which is each policy's own.
                    texts.push((with_sorted_sets(&statement), statement));
                }
            }
            texts.sort();
            texts.dedup_by(|next, kept| next.0 == kept.0);
            texts
        };
        let mut section = Section::new(part);
        for (_, values) in merge(texts(0), texts(1)) {
            match values {
                [Some(gone), None] => section.removed.push(Change::Item(Item::plain(gone))),
                [None, Some(new)] => section.added.push(Change::Item(Item::plain(new))),
                _ => {}
            }
        }
        section
    }
}

fn with_sorted_sets(statement: &str) -> String {
    let mut parts = statement.split("{ ");
    let mut sorted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, rest) = part.split_once('}').unwrap_or((part, ""));
        let mut names: Vec<&str> = inside.split_whitespace().collect();
        names.sort_unstable();
        sorted += &format!("{{ {} }}{rest}", names.join(" "));
    }
    sorted
}

fn context_text(statements: &Statements<'_>, context: &Context) -> String {
    text(|to| statements.push_context(to, context))
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn initial_sids(db: &PolicyDb) -> Labels<'_> {
    let name = |sid| {
        let known = initial_sid_name(db.target, sid);
        known.map_or_else(|| format!("sid_{sid}"), str::to_owned)
    };
    db.object_contexts.initial_sids.iter().map(|it| (name(it.sid), &it.context)).collect()
}

fn ibendports(db: &PolicyDb) -> Labels<'_> {
    let head = |device, port| format!("ibendportcon {} {port}", lossy(device));
    let all = db.object_contexts.ibendports.iter();
    all.map(|it| (head(&it.device, it.port), &it.context)).collect()
}

fn ibpkeys(db: &PolicyDb) -> Labels<'_> {
    let head = |it: &IbPkey| {
        let prefix = Ipv6Addr::from(u128::from(it.subnet_prefix) << 64);
        match it.low == it.high {
            true => format!("ibpkeycon {prefix} {:#x}", it.low),
            false => format!("ibpkeycon {prefix} {:#x}-{:#x}", it.low, it.high),
        }
    };
    db.object_contexts.ibpkeys.iter().map(|it| (head(it), &it.context)).collect()
}

fn fs_uses(db: &PolicyDb) -> Labels<'_> {
    let word = |it| match it {
        FsUseBehavior::Xattr => "xattr".to_owned(),
        FsUseBehavior::Trans => "trans".to_owned(),
        FsUseBehavior::Task => "task".to_owned(),
        FsUseBehavior::Other(number) => number.to_string(),
    };
    let all = db.object_contexts.fs_uses.iter();
    let head = |behavior, name| format!("fs_use_{} {}", word(behavior), lossy(name));
    all.map(|it| (head(it.behavior, &it.name), &it.context)).collect()
}

fn genfs(db: &PolicyDb) -> Labels<'_> {
    let of = |system: &'_ GenfsDatum, path: &[u8], class: Option<mandate_policydb::ClassId>| {
        let kind = class.map_or("", |it| file_kind(&db.classes.name(it)));
        format!("genfscon {} {} {kind}", lossy(&system.fstype), lossy(path))
    };
    let systems = db.genfs.iter();
    let paths = systems.flat_map(|system| system.paths.iter().map(move |it| (system, it)));
    paths.map(|(system, it)| (of(system, &it.path, it.class), &it.context)).collect()
}

fn nodes(db: &PolicyDb) -> Labels<'_> {
    let objects = &db.object_contexts;
    let four = objects.nodes.iter();
    let four = four.map(|it| (format!("nodecon {} {}", it.address, it.mask), &it.context));
    let six = objects.nodes6.iter();
    let six = six.map(|it| (format!("nodecon {} {}", it.address, it.mask), &it.context));
    four.chain(six).collect()
}

fn ports(db: &PolicyDb) -> Labels<'_> {
    let head = |it: &Port| {
        let protocol: Cow<'_, str> = match it.protocol {
            6 => "tcp".into(),
            17 => "udp".into(),
            33 => "dccp".into(),
            132 => "sctp".into(),
            other => other.to_string().into(),
        };
        match it.low == it.high {
            true => format!("portcon {protocol} {}", it.low),
            false => format!("portcon {protocol} {}-{}", it.low, it.high),
        }
    };
    db.object_contexts.ports.iter().map(|it| (head(it), &it.context)).collect()
}
