define(`foo', `F')`f'oo f`o'o fo`'o foo`'bar foo
