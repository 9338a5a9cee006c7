mkdir -p t/{a,b,c}/{1,2,3}; for d in t/*/*; do seq 1 10 > $d/f; ln -s f $d/l; done; chmod 600 t/a/1/f; touch -d 2001-01-01 t/b/2/f
find t | sort; find t -type l | wc -l; find t -perm 600; find t -newer t/b/2/f -type f | wc -l; find t -name f -exec grep -l 7 {} + | sort | wc -l
find t -name f -path '*/c/*' -delete; find t -type f | wc -l; find -L t -xtype l | wc -l; find t -empty | wc -l; find t -name f -execdir cat {} \; | wc -l
find t -samefile t/a/1/f; find /usr/share/doc /usr/include -type f | sort | md5sum; find /proc/self/fd -maxdepth 0; find t -printf '%y %m %s %f\n' | sort
find t -depth -print0 | xargs -0 -n 1 basename | sort | uniq -c; find t -user "$(id -un)" -links 1 -type f | sort; find absent; echo "code $?"
