one dnl two
three dnl
four
