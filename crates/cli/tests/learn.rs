//! docs/learn: each command of each lesson prints what the lesson says, as a reader would see it in an empty folder.
//!
//! `UPDATE_EXPECT=1 cargo test -p mandate-cli --test learn` writes into the lessons what the commands print now; read the
//! difference before it is committed. A new lesson gets a line in `lessons!` below.
//!
//! In a lesson, a block that begins with ```` ```console ```` holds commands after `$ ` and what they print, on both streams; each
//! is run by a shell of its own. ```` ```LANGUAGE FILE ```` is written to FILE when it is reached. ```` ```text ```` is only shown.
//! `$MANDATE` is the folder of this repository.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Folder, repository};
use expect_test::{expect, expect_file};

macro_rules! lessons {
    ($($test:ident: $file:literal,)*) => {
        $(#[test]
        fn $test() {
            check($file);
        })*

        const LESSONS: &[&str] = &[$($file),*];
    };
}

lessons! {
    contexts: "01-contexts.md",
    decisions: "02-decisions.md",
    rules: "03-rules.md",
    files: "04-files.md",
    domains: "05-domains.md",
    people: "06-people.md",
    levels: "07-levels.md",
    denials: "08-denials.md",
    goals: "09-goals.md",
    module: "10-module.md",
}

fn root() -> PathBuf {
    Path::new(&repository("")).canonicalize().unwrap()
}

fn folder_of_lessons() -> PathBuf {
    root().join("docs/learn")
}

fn check(file: &str) {
    let path = folder_of_lessons().join(file);
    let folder = Folder::new(&format!("learn-{file}"));
    let told = told_anew(&std::fs::read_to_string(&path).unwrap(), &folder.path(""));
    let told = told.unwrap_or_else(|error| panic!("{file}: {error}"));
    expect_file![path].assert_eq(&told);
}

/// A page with what its commands print now, or why not all of it can be run.
fn told_anew(page: &str, folder: &Path) -> Result<String, String> {
    let mut told = String::new();
    let mut commands = 0;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        writeln!(told, "{line}").unwrap();
        let Some(kind) = line.strip_prefix("```") else {
            if line.contains("```") || line.contains("~~~") || line.starts_with("    ") {
                return Err(format!(
                    "a block begins with ``` at the start of a line, not {line:?}"
                ));
            }
            continue;
        };
        let block = block(&mut lines)?;
        match kind.split_once(' ') {
            None if kind == "console" => commands += run_block(&block, folder, &mut told)?,
            None if kind == "text" => copy(&block, &mut told)?,
            Some((_, name)) if !name.contains(['/', ' ']) => {
                // A rendered page does not show the name that stands behind the language.
                if !told.contains(&format!("`{name}`")) {
                    return Err(format!("nothing says that the block is to be saved as {name}"));
                }
                copy(&block, &mut told)?;
                std::fs::write(folder.join(name), block.join("\n") + "\n").unwrap();
            }
            _ => return Err(format!("a block is neither run nor written nor text: {line:?}")),
        }
        told.push_str("```\n");
    }
    if commands == 0 { Err("it has no command".to_owned()) } else { Ok(told) }
}

/// The lines up to the end of a block.
fn block<'a>(lines: &mut std::str::Lines<'a>) -> Result<Vec<&'a str>, String> {
    let mut block = Vec::new();
    for line in lines {
        match line {
            "```" => return Ok(block),
            _ if line.contains("```") => return Err(format!("a block within a block: {line:?}")),
            _ => block.push(line),
        }
    }
    Err(format!("a block is not closed: {block:?}"))
}

/// What is only shown must not look like commands, which a reader would expect to have been run.
fn copy(block: &[&str], told: &mut String) -> Result<(), String> {
    for line in block {
        if line.starts_with("$ ") {
            return Err(format!("a command that is not run: {line:?}"));
        }
        writeln!(told, "{line}").unwrap();
    }
    Ok(())
}

