//! When a record was written, and the number of its event.

use std::fmt;

use crate::record::{Expected, Malformed};

/// Time and number of an event: `SECONDS.MILLIS:SERIAL`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Seconds since 1970: of UTC, or if `local` of a clock whose zone is not told.
    pub seconds: i64,
    /// And milliseconds, below 1000.
    pub millis: u16,
    /// The number of the event; it starts anew when a machine boots.
    pub serial: u64,
    /// The time was written as a date, by a local clock.
    pub local: bool,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}:{}", self.seconds, self.millis, self.serial)
    }
}

impl Malformed {
    pub(crate) fn shifted(self, by: usize) -> Self {
        Self { column: self.column + by, ..self }
    }
}

impl Stamp {
    /// Reads `1700000000.003:1000`, or `11/14/23 22:13:20.003:1000`; tells how many bytes it has.
    pub(crate) fn parse(text: &[u8]) -> Result<(Self, usize), Malformed> {
        let mut scan = Scan { text, at: 0 };
        let first = scan.number().ok_or_else(|| scan.wrong(Expected::Time))?;
        let (seconds, local) = match scan.peek() {
            Some(b'.') if !is_dotted_date(text) => {
                let seconds = i64::try_from(first).map_err(|_| scan.wrong(Expected::Time))?;
                (seconds, false)
            }
            _ => (scan.date(first).ok_or_else(|| scan.wrong(Expected::Time))?, true),
        };
        let millis = scan.millis().ok_or_else(|| scan.wrong(Expected::Time))?;
        let serial = match scan.skip(b':') {
            true => scan.number(),
            false => None,
        };
        let serial = serial.ok_or_else(|| scan.wrong(Expected::Serial))?;
        Ok((Self { seconds, millis, serial, local }, scan.at))
    }
}

/// `14.11.2023 22:13:20.003:1000`, where the first dot does not end seconds.
fn is_dotted_date(text: &[u8]) -> bool {
    let digits = |from: usize| text.iter().skip(from).take_while(|it| it.is_ascii_digit()).count();
    let first = digits(0);
    let second = digits(first + 1);
    text.get(first + 1 + second) == Some(&b'.')
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn wrong(&self, expected: Expected) -> Malformed {
        Malformed { column: self.at + 1, expected }
    }

    fn number(&mut self) -> Option<u64> {
        let start = self.at;
        let mut value = 0u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            self.at += 1;
        }
        (self.at > start).then_some(value)
    }

    /// A dot and a fraction, of which three digits count.
    fn millis(&mut self) -> Option<u16> {
        if !self.skip(b'.') {
            return None;
        }
        let (start, mut millis) = (self.at, 0);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            if self.at < start + 3 {
                millis = millis * 10 + u16::from(digit - b'0');
            }
            self.at += 1;
        }
        match self.at - start {
            0 => None,
            1 => Some(millis * 100),
            2 => Some(millis * 10),
            _ => Some(millis),
        }
    }

    /// The rest of a date, and a time. Its order is told by its separator: `m/d/y`, `d.m.y`, `y-m-d`.
    fn date(&mut self, first: u64) -> Option<i64> {
        let separator = self.peek().filter(|it| b"/.-".contains(it))?;
        let mut next = |byte| if self.skip(byte) { self.number() } else { None };
        let (second, third) = (next(separator)?, next(separator)?);
        let (hour, minute, second_of) = (next(b' ')?, next(b':')?, next(b':')?);
        let (year, month, day) = match (separator, first, second) {
            _ if first > 31 => (first, second, third),
            (b'/', ..) if first <= 12 => (third, first, second),
            _ => (third, second, first),
        };
        let year = if year < 100 { year + 2000 } else { year };
        let fits = year < 10_000 && (1..=12).contains(&month) && (1..=31).contains(&day);
        if !fits || hour > 23 || minute > 59 || second_of > 60 {
            return None;
        }
        let seconds = hour * 3600 + minute * 60 + second_of;
        Some(days(year, month, day)? * 86_400 + i64::try_from(seconds).ok()?)
    }
}

/// Days since 1970 of the Gregorian calendar; the year begins in March.
fn days(year: u64, month: u64, day: u64) -> Option<i64> {
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(i64::try_from(days).ok()? - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let told = match Stamp::parse(text.as_bytes()) {
            Ok((stamp, length)) => format!("{stamp} local={} of {length}", stamp.local),
            Err(why) => format!("{}: {why}", why.column),
        };
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn times_are_seconds_or_dates() {
        check("1700000000.003:1000): x", "1700000000.003:1000 local=false of 19");
        check("0.0:7)", "0.000:7 local=false of 5");
        check("11/14/23 22:13:20.003:1000) :", "1700000000.003:1000 local=true of 26");
        check("14/11/2023 22:13:20.003:1000)", "1700000000.003:1000 local=true of 28");
        check("14.11.2023 22:13:20.003:1000)", "1700000000.003:1000 local=true of 28");
        check("2023-11-14 22:13:20.003:1000)", "1700000000.003:1000 local=true of 28");
        check("02/29/24 00:00:00.000:1)", "1709164800.000:1 local=true of 23");
    }

    #[test]
    fn what_is_no_time_is_told_by_its_column() {
        check("", "1: expected a time, SECONDS.MILLISECONDS");
        check("17:3", "3: expected a time, SECONDS.MILLISECONDS");
        check("17.3", "5: expected a colon and the event's number");
        check("17.3:)", "6: expected a colon and the event's number");
        check("99999999999999999999.1:1", "20: expected a time, SECONDS.MILLISECONDS");
        check("13/14/15 25:00:00.1:1", "18: expected a time, SECONDS.MILLISECONDS");
    }
}
