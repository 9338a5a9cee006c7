//! A real kernel's SELinux, asked in a guest of its own.
//!
//! The guest is user-mode Linux (the kernel as an ordinary process, no root
//! needed) or, for the newest policy versions, a cloud kernel that qemu
//! emulates. Nothing runs in it but `compliance/guest/init.c`, which loads the
//! policies, puts the queries and writes raw records; from these come JSON
//! answers, one per query, in order.
//!
//! Queries are objects with an `op` (`access` when absent):
//!
//! | op | fields | answer |
//! |-|-|-|
//! | access | scontext tcontext tclass | allowed decided auditallow auditdeny seqno flags perms |
//! | access with xperm `ioctl=N`, `nlmsg=N` | scontext tcontext tclass | granted audited |
//! | create | scontext tcontext tclass \[objname\] | context |
//! | member, relabel | scontext tcontext tclass | context |
//! | context | context | context |
//! | user | context user | contexts |
//! | validatetrans | oldcontext newcontext tclass taskcontext | ok |
//! | setbool | name value | ok |
//! | getbool | name | value pending |
//! | commit | | ok |
//! | setenforce | value | ok |
//! | load | policy (number in the job) | ok |
//! | initial_sid | name | context |
//! | read | path (below selinuxfs, or absolute) | text |
//!
//! A refused query has `error` (the errno's name) and `step` instead. A query
//! with `xperm` is answered by a program that enters the domain and makes that
//! call on an object with that label, so the job must be enforcing.

mod boot;
mod initramfs;
mod records;
mod requests;
mod setup;
pub mod system;
pub mod userland;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// Which kernel answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// User-mode Linux 6.1 of Debian 12: policy versions up to 33, boots in 1 s.
    Uml,
    /// A 7.x cloud kernel in qemu without KVM: policy versions up to 35, boots in 4 s.
    Qemu,
}

/// A kernel that is ready to boot.
#[derive(Clone, Debug)]
pub struct Kernel {
    backend: Backend,
    image: PathBuf,
    init: PathBuf,
    modules: Vec<PathBuf>,
}

/// What one boot is asked.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// Binary policies; the first is loaded at boot, the `load` op takes any.
    pub policies: &'a [&'a [u8]],
    /// The queries, in the order in which they are put.
    pub queries: &'a [Value],
    /// Whether the kernel enforces from the first query on.
    pub enforcing: bool,
    /// Whether `access` answers name permissions; costs 0.4 s on a large policy.
    pub names: bool,
    /// Whether to bring back the policy as the kernel itself writes it.
    pub read_back: bool,
    /// When to give up.
    pub limit: Duration,
}

impl<'a> Job<'a> {
    /// A permissive job with permission names and a limit of two minutes.
    #[must_use]
    pub fn new(policies: &'a [&'a [u8]], queries: &'a [Value]) -> Self {
        let limit = Duration::from_secs(120);
        Self { policies, queries, enforcing: false, names: true, read_back: false, limit }
    }
}

/// What the kernel said.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// One object per query, in order.
    pub answers: Vec<Value>,
    /// Kernel version, policy version and mode, as they were after boot.
    pub status: Value,
    /// What the kernel logged about SELinux.
    pub log: Vec<String>,
    /// The kernel's own copy of the policy, when the job asked for it.
    pub read_back: Option<Vec<u8>>,
}

impl Kernel {
    /// Brings a kernel and the guest program into `cache`, where they stay.
    ///
    /// Downloads 41 MB (`Uml`) or 37 MB (`Qemu`) from the Debian mirror once and
    /// only unpacks them: /boot and /lib/modules stay as they are.
    ///
    /// # Errors
    /// When a download fails, or a compiler or qemu is missing.
    pub fn prepare(backend: Backend, cache: &Path) -> Result<Self> {
        let (image, modules) = setup::kernel(backend, cache)?;
        let init = setup::guest_program(setup::INIT, &[], cache)?;
        Ok(Self { backend, image, init, modules })
    }

    /// Boots a guest, puts the queries, and ends it.
    ///
    /// # Errors
    /// When a query cannot be put, the first policy does not load, or the guest
    /// does not come to its end in time.
    pub fn ask(&self, job: &Job<'_>) -> Result<Answers> {
        ensure!(!job.policies.is_empty(), "a job needs a policy");
        let requests = requests::encode(job.queries)?;
        let run = boot::Run::new(self, job, &requests)?;
        let ending = run.wait(job.limit)?;
        let raw = run.output();
        let told = records::read(&raw, job.queries)?;
        if let Some((what, errno)) = &told.failed {
            bail!("the kernel refused ({what}): {errno}\n{}", tail(&told.log));
        }
        if !told.ended {
            bail!("the guest {ending}\n{}", run.console_tail());
        }
        ensure!(
            told.answers.len() == job.queries.len(),
            "{} queries but {} answers",
            job.queries.len(),
            told.answers.len()
        );
        let status = told.status();
        Ok(Answers { answers: told.answers, status, log: told.log, read_back: told.read_back })
    }
}

/// The last lines of a log that say more than which classes a policy lacks.
#[must_use]
pub fn tail(log: &[String]) -> String {
    let telling = log.iter().filter(|line| !line.contains("not defined in policy"));
    let lines: Vec<&str> = telling.map(String::as_str).collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// Reads a file, naming it in the error.
fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}
