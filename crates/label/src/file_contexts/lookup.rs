//! Looking a path up: clean it, substitute, run the automaton, choose among the lines that match.

use std::borrow::Cow;

use super::{FileContexts, How, Line, LineRef};
use crate::FileType;
use crate::automaton::dfa::{Dfa, ListId, State};

/// No line matches.
const NO_LINE: u32 = u32::MAX;
/// It depends on the path.
const ASK: u32 = u32::MAX - 1;

/// What file contexts say of a path.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// It has a context.
    Context(&'a str, LineRef<'a>),
    /// It is to be left alone, by `<<none>>`.
    None(LineRef<'a>),
    /// No line matches.
    Unknown,
}

impl<'a> Answer<'a> {
    /// The context, if there is one.
    pub fn context(self) -> Option<&'a str> {
        match self {
            Answer::Context(context, _) => Some(context),
            Answer::None(_) | Answer::Unknown => None,
        }
    }

    /// The line that decided.
    pub fn line(self) -> Option<LineRef<'a>> {
        match self {
            Answer::Context(_, line) | Answer::None(line) => Some(line),
            Answer::Unknown => None,
        }
    }
}

/// Asks file contexts. What one path needed makes the next fast; each thread has its own.
#[derive(Clone, Debug)]
pub struct Lookup<'a> {
    table: &'a FileContexts,
    dfa: Dfa,
    /// For each list of lines and kind of file (0 for any), the line that wins.
    winners: Vec<[u32; 8]>,
    /// States from which some line with a context can still match; known when first asked for.
    hopeful: Option<Vec<bool>>,
}

/// A directory whose entries are looked up: what was found out about its path.
#[derive(Clone, Debug)]
pub struct Directory {
    /// The path that is looked up instead, with the slash at its end.
    path: Vec<u8>,
    state: State,
    generation: u32,
    /// Some entry may be substituted by itself: each is looked up whole.
    whole: Option<Vec<u8>>,
}

impl<'a> Lookup<'a> {
    /// Nothing is known yet.
    pub fn new(table: &'a FileContexts) -> Self {
        Self { table, dfa: Dfa::new(&table.nfa), winners: Vec::new(), hopeful: None }
    }

