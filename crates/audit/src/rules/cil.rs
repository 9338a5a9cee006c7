//! Rules in CIL, which needs no list of what it requires.

use std::fmt::Write as _;

use super::{Rules, ranges};

impl Rules {
    /// As CIL.
    pub fn to_cil(&self) -> String {
        let keyword = if self.dontaudit { "dontaudit" } else { "allow" };
        let mut text = String::new();
        // Writing to a String cannot fail.
        for (key, permissions) in &self.allow {
            for line in self.comments.get(key).into_iter().flatten() {
                let _ = writeln!(text, ";{line}");
            }
            let permissions: Vec<&str> = permissions.iter().map(String::as_str).collect();
            let (permissions, class) = (permissions.join(" "), &key.class);
            let (source, target) = (&key.source, &key.target);
            let _ = writeln!(text, "({keyword} {source} {target} ({class} ({permissions})))");
        }
        for ((key, operation), commands) in &self.xperms {
            let ranges = ranges(commands).into_iter().map(|(low, high)| match low == high {
                true => format!("{low:#06x}"),
                false => format!("(range {low:#06x} {high:#06x})"),
            });
            let ranges = ranges.collect::<Vec<_>>().join(" ");
            let (source, target, class) = (&key.source, &key.target, &key.class);
            let _ =
                writeln!(text, "({keyword}x {source} {target} ({operation} {class} ({ranges})))");
        }
        self.others_as_cil(&mut text);
        text
    }

    fn others_as_cil(&self, text: &mut String) {
        for it in &self.transitions {
            let name = it.name.as_ref().map_or_else(String::new, |it| format!(" \"{it}\""));
            let _ = writeln!(
                text,
                "(typetransition {} {} {}{name} {})",
                it.source, it.target, it.class, it.result
            );
        }
        for (type_, attribute) in &self.attributes {
            let _ = writeln!(text, "(typeattributeset {attribute} ({type_}))");
        }
        for (from, to) in &self.role_allows {
            let _ = writeln!(text, "(roleallow {from} {to})");
        }
        for (role, type_) in &self.role_types {
            let _ = writeln!(text, "(roletype {role} {type_})");
        }
    }
}
