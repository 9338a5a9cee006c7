define(`n', `$10|$11|${1}|$1')n(a,b,c,d,e,f,g,h,i,j,k)
