//! Times as people name them: ausearch's words, dates, times of day.

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};

use super::clock::Clock;

/// The words that ausearch takes for a time.
pub(crate) const WORDS: [&str; 9] = [
    "now",
    "recent",
    "boot",
    "today",
    "yesterday",
    "this-week",
    "week-ago",
    "this-month",
    "this-year",
];

/// Which end of a range a time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Start,
    Stop,
}

/// The second that a word means, as ausearch 3.0.9 takes it; `None` for other words.
pub(crate) fn word(word: &str, end: End, clock: &mut Clock, now: i64) -> Option<i64> {
    let today = clock.local(now).date();
    let day = |date: Date| clock.seconds(date.to_datetime(Time::midnight()));
    match word {
        "now" => Some(now),
        "recent" => Some(now - 600),
        "boot" => Some(now - uptime()),
        "today" if end == End::Stop => Some(now),
        "today" => day(today),
        "yesterday" => day(today.checked_sub(1.day()).ok()?),
        "this-week" => {
            let since_sunday = i64::from(today.weekday().to_sunday_zero_offset());
            day(today.checked_sub(since_sunday.days()).ok()?)
        }
        "week-ago" => day(today.checked_sub(7.days()).ok()?),
        "this-month" => day(today.first_of_month()),
        "this-year" => day(today.first_of_year()),
        _ => None,
    }
}

/// Seconds since the machine was started.
fn uptime() -> i64 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let whole = text.split('.').next().unwrap_or_default();
    whole.parse().unwrap_or(0)
}

/// A date, a time, both, a word of ausearch, or `@SECONDS`.
pub(crate) fn parse(text: &str, end: End) -> Result<i64, String> {
    let (mut clock, now) = (Clock::here(), Clock::now());
    let wrong = || {
        format!(
            "expected {}, a date (2023-11-14 or 11/14/23), a time (22:13:20), both, or @SECONDS",
            WORDS.join(", ")
        )
    };
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().map_err(|_| wrong());
    }
    if let Some(seconds) = word(text, end, &mut clock, now) {
        return Ok(seconds);
    }
    let (first, second) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let time = match (date(first), second, end) {
        (Some(date), Some(text), _) => time(text).map(|it| date.to_datetime(it)),
        (Some(date), None, End::Start) => Some(date.to_datetime(Time::midnight())),
        (Some(date), None, End::Stop) => Some(date.at(23, 59, 59, 0)),
        (None, None, _) => {
            let today = clock.local(now).date();
            time(first).map(|it| today.to_datetime(it))
        }
        (None, Some(_), _) => None,
    };
    time.and_then(|it| clock.seconds(it)).ok_or_else(wrong)
}

/// `2023-11-14`, `11/14/23` or `11/14/2023`.
pub(crate) fn date(text: &str) -> Option<Date> {
    let numbers = |separator| {
        let numbers: Option<Vec<i16>> = text.split(separator).map(|it| it.parse().ok()).collect();
        numbers.and_then(|it| <[i16; 3]>::try_from(it).ok())
    };
    let (year, month, day) = match (numbers('-'), numbers('/')) {
        (Some([year, month, day]), _) => (year, month, day),
        (_, Some([month, day, year])) => (
            if year < 69 {
                year + 2000
            } else if year < 100 {
                year + 1900
            } else {
                year
            },
            month,
            day,
        ),
        _ => return None,
    };
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// `22:13:20` or `22:13`.
pub(crate) fn time(text: &str) -> Option<Time> {
    let numbers: Option<Vec<i8>> = text.split(':').map(|it| it.parse().ok()).collect();
    match numbers?.as_slice() {
        [hour, minute] => Time::new(*hour, *minute, 0, 0).ok(),
        [hour, minute, second] => Time::new(*hour, *minute, *second, 0).ok(),
        _ => None,
    }
}

/// The local time of now, of which `ausearch` takes what is not said.
pub(crate) fn now(clock: &mut Clock) -> DateTime {
    clock.local(Clock::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times() {
        let check = |text: &str, expected: Option<(i16, i8, i8)>| {
            assert_eq!(date(text).map(|it| (it.year(), it.month(), it.day())), expected, "{text}");
        };
        check("11/14/23", Some((2023, 11, 14)));
        check("11/14/2023", Some((2023, 11, 14)));
        check("2023-11-14", Some((2023, 11, 14)));
        check("2023-13-14", None);
        check("foo", None);
        assert_eq!(
            time("22:13").map(|it| (it.hour(), it.minute(), it.second())),
            Some((22, 13, 0))
        );
        assert_eq!(time("25:00:00"), None);
    }

    #[test]
    fn words_lie_before_now() {
        let now = 1_700_000_000;
        for it in WORDS {
            let seconds = word(it, End::Start, &mut Clock::here(), now);
            assert!(seconds.is_some_and(|it| it <= now), "{it}");
        }
        assert_eq!(word("recent", End::Start, &mut Clock::here(), now), Some(now - 600));
        assert_eq!(word("today", End::Stop, &mut Clock::here(), now), Some(now));
        assert_eq!(word("tomorrow", End::Start, &mut Clock::here(), now), None);
    }
}
