//! What damaged context files are given to, and the real files that the damage is done to.

use std::hint::black_box;

use anyhow::{Context, Result};
use mandate_label::default_contexts::{DefaultContexts, Login};
use mandate_label::failsafe::Failsafe;
use mandate_label::file_contexts::{Answer, FileContexts, Lookup, Source, Substitutions};
use mandate_label::homedirs::{Account, Group, Inputs, PolicyUser, Settings, homedirs};
use mandate_label::media::Media;
use mandate_label::sepgsql::{self, SepgsqlContexts};
use mandate_label::setrans::Setrans;
use mandate_label::seusers::{ServiceSeusers, Seusers};
use mandate_label::x::{self, XContexts};
use mandate_label::{FileType, LineErrorKind};

use crate::compile::fuzz::readers::Format;
use crate::compile::original::Original;
use crate::compile::setting::Setting;
use crate::place::Place;

/// Lines of file contexts that are damaged together.
const LINES: usize = 40;
/// One mutant in so many is looked at for lines that cannot win, which takes longer than all else.
const LINTED: usize = 16;

/// No Debian package has such a file: one with every kind of line.
const SETRANS: &str = "# ranges\ns0=SystemLow\ns15:c0.c1023=SystemHigh # all\ns0-s15:c0.c1023=SystemLow-SystemHigh\n\
    Domain=levels\nBase=bases\ns1:c5=CONFIDENTIAL\ns2=SECRET\nc20!c21\nc22>c23,c24\ns2!c30\n\
    ModifierGroup=pipes\nPrefix=VIA\nSuffix=PIPES ONLY\nWhitespace=, /\nJoin=,\nDefault=c100.c109\n\
    c10=IRON\nc10,c11=METAL\n~c101=FRA\nInclude=more/*.conf\n";

/// Patterns that take long or much of a careless reader; as many of these as a third of the real ones are damaged.
const BOMBS: [&str; 16] = [
    "/(a*)*b",
    "/((a{1,100}){1,100}){1,20}",
    "/(?=(a+)+$)(a|aa)+b",
    "/(.*)(.*)(.*)(.*)(.*)\\1\\2\\3",
    "/(?>a*)*(?<=a{0,255})b",
    "/[[:alpha:]]{65535}",
    "/((((((((((a?){9}){9}){9})))))))",
    "/(a|b|ab)*(?!c)(a|b|ab)*(?!c)(a|b|ab)*",
    "/(.?){200}(?=x)",
    "/(?:(?:(?:a*+)*+)*+)*+b",
    "/(a?){60}a{60}(?!b)",
    "/(?<!(a|bb){1,60})(.|..)*",
    "/.*.*.*.*.*.*.*.*.*.*(?=a)b",
    "/((a)|(b)|(c)){200}\\2",
    "/(?:.{0,200}){0,40}x",
    "/([^/]{1,64}/){1,64}[^/]{1,64}",
];

/// Real files of a format, in parts small enough that 50,000 mutants are quickly read.
///
/// # Errors
/// When Debian's policy cannot be built.
pub fn corpus(place: &Place, format: Format) -> Result<Vec<Vec<u8>>> {
    let built = Original::build(place, Setting::DEBIAN)?;
    let read = |name: &str| {
        let path = built.file(name);
        std::fs::read(&path).with_context(|| format!("reading {}", path.display()))
    };
    let whole = |name: &str| Ok(vec![read(name)?]);
    match format {
        Format::FileContexts => Ok(parts(&read("file_contexts")?)),
        Format::FileContextsCache => {
            let parts = parts(&read("file_contexts")?);
            Ok(parts.iter().map(|it| compile(it, &Substitutions::default()).to_bytes()).collect())
        }
        Format::Pattern => {
            let text = read("file_contexts")?;
            let lines = text.split(|&it| it == b'\n').filter(|it| !it.is_empty());
            let first =
                |line: &[u8]| line.split(u8::is_ascii_whitespace).next().map(<[u8]>::to_vec);
            let bombs = BOMBS.iter().map(|it| it.as_bytes().to_vec());
            Ok(lines.filter_map(first).chain(bombs.cycle().take(2_000)).collect())
        }
        Format::Subs => whole("appconfig/files/file_contexts.subs_dist"),
        Format::Media => whole("appconfig/files/media"),
        Format::XContexts => whole("appconfig/x_contexts"),
        Format::Sepgsql => whole("appconfig/sepgsql_contexts"),
        Format::Seusers => whole("seusers"),
        Format::DefaultContexts => {
            let names = ["default_contexts", "users/staff_u", "users/root", "failsafe_context"];
            names.iter().map(|it| read(&format!("appconfig/{it}"))).collect()
        }
        Format::HomedirTemplate => whole("homedir_template"),
        _ => Ok(vec![SETRANS.into()]),
    }
}

