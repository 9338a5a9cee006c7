define(`a', `define(`a', `second')first')
a a a
