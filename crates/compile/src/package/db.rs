//! A module as its file holds it.

use std::io;

use mandate_policydb::wire::{ReadError, Reader, Writer};
use mandate_policydb::{Ebitmap, GenfsDatum, ObjectContexts, PolicyVersion, Target};

use super::blocks::{Block, Scope};
use super::form::{Form, ModuleVersion};
use super::rules::RangeTransition;
use super::sets::{TypeSet, WrittenRange};
use super::symbols::{Kind, Symbols};

pub(crate) const MAGIC: u32 = 0xf97c_ff8d;
const TEXT: &[u8] = b"SE Linux Module";
const BASE: u32 = 1;
const MODULE: u32 = 2;
/// With MLS.
pub(crate) const MLS: u32 = 1;
/// Refuse to load where classes or permissions are unknown.
pub(crate) const REJECT_UNKNOWN: u32 = 2;
/// Allow unknown classes and permissions.
pub(crate) const ALLOW_UNKNOWN: u32 = 4;

/// A range transition of a base of version 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OldRange {
    pub(crate) types: [u32; 2],
    pub(crate) range: WrittenRange,
}

impl OldRange {
    fn into_rule(self, classes: Ebitmap) -> RangeTransition {
        let one = |value: u32| TypeSet {
            types: value.checked_sub(1).into_iter().collect(),
            ..TypeSet::default()
        };
        let [source, target] = self.types.map(one);
        RangeTransition { source, target, classes, range: self.range }
    }
}

/// A module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Db {
    pub(crate) form: Form,
    /// MLS and what happens to unknown classes.
    pub(crate) config: u32,
    /// Of a base both are empty.
    pub(crate) name: Box<str>,
    pub(crate) release: Box<str>,
    pub(crate) capabilities: Ebitmap,
    pub(crate) symbols: Symbols,
    pub(crate) blocks: Vec<Block>,
    pub(crate) scopes: [Vec<Scope>; Kind::COUNT],
    pub(crate) contexts: ObjectContexts,
    pub(crate) genfs: Vec<GenfsDatum>,
    pub(crate) old_ranges: Vec<OldRange>,
}

impl Db {
    pub(crate) fn new(form: Form) -> Self {
        Self {
            form,
            config: 0,
            name: "".into(),
            release: "".into(),
            capabilities: Ebitmap::new(),
            symbols: Symbols::default(),
            blocks: Vec::new(),
            scopes: Default::default(),
            contexts: ObjectContexts::default(),
            genfs: Vec::new(),
            old_ranges: Vec::new(),
        }
    }

    pub(crate) fn mls(&self) -> bool {
        self.config & MLS != 0
    }

