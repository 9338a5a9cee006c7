//! Builds that use what earlier ones kept: the same bytes as builds from nothing, and how fast; two cores beside one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::bench::{Figure, note};
use crate::compile::bench::{cost, line, packages, store};
use crate::compile::original::make_in;
use crate::compile::setting::Setting;
use crate::compile::tree::{self, Overlay};
use crate::place::{Place, run as run_program};
use crate::report::Report;

/// Rounds of the full size; the median counts, of cores the best.
const ROUNDS: usize = 9;
const CORES_ROUNDS: usize = 5;
/// Files that are edited, and what is put at their ends.
const EDITS: [(&str, &str); 4] = [
    ("policy/modules/services/apache.te", "allow httpd_t self:capability2 block_suspend;\n"),
    (
        "policy/modules/services/apache.fc",
        "/opt/www(/.*)?\tgen_context(system_u:object_r:httpd_sys_content_t,s0)\n",
    ),
    (
        "policy/modules/system/init.if",
        "interface(`init_unheard_of',`\n\tgen_require(`\n\t\ttype init_t;\n\t')\n\tallow $1 init_t:fd use;\n')\n",
    ),
    ("policy/modules/services/ssh.te", "init_unheard_of(sshd_t)\n"),
];

/// Compares, and times both sides at the full size.
///
/// # Errors
/// When a build fails or the report cannot be written.
pub fn run(place: &Place, full: bool, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("Builds of an edited tree beside builds from nothing")?;
    let source = tree::pristine(place)?;
    let folder = place.work.join("incremental");
    let case = Case { place, tree: Overlay::copy(&source, &folder.join("tree"))?, folder };
    case.forget()?;
    for (what, outcome) in case.compare()? {
        report.case(&what, outcome)?;
    }
    if !full {
        return Ok(Vec::new());
    }
    let figures = vec![case.cores()?, case.warm(&source)?];
    figures.iter().try_for_each(|figure| note(figure, report))?;
    Ok(figures)
}

struct Case<'a> {
    place: &'a Place,
    tree: Overlay,
    folder: PathBuf,
}

/// What a comparison found, by what was compared.
type Found = (String, Result<String, String>);

