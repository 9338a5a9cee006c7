//! `hostile`: damaged policies and contexts must give typed errors, never a panic, and never take more memory than
//! 64 MiB above the input's size. A program of its own, because its allocator counts.
//!
//! Small policies are the micro policies of the repository. Large ones are given as files, or made by the original
//! tools with `--reference`.

use std::alloc::System;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use cap::Cap;
use clap::Parser;
use mandate_compliance::place::Place;
use mandate_compliance::random::Random;
use mandate_compliance::reference::Reference;
use mandate_policydb::{Datum as _, PolicyDb, PolicyVersion, Unvalidated};
use mandate_server::{Engine, Query};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What reading may take above the input's size.
const ALLOWANCE: usize = 64 << 20;

/// Feeds damaged policies and contexts to the readers.
#[derive(Parser)]
struct Args {
    /// Mutants of small policies, and as many of contexts
    #[arg(long, default_value_t = 200_000)]
    small: usize,
    /// Mutants of large policies
    #[arg(long, default_value_t = 500)]
    large: usize,
    /// Seed of the mutations
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Make the large policies with the original tools
    #[arg(long)]
    reference: bool,
    /// Large policies
    files: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let place = Place::here()?;
    let small = micro_policies(&place)?;
    let large = large_policies(&place, &args)?;
    let mut out = io::stdout().lock();
    writeln!(out, "seed {}; {} small policies, {} large", args.seed, small.len(), large.len())?;
    let mut failures = 0;
    let mut tally = Tally::default();
    for (corpus, count) in [(&small, args.small), (&large, args.large)] {
        if count == 0 || corpus.is_empty() {
            continue;
        }
        let mut random = Random::new(args.seed);
        for number in 0..count {
            let mutant = mutate(&mut random, corpus);
            if let Err(problem) = survives(&mutant, &mut tally) {
                failures += 1;
                let kept = place.keep(&format!("hostile-{}-{number}", args.seed), &mutant)?;
                writeln!(out, "FAILED mutant {number}: {problem}; {kept}")?;
            }
        }
    }
    let contexts = contexts(&args, &small)?;
    writeln!(
        out,
        "{} mutants: {} refused when read, {} when validated, {} asked; {contexts} contexts; peak {} KiB",
        tally.mutants,
        tally.unreadable,
        tally.invalid,
        tally.asked,
        ALLOCATOR.max_allocated() / 1024
    )?;
    if failures > 0 || tally.unreadable == 0 || tally.invalid == 0 || tally.asked == 0 {
        bail!("{failures} mutants failed, or a stage was never reached");
    }
    Ok(())
}

fn micro_policies(place: &Place) -> Result<Vec<Vec<u8>>> {
    let folder = place.root.join("policies/micro");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| Ok(entry?.path().join("policy.bin")))
        .collect::<io::Result<_>>()?;
    paths.sort();
    let mut corpus = Vec::new();
    for path in paths.iter().filter(|it| it.exists()) {
        let bytes = std::fs::read(path)?;
        // Each in an old and a new form too, so that every layout is damaged.
        if let Ok(policy) = Unvalidated::read(&bytes) {
            for version in [PolicyVersion::BASE, PolicyVersion::MLS, PolicyVersion::MAX] {
                let mut other = Vec::new();
                if policy.db().write(version, &mut other).is_ok() {
                    corpus.push(other);
                }
            }
        }
        corpus.push(bytes);
    }
    if corpus.is_empty() {
        bail!("no policies in {}", folder.display());
    }
    Ok(corpus)
}

fn large_policies(place: &Place, args: &Args) -> Result<Vec<Vec<u8>>> {
    let mut paths = args.files.clone();
    if args.reference {
        paths.extend(Reference::build_all(place)?.iter().map(Reference::binary));
    }
    paths
        .iter()
        .map(|path| std::fs::read(path).with_context(|| path.display().to_string()))
        .collect()
}

#[derive(Default)]
struct Tally {
    mutants: usize,
    unreadable: usize,
    invalid: usize,
    asked: usize,
}

/// Reads, validates and asks; what went wrong other than by a typed error.
fn survives(mutant: &[u8], tally: &mut Tally) -> Result<(), String> {
    tally.mutants += 1;
    let allowed = ALLOCATOR.allocated() + mutant.len() + ALLOWANCE;
    let result = catch_unwind(AssertUnwindSafe(|| use_policy(mutant, tally)));
    if result.is_err() {
        return Err("panicked".to_owned());
    }
    let peak = ALLOCATOR.max_allocated();
    if peak > allowed {
        return Err(format!("took {} KiB, {} allowed", peak / 1024, allowed / 1024));
    }
    Ok(())
}

fn use_policy(bytes: &[u8], tally: &mut Tally) {
    let Ok(read) = Unvalidated::read(bytes).map_err(|error| error.to_string()) else {
        tally.unreadable += 1;
        return;
    };
    let Ok(policy) = read.validate().map_err(|error| error.to_string()) else {
        tally.invalid += 1;
        return;
    };
    let Ok(engine) = Engine::new(policy) else {
        tally.invalid += 1;
        return;
    };
    tally.asked += 1;
    ask(&engine);
    engine.db().write(engine.db().version, &mut io::sink()).expect("what was read can be written");
}

