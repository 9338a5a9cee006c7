//! Made audit logs: records of all kinds, mixed as a busy machine mixes them. The same seed makes the same log.

use std::fmt::Write as _;

use crate::random::Random;

const DOMAINS: [&str; 8] =
    ["httpd", "sshd", "named", "postfix_master", "crond", "user", "init", "container"];
const OBJECTS: [&str; 8] =
    ["shadow", "etc", "var_log", "tmp", "user_home", "http_port", "device", "proc_net"];
const USERS: [&str; 4] = ["system_u", "user_u", "staff_u", "root"];
const RANGES: [&str; 5] = ["", ":s0", ":s0-s0:c0.c1023", ":s0:c1,c7", ":s0:c5-s0:c5,c9"];
const CLASSES: [(&str, &[&str]); 6] = [
    ("file", &["read", "write", "open", "getattr", "append", "map"]),
    ("dir", &["search", "add_name", "remove_name", "write"]),
    ("tcp_socket", &["name_bind", "name_connect", "node_bind", "read"]),
    ("process", &["transition", "signal", "execmem"]),
    ("capability", &["sys_admin", "dac_override"]),
    ("unix_stream_socket", &["connectto", "read"]),
];
const CALLS: [(&str, &str, u32, &str); 9] = [
    ("c000003e", "x86_64", 2, "open"),
    ("c000003e", "x86_64", 257, "openat"),
    ("c000003e", "x86_64", 42, "connect"),
    ("c000003e", "x86_64", 49, "bind"),
    ("c000003e", "x86_64", 59, "execve"),
    ("c000003e", "x86_64", 9, "mmap"),
    ("c00000b7", "aarch64", 56, "openat"),
    ("40000003", "i386", 5, "open"),
    ("80000016", "s390x", 5, "open"),
];

/// A log in the making.
pub(super) struct Log {
    random: Random,
    /// Time in milliseconds.
    now: u64,
    serial: u64,
    text: String,
    /// Records of events that are not finished, to be mixed in.
    pending: Vec<String>,
    /// The process of the event.
    pid: usize,
    comm: usize,
    enriched: bool,
    nodes: bool,
}

