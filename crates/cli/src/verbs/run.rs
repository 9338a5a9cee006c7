//! `mandate run`: a program and everything it starts under a policy, without root and without SELinux in the kernel.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use mandate_enforce::{Ended, Record, Settings, Subject};
use mandate_label::file_contexts::{FileContexts, Source, Substitutions};
use mandate_label::homedirs::{self, Account, Inputs, PolicyUser};
use mandate_label::seusers::Seusers;
use mandate_policydb::{Policy, PolicyDb, Unvalidated};
use mandate_server::{Mode, SecurityServer};

use crate::compiler::{self, Input, Options};
use crate::{Outcome, labels, policy, sources};

/// Arguments of `run`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A binary policy or its sources, instead of the embedded base policy
    #[arg(long, value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// The context of the program, instead of that of an ordinary user
    #[arg(long, conflicts_with_all = ["domain", "role", "level"])]
    context: Option<String>,
    /// The type of the context
    #[arg(long, value_name = "TYPE")]
    domain: Option<String>,
    /// The role of the context
    #[arg(long)]
    role: Option<String>,
    /// The level or range of the context
    #[arg(long)]
    level: Option<String>,
    /// File contexts that label files which have no label, instead of those of the policy
    #[arg(long, value_name = "FILE_CONTEXTS")]
    labels: Option<PathBuf>,
    /// Set a boolean
    #[arg(long, value_name = "BOOLEAN=on|off")]
    set: Vec<String>,
    /// Tell denials but let the programs go ahead
    #[arg(long)]
    permissive: bool,
    /// Decide on looks at files, too: their attributes, links and whether they are there
    #[arg(long)]
    exact: bool,
    /// Append records of what was denied to a file, as the kernel's audit writes them
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// Say nothing of denials
    #[arg(long, short)]
    quiet: bool,
    /// Run as this user; needed when root starts it
    #[arg(long, value_name = "NAME")]
    user: Option<OsString>,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

/// What a login gets where nothing else is said.
const USER: &str = "user_u";
const ROLE: &str = "user_r";
const DOMAIN: &str = "user_t";

