define(`sh', `ifelse(`$#', 0, `none', `$*')')define(`q', `sh($*)')sh q(a, b) q(`a, b')
