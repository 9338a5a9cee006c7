//! Reads tokens, collects arguments, puts expansions back to be read again.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::m4::asked::{Asked, Asking};
use crate::m4::builtins::Builtin;
use crate::m4::input::{Class, Frame, Lexicon, Stack, is_word};
use crate::m4::macros::{Definition, Macros, Piece, Value};
use crate::m4::pattern::Patterns;
use crate::names::{Symbol, hash};
use crate::source::{ExpansionRecorder, SourceMap, Span};
use crate::text::{Text, copy};

/// How far macros may go in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Calls of macros.
    pub calls: usize,
    /// Bytes of expansions and of output, with what their origins take.
    pub bytes: usize,
    /// Calls within arguments of calls.
    pub depth: usize,
    /// Expansions that wait for one another.
    pub pending: usize,
    /// Errors: the run ends with the last of them.
    pub errors: usize,
}

impl Default for Budget {
    fn default() -> Self {
        // The largest module of the Reference Policy needs a tenth of it.
        Self { calls: 1_000_000, bytes: 64 << 20, depth: 256, pending: 20_000, errors: 1000 }
    }
}

/// What `errprint` said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its text.
    pub text: String,
    /// The call.
    pub span: Span,
}

/// What came out of a run.
#[derive(Clone, Debug, Default)]
pub struct Expanded {
    /// The output.
    pub text: Text,
    /// What went wrong. The output then ends early.
    pub diagnostics: Vec<Diagnostic>,
    /// What the source itself reported.
    pub messages: Vec<Message>,
    /// What `m4exit` was given.
    pub exit: Option<i32>,
    /// How many macros were called.
    pub calls: usize,
    /// The names of the macros whose definitions were used, in the order they were first heard of.
    pub used: Vec<String>,
    /// The words that were looked up, macros or not.
    pub asked: Asked,
}

/// m4 with the macros it knows.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) macros: Macros,
    budget: Budget,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// m4 with its builtins.
    pub fn new() -> Self {
        let mut macros = Macros::default();
        for &(name, builtin) in Builtin::ALL {
            macros.define(name, Value::Builtin(builtin));
        }
        for name in ["__gnu__", "__unix__"] {
            macros.define(name, Value::Text(Arc::new(Definition::new(Text::default()))));
        }
        Self { macros, budget: Budget::default() }
    }

    pub(super) fn with_macros(macros: Macros) -> Self {
        Self { macros, budget: Budget::default() }
    }

    /// The same with another budget.
    #[must_use]
    pub fn with_budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Defines `name`, as `-D name=value` does.
    pub fn define(&mut self, name: &str, value: &str) {
        let text = Text { bytes: value.into(), origins: vec![(0, Span::NOWHERE)] };
        self.macros.define(name, Value::Text(Arc::new(Definition::new(text))));
    }

    /// Calls of `name` with fewer arguments than `least`, or with nothing for one of them, are an error from now on, and such with
    /// more than `most` a warning. (m4 itself takes what is missing for empty, and drops what is too much.)
    pub fn require_arguments(&mut self, name: &str, least: u16, most: u16) {
        self.macros.require_arguments(name, least, most);
    }

    /// Is there a macro of this name?
    pub fn is_defined(&self, name: &str) -> bool {
        self.macros.get(name).is_some()
    }

    /// The names of all macros with a text, in the order they were first heard of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.macros.defined().filter(|it| matches!(it.1, Value::Text(_))).map(|it| it.0)
    }

    /// Where the text of the macro `name` was spelled.
    pub fn origin(&self, name: &str) -> Option<Span> {
        self.macros.origin(name)
    }

    /// The highest parameter (`$1` is 1) that the text of `name` uses by its number.
    pub fn parameters(&self, name: &str) -> Option<usize> {
        let Value::Text(definition) = self.macros.value(self.macros.get(name)?)? else {
            return None;
        };
        let highest = definition.pieces.iter().map(|piece| match piece {
            Piece::Argument(number) => *number as usize,
            Piece::All | Piece::AllQuoted | Piece::Literal { .. } | Piece::Count => 0,
        });
        Some(highest.max().unwrap_or(0))
    }

    /// For each macro with a definition its name, text, and how many arguments it must and may have; builtins have no text.
    pub fn definitions(&self) -> impl Iterator<Item = (&str, Option<&Text>, (u16, u16))> {
        self.macros.defined().map(|(name, value)| {
            let arity =
                self.macros.names.get(name).map_or((0, u16::MAX), |it| self.macros.bounds(it));
            let text = match value {
                Value::Text(definition) => Some(&definition.text),
                Value::Builtin(_) => None,
            };
            (name, text, arity)
        })
    }

    /// Expands `inputs` one after the other, as one m4 process would. Definitions stay.
    pub fn run(
        &mut self,
        inputs: &[&Text],
        sources: &SourceMap,
        recorder: &mut ExpansionRecorder,
    ) -> Expanded {
        let mut run = Run::new(self, sources, recorder);
        for input in inputs {
            if run.halted {
                break;
            }
            run.read(input);
        }
        run.finish()
    }

    /// As [`run`](Self::run), but what it defines is forgotten afterwards.
    pub fn run_apart(
        &mut self,
        inputs: &[&Text],
        sources: &SourceMap,
        recorder: &mut ExpansionRecorder,
    ) -> Expanded {
        self.macros.mark();
        let expanded = self.run(inputs, sources, recorder);
        self.macros.undo();
        expanded
    }
}

