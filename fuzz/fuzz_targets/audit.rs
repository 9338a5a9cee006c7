//! Any bytes as an audit log, a kernel's log, or lines of the journal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mandate_audit::{Joiner, Names, Reader, interpret, normalize};

struct Nobody;

impl Names for Nobody {
    fn user(&self, _: u32) -> Option<String> {
        None
    }
    fn group(&self, _: u32) -> Option<String> {
        None
    }
    fn time(&self, seconds: i64) -> String {
        seconds.to_string()
    }
}

fuzz_target!(|input: &[u8]| {
    let mut joiner = Joiner::new();
    let mut out = Vec::new();
    for record in Reader::new(input).flatten() {
        out.clear();
        record.write(&mut out).expect("memory takes every byte");
        assert_eq!(out.strip_suffix(b"\n"), Some(record.bytes()));
        interpret(&record, &Nobody, &mut out).expect("memory takes every byte");
        joiner.push(record);
    }
    joiner.finish();
    while let Some(event) = joiner.next_event() {
        assert!(event.accesses().len() <= event.records().len());
        let _is_told = normalize(&event, &Nobody, true);
    }
});