fn parts(text: &[u8]) -> Vec<Vec<u8>> {
    let lines: Vec<&[u8]> = text.split_inclusive(|&it| it == b'\n').collect();
    lines.chunks(LINES).map(<[&[u8]]>::concat).collect()
}

fn compile(text: &[u8], subs: &Substitutions) -> FileContexts {
    let source = Source { name: "file_contexts", bytes: text };
    FileContexts::compile(&[source], [subs.clone(), Substitutions::default()]).0
}

/// Reads a mutant, the `number`th, and asks what was read; whether anything was refused.
pub fn read(format: Format, source: &[u8], number: usize) -> bool {
    match format {
        Format::FileContexts => file_contexts(source, number),
        Format::FileContextsCache => cache(source),
        Format::Pattern => pattern(source),
        Format::Subs => subs(source),
        Format::Media => {
            let (media, errors) = Media::parse(source);
            words(source).for_each(|it| ask(media.lookup(it)));
            !errors.is_empty()
        }
        Format::XContexts => {
            let (table, errors) = XContexts::parse(source);
            words(source).for_each(|it| ask(table.lookup(x::Kind::Property, it)));
            !errors.is_empty()
        }
        Format::Sepgsql => {
            let (table, errors) = SepgsqlContexts::parse(source);
            words(source).for_each(|it| ask(table.lookup(sepgsql::Kind::Table, it)));
            !errors.is_empty()
        }
        Format::Seusers => {
            let (table, errors) = Seusers::parse(source);
            words(source).for_each(|it| ask(table.lookup(it, |group| group == b"users")));
            let services = ServiceSeusers::parse(source).0;
            words(source).for_each(|it| ask(services.lookup(Some(it))));
            !errors.is_empty()
        }
        Format::DefaultContexts => default_contexts(source),
        Format::HomedirTemplate => homedir_template(source),
        _ => setrans(source),
    }
}

/// Names to ask about: some words of the text itself.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|it| !it.is_empty()).take(20)
}

/// Takes an answer, so that the question is not left out as useless.
fn ask<T>(answer: T) {
    black_box(answer);
}

