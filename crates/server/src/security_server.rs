//! The security server: SIDs, decisions through a cache, booleans, reload. Shared by many threads.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use mandate_policydb::{BoolId, ClassId, Context, ContextError, Datum, HandleUnknown, Policy};

use crate::avc::Avc;
use crate::engine::{Decision, Engine, Query, TooManyAttributes};
use crate::sid::{Sid, SidTable};
use crate::transition::{Compute, ComputeError, ForbiddenTransition};
use crate::xperm::{XpermBase, XpermDecision};

/// Why the server cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A number that stands for no context.
    #[error("no context has SID {}", .0.number())]
    UnknownSid(Sid),
    /// Text that is not a context of the policy.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A context could not be computed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// A computed context that the policy does not allow. It is given a SID only while permissive.
    #[error("the computed context {0} is not allowed by the policy")]
    InvalidComputed(String),
    /// A name that the policy does not define.
    #[error("the policy has no {kind} {name:?}")]
    UnknownName {
        /// What kind of name.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A change of label that a `validatetrans` forbids.
    #[error("a validatetrans constraint forbids the change of label")]
    Forbidden(Box<ForbiddenTransition>),
    /// No SIDs are left.
    #[error("all 2^32 SIDs are in use")]
    SidsExhausted,
    /// A policy that cannot be indexed.
    #[error(transparent)]
    Policy(#[from] TooManyAttributes),
}

/// Whether denials are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Enforcing,
    /// They are only told.
    Permissive,
}

/// A loaded policy with everything that depends on it.
struct State {
    engine: Engine,
    sids: SidTable,
    epoch: u32,
    seqno: u32,
}

/// Answers for many threads about one policy at a time. Cached decisions are read without any lock.
///
/// ```
/// use mandate_policydb::Unvalidated;
/// use mandate_server::{Mode, SecurityServer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bytes = include_bytes!("../../../policies/demo/policy.33");
/// let server = SecurityServer::new(Unvalidated::read(bytes)?.validate()?, Mode::Enforcing)?;
///
/// let process = server.sid("system_u:system_r:httpd_t:s0")?;
/// let object = server.sid("system_u:object_r:httpd_content_t:s0")?;
/// let class = server.class("file")?;
/// let read = server.permission(class, "read")?;
/// assert!(server.check(process, object, class, read)?.granted);
/// # Ok(()) }
/// ```
pub struct SecurityServer {
    state: RwLock<State>,
    pending: Mutex<BTreeMap<BoolId, bool>>,
    mode: RwLock<Mode>,
    avc: Avc,
}

/// The answer to [`SecurityServer::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// May the program go ahead?
    pub granted: bool,
    /// Requested permissions that the policy denies, whether it is enforced or not.
    pub denied: u32,
    /// Requested permissions to be logged: as denied if there are any, else as granted.
    pub audited: u32,
}

