incr(a)