const PATHS: [&[u8]; 8] = [
    b"",
    b"/",
    b"/usr/lib/x/y.so.1",
    b"/home/a/.ssh/b\n",
    b"//etc///passwd/",
    b"var/log",
    b"/dev/\xff\xfe",
    b"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// What a table says of some paths, by every way to ask.
fn answers(table: &FileContexts, text: &[u8]) -> Vec<Option<String>> {
    let mut lookup = Lookup::new(table);
    let mut all = Vec::new();
    for path in words(text).chain(PATHS) {
        for kind in [None, Some(FileType::Regular)] {
            all.push(lookup.path(path, kind).context().map(str::to_owned));
        }
        lookup.all(path, None);
        lookup.partial(path);
    }
    let mut directory = lookup.directory(b"/usr/lib");
    let answer = lookup.entry(&mut directory, b"name", Some(FileType::Regular));
    all.push(answer.context().map(str::to_owned));
    all
}

fn file_contexts(source: &[u8], number: usize) -> bool {
    let input = Source { name: "file_contexts", bytes: source };
    let (table, errors) = FileContexts::compile(&[input], <[Substitutions; 2]>::default());
    let said = answers(&table, source);
    let again = FileContexts::from_bytes(&table.to_bytes()).expect("what was written is read");
    assert_eq!(answers(&again, source), said, "a cache answers as what it was made of");
    if number.is_multiple_of(LINTED) {
        table.lint(|_| None);
    }
    !errors.is_empty()
}

fn cache(source: &[u8]) -> bool {
    let Some(table) = FileContexts::from_bytes(source) else { return true };
    answers(&table, b"/etc/passwd /usr/bin/x /var/run/y");
    table.lines().for_each(|line| drop(line.to_string()));
    false
}

fn pattern(source: &[u8]) -> bool {
    let line = [source, b" u:r:t"].concat();
    let input = Source { name: "file_contexts", bytes: &line };
    let (table, errors) = FileContexts::compile(&[input], <[Substitutions; 2]>::default());
    answers(&table, source);
    errors.iter().any(|it| matches!(it.error.kind, LineErrorKind::Pattern(_)))
}

fn subs(source: &[u8]) -> bool {
    let (subs, errors) = Substitutions::parse(source);
    words(source).chain(PATHS).for_each(|it| drop(subs.apply(it)));
    let table = compile(b"/usr/lib(/.*)? u:r:lib_t\n/home/.* u:r:home_t\n", &subs);
    let mut lookup = Lookup::new(&table);
    for path in words(source) {
        let mut directory = lookup.directory(path);
        let whole = [path, b"/name"].concat();
        let entry = answer(lookup.entry(&mut directory, b"name", None));
        assert_eq!(entry, answer(lookup.path(&whole, None)), "an entry is as its path");
    }
    !errors.is_empty()
}

fn answer(it: Answer<'_>) -> Option<String> {
    it.context().map(str::to_owned)
}

fn default_contexts(source: &[u8]) -> bool {
    let (table, errors) = DefaultContexts::parse(source);
    let (failsafe, _) = Failsafe::parse(source);
    let login = Login {
        user: b"staff_u",
        from: b"system_u:system_r:sshd_t:s0-s0:c0.c1023",
        own: Some(&table),
        system: Some(&table),
        failsafe: failsafe.as_ref(),
    };
    login.contexts(|it| !it.ends_with(b"3"));
    !errors.is_empty()
}

/// Files that are included once more include the same again.
fn setrans(source: &[u8]) -> bool {
    let mut left = 2;
    let (table, errors) = Setrans::parse(b"setrans.conf", source, &mut |_| {
        left -= 1;
        (left > 0).then(|| vec![((*b"more").into(), source.to_vec())])
    });
    let ranges: [&[u8]; 5] = [
        b"s0",
        b"s2:c10,c11,c100.c109",
        b"s0-s15:c0.c1023",
        b"SECRET VIA IRON",
        b"SECRET/METAL PIPES ONLY",
    ];
    for range in ranges.into_iter().chain(words(source)) {
        table.to_name(range);
        table.to_raw(range);
    }
    !errors.is_empty()
}

fn homedir_template(source: &[u8]) -> bool {
    let user = |name: &[u8]| PolicyUser {
        name: name.into(),
        roles: vec![(*b"staff_r").into()],
        prefix: (*b"staff").into(),
        level: Some((*b"s0").into()),
    };
    let seusers = Seusers::parse(b"a:staff_u:s0-s0:c1\n%users:user_u\n__default__:user_u:s0\n").0;
    let inputs = Inputs {
        template: source,
        seusers: &seusers,
        users: &[user(b"user_u"), user(b"staff_u")],
        mls: true,
        accounts: &Account::parse(b"a:x:1000:100::/home/a:/bin/sh\nb:x:1001:100::/srv/b:/bin/sh\n")
            .0,
        groups: &Group::parse(b"users:x:100:b\n").0,
        settings: Settings {
            useradd: b"",
            libuser: b"",
            login_defs: b"",
            shells: None,
            export_home: false,
            use_accounts: true,
            ignored: b"",
        },
        file_contexts: b"",
        is_valid: &|_| true,
        matches: &|_, _| false,
    };
    homedirs(&inputs).map_or(true, |it| !it.errors.is_empty())
}
