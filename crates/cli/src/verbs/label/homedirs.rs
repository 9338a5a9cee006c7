//! `mandate label homedirs`: the file contexts of homes.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::Outcome;
use crate::homedirs::{self, Parts};
use crate::replace::replace;

/// Arguments of `label homedirs`.
#[derive(clap::Args)]
#[command(after_help = "\
Made of the policy's homedir_template and users, of seusers and users_extra, and of etc/passwd, etc/group, etc/shells, etc/login.defs,
etc/default/useradd, etc/libuser.conf and etc/selinux/semanage.conf below the root. Without --output it goes to standard output.")]
pub(super) struct Args {
    /// Root file system whose accounts are meant
    #[arg(long, short = 'R', value_name = "DIR")]
    root: Option<PathBuf>,
    /// Template; without it that of the module store, var/lib/selinux/TYPE/active/homedir_template
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Binary policy whose users and contexts count
    #[arg(long, short, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Which SELinux user a login becomes
    #[arg(long, value_name = "FILE")]
    seusers: Option<PathBuf>,
    /// Prefixes of the policy's users
    #[arg(long, value_name = "FILE")]
    users_extra: Option<PathBuf>,
    /// File contexts of the policy: a directory they speak of is none of homes
    #[arg(long, short, value_name = "FILE")]
    file_contexts: Option<PathBuf>,
    /// Replace this file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file of the root, etc/selinux/TYPE/contexts/files/file_contexts.homedirs
    #[arg(long, conflicts_with = "output")]
    install: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let parts = Parts {
        root: args.root.clone(),
        template: args.template.clone(),
        policy: args.policy.clone(),
        seusers: args.seusers.clone(),
        users_extra: args.users_extra.clone(),
        file_contexts: args.file_contexts.clone(),
    };
    let made = homedirs::make(&parts, err)?;
    let place = if args.install { Some(&made.place) } else { args.output.as_ref() };
    match place {
        None => out.write_all(&made.text)?,
        Some(place) if args.install && !place.parent().is_some_and(std::path::Path::is_dir) => {
            bail!("{}: no policy is installed there; name a file with --output", place.display())
        }
        Some(place) => replace(place, |to| Ok(to.write_all(&made.text)?))?,
    }
    Ok(Outcome::Success)
}
