//! The parser's core: what it is asked, the tokens it looks at, and the run over statements.

use super::ast::{Ident, Slice, Statement, StatementKind, Unit};
use super::expressions::Operator;
use super::keyword::{Group, Keyword};
use super::lexer::{Lexer, Token, TokenKind};
use super::order::Order;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::{SourceFile, Span};
use crate::text::Text;

/// Blocks, braces and parentheses nest no deeper.
pub const MAX_DEPTH: usize = 256;

/// Names, paths and strings are no longer, as in checkpolicy.
pub const MAX_NAME_BYTES: usize = 8191;

/// After so many diagnostics the rest of the text is not read.
pub const MAX_DIAGNOSTICS: usize = 1000;

/// What a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceKind {
    /// A file as checkpolicy or checkmodule takes it: `policy.conf`, or a module that begins with `module`.
    #[default]
    Policy,
    /// A part of a source tree after macro expansion: statements of all kinds in any order. A word before a parenthesis is a
    /// call of a macro that nobody defines.
    Expanded,
}

/// How a text is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// What it is.
    pub kind: SourceKind,
}

/// A call of something that is no macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCall {
    /// What is called.
    pub name: Ident,
    /// With how many arguments.
    pub arguments: usize,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The statements; without those that have an error.
    pub unit: Unit,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Calls left over in an expanded text. No diagnostic tells of them: who knows the macros can say more.
    pub unknown_calls: Vec<UnknownCall>,
}

/// Reads `text`. Always gives what could be read.
pub fn parse(text: &Text, options: ParseOptions) -> Parsed {
    let mut parser = Parser::new(text, options);
    parser.unit_of_text();
    parser.unit.names = parser.lexer.names;
    Parsed {
        unit: parser.unit,
        diagnostics: parser.diagnostics,
        unknown_calls: parser.unknown_calls,
    }
}

/// Reads a whole file. [`SourceMap::honour_line_marks`](crate::source::SourceMap::honour_line_marks) makes places in it those
/// that its `#line` marks name.
pub fn parse_file(file: &SourceFile, options: ParseOptions) -> Parsed {
    parse(&Text::of_file(file), options)
}

/// The statement cannot be read; that was reported.
#[derive(Debug)]
pub(super) struct Failed;

pub(super) type Read<T> = Result<T, Failed>;

/// What statements stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The top of a base policy.
    Policy,
    /// The top of a module for checkmodule.
    Module,
    /// The top of an expanded text.
    Expanded,
    /// A block of `optional`.
    Optional,
    /// A block of `if`.
    Conditional,
}

/// What is known of the block being read.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) place: Place,
    /// The first `user` of a block where users stand last.
    user: Option<Span>,
    /// Was it said that something may not stand in it? Once is enough.
    complained: bool,
    /// Is there anything in it?
    pub(super) filled: bool,
}

