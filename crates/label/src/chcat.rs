//! Categories of files and logins, changed by name: `chcat(8)`.

use crate::context::Parts;
use crate::levels::{Categories, Level, Range};
use crate::setrans::Setrans;

/// What to do to the categories of a file or login: all of them set, or some added and removed, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    kind: Kind,
    /// The name as asked for, without sign, for messages.
    asked: Box<[u8]>,
    level: Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Add,
    Remove,
    Set,
}

/// Why a request or a context is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChcatError {
    /// `+c1,c2`.
    #[error("Can not combine +/- with other types of categories")]
    Mixed,
    /// `s0:c1,s1:c2`.
    #[error("Can not have multiple sensitivities")]
    Sensitivities,
    /// `+s0`.
    #[error("Requires at least one category")]
    NoCategory,
    /// Neither a level, nor a category, nor a name for one.
    #[error("{0} is no level, category or name of one")]
    Unknown(String),
    /// A context that has no single level.
    #[error("{0} is no context of a single level")]
    Context(String),
    /// The levels of a login would not be a range.
    #[error("{high} does not dominate {low}")]
    Range {
        /// The low level.
        low: Level,
        /// The new high one.
        high: Level,
    },
}

/// Why a file was left as it is, though nothing failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Message {
    /// The sensitivity asked for is another than the file's.
    #[error("Can not modify sensitivity levels using '+' on {file}")]
    Sensitivity {
        /// The file.
        file: String,
    },
    /// It has all the categories already.
    #[error("{file} is already in {category}")]
    Already {
        /// The file.
        file: String,
        /// The categories, as asked for.
        category: String,
    },
    /// It has none of the categories.
    #[error("{file} is not in {category}")]
    NotIn {
        /// The file.
        file: String,
        /// The categories, as asked for.
        category: String,
    },
}

impl Request {
    /// `chcat -d`: the lowest sensitivity, no category.
    pub fn delete() -> Self {
        let change = Change { kind: Kind::Set, asked: (*b"s0").into(), level: Level::default() };
        Self { changes: vec![change] }
    }

    /// Levels, categories or their names with `,` between; each with `+` or `-` in front, or none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &[u8], setrans: &Setrans) -> Result<Self, ChcatError> {
        let items: Vec<&[u8]> = text.split(|&it| it == b',').collect();
        let signed = items.iter().filter(|it| matches!(it, [b'+' | b'-', ..])).count();
        if signed == 0 {
            let level = set(&items, setrans)?;
            return Ok(Self {
                changes: vec![Change { kind: Kind::Set, asked: text.into(), level }],
            });
        }
        if signed < items.len() {
            return Err(ChcatError::Mixed);
        }
        let changes = items.into_iter().map(|item| Change::signed(item, setrans));
        Ok(Self { changes: changes.collect::<Result<_, _>>()? })
    }

    /// The context of a file after the request, and what did not change. A context without level is taken for one of `s0`.
    ///
    /// # Errors
    /// A context of more than one level, or with names that no policy is at hand to tell.
    pub fn apply(&self, file: &str, context: &[u8]) -> Result<(Vec<u8>, Vec<Message>), ChcatError> {
        let wrong = || ChcatError::Context(lossy(context));
        let parts = Parts::of(context).ok_or_else(wrong)?;
        let range = Range::parse(parts.range.unwrap_or(b"s0")).map_err(|_| wrong())?;
        if range.low() != range.high() {
            return Err(wrong());
        }
        let mut level = range.low().clone();
        let mut messages = Vec::new();
        for change in &self.changes {
            match change.applied(file, &level) {
                Ok(changed) => level = changed,
                Err(message) => messages.push(message),
            }
        }
        let range = level.to_string();
        Ok((Parts { range: Some(range.as_bytes()), ..parts }.join(), messages))
    }

    /// The range of a login after the request: its high level changes, whatever sensitivity was named with categories to add or remove.
    ///
    /// # Errors
    /// A high level that does not dominate the low one.
    pub fn apply_to_login(&self, range: &Range) -> Result<Range, ChcatError> {
        let (low, mut high) = (range.low().clone(), range.high().clone());
        for Change { kind, level, .. } in &self.changes {
            match kind {
                Kind::Add => high.categories = high.categories.or(&level.categories),
                Kind::Remove => high.categories = high.categories.minus(&level.categories),
                Kind::Set => high = level.clone(),
            }
        }
        let wrong = ChcatError::Range { low: low.clone(), high: high.clone() };
        Range::new(low, high).ok_or(wrong)
    }
}