/// Runs the commands of a block and counts them.
fn run_block(block: &[&str], folder: &Path, told: &mut String) -> Result<usize, String> {
    let commands = || block.iter().filter_map(|it| it.strip_prefix("$ "));
    if !block.first().is_some_and(|it| it.starts_with("$ ")) {
        return Err(format!("a block of commands begins with `$ `, not with {:?}", block.first()));
    }
    for command in commands() {
        let printed = run(command, folder);
        if printed.contains("```") || printed.lines().any(|it| it.starts_with("$ ")) {
            return Err(format!("what {command:?} prints cannot stand in a block"));
        }
        let here = [folder, &root()];
        if here.iter().any(|it| printed.contains(it.to_str().unwrap().trim_end_matches('/'))) {
            return Err(format!("{command:?} prints where it is run: {printed}"));
        }
        writeln!(told, "$ {command}").unwrap();
        told.push_str(&printed);
    }
    Ok(commands().count())
}

/// What a reader sees of a command.
fn run(command: &str, folder: &Path) -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_mandate")).parent().unwrap().to_str().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{programs}:{path}"))
        .env("HOME", folder)
        .env("LC_ALL", "C")
        .env("MANDATE", root())
        .output()
        .unwrap();
    let mut printed = String::from_utf8(output.stdout).unwrap();
    if !printed.is_empty() && !printed.ends_with('\n') {
        printed.push('\n');
    }
    printed
}

#[test]
fn every_lesson_is_run_and_leads_to_the_next() {
    let text = |file: &str| std::fs::read_to_string(folder_of_lessons().join(file)).unwrap();
    let entries = std::fs::read_dir(folder_of_lessons()).unwrap();
    let mut files: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, [LESSONS, &["README.md"]].concat());
    let index = text("README.md");
    let lines = index.lines().filter(|it| it.contains("](0") || it.contains("](1"));
    for (line, file) in std::iter::zip(lines, LESSONS) {
        assert!(line.contains(&format!("]({file})")), "{line} is not {file}");
    }
    for (at, file) in LESSONS.iter().enumerate() {
        let next = LESSONS.get(at + 1).unwrap_or(&"README.md");
        assert!(text(file).contains(&format!("]({next})")), "{file} does not lead to {next}");
        assert!(index.contains(&format!("]({file})")), "the index does not have {file}");
    }
}

/// What would pass unseen is refused.
#[test]
fn a_lesson_that_is_not_run_whole_fails() {
    let folder = Folder::new("learn-refused");
    let mut told = String::new();
    for page in [
        "Words.\n",
        "```text\n$ mandate demo\n```\n",
        "```sh\nmandate demo\n```\n",
        "- an item\n  ```console\n  $ mandate demo\n  ```\n",
        "~~~console\n$ mandate demo\n~~~\n",
        "Words.\n\n    $ mandate demo\n",
        "```console\nmandate demo\n```\n",
        "```console\n$ true\n",
        "```console\n$ true\n``` \nWords.\n```\n",
        "```text ../file\n```\n",
        "```text file\n```\n",
        "```console\n$ pwd\n```\n",
    ] {
        let error = told_anew(page, &folder.path("")).unwrap_err();
        writeln!(told, "{}", error.lines().next().unwrap()).unwrap();
    }
    let told = told.replace(folder.path("").to_str().unwrap().trim_end_matches('/'), "FOLDER");
    expect![[r#"
        it has no command
        a command that is not run: "$ mandate demo"
        a block is neither run nor written nor text: "```sh"
        a block begins with ``` at the start of a line, not "  ```console"
        a block begins with ``` at the start of a line, not "~~~console"
        a block begins with ``` at the start of a line, not "    $ mandate demo"
        a block of commands begins with `$ `, not with Some("mandate demo")
        a block is not closed: ["$ true"]
        a block within a block: "``` "
        a block is neither run nor written nor text: "```text ../file"
        nothing says that the block is to be saved as file
        "pwd" prints where it is run: FOLDER
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_lesson_is_told_with_what_its_commands_print() {
    let folder = Folder::new("learn-told");
    let page = "In `a`:\n```text a\nhello\n```\nWords.\n\n```console\n$ cat a; echo 2 >&2\nold\n$ true\n```\n";
    let told = told_anew(page, &folder.path("")).unwrap();
    let expected = page.replace("old", "hello\n2");
    assert_eq!(told, expected);
    assert_eq!(told_anew(&told, &folder.path("")), Ok(expected));
}
