//! How many arguments interfaces need, by their documentation comments.

/// The names of interfaces and templates of an `.if` file, each with the parameters up to the last that is not marked as optional,
/// and with all that are documented.
pub(super) fn required_arguments(bytes: &[u8]) -> Vec<(&str, u16, u16)> {
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
            found.push((name, required, all));
            (all, required) = (0, 0);
        }
    }
    found
}

/// What the support macros that policies call need at least; of the others too little is known.
const SUPPORT: &[(&str, u16)] = &[
    ("gen_bool", 2),
    ("gen_context", 1),
    ("gen_require", 1),
    ("gen_tunable", 2),
    ("optional_policy", 1),
    ("policy_module", 1),
    ("tunable_policy", 1),
];

/// The support macros of a file with the arguments they need: patterns need all they use, but what a comment
/// marks as `[optional] N.`, or shows as `name(a, b [, c])`.
pub(super) fn required_by_support(
    bytes: &[u8],
    used: impl Fn(&str) -> Option<usize>,
) -> Vec<(&str, u16)> {
    let mut found = Vec::new();
    let mut optional = u16::MAX;
    for line in bytes.split(|&it| it == b'\n').filter_map(|it| std::str::from_utf8(it).ok()) {
        if let Some(comment) = line.strip_prefix('#') {
            if comment.trim_start().starts_with("1.") {
                optional = u16::MAX;
            } else if let Some((_, rest)) = comment.split_once("[optional]") {
                let number = rest.trim_start().split('.').next().and_then(|it| it.parse().ok());
                optional = optional.min(number.unwrap_or(u16::MAX));
            } else if let Some((needed, _)) = comment.split_once("[,") {
                let commas = needed.matches(',').count();
                optional = u16::try_from(commas + 2).unwrap_or(u16::MAX);
            }
        } else if let Some(name) = macro_defined(line) {
            let used = used(name).and_then(|it| u16::try_from(it).ok()).unwrap_or(0);
            if let Some((_, count)) = SUPPORT.iter().find(|it| it.0 == name) {
                found.push((name, *count));
            } else if name.ends_with("_pattern") {
                found.push((name, used.min(optional - 1)));
            }
        }
    }
    found
}

fn macro_defined(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("define(`")?;
    rest.split_once('\'').map(|it| it.0)
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
