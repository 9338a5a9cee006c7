popdef(`nothing')a
