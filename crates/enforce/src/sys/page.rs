//! A page of memory that this process writes and others map to read.

#![expect(unsafe_code, reason = "memory that is shared with other processes")]

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering, fence};

use rustix::fs::{MemfdFlags, OFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap};

const SIZE: usize = 4096;
/// As much of it can be read: five words.
const SHOWN: u64 = 20;

/// The page, and the file that it is of.
pub(crate) struct Page {
    file: OwnedFd,
    words: &'static [AtomicU32; SIZE / 4],
}

impl Page {
    pub(crate) fn new() -> Result<Self, Errno> {
        let file = memfd_create(c"status", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, SHOWN)?;
        let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: the kernel chooses a place where nothing is.
        let at = unsafe { mmap(std::ptr::null_mut(), SIZE, protection, flags, &file, 0)? };
        // SAFETY: it is a page of zeros, aligned, mapped until this process ends; others have it as memory that changes, too.
        let words = unsafe { &*at.cast::<[AtomicU32; SIZE / 4]>() };
        // Whoever opens it again cannot write.
        let seals = SealFlags::FUTURE_WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        Ok(Self { file, words })
    }

    /// A descriptor that can be read and mapped.
    pub(crate) fn reader(&self) -> Result<OwnedFd, Errno> {
        let path = crate::object::magic(self.file.as_fd());
        rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, rustix::fs::Mode::empty())
    }

    /// Changes all words as the kernel does: the second, the sequence, is odd meanwhile (`selinux_status_update_setenforce`).
    pub(crate) fn publish(&self, words: [u32; 5]) {
        let [version, sequence, rest @ ..] = words;
        self.words[1].store(sequence.wrapping_sub(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.words[0].store(version, Ordering::Relaxed);
        for (word, value) in self.words[2..].iter().zip(rest) {
            word.store(value, Ordering::Relaxed);
        }
        self.words[1].store(sequence, Ordering::Release);
    }
}
