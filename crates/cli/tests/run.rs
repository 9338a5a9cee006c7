//! `mandate run`: what programs find under it, and attempts to get out.
//!
//! The programs are this file itself, copied to where an ordinary user can execute it: its first word says what it is to do. It ends with 0 if
//! it was kept in. Started by root, everything runs as `nobody`.

#![expect(unsafe_code, reason = "programs that try to get out make calls that no library has")]

#[path = "run/inside.rs"]
mod inside;

use std::fs::{self, Permissions};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Output, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let first = words.next().unwrap_or_default();
    if let Some(name) = first.strip_prefix("inside:") {
        return inside::run(name);
    }
    let attempts = inside::ALL.iter().map(|it| Trial::test(it.0, || attempt(it.0)));
    let others = OUTSIDE.iter().map(|(name, run)| Trial::test(*name, run));
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, attempts.chain(others).collect()).exit_code()
}

type Check = fn() -> Result<(), Failed>;

/// What is seen from outside.
const OUTSIDE: [(&str, Check); 8] = [
    ("the table of coverage is that of the page", coverage),
    ("ordinary programs do what they do without a monitor", ordinary),
    ("the exit code is the program's", exit_codes),
    ("a program that is not there starts nothing", not_there),
    ("denials are told once each, with a reason", told),
    ("permissive lets pass what it tells", permissive),
    ("records are as the kernel's", records),
    ("names that the policy does not have start nothing", unknown_names),
];

/// A folder that an ordinary user may write to, with labels for what is in it.
struct Lab(PathBuf);

impl Drop for Lab {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.0);
    }
}

const SECRET: &str = "the secret\n";

impl Lab {
    fn new(name: &str) -> Self {
        let name: String =
            name.chars().map(|it| if it.is_alphanumeric() { it } else { '-' }).collect();
        let folder =
            std::env::temp_dir().join(format!("mandate-run-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("vault")).unwrap();
        let lab = Self(folder);
        for (file, text) in [("secret", SECRET), ("plain", "plain\n"), ("vault/secret", SECRET)] {
            fs::write(lab.0.join(file), text).unwrap();
        }
        fs::write(lab.0.join("linked"), SECRET).unwrap();
        fs::hard_link(lab.0.join("linked"), lab.0.join("alias")).unwrap();
        // By a process of its own: a program that is being written cannot be executed, and other tests fork.
        let (this, program) = (std::env::current_exe().unwrap(), lab.0.join("program"));
        assert!(Command::new("cp").args([this, program]).status().unwrap().success());
        fs::write(lab.0.join("labels"), lab.labels()).unwrap();
        for file in ["", "vault", "program"] {
            fs::set_permissions(lab.0.join(file), Permissions::from_mode(0o755)).unwrap();
        }
        lab.give_away();
        lab
    }

    /// Homes of users, with secrets in them that only the policy keeps.
    fn labels(&self) -> String {
        let folder = self.0.display();
        let user = "user_u:object_r:user_home_t:s0";
        let secret = "system_u:object_r:tls_privkey_t:s0";
        [
            "/.* system_u:object_r:default_t:s0".to_owned(),
            "/ -d system_u:object_r:root_t:s0".to_owned(),
            "/tmp -d system_u:object_r:tmp_t:s0".to_owned(),
            "/dev(/.*)? system_u:object_r:device_t:s0".to_owned(),
            "/dev/null -c system_u:object_r:null_device_t:s0".to_owned(),
            "/etc(/.*)? system_u:object_r:etc_t:s0".to_owned(),
            "/usr(/.*)? system_u:object_r:usr_t:s0".to_owned(),
            "/usr/bin(/.*)? system_u:object_r:bin_t:s0".to_owned(),
            "/bin system_u:object_r:bin_t:s0".to_owned(),
            "/lib(64)? system_u:object_r:lib_t:s0".to_owned(),
            "/usr/lib(64)?(/.*)? system_u:object_r:lib_t:s0".to_owned(),
            format!("{folder} -d {user}"),
            format!("{folder}/.* {user}"),
            format!("{folder}/program -- system_u:object_r:bin_t:s0"),
            format!("{folder}/secret -- {secret}"),
            format!("{folder}/linked -- {secret}"),
            format!("{folder}/vault/.* -- {secret}"),
        ]
        .join("\n")
            + "\n"
    }

    /// All of it belongs to whoever the programs run as.
    fn give_away(&self) {
        if !is_root() {
            return;
        }
        let done = Command::new("chown").args(["-R", "nobody"]).arg(&self.0).status().unwrap();
        assert!(done.success());
    }

    /// Somebody outside who listens at a name that is no file; the name is told.
    fn listen(&self) -> UnixListener {
        let name = self.0.display().to_string();
        fs::write(self.0.join("outside"), &name).unwrap();
        self.give_away();
        UnixListener::bind_addr(&SocketAddr::from_abstract_name(name).unwrap()).unwrap()
    }

    /// Makes an attempt without a monitor.
    fn run_unwatched(&self, name: &str) -> Output {
        self.unwatched(&["./program", &format!("inside:{name}")])
    }

    fn unwatched(&self, words: &[&str]) -> Output {
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "60"]);
        if is_root() {
            command.args(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]);
        }
        command.args(words).current_dir(&self.0).stdin(Stdio::null());
        command.output().unwrap()
    }

    fn run(&self, options: &[&str], program: &[&str]) -> Output {
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "60", env!("CARGO_BIN_EXE_mandate"), "run"]);
        command.arg("--labels").arg(self.0.join("labels")).args(options);
        if is_root() {
            command.args(["--user", "nobody"]);
        }
        command.arg("--").args(program);
        command
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .env("XDG_CACHE_HOME", self.0.join("cache"));
        command
            .env_remove("SUDO_USER")
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("PWD")
            .env("NO_COLOR", "1");
        command.output().unwrap()
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn same<T: PartialEq + std::fmt::Debug>(got: T, wanted: T) -> Result<(), Failed> {
    if got == wanted { Ok(()) } else { Err(format!("{got:?} instead of {wanted:?}").into()) }
}

