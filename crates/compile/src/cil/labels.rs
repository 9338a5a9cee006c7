//! Labels: each once, and in the order in which the kernel finds the right one.

use super::lower::Lowerer;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Context, Ident, StatementKind};
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

impl Lowerer<'_, '_> {
    /// Labels, each once; where ranges of numbers hide others, the narrow ones come first.
    pub(super) fn label_statements(&mut self) {
        let labels = std::mem::take(&mut self.labels.others);
        let mut seen: FxHashMap<Key, usize> = FxHashMap::default();
        let mut kept: Vec<(StatementKind, Span)> = Vec::with_capacity(labels.len());
        for (kind, span) in labels {
            let key = self.key(&kind);
            match seen.get(&key).copied() {
                None => {
                    seen.insert(key, kept.len());
                    kept.push((kind, span));
                }
                Some(before) => self.twice(&kept[before].0, kept[before].1, &kind, span),
            }
        }
        if hides(&kept) {
            kept.sort_by_key(|it| width(&it.0));
        }
        self.sort_wildcards(&mut kept);
        for (kind, span) in kept {
            self.add(span, kind);
        }
    }

    fn twice(&mut self, before: &StatementKind, there: Span, now: &StatementKind, here: Span) {
        let same = self.contexts(before) == self.contexts(now);
        if same && self.world.options.multiple_decls {
            return;
        }
        let message =
            if same { "the same label is given twice" } else { "two labels for one thing" };
        let error = Diagnostic::error(Code::CilConflict, here, message).and(there, "the other one");
        let help = "-m (multiple declarations) takes equal ones as one";
        self.report.add(if same { error.help(help) } else { error });
    }

    /// What a label is about.
    fn key(&self, kind: &StatementKind) -> Key {
        use StatementKind as S;
        let text = |it: &Ident| self.world.text(it.name).to_owned();
        match kind {
            S::SidContext { name, .. } => Key(0, text(name), String::new(), 0, 0),
            S::FsUse { kind, name, .. } => Key(1, text(name), String::new(), *kind as u64, 0),
            S::GenfsCon { fs, path, .. } => Key(2, text(fs), text(path), 0, 0),
            S::PortCon { protocol, ports, .. } => {
                Key(3, text(protocol), String::new(), ports.low, ports.high)
            }
            S::NetifCon { name, .. } => Key(4, text(name), String::new(), 0, 0),
            S::NodeCon { address, mask, .. } => Key(5, address.to_string(), mask.to_string(), 0, 0),
            S::IbPkeyCon { subnet, keys, .. } => {
                Key(6, subnet.to_string(), String::new(), keys.low, keys.high)
            }
            S::IbEndPortCon { device, port, .. } => {
                Key(7, text(device), String::new(), port.low, 0)
            }
            S::PirqCon { irq, .. } => Key(8, String::new(), String::new(), irq.low, irq.high),
            S::IomemCon { range, .. } => {
                Key(9, String::new(), String::new(), range.low, range.high)
            }
            S::IoportCon { range, .. } => {
                Key(10, String::new(), String::new(), range.low, range.high)
            }
            S::PciDeviceCon { device, .. } => {
                Key(11, String::new(), String::new(), device.low, device.high)
            }
            S::DeviceTreeCon { path, .. } => Key(12, text(path), String::new(), 0, 0),
            _ => Key(13, String::new(), String::new(), 0, 0),
        }
    }

    /// The contexts of a label as values that compare.
    fn contexts(&self, kind: &StatementKind) -> Vec<String> {
        let how = match kind {
            StatementKind::GenfsCon { file_type, .. } => format!("{file_type:?}"),
            _ => String::new(),
        };
        contexts_of(kind).into_iter().map(|it| self.context_text(it)).chain([how]).collect()
    }

    /// Interfaces with wildcards come last, the longest beginning first.
    fn sort_wildcards(&self, labels: &mut [(StatementKind, Span)]) {
        let name = |it: &StatementKind| match it {
            StatementKind::NetifCon { name, .. } => Some(self.world.text(name.name)),
            _ => None,
        };
        let wild = |it: &str| it.contains(['*', '?']);
        if !labels.iter().filter_map(|it| name(&it.0)).any(wild) {
            return;
        }
        // The last written stands first in the policy.
        labels.sort_by(|a, b| {
            let key = |it: &StatementKind| {
                let name = name(it)?;
                let stem = name.find(['*', '?']);
                let mark = stem.and_then(|it| name.as_bytes().get(it).copied());
                let stem = stem.map(|it| usize::MAX - it);
                Some((stem, mark.map(|it| u8::MAX - it), name.to_owned()))
            };
            key(&b.0).cmp(&key(&a.0))
        });
    }
}

/// The contexts of a label.
pub(crate) fn contexts_of(kind: &StatementKind) -> Vec<&Context> {
    use StatementKind as S;
    match kind {
        S::NetifCon { interface, packets, .. } => vec![interface, packets],
        S::SidContext { context, .. }
        | S::FsUse { context, .. }
        | S::GenfsCon { context, .. }
        | S::PortCon { context, .. }
        | S::NodeCon { context, .. }
        | S::IbPkeyCon { context, .. }
        | S::IbEndPortCon { context, .. }
        | S::PirqCon { context, .. }
        | S::IomemCon { context, .. }
        | S::IoportCon { context, .. }
        | S::PciDeviceCon { context, .. }
        | S::DeviceTreeCon { context, .. } => vec![context],
        _ => Vec::new(),
    }
}

/// What a label is about: the kind of statement, names, numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key(u8, String, String, u64, u64);

/// The range of numbers that a label is about, and what else has to be the same for one to hide another.
fn numbers(kind: &StatementKind) -> Option<(u8, u64, u64)> {
    match kind {
        StatementKind::PortCon { ports, .. } => Some((0, ports.low, ports.high)),
        StatementKind::IbPkeyCon { keys, .. } => Some((1, keys.low, keys.high)),
        _ => None,
    }
}

fn width(kind: &StatementKind) -> (u64, u64) {
    numbers(kind).map_or((0, 0), |(_, low, high)| (high - low, low))
}

/// Does a wide range stand before a narrower one that it overlaps?
fn hides(labels: &[(StatementKind, Span)]) -> bool {
    // The widest so far that ends at each number or above it would do; ranges are few, and most are single numbers.
    let mut wide: Vec<(u8, u64, u64)> = Vec::new();
    for (kind, _) in labels {
        let Some((group, low, high)) = numbers(kind) else { continue };
        let over = |it: &&(u8, u64, u64)| {
            it.0 == group && it.1 <= high && low <= it.2 && it.2 - it.1 > high - low
        };
        if wide.iter().any(|it| over(&it)) {
            return true;
        }
        if high > low {
            wide.push((group, low, high));
        }
    }
    false
}
