//! Diagnostics.

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::stored::{Reader, Stored, Writer};

impl Stored for Code {
    fn put(&self, to: &mut Writer<'_>) {
        self.as_str().to_owned().put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Self::parse(&String::get(from)?)
    }
}

impl Stored for Severity {
    fn put(&self, to: &mut Writer<'_>) {
        to.number(match self {
            Self::Note => 0,
            Self::Warning => 1,
            Self::Error => 2,
        });
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some(match from.number()? {
            0 => Self::Note,
            1 => Self::Warning,
            2 => Self::Error,
            _ => return None,
        })
    }
}

impl Stored for Label {
    fn put(&self, to: &mut Writer<'_>) {
        self.span.put(to);
        self.text.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { span: Stored::get(from)?, text: Stored::get(from)? })
    }
}

impl Stored for Diagnostic {
    fn put(&self, to: &mut Writer<'_>) {
        let Self { code, severity, message, span, label, labels, notes, help } = self;
        code.put(to);
        severity.put(to);
        message.put(to);
        span.put(to);
        label.put(to);
        labels.put(to);
        notes.put(to);
        help.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            code: Stored::get(from)?,
            severity: Stored::get(from)?,
            message: Stored::get(from)?,
            span: Stored::get(from)?,
            label: Stored::get(from)?,
            labels: Stored::get(from)?,
            notes: Stored::get(from)?,
            help: Stored::get(from)?,
        })
    }
}
