//! Races with the monitor: something changes between its decision and what the kernel does.
//!
//! Programs that are executed in a race are a few bytes each, so that a round costs little: they end with 0, or with 77 where they must not
//! run.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, IntoRawFd as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{c_char, c_int};

use super::others::{HERE, INTERNET, answer, ask, asked, at, page, room, system, unread_by};
use super::{Attempt, of, told, unread};

/// What ends a program that must not run.
const EVIL: u8 = 77;
/// Without its defence a race is tried as often.
const UNTIL_SHOWN: u64 = 300_000;

/// Ends with a number (its second byte).
const END: [u8; 12] = [0xbf, 0, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];
/// Opens the file that its first argument names, and ends with the number in its byte 63.
const READER: [u8; 42] = [
    0x48, 0x8b, 0x7c, 0x24, 0x10, 0x31, 0xf6, 0xb8, 2, 0, 0, 0, 0x0f, 0x05, 0x89, 0xc7, 0x48, 0x8d,
    0x74, 0x24, 0x80, 0xba, 64, 0, 0, 0, 0x31, 0xc0, 0x0f, 0x05, 0x0f, 0xb6, 0x7c, 0x24, 0xbf,
    0xb8, 60, 0, 0, 0, 0x0f, 0x05,
];

/// Where a program keeps nothing.
const KEPT: u64 = 0x0041_0000;
/// Ends with [`EVIL`] if it finds a file's mode there (byte 24 of a `struct stat`).
const KEEPER: [u8; 22] = [
    0x0f, 0xb6, 0x3c, 0x25, 0x18, 0, 0x41, 0, 0x85, 0xff, 0x74, 5, 0xbf, EVIL, 0, 0, 0, 0xb8, 60,
    0, 0, 0,
];

/// Writes the programs, which everybody may execute as far as modes say.
pub(super) fn prepare() -> ExitCode {
    let end = |code| {
        let mut end = END;
        end[1] = code;
        end
    };
    let script = |interpreter: &str, code| {
        let mut text = format!("#!./{interpreter}\n").into_bytes();
        text.resize(63, b'\n');
        text.push(code);
        text
    };
    let files = [
        ("good", elf(&end(0), None)),
        ("evil", elf(&end(EVIL), None)),
        ("good-linked", elf(&end(0), Some("./loader"))),
        ("good-reader", elf(&READER, None)),
        ("good-keeper", keeper()),
        ("good-script", script("good-reader", 0)),
        ("evil-script", script("good-reader", EVIL)),
        ("good-script-of-mine", script("mine", 0)),
        ("good-script-of-any", script("any", 0)),
        ("good-tool", elf(&end(0), None)),
        ("evil-tool", elf(&end(EVIL), None)),
    ];
    let done = files.iter().try_for_each(|(name, bytes)| {
        fs::write(name, bytes)?;
        fs::set_permissions(name, fs::Permissions::from_mode(0o755))
    });
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An ELF file that is loaded anywhere (elf(5)).
fn elf(code: &[u8], interpreter: Option<&str>) -> Vec<u8> {
    let words = |all: &[u64]| all.iter().flat_map(|it| it.to_le_bytes()).collect::<Vec<_>>();
    let (header, entry) = (64, 56);
    let parts = 1 + u8::from(interpreter.is_some());
    let start = header + entry * u64::from(parts);
    let end = start + code.len() as u64;
    let mut name = interpreter.unwrap_or_default().as_bytes().to_vec();
    name.push(0);
    // Sixty-four bits, little endian; a file that is loaded anywhere, for this machine.
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([3, 0, 62, 0, 1, 0, 0, 0]);
    file.extend(words(&[start, header, 0]));
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, parts, 0, 64, 0, 0, 0, 0, 0]);
    if interpreter.is_some() {
        // PT_INTERP, read
        let size = name.len() as u64;
        file.extend(words(&[3 | 4 << 32, end, end, end, size, size, 1]));
    }
    // PT_LOAD, read and executed
    let size = end + name.len() as u64;
    file.extend(words(&[1 | 5 << 32, 0, 0, 0, size, size, 4096]));
    file.extend(code);
    file.extend(name);
    file
}

