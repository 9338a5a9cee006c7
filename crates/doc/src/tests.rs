//! One small tree, and its pages.

use std::sync::Arc;

use expect_test::{Expect, expect};
use mandate_compile::outcome::SourceTree;
use mandate_compile::refpolicy::{self, texts};

use super::*;

const FILES: &[(&str, &str)] = &[
    ("build.conf", "TYPE = standard\nNAME = small\nMONOLITHIC = y\n"),
    ("policy/modules.conf", "kernel = base\nweb = module\n"),
    (
        "policy/flask/security_classes",
        "class process\nclass file\nclass dir\nclass tcp_socket\nclass security\n",
    ),
    ("policy/flask/initial_sids", "sid kernel\nsid port\n"),
    (
        "policy/flask/access_vectors",
        "class process { transition signal sigchld }\nclass file { read write create unlink execute entrypoint getattr open }\n\
         class dir { search }\nclass tcp_socket { name_bind name_connect create }\nclass security { compute_av }\n",
    ),
    (
        "policy/support/all.spt",
        "define(`interface',``define(`$1',`$2')'')\ndefine(`template',``define(`$1',`$2')'')\ndefine(`policy_module',`')\n\
         define(`gen_require',`')\ndefine(`gen_tunable',`bool $1 $2;')\n\
         define(`tunable_policy',`if ($1) { $2 }')\ndefine(`gen_context',`$1')\n\
         define(`gen_user',`user $1 roles { $3 };')\n",
    ),
    ("policy/users", "gen_user(system_u,, system_r, s0, s0)\n"),
    (
        "policy/global_tunables",
        "## <desc>Anyone may call home.</desc>\ngen_tunable(call_home, false)\n",
    ),
    (
        "policy/modules/kernel/kernel.te",
        "policy_module(kernel)\nattribute domain;\nattribute port_type;\ntype kernel_t, domain;\ntype port_t, port_type;\n\
         type init_t, domain;\nrole system_r;\nrole system_r types { kernel_t init_t };\nsid kernel system_u:system_r:kernel_t\n\
         sid port system_u:object_r:port_t\nportcon tcp 80 system_u:object_r:port_t\nallow kernel_t self:security compute_av;\n",
    ),
    (
        "policy/modules/kernel/kernel.if",
        "## <summary>The kernel & what it needs.</summary>\n\n## <summary>\n## Send signals to <init>.\n## </summary>\n\
         ## <param name=\"domain\">\n## <summary>Domain allowed access.</summary>\n## </param>\n## <infoflow type=\"write\" weight=\"1\"/>\n\
         #\ninterface(`kernel_signal_init',`\n\tgen_require(`type init_t;')\n\tallow $1 init_t:process signal;\n')\n",
    ),
    ("policy/modules/services/metadata.xml", "<summary>Daemons.</summary>\n"),
    ("policy/modules/services/web.if", "## <summary>Serves \"pages\".</summary>\n"),
    (
        "policy/modules/services/web.te",
        "policy_module(web)\n## <desc><p>May web_t connect to <b>any</b> port?</p></desc>\ngen_tunable(web_connect, false)\n\n\
         # Answers questions of browsers.\ntype web_t, domain;\ntype web_exec_t;\ntype web_log_t;\n\
         attribute web_content;\ntype web_a_t, web_content;\ntype web_b_t, web_content;\n\
         # The attribute of the first holds what the second names.\nallow web_t web_content:file { create write unlink };\n\
         allow web_t web_a_t:file read;\nrole system_r types web_t;\n\
         type_transition init_t web_exec_t:process web_t;\nallow init_t web_t:process transition;\n\
         allow web_t web_exec_t:file { entrypoint read execute };\nallow web_t web_log_t:file { create write unlink };\n\
         allow web_t self:tcp_socket create;\nallow web_t port_t:tcp_socket name_bind;\nkernel_signal_init(web_t)\n\
         tunable_policy(`web_connect',`\n\tallow web_t port_type:tcp_socket name_connect;\n\tallow web_t web_log_t:file read;\n\tallow web_t web_exec_t:file read;\n')\n",
    ),
    (
        "policy/modules/services/web.fc",
        "/usr/sbin/webd -- gen_context(system_u:object_r:web_exec_t,s0)\n/var/log/web(/.*)? gen_context(system_u:object_r:web_log_t,s0)\n",
    ),
];

