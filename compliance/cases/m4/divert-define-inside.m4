divert(-1)
define(`a', `x')
divert`'a
