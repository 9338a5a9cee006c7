//! Each rule of looking up, a small case each. That libselinux 3.11 says the same of whole policies is for the compliance suite.

use expect_test::expect;

use super::*;
use crate::file_contexts::{Source, Substitutions};

/// Files in one text: `@homedirs`, `@local`, `@subs` and `@subs_dist` begin those after the first.
fn table(text: &str) -> FileContexts {
    let part = |name: &str| {
        let marked = text.split('@').find_map(|it| it.strip_prefix(name)?.strip_prefix('\n'));
        marked.unwrap_or_default().as_bytes()
    };
    let main = text.split('@').next().unwrap_or_default().as_bytes();
    let source = |name, bytes| Source { name, bytes };
    let sources = [
        source("main", main),
        source("homedirs", part("homedirs")),
        source("local", part("local")),
    ];
    let subs = ["subs", "subs_dist"].map(|it| Substitutions::parse(part(it)).0);
    let (table, errors) = FileContexts::compile(&sources, subs);
    assert_eq!(errors, [], "{text}");
    table
}

/// A kind of file as in file contexts, or `any`; and a path, in which `\n` and `\xff` stand for those bytes.
fn question(text: &str) -> (Option<FileType>, Vec<u8>) {
    let (kind, path) = text.split_once(' ').unwrap_or(("any", text));
    let mut bytes = path.replace("\\n", "\n").into_bytes();
    while let Some(at) = bytes.windows(4).position(|it| it == b"\\xff") {
        bytes.splice(at..at + 4, [0xff]);
    }
    (FileType::parse(kind), bytes)
}

fn told(answer: Answer<'_>) -> String {
    match answer {
        Answer::Context(context, line) => format!("{context} {}:{}", line.source(), line.number()),
        Answer::None(line) => format!("none {}:{}", line.source(), line.number()),
        Answer::Unknown => "unknown".to_owned(),
    }
}

const RULES: [(&str, &str, &[&str]); 24] = [
    ("the last pattern wins", "/a/.* x\n/a/b.* y\n/a/.*c z\n", &["/a/a", "/a/b", "/a/bc"]),
    ("without meta characters before patterns", "/a/b x\n/a/.* y\n", &["/a/b", "/a/c"]),
    (
        "the kind of file",
        "/a/.* x\n/a/.* -d y\n/a/b -- z\n",
        &["-- /a/b", "-d /a/b", "-l /a/b", "/a/c"],
    ),
    ("none leaves alone", "/a/.* x\n/a/b <<none>>\n/a/c.* <<none>>\n", &["/a/b", "/a/c", "/a/d"]),
    (
        "none below more directories ends the search",
        "/a/b/.* <<none>>\n/a/.* x\n",
        &["/a/b/c", "/a/c"],
    ),
    (
        "one path twice: the first of the last file",
        "/a x\n/a y\n@homedirs\n/b x\n@local\n/a z\n/a w\n",
        &["/a", "/b"],
    ),
    ("later files win", "/a/.* x\n@homedirs\n/a/.* y\n@local\n/a/b.* z\n", &["/a/a", "/a/b"]),
    (
        "only below the directories it begins with",
        "/a/b/? x\n/a/b/c* y\n",
        &["/a/b", "/a/b/c", "/a/b/cc"],
    ),
    (
        "free alternatives are bound at one end each",
        "/a/b|/a/c z\n",
        &["/a/b", "/a/bx", "/a/x/a/c", "/a/c", "/c"],
    ),
    (
        "a newline at the end",
        "/a/b x\n/a/c.? y\n",
        &["/a/b\\n", "/a/c\\n", "/a/cd\\n", "/a/c\\n\\n"],
    ),
    ("a dot is any byte", "/a/. x\n", &["/a/\\xff", "/a/\\n", "/a/é", "/a//"]),
    (
        "escaped meta characters are themselves",
        "/a\\.b x\n/a\\-b y\n/c\\d z\n",
        &["/a.b", "/axb", "/a-b", "/c1"],
    ),
    (
        "escaped directories are directories",
        "/a\\.b/.* x\n/a\\-b/c y\n",
        &["/a.b/c", "/axb/c", "/a-b/c"],
    ),
    ("slashes", "/a/b x\n/ y\n", &["//a///b", "/a/b/", "/a/b//", "/", "//", "/a/./b", "/a/../a/b"]),
    ("relative, empty", "/a x\n.* y\n", &["a", "", "./a"]),
    ("looking ahead", "/a/(?!b).* x\n/a/(?=bc).* y\n", &["/a/c", "/a/b", "/a/bcd"]),
    ("looking behind", "/a/.*(?<=b)c x\n/a/.*(?<!b)d y\n", &["/a/bc", "/a/cc", "/a/cd", "/a/bd"]),
    (
        "the second engine's line may yield to one before",
        "/a/.* x\n/a/(.)\\1 y\n",
        &["/a/bb", "/a/bc"],
    ),
    ("atoms do not give back", "/a/(?>b*)bc x\n/a/b*+c y\n", &["/a/bbc"]),
    (
        "the last substitution wins, not the longest",
        "/A/.* x\n/B.* y\n@subs\n/s/b /B\n/s /A\n",
        &["/s/b/c", "/s/d", "/sb"],
    ),
    (
        "each file substitutes once",
        "/c/.* x\n/b/.* y\n@subs\n/a /b\n/z /a\n@subs_dist\n/b /c\n",
        &["/a/1", "/z/1", "/b/1"],
    ),
    ("to the root", "/b x\n/ y\n@subs\n/a /\n", &["/a/b", "/a", "/a/"]),
    ("contexts need not be four parts", "/a any-word\n", &["/a"]),
    ("nothing at all", "", &["/a", "/", "any \\n"]),
];

