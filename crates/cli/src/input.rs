//! What verbs are given: policies, contexts, classes, permissions, booleans, by name.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use mandate_policydb::{
    BoolId, ClassId, Context, PROVENANCE_SUFFIX, Policy, PolicyDb, Provenance, Unvalidated,
};
use mandate_query::lookup;
use mandate_server::{Engine, XpermBase};
use sha2::{Digest as _, Sha256};

use crate::suggest;

/// The policy of the running kernel.
pub(crate) const KERNEL_POLICY: &str = "/sys/fs/selinux/policy";

/// The bytes of a file, or of standard input if it is `-`.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("standard input")?;
        return Ok(bytes);
    }
    if path.is_dir() {
        bail!("{} is a folder{}", path.display(), policy_within(path));
    }
    std::fs::read(path).with_context(|| {
        let no_selinux = path == Path::new(KERNEL_POLICY);
        let hint =
            if no_selinux { ": SELinux is not enabled here; name a policy file" } else { "" };
        format!("{}{hint}", path.display())
    })
}

/// The bytes of a file, if there is one.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// The newest policy of a folder such as /etc/selinux/default/policy.
pub(crate) fn newest_policy(folder: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let version: u32 = name.strip_prefix("policy.")?.parse().ok()?;
        Some((version, entry.path()))
    });
    versions.max().map(|it| it.1)
}

/// A hint at the newest policy of a folder.
fn policy_within(folder: &Path) -> String {
    let newest = newest_policy(folder);
    newest.map_or_else(String::new, |it| format!("; did you mean {}?", it.display()))
}

/// A policy that was read but not checked.
pub(crate) fn read_unvalidated(path: &Path) -> Result<Unvalidated> {
    let bytes = read_bytes(path)?;
    Unvalidated::read(&bytes).with_context(|| path.display().to_string())
}

/// A policy that holds together.
pub(crate) fn read_policy(path: &Path) -> Result<Policy> {
    read_unvalidated(path)?.validate().with_context(|| path.display().to_string())
}

/// A policy ready to decide.
pub(crate) fn read_engine(path: &Path) -> Result<Engine> {
    Engine::new(read_policy(path)?).with_context(|| path.display().to_string())
}

/// A policy ready to decide, and where its rules were written if the file beside it says so.
pub(crate) fn read_traced(path: &Path) -> Result<(Engine, Option<Provenance>)> {
    let bytes = read_bytes(path)?;
    let provenance = read_provenance(path, &bytes)?;
    let policy = Unvalidated::read(&bytes).with_context(|| path.display().to_string())?;
    let policy = policy.validate().with_context(|| path.display().to_string())?;
    let engine = Engine::new(policy).with_context(|| path.display().to_string())?;
    Ok((engine, provenance))
}

