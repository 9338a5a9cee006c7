no macros here
  leading blanks stay
