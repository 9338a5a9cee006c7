//! `NAME_interfaces(3)`: what other modules call. Section 3, where those who write programs look for what they can call.

use super::Manual;
use crate::File;
use crate::comment::plain;
use crate::reference::{Interface, Module};
use crate::site::Site;

pub(super) fn page(site: &Site<'_>, module: &Module) -> File {
    let name = format!("{}_interfaces", module.name);
    let about = format!("interfaces of the SELinux policy module {}", module.name);
    let mut page = Manual::new(site, &name, "3", &about);
    page.section("DESCRIPTION");
    page.blocks(&module.about.summary);
    page.blocks(&module.about.description);
    page.section("INTERFACES");
    for it in module.interfaces.clone() {
        interface(&mut page, site.interface(it));
    }
    page.section("FILES");
    page.list(module.files.iter().cloned());
    page.section("SEE ALSO");
    let domains = site.domains.iter().filter(|it| {
        !it.entry_points.is_empty()
            && site.module_of_type(it.id).is_some_and(|it| site.module(it).name == module.name)
    });
    let domains =
        domains.map(|it| format!("{}_selinux(8)", crate::site::stem(site.facts.name(it.id))));
    page.list(std::iter::once("selinux(8)".to_owned()).chain(domains));
    page.finish(format!("man/man3/{name}.3"))
}

fn interface(page: &mut Manual, it: &Interface) {
    page.subsection(&it.signature());
    page.blocks(&it.about.summary);
    page.blocks(&it.about.description);
    if it.deprecated {
        page.paragraph([roff::roman("Deprecated: its use is warned of.")]);
    }
    for (number, name) in it.parameters().enumerate() {
        let about = it.about.parameters.get(number);
        let optional = about.is_some_and(|it| it.optional);
        let text = about.map(|it| plain(&it.summary)).unwrap_or_default();
        page.item(&name, if optional { " (optional)" } else { "" }, &text);
    }
}
