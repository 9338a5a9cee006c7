//! `chcat`: categories of files and logins.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use mandate_host::label::Held;
use mandate_label::chcat::Request;
use mandate_label::homedirs::{Account, Group};
use mandate_label::levels::Range;
use mandate_label::setrans::Setrans;
use mandate_label::seusers::Seusers;

use super::getopt::{self, Spec, Word, spec};
use super::system_words;
use crate::{policy, setrans, words};

const OPTIONS: [Spec; 4] = [
    spec('d', "delete", false),
    spec('h', "help", false),
    spec('l', "login", false),
    spec('L', "list", false),
];

pub(crate) fn chcat(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let name = words.first().map_or("chcat", String::as_str);
    let (root, words) = super::split_root(words);
    let root = Path::new(root.unwrap_or("/"));
    let (mut delete, mut list, mut login) = (false, false, false);
    let mut operands = Vec::new();
    for word in getopt::read(&OPTIONS, &until_operand(words)) {
        match word {
            Word::Option('d', _) => delete = true,
            Word::Option('l', _) => login = true,
            Word::Option('L', _) => list = true,
            Word::Option(..) => return usage(name, out),
            Word::Operand(word) => operands.push(word),
            Word::Wrong(message) => {
                writeln!(err, "{name}: Options Error {message} ")?;
                return Ok(1);
            }
        }
    }
    if operands.is_empty() && !list {
        return usage(name, out);
    }
    let mut run = Run { name, root, setrans: setrans::open(None, root, err)?, out, failed: false };
    if delete {
        return run.change(&Request::delete(), &operands, login);
    }
    match (list, login, operands.as_slice()) {
        (true, true, users) => run.list_logins(users),
        (true, false, []) => run.list(),
        (false, _, [categories, objects @ ..]) if !objects.is_empty() => {
            match Request::parse(categories.as_bytes(), &run.setrans) {
                Ok(request) => run.change(&request, objects, login),
                Err(why) => run.error(&why.to_string()),
            }
        }
        _ => usage(name, run.out),
    }
}

/// Python's getopt stops at the first word that is no option; ours goes on unless told.
fn until_operand(words: &[String]) -> Vec<String> {
    let is_option = |it: &String| it.len() > 1 && it.starts_with('-') && *it != "--";
    let options = words.iter().take_while(|it| is_option(it)).count();
    let mut all = words.to_vec();
    if all.get(options).is_some_and(|it| it != "--") {
        all.insert(options, "--".to_owned());
    }
    all
}

fn usage(name: &str, out: &mut dyn Write) -> Result<u8> {
    for form in [
        "CATEGORY File ...",
        "-l CATEGORY user ...",
        "[[+|-]CATEGORY],...] File ...",
        "-l [[+|-]CATEGORY],...] user ...",
        "-d File ...",
        "-l -d user ...",
        "-L",
        "-L -l user",
    ] {
        writeln!(out, "Usage {name} {form}")?;
    }
    writeln!(out, "Use -- to end option list.  For example")?;
    writeln!(out, "chcat -- -CompanyConfidential /docs/businessplan.odt")?;
    writeln!(out, "chcat -l +CompanyConfidential juser")?;
    Ok(1)
}

struct Run<'a> {
    name: &'a str,
    root: &'a Path,
    setrans: Setrans,
    out: &'a mut dyn Write,
    failed: bool,
}