impl Change {
    /// `+` or `-` and a level, a category or a name.
    fn signed(item: &[u8], setrans: &Setrans) -> Result<Self, ChcatError> {
        let (kind, asked) = match item {
            [b'-', asked @ ..] => (Kind::Remove, asked),
            [_, asked @ ..] => (Kind::Add, asked),
            [] => return Err(ChcatError::Mixed),
        };
        let level = level(asked, setrans)?;
        if level.categories.is_empty() {
            return Err(ChcatError::NoCategory);
        }
        Ok(Self { kind, asked: asked.into(), level })
    }

    /// `current` after the change.
    fn applied(&self, file: &str, current: &Level) -> Result<Level, Message> {
        let named = || (file.to_owned(), lossy(&self.asked));
        let (mine, its) = (&self.level.categories, &current.categories);
        if self.kind != Kind::Set && self.level.sensitivity != current.sensitivity {
            return Err(Message::Sensitivity { file: file.to_owned() });
        }
        let categories = match self.kind {
            Kind::Set => mine.clone(),
            Kind::Add if its.contains(mine) => {
                let (file, category) = named();
                return Err(Message::Already { file, category });
            }
            Kind::Add => its.or(mine),
            Kind::Remove if its.and(mine).is_empty() => {
                let (file, category) = named();
                return Err(Message::NotIn { file, category });
            }
            Kind::Remove => its.minus(mine),
        };
        Ok(Level { sensitivity: self.level.sensitivity, categories })
    }
}

/// One level of many: all of the same sensitivity.
fn set(items: &[&[u8]], setrans: &Setrans) -> Result<Level, ChcatError> {
    let mut all: Option<Level> = None;
    for item in items {
        let level = level(item, setrans)?;
        let categories = match all {
            Some(ref so_far) if so_far.sensitivity != level.sensitivity => {
                return Err(ChcatError::Sensitivities);
            }
            Some(so_far) => so_far.categories.or(&level.categories),
            None => level.categories,
        };
        all = Some(Level { sensitivity: level.sensitivity, categories });
    }
    Ok(all.unwrap_or_default())
}

