#!/bin/bash
# A cluster whose server asks SELinux about what clients do (contrib/sepgsql). The file is the way into the server's domain.
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1); export LC_ALL=C TZ=UTC; cd "$(dirname "$0")" || exit
if [[ $1 == stop ]]; then exec "$bin/pg_ctl" -D data -w -t 60 -m fast stop; fi
"$bin/initdb" -D data -A trust -U me --no-sync > init.log 2>&1 || exit
cat >> data/postgresql.conf << end
unix_socket_directories = '$PWD/run'
listen_addresses = ''
fsync = off
shared_buffers = 16MB
shared_preload_libraries = 'sepgsql'
end
label=system_u:object_r:sepgsql_secret_table_t:s0
single() { "$bin/postgres" --single -F -c exit_on_error=true -D data "$1" > "$1.log" 2>&1 || exit; }
for database in template1 postgres; do
    single "$database" < "$(ls /usr/share/postgresql/*/contrib/sepgsql.sql | tail -1)"
done
single postgres << end
create table secret as select 'the secret' as text;
security label on table secret is '$label';
security label on column secret.text is '$label';
create table categorized as select 'of c5' as text;
security label on table categorized is 'system_u:object_r:sepgsql_table_t:s0:c5';
security label on column categorized.text is 'system_u:object_r:sepgsql_table_t:s0:c5';
end
"$bin/pg_ctl" -D data -w -t 60 -l log/log start > control.log
