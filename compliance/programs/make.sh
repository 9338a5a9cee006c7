mkdir src; cd src || exit
{
    echo 'CFLAGS = -O2'
    echo "prog: main.o $(seq -f 'f%g.o' 20 | tr '\n' ' ')"; printf '\t$(CC) -o $@ $^\n'
    printf '%%.o: %%.c f.h\n\t$(CC) $(CFLAGS) -c -o $@ $<\n'
    printf 'lib.so: f1.c\n\t$(CC) -shared -fPIC -o $@ $<\nlib.a: f1.o f2.o\n\tar rcsD $@ $^\n'
    printf 'check: prog\n\t./prog\nclean:\n\trm -f *.o\n'
} > Makefile
for i in $(seq 20); do
    echo "int f$i(int);" >> f.h
    printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include "f.h"\n' > f$i.c
    echo "int f$i(int n) { int s = 0; for (int i = 0; i < n; i++) s += i * $i; return s; }" >> f$i.c
done
{
    printf '#include <stdio.h>\n#include "f.h"\nint main(void) { int s = 0;\n'
    for i in $(seq 20); do echo "s += f$i(10);"; done; echo 'printf("%d\n", s); return 0; }'
} > main.c
make -j2 -O > log; echo "code $?"; sort log; make; touch f3.c; make; make lib.so lib.a; nm -D lib.so | grep -c f1; ar t lib.a
echo 'int broken(' > f4.c; make 2>&1 | tail -1; echo "code ${PIPESTATUS[0]}"
