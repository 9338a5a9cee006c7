use std::fmt::Write as _;

use expect_test::{Expect, expect};
use mandate_policydb::Unvalidated;
use mandate_syntax::source::SourceMap;

use super::*;

fn read_lines(lines: &str, policy: Option<&PolicyDb>) -> (Vec<FileContext>, String) {
    let mut map = SourceMap::new();
    let id = map.add("x.fc", lines.as_bytes()).expect("is small");
    let (contexts, diagnostics) = read(&Text::of_file(map.file(id)), policy);
    let mut told = String::new();
    for it in diagnostics {
        let at = map.location(it.span.pos).expect("has a place");
        let code = it.code.as_str();
        let _ = write!(told, "{}:{} {code} {}", at.line, at.column, it.message);
        let _ = writeln!(told, "{}{}", [" | ", &it.label].concat(), it.help.join(" "));
    }
    (contexts, told)
}

fn check_order(lines: &str, expected: &Expect) {
    let (mut contexts, told) = read_lines(lines, None);
    sort(&mut contexts);
    let (files, homes) = render_split(&contexts);
    let text = |it| String::from_utf8(it).expect("is text");
    expected.assert_eq(&format!("{}-- homes\n{}{told}", text(files), text(homes)));
}

#[test]
fn the_most_specific_comes_last() {
    check_order(
        "# comment\n\n/usr/bin/a\t\t--\tu:r:bin:s0\n/.*  u:r:root:s0\n/usr(/.*)?\tu:r:usr:s0\r\n   /usr/b.*\t-d u:r:b:s0\n\
         /usr/b..  <<none>>\n/usr/b.* u:r:later:s0\n/usr/b\\.* u:r:escaped:s0\n/usr/bin/a u:r:any:s0\n\
         HOME_DIR/x u:r:x:s0\n/home u:r:USER_t:s0\n/tmp/ROLEx -l u:r:x:s0",
        &expect![[r#"
            /.*		u:r:root:s0
            /usr(/.*)?		u:r:usr:s0
            /usr/b..		<<none>>
            /usr/b.*		u:r:later:s0
            /usr/b.*		-d	u:r:b:s0
            /usr/b\.*		u:r:escaped:s0
            /usr/bin/a		u:r:any:s0
            /usr/bin/a		--	u:r:bin:s0
            -- homes
            /home		u:r:USER_t:s0
            HOME_DIR/x		u:r:x:s0
            /tmp/ROLEx		-l	u:r:x:s0
        "#]],
    );
}

#[test]
fn malformed_lines_are_told() {
    check_order(
        "/only\n/foo -- \n/foo -x u:r:t:s0\n/foo -f u:r:t\n/foo u:r\n/foo gen_contxt(u:r:t, s0)\n/foo u:r:t:s0 more\n\
         /foo u:r:t:s0 # more\nfoo u:r:t\n/a(b u:r:t\n/\\pL u:r:t\n/same u:r:t\n/same u:r:other\n/same u:r:other\n",
        &expect![[r#"
            foo		u:r:t
            /\pL		u:r:t
            /foo		u:r:t:s0
            /foo		u:r:t:s0
            /same		u:r:t
            /same		u:r:other
            /same		u:r:other
            -- homes
            1:1 E0501 a line of file contexts needs a context | write `PATTERN [FILE TYPE] CONTEXT`
            2:1 E0501 a line of file contexts needs a context | write `PATTERN [FILE TYPE] CONTEXT`
            3:6 E0502 there is no file type `-x` | 
            4:6 E0502 there is no file type `-f` | a regular file is `--`
            5:6 E0405 `u:r` is no context | a context is `user:role:type`, with MLS `user:role:type:level`
            6:6 E0501 there is no macro `gen_contxt` | did you mean `gen_context`?
            7:15 E0501 nothing reads `more` after the context | 
            9:1 W0007 the pattern `foo` matches nothing | paths begin with `/`, `HOME_DIR` or `HOME_ROOT`
            10:3 E0503 the pattern `/a(b` is malformed | this parenthesis is not closed
            11:2 W0007 `mandate label` leaves the pattern `/\pL` out | conditions, recursion, verbs, \K, Unicode properties, names and references beside (?|…), references to a group from within and the options m and x are not supported in file contexts
            13:1 W0007 `/same` is given two contexts, of which the last counts | `u:r:other`
        "#]],
    );
}

#[test]
fn patterns_are_checked() {
    let (mut found, mut patterns) = (String::new(), Checker::default());
    for it in [
        "/a(/.*)?",
        "/a[^/]+",
        "/a[]x]",
        "/a[[:alpha:]-]*",
        "/a{2,3}",
        "/a{x}",
        "/(a|b)+?",
        "/a.*+",
        "/a\\.\\[b",
        "/a(",
        "/a)",
        "/[ab",
        "/[]",
        "/a\\",
        "/a**",
        "/(*)",
        "/a|+",
        "/a{3,2}",
        "/(?:a)",
        "/(?=a)b",
        "/[z-a]",
        "/a{,3}",
        "*",
        "/a+{2}",
        "/(?<name>x)",
        "/a{99999}",
        "/a^?",
        "/[:digit:]",
    ] {
        match patterns.check(it.as_bytes()) {
            Ok(()) => drop(writeln!(found, "{it}")),
            Err(error) => drop(writeln!(found, "{it}: {} {error}", error.offset)),
        }
    }
    expect![[r#"
        /a(/.*)?
        /a[^/]+
        /a[]x]
        /a[[:alpha:]-]*
        /a{2,3}
        /a{x}
        /(a|b)+?
        /a.*+
        /a\.\[b
        /a(: 2 this parenthesis is not closed
        /a): 2 this parenthesis closes nothing
        /[ab: 1 this bracket is not closed
        /[]: 1 this bracket is not closed
        /a\: 2 nothing follows this backslash
        /a**: 3 there is nothing to repeat here
        /(*): 2 there is nothing to repeat here
        /a|+: 3 there is nothing to repeat here
        /a{3,2}: 2 these bounds are out of order or too large
        /(?:a)
        /(?=a)b
        /[z-a]: 2 this range of characters does not ascend
        /a{,3}
        *: 0 there is nothing to repeat here
        /a+{2}: 3 there is nothing to repeat here
        /(?<name>x)
        /a{99999}: 2 these bounds are out of order or too large
        /a^?: 3 there is nothing to repeat here
        /[:digit:]: 1 named sets of characters stand within brackets: [[:alpha:]]
    "#]]
    .assert_eq(&found);
}

#[test]
fn contexts_are_checked_against_the_policy() {
    let bytes = include_bytes!("../../../../policies/demo/policy.33");
    let policy = Unvalidated::read(bytes).expect("is a policy").validate().expect("is valid");
    let db = policy.db();
    let text = |sid: usize| db.context_to_string(&db.object_contexts.initial_sids[sid].context);
    let good = text(0);
    let mut parts: Vec<&str> = good.splitn(4, ':').collect();
    let mut lines = format!("/good {good}\n");
    for (index, bad) in ["usr", "rle", "typ_t", "s9"].into_iter().enumerate() {
        let kept = std::mem::replace(&mut parts[index], bad);
        let _ = writeln!(lines, "/bad {}", parts.join(":"));
        parts[index] = kept;
    }
    let _ = writeln!(
        lines,
        "HOME_DIR/good USER:{}:ROLE_t:s0\nHOME_DIR/bad USER:{}:typ_t:s0",
        parts[1], parts[1]
    );
    let _ = writeln!(lines, "/no/level {}", parts[..3].join(":"));
    let (contexts, told) = read_lines(&lines, Some(db));
    let kept: Vec<&str> = contexts.iter().map(|it| it.path.as_str()).collect();
    expect![[r#"
        ["/good", "HOME_DIR/good"]
        /good system_u:object_r:unlabeled_t:s1:c0.c3
        /bad usr:object_r:unlabeled_t:s1:c0.c3
        /bad system_u:rle:unlabeled_t:s1:c0.c3
        /bad system_u:object_r:typ_t:s1:c0.c3
        /bad system_u:object_r:unlabeled_t:s9
        HOME_DIR/good USER:object_r:ROLE_t:s0
        HOME_DIR/bad USER:object_r:typ_t:s0
        /no/level system_u:object_r:unlabeled_t
        2:6 E0304 there is no user `usr` | 
        3:15 E0303 there is no role `rle` | 
        4:24 E0301 there is no type `typ_t` | 
        5:36 E0308 there is no sensitivity `s9` | did you mean `s0` or `s1`?
        7:28 E0301 there is no type `typ_t` | 
        8:11 E0405 `system_u:object_r:unlabeled_t` is not a context of the policy | a context is user:role:type:level, found "system_u:object_r:unlabeled_t"
    "#]].assert_eq(&format!("{kept:?}\n{lines}{told}"));
}
