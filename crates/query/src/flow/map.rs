//! Permission maps: which way information moves when a permission is used, and how much.

use std::collections::BTreeMap;
use std::fmt;

use mandate_policydb::{ClassId, Datum as _, PolicyDb, SymbolId as _};

/// The lowest weight and the highest.
pub const WEIGHTS: std::ops::RangeInclusive<u8> = 1..=10;

/// Which way information moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the target to the source.
    Read,
    /// From the source to the target.
    Write,
    /// Both ways.
    Both,
    /// Neither way.
    None,
    /// Nobody has said.
    Unmapped,
}

impl Direction {
    const LETTERS: [(Self, &'static str); 5] = [
        (Self::Read, "r"),
        (Self::Write, "w"),
        (Self::Both, "b"),
        (Self::None, "n"),
        (Self::Unmapped, "u"),
    ];

    fn of(letter: &str) -> Option<Self> {
        Self::LETTERS.iter().find(|it| it.1 == letter).map(|it| it.0)
    }

    fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Both)
    }

    fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Both)
    }
}

/// What one permission does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Which way information moves.
    pub direction: Direction,
    /// How much, from 1 to 10.
    pub weight: u8,
}

/// What the permissions of each class do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionMap {
    classes: BTreeMap<String, BTreeMap<String, Mapping>>,
}

/// A permission map that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct MapError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: MapErrorKind,
}

/// What is wrong with a permission map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapErrorKind {
    /// Something else stands where this was to stand.
    #[error("{found:?} where {expected} was expected")]
    Expected {
        /// What was to stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// The file ends too early.
    #[error("the map ends where {0} was expected")]
    Ended(&'static str),
    /// A class stands twice.
    #[error("class {0} is there already")]
    Twice(String),
}

const DEFAULT: &str = include_str!("default.map");

impl PermissionMap {
    /// Our own, written from the documented meaning of each permission of the Linux kernel and of the object managers of the
    /// Reference Policy.
    pub fn ours() -> Self {
        let mut map = Self::default();
        let mut commons: BTreeMap<&str, BTreeMap<String, Mapping>> = BTreeMap::new();
        let (mut class, mut is_common) = ("", false);
        for line in DEFAULT.lines().filter(|it| !it.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let permissions = match words.as_slice() {
                ["common" | "class", name, rest @ ..] => {
                    (class, is_common) = (*name, words.first() == Some(&"common"));
                    let inherited = rest.get(1).and_then(|it| commons.get(it)).cloned();
                    map.classes.extend(
                        (!is_common).then(|| (class.to_owned(), inherited.unwrap_or_default())),
                    );
                    continue;
                }
                [head, names @ ..] => compact(head).map(|it| (it, names)),
                [] => None,
            };
            let Some((mapping, names)) = permissions else { continue };
            let table = match is_common {
                true => commons.entry(class).or_default(),
                false => map.classes.entry(class.to_owned()).or_default(),
            };
            table.extend(names.iter().map(|it| ((*it).to_owned(), mapping)));
        }
        map
    }

    /// Reads the files of setools: the number of classes; then `class`, its name and the number of its permissions; then for each
    /// permission its name, one of the letters `r`, `w`, `b`, `n` and `u`, and its weight, 10 if none is given. `#` begins a comment.
    ///
    /// # Errors
    /// The first line that is not so.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let lines = (1..).zip(text.lines().map(|it| it.split('#').next().unwrap_or_default()));
        let mut lines = Lines { lines: lines.filter(|it| !it.1.trim().is_empty()), last: 1 };
        let mut map = Self::default();
        let count = lines.next("the number of classes")?;
        let number = count.number(0, "the number of classes")?;
        for _ in 0..number {
            let head = lines.next("a class")?;
            head.word(0, "the word class", |it| (it == "class").then_some(()))?;
            let name = head.word(1, "the name of a class", |it| Some(it.to_owned()))?;
            let number = head.number(2, "the number of its permissions")?;
            let mut permissions = BTreeMap::new();
            for _ in 0..number {
                let line = lines.next("a permission")?;
                let name = line.word(0, "a permission", |it| Some(it.to_owned()))?;
                permissions.insert(name, line.mapping()?);
            }
            if map.classes.insert(name.clone(), permissions).is_some() {
                return Err(head.wrong(MapErrorKind::Twice(name)));
            }
        }
        Ok(map)
    }

    /// What a permission does, if the map says it.
    pub fn mapping(&self, class: &str, permission: &str) -> Option<Mapping> {
        self.classes.get(class)?.get(permission).copied()
    }
}

/// The letter and number before a list of permissions, such as `r10:` or `n:`.
fn compact(head: &str) -> Option<Mapping> {
    let (letter, number) = head.strip_suffix(':')?.split_at_checked(1)?;
    let weight = if number.is_empty() { *WEIGHTS.start() } else { number.parse().ok()? };
    Some(Mapping { direction: Direction::of(letter)?, weight })
}

/// The file that [`PermissionMap::parse`] reads.
impl fmt::Display for PermissionMap {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(to, "{}", self.classes.len())?;
        for (class, permissions) in &self.classes {
            writeln!(to, "\nclass {class} {}", permissions.len())?;
            for (name, Mapping { direction, weight }) in permissions {
                let letter = Direction::LETTERS.iter().find(|it| it.0 == *direction);
                writeln!(to, "{name:>24}  {}  {weight:>2}", letter.map_or("u", |it| it.1))?;
            }
        }
        Ok(())
    }
}

