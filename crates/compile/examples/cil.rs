//! Prints binary policies (`policy IN OUT`) or expanded modules (`modules FOLDER FILES`) as CIL.

use std::time::{Duration, Instant};

use mandate_compile::decompile;
use mandate_compile::print::cil::{Layout, Options, print};
use mandate_policydb::Unvalidated;
use mandate_syntax::kernel::{ParseOptions, SourceKind, parse_file};
use mandate_syntax::source::SourceMap;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut time = Duration::ZERO;
    match args[0].as_str() {
        "policy" => {
            let bytes = std::fs::read(&args[1]).expect("a file");
            let policy = Unvalidated::read(&bytes).expect("a policy").validate().expect("sound");
            let it = decompile::unit(policy.db());
            let (mls, handle_unknown) = (it.options.mls, it.options.handle_unknown);
            let layout = Layout::Policy { mls, handle_unknown };
            let start = Instant::now();
            let printed = print(&[it.unit], &Options { layout, line_marks: None });
            time += start.elapsed();
            for it in it.diagnostics.iter().chain(&printed.diagnostics) {
                println!("{}: {} {}", args[1], it.code.as_str(), it.message);
            }
            std::fs::write(&args[2], printed.text).expect("written");
        }
        _ => {
            for path in &args[2..] {
                let bytes = std::fs::read(path).expect("a file");
                let mut sources = SourceMap::new();
                let conf = path.ends_with(".conf");
                let kind = if conf { SourceKind::Policy } else { SourceKind::Expanded };
                let file = sources.add(path, bytes).expect("small");
                let unit = parse_file(sources.file(file), ParseOptions { kind }).unit;
                let name = path.rsplit('/').next().unwrap_or_default();
                let name = name.trim_end_matches(".tmp").trim_end_matches(".conf");
                let layout = if conf {
                    Layout::Policy { mls: true, handle_unknown: mandate_policydb::HandleUnknown::Deny }
                } else {
                    Layout::Module
                };
                let start = Instant::now();
                let printed = print(&[unit], &Options { layout, line_marks: None });
                time += start.elapsed();
                for it in &printed.diagnostics {
                    println!("{path}: {} {}", it.code.as_str(), it.message);
                }
                std::fs::write(format!("{}/{name}.cil", args[1]), printed.text).expect("written");
            }
        }
    }
    println!("printed in {time:?}");
}
