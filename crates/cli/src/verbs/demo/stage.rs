//! A scratch folder with a web root, a home, a secret and the program that serves, and the ordinary user who has them.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::{self, PipeReader, Read as _};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use mandate_label::homedirs::Account;

use super::Lacking;

/// Folders, the upper ones first.
const FOLDERS: [&str; 8] = ["www", "www/blue", "www/red", "home", "home/.ssh", "etc", "log", "bin"];

/// Files and what they say.
const FILES: [(&str, &str); 7] = [
    ("www/index.html", "<h1>Welcome</h1>\n"),
    ("www/blue/index.html", "<h1>Blue's orders</h1>\n"),
    ("www/red/index.html", "<h1>Red's orders</h1>\n"),
    ("home/.ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
    ("home/notes", "Buy milk.\n"),
    ("etc/shadow", "root:$6$secret\n"),
    ("log/backup.log", "the backup went well\n"),
];

/// File contexts below the folder.
const LABELS: [(&str, &str); 11] = [
    ("\t-d", "system_u:object_r:tmp_t:s0"),
    ("/webserver\t--", "system_u:object_r:httpd_exec_t:s0"),
    ("/www(/.*)?\t", "system_u:object_r:httpd_sys_content_t:s0"),
    ("/www/blue(/.*)?\t", "system_u:object_r:httpd_sys_content_t:s0:c1"),
    ("/www/red(/.*)?\t", "system_u:object_r:httpd_sys_content_t:s0:c2"),
    ("/home\t-d", "user_u:object_r:user_home_dir_t:s0"),
    ("/home/.+\t", "user_u:object_r:user_home_t:s0"),
    ("/home/[.]ssh(/.*)?\t", "user_u:object_r:ssh_home_t:s0"),
    ("/etc\t-d", "system_u:object_r:etc_t:s0"),
    ("/etc/shadow\t--", "system_u:object_r:shadow_t:s0"),
    ("/log(/.*)?\t", "system_u:object_r:var_log_t:s0"),
];

/// The folder; it goes away again.
pub(super) struct Stage {
    pub(super) folder: PathBuf,
    /// Whom root runs everything as: user and group.
    user: Option<(u32, u32)>,
}

impl Stage {
    pub(super) fn set() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("mandate-demo-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        let user = rustix::process::geteuid().is_root().then(ordinary);
        let stage = Self { folder, user };
        stage.fill().with_context(|| stage.folder.display().to_string())?;
        Ok(stage)
    }

    fn fill(&self) -> Result<()> {
        let at = |name: &str| self.folder.join(name);
        for name in FOLDERS {
            fs::create_dir(at(name))?;
        }
        for (name, text) in FILES {
            fs::write(at(name), text)?;
        }
        fs::set_permissions(at("home/.ssh/id_ed25519"), Permissions::from_mode(0o600))?;
        fs::set_permissions(at("etc/shadow"), Permissions::from_mode(0o600))?;
        symlink("../log/backup.log", at("www/backup.log"))?;
        // A copy: the user may have no way to this program, and it gets another label.
        fs::copy(std::env::current_exe()?, at("webserver"))?;
        fs::set_permissions(at("webserver"), Permissions::from_mode(0o755))?;
        symlink("../webserver", at("bin/mandate"))?;
        fs::write(at("own.fc"), labels(&self.folder))?;
        self.give(&self.folder)
    }

    /// Gives a folder and what is in it to the user. From then on nobody else writes there.
    fn give(&self, folder: &Path) -> Result<()> {
        let Some((user, group)) = self.user else { return Ok(()) };
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type()? {
                it if it.is_dir() => self.give(&entry.path())?,
                it if it.is_file() => chown(entry.path(), Some(user), Some(group))?,
                _ => {}
            }
        }
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        Ok(chown(folder, Some(user), Some(group))?)
    }

    /// Whether files have labels by now, from a kernel with SELinux.
    pub(super) fn has_labels(&self) -> bool {
        let mut label = [0; 256];
        rustix::fs::getxattr(&self.folder, c"security.selinux", &mut label[..]).is_ok()
    }

    /// Starts a line of shell in the folder, with both its outputs in one pipe.
    pub(super) fn start(&self, line: &str, input: Stdio) -> Result<(Child, PipeReader)> {
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]).current_dir(&self.folder).stdin(input);
        command.stdout(writer.try_clone()?).stderr(writer);
        // What the user has set must not lead programs elsewhere, and nothing is kept outside of the folder.
        let bin = self.folder.join("bin");
        command.env_clear().env("LC_ALL", "C").env("HOME", self.folder.join("home"));
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()));
        command.env("XDG_CACHE_HOME", self.folder.join("cache"));
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        let child = command.spawn().map_err(|why| {
            let folder = self.folder.display();
            Lacking(format!("/bin/sh in {folder}: {why}; TMPDIR may name another folder"))
        })?;
        Ok((child, reader))
    }

    /// Runs a line of shell: its exit code, if no signal ended it, and what it printed.
    pub(super) fn run(&self, line: &str) -> Result<(Option<i32>, String)> {
        let (mut child, mut reader) = self.start(line, Stdio::null())?;
        let mut printed = Vec::new();
        reader.read_to_end(&mut printed)?;
        Ok((child.wait()?.code(), String::from_utf8_lossy(&printed).into_owned()))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nobody.
        let _left = fs::remove_dir_all(&self.folder);
    }
}

/// Who used `sudo`, else `nobody`.
fn ordinary() -> (u32, u32) {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok().filter(|it| *it != 0);
    if let (Some(user), Some(group)) = (number("SUDO_UID"), number("SUDO_GID")) {
        return (user, group);
    }
    let (accounts, _) = Account::parse(&fs::read("/etc/passwd").unwrap_or_default());
    let nobody = accounts.into_iter().find(|it| *it.name == *b"nobody");
    // What the kernel shows for users that it cannot name.
    nobody.map_or((65534, 65534), |it| (it.uid, it.gid))
}

/// File contexts of the folder; the way to it is that of temporary files, wherever it is.
fn labels(folder: &Path) -> String {
    let name = |it: &Path| regex::escape(&it.display().to_string());
    let mut text = String::new();
    for above in folder.ancestors().skip(1).filter(|it| it.parent().is_some()) {
        let _ok = writeln!(text, "{}\t-d\tsystem_u:object_r:tmp_t:s0", name(above));
    }
    for (path, context) in LABELS {
        let _ok = writeln!(text, "{}{path}\t{context}", name(folder));
    }
    text
}
