define(`first', `$1')first(shift(a, b, c)) shift(a) shift() [shift(a, b, c)]
