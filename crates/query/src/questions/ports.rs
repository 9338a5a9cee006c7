//! Network ports: what label each has, who may bind and connect; what a service that takes any port could take from others.

use std::str::FromStr;

use mandate_policydb::{Context, Ebitmap, PolicyDb, Port, TypeId, capability_bit};
use mandate_server::ObjectLookup as _;

use crate::questions::{self, Access, Granted, Parted, count};
use crate::types::TypeSets;

/// A protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `tcp`
    Tcp,
    /// `udp`
    Udp,
    /// `dccp`
    Dccp,
    /// `sctp`
    Sctp,
}

impl Protocol {
    const ALL: [Self; 4] = [Self::Tcp, Self::Udp, Self::Dccp, Self::Sctp];

    /// As `portcon` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Dccp => "dccp",
            Self::Sctp => "sctp",
        }
    }

    /// Its number in IP.
    fn number(self) -> u32 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Dccp => 33,
            Self::Sctp => 132,
        }
    }

    /// The class of its sockets.
    fn class(self, db: &PolicyDb) -> &'static str {
        let capability = capability_bit("extended_socket_class");
        let extended = capability.is_some_and(|it| db.policy_capabilities.contains(it));
        match self {
            Self::Tcp => "tcp_socket",
            Self::Udp => "udp_socket",
            Self::Dccp => "dccp_socket",
            Self::Sctp if extended => "sctp_socket",
            Self::Sctp => "rawip_socket",
        }
    }
}

/// A port of a protocol: `tcp/631`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortName {
    /// The protocol.
    pub protocol: Protocol,
    /// The port.
    pub port: u16,
}

/// Text that names no port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a port such as tcp/631 (tcp, udp, dccp or sctp; 0 to 65535), found {0:?}")]
pub struct NoPort(pub String);

impl FromStr for PortName {
    type Err = NoPort;

    fn from_str(text: &str) -> Result<Self, NoPort> {
        let parts = text.split_once('/').and_then(|(protocol, port)| {
            let protocol = Protocol::ALL.into_iter().find(|it| it.name() == protocol)?;
            Some(Self { protocol, port: port.parse().ok()? })
        });
        parts.ok_or_else(|| NoPort(text.to_owned()))
    }
}

/// Whose port it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortAnswer {
    /// The port.
    pub name: PortName,
    /// The first `portcon` that has it, as the kernel looks it up; compilers write the narrowest first.
    pub range: Option<(u32, u32)>,
    /// Its context: that of the `portcon`, else of the initial SID `port`.
    pub context: Option<Context>,
    /// Who may bind it.
    pub bind: Granted,
    /// Who may connect to it.
    pub connect: Granted,
    /// The class of its sockets.
    pub class: &'static str,
    /// Of `name_bind` and `name_connect` those that this class of the policy lacks: rules say nothing of who may do it.
    pub missing: Vec<&'static str>,
}

/// Asks about one port.
pub fn port(access: &Access<'_>, name: PortName) -> PortAnswer {
    let db = access.db();
    let found = portcon(db, name.protocol, name.port.into());
    let context = found.map(|it| &it.context);
    let context = context.or_else(|| db.lookup_initial_sid_by_name("port")).cloned();
    let class = name.protocol.class(db);
    let may = |permission| {
        let sources = |it: &Context| access.sources(it.type_, class, &[permission]);
        context.as_ref().map(sources).unwrap_or_default()
    };
    let (bind, connect) = (may("name_bind"), may("name_connect"));
    let missing = access.missing(class, &["name_bind", "name_connect"]);
    let range = found.map(|it| (it.low, it.high));
    PortAnswer { name, range, context, bind, connect, class, missing }
}

fn portcon(db: &PolicyDb, protocol: Protocol, port: u32) -> Option<&Port> {
    let mut ports = db.object_contexts.ports.iter();
    ports.find(|it| it.protocol == protocol.number() && (it.low..=it.high).contains(&port))
}

