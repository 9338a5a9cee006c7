define(`a', `one')
a
