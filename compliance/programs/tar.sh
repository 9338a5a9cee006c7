mkdir -p t/{a,b}; seq 1 10000 > t/a/n; ln -s n t/a/l; ln t/a/n t/b/h; mkfifo t/p; truncate -s 1M t/sparse; echo end >> t/sparse; chmod 640 t/a/n
find t -exec touch -h -d 2001-02-03T04:05:06Z {} +; export TZ=UTC
tar cf x.tar --sort=name t; tar tvf x.tar; mkdir o; tar xpf x.tar -C o; find o | sort; diff -r --no-dereference t/a o/t/a; echo "code $?"
tar czf x.tgz --sort=name t; tar xzf x.tgz -O t/a/n | md5sum; tar cJf x.txz t/a; tar tJf x.txz | sort; tar --exclude=n -cf - t | tar tf - | sort
tar df x.tar; echo "code $?"; tar rf x.tar --transform 's/^t/u/' t/b; tar tf x.tar | tail -2; tar cSf s.tar t/sparse; tar --delete -f x.tar t/p; tar tf x.tar | wc -l
tar xf x.tar absent 2> /dev/null; echo "code $?"; (cd o; tar xf ../x.tar --overwrite; tar xf ../x.tar -k 2> /dev/null; echo "code $?"); tar cf - -C / usr/include/linux | tar xf - -C o; find o/usr | wc -l
