//! Programs that try to get out. Each has failed to, and ends well, if it could not do what its name says.

#[path = "others.rs"]
mod others;
#[path = "races.rs"]
mod races;

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use libc::{c_int, c_long};

/// Says what it got, if it got out.
type Try = fn() -> Result<(), String>;
/// What somebody outside does meanwhile in the folder, until told to stop.
pub(crate) type Beside = fn(&Path, &AtomicBool);

/// A program that tries to get out.
#[derive(Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) name: &'static str,
    /// Without these defences, as `MANDATE_WITHOUT` names them, it succeeds.
    pub(crate) without: &'static str,
    pub(crate) options: &'static [&'static str],
    pub(crate) beside: Option<Beside>,
    attempt: Try,
}

pub(super) const fn of(name: &'static str, without: &'static str, attempt: Try) -> Attempt {
    Attempt { name, without, options: &[], beside: None, attempt }
}

impl Attempt {
    pub(super) const fn with(self, options: &'static [&'static str]) -> Self {
        Self { options, ..self }
    }

    pub(super) const fn beside(self, beside: Beside) -> Self {
        Self { beside: Some(beside), ..self }
    }

    pub(crate) fn is_race(&self) -> bool {
        races::ALL.iter().any(|it| it.name == self.name)
    }
}

/// All attempts.
pub(crate) fn all() -> impl Iterator<Item = Attempt> {
    [ALL, others::ALL, races::ALL].into_iter().flatten().copied()
}

/// Without a monitor these would do harm, or fail for want of one.
pub(crate) const ONLY_WATCHED: &[&str] = &[
    "the monitor by /proc",
    "the monitor by ptrace",
    "the monitor by a signal",
    "the monitor's descriptors",
    "another process's memory",
    "namespaces and mounts",
    "calls without a trace",
    "a child that nobody traces",
    "characters for a terminal",
    "the monitor limited",
    "another terminal by a request",
    "programs in the kernel",
    "what the kernel says",
    "a call that nobody thought of",
    "code that the monitor writes",
    "race: a descriptor that is swapped after a child gave memory back",
    "race: signals that take calls back",
    "race: an answer for a thread whose process another one gives a new program",
];

/// Without privileges the kernel keeps these, too, or keeps them alone.
pub(crate) const ONLY_KEPT: &[&str] = &[
    // Nothing is left open, so that there is nothing to switch.
    "the monitor's descriptors",
    // Attributes of security modules are for administrators.
    "a secret's label changed",
    // Of one filter there is one listener.
    "a listener of its own",
    // unprivileged_bpf_disabled, dmesg_restrict.
    "programs in the kernel",
    "what the kernel says",
];

pub(crate) use races::{abstract_name, asked_rounds};

