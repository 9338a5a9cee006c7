//! What is written is read again; what was damaged is an error; files of older versions, made here byte by byte.

use expect_test::expect;

use super::{Engine, Version, head, is_binary, text};
use crate::file_contexts::{FileContexts, Lookup, Source, Substitutions};

const TEXT: &[u8] = b"/.*\ta:b:root\n/usr/lib(/.*)?\ta:b:lib\n/usr/lib\\.old\t--\ta:b:old\n/usr//x/y/z/.*\t-d\t<<none>>\n\
    /etc\ta:b:etc\n/usr/bin/[^/]*\t--\ta:b:bin\n/usr/lib/a\\-b\ta:b:lib\n/(e|f)/g\t-l\ta:b:g\n";

fn table(text: &[u8]) -> FileContexts {
    let source = Source { name: "fc", bytes: text };
    let (table, errors) = FileContexts::compile(&[source], <[Substitutions; 2]>::default());
    assert_eq!(errors, []);
    table
}

fn written(version: Version) -> Vec<u8> {
    let engine = Engine::here("10.42 2022-12-11");
    table(TEXT).to_binary(version, &engine).unwrap_or_default()
}

fn read(bytes: &[u8]) -> String {
    match text(bytes) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_written_is_read() {
    for version in [Version::List, Version::Tree] {
        let bytes = written(version);
        assert!(is_binary(&bytes));
        let again = read(&bytes);
        assert_eq!(again.lines().count(), TEXT.split(|&it| it == b'\n').count() - 1, "{again}");
        let (before, after) = (table(TEXT), table(again.as_bytes()));
        for path in
            ["/", "/x", "/usr/lib", "/usr/lib.old", "/usr/x/y/z/w", "/etc", "/e/g", "/usr/lib/a-b"]
        {
            let of =
                |table| Lookup::new(table).path(path.as_bytes(), None).context().map(str::to_owned);
            assert_eq!(of(&before), of(&after), "{path}");
        }
    }
    let head = head(&written(Version::Tree)).ok();
    assert_eq!(
        head.map(|it| (it.version, it.engine)),
        Some((6, Some(Engine::here("10.42 2022-12-11"))))
    );
}

#[test]
fn order_of_the_text() {
    expect![[r"
        /.*	a:b:root
        /usr/lib(/.*)?	a:b:lib
        /usr//x/y/z/.*	-d	<<none>>
        /usr/bin/[^/]*	--	a:b:bin
        /(e|f)/g	-l	a:b:g
        /etc	a:b:etc
        /usr/lib\.old	--	a:b:old
        /usr/lib/a\-b	a:b:lib
    "]]
    .assert_eq(&read(&written(Version::Tree)));
}

#[test]
fn any_damage_is_told() {
    for version in [Version::List, Version::Tree] {
        let bytes = written(version);
        for length in 0..bytes.len() {
            assert!(text(&bytes[..length]).is_err(), "{length}");
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                // No panic, no memory without bound.
                drop(text(&damaged));
            }
        }
    }
    expect!["offset 0: expected compiled file contexts"].assert_eq(&read(b"/etc a:b:c\n"));
    expect!["offset 8: version 7 is not known; 1 to 6 are"]
        .assert_eq(&read(&[0xf9, 0x7c, 0xff, 0x8a, 0, 0, 0, 7]));
}

/// A file of one line in a byte order, as an older library writes it.
fn old(version: u32, number: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let numbers = |bytes: &mut Vec<u8>, all: &[u32]| {
        all.iter().for_each(|&it| bytes.extend_from_slice(&number(it)));
    };
    numbers(&mut bytes, &[super::MAGIC, version]);
    if version >= 2 {
        numbers(&mut bytes, &[4]);
        bytes.extend_from_slice(b"8.39");
    }
    // one directory, one line
    numbers(&mut bytes, &[1, 4]);
    bytes.extend_from_slice(b"/usr\0");
    numbers(&mut bytes, &[1, 6]);
    bytes.extend_from_slice(b"a:b:c\0");
    numbers(&mut bytes, &[8]);
    bytes.extend_from_slice(b"/usr/.*\0");
    numbers(&mut bytes, &[0o100_000, 0, 1]);
    if version >= 4 {
        numbers(&mut bytes, &[5]);
    }
    // an expression, and what was learnt about it
    numbers(&mut bytes, &[3]);
    bytes.extend_from_slice(b"re!");
    numbers(&mut bytes, &[0]);
    bytes
}

#[test]
fn older_versions_in_both_byte_orders() {
    for version in 1..=4 {
        for number in [u32::to_be_bytes, u32::to_le_bytes] {
            assert_eq!(read(&old(version, number)), "/usr/.*\t--\ta:b:c\n", "{version}");
        }
    }
}

#[test]
fn what_cannot_be_written() {
    let engine = Engine::here("10.42 2022-12-11");
    let error = table(b"").to_binary(Version::List, &engine).err();
    expect!["there are no lines, which version 5 cannot hold; write version 6"]
        .assert_eq(&error.map_or_else(String::new, |it| it.to_string()));
}

#[test]
fn nothing_is_compiled_to_nothing() {
    let bytes = table(b"").to_binary(Version::Tree, &Engine::here("10.42")).unwrap_or_default();
    let empty = table(read(&bytes).as_bytes());
    assert!(Lookup::new(&empty).path(b"/etc", None).line().is_none());
}
