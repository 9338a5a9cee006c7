//! Contexts of initial SIDs and file systems.

use super::ast::{FsUseKind, GenfsFileType, Ident, StatementKind};
use super::keyword::Keyword;
use super::lexer::TokenKind;
use super::numbers::WORD;
use super::parser::{Parser, Read};
use crate::codes::Code;

impl Parser<'_> {
    pub(super) fn label_statement(&mut self, keyword: Keyword) -> Read<StatementKind> {
        match keyword {
            Keyword::Sid => self.sid(),
            Keyword::FsUseXattr => self.fs_use(FsUseKind::Xattr),
            Keyword::FsUseTask => self.fs_use(FsUseKind::Task),
            Keyword::FsUseTrans => self.fs_use(FsUseKind::Trans),
            Keyword::FsCon => self.fscon(),
            _ => self.genfscon(),
        }
    }

    /// `sid name`, or with its context.
    fn sid(&mut self) -> Read<StatementKind> {
        let name = self.ident("the name of an initial SID")?;
        let has_context = matches!(self.token.kind, TokenKind::Word(_))
            && (!self.on_later_line() || self.colon_follows());
        if !has_context {
            return Ok(StatementKind::InitialSid(name));
        }
        let context = self.context()?;
        Ok(StatementKind::SidContext { name, context })
    }

    /// Does a colon follow the next token?
    fn colon_follows(&self) -> bool {
        self.text.bytes[self.token.end..].trim_ascii_start().first() == Some(&b':')
    }

    fn fs_use(&mut self, kind: FsUseKind) -> Read<StatementKind> {
        let name = if kind == FsUseKind::Xattr {
            self.file_system()?
        } else {
            self.ident("the name of a file system")?
        };
        let context = self.context()?;
        self.ends_with(StatementKind::FsUse { kind, name, context })
    }

    /// The name of a file system, which may begin with a digit.
    fn file_system(&mut self) -> Read<Ident> {
        let (token, bytes) = (self.token, self.token_bytes());
        if token.kind != TokenKind::Odd {
            return self.ident("the name of a file system");
        }
        if !bytes.iter().all(u8::is_ascii_alphanumeric) {
            let message =
                "the name of a file system that begins with a digit is of letters and digits";
            return Err(self.fail(Code::BadName, message));
        }
        let ident = self.intern(token.start, token.end, token.span)?;
        self.advance();
        Ok(ident)
    }

    fn genfscon(&mut self) -> Read<StatementKind> {
        let fs = self.file_system()?;
        let path = self.path()?;
        let file_type = self.genfs_file_type()?;
        let context = self.context()?;
        Ok(StatementKind::GenfsCon { fs, path, file_type, context })
    }

    /// A path as it is or in quotes.
    pub(super) fn path(&mut self) -> Read<Ident> {
        let token = self.token;
        let is_quoted_path =
            token.kind == TokenKind::String && self.text.bytes.get(token.start + 1) == Some(&b'/');
        let (start, end) = match token.kind {
            TokenKind::Path => (token.start, token.end),
            _ if is_quoted_path => (token.start + 1, token.end - 1),
            _ => return Err(self.expected("a path that begins with `/`")),
        };
        let ident = self.intern(start, end, self.text.span(start))?;
        self.advance();
        Ok(ident)
    }

    fn genfs_file_type(&mut self) -> Read<Option<GenfsFileType>> {
        if !self.eat(TokenKind::Minus) {
            return Ok(None);
        }
        let file_type = match (self.token.kind, self.token_bytes()) {
            (TokenKind::Minus, _) => GenfsFileType::Regular,
            (TokenKind::Word(_), b"b") => GenfsFileType::Block,
            (TokenKind::Word(_), b"c") => GenfsFileType::Character,
            (TokenKind::Word(_), b"d") => GenfsFileType::Directory,
            (TokenKind::Word(_), b"p") => GenfsFileType::Fifo,
            (TokenKind::Word(_), b"l") => GenfsFileType::Link,
            (TokenKind::Word(_), b"s") => GenfsFileType::Socket,
            _ => {
                let help = "the file types are -b, -c, -d, -p, -l, -s and --";
                return Err(self.expected_with_help("a file type after `-`", help));
            }
        };
        self.advance();
        Ok(Some(file_type))
    }

    fn fscon(&mut self) -> Read<StatementKind> {
        let major = self.number(WORD, "a major number")?;
        let minor = self.number(WORD, "a minor number")?;
        let fs = self.context()?;
        let files = self.context()?;
        Ok(StatementKind::FsCon { major, minor, fs, files })
    }
}
