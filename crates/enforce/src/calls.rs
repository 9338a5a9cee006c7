//! What is decided about each call, in the order in which the kernel's hooks are asked.

pub(crate) mod attr;
mod attributes;
pub(crate) mod exec;
mod files;
pub(crate) mod inherit;
pub(crate) mod inside;
pub(crate) mod ipc;
mod looks;
mod memory;
mod messages;
mod names;
mod peer;
mod processes;
pub(crate) mod sockets;
mod terminals;

use rustix::io::Errno;

use crate::class;
use crate::defence::{Defence, stands};
use crate::path::{Base, How};
use crate::supervisor::{Monitor, Reply};
use crate::sys::listener::{Answer, Notification};

/// Below this address mapping is asked about (CONFIG_LSM_MMAP_MIN_ADDR of most kernels).
pub(crate) const LOW: u32 = 65_536;

/// The result of a call that gives nothing.
const DONE: Answer = Answer::Value(0);

/// An argument of 32 bits: the kernel does not look at the others.
#[expect(clippy::cast_possible_truncation, reason = "as the kernel does")]
pub(crate) fn word(argument: u64) -> u32 {
    argument as u32
}

/// An argument that is a C `int`.
pub(crate) fn int(argument: u64) -> i32 {
    word(argument).cast_signed()
}

