//! Whether calls cost more with many processes, or with many rules.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;

use anyhow::Result;

use super::super::lab::HOME;
use super::{Bench, Cost, middle};
use crate::bench::Figure;
use crate::report::Report;

/// Processes that only wait: in continuous integration, and at full size.
const IDLE: (usize, usize) = (20, 1_000);
const OPENS: (usize, usize) = (2_000, 100_000);
const FORKS: (usize, usize) = (50, 2_000);
/// Rules of the small policy, and of the large one.
const FEW: usize = 100;
const MANY: usize = 100_000;
/// As little is noise.
const SAME: f64 = 1.15;
const FORKING: f64 = 1.8;

pub(super) fn figures(bench: &Bench, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    let sized = |(few, all): (usize, usize)| if bench.full { all } else { few };
    let idle = sized(IDLE);
    bench.lab.label(HOME, &[])?;
    bench.lab.fill(&[("file", "text\n")])?;
    let open = |rounds: usize| bench.own("open", rounds, &["file"]);
    let fork = |rounds: usize| {
        let script = format!("for ((n = 0; n < {rounds}; n++)); do (:); done");
        ["/bin/bash", "-c", &script].map(OsString::from).to_vec()
    };
    let beside = |idle: usize, words: Vec<OsString>| {
        let words: Vec<_> = words.iter().map(|it| it.to_string_lossy()).collect();
        bench.own("beside", idle, &words.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    };
    let options: &[&str] = &["--quiet"];
    let mut all = Vec::new();
    let what = format!("open and close with {idle} idle processes, and with none");
    let sides = [idle, 0].map(|idle| Side {
        options: options.to_vec(),
        words: [sized(OPENS), 0].map(|rounds| beside(idle, open(rounds))),
    });
    all.push(bench.grows(&what, &sides, SAME, report)?);
    let what = format!("fork with {idle} idle processes, and with none");
    let sides = [idle, 0].map(|idle| Side {
        options: options.to_vec(),
        words: [sized(FORKS), 0].map(|rounds| beside(idle, fork(rounds))),
    });
    all.push(bench.grows(&what, &sides, FORKING, report)?);
    let [many, few] = [MANY, FEW].map(|rules| bench.policy(rules));
    let (many, few) = (many?, few?);
    let what = format!("open and close with a policy of {MANY} rules, and of {FEW}");
    let sides = [&many, &few].map(|policy| Side {
        options: vec!["--quiet", "--policy", policy, "--context", "u:r:t"],
        words: [sized(OPENS), 0].map(open),
    });
    bench.lab.label_as("u:r:t")?;
    all.push(bench.grows(&what, &sides, SAME, report)?);
    Ok(all)
}

/// A program that does something often, and the same that does nothing.
struct Side<'a> {
    options: Vec<&'a str>,
    words: [Vec<OsString>; 2],
}

impl Bench {
    /// The first side beside the second, both watched.
    fn grows(
        &self,
        what: &str,
        sides: &[Side<'_>; 2],
        most: f64,
        report: &mut Report<'_>,
    ) -> Result<Figure> {
        let mut costs: [Vec<Cost>; 3] = Default::default();
        for _ in 0..self.pairs() {
            let [large, small] = [&sides[0], &sides[1]].map(|side| {
                let [all, nothing] = &side.words;
                let way = Some(side.options.as_slice());
                Ok::<_, anyhow::Error>(self.cost(way, all)?.without(self.cost(way, nothing)?))
            });
            let (large, small) = (large?, small?);
            for (costs, cost) in costs.iter_mut().zip([large, small, large.over(small)]) {
                costs.push(cost);
            }
        }
        let [large, small, ratio] = costs.map(|it| middle(&it));
        let told = |it: Cost| format!("{:.2} s of processor, {:.2} s", it.processor, it.seconds);
        let figure = Figure {
            what: what.to_owned(),
            reach: format!("≤ {most} × processor"),
            ours: format!("{}; {}", told(large), told(small)),
            theirs: String::new(),
            ratio: format!("{:.2} × processor, {:.2} × time", ratio.processor, ratio.seconds),
        };
        self.tell(what, &figure, ratio.processor <= most, report)?;
        Ok(figure)
    }

    /// A policy that allows one domain all it needs, and has so many rules; its path.
    fn policy(&self, rules: usize) -> Result<String> {
        let path = self.lab.work().with_file_name(format!("{rules}.cil"));
        fs::write(&path, policy(rules))?;
        let built = path.with_extension("policy");
        self.lab.mandate(&["build", "--no-cache", "-o"], &[&built, &path])?;
        Ok(built.display().to_string())
    }
}

/// Types that the rules are about, besides the one domain.
const TYPES: usize = 400;

fn policy(rules: usize) -> String {
    let mut text = HEAD.to_owned();
    for number in 0..TYPES {
        let _never_fails = writeln!(text, "(type t{number})\n(roletype r t{number})");
    }
    // Some allow the domain what it does.
    for rule in 0..rules - ALLOWS {
        let (source, target) = (rule / TYPES, rule % TYPES);
        let _never_fails = writeln!(text, "(allow t{source} t{target} (file (read open)))");
    }
    text
}

/// Rules of the head.
const ALLOWS: usize = 3;

/// One domain, which may do all that `open` does; classes that it has no business with are allowed.
const HEAD: &str = "\
(mls false)
(handleunknown allow)
(class process (fork transition))
(class file (read open map execute execute_no_trans entrypoint))
(class dir (search))
(classorder (process file dir))
(sensitivity s0)
(sensitivityorder (s0))
(level low (s0))
(levelrange low_low (low low))
(sid kernel)
(sid unlabeled)
(sid file)
(sidorder (kernel unlabeled file))
(sidcontext kernel context)
(sidcontext unlabeled context)
(sidcontext file context)
(context context (u r t low_low))
(role object_r)
(role r)
(user u)
(userrole u object_r)
(userrole u r)
(userlevel u low)
(userrange u low_low)
(type t)
(roletype r t)
(allow t t (process (fork transition)))
(allow t t (file (read open map execute execute_no_trans entrypoint)))
(allow t t (dir (search)))
";
