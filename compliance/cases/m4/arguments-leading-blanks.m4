define(`n', `[$1][$2][$3]')n(  a,
  b ,
	c  )
