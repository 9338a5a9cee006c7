//! `mandate explain` of logs, `mandate audit allow`, audit2allow and audit2why: text and exit codes.

mod common;

use common::{Folder, check, policy, run};
use expect_test::{Expect, expect};

const LOG: &str = "\
type=AVC msg=audit(1700000000.001:1): avc:  denied  { write } for  pid=7 comm=\"httpd\" path=\"/srv/www/index.html\" dev=\"vda1\" ino=3 scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:httpd_content_t:s0 tclass=file permissive=0
type=AVC msg=audit(1700000000.002:2): avc:  denied  { write } for  pid=8 comm=\"httpd\" path=\"/srv/www/other.html\" dev=\"vda1\" ino=4 scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:httpd_content_t:s0 tclass=file permissive=0
type=AVC msg=audit(1700000000.003:3): avc:  denied  { read } for  pid=7 comm=\"httpd\" path=\"/srv/www/index.html\" dev=\"vda1\" ino=3 scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:nosuch_t:s0 tclass=file permissive=0
";

/// What a command says of the log; `LOG` and `OUT` in its words are files.
fn told(name: &str, words: &str, code: u8, expected: Expect) {
    let folder = Folder::new(name);
    let log = folder.file("audit.log", LOG.as_bytes());
    let bounds = folder.file("bounds", b"neverallow httpd_t httpd_content_t:file write;\n");
    let place = |word: &str| match word {
        "LOG" => log.display().to_string(),
        "BOUNDS" => bounds.display().to_string(),
        "POLICY" => policy(),
        other => other.to_owned(),
    };
    let words: Vec<String> = words.split_whitespace().map(place).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (found, out, err) = run(&words);
    let text = format!("{out}{err}").replace(&bounds.display().to_string(), "BOUNDS");
    expected.assert_eq(&text);
    assert_eq!(found, code);
}

