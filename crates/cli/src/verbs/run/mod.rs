//! `mandate run`: a program and everything it starts under a policy, without root and without SELinux in the kernel.

mod access;
mod coverage;
mod goals;
mod learn;
mod summary;
mod system;
mod told;
mod user;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use mandate_enforce::{Ended, News, Settings, State};
use mandate_policydb::PolicyDb;
use mandate_server::{Mode, SecurityServer};

use crate::Outcome;
use crate::verbs::sources::has_ending;
use learn::Learning;
use summary::Knowledge;
use system::System;
use told::Told;

/// Arguments of `run`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandate run -- bash                                    a shell of an ordinary user under the embedded base policy
  mandate run --permissive --learn web.te -- ./web       a module for a program, from what it does
  mandate run --policy web.te -- ./web                   the program under that module

Exit codes: the program's; 128 and the number of the signal that ended it; 2 if nothing was started. docs/run.md tells more.")]
pub(crate) struct Args {
    /// A binary policy or its sources, instead of the embedded base policy; a module, NAME.te, is added to that
    #[arg(long, value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// Give the program this context; its file has to be a way into it
    #[arg(long, conflicts_with_all = ["domain", "role", "level"])]
    context: Option<String>,
    /// Give the program a context of this type
    #[arg(long, value_name = "TYPE")]
    domain: Option<String>,
    /// Give the program a context of this role
    #[arg(long)]
    role: Option<String>,
    /// Give the program a context of this level or range
    #[arg(long)]
    level: Option<String>,
    /// Label files that have no label by these file contexts, instead of those of the policy
    #[arg(long, value_name = "FILE_CONTEXTS")]
    labels: Option<PathBuf>,
    /// Set a boolean
    #[arg(long, value_name = "BOOLEAN=on|off")]
    set: Vec<String>,
    /// Tell denials but let programs go ahead: all, or those of a domain
    #[arg(long, value_name = "DOMAIN", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    permissive: Vec<String>,
    /// Write a module with all that the program needs: OUT.te, and OUT.fc for its files. With --permissive
    #[arg(long, value_name = "OUT.te", requires = "permissive", conflicts_with_all = ["policy", "context", "json"])]
    learn: Option<PathBuf>,
    /// Decide on looks at files, too: attributes, links, whether they are there
    #[arg(long)]
    exact: bool,
    /// Append a record of each denial to a file, as the kernel's audit writes them
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// Keep the labels of files in this folder, for later runs with the same folder
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Say nothing of denials
    #[arg(long, short)]
    quiet: bool,
    /// Tell denials as JSON, a line each
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Run it as this user: needed where root starts it otherwise than by sudo
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Print what is decided on and what is not, and end
    #[arg(long)]
    coverage: bool,
    /// The program and its arguments
    #[arg(required_unless_present = "coverage", trailing_var_arg = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

/// What a login gets where nothing else is said.
const USER: &str = "user_u";
const ROLE: &str = "user_r";
const DOMAIN: &str = "user_t";

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    if args.coverage {
        out.write_all(coverage::TABLE.as_bytes())?;
        return Ok(Outcome::Success);
    }
    match confined(args, err) {
        Ok(outcome) => Ok(outcome),
        // Whoever reads the output of a program has to know which lines are not the program's.
        Err(why) => {
            writeln!(err, "mandate: {why:#}")?;
            Ok(Outcome::BadInput)
        }
    }
}

fn confined(args: &Args, err: &mut dyn Write) -> Result<Outcome> {
    let audit = args.audit.as_ref().map(|path| {
        let file = File::options().append(true).create(true).open(path);
        file.with_context(|| path.display().to_string())
    });
    let person = user::chosen(args.user.as_deref())?;
    let mut learning = Learning::of(args)?;
    if let Some(learning) = &learning {
        learning.can_be_written(person.as_ref().map(|it| &it.user))?;
    }
    let system = System::load(args, learning.as_ref(), err)?;
    let everybody = args.permissive.iter().any(String::is_empty);
    let mode = if everybody { Mode::Permissive } else { Mode::Enforcing };
    let context = args.context(system.policy.db())?;
    let server = SecurityServer::new(system.policy, mode)?;
    for setting in &args.set {
        set_boolean(&server, setting)?;
    }
    server.commit_booleans();
    let state = args.state.as_deref().map(State::open).transpose()?;
    let audit = audit.transpose()?;
    let apart = audit.as_ref().map(File::try_clone).transpose()?;
    let mut told = Told::new(args, audit, &server, err);
    let mut hears = |news: News<'_>| match (&mut learning, news) {
        (Some(learning), News::Decision(record)) => {
            told.write_record(record);
            learning.hears(record);
        }
        (_, news) => told.hears(news),
    };
    let settings = Settings {
        server: &server,
        file_contexts: &system.file_contexts,
        configuration: &system.configuration,
        state: state.as_ref(),
        apart: apart.as_ref(),
        context: &context,
        enter: args.names_context(),
        exact: args.exact,
        hidden: args.learn.is_some(),
        user: person.as_ref().map(|it| &it.user),
        environment: person.as_ref().map(user::Person::environment).unwrap_or_default(),
        told: &mut hears,
    };
    let ended = mandate_enforce::run(settings, &args.program)?;
    told.summary(&Knowledge {
        file_contexts: &system.file_contexts,
        labels: args.labels.as_deref(),
        embedded: args.policy.as_ref().is_none_or(|it| has_ending(it, "te")),
    })?;
    if let Some(learning) = &learning {
        learning.finish(&server, err)?;
    }
    if let Some(Err(why)) = state.map(State::finish) {
        writeln!(err, "mandate: {why}; some labels of this run are lost")?;
    }
    let code = match ended {
        Ended::Exited(code) => code,
        Ended::Killed(signal) => 128 + signal,
    };
    Ok(Outcome::Code(u8::try_from(code).unwrap_or(u8::MAX)))
}

impl Args {
    fn names_context(&self) -> bool {
        let parts = [&self.context, &self.domain, &self.role, &self.level];
        parts.iter().any(|it| it.is_some())
    }

    /// The context that is asked for, or that of a login.
    fn context(&self, db: &PolicyDb) -> Result<String> {
        let domain = self.domain.as_deref().unwrap_or(DOMAIN);
        if db.types.id(domain).is_none() && self.context.is_none() {
            bail!(
                "the policy has no type {domain}; mandate query info type=NAME POLICY looks for one"
            );
        }
        let role = match (&self.role, &self.domain) {
            (Some(role), _) => role,
            (None, Some(domain)) => role_of(db, domain),
            (None, None) => ROLE,
        };
        let user = if role == "system_r" { "system_u" } else { USER };
        let level = self.level.as_deref().unwrap_or("s0");
        let made = match db.mls {
            true => format!("{user}:{role}:{domain}:{level}"),
            false => format!("{user}:{role}:{domain}"),
        };
        let context = self.context.clone().unwrap_or(made);
        db.parse_context(&context).with_context(|| context.clone())?;
        Ok(context)
    }
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
