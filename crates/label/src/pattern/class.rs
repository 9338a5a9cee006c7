//! Sets of bytes: `.`, `[a-z]`, `[[:alpha:]]`, `\d`.

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(crate) const ALL: Self = Self([u64::MAX; 4]);

    pub(crate) fn of(byte: u8) -> Self {
        let mut set = Self::default();
        set.insert(byte);
        set
    }

    pub(crate) fn filter(test: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        (0..=u8::MAX).filter(|&it| test(it)).for_each(|it| set.insert(it));
        set
    }

    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) fn insert_range(&mut self, low: u8, high: u8) {
        (low..=high).for_each(|it| self.insert(it));
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }

    /// The byte of a set of one.
    pub(crate) fn only(self) -> Option<u8> {
        let mut words = (0u8..).zip(self.0).filter(|it| it.1 != 0);
        let (place, word) = words.next()?;
        let bit = u8::try_from(word.trailing_zeros()).ok()?;
        (word.is_power_of_two() && words.next().is_none()).then_some(place * 64 + bit)
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(std::array::from_fn(|it| self.0[it] | other.0[it]))
    }

    pub(crate) fn complement(self) -> Self {
        Self(self.0.map(|it| !it))
    }

    /// With each letter its other case.
    pub(crate) fn fold(self) -> Self {
        Self::filter(|it| {
            self.contains(it.to_ascii_lowercase()) || self.contains(it.to_ascii_uppercase())
        })
    }

    /// Unbroken runs, ascending.
    pub(crate) fn ranges(self) -> impl Iterator<Item = (u8, u8)> {
        let mut next = 0u16;
        std::iter::from_fn(move || {
            let holds = |it: u16| u8::try_from(it).is_ok_and(|byte| self.contains(byte));
            let low = (next..256).find(|&it| holds(it))?;
            let high = (low..256).take_while(|&it| holds(it)).last()?;
            next = high + 1;
            Some((u8::try_from(low).ok()?, u8::try_from(high).ok()?))
        })
    }

    /// `\d`, `\w`, `\s`, `\h`, `\v` and, in capitals, what they leave.
    pub(crate) fn shorthand(letter: u8) -> Option<Self> {
        let set = match letter.to_ascii_lowercase() {
            b'd' => Self::filter(|it| it.is_ascii_digit()),
            b'w' => Self::filter(is_word),
            b's' => Self::filter(crate::line::is_space),
            b'h' => Self::filter(|it| matches!(it, b'\t' | b' ' | 0xa0)),
            b'v' => Self::filter(|it| matches!(it, 0x0a..=0x0d | 0x85)),
            _ => return None,
        };
        Some(if letter.is_ascii_uppercase() { set.complement() } else { set })
    }

    /// The set that `[:name:]` stands for.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"alpha" => Self::filter(|it| it.is_ascii_alphabetic()),
            b"lower" => Self::filter(|it| it.is_ascii_lowercase()),
            b"upper" => Self::filter(|it| it.is_ascii_uppercase()),
            b"alnum" => Self::filter(|it| it.is_ascii_alphanumeric()),
            b"ascii" => Self::filter(|it| it.is_ascii()),
            b"blank" => Self::filter(|it| matches!(it, b' ' | b'\t')),
            b"cntrl" => Self::filter(|it| it.is_ascii_control()),
            b"digit" => Self::filter(|it| it.is_ascii_digit()),
            b"graph" => Self::filter(|it| it.is_ascii_graphic()),
            b"print" => Self::filter(|it| it.is_ascii_graphic() || it == b' '),
            b"punct" => Self::filter(|it| it.is_ascii_punctuation()),
            b"space" => Self::filter(crate::line::is_space),
            b"word" => Self::filter(is_word),
            b"xdigit" => Self::filter(|it| it.is_ascii_hexdigit()),
            _ => return None,
        })
    }
}

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ranges()).finish()
    }
}

/// What `\w` means without locales.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
