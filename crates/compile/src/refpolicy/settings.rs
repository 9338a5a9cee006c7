//! What `build.conf` and the command line set: the policy's type, the distribution, the switches.

use std::collections::BTreeMap;

use mandate_policydb::{HandleUnknown, PolicyVersion};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::{SourceFile, Span};

use crate::near::did_you_mean;

/// The kind of a Reference Policy build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicyType {
    /// Type enforcement without levels.
    #[default]
    Standard,
    /// One sensitivity, categories between users and machines.
    Mcs,
    /// Sensitivities and categories.
    Mls,
}

impl PolicyType {
    const NAMES: [(&'static str, Self); 3] =
        [("standard", Self::Standard), ("mcs", Self::Mcs), ("mls", Self::Mls)];

    /// As it is written in `build.conf` and in the name of the appconfig folder.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Mcs => "mcs",
            Self::Mls => "mls",
        }
    }

    /// Do contexts have a level?
    pub fn mls(self) -> bool {
        self != Self::Standard
    }
}

/// All that a Reference Policy build can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `TYPE`.
    pub policy_type: PolicyType,
    /// `NAME`: the folder below /etc/selinux. The type's name unless set.
    pub name: String,
    /// `DISTRO`; empty for none.
    pub distro: String,
    /// `UNK_PERMS`: what becomes of classes and permissions the kernel knows and the policy does not.
    pub handle_unknown: HandleUnknown,
    /// `DIRECT_INITRC`: administrators start init scripts directly.
    pub direct_initrc: bool,
    /// `SYSTEMD`.
    pub systemd: bool,
    /// `MONOLITHIC`. What is built is the same policy either way; `OUTPUT_POLICY` counts for monolithic builds only.
    pub monolithic: bool,
    /// `UBAC`: users are kept apart.
    pub ubac: bool,
    /// `WERROR`: warnings of the source are errors.
    pub werror: bool,
    /// `QUIET`.
    pub quiet: bool,
    /// `CUSTOM_BUILDOPT`: macros to define.
    pub build_options: Vec<String>,
    /// `MLS_SENS`: how many sensitivities an MLS policy has.
    pub mls_sensitivities: u32,
    /// `MLS_CATS`: how many categories an MLS policy has.
    pub mls_categories: u32,
    /// `MCS_CATS`: how many categories an MCS policy has.
    pub mcs_categories: u32,
    /// `OUTPUT_POLICY`: the version to write.
    pub output_version: Option<PolicyVersion>,
    /// `LOCAL_ROOT`: folder of a second tree.
    pub local_root: Option<String>,
    /// `APPS_BASE`, `APPS_MODS`, `APPS_OFF`: modules that are set otherwise than in `modules.conf`.
    pub apps: Apps,
}

/// Modules set on the command line, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apps {
    /// Part of the base module.
    pub base: Vec<String>,
    /// Modules of their own.
    pub modules: Vec<String>,
    /// Left out.
    pub off: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let mut diagnostics = Vec::new();
        Self::of(&Raw::default(), &mut diagnostics)
    }
}

