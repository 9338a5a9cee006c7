//! What the monitor tells of a decision: as a value, and as the kernel's audit would write it.

use std::fmt::{self, Display, Formatter};

/// What an access was about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A file, by its path.
    File {
        /// Absolute.
        path: Vec<u8>,
        /// Its number on its device; 0 of what is to be made.
        inode: u64,
    },
    /// A port.
    Port(u16),
    /// A process.
    Process(i32),
    /// Nothing that has a name.
    Nothing,
}

/// What there is to tell.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum News<'a> {
    /// A decision that is to be logged.
    Decision(&'a Record),
    /// What this machine lacks, so that programs may notice that they are watched.
    Lack(&'static str),
}

/// A decision that is to be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Who asked.
    pub source: String,
    /// What it asked for.
    pub target: String,
    /// Of which class that is.
    pub class: &'static str,
    /// The permissions that were denied, or are logged when granted.
    pub permissions: Vec<&'static str>,
    /// They were denied.
    pub denied: bool,
    /// The program went ahead all the same.
    pub permissive: bool,
    /// The thread.
    pub thread: i32,
    /// Its name.
    pub command: Vec<u8>,
    /// What it was about.
    pub subject: Subject,
}

/// As the kernel's audit writes it, after its `audit(time:serial): `.
impl Display for Record {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { source, target, class, thread, .. } = self;
        let verdict = if self.denied { "denied" } else { "granted" };
        write!(f, "avc:  {verdict}  {{ {} }} for  pid={thread} comm=", self.permissions.join(" "))?;
        untrusted(&self.command, f)?;
        match &self.subject {
            Subject::File { path, inode } => {
                write!(f, " path=")?;
                untrusted(path, f)?;
                if *inode != 0 {
                    write!(f, " ino={inode}")?;
                }
            }
            Subject::Port(port) => write!(f, " dest={port}")?,
            Subject::Process(process) => write!(f, " opid={process}")?,
            Subject::Nothing => {}
        }
        let permissive = u8::from(self.permissive);
        write!(f, " scontext={source} tcontext={target} tclass={class} permissive={permissive}")
    }
}

/// Text that a program chose: in quotes, or in hexadecimal if it could be taken for something else (`audit_log_untrustedstring`).
fn untrusted(text: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    let plain = text.iter().all(|it| matches!(it, 0x21..=0x7e) && *it != b'"');
    if plain {
        return write!(f, "\"{}\"", String::from_utf8_lossy(text));
    }
    text.iter().try_for_each(|it| write!(f, "{it:02X}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_as_the_kernel_writes_them() {
        let record = Record {
            source: "user_u:user_r:user_t:s0".into(),
            target: "system_u:object_r:shadow_t:s0".into(),
            class: "file",
            permissions: vec!["read", "open"],
            denied: true,
            permissive: false,
            thread: 12,
            command: b"cat".to_vec(),
            subject: Subject::File { path: b"/etc/my shadow".to_vec(), inode: 7 },
        };
        assert_eq!(
            record.to_string(),
            "avc:  denied  { read open } for  pid=12 comm=\"cat\" path=2F6574632F6D7920736861646F77 ino=7 \
             scontext=user_u:user_r:user_t:s0 tcontext=system_u:object_r:shadow_t:s0 tclass=file permissive=0"
        );
    }
}
