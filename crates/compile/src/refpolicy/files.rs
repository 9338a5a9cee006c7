//! The files that go with a policy: logins, contexts for programs, types that administrators may choose.
//!
//! Each is made of the text that m4 gives, or copied. The runs of m4, all with [`Settings::defines`] and first of all the
//! macros of `policy/support/*.spt` (sorted by path; of LOCAL_ROOT after those of the tree):
//!
//! | output | after the macros | definitions besides |
//! |---|---|---|
//! | `file_contexts`, `homedir_template` | the generated class permissions and booleans, then the `.fc` of [`ModuleList::built`] in order | `self_contained_policy` |
//! | `users_extra` | `policy/users` | `users_extra` |
//! | `seusers` | `config/appconfig-TYPE/seusers` | |
//! | files of [`AppConfig::expanded`] | that file, each in a run of its own | |
//!
//! [`ModuleList::built`]: super::modules::ModuleList::built

use std::collections::BTreeSet;

use crate::outcome::SourceTree;
use crate::refpolicy::settings::PolicyType;
#[cfg(doc)]
use crate::refpolicy::settings::Settings;

/// Which users have which prefix, of `policy/users` expanded: lines that begin with `user`, without blanks before them.
pub fn users_extra(expanded: &[u8]) -> Vec<u8> {
    let lines = expanded.split(|&it| it == b'\n').map(trim_blanks);
    join(lines.filter(|it| it.starts_with(b"user")))
}

/// Which logins are which users, of `seusers` expanded: lines that begin with a small letter or `_`.
pub fn seusers(expanded: &[u8]) -> Vec<u8> {
    let lines = expanded.split(|&it| it == b'\n');
    join(lines.filter(|it| it.first().is_some_and(|&it| it == b'_' || it.is_ascii_lowercase())))
}

/// Types that `restorecon` leaves alone since administrators choose them. The source marks them by the word
/// `customizable` anywhere after `type NAME` on its line, nowadays in a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomizableTypes(BTreeSet<Vec<u8>>);

impl CustomizableTypes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for them in the expanded rules of modules, comments included.
    pub fn scan(&mut self, expanded: &[u8]) {
        let mut after = 0;
        for at in memchr::memmem::find_iter(expanded, MARK) {
            if at < after {
                continue;
            }
            let start = memchr::memrchr(b'\n', &expanded[..at]).map_or(0, |it| it + 1);
            let end = memchr::memchr(b'\n', &expanded[at..]).map_or(expanded.len(), |it| at + it);
            after = end;
            self.0.extend(marked_type(&expanded[start..end]).map(<[u8]>::to_vec));
        }
    }

    /// Takes in those of another.
    pub fn merge(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(super) fn names(&self) -> Vec<Vec<u8>> {
        self.0.iter().cloned().collect()
    }

    pub(super) fn of_names(names: Vec<Vec<u8>>) -> Self {
        Self(names.into_iter().collect())
    }

    /// The file: a name per line, sorted.
    pub fn render(&self) -> Vec<u8> {
        join(self.0.iter().map(Vec::as_slice))
    }
}

const MARK: &[u8] = b"customizable";

/// The name after `type ` at the start of a line with the mark after it.
fn marked_type(line: &[u8]) -> Option<&[u8]> {
    let rest = trim_blanks(line).strip_prefix(b"type ")?.trim_ascii_start();
    let end = rest.iter().position(|it| matches!(it, b';' | b',' | b' ' | b'\t'))?;
    let (name, rest) = rest.split_at(end);
    memchr::memmem::find(rest, MARK).is_some().then_some(name)
}

/// The application contexts of a source tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppConfig {
    /// Files that m4 expands, each in a run of its own; the output is the whole of what it gives.
    pub expanded: Vec<AppFile>,
    /// Files that are copied.
    pub copied: Vec<AppFile>,
    /// The file [`seusers`] is made of.
    pub seusers: Option<String>,
}

/// A file of the application contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppFile {
    /// Its path in the source tree.
    pub source: String,
    /// Its path below the output folder: `appconfig/` and where it is installed below `contexts`.
    pub output: String,
}

/// Where application contexts go below the output folder.
const OUTPUT: &str = "appconfig";