/// A question of every kind about the first contexts that the policy has.
fn ask(engine: &Engine) {
    let db = engine.db();
    let contexts: Vec<_> = db.object_contexts.contexts().take(3).collect();
    for &source in &contexts {
        for &target in &contexts {
            for class in db.classes.by_value().map(|it| it.id()).take(8) {
                let query = Query { source, target, class };
                let plain = engine.decide(&query);
                assert_eq!(engine.explain(&query, Some(1)).decision, plain, "one algorithm");
                let compute = mandate_server::Compute::Create;
                drop(engine.compute_context(compute, source, target, Some(class), Some(b"x")));
                drop(engine.validate_transition(source, target, class, source));
            }
            drop(db.parse_context(&db.context_to_string(target)));
        }
    }
}

/// One to eight changes of a policy of the corpus; mostly one, so that many mutants get past the reader.
fn mutate(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = random.pick(corpus).cloned().unwrap_or_default();
    let changes = if random.chance(75) { 1 } else { random.between(2, 8) };
    for _ in 0..changes {
        change(random, &mut bytes, corpus);
    }
    bytes
}

const TELLING: [u32; 10] = [0, 1, 2, 63, 64, 0xffff, 0x1_0000, 0x7fff_ffff, u32::MAX - 1, u32::MAX];

fn change(random: &mut Random, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    match random.below(12) {
        0 | 8 | 9 => flip(random, bytes, at),
        1 => overwrite(bytes, at & !3, *random.pick(&TELLING).unwrap_or(&0)),
        2 => {
            let value = u32::try_from(random.below(64)).unwrap_or(0);
            overwrite(bytes, at & !3, value);
        }
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..(at + random.between(1, 16)).min(bytes.len()))),
        5 => {
            let copy: Vec<u8> =
                bytes.iter().skip(at).take(random.between(1, 64)).copied().collect();
            let to = random.below(bytes.len());
            bytes.splice(to..to, copy);
        }
        6 => splice_other(random, bytes, at, corpus),
        _ => bump(random, bytes, at),
    }
}

fn flip(random: &mut Random, bytes: &mut [u8], at: usize) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn overwrite(bytes: &mut [u8], at: usize, value: u32) {
    for (to, from) in bytes.iter_mut().skip(at).zip(value.to_le_bytes()) {
        *to = from;
    }
}

fn bump(random: &mut Random, bytes: &mut [u8], at: usize) {
    let word = bytes.get(at..).and_then(|it| it.first_chunk()).map(|it| u32::from_le_bytes(*it));
    if let Some(word) = word {
        let step = u32::try_from(random.between(1, 3)).unwrap_or(1);
        overwrite(
            bytes,
            at,
            if random.chance(50) { word.wrapping_add(step) } else { word.wrapping_sub(step) },
        );
    }
}

fn splice_other(random: &mut Random, bytes: &mut [u8], at: usize, corpus: &[Vec<u8>]) {
    let Some(other) = random.pick(corpus) else { return };
    let (from, length) = (random.below(other.len()), random.between(1, 64));
    for (to, byte) in bytes.iter_mut().skip(at).zip(other.iter().skip(from).take(length)) {
        *to = *byte;
    }
}

/// Damaged contexts: parsed or refused, and what is parsed prints as something that parses the same.
fn contexts(args: &Args, small: &[Vec<u8>]) -> Result<usize> {
    let mut random = Random::new(args.seed);
    let mut policies: Vec<PolicyDb> = Vec::new();
    for bytes in small {
        policies.push(Unvalidated::read(bytes)?.validate()?.into_db());
    }
    for _ in 0..args.small {
        let Some(db) = random.pick(&policies) else { break };
        let all: Vec<_> = db.object_contexts.contexts().collect();
        let Some(context) = random.pick(&all) else { continue };
        let mut text = db.context_to_string(context).into_bytes();
        for _ in 0..random.between(1, 3) {
            let at = random.below(text.len());
            match random.below(4) {
                0 => flip(&mut random, &mut text, at),
                1 => text.truncate(at),
                2 => text.insert(at, *random.pick(b":-.,c0s1*\xff").unwrap_or(&b':')),
                _ => text.extend_from_slice(
                    random.pick(&[&b":c0"[..], b"-s1", b",c1.c3", b".c0"]).unwrap_or(&&b""[..]),
                ),
            }
        }
        let text = String::from_utf8_lossy(&text);
        if let Ok(parsed) = db.parse_context(&text) {
            let printed = db.context_to_string(&parsed);
            if db.parse_context(&printed).as_ref() != Ok(&parsed) {
                bail!("{text:?} parses but prints as {printed:?}, which is another context");
            }
        }
    }
    Ok(args.small)
}
