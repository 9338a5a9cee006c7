ifelse(a, a, yes, no) ifelse(a, b, yes, no) ifelse(a, b, yes) ifelse(a, a, yes)
