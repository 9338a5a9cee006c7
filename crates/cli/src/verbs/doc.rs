//! `mandate doc`: reference pages of a source tree.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use mandate_doc::{Documentation, Options, document};

use crate::Outcome;
use crate::folder::Folder;
use crate::render::{Findings, plural, text};
use crate::verbs::sources::{SourceArgs, TreeArgs};

/// A folder with this file was written by this verb.
const MARKER: &str = ".mandate-doc";

/// Arguments of `doc`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandate doc -o pages                             the embedded base policy; open pages/index.html
  mandate doc refpolicy -o pages --man             a source tree, and manual pages below pages/man
  mandate doc refpolicy -o pages --type mls --set UBAC=y
  man -M pages/man httpd_selinux                   the manual page of a domain
  man -M pages/man apache_interfaces               that of a module's interfaces

The pages need no server: search is a script beside them, and without scripts the lists lead everywhere.
What is malformed in the comments is told (mandate help W0201), and the pages are made all the same.
docs/doc.md says what the pages tell.

Exit codes: 0 written, 1 errors in the sources, 2 wrong usage, or a file cannot be read or written.")]
pub(crate) struct Args {
    /// A Reference Policy source tree; without it, the embedded base policy
    #[arg(value_name = "TREE")]
    tree: Option<PathBuf>,
    /// The folder to write: new, empty, or one that this verb wrote before, which is replaced
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Write manual pages, too: DIR/man/man8/DOMAIN_selinux.8 and DIR/man/man3/MODULE_interfaces.3
    #[arg(long)]
    man: bool,
    /// What the pages call the policy
    #[arg(long, value_name = "TEXT", default_value = "SELinux policy")]
    title: String,
    /// The date of manual pages, such as 2026-11-22; without it they have none, so that the same input gives the same bytes
    #[arg(long, value_name = "DATE", default_value = "", hide_default_value = true)]
    date: String,
    #[command(flatten)]
    chosen: TreeArgs,
    /// Keep nothing of the build for the next one, and use nothing that was kept
    #[arg(long)]
    no_cache: bool,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let started = Instant::now();
    let folder = Folder::claim(&args.output, MARKER)?;
    let sources = SourceArgs::of_tree(args.tree.clone(), args.chosen.clone(), args.no_cache);
    let (run, texts) = sources.compile_with_texts()?;
    let made = match &run.outcome.product {
        Some(product) if !run.outcome.failed() => {
            run.stage("writing pages");
            let options = args.options();
            let made = document(&texts, &run.outcome, product, &options);
            let files: Vec<_> = made.files.iter().map(|it| (&*it.path, &*it.bytes)).collect();
            folder.write(&files)?;
            Some(made)
        }
        _ => None,
    };
    let (outcome, _) = run.finish();
    let Some(made) = made else {
        sources.show(&outcome, &[], out, err)?;
        return Ok(Outcome::Faulty);
    };
    let findings = Findings::new(&texts.sources, &texts.expansions, &made.diagnostics);
    text::write(&findings, text::Settings::for_terminal(), err)?;
    summarise(args, &made, started.elapsed(), err)?;
    Ok(Outcome::Success)
}

impl Args {
    fn options(&self) -> Options {
        Options { title: self.title.clone(), man: self.man, date: self.date.clone() }
    }
}

/// The closing line.
fn summarise(args: &Args, made: &Documentation, took: Duration, err: &mut dyn Write) -> Result<()> {
    let counts = made.counts;
    let pages = made.files.iter().filter(|it| it.path.ends_with(".html")).count();
    let manuals = made.files.iter().filter(|it| it.path.starts_with("man/")).count();
    let mut told = vec![plural(pages, "page")];
    told.extend((manuals != 0).then(|| plural(manuals, "manual page")));
    let what = [
        plural(counts.modules, "module"),
        plural(counts.interfaces, "interface"),
        plural(counts.domains, "domain"),
        plural(counts.booleans, "boolean"),
    ];
    let index = args.output.join("index.html");
    writeln!(
        err,
        "{}: {} of {} in {:.2} s",
        index.display(),
        told.join(" and "),
        what.join(", "),
        took.as_secs_f64()
    )?;
    Ok(())
}
