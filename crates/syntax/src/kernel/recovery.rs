//! What is said about text that cannot be read, and where reading goes on.

use super::ast::{Ident, StatementKind};
use super::keyword::{Group, Keyword};
use super::lexer::{TokenKind, line_end};
use super::order::Order;
use super::parser::{Block, Failed, MAX_NAME_BYTES, Parser, Place, UnknownCall};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::names::Symbol;
use crate::source::Span;

impl Parser<'_> {
    /// Reports that `what` is expected.
    pub(super) fn expected(&mut self, what: &str) -> Failed {
        let diagnostic = self.unexpected(what);
        self.report(diagnostic);
        Failed
    }

    /// As [`Self::expected`], and what to do.
    pub(super) fn expected_with_help(&mut self, what: &str, help: &str) -> Failed {
        let diagnostic = self.unexpected(what).help(help);
        self.report(diagnostic);
        Failed
    }

    /// As [`Self::expected`] where a name is expected, which a reserved word cannot be.
    pub(super) fn expected_name(&mut self, what: &str) -> Failed {
        let mut diagnostic = self.unexpected(what);
        if matches!(self.token.kind, TokenKind::Keyword(_)) && !self.on_later_line() {
            let found = self.found();
            diagnostic =
                diagnostic.note(format!("{found} is a reserved word, which cannot be a name"));
        }
        self.report(diagnostic);
        Failed
    }

    /// Reports `message` at the next token.
    pub(super) fn fail(&mut self, code: Code, message: impl Into<String>) -> Failed {
        let span = self.token.span;
        self.report(Diagnostic::error(code, span, message));
        Failed
    }

    /// What to say where `what` is expected.
    fn unexpected(&self, what: &str) -> Diagnostic {
        let found = self.found();
        let (code, span) = match self.token.kind {
            TokenKind::BadBytes => (Code::BadBytes, self.token.span),
            TokenKind::UnclosedString => (Code::UnclosedString, self.token.span),
            TokenKind::Odd => (Code::BadName, self.token.span),
            _ if self.on_later_line() => (Code::UnexpectedToken, self.after_last()),
            _ => (Code::UnexpectedToken, self.token.span),
        };
        let diagnostic = Diagnostic::error(code, span, format!("expected {what}, found {found}"));
        match self.token.kind {
            TokenKind::Odd => diagnostic.help("a name begins with a letter"),
            TokenKind::UnclosedString => diagnostic.help("end it with `\"` on the same line"),
            TokenKind::Stray if matches!(self.token_bytes(), b"`" | b"'") => diagnostic.help(
                "it is a quote of m4 left over: check the quotes of the macro calls before it",
            ),
            TokenKind::Stray if self.token_bytes() == b"$" => {
                diagnostic.help("an argument of a macro has a meaning in the macro's body only")
            }
            TokenKind::Stray if self.token_bytes() == b"=" => diagnostic.help("equality is `==`"),
            TokenKind::OpenParen => diagnostic
                .help("a macro that nobody defines stays as it is written: is its name right?"),
            _ => diagnostic,
        }
    }

    /// The next token in words.
    fn found(&self) -> String {
        let bytes = self.token_bytes();
        match self.token.kind {
            TokenKind::End => "the end of the text".to_owned(),
            TokenKind::BadBytes => format!("the byte {:#04x}", bytes.first().copied().unwrap_or(0)),
            TokenKind::UnclosedString => "a string that is not closed".to_owned(),
            _ => format!("`{}`", shortened(bytes)),
        }
    }

    /// Is there a line end between the token before and the next one?
    pub(super) fn on_later_line(&self) -> bool {
        self.token.kind == TokenKind::End
            || self.text.bytes[self.last_end..self.token.start].contains(&b'\n')
    }

    /// The place right behind the token before.
    pub(super) fn after_last(&self) -> Span {
        match self.last_end.checked_sub(1) {
            Some(last) => self.text.span(last).forward(1),
            None => self.token.span,
        }
    }

    /// Takes the semicolon that ends a statement.
    pub(super) fn semicolon(&mut self) -> Result<(), Failed> {
        self.semicolon_or("`;`")
    }

    /// Takes the semicolon that ends a statement, which could go on with what else is in `what`.
    pub(super) fn semicolon_or(&mut self, what: &str) -> Result<(), Failed> {
        if self.eat(TokenKind::Semicolon) {
            return Ok(());
        }
        let begins = match self.token.kind {
            TokenKind::Keyword(keyword) => keyword.begins_statement(),
            TokenKind::Close => true,
            TokenKind::Word(_) | TokenKind::End => false,
            _ => return Err(self.expected(what)),
        };
        if !begins && !self.on_later_line() {
            return Err(self.expected(what));
        }
        let span = self.after_last();
        let it = Diagnostic::error(Code::MissingSemicolon, span, "a semicolon is missing")
            .label("expected `;` here");
        // Where the end came through another macro, it matters where the statement began.
        let elsewhere = span.expansion != self.statement_start.expansion;
        self.report(if elsewhere { it.and(self.statement_start, "of this statement") } else { it });
        Ok(())
    }

    /// Goes on where the next statement may begin.
    pub(super) fn resynchronise(&mut self) {
        let mut depth = std::mem::take(&mut self.open_braces);
        loop {
            match self.token.kind {
                TokenKind::End => return,
                TokenKind::Semicolon if depth == 0 => {
                    self.advance();
                    return;
                }
                TokenKind::Open => depth += 1,
                // At the top no block is open that the brace could close.
                TokenKind::Close if depth == 0 && self.depth > 0 => return,
                TokenKind::Close => depth = depth.saturating_sub(1),
                TokenKind::Keyword(keyword)
                    if keyword.begins_statement() && self.first_on_line() =>
                {
                    return;
                }
                TokenKind::Word(_) if self.expanded && self.first_on_line() && self.is_call() => {
                    return;
                }
                _ => {}
            }
            self.advance();
        }
    }

    /// Does a parenthesis follow the next token?
    fn is_call(&self) -> bool {
        self.text.bytes.get(self.token.end) == Some(&b'(')
    }

    /// Is there nothing but blanks before the next token on its line?
    fn first_on_line(&self) -> bool {
        let before = &self.text.bytes[self.last_end..self.token.start];
        let blank = |it: &u8| matches!(it, b' ' | b'\t' | b'\r' | b'\x0c');
        before.iter().rev().find(|it| !blank(it)) == Some(&b'\n')
    }

    /// Goes to the brace that opens a block, to read it though its header is wrong.
    pub(super) fn find_block(&mut self) -> bool {
        loop {
            match self.token.kind {
                TokenKind::Open => return true,
                TokenKind::End | TokenKind::Close | TokenKind::Semicolon => return false,
                TokenKind::Keyword(keyword) if keyword.begins_statement() => return false,
                _ => self.advance(),
            }
        }
    }

    /// Skips a block nested too deeply, from its opening brace to the closing one.
    pub(super) fn skip_block(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.token.kind {
                TokenKind::End => return,
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.advance();
            if depth == 0 {
                return;
            }
        }
    }

    /// Stops reading.
    pub(super) fn stop(&mut self) {
        self.lexer.go_to(self.text.bytes.len());
        self.advance();
    }

    pub(super) fn too_long(&mut self) -> Failed {
        self.fail(Code::BadName, format!("a name has more than {MAX_NAME_BYTES} bytes"))
    }

    pub(super) fn unclosed(&mut self, open: Span, what: &str) -> Failed {
        let found = self.found();
        let span = self.token.span;
        self.open_braces = 0;
        self.report(
            Diagnostic::error(Code::UnclosedBlock, open, "this brace is not closed")
                .label("opened here")
                .and(span, format!("expected {what}, found {found}")),
        );
        Failed
    }

    pub(super) fn too_deep(&mut self, span: Span, what: &str) -> Failed {
        let message = format!("{what} nest more than {} deep", super::parser::MAX_DEPTH);
        self.report(Diagnostic::error(Code::TooDeep, span, message));
        Failed
    }

    pub(super) fn stray_brace(&mut self) {
        self.report(
            Diagnostic::error(Code::UnexpectedToken, self.token.span, "this `}` closes nothing")
                .help("remove it, or look for a `{` that is missing before it"),
        );
        self.advance();
    }

    /// A semicolon without a statement.
    pub(super) fn lone_semicolon(&mut self, block: &Block, order: &Order) {
        let span = self.token.span;
        if block.place == Place::Conditional {
            self.report(
                Diagnostic::error(
                    Code::NotAllowedHere,
                    span,
                    "a semicolon alone may not stand in a conditional block",
                )
                .help("remove it"),
            );
        } else if block.place == Place::Policy && !order.among_rules(self.global_follows()) {
            self.report(
                Diagnostic::error(
                    Code::UnexpectedToken,
                    span,
                    "a semicolon alone may stand between rules and declarations only",
                )
                .help("remove it: the statement before it has none"),
            );
        }
        self.advance();
    }

    /// Does a statement of the whole policy follow the next token?
    fn global_follows(&self) -> bool {
        let word = word_at(self.text.bytes[self.token.end..].trim_ascii_start());
        let symbol = self.lexer.names.get_bytes(word);
        symbol.and_then(Keyword::of).is_some_and(|it| it.group() == Group::Global)
    }

    /// Something no statement begins with.
    pub(super) fn no_statement(&mut self) {
        let TokenKind::Keyword(Keyword::Else) = self.token.kind else {
            let diagnostic = self.unexpected("a statement");
            self.report(Diagnostic { span: self.token.span, ..diagnostic });
            return self.resynchronise();
        };
        self.report(
            Diagnostic::error(
                Code::UnexpectedToken,
                self.token.span,
                "`else` follows no block of `if` or `optional`",
            )
            .help("`else` stands right behind the closing brace; an `if` or `optional` has one `else`"),
        );
        self.advance();
        if self.token.kind == TokenKind::Open { self.skip_block() } else { self.resynchronise() }
    }

    /// A name where a statement should begin.
    pub(super) fn unknown_word(&mut self, name: Symbol) {
        let ident = Ident { name, span: self.token.span };
        let bytes = self.token_bytes();
        self.advance();
        if self.token.kind == TokenKind::OpenParen {
            return self.unknown_call(ident, bytes);
        }
        let text = shortened(bytes);
        let mut diagnostic = Diagnostic::error(
            Code::UnknownStatement,
            ident.span,
            format!("no statement begins with `{text}`"),
        );
        if let Some(near) = near_statement(&text) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        self.report(diagnostic);
        self.resynchronise();
    }

    fn unknown_call(&mut self, name: Ident, text: &[u8]) {
        let Some((end, arguments)) = call_end(&self.text.bytes[self.token.start..]) else {
            return self.unclosed_call(name, text);
        };
        self.lexer.go_to(self.token.start + end);
        self.advance();
        self.eat(TokenKind::Semicolon);
        if self.expanded {
            self.unknown_calls.push(UnknownCall { name, arguments });
            return;
        }
        let message = format!("no statement begins with `{}`", shortened(text));
        self.report(
            Diagnostic::error(Code::UnknownStatement, name.span, message)
                .help("calls of macros are expanded by m4 before the policy is compiled"),
        );
    }

    fn unclosed_call(&mut self, name: Ident, text: &[u8]) {
        let message = format!("the parenthesis of the call of `{}` is not closed", shortened(text));
        self.report(Diagnostic::error(Code::UnclosedCall, name.span, message));
        if std::mem::replace(&mut self.unclosed_call, true) {
            return self.stop();
        }
        self.lexer.go_to(line_end(&self.text.bytes, self.token.start));
        self.advance();
        self.resynchronise();
    }

    pub(super) fn misplaced(&mut self, keyword: Keyword, place: Place) {
        let text = keyword.text();
        let (message, help) = match (place, keyword.group()) {
            (_, Group::Module) => {
                ("`module` may stand at the beginning only".to_owned(), "a text is one module")
            }
            (Place::Conditional, _) => (
                format!("`{text}` may not stand in a conditional block"),
                "an `if` takes access vector rules, type rules and `require` only",
            ),
            (Place::Policy, _) => (
                format!("`{text}` may not stand at the top of a policy"),
                "requirements belong in modules and optional blocks; here declare what is needed",
            ),
            (Place::Module, _) => {
                (format!("`{text}` may not stand in a module"), "it belongs in the base policy")
            }
            (Place::Optional | Place::Expanded, _) => (
                format!("`{text}` may not stand in an optional block"),
                "it is of the whole policy: move it out of the block",
            ),
        };
        let span = self.token.span;
        self.report(Diagnostic::error(Code::NotAllowedHere, span, message).help(help));
    }

    pub(super) fn after_user(&mut self, user: Span) {
        let span = self.token.span;
        self.report(
            Diagnostic::error(
                Code::NotAllowedHere,
                span,
                "after a `user` only users may follow in this block",
            )
            .and(user, "the first user is here")
            .help("move the users to the end of the block"),
        );
    }

    /// Is a statement right for its place, now that it is read?
    pub(super) fn check_kind(&mut self, kind: &StatementKind, span: Span, place: Place) -> bool {
        if place != Place::Conditional {
            return true;
        }
        let what = match kind {
            StatementKind::RoleAllow { .. } => "an `allow` of roles",
            StatementKind::TypeRule(rule) if rule.name.is_some() => {
                "a `type_transition` with a file name"
            }
            _ => return true,
        };
        let message = format!("{what} may not stand in a conditional block");
        self.report(
            Diagnostic::error(Code::NotAllowedHere, span, message)
                .help("move it out of the block: it cannot depend on a boolean"),
        );
        false
    }

    pub(super) fn byte_order_mark(&mut self) {
        if self.text.bytes.starts_with(b"\xef\xbb\xbf") {
            self.report(
                Diagnostic::error(
                    Code::BadBytes,
                    self.text.span(0),
                    "the text begins with a byte order mark",
                )
                .help("save the file as UTF-8 without a byte order mark"),
            );
        }
    }

    pub(super) fn carriage_returns(&mut self) {
        if let Some(at) = self.lexer.carriage_return {
            let span = self.text.span(at);
            self.report(
                Diagnostic::error(
                    Code::BadBytes,
                    span,
                    "a carriage return is no blank of the language",
                )
                .note("only the first one is reported")
                .help("the file seems to have line ends of Windows: convert it with `dos2unix`"),
            );
        }
    }
}

