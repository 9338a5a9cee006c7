//! `mandate run`: what programs find under it, and attempts to get out.
//!
//! The programs are this file itself, copied to where an ordinary user can execute it: its first word says what it is to do. It ends with 0 if
//! it was kept in. Started by root, everything runs as `nobody`.

#![expect(unsafe_code, reason = "programs that try to get out make calls that no library has")]

#[path = "run/across.rs"]
mod across;
#[path = "run/inside.rs"]
mod inside;
#[path = "run/selinux.rs"]
mod selinux;

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use expect_test::expect;
use libtest_mimic::{Arguments, Failed, Trial};

use inside::Attempt;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let first = words.next().unwrap_or_default();
    if let Some(name) = first.strip_prefix("inside:") {
        return inside::run(name);
    }
    let attempts = inside::all().map(|it| {
        let harmless = it.name != "a file by a program that breaks" || cores_are_files();
        Trial::test(it.name, move || attempt(it)).with_ignored_flag(!harmless)
    });
    let others = OUTSIDE.iter().chain(&selinux::CHECKS).map(|(name, run)| Trial::test(*name, run));
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, attempts.chain(others).collect()).exit_code()
}

type Check = fn() -> Result<(), Failed>;

/// What is seen from outside.
const OUTSIDE: [(&str, Check); 17] = [
    ("labels are kept for later runs", across::state),
    ("one run at a time keeps labels", across::one_at_a_time),
    ("open files stay behind when a program comes into another domain", across::open_files),
    ("programs ask for the contexts of what comes next", across::next_contexts),
    ("if the monitor ends, so do the programs", killed),
    ("defences are switched off in a build for that only", switches),
    ("the table of coverage is that of the page", coverage),
    ("ordinary programs do what they do without a monitor", ordinary),
    ("the exit code is the program's", exit_codes),
    ("a program that is not there starts nothing", not_there),
    ("denials are told once each, with a reason", told),
    ("programs are told of denials by their kind", told_as_json),
    ("a module that was learned is all that a program needs", learned),
    ("what no module may grant is left out", left_out),
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
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        // Short: what is in it are addresses of sockets, too.
        let name =
            format!("mandate-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(folder.join("vault")).unwrap();
        fs::create_dir_all(folder.join("closed")).unwrap();
        let lab = Self(folder);
        for (file, text) in [
            ("secret", SECRET),
            ("plain", "plain\n"),
            ("vault/secret", SECRET),
            ("journal", "logged\n"),
        ] {
            fs::write(lab.0.join(file), text).unwrap();
        }
        fs::write(lab.0.join("linked"), SECRET).unwrap();
        fs::hard_link(lab.0.join("linked"), lab.0.join("alias")).unwrap();
        // By a process of its own: a program that is being written cannot be executed, and other tests fork.
        let (this, program) = (std::env::current_exe().unwrap(), lab.0.join("program"));
        assert!(Command::new("cp").args([this, program]).status().unwrap().success());
        fs::write(lab.0.join("labels"), lab.labels()).unwrap();
        fs::write(lab.0.join("labels.server"), lab.labels_of_server()).unwrap();
        for file in ["", "vault", "program"] {
            fs::set_permissions(lab.0.join(file), Permissions::from_mode(0o755)).unwrap();
        }
        let this = std::env::current_exe().unwrap();
        let prepared = Command::new(this).arg("inside:prepare").current_dir(&lab.0).status();
        assert!(prepared.unwrap().success());
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
            "/var -d system_u:object_r:var_t:s0".to_owned(),
            "/var/run -l system_u:object_r:var_run_t:s0".to_owned(),
            "/run -d system_u:object_r:var_run_t:s0".to_owned(),
            "/usr/bin(/.*)? system_u:object_r:bin_t:s0".to_owned(),
            "/bin system_u:object_r:bin_t:s0".to_owned(),
            "/lib(64)? system_u:object_r:lib_t:s0".to_owned(),
            "/usr/lib(64)?(/.*)? system_u:object_r:lib_t:s0".to_owned(),
            format!("{folder} -d {user}"),
            format!("{folder}/.* {user}"),
            format!("{folder}/program -- system_u:object_r:bin_t:s0"),
            format!("{folder}/secret -- {secret}"),
            format!("{folder}/linked -- {secret}"),
            format!("{folder}/secret[.].* -- {secret}"),
            format!("{folder}/vault/.* -- {secret}"),
            format!("{folder}/closed -d system_u:object_r:etc_t:s0"),
            format!("{folder}/tools(/.*)? system_u:object_r:bin_t:s0"),
            format!("{folder}/good.* -- system_u:object_r:bin_t:s0"),
            "/dev/ptmx -c system_u:object_r:ptmx_t:s0".to_owned(),
        ]
        .join("\n")
            + "\n"
    }

    /// The same folder as that of a server, which may only append to its log.
    fn labels_of_server(&self) -> String {
        let line = |file: &str, label: &str| format!("{}{file} {label}:s0\n", self.0.display());
        let folder = line(" -d", "user_u:object_r:user_home_t");
        let program = line("/program --", "system_u:object_r:bin_t");
        self.labels()
            .replace(&folder, &line(" -d", "system_u:object_r:tmp_t"))
            .replace(&program, &line("/program --", "system_u:object_r:httpd_exec_t"))
            + &line("/journal --", "system_u:object_r:httpd_log_t")
    }

    /// All of it belongs to whoever the programs run as.
    fn give_away(&self) {
        if !is_root() {
            return;
        }
        let done = Command::new("chown").args(["-R", "nobody"]).arg(&self.0).status().unwrap();
        assert!(done.success());
    }

    /// Those outside: who listen at names and files, and a program that has a secret open.
    fn outsiders(&self) -> Outsiders {
        let name = self.0.display().to_string();
        fs::write(self.0.join("outside"), &name).unwrap();
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listeners = [
            UnixListener::bind_addr(&address).unwrap(),
            inside::abstract_name(&name).unwrap(),
            UnixListener::bind(self.0.join("outside.socket")).unwrap(),
        ];
        let messages = UnixDatagram::bind(self.0.join("outside.messages")).unwrap();
        self.give_away();
        let mut friend = self.command(&["./program", "inside:friend"], 600);
        let friend = friend.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !self.0.join("friend").exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
        Outsiders { friend, _listen: (listeners, messages) }
    }

    fn unwatched(&self, words: &[&str]) -> Output {
        self.command(words, 60).output().unwrap()
    }

    /// A program that nobody watches.
    fn command(&self, words: &[&str], seconds: u64) -> Command {
        let mut command = Command::new("timeout");
        command.args(["-k", "1", &seconds.to_string()]);
        if is_root() {
            command.args(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]);
        }
        command.args(words).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    fn run(&self, options: &[&str], program: &[&str]) -> Output {
        self.watched(options, program, None).output().unwrap()
    }

    /// With the labels of the policy alone.
    fn plainly(&self, options: &[&str], program: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "60", env!("CARGO_BIN_EXE_mandate"), "run"]).args(options);
        if is_root() {
            command.args(["--user", "nobody"]);
        }
        command.arg("--").args(program);
        command.current_dir(&self.0).stdin(Stdio::null()).env_remove("SUDO_USER");
        command.env("XDG_CACHE_HOME", self.0.join("cache")).env("NO_COLOR", "1");
        // Cargo names folders in which programs would look for libraries.
        command.env_remove("LD_LIBRARY_PATH");
        command
    }

    /// A program of a shell.
    fn script(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        format!("./{name}")
    }

    fn watched(&self, options: &[&str], program: &[&str], without: Option<&str>) -> Command {
        let seconds = (60 + inside::asked_rounds() / 200).to_string();
        let mut command = Command::new("timeout");
        command.args(["-k", "1", &seconds, env!("CARGO_BIN_EXE_mandate"), "run"]);
        if let Some(names) = without {
            command.env("MANDATE_WITHOUT", names);
        }
        let server = options.contains(&"httpd_t");
        let labels = if server { "labels.server" } else { "labels" };
        command.arg("--labels").arg(self.0.join(labels)).args(options);
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
        command
    }
}

