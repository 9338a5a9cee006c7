//! Compiled file contexts: bytes beside those of `sefcontext_compile -r`, and lines read from files that hold compiled expressions.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow};
use mandate_label::file_contexts::binary::{self, Engine, Version};
use mandate_label::file_contexts::{FileContexts, Source, Substitutions};

use crate::place::{Place, run as run_program};
use crate::random::Random;
use crate::report::{Comparison, Report};

const ORIGINAL: &str = "sefcontext_compile";
/// How many random tables.
const TABLES: usize = 150;
const TABLES_FULL: usize = 2000;

/// What patterns are made of: words, escapes, and what stands for an expression in one release and not in another.
const PARTS: [&str; 22] = [
    "usr", "lib", "etc", "a\\.b", "x\\-y", "[^/]+", "(a|b)", ".*", "b\\d", "c+", "d?", "\\(p\\)",
    "e\\_f", "g,h", "k\\,l", "lib(64)?", "z{2}", "%m", "q]", "r}", "s\\}", "u\\/v",
];
const ENDS: [&str; 8] = ["", "(/.*)?", "/.*", "/", "\\.old", "$", "//x", "/[0-9]*"];
const KINDS: [&str; 8] = ["", "--", "-d", "-l", "-c", "-b", "-s", "-p"];
const CONTEXTS: [&str; 4] = ["<<none>>", "u:r:one_t:s0", "u:r:two_t:s0:c1", "u:r:three_t"];

/// Compares tables of distributions that are installed, and random ones.
///
/// # Errors
/// When the original does not run, or the report cannot be written.
pub fn run(place: &Place, full: bool, seed: u64, report: &mut Report<'_>) -> Result<()> {
    report.suite("labels-compiled");
    report.heading("Compiled file contexts, beside sefcontext_compile")?;
    let original = Original::here(place)?;
    let (mut bytes, mut lines) = (
        Comparison::new("bytes without compiled expressions"),
        Comparison::new("lines read from files with compiled expressions"),
    );
    for table in installed() {
        let text = std::fs::read(&table).with_context(|| table.display().to_string())?;
        original.compare(&table.display().to_string(), &text, &mut bytes, &mut lines)?;
    }
    let mut random = Random::new(seed);
    for number in 0..if full { TABLES_FULL } else { TABLES } {
        let name = format!("table {number} of seed {seed}");
        original.compare(&name, table(&mut random).as_bytes(), &mut bytes, &mut lines)?;
    }
    report.add(&bytes)?;
    Ok(report.add(&lines)?)
}

/// File contexts of the policies that are installed.
fn installed() -> Vec<PathBuf> {
    let policies = std::fs::read_dir("/etc/selinux").into_iter().flatten().flatten();
    let files = policies.map(|it| it.path().join("contexts/files")).flat_map(|folder| {
        ["file_contexts", "file_contexts.homedirs"].map(|name| folder.join(name))
    });
    files.filter(|it| it.is_file()).collect()
}

fn table(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..random.between(1, 12) {
        for _ in 0..random.between(1, 5) {
            text.push_str(if random.chance(20) { "//" } else { "/" });
            text.push_str(random.pick(&PARTS).copied().unwrap_or_default());
        }
        text.push_str(random.pick(&ENDS).copied().unwrap_or_default());
        for word in [random.pick(&KINDS), random.pick(&CONTEXTS)].into_iter().flatten() {
            text.push('\t');
            text.push_str(word);
        }
        text.push('\n');
    }
    text
}

struct Original {
    version: Version,
    engine: Engine,
    folder: PathBuf,
}

impl Original {
    fn here(place: &Place) -> Result<Self> {
        let told = run_program(Command::new(ORIGINAL).arg("-i"))?;
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let (pcre, _) = told.rsplit_once(" (").ok_or_else(|| anyhow!("{ORIGINAL} -i: {told}"))?;
        // Releases before 3.8 know no -V, and write version 5.
        let newest = Command::new(ORIGINAL).arg("-V").output().context(ORIGINAL)?;
        let is_tree = newest.status.success();
        let folder = place.work.join("compiled-contexts");
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let version = if is_tree { Version::Tree } else { Version::List };
        Ok(Self { version, engine: Engine::here(pcre), folder })
    }

    fn compare(
        &self,
        name: &str,
        text: &[u8],
        bytes: &mut Comparison,
        lines: &mut Comparison,
    ) -> Result<()> {
        let (table, _) = compile(text);
        let ours = table.to_binary(self.version, &self.engine)?;
        let theirs = self.compiled(text, true)?;
        if ours == theirs {
            bytes.agree();
        } else {
            let size = |it: &[u8]| format!("{} bytes", it.len());
            bytes.disagree(name.to_owned(), size(&ours), size(&theirs));
        }
        let read = binary::text(&self.compiled(text, false)?)?;
        lines.equal(|| name.to_owned(), &sorted(&compile(&read).0), &sorted(&table));
        Ok(())
    }

    fn compiled(&self, text: &[u8], bare: bool) -> Result<Vec<u8>> {
        let (input, output) = (self.folder.join("fc"), self.folder.join("fc.bin"));
        std::fs::write(&input, text).with_context(|| input.display().to_string())?;
        let mut command = Command::new(ORIGINAL);
        command.args(bare.then_some("-r")).arg("-o").arg(&output).arg(Path::new(&input));
        run_program(&mut command)?;
        std::fs::read(&output).with_context(|| output.display().to_string())
    }
}

fn compile(text: &[u8]) -> (FileContexts, usize) {
    let source = Source { name: "fc", bytes: text };
    let (table, errors) = FileContexts::compile(&[source], <[Substitutions; 2]>::default());
    (table, errors.len())
}

fn sorted(table: &FileContexts) -> String {
    let mut lines: Vec<String> = table.lines().map(|it| it.to_string()).collect();
    lines.sort();
    lines.join("\n")
}
