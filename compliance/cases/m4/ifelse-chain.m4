define(`t', `ifelse(`$1', `a', `A', `$1', `b', `B', `$1', `c', `C', `?')')t(a) t(b) t(c) t(d)
