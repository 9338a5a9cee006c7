//! Expressions with operators, read into postfix order.

use super::keyword::Keyword;
use super::lexer::TokenKind;
use super::parser::{MAX_DEPTH, Parser, Read};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// An operator, or a parenthesis, that waits for what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Open(Span),
    Or,
    Xor,
    And,
    Not,
    Eq,
    Ne,
}

impl Operator {
    /// Those with more take their operands first.
    fn strength(self) -> u8 {
        match self {
            Self::Open(_) => 0,
            Self::Or => 1,
            Self::Xor => 2,
            Self::And => 3,
            Self::Not => 4,
            Self::Eq | Self::Ne => 5,
        }
    }
}

/// What an expression is made of.
pub(super) struct Grammar<'a> {
    /// Reads an operand.
    pub(super) operand: fn(&mut Parser<'a>) -> Read<()>,
    /// Takes an operator whose operands were read.
    pub(super) emit: fn(&mut Parser<'a>, Operator),
    /// Are `^`, `==` and `!=` operators?
    pub(super) comparisons: bool,
}

impl<'a> Parser<'a> {
    /// Reads an expression up to what cannot belong to it.
    pub(super) fn expression(&mut self, grammar: &Grammar<'a>) -> Read<()> {
        self.operators.clear();
        let mut parentheses = 0_usize;
        loop {
            self.prefixes(&mut parentheses)?;
            (grammar.operand)(self)?;
            while parentheses > 0 && self.eat(TokenKind::CloseParen) {
                parentheses -= 1;
                self.close_parenthesis(grammar);
            }
            let Some(operator) = self.infix(grammar) else { break };
            self.advance();
            self.emit_stronger(operator.strength(), grammar);
            self.operators.push(operator);
        }
        if parentheses > 0 {
            return Err(match self.token.kind {
                TokenKind::Word(_) | TokenKind::Stray => self.expected("an operator or `)`"),
                _ => self.unclosed_parenthesis(),
            });
        }
        self.emit_stronger(0, grammar);
        Ok(())
    }

    /// `not` and opening parentheses before an operand.
    fn prefixes(&mut self, parentheses: &mut usize) -> Read<()> {
        loop {
            match self.token.kind {
                TokenKind::OpenParen if *parentheses == MAX_DEPTH => {
                    return Err(self.too_deep(self.token.span, "parentheses"));
                }
                TokenKind::OpenParen => {
                    *parentheses += 1;
                    self.operators.push(Operator::Open(self.token.span));
                }
                TokenKind::Not | TokenKind::Keyword(Keyword::Not) => {
                    self.operators.push(Operator::Not);
                }
                _ => return Ok(()),
            }
            self.advance();
        }
    }

    fn infix(&self, grammar: &Grammar<'a>) -> Option<Operator> {
        let operator = match self.token.kind {
            TokenKind::And | TokenKind::Keyword(Keyword::And) => Operator::And,
            TokenKind::Or | TokenKind::Keyword(Keyword::Or) => Operator::Or,
            TokenKind::Xor | TokenKind::Keyword(Keyword::Xor) => Operator::Xor,
            TokenKind::Equal | TokenKind::Keyword(Keyword::Eq) => Operator::Eq,
            TokenKind::NotEqual => Operator::Ne,
            _ => return None,
        };
        let always = matches!(operator, Operator::And | Operator::Or);
        (always || grammar.comparisons).then_some(operator)
    }

    fn close_parenthesis(&mut self, grammar: &Grammar<'a>) {
        self.emit_stronger(1, grammar);
        self.operators.pop();
    }

    /// Emits the operators that bind as strongly as `strength`, down to the innermost parenthesis.
    fn emit_stronger(&mut self, strength: u8, grammar: &Grammar<'a>) {
        while let Some(&operator) = self.operators.last() {
            if matches!(operator, Operator::Open(_)) || operator.strength() < strength {
                return;
            }
            self.operators.pop();
            (grammar.emit)(self, operator);
        }
    }

    fn unclosed_parenthesis(&mut self) -> super::parser::Failed {
        let open = self.operators.iter().rev().find_map(|operator| match operator {
            Operator::Open(span) => Some(*span),
            _ => None,
        });
        let found = self.token.span;
        let diagnostic = Diagnostic::error(
            Code::UnclosedBlock,
            open.unwrap_or(found),
            "this parenthesis is not closed",
        );
        self.report(diagnostic.label("opened here").and(found, "expected an operator or `)`"));
        super::parser::Failed
    }
}
