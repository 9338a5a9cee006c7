//! The codes of diagnostics: a number that can be looked up, and what `mandate help CODE` tells of it.

macro_rules! codes {
    ($($name:ident $text:literal $title:literal)*) => {
        /// Which rule a diagnostic is about. E01: text and macros. E02: grammar. E03: names. E04: rules and contexts. E05: the
        /// files around a policy. E06: CIL. E07: packages. E08: conversion. W: warnings.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// All codes, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is printed.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The rule in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means, why it matters, an example and what to do.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("codes/", $text, ".md")).trim_ascii(),)* }
            }
        }
    };
}

codes! {
    // Text and macros.
    UnclosedQuote "E0101" "a quote is not closed"
    UnclosedCall "E0102" "the parenthesis of a macro call is not closed"
    MacroError "E0103" "a macro builtin was given what it cannot take"
    MacroBudget "E0104" "macros expand beyond the budget"
    MacroRecursion "E0105" "a macro calls itself without end"
    DuplicateInterface "E0106" "an interface is defined twice"
    UnknownInterface "E0107" "a call of an interface that nobody defines"
    ArgumentCount "E0108" "an interface is called with too few or too many arguments"
    RaisedBySource "E0109" "the source itself reports an error (refpolicyerr)"
    BadBytes "E0110" "bytes that are no text"
    FormatterFault "E0111" "formatting would change the meaning of a file"
    // Grammar.
    UnexpectedToken "E0201" "something else is expected here"
    UnknownStatement "E0202" "no statement begins with this word"
    MissingSemicolon "E0203" "a semicolon is missing"
    UnclosedBlock "E0204" "a brace is not closed"
    NotAllowedHere "E0205" "the statement may not stand here"
    BadNumber "E0206" "a number is out of its range"
    BadAddress "E0207" "an address cannot be read"
    TooDeep "E0208" "nested too deeply"
    UnclosedString "E0209" "a string is not closed"
    BadName "E0210" "a name is malformed or too long"
    // Names.
    UnknownType "E0301" "no such type or attribute"
    UnknownAttribute "E0302" "no such attribute"
    UnknownRole "E0303" "no such role"
    UnknownUser "E0304" "no such user"
    UnknownClass "E0305" "no such class"
    UnknownPermission "E0306" "the class has no such permission"
    UnknownBoolean "E0307" "no such boolean"
    UnknownSensitivity "E0308" "no such sensitivity"
    UnknownCategory "E0309" "no such category"
    UnknownCommon "E0310" "no such common"
    UnknownInitialSid "E0311" "no such initial SID"
    UnknownCapability "E0312" "no such policy capability"
    Redeclared "E0313" "a name is declared twice"
    WrongKind "E0314" "a name is of another kind than needed here"
    MissingRequire "E0315" "a module uses a name that it neither declares nor requires"
    UnmetRequire "E0316" "a requirement that nothing declares"
    // Rules and contexts.
    NeverAllow "E0401" "a rule allows what a neverallow forbids"
    NeverAllowXperm "E0402" "a rule allows an extended permission that a neverallowxperm forbids"
    Bounds "E0403" "a bounded type, role or user has more than its bounds"
    ConflictingRule "E0404" "two rules give different results for the same case"
    InvalidContext "E0405" "a context that the policy does not allow"
    InvalidLevel "E0406" "a level or range that the policy does not allow"
    MlsDisabled "E0407" "MLS in a policy without MLS"
    MlsRequired "E0408" "an MLS policy needs a level or range here"
    BadExpression "E0409" "a malformed constraint or conditional expression"
    TooMany "E0410" "more than the binary format can hold"
    NotInVersion "E0411" "the policy version cannot hold this"
    Incomplete "E0412" "something every policy needs is missing"
    EmptySet "E0413" "a set with nothing in it"
    // The files around a policy.
    BadFileContext "E0501" "a line of file contexts cannot be read"
    BadFileType "E0502" "no such file type in file contexts"
    BadPattern "E0503" "a malformed path pattern"
    BadSetting "E0504" "a setting cannot be read"
    BadModuleList "E0505" "a line of modules.conf cannot be read"
    MissingFile "E0506" "a file of the source tree is missing"
    DuplicateModule "E0507" "two modules have one name"
    // CIL.
    CilParentheses "E0601" "parentheses that do not match"
    CilShape "E0602" "a CIL statement has the wrong parts"
    CilUnknownContainer "E0603" "no such block, macro or optional"
    CilOrder "E0604" "the order of classes, initial SIDs, sensitivities or categories is incomplete or contradicts itself"
    CilRecursion "E0605" "a block, macro, set or alias that contains itself"
    CilBudget "E0606" "CIL that expands beyond the budget"
    CilArguments "E0607" "a macro is called with other arguments than it takes"
    CilExpression "E0608" "a malformed CIL expression"
    CilLineMark "E0609" "a malformed line mark"
    CilUnknownName "E0610" "no such named level, context, set or address"
    CilConflict "E0611" "one thing is said twice"
    CilBadWord "E0612" "a word that the statement does not take"
    // Packages.
    BadPackage "E0701" "a policy package or module cannot be read"
    BadModuleSet "E0702" "modules that do not go together"
    NotInModuleVersion "E0703" "the module version cannot hold this"
    // Conversion.
    NotInForm "E0801" "the form written cannot hold this"
    NameNotInForm "E0802" "a name that the form written cannot spell"
    NotASource "E0803" "the policy has something that no source says"
    // Warnings.
    OptionalDisabled "W0001" "an optional block is left out since a requirement cannot be met by any module of the tree"
    UnmetGlobalRequire "W0002" "a gen_require names what nothing declares"
    SourceWarning "W0003" "the source itself reports a warning (refpolicywarn)"
    UnusedInterfaceFault "W0004" "an interface that nothing calls could not be compiled"
    DuplicateRule "W0005" "a declaration or rule is repeated"
    UnknownModule "W0006" "modules.conf names a module without sources"
    Suspicious "W0007" "something that is allowed but hardly meant"
    LeftOut "W0101" "something is left out that the form written does not have"
    MalformedDocumentation "W0201" "the markup of a documentation comment is malformed"
}

impl Code {
    /// The code printed as `text`, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str().eq_ignore_ascii_case(text))
    }
}
