//! Names of users and groups, times of the local clock: what interpreted records need of the machine.

use std::cell::RefCell;
use std::collections::HashMap;

use mandate_audit::Names;

use super::clock::Clock;

/// The machine's own accounts.
pub(crate) struct Machine {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
    clock: RefCell<Clock>,
}

impl Machine {
    pub(crate) fn here() -> Self {
        let read = |path| std::fs::read(path).map(|it| table(&it)).unwrap_or_default();
        let (users, groups) = (read("/etc/passwd"), read("/etc/group"));
        Self { users, groups, clock: RefCell::new(Clock::here()) }
    }
}

/// The names of numbers, of lines `name:x:number:…`; the first counts.
fn table(bytes: &[u8]) -> HashMap<u32, String> {
    let mut table = HashMap::new();
    for line in String::from_utf8_lossy(bytes).lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(Ok(id))) = (fields.next(), fields.nth(1).map(str::parse)) {
            table.entry(id).or_insert_with(|| name.to_owned());
        }
    }
    table
}

impl Names for Machine {
    fn user(&self, uid: u32) -> Option<String> {
        self.users.get(&uid).cloned()
    }

    fn group(&self, gid: u32) -> Option<String> {
        self.groups.get(&gid).cloned()
    }

    fn time(&self, seconds: i64) -> String {
        let mut clock = self.clock.borrow_mut();
        let (date, time) = clock.short(seconds);
        format!("{date} {time}")
    }
}
