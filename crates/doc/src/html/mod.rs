//! Pages of HTML: read without scripts, without a server, on any screen.

mod attribute;
mod boolean;
mod domain;
mod lists;
mod module;
pub(crate) mod parts;
mod search;

use maud::{DOCTYPE, Markup, html};
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::File;
use crate::site::Site;

/// Looks.
const STYLE: &str = include_str!("style.css");
/// The search box.
const SCRIPT: &str = include_str!("search.js");

/// A page before it is framed.
struct Page {
    path: String,
    title: String,
    /// What it is a part of: the link and its text.
    within: Option<(&'static str, &'static str)>,
    body: Markup,
}

impl Page {
    /// What leads from this page to the folder of all pages.
    fn root(path: &str) -> &'static str {
        if path.contains('/') { "../" } else { "" }
    }
}

/// All files of the site.
pub(crate) fn files(site: &Site<'_>) -> Vec<File> {
    let mut files = Vec::new();
    let page = |it: Page| framed(site, it);
    let modules = (0..site.reference.modules.len()).into_par_iter();
    files.par_extend_with(modules.clone().map(|it| page(module::page(site, it))));
    files.par_extend_with(modules.flat_map_iter(|it| module::parts(site, it)).map(page));
    let domains = site.domains.par_iter();
    files.par_extend_with(domains.map(|it| page(domain::page(site, it))));
    let attributes: Vec<_> = site.facts.attributes().collect();
    files.par_extend_with(attributes.into_par_iter().map(|it| page(attribute::page(site, it))));
    let booleans: Vec<_> = site.facts.db.booleans.by_name().collect();
    files.par_extend_with(booleans.into_par_iter().map(|it| page(boolean::page(site, it))));
    files.extend(lists::pages(site).into_iter().map(page));
    files.push(search::data(site));
    for (path, text) in [("style.css", STYLE), ("search.js", SCRIPT)] {
        files.push(File { path: path.to_owned(), bytes: text.into() });
    }
    files
}

/// Adds what is made side by side, in order.
trait ParExtend {
    fn par_extend_with(&mut self, files: impl ParallelIterator<Item = File>);
}

impl ParExtend for Vec<File> {
    fn par_extend_with(&mut self, files: impl ParallelIterator<Item = File>) {
        let made: Self = files.collect();
        self.extend(made);
    }
}

const NAVIGATION: [(&str, &str); 5] = [
    ("index.html", "Overview"),
    ("domains.html", "Domains"),
    ("booleans.html", "Booleans"),
    ("modules.html", "Modules"),
    ("attributes.html", "Attributes"),
];

fn framed(site: &Site<'_>, page: Page) -> File {
    let root = Page::root(&page.path);
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " – " (site.title) }
                link rel="stylesheet" href={ (root) "style.css" };
                script src={ (root) "search.js" } data-root=(root) defer {}
            }
            body {
                header {
                    nav {
                        @for (href, text) in NAVIGATION { a href={ (root) (href) } { (text) } " " }
                    }
                    div id="search" {}
                }
                main {
                    @if let Some((href, text)) = page.within {
                        p.within { a href={ (root) (href) } { (text) } }
                    }
                    (page.body)
                }
                footer { p { (site.title) ". Made by mandate doc." } }
            }
        }
    };
    File { path: page.path, bytes: whole.into_string().into_bytes() }
}
