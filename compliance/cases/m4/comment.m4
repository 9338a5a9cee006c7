# comment with a macro define(`a', `b')
define(`a', `x')a # a
a
