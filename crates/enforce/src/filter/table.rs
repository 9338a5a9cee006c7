//! All system calls of x86-64 and what becomes of them.
//!
//! A call may run unseen if it reaches nothing that the policy speaks about, or only what an earlier decision gave: bytes of an
//! open file, its own memory, time. A call is refused if it would escape the monitor or if nothing could be said of it soundly.

use libc::{EINVAL, ENOSYS, EOPNOTSUPP, EPERM};

use super::{Test, Treatment, WRITTEN};
use crate::calls::LOW;
use Treatment::{Allow, Notify, Refuse, When};

/// Calls of this kernel's table that libc has no name for.
const SYS_CACHESTAT: libc::c_long = 451;
const SYS_IO_PGETEVENTS: libc::c_long = 333;

const FORBIDDEN: Treatment = Refuse(EPERM);
const ABSENT: Treatment = Refuse(ENOSYS);

/// New namespaces, and children that would not be traced.
const ESCAPES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_UNTRACED) as u32;
/// Descriptors and directories are shared by the threads of a process and by nobody else.
const SHARED: u32 = (libc::CLONE_FILES | libc::CLONE_FS) as u32;

const CLONE: Treatment = When(
    Test::any_of(0, ESCAPES),
    &FORBIDDEN,
    &When(
        Test::any_of(0, libc::CLONE_THREAD as u32),
        &When(Test::any_of(0, libc::CLONE_FILES as u32), &Notify, &FORBIDDEN),
        &When(
            Test::any_of(0, SHARED),
            &FORBIDDEN,
            // Memory is shared with a child only as long as the parent stands still.
            &When(
                Test::any_of(0, libc::CLONE_VM.unsigned_abs()),
                &When(Test::any_of(0, libc::CLONE_VFORK.unsigned_abs()), &Notify, &FORBIDDEN),
                &Notify,
            ),
        ),
    ),
);

/// At these numbers something may be asked of the monitor (`/proc/PID/attr`).
const WRITE: Treatment =
    When(Test::within(0, WRITTEN.start, WRITTEN.end - WRITTEN.start), &Notify, &Allow);

/// Where a folder of SELinux may be open.
const AT_NUMBER: Treatment = WRITE;

/// Not from a directory that the program has open, unless it may be one of SELinux.
const LOOK_AT: Treatment = When(Test::is(0, libc::AT_FDCWD.cast_unsigned()), &Notify, &AT_NUMBER);

const PRCTL: Treatment = When(
    Test::is(0, libc::PR_SET_DUMPABLE as u32),
    &Notify,
    &When(
        Test::is(0, libc::PR_SET_NO_NEW_PRIVS as u32),
        &Notify,
        &When(
            Test::is(0, libc::PR_GET_NO_NEW_PRIVS as u32),
            &Notify,
            &When(Test::is(0, libc::PR_SET_MM as u32), &FORBIDDEN, &Allow),
        ),
    ),
);

/// Memory that becomes executable.
const PROTECTION: Treatment = When(Test::any_of(2, libc::PROT_EXEC as u32), &Notify, &Allow);
/// So are mappings at low addresses, where the kernel's null pointers lead, and those through which a file could be written elsewhere than
/// at its end.
const MAPPING: Treatment = When(
    Test::is_null(0),
    &When(Test::any_of(3, (libc::MAP_FIXED | libc::MAP_FIXED_NOREPLACE) as u32), &Notify, &SHARING),
    &When(Test::below(0, LOW), &Notify, &SHARING),
);
const SHARING: Treatment = When(
    Test::any_of(3, libc::MAP_ANONYMOUS as u32),
    &PROTECTION,
    // Shared ones of both kinds have this bit.
    &When(Test::any_of(3, libc::MAP_SHARED as u32), &Notify, &PROTECTION),
);
/// Memory that is moved there.
const MREMAP: Treatment = When(
    Test::any_of(3, libc::MREMAP_FIXED as u32),
    &When(Test::below(4, LOW), &Notify, &Allow),
    &Allow,
);
/// Of `--exact`: all mappings of files.
const EXACT_MAPPING: Treatment =
    When(Test::any_of(3, libc::MAP_ANONYMOUS as u32), &MAPPING, &Notify);

/// A thread with a table of descriptors of its own would use other files than those that are found by its process.
const CLOSE_RANGE: Treatment = When(Test::any_of(2, CLOSE_RANGE_UNSHARE), &Refuse(EINVAL), &Allow);
const CLOSE_RANGE_UNSHARE: u32 = 1 << 1;