/// An attempt has to fail, and to be one: without a monitor it succeeds, where that does no harm.
fn attempt(name: &str) -> Result<(), Failed> {
    if !inside::ONLY_WATCHED.contains(&name) {
        let lab = Lab::new(&format!("{name} unwatched"));
        let _listens = lab.listen();
        let output = lab.run_unwatched(name);
        if output.status.code() != Some(1) {
            let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
            return Err(format!("fails by itself: {:?} {told}", output.status.code()).into());
        }
    }
    let lab = Lab::new(name);
    let _listens = lab.listen();
    let output = lab.run(&[], &["./program", &format!("inside:{name}")]);
    let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
    match output.status.code() {
        Some(0) => Ok(()),
        code => Err(format!("{code:?}: {told}").into()),
    }
}

/// Files, pipes, FIFOs, links, jobs, signals, archives.
const ORDINARY: &str = r#"
set -e
mkdir -p a/b/c; cd a; umask 027; echo one > b/1; echo two >> b/1; chmod 600 b/1; ls -lR . | cut -c1-10 | sort
ln -s ../b/1 c1 2>&1; ln -s b/1 way; cat way; readlink way; ln b/1 two; stat -c '%h %a %F %s' two
mv b/1 b/c/moved; test ! -e b/1; cp b/c/moved copy; cmp copy two; rm two; touch -d 2001-02-03 copy; stat -c %y copy | cut -c1-10
mkfifo pipe; (cat pipe; echo read) & echo through > pipe; wait
timeout 0.2 cat pipe || echo "code $?"; (echo again > pipe) & sleep 0.2; cat pipe; wait
for i in 1 2 3; do echo $i; done | while read n; do echo "n$n"; done | sort -r | tr n N
(cat pipe & sleep 0.2; kill -INT $!; kill $!; wait $! || echo "waited $?") 2>/dev/null
trap 'echo trapped' USR1; kill -USR1 $$; (sleep 5 & kill $!; wait $! || echo "killed $?") 2>/dev/null
tar cf - . | tar tf - | sort; find . -type f -newer copy | sort; find . -name 'm*' -exec echo {} +
sh -c 'exit 7' || echo "code $?"; cd ..; rm -r a; test ! -e a; cd /proc/self && test -r status; echo end
"#;

