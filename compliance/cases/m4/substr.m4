substr(abcdef, 2) substr(abcdef, 2, 3) [substr(abc, 5)] substr(abc, 0, 10) [substr(abc, -1)]
