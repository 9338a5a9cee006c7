//! What people ask of a policy, `mandate query memory`, `ports`, `unconfined`, `permissive`, `role` and `user`, beside a script over
//! setools' library.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use mandate_policydb::{PolicyDb, TypeId};
use mandate_query::questions::confinement::{permissive, unconfined};
use mandate_query::questions::identity::{role, user};
use mandate_query::questions::memory::memory;
use mandate_query::questions::ports::{PortAnswer, PortName, port};
use mandate_query::questions::{self, Access, Granted, type_names};
use mandate_query::rules::Conditions;
use mandate_query::types::TypeSets;

use super::setools::PYTHON;
use super::{Asked, small};
use crate::place::Place;
use crate::reference::{Flavour, Reference};
use crate::report::{Comparison, Report};

/// One domain of so many is asked for its memory: in continuous integration, and at full size.
const STEP: (usize, usize) = (40, 1);

/// What is asked, and names in order.
type Answers = BTreeMap<String, String>;

/// Compares all three Reference Policies, and the small policies that setools reads.
pub(super) fn run(place: &Place, full: bool, report: &mut Report<'_>) -> Result<()> {
    report.heading("What people ask of a policy")?;
    let step = if full { STEP.1 } else { STEP.0 };
    for flavour in Flavour::ALL {
        let name = flavour.name();
        let policy = Asked::read(name.to_owned(), Reference::build(place, flavour)?.binary())?;
        compare(place, &format!("query questions: {name}"), &[policy], step, report)?;
    }
    compare(place, "query questions: small policies", &small(place)?, 1, report)
}

fn compare(
    place: &Place,
    name: &str,
    policies: &[Asked],
    step: usize,
    report: &mut Report<'_>,
) -> Result<()> {
    let mut comparison = Comparison::new(name);
    for (asked, theirs) in policies.iter().zip(theirs(place, policies, step)?) {
        let ours = Ours::of(asked.policy.db(), step);
        let nothing = "not told".to_owned();
        for question in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
            let [ours, theirs] = [&ours, &theirs].map(|it| it.get(question).unwrap_or(&nothing));
            comparison.equal(|| format!("{}: {question}", asked.name), ours, theirs);
        }
    }
    Ok(report.add(&comparison)?)
}

fn theirs(place: &Place, policies: &[Asked], step: usize) -> Result<Vec<Answers>> {
    let mut command = Command::new(PYTHON);
    command.arg("-B").arg(place.root.join("compliance/oracle/questions.py")).arg(step.to_string());
    command.args(policies.iter().map(|it| &it.path));
    let output = command.output().with_context(|| format!("starting {PYTHON}"))?;
    ensure!(output.status.success(), "questions.py: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let answers: Vec<Answers> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(answers.len() == policies.len(), "questions.py left policies out");
    Ok(answers)
}

struct Ours<'a> {
    sets: &'a TypeSets<'a>,
    access: Access<'a>,
    told: Answers,
}

impl Ours<'_> {
    fn of(db: &PolicyDb, step: usize) -> Answers {
        let sets = TypeSets::new(db);
        let access = Access::new(&sets, &Conditions::with(db, &[]));
        let mut ours = Ours { sets: &sets, access, told: Answers::new() };
        let domains = type_names(&sets, &questions::domains(&sets));
        ours.tell("domains".to_owned(), &domains);
        ours.confinement();
        for name in domains.iter().step_by(step) {
            ours.memory(name);
        }
        ours.ports();
        ours.roles();
        ours.users();
        ours.told
    }

    fn db(&self) -> &PolicyDb {
        self.sets.db()
    }

    fn tell(&mut self, question: String, names: &[String]) {
        self.told.insert(question, names.join(" "));
    }

    fn confinement(&mut self) {
        for it in unconfined(self.sets, &[]).types {
            let domain = if it.domain { vec!["domain".to_owned()] } else { Vec::new() };
            for reason in &it.reasons {
                let question = format!("unconfined {} {reason}", self.db().types.name(it.type_));
                self.tell(question, &domain);
            }
        }
        let names = permissive(self.sets).types;
        let names: Vec<String> =
            names.iter().map(|it| self.db().types.name(it.type_).into_owned()).collect();
        self.tell("permissive".to_owned(), &names);
    }

    fn memory(&mut self, name: &str) {
        let domain: Option<TypeId> = self.db().types.id(name);
        let Some(answer) = domain.map(|it| memory(&self.access, it)) else { return };
        for it in answer.channels {
            let who = type_names(self.sets, &it.granted.types);
            self.tell(format!("memory {name}: {}", it.name), &who);
        }
    }

    fn ports(&mut self) {
        let portcons = &self.db().object_contexts.ports;
        let ends = portcons.iter().flat_map(|it| [it.low, it.high, (it.high + 1).min(65535)]);
        let ends: BTreeSet<u32> = ends.chain([0, 65535]).collect();
        for protocol in ["tcp", "udp", "dccp", "sctp"] {
            for number in &ends {
                let name = format!("{protocol}/{number}");
                let Ok(asked) = name.parse::<PortName>() else { continue };
                let told = self.port(&port(&self.access, asked));
                self.told.insert(format!("port {name}"), told);
            }
        }
    }

    fn port(&self, answer: &PortAnswer) -> String {
        let Some(context) = &answer.context else { return "no label".to_owned() };
        let may = |permission, granted: &Granted| match answer.missing.contains(&permission) {
            true => "nobody says".to_owned(),
            false => type_names(self.sets, &granted.types).join(" "),
        };
        let (bind, connect) =
            (may("name_bind", &answer.bind), may("name_connect", &answer.connect));
        format!("{}; {bind}; {connect}", spelled(&self.db().context_to_string(context)))
    }

    fn roles(&mut self) {
        let roles: Vec<_> = self.db().roles.by_value().map(|it| it.id).collect();
        for id in roles {
            let answer = role(self.sets, id);
            let name = self.db().roles.name(id).into_owned();
            for (what, names) in [
                ("types", &answer.types),
                ("domains", &answer.domains),
                ("users", &answer.users),
                ("from", &answer.from),
                ("to", &answer.to),
            ] {
                self.tell(format!("role {name}: {what}"), names);
            }
        }
    }

    fn users(&mut self) {
        let users: Vec<_> = self.db().users.by_value().map(|it| it.id).collect();
        for id in users {
            let answer = user(&self.access, id);
            let name = self.db().users.name(id).into_owned();
            for it in &answer.roles {
                for (domain, programs) in &it.entrypoints {
                    self.tell(format!("user {name}: {} starts {domain}", it.role), programs);
                }
            }
            let roles: Vec<String> = answer.roles.iter().map(|it| it.role.clone()).collect();
            self.tell(format!("user {name}: roles"), &roles);
            self.tell(format!("user {name}: domains"), &answer.domains);
            if let Some(range) = &answer.range {
                self.told.insert(format!("user {name}: range"), range.clone());
            }
        }
    }
}

/// A context with its range as setools writes it.
fn spelled(context: &str) -> String {
    context.replacen('-', " - ", 1)
}
