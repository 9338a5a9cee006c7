//! Diagnostics as a user or a program meets them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::{Expect, expect};
use mandate_cli::render::{Findings, json, sarif, text};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::{ExpansionRecorder, Expansions, SourceMap, Span};

/// Sources, and spans found by the text that stands there.
struct World {
    sources: SourceMap,
    expansions: Expansions,
    recorder: ExpansionRecorder,
}

impl World {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let mut sources = SourceMap::new();
        for (path, bytes) in files {
            sources.add(*path, *bytes).unwrap();
        }
        let expansions = Expansions::default();
        Self { sources, recorder: expansions.recorder(0), expansions }
    }

    /// Where `text` first stands in `path`.
    fn at(&self, path: &str, text: &str) -> Span {
        let file = self.sources.files().iter().find(|it| it.path == path).unwrap();
        let offset = (0..=file.bytes.len())
            .find(|&it| file.bytes[it..].starts_with(text.as_bytes()))
            .unwrap();
        Span { pos: file.pos(offset), ..Span::NOWHERE }
    }

    /// The same, brought by the call at `call`.
    fn within(&mut self, path: &str, text: &str, call: Span) -> Span {
        let expansion = self.recorder.record(call);
        self.expansions.set(0, self.recorder.clone());
        Span { expansion, ..self.at(path, text) }
    }

    fn text(&self, diagnostics: &[Diagnostic], most: usize) -> String {
        let findings = Findings::new(&self.sources, &self.expansions, diagnostics);
        let mut out = Vec::new();
        let settings = text::Settings { width: 100, most };
        text::write(&findings, settings, &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    fn check(&self, diagnostics: &[Diagnostic], expected: Expect) {
        expected.assert_eq(&self.text(diagnostics, 100));
    }
}

const TE: &[u8] =
    b"policy_module(web)\n\ntype web_t;\nfiles_read_homes(web_t)\nallow web_t hom_t:file read;\n";
const IF: &[u8] = b"interface(`files_read_homes',`\n\tgen_require(`\n\t\ttype home_t;\n\t')\n\tread_files_pattern($1, home_t)\n')\n";
const SPT: &[u8] = b"define(`read_files_pattern',`\n\tallow $1 $2:file raed;\n')\n";

fn world() -> World {
    World::new(&[
        ("policy/modules/apps/web.te", TE),
        ("policy/modules/kernel/files.if", IF),
        ("policy/support/patterns.spt", SPT),
    ])
}

#[test]
fn a_place_has_its_excerpt() {
    let world = world();
    let unknown = Diagnostic::error(
        Code::UnknownType,
        world.at("policy/modules/apps/web.te", "hom_t"),
        "no type or attribute `hom_t`",
    )
    .label("not declared")
    .help("did you mean `home_t`?");
    world.check(
        &[unknown],
        expect![[r#"
        error[E0301]: no type or attribute `hom_t`
         --> policy/modules/apps/web.te:5:13
          |
        5 | allow web_t hom_t:file read;
          |             ^^^^^ not declared
          |
          = help: did you mean `home_t`?
          = see: mandate help E0301

        1 error
    "#]],
    );
}

fn through_calls(world: &mut World) -> Diagnostic {
    let outer = world.at("policy/modules/apps/web.te", "files_read_homes");
    let inner = world.within("policy/modules/kernel/files.if", "read_files_pattern", outer);
    let place = world.within("policy/support/patterns.spt", "raed", inner);
    let home = world.within("policy/modules/kernel/files.if", "home_t;", outer);
    Diagnostic::error(Code::UnknownPermission, place, "class `file` has no permission `raed`")
        .and(world.at("policy/modules/apps/web.te", "web_t"), "the source is declared here")
        .and(home, "the target is required here")
        .note("permissions of `file`: read write")
        .help("did you mean `read`?")
}

#[test]
fn every_level_of_expansion_is_named() {
    let mut world = world();
    let found = through_calls(&mut world);
    world.check(
        &[found],
        expect![[r#"
            error[E0306]: class `file` has no permission `raed`
             --> policy/support/patterns.spt:2:19
              |
            2 |     allow $1 $2:file raed;
              |                      ^^^^
              |
             ::: policy/modules/apps/web.te:3:6
              |
            3 | type web_t;
              |      ----- the source is declared here
              |
             ::: policy/modules/kernel/files.if:3:8
              |
            3 |         type home_t;
              |              ------ the target is required here
              |
              = note: in this call of macro `read_files_pattern` at policy/modules/kernel/files.if:5:2
              = note: in this call of interface `files_read_homes` at policy/modules/apps/web.te:4:1
              = note: permissions of `file`: read write
              = help: did you mean `read`?
              = see: mandate help E0306

            1 error
        "#]],
    );
}

#[test]
fn the_same_through_other_calls_is_told_once() {
    let mut world = world();
    let first = through_calls(&mut world);
    let outer = world.at("policy/modules/apps/web.te", "allow web_t");
    let place = world.within("policy/support/patterns.spt", "raed", outer);
    let second = Diagnostic { span: place, ..first.clone() };
    let text = world.text(&[first, second], 100);
    assert!(
        text.contains("the same in 1 other call, such as that at policy/modules/apps/web.te:5:1"),
        "{text}"
    );
    assert!(text.ends_with("2 errors\n"), "{text}");
}

#[test]
fn other_places_tell_their_calls() {
    let mut world = world();
    let te = "policy/modules/apps/web.te";
    let call = world.at(te, "files_read_homes");
    let rule = world.within("policy/modules/kernel/files.if", "read_files_pattern", call);
    let forbidden = Diagnostic::error(Code::NeverAllow, world.at(te, "allow"), "forbidden")
        .and(rule, "the rule");
    world.check(
        &[forbidden],
        expect![[r#"
            error[E0401]: forbidden
             --> policy/modules/apps/web.te:5:1
              |
            5 | allow web_t hom_t:file read;
              | ^^^^^
              |
             ::: policy/modules/kernel/files.if:5:2
              |
            5 |     read_files_pattern($1, home_t)
              |     ------------------ the rule
              |
              = note: policy/modules/kernel/files.if:5:2 is expanded
                        in this call of interface `files_read_homes` at policy/modules/apps/web.te:4:1
              = see: mandate help E0401

            1 error
        "#]],
    );
}

#[test]
fn errors_come_first_and_the_rest_is_counted() {
    let world = world();
    let te = "policy/modules/apps/web.te";
    let warning = Diagnostic::warning(Code::Suspicious, world.at(te, "policy_module"), "odd");
    let late = Diagnostic::error(Code::UnknownType, world.at(te, "hom_t"), "late");
    let early = Diagnostic::error(Code::UnknownType, world.at(te, "type web_t"), "early");
    let nowhere = Diagnostic::error(Code::Incomplete, Span::NOWHERE, "no initial SID is declared");
    let all = [warning, late, early, nowhere];
    expect![[r#"
        error[E0301]: late
         --> policy/modules/apps/web.te:5:13
          |
        5 | allow web_t hom_t:file read;
          |             ^^^^^
          |
          = see: mandate help E0301

        error[E0301]: early
         --> policy/modules/apps/web.te:3:1
          |
        3 | type web_t;
          | ^^^^

        and 2 more: 3 errors, 1 warning in all (--max-errors 0 shows them)
    "#]]
    .assert_eq(&world.text(&all, 2));
}

#[test]
fn hostile_sources_are_shown_safely() {
    let mut line = b"allow \x1b[31m\xff\xfe\tfoo_t bar_t:file read; ".to_vec();
    line.extend(b"x ".repeat(100_000));
    line.extend(b"far_t\r\nnext\r\n");
    let world = World::new(&[("a\x1b[2J.te", &line), ("empty.te", b"")]);
    let near = world.at("a\x1b[2J.te", "foo_t");
    let far = world.at("a\x1b[2J.te", "far_t");
    let end = world.at("a\x1b[2J.te", "\r\nnext");
    let all = [
        Diagnostic::error(Code::UnknownType, near, "no type `\x1b[1mfoo_t`").label("\x07here"),
        Diagnostic::error(Code::UnknownType, far, "far off"),
        Diagnostic::error(Code::MissingSemicolon, end, "at the end"),
        Diagnostic::error(Code::UnclosedBlock, world.at("empty.te", ""), "no text at all"),
    ];
    world.check(
        &all,
        expect![[r#"
            error[E0301]: no type `␛[1mfoo_t`
             --> a␛[2J.te:1:15
              |
            1 | allow ␛[31m��    foo_t bar_t:file read; x x x x x x x x x x x x x x x x x x x x x x x x x x x...
              |                  ^^^^^ ␇here
              |
              = see: mandate help E0301

            error[E0301]: far off
            --> a␛[2J.te:1:200038

            error[E0203]: at the end
            --> a␛[2J.te:1:200043
             = see: mandate help E0203

            error[E0204]: no text at all
             --> empty.te:1:1
              |
            1 |
              | ^
              |
              = see: mandate help E0204

            4 errors
        "#]],
    );
}

#[test]
fn json_has_the_documented_shape() {
    let mut world = world();
    let all = [through_calls(&mut world)];
    let value = json::to_json(&Findings::new(&world.sources, &world.expansions, &all), None);
    expect![[r#"
        {
          "diagnostics": [
            {
              "code": "E0306",
              "title": "the class has no such permission",
              "severity": "error",
              "message": "class `file` has no permission `raed`",
              "file": "policy/support/patterns.spt",
              "line": 2,
              "column": 19,
              "label": "",
              "expansion": [
                {
                  "macro": "read_files_pattern",
                  "file": "policy/modules/kernel/files.if",
                  "line": 5,
                  "column": 2
                },
                {
                  "macro": "files_read_homes",
                  "file": "policy/modules/apps/web.te",
                  "line": 4,
                  "column": 1
                }
              ],
              "labels": [
                {
                  "file": "policy/modules/apps/web.te",
                  "line": 3,
                  "column": 6,
                  "message": "the source is declared here"
                },
                {
                  "file": "policy/modules/kernel/files.if",
                  "line": 3,
                  "column": 8,
                  "message": "the target is required here"
                }
              ],
              "notes": [
                "permissions of `file`: read write"
              ],
              "help": [
                "did you mean `read`?"
              ]
            }
          ],
          "errors": 1,
          "warnings": 0
        }
    "#]]
    .assert_eq(&(serde_json::to_string_pretty(&value).unwrap() + "\n"));
}

#[test]
fn sarif_has_rules_results_and_related_places() {
    let mut world = world();
    let all = [through_calls(&mut world)];
    let mut value = sarif::to_sarif(&Findings::new(&world.sources, &world.expansions, &all), None);
    let rule = value["runs"][0]["tool"]["driver"]["rules"][0].take();
    assert_eq!(rule["id"], "E0306");
    assert!(rule["help"]["text"].as_str().unwrap().contains("mandate help E0306"));
    expect![[r#"
        [
          {
            "ruleId": "E0306",
            "ruleIndex": 0,
            "level": "error",
            "message": {
              "text": "class `file` has no permission `raed`\npermissions of `file`: read write\ndid you mean `read`?"
            },
            "locations": [
              {
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "policy/support/patterns.spt"
                  },
                  "region": {
                    "startLine": 2,
                    "startColumn": 19,
                    "endColumn": 23
                  }
                }
              }
            ],
            "relatedLocations": [
              {
                "id": 0,
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "policy/modules/apps/web.te"
                  },
                  "region": {
                    "startLine": 3,
                    "startColumn": 6,
                    "endColumn": 11
                  }
                },
                "message": {
                  "text": "the source is declared here"
                }
              },
              {
                "id": 1,
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "policy/modules/kernel/files.if"
                  },
                  "region": {
                    "startLine": 3,
                    "startColumn": 8,
                    "endColumn": 14
                  }
                },
                "message": {
                  "text": "the target is required here"
                }
              },
              {
                "id": 2,
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "policy/modules/kernel/files.if"
                  },
                  "region": {
                    "startLine": 5,
                    "startColumn": 2,
                    "endColumn": 20
                  }
                },
                "message": {
                  "text": "in this call of macro `read_files_pattern`"
                }
              },
              {
                "id": 3,
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "policy/modules/apps/web.te"
                  },
                  "region": {
                    "startLine": 4,
                    "startColumn": 1,
                    "endColumn": 17
                  }
                },
                "message": {
                  "text": "in this call of interface `files_read_homes`"
                }
              }
            ]
          }
        ]
    "#]]
    .assert_eq(&(serde_json::to_string_pretty(&value["runs"][0]["results"]).unwrap() + "\n"));
}
