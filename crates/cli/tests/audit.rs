//! `mandate audit`, `ausearch` and `aureport`: text, JSON, CSV, exit codes.

mod common;

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use common::{Folder, run};
use expect_test::{Expect, expect};

const LOG: &[u8] = b"\
type=AVC msg=audit(1700000000.003:1): avc:  denied  { read open } for  pid=7 comm=\"cat\" name=\"shadow\" dev=\"vda1\" ino=12 scontext=u:r:a_t:s0 tcontext=u:object_r:b_t:s0 tclass=file permissive=0
type=SYSCALL msg=audit(1700000000.003:1): arch=c000003e syscall=257 success=no exit=-13 items=1 pid=7 auid=0 uid=0 comm=\"cat\" exe=\"/usr/bin/cat\" subj=u:r:a_t:s0 key=(null)
type=CWD msg=audit(1700000000.003:1): cwd=\"/etc\"
type=PATH msg=audit(1700000000.003:1): item=0 name=\"shadow\" inode=12 dev=fe:01 mode=0100640 ouid=0 ogid=0 rdev=00:00 obj=u:object_r:b_t:s0 nametype=NORMAL
type=AVC msg=audit(1700000001.000:2): avc:  denied  { read open } for  pid=8 comm=\"cat\" name=\"shadow\" dev=\"vda1\" ino=12 scontext=u:r:a_t:s0 tcontext=u:object_r:b_t:s0 tclass=file permissive=1
type=AVC
type=MAC_STATUS msg=audit(1700000002.000:3): enforcing=0 old_enforcing=1 auid=0 ses=1 lsm=selinux res=1
type=USER_LOGIN msg=audit(1700000003.000:4): pid=1 uid=0 auid=0 ses=1 msg='op=login acct=\"root\" exe=\"/bin/login\" hostname=? addr=? terminal=tty1 res=success'
node=web1 type=AVC msg=audit(1700000004.000:5): avc:  granted  { setenforce } for  pid=9 comm=1B5B32 scontext=u:r:a_t:s0 tcontext=u:r:kernel_t:s0 tclass=security
";

#[track_caller]
fn check(name: &str, words: &[&str], code: u8, expected: Expect) {
    let folder = Folder::new(name);
    let log = folder.file("a.log", LOG).display().to_string();
    let words: Vec<&str> = words.iter().map(|it| if *it == "LOG" { &log } else { *it }).collect();
    let (found, out, err) = run(&words);
    // Times are those of the local clock: only their seconds are told.
    expected.assert_eq(&without_hours(&format!("{out}{err}")).replace(&log, "LOG"));
    assert_eq!(found, code);
}

/// `2023-11-14 22:13:20.003` as `:20.003`, wherever it stands.
fn without_hours(text: &str) -> String {
    let mut rest = text;
    let mut told = String::new();
    while let Some(at) = rest.find("2023-11-1") {
        told += &rest[..at];
        rest = &rest[at + "2023-11-14 22:13".len()..];
    }
    told + rest
}