/// Slots of the cache: 256 KiB; eight times what the kernel keeps.
const AVC_SLOTS: usize = 1 << 12;

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    // State is replaced whole, so that of a thread that panicked is sound.
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl SecurityServer {
    /// A server of this policy.
    ///
    /// # Errors
    /// The policy cannot be indexed.
    pub fn new(policy: Policy, mode: Mode) -> Result<Self, TooManyAttributes> {
        let engine = Engine::new(policy)?;
        let avc = Avc::with_slots(AVC_SLOTS);
        let sids = SidTable::of(engine.db());
        let state = State { engine, sids, epoch: avc.epoch(), seqno: 1 };
        let (state, mode) = (RwLock::new(state), RwLock::new(mode));
        Ok(Self { state, pending: Mutex::default(), mode, avc })
    }

    /// Looks at the engine of the policy in force. Do not call the server from within.
    pub fn with_engine<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        look(&read(&self.state).engine)
    }

    /// Counts policies and boolean changes, from 1.
    pub fn seqno(&self) -> u32 {
        read(&self.state).seqno
    }

    /// Whether denials are enforced.
    pub fn mode(&self) -> Mode {
        *read(&self.mode)
    }

    /// Enforces denials or no longer.
    pub fn set_mode(&self, mode: Mode) {
        *write(&self.mode) = mode;
    }

    /// Puts another policy in force. SIDs stay: those whose context it does not allow count as unlabeled until a policy
    /// does. Booleans that both policies have keep their values, as with the kernel; pending changes are dropped.
    ///
    /// Classes and permission bits belong to the policy that they were looked up in: look them up again when
    /// [`seqno`](Self::seqno) has changed, or ask by name with [`check_named`](Self::check_named).
    ///
    /// # Errors
    /// The policy cannot be indexed; the old one stays in force.
    pub fn load(&self, policy: Policy) -> Result<(), TooManyAttributes> {
        let fresh = Engine::new(policy)?;
        let mut pending = self.pending();
        let mut state = write(&self.state);
        let (old, new) = (state.engine.db(), fresh.db());
        let kept = new.booleans.iter().filter_map(|boolean| {
            let value = state.engine.booleans().get(old.booleans.id(boolean.name())?)?;
            Some((boolean.id, value))
        });
        let booleans = fresh.booleans().with(new, kept);
        let sids = state.sids.converted(old, new);
        let engine = fresh.with_booleans(booleans);
        let seqno = state.seqno.wrapping_add(1);
        *state = State { engine, sids, epoch: self.avc.next_epoch(), seqno };
        pending.clear();
        Ok(())
    }

    /// The SID of a context.
    ///
    /// # Errors
    /// The text is not a context that the policy allows.
    pub fn sid(&self, context: &str) -> Result<Sid, ServerError> {
        let state = read(&self.state);
        let parsed = state.engine.db().parse_context(context)?;
        if let Some(sid) = state.sids.find(&parsed) {
            return Ok(sid);
        }
        drop(state);
        // The policy may have changed in between, so parse again.
        let mut state = write(&self.state);
        let parsed = state.engine.db().parse_context(context)?;
        state.sids.intern(parsed).ok_or(ServerError::SidsExhausted)
    }

    /// The context of a SID as text; that of `unlabeled` if the policy in force does not allow its own.
    ///
    /// # Errors
    /// The number stands for nothing.
    pub fn context(&self, sid: Sid) -> Result<String, ServerError> {
        let state = read(&self.state);
        state.context(sid).map(|context| state.engine.db().context_to_string(context))
    }

    /// The class of this name.
    ///
    /// # Errors
    /// The policy has none; see its `handle_unknown` for what to do then.
    pub fn class(&self, name: &str) -> Result<ClassId, ServerError> {
        let unknown = || ServerError::UnknownName { kind: "class", name: name.to_owned() };
        read(&self.state).engine.db().classes.id(name).ok_or_else(unknown)
    }

    /// The bit of a permission in the access vectors of a class.
    ///
    /// # Errors
    /// The class has none of this name.
    pub fn permission(&self, class: ClassId, name: &str) -> Result<u32, ServerError> {
        let unknown = || ServerError::UnknownName { kind: "permission", name: name.to_owned() };
        let state = read(&self.state);
        let id = state.engine.db().permission(class, name).ok_or_else(unknown)?;
        Ok(id.mask())
    }

    /// Decides, from the cache if it can.
    ///
    /// # Errors
    /// A SID stands for nothing.
    #[inline]
    pub fn decide(
        &self,
        source: Sid,
        target: Sid,
        class: ClassId,
    ) -> Result<Decision, ServerError> {
        match self.avc.lookup(source, target, class) {
            Some(decision) => Ok(decision),
            None => self.decide_afresh(source, target, class),
        }
    }

    #[cold]
    fn decide_afresh(
        &self,
        source: Sid,
        target: Sid,
        class: ClassId,
    ) -> Result<Decision, ServerError> {
        self.decide_in(&read(&self.state), source, target, class)
    }

    /// Decides by this state, which cannot change meanwhile.
    fn decide_in(
        &self,
        state: &State,
        source: Sid,
        target: Sid,
        class: ClassId,
    ) -> Result<Decision, ServerError> {
        if let Some(decision) = self.avc.lookup(source, target, class) {
            return Ok(decision);
        }
        let query = Query { source: state.context(source)?, target: state.context(target)?, class };
        let decision = state.engine.decide(&query);
        self.avc.insert(source, target, class, decision, state.epoch);
        Ok(decision)
    }

    /// Decides for a class given by number, as programs ask the kernel: see [`Engine::decide_numbered`].
    ///
    /// # Errors
    /// A SID stands for nothing.
    pub fn decide_numbered(
        &self,
        source: Sid,
        target: Sid,
        class: u32,
    ) -> Result<Decision, ServerError> {
        read(&self.state).decide_numbered(source, target, class)
    }

    /// Decides about one extended permission: see [`Engine::decide_xperm`].
    ///
    /// # Errors
    /// A SID stands for nothing.
    pub fn decide_xperm(
        &self,
        source: Sid,
        target: Sid,
        class: ClassId,
        base: XpermBase,
        command: u16,
    ) -> Result<XpermDecision, ServerError> {
        let state = read(&self.state);
        let query = Query { source: state.context(source)?, target: state.context(target)?, class };
        Ok(state.engine.decide_xperm(&query, base, command))
    }

    /// May `source` do all that `requested` has bits for? What an object manager calls before it acts.
    ///
    /// # Errors
    /// A SID stands for nothing.
    pub fn check(
        &self,
        source: Sid,
        target: Sid,
        class: ClassId,
        requested: u32,
    ) -> Result<Check, ServerError> {
        Ok(self.judge(&self.decide(source, target, class)?, requested))
    }

    fn judge(&self, decision: &Decision, requested: u32) -> Check {
        let denied = requested & !decision.allowed;
        let granted = denied == 0 || decision.permissive || self.mode() == Mode::Permissive;
        let audited = match denied {
            0 => requested & decision.auditallow,
            denied => denied & decision.auditdeny,
        };
        Check { granted, denied, audited }
    }

    /// May `source` do all of these permissions, named, to `target`? Names and decision are of one policy, whatever is
    /// loaded meanwhile. A class or permission that the policy does not define is answered by its `handle_unknown`.
    ///
    /// # Errors
    /// A SID stands for nothing.
    pub fn check_named(
        &self,
        source: Sid,
        target: Sid,
        class: &str,
        permissions: &[&str],
    ) -> Result<Check, ServerError> {
        let state = read(&self.state);
        let db = state.engine.db();
        let allow_unknown = db.handle_unknown == HandleUnknown::Allow;
        let Some(class) = db.classes.id(class) else {
            let bits = u32::from(!permissions.is_empty());
            let decision = state.decide_numbered(source, target, 0)?;
            return Ok(self.judge(&decision, bits));
        };
        let known = permissions.iter().map(|name| db.permission(class, name));
        let requested = known.clone().flatten().fold(0, |bits, id| bits | id.mask());
        let decision = self.decide_in(&state, source, target, class)?;
        let mut check = self.judge(&decision, requested);
        if known.clone().any(|it| it.is_none()) && !allow_unknown {
            check.granted &= decision.permissive || self.mode() == Mode::Permissive;
        }
        Ok(check)
    }

    /// The SID of a new object, a member or a relabelled object: see [`Engine::compute_context`].
    ///
    /// # Errors
    /// A SID stands for nothing, or the result is not allowed and the server enforces.
    pub fn compute(
        &self,
        compute: Compute,
        source: Sid,
        target: Sid,
        class: Option<ClassId>,
        name: Option<&[u8]>,
    ) -> Result<Sid, ServerError> {
        let mut state = write(&self.state);
        let (from, to) = (state.context(source)?, state.context(target)?);
        let context = state.engine.compute_context(compute, from, to, class, name)?;
        if !state.engine.db().context_is_valid(&context) && self.mode() == Mode::Enforcing {
            let text = state.engine.db().context_to_string(&context);
            return Err(ServerError::InvalidComputed(text));
        }
        let same = [(source, from), (target, to)].into_iter().find(|it| *it.1 == context);
        if let Some((sid, _)) = same {
            return Ok(sid);
        }
        state.sids.intern(context).ok_or(ServerError::SidsExhausted)
    }

    /// May an object change its label from `old` to `new` at the hands of `process`?
    ///
    /// # Errors
    /// [`ServerError::Forbidden`] if not; or a SID stands for nothing.
    pub fn validate_transition(
        &self,
        old: Sid,
        new: Sid,
        class: ClassId,
        process: Sid,
    ) -> Result<(), ServerError> {
        let state = read(&self.state);
        let (old, new) = (state.context(old)?, state.context(new)?);
        let process = state.context(process)?;
        if state.engine.db().classes.get(class).is_none() {
            return Err(ServerError::UnknownName { kind: "class", name: class.to_string() });
        }
        let result = state.engine.validate_transition(old, new, class, process);
        result.map_err(ServerError::Forbidden)
    }

    /// The contexts that a process may enter for this user.
    ///
    /// # Errors
    /// No such user, or the SID stands for nothing.
    pub fn reachable(&self, from: Sid, user: &str) -> Result<Vec<String>, ServerError> {
        let state = read(&self.state);
        let db = state.engine.db();
        let unknown = || ServerError::UnknownName { kind: "user", name: user.to_owned() };
        let user = db.users.find(user).ok_or_else(unknown)?;
        let contexts = state.engine.reachable_contexts(state.context(from)?, user);
        Ok(contexts.iter().map(|context| db.context_to_string(context)).collect())
    }

    /// The value of a boolean in force, and the value it will have after the next commit.
    ///
    /// # Errors
    /// No such boolean.
    pub fn boolean(&self, name: &str) -> Result<(bool, bool), ServerError> {
        let pending = self.pending();
        let state = read(&self.state);
        let id = state.boolean(name)?;
        let value = state.engine.booleans().get(id).unwrap_or_default();
        Ok((value, pending.get(&id).copied().unwrap_or(value)))
    }

    /// Sets a boolean at the next commit.
    ///
    /// # Errors
    /// No such boolean.
    pub fn set_boolean(&self, name: &str, value: bool) -> Result<(), ServerError> {
        let mut pending = self.pending();
        let id = read(&self.state).boolean(name)?;
        pending.insert(id, value);
        Ok(())
    }

    /// Puts all pending values in force at once.
    pub fn commit_booleans(&self) {
        let mut pending = self.pending();
        let mut state = write(&self.state);
        let changes = std::mem::take(&mut *pending);
        let booleans = state.engine.booleans().with(state.engine.db(), changes);
        state.engine = state.engine.with_booleans(booleans);
        state.seqno = state.seqno.wrapping_add(1);
        state.epoch = self.avc.next_epoch();
    }

    fn pending(&self) -> MutexGuard<'_, BTreeMap<BoolId, bool>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn context(&self, sid: Sid) -> Result<&Context, ServerError> {
        self.sids.context(sid).ok_or(ServerError::UnknownSid(sid))
    }

    fn decide_numbered(
        &self,
        source: Sid,
        target: Sid,
        class: u32,
    ) -> Result<Decision, ServerError> {
        let (source, target) = (self.context(source)?, self.context(target)?);
        Ok(self.engine.decide_numbered(source, target, class))
    }

    fn boolean(&self, name: &str) -> Result<BoolId, ServerError> {
        let unknown = || ServerError::UnknownName { kind: "boolean", name: name.to_owned() };
        self.engine.db().booleans.id(name).ok_or_else(unknown)
    }
}
