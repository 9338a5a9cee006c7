//! Programs, and what they are to find.

use std::ffi::OsString;

use super::super::lab::{HOME, Lab, Labels};

/// A program that is run.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) program: Program,
    /// Options of `mandate run`.
    pub(super) options: &'static [&'static str],
    /// The type of all that is in the work folder, but for some.
    pub(super) home: &'static str,
    pub(super) labels: Labels<'static>,
    /// What is in the work folder before.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// How it ends, where that is not compared.
    pub(super) code: &'static str,
    /// Where all is allowed, parts of lines that the monitor tells all the same: of attempts that programs expect to fail. Where something
    /// is denied, what the program or the monitor says of it.
    pub(super) told: &'static [&'static str],
    /// Beginnings of paths of files whose contents depend on which process was first.
    pub(super) unsteady: &'static [&'static str],
    /// Also with --exact.
    pub(super) exact: bool,
    pub(super) seconds: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Program {
    Bash(&'static str),
    Python(&'static str),
    /// In the work folder.
    File(&'static str),
    /// This program itself, in several threads.
    Threads,
    /// As many forks of a shell, each of which does something.
    Forks(u32, &'static str),
}

/// Rounds of each thread.
const ROUNDS: &str = "40";

impl Case {
    pub(super) fn words(&self, lab: &Lab) -> Vec<OsString> {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect();
        match self.program {
            Program::Bash(script) => words(&["/bin/bash", "-c", script]),
            Program::Python(script) => words(&["/usr/bin/python3", "-c", script]),
            Program::File(name) => vec![lab.work().join(name).into()],
            Program::Threads => {
                let mut all = vec![lab.program().into()];
                all.extend(["work", "threads", ROUNDS].map(OsString::from));
                all
            }
            Program::Forks(forks, each) => {
                let script = format!(
                    "for ((n = 0; n < {forks}; n++)); do ({each}) && ((++good)); done; echo \"$good\""
                );
                words(&["/bin/bash", "-c", &script])
            }
        }
    }
}

const CASE: Case = Case {
    name: "",
    program: Program::Bash(""),
    options: &[],
    home: HOME,
    labels: &[],
    files: &[],
    code: "exit status: 0",
    told: &[],
    unsteady: &[],
    exact: true,
    seconds: 60,
};

const fn bash(name: &'static str, script: &'static str) -> Case {
    Case { name, program: Program::Bash(script), ..CASE }
}

/// The policy allows what these do, with the options.
pub(super) const ALLOWED: &[Case] = &[
    bash("bash", include_str!("../../../programs/bash.sh")),
    bash("coreutils", include_str!("../../../programs/coreutils.sh")),
    bash("find", include_str!("../../../programs/find.sh")),
    bash("tar", include_str!("../../../programs/tar.sh")),
    Case { told: &[VM], ..bash("git", include_str!("../../../programs/git.sh")) },
    bash("make and gcc", include_str!("../../../programs/make.sh")),
    Case {
        name: "python3: threads, programs, an event loop",
        program: Program::Python(include_str!("../../../programs/python.py")),
        ..CASE
    },
    Case {
        name: "python3: files with messages, System V",
        program: Program::Python(include_str!("../../../programs/messages.py")),
        ..CASE
    },
    Case {
        name: "python3: functions that C calls",
        program: Program::Python(include_str!("../../../programs/callbacks.py")),
        options: &["--set", "allow_execmem=on"],
        labels: &[("/usr/bin/python3[^/]* --", "jit_exec_t")],
        // Where SELinux is there, libffi first tries files to map.
        told: &["python3 (jit_t) map file /memfd:libffi (tmpfs_t)"],
        ..CASE
    },
    Case {
        unsteady: &["db", "copy", "other"],
        ..bash("sqlite3", include_str!("../../../programs/sqlite.sh"))
    },
    DATABASES,
    Case {
        name: "a program with eight threads",
        program: Program::Threads,
        files: &[("shared", "shared\n")],
        ..CASE
    },
    Case { name: "10,000 forks", program: Program::Forks(10_000, "exit 0"), exact: false, ..CASE },
];

/// What the C library looks at to decide how memory is given back.
const VM: &str = "search dir /proc/sys/vm (sysctl_vm_t)";
const DATABASES: Case = Case {
    name: "PostgreSQL: initdb, pgbench",
    program: Program::File("driver"),
    options: &["--domain", "postgresql_t"],
    // Of --exact: mapped instead of read, and read after all.
    told: &["locale (postgresql_t) map file /etc/locale.alias"],
    unsteady: &["data/"],
    home: "postgresql_db_t",
    labels: DATABASE,
    files: &[("driver", DRIVER), ("run/", ""), ("log/", ""), ("secret", "2\t0\t\\N\n")],
    ..CASE
};
const DRIVER: &str = include_str!("../../../programs/postgresql.sh");
const DATABASE: Labels<'static> = &[
    ("driver --", "postgresql_exec_t"),
    ("run(/.*)?", "postgresql_runtime_t"),
    ("log(/.*)?", "postgresql_log_t"),
];

/// A server that asks SELinux itself, which is only there when it is watched.
const LABELLED_DATABASE: Case = Case {
    name: "PostgreSQL with sepgsql",
    program: Program::Bash(include_str!("../../../programs/sepgsql.sh")),
    options: CLIENT,
    labels: &[("server --", "postgresql_exec_t"), DATABASE[1], DATABASE[2]],
    files: &[("server", SERVER), ("run/", ""), ("log/", "")],
    told: &[
        "server: 0\nunconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\nSELECT 1\nplain\n",
        "\nunconfined_u:object_r:sepgsql_table_t:s0\npsql: 0\n",
        // A table whose type clients may not read.
        "psql: 0\nERROR:  SELinux: security policy violation\npsql: 1\nof c5\npsql: 0\n",
        // And one whose category they do not have.
        "unconfined_t:s0\nplain\npsql at s0: 0\nERROR:  SELinux: security policy violation\npsql at s0: 1\n",
        "ERROR:  SELinux: invalid security label: \"system_u:object_r:no_such_t:s0\"\npsql: 1\nserver: 0\n",
    ],
    home: "postgresql_db_t",
    ..CASE
};
const CLIENT: &[&str] = &["--context", "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023"];
const CLIENT_EXACT: &[&str] = &["--exact", CLIENT[0], CLIENT[1]];
const SERVER: &str = include_str!("../../../programs/sepgsql-server.sh");

/// A file that users may not read.
const SECRET: Labels<'static> = &[("secret", "tls_privkey_t"), ("hidden(/.*)?", "tls_privkey_t")];
const FILES: &[(&str, &str)] =
    &[("plain", "plain\n"), ("secret", "secret\n"), ("hidden/file", ""), ("tool", "#!/bin/sh\n")];

const fn denied(name: &'static str, script: &'static str, told: &'static [&'static str]) -> Case {
    Case { labels: SECRET, files: FILES, told, ..bash(name, script) }
}

/// The policy denies something of what these do.
pub(super) const DENIED: &[Case] = &[
    denied(
        "bash is denied",
        "read -r line < secret; echo \"code $?\"; ./tool; echo \"code $?\"; cd hidden; read -r line < plain; echo \"$line\"",
        &[
            "line 1: secret: Permission denied\n",
            "code 1\n",
            "./tool: /bin/sh: bad interpreter: Permission denied\n",
            "code 126\n",
            "hidden: Permission denied\n",
            "plain\n",
            "bash (user_t) read file",
            "bash (user_t) execute file",
        ],
    ),
    denied(
        "coreutils are denied",
        "cat secret; cp secret copy; mv secret other; rm -f secret; touch secret; chmod 600 secret; truncate -s 0 secret; tee secret < plain > copy; \
         ln secret link; mkdir hidden/new; ls hidden; touch hidden/file; cat plain copy",
        &[
            "cat: secret: Permission denied",
            "cp: cannot open 'secret' for reading: Permission denied",
            "mv: cannot move 'secret' to 'other': Permission denied",
            "rm: cannot remove 'secret': Permission denied",
            "touch: cannot touch 'secret': Permission denied",
            "chmod: changing permissions of 'secret': Permission denied",
            "truncate: cannot open 'secret' for writing: Permission denied",
            "tee: secret: Permission denied",
            "ln: failed to create hard link 'link' => 'secret': Permission denied",
            "mkdir: cannot create directory 'hidden/new': Permission denied",
            "ls: cannot open directory 'hidden': Permission denied",
            "touch: cannot touch 'hidden/file': Permission denied",
            "plain\nplain\n",
            "cp (user_t) read",
            "rm (user_t) unlink file",
        ],
    ),
    Case {
        code: "exit status: 1",
        ..denied(
            "find is denied",
            "find . -type f | sort; find . -type f -exec false {} + ; find plain hidden",
            &[
                "find: './hidden': Permission denied",
                "find: 'hidden': Permission denied",
                "\nplain\n",
                "find (user_t) read",
            ],
        )
    },
    denied(
        "tar is denied",
        "tar cf x.tar plain secret hidden tool; echo \"code $?\"; tar tf x.tar",
        &[
            "tar: secret: Cannot open: Permission denied",
            "tar: hidden: Cannot open: Permission denied",
            "code 2\nplain\ntool\n",
            "tar (user_t) read file",
        ],
    ),
    denied(
        "git is denied",
        "export HOME=$PWD; git config --global user.email a; git config --global user.name A; git init -q .; git add plain secret; echo \"code $?\"; \
         cp tool .git/hooks/pre-commit; git add plain; git commit -qm one; echo \"code $?\"; rm .git/hooks/pre-commit; git commit -qm two; git log --format=%s; PATH=/usr/bin git grep -c pl; echo end",
        &[
            "error: open(\"secret\"): Permission denied",
            "code 128\n",
            "cannot exec '.git/hooks/pre-commit': Permission denied",
            "code 1\ntwo\n",
            "end\n",
            "git (user_t) read file",
            "git (user_t) execute file",
        ],
    ),
    denied(
        "make and gcc are denied",
        "printf 'int main(void) { return 3; }' > a.c; printf 'all: a secrets checked\nsecrets:\n\tcat secret\nchecked:\n\t./a\n' > Makefile; make -k; echo \"code $?\"; \
         gcc -include secret a.c; echo \"code $?\"; gcc -c a.c -o b.o; echo \"code $?\"",
        &[
            "cat: secret: Permission denied",
            "make: ./a: Permission denied",
            "code 2\n",
            "secret: Permission denied",
            "code 1\ncode 0\n",
            "make (user_t) execute file",
        ],
    ),
    Case {
        program: Program::Python(include_str!("../../../programs/callbacks.py")),
        ..denied(
            "python3 has no memory for code",
            "",
            &[
                "0 no memory for code\n",
                "7 no memory for code\n",
                "python3 (user_t) execute file",
            ],
        )
    },
    Case {
        program: Program::Python(include_str!("../../../programs/denied.py")),
        ..denied("python3 is denied", "", &["[Errno 13] Permission denied: 'secret'\n", "end\n"])
    },
    denied(
        "sqlite3 is denied",
        "sqlite3 secret 'select 1 from t'; echo \"code $?\"; sqlite3 db 'create table t(n); attach \"secret\" as s;'; echo \"code $?\"; sqlite3 db .tables",
        &[
            "unable to open database \"secret\"",
            "unable to open database: secret",
            "code 1\ncode 14\nt\n",
            "sqlite3 (user_t) read write file",
        ],
    ),
    Case {
        labels: &[DATABASE[0], DATABASE[1], DATABASE[2], ("secret --", "httpd_sys_content_t")],
        told: &[
            "/secret\" for reading: Permission denied",
            "psql: 0\n1\n",
            "100000\n",
            "postgres (postgresql_t) read file",
        ],
        name: "PostgreSQL is denied",
        ..DATABASES
    },
    LABELLED_DATABASE,
    Case { name: "PostgreSQL with sepgsql, --exact", options: CLIENT_EXACT, ..LABELLED_DATABASE },
    Case {
        program: Program::Threads,
        files: &[("shared", "shared\n")],
        labels: &[("shared", "tls_privkey_t")],
        told: &[
            "Permission denied (os error 13)\n",
            "[0, 780, 1560, 2340, 3120, 3900, 4680, 5460]\n",
            "(user_t) read file",
        ],
        name: "a program with eight threads is denied",
        ..CASE
    },
    Case {
        program: Program::Forks(2_000, "! read -r line < secret"),
        ..denied("forks are denied", "", &["line 1: secret: Permission denied\n", "read file"])
    },
];