impl Block {
    pub(super) fn new(place: Place) -> Self {
        Self { place, user: None, complained: false, filled: false }
    }
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a Text,
    pub(super) lexer: Lexer<'a>,
    /// The next token.
    pub(super) token: Token,
    /// One past the token before.
    pub(super) last_end: usize,
    /// The first word of the statement being read.
    pub(super) statement_start: Span,
    pub(super) unit: Unit,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) unknown_calls: Vec<UnknownCall>,
    pub(super) expanded: bool,
    pub(super) depth: usize,
    /// How many braces of the statement being read are open.
    pub(super) open_braces: usize,
    /// Operators that wait for their operands.
    pub(super) operators: Vec<Operator>,
    /// Was there a call without an end? Then another one ends the search.
    pub(super) unclosed_call: bool,
    /// Was a block reported that the text ends in?
    pub(super) reported_unclosed: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a Text, options: ParseOptions) -> Self {
        let mut lexer = Lexer::new(text);
        let token = lexer.next();
        Self {
            text,
            lexer,
            token,
            last_end: 0,
            statement_start: Span::NOWHERE,
            unit: Unit::default(),
            diagnostics: Vec::new(),
            unknown_calls: Vec::new(),
            expanded: options.kind == SourceKind::Expanded,
            depth: 0,
            open_braces: 0,
            operators: Vec::new(),
            unclosed_call: false,
            reported_unclosed: false,
        }
    }

    fn unit_of_text(&mut self) {
        self.byte_order_mark();
        let mut statements = Vec::new();
        let place = self.top(&mut statements);
        let mut block = Block::new(place);
        let mut order = Order::default();
        loop {
            self.statements(&mut block, &mut order, &mut statements);
            match self.token.kind {
                TokenKind::Close => self.stray_brace(),
                _ => break,
            }
        }
        self.unit.statements = statements;
        self.carriage_returns();
    }

    /// Reads the header of a module, and tells what follows.
    fn top(&mut self, statements: &mut Vec<Statement>) -> Place {
        let is_module = self.token.kind == TokenKind::Keyword(Keyword::Module);
        if is_module {
            let span = self.token.span;
            self.advance();
            match self.module() {
                Ok(kind) => statements.push(Statement { span, kind }),
                Err(Failed) => self.resynchronise(),
            }
        }
        match (self.expanded, is_module) {
            (true, _) => Place::Expanded,
            (false, true) => Place::Module,
            (false, false) => Place::Policy,
        }
    }

    /// Reads statements up to a closing brace or the end.
    pub(super) fn statements(
        &mut self,
        block: &mut Block,
        order: &mut Order,
        statements: &mut Vec<Statement>,
    ) {
        while self.diagnostics.len() < MAX_DIAGNOSTICS {
            match self.token.kind {
                TokenKind::Keyword(keyword) if keyword.begins_statement() => {
                    self.keyword_statement(keyword, block, order, statements);
                }
                TokenKind::Close | TokenKind::End => return,
                TokenKind::Semicolon => self.lone_semicolon(block, order),
                TokenKind::Word(symbol) => self.unknown_word(symbol),
                _ => self.no_statement(),
            }
            block.filled = true;
        }
        self.stop();
    }

    fn keyword_statement(
        &mut self,
        keyword: Keyword,
        block: &mut Block,
        order: &mut Order,
        statements: &mut Vec<Statement>,
    ) {
        let allowed = self.check_place(keyword, block);
        let span = self.token.span;
        let before = statements.len();
        self.open_braces = 0;
        self.advance();
        match self.statement(keyword, span, statements) {
            Ok(kind) => {
                if allowed && self.check_kind(&kind, span, block.place) {
                    if block.place == Place::Policy {
                        self.check_order(&kind, span, order);
                    }
                    statements.push(Statement { span, kind });
                }
            }
            Err(Failed) => self.resynchronise(),
        }
        if !allowed {
            statements.truncate(before);
        }
    }

    /// Reads a statement behind its first word, which is at `span`. What stands before it for its sake goes to `statements`.
    fn statement(
        &mut self,
        keyword: Keyword,
        span: Span,
        statements: &mut Vec<Statement>,
    ) -> Read<StatementKind> {
        self.statement_start = span;
        match keyword.group() {
            Group::Rule => self.rule(keyword),
            Group::Te => self.te_statement(keyword),
            Group::Require => self.require(),
            Group::Block if keyword == Keyword::If => self.conditional(),
            Group::Block => self.optional(),
            Group::User => self.user(),
            Group::Capability => {
                let name = self.ident("the name of a policy capability")?;
                self.semicolon()?;
                Ok(StatementKind::PolicyCapability(name))
            }
            Group::Module => self.module(),
            Group::Global if keyword == Keyword::Dominance => self.dominance(span, statements),
            Group::Global => self.global_statement(keyword),
            Group::None => Err(self.expected("a statement")),
        }
    }

    fn te_statement(&mut self, keyword: Keyword) -> Read<StatementKind> {
        match keyword {
            Keyword::NeverAllow | Keyword::NeverAllowXperm => self.rule(keyword),
            Keyword::RangeTransition => self.range_transition(),
            Keyword::Role
            | Keyword::RoleAttribute
            | Keyword::AttributeRole
            | Keyword::RoleTransition => self.role_statement(keyword),
            _ => self.type_statement(keyword),
        }
    }

    fn global_statement(&mut self, keyword: Keyword) -> Read<StatementKind> {
        match keyword {
            Keyword::Class
            | Keyword::Common
            | Keyword::DefaultUser
            | Keyword::DefaultRole
            | Keyword::DefaultType
            | Keyword::DefaultRange => self.class_statement(keyword),
            Keyword::Sensitivity | Keyword::Category | Keyword::Level => {
                self.mls_statement(keyword)
            }
            Keyword::Constrain | Keyword::MlsConstrain => {
                self.constrain(keyword == Keyword::MlsConstrain)
            }
            Keyword::ValidateTrans | Keyword::MlsValidateTrans => {
                self.validate_trans(keyword == Keyword::MlsValidateTrans)
            }
            Keyword::Sid
            | Keyword::FsCon
            | Keyword::FsUseXattr
            | Keyword::FsUseTask
            | Keyword::FsUseTrans
            | Keyword::GenfsCon => self.label_statement(keyword),
            _ => self.object_statement(keyword),
        }
    }

    /// May a statement of `keyword` stand in `block`? Says so if not.
    fn check_place(&mut self, keyword: Keyword, block: &mut Block) -> bool {
        let group = keyword.group();
        let allowed = match block.place {
            Place::Conditional => matches!(group, Group::Rule | Group::Require),
            Place::Optional | Place::Module => {
                !matches!(group, Group::Capability | Group::Global | Group::Module)
            }
            Place::Policy => !matches!(group, Group::Require | Group::Module),
            Place::Expanded => group != Group::Module,
        };
        if !allowed {
            if !block.complained {
                block.complained = true;
                self.misplaced(keyword, block.place);
            }
        } else if matches!(block.place, Place::Optional | Place::Module) {
            self.check_user(group, block);
        }
        allowed
    }

    /// In optional blocks and modules users stand last.
    fn check_user(&mut self, group: Group, block: &mut Block) {
        match block.user {
            None if group == Group::User => block.user = Some(self.token.span),
            Some(user) if group != Group::User && !block.complained => {
                block.complained = true;
                self.after_user(user);
            }
            _ => {}
        }
    }

    pub(super) fn advance(&mut self) {
        self.last_end = self.token.end;
        self.token = self.lexer.next();
    }

    /// Takes the next token if it is `kind`.
    pub(super) fn eat(&mut self, kind: TokenKind) -> bool {
        let is = self.token.kind == kind;
        if is {
            self.advance();
        }
        is
    }

    pub(super) fn eat_keyword(&mut self, keyword: Keyword) -> bool {
        self.eat(TokenKind::Keyword(keyword))
    }

    /// Takes a token of `kind`, described by `what`.
    pub(super) fn expect(&mut self, kind: TokenKind, what: &str) -> Read<()> {
        if self.eat(kind) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// Takes a name.
    pub(super) fn ident(&mut self, what: &str) -> Read<Ident> {
        let TokenKind::Word(name) = self.token.kind else {
            return Err(self.expected_name(what));
        };
        if self.token.end - self.token.start > MAX_NAME_BYTES {
            return Err(self.too_long());
        }
        let ident = Ident { name, span: self.token.span };
        self.advance();
        Ok(ident)
    }

    /// Interns part of the text, which begins at `span`.
    pub(super) fn intern(&mut self, start: usize, end: usize, span: Span) -> Read<Ident> {
        if end - start > MAX_NAME_BYTES {
            return Err(self.too_long());
        }
        match std::str::from_utf8(&self.text.bytes[start..end]) {
            Ok(name) => Ok(Ident { name: self.lexer.names.intern(name), span }),
            Err(fault) => {
                let at = self.text.span(start + fault.valid_up_to());
                self.report(
                    Diagnostic::error(Code::BadBytes, at, "this is not UTF-8")
                        .help("write names and paths in ASCII or UTF-8"),
                );
                Err(Failed)
            }
        }
    }

    /// The bytes of the next token.
    pub(super) fn token_bytes(&self) -> &'a [u8] {
        &self.text.bytes[self.token.start..self.token.end]
    }

    pub(super) fn word_is(&self, word: &[u8]) -> bool {
        matches!(self.token.kind, TokenKind::Word(_)) && self.token_bytes() == word
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        }
    }

    /// The list of plain names from `start` on.
    pub(super) fn idents_from(&self, start: u32) -> Slice {
        Slice { start, end: pool_index(self.unit.idents.len()) }
    }

    pub(super) fn idents_start(&self) -> u32 {
        pool_index(self.unit.idents.len())
    }
}

/// Place in a pool. No pool has more elements than the text has bytes.
pub(super) fn pool_index(length: usize) -> u32 {
    u32::try_from(length).expect("sources take less than 4 GiB")
}
