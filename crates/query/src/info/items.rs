//! The items of each component, and which of them a name means.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mandate_policydb::{
    ClassDatum, Constraint, Context, Datum, DefaultFrom, DefaultRange, FsUseBehavior, PolicyDb,
    RoleId, SymbolId, SymbolTable, TypeDatum, TypeId, XenRange, capability_names, initial_sid_name,
};

use super::{Component, InfoQuery, Item};
use crate::statement::{push_all, push_set, text};
use crate::{QuestionError, Statements, Style, lookup};

/// The items of a question, in whatever order.
pub(super) fn of(
    query: &InfoQuery,
    statements: &Statements<'_>,
) -> Result<Vec<Item>, QuestionError> {
    let lists = Lists { db: statements.db(), statements, name: query.name.as_deref() };
    let mut items = lists.items(query.component, query.expand)?;
    if !query.expand {
        items.iter_mut().for_each(|it| it.statement = None);
    }
    Ok(items)
}

/// How many items there are.
pub(super) fn count(db: &PolicyDb, component: Component) -> usize {
    let objects = &db.object_contexts;
    let types = |attribute| db.types.by_value().filter(|it| it.attribute == attribute).count();
    match component {
        Component::Boolean => db.booleans.len(),
        Component::Category => db.categories.by_value().count(),
        Component::Class => db.classes.by_value().count(),
        Component::Common => db.commons.len(),
        Component::Constrain => db.classes.by_value().map(|it| it.constraints.len()).sum(),
        Component::Default => db.classes.by_value().map(|it| defaults(it).len()).sum(),
        Component::FsUse => objects.fs_uses.len(),
        Component::Genfscon => db.genfs.iter().map(|it| it.paths.len()).sum(),
        Component::Ibendportcon => objects.ibendports.len(),
        Component::Ibpkeycon => objects.ibpkeys.len(),
        Component::InitialSid => objects.initial_sids.len(),
        Component::Netifcon => objects.netifs.len(),
        Component::Nodecon => objects.nodes.len() + objects.nodes6.len(),
        Component::Permissive => db.permissive.len(),
        Component::Polcap => db.policy_capabilities.len(),
        Component::Portcon => objects.ports.len(),
        Component::Role => db.roles.len(),
        Component::Sensitivity => db.sensitivities.by_value().count(),
        Component::Typebounds => db.types.by_value().filter(|it| it.bounds.is_some()).count(),
        Component::Type => types(false),
        Component::Attribute => types(true),
        Component::User => db.users.len(),
        Component::Validatetrans => db.classes.by_value().map(|it| it.validatetrans.len()).sum(),
        Component::Ioportcon => objects.ioports.len(),
        Component::Iomemcon => objects.iomems.len(),
        Component::Pcidevicecon => objects.pci_devices.len(),
        Component::Pirqcon => objects.pirqs.len(),
        Component::Devicetreecon => objects.device_tree.len(),
    }
}

/// What a name is called in the answer that it is not there.
fn kind(component: Component) -> &'static str {
    match component {
        Component::Boolean => "boolean",
        Component::Constrain | Component::Validatetrans | Component::Default => "class",
        Component::Permissive | Component::Typebounds => "type",
        Component::InitialSid => "initial SID",
        Component::Polcap => "policy capability",
        Component::FsUse | Component::Genfscon => "file system with such a statement",
        Component::Netifcon => "interface",
        Component::Ibendportcon => "endport",
        other => other.keyword(),
    }
}

pub(super) fn known(
    db: &PolicyDb,
    statements: &Statements<'_>,
    component: Component,
    name: &str,
) -> Result<(), QuestionError> {
    let by_number = |it| {
        matches!(it, Component::Portcon | Component::Ibpkeycon | Component::Nodecon)
            || it.is_xen() && it != Component::Devicetreecon
    };
    let there = match component {
        Component::Permissive | Component::Typebounds => db.types.find(name).is_some(),
        Component::Polcap => capability_names().any(|it| it == name),
        it if by_number(it) => true,
        _ => {
            let query = InfoQuery { component, name: Some(name.to_owned()), expand: false };
            let of_class = matches!(
                component,
                Component::Constrain | Component::Validatetrans | Component::Default
            );
            !of(&query, statements)?.is_empty() || of_class
        }
    };
    let unknown = || QuestionError::from(lookup::unknown(kind(component), name));
    if there { Ok(()) } else { Err(unknown()) }
}

