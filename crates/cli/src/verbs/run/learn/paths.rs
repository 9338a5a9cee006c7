//! Paths as lines of file contexts, in sources that m4 reads.

/// A path as a regular expression that matches it alone. What cannot stand in a line is any character.
pub(super) fn pattern(path: &[u8]) -> String {
    let mut text = String::new();
    for &byte in path {
        match byte {
            b'.' | b'+' | b'*' | b'?' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'^' | b'$'
            | b'|' | b'\\' => {
                text.push('\\');
                text.push(byte.into());
            }
            b'`' | b'\'' | b'#' | b'"' | b',' => text.push('.'),
            0x21..=0x7e => text.push(byte.into()),
            _ => text.push('.'),
        }
    }
    text
}

/// A line of a .fc file. Quotes keep m4 from taking a part of the path for a macro.
pub(super) fn line(pattern: &str, kind: &str, type_: &str) -> String {
    let words = pattern.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
    let macros = words.into_iter().any(|it| it.contains('_') || BUILTIN.contains(&it));
    let pattern = if macros { format!("`{pattern}'") } else { pattern.to_owned() };
    let kind = if kind.is_empty() { String::new() } else { format!("\t{kind}") };
    format!("{pattern}{kind}\tgen_context(system_u:object_r:{type_},s0)\n")
}

/// Words that m4 knows by itself.
const BUILTIN: [&str; 38] = [
    "builtin",
    "changecom",
    "changequote",
    "changeword",
    "debugfile",
    "debugmode",
    "decr",
    "define",
    "defn",
    "divert",
    "divnum",
    "dnl",
    "dumpdef",
    "errprint",
    "esyscmd",
    "eval",
    "format",
    "ifdef",
    "ifelse",
    "include",
    "incr",
    "index",
    "indir",
    "len",
    "maketemp",
    "mkstemp",
    "patsubst",
    "popdef",
    "pushdef",
    "regexp",
    "shift",
    "sinclude",
    "substr",
    "syscmd",
    "sysval",
    "translit",
    "undefine",
    "undivert",
];

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn paths_are_lines_that_match_them_alone() {
        let paths: [&[u8]; 4] =
            [b"/usr/bin/python3.11", b"/tmp/a b/c's", b"/srv/index/x", b"/srv/g++/\xff"];
        let lines: String = paths.iter().map(|it| line(&pattern(it), "--", "web_exec_t")).collect();
        expect![[r#"
            /usr/bin/python3\.11	--	gen_context(system_u:object_r:web_exec_t,s0)
            /tmp/a.b/c.s	--	gen_context(system_u:object_r:web_exec_t,s0)
            `/srv/index/x'	--	gen_context(system_u:object_r:web_exec_t,s0)
            /srv/g\+\+/.	--	gen_context(system_u:object_r:web_exec_t,s0)
        "#]]
        .assert_eq(&lines);
    }
}