impl PortAnswer {
    /// What was counted.
    pub fn sentence(&self, db: &PolicyDb) -> String {
        let PortName { protocol, port } = self.name;
        let name = format!("{}/{port}", protocol.name());
        let Some(context) = &self.context else {
            return format!(
                "{name} has no label: the policy has neither a portcon for it nor an initial SID port."
            );
        };
        let from = match self.range {
            Some((low, high)) if low == high => "by a portcon of its own".to_owned(),
            Some((low, high)) => format!("by the portcon of {low}-{high}"),
            None => "by the initial SID port".to_owned(),
        };
        let (bind, connect) = (self.bind.types.len(), self.connect.types.len());
        let (class, bind) = (self.class, count(bind, "type"));
        let may = match self.missing.as_slice() {
            [] => format!("{bind} may bind it, {connect} may connect to it"),
            ["name_connect"] => format!(
                "{bind} may bind it; rules do not say who may connect to it, for {class} has no name_connect"
            ),
            missing => format!(
                "rules do not say who may use it, for {class} has no {}",
                missing.join(" and no ")
            ),
        };
        format!("{name} is {} {from}; {may}.", db.context_to_string(context))
    }
}

/// Ports that `bindresvport` chooses from.
const RESERVED: std::ops::RangeInclusive<u32> = 512..=1023;

/// Labelled ports that a service which takes any reserved port could take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcAnswer {
    /// Labelled ports from 512 to 1023, by protocol and number.
    pub ports: Vec<RpcPort>,
    /// Who may bind reserved ports that have no label of their own.
    pub services: Parted,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcPort {
    /// The protocol.
    pub protocol: Protocol,
    /// First and last port that has the label.
    pub range: (u32, u32),
    /// The type.
    pub type_: TypeId,
    /// Services that take any reserved port, and may take this one.
    pub takers: Parted,
    /// Are these all services of the protocol?
    pub all: bool,
    /// Others that may bind it: those it could be taken from.
    pub owners: Vec<String>,
}

/// Asks about all reserved ports.
pub fn rpc(access: &Access<'_>, unconfined: &Ebitmap) -> RpcAnswer {
    let mut answer = RpcAnswer { ports: Vec::new(), services: Parted::default() };
    let mut services = Ebitmap::new();
    for protocol in Protocol::ALL {
        let ranges = reserved(access.db(), protocol);
        let general = ranges.iter().filter(|it| it.general);
        let takers = general.fold(Ebitmap::new(), |all, it| {
            all.union(&access.sources(it.type_, protocol.class(access.db()), &["name_bind"]).types)
        });
        services = services.union(&takers);
        let labelled = ranges.iter().filter(|it| !it.general);
        answer.ports.extend(labelled.map(|it| of_range(access, protocol, it, &takers, unconfined)));
    }
    answer.services = Parted::new(access.sets, &services, unconfined);
    answer
}

fn of_range(
    access: &Access<'_>,
    protocol: Protocol,
    it: &Range,
    takers: &Ebitmap,
    unconfined: &Ebitmap,
) -> RpcPort {
    let binders = access.sources(it.type_, protocol.class(access.db()), &["name_bind"]).types;
    let taking = binders.intersection(takers);
    let owners = questions::difference(&binders, takers);
    RpcPort {
        protocol,
        range: (it.first, it.last),
        type_: it.type_,
        takers: Parted::new(access.sets, &taking, unconfined),
        all: taking == *takers,
        owners: questions::type_names(access.sets, &owners),
    }
}

/// Neighbouring reserved ports of one label.
struct Range {
    first: u32,
    last: u32,
    type_: TypeId,
    /// Is it the label of ports that have none of their own?
    general: bool,
}

fn reserved(db: &PolicyDb, protocol: Protocol) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    let sid = db.lookup_initial_sid_by_name("port");
    for port in RESERVED {
        let found = portcon(db, protocol, port);
        let all = |it: &Port| it.low <= *RESERVED.start() && it.high >= *RESERVED.end();
        let general = found.is_none_or(all);
        let Some(context) = found.map(|it| &it.context).or(sid) else { continue };
        let type_ = context.type_;
        match ranges.last_mut() {
            Some(it) if it.last + 1 == port && (it.type_, it.general) == (type_, general) => {
                it.last = port;
            }
            _ => ranges.push(Range { first: port, last: port, type_, general }),
        }
    }
    ranges
}

impl RpcAnswer {
    /// What was counted.
    pub fn sentence(&self) -> String {
        let confined = self.ports.iter().filter(|it| !it.takers.confined.is_empty()).count();
        format!(
            "{} may bind reserved ports without a label of their own, {} of them confined; of {} from 512 to 1023 they could take {} from others, and confined ones {confined} in all.",
            count(self.services.len(), "type"),
            self.services.confined.len(),
            count(self.ports.len(), "labelled port range"),
            self.from_others().count(),
        )
    }

