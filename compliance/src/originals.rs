//! The original tools: which Debian packages hold them, and how they get here.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::place::run;

/// A Debian package and what this suite needs it for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name in Debian and Ubuntu.
    pub name: &'static str,
    /// What it is needed for.
    pub purpose: &'static str,
}

const fn package(name: &'static str, purpose: &'static str) -> Package {
    Package { name, purpose }
}

/// Everything that the comparisons with the original tools need.
pub const PACKAGES: &[Package] = &[
    package("checkpolicy", "the original policy compiler"),
    package("secilc", "the original CIL compiler"),
    package("libsepol-dev", "libsepol, whose decisions are compared with ours"),
    package("selinux-policy-src", "the Reference Policy"),
    package("selinux-policy-default", "modules as Debian ships them"),
    package("selinux-policy-mls", "modules as Debian ships them, with many levels"),
    package("bzip2", "unpacks those modules"),
    package("gcc", "compiles the small programs that ask libsepol and the kernel"),
    package("libc6-dev", "headers for those programs"),
    package("make", "builds the Reference Policy"),
    package("m4", "builds the Reference Policy"),
    package("gawk", "builds the Reference Policy"),
    package("python3", "builds the Reference Policy"),
    package("libselinux1-dev", "libselinux, whose labels are compared with ours"),
    package("semodule-utils", "packages, links and expands modules"),
    package("policycoreutils", "semodule, to be timed, and what it makes CIL with"),
    package("setools", "sesearch, seinfo and sediff, whose answers are compared with ours"),
    package("python3-setools", "setools' library: paths through a policy"),
    package("selinux-utils", "sefcontext_compile, whose files are compared with ours"),
    package(
        "policycoreutils-python-utils",
        "chcat, audit2allow and audit2why, to be compared with ours",
    ),
    package("mmdebstrap", "makes the Debian system that boots under the base policy"),
    package("e2fsprogs", "makes the disk of a guest whose files are labelled"),
    package("time", "tells the memory of a build"),
    package("zstd", "unpacks the Reference Policy"),
    package("xz-utils", "unpacks the modules of the newest kernel"),
    package("qemu-system-x86", "runs the newest kernel"),
    package("git", "runs under the base policy"),
    package("sqlite3", "runs under the base policy"),
    package("nginx-light", "runs under the base policy"),
    package("postgresql", "runs under the base policy"),
    package("attr", "getfattr and setfattr, which show and set contexts of files"),
    package("util-linux", "setsid and setpriv, for programs of an ordinary user at a terminal"),
];

const INSTALL: &str = include_str!("../oracle/install.sh");

/// The packages whose version decides what the policies made by the originals look like.
const DECISIVE: [&str; 4] = ["checkpolicy", "secilc", "libsepol-dev", "selinux-policy-src"];

/// How this user may become root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    Is,
    BySudo,
}

/// The packages that are not installed.
#[must_use]
pub fn missing() -> Vec<Package> {
    PACKAGES.iter().copied().filter(|package| installed_version(package.name).is_none()).collect()
}

/// The installed version of a Debian package.
pub(crate) fn installed_version(name: &str) -> Option<String> {
    let format = "-f=${db:Status-Status} ${Version}";
    let output = run(Command::new("dpkg-query").args(["-W", format, name])).ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.strip_prefix("installed ")?.to_owned())
}

/// A folder name made of the versions that decide what the originals' policies look like.
///
/// # Errors
/// When one of the packages is not installed.
pub fn versions() -> Result<String> {
    let mut parts = Vec::new();
    for name in DECISIVE {
        let version =
            installed_version(name).with_context(|| format!("{name} is not installed"))?;
        parts.push(format!("{name}_{}", version.replace([':', '/', ' '], "-")));
    }
    Ok(parts.join(","))
}

/// Says why packages cannot be installed here, or nothing when they can.
#[must_use]
pub fn obstacle() -> Option<&'static str> {
    if run(Command::new("apt-get").arg("--version")).is_err() {
        return Some("there is no apt-get on this machine");
    }
    if root().is_none() {
        return Some("installing needs root or a sudo that asks for no password");
    }
    None
}

fn root() -> Option<Root> {
    let id = run(Command::new("id").arg("-u")).ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some(Root::Is);
    }
    run(Command::new("sudo").args(["-n", "true"])).ok().map(|_| Root::BySudo)
}

/// Installs packages; the installer's own words go to standard error.
///
/// # Errors
/// When there is no root, or the installation fails.
pub fn install(packages: &[Package]) -> Result<()> {
    let mut command = match root() {
        Some(Root::Is) => Command::new("sh"),
        Some(Root::BySudo) => {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "sh"]);
            sudo
        }
        None => bail!("installing needs root or a sudo that asks for no password"),
    };
    command.args(["-c", INSTALL, "install.sh"]);
    command.args(packages.iter().map(|package| package.name));
    command.stdin(Stdio::null()).stdout(std::io::stderr());
    let status = command.status().context("starting the installation")?;
    if !status.success() {
        bail!("the installation of the original tools failed: {status}");
    }
    Ok(())
}

/// The newest policy version that the installed `checkpolicy` writes.
///
/// # Errors
/// When `checkpolicy` does not run or says something else than a number.
pub fn newest_policy_version() -> Result<u32> {
    let output = run(Command::new("checkpolicy").arg("-V"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text.split_whitespace().next().unwrap_or_default();
    number.parse().with_context(|| format!("checkpolicy -V says {text:?}"))
}
