//! Reads expanded modules and policies, prints them and reads what was printed: the same tree. Times it.

use std::time::{Duration, Instant};

use mandate_compile::print::kernel::{Layout, Options, print};
use mandate_syntax::kernel::{ParseOptions, SourceKind, dump::dump, parse_file};
use mandate_syntax::source::SourceMap;

fn main() {
    let mut time = Duration::ZERO;
    let mut bad = 0;
    let mut count = 0;
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).expect("a file");
        let mut sources = SourceMap::new();
        let conf = path.ends_with(".conf");
        let kind = if conf { SourceKind::Policy } else { SourceKind::Expanded };
        let options = ParseOptions { kind };
        let file = sources.add(&path, bytes).expect("small");
        let first = parse_file(sources.file(file), options);
        let layout = if conf { Layout::Policy } else { Layout::Expanded };
        let start = Instant::now();
        let printed = print(std::slice::from_ref(&first.unit), &Options { layout });
        time += start.elapsed();
        for it in printed.diagnostics.iter().chain(&first.diagnostics).take(5) {
            println!("{path}: {} {}", it.code.as_str(), it.message);
        }
        let file = sources.add("printed", printed.text.clone()).expect("small");
        let second = parse_file(sources.file(file), options);
        for it in second.diagnostics.iter().take(5) {
            println!(
                "{path}: second {} {} {:?}",
                it.code.as_str(),
                it.message,
                sources.location(it.span.pos).map(|it| (it.file.to_owned(), it.line))
            );
        }
        count += 1;
        let (a, b) = (dump(&first.unit), dump(&second.unit));
        if a != b {
            bad += 1;
            let other = a.lines().zip(b.lines()).find(|(a, b)| a != b);
            println!("{path}: differs: {other:?}");
        }
    }
    println!("{count} files, {bad} differ, printed in {time:?}");
}
