//! The text of file contexts, sorted from the general to the special.

use std::cmp::Ordering;

use mandate_syntax::cil::Keyword;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;

use super::lower::{FileContext, Lowerer};

/// What of a pattern decides about its rank.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    plain: bool,
    stem: usize,
    length: usize,
    file_type: u8,
}

fn rank(path: &str, file_type: Keyword) -> Rank {
    let (mut meta, mut stem, mut length) = (false, 0, 0);
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' | b'^' | b'$' | b'?' | b'*' | b'+' | b'|' | b'[' | b'(' | b'{' => meta = true,
            b'\\' => {
                bytes.next();
                stem += usize::from(!meta);
            }
            _ => stem += usize::from(!meta),
        }
        length += 1;
    }
    // In the order in which the original numbers them.
    let types = [
        Keyword::Any,
        Keyword::File,
        Keyword::Dir,
        Keyword::Char,
        Keyword::Block,
        Keyword::Socket,
        Keyword::Pipe,
        Keyword::Symlink,
    ];
    let file_type = types.iter().zip(0..).find(|it| *it.0 == file_type).map_or(0, |it| it.1);
    Rank { plain: !meta, stem, length, file_type }
}

fn type_word(file_type: Keyword) -> &'static str {
    match file_type {
        Keyword::File => "\t--",
        Keyword::Dir => "\t-d",
        Keyword::Char => "\t-c",
        Keyword::Block => "\t-b",
        Keyword::Socket => "\t-s",
        Keyword::Pipe => "\t-p",
        Keyword::Symlink => "\t-l",
        _ => "",
    }
}

impl Lowerer<'_, '_> {
    /// The text, as `file_contexts` has it.
    pub(crate) fn file_contexts(&mut self) -> Vec<u8> {
        let files = std::mem::take(&mut self.labels.files);
        let world = self.world;
        let mut ranked: Vec<(Rank, &str, FileContext)> = files
            .into_iter()
            .map(|it| (rank(world.text(it.path), it.file_type), world.text(it.path), it))
            .collect();
        ranked.sort_by(|a, b| match a.0.cmp(&b.0) {
            Ordering::Equal => a.1.cmp(b.1),
            unequal => unequal,
        });
        let mut out = String::new();
        let mut before: Option<(&Rank, &str, String, FileContext)> = None;
        for (rank, path, it) in &ranked {
            let context =
                it.context.map_or_else(|| "<<none>>".to_owned(), |it| self.context_text(&it));
            if let Some((old_rank, old_path, old_context, old)) = &before
                && *old_rank == rank
                && old_path == path
            {
                let same = *old_context == context;
                if !(same && world.options.multiple_decls) {
                    let message = if same {
                        "the same file context is given twice"
                    } else {
                        "two contexts for one pattern and file type"
                    };
                    let (first, second) = (old.span.min(it.span), old.span.max(it.span));
                    let error = Diagnostic::error(Code::CilConflict, second, message);
                    self.report.add(error.and(first, "the other one"));
                }
                continue;
            }
            out.push_str(path);
            out.push_str(type_word(it.file_type));
            out.push('\t');
            out.push_str(&context);
            out.push('\n');
            before = Some((rank, path, context, *it));
        }
        out.into_bytes()
    }

    /// `login:user[:range]`, as `seusers` has it.
    pub(crate) fn logins(&self) -> Vec<u8> {
        let mut out = String::new();
        for (login, user, range) in &self.users.logins {
            let login = login.map_or("__default__", |it| self.world.text(it.name));
            out += &format!("{login}:{}", self.world.text(user.name));
            if let Some(range) = range {
                out.push(':');
                self.push_range(range, true, &mut out);
            }
            out.push('\n');
        }
        out.into_bytes()
    }
}