impl Settings {
    /// The settings of `files` (`build.conf`, then that of `LOCAL_ROOT` if there is one) and of the command line, which wins
    /// except over `override` lines, as with make. What cannot be read has its default, and a diagnostic.
    pub fn read(files: &[&SourceFile], overrides: &[(String, String)]) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let mut raw = Raw::default();
        for (key, value) in overrides {
            raw.add_override(key, value, &mut diagnostics);
        }
        for file in files {
            raw.add_file(file, &mut diagnostics);
        }
        raw.expand(&mut diagnostics);
        let settings = Self::of(&raw, &mut diagnostics);
        diagnostics.sort_by_key(|it| it.span);
        (settings, diagnostics)
    }

    /// The macros that m4 is started with, in order. Runs over a whole policy add `self_contained_policy`; the run over
    /// the interfaces has none of them.
    pub fn defines(&self) -> Vec<(String, String)> {
        let mut defines = Defines(Vec::new());
        defines.switch("enable_mls", self.policy_type == PolicyType::Mls);
        defines.switch("enable_mcs", self.policy_type == PolicyType::Mcs);
        defines.switch(&format!("distro_{}", self.distro), !self.distro.is_empty());
        defines.switch("distro_debian", self.distro == "ubuntu");
        defines.switch("init_systemd", self.systemd);
        for option in &self.build_options {
            defines.switch(option, true);
        }
        defines.switch("direct_sysadm_daemon", self.direct_initrc);
        defines.switch("m4_werror", self.werror);
        defines.switch("enable_ubac", self.ubac);
        defines.add("mls_num_sens", &self.mls_sensitivities.to_string());
        defines.add("mls_num_cats", &self.mls_categories.to_string());
        defines.add("mcs_num_cats", &self.mcs_categories.to_string());
        if self.distro == "debian" {
            defines.add("use_alsa", "");
        }
        defines.0
    }

    /// Adds what the tree's Makefile gives m4 in every build: `M4PARAM += -D NAME` outside of conditions, and without a value.
    pub fn add_defines_of(&mut self, makefile: &[u8]) {
        let mut depth = 0usize;
        for line in makefile.split(|&it| it == b'\n').filter_map(|it| std::str::from_utf8(it).ok())
        {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("ifeq" | "ifneq" | "ifdef" | "ifndef") => depth += 1,
                Some("endif") => depth = depth.saturating_sub(1),
                Some("M4PARAM") if depth == 0 => {
                    let words: Vec<&str> = words.collect();
                    let names = words.windows(2).filter(|it| it[0] == "-D").map(|it| it[1]);
                    let plain = |it: &&str| {
                        it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
                            && !it.is_empty()
                    };
                    self.build_options.extend(names.filter(plain).map(str::to_owned));
                }
                _ => {}
            }
        }
    }

    fn of(raw: &Raw, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut read = Reader { raw, diagnostics };
        let policy_type = read.choice("TYPE", &PolicyType::NAMES, PolicyType::Standard);
        let settings = Self {
            policy_type,
            name: read.word("NAME").unwrap_or_else(|| policy_type.as_str().to_owned()),
            distro: read.distro(),
            handle_unknown: read.choice("UNK_PERMS", &UNKNOWN, HandleUnknown::Deny),
            direct_initrc: read.switch("DIRECT_INITRC"),
            systemd: read.switch("SYSTEMD"),
            monolithic: read.switch("MONOLITHIC"),
            ubac: read.switch("UBAC"),
            werror: read.switch("WERROR"),
            quiet: read.switch("QUIET"),
            build_options: read.macros("CUSTOM_BUILDOPT"),
            mls_sensitivities: read.count("MLS_SENS", 16),
            mls_categories: read.count("MLS_CATS", 1024),
            mcs_categories: read.count("MCS_CATS", 1024),
            output_version: read.version("OUTPUT_POLICY"),
            local_root: read.path("LOCAL_ROOT"),
            apps: Apps {
                base: read.words("APPS_BASE"),
                modules: read.words("APPS_MODS"),
                off: read.words("APPS_OFF"),
            },
        };
        read.check_apps(&settings.apps);
        settings
    }
}

/// The list being made by [`Settings::defines`].
struct Defines(Vec<(String, String)>);

impl Defines {
    fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    fn switch(&mut self, name: &str, on: bool) {
        if on {
            self.add(name, "true");
        }
    }
}

const UNKNOWN: [(&str, HandleUnknown); 3] = [
    ("deny", HandleUnknown::Deny),
    ("reject", HandleUnknown::Reject),
    ("allow", HandleUnknown::Allow),
];

/// What means something to a build.
const KNOWN: [&str; 19] = [
    "APPS_BASE",
    "APPS_MODS",
    "APPS_OFF",
    "CUSTOM_BUILDOPT",
    "DIRECT_INITRC",
    "DISTRO",
    "LOCAL_ROOT",
    "MCS_CATS",
    "MLS_CATS",
    "MLS_SENS",
    "MONOLITHIC",
    "NAME",
    "OUTPUT_POLICY",
    "QUIET",
    "SYSTEMD",
    "TYPE",
    "UBAC",
    "UNK_PERMS",
    "WERROR",
];

/// What Makefiles read to find their tools and where to install, which nothing here needs, and what is long without use.
const WITHOUT_EFFECT: [&str; 28] = [
    "AWK",
    "BINDIR",
    "CHECKMODULE",
    "CHECKPOLICY",
    "CTAGS",
    "DESTDIR",
    "GREP",
    "INSTALL",
    "LOADPOLICY",
    "M4",
    "M4PARAM",
    "PKGNAME",
    "POLY",
    "PYTHON",
    "SBINDIR",
    "SECHECK",
    "SED",
    "SEMODULE",
    "SEMOD_EXP",
    "SEMOD_LNK",
    "SEMOD_PKG",
    "SEPOLGEN_IFGEN",
    "SETFILES",
    "SORT",
    "TEST_TOOLCHAIN",
    "UMASK",
    "VERBOSE",
    "XMLLINT",
];

