//! What programs find of SELinux: `/sys/fs/selinux` as the kernel would have it (security/selinux/selinuxfs.c), and `/etc/selinux`.
//!
//! Neither is on any disk. A place is looked up in the policy in force when somebody asks for it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use mandate_policydb::{Datum as _, HandleUnknown, PolicyDb, SymbolId as _, capability_names};
use mandate_server::{Mode, SecurityServer, Sid};

/// Where the kernel shows SELinux.
pub(crate) const SELINUX: &[u8] = b"/sys/fs/selinux";
/// Where its configuration is.
pub(crate) const ETC: &[u8] = b"/etc/selinux";

/// What programs find in `/etc/selinux`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The bytes of each file, by its path below `/etc/selinux/`.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Initial contexts that the kernel still uses (security/selinux/include/initial_sid_to_string.h).
const KERNEL_CONTEXTS: [u32; 10] = [1, 2, 3, 5, 8, 9, 10, 11, 12, 27];

/// What is at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node<'a> {
    Folder,
    File(File<'a>),
}

/// A file, by what reading and writing it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum File<'a> {
    /// It can only be read.
    Text(Cow<'a, [u8]>),
    /// A page that is kept up to date for whoever maps it (`selinux_kernel_status`).
    Status,
    Policy,
    /// `/dev/null` by another name.
    Null,
    Enforce,
    Boolean(String),
    Commit,
    Load,
    CheckReqProt,
    /// What is written is a question, what is read then its answer.
    Question(Question),
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Access,
    Create,
    Relabel,
    Member,
    Context,
    User,
    Validate,
}

impl File<'_> {
    /// Is a number written to it?
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Enforce | Self::Boolean(_) | Self::Commit | Self::CheckReqProt)
    }
}

impl Node<'_> {
    fn text(text: impl ToString) -> Self {
        Self::File(File::Text(Cow::Owned(text.to_string().into_bytes())))
    }

    /// Its kind and permissions, as `st_mode` has them.
    pub(crate) fn mode(&self) -> u32 {
        let permissions = match self {
            Self::Folder => return libc::S_IFDIR | 0o555,
            Self::File(File::Null) => return libc::S_IFCHR | 0o666,
            Self::File(file) => match file {
                File::Question(Question::Validate) => 0o222,
                File::Commit => 0o200,
                File::Question(_) => 0o666,
                File::Load => 0o600,
                File::Enforce | File::Boolean(_) | File::CheckReqProt => 0o644,
                _ => 0o444,
            },
        };
        libc::S_IFREG | permissions
    }
}

/// The places of one policy.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) server: &'a SecurityServer,
    pub(crate) configuration: &'a Configuration,
}

type Entries<'a> = Vec<(String, Node<'a>)>;

