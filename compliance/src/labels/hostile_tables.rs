//! Tables of file contexts that say everything twice and half of it wrongly, and names to ask them about.

use std::fmt::Write as _;

use super::oracle::Record;
use super::paths::any_kind;
use super::table::Table;
use crate::random::Random;

/// Directories that lines begin with; the names below use the same.
const STEMS: [&str; 17] = [
    "(/a)?", "(/a/b)?", "/(a|b)", ".*/b", "/[ab]", "/a", "/b", "/a/b", "/a/b/c", "/a/b/c/d",
    "/st\\-em", "/x\\.y", "/a\\+", "/b/b", "/c_d", "", "/a//b",
];
/// What lines end with.
const TAILS: [&str; 34] = [
    "",
    "/",
    "/.*",
    "(/.*)?",
    "/[^/]*",
    "/[^/]+",
    "/?",
    "/*",
    "/+",
    "/b|/a/.*",
    "|/b/.*",
    "/(b|c)(/.*)?",
    "/(?=b).*",
    "/(?!b).*",
    "/(.)\\1",
    "/([ab])/\\1",
    "/b\\.c",
    "/b\\-c",
    "/\\.",
    "/b\\\\",
    "/.",
    "/.?",
    "/b{1,2}",
    "/[[:alpha:]]+",
    "/b.*",
    "/b/c",
    "/b/c.*",
    "b",
    ".*",
    "/(b/)?c",
    "/(?i)B",
    "/b\\Qc\\E",
    "/\\x62",
    "/b$",
];
const KINDS: [&str; 10] = ["", "", "", "", "--", "-d", "-l", "-c", "-b", "-s"];
/// Pieces of names.
const PIECES: [&[u8]; 22] = [
    b"/a", b"/b", b"/c", b"/d", b"/a", b"/b", b"/b", b"/c", b"/st-em", b"/x.y", b"/a+", b"/c_d",
    b"/", b"b", b"c", b"/B", b"/.", b"/..", b"/b.c", b"/b\\", b"/\xff", b"/bb",
];
const SUBS: [&str; 12] = [
    "/s /a",
    "/s/b /b",
    "/s /",
    "/t /s",
    "/ /a",
    "/t/ /b",
    "/a/x /b",
    "/u /a/b/c",
    "/t /a/",
    "/c /x.y",
    "/d/c /",
    "/s/s /s",
];

/// So many lines, each with a context of its own: which one won shows.
fn lines(random: &mut Random, file: &str, many: usize) -> Vec<u8> {
    let mut text = String::new();
    for number in 0..many {
        let stem = random.pick(&STEMS).copied().unwrap_or_default();
        let tail = random.pick(&TAILS).copied().unwrap_or_default();
        let kind = random.pick(&KINDS).copied().unwrap_or_default();
        let pattern = if stem.is_empty() && tail.is_empty() { "/" } else { "" };
        let context = match random.chance(12) {
            true => "<<none>>".to_owned(),
            false => format!("u:r:{file}{number}_t"),
        };
        let _never_fails = writeln!(text, "{stem}{tail}{pattern} {kind} {context}");
    }
    text.into()
}

fn subs(random: &mut Random) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..random.below(4) {
        let line = random.pick(&SUBS).copied().unwrap_or_default();
        let _never_fails = writeln!(text, "{line}");
    }
    text.into()
}

pub(super) fn table(random: &mut Random) -> Table {
    let many = |random: &mut Random, most: usize| random.below(most + 1);
    let (main, homedirs, local) = (random.between(3, 25), many(random, 8), many(random, 8));
    Table {
        main: lines(random, "m", main),
        homedirs: lines(random, "h", homedirs),
        local: lines(random, "l", local),
        subs: subs(random),
        subs_dist: subs(random),
    }
}

/// Lines of one's own that do to Debian's what hostile tables do to each other.
pub(super) fn local() -> Vec<u8> {
    let mut text =
        String::from("/usr/bin <<none>>\n/etc/passwd u:r:first_t\n/etc/passwd u:r:second_t\n");
    text.push_str("/usr/(?!lib)[^/]*/ls u:r:ahead_t\n/var/(.)\\1.* u:r:twice_t\n/etc/.*|/opt/.* u:r:either_t\n");
    text.push_str("/usr/* u:r:slashes_t\n/home/[^/]+/.* -- <<none>>\n/dev/.* -b u:r:blocks_t\n");
    text.into()
}

pub(super) fn records(random: &mut Random, many: usize) -> Vec<Record> {
    (0..many).map(|_| Record { kind: any_kind(random), path: name(random) }).collect()
}

fn name(random: &mut Random) -> Vec<u8> {
    const STARTS: [&[u8]; 10] = [b"", b"", b"", b"", b"", b"/s", b"/t", b"/u", b"a", b"/"];
    let start = random.pick(&STARTS).copied().unwrap_or_default();
    let mut path = start.to_owned();
    for _ in 0..random.below(6) {
        path.extend_from_slice(random.pick(&PIECES).copied().unwrap_or_default());
    }
    let ends: [&[u8]; 8] = [b"", b"", b"", b"", b"", b"\n", b"/", b"//"];
    path.extend_from_slice(random.pick(&ends).copied().unwrap_or_default());
    path
}

/// The name and the whole table, so that it can be asked again by hand.
pub(super) fn show(table: &Table, record: &Record) -> String {
    let part = |name: &str, bytes: &[u8]| format!("\n  {name}: {}", bytes.escape_ascii());
    [
        record.to_string(),
        part("main", &table.main),
        part("homedirs", &table.homedirs),
        part("local", &table.local),
        part("subs", &table.subs),
        part("subs_dist", &table.subs_dist),
    ]
    .concat()
}