    /// The context of a path, as `selabel_lookup_raw(3)` has it; a path without kind fits lines of every kind.
    pub fn path(&mut self, path: &[u8], file_type: Option<FileType>) -> Answer<'a> {
        if path.is_empty() {
            return Answer::Unknown;
        }
        let path = self.table.substituted(path);
        let state = self.dfa.start();
        self.ask(state, &path, 0, file_type)
    }

    /// All lines that match a path, the winner first and then what it beat, strongest first; those for other kinds of file are not among them.
    pub fn all(&mut self, path: &[u8], file_type: Option<FileType>) -> Vec<LineRef<'a>> {
        if path.is_empty() {
            return Vec::new();
        }
        let path = self.table.substituted(path);
        let mut lines = self.matching(&path);
        lines.retain(|&it| fits(&self.table.lines[it as usize], file_type));
        let winner = choose(self.table, &lines, file_type);
        let literal = |it: u32| self.table.lines[it as usize].how == How::Literal;
        lines.sort_by_key(|&it| {
            let line = &self.table.lines[it as usize];
            let order = if literal(it) { u32::from(u8::MAX - line.source) << 8 | 1 } else { 0 };
            (it != winner, !literal(it), order, if literal(it) { it } else { u32::MAX - it })
        });
        lines.into_iter().map(|it| self.table.line(it)).collect()
    }

    /// Whether a path, or one that begins with it, may have a context, as `selabel_partial_match(3)` has it.
    pub fn partial(&mut self, path: &[u8]) -> bool {
        if path.is_empty() {
            return false;
        }
        let (table, path) = (self.table, self.table.substituted(path));
        let end = self.walk(self.dfa.start(), &path);
        let hopeful = self.hopeful.get_or_insert_with(|| table.hopeful());
        if self.dfa.members(end).iter().any(|&it| hopeful[it as usize]) {
            return true;
        }
        let lines = self.matching(&path);
        lines.iter().any(|&it| table.lines[it as usize].context.is_some())
    }

    /// The context of a path that also goes by other names, as `selabel_lookup_best_match(3)` has it: a line without meta characters for any name wins, in the order of the names; else that
    /// which fixes most of a path.
    pub fn best(
        &mut self,
        path: &[u8],
        aliases: &[&[u8]],
        file_type: Option<FileType>,
    ) -> Answer<'a> {
        if aliases.is_empty() {
            return self.path(path, file_type);
        }
        let mut best = Answer::Unknown;
        for name in std::iter::once(&path).chain(aliases) {
            let answer = self.path(name, file_type);
            let Answer::Context(_, line) = answer else { continue };
            if line.is_literal() {
                return answer;
            }
            if best.line().is_none_or(|it| line.prefix() > it.prefix()) {
                best = answer;
            }
        }
        best
    }

    /// Begins with a directory, whose path is given as for [`Lookup::path`].
    pub fn directory(&mut self, path: &[u8]) -> Directory {
        let clean = clean(path);
        let [local, distribution] = &self.table.subs;
        let once = local.apply(&clean);
        let twice = distribution.apply(&once);
        let whole = local.reach_into(&clean) || distribution.reach_into(&once);
        let mut substituted = twice.into_owned();
        if substituted != b"/" {
            substituted.push(b'/');
        }
        let whole = whole
            .then(|| if *clean == *b"/" { clean.to_vec() } else { [&clean[..], b"/"].concat() });
        let state = self.walk(self.dfa.start(), &substituted);
        Directory { path: substituted, state, generation: self.dfa.generation(), whole }
    }

    /// The context of an entry of a directory; `name` holds no slash.
    pub fn entry(
        &mut self,
        directory: &mut Directory,
        name: &[u8],
        file_type: Option<FileType>,
    ) -> Answer<'a> {
        if let Some(path) = &directory.whole {
            return self.path(&[path, name].concat(), file_type);
        }
        if directory.generation != self.dfa.generation() {
            directory.state = self.walk(self.dfa.start(), &directory.path);
            directory.generation = self.dfa.generation();
        }
        let length = directory.path.len();
        directory.path.extend_from_slice(name);
        let answer = self.ask(directory.state, &directory.path, length, file_type);
        directory.path.truncate(length);
        answer
    }

    /// States of the automaton so far, and bytes that they take.
    pub fn size(&self) -> (usize, usize) {
        (self.dfa.len(), self.dfa.bytes() + 32 * self.winners.capacity())
    }

    fn walk(&mut self, state: State, bytes: &[u8]) -> State {
        self.dfa.walk(&self.table.nfa, state, bytes)
    }

    /// `path` up to `from` has led to `state`.
    fn ask(
        &mut self,
        state: State,
        path: &[u8],
        from: usize,
        file_type: Option<FileType>,
    ) -> Answer<'a> {
        let winner = if path.last() == Some(&b'\n') && from < path.len() {
            ASK
        } else {
            let end = self.walk(state, &path[from..]);
            self.winner(self.dfa.list(end), file_type)
        };
        self.table.answer(if winner == ASK { self.choose(path, file_type) } else { winner })
    }

    fn winner(&mut self, list: ListId, file_type: Option<FileType>) -> u32 {
        while self.winners.len() <= list as usize {
            let next = ListId::try_from(self.winners.len()).unwrap_or(list);
            let lines = self.dfa.lines(next);
            self.winners.push(winners(self.table, lines));
        }
        self.winners[list as usize][file_type.map_or(0, |it| usize::from(it as u8))]
    }

    #[cold]
    fn choose(&mut self, path: &[u8], file_type: Option<FileType>) -> u32 {
        let lines = self.matching(path);
        choose(self.table, &lines, file_type)
    }

    /// All lines that match, whatever the kind of file.
    pub(super) fn matching(&mut self, path: &[u8]) -> Vec<u32> {
        let table = self.table;
        let end = self.walk(self.dfa.start(), path);
        let mut lines = self.dfa.lines(self.dfa.list(end)).to_vec();
        if let Some(before) = path.strip_suffix(b"\n") {
            // `$` holds before a newline that ends the path, but patterns without meta characters are compared
            let end = self.walk(self.dfa.start(), before);
            let more = self.dfa.lines(self.dfa.list(end)).iter().copied();
            lines.extend(more.filter(|&it| table.lines[it as usize].how != How::Literal));
            lines.sort_unstable();
            lines.dedup();
        }
        lines.retain(|it| {
            table.verified.get(it).is_none_or(|verified| {
                super::line::is_below(path, &verified.stems) && verified.program.matches(path)
            })
        });
        lines
    }
}

