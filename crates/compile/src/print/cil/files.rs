//! The files of a package as CIL: `filecon`, `selinuxuser`, `selinuxuserdefault`, `userprefix`.

use mandate_label::FileType;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::Span;
use mandate_syntax::text::Text;

use super::super::Printed;
use crate::file_contexts;

/// The files that go with a module, as text; empty where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    /// `file_contexts`.
    pub file_contexts: &'a [u8],
    /// `seusers`: `login:user[:range]`.
    pub seusers: &'a [u8],
    /// `users_extra`: `user NAME prefix PREFIX;`.
    pub users_extra: &'a [u8],
}

/// Prints what the files of a package say. Faults are told at `at`, the place of the package.
pub fn print_files(files: &Files<'_>, at: Span) -> Printed {
    let mut printed = Printed::default();
    for (line, number) in lines(files.users_extra) {
        match user_prefix(line) {
            Some((user, prefix)) => add(&mut printed, &["(userprefix ", user, " ", prefix, ")\n"]),
            None => fault(&mut printed, at, "users_extra", number, "`user NAME prefix PREFIX;`"),
        }
    }
    for (line, number) in lines(files.seusers) {
        if login(line, &mut printed).is_none() {
            fault(&mut printed, at, "seusers", number, "`LOGIN:USER[:RANGE]`");
        }
    }
    let text = Text { bytes: files.file_contexts.to_vec(), origins: vec![(0, at)] };
    let (contexts, found) = file_contexts::read(&text, None);
    printed.diagnostics.extend(found.into_iter().map(|it| Diagnostic { span: at, ..it }));
    for it in &contexts {
        let kind = it.file_type.map_or("any", keyword);
        if it.path.contains(['"', '\n']) {
            let what =
                format!("CIL cannot spell the path {:?}: its strings have no quotes", it.path);
            printed.diagnostics.push(Diagnostic::error(Code::NameNotInForm, at, what));
        }
        add(&mut printed, &["(filecon \"", &it.path, "\" ", kind, " "]);
        let written = match &it.context {
            None => {
                add(&mut printed, &["()"]);
                Some(())
            }
            Some(text) => context(text, &mut printed),
        };
        if written.is_none() {
            let what = format!("{} is no context", it.context_text());
            printed.diagnostics.push(Diagnostic::error(Code::BadPackage, at, what));
        }
        add(&mut printed, &[")\n"]);
    }
    printed
}

fn add(printed: &mut Printed, parts: &[&str]) {
    parts.iter().for_each(|it| printed.text.extend_from_slice(it.as_bytes()));
}

fn fault(printed: &mut Printed, at: Span, file: &str, line: usize, expected: &str) {
    let message = format!("line {line} of {file} in the package is not {expected}");
    printed.diagnostics.push(Diagnostic::error(Code::BadPackage, at, message));
}

/// Lines with something in them, with their numbers.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (&str, usize)> {
    let lines = bytes.split(|&it| it == b'\n').zip(1..);
    lines
        .map(|(line, number)| (std::str::from_utf8(line).unwrap_or("\u{fffd}").trim(), number))
        .filter(|(line, _)| !line.is_empty() && !line.starts_with('#'))
}

/// A word that CIL reads as one: a package may come from anywhere, and what stands in its files becomes statements.
fn word(text: &str) -> Option<&str> {
    let ends = |it: char| it.is_whitespace() || it.is_control() || "()\";".contains(it);
    (!text.is_empty() && !text.contains(ends)).then_some(text)
}

fn user_prefix(line: &str) -> Option<(&str, &str)> {
    let mut words = line.strip_suffix(';')?.split_ascii_whitespace();
    let (keyword, user) = (words.next()?, words.next()?);
    let (prefix, value) = (words.next()?, words.next()?);
    let whole = keyword == "user" && prefix == "prefix" && words.next().is_none();
    whole.then_some((word(user)?, word(value)?))
}

fn login(line: &str, printed: &mut Printed) -> Option<()> {
    let mut parts = line.splitn(3, ':');
    let (login, user) = (word(parts.next()?)?, word(parts.next()?)?);
    match login {
        "__default__" => add(printed, &["(selinuxuserdefault ", user, " "]),
        _ => add(printed, &["(selinuxuser ", login, " ", user, " "]),
    }
    range(parts.next(), printed)?;
    add(printed, &[")\n"]);
    Some(())
}

