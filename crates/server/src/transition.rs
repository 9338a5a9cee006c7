//! Contexts of new processes and objects: create, member, relabel; validatetrans; contexts that a user may reach.
//!
//! Source: `security_compute_sid`, `mls_compute_sid`, `security_validate_transition` and `security_get_user_sids` in
//! the kernel's `security/selinux/ss`.

use mandate_policydb::{
    ClassDatum, ClassId, Constraint, Context, DefaultFrom, DefaultRange, FilenameTransitionGroup,
    FilenameTransitions, MlsLevel, MlsRange, PolicyDb, RoleId, RuleKind, SymbolId, TypeId,
    UserDatum,
};
use rustc_hash::FxHashMap;

use crate::constraint::{self, Contexts};
use crate::engine::{Engine, Query};
use crate::index::{Numbering, Rows, class_and_type};

/// Which context is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute {
    /// Of a new process or object: `type_transition` and its kin.
    Create,
    /// Of a member of a polyinstantiated object: `type_member`.
    Member,
    /// Of an object relabelled for its user: `type_change`.
    Relabel,
}

impl Compute {
    fn rule(self) -> RuleKind {
        match self {
            Self::Create => RuleKind::TypeTransition,
            Self::Member => RuleKind::TypeMember,
            Self::Relabel => RuleKind::TypeChange,
        }
    }
}

type Triple = (TypeId, TypeId, ClassId);

/// Filename transitions in the order in which they are searched.
struct Filenames {
    /// The policy's, grouped, if it has them one by one.
    regrouped: Vec<FilenameTransitionGroup>,
    /// Places of the groups, sorted by target, class and name.
    order: Vec<u32>,
}

impl Filenames {
    fn of(db: &PolicyDb) -> Self {
        let regrouped = match &db.filename_transitions {
            FilenameTransitions::Grouped(_) => Vec::new(),
            singles @ FilenameTransitions::Single(_) => singles.to_groups().into_owned(),
        };
        let mut filenames = Self { regrouped, order: Vec::new() };
        let groups = filenames.groups(db);
        let mut order: Vec<u32> = (0u32..).zip(groups).map(|it| it.0).collect();
        order.sort_unstable_by_key(|&at| groups.get(at as usize).map(filename_key));
        filenames.order = order;
        filenames
    }

    fn groups<'a>(&'a self, db: &'a PolicyDb) -> &'a [FilenameTransitionGroup] {
        match &db.filename_transitions {
            FilenameTransitions::Grouped(groups) => groups,
            FilenameTransitions::Single(_) => &self.regrouped,
        }
    }

    fn default_type(&self, db: &PolicyDb, key: Triple, name: &[u8]) -> Option<TypeId> {
        let ((source, target, class), groups) = (key, self.groups(db));
        let wanted = (target, class, name);
        let order = |&at: &u32| groups.get(at as usize).map(filename_key).cmp(&Some(wanted));
        let at = *self.order.get(self.order.binary_search_by(order).ok()?)?;
        let defaults = &groups.get(at as usize)?.defaults;
        defaults.iter().find(|it| it.0.has(source)).map(|it| it.1)
    }
}

fn filename_key(group: &FilenameTransitionGroup) -> (TypeId, ClassId, &[u8]) {
    (group.target, group.class, &group.name)
}

/// Type, role, range and filename transitions, for look-up.
pub(crate) struct Transitions {
    types: Rows,
    roles: FxHashMap<(RoleId, TypeId, Option<ClassId>), RoleId>,
    ranges: FxHashMap<Triple, MlsRange>,
    filenames: Filenames,
    sockets: Vec<bool>,
}

impl Transitions {
    pub(crate) fn of(db: &PolicyDb, numbering: &Numbering) -> Self {
        let process = db.classes.id("process");
        let ranges = db.range_transitions.iter().filter_map(|it| {
            Some(((it.source, it.target, it.class.or(process)?), it.range.clone()))
        });
        let roles = db
            .role_transitions
            .iter()
            .map(|it| ((it.role, it.type_, it.class.or(process)), it.new_role));
        Self {
            types: type_rules(db, numbering),
            roles: roles.collect(),
            ranges: ranges.collect(),
            filenames: Filenames::of(db),
            sockets: sockets(db),
        }
    }
}

