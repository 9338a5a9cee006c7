//! What a decision tells while it is made. With `()` it tells nothing and costs nothing.

use mandate_policydb::{Constraint, Context};

/// Listens to a decision. Each method is called where the decision takes that step.
pub trait Trace {
    /// Whether everything that denies is wanted, also what denies only permissions that are denied already. It does not
    /// change the decision.
    const THOROUGH: bool = true;

    /// The rule of this number matches; `applies` if its branch does.
    fn rule(&mut self, number: u32, applies: bool);

    /// A constraint was evaluated; `terms` has the value after each term.
    fn constraint(&mut self, constraint: &Constraint, holds: bool, terms: &[bool]);

    /// No role allow lets the source's role change to the target's; these permissions need one.
    fn role_denied(&mut self, permissions: u32);

    /// The bounding types are asked next, for this source and target.
    fn enter_bounds(&mut self, source: &Context, target: &Context);

    /// They are done; these permissions they may not have.
    fn leave_bounds(&mut self, permissions: u32);
}

impl Trace for () {
    const THOROUGH: bool = false;
    fn rule(&mut self, _: u32, _: bool) {}
    fn constraint(&mut self, _: &Constraint, _: bool, _: &[bool]) {}
    fn role_denied(&mut self, _: u32) {}
    fn enter_bounds(&mut self, _: &Context, _: &Context) {}
    fn leave_bounds(&mut self, _: u32) {}
}
