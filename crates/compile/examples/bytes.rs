//! Decompiles binary policies, prints them, compiles what was printed: the same bytes, or those of the canonical form.

use std::time::Instant;

use mandate_compile::print::kernel::{Options, print};
use mandate_compile::whole::Checks;
use mandate_compile::{conf, decompile};
use mandate_policydb::{PolicyDb, PolicyVersion, Unvalidated, canonical};

fn bytes(db: &PolicyDb, version: PolicyVersion) -> Vec<u8> {
    let mut bytes = Vec::new();
    db.write(version, &mut bytes).expect("written");
    bytes
}

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let mut keep = None;
    if args.first().is_some_and(|it| it == "--keep") {
        keep = Some(args.remove(1));
        args.remove(0);
    }
    let (mut same, mut as_canonical, mut bad) = (0, 0, 0);
    for path in &args {
        let original = std::fs::read(path).expect("a file");
        let policy = match Unvalidated::read(&original).map(Unvalidated::validate) {
            Ok(Ok(policy)) => policy,
            other => {
                println!("{path}: {other:?}");
                continue;
            }
        };
        let db = policy.db();
        let start = Instant::now();
        let normal = canonical(db);
        let at_canonical = start.elapsed();
        let wanted = bytes(&normal, db.version);
        let reread = Unvalidated::read(&wanted).expect("canonical reads");
        let twice = bytes(&canonical(reread.db()), db.version) == wanted;
        let start = Instant::now();
        let decompiled = decompile::unit(db);
        let at_unit = start.elapsed();
        let start = Instant::now();
        let printed = print(&[decompiled.unit], &Options::default());
        let at_text = start.elapsed();
        for it in decompiled.diagnostics.iter().chain(&printed.diagnostics).take(5) {
            println!("{path}: {} {}", it.code.as_str(), it.message);
        }
        let text = printed.text;
        if let Some(keep) = &keep {
            std::fs::write(keep, &text).expect("kept");
        }
        let checks = Checks { neverallow: false, optimise: false };
        let outcome = conf::build("policy.conf", text.into(), &decompiled.options, checks);
        let Some(product) = outcome.product else {
            bad += 1;
            for it in outcome.diagnostics.iter().take(5) {
                let place = outcome.sources.location(it.span.pos).map(|it| it.line);
                println!("{path}: {} {} {place:?}", it.code.as_str(), it.message);
            }
            continue;
        };
        let result = bytes(&product.policy, db.version);
        if result == original {
            same += 1;
            if wanted != original {
                println!("{path}: but canonical differs");
            }
        } else if result == wanted {
            as_canonical += 1;
            if args.len() < 20 {
                println!("{path}: as canonical");
                differ(db, reread.db());
            }
        } else {
            bad += 1;
            println!("{path}: differs");
            let result = Unvalidated::read(&result).expect("reads");
            differ(result.db(), reread.db());
        }
        if !twice {
            println!("{path}: canonical is not idempotent");
        }
        if args.len() < 8 {
            println!("canonical {at_canonical:?} unit {at_unit:?} text {at_text:?}");
        }
    }
    println!("{same} same bytes, {as_canonical} as canonical, {bad} bad");
}

fn differ(a: &PolicyDb, b: &PolicyDb) {
    macro_rules! fields {
        ($($field:ident)*) => {$(
            if a.$field != b.$field {
                println!("  {}", stringify!($field));
                let (a, b) = (format!("{:#?}", a.$field), format!("{:#?}", b.$field));
                for (a, b) in a.lines().zip(b.lines()).filter(|(a, b)| a != b).take(4) {
                    println!("    {} | {}", a.trim(), b.trim());
                }
                println!("    {} | {} lines", a.lines().count(), b.lines().count());
            }
        )*};
    }
    fields!(target version mls handle_unknown policy_capabilities permissive neveraudit commons classes roles types users booleans
        sensitivities categories rules xperms conditionals role_transitions role_allows filename_transitions object_contexts genfs
        range_transitions type_attributes);
}
