//! Brings kernels from the Debian mirror and compiles the guest program.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Backend;
use crate::place::{cached, run};
use crate::suite::Suite;

/// The program of a guest that only answers.
pub(super) const INIT: &str = include_str!("../../guest/init.c");
/// The program of a guest that runs the host's programs.
pub(super) const USERLAND: &str = include_str!("../../guest/userland.c");
/// The program that makes the calls of scenarios, and how it is compiled: without a library, so that it makes no others.
pub(super) const CALLER: &str = include_str!("../../guest/caller.c");
pub(super) const WITHOUT_LIBRARY: [&str; 6] =
    ["-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie", "-s"];
/// Where kernel 6.1 comes from.
const UML_SUITE: &str = "bookworm";
/// Where a 7.x kernel comes from.
const CLOUD_SUITE: &str = "trixie-backports";
/// What the channel out of a qemu guest needs, where it is not built in.
const CHANNEL_MODULES: [&str; 6] = [
    "virtio_ring",
    "virtio",
    "virtio_pci_modern_dev",
    "virtio_pci_legacy_dev",
    "virtio_pci",
    "virtio_console",
];

/// The kernel image and the modules it needs.
pub(super) fn kernel(backend: Backend, cache: &Path) -> Result<(PathBuf, Vec<PathBuf>)> {
    match backend {
        Backend::Uml => {
            let folder = cache.join("uml");
            cached(&folder, |part| {
                Suite::named(UML_SUITE, &cache.join("apt-uml"))?.unpack(&["user-mode-linux"], part)
            })?;
            Ok((folder.join("usr/bin/linux.uml"), Vec::new()))
        }
        Backend::Qemu => {
            find_program("qemu-system-x86_64", "qemu-system-x86")?;
            let folder = cache.join("cloud");
            cached(&folder, |part| cloud_kernel(cache, part))?;
            let image = find(&folder, &|name| name.starts_with("vmlinuz"))?
                .context("the package holds no kernel")?;
            Ok((image, channel_modules(&folder)?))
        }
    }
}

/// Unpacks the newest cloud kernel, whichever way it is packaged.
fn cloud_kernel(cache: &Path, part: &Path) -> Result<()> {
    let suite = Suite::named(CLOUD_SUITE, &cache.join("apt-cloud"))?;
    let depends = suite.depends("linux-image-cloud-amd64")?;
    let image = depends
        .iter()
        .find(|name| name.starts_with("linux-image-"))
        .context("linux-image-cloud-amd64 depends on no kernel")?;
    suite.unpack(&[image], part)?;
    if find(part, &|name| name.starts_with("vmlinuz"))?.is_none() {
        let version = image.trim_start_matches("linux-image-");
        suite.unpack(&[&format!("linux-binary-{version}")], part)?;
        suite.unpack(&[&format!("linux-modules-{version}")], part)?;
    }
    Ok(())
}

fn channel_modules(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut modules = Vec::new();
    for module in CHANNEL_MODULES {
        modules.extend(find(folder, &|name| name == format!("{module}.ko"))?);
    }
    Ok(modules)
}

/// Compiles a guest program, once for each text it ever had.
pub(super) fn guest_program(text: &str, options: &[&str], cache: &Path) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let source = cache.join(format!("init-{:016x}.c", hasher.finish()));
    let program = source.with_extension("");
    cached(&program, |part| {
        std::fs::write(&source, text).context("writing the guest program")?;
        run(Command::new("gcc")
            .args(["-O2", "-static"])
            .args(options)
            .arg("-o")
            .arg(part)
            .arg(&source))?;
        Ok(())
    })?;
    Ok(program)
}

fn find_program(name: &str, package: &str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(name).is_file()) {
        return Ok(());
    }
    bail!("{name} is missing: install the package {package}")
}

/// The first file below `folder` whose name fits.
fn find(folder: &Path, fits: &dyn Fn(&str) -> bool) -> Result<Option<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        let found = if kind.is_dir() {
            find(&entry.path(), fits)?
        } else {
            (kind.is_file() && fits(&entry.file_name().to_string_lossy())).then(|| entry.path())
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
