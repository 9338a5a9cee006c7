//! Near misses of names.

/// The names nearest to `name`, nearest first: at most three, none farther than a third of its length.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let length = name.chars().count();
    let most = length / 3 + 1;
    // Each edit changes the length by a character at most.
    let bytes = if name.is_ascii() { most } else { most * 4 };
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|it| it.len().abs_diff(name.len()) <= bytes || !it.is_ascii())
        .map(|it| (strsim::damerau_levenshtein(name, it), it))
        .filter(|&(distance, _)| (1..=most).contains(&distance) && distance < length)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().map(|it| it.1).take(3).collect()
}

/// What to say about near misses: nothing if there is none.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near: Vec<String> = nearest(name, known).iter().map(|it| format!("`{it}`")).collect();
    match near.as_slice() {
        [] => None,
        [all @ .., last] if !all.is_empty() => {
            Some(format!("did you mean {} or {last}?", all.join(", ")))
        }
        _ => Some(format!("did you mean {}?", near.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let known = ["httpd_t", "httpd_exec_t", "init_t"];
        assert_eq!(did_you_mean("htpd_t", known).as_deref(), Some("did you mean `httpd_t`?"));
        assert_eq!(did_you_mean("completely_else", known), None);
        assert_eq!(
            did_you_mean("initd_t", ["init_t", "initd_r"]).as_deref(),
            Some("did you mean `init_t` or `initd_r`?")
        );
    }
}