/// An argument in the stack of arguments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Argument {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) origin: usize,
}

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Comma,
    Close,
    End,
}

/// A call of a macro: its arguments are `arguments[first..]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) name: Symbol,
    pub(super) span: Span,
    pub(super) first: usize,
    /// Was there a parenthesis?
    pub(super) parenthesis: bool,
}

/// The state of one run.
pub(super) struct Run<'a> {
    pub(super) macros: &'a mut Macros,
    pub(super) sources: &'a SourceMap,
    recorder: &'a mut ExpansionRecorder,
    budget: Budget,
    pub(super) lexicon: Lexicon,
    input: &'a Text,
    frames: Vec<Frame>,
    pub(super) stack: Stack,
    pub(super) args: Stack,
    pub(super) arguments: Vec<Argument>,
    depth: usize,
    calls: usize,
    pushed: usize,
    pub(super) divert: i64,
    pub(super) diversions: BTreeMap<i64, Text>,
    pub(super) wrapped: Vec<Text>,
    pub(super) out: Expanded,
    pub(super) halted: bool,
    pub(super) lines: LineCache,
    pub(super) patterns: Patterns,
    scratch: Text,
    asking: Asking,
    /// Which macros were used, by name.
    used: Vec<bool>,
}

/// The last place whose line was asked: the next one is mostly near.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineCache {
    start: usize,
    offset: usize,
    line: usize,
}

static NOTHING: Text = Text { bytes: Vec::new(), origins: Vec::new() };

impl<'a> Run<'a> {
    fn new(
        machine: &'a mut Machine,
        sources: &'a SourceMap,
        recorder: &'a mut ExpansionRecorder,
    ) -> Self {
        Self {
            macros: &mut machine.macros,
            sources,
            recorder,
            budget: machine.budget,
            lexicon: Lexicon::default(),
            input: &NOTHING,
            frames: Vec::new(),
            stack: Stack::default(),
            args: Stack::default(),
            arguments: Vec::new(),
            depth: 0,
            calls: 0,
            pushed: 0,
            divert: 0,
            diversions: BTreeMap::new(),
            wrapped: Vec::new(),
            out: Expanded::default(),
            halted: false,
            lines: LineCache::default(),
            patterns: Patterns::default(),
            scratch: Text::default(),
            asking: Asking::default(),
            used: Vec::new(),
        }
    }

    fn read(&mut self, input: &'a Text) {
        self.input = input;
        self.frames.clear();
        self.frames.push(Frame {
            at: 0,
            end: input.bytes.len(),
            origin: 0,
            start: 0,
            first_origin: 0,
        });
        self.scan(false);
    }

    fn finish(mut self) -> Expanded {
        self.unwrap_wrapped();
        self.divert = 0;
        let diversions = std::mem::take(&mut self.diversions);
        for text in diversions.into_values() {
            let end = text.bytes.len();
            copy(&text, (0, end), 0, |bytes, span| self.out.text.push(bytes, span));
        }
        self.out.calls = self.calls;
        let names = &self.macros.names;
        let used = names.iter().filter(|it| self.used.get(it.0.index()).is_some_and(|it| *it));
        self.out.used = used.map(|it| it.1.to_owned()).collect();
        self.out.asked = self.asking.finish();
        self.out
    }

