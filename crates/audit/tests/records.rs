//! Records of all forms, events, and the accesses that they tell.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use mandate_audit::{Access, Event, Events, Kind, Reader, Record, Stamp, fields};

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Each record and each bad line; what was read is written identically.
#[track_caller]
fn records(log: &str, expected: Expect) {
    let mut told = String::new();
    for record in Reader::new(log.as_bytes()) {
        let record = match record {
            Ok(record) => record,
            Err(why) => {
                writeln!(told, "bad {why}").unwrap();
                continue;
            }
        };
        let (form, kind) = (record.form(), record.kind());
        write!(told, "{form:?} {kind}").unwrap();
        if let Some(stamp) = record.stamp() {
            write!(told, " {stamp}").unwrap();
        }
        if let Some(node) = record.node() {
            write!(told, " on {}", show(node)).unwrap();
        }
        let names: Vec<_> = record.fields().map(|it| show(it.0)).collect();
        write!(told, ": {}", names.join(" ")).unwrap();
        if let Some(enriched) = record.enriched() {
            write!(told, " + {}", show(enriched)).unwrap();
        }
        told.push('\n');
        let mut written = Vec::new();
        record.clone().into_owned().write(&mut written).unwrap();
        assert!(
            log.lines().any(|it| format!("{it}\n").as_bytes() == written),
            "{}",
            show(&written)
        );
        assert_eq!(Record::parse(record.line()).unwrap().unwrap().body(), record.body());
    }
    expected.assert_eq(&told);
}

/// Each event with what it tells.
#[track_caller]
fn events(log: &str, expected: Expect) {
    let mut told = String::new();
    for event in Events::new(Reader::new(log.as_bytes())) {
        describe(&event.unwrap(), &mut told);
    }
    expected.assert_eq(&told);
}

fn describe(event: &Event<'_>, told: &mut String) {
    let kinds: Vec<_> = event.records().iter().map(|it| it.kind().to_string()).collect();
    let serial = event.stamp().map_or_else(|| "-".to_owned(), |it| it.serial.to_string());
    writeln!(told, "{serial}: {}", kinds.join(" ")).unwrap();
    for access in event.accesses() {
        writeln!(told, "  {}", describe_access(&access)).unwrap();
    }
}

fn describe_access(access: &Access) -> String {
    let word = if access.denied { "denied" } else { "granted" };
    let mut text = format!(
        "{word} {{ {} }} {} {} {}",
        access.permissions.join(" "),
        access.scontext,
        access.tcontext,
        access.tclass
    );
    let mut add = |name: &str, value: Option<String>| {
        value.into_iter().for_each(|it| write!(text, " {name}={it}").unwrap());
    };
    let bytes = |it: &Option<Vec<u8>>| it.as_deref().map(show);
    add("permissive", access.permissive.map(|it| it.to_string()));
    add("pid", access.pid.map(|it| it.to_string()));
    add("comm", bytes(&access.comm));
    add("exe", bytes(&access.exe));
    let object = &access.object;
    add("path", bytes(&object.path));
    add("name", bytes(&object.name));
    add("deleted", object.deleted.then(|| "yes".to_owned()));
    add("dev", object.dev.clone());
    add("ino", object.ino.map(|it| it.to_string()));
    add("capability", object.capability.map(|it| it.to_string()));
    add("ioctl", object.ioctl.map(|it| format!("{it:#x}")));
    add("src", object.src.map(|it| it.to_string()));
    add("dest", object.dest.map(|it| it.to_string()));
    text
}

