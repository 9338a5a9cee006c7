//! `sesearch`: the rules of a policy that fit.

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Result;
use mandate_policydb::RuleKind;
use mandate_query::name::NameCriterion;
use mandate_query::search::{Choice, End, Kind, Match, RuleQuery, parse_xperms};
use mandate_query::{Statements, Style};

use super::argparse::{FAILED, Program, Spec, Takes, Words, flag, with};
use crate::answers::print_rules;
use crate::{policy, suggest, words};

const FLAGS: [Spec; 26] = [
    flag("-A", ""),
    flag("", "--allow"),
    flag("", "--allowxperm"),
    flag("", "--auditallow"),
    flag("", "--auditallowxperm"),
    flag("", "--dontaudit"),
    flag("", "--dontauditxperm"),
    flag("", "--neverallow"),
    flag("", "--neverallowxperm"),
    // 4.4.1 says `--type_trans`, `--role_trans` and `--range_trans`, which are short for these.
    flag("-T", "--type_transition"),
    flag("", "--type_change"),
    flag("", "--type_member"),
    flag("", "--role_allow"),
    flag("", "--role_transition"),
    flag("", "--range_transition"),
    flag("-eb", ""),
    flag("-ep", ""),
    flag("-ex", ""),
    flag("-Sp", ""),
    flag("-ds", ""),
    flag("-dt", ""),
    flag("-rs", ""),
    flag("-rt", ""),
    flag("-rc", ""),
    flag("-rd", ""),
    flag("-rb", ""),
];

const CRITERIA: [Spec; 7] = [
    with("-s", "--source", Takes::One),
    with("-t", "--target", Takes::One),
    with("-c", "--class", Takes::One),
    with("-p", "--perms", Takes::One),
    with("-x", "--xperms", Takes::One),
    with("-D", "--default", Takes::One),
    with("-b", "--bool", Takes::One),
];

/// The options that ask for a kind of rule.
const KINDS: [(&str, Kind); 16] = [
    ("-A", Kind::Te(RuleKind::Allow)),
    ("-A", Kind::Te(RuleKind::AllowXperm)),
    ("--allow", Kind::Te(RuleKind::Allow)),
    ("--allowxperm", Kind::Te(RuleKind::AllowXperm)),
    ("--auditallow", Kind::Te(RuleKind::AuditAllow)),
    ("--auditallowxperm", Kind::Te(RuleKind::AuditAllowXperm)),
    ("--dontaudit", Kind::Te(RuleKind::DontAudit)),
    ("--dontauditxperm", Kind::Te(RuleKind::DontAuditXperm)),
    ("--neverallow", Kind::Never),
    ("--neverallowxperm", Kind::Never),
    ("--type_transition", Kind::Te(RuleKind::TypeTransition)),
    ("--type_change", Kind::Te(RuleKind::TypeChange)),
    ("--type_member", Kind::Te(RuleKind::TypeMember)),
    ("--role_allow", Kind::RoleAllow),
    ("--role_transition", Kind::RoleTransition),
    ("--range_transition", Kind::RangeTransition),
];

pub(crate) fn sesearch(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let options = [&FLAGS[..], &CRITERIA].concat();
    let program = Program { name: "sesearch", help: HELP, options, operands: 1 };
    let words = match program.read(words, out, err)? {
        ControlFlow::Continue(words) => words,
        ControlFlow::Break(code) => return Ok(code),
    };
    let kinds = kinds(&words);
    if let Some(why) = fault(&words, &kinds) {
        return program.usage(why, err);
    }
    match answer(&words, kinds, out, err)? {
        Ok(()) => Ok(0),
        Err(message) => {
            writeln!(err, "{message}")?;
            Ok(FAILED)
        }
    }
}

/// What is wrong with words that can be read.
fn fault(words: &Words, kinds: &[Kind]) -> Option<&'static str> {
    let other = |it: &Kind| !matches!(it, Kind::Te(_) | Kind::Never);
    let of_types = ["--perms", "--xperms", "--bool"];
    let of_types = of_types.iter().any(|it| words.argument(it).is_some());
    if kinds.is_empty() {
        return Some("At least one rule type must be specified.");
    }
    (of_types && kinds.iter().any(other)).then_some(
        "-p/--perms, -x/--xperms, and -b/--bool options are only supported with TE rule searches.",
    )
}

fn kinds(words: &Words) -> Vec<Kind> {
    KINDS.into_iter().filter(|it| words.has(it.0)).map(|it| it.1).collect()
}