impl<'a> View<'a> {
    /// What is at an absolute path; none if there is nothing.
    pub(crate) fn node(self, path: &[u8]) -> Option<Node<'a>> {
        if path == SELINUX || path == ETC {
            return Some(Node::Folder);
        }
        let end = path.iter().rposition(|it| *it == b'/')?;
        let (folder, name) = (path.get(..end)?, path.get(end + 1..)?);
        let entries = self.entries(folder)?;
        entries.into_iter().find(|it| it.0.as_bytes() == name).map(|it| it.1)
    }

    /// What is in a folder, in an order that stays the same; none if there is no such folder.
    pub(crate) fn entries(self, folder: &[u8]) -> Option<Entries<'a>> {
        let folder = std::str::from_utf8(folder).ok()?;
        if let Some(below) = folder.as_bytes().strip_prefix(ETC) {
            return self.configured(std::str::from_utf8(below).ok()?.trim_start_matches('/'));
        }
        let below = folder.as_bytes().strip_prefix(SELINUX)?;
        let below = std::str::from_utf8(below).ok()?.trim_start_matches('/');
        let mut parts = below.split('/').filter(|it| !it.is_empty());
        let of_policy = |look: &dyn Fn(&PolicyDb) -> Option<Entries<'a>>| {
            self.server.with_engine(|engine| look(engine.db()))
        };
        match [parts.next(), parts.next(), parts.next(), parts.next()] {
            [None, ..] => Some(self.top()),
            [Some("booleans"), None, ..] => of_policy(&|db| {
                let boolean = |name: &str| Node::File(File::Boolean(name.to_owned()));
                Some(
                    db.booleans.iter().map(|it| (it.name.to_string(), boolean(&it.name))).collect(),
                )
            }),
            [Some("class"), None, ..] => of_policy(&|db| {
                Some(db.classes.iter().map(|it| (it.name.to_string(), Node::Folder)).collect())
            }),
            [Some("class"), Some(class), None, _] => of_policy(&|db| {
                let class = db.classes.id(class)?;
                let index = Node::text(class.value());
                Some(vec![("index".to_owned(), index), ("perms".to_owned(), Node::Folder)])
            }),
            [Some("class"), Some(class), Some("perms"), None] => of_policy(&|db| {
                let all = db.permissions(db.classes.id(class)?);
                Some(all.map(|it| (it.name.to_string(), Node::text(it.id().value()))).collect())
            }),
            [Some("initial_contexts"), None, ..] => Some(self.initial_contexts()),
            [Some("policy_capabilities"), None, ..] => of_policy(&|db| {
                let has = |bit: u32| u8::from(db.policy_capabilities.contains(bit));
                let all = (0..).zip(capability_names());
                Some(all.map(|(bit, name)| (name.to_owned(), Node::text(has(bit)))).collect())
            }),
            [Some("avc"), None, ..] => Some(statistics()),
            [Some("ss"), None, ..] => Some(vec![(
                "sidtab_hash_stats".to_owned(),
                Node::text("entries: 0\nbuckets used: 0/512\nlongest chain: 0\n"),
            )]),
            _ => None,
        }
    }

    fn top(self) -> Entries<'a> {
        let file = |it| Node::File(it);
        let ask = |it| Node::File(File::Question(it));
        let (mls, unknown, version) =
            self.server.with_engine(|it| (it.db().mls, it.db().handle_unknown, it.db().version));
        [
            ("access", ask(Question::Access)),
            ("avc", Node::Folder),
            ("booleans", Node::Folder),
            ("checkreqprot", file(File::CheckReqProt)),
            ("class", Node::Folder),
            ("commit_pending_bools", file(File::Commit)),
            ("context", ask(Question::Context)),
            ("create", ask(Question::Create)),
            ("deny_unknown", Node::text(u8::from(unknown == HandleUnknown::Deny))),
            ("enforce", file(File::Enforce)),
            ("initial_contexts", Node::Folder),
            ("load", file(File::Load)),
            ("member", ask(Question::Member)),
            ("mls", Node::text(u8::from(mls))),
            ("null", file(File::Null)),
            ("policy", file(File::Policy)),
            ("policy_capabilities", Node::Folder),
            ("policyvers", Node::text(version.number())),
            ("reject_unknown", Node::text(u8::from(unknown == HandleUnknown::Reject))),
            ("relabel", ask(Question::Relabel)),
            ("ss", Node::Folder),
            ("status", file(File::Status)),
            ("user", ask(Question::User)),
            ("validatetrans", ask(Question::Validate)),
        ]
        .map(|(name, node)| (name.to_owned(), node))
        .into()
    }

    fn initial_contexts(self) -> Entries<'a> {
        let target = self.server.with_engine(|it| it.db().target);
        let named = KERNEL_CONTEXTS.iter().filter_map(|number| {
            let name = mandate_policydb::initial_sid_name(target, *number)?;
            Some((name, Sid::new(*number)?))
        });
        let text = |sid| Some(Node::text(self.server.context(sid).ok()? + "\0"));
        named.filter_map(|(name, sid)| Some((name.to_owned(), text(sid)?))).collect()
    }

    /// A folder below /etc/selinux.
    fn configured(self, folder: &str) -> Option<Entries<'a>> {
        let within = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut entries = Entries::new();
        for (path, bytes) in self.configuration.files.range(within.clone()..) {
            let Some(rest) = path.strip_prefix(&within) else { break };
            let (name, node) = match rest.split_once('/') {
                Some((name, _)) => (name, Node::Folder),
                None => (rest, Node::File(File::Text(Cow::Borrowed(bytes)))),
            };
            if entries.last().is_none_or(|it| it.0 != name) {
                entries.push((name.to_owned(), node));
            }
        }
        (!entries.is_empty() || folder.is_empty()).then_some(entries)
    }

    /// What reading a file gives when it is opened.
    pub(crate) fn content<'f>(self, file: &'f File<'_>) -> Cow<'f, [u8]> {
        let owned = |it: String| Cow::Owned(it.into_bytes());
        match file {
            File::Text(text) => Cow::Borrowed(text),
            File::Policy => Cow::Owned(self.policy()),
            File::Enforce => owned(u8::from(self.server.mode() == Mode::Enforcing).to_string()),
            File::Boolean(name) => match self.server.boolean(name) {
                Ok((now, pending)) => owned(format!("{} {}", u8::from(now), u8::from(pending))),
                Err(_) => Cow::default(),
            },
            File::CheckReqProt => Cow::Borrowed(b"0"),
            _ => Cow::default(),
        }
    }

    /// The policy in force, as it would be loaded.
    fn policy(self) -> Vec<u8> {
        self.server.with_engine(|engine| {
            let mut bytes = Vec::new();
            // It is of that version, which can hold it.
            let _whole = engine.db().write(engine.db().version, &mut bytes);
            bytes
        })
    }

    /// `struct selinux_kernel_status` (security/selinux/include/security.h); the page is zero behind it.
    pub(crate) fn status(self, sequence: u32) -> [u32; 5] {
        let unknown = self.server.with_engine(|it| it.db().handle_unknown);
        let enforcing = u32::from(self.server.mode() == Mode::Enforcing);
        [1, sequence, enforcing, self.server.seqno(), u32::from(unknown == HandleUnknown::Deny)]
    }
}

