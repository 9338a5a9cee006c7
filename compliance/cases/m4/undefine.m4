define(`a', `x')a undefine(`a')a define(`b', 1)define(`c', 2)undefine(`b', `c')b c
