//! What programs do whose behaviour or cost `run` compares: this program itself, started again.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{Read as _, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// Eight threads that start programs, make files, and tell each other of it.
    Threads,
    /// Opens and closes a file.
    Open,
    /// Starts /bin/true.
    Spawn,
    /// Counts.
    Spin,
    /// Starts as many processes that only wait, and then another program beside them.
    Beside,
}

/// Does something so many times; `words` are what it is done to.
///
/// # Errors
/// When it fails.
pub fn work(what: Work, rounds: usize, words: &[String], out: &mut dyn Write) -> Result<()> {
    match what {
        Work::Threads => threads(rounds, out),
        Work::Open => {
            let path = words.first().context("a file to open")?;
            (0..rounds).try_for_each(|_| File::open(path).map(drop)).context("opening")
        }
        Work::Spawn => (0..rounds).try_for_each(|_| {
            let status = Command::new("/bin/true").status().context("starting a program")?;
            ensure!(status.success(), "true: {status}");
            Ok(())
        }),
        Work::Spin => {
            black_box(
                (0..rounds)
                    .fold(1_u64, |number, round| black_box(number.rotate_left(7) ^ round as u64)),
            );
            Ok(())
        }
        Work::Beside => beside(rounds, words),
    }
}

const THREADS: usize = 8;

fn threads(rounds: usize, out: &mut dyn Write) -> Result<()> {
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let tell = tell.clone();
            scope.spawn(move || {
                for round in 0..rounds {
                    let _nobody_listens = tell.send((thread, one_round(thread, round)));
                }
                let shared = fs::read_to_string("shared").map_err(Into::into);
                let _nobody_listens = tell.send((thread, shared.map(|it| it.len())));
            });
        }
    });
    drop(tell);
    let mut sums = [0; THREADS];
    for (thread, result) in told {
        match result {
            Ok(number) => sums[thread] += number,
            Err(why) => writeln!(out, "{why:#}")?,
        }
    }
    Ok(writeln!(out, "{sums:?}")?)
}

/// Another program's answer, by way of a file.
fn one_round(thread: usize, round: usize) -> Result<usize> {
    let answer = Command::new("/bin/echo").arg((thread * round).to_string()).output()?;
    let (new, old) = (format!("new{thread}.{round}"), format!("old{thread}.{round}"));
    fs::write(&new, answer.stdout)?;
    fs::rename(&new, &old)?;
    Ok(fs::read_to_string(&old)?.trim().parse()?)
}

/// The others read from this process, and end when it does.
fn beside(others: usize, words: &[String]) -> Result<()> {
    let idle = || Command::new("/bin/cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut idle: Vec<Child> = (0..others).map(|_| idle()).collect::<Result<_, _>>()?;
    for process in &mut idle {
        // It runs when it has answered.
        process.stdin.as_mut().context("a pipe")?.write_all(b"x")?;
        process.stdout.as_mut().context("a pipe")?.read_exact(&mut [0])?;
    }
    let (program, arguments) = words.split_first().context("a program")?;
    let status = Command::new(program).args(arguments).status().context("starting a program")?;
    for mut process in idle {
        drop(process.stdin.take());
        process.wait()?;
    }
    ensure!(status.success(), "{program}: {status}");
    Ok(())
}
