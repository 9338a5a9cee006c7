#![allow(clippy::all, clippy::print_stdout, missing_docs, reason = "scratch")]
use mandate_policydb::*;
use mandate_server::*;
use std::time::Instant;
fn main() {
    let bytes = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let (mut a, mut b, mut c) = (vec![], vec![], vec![]);
    for _ in 0..n {
        let t = Instant::now();
        let u = Unvalidated::read(&bytes).unwrap();
        a.push(t.elapsed());
        let t = Instant::now();
        let p = u.validate().unwrap();
        b.push(t.elapsed());
        let t = Instant::now();
        let e = Engine::new(p).unwrap();
        c.push(t.elapsed());
        drop(e);
    }
    for v in [&mut a, &mut b, &mut c] {
        v.sort();
        print!("{:?}/{:?} ", v[0], v[v.len() / 2]);
    }
    println!();
}
