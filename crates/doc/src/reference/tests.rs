use std::sync::Arc;

use expect_test::{Expect, expect};
use mandate_compile::outcome::SourceTree;
use mandate_compile::refpolicy::{Options, texts};

use super::*;

const INTERFACES: &str = "\
## <summary>Web & more.</summary>

########################################
## <summary>
##	Read content.
## </summary>
## <param name=\"domain\">
##	<summary>
##	Domain allowed access.
##	</summary>
## </param>
#
interface(`web_read',`
	gen_require(`
		type web_content_t;
	')

	# web_none($1)
	web_search($1, $2)
')

interface(`web_search',`
	refpolicywarn(`$0($*) is deprecated')
')

## <summary>Make a web.</summary>
template(`web_template',`
	## <desc><p>May $1 write?</p></desc>
	gen_tunable(`$1_web_write', false)
	tunable_policy(`$1_web_write && web_more',`
		web_read($1_t)
	')
')
";

const RULES: &str = "\
policy_module(web)

## <desc>More.</desc>
gen_tunable(web_more, true)

# What serves pages.
type web_t;
web_template(cgi)
";

fn check(expected: Expect) {
    let mut tree = SourceTree::new();
    for (path, text) in [
        ("policy/modules/services/web.if", INTERFACES),
        ("policy/modules/services/web.te", RULES),
        ("policy/modules/services/metadata.xml", "<summary>Daemons.</summary>"),
    ] {
        tree.insert(path.to_owned(), Arc::from(text.as_bytes()));
    }
    let texts = texts(&tree, &Options::default());
    let (found, told) = read(&texts);
    let mut out = String::new();
    for it in &found.interfaces {
        let place = format!("{}:{}", it.place.path, it.place.line);
        let about = comment::plain(&it.about.summary);
        let callers = &it.callers;
        out += &format!("{} {place} {about:?} {callers:?} {}\n", it.signature(), it.deprecated);
    }
    for it in &found.booleans {
        let about = comment::plain(&it.about.description);
        out += &format!("{} {} {about:?} {:?}\n", it.name, it.default, it.uses);
    }
    let module = &found.modules[0];
    out += &format!("{:?} {:?} {:?}\n", module.about.summary, module.notes, found.layers);
    for it in told {
        let place = texts.sources.location(it.span.pos).unwrap();
        out += &format!("{} {}:{} {}\n", it.code.as_str(), place.path, place.line, it.message);
    }
    expected.assert_eq(&out);
}

#[test]
fn comments_belong_to_what_stands_below_them() {
    check(expect![[r#"
        web_read(domain, $2) policy/modules/services/web.if:13 "Read content." [Interface(2)] false
        web_search() policy/modules/services/web.if:22 "" [Interface(0)] true
        web_template($1) policy/modules/services/web.if:27 "Make a web." [Module(0)] false
        $1_web_write false "May $1 write?" [(Interface(2), Place { path: "policy/modules/services/web.if", line: 30 })]
        web_more true "More." [(Interface(2), Place { path: "policy/modules/services/web.if", line: 30 })]
        [Paragraph("Web & more.")] {"web_t": "What serves pages."} {"services": [Paragraph("Daemons.")]}
        W0201 policy/modules/services/web.if:1 `&` stands for itself only as `&amp;`
    "#]]);
}

#[test]
fn names_with_arguments_fit_what_becomes_of_them() {
    assert!(fits("allow_httpd_$1_script_anon_write", "allow_httpd_sys_script_anon_write"));
    assert!(fits("$1_web_write", "cgi_web_write"));
    assert!(!fits("$1_web_write", "_web_write"));
    assert!(!fits("web_write", "web_write"));
    assert!(!fits("$1", "anything"));
}
