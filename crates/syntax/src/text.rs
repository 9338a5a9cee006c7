//! Text that came through macros, with the origin of every byte.

use crate::source::{Pos, Span};

/// Text and where each part of it was spelled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// From each offset on, bytes were spelled one after the other from the span on. Sorted by offset; the first is at 0
    /// unless there are no bytes.
    pub origins: Vec<(u32, Span)>,
}

impl Text {
    /// The whole of a file.
    pub fn of_file(file: &crate::source::SourceFile) -> Self {
        let start = Span { pos: file.start(), ..Span::NOWHERE };
        Self { bytes: file.bytes.to_vec(), origins: vec![(0, start)] }
    }

    /// Where the byte at `offset` was spelled.
    pub fn span(&self, offset: usize) -> Span {
        let after = self.origins.partition_point(|&(start, _)| start as usize <= offset);
        let Some(&(start, span)) = after.checked_sub(1).and_then(|it| self.origins.get(it)) else {
            return Span::NOWHERE;
        };
        continued(span, offset - start as usize)
    }

    /// Appends `bytes`, spelled one after the other from `span` on.
    pub fn push(&mut self, bytes: &[u8], span: Span) {
        if bytes.is_empty() {
            return;
        }
        let start = u32::try_from(self.bytes.len()).expect("macros stop before 4 GiB of text");
        let continues = self
            .origins
            .last()
            .is_some_and(|&(last, origin)| continued(origin, (start - last) as usize) == span);
        if !continues {
            self.origins.push((start, span));
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The text with every `from` replaced by `to`, as `sed` does; what is put in is spelled where `from` was.
    #[must_use]
    pub fn replaced(&self, from: &[u8], to: &[u8]) -> Self {
        let mut out = Self::default();
        let mut spans = self.spans();
        let mut at = 0;
        for found in memchr::memmem::find_iter(&self.bytes, from) {
            self.copy(at, found, &mut out);
            out.push(to, spans.span(found));
            at = found + from.len();
        }
        self.copy(at, self.bytes.len(), &mut out);
        out
    }

    /// Appends another text.
    pub fn append(&mut self, other: &Self) {
        other.copy(0, other.bytes.len(), self);
    }

    fn copy(&self, start: usize, end: usize, out: &mut Self) {
        let origin = self.origins.partition_point(|it| it.0 as usize <= start).saturating_sub(1);
        copy(self, (start, end), origin, |bytes, span| out.push(bytes, span));
    }

    /// Reads spans at offsets that only grow.
    pub fn spans(&self) -> SpanCursor<'_> {
        SpanCursor { origins: &self.origins, at: 0 }
    }
}

/// Hands out `from[start..end]` in parts of one origin each.
pub(crate) fn copy(
    from: &Text,
    (start, end): (usize, usize),
    mut origin: usize,
    mut sink: impl FnMut(&[u8], Span),
) {
    let origins = &from.origins;
    let mut at = start;
    while at < end {
        while origins.get(origin + 1).is_some_and(|it| it.0 as usize <= at) {
            origin += 1;
        }
        let (first, span) = origins.get(origin).copied().unwrap_or_default();
        let next = origins.get(origin + 1).map_or(end, |it| (it.0 as usize).min(end));
        sink(&from.bytes[at..next], continued(span, at.saturating_sub(first as usize)));
        at = next;
    }
}

pub(crate) fn continued(span: Span, bytes: usize) -> Span {
    if span.pos == Pos(0) {
        return span;
    }
    span.forward(u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// Finds the spans of a [`Text`] in order, in constant time.
#[derive(Clone, Debug)]
pub struct SpanCursor<'a> {
    origins: &'a [(u32, Span)],
    at: usize,
}

impl SpanCursor<'_> {
    /// The span of the byte at `offset`, which is not below the one asked before.
    pub fn span(&mut self, offset: usize) -> Span {
        while self.origins.get(self.at + 1).is_some_and(|&(next, _)| next as usize <= offset) {
            self.at += 1;
        }
        match self.origins.get(self.at) {
            Some(&(start, span)) => continued(span, offset.saturating_sub(start as usize)),
            None => Span::NOWHERE,
        }
    }
}
