//! Contexts of initial SIDs, files, the network and devices.

use expect_test::expect;

use crate::kernel::tests::check;

#[test]
fn initial_sid_contexts() {
    check(
        "sid kernel u:r:t",
        expect![[r#"
        sid kernel u:r:t
    "#]],
    );
    check(
        r"sid kernel u:r:t:s0 - s1:c0.c5
sid file
  u:r:t:s0",
        expect![[r#"
            sid kernel u:r:t[s0: - s1:c0..c5]
            sid file u:r:t[s0: - s0:]
        "#]],
    );
}

#[test]
fn file_systems() {
    check(
        "fs_use_xattr ext4 u:r:t;",
        expect![[r#"
        fs_use Xattr ext4 u:r:t
    "#]],
    );
    check(
        "fs_use_xattr 9p u:r:t:s0;",
        expect![[r#"
        fs_use Xattr 9p u:r:t[s0: - s0:]
    "#]],
    );
    check(
        "fs_use_task pipefs u:r:t;",
        expect![[r#"
        fs_use Task pipefs u:r:t
    "#]],
    );
    check(
        "fs_use_trans tmpfs u:r:t;",
        expect![[r#"
        fs_use Trans tmpfs u:r:t
    "#]],
    );
    check(
        "fscon 3 0x10 u:r:t u:r:s",
        expect![[r#"
            fscon 3 16 u:r:t u:r:s
        "#]],
    );
}

#[test]
fn genfs() {
    check(
        "genfscon proc / u:r:t",
        expect![[r#"
        genfscon proc "/" None u:r:t
    "#]],
    );
    check(
        "genfscon 9p /a#b;{ u:r:t:s0",
        expect![[r#"
        genfscon 9p "/a#b;{" None u:r:t[s0: - s0:]
    "#]],
    );
    check(
        "genfscon proc /a -b u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Block) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -c u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Character) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -d u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Directory) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -p u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Fifo) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -l u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Link) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -s u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Socket) u:r:t
    "#]],
    );
    check(
        "genfscon proc /a -- u:r:t",
        expect![[r#"
        genfscon proc "/a" Some(Regular) u:r:t
    "#]],
    );
    check(
        r#"genfscon sysfs "/a b" - d u:r:t"#,
        expect![[r#"
        genfscon sysfs "/a b" Some(Directory) u:r:t
    "#]],
    );
}

#[test]
fn ports() {
    check(
        "portcon tcp 80 u:r:t",
        expect![[r#"
        portcon tcp 80 u:r:t
    "#]],
    );
    check(
        "portcon UDP 1-1023 u:r:t:s0 - s1",
        expect![[r#"
        portcon UDP 1-1023 u:r:t[s0: - s1:]
    "#]],
    );
    check(
        "portcon sctp 1 - 0xffff u:r:t",
        expect![[r#"
        portcon sctp 1-65535 u:r:t
    "#]],
    );
    check(
        "portcon dccp 0 u:r:t",
        expect![[r#"
        portcon dccp 0 u:r:t
    "#]],
    );
}

#[test]
fn interfaces() {
    check(
        "netifcon eth0 u:r:t u:r:s",
        expect![[r#"
        netifcon eth0 u:r:t u:r:s
    "#]],
    );
    check(
        "netifcon eth*x? u:r:t:s0 u:r:s:s0",
        expect![[r#"
        netifcon eth*x? u:r:t[s0: - s0:] u:r:s[s0: - s0:]
    "#]],
    );
    check(
        "netifcon *0 u:r:t u:r:s",
        expect![[r#"
        netifcon *0 u:r:t u:r:s
    "#]],
    );
    check(
        "netifcon 1a u:r:t u:r:s",
        expect![[r#"
        netifcon 1a u:r:t u:r:s
    "#]],
    );
    check(
        "netifcon eth-0.5 u:r:t u:r:s",
        expect![[r#"
        netifcon eth-0.5 u:r:t u:r:s
    "#]],
    );
}

#[test]
fn nodes() {
    check(
        "nodecon 10.0.0.0 255.0.0.0 u:r:t",
        expect![[r#"
        nodecon 10.0.0.0 255.0.0.0 u:r:t
    "#]],
    );
    check(
        "nodecon 10.0.0.0/8 u:r:t",
        expect![[r#"
        nodecon 10.0.0.0 255.0.0.0 u:r:t
    "#]],
    );
    check(
        "nodecon 0.0.0.0/0 u:r:t",
        expect![[r#"
        nodecon 0.0.0.0 0.0.0.0 u:r:t
    "#]],
    );
    check(
        "nodecon 10.0.0.1/32 u:r:t",
        expect![[r#"
        nodecon 10.0.0.1 255.255.255.255 u:r:t
    "#]],
    );
    check(
        "nodecon fe80:: ffff:: u:r:t:s0",
        expect![[r#"
        nodecon fe80:: ffff:: u:r:t[s0: - s0:]
    "#]],
    );
    check(
        "nodecon :: :: u:r:t",
        expect![[r#"
        nodecon :: :: u:r:t
    "#]],
    );
    check(
        "nodecon ::1/128 u:r:t",
        expect![[r#"
        nodecon ::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff u:r:t
    "#]],
    );
    check(
        "nodecon ::ffff:1.2.3.4 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff u:r:t",
        expect![[r#"
        nodecon ::ffff:1.2.3.4 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff u:r:t
    "#]],
    );
    check(
        "nodecon ::/0 u:r:t",
        expect![[r#"
        nodecon :: :: u:r:t
    "#]],
    );
}

#[test]
fn infiniband() {
    check(
        "ibpkeycon fe80:: 0xffff u:r:t",
        expect![[r#"
        ibpkeycon fe80:: 65535 u:r:t
    "#]],
    );
    check(
        "ibpkeycon fe80:: 1-2 u:r:t",
        expect![[r#"
        ibpkeycon fe80:: 1-2 u:r:t
    "#]],
    );
    check(
        "ibendportcon mlx5_0 1 u:r:t",
        expect![[r#"
        ibendportcon mlx5_0 1 u:r:t
    "#]],
    );
}

#[test]
fn xen() {
    check(
        "pirqcon 33 u:r:t",
        expect![[r#"
        pirqcon 33 u:r:t
    "#]],
    );
    check(
        "iomemcon 0xffffffffff-0xffffffffffff u:r:t",
        expect![[r#"
        iomemcon 1099511627775-281474976710655 u:r:t
    "#]],
    );
    check(
        "iomemcon 5 u:r:t",
        expect![[r#"
        iomemcon 5 u:r:t
    "#]],
    );
    check(
        "ioportcon 0xeac0-0xeadf u:r:t",
        expect![[r#"
        ioportcon 60096-60127 u:r:t
    "#]],
    );
    check(
        "pcidevicecon 0xc800 u:r:t",
        expect![[r#"
        pcidevicecon 51200 u:r:t
    "#]],
    );
    check(
        r#"devicetreecon "/a,b@0" u:r:t"#,
        expect![[r#"
        devicetreecon "/a,b@0" u:r:t
    "#]],
    );
    check(
        "devicetreecon /a u:r:t",
        expect![[r#"
        devicetreecon "/a" u:r:t
    "#]],
    );
}