const DISTROS: [&str; 6] = ["redhat", "gentoo", "debian", "suse", "rhel4", "ubuntu"];

/// A value and where it stands.
#[derive(Clone, Debug)]
struct Value {
    text: String,
    span: Span,
    from: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    CommandLine,
    File,
    /// A line with `override`.
    Forced,
}

/// The settings as text.
#[derive(Debug, Default)]
struct Raw {
    values: BTreeMap<String, Value>,
}

/// How a line of `build.conf` sets its variable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Assign {
    Set,
    SetIfUnset,
    Append,
}

impl Raw {
    fn add_override(&mut self, key: &str, value: &str, diagnostics: &mut Vec<Diagnostic>) {
        if WITHOUT_EFFECT.contains(&key) {
            let message = format!("`{key}` has no effect here");
            diagnostics.push(Diagnostic::warning(Code::BadSetting, Span::NOWHERE, message));
        } else if KNOWN.contains(&key) {
            let value = Value {
                text: value.trim().to_owned(),
                span: Span::NOWHERE,
                from: Origin::CommandLine,
            };
            self.values.insert(key.to_owned(), value);
        } else {
            let message = format!("there is no setting `{key}`");
            let it = Diagnostic::error(Code::BadSetting, Span::NOWHERE, message);
            diagnostics.push(with_near(it, key, KNOWN));
        }
    }

    fn add_file(&mut self, file: &SourceFile, diagnostics: &mut Vec<Diagnostic>) {
        for (offset, line) in logical_lines(&file.bytes) {
            let span = Span { pos: file.pos(offset), ..Span::NOWHERE };
            match parse_line(&line) {
                Line::Empty => {}
                Line::Assignment(it) => self.assign(&it, span, diagnostics),
                Line::Unknown => diagnostics.push(
                    Diagnostic::warning(
                        Code::BadSetting,
                        span.forward(leading_blanks(&line)),
                        "this line of build.conf is not understood and has no effect",
                    )
                    .help("write `NAME = value`"),
                ),
            }
        }
    }

    fn assign(&mut self, it: &Assignment<'_>, line: Span, diagnostics: &mut Vec<Diagnostic>) {
        let (key, name_span) = (it.name, line.forward(small(it.name_at)));
        if !KNOWN.contains(&key) && !WITHOUT_EFFECT.contains(&key) {
            let message = format!("nothing reads the setting `{key}`");
            let found = Diagnostic::warning(Code::BadSetting, name_span, message);
            diagnostics.push(with_near(found, key, KNOWN));
        }
        let from = if it.forced { Origin::Forced } else { Origin::File };
        let old = self.values.get(key);
        if old.is_some_and(|old| !it.forced && old.from != Origin::File) {
            return;
        }
        let text = match (it.how, old) {
            (Assign::SetIfUnset, Some(_)) => return,
            (Assign::Append, Some(old)) => format!("{} {}", old.text, it.value),
            _ => it.value.to_owned(),
        };
        let span = if it.value.is_empty() { name_span } else { line.forward(small(it.value_at)) };
        self.values.insert(key.to_owned(), Value { text, span, from });
    }

    /// Puts values in place of `$(NAME)`.
    fn expand(&mut self, diagnostics: &mut Vec<Diagnostic>) {
        let keys: Vec<String> = self
            .values
            .iter()
            .filter(|(_, value)| value.text.contains('$') && value.from != Origin::CommandLine)
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            let Some(value) = self.values.get(&key) else { continue };
            let (text, span) = (self.expanded(&value.text, 0), value.span);
            match text {
                Some(text) => self.values.insert(key, Value { text, span, from: Origin::File }),
                None => {
                    diagnostics.push(
                        Diagnostic::error(
                            Code::BadSetting,
                            span,
                            format!("the value of `{key}` cannot be expanded"),
                        )
                        .help("of make's variables only `$(NAME)` of other settings is understood"),
                    );
                    self.values.remove(&key)
                }
            };
        }
    }

    fn expanded(&self, text: &str, depth: usize) -> Option<String> {
        const DEPTH: usize = 8;
        const LENGTH: usize = 1 << 16;
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let (name, after) = reference(after)?;
            match name {
                "$" => out.push('$'),
                _ if depth == DEPTH => return None,
                name => {
                    let value = self.values.get(name).map_or("", |it| it.text.as_str());
                    out.push_str(&self.expanded(value, depth + 1)?);
                }
            }
            if out.len() > LENGTH {
                return None;
            }
            rest = after;
        }
        out.push_str(rest);
        Some(out.trim().to_owned())
    }
}