impl Case<'_> {
    fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    fn forget(&self) -> Result<()> {
        let cache = self.cache();
        if cache.exists() {
            fs::remove_dir_all(&cache).with_context(|| format!("removing {}", cache.display()))?;
        }
        Ok(())
    }

    /// The command that builds into the folder `to`.
    fn build(&self, to: &str, kept: bool) -> Result<Command> {
        let mut build = Command::new(self.place.mandate()?);
        build.arg("build").arg(self.tree.root()).args(["--type", "mcs"]);
        match kept {
            true => build.arg("--cache").arg(self.cache()),
            false => build.arg("--no-cache"),
        };
        // With the slash at its end it is a folder to `mandate`.
        build.arg("-o").arg(self.folder.join(to).join(""));
        build.stdin(Stdio::null());
        Ok(build)
    }

    /// Builds with what is kept and from nothing: the same files with the same bytes, provenance among them.
    fn same(&self, what: &str) -> Result<Found> {
        run_program(&mut self.build("kept", true)?)?;
        run_program(&mut self.build("plain", false)?)?;
        Ok((what.to_owned(), self.differences("kept", "plain")?))
    }

    fn differences(&self, one: &str, other: &str) -> Result<Result<String, String>> {
        let (one, other) = (files(&self.folder.join(one))?, files(&self.folder.join(other))?);
        ensure!(one.len() > 10, "only {} files were made", one.len());
        let names =
            |all: &[(PathBuf, Vec<u8>)]| all.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
        if names(&one) != names(&other) {
            return Ok(Err("other files".to_owned()));
        }
        let mut same = one.iter().zip(&other);
        Ok(match same.find(|(one, other)| one.1 != other.1) {
            Some((one, _)) => Err(format!("{} differs", one.0.display())),
            None => Ok(format!("{} files of the same bytes", one.len())),
        })
    }

    fn compare(&self) -> Result<Vec<Found>> {
        let mut found = vec![self.same("the first build")?, self.same("nothing was edited")?];
        for (file, more) in EDITS {
            self.tree.append(file, more.as_bytes())?;
            found.push(self.same(&format!("{file} was edited"))?);
        }
        self.damage()?;
        found.push(self.same("every third value is damaged, every third one empty")?);
        self.forget()?;
        // Two at once, of one cache that is empty.
        let mut both = [self.build("kept", true)?.spawn()?, self.build("second", true)?.spawn()?];
        for it in &mut both {
            ensure!(it.wait()?.success(), "one of two builds failed");
        }
        found
            .push(("two builds at once: the first".to_owned(), self.differences("kept", "plain")?));
        found.push((
            "two builds at once: the second".to_owned(),
            self.differences("second", "plain")?,
        ));
        found.push(self.same("after both")?);
        Ok(found)
    }

    fn damage(&self) -> Result<()> {
        let values = files(&self.cache())?;
        ensure!(values.len() > 300, "only {} values are kept", values.len());
        for (at, (name, mut bytes)) in values.into_iter().enumerate() {
            match (at % 3, bytes.len() / 2) {
                (0, middle) => bytes[middle] ^= 0x55,
                (1, _) => bytes.clear(),
                _ => continue,
            }
            fs::write(self.cache().join(name), bytes).context("damaging a value")?;
        }
        Ok(())
    }

    /// Cold builds on one core and on two.
    fn cores(&self) -> Result<Figure> {
        let best = |cores: &str, threads: &str| -> Result<f64> {
            let mut best = f64::INFINITY;
            for _ in 0..CORES_ROUNDS {
                let mut build = Command::new("taskset");
                build.args(["-c", cores]).args(line(&self.build("cores", false)?));
                build.env("RAYON_NUM_THREADS", threads);
                let started = Instant::now();
                run_program(&mut build)?;
                best = best.min(started.elapsed().as_secs_f64());
            }
            Ok(best)
        };
        let (one, two) = (best("0", "1")?, best("0,1", "2")?);
        Ok(Figure {
            what: format!("cold build on two cores; on one, best of {CORES_ROUNDS}"),
            reach: "at least 1.5 ×".to_owned(),
            ours: format!("{two:.2} s"),
            theirs: format!("{one:.2} s (ours)"),
            ratio: format!("{:.2} × faster", one / two),
        })
    }

    /// After an edit of one module: ours with its cache, and what `make` and `semodule` do.
    fn warm(&self, source: &Path) -> Result<Figure> {
        run_program(&mut self.build("warm", true)?)?;
        let mut seconds = Vec::new();
        for round in 0..ROUNDS {
            let more = format!("allow httpd_t self:process {{ fork }}; # {round}\n");
            self.tree.append(EDITS[0].0, more.as_bytes())?;
            let it = cost(&self.folder.join("memory"), &line(&self.build("warm", true)?))?;
            seconds.push(it.seconds);
        }
        let ours = crate::bench::median(seconds);
        let theirs = self.semodule(source)?;
        Ok(Figure {
            what: "after an edit of one .te, to a new policy on disk; make NAME.pp and semodule -i"
                .to_owned(),
            reach: "at most 0.2 s".to_owned(),
            ours: format!("{ours:.3} s"),
            theirs: format!("{theirs:.1} s"),
            ratio: format!("{:.0} × faster", theirs / ours),
        })
    }

    /// Seconds that the originals take after the edit: m4 and checkmodule of one module, and the store built anew.
    fn semodule(&self, source: &Path) -> Result<f64> {
        let words = [Setting::DEBIAN.words(), vec!["MONOLITHIC=n".to_owned()]].concat();
        let list = fs::read(source.join(Setting::DEBIAN.modules.file())).context("modules")?;
        let tree = Overlay::copy(source, &self.folder.join("modular"))?;
        tree.replace("policy/modules.conf", &list)?;
        run_program(make_in(tree.root(), &words).args(["base", "modules"]))?;
        let (root, name) = (self.folder.join("root"), Setting::DEBIAN.flavour.name());
        store(&root, name)?;
        let destination = format!("DESTDIR={}", root.display());
        run_program(make_in(tree.root(), &words).args([&destination, "install-appconfig"]))?;
        let semodule = |packages: &[PathBuf]| {
            let mut semodule = Command::new("semodule");
            semodule.arg("-p").arg(&root).args(["-s", name, "-N"]);
            for package in packages {
                semodule.arg("-i").arg(package);
            }
            run_program(&mut semodule).map(drop)
        };
        semodule(&packages(tree.root())?)?;
        tree.append(EDITS[0].0, EDITS[0].1.as_bytes())?;
        let started = Instant::now();
        run_program(make_in(tree.root(), &words).arg("apache.pp"))?;
        semodule(&[tree.root().join("apache.pp")])?;
        Ok(started.elapsed().as_secs_f64())
    }
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in
            fs::read_dir(&next).with_context(|| format!("looking into {}", next.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            all.push((path.strip_prefix(folder)?.to_owned(), bytes));
        }
    }
    all.sort();
    Ok(all)
}
