define(`n', `[$1]')n (a) n(a)
n
(b)