/// An ELF file with memory at [`KEPT`].
fn keeper() -> Vec<u8> {
    let code = [&KEEPER[..], &[0x0f, 0x05]].concat();
    let words = |all: &[u64]| all.iter().flat_map(|it| it.to_le_bytes()).collect::<Vec<_>>();
    let (base, start) = (0x0040_0000, 64 + 2 * 56);
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    file.extend(words(&[base + start, 64, 0]));
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 64, 0, 0, 0, 0, 0]);
    // PT_LOAD, read and executed; and read and written, of which the file has nothing.
    let size = start + code.len() as u64;
    file.extend(words(&[1 | 5 << 32, 0, base, base, size, size, 4096]));
    file.extend(words(&[1 | 6 << 32, 0, KEPT, KEPT, 0, 4096, 4096]));
    file.extend(code);
    file
}

/// How often a race is tried.
pub(crate) fn asked_rounds() -> u64 {
    let asked = std::env::var("MANDATE_ROUNDS").ok().and_then(|it| it.parse().ok());
    asked.unwrap_or(2_000)
}

/// Tries again and again; without a defence until it has succeeded.
fn rounds(attempt: impl Fn() -> Result<(), String>) -> Result<(), String> {
    let most = match std::env::var_os("MANDATE_WITHOUT") {
        Some(_) => UNTIL_SHOWN,
        None => asked_rounds(),
    };
    for round in 1..=most {
        attempt().map_err(|got| format!("{got} in round {round}"))?;
    }
    let told = format!("{most} rounds\n");
    io::Write::write_all(&mut io::stdout(), told.as_bytes()).map_err(super::told)
}

/// Tries while another thread does something.
fn against(
    other: impl Fn() + Send + 'static,
    attempt: impl Fn() -> Result<(), String>,
) -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        while !until.load(Ordering::Relaxed) {
            other();
        }
    });
    let result = rounds(attempt);
    stop.store(true, Ordering::Relaxed);
    let _panicked = thread.join();
    result
}

/// Memory that threads write and the monitor reads: that is the attempt.
#[derive(Clone, Copy)]
struct Shared {
    at: usize,
    size: usize,
}

impl Shared {
    fn new(bytes: &[u8]) -> Self {
        let bytes: &'static mut [u8] = Box::leak(bytes.to_vec().into_boxed_slice());
        Self { at: bytes.as_mut_ptr().expose_provenance(), size: bytes.len() }
    }

    fn set(self, bytes: &[u8]) {
        let to = std::ptr::with_exposed_provenance_mut::<u8>(self.at);
        // SAFETY: as many bytes as there are, of memory that is never given back.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len().min(self.size)) };
    }

    fn word(self) -> u64 {
        self.at as u64
    }
}

