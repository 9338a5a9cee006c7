//! `mandate demo`: what mandatory access control does, in ten steps that are run and checked on this machine.

mod scene;
mod server;
mod stage;
mod steps;
mod web;

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Error, Result};
use mandate_host::interrupt;

use crate::{ALLOWED, DENIED, Outcome, STRONG, styled};
use scene::Scene;
use stage::Stage;
use steps::{STEPS, Step};

/// Arguments of `demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Wait for Enter between the steps
    #[arg(long)]
    step: bool,
    /// Show this step alone
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(u8).range(1..=10))]
    only: Option<u8>,
    /// Be the web server of the demonstration, until standard input ends
    #[arg(long, hide = true, value_name = "FOLDER", requires = "port")]
    serve: Option<PathBuf>,
    /// Where it listens
    #[arg(long, hide = true, requires = "serve")]
    port: Option<u16>,
}

/// What this machine cannot do.
#[derive(Debug)]
struct Lacking(String);

impl Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Lacking {}

/// Ended by Ctrl-C or a signal like it: 128 and the number of `SIGINT`.
const INTERRUPTED: Outcome = Outcome::Code(130);

const HEAD: &str = "\
What mandatory access control does: a policy says what each program may do, whoever runs it and whatever file modes say.
No root, no SELinux in the kernel; nothing is left behind.
";

/// Labels that files have are stronger than those that they would get.
const LABELLED: &str = "\
The kernel of this machine labels files itself (SELinux is on): those of this demonstration have its labels, not those of step 2.";

const TAIL: &str = "\
Next: mandate run -- PROGRAM runs any program like this; docs/learn are ten short lessons, docs/run.md says how it works.";

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome> {
    if let (Some(folder), Some(port)) = (&args.serve, args.port) {
        return web::serve(folder, port, out);
    }
    interrupt::watch();
    let stage = Stage::set()?;
    writeln!(out, "{HEAD}")?;
    if stage.has_labels() {
        writeln!(out, "{LABELLED}\n")?;
    }
    let mut outcome = Outcome::Success;
    for (number, step) in (1..).zip(&STEPS) {
        let mut scene = Scene { stage: &stage, out };
        match args.only {
            Some(only) if only != number => prepare(number, step, &stage)?,
            only => {
                if only.is_none() && number > 1 && args.step {
                    scene.wait()?;
                }
                outcome = watched(number, step, &mut scene, outcome)?;
            }
        }
        if interrupt::asked() {
            return Ok(INTERRUPTED);
        }
    }
    let words = match outcome {
        Outcome::Success => styled(ALLOWED, "Each step showed what it is meant to show."),
        _ => styled(DENIED, "Not all steps showed what they are meant to show."),
    };
    writeln!(out, "{words}\n{TAIL}")?;
    Ok(outcome)
}

/// The first steps make what the others need: they are played unseen.
fn prepare(number: u8, step: &Step, stage: &Stage) -> Result<()> {
    match number {
        1 | 2 => step.play(number, &mut Scene { stage, out: &mut io::sink() }),
        _ => Ok(()),
    }
}

/// Plays a step, and says what went wrong with it.
fn watched(number: u8, step: &Step, scene: &mut Scene<'_>, before: Outcome) -> Result<Outcome> {
    let shown = step.play(number, scene);
    let outcome = match shown {
        Err(why) if !interrupt::asked() => tell(&why, before, scene.out)?,
        _ => before,
    };
    writeln!(scene.out)?;
    Ok(outcome)
}

impl Step {
    fn play(&self, number: u8, scene: &mut Scene<'_>) -> Result<()> {
        let title = format!("{number}. {}", self.title);
        writeln!(scene.out, "{}", styled(STRONG, &title))?;
        (self.show)(scene)?;
        Ok(writeln!(scene.out, "{} {}", styled(ALLOWED, "=>"), self.meaning)?)
    }
}

/// Says what went wrong with a step, and what becomes of the exit code: what a machine lacks may be why other steps fail, too.
fn tell(why: &Error, before: Outcome, out: &mut dyn Write) -> Result<Outcome> {
    let lacking = why.is::<Lacking>();
    let head = match lacking {
        true => "This machine cannot do this step:",
        false => "This step did not show what it should:",
    };
    writeln!(out, "{} {why:#}", styled(DENIED, head))?;
    Ok(if lacking || before == Outcome::BadInput { Outcome::BadInput } else { Outcome::Faulty })
}
