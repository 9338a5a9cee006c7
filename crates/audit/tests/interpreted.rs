//! Words for numbers: the text that `ausearch -i` of audit 3.0.9 writes for the same records.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::{Expect, expect};
use mandate_audit::{Names, Reader, interpret};

/// A machine with one user and one group.
struct One;

impl Names for One {
    fn user(&self, uid: u32) -> Option<String> {
        (uid == 0).then(|| "root".to_owned())
    }
    fn group(&self, gid: u32) -> Option<String> {
        (gid == 0).then(|| "root".to_owned())
    }
    fn time(&self, seconds: i64) -> String {
        format!("TIME({seconds})")
    }
}

#[track_caller]
fn check(log: &str, expected: Expect) {
    let mut out = Vec::new();
    for record in Reader::new(log.as_bytes()) {
        interpret(&record.unwrap(), &One, &mut out).unwrap();
    }
    // Lines end with a space, which editors would take away.
    expected.assert_eq(&String::from_utf8(out).unwrap().replace(" \n", "·\n"));
}

#[test]
fn decisions() {
    check(
        "type=AVC msg=audit(1700000001.000:8): avc:  denied  { ioctl } for  pid=1 comm=6D792063 path=\"/dev/tty\" dev=\"devtmpfs\" ino=5 ioctlcmd=0x5401 scontext=s:r:a_t tcontext=t:r:b_t tclass=chr_file permissive=0
type=AVC msg=audit(1700000001.000:9): avc:  denied  { sys_admin } for  pid=1 comm=\"c\" capability=21  scontext=s:r:a_t tcontext=t:r:b_t tclass=capability permissive=1
node=web1 type=USER_AVC msg=audit(1700000001.010:10): pid=800 uid=81 auid=4294967295 ses=4294967295 subj=s:r:d msg='avc:  denied  { send_msg } for  scontext=s:r:s_t tcontext=t:r:t_t tclass=dbus exe=\"/usr/bin/dbus-daemon\" sauid=0 hostname=? addr=? terminal=?'
",
        expect![[r#"
            type=AVC msg=audit(TIME(1700000001).000:8) : avc:  denied  { ioctl } for  pid=1 comm=my c path=/dev/tty dev="devtmpfs" ino=5 ioctlcmd=TCGETS scontext=s:r:a_t tcontext=t:r:b_t tclass=chr_file permissive=0·
            type=AVC msg=audit(TIME(1700000001).000:9) : avc:  denied  { sys_admin } for  pid=1 comm=c capability=sys_admin  scontext=s:r:a_t tcontext=t:r:b_t tclass=capability permissive=1·
            node=web1 type=USER_AVC msg=audit(TIME(1700000001).010:10) : pid=800 uid=unknown(81) auid=unset ses=unset subj=s:r:d msg='avc:  denied  { send_msg } for  scontext=s:r:s_t tcontext=t:r:t_t tclass=dbus exe=/usr/bin/dbus-daemon sauid=root hostname=? addr=? terminal=?'·
        "#]],
    );
}

#[test]
fn what_the_kernel_tells_with_them() {
    check(
        "type=SYSCALL msg=audit(1700000000.003:1): arch=c000003e syscall=257 success=no exit=-13 a0=ffffff9c a1=7ffd a2=80241 a3=1b6 items=2 ppid=1 pid=7 auid=1000 uid=0 gid=42 tty=pts0 ses=3 comm=\"cat\" exe=\"/usr/bin/cat\" subj=u:r:a_t:s0 key=61016263
type=SYSCALL msg=audit(1700000000.003:2): arch=40000003 syscall=102 success=no exit=-111 a0=3 a1=bf a2=b7 a3=0 comm=\"c\"
type=SYSCALL msg=audit(1700000000.003:3): arch=c000003e syscall=9 success=no exit=-13 a0=0 a1=1000 a2=7 a3=22 comm=\"c\"
type=SYSCALL msg=audit(1700000000.003:4): arch=c000003e syscall=41 success=yes exit=3 a0=a a1=80001 a2=6 a3=22 auid=0\u{1d}ARCH=x86_64 SYSCALL=socket AUID=\"bob\"
type=EXECVE msg=audit(1700000001.000:15): argc=3 a0=\"ls\" a1=\"-l\" a2=2F612062
type=CWD msg=audit(1700000001.000:15): cwd=2F612062
type=PATH msg=audit(1700000000.003:1): item=1 name=\"./shadow\" inode=12 dev=fe:01 mode=0104640 ouid=0 ogid=42 rdev=00:00 obj=s:o:t:s0 nametype=NORMAL cap_fp=0 cap_fi=3 cap_fe=0
type=SOCKADDR msg=audit(1700000003.300:18): saddr=02001F91000000000000000000000000
type=SOCKADDR msg=audit(1700000003.300:18): saddr=0A0001BB00000000000000000000000000000000000000010000000000000000
type=SOCKADDR msg=audit(1700000003.300:18): saddr=01002F72756E2F6100
type=MMAP msg=audit(1700000001.000:14): fd=3 flags=0x2
type=PROCTITLE msg=audit(1700000000.003:1): proctitle=636174002E2F736861646F771B
type=MAC_STATUS msg=audit(1700000003.000:13): enforcing=0 old_enforcing=1 auid=0 ses=4294967295 lsm=selinux res=1
type=EOE msg=audit(1700000000.004:2): 
",
        expect![[r#"
            type=SYSCALL msg=audit(TIME(1700000000).003:1) : arch=x86_64 syscall=openat success=no exit=EACCES(Permission denied) a0=AT_FDCWD a1=0x7ffd a2=O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC a3=0x1b6 items=2 ppid=1 pid=7 auid=unknown(1000) uid=root gid=unknown(42) tty=pts0 ses=3 comm=cat exe=/usr/bin/cat subj=u:r:a_t:s0 key=a key=bc·
            type=SYSCALL msg=audit(TIME(1700000000).003:2) : arch=i386 syscall=socketcall(connect) success=no exit=ECONNREFUSED(Connection refused) a0=connect a1=0xbf a2=0xb7 a3=0x0 comm=c·
            type=SYSCALL msg=audit(TIME(1700000000).003:3) : arch=x86_64 syscall=mmap success=no exit=EACCES(Permission denied) a0=0x0 a1=0x1000 a2=PROT_READ|PROT_WRITE|PROT_EXEC a3=MAP_PRIVATE|MAP_ANONYMOUS comm=c·
            type=SYSCALL msg=audit(TIME(1700000000).003:4) : arch=x86_64 syscall=socket success=yes exit=3 a0=inet6 a1=SOCK_STREAM a2=tcp a3=0x22 auid=bob·
            type=EXECVE msg=audit(TIME(1700000001).000:15) : argc=3 a0=ls a1=-l a2=/a b·
            type=CWD msg=audit(TIME(1700000001).000:15) : cwd=/a b·
            type=PATH msg=audit(TIME(1700000000).003:1) : item=1 name=./shadow inode=12 dev=fe:01 mode=file,suid,640 ouid=root ogid=unknown(42) rdev=00:00 obj=s:o:t:s0 nametype=NORMAL cap_fp=none cap_fi=chown,dac_override cap_fe=0·
            type=SOCKADDR msg=audit(TIME(1700000003).300:18) : saddr={ saddr_fam=inet laddr=0.0.0.0 lport=8081 }·
            type=SOCKADDR msg=audit(TIME(1700000003).300:18) : saddr={ saddr_fam=inet6 laddr=::1 lport=443 }·
            type=SOCKADDR msg=audit(TIME(1700000003).300:18) : saddr={ saddr_fam=local path=/run/a }·
            type=MMAP msg=audit(TIME(1700000001).000:14) : fd=3 flags=MAP_PRIVATE·
            type=PROCTITLE msg=audit(TIME(1700000000).003:1) : proctitle=cat ./shadow\033·
            type=MAC_STATUS msg=audit(TIME(1700000003).000:13) : enforcing=0 old_enforcing=1 auid=root ses=unset lsm=selinux res=yes·
            type=EOE msg=audit(TIME(1700000000).004:2) :·

        "#]],
    );
}
