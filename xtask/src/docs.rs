//! Man pages and completions, made from the table of options that the program itself uses, and the page of codes.

use std::path::Path;

use anyhow::{Context, Result};
use clap::{Command, ValueEnum};
use clap_complete::Shell;
use mandate_syntax::codes::Code;

use crate::step::{root, say, target};

/// Writes them below target/docs, and docs/codes.md.
pub(crate) fn write() -> Result<()> {
    let codes = root()?.join("docs/codes.md");
    std::fs::write(&codes, codes_page()).with_context(|| format!("writing {}", codes.display()))?;
    let folder = target()?.join("docs");
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    for folder in [&man, &completions] {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let mut command = mandate_cli::command();
    clap_mangen::generate_to(command.clone(), &man).context("writing the man pages")?;
    for shell in Shell::value_variants() {
        complete(*shell, &mut command, &completions)?;
    }
    let written = [codes, man, completions].map(|it| it.display().to_string());
    say(&format!("wrote {}", written.join(", ")));
    Ok(())
}

/// The catalogue of codes, as `mandate help CODE` tells it.
fn codes_page() -> String {
    let mut page = String::from(
        "# Codes of findings\n\nMade from the catalogue in crates/syntax/src/codes.rs by `cargo xtask docs`; `mandate help CODE` tells \
         the same.\n",
    );
    for code in Code::ALL {
        page += &format!("\n## {}: {}\n", code.as_str(), code.title());
        let explanation = code.explanation();
        if !explanation.is_empty() {
            page += &format!("\n{explanation}\n");
        }
    }
    page
}

fn complete(shell: Shell, command: &mut Command, folder: &Path) -> Result<()> {
    let name = command.get_name().to_owned();
    clap_complete::generate_to(shell, command, name, folder)
        .with_context(|| format!("writing the completions for {shell}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_of_codes_is_up_to_date() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/codes.md");
        let page = std::fs::read_to_string(page).expect("docs/codes.md is there");
        assert!(page == super::codes_page(), "cargo xtask docs writes docs/codes.md anew");
    }
}
