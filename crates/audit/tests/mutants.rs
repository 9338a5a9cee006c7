//! Damaged logs: no panic, work in proportion to the input, and what is left whole is read.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use mandate_audit::{Joiner, Names, Pattern, Reader, Record, Search, interpret, normalize};

const SEEDS: [&str; 8] = [
    "type=AVC msg=audit(1700000000.003:1): avc:  denied  { read write } for  pid=7 comm=\"cat\" path=2F746D702F612062 dev=\"vda1\" ino=12 scontext=u:r:a_t:s0 tcontext=u:r:Top Secret tclass=file permissive=0",
    "node=web1 type=SYSCALL msg=audit(1700000000.003:1): arch=c000003e syscall=257 success=no exit=-13 a0=ffffff9c a1=7ffd a2=80000 a3=0 items=2 pid=7 auid=0 uid=0 comm=\"cat\" exe=\"/usr/bin/cat\" key=61016263\u{1d}ARCH=x86_64 UID=\"root\"",
    "type=USER_AVC msg=audit(1700000003.003:2): pid=1 uid=0 subj=u:r:d msg='avc:  denied  { send_msg } for  spid=4 scontext=a tcontext=b tclass=dbus exe=\"/x\" sauid=0 hostname=? addr=? terminal=?'",
    "type=PATH msg=audit(1700000000.003:1): item=0 name=\"./x\" inode=12 dev=fe:01 mode=0100640 cap_fp=2 nametype=NORMAL",
    "type=SOCKADDR msg=audit(1700000000.003:1): saddr=0A0001BB00000000000000000000000000000000000000010000000000000000",
    "[   12.345678] audit: type=1400 audit(1700000000.003:4): avc:  granted  { read } for  pid=1 tclass=file",
    "type=AVC msg=audit(11/14/23 22:13:20.003:1000) : avc:  denied  { read } for  pid=1 comm=my prog tclass=file permissive=0 ",
    "{\"_AUDIT_TYPE_NAME\":\"AVC\",\"_AUDIT_ID\":\"77\",\"_SOURCE_REALTIME_TIMESTAMP\":\"1700000000003999\",\"MESSAGE\":\"AVC avc:  denied  { read } for  pid=1 tclass=file\"}",
];
const SPLINTERS: [&[u8]; 16] = [
    b"\"",
    b"'",
    b"=",
    b" ",
    b"\x1d",
    b"\n",
    b"}",
    b"{",
    b"audit(",
    b"avc:  denied ",
    b"type=",
    b"msg='",
    b"\0",
    b"\xff\xfe",
    b"99999999999999999999999",
    b":",
];

/// A xorshift generator: the same mutants each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % n.max(1)
    }
}

fn mutant(dice: &mut Dice) -> Vec<u8> {
    let lines = 1 + dice.below(4);
    let lines: Vec<_> = (0..lines).map(|_| SEEDS[dice.below(SEEDS.len())].as_bytes()).collect();
    let mut log = lines.join(&b'\n');
    for _ in 0..dice.below(6) {
        let at = dice.below(log.len());
        match dice.below(4) {
            0 => drop(log.drain(at..(at + dice.below(40)).min(log.len()))),
            1 => drop(log.splice(at..at, SPLINTERS[dice.below(SPLINTERS.len())].iter().copied())),
            2 => log[at] = u8::try_from(dice.below(256)).unwrap(),
            _ => {
                let piece = log[at..(at + dice.below(60)).min(log.len())].to_vec();
                let to = dice.below(log.len());
                drop(log.splice(to..to, piece));
            }
        }
        if log.is_empty() {
            log.push(b'x');
        }
    }
    log
}

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

fn search() -> Search {
    let pattern = || Some(Pattern { text: b"x".to_vec(), whole: false });
    let mut search = Search::default();
    (search.scontext, search.comm, search.exe, search.file) =
        (pattern(), pattern(), pattern(), pattern());
    search
}

