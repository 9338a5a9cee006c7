eval(0x1f) eval(017) eval(0b101) eval(0r3:12) eval(0xFF)
