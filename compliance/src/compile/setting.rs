//! The ways to build the Reference Policy that are compared.

use std::fmt;

use crate::reference::Flavour;

/// Which of the module lists that Debian ships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modules {
    /// Every module: `policy/modules.conf`.
    Full,
    /// Those that Debian builds: `policy/modules.conf.default`.
    Default,
}

impl Modules {
    /// The list's file in the source tree.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Full => "policy/modules.conf",
            Self::Default => "policy/modules.conf.default",
        }
    }
}

/// One way to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `TYPE`.
    pub flavour: Flavour,
    /// Which modules.
    pub modules: Modules,
    /// `UBAC`.
    pub ubac: bool,
    /// `DIRECT_INITRC`.
    pub direct_initrc: bool,
}

impl Setting {
    /// What Debian builds.
    pub const DEBIAN: Self =
        Self { flavour: Flavour::Mcs, modules: Modules::Default, ubac: true, direct_initrc: true };

    /// One of each flavour; no two agree in all the rest.
    pub const CI: [Self; 3] = [
        Self::DEBIAN,
        Self {
            flavour: Flavour::Standard,
            modules: Modules::Full,
            ubac: true,
            direct_initrc: false,
        },
        Self { flavour: Flavour::Mls, modules: Modules::Full, ubac: false, direct_initrc: true },
    ];

    /// All 24, those of continuous integration first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = Self::CI.to_vec();
        for flavour in Flavour::ALL {
            for modules in [Modules::Default, Modules::Full] {
                for (ubac, direct_initrc) in
                    [(true, true), (true, false), (false, true), (false, false)]
                {
                    let setting = Self { flavour, modules, ubac, direct_initrc };
                    if !all.contains(&setting) {
                        all.push(setting);
                    }
                }
            }
        }
        all
    }

    /// The settings that `make` and `mandate build --set` both take.
    #[must_use]
    pub fn words(self) -> Vec<String> {
        let flag = |on: bool| if on { "y" } else { "n" };
        vec![
            format!("TYPE={}", self.flavour.name()),
            format!("NAME={}", self.flavour.name()),
            "DISTRO=debian".to_owned(),
            "SYSTEMD=y".to_owned(),
            format!("UBAC={}", flag(self.ubac)),
            format!("DIRECT_INITRC={}", flag(self.direct_initrc)),
        ]
    }
}

/// As a name of a folder, too.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules = match self.modules {
            Modules::Full => "full",
            Modules::Default => "default",
        };
        let without = |on: bool| if on { "" } else { "no-" };
        let (ubac, direct) = (without(self.ubac), without(self.direct_initrc));
        write!(f, "{}-{modules}-{ubac}ubac-{direct}direct", self.flavour.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_24_and_the_first_three_differ() {
        let all = Setting::all();
        assert_eq!(all.len(), 24);
        let rest = |it: &Setting| (it.modules == Modules::Full, it.ubac, it.direct_initrc);
        let [a, b, c] = Setting::CI;
        assert!(rest(&a) != rest(&b) && rest(&b) != rest(&c) && rest(&a) != rest(&c));
    }

    #[test]
    fn names_are_folders() {
        assert_eq!(Setting::DEBIAN.to_string(), "mcs-default-ubac-direct");
    }
}
