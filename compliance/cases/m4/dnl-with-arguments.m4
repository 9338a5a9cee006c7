dnl(these are eaten) but not this
next
