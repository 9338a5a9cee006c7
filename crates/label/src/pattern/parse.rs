//! From the text of a pattern to its nodes.

use super::escape::{self, Kind};
use super::{Arena, Assert, ByteSet, Greed, Node, NodeId, Pattern, PatternError, PatternErrorKind};

/// Deepest nesting of groups that PCRE2 takes.
const DEEPEST: usize = 250;
/// Highest count of a repetition.
const MOST: u32 = 65_535;
/// Most bytes that a look-behind may go back.
const FURTHEST: usize = 255;
/// More states than this are refused: PCRE2's own limit is of this order.
const LARGEST: u64 = 200_000;

/// Reads a pattern as libselinux anchors it, `^` before and `$` after: both bind to the alternatives at the ends only.
pub(crate) fn parse(pattern: &[u8], arena: &mut Arena) -> Result<Pattern> {
    let heads = Heads::of(pattern);
    let mut it = Parser {
        bytes: pattern,
        at: 0,
        arena,
        heads,
        opened: 0,
        open: Vec::new(),
        depth: 0,
        regular: true,
        fold: false,
        dot: ByteSet::ALL,
    };
    let branches = it.branches()?;
    if it.at < pattern.len() {
        return Err(it.error(it.at, PatternErrorKind::StrayClose));
    }
    let root = it.anchored(branches);
    let (regular, groups) = (it.regular, it.heads.kept());
    if arena.size(root) > LARGEST {
        return Err(PatternError { offset: 0, kind: PatternErrorKind::TooLarge });
    }
    Ok(Pattern { root, groups, regular })
}

/// What must be known of all groups before the first is read.
struct Heads<'a> {
    /// Capturing groups.
    count: u32,
    /// Those with names.
    names: Vec<(&'a [u8], u32)>,
    /// Whether any reference is there; without, groups need not be kept.
    references: bool,
}

impl<'a> Heads<'a> {
    fn of(pattern: &'a [u8]) -> Self {
        let mut heads = Self { count: 0, names: Vec::new(), references: false };
        let mut numbers = Vec::new();
        let mut at = 0;
        while let Some(&byte) = pattern.get(at) {
            match byte {
                b'\\' => {
                    let rest = pattern.get(at + 1..).unwrap_or(&[]);
                    heads.references |= matches!(rest.first(), Some(b'g' | b'k'));
                    numbers.extend(escape::leading_number(rest));
                    at += escape::quoted(rest).map_or(1, |it| it.len() + 3);
                }
                b'[' => at = end_of_class(pattern, at),
                b'(' => heads.group(&pattern[at + 1..]),
                _ => {}
            }
            at += 1;
        }
        heads.references |= numbers.iter().any(|&it| escape::is_reference(it, heads.count));
        heads
    }

    fn group(&mut self, rest: &'a [u8]) {
        if rest.first() != Some(&b'?') {
            self.count += 1;
        } else if let Some(name) = group_name(&rest[1..]) {
            self.count += 1;
            self.names.push((name, self.count));
        } else {
            self.references |= rest.starts_with(b"?P=");
        }
    }

    fn kept(&self) -> u16 {
        if self.references { u16::try_from(self.count).unwrap_or(u16::MAX) } else { 0 }
    }
}

/// The name in `<name>`, `'name'`, `P<name>`, unless that is a look-behind.
fn group_name(rest: &[u8]) -> Option<&[u8]> {
    let rest = rest.strip_prefix(b"P").unwrap_or(rest);
    let close = match rest.first()? {
        b'<' if !matches!(rest.get(1), Some(b'=' | b'!')) => b'>',
        b'\'' => b'\'',
        _ => return None,
    };
    let end = rest[1..].iter().position(|&it| it == close)?;
    Some(&rest[1..=end]).filter(|it| !it.is_empty())
}

/// Where the set that begins at `at` ends, well formed or not.
fn end_of_class(pattern: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    end += usize::from(pattern.get(end) == Some(&b'^'));
    end += usize::from(pattern.get(end) == Some(&b']'));
    while let Some(&byte) = pattern.get(end) {
        match byte {
            b']' => return end,
            b'\\' => end += 1,
            b'[' => end += named_class(&pattern[end..]).map_or(0, |it| it.1 - 1),
            _ => {}
        }
        end += 1;
    }
    at
}