/// Writes one text, waits a little, writes the other.
fn rewrite(shared: Shared, texts: [&'static [u8]; 2]) -> impl Fn() + Send + 'static {
    move || {
        for text in texts {
            shared.set(text);
            pause();
        }
    }
}

/// Long enough for a decision to fall in between now and then.
fn pause() {
    for _ in 0..300 {
        std::hint::spin_loop();
    }
}

/// Puts another link in the place of one.
fn relink(folder: &Path, name: &str, target: &str) {
    let next = folder.join(format!("{name}.next"));
    let _there = fs::remove_file(&next);
    let _made = symlink(target, &next);
    let _moved = fs::rename(next, folder.join(name));
}

/// Somebody outside who swaps what a link leads to.
fn swap_links(folder: &Path, stop: &AtomicBool, name: &str, targets: [&str; 2]) {
    relink(folder, name, targets[0]);
    if !asked(folder, "go", stop) {
        return;
    }
    answer(folder, "go");
    while !stop.load(Ordering::Relaxed) {
        for target in targets {
            relink(folder, name, target);
        }
    }
}

/// Executes a program in a child; its code.
fn spawn(path: *const c_char) -> Option<c_int> {
    let words = [c"x".as_ptr().cast_mut(), std::ptr::null_mut()];
    let mut child = 0;
    let (actions, how) = (std::ptr::null(), std::ptr::null());
    // SAFETY: the words live through the call; the path always ends with a zero byte; no actions and no environment are given.
    let done = unsafe {
        libc::posix_spawn(&raw mut child, path, actions, how, words.as_ptr(), words[1..].as_ptr())
    };
    (done == 0).then(|| ended(child)).flatten()
}

fn ended(child: c_int) -> Option<c_int> {
    let mut status = 0;
    // SAFETY: the kernel writes an int, which lives through the call.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status))
}

/// A program that must not run did not.
fn unspawned(path: &CStr) -> Result<(), String> {
    match spawn(path.as_ptr()) {
        Some(code) if code == c_int::from(EVIL) => Err("it ran".into()),
        _ => Ok(()),
    }
}

fn unspawned_at(path: Shared) -> Result<(), String> {
    match spawn(std::ptr::with_exposed_provenance(path.at)) {
        Some(code) if code == c_int::from(EVIL) => Err("it ran".into()),
        _ => Ok(()),
    }
}

/// What is executed is looked at once by its own name, so that its label is known.
fn know(names: &[&CStr]) {
    for name in names {
        spawn(name.as_ptr());
    }
}

const GOOD_OR_EVIL: [&[u8]; 2] = [b"./evil\0", b"./good\0"];
const CODE: u64 = (libc::PROT_READ | libc::PROT_EXEC) as u64;
/// `AF_UNIX`, in the first byte of an address.
const LOCAL: u8 = 1;
const WRITTEN: c_int = libc::PROT_READ | libc::PROT_WRITE;
const PRIVATE: u64 = libc::MAP_PRIVATE as u64;

pub(super) const ALL: &[Attempt] = &[
    of("race: a path that a thread rewrites, opened", "Held", || {
        let path = Shared::new(b"plain\0\0");
        against(rewrite(path, [b"secret\0", b"plain\0\0"]), move || {
            let file = system(libc::SYS_open, [path.word(), 0]);
            let mut text = [0_u8; 10];
            let read = system(libc::SYS_read, [file.cast_unsigned(), room(&mut text), 10]);
            system(libc::SYS_close, [file.cast_unsigned()]);
            if read == 10 && &text == b"the secret" { Err("read it".into()) } else { Ok(()) }
        })
    }),
    of("race: a path that a thread rewrites, looked at", "Held", || {
        let path = Shared::new(b"plain\0\0");
        let size = fs::metadata("plain").map_err(told)?.len();
        against(rewrite(path, [b"secret\0", b"plain\0\0"]), move || {
            let mut facts = [0_u64; 18];
            let done = system(libc::SYS_stat, [path.word(), room(&mut facts)]);
            // The size stands in the seventh word.
            if done == 0 && facts[6] != size { Err("saw it".into()) } else { Ok(()) }
        })
    })
    .with(&["--exact"]),
    of("race: a descriptor that a thread swaps, looked at", "Held", || {
        let path = system(libc::SYS_open, [at(c"plain"), libc::O_PATH as u64]).cast_unsigned();
        let secret = system(libc::SYS_open, [at(c"secret"), libc::O_PATH as u64]).cast_unsigned();
        let both = system(libc::SYS_dup, [path]).cast_unsigned();
        let size = fs::metadata("plain").map_err(told)?.len();
        let swap = move || {
            for file in [secret, path] {
                system(libc::SYS_dup2, [file, both]);
                pause();
            }
        };
        against(swap, move || {
            let mut facts = [0_u64; 18];
            let done = system(libc::SYS_fstat, [both, room(&mut facts)]);
            if done == 0 && facts[6] != size { Err("saw it".into()) } else { Ok(()) }
        })
    })
    .with(&["--exact"]),
    of("race: a link that a thread swaps, opened", "Held", || {
        let here = || ["secret", "plain"].iter().for_each(|it| relink(Path::new("."), "way", it));
        against(here, || unread("way"))
    }),
    of("race: a link that somebody outside swaps, opened", "Held", || {
        ask("go")?;
        rounds(|| unread("way"))
    })
    .beside(|folder, stop| swap_links(folder, stop, "way", ["plain", "secret"])),
    of("race: a directory that moves below a walk", "Held", || {
        fs::create_dir_all("room/sub").map_err(told)?;
        fs::write("room/secret", "mine").map_err(told)?;
        let sub = fs::File::open("room/sub").map_err(told)?;
        let sub = u64::from(sub.into_raw_fd().unsigned_abs());
        let moves = || {
            for (from, to) in [("room/sub", "vault/sub"), ("vault/sub", "room/sub")] {
                let _moved = fs::rename(from, to);
            }
        };
        against(moves, move || {
            let file = system(libc::SYS_openat, [sub, at(c"../secret"), 0]);
            let result = unread_by(file);
            system(libc::SYS_close, [file.cast_unsigned()]);
            result
        })
    }),
    of("race: a second name for what a thread swaps", "Held", || {
        use std::os::unix::fs::MetadataExt as _;
        let path = Shared::new(b"plain\0\0");
        against(rewrite(path, [b"secret\0", b"plain\0\0"]), move || {
            let _there = fs::remove_file("second");
            system(libc::SYS_link, [path.word(), at(c"second")]);
            let size = fs::symlink_metadata("second").map_or(6, |it| it.size());
            if size == 6 { Ok(()) } else { Err("linked it".into()) }
        })
    }),
    of("race: a path that a thread rewrites, executed", "VerifiedProgram", || {
        let path = Shared::new(b"./good\0");
        against(rewrite(path, GOOD_OR_EVIL), move || unspawned_at(path))
    }),
    of("race: a path that is rewritten, executed by a second thread", "VerifiedProgram", || {
        rounds(|| child_ran(by_second_thread))
    }),
    of(
        "race: an answer for a thread whose process another one gives a new program",
        "OneMemory",
        || rounds(|| child_ran(asks_while_another_executes)),
    )
    .with(&["--exact"]),
    of("race: a link that a thread swaps, executed", "VerifiedProgram", || {
        let here = || ["evil", "good"].iter().for_each(|it| relink(Path::new("."), "way", it));
        against(here, || unspawned(c"./way"))
    }),
    of("race: a link that somebody outside swaps, executed", "VerifiedProgram", || {
        ask("go")?;
        rounds(|| unspawned(c"./way"))
    })
    .beside(|folder, stop| swap_links(folder, stop, "way", ["good", "evil"])),
    of("race: a file that somebody outside swaps, executed", "VerifiedProgram", || {
        know(&[c"./good-tool", c"./evil-tool"]);
        ask("go")?;
        rounds(|| unspawned(c"./good-tool"))
    })
    .beside(swap_files),
    of("race: a descriptor that a thread swaps, executed", "VerifiedProgram", || {
        let open = |path| system(libc::SYS_open, [at(path), libc::O_PATH as u64]).cast_unsigned();
        let (good, evil): (u64, u64) = (open(c"good"), open(c"evil"));
        let both = system(libc::SYS_dup, [good]).cast_unsigned();
        // The link of /proc leads to what is open under the number in the child, which has it from this process.
        let path = std::ffi::CString::new(format!("/proc/{}/fd/{both}", std::process::id()));
        let path = path.unwrap_or_default();
        let swap = move || {
            for file in [evil, good] {
                system(libc::SYS_dup2, [file, both]);
                pause();
            }
        };
        against(swap, move || unspawned(&path))
    }),
    of("race: a script that somebody outside swaps", "BoundScript", || {
        ask("go")?;
        rounds(|| unspawned(c"./way"))
    })
    .beside(|folder, stop| swap_links(folder, stop, "way", ["good-script", "evil-script"])),
    of("race: a script for another one that is called differently", "VerifiedScript", || {
        let path = Shared::new(b"./good-script\0\0\0");
        let texts: [&[u8]; 2] = [b"./evil-script\0", b"./good-script\0"];
        against(rewrite(path, texts), move || unspawned_at(path))
    }),
    of("race: an interpreter that somebody outside swaps", "VerifiedProgram", || {
        ask("go")?;
        rounds(|| unspawned(c"./good-script-of-any"))
    })
    .beside(|folder, stop| swap_links(folder, stop, "any", ["good", "evil"])),
    of("race: a dynamic linker that somebody outside swaps", "VerifiedLinker", || {
        ask("go")?;
        rounds(|| unspawned(c"./good-linked"))
    })
    .beside(|folder, stop| swap_links(folder, stop, "loader", ["good", "evil"])),
    of("race: a descriptor that a thread swaps, mapped as code", "Frozen", || {
        let [good, bad, both] = code_or_not()?;
        let swap = move || {
            for file in [bad, good] {
                system(libc::SYS_dup2, [file, both]);
            }
        };
        against(swap, move || unmapped(both))
    }),
    of("race: a descriptor that is swapped after a child gave memory back", "FrozenParent", || {
        let [good, bad, both] = code_or_not()?;
        // Of its end no signal tells, for which its parent would stop.
        let blocked = 1_u64 << (libc::SIGCHLD - 1);
        system(libc::SYS_rt_sigprocmask, [0, at(&blocked), 0, 8]);
        // A child that ends at once: its parent runs when the monitor has just heard of it.
        let swap = move || {
            spawn(c"./missing".as_ptr());
            for file in [bad, good].repeat(100) {
                system(libc::SYS_dup2, [file, both]);
            }
        };
        against(swap, move || unmapped(both))
    }),
    of("race: memory that a thread replaces, made code", "Frozen", || {
        let file = fs::File::open("program").map_err(told)?;
        let file = u64::from(file.into_raw_fd().unsigned_abs());
        let place = page(0, WRITTEN, 0);
        let turn = Arc::new(AtomicBool::new(false));
        let mine = Arc::clone(&turn);
        let replace = move || {
            if turn.load(Ordering::Acquire) {
                page(place, WRITTEN, libc::MAP_FIXED);
                turn.store(false, Ordering::Release);
            }
            std::thread::yield_now();
        };
        against(replace, move || {
            let flags = (libc::MAP_FIXED | libc::MAP_PRIVATE) as u64;
            system(libc::SYS_mmap, [place, 4096, libc::PROT_READ as u64, flags, file, 0]);
            mine.store(true, Ordering::Release);
            let done = system(libc::SYS_mprotect, [place, 4096, CODE]);
            while mine.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            if done == 0 && is_code_of_nobody(place) { Err("it is code".into()) } else { Ok(()) }
        })
    }),
    of("race: an address that a thread rewrites, connected to", "Held", || {
        let name = super::here();
        let outside = address(&[b"\0", name.as_bytes()].concat());
        let inside = address(&[b"\0", name.as_bytes(), b".inside"].concat());
        let listener = abstract_name(&format!("{name}.inside")).map_err(told)?;
        listener.set_nonblocking(true).map_err(told)?;
        let shared = Shared::new(&inside);
        let rewrite = move || {
            for it in [&outside, &inside] {
                shared.set(it);
                pause();
            }
        };
        against(rewrite, move || {
            let socket = socket(libc::SOCK_STREAM)?;
            let number = u64::from(socket.as_raw_fd().unsigned_abs());
            let done = system(libc::SYS_connect, [number, shared.word(), 110]);
            // Who is not here is outside.
            let here = listener.accept().is_ok();
            if done == 0 && !here { Err("connected".into()) } else { Ok(()) }
        })
    }),
    of("race: an address that a thread rewrites, bound", "Held", || {
        let port = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap_or(0);
        let internet = |port: u16| {
            let mut address = [0_u8; 16];
            let [high, low] = port.to_be_bytes();
            [address[0], address[2], address[3]] = [INTERNET, high, low];
            address
        };
        let (any, kept) = (internet(0), internet(port));
        let shared = Shared::new(&any);
        let rewrite = move || {
            for it in [&kept, &any] {
                shared.set(it);
                pause();
            }
        };
        against(rewrite, move || {
            let kinds = [libc::AF_INET as u64, libc::SOCK_DGRAM as u64, 0];
            let socket = system(libc::SYS_socket, kinds).cast_unsigned();
            system(libc::SYS_bind, [socket, shared.word(), 16]);
            let (mut got, mut size) = ([0_u8; 16], 16_u32);
            system(libc::SYS_getsockname, [socket, room(&mut got), room(&mut size)]);
            system(libc::SYS_close, [socket]);
            if got[2..4] == port.to_be_bytes() { Err("bound it".into()) } else { Ok(()) }
        })
    }),
    of("race: a message's name that a thread rewrites", "Held", || {
        let socket = UnixDatagram::bind("inside.messages").map_err(told)?;
        let texts: [&[u8]; 2] = [b"outside.messages\0", b"inside.messages\0\0"];
        let [outside, inside] = texts.map(address);
        let shared = Shared::new(&inside);
        let rewrite = move || {
            for it in [&outside, &inside] {
                shared.set(it);
                pause();
            }
        };
        socket.set_nonblocking(true).map_err(told)?;
        against(rewrite, move || {
            let vector = [at(b"x"), 1];
            let header = [shared.word(), 110, at(&vector), 1, 0, 0, 0];
            let number = u64::from(socket.as_raw_fd().unsigned_abs());
            let sent = system(libc::SYS_sendmsg, [number, at(&header), 0]);
            let here = socket.recv(&mut [0; 4]).is_ok();
            if sent == 1 && !here { Err("sent it".into()) } else { Ok(()) }
        })
    }),
    of("race: signals that take calls back", "Restarts", || {
        extern "C" fn nothing(_: c_int) {}
        // SAFETY: all bytes zero is an action, with an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = nothing as *const () as usize;
        // SAFETY: the action lives through the call, and its handler does nothing.
        unsafe { libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()) };
        // Every 200 millionths of a second: more often, and a busy machine does little else than deliver them.
        let timer = [0_u64, 200, 0, 200];
        system(libc::SYS_setitimer, [0, at(&timer), 0]);
        rounds(|| {
            let made = system(libc::SYS_mkdir, [at(c"made"), 0o700]);
            let removed = system(libc::SYS_rmdir, [at(c"made")]);
            let opened = system(libc::SYS_open, [at(c"plain"), 0]);
            system(libc::SYS_close, [opened.cast_unsigned()]);
            let all = made == 0 && removed == 0 && opened >= 0;
            if all { Ok(()) } else { Err(format!("{made} {removed} {opened}")) }
        })
    }),
];

/// A file whose code may be executed, one whose may not, and a number for either.
fn code_or_not() -> Result<[u64; 3], String> {
    fs::write("code", [0xc3; 4096]).map_err(told)?;
    let open = |path: &CStr| system(libc::SYS_open, [at(path), 0]).cast_unsigned();
    Ok([open(c"program"), open(c"code"), open(c"program")])
}

fn unmapped(file: u64) -> Result<(), String> {
    let place = system(libc::SYS_mmap, [0, 4096, CODE, PRIVATE, file, 0]).cast_unsigned();
    if (place.cast_signed()) < 0 {
        return Ok(());
    }
    let first = first_byte(place);
    system(libc::SYS_munmap, [place, 4096]);
    if first == 0xc3 { Err("mapped it".into()) } else { Ok(()) }
}

fn first_byte(place: u64) -> u8 {
    let place = std::ptr::with_exposed_provenance::<u8>(usize::try_from(place).unwrap_or(0));
    // SAFETY: the page was just mapped and may be read.
    unsafe { place.read_volatile() }
}

/// Is there memory that is executed and belongs to no file?
fn is_code_of_nobody(place: u64) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let start = format!("{place:x}-");
    let line = maps.lines().find(|it| it.starts_with(&start)).unwrap_or_default();
    line.contains("r-xp") && !line.contains('/')
}