/// The name after a `$` and what follows it; `$` for itself.
fn reference(after: &str) -> Option<(&str, &str)> {
    if let Some(rest) = after.strip_prefix('$') {
        return Some(("$", rest));
    }
    let close = match after.chars().next()? {
        '(' => ')',
        '{' => '}',
        _ => return None,
    };
    let (name, rest) = after.get(1..)?.split_once(close)?;
    is_name(name).then_some((name, rest))
}

fn is_name(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|it| it.is_ascii_alphabetic() || it == b'_');
    first && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

/// Lines with those that end in `\` joined to the next, each with its offset. A joined line keeps its length.
fn logical_lines(bytes: &[u8]) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut offset = 0;
    let mut joined = false;
    for line in bytes.split_inclusive(|&it| it == b'\n') {
        let text = latin(line);
        match lines.last_mut() {
            Some((_, last)) if joined => last.push_str(&text),
            _ => lines.push((offset, text)),
        }
        joined = false;
        if let Some((_, last)) = lines.last_mut() {
            let body = last.trim_end_matches(['\n', '\r']).len();
            joined = last[..body].ends_with('\\');
            let keep = if joined { body - 1 } else { body };
            let blanks = last.len() - keep;
            last.truncate(keep);
            last.extend(std::iter::repeat_n(' ', blanks));
        }
        offset += line.len();
    }
    lines
}

/// Text of the same length as `bytes`, in which offsets stay: bytes beyond ASCII only occur in comments.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|&it| if it.is_ascii() { char::from(it) } else { '?' }).collect()
}

struct Assignment<'a> {
    name: &'a str,
    name_at: usize,
    value: &'a str,
    value_at: usize,
    how: Assign,
    forced: bool,
}

enum Line<'a> {
    Empty,
    Assignment(Assignment<'a>),
    Unknown,
}

fn parse_line(line: &str) -> Line<'_> {
    let line = line.split('#').next().unwrap_or_default();
    if line.trim().is_empty() {
        return Line::Empty;
    }
    let Some((left, right)) = line.split_once('=') else { return Line::Unknown };
    let (left, how) = match left.as_bytes() {
        [.., b'?'] => (&left[..left.len() - 1], Assign::SetIfUnset),
        [.., b'+'] => (&left[..left.len() - 1], Assign::Append),
        _ => (left.trim_end_matches(':'), Assign::Set),
    };
    let mut words = left.split_whitespace().peekable();
    let forced = words.next_if_eq(&"override").is_some();
    let exported = words.next_if_eq(&"export").is_some();
    let (Some(name), None) = (words.next(), words.next()) else { return Line::Unknown };
    let _ = exported; // what programs see in their environment is nothing to a build
    if !is_name(name) {
        return Line::Unknown;
    }
    let value = right.trim();
    let value_at = line.len() - right.trim_start().len();
    let name_at = left.rfind(name).unwrap_or(0);
    Line::Assignment(Assignment { name, name_at, value, value_at, how, forced })
}

fn leading_blanks(line: &str) -> u32 {
    small(line.len() - line.trim_start().len())
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn with_near<'a>(
    it: Diagnostic,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match did_you_mean(name, known) {
        Some(help) => it.help(help),
        None => it,
    }
}

