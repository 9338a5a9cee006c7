//! The order of sections in a base policy.

use super::ast::{ContextPart, StatementKind};
use super::parser::Parser;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// How far a base policy has come.
#[derive(Debug)]
pub(super) struct Order {
    section: u8,
    /// Where the section begins.
    since: Span,
}

impl Default for Order {
    fn default() -> Self {
        Self { section: 0, since: Span::NOWHERE }
    }
}

const RULES: u8 = 9;

/// What each section holds, for messages.
const SECTIONS: [&str; 20] = [
    "classes",
    "initial SIDs",
    "commons",
    "access vectors",
    "defaults",
    "sensitivities",
    "the dominance of sensitivities",
    "categories",
    "levels and MLS constraints",
    "rules and declarations",
    "users",
    "constraints",
    "contexts of initial SIDs",
    "`fs_use`",
    "`genfscon`",
    "`portcon`",
    "`netifcon`",
    "`nodecon`",
    "devices",
    "`ibpkeycon` and `ibendportcon`",
];

impl Order {
    /// May a semicolon stand alone? It does so between rules, and it may be the first of them unless an earlier section goes
    /// on after it.
    pub(super) fn among_rules(&self, global_follows: bool) -> bool {
        self.section == RULES || self.section < RULES && !global_follows
    }
}

impl Parser<'_> {
    /// Checks that `kind` does not stand behind what must follow it. Says so once for each step back.
    pub(super) fn check_order(&mut self, kind: &StatementKind, span: Span, order: &mut Order) {
        let section = section(kind);
        if section == order.section {
            return;
        }
        if section < order.section {
            let here = SECTIONS[usize::from(section)];
            let before = SECTIONS[usize::from(order.section)];
            self.report(
                Diagnostic::error(
                    Code::NotAllowedHere,
                    span,
                    format!("{here} may not stand behind {before}"),
                )
                .and(order.since, format!("{before} begin here"))
                .note("the sections of a policy have a fixed order")
                .help("move the statement up to its section"),
            );
        }
        *order = Order { section, since: span };
    }
}

/// The section of a base policy in which a statement stands, from 0: they follow each other in this order.
pub fn section(kind: &StatementKind) -> u8 {
    use StatementKind as K;
    match kind {
        K::Class(_) => 0,
        K::InitialSid(_) => 1,
        K::Common { .. } => 2,
        K::AccessVector { .. } => 3,
        K::Default { part: ContextPart::User | ContextPart::Role | ContextPart::Type, .. }
        | K::DefaultRange { .. } => 4,
        K::Sensitivity { .. } => 5,
        K::Dominance(_) => 6,
        K::Category { .. } => 7,
        K::Level(_) | K::Constrain { mls: true, .. } | K::ValidateTrans { mls: true, .. } => 8,
        K::User { .. } | K::UserPrefix { .. } => 10,
        K::Constrain { .. } | K::ValidateTrans { .. } => 11,
        K::SidContext { .. } => 12,
        K::FsUse { .. } | K::FsCon { .. } => 13,
        K::GenfsCon { .. } => 14,
        K::PortCon { .. } => 15,
        K::NetifCon { .. } => 16,
        K::NodeCon { .. } => 17,
        K::PirqCon { .. }
        | K::IomemCon { .. }
        | K::IoportCon { .. }
        | K::PciDeviceCon { .. }
        | K::DeviceTreeCon { .. } => 18,
        K::IbPkeyCon { .. } | K::IbEndPortCon { .. } => 19,
        _ => RULES,
    }
}
