//! The same denial again and again is one.

use std::hash::{BuildHasher, Hash};

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::Explainer;
use crate::Access;

/// The most objects, programs of which a group keeps.
const MOST_KEPT: usize = 8;

/// Accesses that have the same explanation.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The first of them.
    pub first: &'a Access,
    /// How many there are.
    pub count: usize,
    /// Names or paths of what they were about, each once, as they came; not all if there are many.
    pub objects: Vec<&'a [u8]>,
    /// Programs, likewise.
    pub programs: Vec<&'a [u8]>,
}

/// Groups accesses: the same contexts, class, permissions, command and, of files, the same label that file contexts would give.
/// In the order in which they came first.
pub fn group<'a>(
    accesses: impl IntoIterator<Item = &'a Access>,
    explainer: &mut Explainer<'_>,
) -> Vec<Group<'a>> {
    group_counted(accesses.into_iter().map(|it| (it, 1)), explainer)
}

/// The same of accesses of which it is known how often each happened.
pub fn group_counted<'a>(
    accesses: impl IntoIterator<Item = (&'a Access, usize)>,
    explainer: &mut Explainer<'_>,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
    for (access, count) in accesses {
        let expected = explainer.expected(access).map(|it| FxBuildHasher.hash_one(it));
        let hash = FxBuildHasher.hash_one(Key(access, expected));
        let places = known.entry(hash).or_default();
        let same = places
            .iter()
            .copied()
            .find(|&at| groups.get(at).is_some_and(|it| same(it.first, access)));
        let at = same.unwrap_or_else(|| {
            places.push(groups.len());
            let (objects, programs) = (Vec::new(), Vec::new());
            groups.push(Group { first: access, count: 0, objects, programs });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.add(access, count);
        }
    }
    groups
}

impl<'a> Group<'a> {
    fn add(&mut self, access: &'a Access, count: usize) {
        self.count += count;
        let object = access.object.path.as_deref().or(access.object.name.as_deref());
        keep(&mut self.objects, object);
        keep(&mut self.programs, access.exe.as_deref().or(access.comm.as_deref()));
    }
}

fn keep<'a>(kept: &mut Vec<&'a [u8]>, new: Option<&'a [u8]>) {
    if let Some(new) = new.filter(|it| kept.len() < MOST_KEPT && !kept.contains(it)) {
        kept.push(new);
    }
}

/// What tells accesses apart, with a hash of the label that file contexts would give.
struct Key<'a>(&'a Access, Option<u64>);

impl Hash for Key<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let it = self.0;
        (&it.scontext, &it.tcontext, &it.tclass, &it.permissions).hash(state);
        (it.denied, it.permissive, it.object.ioctl, it.object.deleted, self.1).hash(state);
        // Whether a transition is missing depends on the name.
        if it.permissions.iter().any(|it| it == "create") {
            it.object.name.hash(state);
        }
    }
}

/// Are they the same, as far as their hash may have hidden that they are not?
fn same(a: &Access, b: &Access) -> bool {
    let part = |it: &Access| (it.denied, it.permissive, it.object.ioctl, it.object.deleted);
    part(a) == part(b)
        && (&a.scontext, &a.tcontext, &a.tclass, &a.permissions)
            == (&b.scontext, &b.tcontext, &b.tclass, &b.permissions)
}