/// In a child: its second thread executes a path that the first rewrites.
fn by_second_thread() {
    let path = Shared::new(b"./good\0");
    std::thread::spawn(move || {
        let words = [c"x".as_ptr(), std::ptr::null()];
        let path = std::ptr::with_exposed_provenance::<c_char>(path.at);
        // SAFETY: path and words end with zero bytes, the lists with null.
        unsafe { libc::execve(path, words.as_ptr(), words[1..].as_ptr()) };
        // SAFETY: nothing is to be cleaned up.
        unsafe { libc::_exit(0) }
    });
    let rewrite = rewrite(path, GOOD_OR_EVIL);
    loop {
        rewrite();
        std::thread::yield_now();
    }
}

/// In a child: its second thread executes a program that ends with [`EVIL`] if it finds something where it keeps nothing; the first asks for
/// answers there.
fn asks_while_another_executes() {
    std::thread::spawn(|| {
        let words = [c"x".as_ptr(), std::ptr::null()];
        // SAFETY: path and words end with zero bytes, the lists with null.
        unsafe { libc::execve(c"./good-keeper".as_ptr(), words.as_ptr(), words[1..].as_ptr()) };
        // SAFETY: nothing is to be cleaned up.
        unsafe { libc::_exit(0) }
    });
    loop {
        system(libc::SYS_fstat, [0, KEPT]);
    }
}

