define(`cd', `X')substr(abcdef, 2, 2)
