//! A small program under the policy: what it may read, what not, and that it cannot run what it wrote.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::{FAINT, STRONG, styled};

/// What the program does, a line each as it would be typed.
const SCRIPT: &str = r#"cat letter
cat key
printf '#!/bin/sh\necho I wrote this myself\n' > tool; chmod +x tool; ./tool
"#;

/// A folder that goes away again.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("mandate-demo-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        let scratch = Self(folder);
        fs::set_permissions(&scratch.0, Permissions::from_mode(0o755))?;
        scratch.write("letter", "Dear reader, this letter is yours to read.\n")?;
        scratch.write("key", "-----BEGIN PRIVATE KEY-----\n")?;
        scratch.write("script", SCRIPT)?;
        Ok(scratch)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.0.join(name), text)?)
    }

    /// The machine's files as the base policy has them, and what is in the folder.
    fn labels(&self, file_contexts: &[u8]) -> Result<PathBuf> {
        let folder = self.0.display();
        let own = format!(
            "\n{folder}(/.*)?\tuser_u:object_r:user_home_t:s0\n{folder}/key\t--\tsystem_u:object_r:tls_privkey_t:s0\n"
        );
        let path = self.0.join("labels");
        fs::write(&path, [file_contexts, own.as_bytes()].concat())?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nobody.
        let _left = fs::remove_dir_all(&self.0);
    }
}

/// Runs it, by this program itself.
pub(super) fn show(files: &super::Files, out: &mut dyn Write) -> Result<()> {
    let scratch = Scratch::new()?;
    let labels = scratch.labels(&files.file_contexts)?;
    fs::write(scratch.0.join("labels.subs_dist"), &files.substitutions)?;
    let title = "A shell under this policy, on this machine, without SELinux and without root:";
    writeln!(out, "{}", styled(STRONG, title))?;
    for line in SCRIPT.lines() {
        writeln!(out, "{}", styled(FAINT, &format!("  {line}")))?;
    }
    out.flush()?;
    let mut command = Command::new(std::env::current_exe().context("finding this program")?);
    command.args(["run", "--labels"]).arg(&labels);
    if rustix::process::geteuid().is_root() {
        give(&scratch.0)?;
        command.args(["--user", NOBODY]);
    }
    command.args(["--", "/bin/sh", "script"]).current_dir(&scratch.0).stdin(Stdio::null());
    let status = command.status().context("starting mandate run")?;
    // The last command of the script is the one that is denied: shells say 126.
    if status.code() != Some(126) {
        writeln!(out, "This did not go as it should: {status}")?;
    }
    Ok(())
}

/// Whom root runs it as.
const NOBODY: &str = "nobody";

/// Gives the folder and what is in it to somebody who has nothing else.
fn give(folder: &Path) -> Result<()> {
    let mut chown = Command::new("chown");
    chown.args(["-R", NOBODY]).arg(folder);
    chown.status().context("giving the folder away")?;
    Ok(())
}