/// Type rules match types exactly, never through attributes. Those of a key are in order, unconditional ones first.
fn type_rules(db: &PolicyDb, numbering: &Numbering) -> Rows {
    let filed = numbering.some(db, &numbering.types).map(|(number, rule)| {
        (rule.source.index(), class_and_type(rule.class(), rule.target), number)
    });
    Rows::new(db.types.nprim() as usize, filed)
}

/// Classes that the kernel knows as sockets; their objects take after the process that makes them.
/// Source: `security/selinux/include/classmap.h` of Linux.
const SOCKET_CLASSES: &[&str] = &[
    "alg_socket",
    "appletalk_socket",
    "atmpvc_socket",
    "atmsvc_socket",
    "ax25_socket",
    "bluetooth_socket",
    "caif_socket",
    "can_socket",
    "dccp_socket",
    "decnet_socket",
    "icmp_socket",
    "ieee802154_socket",
    "ipx_socket",
    "irda_socket",
    "isdn_socket",
    "iucv_socket",
    "kcm_socket",
    "key_socket",
    "llc_socket",
    "mctp_socket",
    "netlink_audit_socket",
    "netlink_connector_socket",
    "netlink_crypto_socket",
    "netlink_dnrt_socket",
    "netlink_fib_lookup_socket",
    "netlink_generic_socket",
    "netlink_iscsi_socket",
    "netlink_kobject_uevent_socket",
    "netlink_netfilter_socket",
    "netlink_nflog_socket",
    "netlink_rdma_socket",
    "netlink_route_socket",
    "netlink_scsitransport_socket",
    "netlink_selinux_socket",
    "netlink_socket",
    "netlink_tcpdiag_socket",
    "netlink_xfrm_socket",
    "netrom_socket",
    "nfc_socket",
    "packet_socket",
    "phonet_socket",
    "pppox_socket",
    "qipcrtr_socket",
    "rawip_socket",
    "rds_socket",
    "rose_socket",
    "rxrpc_socket",
    "sctp_socket",
    "smc_socket",
    "socket",
    "tcp_socket",
    "tipc_socket",
    "tun_socket",
    "udp_socket",
    "unix_dgram_socket",
    "unix_stream_socket",
    "vsock_socket",
    "x25_socket",
    "xdp_socket",
];

fn sockets(db: &PolicyDb) -> Vec<bool> {
    let mut sockets = vec![false; db.classes.nprim() as usize];
    for class in db.classes.by_value() {
        if let Some(place) = sockets.get_mut(class.id.index()) {
            *place = SOCKET_CLASSES.binary_search(&&*class.name).is_ok();
        }
    }
    sockets
}

/// Why no context was computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComputeError {
    /// `default_range glblub` of ranges that have no sensitivity in common.
    #[error("the ranges of source and target have no level in common")]
    DisjointRanges,
}

/// Which `validatetrans` forbids a change of label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForbiddenTransition {
    /// The constraint.
    pub constraint: Constraint,
    /// The value after each of its terms.
    pub terms: Vec<bool>,
}

/// What a new object is made from.
struct Making<'a> {
    engine: &'a Engine,
    compute: Compute,
    source: &'a Context,
    target: &'a Context,
    /// `None` for a class that the policy does not define.
    class: Option<&'a ClassDatum>,
    /// Does the object take after the process: is it a process or a socket?
    like_process: bool,
}

