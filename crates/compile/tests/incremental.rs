//! A build that uses what an earlier one kept gives what a build from nothing gives, byte for byte, and does only what it must.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use mandate_compile::cache::{Cache, Key};
use mandate_compile::outcome::{Outcome, SourceTree};
use mandate_compile::provenance::provenance;
use mandate_compile::refpolicy::{Options, build};

/// A cache in memory that counts.
#[derive(Debug, Default)]
struct Memory {
    values: Mutex<HashMap<Key, Vec<u8>>>,
    written: Mutex<Vec<usize>>,
}

impl Cache for Memory {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        self.values.lock().unwrap().get(key).cloned()
    }

    fn put(&self, key: &Key, value: &[u8]) {
        self.values.lock().unwrap().insert(*key, value.to_vec());
        self.written.lock().unwrap().push(value.len());
    }
}

fn base() -> SourceTree {
    fn read(root: &Path, at: &Path, tree: &mut SourceTree) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(root, &path, tree);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                tree.insert(name, fs::read(&path).unwrap().into());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/base");
    let mut tree = SourceTree::new();
    read(&root, &root, &mut tree);
    tree
}

/// All that a build gives, as bytes.
fn all_of(outcome: &Outcome) -> Vec<(String, Vec<u8>)> {
    let places = |it: &mandate_syntax::diagnostic::Diagnostic| {
        let place = outcome.sources.location(it.span.pos);
        let chain: Vec<_> = outcome.expansions.chain(it.span).map(|it| it.pos).collect();
        format!("{place:?} {chain:?} {it:?}\n")
    };
    let mut all = vec![(
        "diagnostics".to_owned(),
        outcome.diagnostics.iter().map(places).collect::<String>().into_bytes(),
    )];
    if let Some(product) = &outcome.product {
        let mut policy = Vec::new();
        product.policy.write(product.policy.version, &mut policy).unwrap();
        let mut places = Vec::new();
        provenance(&product.origins, &outcome.sources, &outcome.expansions)
            .finish([0; 32])
            .write(&mut places)
            .unwrap();
        all.push(("policy".to_owned(), policy));
        all.push(("provenance".to_owned(), places));
        all.push(("disabled".to_owned(), format!("{:?}", product.disabled).into_bytes()));
        all.extend(product.files.clone());
    }
    all
}

struct Case {
    tree: SourceTree,
    cache: Arc<Memory>,
    settings: Vec<(String, String)>,
}

impl Case {
    /// The base policy, built once.
    fn new() -> Self {
        let settings = vec![("TYPE".to_owned(), "mcs".to_owned())];
        let case = Self { tree: base(), cache: Arc::default(), settings };
        let written = case.build();
        assert!(written > 30, "{written}");
        assert_eq!(case.build(), 0, "all is there");
        case
    }

    fn edit(&mut self, path: &str, change: impl Fn(&str) -> String) {
        let before = String::from_utf8(self.tree[path].to_vec()).unwrap();
        let after = change(&before);
        assert_ne!(before, after);
        self.tree.insert(path.to_owned(), after.into_bytes().into());
    }

    /// Builds with the cache and without, compares, and tells how many values were written.
    fn build(&self) -> usize {
        let cache: Arc<dyn Cache> = self.cache.clone();
        let settings = self.settings.clone();
        let plain = Options { settings, check_interfaces: true, ..Options::default() };
        let kept = Options { cache: Some(cache), ..plain.clone() };
        self.cache.written.lock().unwrap().clear();
        let (kept, plain) = (all_of(&build(&self.tree, &kept)), all_of(&build(&self.tree, &plain)));
        assert_eq!(kept.len(), plain.len());
        for (kept, plain) in kept.iter().zip(&plain) {
            assert!(kept == plain, "{} differs from {}", kept.0, plain.0);
        }
        self.cache.written.lock().unwrap().len()
    }
}

const SUDO: &str = "policy/modules/admin/sudo.te";
const DOMAIN: &str = "policy/modules/kernel/domain.if";
/// The environment is kept as three values.
const ENVIRONMENT: usize = 3;

