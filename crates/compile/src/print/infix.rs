//! Expressions from postfix order to the order in which they are written. Without recursion: they may be as deep as they are long.

/// What a term is, to the order of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Operand,
    /// Before its operand.
    Prefix(u8),
    /// Between its operands, and bound so strongly.
    Binary(u8),
}

/// A step of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The term at this place: an operand, or the word of an operator.
    Term(usize),
    Open,
    Close,
}

/// Children of a term: places of their terms.
#[derive(Clone, Copy, Default)]
struct Children {
    first: usize,
    second: usize,
}

fn children(shapes: &[Shape]) -> Option<Vec<Children>> {
    let mut waiting: Vec<usize> = Vec::new();
    let mut all = vec![Children::default(); shapes.len()];
    for (at, shape) in shapes.iter().enumerate() {
        match shape {
            Shape::Operand => {}
            Shape::Prefix(_) => all[at].first = waiting.pop()?,
            Shape::Binary(_) => {
                let second = waiting.pop()?;
                all[at] = Children { first: waiting.pop()?, second };
            }
        }
        waiting.push(at);
    }
    (waiting.len() == 1).then_some(all)
}

/// The steps of writing operators between their operands, with as few parentheses as it takes; none if the expression is malformed.
pub(super) fn infix(shapes: &[Shape]) -> Option<Vec<Step>> {
    let children = children(shapes)?;
    let mut steps = Vec::with_capacity(shapes.len() * 2);
    let mut pending = vec![(Step::Term(shapes.len() - 1), true)];
    while let Some((step, whole)) = pending.pop() {
        let (Step::Term(at), true) = (step, whole) else {
            steps.push(step);
            continue;
        };
        let operand = |pending: &mut Vec<(Step, bool)>, of: usize, least: u8| {
            let weak = match shapes[of] {
                Shape::Operand => false,
                Shape::Prefix(strength) | Shape::Binary(strength) => strength < least,
            };
            if weak {
                pending.push((Step::Close, false));
            }
            pending.push((Step::Term(of), true));
            if weak {
                pending.push((Step::Open, false));
            }
        };
        match shapes[at] {
            Shape::Operand => steps.push(step),
            Shape::Prefix(strength) => {
                // One that is said of a comparison could be read as said of its left side.
                let of = children[at].first;
                let binary = matches!(shapes[of], Shape::Binary(_));
                operand(&mut pending, of, if binary { u8::MAX } else { strength });
                pending.push((Step::Term(at), false));
            }
            Shape::Binary(strength) => {
                operand(&mut pending, children[at].second, strength + 1);
                pending.push((Step::Term(at), false));
                operand(&mut pending, children[at].first, strength);
            }
        }
    }
    Some(steps)
}

/// The steps of writing each operator before its operands, all in parentheses; none if the expression is malformed.
pub(super) fn prefix(shapes: &[Shape]) -> Option<Vec<Step>> {
    let children = children(shapes)?;
    let mut steps = Vec::with_capacity(shapes.len() * 3);
    let mut pending = vec![Step::Term(shapes.len() - 1)];
    while let Some(step) = pending.pop() {
        let Step::Term(at) = step else {
            steps.push(step);
            continue;
        };
        if shapes[at] == Shape::Operand {
            steps.push(step);
            continue;
        }
        steps.extend([Step::Open, step]);
        pending.push(Step::Close);
        if let Shape::Binary(_) = shapes[at] {
            pending.push(Step::Term(children[at].second));
        }
        pending.push(Step::Term(children[at].first));
    }
    Some(steps)
}