impl Engine {
    /// The context of a new object, a member or a relabelled object. `name` is the last component of the new object's
    /// name. The context may be one that the policy does not allow: see [`PolicyDb::context_is_valid`].
    ///
    /// # Errors
    /// Ranges that cannot be joined.
    pub fn compute_context(
        &self,
        compute: Compute,
        source: &Context,
        target: &Context,
        class: Option<ClassId>,
        name: Option<&[u8]>,
    ) -> Result<Context, ComputeError> {
        let class = class.and_then(|id| self.db().classes.get(id));
        let like_process = class.is_some_and(|it| {
            Some(it.id) == self.process_class()
                || self.index.transitions.sockets.get(it.id.index()) == Some(&true)
        });
        let making = Making { engine: self, compute, source, target, class, like_process };
        let role = making.role();
        let type_ = making.type_(name);
        Ok(Context { user: making.user(), role, type_, range: making.range()? })
    }

    /// May an object change its label from `old` to `new` at the hands of `process`? A class that the policy does not
    /// define has no constraints; [`SecurityServer`](crate::SecurityServer) refuses it, as the kernel does.
    ///
    /// # Errors
    /// The constraint that forbids it.
    pub fn validate_transition(
        &self,
        old: &Context,
        new: &Context,
        class: ClassId,
        process: &Context,
    ) -> Result<(), Box<ForbiddenTransition>> {
        let Some(class) = self.db().classes.get(class) else { return Ok(()) };
        let contexts = Contexts { source: old, target: new, process: Some(process) };
        for constraint in &class.validatetrans {
            let mut terms = Vec::new();
            if !constraint::holds(self.db(), constraint, contexts, |value| terms.push(value)) {
                let constraint = constraint.clone();
                return Err(Box::new(ForbiddenTransition { constraint, terms }));
            }
        }
        Ok(())
    }

    /// The contexts that a process in `from` may enter for this user, by role, then type.
    pub fn reachable_contexts(&self, from: &Context, user: &UserDatum) -> Vec<Context> {
        let range = match &from.range {
            Some(range) if self.db().mls => match login_range(range, user) {
                Some(range) => Some(range),
                None => return Vec::new(),
            },
            _ => None,
        };
        let mut contexts = Vec::new();
        for role in user.roles.ids().filter_map(|id| self.db().roles.get(id)) {
            for type_ in role.types.ids() {
                let (user, role, range) = (user.id, role.id, range.clone());
                let context = Context { user, role, type_, range };
                if self.may_enter(from, &context) {
                    contexts.push(context);
                }
            }
        }
        contexts
    }

    fn may_enter(&self, from: &Context, to: &Context) -> bool {
        let allow_unknown = self.db().handle_unknown == mandate_policydb::HandleUnknown::Allow;
        let Some(class) = self.process_class() else { return allow_unknown };
        match self.db().permission(class, "transition") {
            Some(transition) => {
                let query = Query { source: from, target: to, class };
                self.decide(&query).allowed >> transition.bit() & 1 == 1
            }
            None => allow_unknown,
        }
    }
}

