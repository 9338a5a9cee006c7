//! The side of a comparison that is ours: the libraries in this process, or the `mandate` program.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use mandate_policydb::{
    AvRule, ClassId, FsUseBehavior, PolicyDb, PolicyVersion, SymbolId, Unvalidated,
    drop_unsupported,
};
use mandate_server::{
    Compute, Decision, Engine, FsUse, Mode, ObjectLookup, SecurityServer, ServerError, Sid,
};
use serde_json::Value;

use crate::objects::Object;
use crate::place::Place;
use crate::queries::Access;

/// What both sides say about access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vectors {
    /// Permissions that are granted.
    pub allowed: u32,
    /// Permissions whose grant is audited.
    pub auditallow: u32,
    /// Permissions whose denial is audited.
    pub auditdeny: u32,
}

impl fmt::Display for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { allowed, auditallow, auditdeny } = self;
        write!(
            f,
            "allowed {allowed:#010x} auditallow {auditallow:#010x} auditdeny {auditdeny:#010x}"
        )
    }
}

impl Vectors {
    /// Only the bits that stand for a permission of the class.
    #[must_use]
    pub fn masked(self, permissions: u32) -> Self {
        let Self { allowed, auditallow, auditdeny } = self;
        Self {
            allowed: allowed & permissions,
            auditallow: auditallow & permissions,
            auditdeny: auditdeny & permissions,
        }
    }

    /// The answer of libsepol's program.
    ///
    /// # Errors
    /// When it is not three hexadecimal numbers.
    pub fn parse(answer: &str) -> Result<Self> {
        let numbers: Result<Vec<u32>, _> =
            answer.split('\t').map(|field| u32::from_str_radix(field, 16)).collect();
        match numbers.with_context(|| format!("libsepol answers {answer:?}"))?[..] {
            [allowed, auditallow, auditdeny] => Ok(Self { allowed, auditallow, auditdeny }),
            _ => bail!("libsepol answers {answer:?}"),
        }
    }
}

/// Our security server, with the contexts of a pool at hand.
pub struct Server {
    server: SecurityServer,
    pool: Vec<Sid>,
    contexts: Vec<mandate_policydb::Context>,
}

