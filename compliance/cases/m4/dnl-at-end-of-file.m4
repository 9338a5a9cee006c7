a
dnl