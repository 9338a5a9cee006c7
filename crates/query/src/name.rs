//! What names a question is about.

use std::fmt;

use regex::Regex;

/// A name, or the names that a pattern is found in.
#[derive(Clone, Debug)]
pub enum NameCriterion {
    /// This name.
    Exact(String),
    /// All names in which the pattern is found, anywhere in them.
    Pattern(Regex),
}

/// A pattern that is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{text:?} is no regular expression: {why}")]
pub struct PatternError {
    /// The pattern.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl NameCriterion {
    /// The name `text`; with `pattern`, a regular expression.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn new(text: &str, pattern: bool) -> Result<Self, PatternError> {
        if !pattern {
            return Ok(Self::Exact(text.to_owned()));
        }
        let failure = |why: regex::Error| PatternError {
            text: text.to_owned(),
            // The library draws the pattern on lines of its own; the last says what is wrong.
            why: why.to_string().lines().last().unwrap_or_default().replace("error: ", ""),
        };
        Regex::new(text).map(Self::Pattern).map_err(failure)
    }

    /// Is this a name that is meant?
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(it) => it == name,
            Self::Pattern(it) => it.is_match(name),
        }
    }
}

impl fmt::Display for NameCriterion {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(it) => to.write_str(it),
            Self::Pattern(it) => write!(to, "/{it}/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_anywhere_and_a_name_is_whole() {
        assert!(NameCriterion::new("http", true).unwrap().matches("my_httpd_t"));
        assert!(!NameCriterion::new("http", false).unwrap().matches("httpd_t"));
        assert!(!NameCriterion::new("^d", true).unwrap().matches("httpd_t"));
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        let error = NameCriterion::new("a(b", true).unwrap_err();
        assert_eq!(error.to_string(), "\"a(b\" is no regular expression: unclosed group");
    }
}
