//! Walks run beside the thread that writes: what they have to say comes to it in order, and Ctrl-C reaches them.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Result, anyhow};
use mandate_host::interrupt;

/// How often Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(50);
/// Messages that may wait.
const WAITING: usize = 256;
/// Bytes that are gathered before they are sent.
const GATHERED: usize = 8192;

enum Event {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

/// How a thread says something. What it says stays in order.
pub(crate) struct Post {
    events: SyncSender<Event>,
    gathered: Vec<u8>,
}

impl Post {
    /// Bytes for standard output.
    pub(crate) fn out(&mut self, bytes: &[u8]) {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHERED {
            self.flush();
        }
    }

    /// Bytes for standard error.
    pub(crate) fn err(&mut self, bytes: &[u8]) {
        self.flush();
        // Nobody listens any more: the walk ends soon.
        drop(self.events.send(Event::Err(bytes.to_vec())));
    }

    fn flush(&mut self) {
        if !self.gathered.is_empty() {
            drop(self.events.send(Event::Out(std::mem::take(&mut self.gathered))));
        }
    }
}

impl Write for Post {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Self::flush(self);
        Ok(())
    }
}

impl Clone for Post {
    fn clone(&self) -> Self {
        Self { events: self.events.clone(), gathered: Vec::new() }
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Runs `work` on another thread and writes what it says; calls `tick` now and then. Sets `stop` when somebody presses Ctrl-C, or nobody reads any more.
pub(crate) fn drive<R: Send>(
    out: &mut dyn Write,
    err: &mut dyn Write,
    stop: &AtomicBool,
    tick: &mut dyn FnMut(),
    work: impl FnOnce(Post) -> R + Send,
) -> Result<R> {
    let (sender, events) = sync_channel(WAITING);
    let post = Post { events: sender, gathered: Vec::new() };
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || work(post));
        let written = listen(out, err, stop, tick, &events);
        if written.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        // Threads that wait to say something must not wait for ever.
        drop(events);
        let result = worker.join().map_err(|_| anyhow!("a thread failed"))?;
        written.map(|()| result)
    })
}

fn listen(
    out: &mut dyn Write,
    err: &mut dyn Write,
    stop: &AtomicBool,
    tick: &mut dyn FnMut(),
    events: &Receiver<Event>,
) -> Result<()> {
    loop {
        match events.recv_timeout(TICK) {
            Ok(Event::Out(bytes)) => out.write_all(&bytes)?,
            Ok(Event::Err(bytes)) => {
                out.flush()?;
                err.write_all(&bytes)?;
            }
            Err(RecvTimeoutError::Timeout) => tick(),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        if interrupt::asked() {
            stop.store(true, Ordering::Relaxed);
        }
    }
}
