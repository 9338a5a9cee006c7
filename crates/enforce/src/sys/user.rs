//! Becoming another user for good.

#![expect(
    unsafe_code,
    reason = "libraries set the identity of one thread; the C library sets that of all"
)]

use std::io;

use super::checked;

/// Who programs are run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub user: u32,
    /// Its group.
    pub group: u32,
    /// All groups that it is in.
    pub groups: Vec<u32>,
}

impl User {
    /// This process and all its threads are the user's from now on, and keep nothing of what they were.
    ///
    /// # Errors
    /// Only an administrator may.
    pub fn become_it(&self) -> io::Result<()> {
        // SAFETY: the list is as long as is said, and lives through the call.
        checked(unsafe { libc::setgroups(self.groups.len(), self.groups.as_ptr()) })?;
        // SAFETY: the call takes numbers.
        checked(unsafe { libc::setresgid(self.group, self.group, self.group) })?;
        // SAFETY: the call takes numbers.
        checked(unsafe { libc::setresuid(self.user, self.user, self.user) })?;
        Ok(())
    }
}
