eval(1+)
