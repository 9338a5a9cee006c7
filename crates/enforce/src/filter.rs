//! The seccomp filter: what becomes of each system call before the monitor sees it.
//!
//! The kernel keeps a bitmap of calls that are always let through, so that those cost nothing; every other call runs this
//! program. Calls are found by a binary search over their numbers; calls that are not in the table do not exist
//! (`ENOSYS`), so that a newer kernel brings nothing in that nobody thought of.

mod table;

use libc::sock_filter;

use crate::defence::{Defence, stands};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// It runs.
    Allow,
    /// The monitor is asked.
    Notify,
    /// It fails with this errno.
    Refuse(i32),
    /// It depends on an argument.
    When(Test, &'static Self, &'static Self),
}

/// A look at the low half of an argument. Those of which the kernel takes a whole register for a pointer have [`Test::is_null`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    argument: u8,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// One of these bits is set.
    AnyOf(u32),
    /// It is this number.
    Is(u32),
    /// All 64 bits are 0.
    IsNull,
    /// It is one of so many numbers from the first on.
    Within(u32, u32),
    /// All 64 bits are less than this number.
    Below(u32),
}

impl Test {
    const fn any_of(argument: u8, bits: u32) -> Self {
        Self { argument, what: What::AnyOf(bits) }
    }

    const fn is(argument: u8, number: u32) -> Self {
        Self { argument, what: What::Is(number) }
    }

    const fn within(argument: u8, first: u32, count: u32) -> Self {
        Self { argument, what: What::Within(first, count) }
    }

    const fn below(argument: u8, number: u32) -> Self {
        Self { argument, what: What::Below(number) }
    }

    const fn is_null(argument: u8) -> Self {
        Self { argument, what: What::IsNull }
    }
}

/// Descriptors at which writing is asked about: where processes rarely have one, below the usual limit of 1,024.
pub(crate) const WRITTEN: std::ops::Range<u32> = 960..976;

/// Offsets in `struct seccomp_data` (linux/seccomp.h).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// `AUDIT_ARCH_X86_64` of linux/audit.h.
const AUDIT_ARCH: u32 = 0xc000_003e;
/// Bit of the numbers of the x32 interface.
const X32: u32 = 0x4000_0000;

/// Operations of classic BPF (linux/bpf_common.h).
mod op {
    pub(super) const LOAD: u16 = 0x20;
    pub(super) const JUMP: u16 = 0x05;
    pub(super) const IF_EQUAL: u16 = 0x15;
    pub(super) const IF_AT_LEAST: u16 = 0x35;
    pub(super) const IF_SET: u16 = 0x45;
    pub(super) const RETURN: u16 = 0x06;
}

/// The program, for a monitor that is asked about all accesses or only about those that matter most.
pub(crate) fn program(exact: bool) -> Vec<sock_filter> {
    let mut calls = table::calls(exact);
    #[cfg(feature = "switches")]
    crate::defence::let_through(&mut calls);
    calls.sort_by_key(|it| it.0);
    let foreign = match stands(Defence::ForeignCalls) {
        true => libc::SECCOMP_RET_KILL_PROCESS,
        false => libc::SECCOMP_RET_ALLOW,
    };
    let mut program = vec![
        statement(op::LOAD, ARCHITECTURE),
        jump(op::IF_EQUAL, AUDIT_ARCH, 1, 0),
        statement(op::RETURN, foreign),
        statement(op::LOAD, NUMBER),
        jump(op::IF_AT_LEAST, X32, 0, 1),
        statement(op::RETURN, refusal(libc::ENOSYS)),
    ];
    program.extend(search(&ranges(&calls)));
    program
}

/// Numbers from the first on, up to the next entry.
type Range = (u32, Treatment);

/// Does the monitor hold this call, and is it one that never waits by itself?
pub(crate) fn is_held(number: i64) -> bool {
    let waits = matches!(
        number,
        libc::SYS_accept
            | libc::SYS_accept4
            | libc::SYS_fcntl
            | libc::SYS_sendto
            | libc::SYS_sendmsg
            | libc::SYS_sendmmsg
            | libc::SYS_recvmsg
            | libc::SYS_semop
            | libc::SYS_semtimedop
            | libc::SYS_msgsnd
            | libc::SYS_msgrcv
    );
    !waits && table::is_notified(number)
}

/// Neighbours of like treatment together; what is between them is refused.
fn ranges(calls: &[(u32, Treatment)]) -> Vec<Range> {
    let unknown = match stands(Defence::UnknownCalls) {
        true => Treatment::Refuse(libc::ENOSYS),
        false => Treatment::Allow,
    };
    let mut ranges: Vec<Range> = vec![(0, unknown)];
    let mut push = |from: u32, treatment: Treatment| match ranges.last_mut() {
        Some(last) if last.1 == treatment => {}
        Some(last) if last.0 == from => last.1 = treatment,
        _ => ranges.push((from, treatment)),
    };
    let mut next = 0;
    for &(number, treatment) in calls {
        if number > next {
            push(next, unknown);
        }
        push(number, treatment);
        next = number + 1;
    }
    push(next, unknown);
    ranges
}

fn search(ranges: &[Range]) -> Vec<sock_filter> {
    let [(_, treatment)] = ranges else {
        let (low, high) = ranges.split_at(ranges.len() / 2);
        let (first, low) = (high[0].0, search(low));
        // A conditional jump reaches no further than 255 steps.
        let mut program = match u8::try_from(low.len()) {
            Ok(over) => vec![jump(op::IF_AT_LEAST, first, over, 0)],
            Err(_) => vec![
                jump(op::IF_AT_LEAST, first, 0, 1),
                statement(op::JUMP, u32::try_from(low.len()).unwrap_or(u32::MAX)),
            ],
        };
        program.extend(low);
        program.extend(search(high));
        return program;
    };
    leaf(treatment)
}