/// The name in `[:name:]` and how long all of that is.
fn named_class(rest: &[u8]) -> Option<(&[u8], usize)> {
    let inner = rest.strip_prefix(b"[:")?;
    let end = inner.windows(2).position(|it| it == b":]")?;
    let name = &inner[..end];
    let letters = name.strip_prefix(b"^").unwrap_or(name);
    letters.iter().all(u8::is_ascii_lowercase).then_some((name, end + 4))
}

struct Parser<'p, 'a> {
    bytes: &'p [u8],
    at: usize,
    arena: &'a mut Arena,
    heads: Heads<'p>,
    /// Capturing groups so far.
    opened: u32,
    /// Those that are not closed yet.
    open: Vec<u32>,
    depth: usize,
    regular: bool,
    /// `(?i)`.
    fold: bool,
    /// What `.` stands for: `(?-s)` takes newlines away.
    dot: ByteSet,
}

type Result<T> = std::result::Result<T, PatternError>;

impl<'p> Parser<'p, '_> {
    fn error(&self, offset: usize, kind: PatternErrorKind) -> PatternError {
        PatternError { offset, kind }
    }

    fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.bytes[self.at..].starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// Alternatives up to the end of the group or of the pattern.
    fn branches(&mut self) -> Result<Vec<Vec<NodeId>>> {
        let outer = (self.fold, self.dot);
        let mut branches = vec![self.branch()?];
        while self.eat(b"|") {
            branches.push(self.branch()?);
        }
        (self.fold, self.dot) = outer;
        Ok(branches)
    }

    fn alternatives(&mut self) -> Result<NodeId> {
        let branches = self.branches()?;
        let mut nodes: Vec<NodeId> = branches.into_iter().map(|it| self.arena.concat(it)).collect();
        Ok(match nodes.len() {
            1 => nodes.remove(0),
            _ => self.arena.add(Node::Alternate(nodes.into())),
        })
    }

    fn branch(&mut self) -> Result<Vec<NodeId>> {
        let mut parts = Vec::new();
        while let Some(&byte) = self.bytes.get(self.at) {
            if matches!(byte, b'|' | b')') {
                break;
            }
            self.item(byte, &mut parts)?;
        }
        Ok(parts)
    }

    /// Reads an item with the quantifiers after it.
    fn item(&mut self, byte: u8, parts: &mut Vec<NodeId>) -> Result<()> {
        if self.skip_nothing()? {
            return Ok(());
        }
        let start = self.at;
        self.at += 1;
        let node = match byte {
            b'\\' => {
                self.at = start;
                return self.escape(parts);
            }
            b'[' => self.class(start)?,
            b'(' => match self.group(start)? {
                Some(node) => node,
                None => return Ok(()),
            },
            b'.' => self.arena.add(Node::Set(self.dot)),
            b'^' => self.assert(Assert::Start),
            b'$' => self.assert(Assert::End),
            b'*' | b'+' | b'?' => return Err(self.error(start, PatternErrorKind::NothingToRepeat)),
            b'{' if self.bounds(start)?.is_some() => {
                return Err(self.error(start, PatternErrorKind::NothingToRepeat));
            }
            _ => self.byte(byte),
        };
        let node = self.quantified(node, byte == b'(')?;
        parts.push(node);
        Ok(())
    }

    fn byte(&mut self, byte: u8) -> NodeId {
        if self.fold { self.arena.add(Node::Set(ByteSet::of(byte).fold())) } else { byte.into() }
    }

    fn assert(&mut self, assert: Assert) -> NodeId {
        self.arena.add(Node::Assert(assert))
    }

    fn escape(&mut self, parts: &mut Vec<NodeId>) -> Result<()> {
        let start = self.at;
        let escape = escape::read(self.bytes, start, false, self.heads.count)?;
        self.at += escape.length;
        if self.bytes[start..self.at] == *b"\\N" && self.bytes.get(self.at) == Some(&b'{') {
            // `\N{2}` is two bytes, `\N{name}` a character of Unicode
            self.bounds(self.at)?.ok_or(self.error(start, PatternErrorKind::UnknownEscape))?;
        }
        let node = match escape.kind {
            Kind::Nothing => return Ok(()),
            Kind::Quote(text) => {
                let nodes: Vec<NodeId> = text.iter().map(|&it| self.byte(it)).collect();
                let Some((&last, others)) = nodes.split_last() else { return Ok(()) };
                parts.extend(others);
                last
            }
            Kind::Byte(byte) => self.byte(byte),
            Kind::Set(set) => self.arena.add(Node::Set(set)),
            Kind::Newline => self.newline(),
            Kind::Assert(assert) => self.assert(assert),
            Kind::Reference(group) => self.reference(group, start)?,
            Kind::Relative(back) => {
                self.reference((self.opened + 1).saturating_sub(back), start)?
            }
            Kind::Named(name) => self.named_reference(name, start)?,
        };
        let node = self.quantified(node, false)?;
        parts.push(node);
        Ok(())
    }

    /// `\R`: `(?>\r\n|\n|\x0b|\f|\r|\x85)`.
    fn newline(&mut self) -> NodeId {
        let pair = self.arena.add(Node::Concat([b'\r'.into(), b'\n'.into()].into()));
        let one = ByteSet::filter(|it| matches!(it, 0x0a..=0x0d | 0x85));
        let one = self.arena.add(Node::Set(one));
        let either = self.arena.add(Node::Alternate([pair, one].into()));
        self.regular = false;
        self.arena.add(Node::Atomic(either))
    }

    fn reference(&mut self, group: u32, start: usize) -> Result<NodeId> {
        self.regular = false;
        if self.open.contains(&group) {
            return Err(self.error(start, PatternErrorKind::Unsupported));
        }
        match u16::try_from(group) {
            Ok(number) if (1..=self.heads.count).contains(&group) => {
                Ok(self.arena.add(Node::Reference { group: number, fold: self.fold }))
            }
            _ => Err(self.error(start, PatternErrorKind::UnknownGroup)),
        }
    }

    fn named_reference(&mut self, name: &[u8], start: usize) -> Result<NodeId> {
        match self.heads.names.iter().find(|it| it.0 == name) {
            Some(&(_, group)) => self.reference(group, start),
            None => Err(self.error(start, PatternErrorKind::UnknownGroup)),
        }
    }

    /// Skips comments and ends of quotes, which a quantifier looks through.
    fn skip_nothing(&mut self) -> Result<bool> {
        let before = self.at;
        while let Some(b'(' | b'\\') = self.bytes.get(self.at) {
            let start = self.at;
            if self.eat(b"(?#") {
                let end = self.bytes[self.at..].iter().position(|&it| it == b')');
                self.at += 1 + end.ok_or(self.error(start, PatternErrorKind::OpenGroup))?;
            } else if !self.eat(b"\\E") && !self.eat(b"\\Q\\E") {
                break;
            }
        }
        Ok(self.at > before)
    }

    /// A group whose parenthesis stands at `start`; none for options.
    fn group(&mut self, start: usize) -> Result<Option<NodeId>> {
        if !self.eat(b"?") {
            // `(*VERB)`; before anything else the star is a quantifier
            let word = |it: &u8| it.is_ascii_alphabetic() || *it == b':';
            let rest = self.bytes[self.at..].strip_prefix(b"*");
            if rest.and_then(<[u8]>::first).is_some_and(word) {
                return Err(self.error(start, PatternErrorKind::Unsupported));
            }
            return self.capture(start).map(Some);
        }
        for (head, kind) in GROUPS {
            if self.eat(head) {
                return self.body_of(kind, start).map(Some);
            }
        }
        if self.eat(b"P=") {
            return self.python_reference(start).map(Some);
        }
        if !self.heads.references && self.heads.names.is_empty() && self.eat(b"|") {
            return self.body(start).map(Some);
        }
        if let Some(name) = group_name(&self.bytes[self.at..]) {
            let prefix = usize::from(self.bytes.get(self.at) == Some(&b'P'));
            self.at += prefix + name.len() + 2;
            if self.heads.names.iter().filter(|it| it.0 == name).count() > 1 {
                return Err(self.error(start, PatternErrorKind::DuplicateName));
            }
            return self.capture(start).map(Some);
        }
        self.options(start)
    }

    fn capture(&mut self, start: usize) -> Result<NodeId> {
        self.opened += 1;
        let group = self.opened;
        self.open.push(group);
        let node = self.body(start)?;
        self.open.pop();
        match u16::try_from(group) {
            Ok(group) if self.heads.references => Ok(self.arena.add(Node::Capture { group, node })),
            _ => Ok(node),
        }
    }

    /// The inside of a group and its end.
    fn body(&mut self, start: usize) -> Result<NodeId> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(start, PatternErrorKind::TooDeep));
        }
        let node = self.alternatives()?;
        self.depth -= 1;
        if self.eat(b")") { Ok(node) } else { Err(self.error(start, PatternErrorKind::OpenGroup)) }
    }

    fn body_of(&mut self, kind: GroupKind, start: usize) -> Result<NodeId> {
        let node = self.body(start)?;
        let made = match kind {
            GroupKind::Plain => return Ok(node),
            GroupKind::Atomic => Node::Atomic(node),
            GroupKind::Look { behind, negative } => Node::Look { behind, negative, node },
        };
        if let Node::Look { behind: true, node, .. } = made {
            let longest = lengths(self.arena, node).map(|it| it.1);
            if longest.is_none_or(|it| it > FURTHEST) {
                return Err(self.error(start, PatternErrorKind::LookBehind));
            }
        }
        self.regular = false;
        Ok(self.arena.add(made))
    }

    fn python_reference(&mut self, start: usize) -> Result<NodeId> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&it| it == b')');
        let end = end.ok_or(self.error(start, PatternErrorKind::OpenGroup))?;
        self.at += end + 1;
        self.named_reference(&rest[..end], start)
    }

    /// `(?i)`, `(?-s:…)` and their like.
    fn options(&mut self, start: usize) -> Result<Option<NodeId>> {
        let outer = (self.fold, self.dot);
        let mut on = true;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'-' => on = false,
                b'^' => (self.fold, self.dot) = (false, ByteSet::of(b'\n').complement()),
                b'i' => self.fold = on,
                b's' if on => self.dot = ByteSet::ALL,
                b's' => self.dot = ByteSet::of(b'\n').complement(),
                b'U'
                | b'J'
                | b'n'
                | b'm'
                | b'x'
                | b'('
                | b'|'
                | b'R'
                | b'&'
                | b'+'
                | b'0'..=b'9'
                | b'P'
                | b'C' => {
                    return Err(self.error(start, PatternErrorKind::Unsupported));
                }
                b':' => {
                    let node = self.body(start)?;
                    (self.fold, self.dot) = outer;
                    return Ok(Some(node));
                }
                b')' => return Ok(None),
                _ => return Err(self.error(start, PatternErrorKind::UnknownGroupKind)),
            }
        }
        Err(self.error(start, PatternErrorKind::OpenGroup))
    }

    fn quantified(&mut self, mut node: NodeId, is_group: bool) -> Result<NodeId> {
        let mut repeatable = is_group || !matches!(self.arena.get(node), Node::Assert(_));
        loop {
            self.skip_nothing()?;
            let start = self.at;
            let (min, max) = match self.bytes.get(self.at) {
                Some(b'*') => (0, None),
                Some(b'+') => (1, None),
                Some(b'?') => (0, Some(1)),
                Some(b'{') => match self.bounds(start)? {
                    Some((length, min, max)) => {
                        self.at += length - 1;
                        (min, max)
                    }
                    None => return Ok(node),
                },
                _ => return Ok(node),
            };
            if !repeatable {
                return Err(self.error(start, PatternErrorKind::NothingToRepeat));
            }
            self.at += 1;
            let greed = self.greed()?;
            node = self.arena.add(Node::Repeat { node, min, max, greed });
            repeatable = false;
        }
    }

    fn greed(&mut self) -> Result<Greed> {
        self.skip_nothing()?;
        Ok(if self.eat(b"?") {
            Greed::Lazy
        } else if self.eat(b"+") {
            self.regular = false;
            Greed::Possessive
        } else {
            Greed::Greedy
        })
    }

    /// `{n}`, `{n,}`, `{,m}` or `{n,m}` with its length; any other brace is itself.
    fn bounds(&self, start: usize) -> Result<Option<(usize, u16, Option<u16>)>> {
        let rest = &self.bytes[start..];
        let Some(end) = rest.iter().position(|&it| it == b'}') else { return Ok(None) };
        let inner = std::str::from_utf8(&rest[1..end]).ok();
        let Some((low, high)) = inner.and_then(numbers) else { return Ok(None) };
        let narrow = |it: u32| u16::try_from(it).ok();
        let bounds = match (narrow(low), high) {
            (Some(low), None) => Some((low, None)),
            (Some(low), Some(high)) => {
                narrow(high).filter(|&it| it >= low).map(|it| (low, Some(it)))
            }
            (None, _) => None,
        };
        let (low, high) = bounds.ok_or(self.error(start, PatternErrorKind::Bounds))?;
        Ok(Some((end + 1, low, high)))
    }

    fn class(&mut self, start: usize) -> Result<NodeId> {
        let open = || PatternError { offset: start, kind: PatternErrorKind::OpenClass };
        if named_class(&self.bytes[start..]).is_some() {
            return Err(self.error(start, PatternErrorKind::NamedClass));
        }
        self.skip_quotes();
        let negated = self.eat(b"^");
        self.skip_quotes();
        let mut class = Class::default();
        let mut first = true;
        loop {
            let &byte = self.bytes.get(self.at).ok_or_else(open)?;
            if byte == b']' && !first {
                self.at += 1;
                break;
            }
            first = false;
            self.class_item(byte, &mut class)?;
        }
        let mut set = class.finish();
        if self.fold {
            set = set.fold();
        }
        Ok(self.arena.add(Node::Set(if negated { set.complement() } else { set })))
    }

    /// Skips quotes of nothing.
    fn skip_quotes(&mut self) {
        while self.eat(b"\\E") || self.eat(b"\\Q\\E") {}
    }

    /// A byte, the hyphen of a range, an escape or a named set within brackets.
    fn class_item(&mut self, byte: u8, class: &mut Class) -> Result<()> {
        let start = self.at;
        if let Some((name, length)) = named_class(&self.bytes[start..]) {
            self.at += length;
            let unknown = self.error(start, PatternErrorKind::UnknownClass);
            let named = match name.strip_prefix(b"^") {
                Some(name) => ByteSet::named(name).ok_or(unknown)?.complement(),
                None => ByteSet::named(name).ok_or(unknown)?,
            };
            return self.class_set(named, class);
        }
        if byte != b'\\' {
            self.at += 1;
            return if byte == b'-' && class.begin_range() {
                Ok(())
            } else {
                class.byte(byte, start)
            };
        }
        let escape = escape::read(self.bytes, start, true, self.heads.count)?;
        self.at += escape.length;
        match escape.kind {
            Kind::Byte(byte) => class.byte(byte, start),
            Kind::Set(set) => self.class_set(set, class),
            Kind::Quote(text) => text.iter().try_for_each(|&it| class.byte(it, start)),
            Kind::Nothing => Ok(()),
            _ => Err(self.error(start, PatternErrorKind::UnknownEscape)),
        }
    }

    /// A set within brackets: no end of a range, and a hyphen after it would look like one.
    fn class_set(&self, set: ByteSet, class: &mut Class) -> Result<()> {
        let hyphen = match self.bytes.get(self.at..) {
            Some([b'-', next, ..]) => *next != b']',
            _ => false,
        };
        if class.in_range || hyphen {
            let start = class.last.filter(|_| class.in_range).map_or(self.at, |it| it.1);
            return Err(self.error(start, PatternErrorKind::ClassRange));
        }
        class.set = class.set.union(set);
        class.last = None;
        Ok(())
    }

    /// Puts `^` before the first alternative and `$` after the last: the others match anywhere.
    fn anchored(&mut self, mut branches: Vec<Vec<NodeId>>) -> NodeId {
        let start = self.assert(Assert::Start);
        let end = self.assert(Assert::End);
        let any = self.arena.add(Node::Set(ByteSet::ALL));
        let any =
            self.arena.add(Node::Repeat { node: any, min: 0, max: None, greed: Greed::Greedy });
        let last = branches.len() - 1;
        for (number, branch) in branches.iter_mut().enumerate() {
            // a branch that has its own anchors needs no other
            let anchored = number == 0 || branch.first() == Some(&start);
            let ended = number == last || branch.last() == Some(&end);
            branch.retain({
                let mut place = 0;
                let length = branch.len();
                move |&it| {
                    place += 1;
                    !(it == start && place == 1 || it == end && place == length)
                }
            });
            if !anchored {
                branch.insert(0, any);
            }
            if !ended {
                branch.push(any);
            }
        }
        let nodes: Vec<NodeId> = branches.into_iter().map(|it| self.arena.concat(it)).collect();
        let root = match *nodes {
            [only] => only,
            _ => self.arena.add(Node::Alternate(nodes.into())),
        };
        self.regular &= !self.asserts(root);
        root
    }

    fn asserts(&self, node: NodeId) -> bool {
        match self.arena.get(node) {
            Node::Assert(_) => true,
            Node::Concat(parts) | Node::Alternate(parts) => {
                parts.iter().any(|&it| self.asserts(it))
            }
            &Node::Repeat { node, .. }
            | &Node::Capture { node, .. }
            | &Node::Atomic(node)
            | &Node::Look { node, .. } => self.asserts(node),
            Node::Empty | Node::Set(_) | Node::Reference { .. } => false,
        }
    }
}

