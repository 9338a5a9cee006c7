//! Which events are meant: options that search, report and follow share.

use mandate_audit::{Kind, Pattern, Search};

use crate::logs::times::{self, End};

/// What events must have.
#[derive(clap::Args)]
pub(super) struct Select {
    /// Types of records, such as avc or user_avc,mac_status; numbers too (repeatable)
    #[arg(long = "type", short = 'm', value_name = "TYPE", value_delimiter = ',', value_parser = parse_kind)]
    kinds: Vec<Kind>,
    /// Not before: now, recent, boot, today, yesterday, this-week, week-ago, this-month, this-year, "2023-11-14 22:13:20", 11/14/23, 22:13, @SECONDS
    #[arg(long, visible_alias = "start", value_name = "TIME", value_parser = parse_start)]
    since: Option<i64>,
    /// Not after: the same; a date alone means its end
    #[arg(long, visible_alias = "end", value_name = "TIME", value_parser = parse_end)]
    until: Option<i64>,
    /// Number of the event
    #[arg(long, short = 'a', value_name = "N")]
    event: Option<u64>,
    /// Machine (node=) that wrote it (repeatable)
    #[arg(long, short = 'n', value_name = "NAME")]
    node: Vec<String>,
    /// Context of who asked, or a part of it
    #[arg(long, short = 's', visible_alias = "subject", value_name = "TEXT")]
    scontext: Option<String>,
    /// Context of what was asked for, or a part of it
    #[arg(long, short = 't', visible_alias = "object", value_name = "TEXT")]
    tcontext: Option<String>,
    /// Either context, or a part of it
    #[arg(long, value_name = "TEXT")]
    context: Option<String>,
    /// Class of the object (repeatable)
    #[arg(long, short = 'c', value_name = "CLASS", value_delimiter = ',')]
    class: Vec<String>,
    /// Permission (repeatable)
    #[arg(long, short = 'p', value_name = "PERM", value_delimiter = ',')]
    perm: Vec<String>,
    /// Only denials
    #[arg(long, conflicts_with = "granted")]
    denied: bool,
    /// Only what was granted and audited
    #[arg(long)]
    granted: bool,
    /// Only denials that were not enforced
    #[arg(long, conflicts_with = "enforcing")]
    permissive: bool,
    /// Only denials that were enforced
    #[arg(long)]
    enforcing: bool,
    /// Name of the process, or a part of it
    #[arg(long, value_name = "TEXT")]
    comm: Option<String>,
    /// File that the process executes, or a part of it
    #[arg(long, short = 'x', value_name = "TEXT")]
    exe: Option<String>,
    /// Path or name of a file, or a part of it
    #[arg(long, short = 'f', value_name = "TEXT")]
    path: Option<String>,
    /// Number of the process
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pid: Option<i64>,
    /// Whether the system call succeeded; where there is none, whether it was granted
    #[arg(long, value_name = "yes|no", value_parser = parse_success)]
    success: Option<bool>,
    /// Texts must be whole, not parts
    #[arg(long, short = 'w')]
    word: bool,
    /// Events of all kinds, not only those about SELinux
    #[arg(long)]
    all: bool,
}

impl Select {
    pub(super) fn search(&self) -> Search {
        let pattern = |text: &Option<String>| {
            text.as_ref().map(|it| Pattern { text: it.clone().into_bytes(), whole: self.word })
        };
        let mut search = Search::default();
        search.kinds.clone_from(&self.kinds);
        search.selinux = !self.all && self.kinds.is_empty();
        (search.start, search.end, search.serial) = (self.since, self.until, self.event);
        search.nodes = self.node.iter().map(|it| it.clone().into_bytes()).collect();
        search.pid = self.pid;
        search.scontext = pattern(&self.scontext);
        search.tcontext = pattern(&self.tcontext);
        search.context = pattern(&self.context);
        search.classes.clone_from(&self.class);
        search.permissions.clone_from(&self.perm);
        let refused = self.denied || self.permissive || self.enforcing;
        search.denied = if refused { Some(true) } else { self.granted.then_some(false) };
        search.permissive =
            if self.permissive { Some(true) } else { self.enforcing.then_some(false) };
        search.comm = pattern(&self.comm);
        search.exe = pattern(&self.exe);
        search.file = pattern(&self.path);
        search.joined_paths = true;
        search.success = self.success;
        search
    }
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    match Kind::parse(text.to_ascii_uppercase().as_bytes()) {
        Kind::UNKNOWN => {
            let names: Vec<_> = Kind::all().map(|it| it.1).collect();
            let near = names.iter().max_by(|a, b| {
                let near = |it: &str| strsim::jaro_winkler(it, &text.to_ascii_uppercase());
                near(a).total_cmp(&near(b))
            });
            let near = near.map_or_else(String::new, |it| format!("; did you mean {it}?"));
            Err(format!("no type of records{near}"))
        }
        kind => Ok(kind),
    }
}

fn parse_start(text: &str) -> Result<i64, String> {
    times::parse(text, End::Start)
}

fn parse_end(text: &str) -> Result<i64, String> {
    times::parse(text, End::Stop)
}

fn parse_success(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected yes or no".to_owned()),
    }
}
