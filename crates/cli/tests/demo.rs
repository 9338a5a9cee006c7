//! `mandate demo`, whole: all steps show what they are meant to show, nothing is left, and docs/demo.txt is what it prints.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard};

use common::repository;

/// A folder for temporary files with nothing else in it, which anybody may use.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        // Not below this repository: an ordinary user may have no way there.
        let path = std::env::temp_dir().join(format!("demo-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o1777)).unwrap();
        Self(path)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("env");
        // Shells let what runs in the background ignore it.
        command.args(["--default-signal=INT", env!("CARGO_BIN_EXE_mandate")]);
        command.args(words).env("TMPDIR", &self.0).env_remove("SUDO_UID").stdin(Stdio::null());
        command
    }

    /// Runs a demonstration to its end; what stays behind is a fault.
    fn played(&self, mut command: Command) -> Output {
        let output = command.output().unwrap();
        self.is_empty();
        output
    }

    fn is_empty(&self) {
        let left: Vec<_> =
            std::fs::read_dir(&self.0).unwrap().map(|it| it.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?} are left behind");
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Web servers have few ports: one demonstration at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(|it| it.into_inner())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

const STEPS: usize = 10;

fn is_whole(output: Output) -> String {
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert_eq!(err, "");
    assert_eq!(out.matches("\n=> ").count(), STEPS, "{out}");
    assert!(!out.contains('\u{1b}'), "colours without a terminal: {out}");
    out
}

/// Text without what differs between runs and machines: the folder, and all numbers.
fn shape(text: &str, temporary: &str) -> String {
    // Shells differ in how they name a line.
    let text = text.replace(temporary, "/tmp").replace("/bin/sh: line ", "/bin/sh: ");
    let numbers = regex::Regex::new(r"[0-9]+([.][0-9]+)*").unwrap();
    numbers.replace_all(&text, "N").into_owned()
}

#[test]
fn it_prints_what_the_page_says() {
    let _one = alone();
    let temporary = Temporary::new("page");
    let out = is_whole(temporary.played(temporary.command(&["demo"])));
    let (folder, page) = (temporary.0.to_str().unwrap(), repository("docs/demo.txt"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&page, out.replace(folder, "/tmp")).unwrap();
    }
    let page = std::fs::read_to_string(page).unwrap();
    let (expected, found) = (shape(&page, "/tmp"), shape(&out, folder));
    assert!(expected == found, "UPDATE_EXPECT=1 writes docs/demo.txt anew:\n{out}");
}

/// Started by an ordinary user: started by root, the test becomes one.
#[test]
fn an_ordinary_user_may_start_it() {
    let _one = alone();
    let temporary = Temporary::new("user");
    let program = temporary.0.join("mandate");
    // By a process of its own: a program that is being written cannot be executed, and other tests fork.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_mandate")).arg(&program).status();
    assert!(copied.unwrap().success());
    let own = temporary.0.join("own");
    std::fs::create_dir(&own).unwrap();
    let mut command = Command::new(program);
    command.arg("demo").env("TMPDIR", &own).stdin(Stdio::null());
    if rustix::process::geteuid().is_root() {
        chown(&own, Some(65534), Some(65534)).unwrap();
        command.uid(65534).gid(65534).current_dir("/");
    }
    is_whole(command.output().unwrap());
    assert_eq!(std::fs::read_dir(own).unwrap().count(), 0);
}

#[test]
fn it_waits_for_enter_between_the_steps() {
    let _one = alone();
    let temporary = Temporary::new("enter");
    let mut command = temporary.command(&["demo", "--step"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut told = Vec::new();
    for _ in 1..STEPS {
        // It stands still here: the next title comes only after the line.
        while !told.ends_with(b"[Enter] ") {
            let mut byte = [0];
            out.read_exact(&mut byte).unwrap();
            told.extend(byte);
        }
        input.write_all(b"\n").unwrap();
        told.push(b'\n');
    }
    out.read_to_end(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(text(told).matches("[Enter] ").count(), STEPS - 1);
    temporary.is_empty();
}

/// Ctrl-C while it waits, and while it works.
#[test]
fn nothing_is_left_behind_after_a_signal() {
    let _one = alone();
    for (words, moment) in [(&["demo", "--step"][..], "=> "), (&["demo"][..], "4. ")] {
        let temporary = Temporary::new("signal");
        let mut command = temporary.command(words);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with(moment) {
            line.clear();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended before {moment:?}");
        }
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        out.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{words:?}");
        temporary.is_empty();
    }
}

#[test]
fn a_step_is_shown_alone() {
    let _one = alone();
    let temporary = Temporary::new("only");
    let output = temporary.played(temporary.command(&["demo", "--only", "5"]));
    let out = text(output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert_eq!(out.matches("\n=> ").count(), 1, "{out}");
    assert!(out.contains("name_bind tcp_socket port 5432"), "{out}");
}

/// A step that shows something else is told, and the exit code says so.
#[test]
fn a_machine_that_cannot_do_it_says_so() {
    let _one = alone();
    let taken: Vec<_> = [8080, 8008, 8009, 8443, 3128]
        .into_iter()
        // One that somebody else has is taken as well.
        .map(|port| std::net::TcpListener::bind(("127.0.0.1", port)))
        .collect();
    let temporary = Temporary::new("ports");
    let output = temporary.played(temporary.command(&["demo"]));
    let out = text(output.stdout);
    assert_eq!(output.status.code(), Some(2), "{out}");
    let lacking = "This machine cannot do this step: all ports of web servers are taken";
    assert_eq!(out.matches(lacking).count(), 5, "{out}");
    drop(taken);
}
