//! Classes and permissions in people's words: which belong together, and what each lets one do.

use mandate_policydb::{ClassId, PolicyDb, SymbolId};

/// Classes that people think of together, in the order of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Files, folders, links, pipes, named sockets.
    Files,
    /// Device files.
    Devices,
    /// File systems.
    Filesystems,
    /// Sockets of the network, nodes, interfaces, packets.
    Network,
    /// Unix sockets of other processes.
    LocalSockets,
    /// Processes and their descriptors.
    Processes,
    /// Capabilities of root.
    Capabilities,
    /// Sockets, shared memory and queues of its own.
    Own,
    /// Shared memory, semaphores and message queues of others.
    Ipc,
    /// Services of other processes: D-Bus, systemd, passwd.
    Services,
    /// The kernel and the security server.
    Kernel,
    /// All other classes.
    Other,
    /// Objects of databases, which PostgreSQL guards.
    Database,
    /// Objects of the X server.
    Display,
}

impl Kind {
    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Files => "Files",
            Self::Devices => "Devices",
            Self::Filesystems => "File systems",
            Self::Network => "Network",
            Self::LocalSockets => "Local sockets",
            Self::Processes => "Processes",
            Self::Capabilities => "Capabilities",
            Self::Own => "Of its own",
            Self::Ipc => "Shared memory and queues",
            Self::Services => "Services",
            Self::Kernel => "Kernel",
            Self::Other => "Other",
            Self::Database => "Objects of databases",
            Self::Display => "Objects of the X server",
        }
    }

    /// The kind of a class by its name.
    fn of(class: &str) -> Self {
        match class {
            "file" | "dir" | "lnk_file" | "fifo_file" | "sock_file" | "anon_inode" => Self::Files,
            "chr_file" | "blk_file" => Self::Devices,
            "filesystem" => Self::Filesystems,
            "unix_stream_socket" | "unix_dgram_socket" => Self::LocalSockets,
            "process" | "process2" | "fd" => Self::Processes,
            "capability" | "capability2" | "cap_userns" | "cap2_userns" => Self::Capabilities,
            "sem" | "msg" | "msgq" | "shm" | "ipc" => Self::Ipc,
            "node" | "netif" | "packet" | "peer" | "association" | "tun_socket"
            | "infiniband_pkey" | "infiniband_endport" => Self::Network,
            "security" | "system" | "kernel_service" | "bpf" | "perf_event" | "io_uring"
            | "lockdown" | "memprotect" | "key" | "user_namespace" => Self::Kernel,
            "dbus" | "service" | "passwd" | "nscd" | "context" | "binder" | "proxy" => {
                Self::Services
            }
            it if it.starts_with("db_") => Self::Database,
            it if it.starts_with("x_") => Self::Display,
            it if it.ends_with("_socket") => Self::Network,
            _ => Self::Other,
        }
    }
}

/// What is done to files, as bits.
pub mod act {
    /// Looks at attributes, or goes through a folder.
    pub const LOOK: u32 = 1;
    /// Lists a folder.
    pub const LIST: u32 = 1 << 1;
    /// Reads.
    pub const READ: u32 = 1 << 2;
    /// Appends.
    pub const APPEND: u32 = 1 << 3;
    /// Writes.
    pub const WRITE: u32 = 1 << 4;
    /// Makes new ones.
    pub const CREATE: u32 = 1 << 5;
    /// Deletes or renames.
    pub const DELETE: u32 = 1 << 6;
    /// Changes owner, mode or times.
    pub const CHANGE: u32 = 1 << 7;
    /// Executes.
    pub const EXECUTE: u32 = 1 << 8;
    /// Gives or takes the label.
    pub const RELABEL: u32 = 1 << 9;
    /// Mounts on it.
    pub const MOUNT: u32 = 1 << 10;
    /// Entered by it.
    pub const ENTRY: u32 = 1 << 11;
    /// Adds or removes names in a folder.
    pub const NAMES: u32 = 1 << 12;
    /// Executes what it changed in memory.
    pub const EXECUTE_CHANGED: u32 = 1 << 13;
}

/// What a permission of a file class lets one do.
fn act_of(directory: bool, permission: &str) -> u32 {
    match permission {
        "read" if directory => act::LIST,
        "read" => act::READ,
        "append" => act::APPEND,
        "write" if directory => act::NAMES,
        "write" => act::WRITE,
        "add_name" | "remove_name" => act::NAMES,
        "create" | "link" => act::CREATE,
        "unlink" | "rmdir" | "rename" | "reparent" => act::DELETE,
        "setattr" => act::CHANGE,
        "execute" | "execute_no_trans" => act::EXECUTE,
        "relabelfrom" | "relabelto" => act::RELABEL,
        "mounton" => act::MOUNT,
        "entrypoint" => act::ENTRY,
        "execmod" => act::EXECUTE_CHANGED,
        _ => act::LOOK,
    }
}

