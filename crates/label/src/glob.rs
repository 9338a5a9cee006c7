//! Globs as `fnmatch(3)` matches them without flags: `*`, `?`, `[set]` and `\` before a literal; `/` and leading dots are bytes like any other.

/// Lines of a table `kind glob context`.
pub(crate) type Globs<K> = Vec<(K, crate::Bytes, crate::Bytes)>;

/// The context in the first line of this kind whose glob matches.
pub(crate) fn first<'t, K: PartialEq>(
    entries: &'t Globs<K>,
    kind: &K,
    name: &[u8],
) -> Option<&'t [u8]> {
    let hit = entries.iter().find(|(its, glob, _)| its == kind && matches(glob, name));
    hit.map(|(_, _, context)| &**context)
}

/// Does `glob` match all of `text`?
///
/// Time grows with the product of both lengths; nothing is allocated.
pub fn matches(mut glob: &[u8], mut text: &[u8]) -> bool {
    // The last star seen and the text that remained there: the only place worth going back to.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = glob {
            retry = Some((rest, text));
            glob = rest;
            continue;
        }
        if glob.is_empty() && text.is_empty() {
            return true;
        }
        if let Some((glob_rest, text_rest)) = step(glob, text) {
            (glob, text) = (glob_rest, text_rest);
            continue;
        }
        let Some((star, [_, shorter @ ..])) = retry else { return false };
        retry = Some((star, shorter));
        (glob, text) = (star, shorter);
    }
}

/// One element of the glob against one byte: what remains of both, if it matches.
fn step<'a, 'b>(glob: &'a [u8], text: &'b [u8]) -> Option<(&'a [u8], &'b [u8])> {
    let (&byte, text) = text.split_first()?;
    let (matched, rest) = match glob {
        [] | [b'\\'] => return None,
        [b'?', rest @ ..] => (true, rest),
        [b'[', rest @ ..] => set(rest, byte)?,
        [b'\\', literal, rest @ ..] => (*literal == byte, rest),
        [literal, rest @ ..] => (*literal == byte, rest),
    };
    matched.then_some((rest, text))
}

/// A set after its `[`: is `byte` in it, and what follows the `]`. A set that never ends is a `[` for itself.
///
/// `None` where no byte matches: an unknown class, or a range that never ends.
fn set(glob: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (inverse, mut rest) = match glob {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, glob),
    };
    let mut found = false;
    let mut first = true;
    loop {
        match rest {
            [] => return Some((byte == b'[', glob)),
            [b']', after @ ..] if !first => return Some((found != inverse, after)),
            _ => first = false,
        }
        if let Some((class, after)) = class(rest) {
            found |= class.map_or(found.then_some(true), |it| Some(it(byte)))?;
            rest = after;
            continue;
        }
        let (low, after) = literal(rest)?;
        rest = after;
        let mut high = low;
        if let [b'-', end @ ..] = rest
            && !matches!(end, [b']', ..])
            && !found
            && !(end.is_empty() && byte == low)
        {
            (high, rest) = literal(end)?;
        }
        found |= (low..=high).contains(&byte);
    }
}

/// A byte of a set, perhaps after a backslash.
fn literal(set: &[u8]) -> Option<(u8, &[u8])> {
    match set {
        [b'\\', it, rest @ ..] => Some((*it, rest)),
        [it, rest @ ..] => Some((*it, rest)),
        [] => None,
    }
}

type Class = fn(u8) -> bool;

/// A class such as `[:alpha:]` at the start of `set`, and what follows; `None` in it if there is none of that name.
fn class(set: &[u8]) -> Option<(Option<Class>, &[u8])> {
    let names: [(&[u8], Class); 12] = [
        (b"[:alpha:]", |it| it.is_ascii_alphabetic()),
        (b"[:digit:]", |it| it.is_ascii_digit()),
        (b"[:alnum:]", |it| it.is_ascii_alphanumeric()),
        (b"[:upper:]", |it| it.is_ascii_uppercase()),
        (b"[:lower:]", |it| it.is_ascii_lowercase()),
        (b"[:space:]", crate::line::is_space),
        (b"[:blank:]", |it| matches!(it, b' ' | b'\t')),
        (b"[:punct:]", |it| it.is_ascii_punctuation()),
        (b"[:print:]", |it| matches!(it, b' '..=b'~')),
        (b"[:graph:]", |it| it.is_ascii_graphic()),
        (b"[:cntrl:]", |it| it.is_ascii_control()),
        (b"[:xdigit:]", |it| it.is_ascii_hexdigit()),
    ];
    let known = names.into_iter().find_map(|(name, class)| Some((class, set.strip_prefix(name)?)));
    if let Some((class, after)) = known {
        return Some((Some(class), after));
    }
    let rest = set.strip_prefix(b"[:")?;
    let length = rest.iter().take_while(|it| it.is_ascii_lowercase()).count();
    Some((None, rest.get(length..)?.strip_prefix(b":]")?))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn as_fnmatch() {
        let cases = [
            ("*", "", true),
            ("*", "a/b", true),
            ("?", "", false),
            ("?", "/", true),
            ("_SELINUX_*", "_SELINUX_CONTEXT", true),
            ("CUT_BUFFER?", "CUT_BUFFER0", true),
            ("CUT_BUFFER?", "CUT_BUFFER10", false),
            ("*.pg_catalog.*", "db.pg_catalog.a.b", true),
            ("*a*b*c", "xaybzbc", true),
            ("*a*b*c", "xaybzb", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("[[:digit:]x]", "7", true),
            ("[[:digit:]x]", "y", false),
            ("[a", "[a", true),
            ("[[", "[[", true),
            ("[a-", "[a-", false),
            ("[[:nope:]]", "n]", false),
            ("[a[:nope:]]", "a", true),
            (r"\*", "*", true),
            (r"\*", "x", false),
            (r"a\", r"a\", false),
            (r"[\]]", "]", true),
        ];
        for (glob, text, expected) in cases {
            assert_eq!(matches(glob.as_bytes(), text.as_bytes()), expected, "{glob} {text}");
        }
    }
}
