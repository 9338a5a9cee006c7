divert(-1)lost
divert`'a
undivert(-1)b
