use expect_test::{Expect, expect};

use super::*;
use crate::source::SourceMap;

/// What becomes of a text; twice the same.
fn check(language: Language, text: &str, expected: Expect) {
    let formatted = match format_text(language, text) {
        Ok(formatted) => {
            let again = format_text(language, &formatted);
            assert_eq!(again.as_ref(), Ok(&formatted), "formatted once more");
            formatted
        }
        Err(found) => found + "\n",
    };
    expected.assert_eq(&formatted);
}

fn format_text(language: Language, text: &str) -> Result<String, String> {
    let mut map = SourceMap::new();
    let id = map.add("a", text.as_bytes()).unwrap();
    match format(map.file(id), language) {
        Ok(bytes) => Ok(String::from_utf8(bytes).unwrap()),
        Err(found) => {
            let at = map.location(found.span.pos).unwrap();
            Err(format!("{} {}:{}: {}", found.code.as_str(), at.line, at.column, found.message))
        }
    }
}

fn te(text: &str, expected: Expect) {
    check(Language::Te, text, expected);
}

fn fc(text: &str, expected: Expect) {
    check(Language::Fc, text, expected);
}

fn cil(text: &str, expected: Expect) {
    check(Language::Cil, text, expected);
}

/// A text that is as it should be.
fn good(language: Language, text: &str) {
    assert_eq!(format_text(language, text).as_deref(), Ok(text));
}

