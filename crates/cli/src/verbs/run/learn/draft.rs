//! The module that a program runs under while it is learned from: a domain for it, and types for every kind of file it may make.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A kind of files that a program makes, by where it makes them.
pub(super) struct Kind {
    /// The type is called DOMAIN and this.
    pub(super) suffix: &'static str,
    /// The interface that makes it a type of files.
    interface: &'static str,
    /// The types of the directories.
    folders: &'static str,
    /// Of these, those that are types of the kind itself have to be taken out.
    within: bool,
}

pub(super) const KINDS: [Kind; 4] = [
    Kind { suffix: "tmp", interface: "files_tmp_file", folders: "tmp_t tmpfile", within: true },
    Kind { suffix: "tmpfs", interface: "files_tmpfs_file", folders: "tmpfs_t", within: false },
    Kind {
        suffix: "home",
        interface: "userdom_user_home_content",
        folders: "user_home_dir_t user_home_content_type",
        within: true,
    },
    Kind {
        suffix: "rw",
        interface: "files_type",
        folders: "file_type -tmp_t -tmpfile -tmpfs_t -user_home_dir_t -user_home_content_type",
        within: true,
    },
];

/// The domain of an ordinary user's shell.
pub(super) const USER: &str = super::super::DOMAIN;

/// What is required of the base policy for the draft.
const REQUIRED: &str = "\
gen_require(`
	type user_t, tmp_t, tmpfs_t, user_home_dir_t;
	attribute file_type, tmpfile, user_home_content_type;
	role user_r;
')
";

/// Classes that type transitions of files are written for.
const FILES: &str = "{ file dir lnk_file sock_file fifo_file }";

/// The domain, its program, and how an ordinary user's shell comes into it.
pub(super) fn domain(name: &str) -> String {
    format!(
        "\
type {name}_t;
type {name}_exec_t;
userdom_user_application_domain({name}_t, {name}_exec_t)
role user_r types {name}_t;
domtrans_pattern(user_t, {name}_exec_t, {name}_t)
"
    )
}

impl Kind {
    /// The declaration of its type.
    pub(super) fn declaration(&self, name: &str) -> String {
        let (suffix, interface) = (self.suffix, self.interface);
        format!("type {name}_{suffix}_t;\n{interface}({name}_{suffix}_t)\n")
    }

    pub(super) fn type_of(&self, name: &str) -> String {
        format!("{name}_{}_t", self.suffix)
    }
}

/// All of it: every new file gets a type of the program's own, wherever it is made.
pub(super) fn module(module: &str, name: &str) -> String {
    let mut text = format!("policy_module({module})\n\n{REQUIRED}\n{}", domain(name));
    for kind in &KINDS {
        let own = kind.type_of(name);
        text += &kind.declaration(name);
        let but = if kind.within { format!(" -{own}") } else { String::new() };
        let folders = kind.folders;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "type_transition {name}_t {{ {folders}{but} }}:{FILES} {own};");
    }
    text
}

/// The types that the draft declares.
pub(super) fn own_types(name: &str) -> BTreeSet<String> {
    let of_files = KINDS.iter().map(|it| it.type_of(name));
    [format!("{name}_t"), format!("{name}_exec_t")].into_iter().chain(of_files).collect()
}

/// A word as the name of a type or module.
pub(super) fn name_of(word: &str) -> String {
    let plain = |it: char| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '_' };
    let name: String = word.chars().map(plain).collect();
    let name = name.trim_matches('_');
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name.to_owned(),
        _ => format!("program_{name}"),
    }
}
