divnum divert(3)divnum divert`'divnum
