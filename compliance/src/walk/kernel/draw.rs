//! Calls of `restorecon` drawn at random, on the usual tree.

use super::case::Case;
use crate::random::Random;

/// Options without an argument. `-T` makes the order of lines anybody's, so it stands in written cases alone.
const PLAIN: [&str; 13] =
    ["-n", "-v", "-p", "-F", "-i", "-q", "-m", "-x", "-R", "-r", "-D", "-I", "-W"];
const OPERANDS: [&str; 16] = [
    "t",
    "t/etc",
    "t/bin",
    "t/home",
    "t/log",
    "t/none",
    "t/plain",
    "t/etc/moved",
    "t/bin/link",
    "t/bin/folder",
    "t/bin/folder/",
    "t/missing",
    "t/etc/*",
    "t/home/ann/customized",
    "/mnt/t/run/pipe",
    "t/../t/bin/.",
];
const EXCLUDED: [&str; 6] =
    ["/mnt/t/etc", "/mnt/t/home/ann/", "/mnt/t/bin/folder", "/mnt/t/etc/moved", "/mnt/no", "/"];

pub(super) fn cases(random: &mut Random, number: usize) -> Vec<Case> {
    (0..number).map(|n| draw(random, n)).collect()
}

fn draw(random: &mut Random, number: usize) -> Case {
    let mut words = vec!["restorecon"];
    for _ in 0..random.below(5) {
        words.extend(random.pick(&PLAIN));
    }
    let digests = words.iter().any(|it| matches!(*it, "-D" | "-I"));
    if digests {
        // Digests make the original count lines as matched that decided about nothing.
        words.retain(|it| *it != "-W");
    }
    if random.chance(25) {
        words.push("-e");
        words.extend(random.pick(&EXCLUDED));
    }
    for _ in 0..random.between(1, 3) {
        words.extend(random.pick(&OPERANDS));
    }
    // Later versions tell unmatched lines in another order than 3.4, and so do ours.
    let unordered = words.contains(&"-W");
    let words = words.into_iter().map(|it| it.as_bytes().to_vec()).collect();
    let mut case = Case::of(format!("drawn {number}"), words);
    (case.enforcing, case.unordered) = (random.chance(50), unordered);
    case
}
