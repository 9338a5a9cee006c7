//! `format`: the part of printf that policies could need.

const MAX_WIDTH: usize = 4096;

/// `arguments[0]` is the format.
pub(super) fn format(arguments: &[String]) -> Result<String, String> {
    let (pattern, mut values) = match arguments {
        [pattern, values @ ..] => (pattern, values.iter()),
        [] => return Ok(String::new()),
    };
    let mut out = String::new();
    let mut rest = pattern.as_str();
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (conversion, after) = Conversion::parse(after)?;
        out.push_str(&conversion.apply(values.next().map_or("", String::as_str))?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

struct Conversion {
    left: bool,
    zero: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

impl Conversion {
    fn parse(text: &str) -> Result<(Self, &str), String> {
        let flags = text.find(|it| !"-0+ #".contains(it)).unwrap_or(text.len());
        let (flags, rest) = text.split_at(flags);
        let (width, rest) = number(rest)?;
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => number(rest).map(|(precision, rest)| (Some(precision), rest))?,
            None => (None, rest),
        };
        let rest = rest.trim_start_matches(['l', 'h']);
        let mut chars = rest.chars();
        let kind = chars.next().ok_or("a conversion ends early")?;
        let conversion = Self {
            left: flags.contains('-'),
            zero: flags.contains('0'),
            plus: flags.contains('+'),
            width,
            precision,
            kind,
        };
        Ok((conversion, chars.as_str()))
    }

    fn apply(&self, value: &str) -> Result<String, String> {
        let bad = || format!("`{value}` is no number");
        let integer = || match value.trim() {
            "" => Ok(0),
            text => text.parse::<i64>().map_err(|_| bad()),
        };
        #[expect(clippy::cast_possible_truncation, reason = "printf's int has 32 bits")]
        let unsigned = || integer().map(|it| (it as i32).cast_unsigned());
        let text = match self.kind {
            's' => value.chars().take(self.precision.unwrap_or(usize::MAX)).collect(),
            'c' => value.chars().take(1).collect(),
            'd' | 'i' => self.signed(integer()?),
            'u' => unsigned()?.to_string(),
            'o' => format!("{:o}", unsigned()?),
            'x' => format!("{:x}", unsigned()?),
            'X' => format!("{:X}", unsigned()?),
            other => return Err(format!("there is no conversion `%{other}`")),
        };
        Ok(self.pad(text))
    }

    fn signed(&self, value: i64) -> String {
        if self.plus && value >= 0 { format!("+{value}") } else { value.to_string() }
    }

    fn pad(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.left {
            text + &" ".repeat(missing)
        } else if self.zero && !matches!(self.kind, 's' | 'c') {
            let (sign, digits) = match text.strip_prefix(['-', '+']) {
                Some(digits) => (&text[..1], digits),
                None => ("", text.as_str()),
            };
            format!("{sign}{}{digits}", "0".repeat(missing))
        } else {
            " ".repeat(missing) + &text
        }
    }
}

fn number(text: &str) -> Result<(usize, &str), String> {
    let digits = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(digits);
    match digits.parse().unwrap_or(if digits.is_empty() { 0 } else { usize::MAX }) {
        width if width <= MAX_WIDTH => Ok((width, rest)),
        _ => Err(format!("a width above {MAX_WIDTH}")),
    }
}
