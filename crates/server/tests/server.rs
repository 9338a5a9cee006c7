//! The security server: SIDs, booleans, reload, cache, many threads, on the demo policy.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use mandate_policydb::{Policy, SymbolId, Unvalidated};
use mandate_server::{Compute, Denial, Engine, Mode, Query, SecurityServer, ServerError, Sid};

const HTTPD: &str = "system_u:system_r:httpd_t:s0";
const HOME: &str = "alice:object_r:user_home_t:s0";
const CONTENT: &str = "system_u:object_r:httpd_content_t:s0";

fn policy() -> Policy {
    let bytes = include_bytes!("../../../policies/demo/policy.33");
    Unvalidated::read(bytes).unwrap().validate().unwrap()
}

/// The demo policy without one type, so that its contexts vanish.
fn policy_without(type_: &str) -> Policy {
    let mut bytes = include_bytes!("../../../policies/demo/policy.33").to_vec();
    // Renamed, which is as good as gone.
    let at = bytes.windows(type_.len()).position(|it| it == type_.as_bytes()).unwrap();
    bytes[at] = b'X';
    Unvalidated::read(&bytes).unwrap().validate().unwrap()
}

fn server(mode: Mode) -> SecurityServer {
    SecurityServer::new(policy(), mode).unwrap()
}

fn read_granted(server: &SecurityServer, source: Sid, target: Sid) -> bool {
    let class = server.class("file").unwrap();
    let read = server.permission(class, "read").unwrap();
    server.check(source, target, class, read).unwrap().granted
}

#[test]
fn a_context_has_one_sid() {
    let server = server(Mode::Enforcing);
    let sid = server.sid(HTTPD).unwrap();
    assert_eq!(server.sid(HTTPD).unwrap(), sid);
    assert_eq!(server.context(sid).unwrap(), HTTPD);
    let unknown = Sid::new(12345).unwrap();
    assert_eq!(server.context(unknown), Err(ServerError::UnknownSid(unknown)));
    assert!(matches!(server.sid("a:b:c"), Err(ServerError::Context(_))));
}

#[test]
fn booleans_change_answers_at_commit() {
    let server = server(Mode::Enforcing);
    let (httpd, home) = (server.sid(HTTPD).unwrap(), server.sid(HOME).unwrap());
    assert!(!read_granted(&server, httpd, home));
    server.set_boolean("httpd_read_homes", true).unwrap();
    assert_eq!(server.boolean("httpd_read_homes"), Ok((false, true)));
    assert!(!read_granted(&server, httpd, home));
    server.commit_booleans();
    assert_eq!(server.boolean("httpd_read_homes"), Ok((true, true)));
    assert!(read_granted(&server, httpd, home));
    assert!(server.set_boolean("no_such", true).is_err());
}

#[test]
fn permissive_mode_grants_but_tells() {
    let server = server(Mode::Permissive);
    let (httpd, home) = (server.sid(HTTPD).unwrap(), server.sid(HOME).unwrap());
    let class = server.class("file").unwrap();
    let read = server.permission(class, "read").unwrap();
    let check = server.check(httpd, home, class, read).unwrap();
    assert_eq!((check.granted, check.denied, check.audited), (true, read, read));
    server.set_mode(Mode::Enforcing);
    assert!(!server.check(httpd, home, class, read).unwrap().granted);
}

#[test]
fn sids_outlive_policies() {
    let server = server(Mode::Enforcing);
    let (httpd, content) = (server.sid(HTTPD).unwrap(), server.sid(CONTENT).unwrap());
    server.set_boolean("httpd_read_homes", true).unwrap();
    server.commit_booleans();
    assert!(read_granted(&server, httpd, content));

    server.load(policy_without("httpd_content_t")).unwrap();
    let unlabeled = server.context(Sid::new(3).unwrap()).unwrap();
    assert_eq!(server.context(content).unwrap(), unlabeled);
    assert!(!read_granted(&server, httpd, content));
    assert_eq!(server.context(httpd).unwrap(), HTTPD);
    assert!(server.boolean("httpd_read_homes").unwrap().0, "booleans keep their values");

    server.load(policy()).unwrap();
    assert_eq!(server.context(content).unwrap(), CONTENT);
    assert_eq!(server.sid(CONTENT).unwrap(), content);
    assert!(read_granted(&server, httpd, content));
}

