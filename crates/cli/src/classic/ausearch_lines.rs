//! A line for an event: `ausearch --format csv` and `--format text`.

use std::collections::HashSet;
use std::io::Write;

use anyhow::Result;
use mandate_audit::{Event, Kind, Names, Normalized, Stamp, Unnormalized, normalize, visible};

use crate::logs::clock::Clock;

/// Columns of csv that are asked for besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extra {
    pub(super) keys: bool,
    pub(super) labels: bool,
    pub(super) second_object: bool,
    pub(super) time: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Csv(Extra),
    Text,
}

/// What was written so far.
#[derive(Default)]
pub(super) struct Lines {
    header: bool,
    /// Types of events that were said to have no line.
    left_out: HashSet<Kind>,
}

impl Lines {
    pub(super) fn show(
        &mut self,
        shape: Shape,
        event: &Event<'_>,
        names: &dyn Names,
        clock: &mut Clock,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<()> {
        if let (Shape::Csv(extra), false) = (shape, self.header) {
            self.header = true;
            writeln!(out, "{}", header(extra))?;
        }
        let labels = matches!(shape, Shape::Csv(Extra { labels: true, .. }));
        let told = normalize(event, names, labels);
        if let Err(Unnormalized::Kind(kind)) = told {
            if self.left_out.insert(kind) {
                let shape = if shape == Shape::Text { "text" } else { "csv" };
                let of = match kind {
                    Kind::UNKNOWN => "an unknown type".to_owned(),
                    kind => format!("the type {kind}"),
                };
                writeln!(
                    err,
                    "--format {shape} leaves out events of {of}, which are neither about SELinux nor of a system call"
                )?;
            }
            return Ok(());
        }
        let line = match shape {
            Shape::Csv(extra) => {
                if told.is_err() {
                    writeln!(err, "error normalizing {}", kind_name(event))?;
                }
                row(event, told.ok().as_ref(), extra, clock)
            }
            Shape::Text => sentence(event, &told.unwrap_or_default(), clock),
        };
        out.write_all(&line)?;
        Ok(out.write_all(b"\n")?)
    }
}

fn header(extra: Extra) -> String {
    let columns: [(bool, &str); 9] = [
        (true, "NODE,EVENT,DATE,TIME"),
        (extra.time, "YEAR,MONTH,DAY,WEEKDAY,HOUR,MILLI,GMT_OFFSET"),
        (true, "SERIAL_NUM,EVENT_KIND,SESSION,SUBJ_PRIME,SUBJ_SEC,SUBJ_KIND"),
        (extra.labels, "SUBJ_LABEL"),
        (true, "ACTION,RESULT,OBJ_PRIME,OBJ_SEC"),
        (extra.second_object, "OBJ2"),
        (extra.labels, "OBJ_LABEL"),
        (true, "OBJ_KIND,HOW"),
        (extra.keys, "KEY"),
    ];
    let asked: Vec<&str> = columns.into_iter().filter(|it| it.0).map(|it| it.1).collect();
    asked.join(",")
}

fn kind_name(event: &Event<'_>) -> &'static str {
    event.records().first().and_then(|it| it.kind().name()).unwrap_or_default()
}

/// A row. The values stand as they are: the original quotes none.
fn row(event: &Event<'_>, told: Option<&Normalized>, extra: Extra, clock: &mut Clock) -> Vec<u8> {
    let stamp = event.stamp().unwrap_or_default();
    let (date, time) = clock.short(stamp.seconds);
    let mut cells: Vec<Vec<u8>> =
        vec![node(event), kind_name(event).into(), date.into_bytes(), time.into_bytes()];
    if extra.time {
        cells.push(clock.columns(stamp.seconds, stamp.millis).into_bytes());
    }
    cells.push(stamp.serial.to_string().into_bytes());
    match told {
        Some(told) => add_told(told, extra, &mut cells),
        // As many as the original has, which are too few with a second object.
        None => {
            let count = 10 + 2 * usize::from(extra.labels) + usize::from(extra.keys);
            cells.resize(cells.len() + count, Vec::new());
        }
    }
    cells.join(&b',')
}

fn add_told(told: &Normalized, extra: Extra, cells: &mut Vec<Vec<u8>>) {
    let text = |it: &Option<Vec<u8>>| it.clone().unwrap_or_default();
    let result = match told.success {
        Some(true) => "success",
        Some(false) => "failed",
        None => "",
    };
    cells.extend([
        told.event_kind.into(),
        text(&told.session),
        subject(told).unwrap_or_default().to_vec(),
        told.alias.as_ref().map(|it| it.name.clone()).unwrap_or_default(),
        told.subject_kind.unwrap_or_default().into(),
    ]);
    if extra.labels {
        cells.push(text(&told.subject_label));
    }
    let (object, detail) = (text(&told.object), text(&told.object_detail));
    cells.extend([action(told).into(), result.into(), object, detail]);
    if extra.second_object {
        cells.push(text(&told.second_object));
    }
    if extra.labels {
        cells.push(text(&told.object_label));
    }
    cells.extend([told.object_kind.into(), text(&told.how)]);
    if extra.keys {
        cells.push(text(&told.key));
    }
}

/// Who; whoever did not log in is the system.
fn subject(told: &Normalized) -> Option<&[u8]> {
    let name = told.subject.as_ref()?.name.as_slice();
    Some(if name == b"unset" { b"system" } else { name })
}

fn action(told: &Normalized) -> &'static str {
    told.action.unwrap_or("did-unknown")
}

fn node(event: &Event<'_>) -> Vec<u8> {
    visible(event.node().unwrap_or_default())
}

/// `At 22:13:20 11/14/23 root, acting as dave, successfully opened-file /srv/f using /usr/bin/cat`
fn sentence(event: &Event<'_>, told: &Normalized, clock: &mut Clock) -> Vec<u8> {
    let mut line = place(event.stamp().unwrap_or_default(), &node(event), clock);
    line.extend_from_slice(subject(told).unwrap_or_default());
    if let (Some(subject), Some(alias)) = (&told.subject, &told.alias)
        && alias.id != subject.id
        && subject.id != -2
        && alias.id != -1
    {
        line.extend([b", acting as ", alias.name.as_slice(), b","].concat());
    }
    line.extend_from_slice(match told.success {
        Some(true) => b" successfully ",
        Some(false) => b" unsuccessfully ",
        None => b" ",
    });
    let action = action(told);
    line.extend([action.as_bytes(), b" "].concat());
    if let Some(object) = told.address.as_ref().or(told.object.as_ref()) {
        line.extend([object.as_slice(), b" "].concat());
    }
    if let Some(second) = &told.second_object {
        line.extend([b"to ", second.as_slice(), b" "].concat());
    }
    // Not for what begins with an e: that is of sessions.
    if let Some(how) =
        told.how.as_ref().filter(|_| told.action.is_some_and(|it| !it.starts_with('e')))
    {
        line.extend([b"using ", how.as_slice()].concat());
    }
    line
}

fn place(stamp: Stamp, node: &[u8], clock: &mut Clock) -> Vec<u8> {
    let (date, time) = clock.short(stamp.seconds);
    let when = format!("{time} {date} ");
    match node {
        b"" => [b"At ", when.as_bytes()].concat(),
        node => [b"On ", node, b" at ", when.as_bytes()].concat(),
    }
}
