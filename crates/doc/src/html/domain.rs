//! A page for each domain: how it is entered, what it may do, and which booleans change that.

use std::collections::BTreeMap;

use mandate_policydb::TypeId;
use mandate_syntax::kernel::RequireKind;
use maud::{Markup, html};

use super::Page;
use super::parts::{blocks, groups, numbers, patterns, place, plural, type_, type_list};
use crate::comment::plain;
use crate::facts::domain::{Domain, Effect, PortUse, condition};
use crate::site::{Site, boolean_page, domain_page, first_sentence, module_page};

const ROOT: &str = "../";

pub(super) fn page(site: &Site<'_>, it: &Domain) -> Page {
    let name = site.facts.name(it.id);
    let body = html! {
        h1 { (name) " " small { "domain" } }
        (about(site, it))
        (contents(site, it))
        (entering(site, it))
        (ports(site, it))
        (booleans(site, it))
        (does(site, it))
        (manages(site, it))
        (own_types(site, it))
        (attributes(site, it))
        (questions(name))
    };
    let within = Some(("domains.html", "Domains"));
    Page { path: domain_page(name), title: format!("{name} (domain)"), within, body }
}

fn about(site: &Site<'_>, it: &Domain) -> Markup {
    let module = site.module_of_type(it.id).map(|it| site.module(it));
    let name = site.facts.name(it.id);
    let note = module.and_then(|module| module.notes.get(name));
    html! {
        @if it.permissive {
            p.warning { strong { "Permissive." } " What it is denied is logged and done all the same." }
        }
        @if it.unconfined {
            p.warning { strong { "Unconfined." } " The policy hardly restricts it." }
        }
        @if let Some(note) = note { p.lead { (note) } }
        @if let Some(module) = module {
            div class=[note.is_none().then_some("lead")] { (blocks(site, ROOT, &module.about.summary)) }
            (blocks(site, ROOT, &module.about.description))
            p.facts {
                "Module " a href={ (ROOT) (module_page(&module.name)) } { (module.name) } ". "
                @if let Some(it) = site.facts.declared(RequireKind::Type, name) { "Declared at " (place(it)) }
            }
        }
    }
}

fn contents(site: &Site<'_>, it: &Domain) -> Markup {
    let parts = [
        ("entered", "How it is entered", true),
        ("ports", "Ports", !it.ports.is_empty()),
        ("booleans", "Booleans", !it.effects.is_empty()),
        ("may", "What it may do", true),
        ("manages", "Files it manages", !it.manages.is_empty()),
        ("types", "Its types", !site.own_types(it).is_empty()),
        ("attributes", "Attributes", !it.attributes.is_empty()),
    ];
    html! {
        p.contents {
            @for (id, text, _) in parts.iter().filter(|it| it.2) {
                a href={ "#" (id) } { (text) } " "
            }
        }
    }
}

fn entering(site: &Site<'_>, it: &Domain) -> Markup {
    html! {
        h2 id="entered" { "How it is entered" }
        @if it.entry_points.is_empty() {
            p { "No file is its entry point: no program starts in it." }
        } @else {
            p { "By executing files of these types:" }
            dl.types {
                @for &entry in &it.entry_points {
                    dt { (type_(site, ROOT, entry)) }
                    dd { (patterns(site.facts.patterns(site.facts.name(entry)))) }
                }
            }
        }
        @if !it.entered.is_empty() {
            p { "Without being asked for it is entered" }
            ul { @for (file, sources) in by_file(it) { li {
                "when " (type_(site, ROOT, file)) " is executed by " (type_list(site, ROOT, &sources))
            } } }
        }
        @if !it.roles.is_empty() {
            p { "Roles that may have it: "
                @for (number, role) in it.roles.iter().enumerate() {
                    @if number != 0 { ", " } code { (site.role(*role)) }
                }
            }
        }
        @for (role, file, new) in &it.role_transitions {
            p {
                "Role " code { (site.role(*role)) } " becomes " code { (site.role(*new)) }
                " by executing " (type_(site, ROOT, *file)) "."
            }
        }
    }
}

/// Who enters by which file.
fn by_file(it: &Domain) -> Vec<(TypeId, Vec<TypeId>)> {
    let mut found: Vec<(TypeId, Vec<TypeId>)> = Vec::new();
    for &(source, file) in &it.entered {
        match found.last_mut().filter(|it| it.0 == file) {
            Some((_, sources)) => sources.push(source),
            None => found.push((file, vec![source])),
        }
    }
    found
}

fn ports(site: &Site<'_>, it: &Domain) -> Markup {
    let alike =
        |a: &PortUse, b: &PortUse| (a.bind, a.protocol, a.when) == (b.bind, b.protocol, b.when);
    html! {
        @if !it.ports.is_empty() {
            h2 id="ports" { "Ports" }
            div.wide { table {
                thead { tr { th { "may" } th { "protocol" } th { "when" } th { "ports" } } }
                tbody { @for row in it.ports.chunk_by(alike) { tr {
                    td { (if row[0].bind { "bind" } else { "connect" }) }
                    td { (row[0].protocol) }
                    td {
                        @match row[0].when {
                            None => "always",
                            Some((number, when)) => (condition_links(site, number, when)),
                        }
                    }
                    td { @for (number, port) in row.iter().enumerate() {
                        @if number != 0 { "; " }
                        (port_of(site, port))
                    } }
                } } }
            } }
        }
    }
}

/// Of an attribute with no more port types their numbers are told.
const FEW_PORTS: usize = 6;

