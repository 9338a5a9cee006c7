//! The defences by name, so that a test can do without one of them and show what it keeps out.
//!
//! Only a build with the feature `switches` looks at `MANDATE_WITHOUT`, which names defences, separated by commas. In every other build all
//! of them stand: that is a constant.

/// What keeps programs in, as docs/threat-model.md lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "switches"),
    expect(dead_code, reason = "groups of calls are switched in the filter")
)]
pub(crate) enum Defence {
    // Groups of calls that are decided on or refused.
    /// Opening, and what else makes a name a file.
    Opens,
    /// Making, removing and moving names.
    Names,
    /// Modes, owners, times and labels.
    Attributes,
    /// Executing programs.
    Programs,
    /// Memory that is executed.
    Mappings,
    /// Mapping at low addresses.
    LowMemory,
    /// Making sockets, and names and addresses of theirs.
    Sockets,
    /// Signals to others.
    Signals,
    /// Priorities, processors and limits of others.
    Schedules,
    /// Whom a file's signals go to.
    OwnSignals,
    /// Notice of what is done to a directory.
    DirectoryNotices,
    /// What was opened for appending is written at its end only.
    Appending,
    /// Tracing, and other processes' memory and descriptors.
    Tracing,
    /// Addresses of other processes' lists.
    Lists,
    Namespaces,
    Mounts,
    IoUring,
    Handles,
    Bpf,
    Userfaultfd,
    Keys,
    Queues,
    KernelLog,
    SharedCode,
    Personality,
    /// Characters for a terminal, and terminals that are opened by a request.
    Terminals,
    /// Flags of children that nobody would trace, or that share with strangers.
    Children,
    /// `clone3`, whose flags cannot be seen.
    Clone3,
    /// Threads of a process have one table of descriptors.
    OneTable,
    /// Whether a process can be read.
    Dumpable,
    UnknownCalls,
    ForeignCalls,

    // What is done about calls that are decided on.
    /// What was decided about is what is used.
    Held,
    /// The program that the kernel took is the one that was decided about.
    VerifiedProgram,
    /// And its dynamic linker.
    VerifiedLinker,
    /// And the words of a script.
    VerifiedScript,
    /// A script's first open gives the file that was decided about.
    BoundScript,
    /// The other threads of a process stand still.
    Frozen,
    /// So does one that waits for a child with its memory.
    FrozenParent,
    /// The monitor is not found in /proc.
    HiddenMonitor,
    /// The monitor cannot be read.
    UnreadableMonitor,
    /// Nothing is done to the monitor by its number.
    GuardedMonitor,
    /// If the monitor ends, the programs do.
    ExitKill,
    /// A process opens its own memory only.
    OwnMemory,
    /// Answers are written as the program could have written.
    PlainWrites,
    /// Nothing is written to a process that may be executing a program.
    OneMemory,
    /// A file of several names could be shown by the wrong one.
    SeveralNames,
    /// What is in a directory is settled before it is moved.
    SettledDirectories,
    /// A label stays with its file.
    KeptLabels,
    /// A number that comes back is another file.
    Births,
    /// Who listens outside is not one of the programs.
    Outsiders,
    /// A name belongs to who could bind it.
    BoundNames,
    /// And as long as the socket is there.
    LivingNames,
    /// An address without a family is one of the socket's.
    Families,
    /// The kernel writes no files for a program that breaks.
    NoCores,
    /// A call that a signal took back begins again.
    Restarts,
}

/// Does it stand?
#[cfg(not(feature = "switches"))]
pub(crate) const fn stands(_: Defence) -> bool {
    true
}

/// Here a machine that has much to do leaves the monitor waiting.
#[cfg(not(feature = "switches"))]
pub(crate) const fn pause() {}

#[cfg(feature = "switches")]
pub(crate) use switches::{let_through, pause, stands};

#[cfg(feature = "switches")]
mod switches {
    use std::sync::OnceLock;

    use super::Defence;
    use crate::filter::Treatment;

    pub(crate) fn stands(defence: Defence) -> bool {
        static WITHOUT: OnceLock<String> = OnceLock::new();
        let without = WITHOUT.get_or_init(|| std::env::var("MANDATE_WITHOUT").unwrap_or_default());
        without.is_empty() || !without.split(',').any(|it| it == format!("{defence:?}"))
    }

