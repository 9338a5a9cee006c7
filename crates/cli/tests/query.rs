//! `mandate query info` and `search`, `seinfo` and `sesearch`: text and exit codes.

mod common;

use common::{check, policy, repository, run};
use expect_test::expect;

#[test]
fn rules_are_found_and_printed() {
    let policy = policy();
    check(
        &["mandate", "query", "search", &policy, "--source", "httpd_t", "--class", "process"],
        0,
        expect![[r#"
            allow httpd_t httpd_t:process { fork getattr sigchld signal };
        "#]],
    );
    check(
        &["mandate", "query", "search", &policy, "-s", "/^httpd/", "-c", "dir", "--json"],
        0,
        expect![[r#"
            {"rules": [
            {"kind":"allow","source":"httpd_t","target":"httpd_content_t","class":"dir","permissions":["read","getattr","open","search"],"text":"allow httpd_t httpd_content_t:dir { getattr open read search };"},
            {"kind":"allow","source":"httpd_t","target":"httpd_log_t","class":"dir","permissions":["search","add_name"],"text":"allow httpd_t httpd_log_t:dir { add_name search };"},
            {"kind":"allow","source":"httpd_t","target":"user_home_t","class":"dir","permissions":["read","getattr","open","search"],"condition":"httpd_read_homes","when":true,"text":"allow httpd_t user_home_t:dir { getattr open read search }; [ httpd_read_homes ]:True"}
            ]}
        "#]],
    );
    check(
        &["sesearch", "-A", "-shttpd_t", "-c", "process", &policy],
        0,
        expect![[r#"
        allow httpd_t httpd_t:process { fork getattr sigchld signal };
    "#]],
    );
}

#[test]
fn places_follow_the_rule() {
    let source = repository("policies/micro/conditional-several/policy.conf");
    let (code, out, _) = run(&["mandate", "query", "search", &source, "-p", "write", "--places"]);
    let out = out.replace(&source, "SOURCE");
    expect![[r#"
        allow a_t b_t:file { read write }; [ se_b ]:True
              at SOURCE:23
    "#]]
    .assert_eq(&out);
    assert_eq!(code, 0);
}

#[test]
fn unknown_names_are_told_with_what_is_near() {
    let policy = policy();
    let search = ["mandate", "query", "search", &policy];
    check(
        &[&search[..], &["-s", "htpd_t"]].concat(),
        2,
        expect![[r#"
        error: the policy has no type or attribute "htpd_t"; did you mean httpd_t?
    "#]],
    );
    check(
        &[&search[..], &["-c", "file", "-p", "wirte"]].concat(),
        2,
        expect![[r#"
        error: none of these classes has the permission wirte; did you mean write?
    "#]],
    );
    check(
        &[&search[..], &["-s", "/(/"]].concat(),
        2,
        expect![[r#"
        error: "(" is no regular expression: unclosed group
    "#]],
    );
    let info = ["mandate", "query", "info", &policy];
    check(
        &[&info[..], &["type=htpd_t"]].concat(),
        2,
        expect![[r#"
        error: the policy has no type "htpd_t"; did you mean httpd_t?
    "#]],
    );
    check(
        &[&info[..], &["tpye"]].concat(),
        2,
        expect![[r#"
        error: "tpye" is no component; there are bool, category, class, common, constrain, default, fs_use, genfscon, ibendportcon, ibpkeycon, initialsid, netifcon, nodecon, permissive, polcap, portcon, role, sensitivity, typebounds, type, attribute, user, validatetrans, ioportcon, iomemcon, pcidevicecon, pirqcon, devicetreecon
    "#]],
    );
    check(
        &["sesearch", "-A", "-s", "htpd_t", &policy],
        1,
        expect![[r#"
        the policy has no type or attribute "htpd_t"; did you mean httpd_t?
    "#]],
    );
    check(
        &["seinfo", "--constrain", "fiel", &policy],
        1,
        expect![[r#"
        the policy has no class "fiel"; did you mean file?
    "#]],
    );
}

#[test]
fn words_that_cannot_be_read_are_refused() {
    let policy = policy();
    let last = |words: &[&str]| {
        let (code, out, err) = run(words);
        assert!(out.is_empty(), "{out}");
        format!("{code} {}", err.lines().last().unwrap_or_default())
    };
    expect!["2 sesearch: error: At least one rule type must be specified."]
        .assert_eq(&last(&["sesearch", &policy]));
    expect!["2 sesearch: error: unrecognized arguments: --frob"]
        .assert_eq(&last(&["sesearch", "-A", "--frob", &policy]));
    for kind in ["--role_allow", "--role_trans", "--range_transition"] {
        for criterion in [["-p", "read"], ["-x", "0x12"], ["-b", "httpd_read_homes"]] {
            expect!["2 sesearch: error: -p/--perms, -x/--xperms, and -b/--bool options are only supported with TE rule searches."]
                .assert_eq(&last(&[&["sesearch", "-A", kind, &policy], &criterion[..]].concat()));
        }
    }
    expect!["2 sesearch: error: ambiguous option: --type_ could match --type_transition, --type_change, --type_member"]
        .assert_eq(&last(&["sesearch", "--type_", &policy]));
    expect!["2 seinfo: error: unrecognized arguments: -z"]
        .assert_eq(&last(&["seinfo", "-z", &policy]));
    expect![[r#"2 seinfo: error: expected a port or range of ports, found "http""#]]
        .assert_eq(&last(&["seinfo", "--portcon", "http", &policy]));
}

#[test]
fn components_are_listed() {
    let policy = policy();
    check(
        &["seinfo", "-x", "-b", "-t", "httpd_t", &policy],
        0,
        expect![[r#"

        Booleans: 1
           bool httpd_read_homes false;

        Types: 1
           type httpd_t, domain;
    "#]],
    );
    check(
        &["seinfo", "-t", "nothing_t", &policy],
        0,
        expect![[r#"

        Types: 0
    "#]],
    );
    let users = expect![[r#"
        alice
        bob
        system_u
    "#]];
    check(&["seinfo", &policy, "--flat", "-u"], 0, users);
    check(
        &["mandate", "query", "info", &policy, "bool", "user", "-x"],
        0,
        expect![[r#"
        Booleans: 1
          bool httpd_read_homes false;
        Users: 3
          user alice roles { sysadm_r user_r } level s0 range s0-s1:c0.c3;
          user bob roles user_r level s0:c0 range s0:c0;
          user system_u roles system_r level s0 range s0-s1:c0.c3;
    "#]],
    );
    check(
        &["mandate", "query", "info", &policy, "user", "-x", "--json"],
        0,
        expect![[r#"
        {
          "user": [
            {
              "name": "alice",
              "statement": "user alice roles { sysadm_r user_r } level s0 range s0-s1:c0.c3;"
            },
            {
              "name": "bob",
              "statement": "user bob roles user_r level s0:c0 range s0:c0;"
            },
            {
              "name": "system_u",
              "statement": "user system_u roles system_r level s0 range s0-s1:c0.c3;"
            }
          ]
        }
    "#]],
    );
    check(
        &["seinfo", &policy],
        0,
        expect![[r#"
        Statistics for policy file: POLICY
        Policy Version:             33 (MLS enabled)
        Target Policy:              selinux
        Handle unknown classes:     deny
          Classes:               4    Permissions:          22
          Sensitivities:         2    Categories:            4
          Types:                13    Attributes:            3
          Users:                 3    Roles:                 4
          Booleans:              1    Cond. Expr.:           1
          Allow:                23    Neverallow:            0
          Auditallow:            1    Dontaudit:             1
          Type_trans:            2    Type_change:           0
          Type_member:           0    Range_trans:           0
          Role allow:            2    Role_trans:            0
          Constraints:           1    Validatetrans:         0
          MLS Constrain:         4    MLS Val. Tran:         0
          Permissives:           0    Polcap:                0
          Defaults:              0    Typebounds:            0
          Allowxperm:            0    Neverallowxperm:       0
          Auditallowxperm:       0    Dontauditxperm:        0
          Ibendportcon:          0    Ibpkeycon:             0
          Initial SIDs:          3    Fs_use:                1
          Genfscon:              1    Portcon:               3
          Netifcon:              0    Nodecon:               0
    "#]],
    );
}

#[test]
fn kinds_of_rules_have_old_and_new_names() {
    let policy = policy();
    for (new, old) in [
        ("--type_transition", "--type_trans"),
        ("--role_transition", "--role_trans"),
        ("--range_transition", "--range_trans"),
        ("--neverallow", "--neverallowx"),
    ] {
        let [new, old] = [new, old].map(|it| run(&["sesearch", it, &policy]));
        assert_eq!(new, old);
        assert_eq!((new.0, new.2.as_str()), (0, ""));
    }
    check(
        &["sesearch", "-T", &policy],
        0,
        expect![[r#"
        type_transition httpd_t httpd_log_t:file httpd_log_t access.log;
        type_transition init_t httpd_exec_t:process httpd_t;
    "#]],
    );
    let netlink = repository("policies/micro/xperm-nlmsg/policy.conf");
    check(
        &["sesearch", "-A", "-x", "0x12", &netlink],
        0,
        expect![[r#"
        allowxperm a_t obj_t:netlink_route_socket nlmsg { 0x0012 0x0016-0x001a };
        allowxperm b_t other_t:netlink_route_socket nlmsg 0x0000-0x00ff;
    "#]],
    );
}

#[test]
fn roles_of_a_type_are_told() {
    let policy = policy();
    let seinfo = |words: &[&str], code, expected| {
        check(&[&["seinfo", &policy], words].concat(), code, expected);
    };
    seinfo(
        &["--role_types", "httpd_t"],
        0,
        expect![[r#"

        Roles: 2
           sysadm_r
           system_r
    "#]],
    );
    seinfo(
        &["--role_types", "httpd_t", "-x", "--flat"],
        0,
        expect![[r#"
        role sysadm_r types { httpd_t sysadm_t };
        role system_r types { httpd_t init_t kernel_t };
    "#]],
    );
    seinfo(
        &["--role_types", "nothing_t", "-r", "user_r", "--sensitivity"],
        0,
        expect![[r#"

        Roles: 1
           user_r

        Roles: 0

        Sensitivities: 2
           s0
           s1
    "#]],
    );
    let (code, _, err) = run(&["seinfo", &policy, "--role_types"]);
    expect!["seinfo: error: argument --role_types: expected one argument"]
        .assert_eq(err.lines().last().unwrap_or_default());
    assert_eq!(code, 2);
}

#[test]
fn the_policy_may_stand_behind_a_component() {
    let policy = policy();
    let right = run(&["seinfo", &policy, "-u", "-b"]);
    assert_eq!(right, run(&["seinfo", "-b", "-u", &policy]));
    assert_eq!(right, run(&["seinfo", "-u", &policy, "-b"]));
}

#[test]
fn contexts_of_xen_are_found_by_number() {
    let policy = repository("policies/micro/xen/policy.bin");
    let seinfo = |words: &[&str], code, expected| {
        let (found, out, err) = run(&[&["seinfo", &policy, "--flat"], words].concat());
        let last = err.lines().last().map(|it| it.replace(&policy, "POLICY"));
        expect_test::Expect::assert_eq(&expected, &(out + &last.unwrap_or_default()));
        assert_eq!(found, code, "{words:?}");
    };
    let all = ["--ioportcon", "--iomemcon", "--pcidevicecon", "--pirqcon", "--devicetreecon"];
    seinfo(
        &all,
        0,
        expect![[r#"
        ioportcon 0xc000-0xc020 u:object_r:mem_t
        iomemcon 0xfebe0-0xfebff u:object_r:mem_t
        pcidevicecon 0xc800 u:object_r:dev_t
        pirqcon 33 u:object_r:irq_t
        devicetreecon /soc/serial u:object_r:dev_t
    "#]],
    );
    seinfo(
        &["--ioportcon", "0xc010-0xc012"],
        0,
        expect![[r#"
        ioportcon 0xc000-0xc020 u:object_r:mem_t
    "#]],
    );
    seinfo(&["--ioportcon", "c021"], 0, expect![[r#""#]]);
    seinfo(
        &["--iomemcon", "0xfebe0-0xfebff"],
        0,
        expect![[r#"
        iomemcon 0xfebe0-0xfebff u:object_r:mem_t
    "#]],
    );
    seinfo(&["--iomemcon", "0xfebe0"], 0, expect![[r#""#]]);
    seinfo(
        &["--pcidevicecon", "0xc800"],
        0,
        expect![[r#"
        pcidevicecon 0xc800 u:object_r:dev_t
    "#]],
    );
    seinfo(
        &["--pirqcon", "33"],
        0,
        expect![[r#"
        pirqcon 33 u:object_r:irq_t
    "#]],
    );
    seinfo(
        &["--pirqcon", "0x21"],
        2,
        expect![[r#"seinfo: error: expected a number or range of numbers, found "0x21""#]],
    );
    seinfo(
        &["--devicetreecon", "/soc/serial"],
        0,
        expect![[r#"
        devicetreecon /soc/serial u:object_r:dev_t
    "#]],
    );
    seinfo(&["--devicetreecon", "/soc"], 0, expect![[r#""#]]);
    seinfo(
        &["--pirqcon", "--portcon", "--fs_use"],
        2,
        expect![
            "seinfo: error: SELinux arguments (--fs_use, --portcon) cannot be combined with Xen arguments (--pirqcon)."
        ],
    );
    let linux = common::policy();
    check(
        &["seinfo", &linux, "--pirqcon", "--iomemcon", "3"],
        1,
        expect![[r#"
        error: Xen queries specified (--iomemcon, --pirqcon), but POLICY is an SELinux policy.
    "#]],
    );
}

#[test]
fn what_comes_by_a_pipe_is_a_policy_in_any_form() {
    let folder = repository("policies/micro/attributes");
    let sizes = ["policy.bin", "policy.conf"].map(|name| {
        let policy = std::fs::File::open(format!("{folder}/{name}")).unwrap();
        let mut mandate = std::process::Command::new(env!("CARGO_BIN_EXE_mandate"));
        let asked = mandate.args(["query", "info", "-", "--json"]).stdin(policy).output().unwrap();
        assert!(asked.status.success(), "{name}: {}", String::from_utf8_lossy(&asked.stderr));
        String::from_utf8(asked.stdout).unwrap()
    });
    assert!(sizes[0].contains("counts"), "{}", sizes[0]);
    assert_eq!(sizes[0], sizes[1]);
}

#[test]
fn kinds_and_parts_are_listed_and_near_misses_told() {
    for (words, near) in [
        (&["search", "p", "--kind", "alow"][..], "'allow'"),
        (&["diff", "p", "p", "--part", "portcn"][..], "'portcon'"),
    ] {
        let (code, _, err) = run(&[&["mandate", "query"], words].concat());
        assert!(code == 2 && err.contains(near) && err.contains("range_transition"), "{err}");
    }
    let (_, help, _) = run(&["mandate", "query", "search", "--help"]);
    assert!(help.contains("possible values: allow, allowxperm"), "{help}");
}
