//! Parts that many pages have.

use mandate_compile::file_contexts::FileContext;
use mandate_label::FileType;
use mandate_policydb::TypeId;
use maud::{Markup, html};

use crate::comment::Block;
use crate::facts::access::{Group, Row, Target, What};
use crate::reference::{Caller, Place};
use crate::site::Site;

/// A text, in which names lead to their pages.
pub(super) fn blocks(site: &Site<'_>, root: &str, blocks_: &[Block]) -> Markup {
    html! {
        @for block in blocks_ {
            @match block {
                Block::Paragraph(text) => { p { (text_of(site, root, text)) } }
                Block::List(items) => {
                    ul { @for it in items { li { (blocks(site, root, it)) } } }
                }
            }
        }
    }
}

fn text_of(site: &Site<'_>, root: &str, text: &str) -> Markup {
    let mark = |it: char| !(it.is_ascii_alphanumeric() || it == '_');
    html! {
        @for (number, word) in text.split(' ').enumerate() {
            @if number != 0 { " " }
            @let name = word.trim_matches(mark);
            @match site.word(name).filter(|_| name.contains('_')).zip(word.split_once(name)) {
                Some((page, (before, after))) => {
                    (before) a href={ (root) (page) } { (name) } (after)
                }
                None => (word),
            }
        }
    }
}

/// A type or attribute.
pub(super) fn type_(site: &Site<'_>, root: &str, id: TypeId) -> Markup {
    let name = site.facts.name(id);
    html! {
        @match site.type_page(id) {
            Some(page) => a href={ (root) (page) } { (name) },
            None => span { (name) },
        }
        @if site.facts.sets.is_attribute(id) {
            " " small { "(" (types(site.facts.size(id))) ")" }
        }
    }
}

/// Types and attributes, with commas between.
pub(super) fn type_list(site: &Site<'_>, root: &str, ids: &[TypeId]) -> Markup {
    html! {
        @for (number, &id) in ids.iter().enumerate() {
            @if number != 0 { ", " }
            (type_(site, root, id))
        }
    }
}

pub(super) fn types(count: usize) -> String {
    plural(count, "type")
}

pub(super) fn plural(count: usize, word: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {word}{s}")
}

pub(super) fn place(it: &Place) -> Markup {
    html! { code.place { (it.path) ":" (it.line) } }
}

/// So many names are shown at once; more are folded away.
const SHOWN: usize = 12;

/// Callers, with commas between; many are folded away.
pub(super) fn callers(site: &Site<'_>, root: &str, all: &[Caller], what: &str) -> Markup {
    let list = || {
        html! {
            @for (number, it) in all.iter().enumerate() {
                @let (name, page) = site.caller(*it);
                @let class = matches!(it, Caller::Module(_)).then_some("module");
                @if number != 0 { ", " }
                a class=[class] href={ (root) (page) } { (name) }
            }
        }
    };
    html! {
        @if all.is_empty() {
            p.calls { (what) ": nothing in this tree" }
        } @else if all.len() <= SHOWN {
            p.calls { (what) ": " (list()) }
        } @else {
            details.calls { summary { (what) " (" (all.len()) ")" } p { (list()) } }
        }
    }
}

/// What is allowed: a heading for each kind, a row for each thing done.
pub(super) fn groups(site: &Site<'_>, root: &str, all: &[Group], heading: u8) -> Markup {
    html! {
        @for group in all {
            @match heading {
                3 => h3 { (group.kind.title()) },
                _ => p.kind { (group.kind.title()) },
            }
            dl.rows { @for row in &group.rows { (row_of(site, root, row)) } }
        }
    }
}

fn row_of(site: &Site<'_>, root: &str, row: &Row) -> Markup {
    html! {
        @match &row.what {
            What::Words(words) => dt { (words) },
            What::Own(class, names) => {
                dt { code { (class) } }
                dd { (names.join(" ")) }
            }
            What::Permissions(class, names) => dt {
                @match in_words(class, names) {
                    Some(words) => (words),
                    None => { code { (class) } " " span.permissions { (names.join(" ")) } }
                }
            },
        }
        @if !row.targets.is_empty() { dd { (targets(site, root, &row.targets)) } }
    }
}

/// What people call the commonest of other permissions.
pub(crate) fn in_words(class: &str, names: &[String]) -> Option<&'static str> {
    let is = |wanted: &[&str]| names.iter().map(String::as_str).eq(wanted.iter().copied());
    match class {
        "fd" if is(&["use"]) => Some("uses open files handed over by"),
        "unix_stream_socket" if is(&["connectto"]) => Some("connects to stream sockets of"),
        "unix_dgram_socket" if is(&["sendto"]) => Some("sends to datagram sockets of"),
        "dbus" if is(&["send_msg"]) => Some("sends D-Bus messages to"),
        "dbus" if is(&["acquire_svc"]) => Some("takes names on the D-Bus of"),
        "filesystem" if is(&["getattr"]) => Some("asks for the size of"),
        _ => None,
    }
}

fn targets(site: &Site<'_>, root: &str, all: &[Target]) -> Markup {
    html! {
        @for (number, it) in all.iter().enumerate() {
            @if number != 0 { ", " }
            (type_(site, root, it.id))
            @if let Some(only) = it.only { " " small { "(" (only) ")" } }
        }
    }
}

/// Patterns of files, a line each.
pub(super) fn patterns(all: &[FileContext]) -> Markup {
    let list = || {
        html! {
            ul.patterns {
                @for it in all {
                    li { code { (it.path) } @if let Some(kind) = it.file_type { " " small { (file_kind(kind)) } } }
                }
            }
        }
    };
    html! {
        @if all.len() > SHOWN {
            details { summary { (plural(all.len(), "pattern")) } (list()) }
        } @else if !all.is_empty() { (list()) }
    }
}

/// A kind of file in words.
pub(crate) fn file_kind(it: FileType) -> &'static str {
    match it {
        FileType::Block => "block device",
        FileType::Character => "character device",
        FileType::Directory => "directory",
        FileType::Pipe => "pipe",
        FileType::SymbolicLink => "link",
        FileType::Socket => "socket",
        FileType::Regular => "file",
    }
}

/// Port numbers: `tcp 80, 443`.
pub(crate) fn numbers(all: &[(&'static str, u32, u32)], protocol: Option<&str>) -> String {
    let mut out = String::new();
    let mut last = protocol.unwrap_or_default();
    for (of, low, high) in all.iter().filter(|it| protocol.is_none_or(|only| only == it.0)) {
        let gap = if out.is_empty() { "" } else { ", " };
        let name = if *of == last { String::new() } else { format!("{of} ") };
        let range = if low == high { low.to_string() } else { format!("{low}-{high}") };
        out += &format!("{gap}{name}{range}");
        last = of;
    }
    out
}