/// A set of bytes as it is read.
#[derive(Default)]
struct Class {
    set: ByteSet,
    /// The byte before and where it stands, if a range may begin with it.
    last: Option<(u8, usize)>,
    /// Whether a range has begun with it.
    in_range: bool,
}

impl Class {
    /// Takes a hyphen as that of a range, if one may begin here.
    fn begin_range(&mut self) -> bool {
        let begins = self.last.is_some() && !self.in_range;
        self.in_range |= begins;
        begins
    }

    fn byte(&mut self, byte: u8, at: usize) -> Result<()> {
        let Some((low, offset)) = self.last.filter(|_| self.in_range) else {
            self.set.insert(byte);
            self.last = Some((byte, at));
            return Ok(());
        };
        if byte < low {
            return Err(PatternError { offset, kind: PatternErrorKind::ClassRange });
        }
        self.set.insert_range(low, byte);
        (self.last, self.in_range) = (None, false);
        Ok(())
    }

    /// A hyphen at the end is itself.
    fn finish(mut self) -> ByteSet {
        if self.in_range {
            self.set.insert(b'-');
        }
        self.set
    }
}

/// Kinds of groups that `(?` begins.
#[derive(Clone, Copy)]
enum GroupKind {
    Plain,
    Atomic,
    Look { behind: bool, negative: bool },
}