impl Server {
    /// Loads a policy: reads, validates and indexes it.
    ///
    /// # Errors
    /// When the policy is refused.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let server = SecurityServer::new(Unvalidated::read(bytes)?.validate()?, Mode::Permissive)?;
        Ok(Self { server, pool: Vec::new(), contexts: Vec::new() })
    }

    /// Adds the next context of the pool; its canonical text.
    ///
    /// # Errors
    /// When the context is refused: why.
    pub fn add_context(&mut self, text: &str) -> Result<String, ServerError> {
        let sid = self.server.sid(text)?;
        self.contexts.push(self.server.with_engine(|engine| engine.db().parse_context(text))?);
        self.pool.push(sid);
        self.server.context(sid)
    }

    /// The context of the first initial SID: one that every policy of a kind has.
    #[must_use]
    pub fn initial_context(&self) -> String {
        self.server.with_engine(|engine| {
            let first = engine.db().object_contexts.contexts().next();
            first.map(|context| engine.db().context_to_string(context)).unwrap_or_default()
        })
    }

    /// The bits that stand for a permission of a class; all of them where there is no such class.
    #[must_use]
    pub fn permissions(&self, class: u32) -> u32 {
        let class = ClassId::from_value(class);
        let mask = |class| self.server.with_engine(|engine| engine.db().permission_mask(class));
        class.map_or(u32::MAX, mask)
    }

    /// What a context of the pool may do to another; classes by value. No cache is asked.
    #[must_use]
    pub fn access(&self, access: Access) -> Vectors {
        self.server.with_engine(|engine| self.decide(engine, access)).into()
    }

    /// The context of something new, or why there is none; `name` is the new object's.
    #[must_use]
    pub fn computed(&self, compute: Compute, asked: Access, name: Option<&str>) -> String {
        let (source, target) = (self.contexts.get(asked.source), self.contexts.get(asked.target));
        let (Some(source), Some(target)) = (source, target) else { return "-".to_owned() };
        self.server.with_engine(|engine| {
            let class = ClassId::from_value(asked.class);
            let name = name.map(str::as_bytes);
            match engine.compute_context(compute, source, target, class, name) {
                Ok(context) => engine.db().context_to_string(&context),
                Err(why) => why.to_string(),
            }
        })
    }

    /// Decides all of these, by one thread and without a cache; the sum of what is allowed.
    #[must_use]
    pub fn decide_all(&self, asked: &[Access]) -> u64 {
        let allowed = |engine: &Engine, access: &Access| self.decide(engine, *access).allowed;
        self.server.with_engine(|engine| {
            asked.iter().map(|access| u64::from(allowed(engine, access))).sum()
        })
    }

    fn decide(&self, engine: &Engine, access: Access) -> Decision {
        let context = |n: usize| self.contexts.get(n);
        match (context(access.source), context(access.target)) {
            (Some(source), Some(target)) => engine.decide_numbered(source, target, access.class),
            _ => Decision::DENIED,
        }
    }

    /// The same through the cache of decisions, as an object manager asks.
    #[must_use]
    pub fn decide_cached(&self, asked: &[Cached]) -> u64 {
        let allowed = |it: &Cached| {
            let decision = self.server.decide(it.source, it.target, it.class);
            decision.map_or(0, |decision| u64::from(decision.allowed))
        };
        asked.iter().map(allowed).sum()
    }

    /// Questions in the form that [`Self::decide_cached`] takes.
    #[must_use]
    pub fn cached(&self, asked: &[Access]) -> Vec<Cached> {
        let one = |access: &Access| {
            let sid = |n: usize| self.pool.get(n).copied();
            let class = ClassId::from_value(access.class)?;
            Some(Cached { source: sid(access.source)?, target: sid(access.target)?, class })
        };
        asked.iter().filter_map(one).collect()
    }

    /// Sets booleans and commits them.
    ///
    /// # Errors
    /// When one does not exist.
    pub fn set_booleans(&mut self, set: &[(String, bool)]) -> Result<()> {
        for (name, value) in set {
            self.server.set_boolean(name, *value)?;
        }
        self.server.commit_booleans();
        Ok(())
    }

    /// The context of an object, as libsepol's program writes it.
    #[must_use]
    pub fn object(&self, object: &Object) -> String {
        self.server.with_engine(|engine| {
            let db = engine.db();
            let text = |context: &mandate_policydb::Context| db.context_to_string(context);
            let or_initial = |found: Option<&mandate_policydb::Context>, name: &str| {
                found.or_else(|| db.lookup_initial_sid_by_name(name)).map(text)
            };
            let answer = match object {
                Object::Port(protocol, port) => {
                    or_initial(db.lookup_port((*protocol).into(), (*port).into()), "port")
                }
                Object::Node(IpAddr::V4(address)) => or_initial(db.lookup_node(*address), "node"),
                Object::Node(IpAddr::V6(address)) => or_initial(db.lookup_node6(*address), "node"),
                Object::Netif(name) => {
                    let found = db.lookup_netif(name.as_bytes());
                    or_initial(found.map(|netif| &netif.context), "netif")
                }
                Object::Genfs(fs, path, class) => {
                    let class = ClassId::from_value(*class);
                    db.lookup_genfs(fs.as_bytes(), path.as_bytes(), class).map(text)
                }
                Object::Initial(number) => db.lookup_initial_sid(*number).map(text),
                Object::FsUse(fs) => match db.lookup_fs_use(fs.as_bytes()) {
                    FsUse::Behavior(how, context) => {
                        Some(format!("{}\t{}", behaviour(how), text(context)))
                    }
                    FsUse::Genfs(context) => Some(format!("4\t{}", text(context))),
                    FsUse::None => or_initial(None, "unlabeled").map(|it| format!("5\t{it}")),
                },
            };
            answer.unwrap_or_else(|| "-".to_owned())
        })
    }
}

/// The kernel's number for a way of labelling (`SECURITY_FS_USE_*`).
fn behaviour(how: FsUseBehavior) -> u32 {
    match how {
        FsUseBehavior::Xattr => 1,
        FsUseBehavior::Trans => 2,
        FsUseBehavior::Task => 3,
        FsUseBehavior::Other(number) => number,
    }
}

