//! Types and attributes: who belongs to what.

use mandate_policydb::{Ebitmap, PolicyDb, SymbolId, TypeId};

/// The members of every attribute and the attributes of every type of a policy.
///
/// Sets hold bits of values less one, as [`Ebitmap::has`] asks them.
#[derive(Clone, Debug)]
pub struct TypeSets<'a> {
    db: &'a PolicyDb,
    members: Vec<Ebitmap>,
}

static NONE: Ebitmap = Ebitmap::new();

impl<'a> TypeSets<'a> {
    /// Of this policy.
    pub fn new(db: &'a PolicyDb) -> Self {
        let mut bits: Vec<Vec<u32>> = vec![Vec::new(); db.type_attributes.len()];
        for (member, groups) in (0u32..).zip(&db.type_attributes) {
            for group in groups.iter() {
                if let Some(bits) = bits.get_mut(group as usize) {
                    bits.push(member);
                }
            }
        }
        let is_attribute = |value: u32| {
            let id = TypeId::from_value(value);
            // Below version 24 attributes have no names.
            id.and_then(|it| db.types.get(it)).is_none_or(|it| it.attribute)
        };
        // The map of an attribute holds itself; it is no member.
        let members = (1u32..).zip(bits).map(|(value, bits)| match is_attribute(value) {
            true => Ebitmap::from_bits(bits.into_iter().filter(|it| !is_attribute(it + 1))),
            false => Ebitmap::from_bits([value - 1]),
        });
        Self { db, members: members.collect() }
    }

    /// The policy.
    pub fn db(&self) -> &'a PolicyDb {
        self.db
    }

    /// The types that a rule about this type or attribute is about: the type itself, or the members of the attribute.
    pub fn members(&self, id: TypeId) -> &Ebitmap {
        self.members.get(id.index()).unwrap_or(&NONE)
    }

    /// The attributes of a type, and the type itself.
    pub fn groups(&self, id: TypeId) -> &'a Ebitmap {
        self.db.type_attributes.get(id.index()).unwrap_or(&NONE)
    }

    /// Is it an attribute?
    pub fn is_attribute(&self, id: TypeId) -> bool {
        self.db.types.get(id).is_some_and(|it| it.attribute)
    }

    /// The attributes of a type.
    pub fn attributes(&self, id: TypeId) -> impl Iterator<Item = TypeId> + '_ {
        self.groups(id).ids().filter(move |it| *it != id)
    }
}