impl AppConfig {
    /// The files of `tree` that a policy of this type has. `customizable_types` is not among them: it is made of the rules.
    pub fn find(tree: &SourceTree, policy_type: PolicyType) -> Self {
        let folder = format!("config/appconfig-{}/", policy_type.as_str());
        let mut found = Self::default();
        let below = tree.range(folder.clone()..).map(|it| it.0.as_str());
        for path in below.take_while(|it| it.starts_with(&folder)) {
            let name = &path[folder.len()..];
            if !name.is_empty() && !name.contains('/') && !name.starts_with('.') {
                found.add(path, name);
            }
        }
        let aliases = "config/file_contexts.subs_dist";
        if tree.contains_key(aliases) {
            found.copied.push(AppFile::new(aliases, "files/file_contexts.subs_dist"));
        }
        found
    }

    fn add(&mut self, path: &str, name: &str) {
        match (name, name.strip_suffix("_default_contexts")) {
            ("customizable_types", _) => {}
            ("seusers", _) => self.seusers = Some(path.to_owned()),
            ("media", _) => self.copied.push(AppFile::new(path, "files/media")),
            (_, Some(user)) => self.copied.push(AppFile::new(path, &format!("users/{user}"))),
            _ => self.expanded.push(AppFile::new(path, name)),
        }
    }
}

impl AppFile {
    fn new(source: &str, output: &str) -> Self {
        Self { source: source.to_owned(), output: format!("{OUTPUT}/{output}") }
    }
}

fn trim_blanks(line: &[u8]) -> &[u8] {
    let blanks = line.iter().take_while(|it| matches!(it, b' ' | b'\t')).count();
    &line[blanks..]
}

fn join<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expect_test::expect;

    use super::*;

    #[test]
    fn lines_of_users_are_kept() {
        let text = b"\n# user x\n  user a prefix b;\n\tuser c prefix d;\nusers\nx user";
        assert_eq!(users_extra(text), b"user a prefix b;\nuser c prefix d;\nusers\n");
        let text = b"\n\nroot:root\n__default__:u:s0\n# x\n Up:x\n";
        assert_eq!(seusers(text), b"root:root\n__default__:u:s0\n");
    }

    #[test]
    fn customizable_types_are_found_by_their_mark() {
        let mut types = CustomizableTypes::new();
        types.scan(b"type b_t; # customizable\n\ttype a_t, x; #, customizable; customizable\n# type c_t; # customizable\n");
        types.scan(b"type d_t;\n# customizable\nuse(x) # customizable\ntype b_t, customizable;\n  type customizable_t;");
        assert_eq!(types.render(), b"a_t\nb_t\n");
    }

    #[test]
    fn application_contexts_are_of_the_type_of_policy() {
        let paths = [
            "config/appconfig-mcs/default_contexts",
            "config/appconfig-mcs/default_type",
            "config/appconfig-mcs/media",
            "config/appconfig-mcs/seusers",
            "config/appconfig-mcs/user_u_default_contexts",
            "config/appconfig-mls/other",
            "config/file_contexts.subs_dist",
            "config/local.users",
        ];
        let tree = paths.iter().map(|it| ((*it).to_owned(), Arc::from(&b""[..]))).collect();
        expect![[r#"
            AppConfig {
                expanded: [
                    AppFile {
                        source: "config/appconfig-mcs/default_contexts",
                        output: "appconfig/default_contexts",
                    },
                    AppFile {
                        source: "config/appconfig-mcs/default_type",
                        output: "appconfig/default_type",
                    },
                ],
                copied: [
                    AppFile {
                        source: "config/appconfig-mcs/media",
                        output: "appconfig/files/media",
                    },
                    AppFile {
                        source: "config/appconfig-mcs/user_u_default_contexts",
                        output: "appconfig/users/user_u",
                    },
                    AppFile {
                        source: "config/file_contexts.subs_dist",
                        output: "appconfig/files/file_contexts.subs_dist",
                    },
                ],
                seusers: Some(
                    "config/appconfig-mcs/seusers",
                ),
            }
        "#]]
        .assert_debug_eq(&AppConfig::find(&tree, PolicyType::Mcs));
    }
}
