//! Made audit logs for formats that tell an event in words: every type of record about SELinux, system calls of all kinds beside them, files
//! and folders in any order, users of every range.

use std::fmt::Write as _;

use crate::random::Random;

const CONTEXTS: [&str; 4] = [
    "system_u:system_r:httpd_t:s0",
    "user_u:user_r:user_t:s0-s0:c0.c9",
    "staff_u:staff_r:staff_t",
    "system_u:object_r:etc_t:s0",
];
const IDS: [u32; 10] = [0, 0, 1, 100, 999, 1000, 59_999, 60_000, 65_534, u32::MAX];
const SESSIONS: [u32; 2] = [3, u32::MAX];
/// With `/usr/bin/sha256sum`, which begins as an interpreter does.
const PROGRAMS: [&str; 9] = [
    "\"/usr/bin/cat\"",
    "\"/usr/bin/python3.9\"",
    "\"/usr/bin/bash\"",
    "\"/usr/bin/sha256sum\"",
    "\"/usr/bin/perl\"",
    "\"/bin/bash\"",
    "2F7573722F62696E2F6120622F63",
    "(null)",
    "?",
];
const COMMS: [&str; 3] = ["\"cat\"", "6120622063", "\"prog\""];
const ARGUMENTS: [&str; 6] = ["0", "1", "1ff", "ffffffff", "7ffd1234", "3e8"];
const NAMES: [&str; 11] = [
    "\"/etc/passwd\"",
    "\"passwd\"",
    "\"a/../b\"",
    "\"/srv/../etc/x\"",
    "2F612062",
    "(null)",
    "\"./x\"",
    "\"x/y/../../z/w\"",
    "\"a\"",
    "\"c..\"",
    "\"/a/b../c\"",
];
const MODES: [&str; 8] =
    ["0100644", "040755", "020666", "060600", "010600", "0120777", "0140755", "0100640"];
