//! `mandate label login`: which SELinux user a login becomes, and with which contexts.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mandate_label::LineError;
use mandate_label::default_contexts::{DefaultContexts, Login};
use mandate_label::failsafe::Failsafe;
use mandate_label::homedirs::{Account, Group};
use mandate_label::seusers::{Mapping, Seusers};
use mandate_policydb::Policy;
use serde_json::json;

use crate::{Outcome, STRONG, input, policy, styled};

/// Arguments of `label login`.
#[derive(clap::Args)]
#[command(after_help = "\
Read are seusers, contexts/default_contexts, contexts/users/USER and contexts/failsafe_context of the policy in force on the root, or
of --config; etc/passwd and etc/group say which groups the login is in. Contexts are those that the policy has, in the order of login.")]
pub(super) struct Args {
    /// The login
    login: String,
    /// Folder of a policy's configuration, such as /etc/selinux/default
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Root file system
    #[arg(long, short = 'R', value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// The policy, instead of the newest in the folder
    #[arg(long, short, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Only what this program, given as role:type, leads to
    #[arg(long, value_name = "ROLE:TYPE")]
    from: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let folder = args.config.clone().unwrap_or_else(|| policy::folder_in_force(&args.root));
    let policy = match &args.policy {
        Some(file) => file.clone(),
        None => input::newest_policy(&folder.join("policy")).with_context(|| {
            format!("no policy lies in {}; name one with --policy", folder.join("policy").display())
        })?,
    };
    let policy = input::read_policy(&policy)?;
    let mut files = Files { err: &mut *err };
    let seusers = files.read(&folder.join("seusers"), Seusers::parse)?.unwrap_or_default();
    let groups = files.groups(&args.root, &args.login)?;
    let mapping = seusers.lookup(args.login.as_bytes(), |it| groups.iter().any(|own| **own == *it));
    let own = Mapping { user: args.login.as_bytes(), range: None };
    let mapping = mapping.unwrap_or(own);
    let user = String::from_utf8_lossy(mapping.user).into_owned();
    if policy.db().users.find(&user).is_none() {
        bail!("{} becomes {user}, but the policy has no such user", args.login);
    }
    let contexts = folder.join("contexts");
    let system = files.read(&contexts.join("default_contexts"), DefaultContexts::parse)?;
    let users = files.read(&contexts.join("users").join(&user), DefaultContexts::parse)?;
    let failsafe = files.read(&contexts.join("failsafe_context"), Failsafe::parse)?.flatten();
    let tables = Tables { system, own: users, failsafe };
    if let Some(from) = args.from.as_deref().filter(|from| !tables.programs().any(|it| it == *from))
    {
        let known: Vec<String> = tables.programs().collect();
        writeln!(
            err,
            "no table names {from}: only the failsafe context is left; they name {}",
            known.join(", ")
        )?;
    }
    let answers = tables.answers(&policy, &mapping, args.from.as_deref());
    print(args, (&user, mapping.range), &answers, out)?;
    Ok(if answers.is_empty() { Outcome::Denied } else { Outcome::Success })
}

/// Reads files, which may be absent, and tells what is wrong with their lines.
struct Files<'a> {
    err: &'a mut dyn Write,
}

impl Files<'_> {
    fn read<T>(
        &mut self,
        path: &Path,
        parse: fn(&[u8]) -> (T, Vec<LineError>),
    ) -> Result<Option<T>> {
        let Some(bytes) = input::read_if_there(path)? else { return Ok(None) };
        let (table, errors) = parse(&bytes);
        for error in errors {
            writeln!(self.err, "{}:{error}; the line is left out", path.display())?;
        }
        Ok(Some(table))
    }

    /// Names of the groups that a login is in.
    fn groups(&mut self, root: &Path, login: &str) -> Result<Vec<Box<[u8]>>> {
        let accounts = self.read(&root.join("etc/passwd"), Account::parse)?.unwrap_or_default();
        let groups = self.read(&root.join("etc/group"), Group::parse)?.unwrap_or_default();
        let account = accounts.iter().find(|it| *it.name == *login.as_bytes());
        let is_in = |it: &Group| {
            account.is_some_and(|own| own.gid == it.gid)
                || it.members.iter().any(|it| **it == *login.as_bytes())
        };
        Ok(groups.into_iter().filter(is_in).map(|it| it.name).collect())
    }
}

struct Tables {
    system: Option<DefaultContexts>,
    own: Option<DefaultContexts>,
    failsafe: Option<Failsafe>,
}

/// For each program that logs in, as `role:type`, the contexts it leads to.
type Answers = BTreeMap<String, Vec<String>>;

impl Tables {
    fn programs(&self) -> impl Iterator<Item = String> {
        [&self.own, &self.system].into_iter().flatten().flat_map(DefaultContexts::programs)
    }

    fn answers(&self, policy: &Policy, mapping: &Mapping<'_>, from: Option<&str>) -> Answers {
        let db = policy.db();
        let range = mapping.range.filter(|_| db.mls).map(|it| String::from_utf8_lossy(it));
        let range = range.map_or_else(
            || if db.mls { ":s0".to_owned() } else { String::new() },
            |it| format!(":{it}"),
        );
        let valid =
            |it: &[u8]| std::str::from_utf8(it).is_ok_and(|it| db.parse_context(it).is_ok());
        let programs: Vec<String> = match from {
            Some(from) => vec![from.to_owned()],
            None => [&self.own, &self.system]
                .into_iter()
                .flatten()
                .flat_map(DefaultContexts::programs)
                .collect(),
        };
        let contexts = |program: &String| {
            let from = format!("system_u:{program}{range}");
            let login = Login {
                user: mapping.user,
                from: from.as_bytes(),
                own: self.own.as_ref(),
                system: self.system.as_ref(),
                failsafe: self.failsafe.as_ref(),
            };
            let found = login.contexts(valid);
            found.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect::<Vec<_>>()
        };
        let answers = programs.into_iter().map(|it| (contexts(&it), it));
        answers.filter(|it| !it.0.is_empty()).map(|(contexts, it)| (it, contexts)).collect()
    }
}

fn print(
    args: &Args,
    (user, range): (&str, Option<&[u8]>),
    answers: &Answers,
    out: &mut dyn Write,
) -> Result<()> {
    let range = range.map(|it| String::from_utf8_lossy(it).into_owned());
    if args.json {
        let answer =
            json!({ "login": args.login, "user": user, "range": range, "contexts": answers });
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&answer)?)?);
    }
    let range = range.map_or_else(String::new, |it| format!(" with range {it}"));
    writeln!(out, "{} becomes {}{range}", args.login, styled(STRONG, user))?;
    if answers.is_empty() {
        writeln!(
            out,
            "no context is left to log in with: the policy has none of those in the tables"
        )?;
    }
    let width = answers.keys().map(String::len).max().unwrap_or(0);
    for (program, contexts) in answers {
        let mut program = program.as_str();
        for context in contexts {
            writeln!(out, "  {program:width$}  {context}")?;
            program = "";
        }
    }
    Ok(())
}
