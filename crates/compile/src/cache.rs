//! What builds keep for the next one. Where it lies is the caller's business: values are found by keys made of all they depend on.

use std::fmt;

use sha2::{Digest, Sha256};

/// The name of a value: a hash of what it was made from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|it| write!(to, "{it:02x}"))
    }
}

/// A place for values. It may forget any of them at any time; what it gives is what was put under the key, whole, by the same
/// program.
pub trait Cache: fmt::Debug + Send + Sync {
    /// The value of a key.
    fn get(&self, key: &Key) -> Option<Vec<u8>>;

    /// Keeps a value.
    fn put(&self, key: &Key, value: &[u8]);
}

/// Makes keys. Parts are told apart by their lengths.
#[derive(Clone, Default)]
pub(crate) struct KeyMaker(Sha256);

impl KeyMaker {
    /// For keys of one kind of value.
    pub(crate) fn of(kind: &str) -> Self {
        let mut made = Self::default();
        made.bytes(kind.as_bytes());
        made
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Key {
        Key(self.0.finalize().into())
    }
}