/// The lists of one policy, kept to a name.
struct Lists<'a, 's> {
    db: &'a PolicyDb,
    statements: &'s Statements<'a>,
    name: Option<&'s str>,
}

impl<'a> Lists<'a, '_> {
    fn items(&self, component: Component, expand: bool) -> Result<Vec<Item>, QuestionError> {
        let db = self.db;
        let objects = &db.object_contexts;
        Ok(match component {
            Component::Boolean => {
                self.symbols(&db.booleans, |it| format!("bool {} {};", it.name, it.state))
            }
            Component::Category => {
                let aliases = aliases(&db.categories);
                self.symbols(&db.categories, |it| with_aliases("category", &aliases, it, ";"))
            }
            Component::Class => self.symbols(&db.classes, class_statement),
            Component::Common => self.symbols(&db.commons, |it| {
                let names: Vec<_> = it.permissions.by_name().map(|it| &*it.name).collect();
                format!("common {}\n{}", it.name, in_braces(&names))
            }),
            Component::Constrain => self.constraints(|it| &it.constraints)?,
            Component::Validatetrans => self.constraints(|it| &it.validatetrans)?,
            Component::Default => self.classes()?.into_iter().flat_map(defaults).collect(),
            Component::FsUse => self.fs_uses(),
            Component::Genfscon => self.genfs(),
            Component::Ibendportcon => self.ibendports(),
            Component::Ibpkeycon => self.ibpkeys()?,
            Component::InitialSid => self.initial_sids(),
            Component::Netifcon => self.netifs(),
            Component::Nodecon => self.nodes()?,
            Component::Permissive => {
                let aliases = aliases(&db.types);
                let permissive = |it: &TypeDatum| db.is_permissive(it.id);
                self.symbols_where(&db.types, permissive, |it| self.type_(it, &aliases))
            }
            Component::Polcap => self.capabilities(),
            Component::Portcon => self.ports()?,
            Component::Role => self.symbols(&db.roles, |it| {
                let mut names: Vec<_> =
                    it.types.ids::<TypeId>().map(|it| db.types.name(it)).collect();
                names.sort_unstable();
                text(|to| {
                    push_all(to, &["role ", &it.name, " types "]);
                    push_set(to, names.iter().map(|it| &**it));
                    to.push(b';');
                })
            }),
            Component::Sensitivity => {
                let aliases = aliases(&db.sensitivities);
                self.symbols(&db.sensitivities, |it| with_aliases("sensitivity", &aliases, it, ";"))
            }
            Component::Typebounds => self.bounds(),
            Component::Type => {
                let aliases = aliases(&db.types);
                let statement = |it: &TypeDatum| {
                    if expand { self.type_(it, &aliases) } else { String::new() }
                };
                self.symbols_where(&db.types, |it| !it.attribute, statement)
            }
            Component::Attribute => {
                let members = if expand { members(db) } else { Vec::new() };
                let statement = |it: &TypeDatum| attribute_statement(it, &members);
                self.symbols_where(&db.types, |it| it.attribute, statement)
            }
            Component::User => self.symbols(&db.users, |it| {
                let mut names: Vec<_> =
                    it.roles.ids::<RoleId>().map(|it| db.roles.name(it)).collect();
                names.sort_unstable();
                text(|to| {
                    push_all(to, &["user ", &it.name, " roles "]);
                    push_set(to, names.iter().map(|it| &**it));
                    if let (true, Some(level)) = (db.mls, &it.default_level) {
                        push_all(to, &[" level "]);
                        self.statements.push_level(to, level);
                    }
                    if let (true, Some(range)) = (db.mls, &it.range) {
                        push_all(to, &[" range "]);
                        self.statements.push_range(to, range);
                    }
                    to.push(b';');
                })
            }),
            Component::Ioportcon => self.xen(component, &objects.ioports)?,
            Component::Iomemcon => self.xen(component, &objects.iomems)?,
            Component::Pcidevicecon => self.xen(component, &objects.pci_devices)?,
            Component::Pirqcon => self.xen(component, &objects.pirqs)?,
            Component::Devicetreecon => {
                let all = objects.device_tree.iter().filter(|it| self.means(&it.path));
                let head = |path| format!("devicetreecon {}", lossy(path));
                all.map(|it| self.with_context(&head(&it.path), &it.context, "")).collect()
            }
        })
    }

    fn symbols<T: Datum>(
        &self,
        table: &SymbolTable<T>,
        statement: impl Fn(&T) -> String,
    ) -> Vec<Item> {
        self.symbols_where(table, |_| true, statement)
    }

    /// Symbols of a table, or the one that the name or alias means.
    fn symbols_where<T: Datum>(
        &self,
        table: &SymbolTable<T>,
        wanted: impl Fn(&T) -> bool,
        statement: impl Fn(&T) -> String,
    ) -> Vec<Item> {
        let meant = |name: &str| table.find(name).and_then(|it| table.get(it.id()));
        let item = |it: &T| Item { name: it.name().to_owned(), statement: Some(statement(it)) };
        match self.name {
            Some(name) => meant(name).filter(|it| wanted(it)).map(item).into_iter().collect(),
            None => table.by_value().filter(|it| wanted(it)).map(item).collect(),
        }
    }

    /// The classes, or the one of the name.
    fn classes(&self) -> Result<Vec<&'a ClassDatum>, QuestionError> {
        let Some(name) = self.name else { return Ok(self.db.classes.by_value().collect()) };
        let unknown = || QuestionError::from(lookup::unknown("class", name));
        Ok(vec![self.db.classes.find(name).ok_or_else(unknown)?])
    }

    fn constraints(
        &self,
        list: impl Fn(&ClassDatum) -> &Vec<Constraint>,
    ) -> Result<Vec<Item>, QuestionError> {
        let classes = self.classes()?;
        let pairs = classes.iter().flat_map(|class| list(class).iter().map(|it| (class.id, it)));
        let one = |(class, it)| plain(text(|to| self.statements.push_constraint(to, class, it)));
        Ok(pairs.map(one).collect())
    }

    fn with_context(&self, head: &str, context: &Context, end: &str) -> Item {
        plain(text(|to| {
            push_all(to, &[head, " "]);
            self.statements.push_context(to, context);
            push_all(to, &[end]);
        }))
    }

    /// Does the name, if there is one, mean this?
    fn means(&self, name: &[u8]) -> bool {
        self.name.is_none_or(|it| it.as_bytes() == name)
    }

    fn fs_uses(&self) -> Vec<Item> {
        let all = self.db.object_contexts.fs_uses.iter().filter(|it| self.means(&it.name));
        let one = |it: &mandate_policydb::FsUse| {
            let word: Cow<'_, str> = match it.behavior {
                FsUseBehavior::Xattr => "fs_use_xattr".into(),
                FsUseBehavior::Trans => "fs_use_trans".into(),
                FsUseBehavior::Task => "fs_use_task".into(),
                FsUseBehavior::Other(number) => format!("fs_use_{number}").into(),
            };
            self.with_context(&format!("{word} {}", lossy(&it.name)), &it.context, ";")
        };
        all.map(one).collect()
    }

    fn genfs(&self) -> Vec<Item> {
        let systems = self.db.genfs.iter().filter(|it| self.means(&it.fstype));
        let paths = systems.flat_map(|system| system.paths.iter().map(move |it| (system, it)));
        let one = |(system, it): (&mandate_policydb::GenfsDatum, &mandate_policydb::GenfsPath)| {
            let kind = it.class.map_or("", |class| file_kind(&self.db.classes.name(class)));
            // setools leaves the blank before a kind that is not there.
            let kind = match self.statements.style() {
                Style::Policy if kind.is_empty() => String::new(),
                _ => format!(" {kind}"),
            };
            let head = format!("genfscon {} {}{kind}", lossy(&system.fstype), lossy(&it.path));
            self.with_context(&head, &it.context, "")
        };
        paths.map(one).collect()
    }

    fn ibendports(&self) -> Vec<Item> {
        let all = self.db.object_contexts.ibendports.iter().filter(|it| self.means(&it.device));
        let head = |it: &mandate_policydb::IbEndPort| {
            format!("ibendportcon {} {}", lossy(&it.device), it.port)
        };
        all.map(|it| self.with_context(&head(it), &it.context, "")).collect()
    }

    fn ibpkeys(&self) -> Result<Vec<Item>, QuestionError> {
        let range = self.name.map(|it| parse_range(it, hexadecimal, "a pkey or range of pkeys"));
        let range = range.transpose()?;
        // To setools a pkey means a statement about itself, though a port means what holds it.
        let meant = |low, high| match self.statements.style() {
            Style::Setools => range.is_none_or(|it| it == (low, high)),
            Style::Policy => covers(range, low, high),
        };
        let all = self.db.object_contexts.ibpkeys.iter();
        let all = all.filter(|it| meant(it.low, it.high));
        let head = |it: &mandate_policydb::IbPkey| {
            let prefix = Ipv6Addr::from(u128::from(it.subnet_prefix) << 64);
            match it.low == it.high {
                true => format!("ibpkeycon {prefix} {:#x}", it.low),
                false => format!("ibpkeycon {prefix} {:#x}-{:#x}", it.low, it.high),
            }
        };
        Ok(all.map(|it| self.with_context(&head(it), &it.context, "")).collect())
    }

    fn initial_sids(&self) -> Vec<Item> {
        let db = self.db;
        let all = db.object_contexts.initial_sids.iter().map(|it| {
            let known = initial_sid_name(db.target, it.sid);
            let name = known.map_or_else(|| format!("sid_{}", it.sid), str::to_owned);
            (name, &it.context)
        });
        let named = all.filter(|it| self.means(it.0.as_bytes()));
        let one = |(name, context): (String, &Context)| {
            let statement = self.with_context(&format!("sid {name}"), context, "").name;
            Item { name, statement: Some(statement) }
        };
        named.map(one).collect()
    }

    fn netifs(&self) -> Vec<Item> {
        let all = self.db.object_contexts.netifs.iter().filter(|it| self.means(&it.name));
        let one = |it: &mandate_policydb::NamedPair| {
            let first =
                self.with_context(&format!("netifcon {}", lossy(&it.name)), &it.context, "");
            self.with_context(&first.name, &it.second, "")
        };
        all.map(one).collect()
    }

    fn nodes(&self) -> Result<Vec<Item>, QuestionError> {
        let network = self.name.map(parse_network).transpose()?;
        let wanted = |address: IpAddr, mask: IpAddr| network.is_none_or(|it| it == (address, mask));
        let objects = &self.db.object_contexts;
        let four = objects.nodes.iter().map(|it| (it.address.into(), it.mask.into(), &it.context));
        let six = objects.nodes6.iter().map(|it| (it.address.into(), it.mask.into(), &it.context));
        let all = four.chain(six).filter(|it| wanted(it.0, it.1));
        let one = |(address, mask, context): (IpAddr, IpAddr, &Context)| {
            self.with_context(&format!("nodecon {address} {mask}"), context, "")
        };
        Ok(all.map(one).collect())
    }

    fn capabilities(&self) -> Vec<Item> {
        let names = self.db.capability_names().into_iter().filter(|it| self.means(it.as_bytes()));
        let one = |name: String| Item { statement: Some(format!("policycap {name};")), name };
        names.map(one).collect()
    }

    fn ports(&self) -> Result<Vec<Item>, QuestionError> {
        let decimal = |text: &str| text.parse().ok();
        let range = self.name.map(|it| parse_range(it, decimal, "a port or range of ports"));
        let range = range.transpose()?;
        let all = self.db.object_contexts.ports.iter();
        let all = all.filter(|it| covers(range, it.low, it.high));
        let head = |it: &mandate_policydb::Port| {
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
        Ok(all.map(|it| self.with_context(&head(it), &it.context, "")).collect())
    }

    fn bounds(&self) -> Vec<Item> {
        let meant = self.name.map(|it| self.db.types.id(it));
        let bounded =
            self.db.types.by_value().filter(|it| meant.is_none_or(|id| id == Some(it.id)));
        let one = |it: &TypeDatum| {
            Some(plain(format!("typebounds {} {};", self.db.types.name(it.bounds?), it.name)))
        };
        bounded.filter_map(one).collect()
    }

    /// Contexts of Xen that are about numbers: of interrupts decimal ones, of all else hexadecimal ones.
    fn xen(&self, component: Component, list: &[XenRange]) -> Result<Vec<Item>, QuestionError> {
        let decimal = component == Component::Pirqcon;
        let number = |text: &str| if decimal { text.parse().ok() } else { hexadecimal(text) };
        let range = self.name.map(|it| parse_range(it, number, "a number or range of numbers"));
        let range: Option<(u64, u64)> = range.transpose()?;
        let setools = self.statements.style() == Style::Setools;
        // To setools an address means a statement about itself, though an I/O port means what holds it.
        let meant = |it: &&XenRange| match component {
            Component::Iomemcon if setools => range.is_none_or(|range| range == (it.low, it.high)),
            _ => covers(range, it.low, it.high),
        };
        let shown = |number: u64| match setools && !decimal {
            true => format!("{number:#06x}"),
            false => number.to_string(),
        };
        let head = |it: &XenRange| match it.low == it.high {
            true => format!("{} {}", component.keyword(), shown(it.low)),
            false => format!("{} {}-{}", component.keyword(), shown(it.low), shown(it.high)),
        };
        let all = list.iter().filter(meant);
        Ok(all.map(|it| self.with_context(&head(it), &it.context, "")).collect())
    }

    fn type_(&self, type_: &TypeDatum, aliases: &[&TypeDatum]) -> String {
        let db = self.db;
        let groups = db.type_attributes.get(type_.id.index());
        let groups = groups.into_iter().flat_map(|it| it.ids::<TypeId>());
        let names: String = groups
            .filter(|it| *it != type_.id)
            .map(|it| format!(", {}", db.types.name(it)))
            .collect();
        with_aliases("type", aliases, type_, &format!("{names};"))
    }
}

