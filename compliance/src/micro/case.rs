//! One micro policy: its folder and what stands in `case.json`.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Fields of an answer that may differ between two who agree.
const NEVER_COMPARED: [&str; 5] = ["kind", "n", "seqno", "decided", "step"];

/// Who answered the queries of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// The 6.1 kernel.
    Kernel,
    /// The 7.x kernel.
    KernelNew,
    /// Programs that make the calls, in the 6.1 kernel.
    Guest,
    /// Programs that make the calls, in the 7.x kernel.
    GuestNew,
    /// libsepol.
    Sepol,
}

impl Oracle {
    /// Every oracle, in the order in which they are asked.
    pub const ALL: [Self; 5] =
        [Self::Sepol, Self::Kernel, Self::Guest, Self::KernelNew, Self::GuestNew];

    fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::KernelNew => "kernel-new",
            Self::Guest => "guest",
            Self::GuestNew => "guest-new",
            Self::Sepol => "sepol",
        }
    }
}

impl fmt::Display for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A micro policy.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name of its folder.
    pub name: String,
    /// Where it is.
    pub folder: PathBuf,
    /// One sentence.
    pub shows: String,
    /// Who answered.
    pub oracle: Oracle,
    /// Version of the binary.
    pub version: u32,
    /// `selinux` or `xen`.
    pub target: String,
    /// Whether the policy has levels.
    pub mls: bool,
    /// `deny`, `allow` or `reject`.
    pub handle_unknown: String,
    /// Whether the answers are those of an enforcing kernel.
    pub enforcing: bool,
    /// What made the binaries, as `checkpolicy 3.4`.
    pub compiler: String,
    /// SHA-256 of every source, in order, in hexadecimal.
    pub sha256: String,
}

/// Every micro policy below `root` (the repository), by name.
///
/// # Errors
/// When a folder has no readable `case.json`.
pub fn cases(root: &Path) -> Result<Vec<Case>> {
    let folder = root.join("policies/micro");
    let entries =
        std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut all = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            all.push(Case::read(&path).with_context(|| format!("reading {}", path.display()))?);
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// An answer without the fields that never compare.
#[must_use]
pub fn comparable(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.retain(|key, _| !NEVER_COMPARED.contains(&key.as_str()));
    }
    answer
}

/// The SHA-256 of `bytes` in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Case {
    fn read(folder: &Path) -> Result<Self> {
        let json: Value = serde_json::from_str(&read_text(&folder.join("case.json"))?)?;
        let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |key: &str| json.get(key).and_then(Value::as_bool).unwrap_or_default();
        let oracle = text("oracle");
        let Some(oracle) = Oracle::ALL.into_iter().find(|o| o.name() == oracle) else {
            bail!("unknown oracle {oracle:?}");
        };
        let version = json.get("version").and_then(Value::as_u64).context("a version")?;
        let case = Self {
            name: folder.file_name().context("a folder has a name")?.to_string_lossy().into_owned(),
            folder: folder.to_owned(),
            shows: text("shows"),
            oracle,
            version: version.try_into()?,
            target: text("target"),
            mls: flag("mls"),
            handle_unknown: text("handle_unknown"),
            enforcing: flag("enforcing"),
            compiler: text("compiler"),
            sha256: text("sha256"),
        };
        ensure!(!case.shows.is_empty(), "case.json says not what the case shows");
        Ok(case)
    }

    /// Every source and the binary made of it; the first is the policy loaded at first.
    ///
    /// # Errors
    /// When there is no source.
    pub fn files(&self) -> Result<Vec<(PathBuf, PathBuf)>> {
        let mut files = Vec::new();
        for n in 0.. {
            let stem = if n == 0 { "policy".to_owned() } else { format!("policy-{n}") };
            let source = ["conf", "cil"]
                .map(|kind| self.folder.join(format!("{stem}.{kind}")))
                .into_iter()
                .find(|path| path.exists());
            let Some(source) = source else { break };
            files.push((source, self.folder.join(format!("{stem}.bin"))));
        }
        ensure!(!files.is_empty(), "{} has neither policy.conf nor policy.cil", self.name);
        Ok(files)
    }

    /// The policy loaded at first.
    #[must_use]
    pub fn binary(&self) -> PathBuf {
        self.folder.join("policy.bin")
    }

    /// The policies that the `load` operation knows as 1, 2, …
    ///
    /// # Errors
    /// When there is no source.
    pub fn others(&self) -> Result<Vec<PathBuf>> {
        Ok(self.files()?.into_iter().skip(1).map(|(_, binary)| binary).collect())
    }

    /// The queries as they stand in the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn queries_text(&self) -> Result<String> {
        read_text(&self.folder.join("queries.jsonl"))
    }

    /// The queries.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn queries(&self) -> Result<Vec<Value>> {
        parse_lines(&self.queries_text()?)
    }

    /// The recorded answers.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn answers(&self) -> Result<Vec<Value>> {
        parse_lines(&read_text(&self.folder.join("answers.jsonl"))?)
    }

    /// Does `case.json` still hold the hash of the sources?
    ///
    /// # Errors
    /// When a source cannot be read.
    pub fn is_current(&self) -> Result<bool> {
        Ok(self.sources_hash()? == self.sha256)
    }

    pub(super) fn sources_hash(&self) -> Result<String> {
        let mut all = Vec::new();
        for (source, _) in self.files()? {
            all.extend(read_text(&source)?.into_bytes());
        }
        Ok(sha256(&all))
    }

    /// Writes answers; true when they are not those recorded so far.
    pub(super) fn record_answers(&self, answers: &[Value]) -> Result<bool> {
        let text: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
        let path = self.folder.join("answers.jsonl");
        let same = std::fs::read_to_string(&path).is_ok_and(|old| old == text);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok(!same)
    }

    /// Writes `case.json` anew.
    pub(super) fn record(&self) -> Result<()> {
        let quoted = |text: &str| Value::from(text).to_string();
        let fields = [
            ("shows", quoted(&self.shows)),
            ("oracle", quoted(self.oracle.name())),
            ("version", self.version.to_string()),
            ("target", quoted(&self.target)),
            ("mls", self.mls.to_string()),
            ("handle_unknown", quoted(&self.handle_unknown)),
            ("enforcing", self.enforcing.to_string()),
            ("compiler", quoted(&self.compiler)),
            ("sha256", quoted(&self.sha256)),
        ];
        let lines: Vec<String> =
            fields.iter().map(|(key, value)| format!("  \"{key}\": {value}")).collect();
        let path = self.folder.join("case.json");
        std::fs::write(&path, format!("{{\n{}\n}}\n", lines.join(",\n")))
            .with_context(|| format!("writing {}", path.display()))
    }
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

fn parse_lines(text: &str) -> Result<Vec<Value>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}
