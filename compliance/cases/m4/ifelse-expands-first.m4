define(`x', `1')ifelse(x, 1, yes, no) ifelse(`x', 1, yes, no) ifelse(x, `1', `x', no)
