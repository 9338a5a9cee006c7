//! Where libselinux 3.4 means something else than 3.11: docs/differences.md lists the same.

use mandate_label::file_contexts::{FileContexts, LineRef, Lookup};

use super::oracle::Record;

/// Why the two differ about a path, if it is known.
pub(super) fn reason(table: &FileContexts, record: &Record, theirs: &str) -> Option<&'static str> {
    let mut lookup = Lookup::new(table);
    let slashes = record.path.iter().rev().take_while(|it| **it == b'/').count();
    let path = &record.path[..record.path.len() - slashes];
    let before = path.strip_suffix(b"\n").unwrap_or(path);
    let literal = |line: Option<LineRef<'_>>| line.is_some_and(LineRef::is_literal);
    if before.len() < path.len() && literal(lookup.path(before, record.kind).line()) {
        return Some("a newline after a pattern without meta characters");
    }
    let ours = lookup.path(&record.path, record.kind).line();
    let matching = lookup.all(&record.path, record.kind);
    let beaten = matching.iter().skip(1).find(|it| it.context() == Some(theirs));
    if literal(ours) && literal(beaten.copied()) {
        return Some("several lines without meta characters for one path");
    }
    let decided = table.lines().filter(|it| it.context() == Some(theirs));
    ours.into_iter().chain(decided).find_map(|line| of_pattern(line.pattern()))
}

fn of_pattern(pattern: &str) -> Option<&'static str> {
    let stem = pattern.split(['(', '[', '.', '*', '?', '+', '|']).next().unwrap_or_default();
    let directories = stem.rsplit_once('/').map_or("", |it| it.0);
    if !pattern.starts_with('/') {
        return Some("a pattern that does not begin with a slash");
    }
    if has_free_alternatives(pattern) {
        return Some("alternatives that no parentheses hold together");
    }
    if directories.contains('\\') {
        return Some("a backslash in a directory's name");
    }
    if ["/?", "/*", "/+"].iter().any(|it| pattern.contains(it)) {
        return Some("a slash that is repeated or may be missing");
    }
    if pattern.contains("//") {
        return Some("two slashes");
    }
    None
}

fn has_free_alternatives(pattern: &str) -> bool {
    let (mut depth, mut escaped) = (0, false);
    pattern.bytes().any(|byte| {
        let plain = !escaped;
        escaped = plain && byte == b'\\';
        match byte {
            b'(' if plain => depth += 1,
            b')' if plain => depth -= 1,
            _ => {}
        }
        plain && byte == b'|' && depth == 0
    })
}
