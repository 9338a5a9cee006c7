//! An access that was decided on: what records of all kinds come down to, and what explanations begin with.

/// An access that was decided on, as an audit record or a monitor tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Access {
    /// It was denied; else it is told that it was granted.
    pub denied: bool,
    /// The program went ahead all the same. Records before Linux 3.15 do not say.
    pub permissive: Option<bool>,
    /// The permissions; empty if the record names none.
    pub permissions: Vec<String>,
    /// The context of who asked, as it stands in the record.
    pub scontext: String,
    /// The context of what it asked for.
    pub tcontext: String,
    /// The class; empty in records that lack it.
    pub tclass: String,
    /// The number of the process, or thread.
    pub pid: Option<i32>,
    /// Its name, at most 15 bytes (`comm=`).
    pub comm: Option<Vec<u8>>,
    /// The file that it executes (`exe=`), if the event tells.
    pub exe: Option<Vec<u8>>,
    /// What it was about.
    pub object: Object,
}

/// What an access was about; each part if the record tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Object {
    /// The path, whole: that of `path=`, or of the event's `PATH` record with its working directory.
    pub path: Option<Vec<u8>>,
    /// The last part of it (`name=`).
    pub name: Option<Vec<u8>>,
    /// The file is unlinked (its path ends in ` (deleted)`).
    pub deleted: bool,
    /// The device, as the record spells it (`dev="tmpfs"`).
    pub dev: Option<String>,
    /// The inode.
    pub ino: Option<u64>,
    /// The number of a capability (`capability=`).
    pub capability: Option<u32>,
    /// The command of an ioctl (`ioctlcmd=`).
    pub ioctl: Option<u16>,
    /// The local port (`src=`).
    pub src: Option<u16>,
    /// The other end's port (`dest=`).
    pub dest: Option<u16>,
}
