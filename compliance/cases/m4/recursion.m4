define(`down', `ifelse($1, `0', `.', `$1 down(decr($1))')')down(10)
