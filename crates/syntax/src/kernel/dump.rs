//! The tree in a form to compare, for tests: the language itself, with sets spelled out.

use std::fmt::Write;

use super::ast::*;

/// The tree as text.
pub fn dump(unit: &Unit) -> String {
    let mut out = String::new();
    Dump { unit }.statements(&unit.statements, 0, &mut out);
    out
}

struct Dump<'a> {
    unit: &'a Unit,
}

impl Dump<'_> {
    fn statements(&self, statements: &[Statement], depth: usize, out: &mut String) {
        for statement in statements {
            let indent = "  ".repeat(depth);
            match &statement.kind {
                StatementKind::Conditional { expression, then, otherwise } => {
                    let terms = self.cond_terms(*expression);
                    writeln!(out, "{indent}if [{terms}]").unwrap();
                    self.statements(then, depth + 1, out);
                    writeln!(out, "{indent}else").unwrap();
                    self.statements(otherwise, depth + 1, out);
                }
                StatementKind::Optional { then, otherwise } => {
                    writeln!(out, "{indent}optional").unwrap();
                    self.statements(then, depth + 1, out);
                    if let Some(otherwise) = otherwise {
                        writeln!(out, "{indent}else").unwrap();
                        self.statements(otherwise, depth + 1, out);
                    }
                }
                kind => {
                    let text = self.simple(kind);
                    writeln!(out, "{indent}{text}").unwrap();
                }
            }
        }
    }

    fn simple(&self, kind: &StatementKind) -> String {
        self.te(kind)
            .or_else(|| self.roles(kind))
            .or_else(|| self.classes(kind))
            .or_else(|| self.contexts(kind))
            .or_else(|| self.network(kind))
            .unwrap_or_else(|| format!("{kind:?}"))
    }

    fn te(&self, kind: &StatementKind) -> Option<String> {
        Some(match kind {
            StatementKind::Av(rule) => format!(
                "{:?} {} {} : {} {}",
                rule.kind,
                self.set(rule.source),
                self.set(rule.target),
                self.idents(rule.classes),
                self.set(rule.permissions)
            ),
            StatementKind::Xperm(rule) => format!(
                "{:?} {} {} : {} {} {}{}",
                rule.kind,
                self.set(rule.source),
                self.set(rule.target),
                self.idents(rule.classes),
                self.text(rule.operation),
                if rule.complement { "~" } else { "" },
                self.ranges(rule.ranges)
            ),
            StatementKind::TypeRule(rule) => format!(
                "{:?} {} {} : {} {}{}",
                rule.kind,
                self.set(rule.source),
                self.set(rule.target),
                self.idents(rule.classes),
                self.text(rule.result),
                rule.name.map_or_else(String::new, |it| format!(" {:?}", self.text(it)))
            ),
            StatementKind::RangeTransition { source, target, classes, range } => format!(
                "range_transition {} {} : {} {}",
                self.set(*source),
                self.set(*target),
                self.idents(*classes),
                self.range(range)
            ),
            StatementKind::Attribute(name) => format!("attribute {}", self.text(*name)),
            StatementKind::ExpandAttribute { names, expand } => {
                format!("expandattribute {} {expand}", self.idents(*names))
            }
            StatementKind::Type { name, aliases, attributes } => format!(
                "type {} alias {} , {}",
                self.text(*name),
                self.idents(*aliases),
                self.idents(*attributes)
            ),
            StatementKind::TypeAlias { name, aliases } => {
                format!("typealias {} {}", self.text(*name), self.idents(*aliases))
            }
            StatementKind::TypeAttribute { name, attributes } => {
                format!("typeattribute {} {}", self.text(*name), self.idents(*attributes))
            }
            StatementKind::TypeBounds { parent, children } => {
                format!("typebounds {} {}", self.text(*parent), self.idents(*children))
            }
            StatementKind::Permissive(name) => format!("permissive {}", self.text(*name)),
            StatementKind::NeverAudit(name) => format!("neveraudit {}", self.text(*name)),
            StatementKind::Boolean { name, value, tunable } => {
                format!(
                    "{} {} {value}",
                    if *tunable { "tunable" } else { "bool" },
                    self.text(*name)
                )
            }
            StatementKind::Require(requires) => {
                let requires = self.unit.requires[requires.range()].iter();
                requires.fold("require".to_owned(), |all, it| {
                    let permissions = match it.kind {
                        RequireKind::Class => format!(" {}", self.idents(it.permissions)),
                        _ => String::new(),
                    };
                    format!("{all} {:?} {}{permissions};", it.kind, self.text(it.name))
                })
            }
            _ => return None,
        })
    }

    fn roles(&self, kind: &StatementKind) -> Option<String> {
        Some(match kind {
            StatementKind::Role { name, types, attributes } => format!(
                "role {} types {} , {}",
                self.text(*name),
                types.map_or_else(|| "-".to_owned(), |it| self.set(it)),
                self.idents(*attributes)
            ),
            StatementKind::RoleAttribute(name) => format!("attribute_role {}", self.text(*name)),
            StatementKind::RoleAttributeSet { name, attributes } => {
                format!("roleattribute {} {}", self.text(*name), self.idents(*attributes))
            }
            StatementKind::RoleAllow { source, target } => {
                format!("allow roles {} {}", self.set(*source), self.set(*target))
            }
            StatementKind::RoleTransition { source, target, classes, result } => format!(
                "role_transition {} {} : {} {}",
                self.set(*source),
                self.set(*target),
                self.idents(*classes),
                self.text(*result)
            ),
            StatementKind::RoleDominance { name, dominated } => {
                format!("dominance role {} {}", self.text(*name), self.idents(*dominated))
            }
            StatementKind::User { name, roles, level, range } => format!(
                "user {} {} {} {}",
                self.text(*name),
                self.set(*roles),
                level.as_ref().map_or_else(|| "-".to_owned(), |it| self.level(it)),
                range.as_ref().map_or_else(|| "-".to_owned(), |it| self.range(it))
            ),
            StatementKind::RoleBounds { parent, child } => {
                format!("rolebounds {} {}", self.text(*parent), self.text(*child))
            }
            StatementKind::UserBounds { parent, child } => {
                format!("userbounds {} {}", self.text(*parent), self.text(*child))
            }
            StatementKind::UserPrefix { name, prefix } => {
                format!("user {} prefix {}", self.text(*name), self.text(*prefix))
            }
            StatementKind::Module { name, version } => {
                format!("module {} {}", self.text(*name), version.map_or("-", |it| self.text(it)))
            }
            StatementKind::PolicyCapability(name) => format!("policycap {}", self.text(*name)),
            _ => return None,
        })
    }

    fn classes(&self, kind: &StatementKind) -> Option<String> {
        Some(match kind {
            StatementKind::Class(name) => format!("class {}", self.text(*name)),
            StatementKind::InitialSid(name) => format!("sid {}", self.text(*name)),
            StatementKind::Common { name, permissions } => {
                format!("common {} {}", self.text(*name), self.idents(*permissions))
            }
            StatementKind::AccessVector { class, inherits, permissions } => format!(
                "class {} inherits {} {}",
                self.text(*class),
                inherits.map_or("-", |it| self.text(it)),
                self.idents(*permissions)
            ),
            StatementKind::Default { part, classes, from } => {
                format!("default {part:?} {} {from:?}", self.idents(*classes))
            }
            StatementKind::DefaultRange { classes, form } => {
                format!("default_range {} {form:?}", self.idents(*classes))
            }
            StatementKind::Sensitivity { name, aliases } => {
                format!("sensitivity {} {}", self.text(*name), self.idents(*aliases))
            }
            StatementKind::Category { name, aliases } => {
                format!("category {} {}", self.text(*name), self.idents(*aliases))
            }
            StatementKind::Dominance(names) => format!("dominance {}", self.idents(*names)),
            StatementKind::Level(level) => format!("level {}", self.level(level)),
            StatementKind::Constrain { mls, classes, permissions, expression } => format!(
                "constrain mls={mls} {} {} [{}]",
                self.idents(*classes),
                self.set(*permissions),
                self.terms(*expression)
            ),
            StatementKind::ValidateTrans { mls, classes, expression } => format!(
                "validatetrans mls={mls} {} [{}]",
                self.idents(*classes),
                self.terms(*expression)
            ),
            _ => return None,
        })
    }

    fn contexts(&self, kind: &StatementKind) -> Option<String> {
        Some(match kind {
            StatementKind::SidContext { name, context } => {
                format!("sid {} {}", self.text(*name), self.context(context))
            }
            StatementKind::FsCon { major, minor, fs, files } => format!(
                "fscon {} {} {} {}",
                number(major),
                number(minor),
                self.context(fs),
                self.context(files)
            ),
            StatementKind::FsUse { kind, name, context } => {
                format!("fs_use {kind:?} {} {}", self.text(*name), self.context(context))
            }
            StatementKind::GenfsCon { fs, path, file_type, context } => format!(
                "genfscon {} {:?} {file_type:?} {}",
                self.text(*fs),
                self.text(*path),
                self.context(context)
            ),
            StatementKind::PirqCon { irq, context } => {
                format!("pirqcon {} {}", number(irq), self.context(context))
            }
            StatementKind::IomemCon { range, context } => {
                format!("iomemcon {} {}", number(range), self.context(context))
            }
            StatementKind::IoportCon { range, context } => {
                format!("ioportcon {} {}", number(range), self.context(context))
            }
            StatementKind::PciDeviceCon { device, context } => {
                format!("pcidevicecon {} {}", number(device), self.context(context))
            }
            StatementKind::DeviceTreeCon { path, context } => {
                format!("devicetreecon {:?} {}", self.text(*path), self.context(context))
            }
            _ => return None,
        })
    }

    fn network(&self, kind: &StatementKind) -> Option<String> {
        Some(match kind {
            StatementKind::PortCon { protocol, ports, context } => {
                let (protocol, ports) = (self.text(*protocol), number(ports));
                format!("portcon {protocol} {ports} {}", self.context(context))
            }
            StatementKind::NetifCon { name, interface, packets } => format!(
                "netifcon {} {} {}",
                self.text(*name),
                self.context(interface),
                self.context(packets)
            ),
            StatementKind::NodeCon { address, mask, context } => {
                format!("nodecon {address} {mask} {}", self.context(context))
            }
            StatementKind::IbPkeyCon { subnet, keys, context } => {
                format!("ibpkeycon {subnet} {} {}", number(keys), self.context(context))
            }
            StatementKind::IbEndPortCon { device, port, context } => {
                let (device, port) = (self.text(*device), number(port));
                format!("ibendportcon {device} {port} {}", self.context(context))
            }
            _ => return None,
        })
    }

    fn text(&self, ident: Ident) -> &str {
        self.unit.text(ident)
    }

    fn idents(&self, names: Slice) -> String {
        let names: Vec<&str> =
            self.unit.idents[names.range()].iter().map(|it| self.text(*it)).collect();
        format!("({})", names.join(" "))
    }

    fn set(&self, set: Set) -> String {
        let items: Vec<String> = self.unit.set_items[set.items.range()]
            .iter()
            .map(|it| format!("{}{}", if it.excluded { "-" } else { "" }, self.text(it.ident)))
            .collect();
        let form = match set.form {
            SetForm::Listed => "",
            SetForm::Complement => "~",
            SetForm::All => "*",
        };
        format!("{form}{{{}}}", items.join(" "))
    }

    fn ranges(&self, ranges: Slice) -> String {
        let ranges: Vec<String> =
            self.unit.number_ranges[ranges.range()].iter().map(number).collect();
        format!("{{{}}}", ranges.join(" "))
    }

    fn level(&self, level: &Level) -> String {
        let categories: Vec<String> = self.unit.category_ranges[level.categories.range()]
            .iter()
            .map(|it| format!("{}..{}", self.text(it.low), self.text(it.high)))
            .collect();
        format!("{}:{}", self.text(level.sensitivity), categories.join(","))
    }

    fn range(&self, range: &MlsRange) -> String {
        format!("[{} - {}]", self.level(&range.low), self.level(&range.high))
    }

    fn context(&self, context: &Context) -> String {
        let (user, role) = (self.text(context.user), self.text(context.role));
        let range = context.range.map_or_else(String::new, |it| self.range(&it));
        format!("{user}:{role}:{}{range}", self.text(context.type_))
    }

    fn cond_terms(&self, terms: Slice) -> String {
        let terms = self.unit.cond_terms[terms.range()].iter().map(|it| match it {
            CondTerm::Bool(ident) => self.text(*ident).to_owned(),
            operator => format!("{operator:?}"),
        });
        terms.collect::<Vec<_>>().join(" ")
    }

    fn terms(&self, terms: Slice) -> String {
        let terms = self.unit.constraint_terms[terms.range()].iter().map(|it| match it {
            ConstraintTerm::Parts { part, op } => format!("{part:?} {op:?}"),
            ConstraintTerm::Levels { left, op, right } => format!("{left:?} {op:?} {right:?}"),
            ConstraintTerm::Names { part, side, op, names } => {
                format!("{side:?} {part:?} {op:?} {}", self.set(*names))
            }
            operator => format!("{operator:?}"),
        });
        terms.collect::<Vec<_>>().join(", ")
    }
}

fn number(range: &NumberRange) -> String {
    if range.low == range.high {
        range.low.to_string()
    } else {
        format!("{}-{}", range.low, range.high)
    }
}
