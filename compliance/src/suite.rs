//! Packages of a Debian suite, downloaded and unpacked without installing them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::place::run;

/// The key with which every Debian suite is signed.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Written beside unpacked packages: the names of their files, which hold their versions.
pub const PACKAGE_LIST: &str = "packages.txt";
const FALLBACK_MIRROR: &str = "http://deb.debian.org/debian";

/// A suite that apt can download from.
#[derive(Clone, Debug)]
pub struct Suite {
    options: Vec<String>,
}

impl Suite {
    /// A suite by name: that of the machine's own apt, where it is the same.
    ///
    /// # Errors
    /// When its lists cannot be brought.
    pub fn named(name: &str, lists: &Path) -> Result<Self> {
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        if release.lines().any(|line| line == format!("VERSION_CODENAME={name}")) {
            return Ok(Self { options: Vec::new() });
        }
        Self::other(name, lists)
    }

    /// Another suite of the mirror that apt already uses; its lists are kept in `lists`.
    fn other(name: &str, lists: &Path) -> Result<Self> {
        for folder in ["lists/partial", "archives/partial"] {
            std::fs::create_dir_all(lists.join(folder))
                .with_context(|| format!("making {}", lists.display()))?;
        }
        let lists = lists.canonicalize()?;
        let source = lists.join(format!("{name}.list"));
        let line = format!("deb [signed-by={KEYRING}] {} {name} main\n", mirror());
        std::fs::write(&source, line).with_context(|| format!("writing {}", source.display()))?;
        let options = [
            format!("Dir::Etc::sourcelist={}", source.display()),
            "Dir::Etc::sourceparts=-".to_owned(),
            format!("Dir::State::Lists={}", lists.join("lists").display()),
            format!("Dir::Cache={}", lists.display()),
        ];
        let suite = Self { options: options.into() };
        run(suite.command("apt-get").arg("update"))?;
        Ok(suite)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-q", "-o", "APT::Sandbox::User=root"]);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }

    /// What a package depends on.
    ///
    /// # Errors
    /// When the suite does not have it.
    pub fn depends(&self, package: &str) -> Result<Vec<String>> {
        let output = run(self.command("apt-cache").args(["depends", package]))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let names = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        Ok(names.map(str::to_owned).collect())
    }

    /// Names and versions of packages, a line each.
    ///
    /// # Errors
    /// When the suite does not have one.
    pub fn versions(&self, packages: &[&str]) -> Result<String> {
        let output =
            run(self.command("apt-cache").args(["show", "--no-all-versions"]).args(packages))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let wanted = |line: &&str| line.starts_with("Package: ") || line.starts_with("Version: ");
        Ok(text.lines().filter(wanted).flat_map(|line| [line, "\n"]).collect())
    }

    /// Downloads packages and unpacks them into one folder.
    ///
    /// # Errors
    /// When a package cannot be brought.
    pub fn unpack(&self, packages: &[&str], folder: &Path) -> Result<()> {
        let debs = folder.join("debs");
        std::fs::create_dir_all(&debs).with_context(|| format!("making {}", debs.display()))?;
        run(self.command("apt-get").arg("download").args(packages).current_dir(&debs))?;
        let mut names = String::new();
        for deb in files_in(&debs)? {
            run(Command::new("dpkg").arg("-x").arg(&deb).arg(folder))?;
            names.extend(deb.file_name().map(|name| format!("{}\n", name.to_string_lossy())));
        }
        std::fs::write(folder.join(PACKAGE_LIST), names).context("noting the packages")?;
        std::fs::remove_dir_all(&debs).with_context(|| format!("removing {}", debs.display()))
    }
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder)?.collect();
    let files: Vec<PathBuf> = entries?.iter().map(std::fs::DirEntry::path).collect();
    if files.is_empty() {
        bail!("nothing was downloaded into {}", folder.display());
    }
    Ok(files)
}

/// The Debian mirror in apt's own configuration.
pub(crate) fn mirror() -> String {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    files.extend(files_in(Path::new("/etc/apt/sources.list.d")).unwrap_or_default());
    let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let texts: Vec<String> = texts.collect();
    let words = texts.iter().flat_map(|text| text.lines()).filter(is_source);
    let mut urls = words.flat_map(str::split_whitespace).filter(|word| word.starts_with("http"));
    let own = urls.find(|url| url.trim_end_matches('/').ends_with("/debian"));
    own.map_or_else(|| FALLBACK_MIRROR.to_owned(), str::to_owned)
}

fn is_source(line: &&str) -> bool {
    line.starts_with("deb ") || line.starts_with("URIs:")
}
