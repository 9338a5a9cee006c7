eval(255, 16) eval(255, 2) eval(5, 2, 8) eval(-5, 10, 4) eval(35, 36)
