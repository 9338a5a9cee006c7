define(`n', `$ $$ $x $-1 $')n(a) $1