/// Asks and prints; the message of a question that cannot be asked.
fn answer(
    words: &Words,
    kinds: Vec<Kind>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Result<(), String>> {
    let query = match query(words, kinds) {
        Ok(query) => query,
        Err(message) => return Ok(Err(message)),
    };
    let path = words.operands.first().map_or_else(policy::running, |it| Ok(words::to_path(it)));
    let loaded = match path.and_then(|it| policy::load(&[it], err)) {
        Ok(loaded) => loaded,
        Err(why) => return Ok(Err(format!("{why:#}"))),
    };
    let db = loaded.policy.db();
    let found = match query.ask(db) {
        Ok(found) => found,
        Err(error) => return Ok(Err(suggest::question(db, &error))),
    };
    print_rules(&mut Statements::new(db, Style::Setools), &found, out)?;
    Ok(Ok(()))
}

fn query(words: &Words, kinds: Vec<Kind>) -> Result<RuleQuery, String> {
    let name = |option: &str, regex: &str| {
        let text = words.argument(option);
        let criterion = text.map(|it| NameCriterion::new(it, words.has(regex)));
        criterion.transpose().map_err(|error| error.to_string())
    };
    let end = |option: &str, regex: &str, direct: &str| {
        let direct = words.has(direct);
        Ok::<_, String>(name(option, regex)?.map(|name| End { name, direct }))
    };
    let choice = |option: &str, regex: &str| {
        if words.has(regex) {
            return Ok::<_, String>(name(option, regex)?.map(Choice::Pattern));
        }
        Ok(words.argument(option).map(|it| Choice::Names(list(it))))
    };
    let exactly = |option: &str| if words.has(option) { Match::Exactly } else { Match::Any };
    let permissions = if words.has("-Sp") { Match::All } else { exactly("-ep") };
    // A pattern is enough to fit, whatever else is in the condition.
    let booleans = if words.has("-rb") { Match::Any } else { exactly("-eb") };
    let xperms = words.argument("--xperms").map(parse_xperms).transpose();
    let xperms = xperms.map_err(|error| error.to_string())?;
    Ok(RuleQuery {
        kinds,
        source: end("--source", "-rs", "-ds")?,
        target: end("--target", "-rt", "-dt")?,
        classes: choice("--class", "-rc")?,
        permissions: words.argument("--perms").map(|it| (list(it), permissions)),
        xperms: xperms.map(|it| (it, exactly("-ex"))),
        default: name("--default", "-rd")?,
        booleans: choice("--bool", "-rb")?.map(|it| (it, booleans)),
    })
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

const HELP: &str = "\
usage: sesearch [-h] [--version] [-v] [--debug] [-A] [--allow] [--allowxperm] [--auditallow]
                [--auditallowxperm] [--dontaudit] [--dontauditxperm] [--neverallow]
                [--neverallowxperm] [-T] [--type_change] [--type_member] [--role_allow]
                [--role_transition] [--range_transition] [-s SOURCE] [-t TARGET] [-c TCLASS]
                [-p PERMS] [-x XPERMS] [-D DEFAULT] [-b BOOL] [-eb] [-ep] [-ex] [-Sp] [-ds] [-dt]
                [-rs] [-rt] [-rc] [-rd] [-rb] [policy]

Prints the rules of a policy that fit. The policy may be a binary, CIL, a policy.conf, a package or a
source tree; without one, that in force is asked.

Kinds of rules:
  -A                      allow and allowxperm
  --allow, --auditallow, --dontaudit
  --allowxperm, --auditallowxperm, --dontauditxperm
  --neverallow, --neverallowxperm: a policy that can be asked has none
  -T, --type_transition   type_transition, with and without the name of a file
  --type_change, --type_member
  --role_allow, --role_transition, --range_transition; not with -p, -x, -b

What a rule must have:
  -s, --source NAME       its source: a type, an attribute or, between roles, a role
  -t, --target NAME       its target
  -c, --class C,...       one of these classes
  -p, --perms P,...       one of these permissions
  -x, --xperms X,...      one of these extended permissions: 0x8910 or 0x8910-0x8920
  -D, --default NAME      what it gives: a type, a role or a range
  -b, --bool B,...        one of these booleans in its condition

How that is meant:
  -ds, -dt                this source or target itself, not through attributes
  -ep, -Sp                exactly these permissions; all of these permissions
  -ex, -eb                exactly these extended permissions; exactly these booleans
  -rs, -rt, -rc, -rd, -rb regular expressions: source, target, class, default, booleans
  -v, --debug             nothing more is told
  -h, --version           this text; the version
";
