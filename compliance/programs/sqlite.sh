# Writers and readers of one database, and its log, in processes of their own.
ask() { sqlite3 -cmd '.timeout 30000' db "$@"; }
ask 'pragma journal_mode=wal; create table t(n integer primary key, w int); create index i on t(w);'
for w in 1 2 3 4; do (for i in $(seq 10); do ask "begin immediate; insert into t(w) values($w); insert into t(w) values($w+100); commit;"; done) & done
for i in $(seq 10); do ask 'select count(*)%2 from t;'; done; wait
ask 'select w, count(*) from t group by w order by w; pragma integrity_check; pragma wal_checkpoint(truncate);'; sqlite3 db vacuum
sqlite3 db .dump | wc -l; ask 'attach "other" as o; create table o.u as select w from t; select count(*) from o.u;'; sqlite3 db '.backup copy'; sqlite3 copy 'select count(*) from t;'; ls
