//! How the program gets its memory.

#![expect(unsafe_code, reason = "mimalloc's options have no safe interface")]

/// The allocator: a large build takes and frees many small pieces on all threads, in two thirds of the time that it takes with
/// that of glibc.
pub use mimalloc::MiMalloc as Allocator;

/// What matters more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefer {
    /// Time: memory comes in huge pages, which save a fifth of a large build, and is kept when it is free.
    Time,
    /// Room: small pages, which go back soon after they are free.
    Room,
}

/// Says what matters from here on. What is in use already stays as it is. Programs that this one starts inherit the size of
/// pages. A kernel that has no say in it is no error.
pub fn prefer(what: Prefer) {
    let (room, delay) = match what {
        Prefer::Time => (false, 1000),
        // At once would be a call to the kernel for every few pages.
        Prefer::Room => (true, 1),
    };
    // Linux 3.15. Older kernels keep to what they do.
    let _ = rustix::thread::disable_transparent_huge_pages(room);
    // SAFETY: it stores a number in a table of mimalloc's, atomically; the option is one of that table, and any number will do
    // as milliseconds.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, delay) };
}

/// `mi_option_purge_delay` of mimalloc 3: after how many milliseconds free memory goes back.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

#[cfg(test)]
mod tests {
    use rustix::thread::transparent_huge_pages_are_disabled as disabled;

    use super::*;

    #[test]
    fn kernel_and_allocator_do_as_they_are_told() {
        // SAFETY: it reads a number from a table of mimalloc's; the option is one of that table.
        let delay = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(delay(), 1000, "this is not the option it was taken for");
        prefer(Prefer::Room);
        assert_eq!((disabled(), delay()), (Ok(true), 1));
        prefer(Prefer::Time);
        assert_eq!((disabled(), delay()), (Ok(false), 1000));
    }
}