/// The words for what is done to files, each a row: those that stand above win over those below.
pub(super) const LEVELS: &[(&str, u32)] = &[
    ("creates, writes and deletes", act::CREATE | act::DELETE),
    ("creates and writes", act::CREATE),
    ("deletes", act::DELETE),
    ("writes", act::WRITE),
    ("appends to", act::APPEND),
    ("reads", act::READ),
    ("adds and removes names in", act::NAMES),
    ("lists", act::LIST),
    ("changes attributes of", act::CHANGE),
    ("looks at or searches", act::LOOK),
];

/// Rows that stand beside those.
pub(super) const BESIDE: &[(&str, u32)] = &[
    ("executes", act::EXECUTE),
    ("executes, changed in memory,", act::EXECUTE_CHANGED),
    ("changes the label of", act::RELABEL),
    ("mounts on", act::MOUNT),
];

/// The words for what is done to other processes, and the permissions for it.
pub(super) const TO_PROCESSES: &[(&str, &[&str])] = &[
    ("starts programs that run as", &["transition"]),
    ("turns into", &["dyntransition"]),
    ("traces", &["ptrace"]),
    ("sends signals to", &["signal", "sigkill", "sigstop"]),
    ("asks whether it is there:", &["signull"]),
    ("tells of its end:", &["sigchld"]),
    (
        "asks for scheduling, session or group of",
        &["getattr", "getsched", "getsession", "getpgid", "getcap", "getrlimit"],
    ),
];

/// The words for what is done to files of processes: those in /proc.
pub(super) const OF_PROCESSES: &[(&str, u32)] = &[
    ("changes, in /proc,", act::WRITE | act::APPEND | act::CREATE | act::DELETE),
    ("reads, in /proc, the state of", act::READ | act::LIST),
    ("looks, in /proc, at", u32::MAX),
];

/// The words for what is done to pipes of processes.
pub(super) const PIPES: &[(&str, u32)] = &[
    ("writes to pipes of", act::WRITE | act::APPEND),
    ("reads from pipes of", act::READ),
    ("looks at pipes of", u32::MAX),
];

/// The classes of a policy, looked up by their values.
#[derive(Clone, Debug)]
pub struct Classes {
    classes: Vec<Class>,
}

#[derive(Clone, Debug, Default)]
struct Class {
    name: String,
    kind: Option<Kind>,
    /// What each bit does, of file classes.
    acts: [u32; 32],
    names: Vec<(u32, String)>,
}

impl Classes {
    /// Of this policy.
    pub fn new(db: &PolicyDb) -> Self {
        let mut classes = vec![Class::default(); db.classes.nprim() as usize];
        for class in db.classes.by_value() {
            let Some(slot) = classes.get_mut(class.id.index()) else { continue };
            slot.name = class.name.to_string();
            slot.kind = Some(Kind::of(&class.name));
            for (bit, acts) in slot.acts.iter_mut().enumerate() {
                let mask = 1_u32 << bit;
                let Some(name) = db.permission_names(class.id, mask).into_iter().next() else {
                    continue;
                };
                *acts = act_of(&*class.name == "dir", &name);
                slot.names.push((mask, name));
            }
        }
        Self { classes }
    }

    fn class(&self, id: ClassId) -> Option<&Class> {
        self.classes.get(id.index())
    }

    /// The class's name.
    pub fn name(&self, id: ClassId) -> &str {
        self.class(id).map_or("", |it| &it.name)
    }

    /// What the class belongs to.
    pub fn kind(&self, id: ClassId) -> Kind {
        self.class(id).and_then(|it| it.kind).unwrap_or(Kind::Other)
    }

    /// Is it a class of files?
    pub fn is_file(&self, id: ClassId) -> bool {
        matches!(self.kind(id), Kind::Files | Kind::Devices)
    }

    /// The permissions that are about ports.
    pub fn port_mask(&self, id: ClassId) -> u32 {
        self.mask(id, &["name_bind", "name_connect"])
    }

    /// What permissions of a file class do.
    pub fn acts(&self, id: ClassId, permissions: u32) -> u32 {
        let Some(class) = self.class(id) else { return 0 };
        let set = class.acts.iter().enumerate().filter(|it| permissions >> it.0 & 1 == 1);
        set.fold(0, |all, it| all | it.1)
    }

    /// Is it the class of processes?
    pub fn is_process(&self, id: ClassId) -> bool {
        self.name(id) == "process"
    }

    /// The bits of these permissions.
    pub fn mask(&self, id: ClassId, wanted: &[&str]) -> u32 {
        let names = self.class(id).map_or(&[][..], |it| &it.names);
        names.iter().filter(|it| wanted.contains(&&*it.1)).fold(0, |all, it| all | it.0)
    }

    /// The names of permissions.
    pub fn permissions(&self, id: ClassId, permissions: u32) -> impl Iterator<Item = &str> {
        let names = self.class(id).map_or(&[][..], |it| &it.names);
        names.iter().filter(move |it| it.0 & permissions != 0).map(|it| it.1.as_str())
    }
}