    /// A time in which a program can be executed, if the environment asks for it.
    pub(crate) fn pause() {
        if std::env::var_os("MANDATE_SLOW").is_some() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// The filter asks and refuses nothing of the groups that do not stand.
    pub(crate) fn let_through(calls: &mut [(u32, Treatment)]) {
        for (defence, group) in GROUPS.iter().filter(|it| !stands(it.0)) {
            let is_of_group = |number: u32| group.contains(&number.into());
            for call in calls.iter_mut().filter(|it| is_of_group(it.0)) {
                // Children have to be known, whatever their flags are.
                let birth = *defence == Defence::Children;
                call.1 = if birth { Treatment::Notify } else { Treatment::Allow };
            }
        }
    }

    const GROUPS: &[(Defence, &[libc::c_long])] = &[
        (
            Defence::Opens,
            &[
                libc::SYS_open,
                libc::SYS_openat,
                libc::SYS_openat2,
                libc::SYS_creat,
                libc::SYS_truncate,
                libc::SYS_inotify_add_watch,
            ],
        ),
        (
            Defence::Names,
            &[
                libc::SYS_mkdir,
                libc::SYS_mknod,
                libc::SYS_mknodat,
                libc::SYS_unlink,
                libc::SYS_unlinkat,
                libc::SYS_rmdir,
                libc::SYS_rename,
                libc::SYS_renameat,
                libc::SYS_renameat2,
                libc::SYS_link,
                libc::SYS_linkat,
            ],
        ),
        (
            Defence::Attributes,
            &[
                libc::SYS_chmod,
                libc::SYS_fchmodat,
                libc::SYS_utimes,
                libc::SYS_utimensat,
                libc::SYS_setxattr,
                libc::SYS_removexattr,
            ],
        ),
        (Defence::Programs, &[libc::SYS_execve, libc::SYS_execveat]),
        (Defence::Mappings, &[libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_pkey_mprotect]),
        (Defence::LowMemory, &[libc::SYS_mmap, libc::SYS_mremap]),
        (
            Defence::Sockets,
            &[
                libc::SYS_socket,
                libc::SYS_bind,
                libc::SYS_connect,
                libc::SYS_sendto,
                libc::SYS_setsockopt,
            ],
        ),
        (Defence::Signals, &[libc::SYS_kill, libc::SYS_tgkill, libc::SYS_pidfd_send_signal]),
        (
            Defence::Schedules,
            &[libc::SYS_setpriority, libc::SYS_sched_setaffinity, libc::SYS_prlimit64],
        ),
        (Defence::OwnSignals, &[libc::SYS_fcntl, libc::SYS_ioctl]),
        (Defence::DirectoryNotices, &[libc::SYS_fcntl]),
        (
            Defence::Appending,
            &[
                libc::SYS_fcntl,
                libc::SYS_ftruncate,
                libc::SYS_fallocate,
                libc::SYS_pwritev2,
                libc::SYS_mmap,
            ],
        ),
        (
            Defence::Tracing,
            &[
                libc::SYS_ptrace,
                libc::SYS_process_vm_readv,
                libc::SYS_process_vm_writev,
                libc::SYS_pidfd_getfd,
                libc::SYS_kcmp,
            ],
        ),
        (Defence::Lists, &[libc::SYS_get_robust_list]),
        (Defence::Namespaces, &[libc::SYS_unshare, libc::SYS_setns]),
        (Defence::Mounts, &[libc::SYS_open_tree, libc::SYS_fsopen, libc::SYS_chroot]),
        (
            Defence::IoUring,
            &[libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register],
        ),
        (Defence::Handles, &[libc::SYS_open_by_handle_at, libc::SYS_name_to_handle_at]),
        (Defence::Bpf, &[libc::SYS_bpf]),
        (Defence::Userfaultfd, &[libc::SYS_userfaultfd]),
        (Defence::Keys, &[libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key]),
        (Defence::Queues, &[libc::SYS_mq_open, libc::SYS_mq_unlink, libc::SYS_mq_notify]),
        (Defence::KernelLog, &[libc::SYS_syslog]),
        (Defence::SharedCode, &[libc::SYS_shmat]),
        (Defence::Personality, &[libc::SYS_personality]),
        (Defence::Terminals, &[libc::SYS_ioctl]),
        (Defence::Children, &[libc::SYS_clone]),
        (Defence::Clone3, &[libc::SYS_clone3]),
        (Defence::OneTable, &[libc::SYS_close_range]),
        (Defence::Dumpable, &[libc::SYS_prctl]),
    ];
}
