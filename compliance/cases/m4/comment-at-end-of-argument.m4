define(`two', `[$1][$2]')two(a # , b)
, c)
