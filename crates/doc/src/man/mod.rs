//! Manual pages: one in section 8 for each domain that a program enters, as administrators know them from distributions, and one in
//! section 3 for the interfaces of each module.

mod domain;
mod interfaces;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use roff::{Inline, Roff, bold, roman};

use crate::File;
use crate::comment::Block;
use crate::site::{Site, stem};

/// All manual pages, below `man/`.
pub(crate) fn files(site: &Site<'_>) -> Vec<File> {
    let entered: Vec<_> = site.domains.iter().filter(|it| !it.entry_points.is_empty()).collect();
    let mut files: Vec<File> = entered.par_iter().map(|it| domain::page(site, it)).collect();
    let modules: Vec<_> =
        site.reference.modules.iter().filter(|it| !it.interfaces.is_empty()).collect();
    let interfaces: Vec<File> = modules.par_iter().map(|it| interfaces::page(site, it)).collect();
    files.extend(interfaces);
    let named: std::collections::BTreeSet<String> =
        files.iter().map(|it| it.path.clone()).collect();
    let links = (0..site.reference.modules.len()).filter_map(|it| link(site, it));
    files.extend(links.filter(|it| !named.contains(&it.path)));
    files
}

/// A page by the name of a module leads to that of its first domain.
fn link(site: &Site<'_>, module: usize) -> Option<File> {
    let mut domains = site.domains_of[module].iter().map(|&it| &site.domains[it]);
    let domain = domains.find(|it| !it.entry_points.is_empty())?;
    let name = stem(site.facts.name(domain.id));
    let path = domain_path(&site.reference.modules[module].name);
    Some(File { path, bytes: format!(".so man8/{name}_selinux.8\n").into_bytes() })
}

/// The path of the page of a domain's name, without its `_t`.
fn domain_path(stem: &str) -> String {
    format!("man/man8/{stem}_selinux.8")
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
}

impl Manual {
    fn new(site: &Site<'_>, name: &str, section: &str, about: &str) -> Self {
        let mut roff = Roff::new();
        let date = site.date;
        let head = [name, section, date, site.title, "SELinux policy"].map(argument);
        roff.control("TH", head.iter().map(String::as_str));
        // Names of types are long, and nobody wants them torn apart.
        roff.control("nh", []).control("ad", ["l"]);
        roff.control("SH", ["NAME"]);
        roff.text([roman(format!("{name} - {about}"))]);
        Self { roff }
    }

    fn section(&mut self, title: &str) {
        self.roff.control("SH", [title]);
    }

    fn subsection(&mut self, title: &str) {
        self.roff.control("SS", [argument(title).as_str()]);
    }

    fn paragraph(&mut self, text: impl Into<Vec<Inline>>) {
        self.roff.control("PP", []);
        self.roff.text(text);
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
        self.roff.control("TP", []);
        self.roff.text([bold(tag), roman(more)]);
        self.roff.text([roman(if text.is_empty() { "No description." } else { text })]);
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
                        self.roff.text([roman(crate::comment::plain(item))]);
                    }
                }
            }
        }
    }

    fn finish(self, path: String) -> File {
        File { path, bytes: self.roff.render().into_bytes() }
    }
}
