//! The directories homes lie in.

use super::{Account, Inputs, Note};
use crate::line::{fields, lines};

/// Where homes lie and who has one, as the files of a machine say it. A file that is not there is an empty one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings<'a> {
    /// `/etc/default/useradd`: `HOME=`.
    pub useradd: &'a [u8],
    /// `/etc/libuser.conf`: `LU_HOMEDIRECTORY=`, `LU_UIDNUMBER=`.
    pub libuser: &'a [u8],
    /// `/etc/login.defs`: `UID_MIN`, `UID_MAX`.
    pub login_defs: &'a [u8],
    /// `/etc/shells`; without it, the shells that most systems have.
    pub shells: Option<&'a [u8]>,
    /// Is there a directory `/export/home`?
    pub export_home: bool,
    /// `usepasswd` of `semanage.conf`: do the homes of accounts tell where homes lie?
    pub use_accounts: bool,
    /// `ignoredirs` of `semanage.conf`: homes that do not count, with `;` between.
    pub ignored: &'a [u8],
}

impl Settings<'_> {
    /// Is this a home that does not count? `home` has no slash at its end.
    pub(super) fn ignores(&self, home: &[u8]) -> bool {
        home == b"/" || self.ignored.split(|&it| it == b';').any(|it| !it.is_empty() && it == home)
    }

    /// The least and the greatest user id of people.
    fn user_ids(&self, notes: &mut Vec<Note>) -> (u32, u32) {
        const LEAST: u32 = 1000;
        const LEAST_OF_LIBUSER: u32 = 500;
        const MOST: u32 = 60000;
        let least = user_id(self.login_defs, "UID_MIN", None, LEAST, notes);
        let of_libuser = user_id(self.libuser, "LU_UIDNUMBER", Some(b'='), LEAST_OF_LIBUSER, notes);
        let most = user_id(self.login_defs, "UID_MAX", None, MOST, notes);
        (least.or(of_libuser).unwrap_or(LEAST_OF_LIBUSER), most.unwrap_or(MOST))
    }

    fn is_shell(&self, shell: &[u8]) -> bool {
        const NOLOGIN: [&[u8]; 2] = [b"/sbin/nologin", b"/usr/sbin/nologin"];
        const USUAL: [&[u8]; 9] =
            [b"csh", b"tcsh", b"ksh", b"bsh", b"ash", b"pdksh", b"zsh", b"sh", b"bash"];
        match self.shells {
            Some(file) => file_lines(file).any(|it| it == shell) && !NOLOGIN.contains(&shell),
            None => {
                let shell = shell.strip_prefix(b"/usr").unwrap_or(shell);
                shell.strip_prefix(b"/bin/").is_some_and(|it| USUAL.contains(&it))
            }
        }
    }
}

/// The lines of a file, without an empty one after the last newline.
fn file_lines(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.split_inclusive(|&it| it == b'\n').map(|it| it.strip_suffix(b"\n").unwrap_or(it))
}

/// The value in the first line that begins with `key`: after the separator, or after white space.
fn value<'a>(file: &'a [u8], key: &str, separator: Option<u8>) -> Option<&'a [u8]> {
    let line = file_lines(file).find(|it| it.starts_with(key.as_bytes()))?;
    let value = match separator {
        Some(separator) => line.splitn(2, |&it| it == separator).nth(1)?,
        None => {
            let rest = line.get(line.iter().position(|it| crate::line::is_space(*it))?..)?;
            rest.get(rest.iter().position(|it| !crate::line::is_space(*it))?..)?
        }
    };
    (!value.is_empty()).then_some(value)
}

/// A user id by its key; `None` if the file has none.
fn user_id(
    file: &[u8],
    key: &'static str,
    separator: Option<u8>,
    taken: u32,
    notes: &mut Vec<Note>,
) -> Option<u32> {
    let number = number(value(file, key, separator)?);
    if number.is_none() {
        notes.push(Note::NotANumber { key, taken });
    }
    number
}

/// A number as C writes it: decimal, `0x` and hexadecimal, `0` and octal.
fn number(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?.trim_start();
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok();
    }
    u32::from_str_radix(text, if text.starts_with('0') { 8 } else { 10 }).ok()
}

/// `home` without slashes at its end.
pub(super) fn trimmed(mut home: &[u8]) -> &[u8] {
    while let [shorter @ .., b'/'] = home
        && !shorter.is_empty()
    {
        home = shorter;
    }
    home
}

/// The directories homes lie in, each once: those of settings, and those of people's homes.
pub(super) fn of_homes(inputs: &Inputs<'_>, notes: &mut Vec<Note>) -> Vec<Vec<u8>> {
    let settings = &inputs.settings;
    let mut places: Vec<Vec<u8>> = Vec::new();
    let mut push = |place: &[u8]| {
        if !places.iter().any(|it| it == place) {
            places.push(place.to_vec());
        }
    };
    let useradd = value(settings.useradd, "HOME", Some(b'='));
    let libuser = value(settings.libuser, "LU_HOMEDIRECTORY", Some(b'='));
    useradd.into_iter().chain(libuser).for_each(&mut push);
    if useradd.or(libuser).is_none() {
        push(b"/home");
    }
    if settings.export_home {
        push(b"/export/home");
    }
    if settings.use_accounts {
        add_of_accounts(inputs, &mut places, notes);
        places.sort();
    } else {
        places.reverse();
    }
    places
}

fn add_of_accounts(inputs: &Inputs<'_>, places: &mut Vec<Vec<u8>>, notes: &mut Vec<Note>) {
    let settings = &inputs.settings;
    let (least, most) = settings.user_ids(notes);
    let claims = claims(inputs.file_contexts);
    let people = inputs
        .accounts
        .iter()
        .filter(|it: &&Account| (least..=most).contains(&it.uid) && settings.is_shell(&it.shell));
    for account in people {
        let home = trimmed(&account.home);
        if settings.ignores(home) || home.iter().filter(|&&it| it == b'/').count() <= 1 {
            continue;
        }
        let slash = home.iter().rposition(|&it| it == b'/').unwrap_or_default();
        let place = home.get(..slash).unwrap_or_default();
        if places.iter().any(|it| it == place) {
            continue;
        }
        if claims.iter().any(|it| (inputs.matches)(it, place)) {
            let (user, home) = (account.name.clone(), home.into());
            notes.push(Note::Claimed { user, home, least, most });
        } else {
            places.push(place.to_vec());
        }
    }
}

/// An expression for each file context of directories, or of all kinds of files: it matches the directory itself, even if the context speaks of
/// what lies in it.
fn claims(file_contexts: &[u8]) -> Vec<Vec<u8>> {
    let lines: Vec<(u32, &[u8])> = lines(file_contexts).collect();
    let claim = |line: &[u8]| {
        let mut fields = fields(line).map(|it| it.bytes);
        let (pattern, kind) = (fields.next()?, fields.next()?);
        let of_directories = fields.next().is_none() || kind == b"-d";
        of_directories.then(|| directory(pattern))
    };
    lines.into_iter().filter_map(|(_, line)| claim(line)).collect()
}

fn directory(mut pattern: &[u8]) -> Vec<u8> {
    for end in [&b".+"[..], b".*", b"(/.*)?", b"/"] {
        pattern = pattern.strip_suffix(end).unwrap_or(pattern);
    }
    [b"^", pattern, b"/*$"].concat()
}
