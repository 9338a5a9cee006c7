eval(1|2==2) eval(1+2<<1) eval(2**3**2) eval(-2**2) eval(!1+1) eval(1<2==1)
