//! Which modules there are and which are built: the layers of a source tree, `modules.conf` and `booleans.conf`.

use std::collections::{BTreeMap, BTreeSet};

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::source::{SourceFile, Span};
use rustc_hash::FxHashMap;

use crate::near::did_you_mean;
use crate::outcome::SourceTree;
use crate::refpolicy::settings::Apps;

/// A module's files. They may stand in different layers, as make looks for each of them in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleSource {
    /// The rules.
    pub te: Option<ModuleFile>,
    /// The interfaces.
    pub interfaces: Option<ModuleFile>,
    /// The file contexts.
    pub file_contexts: Option<ModuleFile>,
}

/// One file of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleFile {
    /// Its path in the tree, without `.in`.
    pub path: String,
    /// Is it made from the file with `.in` after its path?
    pub generated: bool,
}

/// The modules of a source tree, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleTree {
    /// Names and files.
    pub modules: BTreeMap<String, ModuleSource>,
}

impl ModuleTree {
    /// Finds the modules below `policy/modules` of each of `roots`: `""`, and the path of LOCAL_ROOT if that is set. A
    /// root's files have its path before theirs in `tree`.
    pub fn find(tree: &SourceTree, roots: &[&str]) -> (Self, Vec<Diagnostic>) {
        let mut found = Self::default();
        let mut diagnostics = Vec::new();
        for root in roots {
            let root = root.trim_end_matches('/');
            let separator = if root.is_empty() { "" } else { "/" };
            let folder = format!("{root}{separator}policy/modules/");
            let below = tree.range(folder.clone()..).map(|it| it.0.as_str());
            for path in below.take_while(|it| it.starts_with(&folder)) {
                if let Some(file) = LayerFile::parse(path, &folder) {
                    found.add(&file, &mut diagnostics);
                }
            }
        }
        (found, diagnostics)
    }

    fn add(&mut self, file: &LayerFile<'_>, diagnostics: &mut Vec<Diagnostic>) {
        let module = self.modules.entry(file.name.to_owned()).or_default();
        let slot = match file.kind {
            Kind::Te => &mut module.te,
            Kind::Interfaces => &mut module.interfaces,
            Kind::FileContexts => &mut module.file_contexts,
        };
        match slot {
            None => {
                *slot = Some(ModuleFile { path: file.path.to_owned(), generated: file.generated });
            }
            Some(known) if known.path == file.path => known.generated |= file.generated,
            Some(known) => {
                let message = format!("module `{}` is there twice", file.name);
                let what = format!("its files are `{}` and `{}`", known.path, file.path);
                let it = Diagnostic::error(Code::DuplicateModule, Span::NOWHERE, message);
                diagnostics.push(it.note(what).help("rename one of them"));
            }
        }
    }

    /// Names with rules to build, in the order make finds them: by path.
    fn by_path(&self) -> Vec<&str> {
        let mut found: Vec<(&str, &str)> = self
            .modules
            .iter()
            .filter_map(|(name, it)| Some((it.te.as_ref()?.path.as_str(), name.as_str())))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|it| it.1).collect()
    }

    fn has_rules(&self, name: &str) -> bool {
        self.modules.get(name).is_some_and(|it| it.te.is_some())
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Te,
    Interfaces,
    FileContexts,
}

/// A path of the form `…/policy/modules/LAYER/NAME.KIND`.
struct LayerFile<'a> {
    name: &'a str,
    path: &'a str,
    kind: Kind,
    generated: bool,
}

impl<'a> LayerFile<'a> {
    fn parse(whole: &'a str, folder: &str) -> Option<Self> {
        let (path, generated) = match whole.strip_suffix(".in") {
            Some(path) => (path, true),
            None => (whole, false),
        };
        let (_, file) = path.strip_prefix(folder)?.split_once('/')?;
        let (name, ending) = file.rsplit_once('.')?;
        let kind = match ending {
            "te" => Kind::Te,
            "if" => Kind::Interfaces,
            "fc" => Kind::FileContexts,
            _ => return None,
        };
        (!name.is_empty() && !name.contains('/')).then_some(Self { name, path, kind, generated })
    }
}

/// The modules of a build, in the order in which they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleList {
    /// Part of the base module.
    pub base: Vec<String>,
    /// Modules of their own.
    pub modules: Vec<String>,
    /// Not built; their interfaces can be called all the same.
    pub off: Vec<String>,
}

