//! A page for each module: what it says of itself, and its interfaces.

use std::ops::Range;

use mandate_compile::refpolicy::modules::Setting;
use maud::{Markup, html};

use super::Page;
use super::parts::{blocks, callers, numbers, patterns, place, plural, type_list};
use crate::reference::{Caller, Interface, Module};
use crate::site::{
    Site, attribute_page, boolean_page, domain_page, layer_page, module_page, part_page,
};

const ROOT: &str = "../";

pub(super) fn page(site: &Site<'_>, number: usize) -> Page {
    let module = &site.reference.modules[number];
    let body = html! {
        h1 { (module.name) " " small { "module" } }
        (about(site, module))
        (contents(site, module, number))
        (domains(site, number))
        (interfaces(site, module))
        (booleans(site, module))
        (types(site, number))
        (attributes(site, number))
        (calls(site, module))
    };
    let title = format!("{} (module)", module.name);
    let within = Some(("modules.html", "Modules"));
    Page { path: module_page(&module.name), title, within, body }
}

fn about(site: &Site<'_>, module: &Module) -> Markup {
    let setting = match module.setting {
        Setting::Base => "part of the base module",
        Setting::Module => "a module of its own",
        Setting::Off => "not built: its rules are not in the policy",
    };
    html! {
        div.lead { (blocks(site, ROOT, &module.about.summary)) }
        (blocks(site, ROOT, &module.about.description))
        p.facts {
            "Layer " a href={ (ROOT) (layer_page(&module.layer)) } { (module.layer) } "; " (setting)
            @if module.about.required.is_some() { "; every policy needs it" }
            ". " @for path in &module.files { code.place { (path) } " " }
        }
        @if let Some(why) = &module.about.required { (blocks(site, ROOT, why)) }
    }
}

fn contents(site: &Site<'_>, module: &Module, number: usize) -> Markup {
    let parts = [
        ("domains", "Domains", site.domains_of[number].len()),
        ("interfaces", "Interfaces", module.interfaces.len()),
        ("booleans", "Booleans", module.booleans.len()),
        ("types", "Types", site.types_of[number].len()),
        ("attributes", "Attributes", site.attributes_of[number].len()),
        ("calls", "Calls", module.calls.len()),
    ];
    html! {
        p.contents {
            @for (id, text, count) in parts.iter().filter(|it| it.2 != 0) {
                a href={ "#" (id) } { (text) " (" (count) ")" } " "
            }
        }
    }
}

fn domains(site: &Site<'_>, number: usize) -> Markup {
    let all = &site.domains_of[number];
    html! {
        @if !all.is_empty() {
            h2 id="domains" { "Domains" }
            ul {
                @for &at in all {
                    @let name = site.facts.name(site.domains[at].id);
                    li {
                        a href={ (ROOT) (domain_page(name)) } { (name) }
                        @if let Some(note) = site.reference.modules[number].notes.get(name) { " " (note) }
                    }
                }
            }
        }
    }
}

fn interfaces(site: &Site<'_>, module: &Module) -> Markup {
    let parts = Site::parts(module);
    html! {
        @if !module.interfaces.is_empty() {
            h2 id="interfaces" { "Interfaces" }
            @if parts == 0 {
                (listed(site, module.interfaces.clone()))
            } @else {
                p { "They stand on " (plural(parts, "page")) ":" }
                ul {
                    @for part in 0..parts {
                        @let range = Site::part(module, part);
                        @let (first, last) = (site.interface(range.start), site.interface(range.end - 1));
                        li { a href={ (ROOT) (part_page(&module.name, part)) } { (first.name) " to " (last.name) } }
                    }
                }
            }
        }
    }
}

/// Interfaces with the list of their names.
fn listed(site: &Site<'_>, range: Range<u32>) -> Markup {
    let all = || range.clone().map(|it| site.interface(it));
    html! {
        details.index open[range.len() <= 40] {
            summary { (plural(range.len(), "interface")) }
            ul.names { @for it in all() { li { a href={ "#" (it.name) } { (it.name) } } } }
        }
        @for it in all() { (interface(site, it)) }
    }
}

/// The pages of interfaces that a module with very many has.
pub(super) fn parts(site: &Site<'_>, number: usize) -> Vec<Page> {
    let module = &site.reference.modules[number];
    let page = |part| {
        let body = html! {
            h1 { a href={ (ROOT) (module_page(&module.name)) } { (module.name) } " " small { "interfaces, page " (part + 1) } }
            (listed(site, Site::part(module, part)))
        };
        let title = format!("{} (interfaces, page {})", module.name, part + 1);
        let within = Some(("modules.html", "Modules"));
        Page { path: part_page(&module.name, part), title, within, body }
    };
    (0..Site::parts(module)).map(page).collect()
}