/// Reads values one by one.
struct Reader<'a> {
    raw: &'a Raw,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    /// The value, unless it is unset or empty.
    fn value(&self, key: &str) -> Option<&Value> {
        self.raw.values.get(key).filter(|it| !it.text.is_empty())
    }

    fn words(&self, key: &str) -> Vec<String> {
        let value = self.value(key);
        value.into_iter().flat_map(|it| it.text.split_whitespace()).map(str::to_owned).collect()
    }

    fn bad(&mut self, span: Span, message: String) -> &mut Diagnostic {
        let at = self.diagnostics.len();
        self.diagnostics.push(Diagnostic::error(Code::BadSetting, span, message));
        &mut self.diagnostics[at]
    }

    fn choice<T: Copy>(&mut self, key: &str, all: &[(&'static str, T)], default: T) -> T {
        let Some(value) = self.value(key).cloned() else { return default };
        if let Some(found) = all.iter().find(|it| it.0 == value.text) {
            return found.1;
        }
        let names: Vec<&str> = all.iter().map(|it| it.0).collect();
        let near = did_you_mean(&value.text, names.iter().copied());
        let help = near.unwrap_or_else(|| format!("it is one of {}", names.join(", ")));
        let message = format!("`{key}` cannot be `{}`", value.text);
        self.bad(value.span, message).help.push(help);
        default
    }

    /// Only `y` is yes to the Makefile; what else it takes for no without a word may well mean yes.
    fn switch(&mut self, key: &str) -> bool {
        let Some(value) = self.value(key).cloned() else { return false };
        match value.text.as_str() {
            "y" => true,
            "n" => false,
            other => {
                let message = format!("`{key}` is `y` or `n`, not `{other}`");
                self.bad(value.span, message);
                false
            }
        }
    }

    fn word(&mut self, key: &str) -> Option<String> {
        let value = self.value(key)?.clone();
        let bad = |it: char| it.is_whitespace() || it == '/' || it == '\0';
        if value.text.contains(bad) || value.text.starts_with('.') {
            let message = format!("`{key}` is the name of a folder, not `{}`", value.text);
            self.bad(value.span, message);
            return None;
        }
        Some(value.text)
    }

    fn path(&mut self, key: &str) -> Option<String> {
        let value = self.value(key)?;
        let trimmed = value.text.trim_end_matches('/');
        Some(if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() })
    }

    fn distro(&mut self) -> String {
        let Some(value) = self.value("DISTRO").cloned() else { return String::new() };
        if !is_macro(&value.text) {
            let message = format!("`DISTRO` is one word, not `{}`", value.text);
            self.bad(value.span, message);
            return String::new();
        }
        if let Some(help) = (!DISTROS.contains(&value.text.as_str()))
            .then(|| did_you_mean(&value.text, DISTROS))
            .flatten()
        {
            let message = format!("Reference Policy knows no distribution `{}`", value.text);
            let it = Diagnostic::warning(Code::BadSetting, value.span, message);
            self.diagnostics.push(it.help(help));
        }
        value.text
    }

    fn macros(&mut self, key: &str) -> Vec<String> {
        let (good, bad): (Vec<_>, Vec<_>) = self.words(key).into_iter().partition(|it| is_name(it));
        let span = self.value(key).map_or(Span::NOWHERE, |it| it.span);
        for word in bad {
            self.bad(span, format!("`{key}` lists names of macros, and `{word}` is none"));
        }
        good
    }

    fn count(&mut self, key: &str, default: u32) -> u32 {
        const MOST: u32 = 65_535;
        let Some(value) = self.value(key).cloned() else { return default };
        match value.text.parse::<u32>() {
            Ok(count) if (1..=MOST).contains(&count) => count,
            _ => {
                let message = format!("`{key}` is a number from 1 to {MOST}, not `{}`", value.text);
                self.bad(value.span, message);
                default
            }
        }
    }

    fn version(&mut self, key: &str) -> Option<PolicyVersion> {
        let value = self.value(key)?.clone();
        let version = value.text.parse().ok().and_then(PolicyVersion::new);
        if version.is_none() {
            let (low, high) = (PolicyVersion::MIN, PolicyVersion::MAX);
            let message = format!("`{key}` is from {low} to {high}, not `{}`", value.text);
            self.bad(value.span, message);
        }
        version
    }

    /// A module has one setting.
    fn check_apps(&mut self, apps: &Apps) {
        let lists =
            [("APPS_BASE", &apps.base), ("APPS_MODS", &apps.modules), ("APPS_OFF", &apps.off)];
        for (at, (key, list)) in lists.iter().enumerate() {
            for (other, earlier) in &lists[..at] {
                for name in list.iter().filter(|it| earlier.contains(it)) {
                    let span = self.value(key).map_or(Span::NOWHERE, |it| it.span);
                    self.bad(span, format!("module `{name}` is in `{other}` and in `{key}`"));
                }
            }
        }
    }
}

