define(`x', `y')index(a)