#[test]
fn rules() {
    let mut said = String::new();
    for (name, files, questions) in RULES {
        let table = table(files);
        let mut lookup = Lookup::new(&table);
        said += &format!("{name}\n");
        for question_text in questions {
            let (kind, path) = question(question_text);
            let answer = told(lookup.path(&path, kind));
            said += &format!("    {question_text}: {answer}\n");
        }
    }
    expect![[r#"
        the last pattern wins
            /a/a: x main:1
            /a/b: y main:2
            /a/bc: z main:3
        without meta characters before patterns
            /a/b: x main:1
            /a/c: y main:2
        the kind of file
            -- /a/b: z main:3
            -d /a/b: y main:2
            -l /a/b: x main:1
            /a/c: y main:2
        none leaves alone
            /a/b: none main:2
            /a/c: none main:3
            /a/d: x main:1
        none below more directories ends the search
            /a/b/c: none main:1
            /a/c: x main:2
        one path twice: the first of the last file
            /a: z local:1
            /b: x homedirs:1
        later files win
            /a/a: y homedirs:1
            /a/b: z local:1
        only below the directories it begins with
            /a/b: unknown
            /a/b/c: y main:2
            /a/b/cc: y main:2
        free alternatives are bound at one end each
            /a/b: z main:1
            /a/bx: z main:1
            /a/x/a/c: z main:1
            /a/c: z main:1
            /c: unknown
        a newline at the end
            /a/b\n: unknown
            /a/c\n: y main:2
            /a/cd\n: y main:2
            /a/c\n\n: y main:2
        a dot is any byte
            /a/\xff: x main:1
            /a/\n: x main:1
            /a/é: unknown
            /a//: unknown
        escaped meta characters are themselves
            /a.b: x main:1
            /axb: unknown
            /a-b: y main:2
            /c1: z main:3
        escaped directories are directories
            /a.b/c: x main:1
            /axb/c: unknown
            /a-b/c: y main:2
        slashes
            //a///b: x main:1
            /a/b/: x main:1
            /a/b//: x main:1
            /: y main:2
            //: y main:2
            /a/./b: unknown
            /a/../a/b: unknown
        relative, empty
            a: y main:2
            : unknown
            ./a: y main:2
        looking ahead
            /a/c: x main:1
            /a/b: unknown
            /a/bcd: y main:2
        looking behind
            /a/bc: x main:1
            /a/cc: unknown
            /a/cd: y main:2
            /a/bd: unknown
        the second engine's line may yield to one before
            /a/bb: y main:2
            /a/bc: x main:1
        atoms do not give back
            /a/bbc: y main:2
        the last substitution wins, not the longest
            /s/b/c: x main:1
            /s/d: x main:1
            /sb: unknown
        each file substitutes once
            /a/1: x main:1
            /z/1: unknown
            /b/1: x main:1
        to the root
            /a/b: x main:1
            /a: y main:2
            /a/: y main:2
        contexts need not be four parts
            /a: any-word main:1
        nothing at all
            /a: unknown
            /: unknown
            any \n: unknown
    "#]]
    .assert_eq(&said);
}

/// Lines of every sort in one table, and names that meet them.
const MIXED: &str = "/a/.* x\n/a/b(/.*)? -d y\n/a/b/c.* z\n/a/(.)\\1 w\n/a/b/c <<none>>\n/c/[^/]+/.* v\n/ r\n\
    @local\n/a/(?!b).*/d u\n@subs\n/s /a\n/s/t /c\n@subs_dist\n/c/e /a/b\n/t /\n";

fn names() -> impl Iterator<Item = Vec<u8>> {
    const PARTS: [&str; 11] = ["a", "b", "c", "s", "t", "e", "bb", "d", "c\n", "", "\u{e9}"];
    let many = PARTS.len();
    (0..many.pow(3)).map(move |it| {
        let part = |at| PARTS[it / many.pow(at) % many];
        format!("/{}/{}/{}", part(0), part(1), part(2)).into_bytes()
    })
}

#[test]
fn an_entry_is_as_its_path() {
    let table = table(MIXED);
    let (mut lookup, mut second) = (Lookup::new(&table), Lookup::new(&table));
    let mut directories: Vec<Vec<u8>> = names().collect();
    directories.extend([b"/".to_vec(), b"/a/".to_vec(), b"//a".to_vec()]);
    for path in directories {
        let mut directory = lookup.directory(&path);
        for name in ["a", "b", "c", "t", "e", "c\n", "bb", "."] {
            let whole = [&path[..], b"/", name.as_bytes()].concat();
            for kind in [None, Some(FileType::Directory), Some(FileType::Regular)] {
                let entry = told(lookup.entry(&mut directory, name.as_bytes(), kind));
                assert_eq!(entry, told(second.path(&whole, kind)), "{}", whole.escape_ascii());
            }
        }
    }
}

#[test]
fn few_states_answer_as_many() {
    let table = table(MIXED);
    let mut plenty = Lookup::new(&table);
    for most in [0, 3, 4, 7] {
        let mut few = Lookup::new(&table);
        few.dfa = Dfa::bounded(&table.nfa, most);
        let mut directory = few.directory(b"/a/b");
        for path in names() {
            assert_eq!(told(few.path(&path, None)), told(plenty.path(&path, None)));
            let entry = told(few.entry(&mut directory, b"cd", None));
            assert_eq!(entry, told(plenty.path(b"/a/b/cd", None)));
            assert!(few.dfa.len() <= most.max(3), "{} states", few.dfa.len());
        }
        assert!(few.dfa.generation() > 0, "{most} states were enough");
    }
}

#[test]
fn winner_first_then_what_it_beat() {
    let table = table("/a/.* x\n/a/b y\n/a/b.* -d z\n/a/b w\n/a/(?=b).* v\n@local\n/a/b u\n");
    let mut lookup = Lookup::new(&table);
    let lines = lookup.all(b"/a/b", Some(FileType::Regular));
    let lines: Vec<String> = lines.into_iter().map(|it| it.to_string()).collect();
    expect!["/a/b u, /a/b y, /a/b w, /a/(?=b).* v, /a/.* x"].assert_eq(&lines.join(", "));
}

#[test]
fn parts_of_paths() {
    let table = table("/a/b/c x\n/d/.* <<none>>\n/e/(f|g)/h y\n@subs\n/s /e\n");
    let mut lookup = Lookup::new(&table);
    let cases = ["/", "/a", "/a/b/c", "/a/b/c/d", "/d", "/d/x", "/e/f", "/e/h", "/s/g", "/x", ""];
    let said = cases.map(|it| format!("{it}: {}", lookup.partial(it.as_bytes())));
    expect![[r#"
        /: true
        /a: true
        /a/b/c: true
        /a/b/c/d: false
        /d: false
        /d/x: false
        /e/f: true
        /e/h: false
        /s/g: true
        /x: false
        : false"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn the_best_of_several_names() {
    let table = table("/a/.* x\n/a/bcd.* y\n/l z\n/n <<none>>\n");
    let mut lookup = Lookup::new(&table);
    let cases: [(&str, &[&str]); 5] = [
        ("/a/1", &["/a/bcd1"]),
        ("/a/bcd1", &["/a/1"]),
        ("/a/bcd1", &["/l"]),
        ("/n", &["/a/1"]),
        ("/n", &[]),
    ];
    let said = cases.map(|(path, aliases)| {
        let names: Vec<&[u8]> = aliases.iter().map(|it| it.as_bytes()).collect();
        format!("{path} {aliases:?}: {}", told(lookup.best(path.as_bytes(), &names, None)))
    });
    expect![[r#"
        /a/1 ["/a/bcd1"]: y main:2
        /a/bcd1 ["/a/1"]: y main:2
        /a/bcd1 ["/l"]: z main:3
        /n ["/a/1"]: x main:1
        /n []: none main:4"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn kept_and_read_again() {
    let table = table(MIXED);
    let bytes = table.to_bytes();
    let again = FileContexts::from_bytes(&bytes).expect("what was written is read");
    assert_eq!(again.to_bytes(), bytes);
    let (mut one, mut other) = (Lookup::new(&table), Lookup::new(&again));
    for path in names() {
        assert_eq!(told(one.path(&path, None)), told(other.path(&path, None)));
    }
    for length in 0..bytes.len() {
        assert!(FileContexts::from_bytes(&bytes[..length]).is_none(), "{length} bytes");
    }
    assert!(FileContexts::from_bytes(&[&bytes[..], b"x"].concat()).is_none());
}

#[test]
fn damage_to_what_is_kept() {
    let bytes = table(MIXED).to_bytes();
    let mut taken = 0;
    for at in 0..bytes.len() {
        for flip in [1, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let Some(table) = FileContexts::from_bytes(&damaged) else { continue };
            taken += 1;
            let mut lookup = Lookup::new(&table);
            names().take(50).for_each(|it| drop(told(lookup.path(&it, None))));
        }
    }
    assert!(taken > 0, "letters of patterns may be any");
}
