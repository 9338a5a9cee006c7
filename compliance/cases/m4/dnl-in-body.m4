define(`a', `one dnl')a two
three
