undefined_macro(a, `b', define(`c', 1)) c
