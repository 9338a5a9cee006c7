undefine(`incr')incr(1)
