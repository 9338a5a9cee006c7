//! `relabel`: may an object change its label, as far as `validatetrans` constraints go?

use serde::Deserialize;

use crate::assertions::error::{Fault, Problem};
use crate::assertions::file::Name;
use crate::assertions::{Breach, Claim, Tested, ask};
use crate::lookup;

/// A change of label by a process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Relabel {
    pub(crate) name: Option<String>,
    source: Name,
    from: Name,
    to: Name,
    class: Name,
    allowed: bool,
}

impl Claim for Relabel {
    fn text(&self) -> String {
        let Self { source, from, to, class, .. } = self;
        let verb = if self.allowed { "may" } else { "may not" };
        let [source, from, to, class] = [source, from, to, class].map(|it| it.get_ref());
        format!("{source} {verb} relabel {class} from {from} to {to}")
    }

    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault> {
        let db = policy.db();
        let context = |name: &Name| {
            let whole = ask::is_context(name);
            if whole {
                ask::context(db, name)
            } else {
                Err(Fault::new(name, Problem::NeedsContext))
            }
        };
        let (process, old, new) =
            (context(&self.source)?, context(&self.from)?, context(&self.to)?);
        let class = Fault::at(&self.class, lookup::class(db, self.class.get_ref()))?;
        let result = policy.engine.validate_transition(&old, &new, class, &process);
        let text = match result {
            Err(forbidden) if self.allowed => {
                let text = db.constraint_to_string(class, &forbidden.constraint);
                format!("a constraint does not hold, {}", text.trim_end_matches(';'))
            }
            Ok(()) if !self.allowed => "every constraint holds".to_owned(),
            _ => return Ok(Vec::new()),
        };
        Ok(vec![Breach { text, rules: Vec::new() }])
    }
}
