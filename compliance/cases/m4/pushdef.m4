define(`a', `1')pushdef(`a', `2')a popdef(`a')a popdef(`a')a