/// Whose list of locks: its own.
const ROBUST_LIST: Treatment = When(Test::is(0, 0), &Allow, &FORBIDDEN);

/// Holes and the like are made anywhere in a file, at its end or not.
const FALLOCATE: Treatment =
    When(Test::any_of(1, !libc::FALLOC_FL_KEEP_SIZE.unsigned_abs()), &Notify, &Allow);
/// Writing a file that was opened for appending elsewhere than at its end (`RWF_NOAPPEND` of linux/fs.h, since 6.9).
const PWRITE: Treatment = When(Test::any_of(5, 0x20), &Refuse(EOPNOTSUPP), &Allow);

/// Addresses that are bound and connected by an option (netinet/sctp.h).
const SCTP_NAMES: Treatment = When(
    Test::is(2, 100),
    &FORBIDDEN,
    &When(
        Test::is(2, 107),
        &FORBIDDEN,
        &When(Test::is(2, 110), &FORBIDDEN, &When(Test::is(2, 111), &FORBIDDEN, &Notify)),
    ),
);
const SETTING: Treatment = When(Test::is(1, libc::IPPROTO_SCTP as u32), &SCTP_NAMES, &Notify);
const ASKING: Treatment = When(
    Test::is(1, libc::IPPROTO_SCTP as u32),
    &SCTP_NAMES,
    &When(Test::is(2, libc::SO_PEERSEC as u32), &Notify, &Allow),
);

/// Without an address it goes where the socket was connected.
const SENDTO: Treatment = When(Test::is_null(4), &Allow, &Notify);

/// Only asking what it is.
const PERSONALITY: Treatment =
    When(Test::is(0, u32::MAX), &Allow, &When(Test::is(0, 0), &Allow, &FORBIDDEN));

/// Requests of asm-generic/ioctls.h and linux/tty.h; the kernel looks at 32 bits.
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;
/// The other end of a terminal, opened without a name; programs have its name, too.
const TIOCGPTPEER: u32 = 0x5441;
/// Names of btrfs that are made and removed by a request (linux/btrfs.h): copies and subvolumes.
const BTRFS: [u32; 6] =
    [0x5000_9401, 0x5000_940e, 0x5000_940f, 0x5000_9417, 0x5000_9418, 0x5000_943f];
/// The same as `F_SETOWN`, by a number in memory (asm-generic/sockios.h).
const FIOSETOWN: u32 = 0x8901;
const SIOCSPGRP: u32 = 0x8902;
/// Of asm-generic/fcntl.h.
const F_SETOWN_EX: u32 = 15;

/// Characters put into the input of a terminal are executed by whoever reads it.
const IOCTL: Treatment = When(
    Test::is(1, TIOCSTI),
    &FORBIDDEN,
    &When(
        Test::is(1, TIOCLINUX),
        &FORBIDDEN,
        &When(
            Test::is(1, FIOSETOWN),
            &FORBIDDEN,
            &When(
                Test::is(1, SIOCSPGRP),
                &FORBIDDEN,
                &When(Test::is(1, TIOCGPTPEER), &Refuse(EINVAL), &BTRFS_NAMES),
            ),
        ),
    ),
);
const BTRFS_NAMES: Treatment = When(
    Test::is(1, BTRFS[0]),
    &FORBIDDEN,
    &When(
        Test::is(1, BTRFS[1]),
        &FORBIDDEN,
        &When(
            Test::is(1, BTRFS[2]),
            &FORBIDDEN,
            &When(
                Test::is(1, BTRFS[3]),
                &FORBIDDEN,
                &When(
                    Test::is(1, BTRFS[4]),
                    &FORBIDDEN,
                    &When(Test::is(1, BTRFS[5]), &FORBIDDEN, &Allow),
                ),
            ),
        ),
    ),
);

/// Whom a file's signals go to (`F_SETOWN`); `F_SETOWN_EX` has that in memory.
const FCNTL: Treatment = When(
    Test::is(1, libc::F_SETOWN.unsigned_abs()),
    &Notify,
    &When(
        Test::is(1, F_SETOWN_EX),
        &FORBIDDEN,
        &When(
            // Notice of what is done to a directory, which is decided on by inotify only.
            Test::is(1, libc::F_NOTIFY.unsigned_abs()),
            &Refuse(EINVAL),
            &When(
                Test::is(1, libc::F_SETFL.unsigned_abs()),
                &When(Test::any_of(2, libc::O_APPEND.unsigned_abs()), &Allow, &Notify),
                &When(
                    Test::is(1, libc::F_DUPFD.unsigned_abs()),
                    &AT_NUMBER,
                    &When(Test::is(1, libc::F_DUPFD_CLOEXEC.unsigned_abs()), &AT_NUMBER, &Allow),
                ),
            ),
        ),
    ),
);