impl ModuleList {
    /// Which of `found` are built. Without `modules.conf` it is as `make conf` would write it: modules that say they are
    /// required are base, all others modules.
    pub fn read(
        conf: Option<&SourceFile>,
        apps: &Apps,
        found: &ModuleTree,
        tree: &SourceTree,
    ) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let set = match conf {
            Some(file) => Lines::read(file, found, &mut diagnostics),
            None => Lines::of_tree(found, tree, &mut diagnostics),
        };
        let list = Self::of(&set, apps, found, &mut diagnostics);
        if list.base.is_empty() && list.modules.is_empty() {
            let span = conf.map_or(Span::NOWHERE, |it| Span { pos: it.start(), ..Span::NOWHERE });
            let it = Diagnostic::error(Code::BadModuleList, span, "no module is built");
            diagnostics.push(it.help("set modules to `base` or `module` in modules.conf"));
        }
        (list, diagnostics)
    }

    /// The modules whose rules and file contexts are built.
    pub fn built(&self) -> impl Iterator<Item = &str> {
        self.base.iter().chain(&self.modules).map(String::as_str)
    }

    /// The modules whose interfaces are read: all.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.built().chain(self.off.iter().map(String::as_str))
    }

    fn of(set: &Lines, apps: &Apps, found: &ModuleTree, told: &mut Vec<Diagnostic>) -> Self {
        let mut pick = Picker { found, taken: BTreeSet::new(), told };
        let on_line: BTreeSet<&str> = [&apps.base, &apps.modules, &apps.off]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let of_conf = |setting| set.sorted(setting).filter(|it| !on_line.contains(it.0));
        let mut list = Self::default();
        pick.named(&mut list.base, &apps.base);
        pick.lines(&mut list.base, of_conf(Setting::Base));
        pick.named(&mut list.modules, &apps.modules);
        pick.lines(&mut list.modules, of_conf(Setting::Module));
        pick.without_rules(&mut list.off, apps.off.iter().map(String::as_str));
        pick.without_rules(&mut list.off, of_conf(Setting::Off).map(|it| it.0));
        pick.without_rules(&mut list.off, found.by_path().into_iter());
        // interfaces that stand for a module built elsewhere
        pick.without_rules(&mut list.off, found.modules.keys().map(String::as_str));
        list
    }
}

/// Puts each module into the first list that claims it, as make drops later ones of equal prerequisites.
struct Picker<'a> {
    found: &'a ModuleTree,
    taken: BTreeSet<String>,
    told: &'a mut Vec<Diagnostic>,
}

impl Picker<'_> {
    fn named(&mut self, list: &mut Vec<String>, names: &[String]) {
        self.lines(list, names.iter().map(|it| (it.as_str(), Span::NOWHERE)));
    }

    fn lines<'a>(&mut self, list: &mut Vec<String>, lines: impl Iterator<Item = (&'a str, Span)>) {
        for (name, span) in lines {
            if self.found.has_rules(name) {
                self.take(list, name);
            } else {
                self.unknown(name, span);
            }
        }
    }

    /// What is off need not exist; only what there is has interfaces to read.
    fn without_rules<'a>(&mut self, list: &mut Vec<String>, names: impl Iterator<Item = &'a str>) {
        for name in names.filter(|it| self.found.modules.contains_key(*it)) {
            self.take(list, name);
        }
    }

    fn take(&mut self, list: &mut Vec<String>, name: &str) {
        if self.taken.insert(name.to_owned()) {
            list.push(name.to_owned());
        }
    }

    fn unknown(&mut self, name: &str, span: Span) {
        let message = format!("there are no sources of module `{name}`, so it is left out");
        let mut it = Diagnostic::warning(Code::UnknownModule, span, message);
        it.help.extend(did_you_mean(name, self.found.modules.keys().map(String::as_str)));
        self.told.push(it);
    }
}

/// What a line of modules.conf says of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Part of the base module.
    Base,
    /// A module of its own.
    Module,
    /// Not built.
    Off,
}