fn plain(statement: String) -> Item {
    Item { name: statement.clone(), statement: Some(statement) }
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn aliases<T: Datum>(table: &SymbolTable<T>) -> Vec<&T> {
    table.iter().filter(|it| it.is_alias()).collect()
}

/// The statement of a symbol that may have aliases.
fn with_aliases<T: Datum>(keyword: &str, aliases: &[&T], symbol: &T, end: &str) -> String {
    let aliases = aliases.iter().filter(|it| it.id() == symbol.id());
    let aliases: Vec<&str> = aliases.map(|it| it.name()).collect();
    text(|to| {
        push_all(to, &[keyword, " ", symbol.name()]);
        if !aliases.is_empty() {
            push_all(to, &[" alias "]);
            push_set(to, aliases.into_iter());
        }
        push_all(to, &[end]);
    })
}

fn in_braces(names: &[&str]) -> String {
    if names.is_empty() { String::new() } else { format!("{{\n\t{}\n}}", names.join("\n\t")) }
}

fn class_statement(class: &ClassDatum) -> String {
    let common = class.common.as_ref().map(|it| format!("inherits {it}\n")).unwrap_or_default();
    let names: Vec<_> = class.permissions.by_name().map(|it| &*it.name).collect();
    format!("class {}\n{common}{}", class.name, in_braces(&names))
}

/// For each attribute, by value, the names of its types.
fn members(db: &PolicyDb) -> Vec<Vec<&str>> {
    let mut members = vec![Vec::new(); db.types.nprim() as usize];
    for type_ in db.types.by_name().filter(|it| !it.attribute && !it.is_alias()) {
        let groups = db.type_attributes.get(type_.id.index());
        for group in groups.into_iter().flat_map(|it| it.iter()) {
            if let Some(list) = members.get_mut(group as usize) {
                list.push(&*type_.name);
            }
        }
    }
    members
}

fn attribute_statement(attribute: &TypeDatum, members: &[Vec<&str>]) -> String {
    let names = members.get(attribute.id.index()).map_or(&[][..], Vec::as_slice);
    let names = if names.is_empty() { &["<empty attribute>"] } else { names };
    format!("attribute {};\n\t{}", attribute.name, names.join("\n\t"))
}

/// The `default_*` statements of a class.
fn defaults(class: &ClassDatum) -> Vec<Item> {
    let from = |it: DefaultFrom| match it {
        DefaultFrom::Source => "source",
        DefaultFrom::Target => "target",
    };
    let range = |it: DefaultRange| match it {
        DefaultRange::SourceLow => "source low",
        DefaultRange::SourceHigh => "source high",
        DefaultRange::SourceLowHigh => "source low_high",
        DefaultRange::TargetLow => "target low",
        DefaultRange::TargetHigh => "target high",
        DefaultRange::TargetLowHigh => "target low_high",
        DefaultRange::Glblub => "glblub",
    };
    let all = [
        ("default_user", class.default_user.map(from)),
        ("default_role", class.default_role.map(from)),
        ("default_type", class.default_type.map(from)),
        ("default_range", class.default_range.map(range)),
    ];
    let set = all.into_iter().filter_map(|(word, value)| Some((word, value?)));
    set.map(|(word, value)| plain(format!("{word} {} {value};", class.name))).collect()
}

/// What a `genfscon` says of a class of files.
pub(crate) fn file_kind(class: &str) -> &'static str {
    match class {
        "file" => "--",
        "dir" => "-d",
        "chr_file" => "-c",
        "blk_file" => "-b",
        "sock_file" => "-s",
        "fifo_file" => "-p",
        "lnk_file" => "-l",
        _ => "",
    }
}