#[test]
fn rules() {
    te(
        "policy_module( my,1.0 )\n\n\n\nallow  a_t{b_t c_t} : file{read write} ;\nallow a -b:{dir file}  ~{ x };\n\
         allow { a - b -c } self : process signal; # why  so\ntype a_t , b ,c;\nrole r types {a b};   \n",
        expect![[r#"
            policy_module(my, 1.0 )

            allow a_t { b_t c_t }:file { read write };
            allow a -b:{ dir file } ~{ x };
            allow { a -b -c } self:process signal; # why  so
            type a_t, b, c;
            role r types { a b };
        "#]],
    );
}

#[test]
fn blocks() {
    te(
        "optional_policy(`\n  foo( $1,b )\n      ifdef(`x', `\n# c\nallow a b:c d;\n', `\nallow a b:c e;\n')\n')\n\
         if( x&&y ) {\nallow a b:c d;\n} else\n{\nrequire { type a; }\n}\n",
        expect![[r#"
            optional_policy(`
            	foo($1, b )
            	ifdef(`x',`
            		# c
            		allow a b:c d;
            	',`
            		allow a b:c e;
            	')
            ')
            if (x&&y) {
            	allow a b:c d;
            } else
            {
            	require { type a; }
            }
        "#]],
    );
}

#[test]
fn statements_of_several_lines() {
    te(
        "type a,\nb,\n\t\tc;\nallow a b:c {\nd\n   e\n};\nallow { x\ny } z:c\n { d };\nfoo(a,\nb)\nneverallow {\na\n-b\n}\nc:d e;\ntype d;\n\
         allow no semicolon\nallow a b:c d;\n",
        expect![[r#"
            type a,
            	b,
            	c;
            allow a b:c {
            	d
            	e
            };
            allow { x
            	y } z:c
            	{ d };
            foo(a,
            	b)
            neverallow {
            	a
            	-b
            }
            	c:d e;
            type d;
            allow no semicolon
            allow a b:c d;
        "#]],
    );
}

#[test]
fn what_m4_sees_is_kept() {
    // Blanks before a comma or parenthesis are part of the argument; so is all in quotes of one line.
    te(
        "foo(  a ,b  )\nfoo(`  a ',  ` b,c ')\nfoo (a)\nif (foo( x )) { }\nrefpolicywarn(`a   b',   c  d)\n\
         ifelse(`$1', `', `\n  a\n')\nfoo(`\n\n')\n",
        expect![[r#"
            foo(a , b  )
            foo(`  a ',` b,c ')
            foo (a)
            if (foo(x )) { }
            refpolicywarn(`a   b',   c  d)
            ifelse(`$1',`',`
            	a
            ')
            foo(`

            ')
        "#]],
    );
}

#[test]
fn comments_stay() {
    te(
        "\n\n#first  \n## <summary>\n##\tText  here.\n## </summary>\ntype a;\t\t# tab\n\n\n\ninterface(`x',`\n# `quoted' text\n\ttype b;#c\n') dnl  end   x\n  # last",
        expect![[r#"
            #first
            ## <summary>
            ##	Text  here.
            ## </summary>
            type a;		# tab

            interface(`x',`
            	# `quoted' text
            	type b;#c
            ') dnl  end   x
            # last
        "#]],
    );
}

#[test]
fn contexts_keep_their_columns() {
    good(
        Language::Te,
        "sid kernel\t\tgen_context(system_u:system_r:kernel_t,s0)\n\
         nodecon 2001:: ffff:: gen_context(system_u:object_r:node_t,s0 - s15:c0.c1023)\n\
         genfscon proc /a:b gen_context(u:r:t,s0)\nrange_transition a b:process s0 - s0:c0;\n\
         type_transition a b:file c \"a  {b,c;\";\n",
    );
}

#[test]
fn odd_regions_stay_as_they_are() {
    // An odd call, quotes in a comment that are not in pairs, braces across bodies, a string with a quote.
    te(
        "define(`x',`\n  a   b\n')\ninterface(`y',`\n  # one ' two `\n  allow  a b:c d;\n')\n\
         ifdef(`z',`\n  allow a {  b\n')\n   c }:d   e;\n  allow  a  b:c \"`\" '\" ;\ntype  a;\nchangequote([,])\n  type  b;\n\n\n foo([ c ])  ",
        expect![[r#"
            define(`x',`
              a   b
            ')
            interface(`y',`
              # one ' two `
              allow  a b:c d;
            ')
            ifdef(`z',`
              allow a {  b
            ')
               c }:d   e;
              allow  a  b:c "`" '" ;
            type a;
            changequote([,])
              type  b;


             foo([ c ])  
        "#]],
    );
}

#[test]
fn errors_are_told() {
    te("type a;\n  foo(`\n type b;\n", expect!["E0101 2:7: this quote is not closed\n"]);
    te("foo(a,\n type b;\n", expect!["E0102 1:4: the parenthesis of this call is not closed\n"]);
    te("allow a b:c { d;\n", expect!["E0204 1:13: `{` is not closed\n"]);
    te("allow a b:c d };\n", expect!["E0201 1:15: `}` closes nothing\n"]);
    te("type a;\n\0", expect!["E0110 2:1: the byte 0x00 is no text in UTF-8\n"]);
    te(&"{ ".repeat(500), expect!["E0208 1:401: more than 200 levels within each other\n"]);
    fc("ifdef(`x',`\n", expect!["E0101 1:11: this quote is not closed\n"]);
    cil("(a (b)\n", expect!["E0204 1:1: `(` is not closed\n"]);
    cil("(a))\n", expect!["E0201 1:4: `)` closes nothing\n"]);
    cil("(a \"b\n\")\n", expect!["E0209 1:4: this string is not closed\n"]);
    cil(&"(".repeat(500), expect!["E0208 1:201: more than 200 levels within each other\n"]);
}

#[test]
fn line_ends() {
    te("type a;\r\n\r\n\r\ntype b; # c\r\n", expect![["type a;\n\ntype b; # c\n"]]);
    te("type\ra;\r\r\n\r\rtype b\r", expect![["type\ra;\n\r\rtype b\n"]]);
    te("\n \n", expect![""]);
    te("type a;", expect![["type a;\n"]]);
    fc("# a\r\n", expect![["# a\n"]]);
    cil("(a)\r\n", expect![["(a)\n"]]);
    cil("", expect![""]);
}

#[test]
fn file_contexts_in_columns() {
    fc(
        "/a\t\t--\tgen_context(u:r:t, s0)\n/bin/long\t--\tgen_context(u:r:t,s0)\n/bin/b \t-d  gen_context(u:r:t,s0)\n\n\n\
         ifdef(`x', `\n  /c(/.*)?\tgen_context(u:r:t,s0:c0)\n') dnl x\n/much/too/long --\t<<none>>\n/d\t\t\t<<none>> # e  f\n",
        expect![[r#"
            /a		--	gen_context(u:r:t,s0)
            /bin/long	--	gen_context(u:r:t,s0)
            /bin/b		-d	gen_context(u:r:t,s0)

            ifdef(`x',`
            /c(/.*)?		gen_context(u:r:t,s0:c0)
            ') dnl x
            /much/too/long	--	<<none>>
            /d			<<none>> # e  f
        "#]],
    );
}

#[test]
fn file_contexts_with_single_tabs() {
    good(
        Language::Fc,
        "/etc/a\t--\tgen_context(u:r:t,s0)\n/etc/b/longer\t--\tgen_context(u:r:t,s0)\n\
         /etc/c/and/even/longer\t--\tgen_context(u:r:t,s0)\n/d(/.*)?\tu:r:t:s0\n",
    );
    fc(
        "/a -- u:r:t:s0\nHOME_DIR/b u:r:t:s0\nno entry at   all\n",
        expect![[r#"
            /a					--	u:r:t:s0
            HOME_DIR/b					u:r:t:s0
            no entry at   all
        "#]],
    );
}

#[test]
fn cil_statements() {
    cil(
        "(type a)(type b)  ; b\n(allow a\n  self ( file (  read write ) ))\n;;* lmx 1 a\n(block c (type d)\n\n\n\n  ; inside\n(in e\n(type f)(type \"g ( h\")))\n\
         (macro m ((type x)\n (class y)) (allow x x (y (z))))(booleanif (and a\n b) (true (allow a b (c (d)))\n) (false))\n;;* lme\n(optional o)\n",
        expect![[r#"
            (type a)
            (type b)  ; b
            (allow a self (file (read write)))
            ;;* lmx 1 a
            (block c
                (type d)

                ; inside
                (in e
                    (type f)
                    (type "g ( h")
                )
            )
            (macro m ((type x) (class y))
                (allow x x (y (z)))
            )
            (booleanif (and a b)
                (true
                    (allow a b (c (d)))
                )
                (false)
            )
            ;;* lme
            (optional o)
        "#]],
    );
}

#[test]
fn long_cil_lists_stay_broken_as_they_are() {
    cil(
        "(typeattributeset a (b c ; why\nd\n))\n(class file (ioctl read write create getattr setattr lock relabelfrom\n\t\trelabelto\n append\n))\n\
         (booleanif (and (or first_boolean second_boolean) (or third_boolean\nfourth_boolean fifth_boolean))\n(true (type a)))\n",
        expect![[r#"
            (typeattributeset a (b c ; why
                d
            ))
            (class file (ioctl read write create getattr setattr lock relabelfrom
                relabelto
                append
            ))
            (booleanif (and (or first_boolean second_boolean) (or third_boolean
                    fourth_boolean fifth_boolean))
                (true (type a))
            )
        "#]],
    );
}

#[test]
fn mutants_do_no_harm() {
    let corpus: [(Language, &[u8]); 4] = [
        (Language::Te, include_bytes!("../../../../policies/base/policy/modules/system/init.te")),
        (Language::If, include_bytes!("../../../../policies/base/policy/modules/system/init.if")),
        (Language::Fc, include_bytes!("../../../../policies/base/policy/modules/system/init.fc")),
        (Language::Cil, b"(block a (type b) ; c\n (allow b self (file (read \"x\")))\n(macro m ((type x)) (call n (x))))\n"),
    ];
    let pieces: [&[u8]; 20] = [
        b"`",
        b"'",
        b"(",
        b")",
        b"{",
        b"}",
        b"\n",
        b"\n\n\n",
        b"#",
        b"dnl ",
        b"\"",
        b" ",
        b"\t",
        b",",
        b";",
        b"changequote",
        b"define(",
        b"\r\n",
        b"\xc3\xa4",
        b"ifdef(`x',`\n",
    ];
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut formatted = 0;
    for round in 0..2000 {
        let (language, text) = corpus[round % corpus.len()];
        let mut text = text.to_vec();
        for _ in 0..=random(5) {
            let at = random(text.len() + 1);
            match random(3) {
                0 => drop(text.drain(at..(at + random(30)).min(text.len()))),
                _ => drop(text.splice(at..at, pieces[random(pieces.len())].iter().copied())),
            }
        }
        match format_bytes(&text, language) {
            Ok(once) => {
                let twice = format_bytes(&once, language);
                let shown = String::from_utf8_lossy(&text);
                assert!(twice.as_ref() == Ok(&once), "{twice:?} of {language:?} {shown}");
                formatted += 1;
            }
            Err(fault) => assert_ne!(fault, Fault::Changed, "{}", String::from_utf8_lossy(&text)),
        }
    }
    assert!(formatted > 500, "{formatted}");
}