#[test]
fn denials_in_groups() {
    told(
        "denials",
        "mandate explain --policy POLICY LOG",
        0,
        expect![[r#"
            2× httpd (httpd_t) was denied write on file /srv/www/index.html of httpd_content_t
              cause  No allow rule grants it.
              fix    allow httpd_t httpd_content_t:file write;
              on too  /srv/www/other.html

            1× httpd (httpd_t) was denied read on file /srv/www/index.html of nosuch_t
              cause  This policy has no type nosuch_t, which the target context names.
        "#]],
    );
    told(
        "denials-json",
        "mandate explain --json --policy POLICY LOG",
        0,
        expect![[r#"
        [
          {
            "count": 2,
            "what": "httpd (httpd_t) was denied write on file /srv/www/index.html of httpd_content_t",
            "scontext": "system_u:system_r:httpd_t:s0",
            "tcontext": "system_u:object_r:httpd_content_t:s0",
            "class": "file",
            "permissions": [
              "write"
            ],
            "permissive": false,
            "objects": [
              "/srv/www/index.html",
              "/srv/www/other.html"
            ],
            "programs": [
              "httpd"
            ],
            "reasons": [
              {
                "cause": "no_rule",
                "permissions": [
                  "write"
                ],
                "sentence": "No allow rule grants it."
              }
            ],
            "notes": [],
            "fixes": [
              {
                "cil": "(allow httpd_t httpd_content_t (file (write)))\n",
                "fix": "rules",
                "lines": [
                  "allow httpd_t httpd_content_t:file write;"
                ]
              }
            ],
            "refused": []
          },
          {
            "count": 1,
            "what": "httpd (httpd_t) was denied read on file /srv/www/index.html of nosuch_t",
            "scontext": "system_u:system_r:httpd_t:s0",
            "tcontext": "system_u:object_r:nosuch_t:s0",
            "class": "file",
            "permissions": [
              "read"
            ],
            "permissive": false,
            "objects": [
              "/srv/www/index.html"
            ],
            "programs": [
              "httpd"
            ],
            "reasons": [
              {
                "end": "tcontext",
                "kind": "type",
                "name": "nosuch_t",
                "cause": "unknown_name",
                "permissions": [
                  "read"
                ],
                "sentence": "This policy has no type nosuch_t, which the target context names."
              }
            ],
            "notes": [],
            "fixes": [],
            "refused": []
          }
        ]
    "#]],
    );
}

#[test]
fn nothing_above_a_bound() {
    let words = "mandate explain --policy POLICY --never-allow BOUNDS LOG";
    told(
        "bounded",
        words,
        0,
        expect![[r#"
            2× httpd (httpd_t) was denied write on file /srv/www/index.html of httpd_content_t
              cause  No allow rule grants it.
              not    allow httpd_t httpd_content_t:file write;: BOUNDS:1 forbids it
              on too  /srv/www/other.html

            1× httpd (httpd_t) was denied read on file /srv/www/index.html of nosuch_t
              cause  This policy has no type nosuch_t, which the target context names.
        "#]],
    );
    let words = "mandate audit allow --policy POLICY --never-allow BOUNDS LOG";
    told(
        "bounded-rules",
        words,
        1,
        expect![[r#"
        allow httpd_t httpd_content_t:file write; is forbidden at BOUNDS:1: nothing is written
    "#]],
    );
}

#[test]
fn rules_as_a_module_and_as_cil() {
    told(
        "rules",
        "mandate audit allow --policy POLICY --module local LOG",
        0,
        expect![[r#"

        module local 1.0;

        require {
        	type httpd_content_t;
        	type httpd_t;
        	class file write;
        }

        #============= httpd_t ==============
        allow httpd_t httpd_content_t:file write;
    "#]],
    );
    told(
        "rules-cil",
        "mandate audit allow --policy POLICY --cil LOG",
        0,
        expect![[r#"
        (allow httpd_t httpd_content_t (file (write)))
    "#]],
    );
}

#[test]
fn classic_names() {
    told(
        "classic",
        "audit2allow -p POLICY -i LOG -m local",
        0,
        expect![[r#"

        module local 1.0;

        require {
        	type httpd_content_t;
        	type httpd_t;
        	class file write;
        }

        #============= httpd_t ==============
        allow httpd_t httpd_content_t:file write;
    "#]],
    );
    told(
        "classic-why",
        "audit2why -p POLICY -i LOG",
        0,
        expect![[r#"
        type=AVC msg=audit(1700000000.001:1): avc:  denied  { write } for  pid=7 comm="httpd" path="/srv/www/index.html" dev="vda1" ino=3 scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:httpd_content_t:s0 tclass=file permissive=0

        	Was caused by:
        		Missing type enforcement (TE) allow rule.

        		You can use audit2allow to generate a loadable module to allow this access.

        type=AVC msg=audit(1700000000.002:2): avc:  denied  { write } for  pid=8 comm="httpd" path="/srv/www/other.html" dev="vda1" ino=4 scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:httpd_content_t:s0 tclass=file permissive=0

        	Was caused by:
        		Missing type enforcement (TE) allow rule.

        		You can use audit2allow to generate a loadable module to allow this access.

    "#]],
    );
    told(
        "classic-boot",
        "audit2allow -b",
        2,
        expect![[r#"
        Usage: audit2allow [options]

        audit2allow: error: option -b is not supported
    "#]],
    );
}

#[test]
fn a_package() {
    let folder = Folder::new("audit2allow-package");
    let log = folder.file("audit.log", LOG.as_bytes()).display().to_string();
    let name = folder.path("local").display().to_string();
    // The name of a module has no folder.
    let (code, ..) = run(&["audit2allow", "-p", &policy(), "-i", &log, "-M", &name]);
    assert_eq!(code, 2);
}

#[test]
fn lines_that_cannot_be_read_are_told() {
    let folder = Folder::new("explain-bad");
    let bad = format!("type=AVC msg=audit(x): avc:  denied\n{LOG}");
    let log = folder.file("audit.log", bad.as_bytes()).display().to_string();
    let (code, out, err) = run(&["mandate", "explain", "--policy", &policy(), &log]);
    assert_eq!(code, 2);
    assert!(out.starts_with("2×"), "{out}");
    assert!(err.starts_with(&format!("{log}:1:")), "{err}");
}

#[test]
fn words_that_are_missing() {
    check(
        &["mandate", "explain", "policy"],
        2,
        expect![[r#"
        error: the following required arguments were not provided:
          <SCONTEXT>
          <TCONTEXT>
          <CLASS>

        Usage: mandate explain [OPTIONS] POLICY SCONTEXT TCONTEXT CLASS [PERM]...
               mandate explain [OPTIONS] --policy POLICY [LOG]...

        For more information, try '--help'.
    "#]],
    );
}
