incr(4) decr(4) incr(-1) decr(0) incr(0)