    /// Changes the version. What older versions hold in another form takes its new one.
    pub(crate) fn set_version(&mut self, version: ModuleVersion) {
        let before = std::mem::replace(&mut self.form.version, version);
        if !self.form.has(ModuleVersion::RANGE_RULES) {
            return;
        }
        let process = self.symbols.classes.find("process").and_then(|it| it.value.checked_sub(1));
        let process: Ebitmap = process.into_iter().collect();
        let ranges = std::mem::take(&mut self.old_ranges).into_iter();
        let ranges = ranges.map(|it| it.into_rule(process.clone()));
        if let Some(top) = self.blocks.first_mut().and_then(|it| it.branches.first_mut()) {
            top.range_transitions.extend(ranges);
        }
        if before < ModuleVersion::ROLE_TRANS {
            let branches = self.blocks.iter_mut().flat_map(|it| &mut it.branches);
            let rules = branches.flat_map(|it| &mut it.role_transitions);
            let unnamed = rules.filter(|it| it.classes.is_empty());
            unnamed.for_each(|it| it.classes = process.clone());
        }
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let form = read_form(r)?;
        let mut db = Self::new(form);
        db.config = r.u32()?;
        let at = r.offset();
        let [kinds, lists] = r.u32s()?;
        if kinds != 8 {
            return Err(ReadError::expected(at, "8 symbol tables", kinds));
        }
        if lists != context_lists(form) {
            let what = "the object contexts of this module version";
            return Err(ReadError::expected(at + 4, what, lists));
        }
        if !form.base {
            let length = r.u32()?;
            db.name = r.text(length)?;
            let length = r.u32()?;
            db.release = r.text(length)?;
        }
        if form.has(ModuleVersion::CAPABILITIES) {
            db.capabilities = Ebitmap::read(r)?;
        }
        let section = |section: &'static str| {
            move |it: ReadError| ReadError {
                section: if it.section.is_empty() { section } else { it.section },
                ..it
            }
        };
        db.symbols = Symbols::read(r, form)?;
        db.blocks = r.list(4, |r| Block::read(r, form)).map_err(section("blocks"))?;
        let Some(top) = db.blocks.first_mut() else {
            return Err(ReadError::expected(r.offset(), "a block", 0u32));
        };
        top.top = true;
        for scopes in &mut db.scopes {
            *scopes = r.list(16, Scope::read).map_err(section("scopes"))?;
        }
        db.read_contexts(r).map_err(section("object contexts"))
    }

    fn read_contexts(mut self, r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let version = context_version(self.form);
        if self.form.base {
            self.contexts = ObjectContexts::read(r, Target::Selinux, version)?;
        }
        self.genfs = r.list(8, |r| GenfsDatum::read(r, version))?;
        if has_old_ranges(self.form) {
            self.old_ranges = r.list(24, |r| {
                Ok(OldRange { types: r.u32s()?, range: WrittenRange::read_expanded(r)? })
            })?;
        }
        Ok(self)
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        let form = self.form;
        w.u32(MAGIC)?;
        w.count(TEXT.len())?;
        w.bytes(TEXT)?;
        w.u32s(&[if form.base { BASE } else { MODULE }, form.version.number(), self.config])?;
        w.u32s(&[8, context_lists(form)])?;
        if !form.base {
            for text in [&self.name, &self.release] {
                w.count(text.len())?;
                w.bytes(text.as_bytes())?;
            }
        }
        if form.has(ModuleVersion::CAPABILITIES) {
            self.capabilities.write(w)?;
        }
        self.symbols.write(w, form)?;
        w.count(self.blocks.len())?;
        self.blocks.iter().try_for_each(|it| it.write(w, form))?;
        for scopes in &self.scopes {
            w.count(scopes.len())?;
            scopes.iter().try_for_each(|it| it.write(w))?;
        }
        let version = context_version(form);
        if form.base {
            self.contexts.write(w, Target::Selinux, version)?;
        }
        w.count(self.genfs.len())?;
        self.genfs.iter().try_for_each(|it| it.write(w, version))?;
        if has_old_ranges(form) {
            w.count(self.old_ranges.len())?;
            for it in &self.old_ranges {
                w.u32s(&it.types)?;
                it.range.write_expanded(w)?;
            }
        }
        Ok(())
    }
}

/// Magic, text, kind and version.
fn read_form(r: &mut Reader<'_>) -> Result<Form, ReadError> {
    let at = r.offset();
    let magic = r.u32()?;
    if magic != MAGIC {
        return Err(ReadError::magic(at, "the magic number 0xf97cff8d of a policy module", magic));
    }
    let at = r.offset();
    let length = r.u32()?;
    if length as usize != TEXT.len() || r.bytes(length)? != TEXT {
        return Err(ReadError::expected(at, "the text `SE Linux Module`", length));
    }
    let at = r.offset();
    let base = match r.u32()? {
        BASE => true,
        MODULE => false,
        other => return Err(ReadError::expected(at, "1 (a base) or 2 (a module)", other)),
    };
    let at = r.offset();
    let version = r.u32()?;
    let version = ModuleVersion::new(version)
        .ok_or_else(|| ReadError::expected(at, "a module version of 4 to 24", version))?;
    Ok(Form { version, base })
}

/// How many lists of object contexts: none but in a base.
fn context_lists(form: Form) -> u32 {
    match (form.base, form.has(ModuleVersion::INFINIBAND)) {
        (false, _) => 0,
        (true, false) => 7,
        (true, true) => 9,
    }
}

/// The version of binary policies that writes object contexts as this form does.
fn context_version(form: Form) -> PolicyVersion {
    if form.has(ModuleVersion::INFINIBAND) {
        PolicyVersion::INFINIBAND
    } else if form.has(ModuleVersion::MLS) {
        PolicyVersion::MLS
    } else {
        PolicyVersion::IPV6
    }
}

fn has_old_ranges(form: Form) -> bool {
    form.base_has(ModuleVersion::MLS) && !form.has(ModuleVersion::RANGE_RULES)
}