/// Whether a child executed what must not run.
fn child_ran(run: impl FnOnce()) -> Result<(), String> {
    // SAFETY: the child ends by itself and does not come back.
    let child = unsafe { libc::fork() };
    if child == 0 {
        run();
        // SAFETY: nothing is to be cleaned up.
        unsafe { libc::_exit(0) }
    }
    if ended(child) == Some(EVIL.into()) { Err("it ran".into()) } else { Ok(()) }
}

/// Somebody outside who swaps two files.
fn swap_files(folder: &Path, stop: &AtomicBool) {
    if !asked(folder, "go", stop) {
        return;
    }
    answer(folder, "go");
    let path = |name: &str| {
        std::ffi::CString::new(folder.join(name).into_os_string().into_encoded_bytes())
            .unwrap_or_default()
    };
    let (good, evil) = (path("good-tool"), path("evil-tool"));
    while !stop.load(Ordering::Relaxed) {
        let exchange = u64::from(libc::RENAME_EXCHANGE);
        let both = [HERE, at(good.as_c_str()), HERE, at(evil.as_c_str()), exchange];
        system(libc::SYS_renameat2, both);
        pause();
    }
}

/// An address of a name, as long as all of them: the rest are zeros, which are part of a name that is no file.
fn address(name: &[u8]) -> [u8; 110] {
    let mut address = [0; 110];
    address[0] = LOCAL;
    address[2..2 + name.len()].copy_from_slice(name);
    address
}

/// Listens at a name of that length.
pub(crate) fn abstract_name(name: &str) -> io::Result<UnixListener> {
    use std::os::linux::net::SocketAddrExt as _;
    let mut name = name.as_bytes().to_vec();
    name.resize(107, 0);
    UnixListener::bind_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)
}

fn socket(kind: c_int) -> Result<UnixStream, String> {
    use std::os::fd::FromRawFd as _;
    let number =
        system(libc::SYS_socket, [libc::AF_UNIX as u64, u64::from(kind.unsigned_abs()), 0]);
    let number = c_int::try_from(number).map_err(|it| it.to_string())?;
    if number < 0 {
        return Err("no socket".into());
    }
    // SAFETY: the descriptor was just made and is nobody else's.
    Ok(unsafe { UnixStream::from_raw_fd(number) })
}
