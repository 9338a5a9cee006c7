//! Which page tells of what.

use std::collections::BTreeMap;

use mandate_policydb::{BoolId, RoleId, SymbolId, TypeId};
use mandate_syntax::kernel::RequireKind;
use rustc_hash::FxHashMap;

use crate::comment::{Block, plain};
use crate::facts::Facts;
use crate::facts::domain::Domain;
use crate::reference::{Boolean, Caller, Interface, Module, Reference};

/// All there is to tell, and where it is told.
pub(crate) struct Site<'a> {
    pub(crate) title: &'a str,
    pub(crate) date: &'a str,
    pub(crate) reference: &'a Reference,
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) domains: &'a [Domain],
    /// Pages of types, attributes among them, by index.
    types: Vec<Option<String>>,
    /// Types that are no domains, and attributes, by the module that declares them.
    pub(crate) types_of: Vec<Vec<&'a str>>,
    pub(crate) attributes_of: Vec<Vec<&'a str>>,
    /// The domains that booleans change: places in `domains`.
    pub(crate) changed: BTreeMap<BoolId, Vec<usize>>,
    /// The domains that a module declares.
    pub(crate) domains_of: Vec<Vec<usize>>,
    /// Pages of words that texts may name.
    words: FxHashMap<&'a str, String>,
}

/// The name of a file: what a policy may name is nearly always one.
fn file_name(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'.' if out.is_empty() => out.push_str("-2e"),
            it if it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.' | b'-') => {
                out.push(it.into());
            }
            other => out.push_str(&format!("-{other:02x}")),
        }
    }
    out
}

/// The page of a module.
pub(crate) fn module_page(name: &str) -> String {
    format!("module/{}.html", file_name(name))
}

/// A page holds no more interfaces: a module with more has pages of its own for them.
const MOST_INTERFACES: usize = 800;

/// The page of a part of a module's interfaces.
pub(crate) fn part_page(name: &str, part: usize) -> String {
    format!("module/{}-interfaces-{}.html", file_name(name), part + 1)
}

/// The page of a layer.
pub(crate) fn layer_page(name: &str) -> String {
    format!("layer/{}.html", file_name(name))
}

/// The page of a domain.
pub(crate) fn domain_page(name: &str) -> String {
    format!("domain/{}.html", file_name(name))
}

/// The page of an attribute.
pub(crate) fn attribute_page(name: &str) -> String {
    format!("attribute/{}.html", file_name(name))
}

/// The page of a boolean.
pub(crate) fn boolean_page(name: &str) -> String {
    format!("boolean/{}.html", file_name(name))
}

impl<'a> Site<'a> {
    pub(crate) fn new(
        (title, date): (&'a str, &'a str),
        reference: &'a Reference,
        facts: &'a Facts<'a>,
        domains: &'a [Domain],
    ) -> Self {
        let mut site = Self {
            title,
            date,
            reference,
            facts,
            domains,
            types: vec![None; facts.db.types.nprim() as usize],
            types_of: facts.of_modules(reference, RequireKind::Type),
            attributes_of: facts.of_modules(reference, RequireKind::Attribute),
            changed: BTreeMap::new(),
            domains_of: vec![Vec::new(); reference.modules.len()],
            words: FxHashMap::default(),
        };
        site.place_types();
        site.place_domains();
        site.gather_words();
        site
    }

    fn place_types(&mut self) {
        for (module, names) in self.reference.modules.iter().zip(&self.types_of) {
            for name in names {
                let id = self.facts.db.types.id(name);
                if let Some(slot) = id.and_then(|it| self.types.get_mut(it.index())) {
                    *slot = Some(format!("{}#type-{name}", module_page(&module.name)));
                }
            }
        }
        for (id, name) in self.facts.attributes() {
            if let Some(slot) = self.types.get_mut(id.index()) {
                *slot = Some(attribute_page(name));
            }
        }
        for domain in self.domains {
            if let Some(slot) = self.types.get_mut(domain.id.index()) {
                *slot = Some(domain_page(self.facts.name(domain.id)));
            }
        }
    }

    fn place_domains(&mut self) {
        for (at, domain) in self.domains.iter().enumerate() {
            if let Some(module) = self.module_of_type(domain.id)
                && let Some(found) = self.domains_of.get_mut(module as usize)
            {
                found.push(at);
            }
            let mut booleans: Vec<BoolId> = domain
                .effects
                .iter()
                .filter_map(|it| self.facts.db.conditionals.get(it.conditional as usize))
                .flat_map(|it| it.booleans())
                .collect();
            booleans.sort_unstable();
            booleans.dedup();
            for boolean in booleans {
                self.changed.entry(boolean).or_default().push(at);
            }
        }
        let facts = self.facts;
        for names in &mut self.types_of {
            names.retain(|it| !facts.db.types.id(it).is_some_and(|id| facts.domains.has(id)));
        }
    }