/// Bytes for a message.
pub(super) fn shortened(bytes: &[u8]) -> String {
    const LONGEST: usize = 60;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).into_owned();
    if bytes.len() > LONGEST { text + "…" } else { text }
}

/// The word that `bytes` begin with.
pub(super) fn word_at(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|it| !it.is_ascii_alphanumeric() && *it != b'_');
    &bytes[..end.unwrap_or(bytes.len())]
}

/// A word that begins a statement and looks like `text`.
fn near_statement(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let distance = |keyword: &&Keyword| strsim::osa_distance(keyword.text(), &lower);
    let near = Keyword::ALL.iter().filter(|it| it.begins_statement()).min_by_key(distance)?;
    let close = match lower.chars().count() {
        0..=3 => 1,
        4..=8 => 2,
        _ => 3,
    };
    (distance(&near) <= close).then_some(near.text())
}

/// Where the call ends whose opening parenthesis `bytes` begin with, and how many arguments it has.
fn call_end(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut depth = 0_usize;
    let mut quotes = 0_usize;
    let mut commas = 0;
    let mut blank = true;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'#' => at = line_end(bytes, at),
            b'`' => quotes += 1,
            b'\'' => quotes = quotes.saturating_sub(1),
            _ if quotes > 0 => {}
            b'(' => depth += 1,
            b')' if depth == 1 => {
                let arguments = if blank { 0 } else { commas + 1 };
                return Some((at + 1, arguments));
            }
            b')' => depth -= 1,
            b',' if depth == 1 => commas += 1,
            _ => {}
        }
        blank &= at == 0 || byte.is_ascii_whitespace() || byte == b'#';
        at += 1;
    }
    None
}
