//! How many arguments interfaces need, by their documentation comments.

/// The names of interfaces and templates of an `.if` file, each with the parameters up to the last that is not marked as optional.
pub(super) fn required_arguments(bytes: &[u8]) -> Vec<(&str, u16)> {
    let mut found = Vec::new();
    let (mut all, mut required) = (0, 0);
    for line in bytes.split(|&it| it == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        if let Some(comment) = line.strip_prefix("##") {
            if comment.trim_start().starts_with("<param") {
                all += 1;
                if !optional(comment) {
                    required = all;
                }
            }
        } else if let Some(name) = defined(line) {
            found.push((name, required));
            (all, required) = (0, 0);
        }
    }
    found
}

fn optional(comment: &str) -> bool {
    ["optional=\"true\"", "optional='true'", "unused=\"true\"", "unused='true'"]
        .iter()
        .any(|it| comment.contains(it))
}

/// The name that a line defines.
pub(super) fn defined(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("interface(").or_else(|| line.strip_prefix("template("))?;
    let name = rest.trim_start().strip_prefix('`')?;
    name.split_once('\'').map(|it| it.0).filter(|it| !it.contains('$'))
}
