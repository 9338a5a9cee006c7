//! What interfaces grant, in names: made once of headers or sources, and kept as bytes for the next time.

use rustc_hash::FxHashMap;

/// A name of the listing, or the parameter of an interface.
pub(super) type Word = u32;

/// Words from here on are parameters: `PARAMETER + 1` is the first.
pub(super) const PARAMETER: Word = 1 << 31;

/// What an interface grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: Word,
    pub(super) parameters: u32,
    /// What has to be there for it to be called.
    pub(super) requires: Vec<Word>,
    /// Source, target, class, and the place of the permissions.
    pub(super) grants: Vec<[Word; 4]>,
    /// Type and attribute.
    pub(super) attributes: Vec<[Word; 2]>,
    /// Source, target, class, result, and a name or [`NONE`].
    pub(super) transitions: Vec<[Word; 5]>,
    /// What it does besides, as a number of permissions: what is granted under a condition, or cannot be counted.
    pub(super) more: u32,
}

/// No name.
pub(super) const NONE: Word = PARAMETER;

/// All interfaces of a policy's headers or sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub(super) names: Vec<Box<str>>,
    /// Sets of permissions; an empty one is all of the class.
    pub(super) sets: Vec<Vec<Word>>,
    pub(super) interfaces: Vec<Listed>,
}

/// Gives names their words, and sets their places.
#[derive(Default)]
pub(super) struct Words {
    names: FxHashMap<Box<str>, Word>,
    sets: FxHashMap<Vec<Word>, u32>,
}

impl Words {
    pub(super) fn word(&mut self, listing: &mut Listing, name: &str) -> Word {
        if let Some(&word) = self.names.get(name) {
            return word;
        }
        let word = small(listing.names.len());
        listing.names.push(name.into());
        self.names.insert(name.into(), word);
        word
    }

    pub(super) fn set(&mut self, listing: &mut Listing, mut set: Vec<Word>) -> u32 {
        set.sort_unstable();
        set.dedup();
        if let Some(&place) = self.sets.get(&set) {
            return place;
        }
        let place = small(listing.sets.len());
        listing.sets.push(set.clone());
        self.sets.insert(set, place);
        place
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NONE)
}

impl Listing {
    /// How many interfaces there are.
    pub fn len(&self) -> usize {
        self.interfaces.len()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.interfaces.is_empty()
    }

    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Vec::new();
        put(&mut to, self.names.len());
        for name in &self.names {
            put(&mut to, name.len());
            to.extend_from_slice(name.as_bytes());
        }
        put(&mut to, self.sets.len());
        self.sets.iter().for_each(|it| put_all(&mut to, it));
        put(&mut to, self.interfaces.len());
        for it in &self.interfaces {
            [it.name, it.parameters, it.more].iter().for_each(|it| put_word(&mut to, *it));
            put_all(&mut to, &it.requires);
            put_all(&mut to, it.grants.as_flattened());
            put_all(&mut to, it.attributes.as_flattened());
            put_all(&mut to, it.transitions.as_flattened());
        }
        to
    }

    /// From what [`Listing::to_bytes`] made; nothing if it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut from = bytes;
        let count = take(&mut from)?;
        let names = (0..count).map(|_| {
            let length = usize::try_from(take(&mut from)?).ok()?;
            let (name, rest) = from.split_at_checked(length)?;
            from = rest;
            Some(std::str::from_utf8(name).ok()?.into())
        });
        let names = names.collect::<Option<_>>()?;
        let count = take(&mut from)?;
        let sets = (0..count).map(|_| take_all(&mut from)).collect::<Option<_>>()?;
        let count = take(&mut from)?;
        let interfaces = (0..count).map(|_| {
            Some(Listed {
                name: take(&mut from)?,
                parameters: take(&mut from)?,
                more: take(&mut from)?,
                requires: take_all(&mut from)?,
                grants: in_pieces(take_all(&mut from)?)?,
                attributes: in_pieces(take_all(&mut from)?)?,
                transitions: in_pieces(take_all(&mut from)?)?,
            })
        });
        let interfaces = interfaces.collect::<Option<_>>()?;
        from.is_empty().then_some(Self { names, sets, interfaces })
    }
}

fn put_word(to: &mut Vec<u8>, word: u32) {
    to.extend_from_slice(&word.to_le_bytes());
}

fn put(to: &mut Vec<u8>, count: usize) {
    put_word(to, small(count));
}

fn put_all(to: &mut Vec<u8>, words: &[Word]) {
    put(to, words.len());
    words.iter().for_each(|it| put_word(to, *it));
}

fn take(from: &mut &[u8]) -> Option<u32> {
    let (word, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(u32::from_le_bytes(*word))
}

fn take_all(from: &mut &[u8]) -> Option<Vec<Word>> {
    let count = usize::try_from(take(from)?).ok()?;
    let (words, rest) = from.split_at_checked(count.checked_mul(4)?)?;
    *from = rest;
    let (words, _) = words.as_chunks();
    Some(words.iter().map(|it| u32::from_le_bytes(*it)).collect())
}

fn in_pieces<const N: usize>(words: Vec<Word>) -> Option<Vec<[Word; N]>> {
    let (pieces, rest) = words.as_chunks();
    rest.is_empty().then(|| pieces.to_vec())
}
