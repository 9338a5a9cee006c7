//! The reports of `aureport`, and what stands above them.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Avc,
    Config,
    Event,
    Key,
    Mac,
    /// Of accounts and roles.
    Mods,
    Syscall,
}

impl What {
    /// Are types of events counted in its summary?
    pub(super) fn counts_types(self) -> bool {
        matches!(self, Self::Config | Self::Event | Self::Mac | Self::Mods)
    }

    /// The lines above the rows; `which` are the events that are asked for by their success.
    pub(super) fn head(self, summary: bool, which: Option<bool>) -> String {
        let which = match which {
            Some(true) if summary => "Success ",
            Some(false) if summary => "Failed ",
            _ => "",
        };
        let (title, columns, width) = if summary { self.summary() } else { self.rows() };
        let line = "=".repeat(width);
        format!("{which}{title}\n{line}\n{columns}\n{line}\n")
    }

    fn rows(self) -> (&'static str, &'static str, usize) {
        match self {
            Self::Avc => (
                "AVC Report",
                "# date time comm subj syscall class permission obj result event",
                63,
            ),
            Self::Config => ("Config Change Report", "# date time type auid success event", 35),
            Self::Event => ("Event Report", "# date time event type auid success", 35),
            Self::Key => ("Key Report", "# date time key success exe auid event", 47),
            Self::Mac => ("MAC Report", "# date time auid type success event", 35),
            Self::Mods => (
                "Account Modifications Report",
                "# date time auid addr term exe acct success event",
                49,
            ),
            Self::Syscall => ("Syscall Report", "# date time syscall pid comm auid event", 39),
        }
    }

    fn summary(self) -> (&'static str, &'static str, usize) {
        match self {
            Self::Avc => ("Avc Object Summary Report", "total  obj", 33),
            Self::Config => ("Config Change Summary Report", "total  type", 28),
            Self::Event => ("Event Summary Report", "total  type", 22),
            Self::Key => ("Key Summary Report", "total  key", 27),
            Self::Mac => ("MAC Summary Report", "total  type", 18),
            Self::Mods => ("Acct Modification Summary Report", "total  type", 32),
            Self::Syscall => ("Syscall Summary Report", "total  syscall", 26),
        }
    }
}
