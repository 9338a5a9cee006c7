//! The template: its lines by what they are for, and how each is written for somebody.

use super::Inputs;
use super::people::Person;
use crate::line::{LineError, LineErrorKind, fields};

const NONE: &[u8] = b"<<none>>";

/// The lines of a template, each list in the order of the file. A line may be in two.
#[derive(Debug, Default)]
pub(super) struct Template<'a> {
    home: Vec<&'a [u8]>,
    root: Vec<&'a [u8]>,
    /// With `%{USERNAME}` or `%{USERID}`.
    named: Vec<&'a [u8]>,
    /// With the older `USER`.
    user: Vec<&'a [u8]>,
}

impl<'a> Template<'a> {
    /// The lines that have a context, and what is wrong with the others. Lines without any of the words are for nobody.
    pub(super) fn parse(bytes: &'a [u8]) -> (Self, Vec<LineError>) {
        let (lines, errors) = crate::line::each(bytes, |line| {
            let Some(last) = fields(line).last() else { return Ok(line) };
            let is_context = last.bytes == NONE || parts(last.bytes).is_some();
            let wrong = || LineErrorKind::Unexpected { expected: "a context", found: last.lossy() };
            if is_context { Ok(line) } else { Err(last.wrong(wrong())) }
        });
        let mut template = Self::default();
        for line in lines {
            template.file(line);
        }
        (template, errors)
    }

    fn file(&mut self, line: &'a [u8]) {
        let has = |word: &[u8]| find(line, word).is_some();
        if line.starts_with(b"HOME_DIR") {
            self.home.push(line);
        }
        if line.starts_with(b"HOME_ROOT") {
            self.root.push(line);
        }
        if has(b"%{USERNAME}") || has(b"%{USERID}") {
            self.named.push(line);
        } else if has(b"USER") {
            self.user.push(line);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.speaks_of_homes() && !self.speaks_of_users()
    }

    pub(super) fn speaks_of_homes(&self) -> bool {
        !self.home.is_empty() || !self.root.is_empty()
    }

    pub(super) fn speaks_of_users(&self) -> bool {
        !self.named.is_empty() || !self.user.is_empty()
    }

    /// A header, and the lines of a home.
    pub(super) fn write_home(&self, inputs: &Inputs<'_>, person: &Person<'_>, out: &mut Vec<u8>) {
        let name = if person.is_one() { person.name } else { b"user_u" };
        out.extend([b"\n\n#\n# Home Context for user ", name, b"\n#\n\n"].concat());
        let words = [(&b"HOME_DIR"[..], person.home), (b"ROLE", person.prefix)];
        write(inputs, &self.home, &words, Some(person), out);
    }

    /// The lines of a directory that homes lie in.
    pub(super) fn write_root(&self, inputs: &Inputs<'_>, place: &[u8], out: &mut Vec<u8>) {
        write(inputs, &self.root, &[(b"HOME_ROOT", place)], None, out);
    }

    /// The lines of a user elsewhere than at home.
    pub(super) fn write_user(&self, inputs: &Inputs<'_>, person: &Person<'_>, out: &mut Vec<u8>) {
        let uid = person.uid();
        let role = (&b"ROLE"[..], person.prefix);
        let words = [(&b"%{USERNAME}"[..], person.name), (b"%{USERID}", &uid), role];
        write(inputs, &self.named, &words, Some(person), out);
        write(inputs, &self.user, &[(b"USER", person.name), role], Some(person), out);
    }
}

/// Lines with words replaced, one word after the other, and with the context of `person` if it is given; those that the policy has.
fn write(
    inputs: &Inputs<'_>,
    lines: &[&[u8]],
    words: &[(&[u8], &[u8])],
    person: Option<&Person<'_>>,
    out: &mut Vec<u8>,
) {
    for line in lines {
        let line = words
            .iter()
            .fold(line.to_vec(), |line, (word, with)| replace(&line, word, with, usize::MAX));
        let Some(context) = fields(&line).last().map(|it| it.bytes) else { continue };
        let context_of = |person| {
            if context == NONE { Some(NONE.to_vec()) } else { personal(inputs, context, person) }
        };
        let own = person.map_or_else(|| Some(context.to_vec()), context_of);
        let Some(own) = own.filter(|it| it == NONE || (inputs.is_valid)(it)) else { continue };
        out.extend(replace(&line, context, &own, 1));
        out.push(b'\n');
    }
}

/// The parts of a context: user, role, type, and perhaps a range.
fn parts(context: &[u8]) -> Option<Vec<&[u8]>> {
    let parts: Vec<&[u8]> = context.splitn(4, |&it| it == b':').collect();
    (parts.len() > 2).then_some(parts)
}

fn personal(inputs: &Inputs<'_>, context: &[u8], person: &Person<'_>) -> Option<Vec<u8>> {
    let old = parts(context)?;
    let mut old = old.into_iter();
    let (_user, role, type_) = (old.next()?, old.next()?, old.next()?);
    let range = if inputs.mls { Some(person.level) } else { old.next() };
    let parts = [person.user, person.role.unwrap_or(role), type_];
    Some(parts.into_iter().chain(range).collect::<Vec<_>>().join(&b':'))
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|it| it == word)
}

/// `text` with the first `times` occurrences of `word`, which is not empty, replaced.
fn replace(mut text: &[u8], word: &[u8], with: &[u8], times: usize) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    for _ in 0..times {
        let Some(at) = find(text, word) else { break };
        let (before, after) = text.split_at(at);
        replaced.extend_from_slice(before);
        replaced.extend_from_slice(with);
        text = after.get(word.len()..).unwrap_or_default();
    }
    replaced.extend_from_slice(text);
    replaced
}
