use super::*;
use crate::kernel::{ParseOptions, SourceKind, Unit, parse};
use crate::m4::Machine;

/// Two files; `before` moves them.
fn sources(before: &str) -> SourceMap {
    let mut sources = SourceMap::new();
    sources.add("before", before.as_bytes()).unwrap();
    let text = "type a_t; allow_all(a_t)\nbool b true; if (b) { allow a_t self:file read; }\n";
    sources.add("a.te", text.as_bytes()).unwrap();
    sources
        .add("a.if", *b"define(`allow_all', `optional { require { type x; } allow $1 x:file *; }')")
        .unwrap();
    sources
}

fn find(sources: &SourceMap) -> impl Fn(&str) -> Option<FileId> {
    |path| {
        let at = sources.files().iter().position(|it| it.path == path)?;
        Some(FileId(u32::try_from(at).unwrap()))
    }
}

/// A unit that was read through macros, its expansions, and the machine.
fn made(sources: &SourceMap, recorder: &mut ExpansionRecorder) -> (Unit, Machine) {
    let text = |path: &str| Text::of_file(sources.file(find(sources)(path).unwrap()));
    let mut machine = Machine::new();
    machine.run(&[&text("a.if")], sources, recorder);
    let expanded = machine.run(&[&text("a.te")], sources, recorder);
    let parsed = parse(&expanded.text, ParseOptions { kind: SourceKind::Expanded });
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    (parsed.unit, machine)
}

fn written(sources: &SourceMap) -> Vec<u8> {
    let mut recorder = ExpansionRecorder::default();
    let (unit, machine) = made(sources, &mut recorder);
    let mut writer = Writer::new(sources, &recorder);
    unit.put(&mut writer);
    machine.put(&mut writer);
    recorder.put(&mut writer);
    assert!(!writer.foreign());
    writer.finish()
}

#[test]
fn what_is_read_is_what_was_written_wherever_the_files_lie() {
    let bytes = written(&sources(""));
    let moved = sources("some text before them all");
    let mut recorder = ExpansionRecorder::default();
    let (unit, _) = made(&moved, &mut recorder);
    let mut reader = Reader::new(&bytes, &moved, find(&moved), &recorder).unwrap();
    let read = Unit::get(&mut reader).unwrap();
    assert_eq!(read.statements, unit.statements);
    assert_eq!(read.set_items, unit.set_items);
    assert_eq!(read.idents, unit.idents);
    let mut machine = Machine::get(&mut reader).unwrap();
    let calls = ExpansionRecorder::get(&mut reader).unwrap();
    assert!(calls.calls().eq(recorder.calls()) && !calls.is_empty());
    assert!(reader.is_empty());
    // The macros do what they did.
    let text = Text::of_file(moved.file(find(&moved)("a.te").unwrap()));
    let mut again = ExpansionRecorder::default();
    let expanded = machine.run(&[&text], &moved, &mut again);
    assert!(expanded.used.iter().any(|it| it == "allow_all"));
    assert!(expanded.asked.may_hold("a_t") && !expanded.asked.may_hold("nowhere_t"));
    let parsed = parse(&expanded.text, ParseOptions { kind: SourceKind::Expanded });
    assert_eq!(parsed.unit.statements.len(), unit.statements.len());
}

#[test]
fn damage_and_missing_files_are_told_from_what_was_written() {
    let sources = sources("");
    let bytes = written(&sources);
    let recorder = ExpansionRecorder::default();
    let missing = |path: &str| find(&sources)(path).filter(|_| path != "a.if");
    assert!(Reader::new(&bytes, &sources, missing, &recorder).is_none());
    let read = |bytes: &[u8]| {
        let mut reader = Reader::new(bytes, &sources, find(&sources), &recorder)?;
        let unit = Unit::get(&mut reader)?;
        Machine::get(&mut reader)?;
        ExpansionRecorder::get(&mut reader)?;
        reader.is_empty().then_some(unit)
    };
    assert!(read(&bytes).is_some());
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).is_none(), "cut at {end}");
    }
    // Whatever is changed, nothing breaks.
    for at in 0..bytes.len() {
        for flip in [1, 0x40, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            read(&bytes);
        }
    }
}

#[test]
fn expansions_move_with_their_unit() {
    let sources = sources("");
    let mut all = crate::source::Expansions::for_units(4);
    let pos = Pos(sources.files()[1].start().0 + 3);
    let mut recorder = all.recorder(1);
    let own = recorder.record(Span { pos, expansion: ExpansionId(0) });
    let mut writer = Writer::new(&sources, &recorder);
    Span { pos, expansion: own }.put(&mut writer);
    assert!(!writer.foreign());
    let bytes = writer.finish();
    let moved = all.recorder(3);
    let mut reader = Reader::new(&bytes, &sources, find(&sources), &moved).unwrap();
    let read = Span::get(&mut reader).unwrap();
    all.set(3, {
        let mut it = moved;
        it.record(Span { pos, ..Span::NOWHERE });
        it
    });
    assert_eq!(all.get(read.expansion).unwrap().call.pos, pos);
    // One of another unit keeps its number, and that is told.
    let mut writer = Writer::new(&sources, &all.recorder(2));
    Span { pos, expansion: own }.put(&mut writer);
    assert!(writer.foreign());
    let bytes = writer.finish();
    let mut reader = Reader::new(&bytes, &sources, find(&sources), &all.recorder(0)).unwrap();
    assert_eq!(Span::get(&mut reader).unwrap().expansion, own);
}
