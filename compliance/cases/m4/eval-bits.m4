eval(6&3) eval(6|3) eval(6^3) eval(~0) eval(-5) eval(+5) eval(- -5)
