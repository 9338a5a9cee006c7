define (`a', `b') a
