//! As whom programs run: never as root, whose files and processes no policy of a monitor without privileges could keep apart.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use anyhow::{Context as _, Result, bail};
use mandate_enforce::User;
use mandate_label::homedirs::{Account, Group};

/// An account that programs run as.
pub(super) struct Person {
    pub(super) user: User,
    account: Account,
}

impl Person {
    /// What its programs find in the environment of it.
    pub(super) fn environment(&self) -> Vec<(OsString, OsString)> {
        let Account { name, home, shell, .. } = &self.account;
        let text = |it: &[u8]| OsStr::from_bytes(it).to_owned();
        [("HOME", home), ("SHELL", shell), ("USER", name), ("LOGNAME", name)]
            .into_iter()
            .map(|(key, value)| (key.into(), text(value)))
            .collect()
    }
}

/// The account that is named; of root without a name the one that used `sudo`. None is whoever runs this.
///
/// # Errors
/// Root that names nobody, or somebody who does not exist.
pub(super) fn chosen(name: Option<&str>) -> Result<Option<Person>> {
    let root = rustix::process::geteuid().is_root();
    let name = match (name, root) {
        (Some(name), true) => name.to_owned(),
        (Some(_), false) => bail!("--user: only root can run programs as somebody else"),
        (None, false) => return Ok(None),
        (None, true) => std::env::var("SUDO_USER").ok().filter(|it| it != "root").context(
            "root has no need of a monitor that any of its programs could end: name an ordinary user with --user",
        )?,
    };
    let read = |file: &str| std::fs::read(file).with_context(|| file.to_owned());
    let (accounts, _) = Account::parse(&read("/etc/passwd")?);
    let account = accounts.into_iter().find(|it| *it.name == *name.as_bytes());
    let account = account.with_context(|| format!("--user: /etc/passwd has no {name}"))?;
    if account.uid == 0 {
        bail!("--user: {name} is root; name an ordinary user");
    }
    let (groups, _) = Group::parse(&std::fs::read("/etc/group").unwrap_or_default());
    let member = |it: &Group| it.members.contains(&account.name);
    let more = groups.iter().filter(|it| member(it)).map(|it| it.gid);
    let mut groups: Vec<u32> = std::iter::once(account.gid).chain(more).collect();
    groups.dedup();
    let user = User { user: account.uid, group: account.gid, groups };
    Ok(Some(Person { user, account }))
}
