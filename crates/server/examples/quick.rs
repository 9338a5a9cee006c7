//! Quick measurement.
#![allow(clippy::all, clippy::print_stdout, unused, reason = "scratch")]
use mandate_policydb::*;
use mandate_server::*;
use std::time::Instant;
fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        let mut best = (9e9, 9e9, 9e9);
        let mut engine = None;
        for _ in 0..7 {
            let t = Instant::now();
            let u = Unvalidated::read(&bytes).unwrap();
            let a = t.elapsed().as_secs_f64();
            let p = u.validate().unwrap();
            let b = t.elapsed().as_secs_f64();
            engine = Some(Engine::new(p).unwrap());
            let c = t.elapsed().as_secs_f64();
            best = (f64::min(best.0, a), f64::min(best.1, b - a), f64::min(best.2, c - b));
        }
        println!("read {:.2} validate {:.2} index {:.2} ms", best.0 * 1e3, best.1 * 1e3, best.2 * 1e3);
        let e = engine.unwrap();
        let db = e.db();
        let mut s = 1u64;
        let mut rnd = |n: usize| { s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); ((s >> 33) as usize) % n };
        let sysu = db.users.id("system_u").unwrap();
        let sysr = db.roles.id("system_r").unwrap();
        let user = db.users.get(sysu).unwrap();
        let types: Vec<TypeId> = db.types.by_value().filter(|t| !t.attribute).map(|t| t.id).collect();
        let mut members = vec![Vec::new(); db.types.nprim() as usize];
        for (i, a) in db.type_attributes.iter().enumerate() { for b in a.iter() { members[b as usize].push(TypeId::from_bit(i as u32).unwrap()); } }
        let ctx = |t: TypeId, subj: bool, k: usize| {
            let range = user.range.as_ref().map(|r| { let mut c = Ebitmap::new(); match k % 4 { 0 => {}, 1 => c.insert((k % 1000) as u32), 2 => { c.insert((k % 700) as u32); c.insert((k % 1000) as u32) }, _ => c.insert_range(0, 1023) };
                MlsRange { low: r.low.clone(), high: MlsLevel { sensitivity: r.high.sensitivity, categories: c } } });
            Context { user: sysu, role: if subj { sysr } else { RoleId::OBJECT }, type_: t, range }
        };
        let mut pool = std::collections::HashMap::new();
        let mut ctxs = Vec::new();
        let n = 1_000_000;
        let mut qs = Vec::new();
        let classes: Vec<ClassId> = db.classes.by_value().map(|c| c.id).collect();
        for i in 0..n {
            let (a, b, c) = if i % 4 != 0 {
                let r = &db.rules[rnd(db.rules.len())];
                let ms = &members[r.source.index()]; let mt = &members[r.target.index()];
                if ms.is_empty() || mt.is_empty() { continue }
                (ms[rnd(ms.len())], mt[rnd(mt.len())], r.class())
            } else { (types[rnd(types.len())], types[rnd(types.len())], classes[rnd(classes.len())]) };
            let k = rnd(2);
            let mut get = |t, subj, k| *pool.entry((t, subj, k)).or_insert_with(|| { ctxs.push(ctx(t, subj, k * 37 + ctxs.len())); ctxs.len() - 1 });
            let x = get(a, true, k); let y = get(b, false, k);
            qs.push((x, y, c));
        }
        for _ in 0..3 {
            let t = Instant::now();
            let mut sum = 0u64;
            for &(x, y, c) in &qs { sum += u64::from(e.decide(&Query { source: &ctxs[x], target: &ctxs[y], class: c }).allowed); }
            let d = t.elapsed().as_secs_f64();
            println!("{} contexts, {:.0}/s sum {sum}", ctxs.len(), qs.len() as f64 / d);
        }
    }
}
