//! What programs see of SELinux, by a shell and the tools that every system has.

use libtest_mimic::Failed;

use super::{Check, Lab, same, text};

pub(super) const CHECKS: [(&str, Check); 8] = [
    ("SELinux is seen: its state", state),
    ("SELinux is seen: classes and their permissions", classes),
    ("SELinux is seen: folders list what is in them", folders),
    ("SELinux is seen: contexts of processes", processes),
    ("SELinux is seen: its file system", file_system),
    ("SELinux is seen: its configuration", configuration),
    ("SELinux is seen: places have attributes", attributes),
    ("SELinux is seen: an ordinary user changes nothing, and is told", unchanged),
];

/// What a shell prints, by default and with --exact.
fn prints(script: &str, wanted: &str) -> Result<(), Failed> {
    for options in [&["--quiet"][..], &["--quiet", "--exact"]] {
        let output = Lab::new().run(options, &["/bin/sh", "-c", script]);
        same((text(&output.stdout), text(&output.stderr)), (wanted.to_owned(), String::new()))?;
        same(output.status.code(), Some(0))?;
    }
    Ok(())
}

fn state() -> Result<(), Failed> {
    prints("for it in enforce mls; do cat /sys/fs/selinux/$it; done", "11")?;
    // What the embedded policy has for its version.
    prints(
        "cat /sys/fs/selinux/policyvers; echo; ls /etc/selinux/mandate/policy",
        "33\npolicy.33\n",
    )
}

fn classes() -> Result<(), Failed> {
    prints(
        "cat /sys/fs/selinux/class/file/perms/ioctl /sys/fs/selinux/class/file/perms/read",
        "12",
    )?;
    prints("cat /sys/fs/selinux/class/no_such/index 2> /dev/null || echo none", "none\n")?;
    prints("ls /sys/fs/selinux/class/fd /sys/fs/selinux/class/fd/perms", FD)
}

const FD: &str =
    "/sys/fs/selinux/class/fd:\nindex\nperms\n\n/sys/fs/selinux/class/fd/perms:\nuse\n";

fn folders() -> Result<(), Failed> {
    prints("ls /sys/fs/selinux", TOP)?;
    prints("ls /sys/fs/selinux/booleans | grep -x user_exec_content", "user_exec_content\n")?;
    prints("ls /sys/fs/selinux/avc", "cache_stats\ncache_threshold\nhash_stats\n")?;
    prints("ls /sys/fs/selinux/no_such 2> /dev/null || echo none", "none\n")
}

const TOP: &str = "access\navc\nbooleans\ncheckreqprot\nclass\ncommit_pending_bools\ncontext\ncreate\ndeny_unknown\nenforce\ninitial_contexts\nload\n\
    member\nmls\nnull\npolicy\npolicy_capabilities\npolicyvers\nreject_unknown\nrelabel\nss\nstatus\nuser\nvalidatetrans\n";

fn processes() -> Result<(), Failed> {
    let context = "user_u:user_r:user_t:s0\0";
    prints("cat /proc/self/attr/current", context)?;
    prints("cat /proc/$$/attr/current /proc/thread-self/attr/prev", &context.repeat(2))?;
    prints("cat /proc/self/attr/exec /proc/self/attr/fscreate", "")
}

fn file_system() -> Result<(), Failed> {
    prints("grep selinuxfs /proc/filesystems", "nodev\tselinuxfs\n")?;
    let line = "selinuxfs /sys/fs/selinux selinuxfs rw,nosuid,noexec,relatime 0 0\n";
    prints("grep selinuxfs /proc/mounts; grep selinuxfs /proc/self/mounts", &line.repeat(2))?;
    prints("stat -f -c %t /sys/fs/selinux", "f97cff8c\n")
}

fn configuration() -> Result<(), Failed> {
    prints("cat /etc/selinux/config", CONFIG)?;
    prints("ls /etc/selinux", "config\nmandate\n")?;
    prints("cat /etc/selinux/mandate/seusers", "__default__:user_u:s0\n")
}

const CONFIG: &str = "SELINUX=enforcing\nSELINUXTYPE=mandate\n";

fn attributes() -> Result<(), Failed> {
    let places =
        "/sys/fs/selinux /sys/fs/selinux/enforce /sys/fs/selinux/access /sys/fs/selinux/load";
    prints(&format!("stat -c '%F %a %s %n' {places}"), ATTRIBUTES)?;
    let size = format!("regular file {}\n", CONFIG.len());
    prints("stat -c '%F %s' /etc/selinux/config", &size)?;
    prints("tar -cC /etc/selinux config | tar -xO", CONFIG)?;
    prints("[ -r /sys/fs/selinux/enforce ] && [ ! -e /sys/fs/selinux/no_such ] && echo", "\n")?;
    let label = "chcon -t bin_t /sys/fs/selinux/enforce 2>&1 | grep -o 'Operation not supported'";
    prints(label, "Operation not supported\n")
}

const ATTRIBUTES: &str = "directory 755 0 /sys/fs/selinux\nregular empty file 644 0 /sys/fs/selinux/enforce\n\
    regular empty file 666 0 /sys/fs/selinux/access\nregular empty file 600 0 /sys/fs/selinux/load\n";

/// Each is refused, and whoever watches is told why.
fn unchanged() -> Result<(), Failed> {
    let switch = "/sys/fs/selinux/booleans/user_exec_content";
    let (mode, commit) = ("/sys/fs/selinux/enforce", "/sys/fs/selinux/commit_pending_bools");
    for (what, value, asked) in
        [(mode, "0", "setenforce"), (commit, "1", "setbool"), (switch, "1", "setbool")]
    {
        let script =
            format!("(echo {value} > {what}) 2> /dev/null || echo refused; cat {mode} {switch}");
        let output = Lab::new().run(&[], &["/bin/sh", "-c", &script]);
        same(text(&output.stdout), "refused\n10 0".to_owned())?;
        let told = text(&output.stderr);
        let line = format!("denied: sh (user_t) {asked} security ");
        same(told.contains(&line), true).map_err(|_| Failed::from(told))?;
    }
    Ok(())
}
