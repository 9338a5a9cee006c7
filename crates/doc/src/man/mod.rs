//! Manual pages: one in section 8 for each domain that a program enters, as administrators know them from distributions, and one in
//! section 3 for the interfaces of each module.

mod domain;
mod interfaces;

use std::collections::BTreeSet;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use roff::{Inline, Roff, bold, roman};

use crate::File;
use crate::comment::Block;
use crate::site::Site;

/// All manual pages, below `man/`.
pub(crate) fn files(site: &Site<'_>) -> Vec<File> {
    let entered: Vec<_> = site.domains.iter().filter(|it| !it.entry_points.is_empty()).collect();
    let mut files: Vec<File> = entered.par_iter().map(|it| domain::page(site, it)).collect();
    let modules: Vec<_> =
        site.reference.modules.iter().filter(|it| !it.interfaces.is_empty()).collect();
    let interfaces: Vec<File> = modules.par_iter().map(|it| interfaces::page(site, it)).collect();
    files.extend(interfaces);
    let named: BTreeSet<String> = files.iter().map(|it| it.path.clone()).collect();
    let modules = (0..site.reference.modules.len()).filter_map(|it| domain::of_module(site, it));
    files.extend(modules.filter(|it| !named.contains(&it.path)));
    files
}

/// The path of the page of a domain's name, without its `_t`.
fn domain_path(stem: &str) -> String {
    format!("man/man8/{stem}_selinux.8")
}

/// Lines as manual pages are written: short, and a new one for each sentence.
fn wrap(text: &str) -> String {
    const WIDTH: usize = 76;
    let mut out = String::with_capacity(text.len());
    let (mut column, mut ended) = (0, false);
    for word in text.split_whitespace() {
        let capital = word.starts_with(|it: char| it.is_ascii_uppercase());
        if column != 0 && (column + word.len() > WIDTH || ended && capital) {
            out.push('\n');
            column = 0;
        } else if column != 0 {
            out.push(' ');
        }
        out.push_str(word);
        column += word.len() + 1;
        ended = word.ends_with(['.', '?', '!']);
    }
    out
}

/// An argument of a request: the crate quotes blanks and leaves all else as it is.
fn argument(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ").replace('\\', "\\e").replace('"', "\\(dq").replace('-', "\\-");
    if text.is_empty() { "\"\"".to_owned() } else { text }
}

/// A manual page that is being written.
struct Manual {
    roff: Roff,
    /// Does a section begin here?
    begun: bool,
}

impl Manual {
    fn new(site: &Site<'_>, name: &str, section: &str, about: &str) -> Self {
        let mut roff = Roff::new();
        let date = site.date;
        // A date with escapes is none.
        let date = if date.is_empty() { "\"\"" } else { date };
        let (upper, title) = (argument(&name.to_ascii_uppercase()), argument(site.title));
        roff.control("TH", [&*upper, section, date, &title, "SELinux policy"]);
        // Names of types are long, and nobody wants them torn apart.
        roff.control("nh", []).control("ad", ["l"]);
        roff.control("SH", ["NAME"]);
        roff.text([roman(format!("{name} - {about}"))]);
        Self { roff, begun: false }
    }

    fn section(&mut self, title: &str) {
        self.roff.control("SH", [title]);
        self.begun = true;
    }

    fn subsection(&mut self, title: &str) {
        self.roff.control("SS", [argument(title).as_str()]);
        self.begun = true;
    }

    fn paragraph(&mut self, text: impl Into<Vec<Inline>>) {
        // The first of a section begins by itself.
        if !std::mem::take(&mut self.begun) {
            self.roff.control("PP", []);
        }
        let wrapped = text.into().into_iter().map(|it| match it {
            Inline::Roman(text) => roman(wrap(&text)),
            other => other,
        });
        self.roff.text(wrapped.collect::<Vec<_>>());
    }

    /// Words with commas between them, on lines of their own.
    fn list(&mut self, words: impl IntoIterator<Item = String>) {
        let text = words.into_iter().collect::<Vec<_>>().join(",\n");
        if !text.is_empty() {
            self.roff.text([roman(text)]);
        }
    }

    /// What is explained, and the explanation.
    fn item(&mut self, tag: &str, more: &str, text: &str) {
        self.begun = false;
        self.roff.control("TP", []);
        self.roff.text([bold(tag), roman(more)]);
        self.roff.text([roman(wrap(if text.is_empty() { "No description." } else { text }))]);
    }

    /// A line as it is typed or stands in a file.
    fn example(&mut self, lines: impl IntoIterator<Item = String>) {
        let text = lines.into_iter().collect::<Vec<_>>().join("\n");
        if !text.is_empty() {
            self.roff.control("RS", ["4"]).control("nf", []);
            self.roff.text([roman(text)]);
            self.roff.control("fi", []).control("RE", []);
        }
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Paragraph(text) => self.paragraph([roman(text)]),
                Block::List(items) => {
                    for item in items {
                        self.roff.control("IP", ["\\(bu", "2"]);
                        self.roff.text([roman(wrap(&crate::comment::plain(item)))]);
                        self.begun = false;
                    }
                }
            }
        }
    }

    fn finish(self, path: String) -> File {
        File { path, bytes: self.roff.render().into_bytes() }
    }
}
