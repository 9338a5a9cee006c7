//! A page for each boolean: what it decides, who asks it, and which rules it turns on and off.

use mandate_policydb::{AvRule, BooleanDatum, Conditional};
use maud::{Markup, html};

use super::Page;
use super::domain::on;
use super::parts::{blocks, place, plural};
use crate::reference::Boolean;
use crate::site::{Site, boolean_page, domain_page, module_page};

const ROOT: &str = "../";

pub(super) fn page(site: &Site<'_>, it: &BooleanDatum) -> Page {
    let (about, declared) = site.boolean_about(&it.name);
    let mut blocks_: Vec<&Conditional> = site
        .facts
        .db
        .conditionals
        .iter()
        .filter(|block| block.booleans().any(|id| id == it.id))
        .collect();
    blocks_.sort_by_cached_key(|it| (it.expression.len(), site.facts.db.condition_to_string(it)));
    let body = html! {
        h1 { (it.name) " " small { "boolean" } }
        div.lead { (blocks(site, ROOT, about)) }
        p { "In this policy it is " strong { (on(it.state)) } ". "
            code { "setsebool -P " (it.name) " " (on(!it.state)) } " turns it " (on(!it.state)) "." }
        (changes(site, it))
        @if let Some(declared) = declared { (origin(site, declared)) }
        @for block in blocks_ { (rules(site, block)) }
    };
    let within = Some(("booleans.html", "Booleans"));
    let title = format!("{} (boolean)", it.name);
    Page { path: boolean_page(&it.name), title, within, body }
}

fn origin(site: &Site<'_>, it: &Boolean) -> Markup {
    html! {
        p.facts {
            @match it.module.map(|it| site.module(it)) {
                Some(module) => {
                    "Module " a href={ (ROOT) (module_page(&module.name)) } { (module.name) } ". "
                }
                None => "For the whole policy. ",
            }
            "Declared at " (place(&it.place))
        }
        @if !it.uses.is_empty() {
            h2 id="uses" { "Where it is asked" }
            ul {
                @for (caller, at) in &it.uses {
                    @let (name, page) = site.caller(*caller);
                    li { a href={ (ROOT) (page) } { (name) } " " (place(at)) }
                }
            }
        }
    }
}

fn changes(site: &Site<'_>, it: &BooleanDatum) -> Markup {
    let all = site.changed.get(&it.id).map_or(&[][..], Vec::as_slice);
    let list = || {
        html! {
            p {
                @for (number, &at) in all.iter().enumerate() {
                    @let name = site.facts.name(site.domains[at].id);
                    @if number != 0 { ", " }
                    a href={ (ROOT) (domain_page(name)) "#booleans" } { (name) }
                }
            }
        }
    };
    html! {
        h2 id="changes" { "Domains it changes" }
        @if all.is_empty() { p { "None." } }
        @else if all.len() > 60 {
            details { summary { (plural(all.len(), "domain")) } (list()) }
        } @else { (list()) }
    }
}

fn rules(site: &Site<'_>, block: &Conditional) -> Markup {
    let text = site.facts.db.condition_to_string(block);
    html! {
        h2 { "Rules of " code { (text) } }
        (branch(site, "While it holds", &block.when_true))
        (branch(site, "While it does not hold", &block.when_false))
    }
}

fn branch(site: &Site<'_>, when: &str, rules: &[AvRule]) -> Markup {
    let mut lines: Vec<String> = rules.iter().map(|it| site.facts.db.rule_to_string(it)).collect();
    lines.sort_unstable();
    html! {
        @if !lines.is_empty() {
            details open[lines.len() <= 40] {
                summary { (when) " (" (plural(lines.len(), "rule")) ")" }
                pre.rules { code { @for line in lines { (line) "\n" } } }
            }
        }
    }
}
