//! Words at which statements begin, and macros whose arguments are no policy.

/// What begins with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// A rule on types and classes, up to its semicolon.
    Rule,
    /// Another statement that ends at its semicolon.
    Statement,
    /// The head of a block in braces.
    Head,
    /// A statement that ends with its line, or the call of a macro.
    Line,
}

/// What begins with `word`?
pub(super) fn begins(word: &[u8]) -> Begins {
    match word {
        b"allow" | b"auditallow" | b"auditdeny" | b"dontaudit" | b"neverallow" | b"allowxperm"
        | b"auditallowxperm" | b"dontauditxperm" | b"neverallowxperm" | b"type_transition"
        | b"type_member" | b"type_change" | b"range_transition" | b"role_transition" => {
            Begins::Rule
        }
        b"type" | b"typealias" | b"typeattribute" | b"typebounds" | b"attribute"
        | b"attribute_role" | b"expandattribute" | b"role" | b"roleattribute" | b"bool"
        | b"tunable" | b"permissive" | b"neveraudit" | b"policycap" | b"user" | b"class"
        | b"sensitivity" | b"category" | b"level" | b"module" | b"constrain" | b"mlsconstrain"
        | b"validatetrans" | b"mlsvalidatetrans" | b"default_user" | b"default_role"
        | b"default_type" | b"default_range" => Begins::Statement,
        b"if" | b"else" | b"optional" | b"require" => Begins::Head,
        _ => Begins::Line,
    }
}

/// What becomes of blanks in the arguments of a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arguments {
    /// They separate words.
    Policy,
    /// A context, written without blanks.
    Context,
    /// They are part of a message.
    Message,
    /// Nobody knows.
    Unknown,
}

/// How to deal with the arguments of the macro `name`.
pub(super) fn arguments(name: &[u8]) -> Arguments {
    match name {
        b"gen_context" => Arguments::Context,
        b"refpolicywarn" | b"refpolicyerr" | b"errprint" => Arguments::Message,
        b"define" | b"undefine" | b"pushdef" | b"popdef" | b"defn" | b"eval" | b"incr"
        | b"decr" | b"len" | b"index" | b"substr" | b"regexp" | b"patsubst" | b"translit"
        | b"format" | b"indir" | b"builtin" | b"esyscmd" | b"syscmd" | b"include" | b"sinclude"
        | b"changequote" | b"changecom" | b"m4wrap" | b"forloop" => Arguments::Unknown,
        _ => Arguments::Policy,
    }
}
