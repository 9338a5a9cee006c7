translit(abcdef, a-c, A-C) translit(abc, b) translit(`hello', `a-y', `b-z')
