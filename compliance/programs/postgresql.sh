#!/bin/bash
# A cluster of its own, with clients. The file is the way into the server's domain.
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1); export LC_ALL=C TZ=UTC; cd "$(dirname "$0")" || exit
"$bin/initdb" -D data -A trust -U me --no-sync > init.log 2>&1; echo "initdb: $?"
cat >> data/postgresql.conf << end
unix_socket_directories = '$PWD/run'
listen_addresses = ''
fsync = off
shared_buffers = 16MB
end
control() { "$bin/pg_ctl" -D data -w -t 60 "$@" > control.log; echo "pg_ctl: $?"; }
control -l log/log start
export PGHOST=$PWD/run PGUSER=me PGDATABASE=postgres
"$bin/pgbench" -i -s 1 -q > bench.log 2>&1; echo "pgbench: $?"
"$bin/pgbench" -c 4 -j 2 -t 100 > bench.log 2>&1; echo "pgbench: $?"; grep -E 'processed|failed' bench.log
ask() { "$bin/psql" -X -At "$@"; }
ask -c 'select count(*) from pgbench_accounts' -c 'select count(*) from pgbench_history' \
    -c 'select sum(bbalance) = (select sum(delta) from pgbench_history) from pgbench_branches'
ask -c 'set max_parallel_workers_per_gather = 2' -c 'set min_parallel_table_scan_size = 0' -c 'set parallel_setup_cost = 0' \
    -c 'select count(*) from pgbench_accounts a join pgbench_accounts b using (aid)' -c 'create index concurrently i on pgbench_accounts(abalance)'
ask -c "copy (select 1) to '$PWD/data/out'" -c "copy pgbench_branches from '$PWD/secret'" -c 'select 2'; echo "psql: $?"; cat data/out
"$bin/pg_dump" --inserts -t pgbench_branches | grep -c INSERT
control -m fast restart; ask -c 'select count(*) from pgbench_accounts'
control -m fast stop; "$bin/pg_controldata" data | grep 'cluster state'
