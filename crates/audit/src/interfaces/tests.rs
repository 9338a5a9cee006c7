use std::sync::Arc;

use expect_test::expect;
use mandate_compile::outcome::SourceTree;
use mandate_compile::refpolicy::called;

use super::Listing;

/// What makes interfaces of a Reference Policy.
const MACROS: &str = include_str!("../../../../policies/base/policy/support/loadable_module.spt");

fn listing(interfaces: &str) -> Listing {
    let mut tree = SourceTree::new();
    for (path, text) in [("support/loadable_module.spt", MACROS), ("kernel/a.if", interfaces)] {
        tree.insert(path.to_owned(), Arc::from(text.as_bytes()));
    }
    Listing::of(&called::of_headers(&tree, &[]))
}

fn names(listing: &Listing) -> Vec<&str> {
    listing.interfaces.iter().map(|it| &*listing.names[it.name as usize]).collect()
}

const INTERFACES: &str = "
interface(`reads',`
	gen_require(`
		type etc_t;
		attribute readers;
	')
	typeattribute $1 readers;
	allow $1 { etc_t self }:{ file dir } { read open };
	tunable_policy(`some_bool',`
		allow $1 etc_t:file write;
	')
	optional_policy(`
		reads_more($1)
	')
')
interface(`reads_more',`
	allow $1 usr_t:file *;
')
interface(`old',`
	refpolicywarn(`$0($*) has been deprecated')
	reads($1)
')
template(`makes',`
	type $1_t;
	allow $1_t self:file read;
')
interface(`nothing',`
	gen_require(` type etc_t; ')
')
";

#[test]
fn what_is_granted_is_listed_and_what_cannot_be_offered_is_not() {
    let listing = listing(INTERFACES);
    expect![[r#"["old", "reads", "reads_more"]"#]].assert_eq(&format!("{:?}", names(&listing)));
    let reads = &listing.interfaces[0];
    // Two targets and two classes, and what `reads_more` grants; the rule under a condition counts apart.
    assert_eq!((reads.grants.len(), reads.attributes.len(), reads.more), (5, 1, 4));
    assert_eq!(reads.requires.len(), 2);
}

#[test]
fn kept_as_bytes() {
    let listing = listing(INTERFACES);
    let bytes = listing.to_bytes();
    assert_eq!(Listing::from_bytes(&bytes).as_ref(), Some(&listing));
    for length in 0..bytes.len() {
        assert_eq!(Listing::from_bytes(&bytes[..length]), None, "{length}");
    }
    assert_eq!(Listing::from_bytes(&[&bytes[..], &[0]].concat()), None);
    // A count that is far too large is refused before room is made for it.
    assert_eq!(Listing::from_bytes(&[0xff; 64]), None);
}
