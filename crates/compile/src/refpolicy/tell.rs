//! What a build tells beyond what its parts find.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::UnknownCall;

use crate::near::did_you_mean;

/// A call of something that is no macro; `known` are the macros there are.
pub(super) fn unknown_call(name: &str, call: UnknownCall, known: &[&str]) -> Diagnostic {
    let message = format!("no interface or macro is called `{name}`");
    let it = Diagnostic::error(Code::UnknownInterface, call.name.span, message);
    match did_you_mean(name, known.iter().copied()) {
        Some(help) => it.help(help),
        None => it.help("is the module that defines it part of the source tree?"),
    }
}