/// The lines that count, one by one.
struct Lines<I> {
    lines: I,
    last: usize,
}

/// A line as words.
struct Line<'t> {
    number: usize,
    words: Vec<&'t str>,
}

impl<'t, I: Iterator<Item = (usize, &'t str)>> Lines<I> {
    fn next(&mut self, expected: &'static str) -> Result<Line<'t>, MapError> {
        let Some((number, text)) = self.lines.next() else {
            return Err(MapError { line: self.last, kind: MapErrorKind::Ended(expected) });
        };
        self.last = number;
        Ok(Line { number, words: text.split_whitespace().collect() })
    }
}

impl Line<'_> {
    fn wrong(&self, kind: MapErrorKind) -> MapError {
        MapError { line: self.number, kind }
    }

    fn word<T>(
        &self,
        at: usize,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, MapError> {
        let found = self.words.get(at).copied().unwrap_or_default();
        let value = if found.is_empty() { None } else { read(found) };
        let kind = || MapErrorKind::Expected { expected, found: found.to_owned() };
        value.ok_or_else(|| self.wrong(kind()))
    }

    fn number(&self, at: usize, expected: &'static str) -> Result<u32, MapError> {
        self.word(at, expected, |it| it.parse().ok())
    }

    fn mapping(&self) -> Result<Mapping, MapError> {
        let direction = self.word(1, "one of r, w, b, n and u", Direction::of)?;
        let in_range = |it: &str| it.parse().ok().filter(|it| WEIGHTS.contains(it));
        let weight = match self.words.get(2) {
            None => *WEIGHTS.end(),
            Some(_) => self.word(2, "a weight from 1 to 10", in_range)?,
        };
        Ok(Mapping { direction, weight })
    }
}

/// A map for the classes of one policy: for each permission the weight of what is read and of what is written, 0 for nothing.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    classes: Vec<Vec<(u8, u8)>>,
    /// Class and permission that the map does not have.
    pub(super) unmapped: Vec<(String, String)>,
}

impl Weights {
    pub(super) fn new(db: &PolicyDb, map: &PermissionMap) -> Self {
        let mut weights =
            Self { classes: vec![Vec::new(); db.classes.nprim() as usize], unmapped: Vec::new() };
        for class in db.classes.by_value() {
            let row = &mut weights.classes[class.id.index()];
            row.resize(u32::BITS as usize, (0, 0));
            for permission in db.permissions(class.id) {
                let it = map.mapping(&class.name, permission.name());
                let Some(it) = it.filter(|it| it.direction != Direction::Unmapped) else {
                    weights.unmapped.push((class.name.to_string(), permission.name.to_string()));
                    continue;
                };
                let Mapping { direction, weight } = it;
                let one_way = |is: bool| if is { weight } else { 0 };
                row[permission.id.index()] =
                    (one_way(direction.reads()), one_way(direction.writes()));
            }
        }
        weights
    }

    /// The highest weight of what these permissions read and write.
    pub(super) fn of(&self, class: ClassId, permissions: u32) -> (u8, u8) {
        let row = self.classes.get(class.index()).map_or(&[][..], Vec::as_slice);
        let held = (0..).zip(row).filter(|(bit, _)| permissions >> bit & 1 == 1);
        held.fold((0, 0), |most, (_, it)| (most.0.max(it.0), most.1.max(it.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_setools_are_read() {
        let text = "# two\n2\n\nclass file 3\n read r 10\n write w\n lock n 1 # none\nclass fd 1\n use b 2";
        let map = PermissionMap::parse(text).unwrap();
        let it = map.mapping("file", "write").unwrap();
        assert_eq!((it.direction, it.weight), (Direction::Write, 10));
        assert_eq!(map.mapping("file", "append"), None);
        assert_eq!(PermissionMap::parse(&map.to_string()).unwrap(), map);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, expected) in [
            ("", "line 1: the map ends where the number of classes was expected"),
            ("class", "line 1: \"class\" where the number of classes was expected"),
            ("1\nfile", "line 2: \"file\" where the word class was expected"),
            ("1\nclass fd 1\n use x 1", "line 3: \"x\" where one of r, w, b, n and u was expected"),
            ("1\nclass fd 1\n use b 11", "line 3: \"11\" where a weight from 1 to 10 was expected"),
            ("1\nclass fd 2\n use b 1", "line 3: the map ends where a permission was expected"),
            ("2\nclass fd 0\nclass fd 0", "line 3: class fd is there already"),
        ] {
            assert_eq!(PermissionMap::parse(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn ours_holds_what_its_text_says() {
        let map = PermissionMap::ours();
        let at = |class, permission| map.mapping(class, permission).unwrap();
        assert_eq!(at("dir", "add_name").weight, 5);
        assert_eq!(at("dir", "write").direction, Direction::Write);
        assert_eq!(at("capability", "sys_admin").direction, Direction::None);
        assert_eq!(PermissionMap::parse(&map.to_string()).unwrap(), map);
        for line in DEFAULT.lines().filter(|it| it.starts_with(' ')) {
            let head = line.split_whitespace().next().unwrap();
            assert!(compact(head).is_some_and(|it| WEIGHTS.contains(&it.weight)), "{line}");
        }
    }
}
