pushdef(`a', 1)pushdef(`a', 2)define(`a', 3)a popdef(`a')a
