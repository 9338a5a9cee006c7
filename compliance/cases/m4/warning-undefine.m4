undefine(`nothing')a
