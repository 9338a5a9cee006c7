//! The steps: what each shows, does, and has to find.

use anyhow::{Result, ensure};

use super::scene::{self, Done, Scene};

/// A step.
pub(super) struct Step {
    /// What it shows.
    pub(super) title: &'static str,
    /// Does it, and checks what came of it.
    pub(super) show: fn(&mut Scene<'_>) -> Result<()>,
    /// What that means.
    pub(super) meaning: &'static str,
}

pub(super) const STEPS: [Step; 10] = [
    Step {
        title: "A policy is compiled from its sources.",
        show: policy,
        meaning: "Types are names for programs and things; rules say which type may do what to which. What no rule allows is denied.",
    },
    Step {
        title: "Files get labels, by their paths.",
        show: labels,
        meaning: "The third word is the type. One user owns all of these files; to the policy they are different things.",
    },
    Step {
        title: "Without a policy: a web server that has a hole.",
        show: unconfined,
        meaning: "`..` leads out of its folder, and file modes let it read whatever its user may read: the private key is out.",
    },
    Step {
        title: "The same server under the policy: its pages are served, secrets are not.",
        show: confined,
        meaning: "The hole is still there, but httpd_t, the type of the server, may read pages and not keys or passwords.",
    },
    Step {
        title: "It cannot take the port of another service.",
        show: port,
        meaning: "Ports have types, too: 5432 is the database's. A server that was taken over cannot pose as it.",
    },
    Step {
        title: "A login shell under the policy sees SELinux, on any kernel.",
        show: login,
        meaning: "The context of the shell is user, role, type and level. Programs that know SELinux find it here.",
    },
    Step {
        title: "What was just downloaded or written cannot be run.",
        show: payload,
        meaning: "Ordinary users run installed programs. A boolean, a switch of the policy, would allow this as well.",
    },
    Step {
        title: "Two tenants of one server: the same types, apart by category.",
        show: tenants,
        meaning: "The server that works for blue has category c1, the pages of red have c2: no rule for types can bridge that.",
    },
    Step {
        title: "A page is missing: why?",
        show: why,
        meaning: "A denial is a record in a log. Its explanation names the cause and the least that would mend this one.",
    },
    Step {
        title: "The fix: a module of a few lines, built together with the policy.",
        show: fix,
        meaning: "--permissive lets pass what it tells, so that all is found at once. With the module the page is there, and the key is not: a rule opens what it says.",
    },
];

const KEY: &str = "/../home/.ssh/id_ed25519";
const SECRET: &str = "PRIVATE KEY";
const BACKUP: &str = "the backup went well";
const FORBIDDEN: &str = "403 Forbidden";
const NOTE: &str = "  (Not shown, here and below: its allocator asks for /proc/sys/vm, is refused, and does without.)";
const SERVER: &str =
    "mandate run --labels labels --domain httpd_t --set httpd_enable_homedirs=on -- ";

fn policy(scene: &mut Scene<'_>) -> Result<()> {
    let folder = scene.stage.folder.display().to_string();
    scene.types(&format!("cd {folder}"))?;
    succeeds(&scene.types("mandate build -o base/")?)
}

fn labels(scene: &mut Scene<'_>) -> Result<()> {
    succeeds(&scene.types("cat base/file_contexts own.fc > labels")?)?;
    // Other names of folders, such as /lib for /usr/lib.
    let (code, _) =
        scene.stage.run("cp base/appconfig/files/file_contexts.subs_dist labels.subs_dist")?;
    ensure!(code == Some(0), "the policy has no other names of folders");
    let found = scene.types(
        "mandate label lookup --brief -f labels $PWD/www/index.html $PWD/home/.ssh/id_ed25519 $PWD/etc/shadow",
    )?;
    succeeds(&found)?;
    for label in ["httpd_sys_content_t", "ssh_home_t", "shadow_t"] {
        ensure!(found.has(label), "no file has the type {label}");
    }
    Ok(())
}

fn unconfined(scene: &mut Scene<'_>) -> Result<()> {
    let server = scene.serves("")?;
    let page = scene.asks(&server, "/index.html")?;
    ensure!(page.contains("Welcome"), "the page is not served");
    let key = scene.asks(&server, KEY)?;
    ensure!(key.contains(SECRET), "the server has no hole");
    scene.ends(server)?;
    Ok(())
}

fn confined(scene: &mut Scene<'_>) -> Result<()> {
    let server = scene.serves(SERVER)?;
    if server.starting.contains(scene::ALLOCATOR) {
        writeln!(scene.out, "{NOTE}")?;
    }
    let page = scene.asks(&server, "/index.html")?;
    ensure!(page.contains("Welcome"), "the page is not served");
    for secret in [KEY, "/../etc/shadow"] {
        let answer = scene.asks(&server, secret)?;
        ensure!(answer.trim_end() == FORBIDDEN, "{secret} is not denied");
    }
    let told = scene.ends(server)?;
    for target in ["(ssh_home_t)", "(shadow_t)"] {
        ensure!(denied(&told, target), "no denial names {target}");
    }
    Ok(())
}

fn port(scene: &mut Scene<'_>) -> Result<()> {
    let done = scene.types(
        "mandate run --labels labels --domain httpd_t -- ./webserver demo --serve www --port 5432",
    )?;
    ensure!(done.code != Some(0), "the server listens there");
    ensure!(denied(&done.printed, "name_bind"), "no denial names name_bind");
    Ok(())
}

const CONTEXT: &str = "user_u:user_r:user_t:s0";

fn login(scene: &mut Scene<'_>) -> Result<()> {
    let done = scene
        .types("cd home; mandate run --labels ../labels -- /bin/sh -c 'id -Z; ls -Z notes'")?;
    let (id, ls) = (done.has(CONTEXT), done.has("user_home_t"));
    let without: Vec<_> = [("id", id), ("ls", ls)].into_iter().filter(|it| !it.1).collect();
    if without.is_empty() {
        return Ok(());
    }
    for (name, _) in without {
        writeln!(scene.out, "  ({name} of this machine was built without SELinux)")?;
    }
    let done = scene.types(
        "cd home; mandate run --labels ../labels -- /bin/sh -c 'cat /proc/self/attr/current'",
    )?;
    ensure!(done.has(CONTEXT), "the context of the shell is not shown");
    Ok(())
}

fn payload(scene: &mut Scene<'_>) -> Result<()> {
    let done = scene.types(
        r##"cd home; mandate run --labels ../labels -- /bin/sh -c 'printf "#!/bin/sh\necho I am in\n" > tool; chmod +x tool; ./tool'"##,
    )?;
    ensure!(!done.has("I am in\n"), "the program was run");
    ensure!(denied(&done.printed, "execute file"), "no denial names execute");
    Ok(())
}

fn tenants(scene: &mut Scene<'_>) -> Result<()> {
    let server = scene.serves("mandate run --labels labels --domain httpd_t --level s0:c1 -- ")?;
    let own = scene.asks(&server, "/blue/index.html")?;
    ensure!(own.contains("Blue"), "blue's page is not served");
    let other = scene.asks(&server, "/red/index.html")?;
    ensure!(other.trim_end() == FORBIDDEN, "red's page is not denied");
    let told = scene.ends(server)?;
    ensure!(denied(&told, "a constraint forbids it"), "no denial names a constraint");
    Ok(())
}

fn why(scene: &mut Scene<'_>) -> Result<()> {
    let server =
        scene.serves("mandate run --labels labels --domain httpd_t --audit denials.log -- ")?;
    let answer = scene.asks(&server, "/backup.log")?;
    ensure!(answer.trim_end() == FORBIDDEN, "the page is not denied");
    scene.ends(server)?;
    let done =
        scene.types("grep backup.log denials.log | mandate explain --policy base/policy.33")?;
    succeeds(&done)?;
    ensure!(done.has("cause") && done.has("fix"), "the denial is not explained");
    Ok(())
}

fn fix(scene: &mut Scene<'_>) -> Result<()> {
    // Permissive: the first denial hides those that would come after it.
    let server = scene
        .serves("mandate run --labels labels --domain httpd_t --permissive --audit all.log -- ")?;
    let page = scene.asks(&server, "/backup.log")?;
    ensure!(page.contains(BACKUP), "the page is denied");
    let told = scene.ends(server)?;
    ensure!(told.contains("would be denied: "), "nothing would be denied");
    succeeds(&scene.types(
        "grep backup.log all.log | mandate audit allow --module status > status.te; cat status.te",
    )?)?;
    succeeds(&scene.types("mandate build status.te -o fixed/")?)?;
    let server = scene.serves(&SERVER.replace(" run ", " run --policy fixed/policy.33 "))?;
    let page = scene.asks(&server, "/backup.log")?;
    ensure!(page.contains(BACKUP), "the page is still denied");
    let key = scene.asks(&server, KEY)?;
    ensure!(key.trim_end() == FORBIDDEN, "the key is served");
    scene.ends(server)?;
    Ok(())
}

fn succeeds(done: &Done) -> Result<()> {
    ensure!(done.code == Some(0), "the command failed");
    Ok(())
}

/// Whether a denial was told that has these words.
fn denied(told: &str, words: &str) -> bool {
    told.lines().any(|it| it.starts_with("mandate: denied: ") && it.contains(words))
}