impl Setting {
    const NAMES: [(&'static str, Self); 3] =
        [("base", Self::Base), ("module", Self::Module), ("off", Self::Off)];

    fn parse(text: &str) -> Option<Self> {
        Self::NAMES.iter().find(|it| it.0 == text).map(|it| it.1)
    }
}

/// The lines of modules.conf.
#[derive(Default)]
struct Lines(Vec<(String, Setting, Span)>);

impl Lines {
    /// The names set so, sorted by bytes as make sorts them, each once.
    fn sorted(&self, setting: Setting) -> impl Iterator<Item = (&str, Span)> {
        let chosen = self.0.iter().filter(move |it| it.1 == setting);
        let mut names: Vec<(&str, Span)> = chosen.map(|it| (it.0.as_str(), it.2)).collect();
        names.sort();
        names.dedup_by_key(|it| it.0);
        names.into_iter()
    }

    fn read(file: &SourceFile, found: &ModuleTree, told: &mut Vec<Diagnostic>) -> Self {
        let mut lines = Self::default();
        let mut seen: FxHashMap<String, (Setting, Span)> = FxHashMap::default();
        for (line, at) in text_lines(file) {
            let Some((name, setting)) = module_line(&line, at, found, told) else { continue };
            match seen.get(&name) {
                Some(&(earlier, place)) if earlier != setting => {
                    let message = format!("module `{name}` is set twice and differently");
                    let it = Diagnostic::warning(Code::BadModuleList, at, message);
                    let it = it.and(place, "first here");
                    told.push(it.note("base wins over module, and module over off"));
                }
                _ => drop(seen.insert(name.clone(), (setting, at))),
            }
            lines.0.push((name, setting, at));
        }
        lines
    }

    /// What `make conf` would write.
    fn of_tree(found: &ModuleTree, tree: &SourceTree, told: &mut Vec<Diagnostic>) -> Self {
        let message = "there is no policy/modules.conf: every module is built";
        told.push(Diagnostic {
            severity: Severity::Note,
            ..Diagnostic::warning(Code::BadModuleList, Span::NOWHERE, message)
        });
        let setting = |module: &ModuleSource| {
            let required = module.interfaces.as_ref().is_some_and(|it| says_required(it, tree));
            if required { Setting::Base } else { Setting::Module }
        };
        let with_rules = found.modules.iter().filter(|it| it.1.te.is_some());
        Self(with_rules.map(|(name, it)| (name.clone(), setting(it), Span::NOWHERE)).collect())
    }
}

/// Does the module's documentation say that no policy goes without it?
fn says_required(interfaces: &ModuleFile, tree: &SourceTree) -> bool {
    let made_from = format!("{}.in", interfaces.path);
    let path = if interfaces.generated { &made_from } else { &interfaces.path };
    let Some(bytes) = tree.get(path) else { return false };
    bytes.split(|&it| it == b'\n').filter_map(|it| std::str::from_utf8(it).ok()).any(|line| {
        line.strip_prefix("##")
            .is_some_and(|it| it.trim_start().starts_with("<required val=\"true\""))
    })
}

/// Lines without their ends, with the place of their first byte that is no blank.
fn text_lines(file: &SourceFile) -> impl Iterator<Item = (String, Span)> {
    let mut offset = 0;
    file.bytes.split_inclusive(|&it| it == b'\n').map(move |line| {
        let blanks = line.iter().take_while(|it| matches!(it, b' ' | b'\t')).count();
        let span = Span { pos: file.pos(offset + blanks), ..Span::NOWHERE };
        offset += line.len();
        (String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned(), span)
    })
}

/// Reads `name = setting`. To the Makefile a line counts if it begins with a letter and its third word is a setting; all
/// others are skipped in silence, and with them the module.
fn module_line(
    line: &str,
    at: Span,
    found: &ModuleTree,
    told: &mut Vec<Diagnostic>,
) -> Option<(String, Setting)> {
    let body = line.trim_start_matches([' ', '\t']);
    if body.trim().is_empty() || body.starts_with('#') {
        return None;
    }
    let words: Vec<&str> = body.split_whitespace().collect();
    if let (true, Some(setting)) = (
        body.starts_with(|it: char| it.is_ascii_alphabetic()),
        words.get(2).and_then(|it| Setting::parse(it)),
    ) {
        warn_of_extra(&words, at, told);
        return Some(((*words.first()?).to_owned(), setting));
    }
    told.push(why_malformed(body, &words, at, found));
    None
}

/// Says what else is on a line that counts.
fn warn_of_extra(words: &[&str], at: Span, told: &mut Vec<Diagnostic>) {
    let sign = words.get(1).filter(|it| **it != "=");
    let rest = words.get(3).filter(|it| !it.starts_with('#'));
    if let Some(word) = sign.or(rest) {
        let message = format!("`{word}` has no meaning here");
        let it = Diagnostic::warning(Code::BadModuleList, at, message);
        told.push(it.help("write `name = base`, `name = module` or `name = off`"));
    }
}

fn why_malformed(body: &str, words: &[&str], at: Span, found: &ModuleTree) -> Diagnostic {
    let error = |message: String| Diagnostic::error(Code::BadModuleList, at, message);
    if let &[name, "=", value, ..] = words {
        if !name.starts_with(|it: char| it.is_ascii_alphabetic()) {
            return error(format!("a module's name begins with a letter, not as `{name}`"));
        }
        let names = Setting::NAMES.map(|it| it.0);
        let help = did_you_mean(value, names)
            .unwrap_or_else(|| "a module is `base`, `module` or `off`".to_owned());
        let message = format!("module `{name}` cannot be `{value}`, so it is left out");
        return Diagnostic::warning(Code::BadModuleList, at, message).help(help);
    }
    let sides = body.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
    if let Some((name, value)) =
        sides.filter(|it| !it.0.is_empty() && Setting::parse(it.1).is_some())
    {
        let it = error(format!("the setting of `{name}` is not understood without blanks"));
        return it.help(format!("write `{name} = {value}`"));
    }
    let it = error("this line of modules.conf is not understood".to_owned());
    match words.first().filter(|it| found.modules.contains_key(**it)) {
        Some(name) => it.help(format!("write `{name} = module`")),
        None => it.help("write `name = base`, `name = module` or `name = off`"),
    }
}

/// A line of booleans.conf: the value of a boolean instead of the source's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BooleanSetting {
    /// The boolean.
    pub name: String,
    /// `true` or `false`.
    pub value: String,
    /// The line.
    pub span: Span,
}

impl BooleanSetting {
    /// The macro in which the source looks the value up.
    pub fn define(&self) -> (String, String) {
        (format!("{}_conf", self.name), self.value.clone())
    }
}

/// Reads booleans.conf. Lines count that begin with a letter; blanks do not.
pub fn read_booleans(file: &SourceFile) -> (Vec<BooleanSetting>, Vec<Diagnostic>) {
    let mut settings = Vec::new();
    let mut diagnostics = Vec::new();
    for (line, span) in text_lines(file) {
        let body: String = line.chars().filter(|it| !matches!(it, ' ' | '\t')).collect();
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        match boolean_line(&body) {
            Ok((name, value)) => {
                settings.push(BooleanSetting {
                    name: name.to_owned(),
                    value: value.to_owned(),
                    span,
                });
            }
            Err(message) => {
                let it = Diagnostic::error(Code::BadSetting, span, message);
                diagnostics.push(it.help("write `name = true` or `name = false`"));
            }
        }
    }
    (settings, diagnostics)
}

fn boolean_line(body: &str) -> Result<(&str, &str), String> {
    let body = body.split('#').next().unwrap_or_default();
    let Some((name, value)) = body.split_once('=') else {
        return Err("this line of booleans.conf is not understood".to_owned());
    };
    let letter = name.starts_with(|it: char| it.is_ascii_alphabetic());
    if !letter || !name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_') {
        return Err(format!("`{name}` is no name of a boolean"));
    }
    match value {
        "true" | "false" => Ok((name, value)),
        other => Err(format!("boolean `{name}` is `true` or `false`, not `{other}`")),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::sync::Arc;

    use expect_test::{Expect, expect};
    use mandate_syntax::source::SourceMap;

    use super::*;

    fn tree(paths: &[&str]) -> SourceTree {
        paths
            .iter()
            .map(|it| ((*it).to_owned(), Arc::from(&b"## <required val=\"true\">\n"[..])))
            .collect()
    }

    fn tell(map: &SourceMap, diagnostics: &[Diagnostic]) -> String {
        let mut told = String::new();
        for it in diagnostics {
            let at = map.location(it.span.pos).map(|at| format!("{}:{}", at.line, at.column));
            let at = at.unwrap_or_else(|| "-".to_owned());
            let _ = writeln!(
                told,
                "{at} {} {} {:?}{:?}",
                it.code.as_str(),
                it.message,
                it.notes,
                it.help
            );
        }
        told
    }

    fn check(paths: &[&str], conf: Option<&str>, apps: &Apps, expected: &Expect) {
        let tree = tree(paths);
        let (found, mut told) = ModuleTree::find(&tree, &["", "local/"]);
        let mut map = SourceMap::new();
        let id = conf.map(|it| map.add("modules.conf", it.as_bytes()).expect("is small"));
        let (list, more) = ModuleList::read(id.map(|it| map.file(it)), apps, &found, &tree);
        told.extend(more);
        let lists = format!("{:?}\n{:?}\n{:?}\n", list.base, list.modules, list.off);
        expected.assert_eq(&(lists + &tell(&map, &told)));
    }

    const PATHS: [&str; 9] = [
        "local/policy/modules/own/zed.te",
        "policy/modules/admin/b.te",
        "policy/modules/admin/b.if",
        "policy/modules/admin/metadata.xml",
        "policy/modules/kernel/a.te.in",
        "policy/modules/kernel/a.if",
        "policy/modules/kernel/deep/er.te",
        "policy/modules/services/c.te",
        "policy/modules/services/only.if",
    ];

    #[test]
    fn modules_are_sorted_by_name_and_the_rest_is_off() {
        let conf = "# a = off\n\nb = module\n  a = base # why not\nonly = off\n";
        check(
            &PATHS,
            Some(conf),
            &Apps::default(),
            &expect![[r#"
            ["a"]
            ["b"]
            ["only", "zed", "c"]
        "#]],
        );
    }

    #[test]
    fn the_command_line_beats_modules_conf() {
        let apps = Apps { base: vec!["zed".into()], off: vec!["b".into()], ..Apps::default() };
        check(
            &PATHS,
            Some("b = module\na = base\n"),
            &apps,
            &expect![[r#"
                ["zed", "a"]
                []
                ["b", "c", "only"]
            "#]],
        );
    }

    #[test]
    fn without_modules_conf_all_is_built() {
        check(
            &PATHS,
            None,
            &Apps::default(),
            &expect![[r#"
                ["a", "b"]
                ["c", "zed"]
                ["only"]
                - E0505 there is no policy/modules.conf: every module is built [][]
            "#]],
        );
    }

    #[test]
    fn malformed_lines_are_told() {
        let conf =
            "b=module\na = bse\nc\n_x = base\nbb = module\na : base\nc = base x\na = off\n= base\n";
        check(
            &PATHS,
            Some(conf),
            &Apps::default(),
            &expect![[r#"
                ["a", "c"]
                []
                ["zed", "b", "only"]
                1:1 E0505 the setting of `b` is not understood without blanks []["write `b = module`"]
                2:1 E0505 module `a` cannot be `bse`, so it is left out []["did you mean `base`?"]
                3:1 E0505 this line of modules.conf is not understood []["write `c = module`"]
                4:1 E0505 a module's name begins with a letter, not as `_x` [][]
                6:1 E0505 `:` has no meaning here []["write `name = base`, `name = module` or `name = off`"]
                7:1 E0505 `x` has no meaning here []["write `name = base`, `name = module` or `name = off`"]
                8:1 E0505 module `a` is set twice and differently ["base wins over module, and module over off"][]
                9:1 E0505 this line of modules.conf is not understood []["write `name = base`, `name = module` or `name = off`"]
                5:1 W0006 there are no sources of module `bb`, so it is left out []["did you mean `b`?"]
            "#]],
        );
    }

    #[test]
    fn one_name_is_one_module() {
        let paths = [
            "local/policy/modules/own/a.te",
            "policy/modules/kernel/a.te",
            "policy/modules/x/b.te.in",
            "policy/modules/x/b.te",
        ];
        check(
            &paths,
            Some("a = base"),
            &Apps::default(),
            &expect![[r#"
            ["a"]
            []
            ["b"]
            - E0507 module `a` is there twice ["its files are `policy/modules/kernel/a.te` and `local/policy/modules/own/a.te`"]["rename one of them"]
        "#]],
        );
        check(
            &[],
            Some(""),
            &Apps::default(),
            &expect![[r#"
            []
            []
            []
            1:1 E0505 no module is built []["set modules to `base` or `module` in modules.conf"]
        "#]],
        );
    }

    #[test]
    fn booleans_are_read() {
        let mut map = SourceMap::new();
        let text = "# c\n\n a_b = true\nc=false # d\ne = maybe\nf\n1x = true\n";
        let id = map.add("booleans.conf", text.as_bytes()).expect("is small");
        let (settings, told) = read_booleans(map.file(id));
        let shown: Vec<_> = settings.iter().map(BooleanSetting::define).collect();
        expect![[r#"
            [("a_b_conf", "true"), ("c_conf", "false")]
            5:1 E0504 boolean `e` is `true` or `false`, not `maybe` []["write `name = true` or `name = false`"]
            6:1 E0504 this line of booleans.conf is not understood []["write `name = true` or `name = false`"]
            7:1 E0504 `1x` is no name of a boolean []["write `name = true` or `name = false`"]
        "#]].assert_eq(&format!("{shown:?}\n{}", tell(&map, &told)));
    }
}
