define(`a-b', `<$1>')indir(`a-b', x)
