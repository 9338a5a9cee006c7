define(`a', `X')define(`s', `$*')define(`t', `$@')s(`a', a) t(`a', a) s() t()
