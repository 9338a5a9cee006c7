define(`n', `[$1][$2][$3]')n(a) n(a, b, c, d)