/// May `distro_` be put before it?
fn is_macro(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::{Expect, expect};
    use mandate_syntax::source::SourceMap;

    use super::*;

    fn read(text: &str, overrides: &[(&str, &str)]) -> (Settings, String) {
        let mut map = SourceMap::new();
        let id = map.add("build.conf", text.as_bytes()).expect("is small");
        let overrides: Vec<_> =
            overrides.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        let (settings, diagnostics) = Settings::read(&[map.file(id)], &overrides);
        let mut told = String::new();
        for it in diagnostics {
            let at = map.location(it.span.pos).map(|at| format!("{}:{}", at.line, at.column));
            let at = at.unwrap_or_else(|| "-".to_owned());
            let _ = writeln!(told, "{at} {:?}: {} {:?}", it.severity, it.message, it.help);
        }
        (settings, told)
    }

    fn check(text: &str, overrides: &[(&str, &str)], expected: &Expect) {
        let (settings, told) = read(text, overrides);
        let defines: Vec<String> =
            settings.defines().iter().map(|(name, value)| format!("{name}={value}")).collect();
        expected.assert_eq(&format!("{} {}\n{told}", settings.name, defines.join(" ")));
    }

    #[test]
    fn the_makefile_has_defaults() {
        check(
            "",
            &[],
            &expect![[r#"
            standard mls_num_sens=16 mls_num_cats=1024 mcs_num_cats=1024
        "#]],
        );
    }

    #[test]
    fn build_conf_is_read_as_make_reads_it() {
        let text = "# comment\nTYPE = mcs # a comment\n  NAME:=x\nNAME ?= late\nDISTRO=ubuntu\r\nUBAC = y\n\
                    CUSTOM_BUILDOPT = a \\\n b\nCUSTOM_BUILDOPT += c\nMCS_CATS=$(MLS_CATS)\nMLS_CATS = 12\n";
        check(
            text,
            &[],
            &expect![[r#"
            x enable_mcs=true distro_ubuntu=true distro_debian=true a=true b=true c=true enable_ubac=true mls_num_sens=16 mls_num_cats=12 mcs_num_cats=12
        "#]],
        );
    }

    #[test]
    fn the_command_line_beats_all_but_override() {
        let text = "TYPE = mcs\noverride MLS_SENS := 3\nSYSTEMD = y\nDISTRO = debian\n";
        let set = [("TYPE", "mls"), ("MLS_SENS", "4"), ("SYSTEMD", "n"), ("WERROR", "y")];
        check(
            text,
            &set,
            &expect![[r#"
            mls enable_mls=true distro_debian=true m4_werror=true mls_num_sens=3 mls_num_cats=1024 mcs_num_cats=1024 use_alsa=
        "#]],
        );
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        let text = "TYPE = msc\nUBAC = yes\n UNKPERMS = deny\nUNK_PERMS = dney\nDISTRO = debain\nMLS_CATS = 0\n\
                    NAME = a/b\nifdef X\nOUTPUT_POLICY = 99\nAPPS_BASE = a b\nAPPS_OFF = c b\nMLS_SENS = $(shell x)\n";
        check(
            text,
            &[("SYSTEM", "y"), ("DESTDIR", "/")],
            &expect![[r#"
                standard distro_debain=true mls_num_sens=16 mls_num_cats=1024 mcs_num_cats=1024
                - Error: there is no setting `SYSTEM` ["did you mean `SYSTEMD`?"]
                - Warning: `DESTDIR` has no effect here []
                1:8 Error: `TYPE` cannot be `msc` ["did you mean `mcs` or `mls`?"]
                2:8 Error: `UBAC` is `y` or `n`, not `yes` []
                3:2 Warning: nothing reads the setting `UNKPERMS` ["did you mean `UNK_PERMS`?"]
                4:13 Error: `UNK_PERMS` cannot be `dney` ["did you mean `deny`?"]
                5:10 Warning: Reference Policy knows no distribution `debain` ["did you mean `debian`?"]
                6:12 Error: `MLS_CATS` is a number from 1 to 65535, not `0` []
                7:8 Error: `NAME` is the name of a folder, not `a/b` []
                8:1 Warning: this line of build.conf is not understood and has no effect ["write `NAME = value`"]
                9:17 Error: `OUTPUT_POLICY` is from 15 to 35, not `99` []
                11:12 Error: module `b` is in `APPS_BASE` and in `APPS_OFF` []
                12:12 Error: the value of `MLS_SENS` cannot be expanded ["of make's variables only `$(NAME)` of other settings is understood"]
            "#]],
        );
    }
}
