//! `sediff`: how two policies differ.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Result;
use mandate_query::Style;
use mandate_query::diff::{DiffQuery, Part};

use super::argparse::{FAILED, Program, Words, flag};
use crate::{differences, policy};

/// The options that choose what is compared.
const PARTS: [(Part, &str, &str); 40] = [
    (Part::Commons, "", "--common"),
    (Part::Classes, "-c", "--class"),
    (Part::Types, "-t", "--type"),
    (Part::Attributes, "-a", "--attribute"),
    (Part::Roles, "-r", "--role"),
    (Part::Users, "-u", "--user"),
    (Part::Booleans, "-b", "--bool"),
    (Part::Sensitivities, "", "--sensitivity"),
    (Part::Categories, "", "--category"),
    (Part::Levels, "", "--level"),
    (Part::Allow, "", "--allow"),
    (Part::NeverAllow, "", "--neverallow"),
    (Part::AuditAllow, "", "--auditallow"),
    (Part::DontAudit, "", "--dontaudit"),
    (Part::AllowXperm, "", "--allowxperm"),
    (Part::NeverAllowXperm, "", "--neverallowxperm"),
    (Part::AuditAllowXperm, "", "--auditallowxperm"),
    (Part::DontAuditXperm, "", "--dontauditxperm"),
    (Part::TypeTransition, "-T", "--type_trans"),
    (Part::TypeChange, "", "--type_change"),
    (Part::TypeMember, "", "--type_member"),
    (Part::RoleAllow, "", "--role_allow"),
    (Part::RoleTransition, "", "--role_trans"),
    (Part::RangeTransition, "", "--range_trans"),
    (Part::Constraints, "", "--constrain"),
    (Part::MlsConstraints, "", "--mlsconstrain"),
    (Part::Validatetrans, "", "--validatetrans"),
    (Part::MlsValidatetrans, "", "--mlsvalidatetrans"),
    (Part::Ibendportcons, "", "--ibendportcon"),
    (Part::Ibpkeycons, "", "--ibpkeycon"),
    (Part::InitialSids, "", "--initialsid"),
    (Part::FsUse, "", "--fs_use"),
    (Part::Genfscons, "", "--genfscon"),
    (Part::Netifcons, "", "--netifcon"),
    (Part::Nodecons, "", "--nodecon"),
    (Part::Portcons, "", "--portcon"),
    (Part::Defaults, "", "--default"),
    (Part::Properties, "", "--property"),
    (Part::Capabilities, "", "--polcap"),
    (Part::Typebounds, "", "--typebounds"),
];

fn program() -> Program {
    let flags = [flag("", "--stats"), flag("-A", "")];
    let parts = PARTS.map(|(_, short, long)| flag(short, long));
    Program { name: "sediff", help: HELP, options: [&flags[..], &parts].concat(), operands: 2 }
}

pub(crate) fn sediff(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let program = program();
    let words = match program.read(words, out, err)? {
        ControlFlow::Continue(words) => words,
        ControlFlow::Break(code) => return Ok(code),
    };
    let [first, second] = match words.operands.as_slice() {
        [first, second] => [first, second].map(PathBuf::from),
        [_] => return program.usage("the following arguments are required: POLICY2", err),
        _ => return program.usage("the following arguments are required: POLICY1, POLICY2", err),
    };
    let (first, second) = match policy::load_both(&[first], &[second], err) {
        Ok(both) => both,
        Err(why) => {
            writeln!(err, "{why:#}")?;
            return Ok(FAILED);
        }
    };
    let (parts, chosen) = parts(&words);
    let query = DiffQuery { parts, style: Style::Setools };
    let diff = query.ask(first.policy.db(), second.policy.db());
    differences::print(&diff, words.has("--stats"), chosen, out, |_, _| Ok(()))?;
    Ok(0)
}

/// The parts that the words ask for, or all; and whether any was asked for, which prints it even if nothing differs.
fn parts(words: &Words) -> (Vec<Part>, bool) {
    let with_a = |it| words.has("-A") && matches!(it, Part::Allow | Part::AllowXperm);
    let named = |part| PARTS.iter().any(|it| it.0 == part && words.has(it.2));
    let asked: Vec<Part> = Part::all().filter(|it| with_a(*it) || named(*it)).collect();
    let chosen = !asked.is_empty();
    (if chosen { asked } else { Part::all().collect() }, chosen)
}

const HELP: &str = "\
usage: sediff [-h] [--version] [--stats] [-v] [--debug] [--common] [-c] [-t] [-a] [-r] [-u] [-b]
              [--sensitivity] [--category] [--level] [-A] [--allow] [--neverallow] [--auditallow]
              [--dontaudit] [--allowxperm] [--neverallowxperm] [--auditallowxperm]
              [--dontauditxperm] [-T] [--type_change] [--type_member] [--role_allow] [--role_trans]
              [--range_trans] [--constrain] [--mlsconstrain] [--validatetrans] [--mlsvalidatetrans]
              [--ibendportcon] [--ibpkeycon] [--initialsid] [--fs_use] [--genfscon] [--netifcon]
              [--nodecon] [--portcon] [--default] [--property] [--polcap] [--typebounds]
              POLICY1 POLICY2

Tells how two policies differ: + is only in the second, - only in the first, * in both but not the same.
Rules are compared by what they do. A policy may be a binary, CIL, a policy.conf, a package or a source
tree. Without an option that names a part all parts are compared, and those that are the same left out.

Options:
  --stats                numbers only
  -c, -t, -a, -r, -u, -b classes, types, attributes, roles, users, booleans
  -A                     --allow and --allowxperm
  -T, --type_trans       type transitions
  -v, --debug            nothing more is told
  -h, --version          this text; the version
";