const SHMAT: Treatment = When(Test::any_of(2, libc::SHM_EXEC as u32), &FORBIDDEN, &Notify);

/// What has no look at the policy, or only what an earlier decision gave.
const ALLOWED: &[libc::c_long] = &[
    // Bytes of open files.
    libc::SYS_read,
    libc::SYS_close,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_tee,
    libc::SYS_vmsplice,
    libc::SYS_copy_file_range,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_sync_file_range,
    libc::SYS_syncfs,
    libc::SYS_sync,
    libc::SYS_fadvise64,
    libc::SYS_readahead,
    libc::SYS_getdents,
    libc::SYS_flock,
    SYS_CACHESTAT,
    // Descriptors.
    libc::SYS_dup2,
    libc::SYS_dup3,
    libc::SYS_pipe,
    libc::SYS_pipe2,
    libc::SYS_select,
    libc::SYS_pselect6,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_epoll_create,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd,
    libc::SYS_eventfd2,
    libc::SYS_signalfd,
    libc::SYS_signalfd4,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    libc::SYS_inotify_init,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_rm_watch,
    libc::SYS_memfd_create,
    libc::SYS_pidfd_open,
    // The caller's own memory.
    libc::SYS_munmap,
    libc::SYS_brk,
    libc::SYS_msync,
    libc::SYS_mincore,
    libc::SYS_madvise,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_munlock,
    libc::SYS_mlockall,
    libc::SYS_munlockall,
    libc::SYS_membarrier,
    libc::SYS_pkey_alloc,
    libc::SYS_pkey_free,
    libc::SYS_mseal,
    libc::SYS_mbind,
    libc::SYS_set_mempolicy,
    libc::SYS_get_mempolicy,
    // Signals to itself and waiting.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigsuspend,
    libc::SYS_sigaltstack,
    libc::SYS_pause,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_restart_syscall,
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    // Time.
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_gettimeofday,
    libc::SYS_settimeofday,
    libc::SYS_time,
    libc::SYS_times,
    libc::SYS_alarm,
    libc::SYS_getitimer,
    libc::SYS_setitimer,
    libc::SYS_timer_create,
    libc::SYS_timer_settime,
    libc::SYS_timer_gettime,
    libc::SYS_timer_getoverrun,
    libc::SYS_timer_delete,
    // Who and what it is. Without capabilities the kernel itself refuses changes.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_capget,
    libc::SYS_capset,
    libc::SYS_getpgrp,
    libc::SYS_setsid,
    libc::SYS_getrlimit,
    libc::SYS_getrusage,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_getcpu,
    libc::SYS_getcwd,
    libc::SYS_arch_prctl,
    libc::SYS_sched_yield,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_getrandom,
    libc::SYS_modify_ldt,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_getpriority,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    // Open sockets.
    libc::SYS_recvfrom,
    // Its own asynchronous requests, on descriptors that it has.
    libc::SYS_io_setup,
    libc::SYS_io_destroy,
    libc::SYS_io_getevents,
    libc::SYS_io_submit,
    libc::SYS_io_cancel,
    SYS_IO_PGETEVENTS,
    // A program may confine itself further: the stricter answer of two filters counts.
    libc::SYS_seccomp,
    libc::SYS_landlock_create_ruleset,
    libc::SYS_landlock_add_rule,
    libc::SYS_landlock_restrict_self,
    libc::SYS_shmdt,
];

/// What the monitor decides on.
const NOTIFIED: &[libc::c_long] = &[
    // Names become files.
    libc::SYS_open,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_creat,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_chdir,
    libc::SYS_fchdir,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_inotify_add_watch,
    // Names come, go and change.
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
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
    libc::SYS_symlink,
    libc::SYS_symlinkat,
    // Attributes.
    libc::SYS_chmod,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_umask,
    // Sockets.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_shutdown,
    // Processes.
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_send_signal,
    libc::SYS_setpgid,
    libc::SYS_getpgid,
    libc::SYS_getsid,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_getattr,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_rr_get_interval,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_ioprio_get,
    libc::SYS_prlimit64,
    libc::SYS_setrlimit,
    // System V.
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semctl,
    libc::SYS_semtimedop,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_shmget,
    libc::SYS_shmctl,
];

