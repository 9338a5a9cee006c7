//! The state of the booleans, and which conditional branches apply in it.

use mandate_policydb::{BoolId, PolicyDb, SymbolId};

/// Values of all booleans of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booleans {
    values: Vec<bool>,
    /// Does a branch apply? Branch 0 stands for unconditional rules; then true and false branch of each block.
    branches: Vec<bool>,
}

impl Booleans {
    /// The values that the policy was written with.
    pub fn of(db: &PolicyDb) -> Self {
        let mut values = vec![false; db.booleans.nprim() as usize];
        for boolean in db.booleans.by_value() {
            if let Some(value) = values.get_mut(boolean.id.index()) {
                *value = boolean.state;
            }
        }
        let mut booleans = Self { values, branches: Vec::new() };
        booleans.evaluate(db);
        booleans
    }

    /// The value of a boolean.
    pub fn get(&self, id: BoolId) -> Option<bool> {
        self.values.get(id.index()).copied()
    }

    /// The same with some booleans changed.
    #[must_use]
    pub fn with(&self, db: &PolicyDb, changes: impl IntoIterator<Item = (BoolId, bool)>) -> Self {
        let mut changed = self.clone();
        for (id, value) in changes {
            if let Some(place) = changed.values.get_mut(id.index()) {
                *place = value;
            }
        }
        changed.evaluate(db);
        changed
    }

    /// The same with some booleans changed, where only the branches of these blocks are looked at afterwards.
    pub(crate) fn with_within(
        &self,
        db: &PolicyDb,
        changes: &[(BoolId, bool)],
        blocks: &[usize],
    ) -> Self {
        let mut changed = self.clone();
        for &(id, value) in changes {
            if let Some(place) = changed.values.get_mut(id.index()) {
                *place = value;
            }
        }
        for &block in blocks {
            let Some(conditional) = db.conditionals.get(block) else { continue };
            let value = conditional.evaluate(|id| changed.values.get(id.index()).copied());
            let branches = changed.branches.iter_mut().skip(2 * block + 1).take(2);
            for (place, when) in branches.zip([true, false]) {
                *place = value == Some(when);
            }
        }
        changed
    }

    fn evaluate(&mut self, db: &PolicyDb) {
        let values = &self.values;
        let state = |id: BoolId| values.get(id.index()).copied();
        self.branches.clear();
        self.branches.push(true);
        for block in &db.conditionals {
            let value = block.evaluate(state);
            self.branches.extend([value == Some(true), value == Some(false)]);
        }
    }

    pub(crate) fn applies(&self, branch: u32) -> bool {
        branch == 0 || self.branches.get(branch as usize).copied().unwrap_or(false)
    }
}
