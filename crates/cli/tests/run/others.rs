//! Attempts by calls that reach others: programs outside, other memory, other interfaces of the kernel.

use std::arch::asm;
use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use libc::{c_int, c_long};

use super::{Attempt, failed, here, of, parent, refused, told, unread};

/// A number of a call that may be a pointer.
pub(super) fn at<T: ?Sized>(it: &T) -> u64 {
    (&raw const *it).cast::<u8>().expose_provenance() as u64
}

/// Where the kernel may write.
pub(super) fn room<T: ?Sized>(it: &mut T) -> u64 {
    (&raw mut *it).cast::<u8>().expose_provenance() as u64
}

/// `AT_FDCWD` as registers have it.
pub(super) const HERE: u64 = (libc::AT_FDCWD as i64).cast_unsigned();

/// Makes a call as it is.
pub(super) fn system<const N: usize>(number: c_long, arguments: [u64; N]) -> c_long {
    let argument = |n: usize| arguments.get(n).copied().unwrap_or(0);
    let (a, b, c) = (argument(0), argument(1), argument(2));
    let (d, e, f) = (argument(3), argument(4), argument(5));
    // SAFETY: what the arguments point to lives through the call, and the kernel writes only where it is given room.
    unsafe { libc::syscall(number, a, b, c, d, e, f) }
}

fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Not because of its arguments: it is refused.
fn forbidden<const N: usize>(
    what: &str,
    number: c_long,
    arguments: [u64; N],
) -> Result<(), String> {
    match (system(number, arguments), errno()) {
        (-1, libc::EPERM | libc::EACCES | libc::ENOSYS | libc::EOPNOTSUPP) => Ok(()),
        (result, errno) => Err(format!("{what} gave {result}, {errno}")),
    }
}

/// A child that ends with 0 if it was kept in.
pub(super) fn child(run: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    // SAFETY: the child ends by itself and does not come back.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = run().is_err().into();
        // SAFETY: nothing is to be cleaned up.
        unsafe { libc::_exit(code) }
    }
    let mut status = 0;
    // SAFETY: the kernel writes an int, which lives through the call.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 1 {
        Err("its child got out".into())
    } else {
        Ok(())
    }
}

/// A new page, with these rights.
pub(super) fn page(address: u64, protection: c_int, flags: c_int) -> u64 {
    let flags = flags | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let words = [protection, flags].map(|it| u64::from(it.unsigned_abs()));
    system(libc::SYS_mmap, [address, 4096, words[0], words[1], u64::MAX, 0]).cast_unsigned()
}

/// Somebody outside of the same user: a process that has a secret open and in memory, and says where.
pub(super) fn friend() -> ExitCode {
    // It ends with the attempt.
    system(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as u64, libc::SIGKILL as u64]);
    let Ok(secret) = fs::File::open("secret") else { return ExitCode::FAILURE };
    let text = *b"the secret";
    let line = format!("{} {} {}", std::process::id(), secret.as_raw_fd(), at(&text));
    if fs::write("friend.new", line).and_then(|()| fs::rename("friend.new", "friend")).is_err() {
        return ExitCode::FAILURE;
    }
    std::thread::sleep(Duration::from_secs(300));
    drop(secret);
    ExitCode::from(text[0])
}

/// Its number, its descriptor of the secret, and where the secret is in its memory.
fn outsider() -> Result<[u64; 3], String> {
    let line = fs::read_to_string("friend").map_err(told)?;
    let mut words = line.split(' ').filter_map(|it| it.parse().ok());
    let mut next = || words.next().ok_or("nobody is there");
    Ok([next()?, next()?, next()?])
}

/// Reads what a descriptor gives.
pub(super) fn unread_by(file: c_long) -> Result<(), String> {
    let mut text = [0_u8; 10];
    let read = system(libc::SYS_pread64, [file.cast_unsigned(), room(&mut text), 10, 0]);
    if read == 10 && &text == b"the secret" { Err("read it".into()) } else { Ok(()) }
}