impl Making<'_> {
    fn user(&self) -> mandate_policydb::UserId {
        let default = self.class.and_then(|it| it.default_user);
        let from_target = match self.compute {
            Compute::Member => true,
            _ => default == Some(DefaultFrom::Target),
        };
        if from_target { self.target.user } else { self.source.user }
    }

    fn role(&self) -> RoleId {
        if let (Compute::Create, Some(class)) = (self.compute, self.class) {
            let key = (self.source.role, self.target.type_, Some(class.id));
            if let Some(&role) = self.engine.index.transitions.roles.get(&key) {
                return role;
            }
        }
        match self.class.and_then(|it| it.default_role) {
            Some(DefaultFrom::Source) => self.source.role,
            Some(DefaultFrom::Target) => self.target.role,
            None if self.like_process => self.source.role,
            None => RoleId::OBJECT,
        }
    }

    fn type_(&self, name: Option<&[u8]>) -> TypeId {
        let transitions = &self.engine.index.transitions;
        if let Some(class) = self.class {
            let key = (self.source.type_, self.target.type_, class.id);
            let by_name = name
                .and_then(|name| transitions.filenames.default_type(self.engine.db(), key, name));
            if let Some(type_) = by_name.or_else(|| self.type_rule(key)) {
                return type_;
            }
        }
        match self.class.and_then(|it| it.default_type) {
            Some(DefaultFrom::Source) => self.source.type_,
            Some(DefaultFrom::Target) => self.target.type_,
            None if self.like_process => self.source.type_,
            None => self.target.type_,
        }
    }

    /// Unconditional rules have the lower numbers, so they come first.
    fn type_rule(&self, (source, target, class): Triple) -> Option<TypeId> {
        let index = &self.engine.index;
        let rules = index.transitions.types.exact(source, target, class);
        let rules = rules.filter_map(|number| index.numbering.rule(self.engine.db(), number));
        let mut wanted = rules.filter(|it| it.0.kind == self.compute.rule());
        let (rule, _) = wanted.find(|it| self.engine.booleans().applies(it.1))?;
        rule.default_type()
    }

    fn range(&self) -> Result<Option<MlsRange>, ComputeError> {
        let (Some(source), Some(target), true) =
            (&self.source.range, &self.target.range, self.engine.db().mls)
        else {
            return Ok(None);
        };
        let single = |level: &MlsLevel| Ok(Some(MlsRange::single(level.clone())));
        if self.compute == Compute::Create {
            if let Some(range) = self.range_rule() {
                return Ok(Some(range.clone()));
            }
            match self.class.and_then(|it| it.default_range) {
                Some(DefaultRange::SourceLow) => return single(&source.low),
                Some(DefaultRange::SourceHigh) => return single(&source.high),
                Some(DefaultRange::SourceLowHigh) => return Ok(Some(source.clone())),
                Some(DefaultRange::TargetLow) => return single(&target.low),
                Some(DefaultRange::TargetHigh) => return single(&target.high),
                Some(DefaultRange::TargetLowHigh) => return Ok(Some(target.clone())),
                Some(DefaultRange::Glblub) => return glblub(source, target).map(Some),
                None => {}
            }
        }
        if self.like_process && self.compute != Compute::Member {
            return Ok(Some(source.clone()));
        }
        single(&source.low)
    }

    fn range_rule(&self) -> Option<&MlsRange> {
        let key = (self.source.type_, self.target.type_, self.class?.id);
        self.engine.index.transitions.ranges.get(&key)
    }
}

/// The greatest of the lows and the least of the highs, with the categories that both have.
fn glblub(a: &MlsRange, b: &MlsRange) -> Result<MlsRange, ComputeError> {
    if a.high.sensitivity < b.low.sensitivity || b.high.sensitivity < a.low.sensitivity {
        return Err(ComputeError::DisjointRanges);
    }
    let low = MlsLevel {
        sensitivity: a.low.sensitivity.max(b.low.sensitivity),
        categories: a.low.categories.intersection(&b.low.categories),
    };
    let high = MlsLevel {
        sensitivity: a.high.sensitivity.min(b.high.sensitivity),
        categories: a.high.categories.intersection(&b.high.categories),
    };
    Ok(MlsRange { low, high })
}

/// The range in which a user logs in from a process at `from`: source `mls_setup_user_range`.
fn login_range(from: &MlsRange, user: &UserDatum) -> Option<MlsRange> {
    let (range, default) = (user.range.as_ref()?, user.default_level.as_ref()?);
    let between = |level: &MlsLevel, low: &MlsLevel, high: &MlsLevel| {
        level.dominates(low) && high.dominates(level)
    };
    let low = if between(default, &from.low, &from.high) {
        default
    } else if between(&from.low, default, &range.high) {
        &from.low
    } else if between(&from.high, &range.low, default) {
        &range.low
    } else {
        return None;
    };
    let high = if range.high.dominates(&from.high) {
        &from.high
    } else if from.high.dominates(&range.high) {
        &range.high
    } else {
        return None;
    };
    Some(MlsRange { low: low.clone(), high: high.clone() })
}
