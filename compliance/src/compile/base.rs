//! `policies/base`, our own tree, given to the original tools too: it must build with the Makefile of the Reference Policy.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::builds::{Pair, Questions};
use super::original::Original;
use super::tree::{self, Overlay};
use crate::kernel::{Backend, Kernel};
use crate::place::Place;
use crate::reference::Flavour;
use crate::report::Report;

/// What makes a tree one that can be built; the rest of Debian's tree stays out.
const MACHINERY: [&str; 4] = ["Makefile", "Rules.monolithic", "Rules.modular", "VERSION"];

/// Builds it with both and compares all that can be compared.
///
/// # Errors
/// When the kernel cannot be had, a build fails, or the report cannot be written.
pub fn run(
    place: &Place,
    flavours: &[Flavour],
    questions: Questions,
    report: &mut Report<'_>,
) -> Result<()> {
    report.heading("policies/base, by the original tools too")?;
    let source = place.root.join("policies/base");
    let kernel = Kernel::prepare(Backend::Uml, &place.work.join("kernel"))?;
    let folder = place.work.join("compile");
    let overlay = with_makefile(place, &source, &folder.join("base-tree"))?;
    for flavour in flavours {
        let name = format!("base-{}", flavour.name());
        let words = vec![format!("TYPE={}", flavour.name()), format!("NAME={}", flavour.name())];
        let built = folder.join("by-originals").join(&name);
        let compared = Original::build_tree(&name, overlay.root(), &words, &built)
            .and_then(|original| Pair::build(place, original, &source, None, &words))
            .and_then(|pair| pair.compare(place, &kernel, questions, report));
        if let Err(why) = compared {
            report.case(&name, Err(format!("{why:#}")))?;
        }
    }
    Ok(())
}

/// Our tree with Debian's Makefile and `support/` around it.
fn with_makefile(place: &Place, source: &Path, to: &Path) -> Result<Overlay> {
    let debian = tree::pristine(place)?;
    let overlay = Overlay::copy(source, to)?;
    for file in MACHINERY {
        overlay.replace(file, &read(&debian.join(file))?)?;
    }
    let support = debian.join("support");
    for entry in fs::read_dir(&support).context("looking into support/")? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let file = format!("support/{name}");
            overlay.replace(&file, &read(&path)?)?;
            // The Makefile starts some of them; Debian's tree holds what they would make.
            fs::set_permissions(overlay.root().join(&file), fs::Permissions::from_mode(0o755))
                .with_context(|| format!("making {file} executable"))?;
        }
    }
    Ok(overlay)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}
