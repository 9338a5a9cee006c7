//! Classes and permissions as the kernel's hooks name them, and their bits in the policy in force.
//!
//! A hook's permissions are bits of our own, in the order below; each policy numbers its own (security/selinux/include/classmap.h is
//! where the kernel does the same).

use mandate_policydb::{ClassId, HandleUnknown, PolicyDb};

macro_rules! permissions {
    ($(#[$doc:meta] $module:ident: $($name:ident)+;)+) => {
        $(
            #[$doc]
            #[allow(dead_code, reason = "the list is whole, as the class has it")]
            pub(crate) mod $module {
                permissions!(@bits 0; $($name)+);
                pub(super) const NAMES: &[&str] = &[$(stringify!($name)),+];
            }
        )+
    };
    (@bits $n:expr; $name:ident $($rest:ident)*) => {
        #[allow(non_upper_case_globals, reason = "permissions are written as policies write them")]
        pub(crate) const $name: u32 = 1 << ($n);
        permissions!(@bits ($n) + 1; $($rest)*);
    };
    (@bits $n:expr;) => {};
}

permissions! {
    /// Of everything that lies in a file system.
    file: ioctl read write create getattr setattr lock relabelfrom relabelto append map unlink link
        rename execute quotaon mounton audit_access open execmod watch watch_mount watch_sb
        watch_with_perm watch_reads execute_no_trans entrypoint add_name remove_name reparent
        search rmdir;
    /// Of sockets.
    socket: ioctl read write create getattr setattr lock relabelfrom relabelto append map bind
        connect listen accept getopt setopt shutdown recvfrom sendto name_bind node_bind
        name_connect connectto;
    /// Of processes.
    process: fork transition sigchld sigkill sigstop signull signal ptrace getsched setsched
        getsession getpgid setpgid getcap setcap share getattr setexec setfscreate noatsecure
        siginh setrlimit rlimitinh dyntransition setcurrent execmem execstack execheap
        setkeycreate setsockcreate getrlimit;
    /// Of processes, more.
    process2: nnp_transition nosuid_transition;
    /// Of file systems.
    filesystem: mount remount unmount getattr relabelfrom relabelto associate quotamod quotaget
        watch;
    /// Of open files that come from another domain.
    fd: r#use;
    /// Of low addresses.
    memprotect: mmap_zero;
    /// Of what System V has for processes: those of all kinds.
    ipc: create destroy getattr setattr read write associate unix_read unix_write enqueue lock;
    /// Of messages in queues.
    msg: send receive;
    /// Of the policy itself.
    security: compute_av compute_create compute_member check_context load_policy compute_relabel
        compute_user setenforce setbool setsecparam setcheckreqprot read_policy validate_trans;
    /// Of the machine.
    system: ipc_info;
}

macro_rules! classes {
    ($($class:ident $name:literal $permissions:ident;)+) => {
        /// A class that hooks ask about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Class {
            $(#[doc = $name] $class),+
        }

        impl Class {
            const ALL: &[Self] = &[$(Self::$class),+];

            /// Its name in policies.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$class => $name),+ }
            }

            fn permissions(self) -> &'static [&'static str] {
                match self { $(Self::$class => $permissions::NAMES),+ }
            }
        }
    };
}