/// The level that text means: one as written, a category at `s0`, or the name of either.
fn level(text: &[u8], setrans: &Setrans) -> Result<Level, ChcatError> {
    let raw = setrans.to_raw(text);
    let of_categories = |categories: Categories| Level { sensitivity: 0, categories };
    Level::parse(&raw)
        .or_else(|_| Categories::parse(&raw).map(of_categories))
        .map_err(|_| ChcatError::Unknown(lossy(text)))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::Request;
    use crate::levels::Range;
    use crate::setrans::Setrans;

    fn setrans() -> Setrans {
        let conf = b"s0=SystemLow\ns0:c0=CompanyConfidential\ns0:c1=PatientRecord\ns1:c5=Other\n";
        Setrans::parse(b"setrans.conf", conf, &mut |_| None).0
    }

    fn file(request: &str, level: &str) -> String {
        let request = match request {
            "-d" => Ok(Request::delete()),
            _ => Request::parse(request.as_bytes(), &setrans()),
        };
        let applied = request.and_then(|it| it.apply("f", format!("u:r:t{level}").as_bytes()));
        let (context, messages) = match applied {
            Ok(applied) => applied,
            Err(error) => return error.to_string(),
        };
        let messages: String = messages.iter().map(|it| format!("; {it}")).collect();
        format!("{}{messages}", String::from_utf8_lossy(&context))
    }

    #[test]
    fn files() {
        let cases = [
            ("+c1", ":s0"),
            ("+c1", ":s0:c0"),
            ("+c1", ":s0:c0.c9"),
            ("-c1", ":s0:c0.c9"),
            ("-c1", ":s0"),
            ("-c1", ":s0:c1"),
            ("+CompanyConfidential,-PatientRecord", ":s0:c1,c2"),
            ("-c1,+c1", ":s0:c0"),
            ("+c1.c3", ":s0:c2"),
            ("+Other", ":s0:c1"),
            ("-s1:c5", ":s1:c5,c6"),
            ("+c2", ""),
            ("-d", ":s0:c1,c3"),
            ("-d", ":s3:c1"),
            ("c3,c1,c2", ":s0:c9"),
            ("PatientRecord,CompanyConfidential", ":s2"),
            ("s1:c5", ":s0:c0"),
            ("SystemLow", ":s0:c1"),
            ("s0,s1", ":s0"),
            ("s1:c1,c2", ":s1"),
            ("+c1,c2", ":s0"),
            ("+s0", ":s0"),
            ("+", ":s0"),
            ("", ":s0"),
            ("Secret", ":s0"),
            ("+c1", ":s0-s0:c1"),
            ("+c1", ":SystemHigh"),
            ("+c1", " "),
        ];
        let shown =
            cases.map(|(request, level)| format!("{request} on {level}: {}", file(request, level)));
        expect![[r#"
            +c1 on :s0: u:r:t:s0:c1
            +c1 on :s0:c0: u:r:t:s0:c0,c1
            +c1 on :s0:c0.c9: u:r:t:s0:c0.c9; f is already in c1
            -c1 on :s0:c0.c9: u:r:t:s0:c0,c2.c9
            -c1 on :s0: u:r:t:s0; f is not in c1
            -c1 on :s0:c1: u:r:t:s0
            +CompanyConfidential,-PatientRecord on :s0:c1,c2: u:r:t:s0:c0,c2
            -c1,+c1 on :s0:c0: u:r:t:s0:c0,c1; f is not in c1
            +c1.c3 on :s0:c2: u:r:t:s0:c1.c3
            +Other on :s0:c1: u:r:t:s0:c1; Can not modify sensitivity levels using '+' on f
            -s1:c5 on :s1:c5,c6: u:r:t:s1:c6
            +c2 on : u:r:t:s0:c2
            -d on :s0:c1,c3: u:r:t:s0
            -d on :s3:c1: u:r:t:s0
            c3,c1,c2 on :s0:c9: u:r:t:s0:c1.c3
            PatientRecord,CompanyConfidential on :s2: u:r:t:s0:c0,c1
            s1:c5 on :s0:c0: u:r:t:s1:c5
            SystemLow on :s0:c1: u:r:t:s0
            s0,s1 on :s0: Can not have multiple sensitivities
            s1:c1,c2 on :s1: Can not have multiple sensitivities
            +c1,c2 on :s0: Can not combine +/- with other types of categories
            +s0 on :s0: Requires at least one category
            + on :s0:  is no level, category or name of one
             on :s0:  is no level, category or name of one
            Secret on :s0: Secret is no level, category or name of one
            +c1 on :s0-s0:c1: u:r:t:s0-s0:c1 is no context of a single level
            +c1 on :SystemHigh: u:r:t:SystemHigh is no context of a single level
            +c1 on  : u:r:t  is no context of a single level"#]]
        .assert_eq(&shown.join("\n"));
    }

    #[test]
    fn logins() {
        let cases = [
            ("+c1", "s0"),
            ("+c1,+c2,+c3", "s0-s0:c9"),
            ("-c9", "s0-s0:c9"),
            ("-c8", "s0-s0:c9"),
            ("c5", "s0-s0:c9"),
            ("s2:c5", "s0"),
            ("-c1", "s0:c1-s0:c1,c2"),
            ("+Other", "s0-s3:c1"),
        ];
        let shown = cases.map(|(request, range)| {
            let range = Range::parse(range.as_bytes()).unwrap_or_default();
            let request = Request::parse(request.as_bytes(), &setrans());
            match request.and_then(|it| it.apply_to_login(&range)) {
                Ok(new) => format!("{range} {new}"),
                Err(error) => error.to_string(),
            }
        });
        expect![[r#"
            s0 s0-s0:c1
            s0-s0:c9 s0-s0:c1.c3,c9
            s0-s0:c9 s0
            s0-s0:c9 s0-s0:c9
            s0-s0:c9 s0-s0:c5
            s0 s0-s2:c5
            s0:c2 does not dominate s0:c1
            s0-s3:c1 s0-s3:c1,c5"#]]
        .assert_eq(&shown.join("\n"));
    }
}
