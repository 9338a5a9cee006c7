//! What is worth knowing of a denial besides its cause.

use crate::Access;
use crate::rules::type_of;

/// Worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Note {
    /// The program went ahead: the domain, or the machine, was permissive.
    WentAhead,
    /// The policy marks the domain as permissive.
    PermissiveDomain,
    /// A `dontaudit` rule hides it: it is in the log only while those are off.
    DontAudit,
    /// The file has no name any more. Programs make such files to be private; those that map code from them (libffi's closures)
    /// need a folder whose files they may execute.
    Deleted,
    /// Such a file of libffi, which tries one folder after another.
    Libffi,
    /// The object has no label of its own: the file system, or the file, was never labelled.
    Unlabelled,
    /// A mapping at the lowest addresses: mostly a null pointer that a fault, or an attack, goes through. Emulators need it.
    MmapZero,
    /// Memory that can be written and executed: just-in-time compilers, closures of libffi.
    ExecMem,
    /// A file was changed in memory and is to be executed: a library with text relocations.
    ExecMod,
    /// The stack is to be executed: mostly a library that is marked so by accident.
    ExecStack,
    /// The heap is to be executed: hardly ever on purpose.
    ExecHeap,
}

impl Note {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::WentAhead => "went_ahead",
            Self::PermissiveDomain => "permissive_domain",
            Self::DontAudit => "dontaudit",
            Self::Deleted => "deleted",
            Self::Libffi => "libffi",
            Self::Unlabelled => "unlabelled",
            Self::MmapZero => "mmap_zero",
            Self::ExecMem => "execmem",
            Self::ExecMod => "execmod",
            Self::ExecStack => "execstack",
            Self::ExecHeap => "execheap",
        }
    }

    /// A sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::WentAhead => "It was logged only: the program went ahead.",
            Self::PermissiveDomain => {
                "The policy marks the domain as permissive: denials are logged and not enforced."
            }
            Self::DontAudit => {
                "A dontaudit rule keeps this out of the log: the policy's author takes it for harmless to deny."
            }
            Self::Deleted => {
                "The file has no name any more: it cannot be relabelled, only the folder it was made in."
            }
            Self::Libffi => {
                "libffi makes such files for its closures in $TMPDIR, /tmp, /var/tmp, /dev/shm and the home folder, in turn: it needs one of them whose files the program may write, map and execute."
            }
            Self::Unlabelled => {
                "The object has no label of its own: the file was made without SELinux, or its file system was never labelled."
            }
            Self::MmapZero => {
                "The program maps the lowest addresses (below vm.mmap_min_addr): a fault or an attack through a null pointer, unless it is an emulator such as Wine."
            }
            Self::ExecMem => {
                "Memory is to be writable and executable at once: a just-in-time compiler, or closures of an old libffi."
            }
            Self::ExecMod => {
                "A file that was changed in memory is to be executed: mostly a library with text relocations, to be built with -fPIC or labelled textrel_shlib_t."
            }
            Self::ExecStack => {
                "The stack is to be executable: mostly a library that is marked so by accident (patchelf --clear-execstack mends it)."
            }
            Self::ExecHeap => "The heap is to be executable: hardly ever on purpose.",
        }
    }
}

/// Types of objects that have no label.
const UNLABELLED: [&str; 3] = ["unlabeled_t", "file_t", "default_t"];

/// What the record itself tells.
pub(super) fn of_access(access: &Access, notes: &mut Vec<Note>) {
    let asks = |name: &str| access.permissions.iter().any(|it| it == name);
    if access.denied && access.permissive == Some(true) {
        notes.push(Note::WentAhead);
    }
    let path = super::label::path_of(&access.object);
    if access.object.deleted || path.is_some_and(|it| it.1) {
        notes.push(Note::Deleted);
        if is_libffi(access) {
            notes.push(Note::Libffi);
        }
    }
    if type_of(&access.tcontext).is_some_and(|it| UNLABELLED.contains(&it)) {
        notes.push(Note::Unlabelled);
    }
    let memory = [
        ("mmap_zero", Note::MmapZero),
        ("execmem", Note::ExecMem),
        ("execmod", Note::ExecMod),
        ("execstack", Note::ExecStack),
        ("execheap", Note::ExecHeap),
    ];
    notes.extend(memory.iter().filter(|it| asks(it.0)).map(|it| it.1));
}

/// `ffi` and six letters or digits, to be executed.
fn is_libffi(access: &Access) -> bool {
    let Some((path, _)) = super::label::path_of(&access.object) else { return false };
    let name = path.rsplit(|&it| it == b'/').next().unwrap_or_default();
    let rest = name.strip_prefix(b".").unwrap_or(name).strip_prefix(b"ffi");
    let executes = access.permissions.iter().any(|it| it == "execute" || it == "map");
    executes && rest.is_some_and(|it| it.len() == 6 && it.iter().all(u8::is_ascii_alphanumeric))
}
