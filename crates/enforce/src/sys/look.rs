//! What the kernel tells of a file, in the bytes that it would write into a program's memory.

#![expect(unsafe_code, reason = "the kernel's own structures are handed on as bytes")]

use std::os::fd::{AsRawFd as _, BorrowedFd};

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

pub(crate) fn stat(file: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let (file, flags) = (file.as_raw_fd(), libc::AT_EMPTY_PATH);
    filled::<libc::stat>(|it| {
        // SAFETY: the path is a constant, the structure lives through the call.
        i64::from(unsafe { libc::fstatat(file, c"".as_ptr(), it, flags) })
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

pub(crate) fn stat_file_system(file: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let file = file.as_raw_fd();
    filled::<libc::statfs>(|it| {
        // SAFETY: the structure lives through the call.
        i64::from(unsafe { libc::fstatfs(file, it) })
    })
}
