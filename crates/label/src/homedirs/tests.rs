//! Whole files, as libsemanage makes them of the same template, accounts and settings.

use expect_test::{expect, expect_file};

use super::{Account, Group, Homedirs, Inputs, PolicyUser, Settings, TwoGroups, homedirs};
use crate::line::told;
use crate::seusers::Seusers;

const SHELLS: &[u8] = b"/bin/bash\n/bin/sh\n/bin/zsh\n/usr/sbin/nologin\n";
const FILE_CONTEXTS: &[u8] =
    b"/opt/[^/]+/data\t-d\ts:o:srv_t:s0\n/srv/app(/.*)?\ts:o:srv_t:s0\n/data/homes\t--\ts:o:srv_t:s0\n";

fn users() -> Vec<PolicyUser> {
    let users = [
        ("user_u", "user_r", "user", "s0"),
        ("staff_u", "staff_r", "staff_r", "s0:c1"),
        ("sysadm_u", "sysadm_r", "sysadm", "s0"),
        ("root", "sysadm_r", "sysadm", "s0"),
        ("noprefix_u", "user_r", "user", "s0"),
        ("obj_u", "user_r", "object_r", "s0"),
    ];
    let bytes = |it: &str| it.as_bytes().into();
    let user = |(name, role, prefix, level)| PolicyUser {
        name: bytes(name),
        roles: vec![bytes(role)],
        prefix: bytes(prefix),
        level: Some(bytes(level)),
    };
    users.into_iter().map(user).collect()
}

/// The expressions of [`FILE_CONTEXTS`], without an engine.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        b"^/opt/[^/]+/data/*$" => path == b"/opt/foo/data",
        b"^/srv/app/*$" => path == b"/srv/app",
        _ => panic!("{}", String::from_utf8_lossy(pattern)),
    }
}

fn make(template: &[u8], seusers: &[u8], settings: Settings<'_>) -> Result<Homedirs, TwoGroups> {
    let (accounts, errors) = Account::parse(include_bytes!("cases/passwd"));
    assert_eq!(told(&errors), "");
    let (groups, errors) = Group::parse(include_bytes!("cases/group"));
    assert_eq!(told(&errors), "");
    homedirs(&Inputs {
        template,
        seusers: &Seusers::parse(seusers).0,
        users: &users(),
        mls: true,
        accounts: &accounts,
        groups: &groups,
        settings,
        file_contexts: FILE_CONTEXTS,
        is_valid: &|context| !context.starts_with(b"staff_u:staff_r:srv_t"),
        matches: &matches,
    })
}

fn whole(settings: Settings<'_>) -> Homedirs {
    make(include_bytes!("cases/homedir_template"), include_bytes!("cases/seusers"), settings)
        .unwrap_or_default()
}

fn text(made: &Homedirs) -> String {
    String::from_utf8_lossy(&made.text).into_owned()
}

fn notes(made: &Homedirs) -> String {
    made.notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const SETTINGS: Settings<'_> = Settings {
    useradd: b"",
    libuser: b"",
    login_defs: b"UID_MIN\t\t\t 1000\nUID_MAX 60000\n",
    shells: Some(SHELLS),
    export_home: false,
    use_accounts: true,
    ignored: b"/ign/ida;/other",
};

#[test]
fn homes_of_accounts() {
    let made = whole(SETTINGS);
    expect_file!["cases/accounts"].assert_eq(&text(&made));
    expect![[r"
        eve's home /srv/app/eve lies where the policy has a file context already; a system account should have a user id below 1000 or above 60000, or a shell that is not in /etc/shells
        kim's home /opt/foo/data/kim lies where the policy has a file context already; a system account should have a user id below 1000 or above 60000, or a shell that is not in /etc/shells
        user zed has no account
        user ghost has no account
        there is no group nogroup_x"]]
    .assert_eq(&notes(&made));
}

#[test]
fn homes_where_useradd_says() {
    let settings = Settings { useradd: b"HOME=/users\n", use_accounts: false, ..SETTINGS };
    expect_file!["cases/no_accounts"].assert_eq(&text(&whole(settings)));
}

#[test]
fn user_ids_and_the_first_line_that_begins_with_a_key() {
    let made = whole(Settings {
        login_defs: b"UID_MIN 0x3e9\nUID_MAX   60001\n",
        useradd: b"# HOME=/x\nSHELL=/bin/sh\nHOMEX=/weird\nHOME=/later\n",
        ..SETTINGS
    });
    expect_file!["cases/settings"].assert_eq(&text(&made));
}

#[test]
fn numbers_that_are_none() {
    let login_defs = b"UID_MIN 1002 # people\nUID_MAX 6e4\n";
    let notes = notes(&whole(Settings { login_defs, ..SETTINGS }));
    expect![[r"
        UID_MIN is no number, taking 1000
        UID_MAX is no number, taking 60000"]]
    .assert_eq(&notes.lines().take(2).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_user_of_two_groups() {
    let two = make(b"/tmp/USER a:b:c:s0\n", b"%wheel:staff_u\n%users:user_u\n", SETTINGS);
    let told = two.err().map(|it| it.to_string());
    assert_eq!(
        told.as_deref(),
        Some("user bob is in groups wheel and users, and both are mapped: map the user itself")
    );
}

#[test]
fn templates_that_are_wrong_or_say_nothing() {
    let made = make(b"# nothing\n/etc a:b:c\n", b"root:root\n", SETTINGS).unwrap_or_default();
    assert_eq!(text(&made), "");

    let made = make(b"HOME_DIR\nHOME_DIR -d none\n/tmp/USER\ta:b:c\n", b"root:root\n", SETTINGS);
    let made = made.unwrap_or_default();
    expect![[r#"
        1:1: expected a context, found "HOME_DIR"
        2:13: expected a context, found "none""#]]
    .assert_eq(&told(&made.errors));
    expect![[r"
        /tmp/[^/]+	user_u:b:c:s0


        #
        # Home Context for user root
        #

        /tmp/root	root:b:c:s0
    "]]
    .assert_eq(text(&made).get(super::HEADER.len()..).unwrap_or_default());
}

#[test]
fn accounts_and_groups_that_are_wrong() {
    let (accounts, errors) = Account::parse(
        b"ann:x:1000:1000::/home/ann\nbob:x:many:1::/:/bin/sh\ncarl\ndora:x:1:-1::/\neve:x:1:2:eve\n",
    );
    assert_eq!(accounts.len(), 1);
    expect![[r#"
        2:7: expected a user id, found "many"
        3:5: expected a password here, found the end of the line
        4:10: expected a group id, found "-1"
        5:14: expected a home here, found the end of the line"#]]
    .assert_eq(&told(&errors));
    let (groups, errors) = Group::parse(b"wheel:x:10\nusers:x:100:ann,,bob\nstaff:x\n");
    assert_eq!(groups.iter().map(|it| it.members.len()).collect::<Vec<_>>(), [0, 2]);
    expect!["3:8: expected a group id here, found the end of the line"].assert_eq(&told(&errors));
}