pub(crate) fn run(name: &str) -> ExitCode {
    match name {
        "prepare" => return races::prepare(),
        "friend" => return others::friend(),
        _ => {}
    }
    let Some(found) = all().find(|it| it.name == name) else { return ExitCode::from(9) };
    match (found.attempt)() {
        Ok(()) => ExitCode::SUCCESS,
        Err(got) => {
            let _closed = io::Write::write_all(&mut io::stdout(), format!("{got}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

const ALL: &[Attempt] = &[
    of("a secret by its path", "Opens", || unread("secret")),
    of("a secret by a link made inside", "Opens", || {
        std::os::unix::fs::symlink("secret", "way").map_err(told)?;
        unread("way")
    }),
    of("a secret by a second name made inside", "Names", || {
        refused("link", fs::hard_link("secret", "second"))?;
        unread("second")
    }),
    of("a secret by a second name made before", "SeveralNames", || {
        unread("alias").and_then(|()| unread("linked"))
    }),
    of("a secret by /proc/self/root", "Opens", || {
        unread(&format!("/proc/self/root{}/secret", here()))
    }),
    of("a secret by /proc/self/cwd", "Opens", || unread("/proc/self/cwd/secret")),
    of("a secret by a directory that is open", "Opens", || {
        let folder = fs::File::open(".").map_err(told)?;
        let number = std::os::fd::AsRawFd::as_raw_fd(&folder);
        unread(&format!("/proc/self/fd/{number}/secret"))?;
        let name = c"secret";
        // SAFETY: the name is a constant.
        failed("openat", unsafe { libc::openat(number, name.as_ptr(), libc::O_RDONLY) }.into())
    }),
    of("a secret by a handle that only stands for it", "Opens", || {
        // SAFETY: the name is a constant.
        let handle = unsafe { libc::open(c"secret".as_ptr(), libc::O_PATH) };
        if handle < 0 { Ok(()) } else { unread(&format!("/proc/self/fd/{handle}")) }
    }),
    of("a secret under another name", "Names", || {
        refused("rename", fs::rename("secret", "mine"))?;
        unread("mine").and_then(|()| unread("secret"))
    }),
    of("a secret under another directory", "SettledDirectories", || {
        let _moved = fs::rename("vault", "mine");
        unread("mine/secret").and_then(|()| unread("vault/secret"))
    }),
    of("a secret by a directory swapped with another", "SettledDirectories", || {
        fs::create_dir("mine").map_err(told)?;
        fs::write("mine/secret", "mine").map_err(told)?;
        let (a, b) = (c"mine", c"vault");
        // SAFETY: the names are constants.
        unsafe {
            libc::renameat2(
                libc::AT_FDCWD,
                a.as_ptr(),
                libc::AT_FDCWD,
                b.as_ptr(),
                libc::RENAME_EXCHANGE,
            )
        };
        unread("mine/secret")
    }),
    of("a secret's contents removed", "Opens", || {
        // SAFETY: the name is a constant.
        failed("truncate", unsafe { libc::truncate(c"secret".as_ptr(), 0) }.into())?;
        refused("write", fs::write("secret", "x"))?;
        refused("remove", fs::remove_file("secret"))
    }),
    of("a secret replaced", "Names", || refused("rename", fs::rename("plain", "secret"))),
    of("a secret's attributes changed", "Attributes", || {
        use std::os::unix::fs::PermissionsExt as _;
        refused("chmod", fs::set_permissions("secret", fs::Permissions::from_mode(0o777)))?;
        // SAFETY: the name is a constant, and no times means now.
        failed("utimes", unsafe { libc::utimes(c"secret".as_ptr(), std::ptr::null()) }.into())
    }),
    of("a secret's label changed", "Attributes", || {
        let label = b"user_u:object_r:user_home_t:s0\0";
        let (file, name) = (c"secret".as_ptr(), c"security.selinux".as_ptr());
        // SAFETY: names and value are constants, as long as is said.
        let set = unsafe { libc::setxattr(file, name, label.as_ptr().cast(), label.len(), 0) };
        failed("setxattr", set.into())?;
        // SAFETY: the names are constants.
        failed("removexattr", unsafe { libc::removexattr(c"plain".as_ptr(), name) }.into())
    }),
    of("a secret watched", "Opens", || {
        // SAFETY: the call takes a number.
        let watcher = unsafe { libc::inotify_init1(0) };
        // SAFETY: the name is a constant.
        failed(
            "inotify",
            unsafe { libc::inotify_add_watch(watcher, c"secret".as_ptr(), libc::IN_MODIFY) }.into(),
        )
    }),
    of("the monitor by /proc", "HiddenMonitor", || {
        let monitor = parent();
        for part in ["", "/fd", "/mem", "/root", "/cwd", "/maps", &format!("/task/{monitor}/fd")] {
            refused("open", fs::File::open(format!("/proc/{monitor}{part}")))?;
        }
        Ok(())
    }),
    of("the monitor by ptrace", "Tracing,UnreadableMonitor", || {
        // SAFETY: the request takes numbers.
        let seized = unsafe { libc::ptrace(libc::PTRACE_SEIZE, parent(), 0, 0) };
        if seized == 0 {
            // The monitor would stop for its tracer now, which could wait for the monitor.
            // SAFETY: nothing is to be cleaned up.
            unsafe { libc::_exit(1) }
        }
        failed("ptrace", seized)
    }),
    of("the monitor by a signal", "GuardedMonitor", || {
        // First one that does no harm where it is not refused.
        for signal in [0, libc::SIGKILL, libc::SIGSTOP, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: the calls take numbers.
            failed("kill", unsafe { libc::kill(parent(), signal) }.into())?;
            // SAFETY: as above.
            failed("tkill", unsafe { libc::syscall(libc::SYS_tkill, parent(), signal) })?;
            // SAFETY: as above.
            failed("kill all", unsafe { libc::kill(-1, signal) }.into())?;
        }
        for signal in [libc::SIGTERM, libc::SIGUSR1] {
            // The monitor is of the same group. Without it this program would be killed.
            // SAFETY: no handler is installed.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
            // SAFETY: the call takes numbers.
            let sent = unsafe { libc::kill(0, signal) };
            if sent != 0 {
                return Err(format!("signals to its own group: {sent}"));
            }
        }
        std::thread::sleep(Duration::from_millis(50));
        Ok(())
    }),
    of("the monitor's descriptors", "", || {
        let kept = fs::read_dir("/proc/self/fd").map_err(told)?;
        let names: Vec<_> = kept.flatten().filter_map(|it| fs::read_link(it.path()).ok()).collect();
        let own = |it: &std::path::PathBuf| {
            let text = it.to_string_lossy();
            text.contains("seccomp") || text.contains("/mem") || text.contains("pidfd")
        };
        if names.iter().any(own) { Err(format!("{names:?}")) } else { Ok(()) }
    }),
    of("another process's memory", "Tracing", || {
        calls(&[
            ("process_vm_readv", libc::SYS_process_vm_readv, libc::EPERM),
            ("process_vm_writev", libc::SYS_process_vm_writev, libc::EPERM),
            ("pidfd_getfd", libc::SYS_pidfd_getfd, libc::EPERM),
        ])
    }),
    of("another process's memory by /proc", "OwnMemory", || {
        // SAFETY: the child waits and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            std::thread::sleep(Duration::from_millis(500));
            // SAFETY: nothing is to be cleaned up.
            unsafe { libc::_exit(0) }
        }
        let own = fs::File::open("/proc/self/mem").map_err(told);
        let opened = fs::File::options().write(true).open(format!("/proc/{child}/mem"));
        let mut status = 0;
        // SAFETY: the kernel writes an int, which lives through the call.
        unsafe { libc::waitpid(child, &raw mut status, 0) };
        own.and_then(|_| refused("open", opened))
    }),
    of("signals by a file that somebody else owns", "OwnSignals", || {
        let (news, _) = pipe()?;
        // SAFETY: the call takes numbers.
        failed("fcntl", unsafe { libc::fcntl(news, libc::F_SETOWN, parent()) }.into())?;
        // SAFETY: as above.
        let own = unsafe { libc::fcntl(news, libc::F_SETOWN, std::process::id().cast_signed()) };
        if own == 0 { Ok(()) } else { Err("its own is refused, too".into()) }
    }),
    of("namespaces and mounts", "Namespaces", || {
        calls(&[
            ("unshare", libc::SYS_unshare, libc::EPERM),
            ("setns", libc::SYS_setns, libc::EPERM),
            ("mount", libc::SYS_mount, libc::EPERM),
            ("umount", libc::SYS_umount2, libc::EPERM),
            ("chroot", libc::SYS_chroot, libc::EPERM),
            ("pivot_root", libc::SYS_pivot_root, libc::EPERM),
            ("open_tree", libc::SYS_open_tree, libc::EPERM),
            ("fsopen", libc::SYS_fsopen, libc::EPERM),
        ])
    }),
    of("calls without a trace", "IoUring", || {
        calls(&[
            ("io_uring_setup", libc::SYS_io_uring_setup, libc::ENOSYS),
            ("bpf", libc::SYS_bpf, libc::EPERM),
            ("userfaultfd", libc::SYS_userfaultfd, libc::EPERM),
            ("open_by_handle_at", libc::SYS_open_by_handle_at, libc::EPERM),
            ("perf_event_open", libc::SYS_perf_event_open, libc::EPERM),
            ("keyctl", libc::SYS_keyctl, libc::EPERM),
            ("a call of the future", 999, libc::ENOSYS),
            ("a call of x32", 0x4000_0000 | libc::SYS_getpid, libc::ENOSYS),
        ])
    }),
    of("a child that nobody traces", "Children", || {
        for flags in [libc::CLONE_UNTRACED, libc::CLONE_NEWUSER, libc::CLONE_FILES, libc::CLONE_FS]
        {
            // SAFETY: no stack is given, so that the child would go on with a copy of this one.
            let child =
                unsafe { libc::syscall(libc::SYS_clone, flags | libc::SIGCHLD, 0, 0, 0, 0) };
            if child == 0 {
                // SAFETY: the child has nothing to do.
                unsafe { libc::_exit(0) }
            }
            failed("clone", child)?;
        }
        calls(&[("clone3", libc::SYS_clone3, libc::ENOSYS)])
    }),
    of("an orphan that outlives its parents", "Opens", || {
        let (news, tell) = pipe()?;
        // SAFETY: the child only makes calls, and ends.
        if unsafe { libc::fork() } == 0 {
            // SAFETY: as above.
            if unsafe { libc::setsid() } > 0 && unsafe { libc::fork() } == 0 {
                std::thread::sleep(Duration::from_millis(300));
                let verdict: &[u8] = if unread("secret").is_ok() { b"k" } else { b"o" };
                // SAFETY: one byte of a constant.
                unsafe { libc::write(tell, verdict.as_ptr().cast(), 1) };
            }
            // SAFETY: nothing is to be cleaned up.
            unsafe { libc::_exit(0) }
        }
        let mut byte = 0_u8;
        // SAFETY: one byte that lives through the call.
        unsafe { libc::read(news, (&raw mut byte).cast(), 1) };
        if byte == b'k' { Ok(()) } else { Err(format!("{byte}")) }
    }),
    of("a program that it wrote itself", "Programs", || {
        fs::copy("program", "mine").map_err(told)?;
        refused("exec", std::process::Command::new("./mine").arg("inside:nothing").status())
    }),
    of("a script that it wrote itself", "Programs", || {
        fs::write("script", "#!/bin/sh\nexit 0\n").map_err(told)?;
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions("script", fs::Permissions::from_mode(0o755)).map_err(told)?;
        refused("exec", std::process::Command::new("./script").status())
    }),
    of("code in a file that it wrote", "Mappings", || {
        fs::write("code", [0xc3; 4096]).map_err(told)?;
        let file = fs::File::open("code").map_err(told)?;
        let number = std::os::fd::AsRawFd::as_raw_fd(&file);
        unmapped(number, libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE)?;
        unmapped(number, libc::PROT_READ | libc::PROT_EXEC, libc::MAP_SHARED)
    }),
    of("code in memory", "Mappings", || {
        let all = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
        unmapped(-1, all, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS)?;
        unmapped(-1, all, libc::MAP_SHARED | libc::MAP_ANONYMOUS)?;
        // SAFETY: a new mapping of one page.
        let page = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                4096,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        // SAFETY: the page is this program's, and nothing of Rust's is on it.
        failed("mprotect", unsafe { libc::mprotect(page, 4096, libc::PROT_EXEC) }.into())
    }),
    of("code in a file that has no name", "Mappings", || {
        // SAFETY: the name is a constant.
        let file = unsafe { libc::memfd_create(c"code".as_ptr(), 0) };
        let code = fs::read("program").map_err(told)?;
        // SAFETY: as many bytes as are there.
        unsafe { libc::write(file, code.as_ptr().cast(), code.len()) };
        unmapped(file, libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE)?;
        refused("exec", std::process::Command::new(format!("/proc/self/fd/{file}")).status())
    }),
    of("somebody who listens outside", "Outsiders", || {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::{SocketAddr, UnixStream};
        let name = fs::read("outside").map_err(told)?;
        let address = SocketAddr::from_abstract_name(name).map_err(told)?;
        let told = UnixStream::connect_addr(&address).err().and_then(|it| it.raw_os_error());
        if told == Some(libc::EACCES) { Ok(()) } else { Err(format!("{told:?}")) }
    }),
    of("somebody outside whose name it claims", "BoundNames,LivingNames", || {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
        let name = fs::read("outside").map_err(told)?;
        let address = SocketAddr::from_abstract_name(&name).map_err(told)?;
        refused("bind", UnixListener::bind_addr(&address))?;
        refused("connect", UnixStream::connect_addr(&address))
    }),
    of("a listener of its own", "", || {
        // SAFETY: the option takes numbers.
        unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
        // SAFETY: the filter lets all through, and lives through the call.
        let done = unsafe {
            let all = libc::sock_filter { code: 6, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW };
            let program = libc::sock_fprog { len: 1, filter: (&raw const all).cast_mut() };
            let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                &raw const program,
            )
        };
        failed("seccomp", done)
    }),
    of("characters for a terminal", "Terminals", || {
        // SAFETY: one byte of a constant.
        failed("ioctl", unsafe { libc::ioctl(0, libc::TIOCSTI, c"x".as_ptr()) }.into())?;
        // Not because it is no terminal: that is another errno.
        let got = io::Error::last_os_error().raw_os_error();
        if got == Some(libc::EPERM) { Ok(()) } else { Err(format!("{got:?}")) }
    }),
    of("a personality that makes all memory code", "Personality", || {
        // SAFETY: the call takes a number.
        failed("personality", unsafe { libc::personality(0x0040_0000) }.into())
    }),
    of("out of sight", "Dumpable", || {
        // SAFETY: the option takes numbers.
        unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
        // SAFETY: as above.
        let readable = unsafe { libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0) };
        if readable == 0 { Err("it cannot be read".into()) } else { unread("secret") }
    }),
];

fn told(why: io::Error) -> String {
    format!("a step before the attempt failed: {why}")
}

fn here() -> String {
    std::env::current_dir().map(|it| it.display().to_string()).unwrap_or_default()
}

fn parent() -> i32 {
    // SAFETY: the call has no arguments.
    unsafe { libc::getppid() }
}

/// The file's secret cannot be had by this path.
fn unread(path: &str) -> Result<(), String> {
    match fs::read(path) {
        Ok(text) if text.starts_with(b"the secret") => Err(format!("read {path}")),
        _ => Ok(()),
    }
}

fn refused<T>(what: &str, done: io::Result<T>) -> Result<(), String> {
    done.err().map(drop).ok_or_else(|| format!("{what} was let through"))
}

fn failed(what: &str, result: c_long) -> Result<(), String> {
    if result == -1 { Ok(()) } else { Err(format!("{what} gave {result}")) }
}

/// Each of these calls fails with just this errno.
fn calls(all: &[(&str, c_long, c_int)]) -> Result<(), String> {
    for (name, number, errno) in all {
        // SAFETY: without arguments none of them does anything.
        let result = unsafe { libc::syscall(*number, 0, 0, 0, 0, 0, 0) };
        let got = io::Error::last_os_error().raw_os_error();
        if result != -1 || got != Some(*errno) {
            return Err(format!("{name} gave {result}, {got:?}"));
        }
    }
    Ok(())
}

fn pipe() -> Result<(c_int, c_int), String> {
    let mut ends = [0; 2];
    // SAFETY: two numbers that live through the call.
    let done = unsafe { libc::pipe(ends.as_mut_ptr()) };
    if done == 0 { Ok((ends[0], ends[1])) } else { Err("pipe".into()) }
}

fn unmapped(file: c_int, protection: c_int, flags: c_int) -> Result<(), String> {
    // SAFETY: a new mapping of one page.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags, file, 0) };
    if page == libc::MAP_FAILED { Ok(()) } else { Err(format!("mapped {protection} {flags}")) }
}