/// The provenance file beside a policy; none if there is none.
pub(crate) fn read_provenance(policy: &Path, bytes: &[u8]) -> Result<Option<Provenance>> {
    if policy == Path::new("-") {
        return Ok(None);
    }
    let mut beside = policy.as_os_str().to_owned();
    beside.push(PROVENANCE_SUFFIX);
    let path = Path::new(&beside);
    let read = match std::fs::read(path) {
        Ok(read) => read,
        Err(error) if NO_PROVENANCE.contains(&error.kind()) => return Ok(None),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let provenance = Provenance::read(&read).with_context(|| path.display().to_string())?;
    if *provenance.policy_hash() != <[u8; 32]>::from(Sha256::digest(bytes)) {
        bail!(
            "{} belongs to another policy than {}: build both anew, or remove it",
            path.display(),
            policy.display()
        );
    }
    Ok(Some(provenance))
}

/// How opening a file fails that is not there.
const NO_PROVENANCE: [ErrorKind; 2] = [ErrorKind::NotFound, ErrorKind::NotADirectory];

/// The policy that a question is about.
#[derive(clap::Args)]
pub(crate) struct PolicyArgs {
    /// Binary policy; - for standard input
    pub(crate) policy: PathBuf,
    /// Decide as if a boolean had this value (repeatable)
    #[arg(long = "bool", value_name = "NAME=VALUE", value_parser = parse_bool)]
    pub(crate) booleans: Vec<(String, bool)>,
}

/// The question itself.
#[derive(clap::Args)]
pub(crate) struct QuestionArgs {
    /// Context of the process, as user:role:type[:range]
    scontext: String,
    /// Context of the object
    tcontext: String,
    /// Object class, such as file
    class: String,
    /// Permissions; without any, all of the class
    #[arg(value_name = "PERM")]
    permissions: Vec<String>,
    /// One extended permission: ioctl=0x8910 or nlmsg=0x10
    #[arg(long, value_name = "KIND=NUMBER", value_parser = parse_xperm)]
    xperm: Option<(XpermBase, u16)>,
}

/// A question with every name looked up.
pub(crate) struct Question {
    pub(crate) engine: Engine,
    pub(crate) source: Context,
    pub(crate) target: Context,
    pub(crate) class: ClassId,
    /// Bits of the permissions; `None` for all.
    pub(crate) requested: Option<u32>,
    pub(crate) xperm: Option<(XpermBase, u16)>,
}

impl QuestionArgs {
    /// Reads the policy and looks up every name.
    pub(crate) fn resolve(&self, policy: &PolicyArgs) -> Result<Question> {
        self.resolve_by(with_booleans(read_engine(&policy.policy)?, &policy.booleans)?)
    }

    /// These words.
    pub(crate) fn of(
        [scontext, tcontext, class]: [String; 3],
        permissions: Vec<String>,
        xperm: Option<(XpermBase, u16)>,
    ) -> Self {
        Self { scontext, tcontext, class, permissions, xperm }
    }

    /// Looks up every name in a policy that was read, whose booleans stand as they shall.
    pub(crate) fn resolve_by(&self, engine: Engine) -> Result<Question> {
        let db = engine.db();
        let source = context(db, "source", &self.scontext)?;
        let target = context(db, "target", &self.tcontext)?;
        let class = class(db, &self.class)?;
        let mut requested = 0;
        for name in &self.permissions {
            requested |= permission(db, class, name)?;
        }
        if let Some((base, _)) = self.xperm {
            requested |= permission(db, class, base.permission())?;
        }
        let requested = (requested != 0).then_some(requested);
        Ok(Question { source, target, class, requested, xperm: self.xperm, engine })
    }
}

/// The engine with these booleans.
pub(crate) fn with_booleans(engine: Engine, changes: &[(String, bool)]) -> Result<Engine> {
    let mut ids: Vec<(BoolId, bool)> = Vec::new();
    for (name, value) in changes {
        let id = engine.db().booleans.id(name);
        ids.push((
            id.ok_or_else(|| anyhow!(suggest::unknown(engine.db(), "boolean", name)))?,
            *value,
        ));
    }
    if ids.is_empty() {
        return Ok(engine);
    }
    let booleans = engine.booleans().with(engine.db(), ids);
    Ok(engine.with_booleans(booleans))
}

/// The context that text names.
pub(crate) fn context(db: &PolicyDb, which: &str, text: &str) -> Result<Context> {
    db.parse_context(text)
        .map_err(|error| anyhow!("{which} context {text:?}: {}", suggest::context(db, &error)))
}

/// The class of a name.
pub(crate) fn class(db: &PolicyDb, name: &str) -> Result<ClassId> {
    db.classes.id(name).ok_or_else(|| anyhow!(suggest::unknown(db, "class", name)))
}

pub(crate) fn permission(db: &PolicyDb, class: ClassId, name: &str) -> Result<u32> {
    match db.permission(class, name) {
        Some(id) => Ok(id.mask()),
        None => bail!(suggest::unknown_permission(db, class, name)),
    }
}

pub(crate) fn parse_xperm(text: &str) -> Result<(XpermBase, u16), String> {
    let (base, numbers) = lookup::commands(text)?;
    if numbers.start() != numbers.end() {
        return Err(format!("expected a number, found the range {text:?}"));
    }
    Ok((base, *numbers.start()))
}

/// `NAME=VALUE` of a boolean.
pub(crate) fn parse_bool(text: &str) -> Result<(String, bool), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=on or NAME=off")?;
    let value = match value {
        "1" | "on" | "true" => true,
        "0" | "off" | "false" => false,
        other => return Err(format!("expected on or off after =, found {other:?}")),
    };
    Ok((name.to_owned(), value))
}