pub(crate) fn run(args: &Args, err: &mut dyn Write) -> Result<Outcome> {
    let audit = args.audit.as_ref().map(|path| {
        let file = File::options().append(true).create(true).open(path);
        file.with_context(|| path.display().to_string())
    });
    let mut audit = audit.transpose()?;
    let system = System::load(args, err)?;
    let mode = if args.permissive { Mode::Permissive } else { Mode::Enforcing };
    let context = context(args, system.policy.db());
    let server = SecurityServer::new(system.policy, mode)?;
    for setting in &args.set {
        set_boolean(&server, setting)?;
    }
    server.commit_booleans();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut serial = 0;
    let mut told = |record: &Record| {
        serial += 1;
        if let Some(file) = &mut audit {
            let line = audit_line(record, serial);
            // The disk may be full: programs go on.
            let _full = file.write_all(line.as_bytes());
        }
        let line = sentence(record);
        let times = seen.entry(line.clone()).or_insert(0);
        *times += 1;
        if *times == 1 && record.denied && !args.quiet {
            let _closed = writeln!(err, "{line}");
        }
    };
    let settings = Settings {
        server: &server,
        file_contexts: &system.file_contexts,
        context: &context,
        exact: args.exact,
        told: &mut told,
    };
    let ended = mandate_enforce::run(settings, &args.program)?;
    let code = match ended {
        Ended::Exited(code) => code,
        Ended::Killed(signal) => 128 + signal,
    };
    Ok(Outcome::Code(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// A policy, and what labels files under it.
struct System {
    policy: Policy,
    file_contexts: FileContexts,
}

impl System {
    fn load(args: &Args, err: &mut dyn Write) -> Result<Self> {
        let Some(path) = &args.policy else { return Self::embedded(args) };
        let loaded = policy::load(std::slice::from_ref(path), err)?;
        let Some(labels) = &args.labels else {
            bail!("{} says nothing of files: name file contexts with --labels", path.display())
        };
        Ok(Self { policy: loaded.policy, file_contexts: labels::open(labels)?.table })
    }

    fn embedded(args: &Args) -> Result<Self> {
        let outcome = compiler::compile(Input::Tree(sources::base_policy()), &Options::default())?;
        let Some(product) = outcome.product else {
            bail!("the embedded base policy has an error; mandate check shows it")
        };
        let policy = Unvalidated::from_db(product.policy).validate()?;
        let file_contexts = match &args.labels {
            Some(path) => labels::open(path)?.table,
            None => file_contexts(policy.db(), &product.files)?,
        };
        Ok(Self { policy, file_contexts })
    }
}

/// File contexts of a build, with the homes of this machine's accounts, which are all those of ordinary users.
fn file_contexts(db: &PolicyDb, files: &BTreeMap<String, Vec<u8>>) -> Result<FileContexts> {
    let part = |name: &str| files.get(name).map(Vec::as_slice).unwrap_or_default();
    let level = if db.mls { ":s0" } else { "" };
    let (seusers, _) = Seusers::parse(format!("__default__:{USER}{level}\n").as_bytes());
    let (users, _) = PolicyUser::of_policy(db, part("users_extra"));
    let passwd = std::fs::read("/etc/passwd").unwrap_or_default();
    let (accounts, _) = Account::parse(&passwd);
    let homes = homedirs::homedirs(&Inputs {
        template: part("homedir_template"),
        seusers: &seusers,
        users: &users,
        mls: db.mls,
        accounts: &accounts,
        groups: &[],
        settings: homedirs::Settings { use_accounts: true, ..homedirs::Settings::default() },
        file_contexts: part("file_contexts"),
        is_valid: &|it| std::str::from_utf8(it).is_ok_and(|it| db.parse_context(it).is_ok()),
        matches: &|_, _| false,
    })?;
    let sources = [
        Source { name: "file_contexts", bytes: part("file_contexts") },
        Source { name: "file_contexts.homedirs", bytes: &homes.text },
    ];
    let (subs, _) = Substitutions::parse(part("appconfig/files/file_contexts.subs_dist"));
    let (table, _) = FileContexts::compile(&sources, [Substitutions::default(), subs]);
    Ok(table)
}

fn context(args: &Args, db: &PolicyDb) -> String {
    if let Some(context) = &args.context {
        return context.clone();
    }
    let domain = args.domain.as_deref().unwrap_or(DOMAIN);
    let system = args.domain.is_some() && args.role.is_none();
    let role = args.role.as_deref().unwrap_or(if system { role_of(db, domain) } else { ROLE });
    let user = if role == "system_r" { "system_u" } else { USER };
    let level = args.level.as_deref().unwrap_or("s0");
    if db.mls { format!("{user}:{role}:{domain}:{level}") } else { format!("{user}:{role}:{domain}") }
}

/// The role of a domain that was named alone: that of users if it may have it, else the system's.
fn role_of(db: &PolicyDb, domain: &str) -> &'static str {
    let level = if db.mls { ":s0" } else { "" };
    let of_user = format!("{USER}:{ROLE}:{domain}{level}");
    if db.parse_context(&of_user).is_ok() { ROLE } else { "system_r" }
}

fn set_boolean(server: &SecurityServer, setting: &str) -> Result<()> {
    let (name, value) = setting.split_once('=').unwrap_or((setting, "on"));
    let value = match value {
        "on" | "true" | "1" => true,
        "off" | "false" | "0" => false,
        other => bail!("{name} can be on or off, not {other:?}"),
    };
    Ok(server.set_boolean(name, value)?)
}

/// One line for people.
fn sentence(record: &Record) -> String {
    let type_of = |context: &str| context.split(':').nth(2).unwrap_or(context).to_owned();
    let what = match &record.subject {
        Subject::File { path, .. } => String::from_utf8_lossy(path).into_owned(),
        Subject::Port(port) => format!("port {port}"),
        Subject::Process(process) => format!("process {process}"),
        _ => String::new(),
    };
    let command = String::from_utf8_lossy(&record.command);
    let verdict = if record.permissive { "would be denied" } else { "denied" };
    format!(
        "mandate: {verdict}: {command} ({}) {} {} {what} ({})",
        type_of(&record.source),
        record.permissions.join(" "),
        record.class,
        type_of(&record.target),
    )
}

fn audit_line(record: &Record, serial: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!(
        "type=AVC msg=audit({}.{:03}:{serial}): {record}\n",
        now.as_secs(),
        now.subsec_millis()
    )
}
