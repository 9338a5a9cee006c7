//! Man pages and completions, made from the table of options that the program itself uses.

use std::path::Path;

use anyhow::{Context, Result};
use clap::{Command, ValueEnum};
use clap_complete::Shell;

use crate::step::{say, target};

/// Writes them below target/docs.
pub(crate) fn write() -> Result<()> {
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
    say(&format!("wrote {} and {}", man.display(), completions.display()));
    Ok(())
}

fn complete(shell: Shell, command: &mut Command, folder: &Path) -> Result<()> {
    let name = command.get_name().to_owned();
    clap_complete::generate_to(shell, command, name, folder)
        .with_context(|| format!("writing the completions for {shell}"))?;
    Ok(())
}
