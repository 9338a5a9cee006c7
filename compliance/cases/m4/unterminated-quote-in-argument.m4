define(`b', `c)
d
