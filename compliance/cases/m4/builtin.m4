undefine(`len')builtin(`len', abc)
