# A server in its domain, and clients in another. What the server says of contexts it has from SO_PEERSEC.
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1); export LC_ALL=C PGHOST=$PWD/run PGUSER=me PGDATABASE=postgres
runcon system_u:system_r:postgresql_t:s0 ./server start > /dev/null 2>&1; echo "server: $?"
ask() { "$bin/psql" -X -At "$@" 2>&1; echo "psql: $?"; }
ask -c 'select sepgsql_getcon()' -c "create table plain as select 'plain' as text" -c 'select text from plain' \
    -c "select label from pg_seclabels where objtype = 'table' and objname = 'plain'"
ask -c 'select text from secret'
ask -c 'select text from categorized'
export PGOPTIONS='-c client_min_messages=error'
at_s0() { runcon -l s0 "$bin/psql" -X -At "$@" 2>&1; echo "psql at s0: $?"; }
at_s0 -c 'select sepgsql_getcon()' -c 'select text from plain'
at_s0 -c 'select text from categorized'
ask -c "security label on table plain is 'system_u:object_r:no_such_t:s0'"
runcon system_u:system_r:postgresql_t:s0 ./server stop > /dev/null 2>&1; echo "server: $?"
