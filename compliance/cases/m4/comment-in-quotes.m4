define(`a', `x')define(`b', `one # a
two a')b