/// `user:role:type[:range]` as an anonymous context.
fn context(text: &str, printed: &mut Printed) -> Option<()> {
    let mut parts = text.splitn(4, ':');
    let mut name = || word(parts.next()?);
    let (user, role, type_) = (name()?, name()?, name()?);
    add(printed, &["(", user, " ", role, " ", type_, " "]);
    range(parts.next(), printed)?;
    add(printed, &[")"]);
    Some(())
}

/// An anonymous range. CIL has one in each context, in policies without MLS too.
fn range(text: Option<&str>, printed: &mut Printed) -> Option<()> {
    let text = text.map_or("s0", str::trim);
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    add(printed, &["("]);
    level(low.trim(), printed)?;
    add(printed, &[" "]);
    level(high.trim(), printed)?;
    add(printed, &[")"]);
    Some(())
}

fn level(text: &str, printed: &mut Printed) -> Option<()> {
    let (sensitivity, categories) = match text.split_once(':') {
        Some((sensitivity, categories)) => (sensitivity, Some(categories)),
        None => (text, None),
    };
    let plain = |it: &str| {
        !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-".contains(&it))
    };
    plain(sensitivity).then_some(())?;
    add(printed, &["(", sensitivity]);
    if let Some(categories) = categories {
        let mut before = " (";
        for part in categories.split(',') {
            let (first, last) = part.split_once('.').unwrap_or((part, part));
            (plain(first) && plain(last)).then_some(())?;
            match first == last {
                true => add(printed, &[before, first]),
                false => add(printed, &[before, "(range ", first, " ", last, ")"]),
            }
            before = " ";
        }
        add(printed, &[")"]);
    }
    add(printed, &[")"]);
    Some(())
}

fn keyword(kind: FileType) -> &'static str {
    match kind {
        FileType::Block => "block",
        FileType::Character => "char",
        FileType::Directory => "dir",
        FileType::Pipe => "pipe",
        FileType::SymbolicLink => "symlink",
        FileType::Socket => "socket",
        FileType::Regular => "file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_statements() {
        let files = Files {
            file_contexts: b"/a(/.*)?\tsystem_u:object_r:a_t:s0\n/b -- system_u:object_r:b_t:s0:c1.c3,c5\n/c -d <<none>>\n",
            seusers: b"root:root:s0-s15:c0.c9\n__default__:user_u:s0\n# none\nx:y\n",
            users_extra: b"user root prefix sysadm;\n",
        };
        let printed = print_files(&files, Span::NOWHERE);
        assert!(printed.diagnostics.is_empty(), "{:?}", printed.diagnostics);
        assert_eq!(
            String::from_utf8(printed.text).unwrap(),
            "(userprefix root sysadm)\n\
             (selinuxuser root root ((s0) (s15 ((range c0 c9)))))\n\
             (selinuxuserdefault user_u ((s0) (s0)))\n\
             (selinuxuser x y ((s0) (s0)))\n\
             (filecon \"/a(/.*)?\" any (system_u object_r a_t ((s0) (s0))))\n\
             (filecon \"/b\" file (system_u object_r b_t ((s0 ((range c1 c3) c5)) (s0 ((range c1 c3) c5)))))\n\
             (filecon \"/c\" dir ())\n"
        );
    }

    #[test]
    fn faults_are_told() {
        for (file_contexts, seusers, users_extra) in [
            (&b"/a\n"[..], &b""[..], &b""[..]),
            (b"/a x:y:z:s0:(\n", b"", b""),
            (b"", b"root\n", b""),
            (b"", b"root:u:s0:\n", b""),
            (b"", b"", b"user a prefix b\n"),
            (b"", b"", b"\xff\n"),
            (b"/a\"b x:y:z:s0\n", b"", b""),
            (b"/a x:y:z;:s0\n", b"", b""),
            (b"/a :y:z:s0\n", b"", b""),
            (b"", b"root:(x)(allow a b (c (d)))\n", b""),
            (b"", b"a b:x\n", b""),
            (b"", b"", b"user (a) prefix b;\n"),
            (b"", b"", b"user a prefix \"b;\n"),
        ] {
            let files = Files { file_contexts, seusers, users_extra };
            assert!(print_files(&files, Span::NOWHERE).failed(), "{files:?}");
        }
    }
}