#[test]
fn logs_of_the_audit_daemon() {
    records(
        "type=AVC msg=audit(1700000000.003:1000): avc:  denied  { read } for  pid=1 comm=\"cat\" tclass=file permissive=0
node=web1 type=SYSCALL msg=audit(1700000000.003:1000): arch=c000003e syscall=257 success=no exit=-13 uid=0 subj=u:r:t:s0 key=(null)\u{1d}ARCH=x86_64 SYSCALL=openat UID=\"root\"
type=MAC_STATUS msg=audit(1700000001.000:1001): enforcing=0 old_enforcing=1 auid=0 ses=1 enabled=1 old-enabled=1 lsm=selinux res=1
type=UNKNOWN[1999] msg=audit(1700000001.000:1002): a=1
type=USER_AVC msg=audit(1700000001.000:1003): pid=800 uid=81 subj=u:r:d:s0 msg='avc:  denied  { send_msg } for  scontext=a tcontext=b tclass=dbus exe=\"/usr/bin/dbus-daemon\" sauid=81 hostname=? addr=? terminal=?'\u{1d}UID=\"dbus\"
type=EOE msg=audit(1700000000.003:1000): 
",
        expect![[r#"
            Log AVC 1700000000.003:1000: pid comm tclass permissive
            Log SYSCALL 1700000000.003:1000 on web1: arch syscall success exit uid subj key + ARCH=x86_64 SYSCALL=openat UID="root"
            Log MAC_STATUS 1700000001.000:1001: enforcing old_enforcing auid ses enabled old-enabled lsm res
            Log UNKNOWN[1999] 1700000001.000:1002: a
            Log USER_AVC 1700000001.000:1003: pid uid subj msg + UID="dbus"
            Log EOE 1700000000.003:1000: 
        "#]],
    );
}

#[test]
fn the_kernels_log_syslog_and_what_ausearch_writes() {
    records(
        "[   12.345678] audit: type=1400 audit(1700000000.003:4): avc:  denied  { read } for  pid=1 tclass=file
<5>[   12.345678] audit: type=1404 audit(1700000000.004:5): enforcing=1 old_enforcing=0
Nov 14 22:13:20 host kernel: audit(1100000000.123:456): avc:  denied  { read } for  pid=1 tclass=file
Nov 14 22:13:20 host audispd: node=host type=AVC msg=audit(1700000000.003:6): avc:  granted  { read } for  pid=1
Nov 14 22:13:20 host dbus-daemon[7]: avc:  denied  { send_msg } for  scontext=a tcontext=b tclass=dbus
[    1.000000] usb 1-1: new device
Nov 14 22:13:20 host sshd[9]: audit(the books): nothing of it
----
time->Tue Nov 14 22:13:20 2023
type=AVC msg=audit(11/14/23 22:13:20.003:1000) : avc:  denied  { read } for  pid=1 comm=my prog path=/a b tclass=file permissive=0 
",
        expect![[r#"
            Kernel AVC 1700000000.003:4: pid tclass
            Kernel MAC_STATUS 1700000000.004:5: enforcing old_enforcing
            Kernel AVC 1100000000.123:456: pid tclass
            Log AVC 1700000000.003:6 on host: pid
            Bare AVC: scontext tcontext tclass
            Interpreted AVC 1700000000.003:1000: pid comm path tclass permissive
        "#]],
    );
}

#[test]
fn the_journal() {
    records(
        r#"{"_TRANSPORT":"audit","_AUDIT_TYPE":"1400","_AUDIT_TYPE_NAME":"AVC","_AUDIT_ID":"77","_SOURCE_REALTIME_TIMESTAMP":"1700000000003999","_HOSTNAME":"web1","MESSAGE":"AVC avc:  denied  { read } for  pid=1 comm=\"cat\" tclass=file","AUDIT_FIELD_TCLASS":"file"}
{"_TRANSPORT":"kernel","MESSAGE":"audit: type=1400 audit(1700000000.003:78): avc:  denied  { write } for  pid=1 tclass=file"}
{"MESSAGE":[97,118,99,58,32,100,101,110,105,101,100,32,123,32,120,32,125,32,255]}
{"MESSAGE":null}
{"MESSAGE":"Started a service."}
{"MESSAGE":7}
{"MESSAGE":"cut of
"#,
        expect![[r#"
            Journal AVC 1700000000.003:77 on web1: pid comm tclass
            Journal AVC 1700000000.003:78: pid tclass
            Journal AVC: 
            bad 6:13: expected a line of journalctl -o json: data did not match any variant of untagged enum Text
            bad 7:18: expected a line of journalctl -o json: EOF while parsing a string
        "#]],
    );
}

#[test]
fn a_malformed_line_loses_no_other() {
    records(
        "type=AVC msg=audit(1700000000.003:1): avc:  denied  { read } for  pid=1
type=AVC
type=AVC msg=audit(
node=x
type=AVC msg=audit(1700000000.003): avc
type=AVC msg=audit(17000x0000.003:1): avc
type=AVC msg=audit(1700000000.003:1: avc
type=AVC msg=audit(1700000000.003:1)avc
kernel: type=1400 audit(5): avc
\u{0}\u{1}\u{2}
type=AVC msg=audit(1700000000.003:2): avc:  denied  { read } for  pid=1",
        expect![[r#"
            Log AVC 1700000000.003:1: pid
            bad 2:9: expected msg=audit(
            bad 3:20: expected a time, SECONDS.MILLISECONDS
            bad 4:7: expected type=NAME
            bad 5:34: expected a colon and the event's number
            bad 6:25: expected a time, SECONDS.MILLISECONDS
            bad 7:36: expected ): after the event's number
            bad 8:37: expected ): after the event's number
            bad 9:26: expected a time, SECONDS.MILLISECONDS
            Log AVC 1700000000.003:2: pid
        "#]],
    );
}

#[test]
fn records_of_an_event_are_joined_though_others_stand_between() {
    events(
        "type=AVC msg=audit(1700000000.003:1): avc:  denied  { read } for  pid=7 comm=\"cat\" name=\"shadow\" dev=\"vda1\" ino=12 scontext=u:r:a_t:s0 tcontext=u:object_r:b_t:s0 tclass=file permissive=0
type=AVC msg=audit(1700000000.004:2): avc:  denied  { write } for  pid=8 comm=\"dog\" path=2F746D702F612062202864656C6574656429 dev=\"tmpfs\" ino=13 scontext=u:r:a_t tcontext=u:object_r:b_t tclass=file
type=SYSCALL msg=audit(1700000000.003:1): arch=c000003e syscall=257 success=no exit=-13 items=2 pid=7 comm=\"cat\" exe=\"/usr/bin/cat\" subj=u:r:a_t:s0 key=(null)
type=SYSCALL msg=audit(1700000000.004:2): arch=c000003e syscall=257 success=no exit=-13 items=1 pid=8 comm=\"dog\" exe=2F7573722F62696E2F6D7920646F67 subj=u:r:a_t key=(null)
type=CWD msg=audit(1700000000.003:1): cwd=\"/etc\"
type=PATH msg=audit(1700000000.003:1): item=0 name=\"/etc\" inode=9 nametype=PARENT
type=PATH msg=audit(1700000000.003:1): item=1 name=\"./shadow\" inode=12 nametype=NORMAL
type=PROCTITLE msg=audit(1700000000.003:1): proctitle=636174002E2F736861646F77
type=EOE msg=audit(1700000000.004:2): 
type=EOE msg=audit(1700000000.003:1): 
",
        expect![[r#"
            1: AVC SYSCALL CWD PATH PATH PROCTITLE EOE
              denied { read } u:r:a_t:s0 u:object_r:b_t:s0 file permissive=false pid=7 comm=cat exe=/usr/bin/cat path=/etc/shadow name=shadow dev=vda1 ino=12
            2: AVC SYSCALL EOE
              denied { write } u:r:a_t u:object_r:b_t file pid=8 comm=dog exe=/usr/bin/my dog path=/tmp/a b deleted=yes dev=tmpfs ino=13
        "#]],
    );
}

#[test]
fn machines_are_told_apart() {
    events(
        "node=a type=AVC msg=audit(1700000000.003:1): avc:  denied  { read } for  pid=1 scontext=s tcontext=t tclass=file
node=b type=AVC msg=audit(1700000000.003:1): avc:  denied  { write } for  pid=2 scontext=s tcontext=t tclass=file
node=a type=AVC msg=audit(1700000003.003:2): avc:  denied  { open } for  pid=3 scontext=s tcontext=t tclass=file
node=a type=AVC msg=audit(1700000000.003:1): avc:  denied  { late } for  pid=1 scontext=s tcontext=t tclass=file
",
        expect![[r#"
            1: AVC
              denied { read } s t file pid=1
            1: AVC
              denied { write } s t file pid=2
            1: AVC
              denied { late } s t file pid=1
            2: AVC
              denied { open } s t file pid=3
        "#]],
    );
}

#[test]
fn what_decisions_are_about() {
    events(
        "type=AVC msg=audit(1.0:1): avc:  denied  { name_connect } for  pid=1 comm=\"c\" dest=80 scontext=s tcontext=t tclass=tcp_socket permissive=1
type=AVC msg=audit(1.0:2): avc:  denied  { read } for  pid=1 comm=\"c\" laddr=127.0.0.1 lport=8080 faddr=127.0.0.1 fport=443 scontext=s tcontext=t tclass=tcp_socket permissive=0
type=AVC msg=audit(1.0:3): avc:  denied  { ioctl } for  pid=1 comm=\"c\" path=\"/dev/tty\" dev=\"devtmpfs\" ino=5 ioctlcmd=0x5401 scontext=s tcontext=t tclass=chr_file permissive=0
type=AVC msg=audit(1.0:4): avc:  denied  { sys_admin } for  pid=1 comm=\"c\" capability=21  scontext=s tcontext=t tclass=capability permissive=0
type=AVC msg=audit(1.0:5): avc:  denied  { } for  pid=1 comm=\"c\" scontext=s tcontext=t tclass=file permissive=0
type=AVC msg=audit(1.0:6): avc:  denied  null for  pid=1 comm=\"c\" scontext=s tcontext=t tclass=file
type=AVC msg=audit(1.0:7): avc:  granted  { setenforce 0x400 } for  pid=1 comm=\"c\" scontext=s tcontext=t tclass=security
type=AVC msg=audit(1.0:8): avc:  denied  { read } for  pid=1 comm=\"c\" scontext=s tcontext=t
type=AVC msg=audit(1.0:9): avc:  denied  { mac_admin } for  pid=1 comm=\"c\" scontext=u:r:t:Top Secret tcontext=u:r:t:A B C tclass=capability2 permissive=0 srawcon=\"bad one\" trawcon=\"u:object_r:gone_t:s0\"
type=USER_AVC msg=audit(1.0:10): pid=800 uid=81 auid=4294967295 ses=4294967295 subj=d msg='avc:  denied  { send_msg } for msgtype=method_call interface=org.x member=Get dest=:1.5 spid=44 tpid=55 scontext=s tcontext=t tclass=dbus permissive=0 exe=\"/usr/bin/dbus-daemon\" sauid=81 hostname=? addr=? terminal=?'
type=USER_AVC msg=audit(1.0:11): pid=1 uid=0 subj=i msg='avc:  received setenforce notice (enforcing=0) exe=\"/sbin/init\" sauid=0 hostname=? addr=? terminal=?'
type=SELINUX_ERR msg=audit(1.0:12): op=security_compute_av reason=bounds scontext=s tcontext=t tclass=process perms=transition
",
        expect![[r#"
            1: AVC
              denied { name_connect } s t tcp_socket permissive=true pid=1 comm=c dest=80
            2: AVC
              denied { read } s t tcp_socket permissive=false pid=1 comm=c src=8080 dest=443
            3: AVC
              denied { ioctl } s t chr_file permissive=false pid=1 comm=c path=/dev/tty dev=devtmpfs ino=5 ioctl=0x5401
            4: AVC
              denied { sys_admin } s t capability permissive=false pid=1 comm=c capability=21
            5: AVC
              denied {  } s t file permissive=false pid=1 comm=c
            6: AVC
              denied {  } s t file pid=1 comm=c
            7: AVC
              granted { setenforce 0x400 } s t security pid=1 comm=c
            8: AVC
              denied { read } s t  pid=1 comm=c
            9: AVC
              denied { mac_admin } u:r:t:Top Secret u:r:t:A B C capability2 permissive=false pid=1 comm=c
            10: USER_AVC
              denied { send_msg } s t dbus permissive=false pid=44
            11: USER_AVC
            12: SELINUX_ERR
        "#]],
    );
}

#[test]
fn interpreted_records_tell_the_same() {
    events(
        "type=AVC msg=audit(11/14/23 22:13:20.003:1) : avc:  denied  { read } for  pid=7 comm=my cat name=a b dev=\"vda1\" ino=12 scontext=s:r:t:s0 tcontext=u:r:t:s0 tclass=file permissive=0 
type=SYSCALL msg=audit(11/14/23 22:13:20.003:1) : arch=x86_64 syscall=openat success=no exit=EACCES(Permission denied) pid=7 comm=my cat exe=/usr/bin/my cat subj=u:r:t:s0 key=(null) 
type=PROCTITLE msg=audit(11/14/23 22:13:20.003:1) : proctitle=cat a b 
",
        expect![[r#"
            1: AVC SYSCALL PROCTITLE
              denied { read } s:r:t:s0 u:r:t:s0 file permissive=false pid=7 comm=my cat exe=/usr/bin/my cat name=a b dev=vda1 ino=12
        "#]],
    );
}

#[test]
fn a_record_that_was_made_is_read_again() {
    let stamp = Stamp { seconds: 1_700_000_000, millis: 7, serial: 9, local: false };
    let body =
        [b"avc:  denied  { read } for  path=", fields::encode(b"/a b\n").as_slice()].concat();
    let record = Record::new(Kind::AVC, stamp, &body);
    assert_eq!(
        show(record.bytes()),
        "type=AVC msg=audit(1700000000.007:9): avc:  denied  { read } for  path=2F6120620A"
    );
    assert_eq!(record.stamp(), Some(stamp));
    let access = Event::new(record).accesses().remove(0);
    assert_eq!(access.object.path.as_deref(), Some(&b"/a b\n"[..]));
}
