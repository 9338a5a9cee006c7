//! The pages that lead to all others.

use maud::{Markup, html};

use super::Page;
use super::domain::on;
use super::parts::{blocks, plural, types};
use crate::comment::plain;
use crate::site::{
    Site, attribute_page, boolean_page, domain_page, first_sentence, layer_page, module_page,
};

pub(super) fn pages(site: &Site<'_>) -> Vec<Page> {
    let mut pages =
        vec![overview(site), domains(site), booleans(site), modules(site), attributes(site)];
    pages.extend(site.reference.layer_names().into_iter().map(|it| layer(site, it)));
    pages
}

fn list(path: &str, title: &str, body: Markup) -> Page {
    Page { path: path.to_owned(), title: title.to_owned(), within: None, body }
}

fn overview(site: &Site<'_>) -> Page {
    let reference = site.reference;
    let body = html! {
        h1 { (site.title) }
        p.lead {
            "What the policy allows, domain by domain, and the interfaces that it is written with."
        }
        noscript { p { "Without scripts there is no search; the lists below lead everywhere." } }
        ul.doors {
            li { a href="domains.html" { (plural(site.domains.len(), "domain")) }
                ": what a program may do, how it is entered, which booleans change it" }
            li { a href="booleans.html" { (plural(site.facts.db.booleans.len(), "boolean")) }
                ": what can be switched without changing the policy" }
            li { a href="modules.html" { (plural(reference.modules.len(), "module")) " with "
                (plural(reference.interfaces.len(), "interface")) }
                ": for who writes policy" }
            li { a href="attributes.html" { (plural(site.facts.attributes().count(), "attribute")) }
                ": names for sets of types" }
        }
        h2 { "Layers" }
        dl {
            @for name in reference.layer_names() {
                dt { a href=(layer_page(name)) { (name) }
                    " " small { (plural(reference.of_layer(name).count(), "module")) } }
                dd { (blocks(site, "", reference.layers.get(name).map_or(&[][..], Vec::as_slice))) }
            }
        }
    };
    list("index.html", "Overview", body)
}

fn domains(site: &Site<'_>) -> Page {
    let body = html! {
        h1 { "Domains" }
        p.facts { "A domain is the type of a process." }
        div.wide { table.list {
            tbody { @for it in site.domains { tr {
                @let name = site.facts.name(it.id);
                td { a href=(domain_page(name)) { (name) } }
                td {
                    (site.purpose(it))
                    @if it.unconfined { " " strong { "unconfined" } }
                    @if it.permissive { " " strong { "permissive" } }
                }
            } } }
        } }
    };
    list("domains.html", "Domains", body)
}

fn booleans(site: &Site<'_>) -> Page {
    let body = html! {
        h1 { "Booleans" }
        div.wide { table.list {
            thead { tr { th { "boolean" } th { "now" } th { "what it is for" } th { "domains" } } }
            tbody { @for it in site.facts.db.booleans.by_name() { tr {
                td { a href=(boolean_page(&it.name)) { (it.name) } }
                td { (on(it.state)) }
                td { (first_sentence(&plain(site.boolean_about(&it.name).0))) }
                td { (site.changed.get(&it.id).map_or(0, Vec::len)) }
            } } }
        } }
    };
    list("booleans.html", "Booleans", body)
}

fn modules(site: &Site<'_>) -> Page {
    let body = html! {
        h1 { "Modules" }
        @for name in site.reference.layer_names() {
            h2 { a href=(layer_page(name)) { (name) } }
            (module_list(site, "", name))
        }
    };
    list("modules.html", "Modules", body)
}

fn module_list(site: &Site<'_>, root: &str, layer: &str) -> Markup {
    html! {
        div.wide { table.list { tbody {
            @for it in site.reference.of_layer(layer) { tr {
                td { a href={ (root) (module_page(&it.name)) } { (it.name) } }
                td { (first_sentence(&plain(&it.about.summary))) }
            } }
        } } }
    }
}

fn layer(site: &Site<'_>, name: &str) -> Page {
    let about = site.reference.layers.get(name).map_or(&[][..], Vec::as_slice);
    let body = html! {
        h1 { (name) " " small { "layer" } }
        div.lead { (blocks(site, "../", about)) }
        (module_list(site, "../", name))
    };
    let within = Some(("modules.html", "Modules"));
    Page { path: layer_page(name), title: format!("{name} (layer)"), within, body }
}

fn attributes(site: &Site<'_>) -> Page {
    let body = html! {
        h1 { "Attributes" }
        p.facts { "An attribute names a set of types; a rule about it is one about each of them." }
        div.wide { table.list { tbody {
            @for (id, name) in site.facts.attributes() { tr {
                td { a href=(attribute_page(name)) { (name) } }
                td { (types(site.facts.size(id))) }
            } }
        } } }
    };
    list("attributes.html", "Attributes", body)
}
