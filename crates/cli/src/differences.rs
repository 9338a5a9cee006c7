//! The text of differences between two policies, in sediff's layout.

use std::io::Write;

use anyhow::Result;
use mandate_query::diff::{Change, Detail, Diff, Part, Section};

/// How much text is gathered before it is written.
const CHUNK: usize = 1 << 16;

/// Prints the sections; those without a difference only if `empty`, and of each the numbers alone if `stats`. What `after` appends
/// stands below a change.
pub(crate) fn print(
    diff: &Diff<'_>,
    stats: bool,
    empty: bool,
    out: &mut dyn Write,
    mut after: impl FnMut(&Change, &mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    let mut text = Vec::with_capacity(CHUNK * 2);
    for section in diff.sections.iter().filter(|it| empty || !it.is_empty()) {
        writeln!(text, "{} ({})", section.part.title(), numbers(section))?;
        for (word, sign, changes) in lists(section).into_iter().filter(|_| !stats) {
            if section.part != Part::Properties && !changes.is_empty() {
                writeln!(text, "   {word} {}: {}", label(section.part, word), changes.len())?;
            }
            for change in changes {
                text.extend_from_slice(b"      ");
                text.push(sign);
                text.push(b' ');
                diff.push(&mut text, change);
                text.push(b'\n');
                push_details(change, &mut text)?;
                after(change, &mut text)?;
                if text.len() >= CHUNK {
                    out.write_all(&text)?;
                    text.clear();
                }
            }
        }
        text.push(b'\n');
    }
    Ok(out.write_all(&text)?)
}

type List<'s> = (&'static str, u8, &'s [Change]);

fn lists(section: &Section) -> [List<'_>; 3] {
    [
        ("Added", b'+', &section.added),
        ("Removed", b'-', &section.removed),
        ("Modified", b'*', &section.modified),
    ]
}

fn numbers(section: &Section) -> String {
    let all = lists(section).map(|(word, _, changes)| format!("{} {word}", changes.len()));
    let kept = match section.part {
        Part::Properties => all.get(2..),
        it if it.is_whole() => all.get(..2),
        _ => all.get(..),
    };
    kept.unwrap_or_default().join(", ")
}

/// What the changes of a section are called; the spelling is the original's.
fn label(part: Part, word: &str) -> &'static str {
    match (part, word) {
        (Part::RoleAllow, _) => "Role Allow Rules",
        (Part::Sensitivities, "Added") => "Sensitivites",
        _ => part.title(),
    }
}

fn push_details(change: &Change, text: &mut Vec<u8>) -> Result<()> {
    let Change::Item(item) = change else { return Ok(()) };
    for detail in item.details.iter().filter(|it| it.noun != "permissive") {
        let indent = if detail.noun.ends_with("Context") { "   " } else { "" };
        if let Some(heading) = heading(detail) {
            writeln!(text, "          {heading}:")?;
        }
        let added = detail.added.iter().map(|it| ('+', it));
        let removed = detail.removed.iter().map(|it| ('-', it));
        for (sign, value) in added.chain(removed) {
            writeln!(text, "          {indent}{sign} {value}")?;
        }
    }
    Ok(())
}

/// The line above what differs, where a symbol has several such things.
fn heading(detail: &Detail) -> Option<&'static str> {
    Some(match detail.noun {
        "attributes" => "Attributes",
        "aliases" | "Aliases" => "Aliases",
        "roles" => "Roles",
        "default level" => "Default level",
        "range" => "Range",
        "Context" => "Context",
        "Packet Context" => "Packet Context",
        _ => return None,
    })
}