impl Monitor<'_> {
    /// Decides a call, and does it unless the kernel may.
    pub(crate) fn decide(&mut self, call: &Notification) -> Result<Reply, Errno> {
        let [a, b, c, d, e, f] = call.arguments;
        let here = Base::Current;
        match call.number {
            libc::SYS_open => self.open(call, here, a, int(b), c, 0).map(held),
            libc::SYS_openat => self.open(call, Base::of(a), b, int(c), d, 0).map(held),
            libc::SYS_creat => {
                let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
                self.open(call, here, a, flags, b, 0)
            }
            libc::SYS_openat2 => self.openat2(call, Base::of(a), b, c, d),
            libc::SYS_write => self.write(call, int(a), (b, c)),
            libc::SYS_getdents64 => self.list_place(call, int(a), (b, c)),
            libc::SYS_dup => self.duplicate(call, int(a), false),
            libc::SYS_lseek => self.seek_place(call, int(a), (b, int(c))),
            libc::SYS_truncate => self.truncate(call, a, b),
            libc::SYS_chdir => self.chdir(call, a),
            libc::SYS_fchdir => self.fchdir(call, int(a)),
            libc::SYS_inotify_add_watch => self.watch_file(call, int(a), b, c),
            libc::SYS_umask => self.set_umask(call, a),

            libc::SYS_mkdir => self.make_directory(call, here, a, b),
            libc::SYS_mkdirat => self.make_directory(call, Base::of(a), b, c),
            libc::SYS_mknod => self.make_node(call, here, a, b, c),
            libc::SYS_mknodat => self.make_node(call, Base::of(a), b, c, d),
            libc::SYS_symlink => self.make_link(call, a, here, b),
            libc::SYS_symlinkat => self.make_link(call, a, Base::of(b), c),
            libc::SYS_unlink => self.remove(call, here, a, 0),
            libc::SYS_rmdir => self.remove(call, here, a, libc::AT_REMOVEDIR),
            libc::SYS_unlinkat => self.remove(call, Base::of(a), b, int(c)),
            libc::SYS_link => self.link(call, (here, a), (here, b), 0),
            libc::SYS_linkat => self.link(call, (Base::of(a), b), (Base::of(c), d), int(e)),
            libc::SYS_rename => self.rename(call, (here, a), (here, b), 0),
            libc::SYS_renameat => self.rename(call, (Base::of(a), b), (Base::of(c), d), 0),
            libc::SYS_renameat2 => self.rename(call, (Base::of(a), b), (Base::of(c), d), word(e)),

            libc::SYS_chmod => self.chmod(call, here, a, b, 0),
            libc::SYS_fchmodat => self.chmod(call, Base::of(a), b, c, 0),
            libc::SYS_fchmodat2 => self.chmod(call, Base::of(a), b, c, int(d)),
            libc::SYS_fchmod => self.fchmod(call, int(a), b),
            libc::SYS_chown => self.chown(call, here, a, (b, c), 0),
            libc::SYS_lchown => self.chown(call, here, a, (b, c), libc::AT_SYMLINK_NOFOLLOW),
            libc::SYS_fchownat => self.chown(call, Base::of(a), b, (c, d), int(e)),
            libc::SYS_fchown => self.fchown(call, int(a), (b, c)),
            libc::SYS_utime | libc::SYS_utimes => self.set_times_by_seconds(call, here, a, b),
            libc::SYS_futimesat => self.set_times_by_seconds(call, Base::of(a), b, c),
            libc::SYS_utimensat => self.set_times(call, Base::of(a), b, c, int(d)),
            libc::SYS_setxattr => self.set_attribute(call, a, true, (b, c, d, int(e))),
            libc::SYS_lsetxattr => self.set_attribute(call, a, false, (b, c, d, int(e))),
            libc::SYS_fsetxattr => self.set_open_attribute(call, int(a), (b, c, d, int(e))),
            libc::SYS_removexattr => self.remove_attribute(call, a, true, b),
            libc::SYS_lremovexattr => self.remove_attribute(call, a, false, b),
            libc::SYS_fremovexattr => self.remove_open_attribute(call, int(a), b),

            libc::SYS_execve => self.execute(call, here, a, 0),
            libc::SYS_execveat => self.execute(call, Base::of(a), b, int(e)),
            libc::SYS_mmap => self.map(call),
            libc::SYS_mprotect | libc::SYS_pkey_mprotect => self.protect(call),

            libc::SYS_mremap => self.remap(call),
            libc::SYS_socket => self.socket(call, int(a), int(b), int(c)),
            libc::SYS_socketpair => self.socket_pair(call, int(a), int(b), int(c)),
            libc::SYS_bind => self.bind(call, int(a), b, c),
            libc::SYS_connect => self.connect(call, int(a), b, c),
            libc::SYS_listen => self.listen(call, int(a), int(b)),
            libc::SYS_accept | libc::SYS_accept4 => self.accept(call, int(a)),
            libc::SYS_sendto => self.send_to(call, int(a), (b, c), int(d), (e, f)),
            libc::SYS_sendmsg => self.send_message(call, int(a), b, int(c)),
            libc::SYS_sendmmsg => self.send_messages(call, int(a), (b, word(c).into()), int(d)),
            libc::SYS_setsockopt => self.set_option(call, int(a), (int(b), int(c)), (d, e)),
            libc::SYS_shutdown => self.shut_down(call, int(a), int(b)),
            libc::SYS_getsockopt => self.ask_option(call, int(a), (int(b), int(c)), (d, e)),
            libc::SYS_getsockname | libc::SYS_getpeername => {
                self.look_at_socket(call, int(a), class::socket::getattr)
            }
            libc::SYS_recvmsg => self.receive_message(call, int(a), b, int(c)),

            _ => match self.looks(call).map(|it| it.map(held)).or_else(|| self.ipc(call)) {
                Some(reply) => reply,
                None => self.processes(call),
            },
        }
    }

    /// Decides a call of a process whose other threads stand still.
    pub(crate) fn decide_frozen(&mut self, call: &Notification) -> Answer {
        let answer = match call.number {
            libc::SYS_mmap => self.may_map(call),
            _ => self.may_protect(call),
        };
        answer.unwrap_or_else(|why| Answer::Fail(why.raw_os_error()))
    }
}

/// A call that was decided and done. Without its defence the kernel does it again, with what is in the program's memory by then.
fn held(reply: Reply) -> Reply {
    if stands(Defence::Held) { reply } else { Answer::Continue.into() }
}

/// A file that is meant itself, be it a link.
const ITSELF: How = How { follow: false, name: false };
/// The file that a path leads to.
const FOLLOWED: How = How { follow: true, name: false };
/// A name that is made or removed.
const NAMED: How = How { follow: false, name: true };

/// Links are followed unless a flag says otherwise.
fn unless_nofollow(flags: i32) -> How {
    if flags & libc::AT_SYMLINK_NOFOLLOW == 0 { FOLLOWED } else { ITSELF }
}
