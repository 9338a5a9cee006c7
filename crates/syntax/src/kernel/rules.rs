//! Access vector rules, type rules and range transitions.

use super::ast::{
    AvKind, AvRule, Ident, MlsRange, Slice, StatementKind, TypeRule, TypeRuleKind, XpermKind,
    XpermRule,
};
use super::keyword::Keyword;
use super::lexer::TokenKind;
use super::numbers::EXTENDED_PERMISSION;
use super::parser::{Parser, Read, pool_index};
use crate::codes::Code;

impl Parser<'_> {
    /// Reads what may stand in a conditional block, and `neverallow`.
    pub(super) fn rule(&mut self, keyword: Keyword) -> Read<StatementKind> {
        match keyword {
            Keyword::Allow => self.av_rule(AvKind::Allow),
            Keyword::AuditAllow => self.av_rule(AvKind::AuditAllow),
            Keyword::AuditDeny => self.av_rule(AvKind::AuditDeny),
            Keyword::DontAudit => self.av_rule(AvKind::DontAudit),
            Keyword::NeverAllow => self.av_rule(AvKind::NeverAllow),
            Keyword::AllowXperm => self.xperm_rule(XpermKind::Allow),
            Keyword::AuditAllowXperm => self.xperm_rule(XpermKind::AuditAllow),
            Keyword::DontAuditXperm => self.xperm_rule(XpermKind::DontAudit),
            Keyword::NeverAllowXperm => self.xperm_rule(XpermKind::NeverAllow),
            Keyword::TypeMember => self.type_rule(TypeRuleKind::Member),
            Keyword::TypeChange => self.type_rule(TypeRuleKind::Change),
            _ => self.type_rule(TypeRuleKind::Transition),
        }
    }

    fn av_rule(&mut self, kind: AvKind) -> Read<StatementKind> {
        let source = self.set("a source type")?;
        let target = self.set("a target type")?;
        if self.token.kind != TokenKind::Colon && kind == AvKind::Allow {
            self.semicolon_or("`:` and a class, or `;` after the roles")?;
            return Ok(StatementKind::RoleAllow { source, target });
        }
        self.expect(TokenKind::Colon, "`:` and a class")?;
        let classes = self.names("a class after `:`")?;
        let permissions = self.set("a permission after the class")?;
        self.end_of_permissions()?;
        Ok(StatementKind::Av(AvRule { kind, source, target, classes, permissions }))
    }

    fn end_of_permissions(&mut self) -> Read<()> {
        if matches!(self.token.kind, TokenKind::Word(_)) && !self.on_later_line() {
            return Err(self.expected_with_help("`;`", "several permissions stand in braces"));
        }
        self.semicolon()
    }

    fn xperm_rule(&mut self, kind: XpermKind) -> Read<StatementKind> {
        let source = self.set("a source type")?;
        let target = self.set("a target type")?;
        self.expect(TokenKind::Colon, "`:` and a class")?;
        let classes = self.names("a class after `:`")?;
        let operation = self.operation()?;
        let complement = self.eat(TokenKind::Tilde);
        let ranges = self.xperm_ranges()?;
        self.semicolon()?;
        let rule = XpermRule { kind, source, target, classes, operation, ranges, complement };
        Ok(StatementKind::Xperm(rule))
    }

    fn operation(&mut self) -> Read<Ident> {
        if self.word_is(b"ioctl") || self.word_is(b"nlmsg") {
            self.ident("`ioctl` or `nlmsg`")
        } else {
            Err(self.expected("`ioctl` or `nlmsg`"))
        }
    }

    /// `0x1` or `{ 0x1 0x5-0x7 }`, nested braces flattened.
    fn xperm_ranges(&mut self) -> Read<Slice> {
        const WHAT: &str = "an extended permission such as 0x5401";
        let start = pool_index(self.unit.number_ranges.len());
        if self.token.kind == TokenKind::Open {
            self.braced_ranges()?;
        } else {
            let range = self.number(EXTENDED_PERMISSION, WHAT)?;
            if self.token.kind == TokenKind::Minus {
                return Err(self.expected_with_help("`;`", "a range stands in braces"));
            }
            self.unit.number_ranges.push(range);
        }
        Ok(Slice { start, end: pool_index(self.unit.number_ranges.len()) })
    }

    fn braced_ranges(&mut self) -> Read<()> {
        const WHAT: &str = "a number";
        let mut braces = self.open();
        loop {
            match self.token.kind {
                TokenKind::Number => {
                    let range = self.number_range(EXTENDED_PERMISSION, WHAT)?;
                    self.unit.number_ranges.push(range);
                    braces.filled = true;
                }
                TokenKind::Open => self.deeper(&mut braces)?,
                TokenKind::Close => {
                    if self.close(&mut braces, WHAT)? {
                        return Ok(());
                    }
                }
                TokenKind::Word(_) | TokenKind::Odd => {
                    return Err(self.expected_with_help(
                        "a number or `}`",
                        "extended permissions are numbers such as 0x5401",
                    ));
                }
                _ => return Err(self.not_in_braces(braces.open)),
            }
        }
    }

    fn type_rule(&mut self, kind: TypeRuleKind) -> Read<StatementKind> {
        let source = self.set("a source type")?;
        let target = self.set("a target type")?;
        self.expect(TokenKind::Colon, "`:` and a class")?;
        let classes = self.names("a class after `:`")?;
        let result = self.ident("the new type")?;
        let name = self.file_name(kind)?;
        self.semicolon_or(match (kind, name) {
            (TypeRuleKind::Transition, None) => "`;` or a file name in quotes",
            _ => "`;`",
        })?;
        Ok(StatementKind::TypeRule(TypeRule { kind, source, target, classes, result, name }))
    }

    /// The file name of a transition, without its quotes.
    fn file_name(&mut self, kind: TypeRuleKind) -> Read<Option<Ident>> {
        let token = self.token;
        if token.kind != TokenKind::String {
            return Ok(None);
        }
        if kind != TypeRuleKind::Transition {
            return Err(self.expected_with_help("`;`", "only `type_transition` takes a file name"));
        }
        let (start, end) = (token.start + 1, token.end - 1);
        if start == end {
            return Err(self.fail(Code::BadName, "the file name is empty"));
        }
        if self.text.bytes[start..end].contains(&b'/') {
            let failed = self.fail(
                Code::BadName,
                "the file name of a transition has no `/`: it is the last component of a path",
            );
            return Err(failed);
        }
        let ident = self.intern(start, end, token.span.forward(1))?;
        self.advance();
        Ok(Some(ident))
    }

    pub(super) fn range_transition(&mut self) -> Read<StatementKind> {
        let source = self.set("a source type")?;
        let target = self.set("a target type")?;
        let classes = if self.eat(TokenKind::Colon) {
            self.names("a class after `:`")?
        } else {
            Slice::default()
        };
        let range: Box<MlsRange> = Box::new(self.mls_range("the new range")?);
        self.semicolon_or("`;` or `-` and a high level")?;
        Ok(StatementKind::RangeTransition { source, target, classes, range })
    }
}
