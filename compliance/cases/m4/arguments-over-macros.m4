define(`n', `[$1][$2]')define(`pair', `x, y')n(pair) n(`pair') n((pair))
