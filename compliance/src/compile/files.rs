//! The text files that a build makes beside the policy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::original::FILES;
use crate::report::Comparison;

/// What a line of `file_contexts` means apart from its layout: its fields.
fn lines(path: &Path) -> Result<Vec<String>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let fields = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(text.lines().map(fields).filter(|line| !line.is_empty()).collect())
}

/// Compares the files of two builds, given by what finds a file of each.
///
/// # Errors
/// When a file of theirs cannot be read.
pub fn compare(
    name: &str,
    ours: impl Fn(&str) -> PathBuf,
    theirs: impl Fn(&str) -> PathBuf,
) -> Result<Comparison> {
    let mut comparison = Comparison::new(format!("{name}: file_contexts and other text files"));
    for file in FILES {
        let decides = matches!(file, "file_contexts" | "homedir_template");
        file_by_file(file, &ours(file), &theirs(file), decides, &mut comparison)?;
    }
    let (ours, theirs) = (ours("appconfig"), theirs("appconfig"));
    for path in walk(&theirs)? {
        let file = path.strip_prefix(&theirs)?.display().to_string();
        whole(&format!("appconfig/{file}"), &ours.join(&file), &path, &mut comparison)?;
    }
    Ok(comparison.done())
}

/// The same lines and, where the order decides, in an order that decides the same.
fn file_by_file(
    file: &str,
    ours: &Path,
    theirs: &Path,
    order_decides: bool,
    to: &mut Comparison,
) -> Result<()> {
    let theirs = lines(theirs)?;
    let ours = match lines(ours) {
        Ok(ours) => ours,
        Err(why) => {
            to.disagree(file.to_owned(), format!("{why:#}"), "a file".into());
            return Ok(());
        }
    };
    let mut count: BTreeMap<&str, isize> = BTreeMap::new();
    ours.iter().for_each(|line| *count.entry(line).or_default() += 1);
    theirs.iter().for_each(|line| *count.entry(line).or_default() -= 1);
    for (line, more) in count {
        match more {
            0 => to.agree(),
            _ => to.disagree(
                format!("{file}: {line}"),
                if more > 0 { "has it".into() } else { "-".into() },
                if more < 0 { "has it".into() } else { "-".into() },
            ),
        }
    }
    if order_decides && ours != theirs {
        order(file, &ours, &theirs, to);
    }
    Ok(())
}

/// Counts every pair of lines that could match the same path and stand the other way round.
fn order(file: &str, ours: &[String], theirs: &[String], to: &mut Comparison) {
    let place: BTreeMap<&str, usize> =
        ours.iter().enumerate().map(|(place, line)| (line.as_str(), place)).collect();
    let placed: Vec<(&str, usize)> = theirs
        .iter()
        .filter_map(|line| Some((line.as_str(), *place.get(line.as_str())?)))
        .collect();
    for (n, (first, before)) in placed.iter().enumerate() {
        for (second, after) in placed.iter().skip(n + 1) {
            if before > after && could_meet(first, second) {
                let query = format!("{file}: which of these wins: {first} | {second}");
                to.disagree(query, (*first).to_owned(), (*second).to_owned());
            }
        }
    }
}

/// Whether one path could match both lines: judged by what their patterns start with, so rather too often.
fn could_meet(one: &str, other: &str) -> bool {
    let (one, one_whole) = literal(one);
    let (other, other_whole) = literal(other);
    match (one_whole, other_whole) {
        (true, true) => one == other,
        (true, false) => one.starts_with(&other),
        (false, true) => other.starts_with(&one),
        (false, false) => one.starts_with(&other) || other.starts_with(&one),
    }
}

/// The characters that a pattern certainly starts with, and whether it is nothing but these.
fn literal(line: &str) -> (String, bool) {
    let pattern = line.split(' ').next().unwrap_or_default();
    if alternates(pattern) {
        return (String::new(), false);
    }
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => text.extend(chars.next()),
            '.' | '^' | '$' | '[' | '(' => return (text, false),
            '?' | '*' | '+' | '{' => {
                // It is about the character before.
                text.pop();
                return (text, false);
            }
            _ => text.push(char),
        }
    }
    (text, true)
}

/// Whether a pattern is several, outside all parentheses.
fn alternates(pattern: &str) -> bool {
    let mut depth = 0_usize;
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

/// A file whose lines all count in their order.
fn whole(file: &str, ours: &Path, theirs: &Path, to: &mut Comparison) -> Result<()> {
    let theirs = lines(theirs)?.join("\n");
    let ours = lines(ours).map_or_else(|why| format!("{why:#}"), |lines| lines.join("\n"));
    to.equal(|| file.to_owned(), &ours, &theirs);
    Ok(())
}

/// Every file below a folder, in order.
pub(crate) fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("looking into {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(walk(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_start_apart_never_meet() {
        assert!(!could_meet("/etc/a.* -- x", "/etc/b.* -- y"));
        assert!(could_meet("/etc/.* -- x", "/etc/b -- y"));
        assert!(!could_meet("/etc/a -- x", "/etc/b -- y"));
        assert!(could_meet("/usr/(s)?bin x", "/usr/bin y"));
        assert!(could_meet("/ab?c x", "/ac y"));
        assert!(could_meet("/a|/b x", "/b y"));
    }

    #[test]
    fn an_order_that_decides_nothing_is_no_difference() {
        let theirs = ["/a/.* x", "/b/.* y", "/a/b z"].map(str::to_owned);
        let harmless = ["/b/.* y", "/a/.* x", "/a/b z"].map(str::to_owned);
        let harmful = ["/a/b z", "/b/.* y", "/a/.* x"].map(str::to_owned);
        let differing = |ours: &[String]| {
            let mut comparison = Comparison::new("order");
            order("file_contexts", ours, &theirs, &mut comparison);
            comparison.compared()
        };
        assert_eq!((differing(&harmless), differing(&harmful)), (0, 1));
    }
}