impl FileContexts {
    fn hopeful(&self) -> Vec<bool> {
        let has_context = |it: &u32| self.lines[*it as usize].context.is_some();
        self.nfa.leading_to(|state| self.nfa.accepts(state).iter().any(has_context))
    }

    fn answer(&self, line: u32) -> Answer<'_> {
        if line == NO_LINE {
            return Answer::Unknown;
        }
        let line = self.line(line);
        match line.context() {
            Some(context) => Answer::Context(context, line),
            None => Answer::None(line),
        }
    }

    /// The path that is looked up: without double slashes, without one at the end, substituted by both files in turn.
    pub fn substituted<'p>(&self, path: &'p [u8]) -> Cow<'p, [u8]> {
        let [local, distribution] = &self.subs;
        let path = match clean(path) {
            Cow::Borrowed(path) => local.apply(path),
            Cow::Owned(path) => Cow::Owned(local.apply(&path).into_owned()),
        };
        match path {
            Cow::Borrowed(path) => distribution.apply(path),
            Cow::Owned(path) => Cow::Owned(distribution.apply(&path).into_owned()),
        }
    }
}

/// Without double slashes and without one at the end.
fn clean(path: &[u8]) -> Cow<'_, [u8]> {
    let trimmed = |path: &[u8]| path.len() - usize::from(path.len() > 1 && path.ends_with(b"/"));
    if !path.windows(2).any(|it| it == b"//") {
        return Cow::Borrowed(&path[..trimmed(path)]);
    }
    let mut clean = path.to_vec();
    clean.dedup_by(|next, last| *next == b'/' && *last == b'/');
    clean.truncate(trimmed(&clean));
    Cow::Owned(clean)
}

pub(super) fn fits(line: &Line, file_type: Option<FileType>) -> bool {
    file_type.is_none() || line.file_type.is_none() || line.file_type == file_type
}

/// The winner among `lines`, ascending, for each kind of file; [`ASK`] if a line that must be verified may win.
fn winners(table: &FileContexts, lines: &[u32]) -> [u32; 8] {
    let of = |it: u32| &table.lines[it as usize];
    let (doubtful, certain): (Vec<u32>, Vec<u32>) =
        lines.iter().partition(|&&it| of(it).how == How::Verified);
    let kinds = std::iter::once(None).chain(FileType::ALL.map(|it| Some(it.1)));
    let mut winners = [NO_LINE; 8];
    for (kind, winner) in kinds.zip(&mut winners) {
        *winner = choose(table, &certain, kind);
        let beats = |line: u32| {
            *winner == NO_LINE
                || of(*winner).how != How::Literal
                    && (line > *winner
                        || of(line).context.is_none() && of(line).depth > of(*winner).depth)
        };
        if doubtful.iter().any(|&it| fits(of(it), kind) && beats(it)) {
            *winner = ASK;
        }
    }
    winners
}

/// The line that wins. Literal lines come first: of the last file, the first. Then patterns: the last; but those that begin with more directories are asked first, and
/// `<<none>>` among them ends the search.
pub(super) fn choose(table: &FileContexts, lines: &[u32], file_type: Option<FileType>) -> u32 {
    let of = |it: u32| &table.lines[it as usize];
    let fitting = || lines.iter().copied().filter(|&it| fits(of(it), file_type));
    let literal = fitting().filter(|&it| of(it).how == How::Literal);
    if let Some(it) = literal.max_by_key(|&it| (of(it).source, std::cmp::Reverse(it))) {
        return it;
    }
    let mut best = None;
    for depth in (0..=3).rev() {
        let last = fitting().filter(|&it| of(it).depth == depth).max();
        if last > best {
            best = last;
            if best.is_some_and(|it| of(it).context.is_none()) {
                break;
            }
        }
    }
    best.unwrap_or(NO_LINE)
}

#[cfg(test)]
mod tests;
