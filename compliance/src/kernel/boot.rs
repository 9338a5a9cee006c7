//! One boot of a guest, in a folder and a process group of its own.

use std::fs::File;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

use super::initramfs::Archive;
use super::requests::is_program;
use super::{Backend, Job, Kernel, read};
use crate::place::run;

const MEBIBYTES: u32 = 512;
/// The size of a guest's disk, in bytes; what is not written takes no room.
const DISK: u64 = 64 << 20;
const FULL_DISK: u64 = 512 << 20;
/// Kernel parameters that both kinds of guest take.
const PARAMETERS: &str = "panic=-1 security=selinux enforcing=0 log_buf_len=4M audit_backlog_limit=8192 \
    sysctl.kernel.printk_ratelimit=0";

/// Kernel parameters of a whole system, whose /dev is that of its disk.
const SYSTEM: &str = "umid=guest mem=768M root=98:0 ro devtmpfs.mount=0 con=null con0=fd:0,fd:1 \
    ssl=null panic=-1 security=selinux enforcing=1 audit=1 audit_backlog_limit=8192 \
    log_buf_len=4M ignore_loglevel sysctl.kernel.printk_ratelimit=0";

/// A guest that was started; dropping it removes what it left.
pub(super) struct Run {
    folder: Folder,
    child: std::cell::RefCell<Child>,
}

/// A folder for one run, removed at the end.
struct Folder(PathBuf);

impl Folder {
    /// UML keeps sockets in it, whose paths must be short: hence the system's folder.
    fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mandate-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_already_is_fine = std::fs::remove_dir_all(&self.0);
    }
}

impl Run {
    /// Boots `kernel` with the job in its initramfs.
    pub(super) fn new(kernel: &Kernel, job: &Job<'_>, requests: &str) -> Result<Self> {
        let folder = Folder::new()?;
        let archive = archive(kernel, job, requests, &folder.0)?;
        std::fs::write(folder.join("initrd"), archive).context("writing the initramfs")?;
        let audit = job.queries.iter().any(is_program);
        let words = match kernel.backend {
            Backend::Uml => uml(&kernel.image, &folder, audit),
            Backend::Qemu => qemu(&kernel.image, &folder, audit),
        };
        Self::start(folder, &words, job.limit)
    }

    /// Boots user-mode Linux with files in its initramfs and a disk, with what is in a folder or empty; `/out` names the folder where it writes. With `audit` the log
    /// has all that is denied, however much that is.
    pub(super) fn with_disk(
        image: &Path,
        files: &[(&str, u32, &[u8])],
        content: Option<&Path>,
        audit: bool,
        limit: Duration,
    ) -> Result<Self> {
        let folder = Folder::new()?;
        let mut archive = Archive::new();
        for (name, permissions, bytes) in files {
            archive.file(name, *permissions, bytes);
        }
        archive.file("out", 0o644, folder.0.display().to_string().as_bytes());
        std::fs::write(folder.join("initrd"), archive.finish()).context("writing the initramfs")?;
        make_disk(&folder.join("disk"), content)?;
        let mut words = uml(image, &folder, audit);
        words.push(format!("ubd0={}", folder.join("disk").display()));
        Self::start(folder, &words, limit)
    }

    /// Boots user-mode Linux from a disk that holds a system, enforcing. Everything the kernel says goes to the console, also
    /// what the system would keep from it, and nothing is left out because there is much of it.
    pub(super) fn of_system(image: &Path, disk: &Path, limit: Duration) -> Result<Self> {
        let folder = Folder::new()?;
        let mut words = vec![
            image.display().to_string(),
            format!("ubd0={}", disk.display()),
            format!("uml_dir={}", folder.0.display()),
        ];
        words.extend(SYSTEM.split_whitespace().map(str::to_owned));
        Self::start(folder, &words, limit)
    }

    fn start(folder: Folder, words: &[String], limit: Duration) -> Result<Self> {
        let child = start(words, &folder, limit)?;
        Ok(Self { folder, child: child.into() })
    }

    /// Waits for the guest's end and leaves none of its processes; says how it ended.
    pub(super) fn wait(&self, limit: Duration) -> Result<String> {
        let mut child = self.child.borrow_mut();
        let status = child.wait().context("waiting for the guest")?;
        kill_group(child.id());
        Ok(describe(status, limit))
    }

    /// The records it wrote.
    pub(super) fn output(&self) -> Vec<u8> {
        std::fs::read(self.folder.join("raw")).unwrap_or_default()
    }

    /// What it wrote to its console.
    pub(super) fn console(&self) -> String {
        let console = std::fs::read(self.folder.join("console")).unwrap_or_default();
        String::from_utf8_lossy(&console).into_owned()
    }

    /// The last lines of its console.
    pub(super) fn console_tail(&self) -> String {
        let text = self.console();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let mut child = self.child.borrow_mut();
        if let Ok(None) = child.try_wait() {
            kill_group(child.id());
            let _ended = child.wait();
        }
    }
}

