#
# What the network_ lines of corenetwork.te.in mean as interfaces. The names
# dollarsone and the like become arguments after this pass.
#

define(`__low',`ifelse(index(`$1',`-'),`-1',`$1',`substr(`$1',0,index(`$1',`-'))')')
define(`__reserved',`ifelse(`$2',`',`0',`ifelse(eval(__low(`$2') < 1024),`1',`1',`__reserved(shift(shift(shift($*))))')')')

# __port_interfaces(name, rule): the rule is what binding to a port below 1024
# takes besides.
define(`__port_interfaces',``#
## <summary>Bind TCP sockets to the port of $1.</summary>
## <param name="domain"><summary>Domain allowed access.</summary></param>
interface(`corenet_tcp_bind_$1_port',`gen_require(`type $1_port_t;') allow dollarsone $1_port_t:tcp_socket name_bind;$2')

## <summary>Bind UDP sockets to the port of $1.</summary>
## <param name="domain"><summary>Domain allowed access.</summary></param>
interface(`corenet_udp_bind_$1_port',`gen_require(`type $1_port_t;') allow dollarsone $1_port_t:udp_socket name_bind;$2')

## <summary>Connect to the TCP port of $1.</summary>
## <param name="domain"><summary>Domain allowed access.</summary></param>
interface(`corenet_tcp_connect_$1_port',`gen_require(`type $1_port_t;') allow dollarsone $1_port_t:tcp_socket name_connect;')

'')

define(`network_port',`__port_interfaces(`$1',ifelse(__reserved(shift($*)),`1',` allow dollarsone self:capability net_bind_service;'))')

define(`network_packet',``#
## <summary>Send and receive packets that $1 clients have.</summary>
## <param name="domain"><summary>Domain allowed access.</summary></param>
interface(`corenet_sendrecv_$1_client_packets',`gen_require(`type $1_client_packet_t;') allow dollarsone $1_client_packet_t:packet { send recv };')

## <summary>Send and receive packets that $1 servers have.</summary>
## <param name="domain"><summary>Domain allowed access.</summary></param>
interface(`corenet_sendrecv_$1_server_packets',`gen_require(`type $1_server_packet_t;') allow dollarsone $1_server_packet_t:packet { send recv };')

'')

define(`network_node',``#
## <summary>Bind TCP sockets to addresses of $1.</summary>
## <param name="domain"><summary>Domain allowed access.</summary></param>
interface(`corenet_tcp_bind_$1_node',`gen_require(`type $1_node_t;') allow dollarsone $1_node_t:tcp_socket node_bind;')

'')

define(`network_interface',``#
## <summary>Send and receive on the interface $1.</summary>
## <param name="domain"><summary>Domain allowed access.</summary></param>
interface(`corenet_sendrecv_$1_if',`gen_require(`type $1_netif_t;') allow dollarsone $1_netif_t:netif { ingress egress };')

'')