/// Those outside, until an attempt is over.
struct Outsiders {
    friend: Child,
    _listen: ([UnixListener; 3], UnixDatagram),
}

impl Drop for Outsiders {
    fn drop(&mut self) {
        let _gone = self.friend.kill();
        let _gone = self.friend.wait();
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

/// An attempt has to fail, and to be one: without its defence it succeeds. In a build that cannot do without, it succeeds without a monitor,
/// where that does no harm.
fn attempt(attempt: Attempt) -> Result<(), Failed> {
    let name = attempt.name;
    let switches = cfg!(feature = "switches");
    let mut shown = String::new();
    let lists = [inside::ONLY_WATCHED, inside::ONLY_KEPT];
    if !lists[usize::from(switches)].contains(&name) {
        let output = try_in_lab(&attempt, |lab, words| match switches {
            true => {
                let mut command = lab.watched(attempt.options, words, Some(attempt.without));
                command.env("MANDATE_SLOW", "");
                command
            }
            false => {
                let mut command = lab.command(words, 60);
                command.env("MANDATE_WITHOUT", "");
                command
            }
        });
        shown = told_by(&output);
        if output.status.code() != Some(1) || shown.contains("a step before the attempt") {
            return Err(format!("fails by itself: {:?} {shown}", output.status.code()).into());
        }
    }
    let output = try_in_lab(&attempt, |lab, words| {
        let mut command = lab.watched(attempt.options, words, None);
        command.env("MANDATE_SLOW", "");
        command
    });
    let kept = output.status.code() == Some(0);
    if attempt.is_race()
        && let Some(path) = std::env::var_os("MANDATE_REPORT")
    {
        let line = format!("{name}\t{kept}\t{}\t{}", told_by(&output).trim(), shown.trim());
        let line = line.replace('\n', " ") + "\n";
        fs::File::options().append(true).create(true).open(path)?.write_all(line.as_bytes())?;
    }
    if kept { Ok(()) } else { Err(format!("{:?}: {}", output.status, told_by(&output)).into()) }
}

/// What the program said. What the monitor tells of denials is no part of it.
fn told_by(output: &Output) -> String {
    let err = text(&output.stderr);
    let err = err.lines().filter(|it| !it.starts_with("mandate: "));
    err.fold(text(&output.stdout), |all, it| all + it + "\n")
}

/// Makes an attempt in a folder of its own, with those who are outside.
fn try_in_lab(attempt: &Attempt, command: impl FnOnce(&Lab, &[&str]) -> Command) -> Output {
    let lab = Lab::new();
    let _outside = lab.outsiders();
    let stop = &AtomicBool::new(false);
    let folder = &lab.0;
    std::thread::scope(|scope| {
        if let Some(beside) = attempt.beside {
            scope.spawn(move || beside(folder, stop));
        }
        let word = format!("inside:{}", attempt.name);
        let output = command(&lab, &["./program", &word]).output();
        stop.store(true, Ordering::Relaxed);
        output.unwrap()
    })
}

/// Whether the kernel writes what is left of a program that breaks to where the program is.
fn cores_are_files() -> bool {
    fs::read_to_string("/proc/sys/kernel/core_pattern").is_ok_and(|it| it.starts_with("core"))
}

fn killed() -> Result<(), Failed> {
    if cfg!(feature = "switches") {
        same(outlives(Some("ExitKill"))?, true)?;
    }
    same(outlives(None)?, false)
}

/// Does a program live on after its monitor was killed?
fn outlives(without: Option<&str>) -> Result<bool, Failed> {
    let lab = Lab::new();
    let script = "echo $PPID $$ > new; mv new started; while :; do :; done";
    let mut monitor = lab.watched(&[], &["/bin/sh", "-c", script], without).spawn()?;
    let started = loop {
        if let Ok(started) = fs::read_to_string(lab.0.join("started")) {
            break started;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut numbers = started.split_whitespace().map_while(|it| it.parse().ok());
    let mut next = || numbers.next().and_then(rustix::process::Pid::from_raw);
    let (this, program) = (next().ok_or("no number")?, next().ok_or("no number")?);
    rustix::process::kill_process(this, rustix::process::Signal::KILL)?;
    monitor.wait()?;
    // Somebody else may be slow to hear of its end.
    let lives = || {
        let status = fs::read_to_string(format!("/proc/{program}/status"));
        status.is_ok_and(|it| !it.contains("State:\tZ") && !it.contains("State:\tX"))
    };
    for _ in 0..200 {
        if !lives() {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    rustix::process::kill_process(program, rustix::process::Signal::KILL)?;
    Ok(true)
}

/// In every other build all defences stand, whatever the environment says.
fn switches() -> Result<(), Failed> {
    let all: Vec<_> = inside::all().map(|it| it.without).collect();
    let lab = Lab::new();
    let mut command = lab.watched(&[], &["/bin/cat", "secret"], Some(&all.join(",")));
    let read = text(&command.output()?.stdout) == SECRET;
    same(read, cfg!(feature = "switches"))
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
(sleep 0.2 & echo $! > ended; exec sleep 9) & sleep 0.6; kill -0 $(cat ended) && kill $(cat ended) && echo "ended, but still there"
(kill $!) 2>/dev/null; wait $! 2>/dev/null || echo "waited $?"
tar cf - . | tar tf - | sort; find . -type f -newer copy | sort; find . -name 'm*' -exec echo {} +
for i in x y; do mkdir $i; echo in $i > $i/f; done; here() { read line < f; read line < f; echo "$line"; }
cd x; here; cd ../y; here; (cd ../x; here); here; mv ../y ../z; here; mv ../x ../y; here; cd ../y; here; cd ..
sh -c 'exit 7' || echo "code $?"; cd ..; rm -r a; test ! -e a; cd /proc/self && test -r status; echo end
"#;

fn ordinary() -> Result<(), Failed> {
    let words = ["/bin/sh", "-c", ORDINARY];
    let plain = Lab::new().unwatched(&words);
    same(("unwatched", text(&plain.stderr).as_str()), ("unwatched", ""))?;
    for options in [&[][..], &["--exact"]] {
        let watched = Lab::new().run(options, &words);
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
    let lab = Lab::new();
    same(lab.run(&[], &["/bin/sh", "-c", "exit 3"]).status.code(), Some(3))?;
    same(lab.run(&[], &["/bin/sh", "-c", "kill -TERM $$"]).status.code(), Some(128 + 15))
}

fn not_there() -> Result<(), Failed> {
    let output = Lab::new().run(&[], &["./no-such-program"]);
    same(output.status.code(), Some(2))?;
    let told = text(&output.stderr);
    same(told.as_str(), "mandate: executing the program: No such file or directory (os error 2)\n")
}

fn told() -> Result<(), Failed> {
    let lab = Lab::new();
    let output = lab.run(&[], &["/bin/sh", "-c", "cat secret secret; cat plain"]);
    same(text(&output.stdout).as_str(), "plain\n")?;
    let told = text(&output.stderr);
    let lines: Vec<_> = told.lines().filter(|it| it.starts_with("mandate:")).collect();
    let folder = lab.0.display().to_string();
    let lines = lines.join("\n").replace(&folder, "FOLDER");
    expect![[r#"
        mandate: denied: cat (user_t) read file FOLDER/secret (tls_privkey_t): no rule allows it
        mandate: 2 denials, 1 of them different
        mandate: 2× cat (user_t) was denied read on file FOLDER/secret of tls_privkey_t
        mandate:   cause  No allow rule grants it.
        mandate:   fix    allow user_t tls_privkey_t:file read;
        mandate: rules and interfaces go into a module, NAME.te, which --policy NAME.te adds to the base policy; --learn writes one"#]]
    .assert_eq(&lines);
    Ok(())
}

fn told_as_json() -> Result<(), Failed> {
    let lab = Lab::new();
    let output = lab.run(&["--json"], &["/bin/sh", "-c", "cat secret secret"]);
    let told = text(&output.stderr);
    let last = told.lines().rfind(|it| it.starts_with('{')).ok_or_else(|| told.clone())?;
    let value: serde_json::Value = serde_json::from_str(last)?;
    let summary = &value["summary"];
    same((&summary["denials"], &summary["different"]), (&2.into(), &1.into()))?;
    let group = &summary["groups"][0];
    same((&group["count"], &group["class"]), (&2.into(), &"file".into()))?;
    same(&group["reasons"][0]["cause"], &"no_rule".into())
}

/// Learns from a program in a folder without labels of its own, and gives what was written with the folder named so.
fn learn(lab: &Lab, program: &[&str]) -> Result<(Output, String), Failed> {
    let output = lab.plainly(&["--permissive", "--learn", "new.te"], program).output()?;
    let read = |name: &str| fs::read_to_string(lab.0.join(name));
    let folder = lab.0.display().to_string();
    let told = text(&output.stderr);
    let both = read("new.te").and_then(|te| Ok(te + "--\n" + &read("new.fc")?));
    let both = both.map_err(|it| format!("{it}: {told}"))?;
    Ok((output, both.replace(&folder, "FOLDER")))
}

fn learned() -> Result<(), Failed> {
    let lab = Lab::new();
    let program = lab.script("report", "read line < plain; mkdir out; echo \"$line\" > out/copy");
    let program = [program.as_str()];
    let (output, module) = learn(&lab, &program)?;
    same(output.status.code(), Some(0))?;
    expect![[r#"
        policy_module(new)

        # Learned by `mandate run --learn` from: ./report

        gen_require(`
        	type etc_t;
        	type shell_exec_t;
        	type tmp_t;
        	type user_t;
        	role user_r;
        ')

        type report_t;
        type report_exec_t;
        userdom_user_application_domain(report_t, report_exec_t)
        role user_r types report_t;
        domtrans_pattern(user_t, report_exec_t, report_t)

        type report_tmp_t;
        files_tmp_file(report_tmp_t)

        type_transition report_t tmp_t:dir report_tmp_t;

        corecmd_exec_bin(report_t)

        allow report_t etc_t:file { open read };
        allow report_t report_tmp_t:dir { add_name create search write };
        allow report_t report_tmp_t:file { create open write };
        allow report_t shell_exec_t:file { execute map read };
        allow report_t tmp_t:dir { add_name search write };
        allow report_t tmp_t:file { open read };
        --
        FOLDER/report	--	gen_context(system_u:object_r:report_exec_t,s0)
        FOLDER/out(/.*)?	gen_context(system_u:object_r:report_tmp_t,s0)
    "#]]
    .assert_eq(&module);
    let again = lab.plainly(&["--policy", "new.te"], &program).output()?;
    // The folder is there, with the label that the module gives it.
    same(text(&again.stderr).contains("mandate"), false)?;
    fs::remove_dir_all(lab.0.join("out"))?;
    let again = lab.plainly(&["--policy", "new.te"], &program).output()?;
    same((again.status.code(), text(&again.stderr).as_str()), (Some(0), ""))?;
    let copy = fs::read_to_string(lab.0.join("out/copy"))?;
    same(copy.as_str(), "plain\n")?;
    // Without one of its rules it is not enough.
    let less = fs::read_to_string(lab.0.join("new.te"))?;
    let less: Vec<_> = less.lines().filter(|it| !it.contains("tmp_t:dir")).collect();
    fs::write(lab.0.join("new.te"), less.join("\n") + "\n")?;
    fs::remove_dir_all(lab.0.join("out"))?;
    let again = lab.plainly(&["--policy", "new.te"], &program).output()?;
    same(text(&again.stderr).contains("mandate: denied: mkdir (report_t)"), true)
}

fn left_out() -> Result<(), Failed> {
    let lab = Lab::new();
    let lines = |module: &str| {
        let lines = module.lines().filter(|it| it.starts_with("# Left out"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let (_, module) = learn(&lab, &["./program", "inside:code in memory"])?;
    expect!["# Left out: execmem of process (program_t): a neverallow rule at policy/modules/kernel/domain.te:132 forbids it"]
    .assert_eq(&lines(&module));
    let wrong = lab.plainly(&["--permissive", "--learn", "new"], &["true"]).output()?;
    same(text(&wrong.stderr).as_str(), "mandate: --learn: new has to end with .te\n")?;
    let wrong = lab.plainly(&["--permissive=user_t", "--learn", "a.te"], &["true"]).output()?;
    same(wrong.status.code(), Some(2))
}

fn permissive() -> Result<(), Failed> {
    let lab = Lab::new();
    for option in ["--permissive", "--permissive=user_t"] {
        let output = lab.run(&[option], &["/bin/cat", "secret"]);
        same(text(&output.stdout).as_str(), SECRET)?;
        same(text(&output.stderr).contains("mandate: would be denied: cat"), true)?;
    }
    Ok(())
}

fn records() -> Result<(), Failed> {
    let lab = Lab::new();
    let log = lab.0.join("log");
    lab.run(&["--quiet", "--audit", log.to_str().unwrap()], &["/bin/cat", "secret"]);
    let record = fs::read_to_string(log)?;
    let (head, body) = record.split_once("): avc:  denied  ").ok_or_else(|| record.clone())?;
    same(head.starts_with("type=AVC msg=audit("), true)?;
    let end = " scontext=user_u:user_r:user_t:s0 tcontext=system_u:object_r:tls_privkey_t:s0 tclass=file permissive=0\n";
    same(body.starts_with("{ read } for  pid=") && body.ends_with(end), true)
}

fn unknown_names() -> Result<(), Failed> {
    let lab = Lab::new();
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