    /// Expands what `m4wrap` kept for the end.
    fn unwrap_wrapped(&mut self) {
        while let (false, Some(text)) = (self.halted, self.wrapped.pop()) {
            self.input = &NOTHING;
            self.frames.clear();
            self.frames.push(Frame { at: 0, end: 0, origin: 0, start: 0, first_origin: 0 });
            self.put_back(&text);
            self.scan(false);
        }
    }

    pub(super) fn error(&mut self, diagnostic: Diagnostic) {
        self.out.diagnostics.push(diagnostic);
        self.halted |= self.out.diagnostics.len() >= self.budget.errors;
    }

    /// Ends the run with an error.
    fn halt(&mut self, diagnostic: Diagnostic) {
        if !self.halted {
            self.error(diagnostic);
        }
        self.halted = true;
    }

    /// The macro of this name, if it has a definition.
    pub(super) fn known(&self, word: &[u8]) -> Option<Symbol> {
        let hash = hash(word);
        self.asking.note(hash);
        self.macros.get_hashed(hash, word)
    }

    /// Notes that the definition of a macro bears on what comes out.
    pub(super) fn note_use(&mut self, name: Symbol) {
        if self.used.len() <= name.index() {
            self.used.resize(self.macros.names.len(), false);
        }
        self.used[name.index()] = true;
    }

    // Input.

    /// The frame on top that has bytes left; exhausted expansions are dropped.
    fn top(&mut self) -> Option<Frame> {
        while let Some(&frame) = self.frames.last() {
            if frame.at < frame.end {
                return Some(frame);
            }
            if self.frames.len() == 1 {
                return None;
            }
            self.frames.pop();
            self.stack.truncate(frame.start, frame.first_origin);
        }
        None
    }

    fn text(&self, frames: usize) -> &Text {
        if frames == 1 { self.input } else { &self.stack.text }
    }

    pub(super) fn peek(&mut self) -> Option<u8> {
        let frame = self.top()?;
        self.text(self.frames.len()).bytes.get(frame.at).copied()
    }

