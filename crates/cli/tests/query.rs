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