classes! {
    File "file" file;
    Dir "dir" file;
    LnkFile "lnk_file" file;
    ChrFile "chr_file" file;
    BlkFile "blk_file" file;
    SockFile "sock_file" file;
    FifoFile "fifo_file" file;
    AnonInode "anon_inode" file;
    Fd "fd" fd;
    Filesystem "filesystem" filesystem;
    Process "process" process;
    Process2 "process2" process2;
    Memprotect "memprotect" memprotect;
    Sem "sem" ipc;
    Msgq "msgq" ipc;
    Shm "shm" ipc;
    Msg "msg" msg;
    System "system" system;
    Security "security" security;
    Socket "socket" socket;
    TcpSocket "tcp_socket" socket;
    UdpSocket "udp_socket" socket;
    RawipSocket "rawip_socket" socket;
    IcmpSocket "icmp_socket" socket;
    SctpSocket "sctp_socket" socket;
    DccpSocket "dccp_socket" socket;
    UnixStreamSocket "unix_stream_socket" socket;
    UnixDgramSocket "unix_dgram_socket" socket;
    PacketSocket "packet_socket" socket;
    KeySocket "key_socket" socket;
    NetlinkSocket "netlink_socket" socket;
    NetlinkRouteSocket "netlink_route_socket" socket;
    NetlinkTcpdiagSocket "netlink_tcpdiag_socket" socket;
    NetlinkNflogSocket "netlink_nflog_socket" socket;
    NetlinkXfrmSocket "netlink_xfrm_socket" socket;
    NetlinkSelinuxSocket "netlink_selinux_socket" socket;
    NetlinkIscsiSocket "netlink_iscsi_socket" socket;
    NetlinkAuditSocket "netlink_audit_socket" socket;
    NetlinkFibLookupSocket "netlink_fib_lookup_socket" socket;
    NetlinkConnectorSocket "netlink_connector_socket" socket;
    NetlinkNetfilterSocket "netlink_netfilter_socket" socket;
    NetlinkDnrtSocket "netlink_dnrt_socket" socket;
    NetlinkKobjectUeventSocket "netlink_kobject_uevent_socket" socket;
    NetlinkGenericSocket "netlink_generic_socket" socket;
    NetlinkScsitransportSocket "netlink_scsitransport_socket" socket;
    NetlinkRdmaSocket "netlink_rdma_socket" socket;
    NetlinkCryptoSocket "netlink_crypto_socket" socket;
    BluetoothSocket "bluetooth_socket" socket;
    AlgSocket "alg_socket" socket;
    VsockSocket "vsock_socket" socket;
    CanSocket "can_socket" socket;
    TipcSocket "tipc_socket" socket;
    RdsSocket "rds_socket" socket;
    XdpSocket "xdp_socket" socket;
}

/// Names of a set of our bits, in their order.
pub(crate) fn names(class: Class, bits: u32) -> impl Iterator<Item = &'static str> {
    let all = class.permissions().iter().enumerate();
    all.filter(move |(n, _)| bits & 1 << n != 0).map(|(_, name)| name.trim_start_matches("r#"))
}

/// What a class is in a policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) class: ClassId,
    /// The policy's bit for each of ours; 0 where it has no such permission.
    bits: [u32; 32],
    /// All our bits that are the same in the policy.
    same: u32,
    /// Ours that it does not know.
    pub(crate) unknown: u32,
}

impl Known {
    /// Our bits as the policy has them.
    pub(crate) fn translated(&self, ours: u32) -> u32 {
        if ours & !self.same == 0 {
            return ours;
        }
        (0..32).filter(|n| ours & 1 << n != 0).fold(0, |all, n| all | self.bits[n])
    }

    /// The policy's bits as ours.
    pub(crate) fn ours(&self, theirs: u32) -> u32 {
        (0..32).filter(|n| theirs & self.bits[*n] != 0).fold(0, |all, n| all | 1 << n)
    }
}

/// All classes as one policy has them.
#[derive(Clone, Debug)]
pub(crate) struct Vocabulary {
    classes: Vec<Option<Known>>,
    /// What it does not know is allowed.
    pub(crate) allows_unknown: bool,
}

impl Vocabulary {
    pub(crate) fn of(db: &PolicyDb) -> Self {
        let known = |class: &Class| {
            let id = db.classes.id(class.name())?;
            let mut known = Known { class: id, bits: [0; 32], same: 0, unknown: 0 };
            for (n, name) in class.permissions().iter().enumerate() {
                let bit =
                    db.permission(id, name.trim_start_matches("r#")).map_or(0, |it| it.mask());
                known.bits[n] = bit;
                known.same |= if bit == 1 << n { bit } else { 0 };
                known.unknown |= if bit == 0 { 1 << n } else { 0 };
            }
            Some(known)
        };
        Self {
            classes: Class::ALL.iter().map(known).collect(),
            allows_unknown: db.handle_unknown == HandleUnknown::Allow,
        }
    }

    /// What a class is; none if the policy does not have it.
    pub(crate) fn known(&self, class: Class) -> Option<&Known> {
        self.classes.get(class as usize)?.as_ref()
    }
}
