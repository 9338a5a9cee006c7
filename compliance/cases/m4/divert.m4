one
divert(-1)
two
divert
three
