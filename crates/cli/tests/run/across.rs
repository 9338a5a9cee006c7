//! What outlives a program or a run, and what comes into another domain.

use std::fs;
use std::process::Command;

use libtest_mimic::Failed;

use super::{Lab, same, text};

/// A file of its own that lies among secrets is its own for as long as labels are kept.
pub(super) fn state() -> Result<(), Failed> {
    let lab = Lab::new();
    let kept = ["--state", "kept"];
    let moved = lab.run(&kept, &["/bin/sh", "-c", "echo mine > mine && mv mine vault/mine"]);
    same((text(&moved.stderr).as_str(), moved.status.code()), ("", Some(0)))?;
    let read = |options: &[&str]| lab.run(options, &["/bin/cat", "vault/mine"]);
    same(text(&read(&kept).stdout).as_str(), "mine\n")?;
    same(text(&read(&[]).stdout).as_str(), "")?;
    // Nobody gets at where they are kept.
    let look =
        lab.run(&kept, &["/bin/sh", "-c", "ls kept; cat kept/labels.redb; : >> kept/labels.redb"]);
    same(text(&look.stdout).as_str(), "")?;
    same(text(&read(&kept).stdout).as_str(), "mine\n")
}

pub(super) fn one_at_a_time() -> Result<(), Failed> {
    let lab = Lab::new();
    let program = ["/bin/sh", "-c", "echo > begun; while test ! -e over; do sleep 0.1; done"];
    let mut first = lab.watched(&["--state", "kept"], &program, None).spawn()?;
    while !lab.0.join("begun").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let second = lab.run(&["--state", "kept"], &["/bin/echo", "started"]);
    fs::write(lab.0.join("over"), "")?;
    same(first.wait()?.code(), Some(0))?;
    same((second.status.code(), text(&second.stdout).as_str()), (Some(2), ""))?;
    let told = text(&second.stderr);
    same(told.contains("kept: another run keeps its labels there"), true)?;
    let third = lab.run(&["--state", "kept"], &["/bin/echo", "started"]);
    same(text(&third.stdout).as_str(), "started\n")
}

/// A shell that is a way into the domain of `ping`, which may read nothing of a user's home.
fn with_ping() -> Lab {
    let lab = Lab::new();
    let ping = lab.0.join("ping");
    assert!(Command::new("cp").arg("/bin/sh").arg(&ping).status().unwrap().success());
    let labels = lab.0.join("labels");
    let more = format!("{} -- system_u:object_r:ping_exec_t:s0\n", ping.display());
    fs::write(&labels, fs::read_to_string(&labels).unwrap() + &more).unwrap();
    lab.give_away();
    lab
}

/// What it may not have is an empty file for it; its parent has it still. Pipes it may have.
pub(super) fn open_files() -> Result<(), Failed> {
    let script =
        "exec 5< plain; ./ping -c 'read it <&5; echo \"ping $it\"'; read it <&5; echo \"sh $it\"";
    let plain = with_ping().unwatched(&["/bin/sh", "-c", script]);
    same(text(&plain.stdout).as_str(), "ping plain\nsh \n")?;
    let watched = with_ping().run(&[], &["/bin/sh", "-c", script]);
    same(text(&watched.stdout).as_str(), "ping \nsh plain\n")?;
    let told = text(&watched.stderr);
    same(told.contains("(ping_t) read file") && told.contains("/plain (user_home_t)"), true)
}

/// Programs ask for the contexts of what comes next.
pub(super) fn next_contexts() -> Result<(), Failed> {
    let script = "import os\n\
        def ask(name, text):\n\
        \x20   file = os.open('/proc/thread-self/attr/' + name, os.O_RDWR)\n\
        \x20   try: return os.write(file, text)\n\
        \x20   except OSError as why: return why.errno\n\
        \x20   finally: os.close(file)\n\
        read = lambda name: open('/proc/self/attr/' + name).read()\n\
        print(read('current'), ask('exec', b'nonsense'), ask('current', b'user_u:user_r:ping_t:s0'))\n\
        print(ask('exec', b'user_u:user_r:ping_t:s0'), read('exec'))\n\
        os.execv('./ping', ['ping', '-c', 'read it < /proc/self/attr/current; read old < /proc/self/attr/prev; echo $it $old'])\n";
    let lab = with_ping();
    let output = lab.run(&["--quiet"], &["/usr/bin/python3", "-c", script]);
    let told = text(&output.stdout).replace('\0', "");
    let wanted = "user_u:user_r:user_t:s0 22 13\n\
        23 user_u:user_r:ping_t:s0\n\
        user_u:user_r:ping_t:s0 user_u:user_r:user_t:s0\n";
    same(told.as_str(), wanted)
}
