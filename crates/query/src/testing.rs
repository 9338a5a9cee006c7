//! A small policy for tests: the rules are theirs.

use std::sync::Arc;

use mandate_compile::backend::Options;
use mandate_compile::conf;
use mandate_compile::whole::Checks;
use mandate_policydb::{PolicyDb, PolicyVersion};

const HEAD: &str = "
class process class security class system class file class dir class chr_file class blk_file class capability
class tcp_socket class udp_socket class rawip_socket class bpf class perf_event
sid kernel sid security sid unlabeled sid fs sid file sid file_labels sid init sid any_socket sid port
class process { transition dyntransition ptrace setcurrent setexec execmem execstack execheap signal }
class security { load_policy setenforce }
class system { module_load }
class file { read write append create open execute execute_no_trans execmod entrypoint map getattr }
class dir { read write create search add_name }
class chr_file { read write open map ioctl }
class blk_file { read write open }
class capability { sys_module sys_rawio sys_ptrace sys_admin }
class tcp_socket { name_bind name_connect }
class udp_socket { name_bind }
class rawip_socket { name_bind }
class bpf { prog_load map_create }
class perf_event { open kernel cpu read }
";

const LEVELS: &str = "
sensitivity s0; sensitivity s1;
dominance { s0 s1 }
category c0; category c1; category c2;
level s0:c0.c2; level s1:c0.c2;
";

const ATTRIBUTES: &str = "
attribute domain; attribute unconfined_domain_type; attribute files; attribute empty_attr; attribute port_type;
attribute mlsfileread; attribute mlsfilewrite;
";

const TYPES: &str = "
type kernel_t, domain;
type a_t, domain; type b_t, domain; type u_t, domain, unconfined_domain_type;
typealias a_t alias alias_t;
type x_t, files; type y_t, files; type a_exec_t; type b_exec_t; type security_t;
type port_t, port_type; type web_port_t, port_type; type reserved_port_t, port_type; type ipp_port_t, port_type;
bool on true; bool off false;
role a_r; role b_r;
role a_r types { kernel_t a_t b_t }; role b_r types { b_t u_t };
";

const TAIL: [&str; 2] = [
    "user u_u roles { a_r b_r };
user a_u roles a_r;
sid kernel u_u:a_r:kernel_t
sid security u_u:object_r:security_t
sid unlabeled u_u:object_r:x_t
sid file u_u:object_r:x_t
sid port u_u:object_r:port_t
portcon tcp 631 u_u:object_r:ipp_port_t
portcon tcp 80-88 u_u:object_r:web_port_t
portcon tcp 512-1023 u_u:object_r:reserved_port_t
",
    "user u_u roles { a_r b_r } level s0 range s0 - s1:c0.c2;
user a_u roles a_r level s0 range s0;
sid kernel u_u:a_r:kernel_t:s0
sid security u_u:object_r:security_t:s0
sid unlabeled u_u:object_r:x_t:s0
sid file u_u:object_r:x_t:s0
sid port u_u:object_r:port_t:s0
portcon tcp 631 u_u:object_r:ipp_port_t:s0
",
];

/// The policy with these rules, without levels.
pub(crate) fn policy(rules: &str) -> PolicyDb {
    built(&[HEAD, ATTRIBUTES, TYPES, rules, TAIL[0]].concat(), false)
}

/// The policy with levels, these constraints and these rules.
pub(crate) fn policy_with_levels(constraints: &str, rules: &str) -> PolicyDb {
    built(&[HEAD, LEVELS, constraints, ATTRIBUTES, TYPES, rules, TAIL[1]].concat(), true)
}

/// The policy with these rules and no type that has the attribute `domain`.
pub(crate) fn policy_without_domains(rules: &str) -> PolicyDb {
    let types = TYPES.replace(", domain", "");
    built(&[HEAD, ATTRIBUTES, &types, rules, TAIL[0]].concat(), false)
}

fn built(text: &str, mls: bool) -> PolicyDb {
    let mut options = Options::default();
    options.mls = mls;
    options.version = PolicyVersion::MAX;
    let outcome = conf::build("test.conf", Arc::from(text.as_bytes()), &options, Checks::default());
    let Some(product) = outcome.product else { panic!("{:#?}", outcome.diagnostics) };
    product.policy
}
