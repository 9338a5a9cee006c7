//! Statements of a source tree, found by how they are written in `policies/base`: each begins a line.

use std::path::Path;

use anyhow::{Context as _, Result};

/// A statement, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) file: String,
    /// From 1.
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) start: usize,
}

impl Statement {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// As one line, for reports.
    pub(super) fn told(&self) -> String {
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{}:{}: {text}", self.file, self.line)
    }
}

/// Files of rules and constraints, from the root of a tree, in order.
pub(super) fn files(root: &Path) -> Result<Vec<String>> {
    let mut files: Vec<String> =
        ["constraints", "mcs", "mls"].map(|it| format!("policy/{it}")).into();
    let modules = root.join("policy/modules");
    for layer in names(&modules)? {
        for name in names(&modules.join(&layer))? {
            if name.ends_with(".te") || name.ends_with(".if") {
                files.push(format!("policy/modules/{layer}/{name}"));
            }
        }
    }
    Ok(files)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let names: std::io::Result<Vec<_>> =
        entries.map(|it| Ok(it?.file_name().to_string_lossy().into_owned())).collect();
    let mut names = names?;
    names.sort();
    Ok(names)
}

/// Statements that begin with one of these words, and end with `end`.
pub(super) fn beginning(file: &str, text: &str, words: &[&str], end: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut offset = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let start = offset + (line.len() - line.trim_start().len());
        offset += line.len();
        if start == offset {
            // Blank: what follows stands on the next line.
            continue;
        }
        let rest = &text[start..];
        let begins = words.iter().any(|word| {
            rest.strip_prefix(word).is_some_and(|it| !it.starts_with(char::is_alphanumeric))
        });
        if !begins {
            continue;
        }
        let Some(length) = rest.find(end) else { continue };
        let text = rest[..length + end.trim_end().len()].to_owned();
        found.push(Statement { file: file.to_owned(), line: at + 1, text, start });
    }
    found
}

pub(super) fn neverallows(file: &str, text: &str) -> Vec<Statement> {
    beginning(file, text, &["neverallow", "neverallowxperm"], ";")
}

/// The text without these statements; lines stay where they are.
pub(super) fn without(text: &str, statements: &[Statement]) -> String {
    let mut left = text.to_owned();
    for it in statements.iter().rev() {
        let blank: String = it.text.chars().filter(|it| *it == '\n').collect();
        left.replace_range(it.start..it.end(), &blank);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_found_by_their_first_word() {
        let text = "\nallow a b:file read;\n# neverallow x\n\tallow c {\n d }:dir\n search;\nallowed(x)\nneverallow a b:file write;\n";
        let found = beginning("f", text, &["allow"], ";");
        let told: Vec<String> = found.iter().map(Statement::told).collect();
        assert_eq!(told, ["f:2: allow a b:file read;", "f:4: allow c { d }:dir search;"]);
        let goals = neverallows("f", text);
        assert_eq!(goals.len(), 1);
        assert!(without(text, &goals).ends_with("allowed(x)\n\n"));
    }
}
