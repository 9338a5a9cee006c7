ifelse(a , a, yes, no) ifelse( a, a, yes, no)