fn made() -> Documentation {
    let files = FILES.iter().map(|it| (it.0.to_owned(), Arc::from(it.1.as_bytes())));
    let tree: SourceTree = files.collect();
    let options = refpolicy::Options::default();
    let outcome = refpolicy::build(&tree, &options);
    let errors: Vec<_> = outcome.diagnostics.iter().map(|it| &it.message).collect();
    let product = outcome.product.as_ref().unwrap_or_else(|| panic!("{errors:?}"));
    let (title, date) = ("Small policy".to_owned(), "2026-11-22".to_owned());
    document(&texts(&tree, &options), &outcome, product, &Options { title, man: true, date })
}

fn text(made: &Documentation, path: &str) -> String {
    let file = made.files.iter().find(|it| it.path == path);
    String::from_utf8(file.unwrap_or_else(|| panic!("no {path}")).bytes.clone()).expect("UTF-8")
}

/// The body of a page, a line for each element that begins one.
fn check(path: &str, expected: Expect) {
    let page = text(&made(), path);
    let body = page.split_once("<main>").and_then(|it| it.1.split_once("</main>"));
    let mut body = body.map_or(page.clone(), |it| it.0.to_owned());
    for tag in ["<h1", "<h2", "<h3", "<p", "<dt", "<dd", "<li", "<tr", "<section", "<details"] {
        body = body.replace(&format!("{tag}>"), &format!("\n{tag}>"));
        body = body.replace(&format!("{tag} "), &format!("\n{tag} "));
    }
    expected.assert_eq(&body);
}