fn statistics() -> Entries<'static> {
    let of = |name: &str, text: &str| (name.to_owned(), Node::text(text));
    vec![
        of("cache_stats", "lookups hits misses allocations reclaims frees\n0 0 0 0 0 0\n"),
        of("cache_threshold", "512"),
        of("hash_stats", "entries: 0\nbuckets used: 0/512\nlongest chain: 0\n"),
    ]
}

/// A path within the places of SELinux, without empty parts and dots; none if it leads elsewhere.
pub(crate) fn place(path: &[u8]) -> Option<Vec<u8>> {
    if !path.starts_with(b"/") || !path.windows(7).any(|it| it == b"selinux") {
        return None;
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|it| *it == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let plain = parts.iter().fold(Vec::new(), |path, it| [&path, &b"/"[..], it].concat());
    let below = |root: &[u8]| {
        plain.strip_prefix(root).is_some_and(|it| it.is_empty() || it.starts_with(b"/"))
    };
    (below(SELINUX) || below(ETC)).then_some(plain)
}

/// Contexts are written into questions as they are, names as in addresses of the web (`selinux_trans_to_raw_context`, `sel_write_create`).
pub(crate) fn unescaped(name: &str) -> Option<Vec<u8>> {
    let (mut plain, mut rest) = (Vec::with_capacity(name.len()), name.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => plain.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
                plain.push(u8::from_str_radix(digits, 16).ok()?);
                rest = rest.get(2..)?;
            }
            other => plain.push(*other),
        }
    }
    Some(plain)
}
