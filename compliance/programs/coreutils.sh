set -e
mkdir -p d/e; seq 1 2000 > d/n; sort -rn d/n | head -3; wc d/n; split -l 500 d/n d/e/part.; ls d/e; cat d/e/part.* | cmp - d/n
cp -a d c; diff -r d c; mv c m; ln -s ../d/n m/link; readlink -f m/link | sed 's:.*/::'; ln d/n d/hard; stat -c '%h %F %s' d/hard
chmod 640 d/n; stat -c '%a' d/n; touch -d '2001-02-03 04:05:06' d/n; date -r d/n '+%F'; truncate -s 10 d/hard; wc -c < d/n
dd if=/dev/zero of=z bs=4096 count=64 status=none; md5sum z; sha256sum z; od -An -tx1 -N4 z; head -c 100 /dev/urandom | wc -c
tail -n 2 d/e/part.ab; tr a-z A-Z <<< upper; cut -d: -f1 /etc/passwd | head -1; paste -sd, <(seq 5); comm -12 <(seq 1 5) <(seq 3 8)
join <(printf 'a 1\nb 2\n') <(printf 'a x\nb y\n'); mktemp -p . tmp.XXXXXX | wc -c; rm tmp.*; install -m 700 d/hard i; rm -r m
mkfifo f; (tac f) & seq 3 > f; wait; rm f; timeout 0.1 sleep 5 || echo "code $?"; nohup true 2>&1 | cat; nice -n 5 nice; env -i A=b env
df . > /dev/null; du -s --apparent-size d > /dev/null; rmdir d/e 2>&1 || echo "code $?"; xargs -n 2 echo < <(seq 4); shuf -i 1-5 | sort | tr -d '\n'; echo
tee t1 t2 <<< both; sync t1; id -un; whoami; tty || true; nproc > /dev/null; uname -s; stat -f -c %T . > /dev/null; realpath --relative-to=. d/hard
chown "$(id -u)" t1; chgrp "$(id -g)" t1; link t1 t3; unlink t3; mknod p p; stat -c %F p; ls -R; ls -l | cut -c1-10 | sort | uniq -c
touch -h -d 2001-02-03 t2; ls --time-style=+%F -l t2 | cut -d' ' -f6-; cp --sparse=always z sparse; cmp z sparse; shred -u t1; test ! -e t1; pr -t t2
expr 6 \* 7; factor 999983; fold -w 3 <<< abcdef; basename /a/b.c .c; dirname /a/b; cksum t2; csplit -s d/n 2 || true; rm -f xx*; stdbuf -oL echo line