/// Reads all of a log in every way; the records that it gave.
fn read(log: &[u8]) -> usize {
    let (mut joiner, mut records) = (Joiner::new(), 0);
    for record in Reader::new(log).flatten() {
        records += 1;
        check(&record);
        joiner.push(record);
    }
    joiner.finish();
    let (mut given, mut found) = (0, 0);
    while let Some(event) = joiner.next_event() {
        given += event.records().len();
        let accesses = event.accesses();
        assert!(accesses.len() <= event.records().len());
        found += usize::from(search().matches(&event));
        for labels in [false, true] {
            let told = normalize(&event, &Nobody, labels);
            assert!(told.is_ok() || !event.is_selinux() || event.records().len() > 1);
        }
    }
    assert!(given <= records && found <= given, "{found} of {given} of {records} records");
    assert!(joiner.work() <= 2 * records as u64, "{} steps for {records} records", joiner.work());
    records
}

/// Every byte is of one field at most, so that reading them all is linear.
fn check(record: &Record<'_>) {
    let read: usize = record.fields().map(|it| it.0.len() + it.1.raw.len() + 1).sum();
    assert!(read <= record.body().len(), "{read} of {} bytes", record.body().len());
    let mut out = Vec::new();
    interpret(record, &Nobody, &mut out).unwrap();
    assert!(out.ends_with(b"\n"));
    out.clear();
    record.write(&mut out).unwrap();
    assert_eq!(out.strip_suffix(b"\n").unwrap(), record.bytes());
}

#[test]
fn fifty_thousand_mutants() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let records: usize = (0..50_000).map(|_| read(&mutant(&mut dice))).sum();
    assert!(
        records > 50_000,
        "{records} records: the mutants are damaged too much to tell anything"
    );
}

/// What is left alone between two broken lines is read.
#[test]
fn whole_lines_among_broken_ones_are_read() {
    let mut dice = Dice(7);
    for _ in 0..2_000 {
        let mut broken = || {
            mutant(&mut dice)
                .into_iter()
                .map(|it| if it == b'\n' { b' ' } else { it })
                .collect::<Vec<_>>()
        };
        let log = [broken(), SEEDS[0].as_bytes().to_vec(), broken()].join(&b'\n');
        let whole = Reader::new(&log).flatten().filter(|it| it.bytes() == SEEDS[0].as_bytes());
        assert!(whole.count() >= 1, "{}", String::from_utf8_lossy(&log));
    }
}

/// Events that never end, of times that run backwards, from machines without number.
#[test]
fn memory_and_work_are_bounded() {
    let mut joiner = Joiner::new();
    let (mut pushed, mut most) = (0u64, 0u64);
    let mut given = 0u64;
    for n in 0..60_000u64 {
        let line = format!(
            "node=n{} type=AVC msg=audit({}.000:{}): avc:  denied  {{ read }} for  pid=1",
            n % 7,
            1_700_000_000 - n / 1000,
            n % 30_000
        );
        joiner.push(Record::parse(line.as_bytes()).unwrap().unwrap().into_owned());
        pushed += 1;
        while let Some(event) = joiner.next_event() {
            given += event.records().len() as u64;
        }
        most = most.max(pushed - given);
    }
    assert!(most <= 16_384, "{most} records are held");
    assert!(joiner.work() <= 2 * pushed, "{} steps for {pushed} records", joiner.work());
    let one = "type=AVC msg=audit(1.000:1): avc:  denied  { read } for  pid=1";
    let mut joiner = Joiner::new();
    for _ in 0..10_000 {
        joiner.push(Record::parse(one.as_bytes()).unwrap().unwrap());
    }
    joiner.finish();
    let events = std::iter::from_fn(|| joiner.next_event()).map(|it| it.records().len());
    assert_eq!(events.collect::<Vec<_>>(), [4096, 4096, 1808]);
}
