#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;

const HASH: [u8; 32] = [7; 32];

fn sample() -> Provenance {
    let mut made = ProvenanceBuilder::new();
    let (te, interfaces) = (made.string("foo.te"), made.string("bar.if"));
    let name = made.string("bar_read");
    let call = made.place(te, 12, 1, None);
    let inside = made.place(interfaces, 40, 2, Some((name, call)));
    let plain = made.place(te, 3, 1, None);
    made.add(RuleKey::Rule(RulePlace::Unconditional(9)), 0b10, inside);
    made.add(RuleKey::Rule(RulePlace::Unconditional(2)), 0b01, plain);
    made.add(RuleKey::Rule(RulePlace::Unconditional(9)), 0b01, plain);
    made.add(RuleKey::Rule(RulePlace::Conditional { block: 1, when: true, rule: 4 }), 1, inside);
    made.add(RuleKey::Rule(RulePlace::Conditional { block: 1, when: false, rule: 5 }), 1, plain);
    made.add(RuleKey::RoleAllow(0), u32::MAX, plain);
    made.add(RuleKey::RoleTransition(1), u32::MAX, plain);
    made.add(RuleKey::RangeTransition(2), u32::MAX, inside);
    made.add(RuleKey::Constraint { class: 3, index: 1 }, u32::MAX, plain);
    made.finish(HASH)
}

fn bytes_of(provenance: &Provenance) -> Vec<u8> {
    let mut bytes = Vec::new();
    provenance.write(&mut bytes).unwrap();
    bytes
}

#[test]
fn rules_lead_to_their_statements() {
    let made = sample();
    let lines = |of| {
        let places = made.places(of).map(|(mask, id)| (mask, made.place(id).line));
        places.collect::<Vec<_>>()
    };
    assert_eq!(lines(RuleKey::Rule(RulePlace::Unconditional(9))), [(0b10, 40), (0b01, 3)]);
    assert_eq!(lines(RuleKey::Rule(RulePlace::Unconditional(3))), []);
    let inside = RulePlace::Conditional { block: 1, when: true, rule: 4 };
    assert_eq!(lines(RuleKey::Rule(inside)), [(1, 40)]);
    let other = RulePlace::Conditional { block: 1, when: false, rule: 4 };
    assert_eq!(lines(RuleKey::Rule(other)), []);
    assert_eq!(lines(RuleKey::Constraint { class: 3, index: 1 }), [(u32::MAX, 3)]);
}

#[test]
fn a_chain_leads_outwards() {
    let made = sample();
    let (_, id) = made.places(RuleKey::RangeTransition(2)).next().unwrap();
    let chain: Vec<(&str, u32, Option<&str>)> =
        made.chain(id).map(|it| (it.path, it.line, it.within.map(|it| it.0))).collect();
    assert_eq!(chain, [("bar.if", 40, Some("bar_read")), ("foo.te", 12, None)]);
}

#[test]
fn reads_what_it_writes() {
    let made = sample();
    assert_eq!(Provenance::read(&bytes_of(&made)), Ok(made));
}

#[test]
fn every_cut_is_an_error() {
    let bytes = bytes_of(&sample());
    for length in 0..bytes.len() {
        let error = Provenance::read(&bytes[..length]).unwrap_err();
        assert!(error.offset <= length, "{error}");
    }
    let mut longer = bytes;
    longer.push(0);
    let error = Provenance::read(&longer).unwrap_err();
    assert_eq!(error.offset, longer.len() - 1);
}

#[test]
fn what_is_wrong_is_named() {
    let bytes = bytes_of(&sample());
    let damaged = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        Provenance::read(&bytes).unwrap_err().to_string()
    };
    assert!(damaged(0, b'x').starts_with("expected the bytes \"mandprov\""));
    assert_eq!(damaged(8, 2), "expected version 1 of the provenance format, found 2, at byte 8");
    // Far more strings than bytes.
    assert!(damaged(41, 0x7f).contains("cut short"), "{}", damaged(41, 0x7f));
}

proptest! {
    #[test]
    fn damage_never_panics(at in 0usize..400, byte in any::<u8>(), length in 0usize..400) {
        let mut bytes = bytes_of(&sample());
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(length);
        if let Ok(read) = Provenance::read(&bytes) {
            // What reads is whole: every chain ends, and it writes as it was read.
            for id in 0..read.places.len() {
                prop_assert!(read.chain(PlaceId(index(id))).count() <= read.places.len());
            }
            prop_assert_eq!(bytes_of(&read), bytes);
        }
    }

    #[test]
    fn any_entries_come_back(
        entries in prop::collection::vec((0u32..3, any::<u32>(), any::<u32>(), 0usize..2), 0..50)
    ) {
        let mut made = ProvenanceBuilder::new();
        let path = made.string("a");
        let places = [made.place(path, u32::MAX, 1, None), made.place(path, 1, u32::MAX, None)];
        for (class, index, mask, place) in entries {
            made.add(RuleKey::Constraint { class, index }, mask, places[place]);
        }
        let made = made.finish(HASH);
        prop_assert_eq!(Provenance::read(&bytes_of(&made)), Ok(made));
    }
}