fn archive(kernel: &Kernel, job: &Job<'_>, requests: &str, folder: &Path) -> Result<Vec<u8>> {
    let (mode, out) = match kernel.backend {
        Backend::Uml => ("hostfs", folder.display().to_string()),
        Backend::Qemu => ("dev", "/dev/vport0p1".to_owned()),
    };
    let [enforce, dump, readback] = [job.enforcing, job.names, job.read_back].map(u8::from);
    let text =
        format!("mode={mode}\nout={out}\nenforce={enforce}\ndump={dump}\nreadback={readback}\n");
    let mut archive = Archive::new();
    archive.file("init", 0o755, &read(&kernel.init)?);
    archive.file("job", 0o644, text.as_bytes());
    archive.file("queries", 0o644, requests.as_bytes());
    for (n, policy) in job.policies.iter().enumerate() {
        archive.file(&format!("policy{n}"), 0o644, policy);
    }
    for (n, module) in kernel.modules.iter().enumerate() {
        archive.file(&format!("modules/{n:02}.ko"), 0o644, &read(module)?);
    }
    Ok(archive.finish())
}

/// An ext4, empty or with what is in a folder, on which labels and other attributes are kept; without a journal, for nobody needs it again.
fn make_disk(path: &Path, content: Option<&Path>) -> Result<()> {
    let file = File::create(path).with_context(|| format!("making {}", path.display()))?;
    file.set_len(if content.is_some() { FULL_DISK } else { DISK })
        .context("making room on the disk")?;
    let mut make = Command::new("mkfs.ext4");
    make.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
    make.args(["-q", "-F", "-O", "^has_journal"]);
    if let Some(content) = content {
        make.arg("-d").arg(content);
    }
    run(make.arg(path)).map(drop)
}

fn uml(image: &Path, folder: &Folder, audit: bool) -> Vec<String> {
    let mut words = vec![
        image.display().to_string(),
        format!("mem={MEBIBYTES}M"),
        format!("initrd={}", folder.join("initrd").display()),
        format!("uml_dir={}", folder.0.display()),
        format!("audit={}", u8::from(audit)),
    ];
    let plain = "umid=guest con=null con0=fd:0,fd:1 ssl=null loglevel=4";
    words.extend(plain.split(' ').chain(PARAMETERS.split(' ')).map(str::to_owned));
    words
}

fn qemu(image: &Path, folder: &Folder, audit: bool) -> Vec<String> {
    let plain = "qemu-system-x86_64 -accel tcg -cpu max -M q35 -nodefaults -display none \
                 -no-reboot -serial stdio -device virtio-serial-pci \
                 -device virtserialport,chardev=out,name=out";
    let append = format!(
        "console=ttyS0 quiet loglevel=4 mitigations=off tsc=reliable no_timer_check \
         audit={} {PARAMETERS}",
        u8::from(audit)
    );
    let own = [
        ("-m", MEBIBYTES.to_string()),
        ("-kernel", image.display().to_string()),
        ("-initrd", folder.join("initrd").display().to_string()),
        ("-append", append),
    ];
    let chardev = format!("file,id=out,path={}", folder.join("raw").display());
    let mut words: Vec<String> = plain.split_whitespace().map(str::to_owned).collect();
    // a device may name only a chardev that stands before it
    words.splice(1..1, ["-chardev".to_owned(), chardev]);
    words.extend(own.into_iter().flat_map(|(option, value)| [option.to_owned(), value]));
    words
}

/// Under timeout(1), so that no guest outlives its limit even if this program dies.
fn start(words: &[String], folder: &Folder, limit: Duration) -> Result<Child> {
    let console = File::create(folder.join("console")).context("making the console log")?;
    let shared = Path::new("/dev/shm");
    let fast = if shared.is_dir() { shared } else { &folder.0 };
    Command::new("timeout")
        .args(["--signal=KILL", &limit.as_secs().max(1).to_string()])
        .args(words)
        .current_dir(&folder.0)
        .env("TMPDIR", fast)
        .env("HOME", &folder.0)
        .stdin(Stdio::null())
        .stdout(console.try_clone()?)
        .stderr(console)
        .process_group(0)
        .spawn()
        .context("starting the guest under timeout(1)")
}

/// Ends what is left of the group that a guest was started in; most often nothing.
fn kill_group(leader: u32) {
    let _nothing_left = Command::new("kill")
        .args(["-KILL", "--", &format!("-{leader}")])
        .stderr(Stdio::null())
        .status();
}

fn describe(status: ExitStatus, limit: Duration) -> String {
    if status.signal() == Some(9) || status.code() == Some(137) {
        return format!("did not end within {} s", limit.as_secs());
    }
    format!("ended early ({status})")
}