fn ordinary() -> Result<(), Failed> {
    let words = ["/bin/sh", "-c", ORDINARY];
    let plain = Lab::new("plain").unwatched(&words);
    same(("unwatched", text(&plain.stderr).as_str()), ("unwatched", ""))?;
    for options in [&[][..], &["--exact"]] {
        let watched = Lab::new("watched").run(options, &words);
        same(text(&watched.stderr).as_str(), "")?;
        same(text(&watched.stdout), text(&plain.stdout))?;
        same(watched.status.code(), plain.status.code())?;
    }
    Ok(())
}

fn coverage() -> Result<(), Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mandate"));
    let told = text(&command.args(["run", "--coverage"]).output()?.stdout);
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/run.md"))?;
    same((told.is_empty(), page.contains(&told)), (false, true))
}

fn exit_codes() -> Result<(), Failed> {
    let lab = Lab::new("codes");
    same(lab.run(&[], &["/bin/sh", "-c", "exit 3"]).status.code(), Some(3))?;
    same(lab.run(&[], &["/bin/sh", "-c", "kill -TERM $$"]).status.code(), Some(128 + 15))
}

fn not_there() -> Result<(), Failed> {
    let output = Lab::new("absent").run(&[], &["./no-such-program"]);
    same(output.status.code(), Some(2))?;
    let told = text(&output.stderr);
    same(told.as_str(), "mandate: executing the program: No such file or directory (os error 2)\n")
}

fn told() -> Result<(), Failed> {
    let output = Lab::new("told").run(&[], &["/bin/sh", "-c", "cat secret secret; cat plain"]);
    same(text(&output.stdout).as_str(), "plain\n")?;
    let told = text(&output.stderr);
    let lines: Vec<_> = told.lines().filter(|it| it.starts_with("mandate:")).collect();
    if lines.len() != 2 || !lines[0].contains("cat (user_t) read open file") {
        return Err(told.into());
    }
    same(lines[0].ends_with("/secret (tls_privkey_t): no rule allows it"), true)?;
    same(lines[1], "mandate: 2 denials, 1 of them different")
}

fn permissive() -> Result<(), Failed> {
    let lab = Lab::new("permissive");
    for option in ["--permissive", "--permissive=user_t"] {
        let output = lab.run(&[option], &["/bin/cat", "secret"]);
        same(text(&output.stdout).as_str(), SECRET)?;
        same(text(&output.stderr).contains("mandate: would be denied: cat"), true)?;
    }
    Ok(())
}

fn records() -> Result<(), Failed> {
    let lab = Lab::new("records");
    let log = lab.0.join("log");
    lab.run(&["--quiet", "--audit", log.to_str().unwrap()], &["/bin/cat", "secret"]);
    let record = fs::read_to_string(log)?;
    let (head, body) = record.split_once("): avc:  denied  ").ok_or_else(|| record.clone())?;
    same(head.starts_with("type=AVC msg=audit("), true)?;
    let end = " scontext=user_u:user_r:user_t:s0 tcontext=system_u:object_r:tls_privkey_t:s0 tclass=file permissive=0\n";
    same(body.starts_with("{ read open } for  pid=") && body.ends_with(end), true)
}

fn unknown_names() -> Result<(), Failed> {
    let lab = Lab::new("unknown");
    for (options, wanted) in [
        (&["--domain", "nobody_t"][..], "mandate: the policy has no type nobody_t"),
        (&["--context", "a:b:c:s0"], "mandate: a:b:c:s0: "),
        (
            &["--set", "no_such_boolean=on"],
            "mandate: the policy has no boolean \"no_such_boolean\"",
        ),
        (&["--permissive=nobody_t"], "mandate: the policy has no type nobody_t"),
    ] {
        let output = lab.run(options, &["/bin/echo", "started"]);
        same((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""))?;
        let told = text(&output.stderr);
        if !told.starts_with(wanted) {
            return Err(format!("{options:?}: {told}").into());
        }
    }
    Ok(())
}
