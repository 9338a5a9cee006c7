//! What programs see of SELinux: those of the original userland in a real enforcing kernel, and under `mandate run`, by default and with
//! `--exact`. The same output, the same errors, the same exit codes.
//!
//! One guest runs all commands, and so does one `mandate run` for each domain. What differs stands with its reason in
//! compliance/cases/run/inside.toml.

mod guest;
mod known;
mod python;
mod tree;

use std::fmt;

use anyhow::{Context as _, Result, bail, ensure};

use super::lab::Lab;
use crate::bench::Figure;
use crate::place::Place;
use crate::report::{Comparison, Report};
use known::Known;

const COMMANDS: &str = include_str!("../../cases/run/inside.txt");
const DRIVER: &str = include_str!("../../programs/inside.sh");
/// What all commands of one domain may take, in seconds.
const PATIENCE: u32 = 300;

/// In which domain commands run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Domain {
    User,
    Administrator,
    Unconfined,
}

impl Domain {
    const ALL: [Self; 3] = [Self::User, Self::Administrator, Self::Unconfined];

    /// As the list of commands calls it.
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "sysadm",
            Self::Unconfined => "unconfined",
        }
    }

    fn context(self) -> &'static str {
        match self {
            Self::User => "user_u:user_r:user_t:s0",
            Self::Administrator => "sysadm_u:sysadm_r:sysadm_t:s0",
            Self::Unconfined => "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023",
        }
    }

    /// The kernel lets only root write what the monitor lets its user write; root has no capabilities there.
    fn user(self) -> u32 {
        match self {
            Self::User => 65_534,
            Self::Administrator | Self::Unconfined => 0,
        }
    }

    /// Its commands, without what comments say.
    fn commands(self) -> Vec<&'static str> {
        let lines = COMMANDS.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
        let own = lines.filter_map(|it| it.strip_prefix(self.name())?.strip_prefix(' '));
        own.collect()
    }

    /// What is in the folder where they run.
    fn files(self) -> Vec<(&'static str, String)> {
        let commands = self.commands().join("\n") + "\n";
        vec![
            ("driver", DRIVER.to_owned()),
            ("commands", commands),
            ("file", "text\n".to_owned()),
            ("folder/", String::new()),
            ("script", "#!/bin/sh\nid -Z\n".to_owned()),
        ]
    }

    fn fill(self, lab: &Lab) -> Result<()> {
        let files = self.files();
        let files: Vec<_> = files.iter().map(|it| (it.0, it.1.as_str())).collect();
        lab.fill(&files)
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    code: String,
    out: String,
    errors: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {:?}", self.code, self.out, self.errors)
    }
}

/// Of each command, as the driver tells it.
fn told(domain: Domain, text: &str) -> Result<Vec<Told>> {
    let all: Vec<Told> = text.lines().map(line).collect::<Result<_>>()?;
    let commands = domain.commands();
    ensure!(
        all.len() == commands.len(),
        "{} of {} commands of {} ended; the last: {:?}",
        all.len(),
        commands.len(),
        domain.name(),
        all.len().checked_sub(1).and_then(|at| commands.get(at))
    );
    Ok(all)
}

fn line(text: &str) -> Result<Told> {
    let fields: Vec<&str> = text.split(" =").collect();
    let [code, out, errors] = fields[..] else { bail!("the driver told {text:?}") };
    Ok(Told { code: code.to_owned(), out: decoded(out)?, errors: decoded(errors)? })
}

/// base64 (RFC 4648).
fn decoded(text: &str) -> Result<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes().filter(|it| *it != b'=') {
        let value = ALPHABET.iter().position(|it| *it == byte).context("not base64")?;
        bits = bits << 6 | u32::try_from(value)?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn run(place: &Place, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "files are given away and devices are made by root alone"
    );
    report.heading("Programs that know SELinux, in a kernel with it and under mandate run")?;
    let lab = Lab::new(place, "inside")?;
    lab.label(super::lab::HOME, &[])?;
    let theirs = guest::run(place, &lab)?;
    let mut known = Known::read()?;
    for way in [&[][..], &["--exact"]] {
        let mut comparison = Comparison::new(format!("commands, {}", known::name(way)));
        for (domain, theirs) in Domain::ALL.into_iter().zip(&theirs) {
            let ours = under_run(&lab, domain, way)?;
            for (command, (theirs, ours)) in domain.commands().iter().zip(theirs.iter().zip(&ours))
            {
                let command = format!("{} {command}", domain.name());
                known.judge(&command, way, theirs, ours, &mut comparison);
            }
        }
        known.stale(way, &mut comparison);
        report.add(&comparison.done())?;
    }
    report.note(&place.keep("run-inside/differences.toml", known.seen().as_bytes())?)?;
    Ok(Vec::new())
}

/// What we do.
fn under_run(lab: &Lab, domain: Domain, way: &[&str]) -> Result<Vec<Told>> {
    domain.fill(lab)?;
    let mut options = [&["--quiet"], way].concat();
    if domain != Domain::User {
        options.extend(["--context", domain.context()]);
    }
    let words = ["/bin/sh", "driver"];
    let output = lab.command(Some(&options), &words, Some(PATIENCE)).output()?;
    ensure!(
        output.status.success(),
        "mandate run: {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    told(domain, &String::from_utf8_lossy(&output.stdout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_tells_is_read() {
        let told = line("3 =YQo= =Ynk=").unwrap();
        assert_eq!(told, Told { code: "3".into(), out: "a\n".into(), errors: "by".into() });
        assert!(line("3 =YQo=").is_err() && line("3 =* =").is_err());
    }

    #[test]
    fn every_command_belongs_to_a_domain() {
        let lines = COMMANDS.lines().filter(|it| !it.is_empty() && !it.starts_with('#')).count();
        assert_eq!(Domain::ALL.iter().map(|it| it.commands().len()).sum::<usize>(), lines);
        assert!(lines >= 60);
    }
}
