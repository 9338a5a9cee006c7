divert(2)two
divert(1)one
divert`'zero
undivert`'end
