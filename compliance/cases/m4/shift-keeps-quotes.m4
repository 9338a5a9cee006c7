define(`a', `X')shift(b, `a', a) shift(``b'', ``a'')