#[test]
fn an_edited_module_is_done_again_alone() {
    let mut case = Case::new();
    // What stands behind it moves.
    case.edit(SUDO, |it| format!("# one more line\n{it}"));
    assert_eq!(case.build(), 1);
    case.edit("policy/modules/admin/sudo.fc", |it| {
        format!("{it}/opt/sudo -- gen_context(system_u:object_r:sudo_exec_t,s0)\n")
    });
    assert_eq!(case.build(), 1);
    case.edit("policy/users", |it| format!("# more\n{it}"));
    assert_eq!(case.build(), 1);
    // A module that cannot be read is told of with the cache as without.
    case.edit(SUDO, |it| format!("{it}\nallow sudo_t nothing_t:file;\nfile_with_typo(x)\n"));
    assert_eq!(case.build(), 1);
    assert_eq!(case.build(), 0);
}

#[test]
fn an_edited_interface_reaches_those_who_call_it() {
    let mut case = Case::new();
    let all = case.cache.values.lock().unwrap().len();
    // At the end of the file nothing moves: nobody calls what is new.
    case.edit(DOMAIN, |it| {
        format!("{it}\ninterface(`domain_brand_new',`\n\tgen_require(`\n\t\ttype $1;\n\t')\n')\n")
    });
    let added = case.build();
    assert!((ENVIRONMENT..ENVIRONMENT + 4).contains(&added), "{added}");
    // Now one does; then it is another.
    case.edit(SUDO, |it| format!("{it}\ndomain_brand_new(sudo_t)\n"));
    assert_eq!(case.build(), 1);
    case.edit(DOMAIN, |it| it.replace("domain_brand_new',`\n", "domain_brand_new',`\n\t# x\n"));
    let changed = case.build();
    assert!((ENVIRONMENT + 1..ENVIRONMENT + 4).contains(&changed), "{changed}");
    // It goes, and its caller is told.
    case.edit(DOMAIN, |it| it.replace("domain_brand_new'", "domain_other'"));
    let gone = case.build();
    assert!((ENVIRONMENT + 1..ENVIRONMENT + 4).contains(&gone), "{gone}");
    // One that many call.
    case.edit(DOMAIN, |it| it.replacen("interface(`", "# moves all\ninterface(`", 1));
    let moved = case.build();
    assert!((ENVIRONMENT + 10..=all).contains(&moved), "{moved} of {all}");
}

#[test]
fn a_word_that_becomes_a_macro_counts() {
    let mut case = Case::new();
    // `sudo_t` is a word of several texts.
    case.edit(DOMAIN, |it| format!("{it}\ninterface(`sudo_t',`init_t')\n"));
    assert!(case.build() > ENVIRONMENT);
}

#[test]
fn settings_have_values_of_their_own() {
    let mut case = Case::new();
    for (policy_type, new) in [("mls", true), ("mcs", false), ("standard", true), ("mls", false)] {
        case.settings = vec![("TYPE".to_owned(), policy_type.to_owned())];
        assert_eq!(case.build() > 0, new, "{policy_type}");
    }
    case.settings.push(("UBAC".to_owned(), "y".to_owned()));
    assert!(case.build() > 30);
}

#[test]
fn what_is_foreign_is_done_again() {
    let case = Case::new();
    let damage = |change: &dyn Fn(&mut Vec<u8>)| {
        case.cache.values.lock().unwrap().values_mut().for_each(change);
        assert!(case.build() > 0);
        assert_eq!(case.build(), 0);
    };
    damage(&|it| it.clear());
    damage(&|it| it.truncate(it.len() / 2));
    damage(&|it| it.truncate(40));
    damage(&|it| it.extend_from_slice(b"more"));
    // A cache that forgets some.
    let mut at = 0;
    case.cache.values.lock().unwrap().retain(|_, _| {
        at += 1;
        at % 2 == 0
    });
    assert!(case.build() > 0);
}

#[test]
fn two_builds_share_a_cache() {
    let case = Arc::new(Case::new());
    case.cache.values.lock().unwrap().clear();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let cache: Arc<dyn Cache> = case.cache.clone();
                let settings = case.settings.clone();
                let options = Options { settings, cache: Some(cache), ..Options::default() };
                let plain = Options { settings: case.settings.clone(), ..Options::default() };
                let (kept, plain) = (build(&case.tree, &options), build(&case.tree, &plain));
                assert!(all_of(&kept) == all_of(&plain));
            });
        }
    });
}
