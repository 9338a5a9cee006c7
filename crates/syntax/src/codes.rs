//! The codes of diagnostics: a number that can be looked up, and what `mandate help CODE` tells of it.

macro_rules! codes {
    ($($name:ident $text:literal $title:literal $explanation:literal)*) => {
        /// Which rule a diagnostic is about. E01: text and macros. E02: grammar. E03: names. E04: rules and contexts. E05: the
        /// files around a policy. W: warnings.
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
                match self { $(Self::$name => $explanation.trim_ascii(),)* }
            }
        }
    };
}

codes! {
    // Text and macros.
    UnclosedQuote "E0101" "a quote is not closed" r"
m4 quotes text with ` and ', and one that was opened is never closed. Everything up to the end of
the file became part of it, so the statements after it do not exist, and the error is told where the
quote was opened.

Wrong:

    optional_policy(`
        cron_system_entry(backup_t, backup_exec_t)
    )

Right:

    optional_policy(`
        cron_system_entry(backup_t, backup_exec_t)
    ')

Within quotes comments do not count: an apostrophe in one (# don't) closes the quote, and the next `
opens one that stays open. Write such comments without apostrophes.
"
    UnclosedCall "E0102" "the parenthesis of a macro call is not closed" r"
A macro call was opened with a parenthesis directly behind its name, and the file ends before the
one that closes it. All text behind it became an argument.

Wrong:

    files_read_etc_files(backup_t
    allow backup_t self:process signal;

Right:

    files_read_etc_files(backup_t)
    allow backup_t self:process signal;

Parentheses within arguments have to be paired too; quote those that are not: `(' .
"
    MacroError "E0103" "a macro builtin was given what it cannot take" r"
A builtin of m4, such as eval, ifelse, index or substr, was called with something it cannot work on:
an expression that is no arithmetic, a number that is none, a division by zero, or too few
arguments.

Wrong:

    eval(10 +)
    incr(`ten')

Right:

    eval(10 + 1)
    incr(10)

Where the argument is a macro itself, it may be defined in none of the files that were read: then
its bare name is left. Builtins that start programs or read other files (syscmd, esyscmd, include,
sinclude) are refused: a policy is built from its sources alone.
"
    MacroBudget "E0104" "macros expand beyond the budget" r"
Expanding macros took more text, steps or nesting than any policy needs, and was stopped so that it
does not fill the memory. Debian's whole policy needs a small part of the budget.

Most often a macro doubles its argument and is called on its own result:

    define(`twice', `$1 $1')
    twice(twice(twice(... a_t ...)))

Look at the calls that are named with the error: the outermost is where it began. Write a set or an
attribute instead of repeated text:

    allow { a_t b_t c_t } d_t:file read;
"
    MacroRecursion "E0105" "a macro calls itself without end" r"
The expansion of a macro calls the macro again, and nothing ends that. Interfaces that call each
other in a circle do the same.

Wrong:

    interface(`web_read',`
        web_read($1)
        allow $1 web_t:file read;
    ')

Right: give what both need a name of its own.

    interface(`web_read',`
        web_search($1)
        allow $1 web_t:file read;
    ')

The calls named with the error show the circle.
"
    DuplicateInterface "E0106" "an interface is defined twice" r"
Two interfaces or templates have one name. m4 would silently use the one that is read last, so
callers of the other would get rules they never meant; the Reference Policy therefore allows each
name once, over all modules, those that are switched off included.

Wrong, in two files or twice in one:

    interface(`web_read',` ... ')
    interface(`web_read',` ... ')

Right: rename one, with its module's name first, as all of the Reference Policy does.

    interface(`web_read',` ... ')
    interface(`webadmin_read',` ... ')

If a module was copied to change it, take the original out of the tree, or switch to a name of your
own.
"
    UnknownInterface "E0107" "a call of an interface that nobody defines" r"
A call of a macro that no module and no file of policy/support defines. m4 leaves such a call as it
stands, so the original compiler tells only a syntax error somewhere behind it.

Wrong:

    files_raed_etc_files(backup_t)

Right:

    files_read_etc_files(backup_t)

Names that are near are offered. If the name is right, the module that defines it is missing in the
tree, or its .if file was not given: mandate build my.te my.if --against SOURCE. A call of what may
be missing belongs in a block with

    ifdef(`name_of_interface',` ... ')
"
    ArgumentCount "E0108" "an interface is called with too few or too many arguments" r"
An interface uses more arguments than the call gives, or the call gives more than it uses. A missing
argument becomes empty text, and the rules made of it lose a name: allow $1 $2:file read; becomes
allow web_t :file read;

Wrong:

    interface(`web_read',`
        allow $1 $2:file read;
    ')
    web_read(backup_t)

Right:

    web_read(backup_t, web_content_t)

A set of types is one argument only with braces around it, and needs no quotes: { a_t b_t }. A comma
within an argument has to be quoted: web_run(`a, b').
"
    RaisedBySource "E0109" "the source itself reports an error (refpolicyerr)" r"
The source reports the error itself, with refpolicyerr: its author left this text for whoever comes
here. Mostly an interface is called in a way that was given up, or with arguments that exclude each
other.

    refpolicyerr(`$0() needs a role as its second argument')

Do what the text says. The calls named with the error lead from your line to the one that raised it.
With --set WERROR=y warnings of the source (refpolicywarn, W0003) are errors too.
"
    BadBytes "E0110" "bytes that are no text" r"
The file holds bytes that are no text in UTF-8, or zero bytes, outside of comments and strings. No
name of a policy can hold them: it may be a binary or a compressed file, or text in another encoding
such as UTF-16.

Names are made of letters, digits, _ . and -. To find the place:

    grep -naP '[^\x00-\x7F]' FILE

To turn a file from another encoding:

    iconv -f UTF-16 -t UTF-8 FILE > NEW

Carriage returns and a byte order mark are errors outside of comments too, as for checkpolicy: save
the file with line ends of Unix, without a byte order mark.
"
    // Grammar.
    UnexpectedToken "E0201" "something else is expected here" r"
The text is not what the grammar has at this place: something is missing before it, or it does not
belong there. The message names what may stand there and what was found; where the rest of a line is
missing, the place is the end of that line. The statement is left out, and reading goes on with the
next one.

Wrong:

    allow backup_t etc_t: read;
    allow backup_t etc_t:file read write;

Right:

    allow backup_t etc_t:file read;
    allow backup_t etc_t:file { read write };

In braces blanks stand between names, no commas. Lists without braces, as after `type`, have commas.
Reserved words such as `type`, `role`, `user`, `source` or `level` cannot be names.
"
    UnknownStatement "E0202" "no statement begins with this word" r"
A statement begins with a word such as `allow`, `type` or `require`, and this is none. Most often it is
misspelled, or the statement before it was ended too early.

Wrong:

    alow backup_t etc_t:file read;
    dontaudit backup_t etc_t:file read; write;

Right:

    allow backup_t etc_t:file read;
    dontaudit backup_t etc_t:file { read write };

In a policy.conf a macro call is no statement either: build it from the source tree, where macros are
expanded.
"
    MissingSemicolon "E0203" "a semicolon is missing" r"
The next statement begins before the one before it was ended. The place is the end of the statement
that lacks the semicolon; both statements are read.

Wrong:

    type backup_t
    allow backup_t self:process signal;

Right:

    type backup_t;
    allow backup_t self:process signal;

Rules, declarations, constraints and `fs_use` end with a semicolon. Access vectors, contexts of initial
SIDs, `genfscon`, `portcon`, `netifcon` and `nodecon` have none, and blocks have none behind the brace.
"
    UnclosedBlock "E0204" "a brace is not closed" r"
A brace or parenthesis was opened and the statement, or the whole text, ends before it is closed. The
place is where it was opened.

Wrong:

    allow backup_t etc_t:file { read write;
    optional {
        require { type cron_t; }

Right:

    allow backup_t etc_t:file { read write };
    optional {
        require { type cron_t; }
        allow cron_t backup_t:process transition;
    }

Where blocks stand in one another, the one reported is the innermost that is still open at the end;
the brace that is missing may belong to a block within it.
"
    NotAllowedHere "E0205" "the statement may not stand here" r"
The statement is right, but not at this place.

A conditional block holds access vector rules, type rules and `require` only: no declarations, no
`neverallow`, no transitions with a file name, no other blocks. An optional block holds rules and
declarations, with users last, and nothing of the whole policy such as classes or contexts. In a
policy.conf the sections have a fixed order: classes, initial SIDs, commons, access vectors, defaults,
MLS, rules and declarations, users, constraints, contexts. There `require` stands in optional blocks only.

Wrong:

    if (backup_runs) {
        type backup_t;
        allow backup_t etc_t:file read;
    }

Right:

    type backup_t;
    if (backup_runs) {
        allow backup_t etc_t:file read;
    }
"
    BadNumber "E0206" "a number is out of its range" r"
A number cannot be read, is larger than its field, or ends a range below its beginning. Numbers are
decimal, hexadecimal with 0x, and octal when they begin with 0. Ports, partition keys and extended
permissions have 16 bits.

Wrong:

    portcon tcp 80000 system_u:object_r:backup_port_t
    allowxperm backup_t tty_t:chr_file ioctl { 0x5409-0x5401 };

Right:

    portcon tcp 8000 system_u:object_r:backup_port_t
    allowxperm backup_t tty_t:chr_file ioctl { 0x5401-0x5409 };
"
    BadAddress "E0207" "an address cannot be read" r"
An address or mask of `nodecon` or `ibpkeycon` is none. IPv4 addresses have four decimal numbers up to
255 without leading zeros. Address and mask are of one family. A prefix length is at most 32 for IPv4
and 128 for IPv6. The subnet prefix of `ibpkeycon` has zeros in its lower half.

Wrong:

    nodecon 10.0.0.256 255.0.0.0 system_u:object_r:lab_node_t
    nodecon 10.0.0.0/40 system_u:object_r:lab_node_t

Right:

    nodecon 10.0.0.0 255.0.0.0 system_u:object_r:lab_node_t
    nodecon 10.0.0.0/8 system_u:object_r:lab_node_t
"
    TooDeep "E0208" "nested too deeply" r"
Blocks, braces or parentheses stand in one another more than 256 deep. No policy that people write
comes near it; it is refused so that text made on purpose cannot exhaust the stack.

It may come of macros that wrap their argument again and again. Sets can be written flat, since braces
within braces mean the same as one list:

    allow { { backup_t } { cron_t } } etc_t:file read;
    allow { backup_t cron_t } etc_t:file read;
"
    UnclosedString "E0209" "a string is not closed" r#"
A double quote was opened, and there is no second one on the line. File names of transitions and paths
in quotes stand on one line and hold no double quote.

Wrong:

    type_transition backup_t etc_t:file backup_etc_t "backup.conf;

Right:

    type_transition backup_t etc_t:file backup_etc_t "backup.conf";
"#
    BadName "E0210" "a name is malformed or too long" r#"
A name begins with a letter, and goes on with letters, digits, `_` and `-`; single dots may stand
between these. It has up to 8191 bytes, and the device name of `ibendportcon` has up to 63. The file name of a
transition is the last component of a path, so it is not empty and has no `/`.

Wrong:

    type 9p_t;
    type_transition backup_t etc_t:file backup_etc_t "backup/main.conf";

Right:

    type plan9_t;
    type_transition backup_t etc_t:file backup_etc_t "main.conf";

A file system such as 9p may begin with a digit in `genfscon` and `fs_use_xattr`.
"#
    // Names.
    UnknownType "E0301" "no such type or attribute" r"
A rule or statement names a type or attribute that nothing in the policy declares, or that only a block
declares which is left out. Names are found anywhere in the policy, before or after their use.

Wrong:

    type backup_t;
    allow bakup_t self:process signal;

Right:

    type backup_t;
    allow backup_t self:process signal;

Mind the spelling; near misses are named. If the name belongs to a module that may be missing, require it
in an optional block and put the rule there. In a Reference Policy tree, call the module's interface.
"
    UnknownAttribute "E0302" "no such attribute" r"
A type is given an attribute, or `expandattribute` names one, that nothing declares.

Wrong:

    type backup_t, domian;

Right:

    attribute domain;
    type backup_t, domain;

In a Reference Policy tree types get common attributes by interfaces such as `domain_type(backup_t)`.
"
    UnknownRole "E0303" "no such role" r"
A statement names a role or role attribute that nothing declares. `role backup_r types backup_t;` gives a
role types, it does not declare it.

Wrong:

    role backup_r types backup_t;

Right:

    role backup_r;
    role backup_r types backup_t;
"
    UnknownUser "E0304" "no such user" r"
A context or constraint names an SELinux user that no `user` statement declares. SELinux users are those of
the policy, not the accounts of the machine.

Wrong:

    sid kernel sytem_u:system_r:kernel_t

Right:

    user system_u roles { system_r };
    sid kernel system_u:system_r:kernel_t
"
    UnknownClass "E0305" "no such class" r"
A rule names an object class that the policy does not declare. Classes are fixed by the kernel and by
object managers such as systemd and D-Bus; the policy lists them at its beginning.

Wrong:

    allow backup_t etc_t:files read;

Right:

    allow backup_t etc_t:file read;
"
    UnknownPermission "E0306" "the class has no such permission" r"
A permission is none of the class's own, nor of the common that the class inherits. With several classes in
a rule each has to have all of its permissions.

Wrong:

    allow backup_t etc_t:file reed;
    allow backup_t etc_t:{ file dir } { read execute_no_trans };

Right:

    allow backup_t etc_t:file read;
    allow backup_t etc_t:{ file dir } read;
    allow backup_t etc_t:file execute_no_trans;
"
    UnknownBoolean "E0307" "no such boolean" r"
The condition of an `if` names a boolean that nothing declares.

Wrong:

    if (backup_write_al) { allow backup_t etc_t:file write; }

Right:

    bool backup_write_all false;
    if (backup_write_all) { allow backup_t etc_t:file write; }

In a Reference Policy tree, declare it with `gen_tunable` or `gen_bool`.
"
    UnknownSensitivity "E0308" "no such sensitivity" r"
A level names a sensitivity that no `sensitivity` statement declares, nor as an alias.

Wrong:

    sensitivity s0;
    user root roles sysadm_r level s1 range s1;

Right:

    sensitivity s0;
    sensitivity s1;
    dominance { s0 s1 }
"
    UnknownCategory "E0309" "no such category" r"
A level names a category that no `category` statement declares, nor as an alias. `c0.c5` is a range: its
ends have to be declared, and those between.

Wrong:

    category c0;
    level s0:c0.c1;

Right:

    category c0;
    category c1;
    level s0:c0.c1;
"
    UnknownCommon "E0310" "no such common" r"
A class inherits a common that nothing declares. Commons are sets of permissions that several classes share.

Wrong:

    class dir inherits files { search }

Right:

    common file { read write }
    class dir inherits file { search }
"
    UnknownInitialSid "E0311" "no such initial SID" r"
A context is given to an initial SID that no `sid` statement declares. The kernel knows initial SIDs by
their order in the list, so that one is not added by hand.

Wrong:

    sid kernel
    sid kernal system_u:system_r:kernel_t

Right:

    sid kernel
    sid kernel system_u:system_r:kernel_t
"
    UnknownCapability "E0312" "no such policy capability" r"
`policycap` names a capability that this program does not know. Capabilities tell the kernel that the policy
was written with a later behaviour in mind; their names are fixed by the kernel.

Wrong:

    policycap open_perm;

Right:

    policycap open_perms;
"
    Redeclared "E0313" "a name is declared twice" r"
A name is declared twice, or as two kinds of thing. Types, attributes and aliases share their names; so do
roles and role attributes. Roles and users may be declared more than once, all else may not, even in
different optional blocks.

Wrong:

    type backup_t;
    attribute backup_t;

Right:

    type backup_t;
    attribute backup_domain;

To use what another module declares, `require` it.
"
    WrongKind "E0314" "a name is of another kind than needed here" r"
A name is declared, but as something else than this place needs: an attribute where one type has to stand,
a role in the place of a type, a type as an attribute.

Wrong:

    attribute domain;
    type_transition init_t backup_exec_t:process domain;
    typeattribute backup_t init_t;

Right:

    type_transition init_t backup_exec_t:process backup_t;
    typeattribute backup_t domain;

A rule's source and target may be attributes. The result of a transition, contexts, `permissive` and
`typebounds` take one type.
"
    MissingRequire "E0315" "a module uses a name that it neither declares nor requires" r"
A module is compiled without the rest of the policy, so that it has to say which names of others it uses.
A name is known in a block if the block, or one around it, declares or requires it.

Wrong:

    module backup 1.0;
    type backup_t;
    allow backup_t etc_t:file read;

Right:

    module backup 1.0;
    require { type etc_t; class file read; }
    type backup_t;
    allow backup_t etc_t:file read;

The branches of an `optional` are blocks of their own; those of an `if` are not.
"
    UnmetRequire "E0316" "a requirement that nothing declares" r"
A `require` block outside of optional blocks names what nothing in the policy declares, or a permission that
its class does not have. The module cannot be added to this policy.

Wrong:

    require { type not_installed_t; }
    allow backup_t not_installed_t:file read;

Right:

    optional {
        require { type not_installed_t; }
        allow backup_t not_installed_t:file read;
    }

If the name is misspelled, correct it. If it belongs to a module that may be missing, require it in an
optional block: where it is missing, the block is left out.
"
    // Rules and contexts.
    NeverAllow "E0401" "a rule allows what a neverallow forbids" r"
`neverallow` says what no rule may ever allow, whoever writes it. A rule, perhaps by an attribute that one
of its types has, allows it.

Wrong:

    neverallow { domain -passwd_t } shadow_t:file write;
    allow backup_t shadow_t:file write;

Right, if backup_t has to write it:

    neverallow { domain -passwd_t -backup_t } shadow_t:file write;

Most often the rule is too wide: name the types that are needed, or take the type out of the attribute that
brings the rule. Rules in conditional blocks count in either state of their booleans.
"
    NeverAllowXperm "E0402" "a rule allows an extended permission that a neverallowxperm forbids" r"
`neverallowxperm` says which numbers (ioctl commands, netlink messages) no rule may allow. They are allowed
by an `allowxperm` rule that has them, or by an `allow` rule of the whole permission where no `allowxperm`
rule narrows it for that source, target and class.

Wrong:

    neverallowxperm domain tty_device_t:chr_file ioctl 0x5412;
    allow backup_t tty_device_t:chr_file ioctl;

Right:

    neverallowxperm domain tty_device_t:chr_file ioctl 0x5412;
    allow backup_t tty_device_t:chr_file ioctl;
    allowxperm backup_t tty_device_t:chr_file ioctl { 0x5401 0x5413 };
"
    Bounds "E0403" "a bounded type, role or user has more than its bounds" r"
`typebounds parent child` promises that the child never gets more than its parent; roles and users are
bounded by a dot in their names. A rule gives the child what the parent does not have. The kernel would
withhold it.

Wrong:

    typebounds httpd_t httpd_child_t;
    allow httpd_child_t etc_t:file write;

Right:

    typebounds httpd_t httpd_child_t;
    allow httpd_t etc_t:file write;
    allow httpd_child_t etc_t:file write;

Where the target is bounded too, the parent needs the permission to the target's parent.
"
    ConflictingRule "E0404" "two rules give different results for the same case" r"
Two statements answer the same question differently, or one can never apply since an earlier one comes
first. This holds for transitions of types, roles and ranges, defaults, bounds, users, and contexts of
ports, nodes, interfaces, file systems and devices.

Wrong:

    type_transition init_t backup_exec_t:process backup_t;
    type_transition init_t backup_exec_t:process cron_t;

Right:

    type_transition init_t backup_exec_t:process backup_t;

Both places are shown; an attribute may have brought one of them here. A type rule also may not stand in a
conditional block and outside of it, nor in two conditional blocks.
"
    InvalidContext "E0405" "a context that the policy does not allow" r"
The parts of a context have to fit each other: the role may have the type, the user may have the role, and
the level lies within the user's range. `object_r` fits everything.

Wrong:

    user system_u roles { system_r };
    role system_r;
    sid kernel system_u:system_r:kernel_t

Right:

    user system_u roles { system_r };
    role system_r;
    role system_r types kernel_t;
    sid kernel system_u:system_r:kernel_t
"
    InvalidLevel "E0406" "a level or range that the policy does not allow" r"
A level has categories that its sensitivity may not have, a category range descends, the high level of a
range does not dominate the low one, or a user's default level lies outside of its range.

Wrong:

    level s0:c0.c3;
    user root roles sysadm_r level s0:c7 range s0 - s0:c0.c9;

Right:

    level s0:c0.c9;
    user root roles sysadm_r level s0:c7 range s0 - s0:c0.c9;

One level dominates another if its sensitivity is not lower and it has all categories of the other.
"
    MlsDisabled "E0407" "MLS in a policy without MLS" r"
The policy is built without MLS, so that there are no sensitivities, categories, levels or ranges, and no
constraints on them.

Wrong, without MLS:

    sid kernel system_u:system_r:kernel_t:s0

Right:

    sid kernel system_u:system_r:kernel_t

Or build it with MLS: `-M` of checkpolicy, `TYPE=mcs` or `TYPE=mls` of a Reference Policy tree. In such a
tree `gen_context` writes a level only where there is one.
"
    MlsRequired "E0408" "an MLS policy needs a level or range here" r"
The policy is built with MLS, where every context has a level or range, and every user a default level and
a range.

Wrong, with MLS:

    user root roles sysadm_r;
    sid kernel system_u:system_r:kernel_t

Right:

    user root roles sysadm_r level s0 range s0 - s0:c0.c1023;
    sid kernel system_u:system_r:kernel_t:s0
"
    BadExpression "E0409" "a malformed constraint or conditional expression" r"
A condition or constraint cannot be evaluated: parts of it do not belong together, or it is nested deeper
than the kernel goes (10 operands that wait in a condition, 5 in a constraint).

Wrong:

    constrain file write ( u1 dom u2 );
    constrain file write ( u3 == system_u );

Right:

    constrain file write ( u1 == u2 );
    validatetrans file ( u3 == system_u );

Users and types compare with `==` and `!=`, roles and levels also with `dom`, `domby` and `incomp`. The
third context (`u3`, `r3`, `t3`) is of validatetrans alone. A condition has booleans or tunables, not both.
"
    TooMany "E0410" "more than the binary format can hold" r"
The binary format has bounds that this goes beyond: 65535 types and attributes, 65535 classes, 32
permissions of a class with those it inherits.

Wrong:

    class big { p1 p2 p3 … p33 }

Right:

    class big { p1 p2 … p32 }
    class big2 { p33 }

Object managers that need more permissions have several classes.
"
    NotInVersion "E0411" "the policy version cannot hold this" r"
The policy version asked for is older than what this statement needs. Versions came with kernels: 24 bounds,
25 file names in transitions, 30 extended permissions, 31 InfiniBand, 34 extended permissions in conditional
blocks, 35 neveraudit.

Wrong, at version 28:

    allowxperm backup_t tty_device_t:chr_file ioctl 0x5401;

Right: ask for the version it needs, if the kernel takes it (/sys/fs/selinux/policyvers), or leave the
statement out. Nothing is dropped silently.
"
    Incomplete "E0412" "something every policy needs is missing" r"
Something is missing that every policy, or every policy of this kind, has: a class, a rule outside of
conditional blocks, with MLS a sensitivity, the place of each sensitivity in `dominance`, and a `level`
statement for it.

Wrong, with MLS:

    sensitivity s0;
    dominance { s0 }

Right:

    sensitivity s0;
    dominance { s0 }
    category c0;
    level s0:c0;
"
    EmptySet "E0413" "a set with nothing in it" r"
A set has nothing in it, so that the statement says nothing. Mostly something was taken out that is all
there is.

Wrong:

    allow backup_t etc_t:file { };

Right:

    allow backup_t etc_t:file read;
"
    // The files around a policy.
    BadFileContext "E0501" "a line of file contexts cannot be read" r"
A line of file contexts is a path pattern, maybe a file type, and a context or <<none>>. This line
has too few or too many words, or its context is not closed.

Wrong:

    /usr/bin/backup  gen_context(system_u:object_r:backup_exec_t
    /usr/bin/backup  --

Right:

    /usr/bin/backup       --  gen_context(system_u:object_r:backup_exec_t,s0)
    /var/lib/backup(/.*)?     gen_context(system_u:object_r:backup_var_lib_t,s0)
    /var/lib/backup/tmp/.*    <<none>>

Blanks in a path are written \s.
"
    BadFileType "E0502" "no such file type in file contexts" r"
Between the path and the context stands what is no file type. The types are those of find and ls:

    --  a plain file          -d  a folder
    -l  a symbolic link       -c  a character device
    -b  a block device        -p  a pipe
    -s  a socket

Wrong:

    /usr/bin/backup  -f  gen_context(system_u:object_r:backup_exec_t,s0)

Right:

    /usr/bin/backup  --  gen_context(system_u:object_r:backup_exec_t,s0)

Without a type the line is for all.
"
    BadPattern "E0503" "a malformed path pattern" r"
The path of a file contexts line is a regular expression that has to match the whole path. This one
cannot be read: a parenthesis or bracket is not closed, a repetition has nothing to repeat, or a
backslash stands at the end.

Wrong:

    /var/lib/backup(/.*?     gen_context(system_u:object_r:backup_var_lib_t,s0)
    /usr/bin/c++             gen_context(system_u:object_r:bin_t,s0)

Right:

    /var/lib/backup(/.*)?    gen_context(system_u:object_r:backup_var_lib_t,s0)
    /usr/bin/c\+\+           gen_context(system_u:object_r:bin_t,s0)

Put a backslash before . + * ? ( ) [ ] { } ^ $ | where the character itself is meant.
"
    BadSetting "E0504" "a setting cannot be read" r"
A line of build.conf, or --set on the command line, gives a setting a value that it cannot have, or
names one that does not exist.

    TYPE           standard, mcs or mls
    UNK_PERMS      deny, reject or allow
    DISTRO         redhat, gentoo, debian, suse, rhel4, ubuntu, or a word of your own
    SYSTEMD, UBAC, DIRECT_INITRC, WERROR, MONOLITHIC   y or n
    MLS_SENS, MLS_CATS, MCS_CATS                       a number
    OUTPUT_POLICY                                      a policy version, 15 to 35

Wrong:

    mandate build refpolicy --set UBAC=yes

Right:

    mandate build refpolicy --set UBAC=y

As with make, the command line wins over build.conf.
"
    BadModuleList "E0505" "a line of modules.conf cannot be read" r#"
A line of modules.conf says how one module is built: base or module (both end up in the policy) or
off. This line says something else.

Wrong:

    apache: module
    cron = yes

Right:

    apache = module
    cron = base
    games = off

Modules that are not listed are off. A file that is not the tree's own is named with --modules FILE;
for one module the command line will do: --set APPS_OFF="games telepathy".
"#
    MissingFile "E0506" "a file of the source tree is missing" r"
A source tree lacks a file that every build needs, or that the settings ask for:
policy/flask/security_classes, policy/flask/access_vectors, policy/flask/initial_sids,
policy/support/*.spt, policy/modules/LAYER/*.te, and with TYPE=mls or mcs policy/mls or policy/mcs.

Is the folder you named the root of the tree, in which policy/ stands?

    mandate build refpolicy            and not refpolicy/policy

Of a tree that was unpacked in part, or whose links lead nowhere, unpack all.
"
    DuplicateModule "E0507" "two modules have one name" r"
Two files would be one module: modules are known by the name of their .te file alone, whatever layer
it stands in, and by the name in policy_module.

Wrong:

    policy/modules/services/backup.te
    policy/modules/apps/backup.te

Right: rename one of them, file and policy_module alike.

    policy/modules/services/backup.te      policy_module(backup)
    policy/modules/apps/homebackup.te      policy_module(homebackup)

With LOCAL_ROOT the modules of both trees count.
"
    // Warnings.
    OptionalDisabled "W0001" "an optional block is left out since a requirement cannot be met by any module of the tree" r"
An optional block is in force only if everything that it requires exists. This one requires what no
module of the tree declares, built or not, so no list of modules brings it in: it is dead, mostly
since a name was misspelt or has been renamed.

    optional_policy(`
        cron_system_entri(backup_t, backup_exec_t)
    ')

Correct the name, or remove the block. Blocks that are left out only since a module is switched off
are usual, and are not told; mandate build --show-disabled lists them all, each with the name that
is missing and where it is required.
"
    UnmetGlobalRequire "W0002" "a gen_require names what nothing declares" r"
A gen_require outside of optional_policy names what nothing declares. In a policy built as a whole
such requirements are not checked, so the original tools accept it in silence; the rules that need
the name are told on their own, with their codes. Built as a module, it could not be installed.

    gen_require(`
        type htpd_t;
    ')

Right:

    gen_require(`
        type httpd_t;
    ')

If the name belongs to a module that may be switched off, put the call into optional_policy.
"
    SourceWarning "W0003" "the source itself reports a warning (refpolicywarn)" r"
The source reports the warning itself, with refpolicywarn: mostly an interface that has been given
up and names its successor.

    refpolicywarn(`$0($*) has been deprecated, use files_read_etc_files() instead.')

Do what the text says: such interfaces go away with a later release. The calls named with the
warning lead from your line to the one that raised it. With --set WERROR=y it is an error.
"
    UnusedInterfaceFault "W0004" "an interface that nothing calls could not be compiled" r"
An interface that no module of this build calls has an error in it. The policy is not touched by
that, but the first caller will be: text in an interface is compiled only where it is called.

    interface(`web_read',`
        allow $1 web_t:file raed;
    ')

What is wrong stands in the notes. These checks run with --check-interfaces only.
"
    DuplicateRule "W0005" "a declaration or rule is repeated" r"
The same declaration or rule stands twice, where one of them is without effect: an alias, an
attribute of a type, a file context for the same path and file type, a policy capability, or a
permission in one set.

    typealias web_t alias httpd_t;
    typealias web_t alias httpd_t;

Remove one of them. Allow rules that overlap are usual, since interfaces give them, and are not
told.
"
    UnknownModule "W0006" "modules.conf names a module without sources" r"
modules.conf sets a module whose .te file is in no layer of the tree. It is passed over, as make
does, so the policy lacks what you may think is in it.

    apche = module

Correct the name, remove the line, or add the module below policy/modules/LAYER. modules.conf of
another release often lists modules that have been renamed or removed since.
"
    Suspicious "W0007" "something that is allowed but hardly meant" r"
The language allows it, but it does not do what it seems to, or it does nothing:

    allow web_t self:file { };            a rule without permissions
    neverallow ~{ a_t } b_t:file write;   a rule about all types but one
    if (true_boolean) { }                 a block without rules
    ifelse(`init_systemd',`true',...)     the word is compared, not what it stands for

The message says which. If it is meant, write it in another way, so that the next reader sees that,
too.
"
}

impl Code {
    /// The code printed as `text`, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str().eq_ignore_ascii_case(text))
    }
}
