//! Files that are probably mislabelled: what file contexts say of their paths.

use mandate_label::FileType;
use mandate_label::file_contexts::{Answer, LineRef, Lookup};
use mandate_policydb::Context;
use mandate_server::{Compute, Engine, Query};

use super::asked::Asked;
use super::cause::Mislabel;
use crate::Object;

/// The classes of files, and how file contexts tell them apart.
const FILES: [(&str, FileType); 7] = [
    ("file", FileType::Regular),
    ("dir", FileType::Directory),
    ("lnk_file", FileType::SymbolicLink),
    ("chr_file", FileType::Character),
    ("blk_file", FileType::Block),
    ("sock_file", FileType::Socket),
    ("fifo_file", FileType::Pipe),
];

/// What the kernel appends to the path of a file that has no name any more.
const DELETED: &[u8] = b" (deleted)";

/// The kind of file that a class is.
pub(super) fn file_type(class: &str) -> Option<FileType> {
    FILES.iter().find(|it| it.0 == class).map(|it| it.1)
}

/// The path of an object, if it is whole, and whether it has no name any more.
pub(super) fn path_of(object: &Object) -> Option<(&[u8], bool)> {
    let path = object.path.as_deref().filter(|it| it.first() == Some(&b'/'))?;
    // An anonymous file has no place.
    let path = Some(path).filter(|it| !it.starts_with(b"/memfd:"))?;
    let cut = path.strip_suffix(DELETED);
    Some((cut.unwrap_or(path), object.deleted || cut.is_some()))
}

/// What is asked of file contexts for one access.
pub(super) struct Asking<'a, 'b> {
    pub(super) engine: &'a Engine,
    pub(super) lookup: &'a mut Lookup<'b>,
    pub(super) asked: &'a Asked,
    pub(super) class: &'a str,
}

impl<'b> Asking<'_, 'b> {
    /// A label that is not what it should be, and with which all that was asked for would be allowed.
    pub(super) fn mislabelled(&mut self, object: &Object) -> Option<Mislabel> {
        let (path, deleted) = path_of(object)?;
        let kind = file_type(self.class)?;
        let own = (!deleted).then(|| self.own(path, kind)).flatten();
        own.or_else(|| self.folder(path, deleted))
    }

    /// The file itself.
    fn own(&mut self, path: &[u8], kind: FileType) -> Option<Mislabel> {
        let (context, line) = self.expected(path, kind)?;
        if context == self.asked.target {
            return None;
        }
        let by_type = Context { type_: context.type_, ..self.asked.target.clone() };
        let whole = if context.type_ != self.asked.target.type_ && self.allowed(&by_type) {
            false
        } else if self.allowed(&context) {
            true
        } else {
            return None;
        };
        Some(self.told(path, &context, line, whole))
    }

    /// The folder that it was made in: had it been labelled right, the file would be of another type.
    fn folder(&mut self, path: &[u8], deleted: bool) -> Option<Mislabel> {
        let slash = path.iter().rposition(|&it| it == b'/').filter(|&it| it > 0)?;
        let (folder, name) = (path.get(..slash)?, path.get(slash + 1..)?);
        let (context, line) = self.expected(folder, FileType::Directory)?;
        // A file has the type of the folder it was made in, unless a transition gave it another.
        if context.type_ == self.asked.target.type_ {
            return None;
        }
        let Asked { source, class, .. } = self.asked;
        let compute = |name| {
            self.engine.compute_context(Compute::Create, source, &context, Some(*class), name)
        };
        let made = compute(Some(name)).ok()?;
        // Only if it is the source that makes such files: a transition of its own is the sign.
        let own = made.type_ != context.type_ || deleted;
        if !own || made.type_ == self.asked.target.type_ || !self.allowed(&made) {
            return None;
        }
        let told = self.told(folder, &context, line, false);
        let made = self.engine.db().types.name(made.type_).into_owned();
        Some(Mislabel { folder: true, made: Some(made), deleted, ..told })
    }

    /// The context that file contexts give a path.
    fn expected(&mut self, path: &[u8], kind: FileType) -> Option<(Context, LineRef<'b>)> {
        match self.lookup.path(path, Some(kind)) {
            Answer::Context(context, line) => {
                Some((self.engine.db().parse_context(context).ok()?, line))
            }
            _ => None,
        }
    }

    /// Would all that was asked for be allowed if the target had this context?
    fn allowed(&self, target: &Context) -> bool {
        let query = Query { target, ..self.asked.query() };
        self.engine.decide(&query).allowed & self.asked.wanted == self.asked.wanted
    }

    fn told(&self, path: &[u8], expected: &Context, line: LineRef<'_>, whole: bool) -> Mislabel {
        let db = self.engine.db();
        Mislabel {
            path: String::from_utf8_lossy(path).into_owned(),
            folder: false,
            has: db.context_to_string(&self.asked.target),
            expected: db.context_to_string(expected),
            made: None,
            line: line.pattern().to_owned(),
            place: (line.source().to_owned(), line.number()),
            whole,
            deleted: false,
        }
    }
}
