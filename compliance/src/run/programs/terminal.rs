//! Job control of a shell at a terminal: the same transcript, watched and unwatched.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fchown, open};
use rustix::process::{Pid, Uid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::tcgetpgrp;

use super::super::lab::{HOME, Lab, USER, Way, is_root};
use crate::place::run;
use crate::report::Comparison;

/// What is typed, and what is to be seen then.
const DIALOGUE: &[(&str, &str)] = &[
    // Stopped, in the background, in front again, interrupted.
    ("sh -c 'echo star''ted; exec sleep 100'\r", "started"),
    ("\x1a", "\r\n> "),
    ("bg\r", "&\r\n> "),
    ("jobs\r", "&\r\n> "),
    ("fg\r", "sleep 100'\r\n"),
    ("\x03", "\r\n> "),
    ("echo \"code $?\"\r", "code 130\r\n> "),
    // Who reads or writes in the background is stopped.
    ("cat & while ! jobs | grep -q Stopped; do sleep 0.1; done; echo stop''ped\r", "stopped\r\n> "),
    ("fg\r", "cat\r\n"),
    ("a line\r", "a line\r\na line\r\n"),
    ("\x04", "> "),
    (
        "stty tostop; echo to the terminal & while ! jobs | grep -q Stopped; do sleep 0.1; done\r",
        "\r\n> ",
    ),
    ("fg; stty -tostop\r", "\nto the terminal\r\n> "),
    // Keys reach who waits for a FIFO.
    ("mkfifo pipe; sh -c 'echo open''ing; exec cat pipe'\r", "opening"),
    ("\x03", "\r\n> "),
    ("echo \"code $?\"\r", "code 130\r\n> "),
    ("sh -c 'echo open''ing; exec cat pipe'\r", "opening"),
    ("\x1a", "\r\n> "),
    ("(echo thr''ough > pipe &); fg\r", "through\r\n> "),
    // And those that quit, a pipe, a loop.
    ("ulimit -c 0; sh -c 'echo quit''ting; exec sleep 100'\r", "quitting"),
    ("\x1c", "\r\n> "),
    ("yes | sh -c 'echo rea''ding; exec cat > /dev/null'\r", "reading"),
    ("\x1a", "\r\n> "),
    ("fg\r", "/dev/null'\r\n"),
    ("\x03", "\r\n> "),
    ("while true; do sh -c 'echo loo''ping; exec sleep 100'; done\r", "looping"),
    ("\x03", "\r\n> "),
    ("sleep 0.2 & wait; echo wait''ed\r", "waited\r\n> "),
    (
        "suspended() { sh -c 'echo star''ted; kill -STOP $$; echo contin''ued'; }; suspended\r",
        "\r\n> ",
    ),
    ("fg\r", "continued\r\n> "),
    ("stty raw -echo; echo ra''w; head -c 3 | od -An -tx1; stty sane\r", "\nraw\n"),
    ("\x03\x1a\x04", "03 1a 04\n> "),
    // By its name, and one that is made inside.
    ("echo to it > \"$(tty)\"; test -t 0; echo \"code $?\"\r", "code 0\r\n> "),
    ("export SHELL=/bin/sh; script -qec 'echo in'' it > \"$(tty)\"' /dev/null\r", "in it\r\n> "),
    ("exit 7\r", "exit\r\n"),
];

/// How a terminal shows keys that send a signal: before or after what the shell says of it, so they are left out.
const SIGNALS: [&str; 3] = ["^C", "^Z", "^\\"];

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn compare(lab: &Lab) -> Result<Comparison> {
    let mut comparison = Comparison::new("bash at a terminal");
    let plain = Terminal::session(lab, None)?;
    for options in [&[][..], &["--exact"]] {
        let watched = Terminal::session(lab, Some(options))?;
        let mut ours = watched.iter();
        for (at, theirs) in plain.iter().enumerate() {
            let ours = ours.next().map_or("", String::as_str);
            let typed = DIALOGUE.get(at).map_or("the exit code", |it| it.0);
            comparison.equal(|| format!("{options:?}: {typed:?}"), &ours, &theirs.as_str());
        }
    }
    Ok(comparison)
}

/// A terminal of somebody outside is not opened, though it has the number of one that was made inside and is gone.
pub(super) fn others(lab: &Lab) -> Result<Comparison> {
    let mut comparison = Comparison::new("another's terminal is denied");
    for (way, wanted) in [(None, "code 0"), (Some(&[][..]), "code 1")] {
        lab.label(HOME, &[])?;
        lab.fill(&[])?;
        let script = "SHELL=/bin/sh script -qec 'echo made' /dev/null; read -r path; echo x > \"$path\"; echo \"code $?\"";
        let mut command = lab.command(way, &["/bin/bash", "-c", script], Some(30));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = command.spawn().context("starting a shell")?;
        let mut answers = shell.stdout.take().context("a pipe")?;
        let mut made = [0; 6];
        answers.read_exact(&mut made)?;
        let (keys, _theirs) = made_outside()?;
        let path = ptsname(&keys, Vec::new())?;
        let mut asks = shell.stdin.take().context("a pipe")?;
        asks.write_all(&[path.as_bytes(), b"\n"].concat())?;
        let mut rest = String::new();
        answers.read_to_string(&mut rest)?;
        shell.wait()?;
        comparison.equal(|| format!("{way:?}"), &rest.trim(), &wanted);
    }
    Ok(comparison)
}

/// A terminal once the one that was made inside is gone: with its number, if nobody else was faster.
fn made_outside() -> Result<(OwnedFd, OwnedFd)> {
    std::thread::sleep(Duration::from_millis(200));
    pair()
}

/// Both ends of a new terminal, which belongs to the user.
fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&keys)?;
    unlockpt(&keys)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = open(ptsname(&keys, Vec::new())?, flags, Mode::empty())?;
    if is_root() {
        let id = run(Command::new("id").args(["-u", USER]))?;
        let id = String::from_utf8_lossy(&id.stdout).trim().parse()?;
        fchown(&theirs, Some(Uid::from_raw(id)), None)?;
    }
    Ok((keys, theirs))
}