const GROUPS: [(&[u8], GroupKind); 6] = [
    (b":", GroupKind::Plain),
    (b">", GroupKind::Atomic),
    (b"=", GroupKind::Look { behind: false, negative: false }),
    (b"!", GroupKind::Look { behind: false, negative: true }),
    (b"<=", GroupKind::Look { behind: true, negative: false }),
    (b"<!", GroupKind::Look { behind: true, negative: true }),
];

/// The least and the most bytes that a node matches, if that is bounded.
pub(super) fn lengths(arena: &Arena, node: NodeId) -> Option<(usize, usize)> {
    match arena.get(node) {
        Node::Empty | Node::Assert(_) | Node::Look { .. } => Some((0, 0)),
        Node::Set(_) => Some((1, 1)),
        Node::Concat(parts) => parts.iter().try_fold((0usize, 0usize), |sum, &it| {
            let (least, most) = lengths(arena, it)?;
            Some((sum.0.checked_add(least)?, sum.1.checked_add(most)?))
        }),
        Node::Alternate(parts) => {
            parts.iter().try_fold((usize::MAX, 0), |sum: (usize, usize), &it| {
                let (least, most) = lengths(arena, it)?;
                Some((sum.0.min(least), sum.1.max(most)))
            })
        }
        &Node::Repeat { node, min, max: Some(max), .. } => {
            let (least, most) = lengths(arena, node)?;
            Some((least.checked_mul(min.into())?, most.checked_mul(max.into())?))
        }
        &Node::Capture { node, .. } | &Node::Atomic(node) => lengths(arena, node),
        Node::Repeat { .. } | Node::Reference { .. } => None,
    }
}

fn numbers(inner: &str) -> Option<(u32, Option<u32>)> {
    let value = |it: &str| {
        let digits = !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        digits.then(|| it.parse().unwrap_or(MOST + 1))
    };
    match inner.split_once(',') {
        None => value(inner).map(|it| (it, Some(it))),
        Some((low, "")) => value(low).map(|it| (it, None)),
        Some(("", high)) => value(high).map(|it| (0, Some(it))),
        Some((low, high)) => Some((value(low)?, Some(value(high)?))),
    }
}
