//! The builtin macros.

use std::sync::Arc;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::m4::machine::{Call, Message, Run};
use crate::m4::macros::{Definition, Value};
use crate::m4::{eval, format, pattern};
use crate::source::Span;
use crate::text::{Text, copy};

macro_rules! builtins {
    ($($name:ident $text:literal $needs:literal $min:literal..=$max:expr)*) => {
        /// A builtin macro.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Builtin { $($name,)* }

        impl Builtin {
            pub(super) const ALL: &[(&'static str, Self)] = &[$(($text, Self::$name),)*];

            /// Is its name an ordinary word where no parenthesis follows?
            pub(super) fn needs_arguments(self) -> bool {
                match self { $(Self::$name => $needs,)* }
            }

            /// Fewest and most arguments.
            fn arity(self) -> (usize, usize) {
                match self { $(Self::$name => ($min, $max),)* }
            }
        }
    };
}

const MANY: usize = usize::MAX;

builtins! {
    File "__file__" false 0..=0
    Line "__line__" false 0..=0
    Program "__program__" false 0..=0
    Named "builtin" true 1..=MANY
    ChangeCom "changecom" false 0..=2
    ChangeQuote "changequote" false 0..=2
    Decr "decr" true 1..=1
    Define "define" true 1..=2
    Defn "defn" true 1..=MANY
    Divert "divert" false 0..=1
    Divnum "divnum" false 0..=0
    Dnl "dnl" false 0..=0
    ErrPrint "errprint" true 1..=MANY
    Esyscmd "esyscmd" true 1..=1
    Eval "eval" true 1..=3
    Format "format" true 1..=MANY
    IfDef "ifdef" true 2..=3
    IfElse "ifelse" true 1..=MANY
    Include "include" true 1..=1
    Incr "incr" true 1..=1
    Index "index" true 2..=2
    Indir "indir" true 1..=MANY
    Len "len" true 1..=1
    M4Exit "m4exit" false 0..=1
    M4Wrap "m4wrap" true 1..=MANY
    MakeTemp "maketemp" true 1..=1
    MkSTemp "mkstemp" true 1..=1
    PatSubst "patsubst" true 2..=3
    PopDef "popdef" true 1..=MANY
    PushDef "pushdef" true 1..=2
    RegExp "regexp" true 2..=3
    Shift "shift" true 1..=MANY
    SInclude "sinclude" true 1..=1
    SubStr "substr" true 2..=3
    SysCmd "syscmd" true 1..=1
    Translit "translit" true 2..=3
    Undefine "undefine" true 1..=MANY
    Undivert "undivert" false 0..=MANY
}

impl Run<'_> {
    pub(super) fn builtin(&mut self, builtin: Builtin, call: Call) {
        if !self.arity_holds(builtin, call) {
            return;
        }
        match builtin {
            Builtin::File => {
                let path = self.place(call.span).0;
                self.put_quoted(path.as_bytes(), call.span);
            }
            Builtin::Line => {
                let line = self.place(call.span).1.to_string();
                self.put_back_bytes(line.as_bytes(), call.span);
            }
            Builtin::Program => self.put_quoted(b"m4", call.span),
            Builtin::Named => self.call_builtin(call),
            Builtin::ChangeCom => self.change_comment(call),
            Builtin::ChangeQuote => self.change_quote(call),
            Builtin::Decr => self.step(call, -1),
            Builtin::Incr => self.step(call, 1),
            Builtin::Define => self.define(call, false),
            Builtin::PushDef => self.define(call, true),
            Builtin::Defn => self.defn(call),
            Builtin::Divert => self.divert = self.integer(call, 1).unwrap_or(0),
            Builtin::Divnum => {
                self.put_back_bytes(self.divert.to_string().as_bytes(), call.span);
            }
            Builtin::Dnl => self.drop_line(),
            Builtin::ErrPrint => self.print_error(call),
            Builtin::Eval => self.eval(call),
            Builtin::Format => self.format(call),
            Builtin::IfDef => self.if_defined(call),
            Builtin::IfElse => self.if_else(call),
            Builtin::Index => self.index(call),
            Builtin::Indir => self.indirect(call),
            Builtin::Len => {
                let length = self.argument(call, 1).len().to_string();
                self.put_back_bytes(length.as_bytes(), call.span);
            }
            Builtin::M4Exit => {
                let code = self.integer(call, 1).unwrap_or(0);
                self.out.exit = Some(i32::try_from(code).unwrap_or(1));
                self.halted = true;
            }
            Builtin::M4Wrap => {
                let text = self.joined(call, 1, b" ");
                self.wrapped.push(text);
            }
            Builtin::PatSubst => self.substitute_pattern(call),
            Builtin::RegExp => self.match_pattern(call),
            Builtin::PopDef => self.each_name(call, |run, name| run.macros.pop(name)),
            Builtin::Undefine => self.each_name(call, |run, name| run.macros.undefine(name)),
            Builtin::Shift => {
                let mark = self.begin_expansion();
                self.push_arguments(call, 2, true);
                self.end_expansion(mark);
            }
            Builtin::SubStr => self.substring(call),
            Builtin::Translit => self.transliterate(call),
            Builtin::Undivert => self.undivert(call),
            Builtin::Esyscmd
            | Builtin::SysCmd
            | Builtin::Include
            | Builtin::SInclude
            | Builtin::MakeTemp
            | Builtin::MkSTemp => {
                let name = self.macros.names.name(call.name).to_owned();
                let message =
                    format!("`{name}` is refused: sources run no commands and open no files");
                self.error(Diagnostic::error(Code::MacroError, call.span, message));
            }
        }
    }

    fn arity_holds(&mut self, builtin: Builtin, call: Call) -> bool {
        let (least, most) = builtin.arity();
        // `name()` has one argument, an empty one, which those without arguments overlook.
        let count = self.count(call);
        let empty = count == 1 && self.argument(call, 1).is_empty();
        if (count >= least && count <= most) || (most == 0 && empty) {
            return true;
        }
        let name = self.macros.names.name(call.name).to_owned();
        let wanted = if count < least { "at least" } else { "at most" };
        let limit = if count < least { least } else { most };
        let message = format!("`{name}` takes {wanted} {limit} arguments, not {count}");
        self.error(Diagnostic::error(Code::MacroError, call.span, message));
        // The original goes on with what is there when there is too much.
        count > most
    }

    fn bad_argument(&mut self, call: Call, number: usize, what: &str) {
        let name = self.macros.names.name(call.name).to_owned();
        let given = String::from_utf8_lossy(self.argument(call, number)).into_owned();
        let message =
            format!("`{name}` needs {what} as argument {number}, not `{}`", shown(&given));
        let span = self.argument_span(call, number);
        self.error(Diagnostic::error(Code::MacroError, span, message));
    }

    fn name(&mut self, call: Call, number: usize) -> Option<String> {
        match std::str::from_utf8(self.argument(call, number)) {
            Ok(name) => Some(name.to_owned()),
            Err(_) => {
                self.bad_argument(call, number, "a name in UTF-8");
                None
            }
        }
    }

    /// Argument `number` as an integer; none if it is missing or empty.
    fn integer(&mut self, call: Call, number: usize) -> Option<i64> {
        let text = String::from_utf8_lossy(self.argument(call, number)).trim().to_owned();
        if text.is_empty() {
            return None;
        }
        let value = text.parse().ok();
        if value.is_none() {
            self.bad_argument(call, number, "a number");
        }
        value
    }

    fn put_quoted(&mut self, bytes: &[u8], span: Span) {
        let mark = self.begin_expansion();
        self.stack.push(&self.lexicon.open, span);
        self.stack.push(bytes, span);
        self.stack.push(&self.lexicon.close, span);
        self.end_expansion(mark);
    }

    fn put_argument(&mut self, call: Call, number: usize) {
        let mark = self.begin_expansion();
        self.push_argument(call, number);
        self.end_expansion(mark);
    }

    /// Argument `number` as a text of its own.
    fn own(&self, call: Call, number: usize) -> Text {
        let mut text = Text::default();
        if let Some(it) = self.range(call, number) {
            let from = &self.args.text;
            let sink = |bytes: &[u8], span| text.push(bytes, span);
            copy(from, (it.start, it.end), it.origin, sink);
        }
        text
    }

    fn joined(&self, call: Call, first: usize, between: &[u8]) -> Text {
        let mut all = Text::default();
        for number in first..=self.count(call) {
            if number > first {
                all.push(between, call.span);
            }
            let text = self.own(call, number);
            let end = text.bytes.len();
            copy(&text, (0, end), 0, |bytes, span| all.push(bytes, span));
        }
        all
    }

    fn define(&mut self, call: Call, push: bool) {
        let Some(name) = self.name(call, 1) else { return };
        let value = Value::Text(Arc::new(Definition::new(self.own(call, 2))));
        if push {
            self.macros.push(&name, value);
        } else {
            self.macros.define(&name, value);
        }
    }

    /// What has no value has none to lose, which is no error.
    fn each_name(&mut self, call: Call, change: impl Fn(&mut Self, &str)) {
        for number in 1..=self.count(call) {
            if let Some(name) = self.name(call, number) {
                change(self, &name);
            }
        }
    }

    fn defn(&mut self, call: Call) {
        for number in (1..=self.count(call)).rev() {
            let Some(name) = self.name(call, number) else { continue };
            let known = self.known(name.as_bytes());
            known.into_iter().for_each(|it| self.note_use(it));
            match known.and_then(|it| self.macros.value(it)).cloned() {
                Some(Value::Text(definition)) => {
                    let mark = self.begin_expansion();
                    let text = &definition.text;
                    self.stack.push(&self.lexicon.open, call.span);
                    self.stack.push_from(text, (0, text.bytes.len()), 0, |span| span);
                    self.stack.push(&self.lexicon.close, call.span);
                    self.end_expansion(mark);
                }
                Some(Value::Builtin(_)) => {
                    self.bad_argument(call, number, "a macro with a text (no builtin)");
                }
                None => self.bad_argument(call, number, "a macro"),
            }
        }
    }

    fn if_defined(&mut self, call: Call) {
        let known = self.known(self.argument(call, 1)).is_some();
        let number = if known { 2 } else { 3 };
        self.put_argument(call, number);
    }

    fn if_else(&mut self, call: Call) {
        let count = self.count(call);
        if count == 2 {
            self.bad_argument(call, 2, "a third argument: what it is to give");
        }
        if count < 3 {
            return;
        }
        let mut first = 1;
        loop {
            if self.argument(call, first) == self.argument(call, first + 1) {
                return self.put_argument(call, first + 2);
            }
            match count - (first - 1) {
                0..=3 => return,
                4 | 5 => return self.put_argument(call, first + 3),
                _ => first += 3,
            }
        }
    }

    fn call_builtin(&mut self, call: Call) {
        let Some(name) = self.name(call, 1) else { return };
        match Builtin::ALL.iter().find(|it| it.0 == name) {
            Some(&(_, builtin)) => self.builtin(builtin, Call { first: call.first + 1, ..call }),
            None => self.bad_argument(call, 1, "a builtin"),
        }
    }

    fn indirect(&mut self, call: Call) {
        let Some(name) = self.name(call, 1) else { return };
        let Some(symbol) = self.known(name.as_bytes()) else {
            return self.bad_argument(call, 1, "a macro");
        };
        self.note_use(symbol);
        let Some(value) = self.macros.value(symbol).cloned() else { return };
        let call = Call { name: symbol, first: call.first + 1, ..call };
        match value {
            Value::Text(definition) => self.substitute(&definition, call),
            Value::Builtin(builtin) => self.builtin(builtin, call),
        }
    }

    fn change_quote(&mut self, call: Call) {
        let (open, close) = self.delimiters(call, b"`", b"'");
        self.lexicon.open = open;
        self.lexicon.close = close;
        self.lexicon.classify();
    }

    fn change_comment(&mut self, call: Call) {
        let (open, close) = if call.parenthesis {
            self.delimiters(call, b"", b"\n")
        } else {
            (Vec::new(), b"\n".to_vec())
        };
        self.lexicon.comment = open;
        self.lexicon.comment_end = close;
        self.lexicon.classify();
    }

    fn delimiters(&self, call: Call, open: &[u8], close: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let given = |number, default: &[u8]| match self.argument(call, number) {
            [] => default.to_vec(),
            bytes => bytes.to_vec(),
        };
        if call.parenthesis && self.count(call) > 0 {
            let open = self.argument(call, 1).to_vec();
            (open, given(2, close))
        } else {
            (given(1, open), given(2, close))
        }
    }

    fn print_error(&mut self, call: Call) {
        let text = self.joined(call, 1, b" ");
        let text = String::from_utf8_lossy(&text.bytes).into_owned();
        self.out.messages.push(Message { text, span: call.span });
    }

    fn step(&mut self, call: Call, by: i32) {
        let value = self.integer(call, 1).unwrap_or(0);
        #[expect(clippy::cast_possible_truncation, reason = "m4 counts in 32 bits and wraps")]
        let value = (value as i32).wrapping_add(by);
        self.put_back_bytes(value.to_string().as_bytes(), call.span);
    }

    fn eval(&mut self, call: Call) {
        let radix = self.integer(call, 2).unwrap_or(10);
        let width = self.integer(call, 3).unwrap_or(1);
        let expression = String::from_utf8_lossy(self.argument(call, 1)).into_owned();
        let result = eval::evaluate(&expression).and_then(|value| {
            let radix = u32::try_from(radix).ok().filter(|it| (1..=36).contains(it));
            let width = usize::try_from(width).ok().filter(|&it| it <= 1 << 16);
            let digits = radix.zip(width).map(|(radix, width)| eval::digits(value, radix, width));
            digits.ok_or_else(|| "the radix must be 1 to 36, the width 0 to 65536".into())
        });
        match result {
            Ok(digits) => self.put_back_bytes(digits.as_bytes(), call.span),
            Err(what) => {
                let message = format!("`eval` cannot compute `{}`: {what}", shown(&expression));
                self.error(Diagnostic::error(Code::MacroError, call.span, message));
            }
        }
    }

    fn format(&mut self, call: Call) {
        let count = self.count(call);
        let arguments: Vec<String> = (1..=count)
            .map(|number| String::from_utf8_lossy(self.argument(call, number)).into_owned())
            .collect();
        match format::format(&arguments) {
            Ok(text) => self.put_back_bytes(text.as_bytes(), call.span),
            Err(what) => {
                let message = format!("`format` cannot be done: {what}");
                self.error(Diagnostic::error(Code::MacroError, call.span, message));
            }
        }
    }

    fn index(&mut self, call: Call) {
        let found = memchr::memmem::find(self.argument(call, 1), self.argument(call, 2));
        let text = found.map_or_else(|| "-1".to_owned(), |it| it.to_string());
        self.put_back_bytes(text.as_bytes(), call.span);
    }

    fn substring(&mut self, call: Call) {
        let length = self.argument(call, 1).len();
        let Some(start) = self.integer(call, 2) else {
            return self.put_argument(call, 1);
        };
        let given = self.integer(call, 3);
        let start = usize::try_from(start).ok().filter(|&it| it < length);
        let (Some(start), Some(range)) = (start, self.range(call, 1)) else { return };
        let count = given.map_or(length, |it| usize::try_from(it).unwrap_or(0));
        let end = start.saturating_add(count).min(length);
        let mark = self.begin_expansion();
        let part = (range.start + start, range.start + end);
        self.stack.push_from(&self.args.text, part, range.origin, |span| span);
        self.end_expansion(mark);
    }

    fn transliterate(&mut self, call: Call) {
        let from = spread(self.argument(call, 2));
        let to = spread(self.argument(call, 3));
        let mut table: [Option<u8>; 256] = [None; 256];
        for (byte, slot) in (0u8..=255).zip(&mut table) {
            *slot = Some(byte);
        }
        for (place, &byte) in from.iter().enumerate().rev() {
            table[usize::from(byte)] = to.get(place).copied();
        }
        let source = self.argument(call, 1);
        let bytes: Vec<u8> = source.iter().filter_map(|&it| table[usize::from(it)]).collect();
        let span = self.argument_span(call, 1);
        self.put_back_bytes(&bytes, span);
    }

    fn match_pattern(&mut self, call: Call) {
        self.count_calls(PATTERN_CALLS);
        let wanted = self.argument(call, 2).to_vec();
        let found = self.patterns.get(&wanted).map(|regex| {
            let template = (self.count(call) > 2).then(|| self.argument(call, 3));
            pattern::search(self.argument(call, 1), &regex, template)
        });
        self.put_match(call, found);
    }

    fn substitute_pattern(&mut self, call: Call) {
        self.count_calls(PATTERN_CALLS);
        let wanted = self.argument(call, 2).to_vec();
        let found = self.patterns.get(&wanted).map(|regex| {
            pattern::replace_all(self.argument(call, 1), &regex, self.argument(call, 3))
        });
        self.put_match(call, found);
    }

    fn put_match(&mut self, call: Call, found: Result<Vec<u8>, String>) {
        match found {
            Ok(text) => {
                let span = self.argument_span(call, 1);
                self.put_back_bytes(&text, span);
            }
            Err(what) => {
                let span = self.argument_span(call, 2);
                self.error(Diagnostic::error(Code::MacroError, span, what));
            }
        }
    }

    fn undivert(&mut self, call: Call) {
        let numbers: Vec<i64> = if self.count(call) == 0 {
            self.diversions.keys().copied().collect()
        } else {
            (1..=self.count(call)).filter_map(|number| self.integer(call, number)).collect()
        };
        for number in numbers {
            if number == self.divert {
                continue;
            }
            if let Some(text) = self.diversions.remove(&number) {
                self.emit_diverted(&text);
            }
        }
    }
}

/// A pattern takes as long as so many calls of other macros.
const PATTERN_CALLS: usize = 15;

/// Ranges such as `a-z` written out.
fn spread(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        match (bytes.get(at + 1), bytes.get(at + 2)) {
            (Some(b'-'), Some(&last)) => {
                if first <= last {
                    all.extend(first..=last);
                } else {
                    all.extend((last..=first).rev());
                }
                at += 3;
            }
            _ => {
                all.push(first);
                at += 1;
            }
        }
    }
    all
}

/// A text short enough for a message.
fn shown(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