fn leaf(treatment: &Treatment) -> Vec<sock_filter> {
    match treatment {
        Treatment::Allow => vec![statement(op::RETURN, libc::SECCOMP_RET_ALLOW)],
        Treatment::Notify => vec![statement(op::RETURN, libc::SECCOMP_RET_USER_NOTIF)],
        Treatment::Refuse(errno) => vec![statement(op::RETURN, refusal(*errno))],
        Treatment::When(test, then, otherwise) => {
            let then = leaf(then);
            let over = u8::try_from(then.len()).unwrap_or(u8::MAX);
            let low = ARGUMENTS + 8 * u32::from(test.argument);
            let mut program = match test.what {
                What::AnyOf(bits) => {
                    vec![statement(op::LOAD, low), jump(op::IF_SET, bits, 0, over)]
                }
                What::Is(number) => {
                    vec![statement(op::LOAD, low), jump(op::IF_EQUAL, number, 0, over)]
                }
                What::Within(first, count) => vec![
                    statement(op::LOAD, low),
                    jump(op::IF_AT_LEAST, first, 0, over + 1),
                    jump(op::IF_AT_LEAST, first + count, over, 0),
                ],
                What::IsNull => vec![
                    statement(op::LOAD, low),
                    jump(op::IF_EQUAL, 0, 0, over + 2),
                    statement(op::LOAD, low + 4),
                    jump(op::IF_EQUAL, 0, 0, over),
                ],
                What::Below(number) => vec![
                    statement(op::LOAD, low),
                    jump(op::IF_AT_LEAST, number, over + 2, 0),
                    statement(op::LOAD, low + 4),
                    jump(op::IF_EQUAL, 0, 0, over),
                ],
            };
            program.extend(then);
            program.extend(leaf(otherwise));
            program
        }
    }
}

fn refusal(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno.unsigned_abs()
}

fn statement(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

fn jump(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::word;

    /// What the program says of a call, run as the kernel runs it.
    fn run(program: &[sock_filter], arch: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let word = |at: u32| match at {
            NUMBER => number,
            ARCHITECTURE => arch,
            at => {
                let argument = arguments[((at - ARGUMENTS) / 8) as usize];
                word(if at % 8 == 0 { argument } else { argument >> 32 })
            }
        };
        let (mut at, mut a) = (0, 0);
        loop {
            let it = &program[at];
            at += 1;
            let over = |holds: bool| usize::from(if holds { it.jt } else { it.jf });
            match it.code {
                op::LOAD => a = word(it.k),
                op::JUMP => at += it.k as usize,
                op::IF_EQUAL => at += over(a == it.k),
                op::IF_AT_LEAST => at += over(a >= it.k),
                op::IF_SET => at += over(a & it.k != 0),
                op::RETURN => return it.k,
                code => panic!("{code:#x}"),
            }
        }
    }

    fn meaning(treatment: &Treatment, arguments: [u64; 6]) -> u32 {
        match treatment {
            Treatment::Allow => libc::SECCOMP_RET_ALLOW,
            Treatment::Notify => libc::SECCOMP_RET_USER_NOTIF,
            Treatment::Refuse(errno) => refusal(*errno),
            Treatment::When(test, then, otherwise) => {
                let argument = arguments[usize::from(test.argument)];
                let holds = match test.what {
                    What::AnyOf(bits) => word(argument) & bits != 0,
                    What::Is(number) => word(argument) == number,
                    What::IsNull => argument == 0,
                    What::Within(first, count) => (first..first + count).contains(&word(argument)),
                    What::Below(number) => argument < u64::from(number),
                };
                meaning(if holds { then } else { otherwise }, arguments)
            }
        }
    }

    #[test]
    fn the_program_says_what_the_table_says() {
        for exact in [false, true] {
            let (program, calls) = (program(exact), table::calls(exact));
            let values = [
                0,
                1,
                4,
                5,
                22,
                38,
                959,
                960,
                975,
                976,
                0x20,
                0xffff,
                0x10000,
                0x0080_0000,
                1 << 32,
                u64::MAX,
            ];
            for number in 0..1000 {
                let expected = calls.iter().find(|it| it.0 == number);
                for n in 0..values.len() {
                    let arguments = std::array::from_fn(|at| values[(n + 3 * at) % values.len()]);
                    let expected =
                        expected.map_or(refusal(libc::ENOSYS), |it| meaning(&it.1, arguments));
                    assert_eq!(run(&program, AUDIT_ARCH, number, arguments), expected, "{number}");
                }
            }
        }
    }

    #[test]
    fn other_interfaces_are_refused() {
        let program = program(false);
        let i386 = run(&program, 0x4000_0003, 0, [0; 6]);
        assert_eq!(i386, libc::SECCOMP_RET_KILL_PROCESS);
        assert_eq!(run(&program, AUDIT_ARCH, X32 | 1, [0; 6]), refusal(libc::ENOSYS));
    }

    #[test]
    fn no_call_is_listed_twice_and_the_kernel_takes_the_length() {
        for exact in [false, true] {
            let mut numbers: Vec<u32> = table::calls(exact).iter().map(|it| it.0).collect();
            numbers.sort_unstable();
            let all = numbers.len();
            numbers.dedup();
            assert_eq!(numbers.len(), all);
            assert!(program(exact).len() < 4096);
        }
    }
}
