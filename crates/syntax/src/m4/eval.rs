//! Integer expressions of `eval`: 32 bits, wrapping.

/// The value of `expression`, or what is wrong with it.
pub(super) fn evaluate(expression: &str) -> Result<i32, String> {
    let mut parser = Parser { rest: expression.as_bytes(), depth: 0 };
    if parser.peek().is_none() {
        return Ok(0);
    }
    let value = parser.binary(0)?;
    match parser.peek() {
        None => Ok(value),
        Some(byte) => Err(format!("`{}` was not expected", char::from(byte))),
    }
}

/// `value` in `radix`, with at least `width` digits.
pub(super) fn digits(value: i32, radix: u32, width: usize) -> String {
    let mut rest = value.unsigned_abs();
    let mut digits = Vec::new();
    if radix == 1 {
        digits = vec![b'1'; rest.min(1 << 16) as usize];
    } else {
        while rest > 0 {
            let digit = char::from_digit(rest % radix, radix).unwrap_or('0');
            digits.push(u8::try_from(digit).unwrap_or(b'0'));
            rest /= radix;
        }
    }
    while digits.len() < width {
        digits.push(b'0');
    }
    if value < 0 {
        digits.push(b'-');
    }
    digits.iter().rev().map(|&it| char::from(it)).collect()
}

const MAX_DEPTH: usize = 200;

/// Binary operators by precedence, lowest first; longer ones before their beginnings.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!=", "="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

struct Parser<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<u8> {
        let blank = self.rest.iter().take_while(|it| it.is_ascii_whitespace()).count();
        self.rest = &self.rest[blank..];
        self.rest.first().copied()
    }

    fn binary(&mut self, level: usize) -> Result<i32, String> {
        let Some(operators) = LEVELS.get(level) else { return self.power() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            let right = self.binary(level + 1)?;
            left = apply(operator, left, right)?;
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        self.peek();
        let found = operators.iter().find(|it| self.rest.starts_with(it.as_bytes()))?;
        let next = self.rest.get(found.len()).copied();
        let longer = matches!(
            (*found, next),
            ("|", Some(b'|'))
                | ("&", Some(b'&'))
                | ("*", Some(b'*'))
                | ("<" | ">", Some(b'<' | b'>'))
        );
        if longer {
            return None;
        }
        self.rest = &self.rest[found.len()..];
        Some(found)
    }

    fn power(&mut self) -> Result<i32, String> {
        let base = self.unary()?;
        self.peek();
        if !self.rest.starts_with(b"**") {
            return Ok(base);
        }
        self.rest = &self.rest[2..];
        self.deeper()?;
        let exponent = self.power()?;
        self.depth -= 1;
        let exponent = u32::try_from(exponent).map_err(|_| "a negative exponent".to_owned())?;
        Ok(base.wrapping_pow(exponent))
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err("it is nested too deeply".into()) } else { Ok(()) }
    }

    fn unary(&mut self) -> Result<i32, String> {
        self.deeper()?;
        let value = match self.peek() {
            Some(b'+') => self.prefixed(|it| it),
            Some(b'-') => self.prefixed(i32::wrapping_neg),
            Some(b'~') => self.prefixed(|it| !it),
            Some(b'!') => self.prefixed(|it| i32::from(it == 0)),
            Some(b'(') => self.parenthesis(),
            Some(b'0'..=b'9') => self.number(),
            Some(byte) => Err(format!("`{}` is no operand", char::from(byte))),
            None => Err("an operand is missing".into()),
        };
        self.depth -= 1;
        value
    }

    fn prefixed(&mut self, apply: impl Fn(i32) -> i32) -> Result<i32, String> {
        self.rest = &self.rest[1..];
        self.unary().map(apply)
    }

    fn parenthesis(&mut self) -> Result<i32, String> {
        self.rest = &self.rest[1..];
        let value = self.binary(0)?;
        if self.peek() != Some(b')') {
            return Err("a parenthesis is not closed".into());
        }
        self.rest = &self.rest[1..];
        Ok(value)
    }

    fn number(&mut self) -> Result<i32, String> {
        let length = self.rest.iter().take_while(|it| it.is_ascii_alphanumeric()).count();
        let (text, rest) = self.rest.split_at(length);
        let (mut text, mut rest) = (text, rest);
        let mut radix = 10;
        if let Some(tail) = text.strip_prefix(b"0x").or(text.strip_prefix(b"0X")) {
            (radix, text) = (16, tail);
        } else if let Some(tail) = text.strip_prefix(b"0b").or(text.strip_prefix(b"0B")) {
            (radix, text) = (2, tail);
        } else if let (Some(tail), Some(b':')) = (text.strip_prefix(b"0r"), rest.first()) {
            radix = std::str::from_utf8(tail).ok().and_then(|it| it.parse().ok()).unwrap_or(0);
            let length = rest[1..].iter().take_while(|it| it.is_ascii_alphanumeric()).count();
            (text, rest) = rest[1..].split_at(length);
        } else if text.len() > 1 && text.starts_with(b"0") {
            (radix, text) = (8, &text[1..]);
        }
        self.rest = rest;
        let text = String::from_utf8_lossy(text);
        let bad = || format!("`{text}` is no number of radix {radix}");
        if !(1..=36).contains(&radix) || text.is_empty() {
            return Err(bad());
        }
        if radix == 1 {
            return Ok(i32::try_from(text.len()).unwrap_or(i32::MAX));
        }
        text.chars().try_fold(0i32, |value, digit| {
            let digit = digit.to_digit(radix).ok_or_else(bad)?;
            Ok(value.wrapping_mul(radix.cast_signed()).wrapping_add(digit.cast_signed()))
        })
    }
}

fn apply(operator: &str, left: i32, right: i32) -> Result<i32, String> {
    Ok(match operator {
        "||" => i32::from(left != 0 || right != 0),
        "&&" => i32::from(left != 0 && right != 0),
        "|" => left | right,
        "^" => left ^ right,
        "&" => left & right,
        "==" | "=" => i32::from(left == right),
        "!=" => i32::from(left != right),
        "<=" => i32::from(left <= right),
        ">=" => i32::from(left >= right),
        "<" => i32::from(left < right),
        ">" => i32::from(left > right),
        "<<" => left.wrapping_shl(right.cast_unsigned()),
        ">>" => left.wrapping_shr(right.cast_unsigned()),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        _ if right == 0 => return Err("it divides by zero".into()),
        "/" => left.wrapping_div(right),
        _ => left.wrapping_rem(right),
    })
}