struct Terminal {
    keys: File,
    shell: Child,
    /// The group that the shell made for itself.
    shell_group: Option<Pid>,
    seen: String,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ended = self.shell.kill();
        let _gone = self.shell.wait();
    }
}

impl Terminal {
    /// What was seen after each line of the dialogue, and the exit code.
    fn session(lab: &Lab, way: Way<'_>) -> Result<Vec<String>> {
        lab.label(HOME, &[])?;
        lab.fill(&[])?;
        let mut terminal = Self::start(lab, way)?;
        terminal.wait_for("> ")?;
        terminal.shell_group = terminal.in_front()?;
        let mut seen = vec![];
        for (keys, wanted) in DIALOGUE {
            if keys.starts_with(char::is_control) {
                terminal.wait_for_job()?;
            }
            terminal.keys.write_all(keys.as_bytes())?;
            let part = terminal.wait_for(wanted);
            seen.push(part.with_context(|| format!("{way:?}: {keys:?}, {seen:#?}"))?);
        }
        let status = terminal.shell.wait()?;
        seen.push(status.to_string());
        Ok(seen)
    }

    fn start(lab: &Lab, way: Way<'_>) -> Result<Self> {
        let (keys, theirs) = pair()?;
        let words = ["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"];
        let inside = lab.command(way, &words, None);
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(inside.get_program()).args(inside.get_args());
        command.current_dir(lab.work()).env_clear();
        command.envs(inside.get_envs().filter_map(|it| Some((it.0, it.1?)))).env("PS1", "> ");
        let copy = || theirs.try_clone().map(Stdio::from);
        command.stdin(copy()?).stdout(copy()?).stderr(copy()?);
        let shell = command.spawn().context("starting a shell")?;
        Ok(Self { keys: File::from(keys), shell, shell_group: None, seen: String::new() })
    }

    /// Until keys reach a job, and not the shell that is about to put it in front.
    fn wait_for_job(&self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.in_front()? == self.shell_group {
            ensure!(Instant::now() < end, "no job comes to the front");
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// The group of processes that keys reach.
    fn in_front(&self) -> Result<Option<Pid>> {
        Ok(Some(tcgetpgrp(&self.keys)?))
    }

    /// What is seen up to some text, with numbers of processes taken out.
    fn wait_for(&mut self, wanted: &str) -> Result<String> {
        let end = Instant::now() + PATIENCE;
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = self.seen.find(wanted) {
                let rest = self.seen.split_off(at + wanted.len());
                return Ok(without_numbers(&std::mem::replace(&mut self.seen, rest)));
            }
            let left = end.saturating_duration_since(Instant::now());
            ensure!(!left.is_zero(), "{wanted:?} does not come: {:?}", self.seen);
            let left = Timespec {
                tv_sec: left.as_secs().cast_signed(),
                tv_nsec: left.subsec_nanos().into(),
            };
            let mut files = [PollFd::new(&self.keys, PollFlags::IN)];
            if poll(&mut files, Some(&left))? == 0 {
                continue;
            }
            // At the end of a terminal reading fails.
            match self.keys.read(&mut buffer) {
                Ok(read) if read > 0 => self.see(&buffer[..read]),
                _ => bail!("the end comes instead of {wanted:?}: {:?}", self.seen),
            }
        }
    }

    fn see(&mut self, bytes: &[u8]) {
        self.seen += &String::from_utf8_lossy(bytes);
        for shown in SIGNALS {
            self.seen = self.seen.replace(shown, "");
        }
    }
}

/// Numbers of four digits and more are those of processes.
fn without_numbers(text: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut digits = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        parts.push(if digits.len() < 3 { std::mem::take(&mut digits) } else { "N".to_owned() });
        digits.clear();
        parts.push(letter.to_string());
    }
    parts.concat().trim_end_matches('\0').to_owned()
}
