//! What may stand where: statements in containers, and words as names.

use super::declare::DeclKind;
use super::world::{ContainerId, World};
use crate::near;
use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;

/// Words of the kernel and policy languages that are far from those of CIL.
const KERNEL_WORDS: [(&str, Keyword); 8] = [
    ("attribute", Keyword::TypeAttribute),
    ("attribute_role", Keyword::RoleAttribute),
    ("bool", Keyword::Boolean),
    ("if", Keyword::BooleanIf),
    ("interface", Keyword::Macro),
    ("optional_policy", Keyword::Optional),
    ("template", Keyword::Macro),
    ("tunable_policy", Keyword::TunableIf),
];

impl World<'_> {
    pub(super) fn unknown_statement(
        &mut self,
        id: ContainerId,
        statement: Element<'_>,
        word: Symbol,
    ) {
        let text = self.text(word);
        let message = format!("no CIL statement begins with `{text}`");
        let known = Keyword::ALL.iter().filter(|it| it.begins_statement()).map(|it| it.text());
        let near = match KERNEL_WORDS.iter().find(|it| it.0 == text) {
            Some(it) => Some(format!("CIL says `{}`", it.1.text())),
            None => near::did_you_mean(text, known),
        };
        let mut error =
            Diagnostic::error(Code::UnknownStatement, self.span(id, statement), message);
        error.help.extend(near);
        self.report.add(error);
    }

    pub(super) fn is_allowed(
        &mut self,
        id: ContainerId,
        statement: Element<'_>,
        keyword: Keyword,
        around: Around,
    ) -> bool {
        use Keyword as K;
        let qualified = self.options.qualified_names
            && matches!(keyword, K::Block | K::BlockInherit | K::BlockAbstract | K::In);
        let place = if qualified {
            "in a policy with qualified names (-Q)"
        } else if around.tunable_if && matches!(keyword, K::Tunable | K::In) {
            "in `tunableif`"
        } else if around.inserted && matches!(keyword, K::Tunable | K::In) {
            "in `in`"
        } else if around.after && matches!(keyword, K::BlockInherit | K::BlockAbstract) {
            "in `(in after …)`"
        } else if around.in_macro
            && matches!(
                keyword,
                K::Tunable | K::In | K::Block | K::BlockInherit | K::BlockAbstract | K::Macro
            )
        {
            "in a macro"
        } else if around.optional
            && matches!(keyword, K::Tunable | K::In | K::Block | K::BlockAbstract | K::Macro)
        {
            "in an optional block"
        } else if around.boolean_if && !allowed_in_condition(keyword) {
            "in `booleanif`"
        } else if matches!(keyword, K::Sensitivity | K::Category) && self.container(id).scope != 0 {
            "in a block"
        } else {
            return true;
        };
        let message = format!("`{}` may not stand {place}", keyword.text());
        let span = self.span(id, statement);
        self.report.add(Diagnostic::error(Code::NotAllowedHere, span, message));
        false
    }

    /// Is this a name that can be declared?
    pub(crate) fn check_name(&mut self, name: Symbol, span: Span, kind: Option<DeclKind>) -> bool {
        const LONGEST: usize = 2047;
        let text = self.text(name);
        let mut bytes = text.bytes();
        let begins = bytes.next().is_some_and(|it| it.is_ascii_alphabetic());
        let qualified = self.options.qualified_names;
        let fits = |it: u8| {
            it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-') || it == b'.' && qualified
        };
        let message = if text.len() > LONGEST {
            format!("the name is longer than {LONGEST} bytes")
        } else if !begins {
            format!("`{text}` is no name: a name begins with a letter")
        } else if let Some(bad) = bytes.find(|&it| !fits(it)) {
            let bad = char::from(bad);
            format!("`{text}` is no name: {bad:?} cannot stand in one")
        } else if kind.is_some_and(|it| it.reserves(name)) {
            format!("`{text}` cannot be declared: it is a word of expressions")
        } else {
            return true;
        };
        let error = Diagnostic::error(Code::BadName, span, message)
            .note("names have letters, digits, `_` and `-`");
        self.report.add(error);
        false
    }

    /// A finding about the shape of a statement.
    pub(crate) fn shape(&mut self, span: Span, keyword: Keyword, message: &str) {
        let message = format!("`{}`: {message}", keyword.text());
        let error = Diagnostic::error(Code::CilShape, span, message);
        self.report.add(error.help(format!("write {}", keyword.shape())));
    }
}

fn allowed_in_condition(keyword: Keyword) -> bool {
    use Keyword as K;
    matches!(
        keyword,
        K::TunableIf
            | K::Call
            | K::True
            | K::False
            | K::Allow
            | K::DontAudit
            | K::AuditAllow
            | K::TypeTransition
            | K::TypeChange
            | K::TypeMember
            | K::SrcInfo
            | K::AllowX
            | K::DontAuditX
            | K::AuditAllowX
    )
}

/// What is around a statement, as far as it decides what may stand there.
#[derive(Clone, Copy, Default)]
pub(super) struct Around {
    pub(super) tunable_if: bool,
    pub(super) inserted: bool,
    pub(super) after: bool,
    pub(super) in_macro: bool,
    pub(super) optional: bool,
    pub(super) boolean_if: bool,
}