/// Tells somebody outside to do his part, and waits until he has.
pub(super) fn ask(what: &str) -> Result<(), String> {
    fs::write(what, "").map_err(told)?;
    for _ in 0..2000 {
        if Path::new(&format!("{what}.done")).exists() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err("nobody outside answers".into())
}

/// The part of somebody outside: waits until he is asked.
pub(super) fn asked(folder: &Path, what: &str, stop: &AtomicBool) -> bool {
    while !stop.load(Ordering::Relaxed) {
        if folder.join(what).exists() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

pub(super) fn answer(folder: &Path, what: &str) {
    let _told = fs::write(folder.join(format!("{what}.done")), "");
}

/// Families of addresses, in their first byte.
pub(super) const INTERNET: u8 = 2;
const NO_FAMILY: u8 = 0;
const EXECUTED: c_int = libc::PROT_READ | libc::PROT_EXEC;
const WRITTEN: c_int = libc::PROT_READ | libc::PROT_WRITE;

pub(super) const ALL: &[Attempt] = &[
    of("a secret by an open with conditions", "Opens", || {
        // `struct open_how`: flags, mode, RESOLVE_BENEATH.
        let how = [0_u64, 0, 8];
        unread_by(system(libc::SYS_openat2, [HERE, at(c"secret"), at(&how), 24]))
    }),
    of("a secret by a second name of what is open", "Names", || {
        let handle = system(libc::SYS_open, [at(c"secret"), libc::O_PATH as u64]);
        let path = std::ffi::CString::new(format!("/proc/self/fd/{handle}")).unwrap_or_default();
        let follow = libc::AT_SYMLINK_FOLLOW as u64;
        let linked = [HERE, at(path.as_c_str()), HERE, at(c"second"), follow];
        failed("linkat", system(libc::SYS_linkat, linked))
    }),
    of("a secret swapped with a file", "Names", || {
        let exchange = u64::from(libc::RENAME_EXCHANGE);
        let both = [HERE, at(c"secret"), HERE, at(c"plain"), exchange];
        failed("renameat2", system(libc::SYS_renameat2, both))
    }),
    of("a secret by io_uring", "IoUring", by_io_uring),
    of("a secret by the calls of 32 bits", "ForeignCalls", || child(by_32_bits)),
    of("a secret by what somebody outside has open", "Tracing", || {
        let [process, file, _] = outsider()?;
        let handle = system(libc::SYS_pidfd_open, [process]);
        unread_by(system(libc::SYS_pidfd_getfd, [handle.cast_unsigned(), file]))
    }),
    of("a secret in the memory of somebody outside", "Tracing", || {
        let [process, _, address] = outsider()?;
        let mut text = [0_u8; 10];
        let (to, from) = ([room(&mut text), 10], [address, 10]);
        system(libc::SYS_process_vm_readv, [process, at(&to), 1, at(&from), 1, 0]);
        if &text == b"the secret" { Err("read it".into()) } else { Ok(()) }
    }),
    of("somebody outside by ptrace", "Tracing", || {
        let seize = u64::from(libc::PTRACE_SEIZE);
        failed("ptrace", system(libc::SYS_ptrace, [seize, outsider()?[0], 0, 0]))
    }),
    of("somebody outside compared with itself", "Tracing", || {
        let process = outsider()?[0];
        forbidden("kcmp", libc::SYS_kcmp, [process, process, 1, 0, 0])
    }),
    of("the lists of somebody outside", "Lists", || {
        let (mut head, mut size) = (0_u64, 0_u64);
        let arguments = [outsider()?[0], room(&mut head), room(&mut size)];
        failed("get_robust_list", system(libc::SYS_get_robust_list, arguments))
    }),
    of("somebody outside by a signal", "Signals", || {
        let process = outsider()?[0];
        failed("kill", system(libc::SYS_kill, [process, libc::SIGURG as u64]))?;
        let sent = [process, process, libc::SIGURG as u64];
        failed("tgkill", system(libc::SYS_tgkill, sent))
    }),
    of("somebody outside by a descriptor and a signal", "Signals", || {
        let handle = system(libc::SYS_pidfd_open, [outsider()?[0]]).cast_unsigned();
        let sent = [handle, libc::SIGURG as u64, 0, 0];
        failed("pidfd_send_signal", system(libc::SYS_pidfd_send_signal, sent))
    }),
    of("somebody outside slowed down", "Schedules", || {
        let process = outsider()?[0];
        failed("setpriority", system(libc::SYS_setpriority, [0, process, 19]))?;
        let all = [u64::MAX; 16];
        failed("affinity", system(libc::SYS_sched_setaffinity, [process, 128, at(&all)]))
    }),
    of("somebody outside limited", "Schedules", || {
        let limit = [0_u64, 0];
        let core = u64::from(libc::RLIMIT_CORE);
        failed("prlimit", system(libc::SYS_prlimit64, [outsider()?[0], core, at(&limit), 0]))
    }),
    of("the monitor limited", "GuardedMonitor", || {
        let limit = [1_u64 << 30, 1 << 30];
        let (monitor, core) = (u64::from(parent().unsigned_abs()), u64::from(libc::RLIMIT_CORE));
        failed("prlimit", system(libc::SYS_prlimit64, [monitor, core, 0, at(&limit)]))?;
        failed("setpriority", system(libc::SYS_setpriority, [0, monitor, 19]))
    }),
    of("signals by a socket that somebody else owns", "OwnSignals", || {
        let (one, _other) = UnixStream::pair().map_err(told)?;
        let (file, owner) = (u64::from(one.as_raw_fd().unsigned_abs()), parent());
        // FIOSETOWN
        failed("ioctl", system(libc::SYS_ioctl, [file, 0x8901, at(&owner)]))
    }),
    of("notice of what is done to a directory", "DirectoryNotices", || {
        let folder = fs::File::open(".").map_err(told)?;
        let file = u64::from(folder.as_raw_fd().unsigned_abs());
        failed("fcntl", system(libc::SYS_fcntl, [file, libc::F_NOTIFY as u64, 0]))
    }),
    of("another terminal by a request", "Terminals", || {
        let master = system(libc::SYS_open, [at(c"/dev/ptmx"), libc::O_RDWR as u64]);
        failed("ioctl", system(libc::SYS_ioctl, [master.cast_unsigned(), 0x5441, 0]))?;
        // Not for want of one: the kernel would have said so.
        if errno() == libc::EINVAL { Ok(()) } else { Err(format!("{master}, {}", errno())) }
    }),
    of("mounts that nobody sees", "Mounts", || {
        failed("open_tree", system(libc::SYS_open_tree, [HERE, at(c"."), 0]))
    }),
    of("a handle of a file", "Handles", || {
        let mut handle = [0_u32; 34];
        handle[0] = 128;
        let mut mount = 0_u32;
        let arguments = [HERE, at(c"secret"), room(&mut handle), room(&mut mount), 0];
        failed("name_to_handle_at", system(libc::SYS_name_to_handle_at, arguments))
    }),
    of("page faults of its own", "Userfaultfd", || {
        // UFFD_USER_MODE_ONLY
        failed("userfaultfd", system(libc::SYS_userfaultfd, [1]))
    }),
    of("programs in the kernel", "Bpf", || forbidden("bpf", libc::SYS_bpf, [u64::MAX, 0, 0])),
    of("keys", "Keys", || {
        let key = [at(c"user"), at(c"mandate"), at(c"x"), 1, (-3_i64).cast_unsigned()];
        failed("add_key", system(libc::SYS_add_key, key))
    }),
    of("message queues", "Queues", || {
        let name = std::ffi::CString::new(format!("mandate-{}", std::process::id()));
        let name = name.unwrap_or_default();
        let flags = (libc::O_CREAT | libc::O_RDWR) as u64;
        let queue = system(libc::SYS_mq_open, [at(name.as_c_str()), flags, 0o600, 0]);
        system(libc::SYS_mq_unlink, [at(name.as_c_str())]);
        failed("mq_open", queue)
    }),
    of("what the kernel says", "KernelLog", || {
        failed("syslog", system(libc::SYS_syslog, [10, 0, 0]))
    }),
    of("a call that nobody thought of", "UnknownCalls", || {
        // futex_wake, since 6.7; the next ones where that is not known yet: memfd_secret, uselib.
        let word = 0_u32;
        let calls = [
            system(454, [at(&word), u64::from(u32::MAX), 0, 2]),
            system(447, []),
            system(134, [0]).max(-1),
        ];
        if calls.iter().all(|it| *it == -1) { Ok(()) } else { Err(format!("{calls:?}")) }
    }),
    of("a child by flags that nobody sees", "Clone3", || {
        // `struct clone_args`: the fifth word is the signal at its end.
        let arguments = [0, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0];
        let child = system(libc::SYS_clone3, [at(&arguments), 64]);
        if child == 0 {
            // SAFETY: the child has nothing to do.
            unsafe { libc::_exit(0) }
        }
        failed("clone3", child)
    }),
    of("memory at low addresses", "LowMemory", || {
        let low = page(0x8000, WRITTEN, libc::MAP_FIXED);
        if low == 0x8000 { Err("mapped it".into()) } else { Ok(()) }
    }),
    of("memory moved to low addresses", "LowMemory", || {
        let (page, fixed) =
            (page(0, WRITTEN, 0), (libc::MREMAP_FIXED | libc::MREMAP_MAYMOVE) as u64);
        failed("mremap", system(libc::SYS_mremap, [page, 4096, 4096, fixed, 0x9000]))
    }),
    of("code that is shared by a number", "SharedCode", || {
        let memory = system(libc::SYS_shmget, [0, 4096, 0o1700]).cast_unsigned();
        let got = system(libc::SYS_shmat, [memory, 0, libc::SHM_EXEC as u64]);
        system(libc::SYS_shmctl, [memory, 0, 0]);
        failed("shmat", got)
    }),
    of("code by a key of memory", "Mappings", || {
        let all = (WRITTEN | libc::PROT_EXEC) as u64;
        let page = page(0, WRITTEN, 0);
        failed("pkey_mprotect", system(libc::SYS_pkey_mprotect, [page, 4096, all, u64::MAX]))
    }),
    of("code by a change of what was executed", "Mappings", || {
        let file = fs::File::open("program").map_err(told)?;
        let (file, private) =
            (u64::from(file.as_raw_fd().unsigned_abs()), libc::MAP_PRIVATE as u64);
        let mapped = system(libc::SYS_mmap, [0, 4096, EXECUTED as u64, private, file, 0]);
        let mapped = mapped.cast_unsigned();
        let changed = system(libc::SYS_mprotect, [mapped, 4096, WRITTEN as u64]);
        if changed != 0 {
            return Err("a step before the attempt failed".into());
        }
        let text = usize::try_from(mapped).unwrap_or(0);
        // SAFETY: the page was just mapped, may be written, and is nobody else's.
        unsafe { std::ptr::without_provenance_mut::<u8>(text).write(0xc3) };
        failed("mprotect", system(libc::SYS_mprotect, [mapped, 4096, EXECUTED as u64]))
    }),
    of("code that the monitor writes", "PlainWrites", code_by_an_answer).with(&["--exact"]),
    of("code by a table of descriptors of its own", "OneTable", by_a_table_of_its_own),
    of("a program by its descriptor", "Programs", || {
        fs::copy("evil", "mine").map_err(told)?;
        let file = fs::File::open("mine").map_err(told)?;
        let file = u64::from(file.as_raw_fd().unsigned_abs());
        child(|| {
            let words = [at(c"mine"), 0];
            let empty = libc::AT_EMPTY_PATH as u64;
            system(libc::SYS_execveat, [file, at(c""), at(&words), 0, empty]);
            Ok(())
        })?;
        ran(Command::new(format!("/proc/self/fd/{file}")))
    }),
    of("a program in memory", "Programs", || {
        let file = system(libc::SYS_memfd_create, [at(c"code"), 0]);
        let code = fs::read("evil").map_err(told)?;
        system(libc::SYS_write, [file.cast_unsigned(), at(&*code), code.len() as u64]);
        ran(Command::new(format!("/proc/self/fd/{file}")))
    }),
    of("a program by the dynamic linker", "Mappings", || {
        fs::copy("program", "mine").map_err(told)?;
        for linker in ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"] {
            let mut command = Command::new(linker);
            let done = command.args(["./mine", "inside:nothing"]).status();
            if done.is_ok_and(|it| it.code() == Some(9)) {
                return Err("ran it".into());
            }
        }
        Ok(())
    }),
    of("a program as the interpreter of a script", "Programs", || {
        fs::copy("evil", "mine").map_err(told)?;
        ran(Command::new("./good-script-of-mine"))
    }),
    of("a script by its descriptor", "Programs", || {
        let file = fs::File::open("evil-script").map_err(told)?;
        let number = file.as_raw_fd();
        // SAFETY: the call takes numbers.
        unsafe { libc::fcntl(number, libc::F_SETFD, 0) };
        ran(Command::new(format!("/dev/fd/{number}")))
    }),
    of("a program that it moves to where programs are", "KeptLabels", || {
        fs::create_dir("mine").map_err(told)?;
        fs::copy("evil", "mine/tool").map_err(told)?;
        fs::rename("mine", "tools").map_err(told)?;
        ran(Command::new("./tools/tool"))
    }),
    of("a secret that has the number of a file of its own", "Births", by_a_number)
        .beside(number_again),
    of("a socket of a kind that it may not have", "Sockets", || {
        let kinds = [libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_GENERIC];
        failed("socket", system(libc::SYS_socket, kinds.map(|it| u64::from(it.unsigned_abs()))))
    }),
    of("a port by an address of no family", "Families", by_no_family),
    of("the monitor's memory by what is sent later", "Sockets", || {
        let (on, datagrams) = (1_i32, libc::SOCK_DGRAM as u64);
        let socket = system(libc::SYS_socket, [libc::AF_INET as u64, datagrams, 0]);
        let (level, name) = (libc::SOL_SOCKET as u64, libc::SO_ZEROCOPY as u64);
        let arguments = [socket.cast_unsigned(), level, name, at(&on), 4];
        forbidden("sending later", libc::SYS_setsockopt, arguments)
    }),
    of("somebody outside who takes over its name", "LivingNames", || {
        let name = format!("{} taken over", here());
        let address = SocketAddr::from_abstract_name(&name).map_err(told)?;
        drop(UnixListener::bind_addr(&address).map_err(told)?);
        ask("take")?;
        refused("connect", UnixStream::connect_addr(&address))
    })
    .beside(take_over),
    of("somebody outside by a file", "Outsiders", || {
        refused("connect", UnixStream::connect("outside.socket"))
    }),
    of("somebody outside by a message", "Outsiders", || {
        let socket = UnixDatagram::unbound().map_err(told)?;
        refused("send", socket.send_to(b"x", "outside.messages"))
    }),
    of("what may only be appended to", "Appending", || {
        let append = (libc::O_RDWR | libc::O_APPEND) as u64;
        let log = system(libc::SYS_open, [at(c"journal"), append]).cast_unsigned();
        if system(libc::SYS_write, [log, at(b"x"), 1]) != 1 {
            return Err("a step before the attempt failed".into());
        }
        failed("fcntl", system(libc::SYS_fcntl, [log, libc::F_SETFL as u64, 0]))?;
        failed("ftruncate", system(libc::SYS_ftruncate, [log, 0]))?;
        let hole = (libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE) as u64;
        failed("fallocate", system(libc::SYS_fallocate, [log, hole, 0, 4096]))?;
        let shared = libc::MAP_SHARED as u64;
        let mapped = system(libc::SYS_mmap, [0, 4096, WRITTEN as u64, shared, log, 0]);
        failed("mmap", mapped)
    })
    .with(&["--domain", "httpd_t"]),
    of("a file by a program that breaks", "NoCores", || {
        child(|| {
            let limit = [1_u64 << 30, 1 << 30];
            let core = u64::from(libc::RLIMIT_CORE);
            system(libc::SYS_prlimit64, [0, core, at(&limit), 0]);
            std::env::set_current_dir("closed").map_err(told)?;
            // SAFETY: it ends here.
            unsafe { libc::abort() }
        })?;
        let found = fs::read_dir("closed").map_err(told)?.count();
        if found == 0 { Ok(()) } else { Err("a file was made".into()) }
    }),
];

/// Runs a tiny program or script that must not run: it says so by its code.
pub(super) fn ran(mut command: Command) -> Result<(), String> {
    match command.status().ok().and_then(|it| it.code()) {
        Some(77) => Err("ran it".into()),
        _ => Ok(()),
    }
}

/// Opens and reads the secret by requests in memory.
fn by_io_uring() -> Result<(), String> {
    let mut setup = [0_u32; 30];
    let ring = system(libc::SYS_io_uring_setup, [2, room(&mut setup)]);
    if ring < 0 {
        return Ok(());
    }
    let ring = ring.cast_unsigned();
    let shared = (libc::MAP_SHARED | libc::MAP_POPULATE) as u64;
    let map = |size: u64, offset: u64| {
        system(libc::SYS_mmap, [0, size, WRITTEN as u64, shared, ring, offset]).cast_unsigned()
    };
    let (queue, entries) = (map(4096, 0), map(4096, 0x1000_0000));
    let place = |base: u64, offset: u64| {
        std::ptr::without_provenance_mut::<u32>(usize::try_from(base + offset).unwrap_or(0))
    };
    // IORING_OP_OPENAT of this directory: the path stands in the third double word.
    let mut request = [0_u64; 8];
    request[0] = 18 | u64::from(libc::AT_FDCWD.cast_unsigned()) << 32;
    request[2] = at(c"secret");
    for (n, word) in request.iter().enumerate() {
        // SAFETY: the kernel gave room for two requests of 64 bytes.
        unsafe { place(entries, 8 * n as u64).cast::<u64>().write_volatile(*word) };
    }
    // `struct io_uring_params`: from word 10 on where the parts of the queue of requests are; from 20 those of answers.
    let (tail, array, answers) = (setup[11], setup[16], setup[25]);
    // SAFETY: the kernel said that these words are there.
    unsafe { place(queue, array.into()).write_volatile(0) };
    // SAFETY: as above.
    unsafe { place(queue, tail.into()).write_volatile(1) };
    system(libc::SYS_io_uring_enter, [ring, 1, 1, 1, 0, 0]);
    // SAFETY: as above; the result stands in the third word.
    let file = unsafe { place(queue, u64::from(answers) + 8).read_volatile() };
    unread_by(c_long::from(file.cast_signed()))
}

/// Opens the secret as a program of 32 bits does.
fn by_32_bits() -> Result<(), String> {
    const MAP_32BIT: c_int = 0x40;
    let low = page(0, WRITTEN, MAP_32BIT);
    let text = std::ptr::without_provenance_mut::<u8>(usize::try_from(low).unwrap_or(0));
    let name: &CStr = c"secret";
    // SAFETY: the page was just mapped, may be written, and is longer than the name.
    unsafe { std::ptr::copy_nonoverlapping(name.as_ptr().cast(), text, name.count_bytes() + 1) };
    let file: u64;
    // SAFETY: the call is open (5); the registers that it changes are named, and the one that may not be is put back.
    unsafe {
        asm!(
            "xchg rbx, {path}", "int 0x80", "xchg rbx, {path}",
            path = inout(reg) low => _, inlateout("rax") 5_u64 => file, in("rcx") 0, in("rdx") 0,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    };
    unread_by(file.cast_signed())
}

/// The text of a link, written as an answer to where code is: what the program could not write itself.
fn code_by_an_answer() -> Result<(), String> {
    let file = fs::File::open("program").map_err(told)?;
    let (number, private) = (u64::from(file.as_raw_fd().unsigned_abs()), libc::MAP_PRIVATE as u64);
    let mapped = system(libc::SYS_mmap, [0, 4096, EXECUTED as u64, private, number, 0]);
    std::os::unix::fs::symlink("code of mine", "way").map_err(told)?;
    system(libc::SYS_readlink, [at(c"way"), mapped.cast_unsigned(), 12]);
    let text = usize::try_from(mapped).unwrap_or(0);
    // SAFETY: the page was just mapped and may be read.
    let first = unsafe { std::ptr::without_provenance::<u8>(text).read_volatile() };
    if first == b'c' { Err("it was written".into()) } else { Ok(()) }
}

/// A thread with a table of its own has another file under a number than the rest of its process.
fn by_a_table_of_its_own() -> Result<(), String> {
    const UNSHARE: u64 = 2;
    fs::write("code", [0xc3; 4096]).map_err(told)?;
    let (good, bad) = (fs::File::open("program"), fs::File::open("code"));
    let (good, bad) = (good.map_err(told)?, bad.map_err(told)?);
    let number = |it: &fs::File| u64::from(it.as_raw_fd().unsigned_abs());
    let (good, bad) = (number(&good), number(&bad));
    let thread = std::thread::spawn(move || {
        system(libc::SYS_close_range, [1000, 1000, UNSHARE]);
        system(libc::SYS_dup2, [bad, good]);
        let private = libc::MAP_PRIVATE as u64;
        system(libc::SYS_mmap, [0, 4096, EXECUTED as u64, private, good, 0])
    });
    let mapped = usize::try_from(thread.join().unwrap_or(-1)).unwrap_or(0);
    if mapped == 0 {
        return Ok(());
    }
    // SAFETY: the page was just mapped and may be read.
    let first = unsafe { std::ptr::without_provenance::<u8>(mapped).read_volatile() };
    if first == 0xc3 { Err("mapped it".into()) } else { Ok(()) }
}

/// A port that the policy keeps, by an address that names no family: the kernel takes it for one of the socket's.
fn by_no_family() -> Result<(), String> {
    let port = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap_or(0);
    let [high, low] = port.to_be_bytes();
    let mut address = [0_u8; 16];
    let datagrams = libc::SOCK_DGRAM as u64;
    for family in [INTERNET, NO_FAMILY] {
        let socket = system(libc::SYS_socket, [libc::AF_INET as u64, datagrams, 0]);
        [address[0], address[2], address[3]] = [family, high, low];
        let bound = system(libc::SYS_bind, [socket.cast_unsigned(), at(&address), 16]);
        failed("bind", bound)?;
    }
    Ok(())
}

/// A file of its own goes, and a secret comes that has its number.
fn by_a_number() -> Result<(), String> {
    for n in 0..20 {
        let (mine, late) = (format!("mine.{n}"), format!("secret.{n}"));
        fs::write(&mine, "mine").map_err(told)?;
        ask(&format!("replace.{n}"))?;
        unread(&late)?;
    }
    Ok(())
}

fn number_again(folder: &Path, stop: &AtomicBool) {
    for n in 0..20 {
        let what = format!("replace.{n}");
        if !asked(folder, &what, stop) {
            return;
        }
        let _gone = fs::remove_file(folder.join(format!("mine.{n}")));
        let _made = fs::write(folder.join(format!("secret.{n}")), "the secret\n");
        answer(folder, &what);
    }
}

fn take_over(folder: &Path, stop: &AtomicBool) {
    if !asked(folder, "take", stop) {
        return;
    }
    let name = format!("{} taken over", folder.display());
    let address = SocketAddr::from_abstract_name(name);
    let listener = address.and_then(|it| UnixListener::bind_addr(&it));
    answer(folder, "take");
    while listener.is_ok() && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(5));
    }
}
