//! What goes on, on a terminal, for work that takes a while.

use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shorter work shows nothing.
const PATIENCE: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(80);

/// A line on standard error that names the stage; it goes away with this.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Dropped when there is nothing more to show.
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins the first stage. Nothing is shown where standard error is no terminal.
    pub(crate) fn start(stage: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        bar.set_message(stage);
        let running = std::io::stderr().is_terminal().then(|| {
            let (done, wait) = channel();
            let bar = bar.clone();
            (done, std::thread::spawn(move || appear(&bar, &wait)))
        });
        Self { bar, running }
    }

    /// Goes on to the next stage.
    pub(crate) fn stage(&self, stage: &'static str) {
        self.bar.set_message(stage);
    }
}

fn appear(bar: &ProgressBar, wait: &Receiver<()>) {
    if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.enable_steady_tick(TICK);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.running.take() {
            drop(done);
            // It only draws: if it failed, there is nothing on the screen to clear.
            drop(thread.join());
            self.bar.finish_and_clear();
        }
    }
}
