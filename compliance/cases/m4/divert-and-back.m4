divert(1)a
divert`'b
divert(1)c
divert`'d
