//! The names and rules of a policy, as libsepol tells them; questions are drawn from these.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// A sensitivity and categories, by value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// The sensitivity's value; 0 in a policy without MLS.
    pub sensitivity: u32,
    /// The categories' values, in order.
    pub categories: Vec<u32>,
}

/// A role and the types it may have.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// The values of its types.
    pub types: Vec<u32>,
}

/// A user, the roles it may take and the range it may have.
#[derive(Clone, Debug)]
pub struct User {
    /// Its name.
    pub name: String,
    /// The values of its roles.
    pub roles: Vec<u32>,
    /// The lowest level it may have.
    pub low: Level,
    /// The highest level it may have.
    pub high: Level,
}

/// What kind of rule a [`Rule`] is the key of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// allow, auditallow, dontaudit.
    Access,
    /// `type_transition`, `type_member`, `type_change`, `range_transition`.
    Create,
}

/// The key of a rule; source and target are types or attributes.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Which questions it answers.
    pub kind: RuleKind,
    /// The source's value.
    pub source: u32,
    /// The target's value.
    pub target: u32,
    /// The class's value.
    pub class: u32,
}

/// A transition that asks for the new object's name.
#[derive(Clone, Debug)]
pub struct FilenameTransition {
    /// The source types' values.
    pub sources: Vec<u32>,
    /// The target type's value.
    pub target: u32,
    /// The class's value.
    pub class: u32,
    /// The name of the new object.
    pub name: String,
}

/// A `genfscon` path.
#[derive(Clone, Debug)]
pub struct Genfs {
    /// The filesystem.
    pub filesystem: String,
    /// The path, from the filesystem's root.
    pub path: String,
}

/// Everything that `dump` tells about a policy.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// The version of the binary policy.
    pub version: u32,
    /// Whether contexts have a range.
    pub mls: bool,
    /// Classes by value.
    pub classes: BTreeMap<u32, String>,
    /// Types by value, attributes not among them.
    pub types: BTreeMap<u32, String>,
    /// Other names of types.
    pub type_aliases: Vec<(u32, String)>,
    /// Attributes by value, and the types that have them.
    pub attributes: BTreeMap<u32, Vec<u32>>,
    /// Roles by value.
    pub roles: BTreeMap<u32, Role>,
    /// The users.
    pub users: Vec<User>,
    /// Sensitivities by value, with the categories they may have.
    pub sensitivities: BTreeMap<u32, (String, Vec<u32>)>,
    /// Other names of sensitivities.
    pub sensitivity_aliases: Vec<(u32, String)>,
    /// Categories by value.
    pub categories: BTreeMap<u32, String>,
    /// Other names of categories.
    pub category_aliases: Vec<(u32, String)>,
    /// Booleans and their values as shipped.
    pub booleans: Vec<(String, bool)>,
    /// The keys of all access and type rules.
    pub rules: Vec<Rule>,
    /// All transitions by name.
    pub filename_transitions: Vec<FilenameTransition>,
    /// Initial SIDs by number.
    pub initial_sids: Vec<u32>,
    /// `portcon`: protocol, low, high.
    pub ports: Vec<(u32, u32, u32)>,
    /// `netifcon` names.
    pub netifs: Vec<String>,
    /// `nodecon` addresses and masks.
    pub nodes: Vec<(String, String)>,
    /// `fs_use` filesystems.
    pub fs_uses: Vec<String>,
    /// `genfscon` paths.
    pub genfs: Vec<Genfs>,
}

