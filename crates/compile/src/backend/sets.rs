//! Sets of names as values.

use mandate_policydb::Ebitmap;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Set, SetForm};

use super::resolve::Resolver;
use super::symbols::{ATTRIBUTE, EXPANDED, VALUE};
use super::tree::BlockId;

/// Where `*` and `~` may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forms {
    /// Nowhere but in `neverallow`.
    Listed,
    /// In `neverallow`.
    Any,
}

/// What becomes of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attributes {
    /// Their members stand in for them.
    Expand,
    /// They stay, unless something is taken from the set, or they are always expanded.
    Keep,
}

/// A resolved set of types.
#[derive(Debug, Default)]
pub(crate) struct TypeList {
    /// Values of types, and of attributes where they stay; each once unless there is only one item.
    pub(crate) values: Vec<u32>,
    bits: Vec<u64>,
}

/// How `self` stands in a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SelfUse {
    pub(crate) named: bool,
    pub(crate) excluded: bool,
}

impl TypeList {
    fn set(&mut self, value: u32) {
        self.bits[(value >> 6) as usize] |= 1 << (value & 63);
    }

    fn clear(&mut self, value: u32) {
        self.bits[(value >> 6) as usize] &= !(1 << (value & 63));
    }

    /// The values that are set become the list.
    fn list_bits(&mut self) {
        self.values.clear();
        for (word, start) in self.bits.iter().zip((0u32..).step_by(64)) {
            let mut rest = *word;
            while rest != 0 {
                self.values.push(start + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
    }

    /// As a bitmap, in which bit 0 stands for value 1.
    pub(crate) fn to_bitmap(&self) -> Ebitmap {
        bitmap(&self.values)
    }
}

/// Values, counted from 1, as a bitmap.
pub(crate) fn bitmap(values: &[u32]) -> Ebitmap {
    values.iter().map(|value| value - 1).collect()
}

impl Resolver<'_, '_> {
    /// How `self` stands in this set.
    pub(crate) fn self_use(&self, block: BlockId, set: &Set) -> SelfUse {
        let part = self.tree.part(block);
        let mut found = SelfUse::default();
        for item in part.items(set) {
            if part.name(item.ident) == self.tree.self_name {
                found.named |= !item.excluded;
                found.excluded |= item.excluded;
            }
        }
        found
    }

    /// A source is no `self`: there is nothing yet that it could be the same as. False after an error.
    pub(crate) fn refuse_self(&mut self, block: BlockId, set: &Set) -> bool {
        let help = "name the source type; `self` as target means the same type as the source";
        self.refuse_self_as(block, set, "a source", help)
    }

    fn refuse_self_as(&mut self, block: BlockId, set: &Set, what: &str, help: &str) -> bool {
        let part = self.tree.part(block);
        let named = part.items(set).iter().find(|it| part.name(it.ident) == self.tree.self_name);
        if let Some(item) = named {
            let message = format!("`self` cannot be {what}");
            let error = Diagnostic::error(Code::WrongKind, item.ident.span, message);
            self.report.add(error.help(help));
        }
        named.is_none()
    }

    /// The types that are listed in a statement which knows no `self`; none after an error.
    pub(crate) fn listed_types(&mut self, block: BlockId, set: &Set) -> Option<TypeList> {
        let help = "name the types; only the target of a type enforcement rule may be `self`";
        let mut list = TypeList::default();
        let known = self.refuse_self_as(block, set, "one of these types", help)
            & self.type_set(block, set, Forms::Listed, Attributes::Expand, &mut list);
        known.then_some(list)
    }

    /// The types of a set; `self` is left out. False if a name is unknown or the form does not fit.
    pub(crate) fn type_set(
        &mut self,
        block: BlockId,
        set: &Set,
        forms: Forms,
        attributes: Attributes,
        into: &mut TypeList,
    ) -> bool {
        into.values.clear();
        let part = self.tree.part(block);
        let items = part.items(set);
        if let (SetForm::Listed, [item]) = (set.form, items) {
            let value = self.symbols.type_value(part.name(item.ident));
            if !item.excluded && value != 0 {
                let kept = attributes == Attributes::Keep && value & EXPANDED == 0;
                if value & ATTRIBUTE != 0 && !kept {
                    into.values.extend(self.symbols.members.of(value & VALUE));
                } else {
                    into.values.push(value & VALUE);
                }
                return true;
            }
        }
        if set.form != SetForm::Listed && forms == Forms::Listed {
            let form = if set.form == SetForm::All { "*" } else { "~" };
            let message = format!("`{form}` is not allowed in the types of this statement");
            self.report.add(
                Diagnostic::error(Code::NotAllowedHere, set.span, message)
                    .note("only neverallow and neverallowxperm may say it of types")
                    .help("name an attribute that all these types have"),
            );
            return false;
        }
        self.type_bits(block, set, attributes, into)
    }

    fn type_bits(
        &mut self,
        block: BlockId,
        set: &Set,
        attributes: Attributes,
        into: &mut TypeList,
    ) -> bool {
        let part = self.tree.part(block);
        let items = part.items(set);
        let count = self.symbols.type_count();
        into.bits.clear();
        into.bits.resize(count / 64 + 1, 0);
        let computed = set.form != SetForm::Listed || items.iter().any(|it| it.excluded);
        let expand = computed || attributes == Attributes::Expand;
        let mut known = true;
        if set.form == SetForm::All {
            self.set_all_types(into);
        }
        // What is listed first, then what is taken away, in whatever order they are written.
        for excluded in [false, true] {
            if set.form == SetForm::All && !excluded {
                continue;
            }
            for item in items.iter().filter(|it| it.excluded == excluded) {
                if part.name(item.ident) == self.tree.self_name {
                    continue;
                }
                let Some(value) = self.type_or_attribute(block, item.ident) else {
                    known = false;
                    continue;
                };
                let change = if excluded { TypeList::clear } else { TypeList::set };
                if value & ATTRIBUTE != 0 && (expand || value & EXPANDED != 0) {
                    for &member in self.symbols.members.of(value & VALUE) {
                        change(into, member);
                    }
                } else {
                    change(into, value & VALUE);
                }
            }
        }
        if set.form == SetForm::Complement {
            let listed = std::mem::take(&mut into.bits);
            into.bits.resize(count / 64 + 1, 0);
            self.set_all_types(into);
            into.bits.iter_mut().zip(&listed).for_each(|(all, listed)| *all &= !listed);
        }
        into.list_bits();
        known
    }

    fn set_all_types(&self, into: &mut TypeList) {
        for (symbol, value) in self.symbols.type_list.iter().zip(1..) {
            if !symbol.attribute {
                into.set(value);
            }
        }
    }

    /// The roles of a set, attributes expanded, in ascending order; none if a name is unknown.
    pub(crate) fn role_set(&mut self, block: BlockId, set: &Set) -> Option<Vec<u32>> {
        let items = self.tree.part(block).items(set);
        if set.form != SetForm::Listed || items.iter().any(|it| it.excluded) {
            let message = "`*`, `~` and `-` are not allowed in a set of roles";
            self.report.add(
                Diagnostic::error(Code::NotAllowedHere, set.span, message)
                    .help("name the roles, or a role attribute"),
            );
            return None;
        }
        let mut roles = Vec::new();
        let mut known = true;
        for item in items {
            match self.role_or_attribute(block, item.ident) {
                Some(value) if value & ATTRIBUTE != 0 => {
                    roles.extend(self.symbols.role_members.of(value & VALUE));
                }
                Some(value) => roles.push(value),
                None => known = false,
            }
        }
        roles.sort_unstable();
        roles.dedup();
        known.then_some(roles)
    }

    /// The bits of a set of permissions in this class; none if one is unknown. 0 where nothing is left.
    pub(crate) fn permission_set(&mut self, block: BlockId, class: u16, set: &Set) -> Option<u32> {
        let part = self.tree.part(block);
        let mask = self.classes.mask(class);
        if set.form == SetForm::All {
            return Some(mask);
        }
        let (mut bits, mut known) = (0, true);
        if part.items(set).iter().any(|it| it.excluded) {
            let message = "`-` is not allowed in a set of permissions";
            let error = Diagnostic::error(Code::NotAllowedHere, set.span, message);
            self.report
                .add(error.help("list those that are meant, or all but some: ~{ write append }"));
            return None;
        }
        for item in part.items(set) {
            match self.classes.permission_bits(class, part.name(item.ident)) {
                Some(bit) => bits |= bit,
                None => {
                    self.unknown_permission(block, class, item.ident);
                    known = false;
                }
            }
        }
        let bits = if set.form == SetForm::Complement { !bits & mask } else { bits };
        known.then_some(bits)
    }
}