impl Run<'_> {
    /// The original tells errors on standard output.
    fn error(&mut self, message: &str) -> Result<u8> {
        writeln!(self.out, "{}: {message}", self.name)?;
        Ok(1)
    }

    fn change(&mut self, request: &Request, objects: &[String], login: bool) -> Result<u8> {
        for object in objects {
            let done =
                if login { self.login(request, object)? } else { self.file(request, object)? };
            self.failed |= !done;
        }
        Ok(u8::from(self.failed))
    }

    /// Relabels a file; a link is followed, as by the original.
    fn file(&mut self, request: &Request, file: &str) -> Result<bool> {
        let read = Held::open(&words::to_path(file), true).and_then(|it| Ok((it.label()?, it)));
        let (context, held) = match read {
            Ok((Some(context), held)) => (context, held),
            Ok((None, _)) => {
                return self.failure(&format!("{file} has no label: relabel it first"));
            }
            Err(why) => return self.failure(&format!("{file}: {}", system_words(&why))),
        };
        let (changed, messages) = match request.apply(file, &context) {
            Ok(applied) => applied,
            Err(why) => return self.failure(&format!("{file}: {why}")),
        };
        for message in messages {
            writeln!(self.out, "{message}")?;
        }
        if changed == context {
            return Ok(true);
        }
        match held.set_label(&changed) {
            Ok(()) => Ok(true),
            Err(why) => {
                let changed = String::from_utf8_lossy(&changed);
                self.failure(&format!("{file}: setting {changed}: {}", system_words(&why)))
            }
        }
    }

    fn failure(&mut self, message: &str) -> Result<bool> {
        self.error(message)?;
        Ok(false)
    }

    /// Logins belong to the policy store, which is not written here yet; what would have to be done is told.
    fn login(&mut self, request: &Request, login: &str) -> Result<bool> {
        let Some(user) = self.mapping(login)? else { return Ok(false) };
        let range = Range::parse(user.range.as_bytes()).map_err(|it| it.to_string());
        let changed = range.and_then(|it| request.apply_to_login(&it).map_err(|it| it.to_string()));
        let changed = match changed {
            Ok(changed) => changed,
            Err(why) => return self.failure(&format!("{login}: {why}")),
        };
        let (low, high) = (changed.low(), changed.high());
        let how = if user.is_own { "-m" } else { "-a" };
        self.failure(&format!(
            "logins are changed by semanage, which does not exist here yet; run: \
             semanage login {how} -r {low}-{high} -s {} {login}",
            user.name
        ))
    }

    /// The SELinux user and range of a login; none, told, if there is no such account.
    fn mapping(&mut self, login: &str) -> Result<Option<User>> {
        let read = |path: &str| std::fs::read(self.root.join(path)).unwrap_or_default();
        let accounts = Account::parse(&read("etc/passwd")).0;
        let Some(account) = accounts.iter().find(|it| *it.name == *login.as_bytes()) else {
            self.error(&format!("User {login} does not exist"))?;
            return Ok(None);
        };
        let groups = Group::parse(&read("etc/group")).0;
        let file = policy::folder_in_force(self.root).join("seusers");
        let seusers = match std::fs::read(&file) {
            Ok(bytes) => Seusers::parse(&bytes).0,
            Err(why) => {
                self.error(&format!("{}: {}", file.display(), system_words(&why)))?;
                return Ok(None);
            }
        };
        let is_member = |name: &[u8]| {
            let group = groups.iter().find(|it| *it.name == *name);
            group.is_some_and(|it| it.gid == account.gid || it.members.contains(&account.name))
        };
        let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
        let found = seusers.lookup(login.as_bytes(), is_member);
        Ok(Some(User {
            name: found.map_or_else(|| login.to_owned(), |it| text(it.user)),
            range: text(found.and_then(|it| it.range).unwrap_or(b"s0")),
            is_own: seusers.entries().iter().any(|it| *it.name == *login.as_bytes()),
        }))
    }

    fn list(&mut self) -> Result<u8> {
        let file = setrans::in_force(self.root);
        let text = match std::fs::read(&file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(why) => {
                return self.error(&format!("{}: {}", file.display(), system_words(&why)));
            }
        };
        for line in text.lines().filter(|it| !it.starts_with('#')) {
            if let Some((level, name)) = line.split_once('=') {
                writeln!(self.out, "{level:<30} {name}")?;
            }
        }
        Ok(0)
    }

    fn list_logins(&mut self, users: &[String]) -> Result<u8> {
        let own = std::env::var("LOGNAME").or_else(|_| std::env::var("USER"));
        let own = [own.unwrap_or_else(|_| "root".to_owned())];
        for login in if users.is_empty() { &own } else { users } {
            let Some(user) = self.mapping(login)? else { return Ok(1) };
            let named = self.setrans.to_name(user.range.as_bytes());
            let named = String::from_utf8_lossy(&named);
            let (low, high) = named.split_once('-').unwrap_or((&named, "s0"));
            writeln!(self.out, "{login}: {}", if high == "s0" { low } else { high })?;
        }
        Ok(0)
    }
}

/// What a login becomes.
struct User {
    name: String,
    range: String,
    /// It has a line of its own.
    is_own: bool,
}
