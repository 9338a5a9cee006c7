//! Line marks: `;;* lms 3 file` says that the next line is line 3 of a file, and the lines below it follow; `;;* lmx 3 file` that
//! all lines up to its end are line 3; `;;* lme` ends the innermost.

use std::ops::Range;

/// Lines that one mark speaks of, or none.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// Where its first line begins.
    start: usize,
    /// Where the mark has its path; none where lines are those of the file itself.
    path: Option<Range<usize>>,
    /// The number of its first line.
    line: u32,
    /// Does each line count?
    counts: bool,
}

struct Mark {
    path: Range<usize>,
    line: u32,
    /// The count of lines where it stands.
    base: u32,
    expanded: bool,
}

/// The stretches of a file that marks speak of; none if there is no mark.
pub(crate) fn stretches(bytes: &[u8]) -> Vec<Stretch> {
    let mut found = Vec::new();
    let mut open: Vec<Mark> = Vec::new();
    let (mut count, mut since) = (1u32, 0usize);
    for at in memchr::memmem::find_iter(bytes, b";;*") {
        if at > 0 && bytes[at - 1] != b'\n' {
            continue;
        }
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |it| at + it);
        if open.last().is_none_or(|it| !it.expanded) {
            count = count.saturating_add(newlines(&bytes[since..at]));
        }
        let Some((word, line, path)) = words(bytes, at + 3, end) else { continue };
        match word {
            b"lme" => {
                let ended = open.pop();
                let expanded = open.last().is_some_and(|it| it.expanded);
                if !expanded {
                    count =
                        count.saturating_add(1 + u32::from(ended.is_some_and(|it| it.expanded)));
                }
            }
            _ => {
                let expanded = word == b"lmx";
                open.push(Mark { path, line, base: count, expanded });
                count = count.saturating_add(u32::from(!expanded));
            }
        }
        since = end + 1;
        found.push(match open.last() {
            None => Stretch { start: since, path: None, line: 0, counts: true },
            Some(mark) => {
                let passed = if mark.expanded { 0 } else { count.saturating_sub(mark.base + 1) };
                let line = mark.line.saturating_add(passed);
                let path = Some(mark.path.clone());
                Stretch { start: since, path, line, counts: !mark.expanded }
            }
        });
    }
    found
}

/// Path and number of the line that begins at `start`; nothing where the file itself counts.
pub(crate) fn place<'a>(
    stretches: &[Stretch],
    bytes: &'a [u8],
    start: usize,
) -> Option<(&'a str, u32)> {
    let behind = stretches.partition_point(|it| it.start <= start);
    let stretch = &stretches[behind.checked_sub(1)?];
    let path = std::str::from_utf8(&bytes[stretch.path.clone()?]).ok()?;
    let passed = if stretch.counts { newlines(&bytes[stretch.start..start]) } else { 0 };
    Some((path, stretch.line.saturating_add(passed)))
}

fn newlines(bytes: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u32::MAX)
}

/// The mark's word, its line and its path.
fn words(bytes: &[u8], start: usize, end: usize) -> Option<(&[u8], u32, Range<usize>)> {
    let mut at = start;
    let mut word = || {
        let blank = |it: &u8| matches!(it, b' ' | b'\t' | b'\r');
        let from = at + bytes[at..end].iter().position(|it| !blank(it))?;
        at = from + bytes[from..end].iter().position(blank).unwrap_or(end - from);
        Some(from..at)
    };
    match &bytes[word()?] {
        it @ b"lme" => Some((it, 0, 0..0)),
        it @ (b"lms" | b"lmx") => {
            let line = std::str::from_utf8(&bytes[word()?]).ok()?.parse().ok()?;
            let path = word()?;
            let quoted = path.len() >= 2 && bytes[path.start] == b'"';
            Some((it, line, if quoted { path.start + 1..path.end - 1 } else { path }))
        }
        _ => None,
    }
}
