//! Events of one record.

use crate::kind::Kind;

use super::fields::{Place, Scan};
use super::{Normalized, Words, account_kind, event_kind};

/// What a record of this type tells that was done.
pub(super) fn action(kind: Kind) -> Option<&'static str> {
    Some(match kind.0 {
        1107 | 1400 => "accessed-mac-policy-controlled-object",
        1122 => "access-error",
        1403 => "loaded-selinux-policy",
        1404 | 2313 => "changed-selinux-enforcement-to",
        1405 => "changed-selinux-boolean",
        1409 => "added-mac-network-domain-mapping-to",
        1410 => "deleted-mac-network-domain-mapping-from",
        2300 => "changed-role-to",
        2301 => "assigned-user-role-to",
        // As the original spells it.
        2302 => "removed-use-role-from",
        2303 => "overrode-label-of",
        2304 => "modified-level-of",
        2309 => "relabeled-filesystem",
        2310 => "loaded-mac-policy",
        2311 => "modified-role",
        2312 => "changed-mac-configuration",
        _ => return None,
    })
}

impl Words<'_, '_> {
    pub(super) fn alone(&self, kind: Kind) -> Normalized {
        let told = Normalized {
            event_kind: event_kind(kind),
            object_kind: "unknown",
            action: action(kind),
            ..Normalized::default()
        };
        match kind.0 {
            1400 => self.decision(told),
            1406..=1499 => self.network(kind, told),
            _ => self.message(kind, told),
        }
    }

    /// Of the kernel, without the system call.
    fn decision(&self, mut told: Normalized) -> Normalized {
        let mut scan = self.table.scan(0);
        told.how = self.words(scan.find_or_restart("comm"));
        told.subject = scan.find("scontext").map(|it| self.actor(it));
        told.subject_kind = Some("unknown-acct");
        if self.labels {
            told.object = self.words(self.first("tcontext"));
        }
        told.success = self.first("seresult").map(|_| false);
        told
    }

    /// A change of labelled networking.
    fn network(&self, kind: Kind, mut told: Normalized) -> Normalized {
        let mut scan = self.table.scan(0);
        told.subject = scan.find("auid").map(|it| self.actor(it));
        let uid = told.subject.as_ref().map(|it| it.id);
        told.subject_kind = Some(uid.map_or("unknown-acct", account_kind));
        told.session = self.words(scan.find_or_restart("ses"));
        told.subject_label = self.words(scan.find_or_restart("subj")).filter(|_| self.labels);
        match kind.0 {
            1406 => {
                let accepts = scan.find_or_restart("unlbl_accept");
                told.action = accepts.map(|it| match self.table.value(it) {
                    b"1" => "is-allowing-unlabeled-network-traffic",
                    _ => "is-disallowing-unlabeled-network-traffic",
                });
            }
            1409 | 1410 => told.object = self.words(scan.find_or_restart("nlbl_domain")),
            _ => {}
        }
        told.object_kind = "mac-config";
        told.success = self.result(&mut scan);
        told
    }

    /// What a program says, and what the kernel says of a change.
    fn message(&self, kind: Kind, mut told: Normalized) -> Normalized {
        let mut scan = self.table.scan(0);
        self.add_alias(&mut scan, &mut told);
        told.subject = scan.find("auid").map(|it| self.actor(it));
        told.session = self.words(scan.find_or_restart("ses"));
        if self.labels {
            scan.restart();
            scan.find_or_restart("pid");
            told.subject_label = self.words(scan.find_or_restart("subj"));
            if matches!(kind.0, 1100..1199 | 2100..2999) {
                for name in ["hostname", "addr", "terminal"] {
                    scan.find_or_restart(name);
                }
            }
        }
        if kind == Kind::USER_AVC {
            self.add_manager(&mut told);
        } else {
            told.success = self.result(&mut scan);
            let (object, object_kind) = self.object(kind);
            (told.object, told.object_kind) = (self.words(object), object_kind);
        }
        told.how = self.words(self.table.scan(0).program());
        told
    }

    /// What an object manager decided.
    fn add_manager(&self, told: &mut Normalized) {
        told.success = self.first("seresult").map(|_| false);
        if let Some(scontext) = self.first("scontext") {
            told.subject = Some(self.actor(scontext));
        }
        if self.labels {
            told.object = self.words(self.first("tcontext"));
        }
    }

    fn object(&self, kind: Kind) -> (Option<Place>, &'static str) {
        match kind.0 {
            1404 => (self.first("enforcing"), "mac-config"),
            1405 => (self.first("bool"), "mac-config"),
            1403 | 2303 | 2307..=2312 => (None, "mac-config"),
            2300 => (self.first("selected-context"), "user-session"),
            2301 | 2302 => (self.first("id").or_else(|| self.first("acct")), "account"),
            2304 => (self.first("printer"), "printer"),
            _ => (None, "unknown"),
        }
    }

    fn first(&self, name: &str) -> Option<Place> {
        self.table.scan(0).find(name)
    }

    fn result(&self, scan: &mut Scan<'_, '_>) -> Option<bool> {
        let result = self.table.value(scan.find("res")?);
        Some(result == b"1" || result == b"yes" || result.starts_with(b"suc"))
    }
}
