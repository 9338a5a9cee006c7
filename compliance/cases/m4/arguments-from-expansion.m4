define(`open', `n(')define(`n', `[$1]')open`'a)
