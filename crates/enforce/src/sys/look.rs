//! What the kernel tells of a file, in the bytes that it would write into a program's memory.

#![expect(unsafe_code, reason = "the kernel's own structures are handed on as bytes")]

use std::os::fd::{AsRawFd as _, BorrowedFd};

use rustix::fs::{Statx, StatxTimestamp, makedev};
use rustix::io::Errno;

use super::checked;

/// Runs a call that fills a structure, and gives its bytes.
fn filled<T>(call: impl FnOnce(*mut T) -> i64) -> Result<Vec<u8>, Errno> {
    // SAFETY: only used for C structures of numbers, of which all bytes zero is a value.
    let mut it: T = unsafe { std::mem::zeroed() };
    checked(call(&raw mut it)).map_err(|it| crate::task::error(&it))?;
    // SAFETY: as many bytes as the structure has, which was written whole: with zeros, then by the kernel.
    let bytes = unsafe { std::slice::from_raw_parts((&raw const it).cast::<u8>(), size_of::<T>()) };
    Ok(bytes.to_vec())
}

/// What `stat` tells of a file of which `statx` has told.
pub(crate) fn stat(told: &Statx) -> Vec<u8> {
    let seconds = |time: &StatxTimestamp| (time.tv_sec, i64::from(time.tv_nsec));
    made::<libc::stat>(|it| {
        it.st_dev = makedev(told.stx_dev_major, told.stx_dev_minor);
        it.st_rdev = makedev(told.stx_rdev_major, told.stx_rdev_minor);
        (it.st_ino, it.st_nlink) = (told.stx_ino, told.stx_nlink.into());
        it.st_mode = told.stx_mode.into();
        (it.st_uid, it.st_gid) = (told.stx_uid, told.stx_gid);
        it.st_size = told.stx_size.cast_signed();
        it.st_blksize = told.stx_blksize.into();
        it.st_blocks = told.stx_blocks.cast_signed();
        (it.st_atime, it.st_atime_nsec) = seconds(&told.stx_atime);
        (it.st_mtime, it.st_mtime_nsec) = seconds(&told.stx_mtime);
        (it.st_ctime, it.st_ctime_nsec) = seconds(&told.stx_ctime);
    })
}

pub(crate) fn statx(file: BorrowedFd<'_>, flags: i32, mask: u32) -> Result<Vec<u8>, Errno> {
    let sync = flags & (libc::AT_STATX_FORCE_SYNC | libc::AT_STATX_DONT_SYNC);
    let (file, flags) = (file.as_raw_fd(), sync | libc::AT_EMPTY_PATH);
    filled::<libc::statx>(|it| {
        // SAFETY: the path is a constant, the structure lives through the call.
        i64::from(unsafe { libc::statx(file, c"".as_ptr(), flags, mask, it) })
    })
}

/// A file that is on no disk.
pub(crate) struct MadeUp {
    pub(crate) mode: u32,
    pub(crate) number: u64,
    pub(crate) size: u64,
    /// User and group.
    pub(crate) owner: (u32, u32),
}

/// What `stat` tells of a file that is on no disk.
pub(crate) fn made_stat(made_up: &MadeUp) -> Vec<u8> {
    made::<libc::stat>(|it| {
        (it.st_mode, it.st_ino) = (made_up.mode, made_up.number);
        (it.st_uid, it.st_gid) = made_up.owner;
        it.st_size = i64::try_from(made_up.size).unwrap_or(i64::MAX);
        (it.st_nlink, it.st_blksize, it.st_dev) = (1, 4096, libc::makedev(0, DEVICE));
    })
}

/// What `statx` tells of it.
pub(crate) fn made_statx(made_up: &MadeUp) -> Vec<u8> {
    made::<libc::statx>(|it| {
        it.stx_mode = u16::try_from(made_up.mode).unwrap_or(0);
        (it.stx_ino, it.stx_size) = (made_up.number, made_up.size);
        (it.stx_uid, it.stx_gid) = made_up.owner;
        (it.stx_nlink, it.stx_blksize, it.stx_dev_minor) = (1, 4096, DEVICE);
        it.stx_mask = libc::STATX_BASIC_STATS;
    })
}

/// What `statfs` tells of a file system of this kind that keeps nothing.
pub(crate) fn made_file_system(kind: i64) -> Vec<u8> {
    made::<libc::statfs>(|it| (it.f_type, it.f_bsize, it.f_namelen) = (kind, 4096, 255))
}

/// The number of a device that is none: no file system without a disk has so high a one.
const DEVICE: u32 = 0xffff;

fn made<T>(fill: impl FnOnce(&mut T)) -> Vec<u8> {
    // SAFETY: only used for C structures of numbers, of which all bytes zero is a value.
    let mut it: T = unsafe { std::mem::zeroed() };
    fill(&mut it);
    // SAFETY: as many bytes as the structure has, which was zeroed whole.
    let bytes = unsafe { std::slice::from_raw_parts((&raw const it).cast::<u8>(), size_of::<T>()) };
    bytes.to_vec()
}

pub(crate) fn stat_file_system(file: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let file = file.as_raw_fd();
    filled::<libc::statfs>(|it| {
        // SAFETY: the structure lives through the call.
        i64::from(unsafe { libc::fstatfs(file, it) })
    })
}