impl Log {
    pub(super) fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        let (enriched, nodes) = (seed % 2 == 1, seed % 3 == 1);
        let (now, serial) = (1_700_000_000_000, 1000);
        let (text, pending) = (String::new(), Vec::new());
        Self { random, now, serial, text, pending, pid: 2, comm: 0, enriched, nodes }
    }

    /// A log of so many events of all kinds.
    pub(super) fn mixed(seed: u64, events: usize) -> String {
        let mut log = Self::new(seed);
        for _ in 0..events {
            log.event();
        }
        log.flush();
        log.text
    }

    /// So many AVC records, of which every fourth has a system call: the log that figures are measured on.
    pub(super) fn large(seed: u64, avcs: usize) -> String {
        let mut log = Self { enriched: false, nodes: false, ..Self::new(seed) };
        for n in 0..avcs {
            let step = log.random.below(10) as u64;
            log.now += step;
            log.begin();
            let (scontext, tcontext) = (log.scontext(), log.tcontext());
            log.avc(&scontext, &tcontext);
            if n % 4 == 3 {
                log.syscall(&scontext);
            }
            log.flush();
        }
        log.text
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        self.random.pick(list).copied()
    }

    fn word(&mut self, list: &[&'static str]) -> &'static str {
        self.pick(list).unwrap_or_default()
    }

    fn begin(&mut self) {
        self.serial += 1;
        (self.pid, self.comm) = (self.random.between(2, 40), self.random.below(17));
    }

    /// The name of the process: in quotes, or in hexadecimal because it has a space.
    fn comm(&self) -> String {
        match self.comm {
            0 => "comm=6D792070726F67".to_owned(),
            number => format!("comm=\"c{number}\""),
        }
    }

    fn event(&mut self) {
        let step = self.random.below(900) as u64;
        self.now += step;
        self.begin();
        let (scontext, tcontext) = (self.scontext(), self.tcontext());
        match self.random.below(12) {
            0..6 => self.access(&scontext, &tcontext),
            6 => self.avc(&scontext, &tcontext),
            7 => self.user_avc(&scontext),
            8 => self.change(),
            9 => self.selinux_err(),
            10 => self.user_change(&scontext),
            _ => self.notice(&scontext),
        }
        if self.random.chance(70) {
            self.flush();
        }
    }

    /// Writes what is pending, records of several events mixed, those of one in their order.
    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.pending);
        let mut queues: Vec<(String, Vec<String>)> = Vec::new();
        for line in lines {
            let event = line
                .split("): ")
                .next()
                .and_then(|it| it.split("audit(").nth(1))
                .unwrap_or_default();
            let event = event.to_owned();
            match queues.iter_mut().find(|it| it.0 == event) {
                Some(queue) => queue.1.push(line),
                None => queues.push((event, vec![line])),
            }
        }
        while !queues.is_empty() {
            let at = self.random.below(queues.len());
            let Some(queue) = queues.get_mut(at) else { break };
            let line = queue.1.remove(0);
            if queue.1.is_empty() {
                queues.remove(at);
            }
            self.text += &line;
            self.text.push('\n');
        }
    }

    fn record(&mut self, kind: &str, body: &str, enriched: &str) {
        let node = if self.nodes { "node=web1 " } else { "" };
        let (seconds, millis, serial) = (self.now / 1000, self.now % 1000, self.serial);
        let mut line =
            format!("{node}type={kind} msg=audit({seconds}.{millis:03}:{serial}): {body}");
        if self.enriched && !enriched.is_empty() {
            line.push('\u{1d}');
            line += enriched;
        }
        self.pending.push(line);
    }

    fn context(&mut self, role: &str, name: &str) -> String {
        let (user, range) = (self.word(&USERS), self.word(&RANGES));
        format!("{user}:{role}:{name}_t{range}")
    }

    fn scontext(&mut self) -> String {
        let name = self.word(&DOMAINS);
        self.context("system_r", name)
    }

    fn tcontext(&mut self) -> String {
        let name = self.word(&OBJECTS);
        self.context("object_r", name)
    }

    fn avc(&mut self, scontext: &str, tcontext: &str) {
        let (class, permissions) = self.pick(&CLASSES).unwrap_or(("file", &["read"]));
        let mut names = vec![self.word(permissions)];
        let other = self.word(permissions);
        if !names.contains(&other) {
            names.push(other);
        }
        let (pid, comm, number) = (self.pid, self.comm(), self.random.below(200));
        // The original takes commas out of records with two spaces in a row, as behind a capability.
        let scontext =
            if class == "capability" { scontext.replace(',', ".") } else { scontext.to_owned() };
        let tcontext =
            if class == "capability" { tcontext.replace(',', ".") } else { tcontext.to_owned() };
        let word = if self.random.chance(90) { "denied " } else { "granted" };
        let about = match class {
            "file" if number % 3 == 0 => {
                format!("path=2F746D702F6120{:04X}20 dev=\"vda1\" ino={number}", 0x4100 + number)
            }
            "file" => format!("path=\"/srv/f{number}\" dev=\"vda1\" ino={number}"),
            "dir" => format!("name=\"d{number}\" dev=\"vda1\" ino={number}"),
            "tcp_socket" => format!("src={}", 1024 + number),
            "capability" => "capability=21 ".to_owned(),
            _ => String::new(),
        };
        let space = if about.is_empty() { "" } else { " " };
        let word = word.trim_end();
        let permissive = match number % 5 {
            0 => "",
            1 => " permissive=1",
            _ => " permissive=0",
        };
        let body = format!(
            "avc:  {word}  {{ {} }} for  pid={pid} {comm} {about}{space}scontext={scontext} tcontext={tcontext} tclass={class}{permissive}",
            names.join(" ")
        );
        self.record("AVC", &body, "");
    }

    fn syscall(&mut self, scontext: &str) {
        let (arch, machine, call, name) = self.pick(&CALLS).unwrap_or_default();
        let (pid, comm, number) = (self.pid, self.comm(), self.comm);
        let (success, exit) = match self.random.below(3) {
            0 => ("yes", "3"),
            1 => ("no", "-13"),
            _ => ("no", "-2"),
        };
        let key = if number == 3 { "\"watched\"" } else { "(null)" };
        let body = format!(
            "arch={arch} syscall={call} success={success} exit={exit} a0=ffffff9c a1=7ffd a2=0 a3=0 items=2 ppid=1 pid={pid} \
             auid=4294967295 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=4294967295 {comm} \
             exe=\"/usr/bin/c{number}\" subj={scontext} key={key}"
        );
        let enriched = format!(
            "ARCH={machine} SYSCALL={name} AUID=\"unset\" UID=\"root\" GID=\"root\" EUID=\"root\" SUID=\"root\" FSUID=\"root\" EGID=\"root\" SGID=\"root\" FSGID=\"root\""
        );
        self.record("SYSCALL", &body, &enriched);
    }

    /// A decision and what the kernel tells with it.
    fn access(&mut self, scontext: &str, tcontext: &str) {
        self.avc(scontext, tcontext);
        self.syscall(scontext);
        let number = self.random.below(200);
        if self.random.chance(30) {
            self.record(
                "SOCKADDR",
                "saddr=02001F907F0000010000000000000000",
                "SADDR={ saddr_fam=inet laddr=127.0.0.1 lport=8080 }",
            );
        }
        if self.random.chance(20) {
            self.record("EXECVE", "argc=3 a0=\"ls\" a1=\"-l\" a2=2F612062", "");
        }
        if self.random.chance(60) {
            self.record("CWD", "cwd=\"/srv\"", "");
            let body = format!(
                "item=0 name=\"f{number}\" inode={number} dev=fe:01 mode=0100640 ouid=0 ogid=0 rdev=00:00 obj={tcontext} nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0"
            );
            self.record("PATH", &body, "OUID=\"root\" OGID=\"root\"");
        }
        if self.random.chance(60) {
            self.record("PROCTITLE", "proctitle=636174002F6574632F736861646F77", "");
        }
        if self.random.chance(20) {
            self.record("EOE", "", "");
        }
    }

    fn user_avc(&mut self, scontext: &str) {
        let (pid, number) = (self.pid, self.random.below(90));
        let body = format!(
            "pid={pid} uid=0 auid=4294967295 ses=4294967295 subj={scontext} msg='avc:  denied  {{ send_msg }} for msgtype=method_call \
             interface=org.x{number} member=Get dest=:1.{number} spid={} tpid={} scontext=bus_u:bus_r:asks_t:s0 tcontext=bus_u:bus_r:told_t:s0 tclass=dbus permissive=0 \
             exe=\"/usr/bin/dbus-daemon\" sauid=0 hostname=? addr=? terminal=?'",
            500 + number,
            700 + number
        );
        self.record("USER_AVC", &body, "UID=\"root\" AUID=\"unset\" SAUID=\"root\"");
    }

    fn notice(&mut self, scontext: &str) {
        let (kind, text) = self
            .pick(&[
                ("USER_AVC", "avc:  received setenforce notice (enforcing=0)"),
                ("USER_MAC_POLICY_LOAD", "avc:  received policyload notice (seqno=2)"),
                ("USER_SELINUX_ERR", "avc:  unrecognized class x"),
            ])
            .unwrap_or_default();
        let body = format!(
            "pid=1 uid=0 auid=4294967295 ses=4294967295 subj={scontext} msg='{text} exe=\"/usr/lib/systemd/systemd\" sauid=0 hostname=? addr=? terminal=?'"
        );
        self.record(kind, &body, "UID=\"root\" AUID=\"unset\" SAUID=\"root\"");
    }

    fn change(&mut self) {
        let (kind, body) = self
            .pick(&[
                ("MAC_STATUS", "enforcing=0 old_enforcing=1 auid=0 ses=1 enabled=1 old-enabled=1 lsm=selinux res=1"),
                ("MAC_POLICY_LOAD", "auid=0 ses=1 lsm=selinux res=1"),
                ("MAC_CONFIG_CHANGE", "bool=httpd_can_network_connect val=1 old_val=0 auid=0 ses=1"),
            ])
            .unwrap_or_default();
        self.record(kind, body, "AUID=\"root\"");
    }

    /// Contexts that no search asks for: the original does not find these by their contexts, see docs/differences.md.
    fn selinux_err(&mut self) {
        let body = "op=security_compute_av reason=bounds scontext=err_u:err_r:bound_t:s0 tcontext=err_u:err_r:bounded_t:s0 tclass=process perms=transition";
        self.record("SELINUX_ERR", body, "");
    }

    fn user_change(&mut self, scontext: &str) {
        let kind = self.word(&[
            "ROLE_ASSIGN",
            "LABEL_LEVEL_CHANGE",
            "FS_RELABEL",
            "USER_MAC_CONFIG_CHANGE",
        ]);
        let mut body = format!("pid=9 uid=0 auid=0 ses=1 subj={scontext} msg='");
        let result = if self.random.chance(80) { "success" } else { "failed" };
        let _never_fails = write!(
            body,
            "op=login acct=\"root\" exe=\"/usr/sbin/semanage\" hostname=? addr=? terminal=? res={result}'"
        );
        self.record(kind, &body, "UID=\"root\" AUID=\"root\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_log() {
        assert_eq!(Log::mixed(7, 50), Log::mixed(7, 50));
        assert_ne!(Log::mixed(7, 50), Log::mixed(8, 50));
        let large = Log::large(1, 100);
        assert_eq!((large.lines().count(), large.matches("type=AVC ").count()), (125, 100));
    }
}
