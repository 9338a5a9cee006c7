define(`a', `x `y' ``z''')
a
