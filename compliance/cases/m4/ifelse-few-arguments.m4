[ifelse(a)] [ifelse()] [ifelse]
