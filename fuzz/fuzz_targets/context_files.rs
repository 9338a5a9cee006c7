//! Any text as each of the smaller context files; the first byte chooses which.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_label::default_contexts::{DefaultContexts, Login};
use mandate_label::failsafe::Failsafe;
use mandate_label::media::Media;
use mandate_label::sepgsql::{self, SepgsqlContexts};
use mandate_label::setrans::Setrans;
use mandate_label::seusers::{ServiceSeusers, Seusers};
use mandate_label::x::{self, XContexts};

fuzz_target!(|input: &[u8]| {
    let Some((&which, text)) = input.split_first() else { return };
    let name = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    match which % 6 {
        0 => drop(Media::parse(text).0.lookup(name).map(<[u8]>::to_vec)),
        1 => drop(XContexts::parse(text).0.lookup(x::Kind::Property, name).map(<[u8]>::to_vec)),
        2 => {
            let table = SepgsqlContexts::parse(text).0;
            table.lookup(sepgsql::Kind::Table, name);
        }
        3 => {
            Seusers::parse(text).0.lookup(name, |group| group.len() == 3);
            ServiceSeusers::parse(text).0.lookup(Some(name));
        }
        4 => {
            let table = DefaultContexts::parse(text).0;
            let failsafe = Failsafe::parse(text).0;
            let login = Login {
                user: b"staff_u",
                from: b"system_u:system_r:sshd_t:s0",
                own: None,
                system: Some(&table),
                failsafe: failsafe.as_ref(),
            };
            login.contexts(|_| true);
        }
        _ => {
            let (table, _told) = Setrans::parse(b"setrans.conf", text, &mut |_| None);
            for range in [&b"s0"[..], b"s2:c1,c100.c109", name] {
                table.to_name(range);
                table.to_raw(range);
            }
        }
    }
});
