//! Making and finding what System V has (semget(2), msgget(2), shmget(2)).

#![expect(unsafe_code, reason = "no library has these calls")]

use rustix::io::Errno;

use super::checked;

/// A kind of object of System V.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Semaphores,
    Messages,
    Memory,
}

/// The number of an object; `size` is of memory in bytes, of semaphores their count.
pub(crate) fn get(kind: Kind, key: i32, size: u64, flags: i32) -> Result<i32, Errno> {
    let (call, second, third) = match kind {
        Kind::Semaphores => (libc::SYS_semget, size, flags),
        Kind::Messages => (libc::SYS_msgget, u64::from(flags.unsigned_abs()), 0),
        Kind::Memory => (libc::SYS_shmget, size, flags),
    };
    // SAFETY: the calls take numbers.
    let id = checked(unsafe { libc::syscall(call, key, second, third) });
    let id = id.map_err(|it| crate::task::error(&it))?;
    i32::try_from(id).map_err(|_| Errno::OVERFLOW)
}

/// Is there an object of this number? `EINVAL` if there is not.
pub(crate) fn look(kind: Kind, id: i32) -> Result<(), Errno> {
    // As much as what any of the three kinds is told in.
    let mut told = [0_u64; 64];
    let to = told.as_mut_ptr();
    let done = match kind {
        // SAFETY: the kernel writes what it tells of semaphores, which is shorter than the room for it.
        Kind::Semaphores => unsafe { libc::syscall(libc::SYS_semctl, id, 0, libc::IPC_STAT, to) },
        // SAFETY: as above, of a queue.
        Kind::Messages => unsafe { libc::syscall(libc::SYS_msgctl, id, libc::IPC_STAT, to) },
        // SAFETY: as above, of memory.
        Kind::Memory => unsafe { libc::syscall(libc::SYS_shmctl, id, libc::IPC_STAT, to) },
    };
    checked(done).map(drop).map_err(|it| crate::task::error(&it))
}
