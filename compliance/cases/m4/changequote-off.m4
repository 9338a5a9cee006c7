changequote(,)`a' b
changequote`'