const KEYS: [&str; 5] = [" key=(null)", " key=(null)", " key=\"watched\"", " key=6101622063", ""];
/// Of x86_64.
const CALLS: [(u32, &str); 74] = [
    (0, "read"),
    (1, "write"),
    (2, "open"),
    (4, "stat"),
    (9, "mmap"),
    (12, "brk"),
    (16, "ioctl"),
    (21, "access"),
    (42, "connect"),
    (43, "accept"),
    (44, "sendto"),
    (45, "recvfrom"),
    (46, "sendmsg"),
    (47, "recvmsg"),
    (49, "bind"),
    (59, "execve"),
    (62, "kill"),
    (76, "truncate"),
    (82, "rename"),
    (83, "mkdir"),
    (84, "rmdir"),
    (85, "creat"),
    (87, "unlink"),
    (88, "symlink"),
    (89, "readlink"),
    (90, "chmod"),
    (91, "fchmod"),
    (92, "chown"),
    (93, "fchown"),
    (94, "lchown"),
    (101, "ptrace"),
    (105, "setuid"),
    (106, "setgid"),
    (113, "setreuid"),
    (114, "setregid"),
    (117, "setresuid"),
    (119, "setresgid"),
    (122, "setfsuid"),
    (132, "utime"),
    (133, "mknod"),
    (137, "statfs"),
    (138, "fstatfs"),
    (142, "sched_setparam"),
    (144, "sched_setscheduler"),
    (164, "settimeofday"),
    (165, "mount"),
    (166, "umount2"),
    (170, "sethostname"),
    (175, "init_module"),
    (176, "delete_module"),
    (188, "setxattr"),
    (189, "lsetxattr"),
    (190, "fsetxattr"),
    (197, "removexattr"),
    (199, "fremovexattr"),
    (200, "tkill"),
    (234, "tgkill"),
    (235, "utimes"),
    (257, "openat"),
    (258, "mkdirat"),
    (259, "mknodat"),
    (260, "fchownat"),
    (262, "newfstatat"),
    (263, "unlinkat"),
    (264, "renameat"),
    (266, "symlinkat"),
    (268, "fchmodat"),
    (269, "faccessat"),
    (280, "utimensat"),
    (313, "finit_module"),
    (314, "sched_setattr"),
    (316, "renameat2"),
    (322, "execveat"),
    (332, "statx"),
];
/// What programs tell.
const SAID: [&str; 15] = [
    "USER_ROLE_CHANGE",
    "ROLE_ASSIGN",
    "ROLE_REMOVE",
    "ROLE_MODIFY",
    "LABEL_OVERRIDE",
    "LABEL_LEVEL_CHANGE",
    "USER_LABELED_EXPORT",
    "USER_UNLABELED_EXPORT",
    "DEV_ALLOC",
    "DEV_DEALLOC",
    "FS_RELABEL",
    "USER_MAC_POLICY_LOAD",
    "USER_MAC_CONFIG_CHANGE",
    "USER_MAC_STATUS",
    "USER_SELINUX_ERR",
];
const WORDS: [&str; 9] = [
    "op=login acct=\"root\"",
    "op=x acct=dave id=1000",
    "op=add-user,role acct=\"dave\" old-seuser=? new-seuser=staff_u new-role=staff_r new-range=s0-s0:c0.c1023",
    "pam: default-context=u:r:t:s0 selected-context=staff_u:r:t:s0-s0:c0",
    "newrole: old-context=a:b:c new-context=d:e:f",
    "printer=lp0 acct=6120622063",
    "id=0",
    "id=4294967295",
    "avc:  op=load_policy lsm=selinux seqno=2 res=1",
];
const DECIDED: [&str; 4] = [
    "avc:  denied  { send_msg } for msgtype=method_call interface=org.x member=Get dest=:1.9 spid=5 tpid=7 scontext=u:r:asks_t:s0 tcontext=u:r:told_t:s0 tclass=dbus permissive=0",
    "avc:  granted  { start } for auid=n/a uid=0 gid=0 path=\"/x\" cmdline=\"\" function=\"m\" scontext=u:r:asks_t tcontext=u:r:told_t tclass=service permissive=0",
    "avc:  received policyload notice (seqno=2)",
    "avc:  could not determine enforcing mode: No such file",
];

/// A log in the making.
pub(super) struct Wide {
    random: Random,
    now: u64,
    serial: u64,
    text: String,
    enriched: bool,
    node: &'static str,
}

impl Wide {
    /// A log of so many events.
    pub(super) fn log(seed: u64, events: usize) -> String {
        let mut log = Self {
            random: Random::new(seed ^ 0x00aa_0000),
            now: 1_700_000_000_000,
            serial: 500,
            text: String::new(),
            enriched: seed % 2 == 1,
            node: if seed % 3 == 1 { "node=web1 " } else { "" },
        };
        for _ in 0..events {
            log.now += 1 + log.random.below(900) as u64;
            log.serial += 1;
            log.event();
        }
        log.text
    }

    fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        self.random.pick(list).copied().unwrap_or_default()
    }

    fn record(&mut self, kind: &str, body: &str, enriched: &str) {
        let (seconds, millis, serial) = (self.now / 1000, self.now % 1000, self.serial);
        let node = self.node;
        let _never_fails = write!(
            self.text,
            "{node}type={kind} msg=audit({seconds}.{millis:03}:{serial}): {body}"
        );
        if self.enriched && !enriched.is_empty() {
            self.text.push('\u{1d}');
            self.text += enriched;
        }
        self.text.push('\n');
    }

    fn event(&mut self) {
        match self.random.below(100) {
            0..55 => {
                (0..self.pick(&[1, 1, 1, 2, 3])).for_each(|_| self.avc());
                if self.random.chance(93) {
                    self.call();
                }
            }
            55..60 => self.call(),
            60..65 => {
                let context = self.pick(&CONTEXTS);
                let body = format!(
                    "op=security_compute_sid invalid_context=\"u:r:t:s0\" scontext={context} tcontext={context} tclass=process"
                );
                self.record("SELINUX_ERR", &body, "");
                if self.random.chance(70) {
                    self.call();
                }
            }
            65..75 => self.change(),
            75..80 => self.network(),
            80..87 => self.manager(),
            _ => self.said(),
        }
    }

    fn avc(&mut self) {
        let word = self.pick(&["denied", "denied", "granted"]);
        let permissions = self.pick(&["read", "read write", "open"]);
        let comm = self.pick(&COMMS);
        let about = self.pick(&[
            "path=\"/etc/shadow\" dev=\"vda1\" ino=9 ",
            "name=\"shadow\" dev=\"vda1\" ino=9 ",
            "name=6120622F63 dev=\"vda1\" ino=9 ",
            "src=80 ",
            "",
        ]);
        let (source, target) = (self.pick(&CONTEXTS), self.pick(&CONTEXTS));
        let permissive = self.pick(&[" permissive=0", " permissive=1", ""]);
        let pid = self.random.between(2, 99);
        let body = format!(
            "avc:  {word}  {{ {permissions} }} for  pid={pid} comm={comm} {about}scontext={source} tcontext={target} tclass=file{permissive}"
        );
        self.record("AVC", &body, "");
    }

    /// A system call and what the kernel tells with it.
    fn call(&mut self) {
        let (number, name) = self.pick(&CALLS);
        let success =
            self.pick(&["success=yes exit=0 ", "success=no exit=-13 ", "success=yes exit=3 ", ""]);
        let [a0, a1, a2, a3] = [(); 4].map(|()| self.pick(&ARGUMENTS));
        let (auid, auid_name) = self.pick(&[(0, "root"), (1000, "dave"), (u32::MAX, "unset")]);
        let (uid, session) = (self.pick(&IDS), self.pick(&SESSIONS));
        let (comm, exe) = (self.pick(&COMMS), self.pick(&PROGRAMS));
        let (context, key) = (self.pick(&CONTEXTS), self.pick(&KEYS));
        let body = format!(
            "arch=c000003e syscall={number} {success}a0={a0} a1={a1} a2={a2} a3={a3} items=2 ppid=1 pid=77 auid={auid} uid={uid} gid=0 euid={uid} \
             suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses={session} comm={comm} exe={exe} subj={context}{key}"
        );
        let enriched = format!(
            "ARCH=x86_64 SYSCALL={name} AUID=\"{auid_name}\" UID=\"u{uid}\" GID=\"root\" EUID=\"u{uid}\""
        );
        self.record("SYSCALL", &body, &enriched);
        self.beside_call();
    }

    fn beside_call(&mut self) {
        if self.random.chance(15) {
            self.record("EXECVE", "argc=2 a0=\"ls\" a1=2F612062", "");
        }
        if self.random.chance(25) {
            let address = self.pick(&[
                "saddr=02001F907F0000010000000000000000",
                "saddr=01002F72756E2F782E736F636B00",
            ]);
            self.record("SOCKADDR", address, "");
        }
        if self.random.chance(70) {
            let cwd = self.pick(&["cwd=\"/srv/www\"", "cwd=\"/\"", "cwd=2F612062"]);
            self.record("CWD", cwd, "");
        }
        for item in 0..self.random.below(6) {
            self.path(item);
        }
        if self.random.chance(70) {
            self.record("PROCTITLE", "proctitle=636174002F6574", "");
        }
    }

    fn path(&mut self, item: usize) {
        let name = self.pick(&NAMES);
        let kind = self.pick(&["NORMAL", "PARENT", "CREATE", "DELETE", "UNKNOWN", "PARENT"]);
        let rest = "cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0";
        if self.random.chance(15) {
            // It was not found.
            let body = format!("item={item} name={name} nametype={kind} {rest}");
            return self.record("PATH", &body, "");
        }
        let (inode, mode, owner) =
            (self.random.between(9, 999), self.pick(&MODES), self.pick(&IDS));
        let label = match self.random.chance(70) {
            true => format!("obj={} ", self.pick(&CONTEXTS)),
            false => String::new(),
        };
        let body = format!(
            "item={item} name={name} inode={inode} dev=fe:01 mode={mode} ouid={owner} ogid=0 rdev=00:00 {label}nametype={kind} {rest}"
        );
        self.record("PATH", &body, "OUID=\"root\" OGID=\"root\"");
    }

    fn change(&mut self) {
        let (auid, session) = (self.pick(&IDS), self.pick(&SESSIONS));
        let (on, result) = (self.random.below(2), self.random.below(2));
        let who = format!("auid={auid} ses={session}");
        let (kind, body) = match self.random.below(3) {
            0 => ("MAC_POLICY_LOAD", format!("{who} lsm=selinux res={result}")),
            1 => (
                "MAC_STATUS",
                format!(
                    "enforcing={on} old_enforcing=1 {who} enabled=1 old-enabled=1 lsm=selinux res={result}"
                ),
            ),
            _ => ("MAC_CONFIG_CHANGE", format!("bool=httpd_x val={on} old_val=0 {who}")),
        };
        self.record(kind, &body, &format!("AUID=\"x{auid}\""));
        if self.random.chance(60) {
            self.call();
        }
    }

    /// Labelled networking. Records behind these that are of the same call are events of their own; their order is not that of the original.
    fn network(&mut self) {
        let (auid, session) = (self.pick(&IDS), self.pick(&SESSIONS));
        let (context, on) = (self.pick(&CONTEXTS), self.random.below(2));
        let (kind, rest) = match self.random.below(4) {
            0 => ("MAC_UNLBL_ALLOW", format!("unlbl_accept={on} old=1")),
            1 => ("MAC_MAP_ADD", format!("nlbl_domain=httpd_t nlbl_protocol=cipsov4 res={on}")),
            2 => ("MAC_MAP_DEL", format!("nlbl_domain=(default) res={on}")),
            _ => ("MAC_CIPSOV4_ADD", format!("cipso_doi=8 cipso_type=pass res={on}")),
        };
        let body = format!("netlabel: auid={auid} ses={session} subj={context} {rest}");
        self.record(kind, &body, "");
    }

    fn manager(&mut self) {
        let (text, exe) = (self.pick(&DECIDED), self.pick(&PROGRAMS));
        let (uid, auid, session) = (self.pick(&IDS), self.pick(&IDS), self.pick(&SESSIONS));
        let context = self.pick(&CONTEXTS);
        let body = format!(
            "pid=1 uid={uid} auid={auid} ses={session} subj={context} msg='{text}  exe={exe} sauid={uid} hostname=? addr=? terminal=?'"
        );
        self.record("USER_AVC", &body, "UID=\"root\" AUID=\"unset\" SAUID=\"root\"");
    }

    fn said(&mut self) {
        let (kind, text, exe) = (self.pick(&SAID), self.pick(&WORDS), self.pick(&PROGRAMS));
        let (uid, auid, session) = (self.pick(&IDS), self.pick(&IDS), self.pick(&SESSIONS));
        let (context, comm) = (self.pick(&CONTEXTS), self.pick(&["comm=\"x\" ", ""]));
        let (host, terminal) = (self.pick(&["?", "h1"]), self.pick(&["?", "pts/0"]));
        let result = self.pick(&["success", "failed", "1", "0"]);
        let body = format!(
            "pid=9 uid={uid} auid={auid} ses={session} subj={context} msg='{text} exe={exe} {comm}hostname={host} addr=? terminal={terminal} res={result}'"
        );
        self.record(kind, &body, "UID=\"root\" AUID=\"dave\"");
    }
}
