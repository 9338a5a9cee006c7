pushdef(`a', 1)pushdef(`b', 2)popdef(`a', `b')a b
