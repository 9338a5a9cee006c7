//! `NAME_selinux(8)`, in the sections that distributions have.

use std::collections::BTreeMap;

use mandate_compile::file_contexts::FileContext;
use mandate_policydb::TypeId;
use roff::{bold, roman};

use super::{Manual, domain_path};
use crate::File;
use crate::comment::plain;
use crate::facts::domain::{Domain, condition_words};
use crate::html::parts::{file_kind, numbers};
use crate::site::{Site, stem};

pub(super) fn page(site: &Site<'_>, it: &Domain) -> File {
    let name = site.facts.name(it.id);
    let stem = stem(name);
    let about = format!("SELinux policy of {name}");
    let mut page = Manual::new(site, &format!("{stem}_selinux"), "8", &about);
    description(&mut page, site, it);
    entry_points(&mut page, site, it);
    process_types(&mut page, site, it);
    booleans(&mut page, site, it);
    port_types(&mut page, site, it);
    managed(&mut page, site, it);
    file_contexts(&mut page, site, it);
    commands(&mut page, name);
    see_also(&mut page, site, it);
    page.finish(domain_path(stem))
}

/// A page by the name of a module leads to those of its domains.
pub(super) fn of_module(site: &Site<'_>, number: usize) -> Option<File> {
    let module = &site.reference.modules[number];
    let domains = site.domains_of[number].iter().map(|&it| &site.domains[it]);
    let domains: Vec<&Domain> = domains.filter(|it| !it.entry_points.is_empty()).collect();
    if domains.is_empty() {
        return None;
    }
    let about = format!("SELinux policy module {}", module.name);
    let mut page = Manual::new(site, &format!("{}_selinux", module.name), "8", &about);
    page.section("DESCRIPTION");
    page.blocks(&module.about.summary);
    page.blocks(&module.about.description);
    page.section("PROCESS TYPES");
    page.paragraph([roman("The module declares these domains, each with a page of its own:")]);
    for it in &domains {
        let name = site.facts.name(it.id);
        let note = module.notes.get(name).cloned();
        let text = note.unwrap_or_else(|| format!("{}_selinux(8)", stem(name)));
        page.item(name, "", &text);
    }
    page.section("SEE ALSO");
    let pages = domains.iter().map(|it| format!("{}_selinux(8)", stem(site.facts.name(it.id))));
    page.list(std::iter::once("selinux(8)".to_owned()).chain(pages));
    Some(page.finish(domain_path(&module.name)))
}

fn description(page: &mut Manual, site: &Site<'_>, it: &Domain) {
    let name = site.facts.name(it.id);
    page.section("DESCRIPTION");
    let purpose = site.purpose(it);
    page.paragraph([roman(format!(
        "Programs of the domain {name} are held to what the policy allows them. {purpose}"
    ))]);
    if it.permissive {
        page.paragraph([
            bold(format!("{name} is permissive: ")),
            roman("what it is denied is logged and done all the same."),
        ]);
    }
    if it.unconfined {
        page.paragraph([
            bold(format!("{name} is unconfined: ")),
            roman("the policy hardly restricts it."),
        ]);
    }
    page.paragraph([roman("Which processes run in it is shown by")]);
    page.example([format!("ps -eZ | grep {name}")]);
}

fn type_and_patterns(page: &mut Manual, site: &Site<'_>, id: TypeId) {
    let name = site.facts.name(id);
    page.paragraph([bold(name)]);
    if site.facts.sets.is_attribute(id) {
        let text = format!("(an attribute of {} types)", site.facts.size(id));
        page.roff.text([roman(text)]);
    }
    page.example(site.facts.patterns(name).iter().map(pattern));
}

fn pattern(it: &FileContext) -> String {
    match it.file_type {
        Some(kind) => format!("{} ({})", it.path, file_kind(kind)),
        None => it.path.clone(),
    }
}

fn entry_points(page: &mut Manual, site: &Site<'_>, it: &Domain) {
    page.section("ENTRYPOINTS");
    page.paragraph([roman("The domain is entered by executing files of these types:")]);
    for &id in &it.entry_points {
        type_and_patterns(page, site, id);
    }
    let mut sources: Vec<&str> = it.entered.iter().map(|it| site.facts.name(it.0)).collect();
    sources.sort_unstable();
    sources.dedup();
    if !sources.is_empty() {
        page.paragraph([roman("Without being asked for it is entered from")]);
        page.list(sources.into_iter().map(str::to_owned));
    }
}

fn process_types(page: &mut Manual, site: &Site<'_>, it: &Domain) {
    page.section("PROCESS TYPES");
    page.paragraph([roman("These domains are declared by the same module:")]);
    let module = site.module_of_type(it.id);
    let others = module.map_or(&[][..], |it| &site.domains_of[it as usize]);
    page.list(others.iter().map(|&it| site.facts.name(site.domains[it].id).to_owned()));
    page.paragraph([roman("To let a domain do all, and log what would be denied:")]);
    page.example([format!("semanage permissive -a {}", site.facts.name(it.id))]);
}

