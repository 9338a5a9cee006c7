index(abcdef, cd) index(abc, x) index(abc, `') index(`a b c', ` ') index(abcabc, ca)
