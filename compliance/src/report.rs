//! What was compared, how much of it, and the first answers that differ.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// How many differing answers a comparison shows in full.
const SHOWN: usize = 5;

/// One differing answer.
#[derive(Clone, Debug)]
struct Difference {
    query: String,
    ours: String,
    theirs: String,
}

/// Counts answers to the same questions from *ours* and *theirs*.
#[derive(Debug)]
pub struct Comparison {
    name: String,
    compared: usize,
    differing: usize,
    first: Vec<Difference>,
    started: Instant,
    took: Option<Duration>,
}

impl Comparison {
    /// An empty comparison under the name it is reported by.
    pub fn new(name: impl Into<String>) -> Self {
        let (compared, differing, first) = (0, 0, Vec::new());
        let (started, took) = (Instant::now(), None);
        Self { name: name.into(), compared, differing, first, started, took }
    }

    /// Counts one question; `query` is asked for only when the answers differ.
    pub fn equal<T: PartialEq + Display>(
        &mut self,
        query: impl FnOnce() -> String,
        ours: &T,
        theirs: &T,
    ) {
        self.compared += 1;
        if ours != theirs {
            self.differ(query(), ours.to_string(), theirs.to_string());
        }
    }

    /// Counts one question on which the two were found to agree.
    pub fn agree(&mut self) {
        self.compared += 1;
    }

    /// Counts one question on which the two were found to differ.
    pub fn disagree(&mut self, query: String, ours: String, theirs: String) {
        self.compared += 1;
        self.differ(query, ours, theirs);
    }

    /// Stops its clock; without this it runs until the comparison is reported.
    #[must_use]
    pub fn done(mut self) -> Self {
        self.took = Some(self.started.elapsed());
        self
    }

    /// How many questions were compared so far.
    #[must_use]
    pub fn compared(&self) -> usize {
        self.compared
    }

    /// On how many questions the two differ.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.differing
    }

    fn differ(&mut self, query: String, ours: String, theirs: String) {
        self.differing += 1;
        if self.first.len() < SHOWN {
            self.first.push(Difference { query, ours, theirs });
        }
    }

    /// A comparison of nothing proves nothing, so it fails.
    fn passed(&self) -> bool {
        self.compared > 0 && self.differing == 0
    }
}

/// Writes results as they come and keeps the count.
pub struct Report<'a> {
    out: &'a mut dyn Write,
    passed: usize,
    failed: usize,
    summaries: Vec<Summary>,
    suite: &'static str,
}

/// A finished comparison, as docs/figures.md tells it.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The suite it belongs to.
    pub suite: &'static str,
    /// What was compared.
    pub name: String,
    /// How many questions.
    pub compared: usize,
    /// On how many the two differ.
    pub differing: usize,
}

impl<'a> Report<'a> {
    /// A report that is written to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, passed: 0, failed: 0, summaries: Vec::new(), suite: "" }
    }

    /// Says which suite the comparisons to come belong to.
    pub fn suite(&mut self, name: &'static str) {
        self.suite = name;
    }

    /// Starts a part with a heading.
    ///
    /// # Errors
    /// When the report cannot be written.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "\n{text}")?;
        self.out.flush()
    }

    /// Writes one line that is neither passed nor failed.
    ///
    /// # Errors
    /// When the report cannot be written.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "     {text}")?;
        self.out.flush()
    }

    /// Adds a finished comparison.
    ///
    /// # Errors
    /// When the report cannot be written.
    pub fn add(&mut self, comparison: &Comparison) -> io::Result<()> {
        let took = comparison.took.unwrap_or_else(|| comparison.started.elapsed());
        let detail = match comparison.differing {
            _ if comparison.compared == 0 => "nothing compared".to_owned(),
            0 => format!("{} compared", comparison.compared),
            n => format!("{n} of {} differ", comparison.compared),
        };
        self.result(comparison.passed(), &comparison.name, &detail, took)?;
        self.summaries.push(Summary {
            suite: self.suite,
            name: comparison.name.clone(),
            compared: comparison.compared,
            differing: comparison.differing,
        });
        for difference in &comparison.first {
            self.difference(difference)?;
        }
        self.out.flush()
    }

    /// Adds a case that passed, or failed with a reason.
    ///
    /// # Errors
    /// When the report cannot be written.
    pub fn case(&mut self, name: &str, outcome: Result<String, String>) -> io::Result<()> {
        match outcome {
            Ok(detail) => self.result(true, name, &detail, Duration::ZERO),
            Err(why) => self.result(false, name, &why, Duration::ZERO),
        }
    }

    fn result(&mut self, good: bool, name: &str, detail: &str, took: Duration) -> io::Result<()> {
        let word = if good { "ok  " } else { "FAIL" };
        *(if good { &mut self.passed } else { &mut self.failed }) += 1;
        let mut line = format!("{word} {name}: {detail}");
        if took >= Duration::from_millis(100) {
            let _never_fails = write!(line, " ({:.1} s)", took.as_secs_f64());
        }
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    fn difference(&mut self, difference: &Difference) -> io::Result<()> {
        writeln!(self.out, "       query:  {}", difference.query)?;
        writeln!(self.out, "       ours:   {}", difference.ours)?;
        writeln!(self.out, "       theirs: {}", difference.theirs)
    }

    /// All comparisons so far.
    #[must_use]
    pub fn summaries(&self) -> &[Summary] {
        &self.summaries
    }

    /// Ends the report; true when nothing failed and something passed.
    ///
    /// # Errors
    /// When the report cannot be written.
    pub fn finish(self) -> io::Result<bool> {
        writeln!(self.out, "\n{} passed, {} failed", self.passed, self.failed)?;
        self.out.flush()?;
        Ok(self.failed == 0 && self.passed > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(comparison: &Comparison) -> (String, bool) {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out);
        report.add(comparison).expect("memory takes every byte");
        let good = report.finish().expect("memory takes every byte");
        (String::from_utf8_lossy(&out).into_owned(), good)
    }

    #[test]
    fn nothing_compared_is_a_failure() {
        let (text, good) = written(&Comparison::new("none"));
        assert!(!good && text.starts_with("FAIL none: nothing compared"), "{text}");
    }

    #[test]
    fn a_difference_is_shown_in_full() {
        let mut comparison = Comparison::new("one");
        comparison.equal(|| "1+1".into(), &3, &2);
        comparison.equal(|| "1".into(), &1, &1);
        let (text, good) = written(&comparison);
        assert!(!good && text.contains("FAIL one: 1 of 2 differ"), "{text}");
        assert!(text.contains("query:  1+1\n       ours:   3\n       theirs: 2"), "{text}");
    }
}
