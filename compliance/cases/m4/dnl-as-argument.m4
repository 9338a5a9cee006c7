define(`a', `[$1]')a(x dnl comment, with comma)
y)