#[test]
fn events_are_found_and_bad_lines_told() {
    check(
        "audit-events-are-found",
        &["mandate", "audit", "search", "LOG"],
        0,
        expect![[r#"
            :20.003 #1 denied { read open } u:r:a_t:s0 u:object_r:b_t:s0 file path=/etc/shadow comm=cat exe=/usr/bin/cat pid=7
            :21.000 #2 denied { read open } u:r:a_t:s0 u:object_r:b_t:s0 file name=shadow comm=cat pid=8 (permissive)
            :22.000 #3 MAC_STATUS enforcing=0 old_enforcing=1 auid=0 ses=1 lsm=selinux res=1
            :24.000 #5 web1 granted { setenforce } u:r:a_t:s0 u:r:kernel_t:s0 security comm=\u{1b}[2 pid=9
            LOG:6:9: expected msg=audit(
        "#]],
    );
}

#[test]
fn options_narrow_down() {
    for (n, (words, events)) in [
        (&["--type", "mac_status"][..], ":22.000 #3"),
        (&["--all", "-m", "user_login"], ":23.000 #4"),
        (&["--permissive"], ":21.000 #2"),
        (&["--granted"], ":24.000 #5"),
        (&["--path", "/etc/shadow"], ":20.003 #1"),
        (&["--path", "shadow", "--word"], ":20.003 #1 :21.000 #2"),
        (&["-c", "file", "-p", "open", "--pid", "8"], ":21.000 #2"),
        (&["-c", "dir"], ""),
        (&["--since", "@1700000002", "--until", "@1700000002"], ":22.000 #3"),
        (&["--node", "web1"], ":24.000 #5"),
        (&["--success", "yes", "-t", "kernel_t"], ":24.000 #5"),
        (&["--just-one"], ":20.003 #1"),
        (&["--event", "77"], ""),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = Folder::new(&format!("audit-options-{n}"));
        let log = folder.file("a.log", LOG).display().to_string();
        let (code, out, _) = run(&[&["mandate", "audit", "search", &log], words].concat());
        let told = without_hours(&out);
        let found: Vec<_> = told
            .lines()
            .map(|it| it.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(found.join(" "), events, "{words:?}");
        assert_eq!(code, u8::from(events.is_empty()), "{words:?}");
    }
}

#[test]
fn other_formats() {
    check(
        "audit-json",
        &["mandate", "audit", "search", "--event", "5", "--format", "json", "LOG"],
        0,
        expect![[r#"
            {"time":":24.000","seconds":1700000004.0,"event":5,"node":"web1","success":true,"accesses":[{"decision":"granted","permissions":["setenforce"],"scontext":"u:r:a_t:s0","tcontext":"u:r:kernel_t:s0","tclass":"security","permissive":null,"pid":9,"comm":"\u001b[2","exe":null,"path":null,"name":null,"deleted":false,"dev":null,"ino":null,"capability":null,"ioctlcmd":null,"src":null,"dest":null}],"records":[{"type":"AVC","fields":{"pid":"9","comm":"1B5B32","scontext":"u:r:a_t:s0","tcontext":"u:r:kernel_t:s0","tclass":"security"},"raw":"node=web1 type=AVC msg=audit(1700000004.000:5): avc:  granted  { setenforce } for  pid=9 comm=1B5B32 scontext=u:r:a_t:s0 tcontext=u:r:kernel_t:s0 tclass=security"}]}
            LOG:6:9: expected msg=audit(
        "#]],
    );
    check(
        "audit-csv",
        &["mandate", "audit", "search", "--format", "csv", "LOG"],
        0,
        expect![[r#"
            time,event,node,type,decision,permissions,scontext,tcontext,tclass,permissive,pid,comm,exe,path,name,port,capability
            :20.003,1,,AVC,denied,read open,u:r:a_t:s0,u:object_r:b_t:s0,file,0,7,cat,/usr/bin/cat,/etc/shadow,shadow,,
            :21.000,2,,AVC,denied,read open,u:r:a_t:s0,u:object_r:b_t:s0,file,1,8,cat,,,shadow,,
            :22.000,3,,MAC_STATUS,,,,,,,,,,,,,
            :24.000,5,web1,AVC,granted,setenforce,u:r:a_t:s0,u:r:kernel_t:s0,security,,9,\u{1b}[2,,,,,
            LOG:6:9: expected msg=audit(
        "#]],
    );
    check(
        "audit-raw",
        &["mandate", "audit", "search", "--format", "raw", "--event", "2", "LOG"],
        0,
        expect![[r#"
            type=AVC msg=audit(1700000001.000:2): avc:  denied  { read open } for  pid=8 comm="cat" name="shadow" dev="vda1" ino=12 scontext=u:r:a_t:s0 tcontext=u:object_r:b_t:s0 tclass=file permissive=1
            LOG:6:9: expected msg=audit(
        "#]],
    );
}

#[test]
fn the_same_again_is_counted() {
    let folder = Folder::new("audit-unique");
    let line = |n: u32| {
        format!(
            "type=AVC msg=audit(170000000{n}.000:{n}): avc:  denied  {{ read }} for  pid={n} comm=\"c\" scontext=a tcontext=b tclass=file\n"
        )
    };
    let text: String = (0..5).map(line).collect();
    let log = folder.file("a.log", text.as_bytes()).display().to_string();
    let (code, out, _) = run(&["mandate", "audit", "search", "--unique", &log]);
    assert_eq!(without_hours(&out), "     5  last :24.000  denied { read } a b file comm=c\n");
    assert_eq!(code, 0);
}

#[test]
fn a_report_counts() {
    check(
        "audit-report",
        &["mandate", "audit", "report", "LOG"],
        0,
        expect![[r#"
            4 events, :20.003 to :24.000
            2 denied (1 enforced, 1 permissive), 1 granted
            1 lines that are no records

            type
                   3  AVC
                   1  MAC_STATUS

            scontext
                   3  u:r:a_t:s0

            tcontext
                   2  u:object_r:b_t:s0
                   1  u:r:kernel_t:s0

            class
                   2  file
                   1  security

            permission
                   2  open
                   2  read
                   1  setenforce

            comm
                   2  cat
                   1  \u{1b}[2

            exe
                   1  /usr/bin/cat

            path
                   1  /etc/shadow
                   1  shadow
            LOG:6:9: expected msg=audit(
        "#]],
    );
    check(
        "audit-report-by",
        &["mandate", "audit", "report", "--by", "tcontext", "--format", "csv", "LOG"],
        0,
        expect![[r#"
            key,value,count
            tcontext,u:object_r:b_t:s0,2
            tcontext,u:r:kernel_t:s0,1
            LOG:6:9: expected msg=audit(
        "#]],
    );
}

#[test]
fn what_is_wrong_is_told() {
    let (code, _, err) = run(&["mandate", "audit", "search", "/nowhere/a.log"]);
    assert_eq!(
        (code, err.as_str()),
        (2, "error: /nowhere/a.log: No such file or directory (os error 2)\n")
    );
    let (code, _, err) = run(&["mandate", "audit", "search", "--type", "AVCC"]);
    assert!(code == 2 && err.contains("did you mean AVC?"), "{err}");
    let (code, _, err) = run(&["mandate", "audit", "search", "--since", "soon"]);
    assert!(code == 2 && err.contains("expected now, recent, boot"), "{err}");
    let (code, _, err) = run(&["mandate", "audit", "search", "--unique", "--format", "raw", "x"]);
    assert!(code == 2 && err.contains("--unique tells accesses"), "{err}");
}

#[test]
fn classic_commands_refuse_what_they_do_not_know() {
    for (words, code, expected) in [
        (&["ausearch", "-k", "x"][..], 1, "-k is an unsupported option\n"),
        (&["ausearch", "-m"], 1, "Argument is required for -m\nValid message types are: ALL "),
        (&["ausearch", "-a", "x"], 1, "Audit event id must be a numeric value, was x\n"),
        (&["ausearch", "-sv", "maybe"], 1, "Success must be 'yes' or 'no'.\n"),
        (&["ausearch", "-ts"], 1, "-ts requires either date and/or time\n"),
        (
            &["ausearch", "-ts", "foo"],
            1,
            "Invalid start date (foo). Month, Day, and Year are required.\n",
        ),
        (&["ausearch", "-ts", "11/14/2023"], 1, "Error parsing start date (11/14/2023)\n"),
        (
            &["ausearch", "-te", "11/14/23", "25:00:00"],
            1,
            "Invalid end time (25:00:00). Hour, Minute, and Second are required.\n",
        ),
        (&["ausearch", "--extra-keys"], 1, "--extra options requires format to be csv\n"),
        (
            &["ausearch", "--format", "raw", "--format", "raw"],
            1,
            "Multiple output formats, use only 1\n",
        ),
        (&["ausearch", "-i", "-r"], 1, "Conflicting output format --raw\n"),
        (&["ausearch", "-if", "/nowhere/a.log"], 1, "stat: No such file or directory\n"),
        (&["aureport", "-l"], 1, "-l is an unsupported option\n"),
        (&["aureport", "-a", "-ma"], 1, "Error - only one report can be specified\n"),
    ] {
        let (found, _, err) = run(words);
        assert!(found == code && err.starts_with(expected), "{words:?}: {found} {err}");
    }
    assert_eq!(run(&["ausearch", "-v"]), (0, "ausearch version 3.0.9\n".to_owned(), String::new()));
}

#[test]
fn classic_commands_show_what_they_find() {
    check(
        "audit-aureport",
        &["aureport", "-a", "--summary", "-if", "LOG"],
        0,
        expect![[r#"

        Avc Object Summary Report
        =================================
        total  obj
        =================================
        2  u:object_r:b_t:s0
        1  u:r:kernel_t:s0
    "#]],
    );
    // A log cannot steer a terminal.
    check(
        "audit-aureport-rows",
        &["aureport", "-a", "-if", "LOG"],
        0,
        expect![[r#"

        AVC Report
        ===============================================================
        # date time comm subj syscall class permission obj result event
        ===============================================================
        1. 11/14/23 22:13:20 cat u:r:a_t:s0 257 file read open u:object_r:b_t:s0 denied 1
        2. 11/14/23 22:13:21 cat u:r:a_t:s0 0 file read open u:object_r:b_t:s0 denied 2
        3. 11/14/23 22:13:24 \033[2 u:r:a_t:s0 0 security setenforce u:r:kernel_t:s0 granted 5
    "#]],
    );
    check(
        "audit-aureport-event",
        &["aureport", "--event", "--summary", "-i", "-if", "LOG"],
        0,
        expect![[r#"

            Event Summary Report
            ======================
            total  type
            ======================
            3  AVC
            1  USER_LOGIN
            1  MAC_STATUS
        "#]],
    );
    check(
        "audit-csv",
        &["ausearch", "--format", "csv", "--extra-labels", "-if", "LOG"],
        0,
        expect![[r#"
            NODE,EVENT,DATE,TIME,SERIAL_NUM,EVENT_KIND,SESSION,SUBJ_PRIME,SUBJ_SEC,SUBJ_KIND,SUBJ_LABEL,ACTION,RESULT,OBJ_PRIME,OBJ_SEC,OBJ_LABEL,OBJ_KIND,HOW
            ,AVC,11/14/23,22:13:20,1,mac-decision,,root,root,privileged-acct,u:r:a_t:s0,accessed-mac-policy-controlled-object,failed,/etc/shadow,12,u:object_r:b_t:s0,file,/usr/bin/cat
            ,AVC,11/14/23,22:13:21,2,mac-decision,,u:r:a_t:s0,,unknown-acct,,accessed-mac-policy-controlled-object,failed,u:object_r:b_t:s0,,,unknown,cat
            ,MAC_STATUS,11/14/23,22:13:22,3,mac,1,root,,,,changed-selinux-enforcement-to,success,0,,,mac-config,
            web1,AVC,11/14/23,22:13:24,5,mac-decision,,u:r:a_t:s0,,unknown-acct,,accessed-mac-policy-controlled-object,failed,u:r:kernel_t:s0,,,unknown,\033[2
            --format csv leaves out events of the type USER_LOGIN, which are neither about SELinux nor of a system call
        "#]],
    );
    check(
        "audit-text",
        &["ausearch", "--format", "text", "-if", "LOG"],
        0,
        expect![[r#"
        At 22:13:20 11/14/23 root unsuccessfully accessed-mac-policy-controlled-object /etc/shadow using /usr/bin/cat
        At 22:13:21 11/14/23 u:r:a_t:s0 unsuccessfully accessed-mac-policy-controlled-object using cat
        At 22:13:22 11/14/23 root successfully changed-selinux-enforcement-to 0 
        On web1 at 22:13:24 11/14/23 u:r:a_t:s0 unsuccessfully accessed-mac-policy-controlled-object using \033[2
        --format text leaves out events of the type USER_LOGIN, which are neither about SELinux nor of a system call
    "#]],
    );
    check(
        "audit-ausearch",
        &["ausearch", "-m", "mac_status", "-r", "-if", "LOG"],
        0,
        expect![[r#"
        type=MAC_STATUS msg=audit(1700000002.000:3): enforcing=0 old_enforcing=1 auid=0 ses=1 lsm=selinux res=1
    "#]],
    );
    check(
        "audit-none",
        &["ausearch", "-m", "avc", "-c", "dog", "-if", "LOG"],
        1,
        expect![[r#"
        <no matches>
    "#]],
    );
}

/// A log is renamed while it is followed, then cut off; nothing of it is lost.
#[test]
fn a_log_is_followed_when_it_is_rotated() {
    let folder = Folder::new("audit-follow");
    let path = folder.file("audit.log", b"");
    let line = |n: u32| {
        format!(
            "type=AVC msg=audit(170000000{n}.000:{n}): avc:  denied  {{ read }} for  pid={n} scontext=a tcontext=b tclass=file\n"
        )
    };
    let mut follow = Command::new(env!("CARGO_BIN_EXE_mandate"));
    follow.args(["audit", "follow", "--from-start", "--count", "4", "--format", "raw"]).arg(&path);
    let mut child = follow.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let write = |n: u32| {
        let mut file = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        file.write_all(line(n).as_bytes()).unwrap();
    };
    write(1);
    assert_eq!(told.next().unwrap() + "\n", line(1));
    write(2);
    std::fs::rename(&path, folder.path("audit.log.1")).unwrap();
    write(3);
    assert_eq!(told.next().unwrap() + "\n", line(2));
    assert_eq!(told.next().unwrap() + "\n", line(3));
    std::fs::write(&path, b"").unwrap();
    // Half a line, and the rest of it later. It is shorter than what was there: else nobody could tell that the log was cut off.
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    let text = line(4).replace(" tclass=file", "");
    file.write_all(&text.as_bytes()[..30]).unwrap();
    file.write_all(&text.as_bytes()[30..]).unwrap();
    assert_eq!(told.next().unwrap() + "\n", text);
    assert!(child.wait().unwrap().success());
}

/// What stands in docs/audit.md as columns and keys is what is written.
#[test]
fn the_page_names_every_key() {
    let page = std::fs::read_to_string(common::repository("docs/audit.md")).unwrap();
    let folder = Folder::new("audit-page");
    let log = folder.file("a.log", LOG).display().to_string();
    let (_, out, _) = run(&["mandate", "audit", "search", "--format", "csv", &log]);
    for column in out.lines().next().unwrap().split(',') {
        assert!(page.contains(column), "{column}");
    }
    let (_, out, _) =
        run(&["mandate", "audit", "search", "--event", "5", "--format", "json", &log]);
    let event: serde_json::Value = serde_json::from_str(out.trim()).unwrap();
    let access = event["accesses"][0].as_object().unwrap();
    for key in event.as_object().unwrap().keys().chain(access.keys()) {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
}