/// Looks at files, which are most of what a walk over a tree does: by paths from the root or where the program is, in the first argument.
const LOOKS: &[libc::c_long] = &[
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_statfs,
    libc::SYS_getxattr,
    libc::SYS_lgetxattr,
    libc::SYS_fgetxattr,
    libc::SYS_listxattr,
    libc::SYS_llistxattr,
    libc::SYS_flistxattr,
];

/// Looks from a directory that the first argument says, which a walk over a tree has open.
const LOOKS_AT: &[libc::c_long] =
    &[libc::SYS_newfstatat, libc::SYS_statx, libc::SYS_faccessat, libc::SYS_faccessat2];

/// What `--exact` alone decides on.
const EXACT: &[libc::c_long] = &[
    libc::SYS_fstat,
    libc::SYS_readlink,
    libc::SYS_readlinkat,
    libc::SYS_fstatfs,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
];

/// What would escape, or could not be judged soundly.
const FORBIDDEN_CALLS: &[libc::c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_vhangup,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_remap_file_pages,
    libc::SYS_lookup_dcookie,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_mq_timedsend,
    libc::SYS_mq_timedreceive,
    libc::SYS_mq_notify,
    libc::SYS_mq_getsetattr,
];

/// Calls for which programs have another way that can be judged.
const ABSENT_CALLS: &[libc::c_long] = &[
    // Its flags lie in memory; libraries fall back to clone.
    libc::SYS_clone3,
    // Several messages at once, each with all that a message has.
    libc::SYS_recvmmsg,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

/// The treatment of each call, by number; in no order.
pub(super) fn calls(exact: bool) -> Vec<(u32, Treatment)> {
    let mut calls: Vec<(libc::c_long, Treatment)> = vec![
        (libc::SYS_clone, CLONE),
        (libc::SYS_prctl, PRCTL),
        (libc::SYS_write, WRITE),
        (libc::SYS_getdents64, AT_NUMBER),
        (libc::SYS_lseek, AT_NUMBER),
        (libc::SYS_dup, AT_NUMBER),
        (libc::SYS_mmap, if exact { EXACT_MAPPING } else { MAPPING }),
        (libc::SYS_mremap, MREMAP),
        (libc::SYS_mprotect, PROTECTION),
        (libc::SYS_pkey_mprotect, PROTECTION),
        (libc::SYS_close_range, CLOSE_RANGE),
        (libc::SYS_get_robust_list, ROBUST_LIST),
        (libc::SYS_fallocate, FALLOCATE),
        (libc::SYS_pwritev2, PWRITE),
        (libc::SYS_setsockopt, SETTING),
        (libc::SYS_getsockopt, if exact { SETTING } else { ASKING }),
        (libc::SYS_sendto, SENDTO),
        (libc::SYS_personality, PERSONALITY),
        (libc::SYS_ioctl, IOCTL),
        (libc::SYS_fcntl, FCNTL),
        (libc::SYS_shmat, SHMAT),
        (libc::SYS_open_by_handle_at, FORBIDDEN),
        (libc::SYS_name_to_handle_at, Refuse(EOPNOTSUPP)),
    ];
    let looks = if exact { Notify } else { Allow };
    let groups = [
        (ALLOWED, Allow),
        (NOTIFIED, Notify),
        (LOOKS, Notify),
        (LOOKS_AT, if exact { Notify } else { LOOK_AT }),
        (EXACT, looks),
        (FORBIDDEN_CALLS, FORBIDDEN),
        (ABSENT_CALLS, ABSENT),
    ];
    for (group, treatment) in groups {
        calls.extend(group.iter().map(|number| (*number, treatment)));
    }
    calls.into_iter().filter_map(|(number, it)| Some((u32::try_from(number).ok()?, it))).collect()
}

/// Calls of which the monitor is always or sometimes asked.
pub(super) fn is_notified(number: libc::c_long) -> bool {
    const SOMETIMES: [libc::c_long; 8] = [
        libc::SYS_clone,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_pkey_mprotect,
        libc::SYS_shmat,
        libc::SYS_fallocate,
        libc::SYS_setsockopt,
        libc::SYS_getsockopt,
    ];
    [NOTIFIED, LOOKS, LOOKS_AT, EXACT, &SOMETIMES].iter().any(|it| it.contains(&number))
}
