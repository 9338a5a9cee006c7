//! Reads, validates and writes policies, and says whether the bytes are the same.
#![allow(clippy::print_stdout, reason = "an example")]
fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        let start = std::time::Instant::now();
        let read = match mandate_policydb::Unvalidated::read(&bytes) {
            Ok(it) => it,
            Err(e) => {
                println!("{path}: {e}");
                continue;
            }
        };
        let t1 = start.elapsed();
        let policy = match read.validate() {
            Ok(it) => it,
            Err(e) => {
                println!("{path}: {e}");
                continue;
            }
        };
        let t2 = start.elapsed();
        let mut out = Vec::with_capacity(bytes.len());
        policy.db().write(policy.db().version, &mut out).unwrap();
        println!("{path}: read {t1:?} validate {:?} same {}", t2 - t1, out == bytes);
    }
}