#[test]
fn a_process_gets_the_type_of_its_transition() {
    let server = server(Mode::Enforcing);
    let init = server.sid("system_u:system_r:init_t:s0").unwrap();
    let program = server.sid("system_u:object_r:httpd_exec_t:s0").unwrap();
    let class = server.class("process").unwrap();
    let made = server.compute(Compute::Create, init, program, Some(class), None).unwrap();
    assert_eq!(server.context(made).unwrap(), HTTPD);
}

#[test]
fn an_explanation_names_the_boolean() {
    let engine = Engine::new(policy()).unwrap();
    let db = engine.db();
    let source = db.parse_context(HTTPD).unwrap();
    let target = db.parse_context(HOME).unwrap();
    let class = db.classes.id("file").unwrap();
    let read = 1 << db.permission(class, "read").unwrap().bit();
    let query = Query { source: &source, target: &target, class };
    let explanation = engine.explain(&query, Some(read));
    let [reasons] = explanation.permissions.as_slice() else { panic!("one permission asked") };
    assert_eq!(reasons.denials, [Denial::NoRule]);
    let boolean = db.booleans.id("httpd_read_homes").unwrap();
    assert_eq!(reasons.changes, [vec![(boolean, true)]]);
}

/// Whoever mends one reason should not meet the next one afterwards.
#[test]
fn all_that_denies_is_told_at_once() {
    let engine = Engine::new(policy()).unwrap();
    let db = engine.db();
    let source = db.parse_context("bob:user_r:user_t:s0:c0").unwrap();
    let target = db.parse_context("system_u:system_r:init_t:s0").unwrap();
    let class = db.classes.id("process").unwrap();
    let transition = 1 << db.permission(class, "transition").unwrap().bit();
    let query = Query { source: &source, target: &target, class };
    let explanation = engine.explain(&query, Some(transition));
    assert!(explanation.search_complete);
    let denials = &explanation.permissions[0].denials;
    assert!(denials.contains(&Denial::NoRule));
    assert!(denials.iter().any(|it| matches!(it, Denial::RoleAllow { .. })));
    assert!(denials.iter().any(|it| matches!(it, Denial::Constraint { .. })));
}

#[test]
fn named_checks_need_no_ids() {
    let server = server(Mode::Enforcing);
    let (httpd, content) = (server.sid(HTTPD).unwrap(), server.sid(CONTENT).unwrap());
    let granted = |class: &str, permissions: &[&str]| {
        server.check_named(httpd, content, class, permissions).unwrap().granted
    };
    assert!(granted("file", &["read", "getattr"]));
    assert!(!granted("file", &["read", "write"]));
    // The demo policy denies what it does not define.
    assert!(!granted("file", &["no_such"]));
    assert!(!granted("no_such", &["read"]));
}

/// Readers on other threads never see a decision that neither state of the boolean gives, and see the new one at once
/// after a commit.
#[test]
fn threads_see_whole_decisions_only() {
    let server = server(Mode::Enforcing);
    let (httpd, home) = (server.sid(HTTPD).unwrap(), server.sid(HOME).unwrap());
    let class = server.class("file").unwrap();
    let decisions: Vec<_> = [false, true]
        .map(|value| {
            server.set_boolean("httpd_read_homes", value).unwrap();
            server.commit_booleans();
            server.decide(httpd, home, class).unwrap()
        })
        .into();
    assert_ne!(decisions[0], decisions[1]);
    std::thread::scope(|scope| {
        let reader = || {
            for _ in 0..100_000 {
                let decision = server.decide(httpd, home, class).unwrap();
                assert!(decisions.contains(&decision));
            }
        };
        let readers = [(); 3].map(|()| scope.spawn(reader));
        let mut value = false;
        while readers.iter().any(|reader| !reader.is_finished()) {
            value = !value;
            server.set_boolean("httpd_read_homes", value).unwrap();
            server.commit_booleans();
            let now = server.decide(httpd, home, class).unwrap();
            assert_eq!(now, decisions[usize::from(value)]);
        }
    });
}