impl Vocabulary {
    /// Reads the lines of a dump.
    ///
    /// # Errors
    /// When a line is not as `oracle/sepol.c` writes it.
    pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut this = Self::default();
        for line in lines {
            this.line(line).with_context(|| format!("in the dump's line {line:?}"))?;
        }
        this.sort();
        Ok(this)
    }

    /// The order of libsepol's tables says nothing; ours makes the questions repeatable.
    fn sort(&mut self) {
        self.booleans.sort();
        self.users.sort_by(|a, b| a.name.cmp(&b.name));
        self.rules.sort_by_key(|rule| (rule.source, rule.target, rule.class));
        self.filename_transitions.sort_by(|a, b| (&a.name, a.target).cmp(&(&b.name, b.target)));
    }

    fn line(&mut self, line: &str) -> Result<()> {
        let mut fields = Fields(line.split('\t'));
        match fields.text()? {
            "policy" => (self.version, self.mls) = (fields.number()?, fields.number()? == 1),
            "class" => insert(&mut self.classes, &mut fields)?,
            "type" => insert(&mut self.types, &mut fields)?,
            "category" => insert(&mut self.categories, &mut fields)?,
            "typealias" => self.type_aliases.push(fields.named()?),
            "categoryalias" => self.category_aliases.push(fields.named()?),
            "sensitivityalias" => self.sensitivity_aliases.push(fields.named()?),
            "attribute" => {
                let (value, _name) = fields.named()?;
                self.attributes.insert(value, fields.list()?);
            }
            "role" => {
                let (value, name) = fields.named()?;
                self.roles.insert(value, Role { name, types: fields.list()? });
            }
            "user" => self.users.push(fields.user()?),
            "sensitivity" => {
                let (value, name) = fields.named()?;
                self.sensitivities.insert(value, (name, fields.list()?));
            }
            "boolean" => {
                let (value, name) = fields.named()?;
                self.booleans.push((name, value != 0));
            }
            "rule" => self.rules.push(fields.rule()?),
            "filename" => self.filename_transitions.push(fields.filename_transition()?),
            other => return self.object_context(other, &mut fields),
        }
        Ok(())
    }

    fn object_context(&mut self, kind: &str, fields: &mut Fields<'_>) -> Result<()> {
        match kind {
            "initial" => self.initial_sids.push(fields.number()?),
            "port" => {
                self.ports.push((fields.number()?, fields.number()?, fields.number()?));
            }
            "netif" => self.netifs.push(fields.text()?.to_owned()),
            "node" => self.nodes.push((fields.text()?.to_owned(), fields.text()?.to_owned())),
            "fs_use" => self.fs_uses.push(fields.text()?.to_owned()),
            "genfs" => {
                let (filesystem, path) = (fields.text()?.to_owned(), fields.text()?.to_owned());
                self.genfs.push(Genfs { filesystem, path });
            }
            "roletransition" | "roleallow" => {}
            _ => bail!("an unknown kind"),
        }
        Ok(())
    }

    /// The types that a rule's source or target stands for.
    #[must_use]
    pub fn members(&self, type_or_attribute: u32) -> Vec<u32> {
        self.attributes.get(&type_or_attribute).cloned().unwrap_or_else(|| vec![type_or_attribute])
    }
}

fn insert(table: &mut BTreeMap<u32, String>, fields: &mut Fields<'_>) -> Result<()> {
    let (value, name) = fields.named()?;
    table.insert(value, name);
    Ok(())
}

/// The tab-separated fields of one line.
struct Fields<'a>(std::str::Split<'a, char>);

impl<'a> Fields<'a> {
    fn text(&mut self) -> Result<&'a str> {
        self.0.next().context("a field is missing")
    }

    fn number(&mut self) -> Result<u32> {
        Ok(self.text()?.parse()?)
    }

    fn list(&mut self) -> Result<Vec<u32>> {
        let text = self.text()?;
        text.split(',').filter(|part| !part.is_empty()).map(|part| Ok(part.parse()?)).collect()
    }

    fn named(&mut self) -> Result<(u32, String)> {
        Ok((self.number()?, self.text()?.to_owned()))
    }

    fn level(&mut self) -> Result<Level> {
        Ok(Level { sensitivity: self.number()?, categories: self.list()? })
    }

    fn user(&mut self) -> Result<User> {
        let (_value, name) = self.named()?;
        Ok(User { name, roles: self.list()?, low: self.level()?, high: self.level()? })
    }

    fn rule(&mut self) -> Result<Rule> {
        let kind = if self.text()? == "access" { RuleKind::Access } else { RuleKind::Create };
        let (source, target, class) = (self.number()?, self.number()?, self.number()?);
        Ok(Rule { kind, source, target, class })
    }

    fn filename_transition(&mut self) -> Result<FilenameTransition> {
        let (target, class) = (self.number()?, self.number()?);
        let name = self.text()?.to_owned();
        Ok(FilenameTransition { sources: self.list()?, target, class, name })
    }
}
