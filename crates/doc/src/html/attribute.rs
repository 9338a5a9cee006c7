//! A page for each attribute: its members, and what they may do for being members.

use mandate_policydb::TypeId;
use mandate_syntax::kernel::RequireKind;
use maud::html;

use super::Page;
use super::parts::{groups, place, type_list, types};
use crate::site::{Site, attribute_page, module_page};

const ROOT: &str = "../";

pub(super) fn page(site: &Site<'_>, (id, name): (TypeId, &str)) -> Page {
    let declared = site.facts.declared(RequireKind::Attribute, name);
    let module = declared.and_then(|it| site.reference.module_of(it)).map(|it| site.module(it));
    let mut members: Vec<TypeId> = site.facts.sets.members(id).ids().collect();
    members.sort_by_key(|it| site.facts.name(*it));
    let rules = site.facts.of_attribute(id);
    let body = html! {
        h1 { (name) " " small { "attribute" } }
        p.facts {
            @if let Some(module) = module {
                "Module " a href={ (ROOT) (module_page(&module.name)) } { (module.name) } ". "
            }
            @if let Some(it) = declared { "Declared at " (place(it)) }
        }
        h2 id="members" { "Members (" (types(members.len())) ")" }
        @if members.is_empty() { p { "No type has it." } }
        p { (type_list(site, ROOT, &members)) }
        @if !rules.is_empty() {
            h2 id="may" { "What its members may do" }
            p.facts { "For being members, whatever booleans say." }
            (groups(site, ROOT, &rules, 3))
        }
    };
    let within = Some(("attributes.html", "Attributes"));
    Page { path: attribute_page(name), title: format!("{name} (attribute)"), within, body }
}