    /// Moves on in the frame on top.
    fn advance_to(&mut self, at: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.at = at;
        }
    }

    pub(super) fn skip(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.at += 1;
        }
    }

    /// Does a byte of a word follow the frame on top, in the frames below?
    fn word_goes_on(&self) -> bool {
        let below = self.frames.iter().enumerate().rev().skip(1).find(|it| it.1.at < it.1.end);
        let next = below.and_then(|(index, frame)| self.text(index + 1).bytes.get(frame.at));
        next.is_some_and(|&byte| is_word(byte))
    }

    /// Where the byte at `at` of the frame on top was spelled.
    fn span_at(&mut self, at: usize) -> Span {
        let frames = self.frames.len();
        let Some(frame) = self.frames.last().copied() else { return Span::NOWHERE };
        let text = self.text(frames);
        let mut origin = frame.origin;
        while text.origins.get(origin + 1).is_some_and(|it| it.0 as usize <= at) {
            origin += 1;
        }
        let (start, span) = text.origins.get(origin).copied().unwrap_or_default();
        let span = crate::text::continued(span, at.saturating_sub(start as usize));
        if let Some(frame) = self.frames.last_mut() {
            frame.origin = origin;
        }
        span
    }

    // Output.

    /// Sends bytes of the frame on top to where text goes now.
    fn emit(&mut self, start: usize, end: usize) {
        if start >= end || (self.depth == 0 && self.divert < 0) {
            return;
        }
        self.span_at(start);
        let frames = self.frames.len();
        let origin = self.frames.last().map_or(0, |it| it.origin);
        let from = if frames == 1 { self.input } else { &self.stack.text };
        if self.depth > 0 {
            self.args.push_from(from, (start, end), origin, |span| span);
        } else if self.divert == 0 {
            let out = &mut self.out.text;
            copy(from, (start, end), origin, |bytes, span| out.push(bytes, span));
        } else {
            let out = self.diversions.entry(self.divert).or_default();
            copy(from, (start, end), origin, |bytes, span| out.push(bytes, span));
        }
    }

    /// Sends a text of its own to where text goes now.
    pub(super) fn emit_text(&mut self, text: &Text) {
        let range = (0, text.bytes.len());
        if self.depth > 0 {
            self.args.push_from(text, range, 0, |span| span);
        } else if self.divert == 0 {
            let out = &mut self.out.text;
            copy(text, range, 0, |bytes, span| out.push(bytes, span));
        } else if self.divert > 0 {
            let out = self.diversions.entry(self.divert).or_default();
            copy(text, range, 0, |bytes, span| out.push(bytes, span));
        }
    }

    // Scanning.

    /// Reads to the end of the input, or to the end of an argument.
    fn scan(&mut self, argument: bool) -> Stop {
        let mut parentheses = 0usize;
        while let (false, Some(frame)) = (self.halted, self.top()) {
            let (at, class) = self.plain_run(frame, argument);
            self.emit(frame.at, at);
            self.advance_to(at);
            let Some(class) = class else { continue };
            match class {
                Class::Comma if parentheses == 0 => {
                    self.skip();
                    return Stop::Comma;
                }
                Class::Close if parentheses == 0 => {
                    self.skip();
                    return Stop::Close;
                }
                Class::Close => parentheses -= 1,
                Class::Open => parentheses += 1,
                Class::Word => {
                    self.word();
                    continue;
                }
                Class::Quote => {
                    self.quoted();
                    continue;
                }
                Class::Comment => {
                    self.comment();
                    continue;
                }
                Class::Comma | Class::Plain | Class::Space | Class::Digit => {}
            }
            self.emit(at, at + 1);
            self.advance_to(at + 1);
        }
        Stop::End
    }

    /// The end of the text from `frame.at` on that stands for itself, and what stopped it: a word there is a macro's name
    /// or may go on in another frame.
    fn plain_run(&self, frame: Frame, argument: bool) -> (usize, Option<Class>) {
        let bytes = &self.text(self.frames.len()).bytes[..frame.end];
        let mut at = frame.at;
        while let Some(&byte) = bytes.get(at) {
            let class = match self.lexicon.class(byte) {
                Class::Quote if !bytes[at..].starts_with(&self.lexicon.open) => {
                    Lexicon::plain_class(byte)
                }
                Class::Comment if !bytes[at..].starts_with(&self.lexicon.comment) => {
                    Lexicon::plain_class(byte)
                }
                class => class,
            };
            match class {
                Class::Plain | Class::Space | Class::Digit => at += 1,
                Class::Comma | Class::Open | Class::Close if !argument => at += 1,
                Class::Word => {
                    let end = word_end(bytes, at);
                    let last = end == frame.end && self.frames.len() > 1;
                    let word = &bytes[at..end];
                    if self.known(word).is_some() || (last && self.word_goes_on()) {
                        return (at, Some(Class::Word));
                    }
                    at = end;
                }
                stop => return (at, Some(stop)),
            }
        }
        (at, None)
    }

    /// A word that is a macro's name, or that goes on in another frame.
    fn word(&mut self) {
        let Some(frame) = self.top() else { return };
        let bytes = &self.text(self.frames.len()).bytes[..frame.end];
        let end = word_end(bytes, frame.at);
        if end == frame.end && self.frames.len() > 1 && self.word_goes_on() {
            return self.long_word();
        }
        let symbol = self.known(&bytes[frame.at..end]);
        let span = self.span_at(frame.at);
        match symbol {
            Some(symbol) => {
                self.advance_to(end);
                self.call(symbol, span);
            }
            None => {
                self.emit(frame.at, end);
                self.advance_to(end);
            }
        }
    }

    /// A word that lies in several frames.
    fn long_word(&mut self) {
        let mut word = std::mem::take(&mut self.scratch);
        word.bytes.clear();
        word.origins.clear();
        while let Some(frame) = self.top() {
            let span = self.span_at(frame.at);
            let bytes = &self.text(self.frames.len()).bytes[..frame.end];
            let end = word_end(bytes, frame.at);
            word.push(&bytes[frame.at..end], span);
            self.advance_to(end);
            if end < frame.end || end == frame.at {
                break;
            }
        }
        match self.known(&word.bytes) {
            Some(symbol) => self.call(symbol, word.span(0)),
            None => self.emit_text(&word),
        }
        self.scratch = word;
    }

    /// A quoted string: its text, without the outer quotes.
    fn quoted(&mut self) {
        let Some(frame) = self.top() else { return };
        let opening = self.span_at(frame.at);
        self.advance_to(frame.at + self.lexicon.open.len());
        let mut depth = 1usize;
        let mut collected: Option<Text> = None;
        loop {
            let Some(frame) = self.top() else {
                return self.halt(unclosed_quote(opening));
            };
            let bytes = &self.text(self.frames.len()).bytes[..frame.end];
            let (end, after) = self.quote_end(bytes, frame.at, &mut depth);
            let closed = depth == 0;
            if closed && collected.is_none() {
                self.emit(frame.at, end);
                return self.advance_to(after);
            }
            self.keep(collected.get_or_insert_default(), frame.at, end);
            self.advance_to(after);
            if closed {
                break;
            }
        }
        if let Some(text) = collected {
            self.emit_text(&text);
        }
    }

    /// Where the quoted text from `at` ends within `bytes`, and where to go on. `depth` is 0 if it was closed.
    fn quote_end(&self, bytes: &[u8], mut at: usize, depth: &mut usize) -> (usize, usize) {
        let (open, close) = (&self.lexicon.open, &self.lexicon.close);
        let (first_open, first_close) = (open.first().copied(), close.first().copied());
        let Some((first_open, first_close)) = first_open.zip(first_close) else {
            return (bytes.len(), bytes.len());
        };
        while let Some(found) = memchr::memchr2(first_open, first_close, &bytes[at..]) {
            at += found;
            if bytes[at..].starts_with(close) {
                *depth -= 1;
                if *depth == 0 {
                    return (at, at + close.len());
                }
                at += close.len();
            } else if bytes[at..].starts_with(open) {
                *depth += 1;
                at += open.len();
            } else {
                at += 1;
            }
        }
        (bytes.len(), bytes.len())
    }

    /// Keeps bytes of the frame on top.
    fn keep(&mut self, text: &mut Text, start: usize, end: usize) {
        self.span_at(start);
        let origin = self.frames.last().map_or(0, |it| it.origin);
        let from = self.text(self.frames.len());
        copy(from, (start, end), origin, |bytes, span| text.push(bytes, span));
    }

    /// A comment: it is copied with its end, and nothing in it is expanded.
    fn comment(&mut self) {
        let mut opened = self.lexicon.comment.len();
        while let Some(frame) = self.top() {
            let bytes = &self.text(self.frames.len()).bytes[..frame.end];
            let from = (frame.at + opened).min(frame.end);
            opened = 0;
            let found = find(&bytes[from..], &self.lexicon.comment_end);
            let end = found.map_or(frame.end, |it| from + it + self.lexicon.comment_end.len());
            self.emit(frame.at, end);
            self.advance_to(end);
            if found.is_some() {
                return;
            }
        }
    }

    /// Drops the rest of the line (`dnl`).
    pub(super) fn drop_line(&mut self) {
        while let Some(frame) = self.top() {
            let bytes = &self.text(self.frames.len()).bytes[..frame.end];
            let found = memchr::memchr(b'\n', &bytes[frame.at..]);
            self.advance_to(found.map_or(frame.end, |it| frame.at + it + 1));
            if found.is_some() {
                return;
            }
        }
    }

    // Calls.

    fn call(&mut self, name: Symbol, span: Span) {
        let Some(value) = self.macros.value(name).cloned() else { return };
        let parenthesis = self.peek() == Some(b'(');
        if let (Value::Builtin(builtin), false) = (&value, parenthesis)
            && builtin.needs_arguments()
        {
            return self.emit_name(name, span);
        }
        let call = Call { name, span, first: self.arguments.len(), parenthesis };
        let (bytes, origins) = (self.args.len(), self.args.origins());
        if parenthesis {
            self.skip();
            self.collect(call);
        }
        self.calls += 1;
        self.note_use(name);
        self.check_arguments(call);
        if !self.halted && self.within_budget(call) {
            match value {
                Value::Text(definition) => self.substitute(&definition, call),
                Value::Builtin(builtin) => self.builtin(builtin, call),
            }
        }
        self.arguments.truncate(call.first);
        self.args.truncate(bytes, origins);
        self.args.begin();
    }

    fn check_arguments(&mut self, call: Call) {
        let (required, allowed) = self.macros.arity(call.name);
        if self.count(call) > allowed {
            self.too_many(call, allowed);
        }
        let Some(missing) = (1..=required).find(|&it| self.argument(call, it).is_empty()) else {
            return;
        };
        let name = self.macros.names.name(call.name).to_owned();
        let given = if self.count(call) < required {
            format!("{} of {required} arguments are given", self.count(call))
        } else {
            format!("argument {missing} of {required} is empty")
        };
        let message = format!("`{name}` lacks an argument: {given}");
        let mut error = Diagnostic::error(Code::ArgumentCount, call.span, message);
        if let Some(origin) = self.macros.origin(&name) {
            error = error.and(origin, format!("`{name}` is defined here"));
        }
        self.error(error);
    }

    fn too_many(&mut self, call: Call, allowed: usize) {
        let name = self.macros.names.name(call.name).to_owned();
        let given = self.count(call);
        let message = format!("`{name}` is given {given} arguments, but takes {allowed}");
        let mut it = Diagnostic::warning(Code::ArgumentCount, call.span, message);
        if let Some(origin) = self.macros.origin(&name) {
            it = it.and(origin, format!("`{name}` is defined here"));
        }
        self.error(it);
    }

    fn emit_name(&mut self, name: Symbol, span: Span) {
        let mut text = Text::default();
        text.push(self.macros.names.name(name).as_bytes(), span);
        self.emit_text(&text);
    }

    fn collect(&mut self, call: Call) {
        if self.depth >= self.budget.depth {
            let limit = self.budget.depth;
            let message = format!("calls are nested in arguments more than {limit} deep");
            return self.halt(Diagnostic::error(Code::MacroBudget, call.span, message));
        }
        self.depth += 1;
        loop {
            self.skip_spaces();
            self.args.begin();
            let (start, origin) = (self.args.len(), self.args.origins());
            let stop = self.scan(true);
            let end = self.args.len();
            self.arguments.push(Argument { start, end, origin });
            match stop {
                Stop::Comma => {}
                Stop::Close => break,
                Stop::End => {
                    let name = self.macros.names.name(call.name);
                    let message = format!("the call of `{name}` is not closed");
                    let error = Diagnostic::error(Code::UnclosedCall, call.span, message)
                        .label("its parenthesis is never closed");
                    self.halt(error);
                    break;
                }
            }
        }
        self.depth -= 1;
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(|it| Lexicon::plain_class(it) == Class::Space) {
            self.skip();
        }
    }

    fn within_budget(&mut self, call: Call) -> bool {
        let what = if self.calls > self.budget.calls {
            format!("macros are called more than {} times", self.budget.calls)
        } else if self.pushed + self.held() > self.budget.bytes {
            format!("macros expand to more than {} MiB", self.budget.bytes >> 20)
        } else if self.frames.len() > self.budget.pending {
            format!("more than {} expansions wait for one another", self.budget.pending)
        } else {
            return true;
        };
        let name = self.macros.names.name(call.name).to_owned();
        // A call at the same place as one it came through is the same call again.
        let again = self.recorder.chain(call.span).take(64).any(|it| it.pos == call.span.pos);
        let (code, what) = if again {
            (Code::MacroRecursion, format!("`{name}` calls itself without end: {what}"))
        } else {
            (Code::MacroBudget, what)
        };
        let label = format!("in this call of `{name}`");
        self.halt(Diagnostic::error(code, call.span, what).label(label));
        false
    }

    /// Bytes of output, arguments and pending text, and of their origins, which may be more.
    fn held(&self) -> usize {
        const ORIGIN: usize = size_of::<(u32, Span)>();
        let bytes = self.out.text.bytes.len() + self.args.len() + self.stack.len();
        let origins = self.out.text.origins.len() + self.args.origins() + self.stack.origins();
        bytes + origins * ORIGIN
    }

    /// Counts a call as so many more: one that takes long.
    pub(super) fn count_calls(&mut self, more: usize) {
        self.calls += more;
    }

    pub(super) fn count(&self, call: Call) -> usize {
        self.arguments.len() - call.first
    }

    /// The bytes of argument `number`, from 1; empty if it is not there.
    pub(super) fn argument(&self, call: Call, number: usize) -> &[u8] {
        self.range(call, number).map_or(&[], |it| &self.args.text.bytes[it.start..it.end])
    }

    pub(super) fn range(&self, call: Call, number: usize) -> Option<Argument> {
        self.arguments.get(call.first + number.checked_sub(1)?).copied()
    }

    /// Where argument `number` was spelled; the call if there is nothing of it.
    pub(super) fn argument_span(&self, call: Call, number: usize) -> Span {
        match self.range(call, number) {
            Some(it) if it.start < it.end => self.args.text.span(it.start),
            _ => call.span,
        }
    }

    pub(super) fn substitute(&mut self, definition: &Definition, call: Call) {
        let mark = self.begin_expansion();
        let literal = definition.pieces.iter().any(|it| matches!(it, Piece::Literal { .. }));
        let expansion = if literal { self.recorder.record(call.span) } else { call.span.expansion };
        for &piece in &definition.pieces {
            // A text may repeat its arguments, and grow beyond all bounds within one call.
            if self.held() > self.budget.bytes {
                self.within_budget(call);
                break;
            }
            match piece {
                Piece::Literal { start, end, origin } => self.stack.push_from(
                    &definition.text,
                    (start as usize, end as usize),
                    origin as usize,
                    |span| Span { pos: span.pos, expansion },
                ),
                Piece::Argument(0) => {
                    self.stack.push(self.macros.names.name(call.name).as_bytes(), call.span);
                }
                Piece::Argument(number) => self.push_argument(call, number as usize),
                Piece::Count => {
                    let count = self.arguments.len() - call.first;
                    self.stack.push(count.to_string().as_bytes(), call.span);
                }
                Piece::All => self.push_arguments(call, 1, false),
                Piece::AllQuoted => self.push_arguments(call, 1, true),
            }
        }
        self.end_expansion(mark);
    }

    /// Sends what was diverted to where output goes now, whatever argument is being read.
    pub(super) fn emit_diverted(&mut self, text: &Text) {
        let depth = std::mem::take(&mut self.depth);
        self.emit_text(text);
        self.depth = depth;
    }

    // Expansions: text that is read next.

    /// Begins an expansion: bytes go to [`stack`](Self::stack) until [`end_expansion`](Self::end_expansion).
    pub(super) fn begin_expansion(&mut self) -> (usize, usize) {
        self.top();
        self.stack.begin();
        (self.stack.len(), self.stack.origins())
    }

    pub(super) fn end_expansion(&mut self, (start, origin): (usize, usize)) {
        let end = self.stack.len();
        if start < end {
            self.pushed += end - start + (self.stack.origins() - origin) * 4;
            self.frames.push(Frame { at: start, end, origin, start, first_origin: origin });
        }
    }

    pub(super) fn push_argument(&mut self, call: Call, number: usize) {
        if let Some(it) = self.range(call, number) {
            self.stack.push_from(&self.args.text, (it.start, it.end), it.origin, |span| span);
        }
    }

    /// Arguments from `first` on with commas between, each in quotes if asked.
    pub(super) fn push_arguments(&mut self, call: Call, first: usize, quoted: bool) {
        for number in first..=self.count(call) {
            if number > first {
                self.stack.push(b",", call.span);
            }
            if quoted {
                self.stack.push(&self.lexicon.open, call.span);
            }
            self.push_argument(call, number);
            if quoted {
                self.stack.push(&self.lexicon.close, call.span);
            }
        }
    }

    /// Puts a text back to be read next.
    pub(super) fn put_back(&mut self, text: &Text) {
        let mark = self.begin_expansion();
        self.stack.push_from(text, (0, text.bytes.len()), 0, |span| span);
        self.end_expansion(mark);
    }

    /// Puts back what a builtin made.
    pub(super) fn put_back_bytes(&mut self, bytes: &[u8], span: Span) {
        let mark = self.begin_expansion();
        self.stack.push(bytes, span);
        self.end_expansion(mark);
    }

    /// Path and line of a call in the input, as `__file__` and `__line__` give them: within a macro's text that of the macro's call.
    pub(super) fn place(&mut self, span: Span) -> (String, usize) {
        let span = self.recorder.chain(span).last().unwrap_or(span);
        let Some((id, offset)) = self.sources.locate(span.pos) else {
            return (String::new(), 0);
        };
        let file = self.sources.file(id);
        let start = file.start().0 as usize;
        let cache = &mut self.lines;
        if cache.start != start || cache.offset > offset {
            *cache = LineCache { start, offset: 0, line: 1 };
        }
        let between = &file.bytes[cache.offset..offset];
        cache.line += memchr::memchr_iter(b'\n', between).count();
        cache.offset = offset;
        (file.path.clone(), cache.line)
    }
}

fn word_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&it| !is_word(it)).map_or(bytes.len(), |it| at + it)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    match wanted {
        [one] => memchr::memchr(*one, bytes),
        [] => None,
        many => memchr::memmem::find(bytes, many),
    }
}

fn unclosed_quote(opening: Span) -> Diagnostic {
    Diagnostic::error(Code::UnclosedQuote, opening, "this quote is not closed")
        .label("opened here")
        .help("every ` needs a ' of its own; a ' within a quoted text ends it early")
}
