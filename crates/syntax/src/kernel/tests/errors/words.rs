//! Numbers, addresses, contexts and strings.

use expect_test::expect;

use crate::kernel::tests::check;

#[test]
fn numbers() {
    check(
        r"portcon tcp 65536 u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:13: E0206 `65536` is out of range: the largest is 65535
        "#]],
    );
    check(
        "portcon tcp 9-5 u:r:t",
        expect![[r#"
        1:13: E0206 the range ends before it begins
            1:15: this is less
    "#]],
    );
    check(
        "portcon tcp 09 u:r:t",
        expect![[r#"
        1:13: E0206 `09` is no octal number
            help: a number that begins with 0 is octal: leave the 0 out
    "#]],
    );
    check(
        "portcon tcp 99999999999999999999999 u:r:t",
        expect![[r#"
        1:13: E0206 `99999999999999999999999` does not fit into 64 bits
    "#]],
    );
    check(
        "portcon tcp x u:r:t",
        expect![[r#"
        1:13: E0201 expected a port number, found `x`
    "#]],
    );
    check(
        "portcon icmp 5 u:r:t",
        expect![[r#"
        1:9: E0201 expected `tcp`, `udp`, `dccp` or `sctp`, found `icmp`
    "#]],
    );
    check(
        "allowxperm a b:file ioctl 0x10000;",
        expect![[r#"
        1:27: E0206 `0x10000` is out of range: the largest is 65535
    "#]],
    );
    check(
        "allowxperm a b:file ioctl 1-5;",
        expect![[r#"
        1:28: E0201 expected `;`, found `-`
            help: a range stands in braces
    "#]],
    );
    check(
        r"allowxperm a b:file ioctl { 5-1 };
type t;",
        expect![[r#"
            type t alias () , ()
            1:29: E0206 the range ends before it begins
                1:31: this is less
        "#]],
    );
    check(
        r"allowxperm a b:file ioctl { read };
type t;",
        expect![[r#"
            type t alias () , ()
            1:29: E0201 expected a number or `}`, found `read`
                help: extended permissions are numbers such as 0x5401
        "#]],
    );
    check(
        r"allowxperm a b:file ioctl { 1, 2 };
type t;",
        expect![[r#"
            type t alias () , ()
            1:30: E0201 expected a name or `}`, found `,`
                help: in braces blanks stand between names, no commas
        "#]],
    );
    check(
        "allowxperm a b:file ioctl 0xg;",
        expect![[r#"
        1:27: E0206 `0xg` is no number
    "#]],
    );
    check(
        "pirqcon 0x100000000 u:r:t",
        expect![[r#"
        1:9: E0206 `0x100000000` is out of range: the largest is 4294967295
    "#]],
    );
    check(
        "ibendportcon x 0 u:r:t",
        expect![[r#"
        1:16: E0206 ports count from 1
    "#]],
    );
    check(
        "ibendportcon x 256 u:r:t",
        expect![[r#"
        1:16: E0206 `256` is out of range: the largest is 255
    "#]],
    );
    check(
        "ibpkeycon fe80:: 0x10000 u:r:t",
        expect![[r#"
        1:18: E0206 `0x10000` is out of range: the largest is 65535
    "#]],
    );
}

#[test]
fn addresses() {
    check(
        r"nodecon 300.0.0.1 255.0.0.0 u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:9: E0207 `300.0.0.1` is no IP address
        "#]],
    );
    check(
        r"nodecon 10.0.0.1 ffff:: u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:18: E0207 `ffff::` is no IPv4 mask
        "#]],
    );
    check(
        "nodecon 10.0.0.0/33 u:r:t",
        expect![[r#"
        1:9: E0207 `33` is no prefix length
            help: it is a number up to 32
    "#]],
    );
    check(
        "nodecon 10.0.0.0/x u:r:t",
        expect![[r#"
        1:9: E0207 `x` is no prefix length
            help: it is a number up to 32
    "#]],
    );
    check(
        "nodecon x 255.0.0.0 u:r:t",
        expect![[r#"
        1:9: E0201 expected an IP address, found `x`
    "#]],
    );
    check(
        r"nodecon ; u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:9: E0201 expected an IP address, found `;`
            1:11: E0202 no statement begins with `u`
        "#]],
    );
    check(
        "nodecon 10.0.0.1/8 u:r:t",
        expect![[r#"
        nodecon 10.0.0.0 255.0.0.0 u:r:t
        1:9: W0007 the address `10.0.0.1` has bits that the mask `255.0.0.0` leaves out
            help: did you mean `10.0.0.0`?
    "#]],
    );
    check(
        "nodecon 10.0.0.1 255.0.0.0 u:r:t",
        expect![[r#"
        nodecon 10.0.0.1 255.0.0.0 u:r:t
        1:9: W0007 the address `10.0.0.1` has bits that the mask `255.0.0.0` leaves out
            help: did you mean `10.0.0.0`?
    "#]],
    );
    check(
        "nodecon 10.0.0.0 255.0.255.0 u:r:t",
        expect![[r#"
        nodecon 10.0.0.0 255.0.255.0 u:r:t
        1:9: W0007 the mask `255.0.255.0` has gaps
    "#]],
    );
    check(
        "nodecon fe80::1 ffff:: u:r:t",
        expect![[r#"
        nodecon fe80::1 ffff:: u:r:t
        1:9: W0007 the address `fe80::1` has bits that the mask `ffff::` leaves out
            help: did you mean `fe80::`?
    "#]],
    );
    check(
        "nodecon 1.2.3.4 / u:r:t",
        expect![[r#"
        1:17: E0201 expected an IPv4 mask, found `/`
    "#]],
    );
    check(
        "ibpkeycon fe80::1 5 u:r:t",
        expect![[r#"
        1:11: E0207 the lower half of a subnet prefix is zero
    "#]],
    );
    check(
        "ibpkeycon 10.0.0.1 5 u:r:t",
        expect![[r#"
        1:11: E0207 `10.0.0.1` is no IPv6 address
    "#]],
    );
}

#[test]
fn contexts() {
    check(
        r"sid kernel u:r
type t;",
        expect![[r#"
            type t alias () , ()
            1:15: E0201 expected `:` and a type, found `type`
        "#]],
    );
    check(
        r"sid kernel u:r:t:
type t;",
        expect![[r#"
            type t alias () , ()
            1:18: E0201 expected a level after `:`, found `type`
        "#]],
    );
    check(
        r"fs_use_xattr ext4 u:r:t
type t;",
        expect![[r#"
            fs_use Xattr ext4 u:r:t
            type t alias () , ()
            1:24: E0203 a semicolon is missing
        "#]],
    );
    check(
        "fs_use_trans 9p u:r:t;",
        expect![[r#"
        1:14: E0210 expected the name of a file system, found `9p`
            help: a name begins with a letter
    "#]],
    );
    check(
        "fs_use_xattr 9_p u:r:t;",
        expect![[r#"
        1:14: E0210 the name of a file system that begins with a digit is of letters and digits
    "#]],
    );
    check(
        r"genfscon proc u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:15: E0201 expected a path that begins with `/`, found `u`
        "#]],
    );
    check(
        r"genfscon proc /a -x u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:19: E0201 expected a file type after `-`, found `x`
                help: the file types are -b, -c, -d, -p, -l, -s and --
        "#]],
    );
    check(
        r#"genfscon proc "a" u:r:t
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:15: E0201 expected a path that begins with `/`, found `"a"`
        "#]],
    );
    check(
        r"netifcon - u:r:t u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:10: E0201 expected the name of a network interface, found `-`
                help: a name with `*` or `?`, or one that begins with a digit, has up to 16 letters, digits and `_`
        "#]],
    );
    check(
        r"netifcon user u:r:t u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:10: E0201 expected the name of a network interface, found `user`
                help: a name with `*` or `?`, or one that begins with a digit, has up to 16 letters, digits and `_`
        "#]],
    );
    check(
        "netifcon * u:r:t u:r:t",
        expect![[r#"
        1:10: E0201 expected the name of a network interface, found `*`
            help: a name with `*` or `?`, or one that begins with a digit, has up to 16 letters, digits and `_`
    "#]],
    );
    check(
        r"netifcon eth0 u:r:t
type t;",
        expect![[r#"
            type t alias () , ()
            1:20: E0201 expected a context, found `type`
        "#]],
    );
}

#[test]
fn strings() {
    check(
        r#"type_transition a b:file c "d;
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:28: E0209 expected `;` or a file name in quotes, found a string that is not closed
                help: end it with `"` on the same line
        "#]],
    );
    check(
        r#"type_transition a b:file c "d/e";
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:28: E0210 the file name of a transition has no `/`: it is the last component of a path
        "#]],
    );
    check(
        r#"type_transition a b:file c "";
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:28: E0210 the file name is empty
        "#]],
    );
    check(
        r#"type_member a b:file c "d";
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:24: E0201 expected `;`, found `"d"`
                help: only `type_transition` takes a file name
        "#]],
    );
    check(
        r#"type "a";
type t;"#,
        expect![[r#"
            type t alias () , ()
            1:6: E0201 expected the name of a type, found `"a"`
        "#]],
    );
}