/// An access question by SIDs.
#[derive(Clone, Copy, Debug)]
pub struct Cached {
    source: Sid,
    target: Sid,
    class: ClassId,
}

impl From<Decision> for Vectors {
    fn from(decision: Decision) -> Self {
        let Decision { allowed, auditallow, auditdeny, .. } = decision;
        Self { allowed, auditallow, auditdeny }
    }
}

/// Reads, validates and writes a policy at the version it has.
///
/// # Errors
/// When the policy is refused or cannot be written.
pub fn rewrite(bytes: &[u8]) -> Result<Vec<u8>> {
    let policy = Unvalidated::read(bytes)?.validate()?;
    let mut copy = Vec::with_capacity(bytes.len());
    policy.db().write(policy.db().version, &mut copy)?;
    Ok(copy)
}

/// Reads a policy and writes it at another version, without what that version cannot hold.
///
/// # Errors
/// When the policy is refused or cannot be written at that version.
pub fn convert(bytes: &[u8], version: u32) -> Result<Vec<u8>> {
    let version = PolicyVersion::new(version).context("no such policy version")?;
    let mut db = Unvalidated::read(bytes)?.validate()?.into_db();
    drop_unsupported(&mut db, version);
    let mut copy = Vec::with_capacity(bytes.len());
    db.write(version, &mut copy)?;
    Ok(copy)
}

/// Whether two policies differ in nothing but the order of their rules, which below version 20 is
/// that of a hash table of the writer's.
///
/// # Errors
/// When one of them is refused.
pub fn same_but_for_order(one: &[u8], other: &[u8]) -> Result<bool> {
    let order = |rules: &mut Vec<AvRule>| {
        let key = |rule: &AvRule| (rule.source, rule.target, rule.class(), rule.kind, rule.datum());
        rules.sort_unstable_by_key(key);
    };
    let sorted = |bytes: &[u8]| {
        let mut db = Unvalidated::read(bytes)?.validate()?.into_db();
        order(&mut db.rules);
        for conditional in &mut db.conditionals {
            order(&mut conditional.when_true);
            order(&mut conditional.when_false);
        }
        anyhow::Ok(db)
    };
    let (mut one, mut other) = (sorted(one)?, sorted(other)?);
    if *one.rules != *other.rules {
        return Ok(false);
    }
    let rest = |db: &mut PolicyDb| {
        db.rules.clear();
        let mut bytes = Vec::new();
        db.write(db.version, &mut bytes)?;
        anyhow::Ok(bytes)
    };
    Ok(rest(&mut one)? == rest(&mut other)?)
}

/// Asks `mandate decide --jsonl`; an answer per query.
///
/// # Errors
/// When it fails, or does not answer each query with one JSON object.
pub fn ask_mandate(place: &Place, policy: &Path, queries: &[Value]) -> Result<Vec<Value>> {
    // Suites ask from several threads at once.
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let asked = ASKED.fetch_add(1, Ordering::Relaxed);
    let input = place.work.join(format!("queries.{}.{asked}.jsonl", std::process::id()));
    let text: String = queries.iter().map(|query| format!("{query}\n")).collect();
    std::fs::write(&input, text).with_context(|| format!("writing {}", input.display()))?;
    let file = std::fs::File::open(&input).context("opening the queries")?;
    let output = Command::new(place.mandate()?)
        .arg("decide")
        .arg(policy)
        .arg("--jsonl")
        .stdin(file)
        .stderr(Stdio::inherit())
        .output()
        .context("starting mandate decide")?;
    std::fs::remove_file(&input).context("removing the queries")?;
    if !output.status.success() {
        bail!("mandate decide --jsonl: {}", output.status);
    }
    let answers: Result<Vec<Value>, _> = output
        .stdout
        .split(|&byte| byte == b'\n')
        .filter(|l| !l.is_empty())
        .map(serde_json::from_slice)
        .collect();
    let answers = answers.context("mandate decide --jsonl does not answer with JSON lines")?;
    if answers.len() != queries.len() {
        bail!("{} answers to {} queries", answers.len(), queries.len());
    }
    Ok(answers)
}
