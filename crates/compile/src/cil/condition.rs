//! Conditions over booleans and tunables.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::CondTerm;
use mandate_syntax::source::Span;

use super::declare::Space;
use super::world::{ContainerId, Found, NONE, World};

/// An operator of conditions.
fn operator(element: Element<'_>) -> Option<(CondTerm, usize)> {
    Some(match Keyword::of(element.word()?)? {
        Keyword::And => (CondTerm::And, 2),
        Keyword::Or => (CondTerm::Or, 2),
        Keyword::Xor => (CondTerm::Xor, 2),
        Keyword::Eq => (CondTerm::Eq, 2),
        Keyword::Neq => (CondTerm::Ne, 2),
        Keyword::Not => (CondTerm::Not, 1),
        _ => return None,
    })
}

/// Walks an expression; gives each operand and operator in postfix order.
pub(crate) fn postfix(
    expression: Element<'_>,
    add: &mut dyn FnMut(Part<'_>),
) -> Result<(), Malformed> {
    if !expression.is_list() {
        if operator(expression).is_some() {
            return Err(Malformed(expression.index(), "an operator without its operands"));
        }
        add(Part::Name(expression));
        return Ok(());
    }
    let mut parts = expression.children();
    let Some(first) = parts.next() else {
        return Err(Malformed(expression.index(), "an empty expression"));
    };
    let Some((term, operands)) = operator(first) else {
        // A name in parentheses.
        if parts.next().is_some() {
            return Err(Malformed(first.index(), "no operator of conditions"));
        }
        return postfix(first, add);
    };
    if parts.count() != operands {
        let wrong = if operands == 1 { "`not` takes one operand" } else { "it takes two operands" };
        return Err(Malformed(expression.index(), wrong));
    }
    for operand in expression.children().skip(1) {
        postfix(operand, add)?;
    }
    add(Part::Operator(term));
    Ok(())
}

/// A part of a condition.
pub(crate) enum Part<'e> {
    Name(Element<'e>),
    Operator(CondTerm),
}

/// Where an expression is wrong, and what.
pub(crate) struct Malformed(pub(crate) u32, pub(crate) &'static str);

/// What to tell of a malformed expression.
pub(crate) fn malformed(span: Span, wrong: &str) -> Diagnostic {
    Diagnostic::error(Code::CilExpression, span, format!("a malformed expression: {wrong}"))
        .help("`(and a b)`, `(or a b)`, `(xor a b)`, `(eq a b)`, `(neq a b)` and `(not a)` nest as needed")
}

/// The value of a condition over tunables; nothing if it has none, which was told or leaves an optional out.
pub(crate) fn tunable_value(
    world: &mut World<'_>,
    at: ContainerId,
    expression: Element<'_>,
) -> Option<bool> {
    let mut stack: Vec<Option<bool>> = Vec::new();
    let mut unknown = None;
    let result = postfix(expression, &mut |part| {
        let value = match part {
            Part::Name(element) => {
                let value = element.word().and_then(|name| {
                    match world.find(at, Space::Tunables, name)? {
                        Found::Declared(decl) => {
                            let decl = world.decl(decl);
                            let statement = world.element(decl.container, decl.node);
                            let value = statement.children().nth(2)?.word()?;
                            Some(value == Keyword::True.symbol())
                        }
                        _ => None,
                    }
                });
                if value.is_none() {
                    unknown.get_or_insert((element.word(), world.span(at, element)));
                }
                value
            }
            Part::Operator(CondTerm::Not) => stack.pop().flatten().map(|it| !it),
            Part::Operator(term) => {
                let (b, a) = (stack.pop().flatten(), stack.pop().flatten());
                a.zip(b).map(|(a, b)| match term {
                    CondTerm::And => a && b,
                    CondTerm::Or => a || b,
                    CondTerm::Eq => a == b,
                    _ => a != b,
                })
            }
        };
        stack.push(value);
    });
    if let Err(Malformed(index, wrong)) = result {
        let span = world.span(at, world.element(at, index));
        world.report.add(malformed(span, wrong));
        return None;
    }
    if let Some((name, span)) = unknown {
        let optional = world.container(at).optional;
        if optional != NONE {
            world.containers[optional as usize].disabled = true;
        } else if let Some(name) = name {
            let error = world.unknown(Space::Tunables, name, span, world.report.len());
            world.report.add(error);
        }
    }
    stack.pop().flatten()
}