    /// Ports that others may bind too.
    pub fn from_others(&self) -> impl Iterator<Item = &RpcPort> {
        self.ports.iter().filter(|it| !it.takers.is_empty() && !it.owners.is_empty())
    }
}

/// The unconfined domains of a policy.
pub fn unconfined(sets: &TypeSets<'_>) -> Ebitmap {
    questions::members(sets, &questions::unconfined_attributes(sets, &[]))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::rules::Conditions;
    use crate::testing::policy;

    const RULES: &str = "
        allow a_t { reserved_port_t ipp_port_t }:tcp_socket name_bind;
        allow b_t ipp_port_t:tcp_socket { name_bind name_connect };
        allow u_t port_type:tcp_socket name_bind;
        allow b_t port_t:tcp_socket name_connect;
        allow a_t port_t:udp_socket name_bind; allow b_t port_t:rawip_socket name_bind;";

    fn check(name: &str, expected: Expect) {
        let db = policy(RULES);
        let sets = TypeSets::new(&db);
        let access = Access::new(&sets, &Conditions::All);
        let answer = port(&access, name.parse().unwrap());
        let names = |it: &Granted| questions::type_names(&sets, &it.types).join(" ");
        let (bind, connect) = (names(&answer.bind), names(&answer.connect));
        expected.assert_eq(&format!("{}\n{bind}; {connect}", answer.sentence(&db)));
    }

    #[test]
    fn the_first_portcon_counts_and_else_the_initial_sid() {
        check(
            "tcp/631",
            expect![[r#"
                tcp/631 is u_u:object_r:ipp_port_t by a portcon of its own; 3 types may bind it, 1 may connect to it.
                a_t b_t u_t; b_t"#]],
        );
        check(
            "tcp/80",
            expect![[r#"
                tcp/80 is u_u:object_r:web_port_t by the portcon of 80-88; 1 type may bind it, 0 may connect to it.
                u_t; "#]],
        );
        check(
            "tcp/600",
            expect![[r#"
                tcp/600 is u_u:object_r:reserved_port_t by the portcon of 512-1023; 2 types may bind it, 0 may connect to it.
                a_t u_t; "#]],
        );
        check(
            "udp/600",
            expect![[r#"
                udp/600 is u_u:object_r:port_t by the initial SID port; 1 type may bind it; rules do not say who may connect to it, for udp_socket has no name_connect.
                a_t; "#]],
        );
        check(
            "tcp/70",
            expect![[r#"
                tcp/70 is u_u:object_r:port_t by the initial SID port; 1 type may bind it, 1 may connect to it.
                u_t; b_t"#]],
        );
    }

    #[test]
    fn who_may_is_not_told_where_no_permission_is_asked_for() {
        check(
            "dccp/1",
            expect![[r#"
                dccp/1 is u_u:object_r:port_t by the initial SID port; rules do not say who may use it, for dccp_socket has no name_bind and no name_connect.
                ; "#]],
        );
        // Without the policy capability extended_socket_class the kernel takes sockets of SCTP for raw ones.
        check(
            "sctp/1",
            expect![[r#"
                sctp/1 is u_u:object_r:port_t by the initial SID port; 1 type may bind it; rules do not say who may connect to it, for rawip_socket has no name_connect.
                b_t; "#]],
        );
    }

    #[test]
    fn what_names_no_port_is_told() {
        for text in ["631", "tcp/", "tcp/65536", "icmp/3"] {
            assert_eq!(text.parse::<PortName>(), Err(NoPort(text.to_owned())));
        }
    }

    #[test]
    fn a_service_that_takes_any_port_could_take_a_labelled_one() {
        let db = policy(RULES);
        let sets = TypeSets::new(&db);
        let answer = rpc(&Access::new(&sets, &Conditions::All), &unconfined(&sets));
        expect!["3 types may bind reserved ports without a label of their own, 2 of them confined; of 1 labelled port range from 512 to 1023 they could take 1 from others, and confined ones 1 in all."].assert_eq(&answer.sentence());
        expect![[r#"[RpcPort { protocol: Tcp, range: (631, 631), type_: TypeId(20), takers: Parted { confined: ["a_t"], unconfined: ["u_t"] }, all: true, owners: ["b_t"] }]"#]].assert_eq(&format!("{:?}", answer.ports));
    }
}
