#
# What the network_ lines of corenetwork.te.in mean as rules. Only these macros
# are known while that file is read, so calls of others pass through.
#

# __low(range): its first port.
define(`__low',`ifelse(index(`$1',`-'),`-1',`$1',`substr(`$1',0,index(`$1',`-'))')')

# __reserved(protocol, ports, level, ...): 1 where any port lies below 1024.
define(`__reserved',`ifelse(`$2',`',`0',`ifelse(eval(__low(`$2') < 1024),`1',`1',`__reserved(shift(shift(shift($*))))')')')

# __portcons(type, protocol, ports, level, ...)
define(`__portcons',`ifelse(`$3',`',`',`portcon $2 $3 gen_context(system_u:object_r:$1,$4)
__portcons(`$1',shift(shift(shift(shift($*)))))')')

# network_port(name, protocol,ports,level, ...)
define(`network_port',`
type $1_port_t, port_type, ifelse(__reserved(shift($*)),`1',`reserved_port_type',`service_port_type');
__portcons(`$1_port_t',shift($*))')

# network_packet(name)
define(`network_packet',`
type $1_client_packet_t, packet_type, client_packet_type;
type $1_server_packet_t, packet_type, server_packet_type;
')

# network_node(name, level, address, mask)
define(`network_node',`
type $1_node_t, node_type;
nodecon $3 $4 gen_context(system_u:object_r:$1_node_t,$2)
')

# network_interface(name, interface,level, ...)
define(`__netifcons',`ifelse(`$2',`',`',`netifcon $2 gen_context(system_u:object_r:$1,$3) gen_context(system_u:object_r:unlabeled_t,$3)
__netifcons(`$1',shift(shift(shift($*))))')')
define(`network_interface',`
type $1_netif_t, netif_type;
__netifcons(`$1_netif_t',shift($*))')