#[test]
fn a_page_of_a_module() {
    check(
        "module/kernel.html",
        expect![[r##"

        <p class="within"><a href="../modules.html">Modules</a></p>
        <h1>kernel <small>module</small></h1><div class="lead">
        <p>The kernel &amp; what it needs.</p></div>
        <p class="facts">Layer <a href="../layer/kernel.html">kernel</a>; part of the base module. <code class="place">policy/modules/kernel/kernel.if</code> <code class="place">policy/modules/kernel/kernel.te</code> </p>
        <p class="contents"><a href="#domains">Domains (2)</a> <a href="#interfaces">Interfaces (1)</a> <a href="#types">Types (1)</a> <a href="#attributes">Attributes (2)</a> </p>
        <h2 id="domains">Domains</h2><ul>
        <li><a href="../domain/init_t.html">init_t</a></li>
        <li><a href="../domain/kernel_t.html">kernel_t</a></li></ul>
        <h2 id="interfaces">Interfaces</h2>
        <details class="index" open><summary>1 interface</summary><ul class="names">
        <li><a href="#kernel_signal_init">kernel_signal_init</a></li></ul></details>
        <section class="interface" id="kernel_signal_init">
        <h3><code>kernel_signal_init(domain)</code> <small>interface</small></h3>
        <p>Send signals to &lt;init&gt;.</p><dl class="parameters">
        <dt><code>domain</code></dt>
        <dd>
        <p>Domain allowed access.</p></dd></dl>
        <p class="facts">Information flow: write, weight 1. <code class="place">policy/modules/kernel/kernel.if:11</code></p>
        <p class="calls">Called by: <a class="module" href="../module/web.html">web</a></p></section>
        <h2 id="types">Types</h2><dl class="types">
        <dt id="type-port_t"><code>port_t</code></dt>
        <dd>
        <p>Ports: tcp 80</p>
        <p class="facts">Attributes: <a href="../attribute/port_type.html">port_type</a> <small>(1 type)</small></p></dd></dl>
        <h2 id="attributes">Attributes</h2><ul class="names">
        <li><a href="../attribute/domain.html">domain</a></li>
        <li><a href="../attribute/port_type.html">port_type</a></li></ul>"##]],
    );
}

#[test]
fn a_page_of_a_domain() {
    check(
        "domain/web_t.html",
        expect![[r##"

            <p class="within"><a href="../domains.html">Domains</a></p>
            <h1>web_t <small>domain</small></h1>
            <p class="lead">Answers questions of browsers.</p><div>
            <p>Serves &quot;pages&quot;.</p></div>
            <p class="facts">Module <a href="../module/web.html">web</a>. Declared at <code class="place">policy/modules/services/web.te:6</code></p>
            <p class="contents"><a href="#entered">How it is entered</a> <a href="#ports">Ports</a> <a href="#booleans">Booleans</a> <a href="#may">What it may do</a> <a href="#manages">Files it manages</a> <a href="#types">Its types</a> <a href="#attributes">Attributes</a> </p>
            <h2 id="entered">How it is entered</h2>
            <p>By executing files of these types:</p><dl class="types">
            <dt><a href="../module/web.html#type-web_exec_t">web_exec_t</a></dt>
            <dd><ul class="patterns">
            <li><code>/usr/sbin/webd</code> <small>file</small></li></ul></dd></dl>
            <p>Without being asked for it is entered</p><ul>
            <li>when <a href="../module/web.html#type-web_exec_t">web_exec_t</a> is executed by <a href="../domain/init_t.html">init_t</a></li></ul>
            <p>Roles that may have it: <code>system_r</code></p>
            <h2 id="ports">Ports</h2><div class="wide"><table><thead>
            <tr><th>may</th><th>protocol</th><th>when</th><th>ports</th></tr></thead><tbody>
            <tr><td>bind</td><td>tcp</td><td>always</td><td><a href="../module/kernel.html#type-port_t">port_t</a> <small>80</small></td></tr>
            <tr><td>connect</td><td>tcp</td><td><a href="../boolean/web_connect.html">web_connect</a> is on</td><td><a href="../attribute/port_type.html">port_type</a> <small>(1 type)</small> <small>every port</small></td></tr></tbody></table></div>
            <h2 id="booleans">Booleans that change it</h2><div class="wide"><table><thead>
            <tr><th>boolean</th><th>now</th><th>what it is for</th></tr></thead><tbody>
            <tr><td><a href="../boolean/web_connect.html">web_connect</a></td><td>off</td><td>May web_t connect to any port?</td></tr></tbody></table></div>
            <p class="facts">Now is as the policy was built; <code>getsebool NAME</code> asks the running system, <code>setsebool -P NAME on</code> turns one on.</p>
            <details class="effect"><summary>While <a href="../boolean/web_connect.html">web_connect</a> is on, it may also</summary>
            <p class="kind">Files</p><dl class="rows">
            <dt>reads</dt>
            <dd><a href="../module/web.html#type-web_log_t">web_log_t</a></dd></dl></details>
            <h2 id="may">What it may do</h2>
            <p class="facts">Whatever booleans say, and beside what every <a href="../attribute/domain.html">domain</a> <small>(3 types)</small> may do. Attributes stand for all their types. Levels and roles may restrict it further.</p>
            <h3>Files</h3><dl class="rows">
            <dt>creates, writes and deletes</dt>
            <dd><a href="../attribute/web_content.html">web_content</a> <small>(2 types)</small>, <a href="../module/web.html#type-web_log_t">web_log_t</a></dd>
            <dt>reads</dt>
            <dd><a href="../module/web.html#type-web_exec_t">web_exec_t</a></dd>
            <dt>executes</dt>
            <dd><a href="../module/web.html#type-web_exec_t">web_exec_t</a></dd></dl>
            <h3>Processes</h3><dl class="rows">
            <dt>sends signals to</dt>
            <dd><a href="../domain/init_t.html">init_t</a></dd></dl>
            <h3>Of its own</h3><dl class="rows">
            <dt><code>tcp_socket</code></dt>
            <dd>create</dd></dl>
            <h2 id="manages">Files it manages</h2>
            <p class="facts">Types of which it may create, write and delete files, and the paths that have them.</p><dl class="types">
            <dt><a href="../attribute/web_content.html">web_content</a> <small>(2 types)</small></dt>
            <dd></dd>
            <dt><a href="../module/web.html#type-web_log_t">web_log_t</a></dt>
            <dd><ul class="patterns">
            <li><code>/var/log/web(/.*)?</code></li></ul></dd></dl>
            <h2 id="types">Its types</h2>
            <p class="facts">Types that go with it by their names. <code>semanage fcontext</code> gives a path one of them, <code>restorecon</code> sets it.</p><dl class="types">
            <dt><a href="../module/web.html#type-web_a_t">web_a_t</a></dt>
            <dd></dd>
            <dt><a href="../module/web.html#type-web_b_t">web_b_t</a></dt>
            <dd></dd>
            <dt><a href="../module/web.html#type-web_exec_t">web_exec_t</a></dt>
            <dd><ul class="patterns">
            <li><code>/usr/sbin/webd</code> <small>file</small></li></ul></dd>
            <dt><a href="../module/web.html#type-web_log_t">web_log_t</a></dt>
            <dd><ul class="patterns">
            <li><code>/var/log/web(/.*)?</code></li></ul></dd></dl>
            <h2 id="attributes">Attributes</h2>
            <p class="facts">It belongs to 1 attribute, each of which may bring rules.</p>
            <p><a href="../attribute/domain.html">domain</a> <small>(3 types)</small></p>
            <h2>Ask further</h2><pre><code>mandate query search TREE --source web_t --places   # every rule, and where it was written
            mandate query flow TREE --help                     # where information can go from there</code></pre>"##]],
    );
}

#[test]
fn a_page_of_a_boolean() {
    check(
        "boolean/web_connect.html",
        expect![[r#"

            <p class="within"><a href="../booleans.html">Booleans</a></p>
            <h1>web_connect <small>boolean</small></h1><div class="lead">
            <p>May <a href="../domain/web_t.html">web_t</a> connect to any port?</p></div>
            <p>In this policy it is <strong>off</strong>. <code>setsebool -P web_connect on</code> turns it on.</p>
            <h2 id="changes">Domains it changes</h2>
            <p><a href="../domain/web_t.html#booleans">web_t</a></p>
            <p class="facts">Module <a href="../module/web.html">web</a>. Declared at <code class="place">policy/modules/services/web.te:3</code></p>
            <h2 id="uses">Where it is asked</h2><ul>
            <li><a href="../module/web.html">web</a> <code class="place">policy/modules/services/web.te:23</code></li></ul>
            <h2>Rules of <code>web_connect</code></h2>
            <details open><summary>While it holds (3 rules)</summary><pre class="rules"><code>allow web_t port_type:tcp_socket name_connect;
            allow web_t web_exec_t:file read;
            allow web_t web_log_t:file read;
            </code></pre></details>"#]],
    );
}

#[test]
fn a_manual_page_of_a_domain() {
    check(
        "man/man8/web_selinux.8",
        expect![[r#"
            .ie \n(.g .ds Aq \(aq
            .el .ds Aq '
            .TH WEB_SELINUX 8 2026-11-22 "Small policy" "SELinux policy"
            .nh
            .ad l
            .SH NAME
            web_selinux \- SELinux policy of web_t
            .SH DESCRIPTION
            Programs of the domain web_t are held to what the policy allows them.
            Answers questions of browsers.
            .PP
            Which processes run in it is shown by
            .RS 4
            .nf
            ps \-eZ | grep web_t
            .fi
            .RE
            .SH ENTRYPOINTS
            The domain is entered by executing files of these types:
            .PP
            \fBweb_exec_t\fR
            .RS 4
            .nf
            /usr/sbin/webd (file)
            .fi
            .RE
            .PP
            Without being asked for it is entered from
            init_t
            .SH "PROCESS TYPES"
            These domains are declared by the same module:
            web_t
            .PP
            To let a domain do all, and log what would be denied:
            .RS 4
            .nf
            semanage permissive \-a web_t
            .fi
            .RE
            .SH BOOLEANS
            These booleans change what the domain may do.
            Their state is that of the policy as it was built.
            To turn one on for good:
            .RS 4
            .nf
            setsebool \-P NAME on
            .fi
            .RE
            .TP
            \fBweb_connect\fR (off)
            May web_t connect to any port?
            .SH "PORT TYPES"
            .TP
            \fBport_t\fR (may bind, tcp)
            Ports: 80.
            .TP
            \fBport_type\fR (may connect to, tcp)
            All ports of this attribute, while web_connect is on.
            .SH "MANAGED FILES"
            The domain may create, write and delete files of these types:
            .PP
            \fBweb_content\fR
            (an attribute of 2 types)
            .PP
            \fBweb_log_t\fR
            .RS 4
            .nf
            /var/log/web(/.*)?
            .fi
            .RE
            .SH "FILE CONTEXTS"
            Types that go with the domain, and the paths that have them:
            .PP
            \fBweb_a_t\fR
            .PP
            \fBweb_b_t\fR
            .PP
            \fBweb_exec_t\fR
            .RS 4
            .nf
            /usr/sbin/webd (file)
            .fi
            .RE
            .PP
            \fBweb_log_t\fR
            .RS 4
            .nf
            /var/log/web(/.*)?
            .fi
            .RE
            .PP
            To give another path one of them for good:
            .RS 4
            .nf
            semanage fcontext \-a \-t web_log_t \*(Aq/srv/mine(/.*)?\*(Aq
            restorecon \-R \-v /srv/mine
            .fi
            .RE
            .SH COMMANDS
            .TP
            \fBsemanage fcontext\fR
            Contexts of files.
            .TP
            \fBsemanage port\fR
            Types of ports.
            .TP
            \fBsemanage boolean\fR
            Booleans, for good.
            .TP
            \fBsemanage permissive\fR
            Permissive domains.
            .TP
            \fBsemodule\fR
            Modules.
            .TP
            \fBmandate query search\fR TREE \-\-source web_t \-\-places
            Every rule of the domain, and where it was written.
            .SH "SEE ALSO"
            selinux(8),
            semanage(8),
            restorecon(8),
            setsebool(8),
            chcon(1)
        "#]],
    );
}

#[test]
fn a_manual_page_of_interfaces() {
    check(
        "man/man3/kernel_interfaces.3",
        expect![[r#"
            .ie \n(.g .ds Aq \(aq
            .el .ds Aq '
            .TH KERNEL_INTERFACES 3 2026-11-22 "Small policy" "SELinux policy"
            .nh
            .ad l
            .SH NAME
            kernel_interfaces \- interfaces of the SELinux policy module kernel
            .SH DESCRIPTION
            The kernel & what it needs.
            .SH INTERFACES
            .SS kernel_signal_init(domain)
            Send signals to <init>.
            .TP
            \fBdomain\fR
            Domain allowed access.
            .SH FILES
            policy/modules/kernel/kernel.if,
            policy/modules/kernel/kernel.te
            .SH "SEE ALSO"
            selinux(8)
        "#]],
    );
}

#[test]
fn what_the_search_knows() {
    check(
        "search-data.js",
        expect![[r#"
            mandateSearch({"kinds":["domain","boolean","module","interface","type","attribute"],"pages":["domain/init_t.html","domain/kernel_t.html","domain/web_t.html","boolean/call_home.html","boolean/web_connect.html","module/kernel.html","module/web.html","attribute/domain.html","attribute/port_type.html","attribute/web_content.html"],"entries":[["init_t",0,0,"","The kernel & what it needs."],["kernel_t",0,1,"","The kernel & what it needs."],["web_t",0,2,"","Answers questions of browsers."],["call_home",1,3,"","Anyone may call home."],["web_connect",1,4,"","May web_t connect to any port?"],["kernel",2,5,"","The kernel & what it needs."],["web",2,6,"","Serves \"pages\"."],["kernel_signal_init",3,5,"kernel_signal_init","Send signals to \u003cinit>."],["port_t",4,5,"type-port_t",""],["web_a_t",4,6,"type-web_a_t",""],["web_b_t",4,6,"type-web_b_t",""],["web_exec_t",4,6,"type-web_exec_t",""],["web_log_t",4,6,"type-web_log_t",""],["domain",5,7,"",""],["port_type",5,8,"",""],["web_content",5,9,"",""]]});
        "#]],
    );
}

#[test]
fn malformed_comments_are_told() {
    let told: Vec<_> = made().diagnostics.into_iter().map(|it| it.message).collect();
    expect![[r#"
        `&` stands for itself only as `&amp;`
        `<` begins no tag here, and stands for itself only as `&lt;`"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn every_link_leads_somewhere_and_a_missing_page_is_noticed() {
    let made = made();
    let files = || made.files.iter().map(|it| (&*it.path, &*it.bytes));
    assert_eq!(links::walk(files()).dead, []);
    let without = files().filter(|it| it.0 != "boolean/web_connect.html");
    assert!(links::walk(without).dead.iter().any(|it| it.page == "domain/web_t.html"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(made().files, made().files);
}
