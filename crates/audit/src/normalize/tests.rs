use super::*;
use crate::{Joiner, Reader};

struct Nobody;

impl Names for Nobody {
    fn user(&self, uid: u32) -> Option<String> {
        (uid == 0).then(|| "root".to_owned())
    }

    fn group(&self, _: u32) -> Option<String> {
        None
    }

    fn time(&self, seconds: i64) -> String {
        seconds.to_string()
    }
}

/// Records of one event, without their times.
fn told(records: &[(&str, &str)], labels: bool) -> Result<Normalized, Unnormalized> {
    let line = |it: &(&str, &str)| format!("type={} msg=audit(1700000000.003:7): {}\n", it.0, it.1);
    let log: String = records.iter().map(line).collect();
    let mut joiner = Joiner::new();
    Reader::new(log.as_bytes()).for_each(|it| joiner.push(it.expect("a record")));
    joiner.finish();
    normalize(&joiner.next_event().expect("an event"), &Nobody, labels)
}

fn text(value: &Option<Vec<u8>>) -> String {
    value.as_ref().map_or("-".into(), |it| String::from_utf8_lossy(it).into_owned())
}

#[track_caller]
fn check(records: &[(&str, &str)], labels: bool, expected: &str) {
    let told = told(records, labels).expect("normalized");
    let name = |it: &Option<Actor>| text(&it.as_ref().map(|it| it.name.clone()));
    let shown = [
        told.event_kind.to_owned(),
        name(&told.subject),
        name(&told.alias),
        told.subject_kind.unwrap_or("-").to_owned(),
        told.action.unwrap_or("-").to_owned(),
        format!("{:?}", told.success),
        text(&told.object),
        text(&told.second_object),
        text(&told.object_label),
        told.object_kind.to_owned(),
        text(&told.how),
        text(&told.key),
    ];
    assert_eq!(shown.join(" "), expected);
}

const AVC: (&str, &str) = (
    "AVC",
    "avc:  denied  { read } for  pid=7 comm=\"cat\" name=\"shadow\" dev=\"vda1\" ino=9 scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 tclass=file permissive=0",
);

fn call(number: u32, key: &str) -> String {
    format!(
        "arch=c000003e syscall={number} success=no exit=-13 a0=0 a1=1ed a2=0 a3=0 items=1 ppid=1 pid=7 auid=1000 uid=0 gid=0 ses=3 comm=\"cat\" exe=\"/usr/bin/cat\" subj=u:r:a_t:s0 key={key}"
    )
}

fn path(name: &str, kind: &str) -> String {
    format!(
        "item=0 name=\"{name}\" inode=9 dev=fe:01 mode=0100640 ouid=0 ogid=0 rdev=00:00 obj=u:r:b_t:s0 nametype={kind} cap_fp=0"
    )
}

#[test]
fn a_decision_alone_has_contexts_for_users() {
    let decided =
        "mac-decision u:r:a_t:s0 - unknown-acct accessed-mac-policy-controlled-object Some(false)";
    check(&[AVC], false, &format!("{decided} - - - unknown cat -"));
    check(&[AVC], true, &format!("{decided} u:r:b_t:s0 - - unknown cat -"));
}

#[test]
fn the_call_tells_who_and_its_paths_what() {
    let (open, folder, file) =
        (call(257, "\"k\""), path("/etc", "PARENT"), path("shadow", "NORMAL"));
    let decided = "mac-decision unknown(1000) root privileged-acct accessed-mac-policy-controlled-object Some(false)";
    check(
        &[
            AVC,
            ("SYSCALL", &open),
            ("CWD", "cwd=\"/etc/x/..\""),
            ("PATH", &folder),
            ("PATH", &file),
        ],
        true,
        &format!("{decided} /etc/shadow - u:r:b_t:s0 file /usr/bin/cat k"),
    );
    let chmod = call(90, "(null)");
    check(
        &[AVC, ("SYSCALL", &chmod)],
        false,
        // The second object is the field of the first record that has the number of the argument.
        &format!("{decided} - \"vda1\" - file /usr/bin/cat -"),
    );
    check(
        &[("SYSCALL", &chmod), ("CWD", "cwd=\"/\""), ("PATH", &file)],
        false,
        "audit-rule unknown(1000) root privileged-acct changed-file-permissions-of Some(false) /shadow 0755 - file /usr/bin/cat -",
    );
}

#[test]
fn changes_tell_what_was_set() {
    check(
        &[(
            "MAC_STATUS",
            "enforcing=0 old_enforcing=1 auid=0 ses=1 enabled=1 old-enabled=1 lsm=selinux res=1",
        )],
        false,
        "mac root - - changed-selinux-enforcement-to Some(true) 0 - - mac-config - -",
    );
    check(
        &[(
            "ROLE_ASSIGN",
            "pid=9 uid=0 auid=0 ses=1 subj=u:r:t msg='op=login acct=\"dave\" exe=\"/usr/bin/python3\" comm=\"semanage\" hostname=? addr=? terminal=? res=failed'",
        )],
        false,
        "mac root root privileged-acct assigned-user-role-to Some(false) dave - - account semanage -",
    );
}

#[test]
fn other_events_are_refused() {
    let login = ("USER_LOGIN", "pid=1 uid=0 auid=0 ses=1 msg='op=login res=success'");
    assert_eq!(told(&[login], false), Err(Unnormalized::Kind(Kind(1112))));
    assert_eq!(told(&[AVC, AVC], false), Err(Unnormalized::NoCall));
}

#[test]
fn numbers_are_those_of_c() {
    let numbers =
        [&b"12"[..], b"-1", b"4294967295", b"4294967294", b"u:r", b"", b"99999999999999999999"];
    assert_eq!(numbers.map(leading_number), [12, -1, -1, -2, 0, 0, -1]);
}

#[test]
fn anything_is_taken() {
    for body in [
        "",
        "=",
        "==",
        "avc: {",
        "avc: denied {",
        "name= nametype=",
        "key=",
        "a0=ffffffff",
        "( ) ' msg='",
        "msg='='",
    ] {
        for kind in ["AVC", "SYSCALL", "PATH", "USER_AVC", "MAC_MAP_ADD", "CWD"] {
            let open = call(88, "(null)");
            let _is_taken = told(&[(kind, body)], true);
            let _is_taken =
                told(&[("AVC", body), ("SYSCALL", &open), (kind, body), (kind, body)], true);
            let _is_taken = told(&[("SYSCALL", body), (kind, body), (kind, body)], true);
        }
    }
}
