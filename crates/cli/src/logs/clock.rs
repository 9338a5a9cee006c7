//! Seconds as dates of the local clock.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The local clock. Most records are of the second of the one before, so that one is remembered.
pub(crate) struct Clock {
    zone: TimeZone,
    last: Option<(i64, DateTime)>,
}

impl Clock {
    pub(crate) fn here() -> Self {
        Self { zone: TimeZone::system(), last: None }
    }

    /// A clock that shows UTC.
    pub(crate) fn utc() -> Self {
        Self { zone: TimeZone::UTC, last: None }
    }

    /// Now, in seconds since 1970.
    pub(crate) fn now() -> i64 {
        Timestamp::now().as_second()
    }

    /// The date and time of seconds since 1970.
    pub(crate) fn local(&mut self, seconds: i64) -> DateTime {
        match self.last {
            Some((last, time)) if last == seconds => time,
            _ => {
                let stamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
                let time = self.zone.to_datetime(stamp);
                self.last = Some((seconds, time));
                time
            }
        }
    }

    /// Seconds since 1970 of a local date and time.
    pub(crate) fn seconds(&self, time: DateTime) -> Option<i64> {
        let zoned: Zoned = time.to_zoned(self.zone.clone()).ok()?;
        Some(zoned.timestamp().as_second())
    }

    /// `11/14/23` and `22:13:20`, as C's locale has them.
    pub(crate) fn short(&mut self, seconds: i64) -> (String, String) {
        let it = self.local(seconds);
        let date = format!("{:02}/{:02}/{:02}", it.month(), it.day(), it.year().rem_euclid(100));
        (date, format!("{:02}:{:02}:{:02}", it.hour(), it.minute(), it.second()))
    }

    /// `2023,11,14,2,22,3,+00:00`: year, month, day, day of the week from Monday on, hour, milliseconds, and how far the clock is before UTC.
    pub(crate) fn columns(&mut self, seconds: i64, millis: u16) -> String {
        let it = self.local(seconds);
        let stamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        let offset = self.zone.to_offset(stamp).seconds();
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.unsigned_abs() / 60;
        format!(
            "{},{:02},{:02},{},{:2},{millis},{sign}{:02}:{:02}",
            it.year(),
            it.month(),
            it.day(),
            it.weekday().to_monday_one_offset(),
            it.hour(),
            minutes / 60,
            minutes % 60
        )
    }

    /// `Tue Nov 14 22:13:20 2023`, as C's `ctime` writes it.
    pub(crate) fn long(&mut self, seconds: i64) -> String {
        let it = self.local(seconds);
        let day = DAYS[usize::from(it.weekday().to_sunday_zero_offset().unsigned_abs() % 7)];
        let month = MONTHS[usize::from((it.month() - 1).unsigned_abs() % 12)];
        let (hour, minute, second) = (it.hour(), it.minute(), it.second());
        format!("{day} {month} {:2} {hour:02}:{minute:02}:{second:02} {}", it.day(), it.year())
    }

    /// `2023-11-14 22:13:20.003`
    pub(crate) fn plain(&mut self, seconds: i64, millis: u16) -> String {
        let it = self.local(seconds);
        let (hour, minute, second) = (it.hour(), it.minute(), it.second());
        format!(
            "{:04}-{:02}-{:02} {hour:02}:{minute:02}:{second:02}.{millis:03}",
            it.year(),
            it.month(),
            it.day()
        )
    }
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
