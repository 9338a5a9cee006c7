len(abc) len(`') len(`a b') len
