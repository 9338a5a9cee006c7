//! What the search box looks in: a script, for pages of a folder may load nothing else.

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::File;
use crate::comment::plain;
use crate::site::{Site, attribute_page, boolean_page, domain_page, first_sentence, module_page};

/// What is found, in the order in which equals stand.
const KINDS: [&str; 6] = ["domain", "boolean", "module", "interface", "type", "attribute"];

/// `search-data.js`: entries of name, kind, page and a few words.
pub(super) fn data(site: &Site<'_>) -> File {
    let mut data = Data::default();
    for it in site.domains {
        let name = site.facts.name(it.id);
        data.add(name, 0, &domain_page(name), &site.purpose(it));
    }
    for it in site.facts.db.booleans.by_name() {
        let about = first_sentence(&plain(site.boolean_about(&it.name).0));
        data.add(&it.name, 1, &boolean_page(&it.name), &about);
    }
    for it in &site.reference.modules {
        let about = first_sentence(&plain(&it.about.summary));
        data.add(&it.name, 2, &module_page(&it.name), &about);
    }
    for it in &site.reference.interfaces {
        let about = first_sentence(&plain(&it.about.summary));
        data.add(&it.name, 3, &site.interface_page(it), &about);
    }
    for (id, name) in site.facts.types().filter(|it| !site.facts.domains.has(it.0)) {
        if let Some(page) = site.type_page(id) {
            data.add(name, 4, page, "");
        }
    }
    for (_, name) in site.facts.attributes() {
        data.add(name, 5, &attribute_page(name), "");
    }
    File { path: "search-data.js".to_owned(), bytes: data.finish().into_bytes() }
}

#[derive(Default)]
struct Data {
    pages: Vec<String>,
    numbers: FxHashMap<String, usize>,
    entries: Vec<Value>,
}

impl Data {
    /// The place on the page is kept with the entry, for many stand on one page.
    fn add(&mut self, name: &str, kind: usize, page: &str, about: &str) {
        let (page, place) = page.split_once('#').unwrap_or((page, ""));
        let next = self.pages.len();
        let number = *self.numbers.entry(page.to_owned()).or_insert(next);
        if number == next {
            self.pages.push(page.to_owned());
        }
        let about: String = about.chars().take(90).collect();
        self.entries.push(json!([name, kind, number, place, about]));
    }

    fn finish(self) -> String {
        let all = json!({ "kinds": KINDS, "pages": self.pages, "entries": self.entries });
        // A script may hold no line ends of Unicode, and nothing that ends it where it is put into a page.
        let text = all.to_string().replace('<', "\\u003c");
        let text = text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        format!("mandateSearch({text});\n")
    }
}