fn interface(site: &Site<'_>, it: &Interface) -> Markup {
    let kind = if it.template { "template" } else { "interface" };
    html! {
        section.interface id=(it.name) {
            h3 { code { (it.signature()) } " " small { (kind) } }
            @if it.deprecated { p.warning { "Deprecated: its use is warned of." } }
            (blocks(site, ROOT, &it.about.summary))
            (blocks(site, ROOT, &it.about.description))
            (parameters(site, it))
            p.facts { (marks(it)) (place(&it.place)) }
            (callers(site, ROOT, &it.callers, "Called by"))
            @if !it.calls.is_empty() { (callers(site, ROOT, &called(&it.calls), "Calls")) }
        }
    }
}

fn called(calls: &[u32]) -> Vec<Caller> {
    calls.iter().map(|&it| Caller::Interface(it)).collect()
}

fn parameters(site: &Site<'_>, it: &Interface) -> Markup {
    let documented = it.about.parameters.len();
    html! {
        @if documented != 0 || it.used != 0 {
            dl.parameters {
                @for (number, name) in it.parameters().enumerate() {
                    dt {
                        code { (name) }
                        @if let Some(it) = it.about.parameters.get(number) {
                            @if it.optional { " " small { "optional" } }
                            @if it.unused { " " small { "unused" } }
                        }
                    }
                    dd {
                        @match it.about.parameters.get(number) {
                            Some(it) => (blocks(site, ROOT, &it.summary)),
                            None => p { "Not documented." },
                        }
                    }
                }
            }
        }
    }
}

/// Information flow and roles.
fn marks(it: &Interface) -> Markup {
    html! {
        @if let Some(flow) = &it.about.flow {
            "Information flow: " (flow.kind)
            @if !flow.weight.is_empty() && flow.kind != "none" { ", weight " (flow.weight) } ". "
        }
        @if it.about.role_base { "Makes a role. " }
        @if it.about.role_capability { "May be given to a role. " }
    }
}

fn booleans(site: &Site<'_>, module: &Module) -> Markup {
    html! {
        @if !module.booleans.is_empty() {
            h2 id="booleans" { "Booleans" }
            dl {
                @for at in module.booleans.clone() {
                    @let it = &site.reference.booleans[at as usize];
                    dt {
                        @if site.facts.db.booleans.find(&it.name).is_some() {
                            a href={ (ROOT) (boolean_page(&it.name)) } { (it.name) }
                        } @else { code { (it.name) } }
                        " " small { (if it.default { "on" } else { "off" }) }
                    }
                    dd {
                        (blocks(site, ROOT, &it.about.summary))
                        (blocks(site, ROOT, &it.about.description))
                    }
                }
            }
        }
    }
}

fn types(site: &Site<'_>, number: usize) -> Markup {
    let all = &site.types_of[number];
    html! {
        @if !all.is_empty() {
            h2 id="types" { "Types" }
            dl.types {
                @for name in all {
                    @if let Some(id) = site.facts.db.types.id(name) {
                        @let attributes: Vec<_> = site.facts.sets.attributes(id).collect();
                        dt id={ "type-" (name) } { code { (name) } }
                        dd {
                            @if !site.facts.ports(id).is_empty() {
                                p { "Ports: " (numbers(site.facts.ports(id), None)) }
                            }
                            @if !site.facts.patterns(name).is_empty() {
                                (patterns(site.facts.patterns(name)))
                            }
                            @if !attributes.is_empty() {
                                p.facts { "Attributes: " (type_list(site, ROOT, &attributes)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn attributes(site: &Site<'_>, number: usize) -> Markup {
    let all = &site.attributes_of[number];
    html! {
        @if !all.is_empty() {
            h2 id="attributes" { "Attributes" }
            ul.names {
                @for name in all {
                    @if site.facts.db.types.find(name).is_some_and(|it| it.attribute) {
                        li { a href={ (ROOT) (attribute_page(name)) } { (name) } }
                    } @else { li { (name) } }
                }
            }
        }
    }
}

fn calls(site: &Site<'_>, module: &Module) -> Markup {
    html! {
        @if !module.calls.is_empty() {
            h2 id="calls" { "Calls" }
            (callers(site, ROOT, &called(&module.calls), "Its rules call"))
        }
    }
}