    fn gather_words(&mut self) {
        for it in &self.reference.interfaces {
            self.words.insert(&it.name, self.interface_page(it));
        }
        for boolean in self.facts.db.booleans.iter() {
            self.words.insert(&boolean.name, boolean_page(&boolean.name));
        }
        for (id, name) in self.facts.types().chain(self.facts.attributes()) {
            // Words such as `domain` stand for themselves.
            if let (true, Some(page)) = (name.contains('_'), self.type_page(id)) {
                self.words.insert(name, page.to_owned());
            }
        }
    }

    /// The page of a word that a text may name.
    pub(crate) fn word(&self, word: &str) -> Option<&str> {
        self.words.get(word).map(String::as_str)
    }

    /// The page of a type or attribute.
    pub(crate) fn type_page(&self, id: TypeId) -> Option<&str> {
        self.types.get(id.index())?.as_deref()
    }

    /// The page of an interface, and the place on it.
    pub(crate) fn interface_page(&self, it: &Interface) -> String {
        let module = self.module(it.module);
        let page = match Self::parts(module) {
            0 => module_page(&module.name),
            _ => part_page(&module.name, it.number / MOST_INTERFACES),
        };
        format!("{page}#{}", it.name)
    }

    /// How many pages of its own a module has for interfaces.
    pub(crate) fn parts(module: &Module) -> usize {
        match module.interfaces.len() {
            ..=MOST_INTERFACES => 0,
            more => more.div_ceil(MOST_INTERFACES),
        }
    }

    /// The interfaces of one of these pages.
    pub(crate) fn part(module: &Module, part: usize) -> std::ops::Range<u32> {
        let most = u32::try_from(MOST_INTERFACES).unwrap_or(u32::MAX);
        let first = module.interfaces.start + u32::try_from(part).unwrap_or(0) * most;
        first..module.interfaces.end.min(first + most)
    }

    pub(crate) fn module(&self, number: u32) -> &'a Module {
        &self.reference.modules[number as usize]
    }

    pub(crate) fn interface(&self, number: u32) -> &'a Interface {
        &self.reference.interfaces[number as usize]
    }

    /// The name and page of who calls.
    pub(crate) fn caller(&self, it: Caller) -> (&'a str, String) {
        match it {
            Caller::Module(at) => {
                let name = self.module(at).name.as_str();
                (name, module_page(name))
            }
            Caller::Interface(at) => {
                let it = self.interface(at);
                (it.name.as_str(), self.interface_page(it))
            }
        }
    }

    /// The module that declares a type.
    pub(crate) fn module_of_type(&self, id: TypeId) -> Option<u32> {
        let place = self.facts.declared(RequireKind::Type, self.facts.name(id))?;
        self.reference.module_of(place)
    }

    pub(crate) fn role(&self, id: RoleId) -> &'a str {
        self.facts.db.roles.get(id).map_or("", |it| &it.name)
    }

    /// What a boolean is for, and its declaration.
    pub(crate) fn boolean_about(&self, name: &str) -> (&'a [Block], Option<&'a Boolean>) {
        let declared = self.reference.boolean(name);
        let about = declared.map_or(&[][..], |it| match it.about.description.as_slice() {
            [] => &it.about.summary,
            some => some,
        });
        (about, declared)
    }

    /// What a domain is for, in a line.
    pub(crate) fn purpose(&self, domain: &Domain) -> String {
        let Some(module) = self.module_of_type(domain.id).map(|it| self.module(it)) else {
            return String::new();
        };
        let note = module.notes.get(self.facts.name(domain.id));
        note.cloned().unwrap_or_else(|| first_sentence(&plain(&module.about.summary)))
    }

    /// The types of files that go with a domain by their names, without those that fit another domain better.
    pub(crate) fn own_types(&self, domain: &Domain) -> Vec<TypeId> {
        let stem = stem(self.facts.name(domain.id));
        let Some(module) = self.module_of_type(domain.id) else { return Vec::new() };
        let stems = self.domains_of[module as usize].iter();
        let stems: Vec<&str> = stems.map(|&it| stem_of(self, it)).collect();
        let fits =
            |name: &str, stem: &str| name.strip_prefix(stem).is_some_and(|it| it.starts_with('_'));
        let types = self.types_of[module as usize].iter().filter(|name| {
            let better = |it: &&&str| it.len() > stem.len() && fits(name, it);
            fits(name, stem) && !stems.iter().any(|it| better(&it))
        });
        types.filter_map(|it| self.facts.db.types.id(it)).collect()
    }
}

/// The name of a domain without its `_t`.
pub(crate) fn stem(name: &str) -> &str {
    name.strip_suffix("_t").unwrap_or(name)
}

fn stem_of<'a>(site: &Site<'a>, domain: usize) -> &'a str {
    stem(site.facts.name(site.domains[domain].id))
}

/// A text up to its first full stop.
pub(crate) fn first_sentence(text: &str) -> String {
    match text.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => text.to_owned(),
    }
}