fn hexadecimal<T: TryFrom<u64>>(text: &str) -> Option<T> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    u64::from_str_radix(digits, 16).ok()?.try_into().ok()
}

/// A number, or two with `-` between.
fn parse_range<T: PartialOrd>(
    range: &str,
    number: impl Fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<(T, T), QuestionError> {
    let (low, high) = range.split_once('-').unwrap_or((range, range));
    let both = number(low).zip(number(high)).filter(|(low, high)| low <= high);
    both.ok_or_else(|| QuestionError::Malformed { expected, found: range.to_owned() })
}

/// Does low to high hold all of the range?
fn covers<T: PartialOrd>(range: Option<(T, T)>, low: T, high: T) -> bool {
    range.is_none_or(|it| low <= it.0 && it.1 <= high)
}

/// The address and mask of a network: an address alone is one of a single host.
fn parse_network(network: &str) -> Result<(IpAddr, IpAddr), QuestionError> {
    let malformed = || QuestionError::Malformed {
        expected: "an IPv4 or IPv6 address, or a network without host bits",
        found: network.to_owned(),
    };
    let (address, prefix) = match network.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (network, None),
    };
    let address: IpAddr = address.parse().map_err(|_| malformed())?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix: u32 = prefix.map_or(Ok(bits), str::parse).map_err(|_| malformed())?;
    if prefix > bits {
        return Err(malformed());
    }
    let (mask, inside) = match address {
        IpAddr::V4(it) => {
            let mask = Ipv4Addr::from(u32::MAX.checked_shl(bits - prefix).unwrap_or(0));
            (IpAddr::from(mask), it & mask == it)
        }
        IpAddr::V6(it) => {
            let mask = Ipv6Addr::from(u128::MAX.checked_shl(bits - prefix).unwrap_or(0));
            (IpAddr::from(mask), it & mask == it)
        }
    };
    if inside { Ok((address, mask)) } else { Err(malformed()) }
}
