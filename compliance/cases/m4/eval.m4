eval(1+2*3) eval((1+2)*3) eval(7/2) eval(-7/2) eval(7%3) eval(2**10) eval(1<<4) eval(256>>4)