fn booleans(page: &mut Manual, site: &Site<'_>, it: &Domain) {
    let blocks = it.effects.iter().map(|it| &site.facts.db.conditionals[it.conditional as usize]);
    let ids = blocks.flat_map(|it| it.booleans());
    let found: BTreeMap<&str, bool> = ids
        .filter_map(|it| site.facts.db.booleans.get(it))
        .map(|it| (&*it.name, it.state))
        .collect();
    if found.is_empty() {
        return;
    }
    page.section("BOOLEANS");
    page.paragraph([roman("These booleans change what the domain may do. Their state is that of the policy as it was built. To turn one on for good:")]);
    page.example(["setsebool -P NAME on".to_owned()]);
    for (name, state) in found {
        let more = if state { " (on)" } else { " (off)" };
        page.item(name, more, &plain(site.boolean_about(name).0));
    }
}

fn port_types(page: &mut Manual, site: &Site<'_>, it: &Domain) {
    if it.ports.is_empty() {
        return;
    }
    page.section("PORT TYPES");
    for port in &it.ports {
        let name = site.facts.name(port.port);
        let verb = if port.bind { "bind" } else { "connect to" };
        let numbers = numbers(site.facts.ports(port.port), Some(port.protocol));
        let numbers = if numbers.is_empty() { "all others".to_owned() } else { numbers };
        let when = port.when.map(|(at, when)| condition_words(site.facts, at, when));
        let when = when.map_or_else(String::new, |it| format!(", while {it}"));
        let text = match site.facts.sets.is_attribute(port.port) {
            true => format!("All ports of this attribute{when}."),
            false => format!("Ports: {numbers}{when}."),
        };
        page.item(name, &format!(" (may {verb}, {})", port.protocol), &text);
    }
}

fn managed(page: &mut Manual, site: &Site<'_>, it: &Domain) {
    if it.manages.is_empty() {
        return;
    }
    page.section("MANAGED FILES");
    page.paragraph([roman("The domain may create, write and delete files of these types:")]);
    for &id in &it.manages {
        type_and_patterns(page, site, id);
    }
}

fn file_contexts(page: &mut Manual, site: &Site<'_>, it: &Domain) {
    let types = site.own_types(it);
    let paths = |id: &TypeId| site.facts.patterns(site.facts.name(*id)).len();
    // What is most used shows best how it is done; programs are rarely moved.
    let others = types.iter().rev().filter(|id| !it.entry_points.contains(id));
    let Some(&shown) = others.max_by_key(|id| paths(id)).or(types.first()) else { return };
    page.section("FILE CONTEXTS");
    page.paragraph([roman("Types that go with the domain, and the paths that have them:")]);
    for id in types.iter().copied() {
        type_and_patterns(page, site, id);
    }
    page.paragraph([roman("To give another path one of them for good:")]);
    let name = site.facts.name(shown);
    page.example([
        format!("semanage fcontext -a -t {name} '/srv/mine(/.*)?'"),
        "restorecon -R -v /srv/mine".to_owned(),
    ]);
}

fn commands(page: &mut Manual, name: &str) {
    page.section("COMMANDS");
    let commands = [
        ("semanage fcontext", "Contexts of files."),
        ("semanage port", "Types of ports."),
        ("semanage boolean", "Booleans, for good."),
        ("semanage permissive", "Permissive domains."),
        ("semodule", "Modules."),
    ];
    for (command, about) in commands {
        page.item(command, "", about);
    }
    let arguments = format!(" TREE --source {name} --places");
    page.item(
        "mandate query search",
        &arguments,
        "Every rule of the domain, and where it was written.",
    );
}

fn see_also(page: &mut Manual, site: &Site<'_>, it: &Domain) {
    page.section("SEE ALSO");
    let mut names = vec![
        "selinux(8)".to_owned(),
        "semanage(8)".to_owned(),
        "restorecon(8)".to_owned(),
        "setsebool(8)".to_owned(),
        "chcon(1)".to_owned(),
    ];
    if let Some(module) = site.module_of_type(it.id) {
        let others = site.domains_of[module as usize].iter().map(|&it| &site.domains[it]);
        let others = others.filter(|other| other.id != it.id && !other.entry_points.is_empty());
        names.extend(others.map(|it| format!("{}_selinux(8)", stem(site.facts.name(it.id)))));
        let module = site.module(module);
        if !module.interfaces.is_empty() {
            names.push(format!("{}_interfaces(3)", module.name));
        }
    }
    page.list(names);
}