fn port_of(site: &Site<'_>, it: &PortUse) -> Markup {
    let attribute = site.facts.sets.is_attribute(it.port);
    let numbers = match site.facts.name(it.port) {
        "port_type" if attribute => "every port".to_owned(),
        _ if attribute && site.facts.size(it.port) > FEW_PORTS => String::new(),
        _ if attribute => {
            let members = site.facts.sets.members(it.port).ids::<TypeId>();
            let of = |it: TypeId| site.facts.ports(it).iter().copied();
            let mut all: Vec<_> = members.flat_map(of).collect();
            all.sort_unstable();
            numbers(&all, Some(it.protocol))
        }
        // Ports without a label of their own have this.
        _ if site.facts.ports(it.port).is_empty() => "all others".to_owned(),
        _ => numbers(site.facts.ports(it.port), Some(it.protocol)),
    };
    html! { (type_(site, ROOT, it.port)) @if !numbers.is_empty() { " " small { (numbers) } } }
}

/// A condition, its booleans linked: `httpd_can_network_connect is on`.
fn condition_links(site: &Site<'_>, number: u32, when: bool) -> Markup {
    let text = condition(site.facts, number, when);
    let single = text.trim_start_matches('!');
    if site.facts.db.booleans.find(single).is_some() {
        let state = if text.starts_with('!') { "off" } else { "on" };
        return html! { a href={ (ROOT) (boolean_page(single)) } { (single) } " is " (state) };
    }
    let is_word = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
    let mut rest = text.as_str();
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let word = rest.starts_with(is_word);
        let end = rest.find(|it| is_word(it) != word).unwrap_or(rest.len());
        parts.push((word, &rest[..end]));
        rest = &rest[end..];
    }
    html! {
        @for (word, part) in parts {
            @if word { a href={ (ROOT) (boolean_page(part)) } { (part) } } @else { (part) }
        }
    }
}

fn booleans(site: &Site<'_>, it: &Domain) -> Markup {
    let mut names: BTreeMap<&str, bool> = BTreeMap::new();
    for effect in &it.effects {
        let block = &site.facts.db.conditionals[effect.conditional as usize];
        for boolean in block.booleans().filter_map(|it| site.facts.db.booleans.get(it)) {
            names.insert(&boolean.name, boolean.state);
        }
    }
    html! {
        @if !it.effects.is_empty() {
            h2 id="booleans" { "Booleans that change it" }
            div.wide { table {
                thead { tr { th { "boolean" } th { "now" } th { "what it is for" } } }
                tbody { @for (name, state) in &names { tr {
                    td { a href={ (ROOT) (boolean_page(name)) } { (name) } }
                    td { (on(*state)) }
                    td { (first_sentence(&plain(site.boolean_about(name).0))) }
                } } }
            } }
            p.facts { "Now is as the policy was built; " code { "getsebool NAME" } " asks the running system, "
                code { "setsebool -P NAME on" } " turns one on." }
            @for effect in &it.effects { (effect_of(site, effect)) }
        }
    }
}

pub(super) fn on(state: bool) -> &'static str {
    if state { "on" } else { "off" }
}

fn effect_of(site: &Site<'_>, it: &Effect) -> Markup {
    html! {
        @if !it.does.is_empty() { details.effect {
            summary { "While " (condition_links(site, it.conditional, it.when)) ", it may also" }
            (groups(site, ROOT, &it.does, 4))
        } }
    }
}

fn does(site: &Site<'_>, it: &Domain) -> Markup {
    html! {
        h2 id="may" { "What it may do" }
        p.facts {
            "Whatever booleans say"
            @if let Some(domain) = site.facts.domain {
                ", and beside what every " (type_(site, ROOT, domain)) " may do"
            }
            ". Attributes stand for all their types. Levels and roles may restrict it further."
        }
        (groups(site, ROOT, &it.does, 3))
    }
}

fn manages(site: &Site<'_>, it: &Domain) -> Markup {
    html! {
        @if !it.manages.is_empty() {
            h2 id="manages" { "Files it manages" }
            p.facts { "Types of which it may create, write and delete files, and the paths that have them." }
            dl.types {
                @for &id in &it.manages {
                    dt { (type_(site, ROOT, id)) }
                    dd { (patterns(site.facts.patterns(site.facts.name(id)))) }
                }
            }
        }
    }
}

fn own_types(site: &Site<'_>, it: &Domain) -> Markup {
    let types = site.own_types(it);
    html! {
        @if !types.is_empty() {
            h2 id="types" { "Its types" }
            p.facts { "Types that go with it by their names. " code { "semanage fcontext" }
                " gives a path one of them, " code { "restorecon" } " sets it." }
            dl.types {
                @for id in types {
                    @let name = site.facts.name(id);
                    dt { (type_(site, ROOT, id)) }
                    dd {
                        @if !site.facts.ports(id).is_empty() {
                            p { "Ports: " (numbers(site.facts.ports(id), None)) }
                        }
                        (patterns(site.facts.patterns(name)))
                    }
                }
            }
        }
    }
}

fn attributes(site: &Site<'_>, it: &Domain) -> Markup {
    html! {
        @if !it.attributes.is_empty() {
            h2 id="attributes" { "Attributes" }
            p.facts { "It belongs to " (plural(it.attributes.len(), "attribute")) ", each of which may bring rules." }
            p { (type_list(site, ROOT, &it.attributes)) }
        }
    }
}

fn questions(name: &str) -> Markup {
    html! {
        h2 { "Ask further" }
        pre { code {
            "mandate query search TREE --source " (name) " --places   # every rule, and where it was written\n"
            "mandate query flow TREE --help                     # where information can go from there"
        } }
    }
}
