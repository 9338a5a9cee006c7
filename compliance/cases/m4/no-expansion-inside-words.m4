define(`a', `X')aa a_a a1 1a a-a a.a _a
